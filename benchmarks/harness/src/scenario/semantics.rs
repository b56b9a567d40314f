//! Whose rules a scenario is judged by.

use serde::{Deserialize, Serialize};

/// Whose rules a scenario is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Semantics {
    /// The laboratory's own: everything that a scenario expects is looked at, and codes have to be registered.
    Sound,
    /// The reference's: `state` and `hashchain_len_delta` are not looked at, nor are codes.
    Reference,
}

//! Everything that decides whether an action may happen, and the record that it did.
//!
//! Each gate is a file of its own in [`gates`]; [`tokens`] are the permissions that are used up, [`enforcement`] is
//! what happens to those who break an invariant, [`chain`] is the record. The order of the gates is the domain's
//! pipeline's business. This crate does no I/O and knows nothing of laboratories or mines: it sees an [`ActionId`]
//! and interned ids, never a specimen or a truck.

pub mod action;
pub mod canonical;
pub mod chain;
pub mod enforcement;
mod error;
pub mod gates;
pub mod invariants;
pub mod keys;
pub mod payload;
pub mod reason;
mod symbol_set;
pub mod tokens;
pub mod tools;

pub use action::{ActionId, ActionSet, ActionSpec, ActionTable};
pub use chain::{AuditChain, ChainBroken};
pub use error::TrustError;
pub use reason::codes;
pub use symbol_set::SymbolSet;

#[doc(hidden)]
pub mod __private {
    pub use inventory;
}

//! One cell of many that crashes must not take the others with it, and must not pass.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `work` gives, or why it did not in words: an error, or a panic.
///
/// # Errors
/// The words.
pub fn guarded<T, E: Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            Err(text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned()))
        }
    }
}

//! The world says no.

use labtrust_kernel::Symbol;
use smallvec::SmallVec;

/// Why an action does not happen, with the invariants it would break.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub code: &'static str,
    pub broken: SmallVec<[(Symbol, Option<&'static str>); 2]>,
}

impl Refusal {
    /// A refusal that names the invariant it protects.
    pub(crate) fn breaking(code: &'static str, invariant: Symbol) -> Self {
        Self { code, broken: SmallVec::from_slice(&[(invariant, Some(code))]) }
    }

    /// The same with one more invariant.
    pub(crate) fn and(mut self, invariant: Symbol, reason: Option<&'static str>) -> Self {
        self.broken.push((invariant, reason));
        self
    }
}

impl From<&'static str> for Refusal {
    fn from(code: &'static str) -> Self {
        Self { code, broken: SmallVec::new() }
    }
}

/// What a handler answers.
pub(crate) type Decided = Result<(), Refusal>;

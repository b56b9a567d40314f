//! The world says no.

use labtrust_kernel::Symbol;
use smallvec::SmallVec;

/// Why an action does not happen, with the invariants it would break.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub code: &'static str,
    pub broken: SmallVec<[(Symbol, Option<&'static str>); 2]>,
    /// The policy's own reason code for it, where the policy has one.
    pub policy_reason: Option<Symbol>,
}

impl Refusal {
    /// A refusal that names the invariant it protects.
    pub(crate) fn breaking(code: &'static str, invariant: Symbol) -> Self {
        Self { code, broken: SmallVec::from_slice(&[(invariant, Some(code))]), policy_reason: None }
    }

    /// The same with the reason code that the policy has for it.
    pub(crate) fn called(mut self, policy_reason: Option<Symbol>) -> Self {
        self.policy_reason = policy_reason;
        self
    }

    /// The same with one more invariant.
    pub(crate) fn and(mut self, invariant: Symbol, reason: Option<&'static str>) -> Self {
        self.broken.push((invariant, reason));
        self
    }
}

impl From<&'static str> for Refusal {
    fn from(code: &'static str) -> Self {
        Self { code, broken: SmallVec::new(), policy_reason: None }
    }
}

/// What a handler answers.
pub(crate) type Decided = Result<(), Refusal>;

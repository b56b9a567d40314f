//! The controls of the path, by name, and which of them are on.

use super::Stop;
use serde::{Serialize, Serializer};

/// A control, in the order in which they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Control {
    /// Does not ask a model that was blocked too often in a row.
    CircuitBreaker,
    /// Does not ask more often than so many times in a window.
    RateLimit,
    /// Does not ask while a text gives orders.
    PreModelBlock,
    /// Shortens texts, and does not show suspicious ones.
    Sanitizer,
    /// Refuses answers that repeat a text.
    OutputConsistency,
    /// Reads an answer by its schema, and nothing beside it.
    ProposalSchema,
    /// Wants reasons, cited rules, possible moves and enough confidence.
    ConstrainedDecode,
    /// Wants the action to be one that is offered now.
    AllowedActions,
    /// Wants arguments that fit the state.
    DeterministicValidation,
    /// Refuses arguments that stand in a text and nowhere else.
    ArgumentProvenance,
    /// Holds the agent to its profile.
    CapabilityProfile,
    /// Holds the agent to its role.
    Rbac,
    /// Holds calls of tools to registry, role and schema.
    ToolGate,
    /// Takes secrets out of what the action says.
    SecretScrub,
}

impl Control {
    /// All, in their order.
    pub const ALL: [Self; 14] = [
        Self::CircuitBreaker,
        Self::RateLimit,
        Self::PreModelBlock,
        Self::Sanitizer,
        Self::OutputConsistency,
        Self::ProposalSchema,
        Self::ConstrainedDecode,
        Self::AllowedActions,
        Self::DeterministicValidation,
        Self::ArgumentProvenance,
        Self::CapabilityProfile,
        Self::Rbac,
        Self::ToolGate,
        Self::SecretScrub,
    ];

    /// Those that judge a proposal that was read, in their order.
    pub(super) const OF_PROPOSALS: [Self; 7] = [
        Self::ConstrainedDecode,
        Self::AllowedActions,
        Self::DeterministicValidation,
        Self::ArgumentProvenance,
        Self::CapabilityProfile,
        Self::Rbac,
        Self::ToolGate,
    ];

    /// Its name, in commands and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CircuitBreaker => "circuit_breaker",
            Self::RateLimit => "rate_limit",
            Self::PreModelBlock => "pre_model_block",
            Self::Sanitizer => "sanitizer",
            Self::OutputConsistency => "output_consistency",
            Self::ProposalSchema => "proposal_schema",
            Self::ConstrainedDecode => "constrained_decode",
            Self::AllowedActions => "allowed_actions",
            Self::DeterministicValidation => "deterministic_validation",
            Self::ArgumentProvenance => "argument_provenance",
            Self::CapabilityProfile => "capability_profile",
            Self::Rbac => "rbac",
            Self::ToolGate => "tool_gate",
            Self::SecretScrub => "secret_scrub",
        }
    }

    /// The control of a name.
    ///
    /// # Errors
    /// [`UnknownControl`].
    pub fn named(name: &str) -> Result<Self, UnknownControl> {
        Self::ALL.into_iter().find(|control| control.name() == name).ok_or_else(|| UnknownControl {
            name: name.to_owned(),
            nearest: labtrust_policy::nearest(Self::ALL.map(Self::name), name).map(str::to_owned),
        })
    }

    /// Whether a stop of it says that something hostile is about, so that the breaker counts it.
    pub(super) const fn counts_as_block(self) -> bool {
        !matches!(self, Self::CircuitBreaker | Self::RateLimit)
    }

    pub(super) fn stop(self, code: &str, detail: &str) -> Stop {
        Stop { control: Some(self), code: code.to_owned(), detail: detail.to_owned() }
    }
}

impl Serialize for Control {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.serialize_str(self.name())
    }
}

/// There is no such control.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no runtime control {name}{}", .nearest.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
pub struct UnknownControl {
    /// What was asked for.
    pub name: String,
    /// What was perhaps meant.
    pub nearest: Option<String>,
}

/// Which controls are on. All of them, unless somebody says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Controls {
    on: [bool; Control::ALL.len()],
}

impl Default for Controls {
    fn default() -> Self {
        Self { on: [true; Control::ALL.len()] }
    }
}

impl Controls {
    /// All off: for measuring what attacks do to an agent without any.
    #[must_use]
    pub const fn none() -> Self {
        Self { on: [false; Control::ALL.len()] }
    }

    /// The same without one.
    #[must_use]
    pub const fn without(mut self, control: Control) -> Self {
        self.on[control as usize] = false;
        self
    }

    /// The same with one.
    #[must_use]
    pub const fn with(mut self, control: Control) -> Self {
        self.on[control as usize] = true;
        self
    }

    /// Whether a control is on.
    #[must_use]
    pub const fn is_on(self, control: Control) -> bool {
        self.on[control as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_switched_by_its_name_and_no_other_with_it() {
        for (place, control) in Control::ALL.into_iter().enumerate() {
            assert_eq!((control as usize, Control::named(control.name())), (place, Ok(control)));
            let without = Controls::default().without(control);
            assert!(Control::ALL.iter().all(|other| without.is_on(*other) == (*other != control)));
            assert_eq!(without.with(control), Controls::default());
        }
        let error = Control::named("tool_gat").unwrap_err();
        assert_eq!(error.to_string(), "there is no runtime control tool_gat; did you mean tool_gate?");
    }
}

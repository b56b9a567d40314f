//! The gates that an event passes, in their order.

/// A gate of the trust pipeline. The order of the variants is the order in which an event meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// The log is not frozen.
    FrozenLog,
    /// The event can be read.
    WellFormed,
    /// Time does not run backwards.
    Time,
    /// Runtime control: the system agent, in its role, with its key.
    RuntimeControl,
    /// Whoever starts a run stands at the device.
    Colocation,
    /// The agent is on the roster or on the floor.
    AgentKnown,
    /// The role allows it.
    Role,
    /// Enforcement has not stopped the agent.
    Enforcement,
    /// The profile allows it, often enough and with reasons.
    Capability,
    /// The signature is there, where one is needed, and good.
    Signature,
    /// The agent is not walking.
    InTransit,
    /// Every token presented covers this use.
    Token,
    /// What the laboratory itself asks for before the action.
    Precondition,
    /// The tool is admitted and does its work.
    Tool,
}

impl Gate {
    /// Every gate, in order.
    pub const ALL: [Self; 14] = [
        Self::FrozenLog,
        Self::WellFormed,
        Self::Time,
        Self::RuntimeControl,
        Self::Colocation,
        Self::AgentKnown,
        Self::Role,
        Self::Enforcement,
        Self::Capability,
        Self::Signature,
        Self::InTransit,
        Self::Token,
        Self::Precondition,
        Self::Tool,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FrozenLog => "frozen log",
            Self::WellFormed => "well-formed",
            Self::Time => "time",
            Self::RuntimeControl => "runtime control",
            Self::Colocation => "colocation",
            Self::AgentKnown => "agent known",
            Self::Role => "role",
            Self::Enforcement => "enforcement",
            Self::Capability => "capability",
            Self::Signature => "signature",
            Self::InTransit => "in transit",
            Self::Token => "token",
            Self::Precondition => "precondition",
            Self::Tool => "tool",
        }
    }
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

//! The action contract: actions by number, for learners and for agents in other processes.
//!
//! Version 0.1 has the six indices of the published environment, version 0.2 appends 23 that cover the whole lane, with
//! the same first six. A bare index is enough in either: [`fill`] completes it from what the agent sees, always in the
//! same way, and [`mask`] says which indices have something to act on and are within the agent's role. An agent that
//! wants more than the first that fits sends arguments with the index ([`decide`]).

mod choose;
mod info;
mod observation;
mod rows;
pub mod vector;

pub use info::decide;
pub use observation::observation;
pub use rows::{Row, Rows};

use super::{ActionKind, AgentContext, Args, Decision};

/// Which action space an agent uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActionSpace {
    /// Indices 0 to 5.
    V01,
    /// Indices 0 to 28.
    #[default]
    V02,
}

impl ActionSpace {
    /// How many indices there are [count].
    #[must_use]
    pub const fn len(self) -> usize {
        match self {
            Self::V01 => 6,
            Self::V02 => INDEX.len(),
        }
    }

    /// A space without actions does not exist.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        false
    }

    /// The version's number.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::V01 => "0.1",
            Self::V02 => "0.2",
        }
    }

    /// The action of an index; everything that is no index is [`ActionKind::Noop`].
    #[must_use]
    pub fn kind(self, index: i64) -> ActionKind {
        usize::try_from(index).ok().filter(|&index| index < self.len()).map_or(ActionKind::Noop, |index| INDEX[index])
    }
}

/// The action of every index of version 0.2; the first six are version 0.1.
pub const INDEX: [ActionKind; 29] = [
    ActionKind::Noop,
    ActionKind::Tick,
    ActionKind::QueueRun,
    ActionKind::Move,
    ActionKind::OpenDoor,
    ActionKind::StartRun,
    ActionKind::CreateAccession,
    ActionKind::CheckAcceptanceRules,
    ActionKind::AcceptSpecimen,
    ActionKind::HoldSpecimen,
    ActionKind::RejectSpecimen,
    ActionKind::CentrifugeStart,
    ActionKind::CentrifugeEnd,
    ActionKind::AliquotCreate,
    ActionKind::GenerateResult,
    ActionKind::HoldResult,
    ActionKind::ReleaseResult,
    ActionKind::QcEvent,
    ActionKind::RerunRequest,
    ActionKind::NotifyCriticalResult,
    ActionKind::AckCriticalResult,
    ActionKind::EscalateCriticalResult,
    ActionKind::DispatchTransport,
    ActionKind::TransportTick,
    ActionKind::ChainOfCustodySign,
    ActionKind::ReceiveTransport,
    ActionKind::MintToken,
    ActionKind::StartRunOverride,
    ActionKind::ReleaseResultOverride,
];

/// The action with the first arguments that fit what the agent sees; `None` where nothing does. NOOP always fits.
#[must_use]
pub fn fill(ctx: &mut AgentContext<'_>, kind: ActionKind) -> Option<Decision> {
    choose::first_fit(ctx, kind)
}

/// Which indices of a space the agent can use now, bit i for index i: NOOP, and every action that its role has and that
/// [`fill`] finds arguments for. An agent on the way can only wait; a frozen log leaves everybody nothing else.
#[must_use]
pub fn mask(ctx: &mut AgentContext<'_>, space: ActionSpace) -> u32 {
    let me = &ctx.view.agents[ctx.me];
    let (may, busy) = (me.may, me.walking_to.is_some() || ctx.view.log_frozen);
    let mut bits = 1;
    if !busy {
        for (index, &kind) in INDEX.iter().enumerate().take(space.len()).skip(1) {
            if may.contains(kind.id()) && fill(ctx, kind).is_some() {
                bits |= 1 << index;
            }
        }
    }
    bits
}

/// What a bare index means: the first arguments that fit, else none at all, so that the laboratory refuses it on record.
#[must_use]
pub fn bare(ctx: &mut AgentContext<'_>, kind: ActionKind) -> Option<Decision> {
    if kind == ActionKind::Noop {
        return None;
    }
    Some(fill(ctx, kind).unwrap_or_else(|| Decision::new(kind, Args::default())))
}

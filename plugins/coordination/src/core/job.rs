//! A piece of open work for one person.

use super::memory::Subject;
use labtrust_plugin::wire::{Act, Choice, Priority};

/// A piece of open work for one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What is to be done.
    pub act: Act,
    /// Where; `None` where that does not matter.
    pub zone: Option<u16>,
    /// Number of what it is about, the same for the whole episode.
    pub subject: u32,
    /// How urgent the specimen is.
    pub priority: Priority,
    /// When the specimen arrived [s]; of work without one, since when it is there.
    pub arrival_s: i64,
    /// Since when it waits for this act [s].
    pub since_s: i64,
    /// When it can be done [s]: in the past, or when a device will be free.
    pub ready_s: i64,
    /// How long it takes from its start until the next act [s].
    pub takes_s: i64,
    /// What comes first whatever its urgency, the least first: by itself, how far it is from a release ([`rank`]).
    pub rank: u8,
    /// How urgent the method finds it among work of one rank: the least first.
    pub urgency: i64,
    /// How many specimens it moves on [count].
    pub size: u32,
    /// The first of its specimens, a place in the observation.
    pub specimen: Option<u32>,
    /// All of them, for a centrifuge.
    pub batch: Vec<u32>,
    /// The device, a place in the site's list.
    pub device: Option<u16>,
    /// What else it is about ([`Choice::object`]).
    pub object: Option<u32>,
}

impl Job {
    /// What it is about, the same in every step.
    #[must_use]
    pub const fn about(&self) -> Subject {
        (self.act, self.subject)
    }

    /// The order of work: by rank, then by urgency. Ties are broken by the act and the subject.
    #[must_use]
    pub const fn order(&self) -> (u8, i64, u8, u32) {
        (self.rank, self.urgency, rank(self.act), self.subject)
    }

    /// The job as a choice for an agent.
    #[must_use]
    pub fn choice(&self, agent: u16) -> Choice {
        let mut specimens = self.batch.clone();
        if specimens.is_empty() && names_specimen(self.act) {
            specimens.extend(self.specimen);
        }
        Choice { agent, act: self.act, specimens, device: self.device, object: self.object }
    }
}

/// Whether a choice of this act names its specimen; others are about a device or a result that has one.
const fn names_specimen(act: Act) -> bool {
    matches!(
        act,
        Act::QueueRun
            | Act::CreateAccession
            | Act::CheckAcceptanceRules
            | Act::AcceptSpecimen
            | Act::HoldSpecimen
            | Act::AliquotCreate
    )
}

/// How far from a release an act is: work that leaves the laboratory makes room for what comes behind it. To start an
/// analyser comes before to file a result: a device that stands still delays everything behind it, a result that is
/// filed later only itself.
#[must_use]
pub const fn rank(act: Act) -> u8 {
    match act {
        Act::AckCriticalResult => 0,
        Act::NotifyCriticalResult => 1,
        Act::QcEvent => 2,
        Act::StartRun => 3,
        Act::GenerateResult => 4,
        Act::QueueRun => 5,
        Act::RerunRequest => 6,
        Act::ReceiveTransport => 7,
        Act::DispatchTransport => 8,
        Act::ChainOfCustodySign => 9,
        Act::CentrifugeEnd => 10,
        Act::CentrifugeStart => 11,
        Act::AliquotCreate => 12,
        Act::AcceptSpecimen => 13,
        Act::CheckAcceptanceRules => 14,
        Act::CreateAccession => 15,
        // An analyst may release too, but only when the analysers leave time for it.
        Act::ReleaseResult => 16,
        _ => 17,
    }
}

//! What the laboratory is made of: one component type a kind of thing, one entity a thing.
//!
//! Any system may query these. Ids are symbols; text exists at the boundary only.

use crate::policy::Criticality;
use bevy_ecs::prelude::{Component, Entity};
use labtrust_kernel::{Handle, SimDuration, SimTime, Symbol};
use labtrust_plugin::lab::Priority;
use priority_queue::PriorityQueue;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::cmp::Reverse;

/// Where a specimen is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Status {
    /// Announced for a later time; nobody sees it.
    Expected,
    InTransit,
    Arrived,
    Accessioning,
    Accepted,
    /// In a centrifuge that turns.
    Spinning,
    /// Spun, still in the centrifuge.
    Spun,
    Separated,
    /// On the aliquoter.
    Aliquoting,
    Aliquoted,
    Queued,
    Running,
    Analysed,
    Resulted,
    Released,
    Held,
    Rejected,
}

impl Status {
    /// Every status.
    pub(crate) const ALL: [Self; 17] = [
        Self::Expected,
        Self::InTransit,
        Self::Arrived,
        Self::Accessioning,
        Self::Accepted,
        Self::Spinning,
        Self::Spun,
        Self::Separated,
        Self::Aliquoting,
        Self::Aliquoted,
        Self::Queued,
        Self::Running,
        Self::Analysed,
        Self::Resulted,
        Self::Released,
        Self::Held,
        Self::Rejected,
    ];

    /// The text of queries and initial states.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::InTransit => "in_transit",
            Self::Arrived => "arrived_at_reception",
            Self::Accessioning => "accessioning",
            Self::Accepted => "accepted",
            Self::Spinning => "spinning",
            Self::Spun => "spun",
            Self::Separated => "separated",
            Self::Aliquoting => "aliquoting",
            Self::Aliquoted => "aliquoted",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Analysed => "analysed",
            Self::Resulted => "resulted",
            Self::Released => "released",
            Self::Held => "held",
            Self::Rejected => "rejected",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }
}

/// A specimen.
#[derive(Component, Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Specimen {
    pub id: Symbol,
    pub panel: Option<Symbol>,
    pub priority: Priority,
    pub status: Status,
    /// Status it takes when it arrives.
    pub status_on_arrival: Status,
    /// Since when it has its status.
    pub since: SimTime,
    pub collection_s: i64,
    pub arrival_s: i64,
    pub separated_s: Option<i64>,
    /// Kept in the refrigerator.
    pub cold: bool,
    /// Readings of its temperature: from this time [s] on it was out of the band it must be kept in, or was not.
    pub readings: SmallVec<[(i64, bool); 2]>,
    pub citrate: bool,
    pub fill_ok: Option<bool>,
    pub leaking: bool,
    /// Whether the acceptance rules were checked.
    pub checked: bool,
    pub id_match: Option<bool>,
    pub last_reason: Option<Symbol>,
    /// Site where it is.
    pub site: Option<Symbol>,
    /// Zone where it is, as far as it is known.
    pub zone: Option<usize>,
    pub aliquot: Option<Symbol>,
    /// Device that holds it in a queue or a run.
    pub device: Option<usize>,
}

/// An aliquot and the specimen it was taken from.
#[derive(Component, Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Aliquot {
    pub specimen: Symbol,
}

/// Work in a device queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct QueueItem {
    pub work: Symbol,
    /// Number of the request at this device; makes equal works different and orders equal ranks.
    pub tie_break: u32,
}

/// Rank, time of the request, number of the request: the smallest goes first.
pub(crate) type QueueRank = Reverse<(Priority, i64, u32)>;

/// What a unit of a device works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Work {
    /// A run of an analyser.
    Run(#[serde(with = "crate::entity")] Entity),
    /// A batch in a centrifuge, by its number.
    Spin(u32),
    /// A tube on the aliquoter.
    Tube(#[serde(with = "crate::entity")] Entity),
}

/// One of the units of a device that work side by side.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Unit {
    /// When the unit can take the next load; `None` when it is free.
    pub free_at: Option<SimTime>,
    /// What it works on, and the calendar place of the end of it.
    pub work: Option<(Work, Handle)>,
    /// Calendar place of the moment it is free, where that is later than the end of the work.
    pub free: Option<Handle>,
}

/// A control that the laboratory has planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedControl {
    /// Due when so many runs have ended since the control before it.
    pub after_runs: u32,
    /// Whether the device is out of order by then, so that the control fails.
    pub fails: bool,
}

/// A device.
#[derive(Component, Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Device {
    pub id: Symbol,
    /// Position in the policy's list of devices.
    pub index: usize,
    pub queue: PriorityQueue<QueueItem, QueueRank, std::hash::BuildHasherDefault<rustc_hash::FxHasher>>,
    /// Requests so far.
    pub requests: u32,
    pub qc_outcome: Symbol,
    pub qc_fail: bool,
    /// Controls that are planned and not yet read, in their order.
    pub planned_controls: SmallVec<[PlannedControl; 1]>,
    /// When the newest control was read.
    pub last_control: Option<SimTime>,
    /// Runs that ended since then.
    pub runs_since_control: u32,
    pub units: SmallVec<[Unit; 2]>,
    pub fault: bool,
    pub in_maintenance: bool,
    pub busy: SimDuration,
    pub runs_finished: u32,
}

impl Device {
    /// Units that could start now.
    pub(crate) fn free_units(&self) -> u32 {
        if self.fault || self.in_maintenance {
            return 0;
        }
        let free = self.units.iter().filter(|unit| unit.free_at.is_none()).count();
        u32::try_from(free).unwrap_or(u32::MAX)
    }

    /// Gives work to a free unit.
    pub(crate) fn occupy(&mut self, work: Work, end: Handle, free_at: SimTime, free: Option<Handle>) {
        if let Some(unit) = self.units.iter_mut().find(|unit| unit.free_at.is_none()) {
            *unit = Unit { free_at: Some(free_at), work: Some((work, end)), free };
        }
    }

    /// The work is done; a unit that needs no time after it is free.
    pub(crate) fn finish(&mut self, work: Work) {
        if let Some(unit) = self.units.iter_mut().find(|unit| unit.work.is_some_and(|(other, _)| other == work)) {
            unit.work = None;
            if unit.free.is_none() {
                unit.free_at = None;
            }
        }
    }

    /// Counts a time of work.
    pub(crate) fn busy_for(&mut self, time: SimDuration) {
        self.busy = self.busy.saturating_add(time);
        self.runs_finished += 1;
    }

    /// The planned control that is due.
    pub(crate) fn control_due(&self) -> Option<PlannedControl> {
        self.planned_controls.first().copied().filter(|planned| self.runs_since_control >= planned.after_runs)
    }

    /// The work that goes next.
    pub(crate) fn head(&self) -> Option<QueueItem> {
        self.queue.peek().map(|(item, _)| *item)
    }
}

/// What happened to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RunState {
    Running,
    Completed,
    /// The device failed under it.
    Aborted,
}

/// One specimen in a run.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct RunSpecimen {
    pub specimen: Symbol,
    /// Analyte, units, value; once the run is complete and the panel has a model.
    pub measured: Option<crate::policy::Measurement>,
    /// Whether its result was filed.
    pub filed: bool,
}

/// A run of an analyser.
#[derive(Component, Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Run {
    pub id: Symbol,
    pub device: usize,
    pub state: RunState,
    pub started: SimTime,
    pub ended: SimTime,
    pub specimens: SmallVec<[RunSpecimen; 2]>,
}

/// Where a result is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ResultStatus {
    Generated,
    Held,
    Released,
}

impl ResultStatus {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Held => "held",
            Self::Released => "released",
        }
    }
}

/// A result.
#[derive(Component, Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ResultRecord {
    pub id: Symbol,
    pub specimen: Option<Symbol>,
    pub device: Option<usize>,
    pub status: ResultStatus,
    pub criticality: Criticality,
    /// Must be told by telephone or bleep, because electronic reporting is down.
    pub oral_required: bool,
    /// Released under suspicion of drift, with a disclaimer.
    pub disclaimer: bool,
    pub filed: SimTime,
}

/// A notification of a critical result.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub id: Symbol,
    pub tier: u32,
    pub at_s: i64,
}

/// An acknowledgement of a critical result.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Acknowledgement {
    /// Whether it satisfies the tier it answers to.
    pub compliant: bool,
}

/// All communication about one result id, whether or not a result of that id exists.
#[derive(Component, Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Communication {
    pub attempts: Vec<Attempt>,
    pub acknowledgements: Vec<Acknowledgement>,
}

impl Communication {
    pub(crate) fn acknowledged(&self) -> bool {
        self.acknowledgements.iter().any(|ack| ack.compliant)
    }
}

/// A consignment between sites.
#[derive(Component, Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Consignment {
    pub id: Symbol,
    pub specimens: SmallVec<[Symbol; 4]>,
    pub origin: Symbol,
    pub dest: Symbol,
    pub dispatched: SimTime,
    pub expected: SimTime,
    /// Drift at the end of the way [°C]; it grows linearly on the way.
    pub final_drift_c: f64,
    pub drift_max_c: f64,
    pub arrived: bool,
    pub received: bool,
    pub signed: bool,
}

/// A zone.
#[derive(Component, Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Zone {
    pub id: Symbol,
}

/// A door.
#[derive(Component, Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Door {
    pub id: Symbol,
    pub open_since: Option<SimTime>,
    /// Calendar place of the moment it is open too long.
    pub timer: Option<Handle>,
    /// Open too long.
    pub breached: bool,
    /// The breach was reported by a TICK.
    pub reported: bool,
}

/// An agent's body on the floor.
#[derive(Component, Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Body {
    pub id: Symbol,
    pub zone: Option<usize>,
    pub walking_to: Option<usize>,
    pub arrives: Option<SimTime>,
}

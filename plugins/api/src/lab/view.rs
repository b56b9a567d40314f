//! What agents and methods see: one snapshot a step, shared by all of them.
//!
//! Lists are in a fixed order (zones and devices as in policy; specimens by priority, then arrival, then id), so that a
//! rule "the first that fits" means the same in every run. Nothing here is made per agent.

use super::{Priority, Symbol};
use labtrust_trust::action::ActionSet;

/// Where a specimen is on its way through the laboratory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Waits at another site, or is on its way.
    InTransit,
    /// Waits at reception.
    Arrived,
    /// Registered, not yet checked.
    Accessioned,
    /// Registered and checked.
    Checked,
    /// Accepted, needs separation.
    Accepted,
    /// In a centrifuge that still turns.
    Spinning,
    /// Spun, waits to be taken out.
    Spun,
    /// Separated, needs an aliquot.
    Separated,
    /// At the aliquoter.
    Aliquoting,
    /// Ready to be queued on an analyser.
    Ready,
    /// In a device queue.
    Queued,
    /// On an analyser.
    Running,
    /// Measured, waits for its result to be filed.
    Analysed,
    /// Has a result.
    Resulted,
    /// Its result is released.
    Released,
    /// Held.
    Held,
    /// Rejected.
    Rejected,
}

/// A zone.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneView {
    /// Its id.
    pub id: Symbol,
    /// Whether it is frozen.
    pub frozen: bool,
}

/// A way between two zones that are one move apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayView {
    /// The zones, indices into [`WorldView::zones`], the lower first.
    pub zones: [usize; 2],
    /// Time to walk it [s], rounded up; it takes none where [`WorldView::simulated`] is not set.
    pub travel_s: i64,
    /// Most people on it in one direction at a time [count]; `None` where any number fits.
    pub capacity: Option<u32>,
    /// Whether people can be on it in one direction only at a time.
    pub exclusive: bool,
    /// Door that it leads through, an index into [`WorldView::doors`].
    pub door: Option<usize>,
    /// Whether it needs a token.
    pub guarded: bool,
}

/// What is fixed about the floor for a whole episode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FloorPlan {
    /// Most people in each zone at a time [count], in policy order; `None` where any number fits.
    pub capacity: Vec<Option<u32>>,
    /// Ways, by their zones.
    pub ways: Vec<WayView>,
}

impl FloorPlan {
    /// Whether a way leads from one zone to another. O(log ways).
    #[must_use]
    pub fn adjacent(&self, from: usize, to: usize) -> bool {
        let zones = [from.min(to), from.max(to)];
        self.ways.binary_search_by_key(&zones, |way| way.zones).is_ok()
    }
}

/// A door.
#[derive(Clone, Debug, PartialEq)]
pub struct DoorView {
    /// Its id.
    pub id: Symbol,
    /// Since when it is open [s].
    pub open_since_s: Option<i64>,
    /// How long it may be open [s].
    pub max_open_s: i64,
}

/// What a device is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceStatus {
    /// Free (batch devices: at least one unit is).
    Idle,
    /// Busy.
    Running,
    /// In a maintenance window.
    Maintenance,
    /// Broken.
    Fault,
}

/// A device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceView {
    /// Its id.
    pub id: Symbol,
    /// Its type, `CHEM_ANALYZER`.
    pub device_type: Symbol,
    /// Zone it stands in, an index into [`WorldView::zones`].
    pub zone: usize,
    /// What it is doing.
    pub status: DeviceStatus,
    /// Units that could start now [count].
    pub free_units: u32,
    /// Most tubes in one batch [count]; 1 unless it is a batch device.
    pub batch_capacity: u32,
    /// How long a batch may wait to fill up [s].
    pub batch_wait_s: i64,
    /// Work waiting [count].
    pub queue_len: u32,
    /// Work at the head of the queue.
    pub queue_head: Option<Symbol>,
    /// Whether its quality control does not fail.
    pub qc_pass: bool,
    /// Whether a planned control is due: enough runs have ended since the last one.
    pub control_due: bool,
    /// When its newest control was read [s], rounded up.
    pub last_control_s: Option<i64>,
    /// When the current run ends [s], rounded up.
    pub busy_until_s: Option<i64>,
}

/// A specimen that has arrived at reception or waits at a site.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecimenView {
    /// Its id.
    pub id: Symbol,
    /// Where it is on its way.
    pub stage: Stage,
    /// Its panel.
    pub panel: Option<Symbol>,
    /// Its priority.
    pub priority: Priority,
    /// When it arrived [s].
    pub arrival_s: i64,
    /// Since when it is at this stage [s].
    pub since_s: i64,
    /// When it loses its stability at the present stage [s].
    pub deadline_s: i64,
    /// Site where it is.
    pub site: Option<Symbol>,
    /// Device whose queue or run holds it, an index into [`WorldView::devices`].
    pub device: Option<usize>,
    /// Its newest aliquot.
    pub aliquot: Option<Symbol>,
    /// Devices that can measure its panel, indices into [`WorldView::devices`].
    pub compatible: std::sync::Arc<[u16]>,
}

/// A run that has ended and whose results are not all filed.
#[derive(Clone, Debug, PartialEq)]
pub struct RunView {
    /// Its id.
    pub id: Symbol,
    /// Device it ran on, an index into [`WorldView::devices`].
    pub device: usize,
    /// The specimen whose result is missing.
    pub specimen: Symbol,
    /// When the run ended [s], rounded up.
    pub ended_s: i64,
}

/// A result that is not released.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultView {
    /// Its id.
    pub id: Symbol,
    /// Its specimen.
    pub specimen: Option<Symbol>,
    /// When it was filed [s].
    pub filed_s: i64,
    /// Whether it is held.
    pub held: bool,
    /// Whether it is critical.
    pub critical: bool,
    /// Newest notification attempt of a critical result that is not yet acknowledged.
    pub attempt: Option<Symbol>,
    /// Whether the release gates would let it pass now.
    pub releasable: bool,
}

/// A panel for which the reagent does not suffice for one more run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockoutView {
    /// The panel.
    pub panel: Symbol,
    /// What the reagent policy asks for: to send the specimen elsewhere, instead of holding it.
    pub reroute: bool,
}

/// A consignment.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsignmentView {
    /// Its id.
    pub id: Symbol,
    /// When it is expected [s], rounded up.
    pub expected_arrival_s: i64,
    /// Whether the custody chain is signed.
    pub signed: bool,
    /// Whether it was received.
    pub received: bool,
}

/// An agent.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentView {
    /// Its id.
    pub id: Symbol,
    /// Zone it is in, an index into [`WorldView::zones`].
    pub zone: Option<usize>,
    /// Zone it walks to.
    pub walking_to: Option<usize>,
    /// When it arrives there [s], rounded up.
    pub arrives_s: Option<i64>,
    /// Its role now.
    pub role: Option<Symbol>,
    /// What the role may do at all; where and on what is another question.
    pub may: ActionSet,
}

/// A token that can be used now.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenView {
    /// Its id.
    pub id: Symbol,
    /// Its type, `TOKEN_RESTRICTED_ENTRY`.
    pub token_type: Symbol,
    /// What it was issued for.
    pub subject: Symbol,
    /// Why it was issued.
    pub reason: Option<Symbol>,
    /// Last second of validity [s].
    pub expires_s: i64,
}

/// The snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorldView {
    /// Now [s].
    pub now_s: i64,
    /// When the episode ends [s], where its runner says so; the laboratory itself does not know.
    pub horizon_s: Option<i64>,
    /// Whether somebody answers who is asked for an approval; the laboratory itself does not know.
    pub approvals: bool,
    /// Whether service times are simulated.
    pub simulated: bool,
    /// Whether the audit log is frozen.
    pub log_frozen: bool,
    /// Zones, in policy order.
    pub zones: Vec<ZoneView>,
    /// First hop from zone to zone, row by row (`from * zones + to`); the zone itself where there is no way.
    pub next_hop: std::sync::Arc<[u16]>,
    /// Ways and room.
    pub plan: std::sync::Arc<FloorPlan>,
    /// Doors, in policy order.
    pub doors: Vec<DoorView>,
    /// Devices, in policy order.
    pub devices: Vec<DeviceView>,
    /// Whether specimens that are released or rejected are left out of the list, as the runner of the episode wishes it;
    /// the laboratory does what it is told here.
    pub without_done: bool,
    /// Specimens in play by priority, arrival, id.
    pub specimens: Vec<SpecimenView>,
    /// Ended runs with missing results, oldest first.
    pub runs: Vec<RunView>,
    /// Results not yet released, oldest first.
    pub results: Vec<ResultView>,
    /// Panels without reagent, in the order of their names.
    pub stockouts: Vec<StockoutView>,
    /// Consignments, oldest first.
    pub consignments: Vec<ConsignmentView>,
    /// Transports the episode asks for: specimens, origin, destination.
    pub transport_required: Vec<(super::Ids, Symbol, Symbol)>,
    /// Agents, in the order they were given.
    pub agents: Vec<AgentView>,
    /// Tokens that can be used now, in the order in which they were issued.
    pub tokens: Vec<TokenView>,
}

impl WorldView {
    /// First zone on the way from one zone to another, `None` where there is no way or none is needed.
    #[must_use]
    pub fn hop(&self, from: usize, to: usize) -> Option<usize> {
        let next = usize::from(*self.next_hop.get(from * self.zones.len() + to)?);
        (next != from).then_some(next)
    }

    /// Specimens at a stage, in view order.
    pub fn at(&self, stage: Stage) -> impl Iterator<Item = &SpecimenView> {
        self.specimens.iter().filter(move |specimen| specimen.stage == stage)
    }
}

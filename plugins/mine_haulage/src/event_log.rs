//! The record of one replication: a row for everything that happened, compact, in the order in which it happened.

use crate::site::{DumpId, EdgeId, LoaderId, NodeId, TruckId};
use labtrust_kernel::SimTime;

/// What a row tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// An empty truck was sent to a loader.
    Dispatched,
    /// A truck waits at the entry of a full lane.
    RoadQueued,
    /// A truck entered a road and holds its lane.
    RoadEntered,
    /// A truck reached the end of a road and released its lane.
    RoadLeft,
    /// A truck waits for a loader.
    LoaderQueued,
    /// Loading began.
    LoadingStarted,
    /// Loading ended; the truck is loaded from here on.
    LoadingFinished,
    /// A truck waits for the dump point.
    CrusherQueued,
    /// Dumping began.
    DumpingStarted,
    /// Dumping ended; the payload of this row is what was delivered, the truck is empty from here on.
    DumpingFinished,
    /// The shift ended with the truck here: one row for each truck.
    ShiftEnded,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Dispatched,
        Self::RoadQueued,
        Self::RoadEntered,
        Self::RoadLeft,
        Self::LoaderQueued,
        Self::LoadingStarted,
        Self::LoadingFinished,
        Self::CrusherQueued,
        Self::DumpingStarted,
        Self::DumpingFinished,
        Self::ShiftEnded,
    ];

    /// The name in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dispatched => "dispatched",
            Self::RoadQueued => "road_queued",
            Self::RoadEntered => "road_entered",
            Self::RoadLeft => "road_left",
            Self::LoaderQueued => "loader_queued",
            Self::LoadingStarted => "loading_started",
            Self::LoadingFinished => "loading_finished",
            Self::CrusherQueued => "crusher_queued",
            Self::DumpingStarted => "dumping_started",
            Self::DumpingFinished => "dumping_finished",
            Self::ShiftEnded => "shift_ended",
        }
    }
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A directed road.
    Road(EdgeId),
    /// A loader.
    Loader(LoaderId),
    /// A dump point.
    Dump(DumpId),
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventRow {
    /// When.
    pub at: SimTime,
    /// What the truck carries [t]; in a [`EventKind::DumpingFinished`] what it delivered.
    pub payload_tonnes: f64,
    /// Trucks in the resource's queue after the event [count].
    pub queue_length: u32,
    /// Which truck.
    pub truck: TruckId,
    /// The node where the truck is; on a road, where that begins.
    pub location: NodeId,
    /// Where the road begins, when the row is about a road.
    pub from: Option<NodeId>,
    /// Where the road ends; in a [`EventKind::Dispatched`] the loader's node.
    pub to: Option<NodeId>,
    /// The road, loader or dump point.
    pub resource: Resource,
    /// What happened.
    pub kind: EventKind,
    /// Whether the truck is loaded after the event.
    pub loaded: bool,
}

/// The rows of one replication. Reuse it for the next one: it keeps its memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventLog {
    pub(crate) rows: Vec<EventRow>,
}

impl EventLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The rows, in the order in which they happened.
    #[must_use]
    pub fn rows(&self) -> &[EventRow] {
        &self.rows
    }
}

//! The mine as it stands: nodes, directed roads, trucks, loaders, dump points. Plain data; ids are places in its lists.

use labtrust_kernel::SimDuration;
pub use labtrust_plugin::mine::{LoaderId, TruckId};

/// A node: its place in [`Site::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

/// A directed road: its place in [`Site::edges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeId(pub u16);

/// A dump point: its place in [`Site::dumps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DumpId(pub u16);

/// The capacity that stands for "as many as come" in the data [trucks].
pub const UNCONSTRAINED: u32 = 999;

/// A mine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Site {
    /// Junctions, faces, crusher and the rest.
    pub nodes: Vec<Node>,
    /// Directed roads.
    pub edges: Vec<Edge>,
    /// Trucks, in the order in which a scenario takes them.
    pub trucks: Vec<Truck>,
    /// Loaders.
    pub loaders: Vec<Loader>,
    /// Points where ore or waste is dumped.
    pub dumps: Vec<DumpPoint>,
}

/// What a node is. It shows in drawings; what happens at a node follows from the loaders and dump points that stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// Where trucks start.
    Parking,
    /// Roads meet.
    Junction,
    /// An ore face.
    LoadOre,
    /// A crusher.
    Crusher,
    /// A waste dump.
    WasteDump,
    /// A maintenance bay.
    Maintenance,
}

impl NodeKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Parking, Self::Junction, Self::LoadOre, Self::Crusher, Self::WasteDump, Self::Maintenance];

    /// The kind's name in data files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parking => "parking",
            Self::Junction => "junction",
            Self::LoadOre => "load_ore",
            Self::Crusher => "crusher",
            Self::WasteDump => "waste_dump",
            Self::Maintenance => "maintenance",
        }
    }
}

/// Mean and standard deviation of a service time [min].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceTime {
    /// Mean, above 0 [min].
    pub mean_min: f64,
    /// Standard deviation, 0 or above [min].
    pub sd_min: f64,
}

impl ServiceTime {
    /// The mean as a length of time, to the nearest nanosecond.
    #[must_use]
    pub fn mean(self) -> SimDuration {
        minutes(self.mean_min)
    }
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// East [m].
    pub x_m: f64,
    /// North [m].
    pub y_m: f64,
    /// Up [m].
    pub z_m: f64,
    /// Trucks that have room here [count], as the site states it; the model does not limit it.
    pub capacity: Option<u32>,
    /// The service time that the site states here; what counts is that of the loader or dump point.
    pub service: Option<ServiceTime>,
    /// Free text.
    pub note: String,
}

/// A directed road.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// Its id; what stands before the first `_` names the physical road.
    pub id: String,
    /// Where it begins.
    pub from: NodeId,
    /// Where it ends.
    pub to: NodeId,
    /// Length, above 0 [m].
    pub distance_m: f64,
    /// Speed limit, above 0 [km/h].
    pub max_speed_kph: f64,
    /// What it is, as the site calls it. A `bypass` can be forbidden by a scenario.
    pub road_type: String,
    /// Trucks that it takes at once, at least 1; [`UNCONSTRAINED`] and above is no limit [count].
    pub capacity: u32,
    /// Whether it is closed.
    pub closed: bool,
    /// Free text.
    pub note: String,
}

impl Edge {
    /// Whether the number of trucks on it is limited.
    #[must_use]
    pub const fn is_constrained(&self) -> bool {
        self.capacity < UNCONSTRAINED
    }

    /// The physical road that this is one direction of: the id up to the first `_`.
    #[must_use]
    pub fn physical_road(&self) -> &str {
        self.id.split('_').next().unwrap_or(&self.id)
    }

    /// The drive at the limit [s].
    #[must_use]
    pub fn nominal_s(&self) -> f64 {
        self.distance_m * 3.6 / self.max_speed_kph
    }
}

/// A truck.
#[derive(Clone, Debug, PartialEq)]
pub struct Truck {
    /// Its id.
    pub id: String,
    /// What it carries, above 0 [t].
    pub payload_tonnes: f64,
    /// Its speed when empty, as a part of the limit, above 0.
    pub empty_speed_factor: f64,
    /// Its speed when loaded, as a part of the limit, above 0.
    pub loaded_speed_factor: f64,
    /// The part of its time that it can drive, above 0 up to 1: drives take that much longer.
    pub availability: f64,
    /// Where it stands at the beginning.
    pub start: NodeId,
}

/// A loader.
#[derive(Clone, Debug, PartialEq)]
pub struct Loader {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub node: NodeId,
    /// Trucks that it loads at once, at least 1 [count].
    pub capacity: u32,
    /// Its bucket [t]; the service time is that of a whole truck.
    pub bucket_tonnes: f64,
    /// Loading one truck.
    pub service: ServiceTime,
    /// The part of its time that it can load, above 0 up to 1: loading takes that much longer.
    pub availability: f64,
}

/// A dump point.
#[derive(Clone, Debug, PartialEq)]
pub struct DumpPoint {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub node: NodeId,
    /// What it is, as the site calls it.
    pub kind: String,
    /// Trucks that dump at once, at least 1 [count].
    pub capacity: u32,
    /// Dumping one truck.
    pub service: ServiceTime,
}

impl Site {
    /// The node `id`.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[usize::from(id.0)]
    }

    /// The road `id`.
    #[must_use]
    pub fn edge(&self, id: EdgeId) -> &Edge {
        &self.edges[usize::from(id.0)]
    }

    /// The truck `id`.
    #[must_use]
    pub fn truck(&self, id: TruckId) -> &Truck {
        &self.trucks[usize::from(id.0)]
    }

    /// The loader `id`.
    #[must_use]
    pub fn loader(&self, id: LoaderId) -> &Loader {
        &self.loaders[usize::from(id.0)]
    }

    /// The dump point `id`.
    #[must_use]
    pub fn dump(&self, id: DumpId) -> &DumpPoint {
        &self.dumps[usize::from(id.0)]
    }

    /// The ids of the closed roads, in the site's order.
    #[must_use]
    pub fn closed_edges(&self) -> Vec<&str> {
        self.edges.iter().filter(|edge| edge.closed).map(|edge| edge.id.as_str()).collect()
    }
}

/// `min` [min] to the nearest nanosecond. Data is checked to be within what a length of time can hold.
pub(crate) fn minutes(min: f64) -> SimDuration {
    SimDuration::from_secs_f64(min * 60.0).expect("the data's times are within their limits")
}

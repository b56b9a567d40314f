//! A scenario: one mine, one fleet, one shift, with every override applied.

use crate::site::{NodeId, Site};
use labtrust_kernel::SimDuration;
use std::fmt;
use std::str::FromStr;

/// How the two directions of a single-lane road see each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaneModel {
    /// Each directed road has its own lane, as the data says it.
    #[default]
    PerDirection,
    /// Directed roads that are one physical road share its lane: traffic up excludes traffic down.
    SharedPhysicalRoad,
}

impl LaneModel {
    /// Both models.
    pub const ALL: [Self; 2] = [Self::PerDirection, Self::SharedPhysicalRoad];

    /// The name in files and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PerDirection => "per_direction",
            Self::SharedPhysicalRoad => "shared_physical_road",
        }
    }
}

impl fmt::Display for LaneModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No lane model has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown lane model {0:?}: per_direction or shared_physical_road")]
pub struct UnknownLaneModel(pub String);

impl FromStr for LaneModel {
    type Err = UnknownLaneModel;

    fn from_str(text: &str) -> Result<Self, UnknownLaneModel> {
        Self::ALL.into_iter().find(|model| model.as_str() == text).ok_or_else(|| UnknownLaneModel(text.to_owned()))
    }
}

/// One scenario, ready to be modelled.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its id.
    pub id: String,
    /// What it is about, in a sentence.
    pub description: String,
    /// The ids it inherits from, nearest first.
    pub inherits: Vec<String>,
    /// The mine, overrides applied.
    pub site: Site,
    /// The time that is accounted for.
    pub shift: SimDuration,
    /// Time before the shift that is simulated and not accounted for.
    pub warmup: SimDuration,
    /// Replications that a study makes [count], at least 1.
    pub replications: u32,
    /// The seed of the first replication; each further one adds 1.
    pub base_seed: u64,
    /// Trucks that take part: the first of the site's list [count], at least 1.
    pub fleet: usize,
    /// Coefficient of variation of a drive's time, 0 or above.
    pub travel_time_noise_cv: f64,
    /// How the two directions of a single-lane road see each other.
    pub lane_model: LaneModel,
    /// Whether roads limit the trucks on them at all.
    pub road_capacity_enabled: bool,
    /// Whether roads of the type `bypass` may be used.
    pub allow_bypass: bool,
    /// The dispatch policy's id.
    pub dispatch: String,
    /// The nodes whose loaders take part.
    pub ore_sources: Vec<NodeId>,
    /// The node whose dump point takes the ore.
    pub dump_destination: NodeId,
}

impl Scenario {
    /// When the simulation ends: warm-up and shift.
    #[must_use]
    pub const fn end(&self) -> SimDuration {
        self.warmup.saturating_add(self.shift)
    }

    /// The trucks that take part.
    #[must_use]
    pub fn trucks(&self) -> &[crate::site::Truck] {
        &self.site.trucks[..self.fleet]
    }

    /// The length of the shift [h].
    #[must_use]
    pub fn shift_hours(&self) -> f64 {
        self.shift.as_secs_f64() / 3600.0
    }
}

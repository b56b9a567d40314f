//! What a figure of a mine may be. One list for files, overrides and mines made by a program.

use crate::scenario::Scenario;
use crate::site::{Edge, NodeId, ServiceTime, Site};
use std::fmt;

/// A rule for a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// A finite number above the first, up to the second.
    Above(f64, f64),
    /// A finite number from the first to the second.
    From(f64, f64),
}

pub(crate) const COORDINATE_M: Rule = Rule::From(-1e7, 1e7);
pub(crate) const DISTANCE_M: Rule = Rule::Above(0.0, 1e6);
pub(crate) const SPEED_KPH: Rule = Rule::Above(0.0, 1e3);
pub(crate) const SPEED_FACTOR: Rule = Rule::Above(0.0, 10.0);
pub(crate) const AVAILABILITY: Rule = Rule::Above(0.0, 1.0);
pub(crate) const TONNES: Rule = Rule::Above(0.0, 1e6);
pub(crate) const MEAN_MIN: Rule = Rule::Above(0.0, 1e4);
pub(crate) const SD_MIN: Rule = Rule::From(0.0, 1e4);
pub(crate) const NOISE_CV: Rule = Rule::From(0.0, 10.0);
pub(crate) const SHIFT_HOURS: Rule = Rule::Above(0.0, 1e3);
pub(crate) const WARMUP_MIN: Rule = Rule::From(0.0, 6e4);
pub(crate) const CAPACITY: Rule = Rule::From(1.0, 1e6);
pub(crate) const REPLICATIONS: Rule = Rule::From(1.0, 1e6);
pub(crate) const TRUCKS: Rule = Rule::From(1.0, MOST_TRUCKS as f64);
/// Nodes, roads, loaders or dump points of a site [count].
pub(crate) const ENTRIES: Rule = Rule::From(1.0, 10_000.0);
/// Trucks of a fleet [count]: sums of their times over the longest shift stay within 64 bits.
pub(crate) const MOST_TRUCKS: usize = 1000;

impl Rule {
    /// Refuses what breaks the rule; not-a-number does.
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Self::Above(low, high) => value > low && value <= high,
            Self::From(low, high) => value >= low && value <= high,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Above(low, high) => write!(f, "above {low} and at most {high}"),
            Self::From(low, high) => write!(f, "from {low} to {high}"),
        }
    }
}

/// A figure that breaks its rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at} is {value}; it must be {rule}")]
pub struct RuleError {
    /// Where it stands, `edge E03_UP distance_m` say.
    pub at: String,
    /// The figure.
    pub value: String,
    /// What it must be.
    pub rule: String,
}

fn within(at: impl FnOnce() -> String, value: f64, rule: Rule) -> Result<(), RuleError> {
    if rule.holds(value) {
        Ok(())
    } else {
        Err(RuleError { at: at(), value: value.to_string(), rule: rule.to_string() })
    }
}

impl Scenario {
    /// Whether every figure is one that can be simulated. [`Model::new`](crate::Model::new) asks; scenarios that were
    /// loaded from files have been checked already, with the place in the file.
    ///
    /// # Errors
    /// [`RuleError`] for the first figure that breaks its rule.
    pub fn check(&self) -> Result<(), RuleError> {
        let named = |name: &'static str| move || name.to_owned();
        check_site(&self.site)?;
        within(named("the shift [h]"), self.shift.as_secs_f64() / 3600.0, SHIFT_HOURS)?;
        within(named("the warm-up [min]"), self.warmup.as_secs_f64() / 60.0, WARMUP_MIN)?;
        within(named("replications"), f64::from(self.replications), REPLICATIONS)?;
        within(named("the fleet"), self.fleet as f64, TRUCKS)?;
        if self.fleet > self.site.trucks.len() {
            let rule = format!("at most {}, the trucks of the site", self.site.trucks.len());
            return Err(RuleError { at: "the fleet".to_owned(), value: self.fleet.to_string(), rule });
        }
        within(named("travel_time_noise_cv"), self.travel_time_noise_cv, NOISE_CV)?;
        for &node in self.ore_sources.iter().chain([&self.dump_destination]) {
            known_node("the production plan", &self.site, node)?;
        }
        Ok(())
    }
}

fn check_site(site: &Site) -> Result<(), RuleError> {
    let lists = [
        ("nodes", site.nodes.len()),
        ("edges", site.edges.len()),
        ("trucks", site.trucks.len()),
        ("loaders", site.loaders.len()),
        ("dump points", site.dumps.len()),
    ];
    for (name, length) in lists {
        // A mine whose loaders stand at its dump point has no road to drive.
        if name != "edges" || length > 0 {
            within(|| format!("the number of {name}"), length as f64, ENTRIES)?;
        }
    }
    for node in &site.nodes {
        let at = |field| move || format!("node {} {field}", node.id);
        within(at("x_m"), node.x_m, COORDINATE_M)?;
        within(at("y_m"), node.y_m, COORDINATE_M)?;
        within(at("z_m"), node.z_m, COORDINATE_M)?;
    }
    for edge in &site.edges {
        check_edge(site, edge)?;
    }
    for truck in &site.trucks {
        let at = |field| move || format!("truck {} {field}", truck.id);
        within(at("payload_tonnes"), truck.payload_tonnes, TONNES)?;
        within(at("empty_speed_factor"), truck.empty_speed_factor, SPEED_FACTOR)?;
        within(at("loaded_speed_factor"), truck.loaded_speed_factor, SPEED_FACTOR)?;
        within(at("availability"), truck.availability, AVAILABILITY)?;
        known_node(&truck.id, site, truck.start)?;
    }
    for loader in &site.loaders {
        let at = |field| move || format!("loader {} {field}", loader.id);
        within(at("capacity"), f64::from(loader.capacity), CAPACITY)?;
        within(at("availability"), loader.availability, AVAILABILITY)?;
        check_service(&loader.id, loader.service)?;
        known_node(&loader.id, site, loader.node)?;
    }
    for dump in &site.dumps {
        within(|| format!("dump point {} capacity", dump.id), f64::from(dump.capacity), CAPACITY)?;
        check_service(&dump.id, dump.service)?;
        known_node(&dump.id, site, dump.node)?;
    }
    Ok(())
}

fn check_edge(site: &Site, edge: &Edge) -> Result<(), RuleError> {
    let at = |field| move || format!("edge {} {field}", edge.id);
    within(at("distance_m"), edge.distance_m, DISTANCE_M)?;
    within(at("max_speed_kph"), edge.max_speed_kph, SPEED_KPH)?;
    within(at("capacity"), f64::from(edge.capacity), CAPACITY)?;
    known_node(&edge.id, site, edge.from)?;
    known_node(&edge.id, site, edge.to)
}

fn check_service(id: &str, service: ServiceTime) -> Result<(), RuleError> {
    within(|| format!("the mean service time of {id} [min]"), service.mean_min, MEAN_MIN)?;
    within(|| format!("the standard deviation of {id} [min]"), service.sd_min, SD_MIN)
}

fn known_node(id: &str, site: &Site, node: NodeId) -> Result<(), RuleError> {
    if usize::from(node.0) < site.nodes.len() {
        return Ok(());
    }
    let rule = format!("below {}, the number of nodes", site.nodes.len());
    Err(RuleError { at: format!("a node of {id}"), value: node.0.to_string(), rule })
}

//! The site as it is drawn: nodes, physical roads with their two directions, points of service, and what other scenarios
//! change.

use labtrust_mine_haulage::Scenario;
use labtrust_mine_haulage::site::{Edge, Loader, NodeKind, ServiceTime, Site};

/// A place.
#[derive(Clone, Debug)]
pub(crate) struct PlanNode {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: NodeKind,
    pub(crate) x_m: f64,
    pub(crate) y_m: f64,
    pub(crate) z_m: f64,
}

impl PlanNode {
    /// The small line below its id.
    pub(crate) fn caption(&self) -> String {
        format!("{} · {:.0} m", self.name, self.z_m)
    }
}

/// One direction of a road.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) limit_kph: f64,
    /// Trucks at a time; none for any number.
    pub(crate) capacity: Option<u32>,
    pub(crate) closed: bool,
}

/// A physical road.
#[derive(Clone, Debug)]
pub(crate) struct Road {
    /// Without the direction: `E03`.
    pub(crate) id: String,
    pub(crate) ends: (usize, usize),
    pub(crate) distance_m: f64,
    pub(crate) road_type: String,
    /// From the first end to the second.
    pub(crate) forth: Lane,
    pub(crate) back: Option<Lane>,
}

/// How a road is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoadSort {
    Free,
    Limited,
    Ramp,
    Closed,
}

impl Road {
    fn lanes(&self) -> impl Iterator<Item = &Lane> {
        std::iter::once(&self.forth).chain(&self.back)
    }

    pub(crate) fn directions(&self) -> usize {
        self.lanes().count()
    }

    pub(crate) fn is_one_way(&self) -> bool {
        self.lanes().filter(|lane| !lane.closed).count() == 1
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lanes().all(|lane| lane.closed)
    }

    /// Whether it lets only so many trucks in.
    pub(crate) fn is_limited(&self) -> bool {
        self.lanes().any(|lane| lane.capacity.is_some())
    }

    pub(crate) fn sort(&self) -> RoadSort {
        if self.is_closed() {
            RoadSort::Closed
        } else if self.road_type == "ramp" {
            RoadSort::Ramp
        } else if self.is_limited() {
            RoadSort::Limited
        } else {
            RoadSort::Free
        }
    }

    pub(crate) fn length(&self) -> String {
        format!("{:.0} m", self.distance_m)
    }

    /// Speed limits of both directions, once where they are the same.
    pub(crate) fn limits(&self) -> String {
        match &self.back {
            Some(back) if (back.limit_kph - self.forth.limit_kph).abs() > 0.0 => {
                format!("{}/{} km/h", self.forth.limit_kph, back.limit_kph)
            }
            _ => format!("{} km/h", self.forth.limit_kph),
        }
    }

    pub(crate) fn capacity(&self) -> String {
        let words =
            |lane: &Lane| lane.capacity.map_or_else(|| "any number".to_owned(), |capacity| capacity.to_string());
        match &self.back {
            Some(back) if back.capacity != self.forth.capacity => {
                format!("{} forth and {} back at a time", words(&self.forth), words(back))
            }
            Some(_) => format!("{} each way", words(&self.forth)),
            None => format!("{} at a time", words(&self.forth)),
        }
    }

    /// All of it, for a viewer that points at it.
    pub(crate) fn describe(&self) -> String {
        let closed = if self.is_closed() { ", closed" } else { "" };
        format!("{} ({}): {}, {}, {}{closed}", self.id, self.road_type, self.length(), self.limits(), self.capacity())
    }
}

/// A loader or a dump point.
#[derive(Clone, Debug)]
pub(crate) struct Station {
    pub(crate) id: String,
    pub(crate) node: usize,
    pub(crate) mean_min: f64,
    pub(crate) sd_min: f64,
    pub(crate) capacity: u32,
}

/// Everything on the map and beside it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The scenario that is drawn.
    pub(crate) scenario: String,
    pub(crate) nodes: Vec<PlanNode>,
    pub(crate) roads: Vec<Road>,
    pub(crate) stations: Vec<Station>,
    /// Other scenarios, and in words what they change.
    pub(crate) changes: Vec<(String, String)>,
}

impl Plan {
    /// The plan of the first scenario, with what the others change.
    pub(crate) fn of(scenarios: &[&Scenario]) -> Option<Self> {
        let (first, others) = scenarios.split_first()?;
        let site = &first.site;
        let nodes = site.nodes.iter().map(|node| PlanNode {
            id: node.id.clone(),
            name: node.name.clone(),
            kind: node.kind,
            x_m: node.x_m,
            y_m: node.y_m,
            z_m: node.z_m,
        });
        let station = |id: &str, node: usize, service: ServiceTime, capacity| Station {
            id: id.to_owned(),
            node,
            mean_min: service.mean_min,
            sd_min: service.sd_min,
            capacity,
        };
        let loaders = site.loaders.iter().map(|it| station(&it.id, it.node.0.into(), it.service, it.capacity));
        let dumps = site.dumps.iter().map(|it| station(&it.id, it.node.0.into(), it.service, it.capacity));
        Some(Self {
            scenario: first.id.clone(),
            nodes: nodes.collect(),
            roads: roads(site),
            stations: loaders.chain(dumps).collect(),
            changes: others
                .iter()
                .map(|other| (other.id.clone(), changes(first, other)))
                .filter(|(_, changes)| !changes.is_empty())
                .map(|(id, changes)| (id, changes.join("; ")))
                .collect(),
        })
    }
}

/// Directed roads put together: two of one physical road between the same ends are its two directions.
fn roads(site: &Site) -> Vec<Road> {
    let lane = |edge: &Edge| Lane {
        limit_kph: edge.max_speed_kph,
        capacity: edge.is_constrained().then_some(edge.capacity),
        closed: edge.closed,
    };
    let mut roads: Vec<Road> = Vec::new();
    for edge in &site.edges {
        let ends = (usize::from(edge.from.0), usize::from(edge.to.0));
        let id = edge.physical_road();
        let other_way = |road: &&mut Road| road.id == id && road.ends == (ends.1, ends.0) && road.back.is_none();
        if let Some(road) = roads.iter_mut().find(other_way) {
            road.back = Some(lane(edge));
            continue;
        }
        roads.push(Road {
            id: id.to_owned(),
            ends,
            distance_m: edge.distance_m,
            road_type: edge.road_type.clone(),
            forth: lane(edge),
            back: None,
        });
    }
    roads
}

/// What `other` has otherwise than `first`, in a few words each.
pub(crate) fn changes(first: &Scenario, other: &Scenario) -> Vec<String> {
    let mut changes = Vec::new();
    if first.fleet != other.fleet {
        changes.push(format!("{} trucks", other.fleet));
    }
    // Both directions of a road often change alike: then the road is named once.
    let mut by_road: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
    for (before, after) in first.site.edges.iter().zip(&other.site.edges) {
        let words = edge_changes(before, after);
        if words.is_empty() {
            continue;
        }
        let road = after.physical_road();
        match by_road.iter_mut().find(|(known, _)| *known == road) {
            Some((_, edges)) => edges.push((&after.id, words)),
            None => by_road.push((road, vec![(&after.id, words)])),
        }
    }
    for (road, edges) in by_road {
        let directions = other.site.edges.iter().filter(|edge| edge.physical_road() == road).count();
        match &edges[..] {
            [(_, words), rest @ ..] if edges.len() == directions && rest.iter().all(|(_, more)| more == words) => {
                changes.push(format!("{road} {words}"));
            }
            _ => changes.extend(edges.iter().map(|(edge, words)| format!("{edge} {words}"))),
        }
    }
    let mut station = |id: &str, before: (ServiceTime, u32, f64), after: (ServiceTime, u32, f64)| {
        if before.0 != after.0 {
            changes.push(format!("{id} takes {} ± {} min", after.0.mean_min, after.0.sd_min));
        }
        if before.1 != after.1 {
            changes.push(format!("{id} takes {} trucks at a time", after.1));
        }
        if before.2.to_bits() != after.2.to_bits() {
            changes.push(format!("{id} is available {} of the time", after.2));
        }
    };
    for (before, after) in first.site.loaders.iter().zip(&other.site.loaders) {
        let of = |it: &Loader| (it.service, it.capacity, it.availability);
        station(&after.id, of(before), of(after));
    }
    for (before, after) in first.site.dumps.iter().zip(&other.site.dumps) {
        station(&after.id, (before.service, before.capacity, 1.0), (after.service, after.capacity, 1.0));
    }
    if first.fleet == other.fleet && first.trucks() != other.trucks() {
        changes.push("other trucks".to_owned());
    }
    if first.dispatch != other.dispatch {
        changes.push(format!("dispatch by {}", other.dispatch));
    }
    if first.lane_model != other.lane_model {
        changes.push(format!("lanes {}", other.lane_model));
    }
    if first.shift != other.shift {
        changes.push(format!("a shift of {} h", other.shift_hours()));
    }
    if first.travel_time_noise_cv.to_bits() != other.travel_time_noise_cv.to_bits() {
        changes.push(format!("travel times vary by {}", other.travel_time_noise_cv));
    }
    changes
}

/// Empty where nothing changed.
fn edge_changes(before: &Edge, after: &Edge) -> String {
    let mut words = Vec::new();
    if before.closed != after.closed {
        words.push(if after.closed { "closed" } else { "open" }.to_owned());
    }
    if before.capacity != after.capacity {
        words.push(match after.is_constrained() {
            true => format!("takes {} at a time", after.capacity),
            false => "takes any number".to_owned(),
        });
    }
    if before.max_speed_kph.to_bits() != after.max_speed_kph.to_bits() {
        words.push(format!("{} km/h", after.max_speed_kph));
    }
    if before.distance_m.to_bits() != after.distance_m.to_bits() {
        words.push(format!("{} m", after.distance_m));
    }
    words.join(", ")
}

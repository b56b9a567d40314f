//! What a replay needs to know of a scenario: roads, who serves where, what trucks carry. Found by the ids of the log.

use labtrust_mine_haulage::{MineData, Scenario};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::path::Path;

/// Ids as the log writes them.
pub(super) type ById<T> = FxHashMap<Box<[u8]>, T>;

/// The scenarios of a benchmark.
#[derive(Debug)]
pub struct Sites {
    plans: BTreeMap<String, Plan>,
}

/// A scenario, as a replay sees it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The length of the shift [min].
    pub(super) shift_min: f64,
    /// Time before it that is logged; what is delivered then does not count [min].
    pub(super) warmup_min: f64,
    /// Coefficient of variation of a drive's time.
    pub(super) noise_cv: f64,
    pub(super) nodes: ById<u16>,
    pub(super) edges: Vec<Road>,
    pub(super) loaders: Vec<Server>,
    pub(super) dumps: Vec<Server>,
    pub(super) resources: ById<Resource>,
    pub(super) trucks: Vec<Hauler>,
    pub(super) truck_places: ById<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    Edge(u16),
    Loader(u16),
    Dump(u16),
}

#[derive(Debug, Clone)]
pub(super) struct Road {
    pub(super) id: String,
    pub(super) from: u16,
    pub(super) to: u16,
    /// `None` is no limit [count].
    pub(super) capacity: Option<u32>,
    pub(super) closed: bool,
    /// The drive at the limit [min].
    pub(super) nominal_min: f64,
}

#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) id: String,
    pub(super) node: u16,
    pub(super) capacity: u32,
    /// Mean of a service [min].
    pub(super) mean_min: f64,
    /// Whether what is dumped here counts.
    pub(super) counts: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Hauler {
    pub(super) id: String,
    pub(super) payload_tonnes: f64,
    /// Time of a drive over the drive at the limit, empty and loaded.
    pub(super) slower: [f64; 2],
    pub(super) start: u16,
}

impl Sites {
    /// Those of the benchmark in this program.
    ///
    /// # Errors
    /// A sentence that says why its data cannot be used.
    pub fn built_in() -> Result<Self, String> {
        Self::of(&MineData::built_in())
    }

    /// Those of a directory of data.
    ///
    /// # Errors
    /// A sentence that says why its data cannot be used.
    pub fn load(dir: &Path) -> Result<Self, String> {
        let told = |error: labtrust_mine_haulage::DataError| format!("the benchmark's data cannot be used: {error}");
        Self::of(&MineData::load_dir(dir).map_err(told)?)
    }

    fn of(data: &MineData) -> Result<Self, String> {
        let mut plans = BTreeMap::new();
        for id in data.scenario_ids() {
            let scenario = data
                .scenario(id, &[])
                .map_err(|error| format!("the benchmark's scenario {id} cannot be used: {error}"))?;
            plans.insert(id.to_owned(), Plan::of(&scenario));
        }
        Ok(Self { plans })
    }

    pub(super) fn plan(&self, scenario: &str) -> Option<&Plan> {
        self.plans.get(scenario)
    }
}

fn place(i: usize) -> u16 {
    u16::try_from(i).expect("the data's reader counts in sixteen bits")
}

impl Plan {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let site = &scenario.site;
        let edges: Vec<Road> = site
            .edges
            .iter()
            .map(|edge| Road {
                id: edge.id.clone(),
                from: edge.from.0,
                to: edge.to.0,
                capacity: (edge.is_constrained() && scenario.road_capacity_enabled).then_some(edge.capacity),
                closed: edge.closed || (edge.road_type == "bypass" && !scenario.allow_bypass),
                nominal_min: edge.nominal_s() / 60.0,
            })
            .collect();
        let loaders: Vec<Server> = site
            .loaders
            .iter()
            .map(|loader| Server {
                id: loader.id.clone(),
                node: loader.node.0,
                capacity: loader.capacity,
                mean_min: loader.service.mean_min / loader.availability,
                counts: false,
            })
            .collect();
        let dumps: Vec<Server> = site
            .dumps
            .iter()
            .map(|dump| Server {
                id: dump.id.clone(),
                node: dump.node.0,
                capacity: dump.capacity,
                mean_min: dump.service.mean_min,
                counts: dump.node == scenario.dump_destination,
            })
            .collect();
        let trucks: Vec<Hauler> = scenario
            .trucks()
            .iter()
            .map(|truck| Hauler {
                id: truck.id.clone(),
                payload_tonnes: truck.payload_tonnes,
                slower: [truck.empty_speed_factor, truck.loaded_speed_factor]
                    .map(|factor| 1.0 / (factor * truck.availability)),
                start: truck.start.0,
            })
            .collect();
        let key = |id: &str| id.as_bytes().into();
        let mut resources = ById::default();
        resources.extend(edges.iter().enumerate().map(|(i, edge)| (key(&edge.id), Resource::Edge(place(i)))));
        resources.extend(loaders.iter().enumerate().map(|(i, one)| (key(&one.id), Resource::Loader(place(i)))));
        resources.extend(dumps.iter().enumerate().map(|(i, one)| (key(&one.id), Resource::Dump(place(i)))));
        Self {
            shift_min: scenario.shift.as_secs_f64() / 60.0,
            warmup_min: scenario.warmup.as_secs_f64() / 60.0,
            noise_cv: scenario.travel_time_noise_cv,
            nodes: site.nodes.iter().enumerate().map(|(i, node)| (key(&node.id), place(i))).collect(),
            truck_places: trucks.iter().enumerate().map(|(i, truck)| (key(&truck.id), place(i))).collect(),
            edges,
            loaders,
            dumps,
            resources,
            trucks,
        }
    }

    /// The name of a node.
    pub(super) fn node(&self, at: u16) -> String {
        let found = self.nodes.iter().find(|(_, node)| **node == at);
        found.map_or_else(String::new, |(id, _)| String::from_utf8_lossy(id).into_owned())
    }
}

//! A scenario as files write it: every key may be missing, because a scenario inherits what it does not say.

use super::finite::finite_option;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format of a scenario, where a file states it.
pub(crate) const SCENARIO_FORMAT: &str = "labtrust.mine.scenario.v1";

/// Declares sections of optional keys: unknown ones are refused, absent ones are not written.
macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $(
                $(#[$attribute])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
        }
    )*};
}

sections! {
    /// The whole file.
    Document {
        format: String,
        scenario_id: String,
        inherits: String,
        description: String,
        simulation: Simulation,
        routing: Routing,
        production: Production,
        dispatching: Dispatching,
        stochasticity: Stochasticity,
        fleet: Fleet,
        node_overrides: BTreeMap<String, NodeOverride>,
        edge_overrides: BTreeMap<String, EdgeOverride>,
        truck_overrides: BTreeMap<String, TruckOverride>,
        loader_overrides: BTreeMap<String, LoaderOverride>,
        dump_point_overrides: BTreeMap<String, DumpOverride>,
    }
    /// Lengths and seeds.
    Simulation {
        #[serde(deserialize_with = "finite_option")] shift_length_hours: f64,
        replications: u32,
        base_random_seed: u64,
        #[serde(deserialize_with = "finite_option")] warmup_minutes: f64,
    }
    /// Ways and lanes.
    Routing {
        objective: String,
        allow_bypass: bool,
        road_capacity_enabled: bool,
        lane_model: String,
    }
    /// From where to where.
    Production {
        objective: String,
        ore_sources: Vec<String>,
        dump_destination: String,
    }
    /// Who goes where.
    Dispatching {
        policy: String,
        tie_breaker: String,
    }
    /// Distributions.
    Stochasticity {
        loading_time_distribution: String,
        dumping_time_distribution: String,
        #[serde(deserialize_with = "finite_option")] travel_time_noise_cv: f64,
    }
    /// How many trucks.
    Fleet {
        truck_count: u32,
        clone_beyond_list: bool,
    }
    /// Changes of a node.
    NodeOverride {
        capacity: u32,
        #[serde(deserialize_with = "finite_option")] service_time_mean_min: f64,
        #[serde(deserialize_with = "finite_option")] service_time_sd_min: f64,
    }
    /// Changes of a road.
    EdgeOverride {
        #[serde(deserialize_with = "finite_option")] distance_m: f64,
        #[serde(deserialize_with = "finite_option")] max_speed_kph: f64,
        capacity: u32,
        closed: bool,
    }
    /// Changes of a truck.
    TruckOverride {
        #[serde(deserialize_with = "finite_option")] payload_tonnes: f64,
        #[serde(deserialize_with = "finite_option")] empty_speed_factor: f64,
        #[serde(deserialize_with = "finite_option")] loaded_speed_factor: f64,
        #[serde(deserialize_with = "finite_option")] availability: f64,
        start_node: String,
    }
    /// Changes of a loader.
    LoaderOverride {
        capacity: u32,
        #[serde(deserialize_with = "finite_option")] mean_load_time_min: f64,
        #[serde(deserialize_with = "finite_option")] sd_load_time_min: f64,
        #[serde(deserialize_with = "finite_option")] availability: f64,
    }
    /// Changes of a dump point.
    DumpOverride {
        capacity: u32,
        #[serde(deserialize_with = "finite_option")] mean_dump_time_min: f64,
        #[serde(deserialize_with = "finite_option")] sd_dump_time_min: f64,
    }
}

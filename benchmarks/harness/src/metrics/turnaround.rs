//! Turnaround by quantile and by priority.

use super::{number_or_null, percentile, ratio};
use labtrust_contract::Metrics;
use labtrust_plugin::lab::Priority;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A specimen at its first release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Served {
    /// Acceptance to release [s].
    pub turnaround_s: i64,
    pub priority: Priority,
}

/// How much a second of lateness weighs, and by how much the limit is shorter.
pub(super) fn weight(priority: Priority) -> i64 {
    match priority {
        Priority::Stat => 4,
        Priority::Urgent => 2,
        Priority::Routine => 1,
    }
}

/// Turnarounds of one priority, or of all, ascending [s].
pub(super) fn sorted(served: &[Served], priority: Option<Priority>) -> Vec<i64> {
    let of = served.iter().filter(|served| priority.is_none_or(|priority| served.priority == priority));
    let mut values: Vec<i64> = of.map(|served| served.turnaround_s).collect();
    values.sort_unstable();
    values
}

/// Writes quantiles, and of each priority the percentiles and the share within the limit `sla_s` [s]. `all` are the
/// turnarounds of all, ascending.
pub(super) fn write(served: &[Served], all: &[i64], sla_s: Option<u32>, out: &mut Metrics) {
    if !all.is_empty() {
        let quantile = |p: f64| number_or_null(percentile(all, p));
        let quantiles = [("p10", 10.0), ("p25", 25.0), ("p50", 50.0), ("p75", 75.0), ("p90", 90.0)];
        let map: Map<String, Value> = quantiles.map(|(name, p)| (name.to_owned(), quantile(p))).into_iter().collect();
        out.insert("turnaround_quantiles_s".to_owned(), json!(map));
    }
    for (priority, name) in [(Priority::Stat, "stat"), (Priority::Urgent, "urgent"), (Priority::Routine, "routine")] {
        let values = sorted(served, Some(priority));
        for percent in [50, 95] {
            let value = number_or_null(percentile(&values, f64::from(percent)));
            out.insert(format!("p{percent}_turnaround_{name}_s"), value);
        }
        let within = |sla: u32| values.partition_point(|&turnaround| turnaround <= i64::from(sla)) as u64;
        let on_time = sla_s.and_then(|sla| ratio(within(sla), values.len() as u64));
        out.insert(format!("on_time_rate_{name}"), number_or_null(on_time));
    }
}

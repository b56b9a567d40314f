//! How long work waits for its first run, and how short that could be.
//!
//! The bound is a list schedule on the analysers of a hall, as many as there are, one time for all runs: STAT work first,
//! then in the order of arrival, nobody idle while work waits. With equal runs no order has a smaller sum of waits, so it
//! bounds the mean for any method. Agents act on what they see: what arrives is queued in the next step, and started in
//! the one after that at the earliest.

use labtrust_contract::Metrics;
use labtrust_plugin::lab::{ActionKind, Symbol};
use labtrust_plugin::metric::{EpisodeEnd, EpisodeStart, Meter, MeterStep, Metric, MetricSpec};
use serde_json::Value;
use std::collections::BTreeMap;

/// Time between two steps [s].
const STEP_S: i64 = 10;
/// A run of the chemistry panel [s].
const RUN_S: i64 = 30;

/// Mean wait, and its bound.
pub(crate) struct Wait;

impl Metric for Wait {
    fn id(&self) -> &'static str {
        "wait"
    }

    fn specs(&self) -> &'static [MetricSpec] {
        &[]
    }

    fn meter(&self, start: &mut EpisodeStart<'_>) -> Box<dyn Meter> {
        let mut arrived_s = BTreeMap::new();
        for specimen in start.state.get("specimens").and_then(Value::as_array).into_iter().flatten() {
            let id = specimen["specimen_id"].as_str().expect("it has an id");
            arrived_s.insert(start.symbols.intern(id), specimen["arrival_ts_s"].as_i64().unwrap_or(0));
        }
        let devices = start.state.get("_scale_device_ids").and_then(Value::as_array);
        let is_analyser = |id: &&Value| id.as_str().is_some_and(|id| id.contains("ANALYZER"));
        let analysers = devices.into_iter().flatten().filter(is_analyser).count();
        Box::new(WaitMeter { arrived_s, started_s: BTreeMap::new(), analysers, horizon_s: start.facts.horizon_s })
    }
}

struct WaitMeter {
    arrived_s: BTreeMap<Symbol, i64>,
    started_s: BTreeMap<Symbol, i64>,
    analysers: usize,
    horizon_s: i64,
}

impl Meter for WaitMeter {
    fn on_step(&mut self, step: MeterStep<'_>) {
        let outcome = step.facts.outcome;
        let Some(action) = step.facts.action else { return };
        if outcome.accepted && action.decision.kind == ActionKind::StartRun {
            for specimen in &outcome.specimens {
                self.started_s.entry(*specimen).or_insert(action.t_s);
            }
        }
    }

    fn finish(&mut self, _: &EpisodeEnd<'_>, out: &mut Metrics) {
        let waits = self.arrived_s.iter().map(|(specimen, arrived_s)| {
            // What is never started has waited to the end.
            self.started_s.get(specimen).copied().unwrap_or(self.horizon_s) - arrived_s
        });
        let count = self.arrived_s.len();
        if count > 0 && self.analysers > 0 {
            let arrivals: Vec<i64> = self.arrived_s.values().copied().collect();
            let least = least_sum_of_waits(&arrivals, self.analysers);
            out.insert("mean_wait_s".to_owned(), (waits.sum::<i64>() as f64 / count as f64).into());
            out.insert("least_mean_wait_s".to_owned(), (least as f64 / count as f64).into());
        }
    }
}

/// The sum of waits [s] when no analyser stands still while work waits.
fn least_sum_of_waits(arrivals_s: &[i64], analysers: usize) -> i64 {
    let mut arrivals = arrivals_s.to_vec();
    arrivals.sort_unstable();
    let mut free_s = vec![0; analysers];
    arrivals.into_iter().fold(0, |sum, arrival_s| {
        let seen_s = (arrival_s.max(1) + STEP_S - 1) / STEP_S * STEP_S;
        let analyser = (0..analysers).min_by_key(|&analyser| free_s[analyser]).expect("there is one");
        let start_s = free_s[analyser].max(seen_s + STEP_S);
        free_s[analyser] = start_s + RUN_S;
        sum + start_s - arrival_s
    })
}

#[test]
fn the_bound_is_that_of_a_small_hall_by_hand() {
    // Two analysers: queued at 10, started at 20 twice; the third waits until 50.
    assert_eq!(least_sum_of_waits(&[5, 5, 5], 2), 15 + 15 + 45);
    assert_eq!(least_sum_of_waits(&[5, 100], 1), 15 + 10);
}

//! What the laboratory achieved: specimens, released results, turnaround.

use super::{number_or_null, percentile, ratio};
use labtrust_contract::Metrics;
use labtrust_plugin::lab::{Action, ActionKind, Outcome, Symbol};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Follows specimens from acceptance to release.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Every specimen of the episode: those of the initial state and those injected later.
    specimens: BTreeSet<Symbol>,
    /// Specimens that cannot be processed for a good reason.
    rejected: BTreeSet<Symbol>,
    /// Specimens whose arrival lies after the end of the episode.
    too_late: BTreeSet<Symbol>,
    /// When each specimen was accepted [s].
    accepted_s: BTreeMap<Symbol, i64>,
    /// Specimens that start accepted: their clock starts when they arrive.
    start_accepted: BTreeSet<Symbol>,
    /// Results that were filed.
    filed: BTreeSet<Symbol>,
    /// Results that were released.
    released: BTreeSet<Symbol>,
    /// Specimens with a released result.
    served: BTreeSet<Symbol>,
    /// Turnaround of each specimen at its first release [s], in the order of release.
    turnaround_s: Vec<i64>,
}

impl Flow {
    /// Reads the specimens of an initial state. `id` gives the symbol of a text.
    pub(super) fn new(state: &Map<String, Value>, horizon_s: i64, mut id: impl FnMut(&str) -> Symbol) -> Self {
        let mut flow = Self::default();
        for specimen in state.get("specimens").and_then(Value::as_array).into_iter().flatten() {
            let Some(specimen_id) = specimen.get("specimen_id").and_then(Value::as_str) else { continue };
            let symbol = id(specimen_id);
            flow.specimens.insert(symbol);
            let arrival_s = specimen.get("arrival_ts_s").and_then(Value::as_i64).unwrap_or(0);
            if arrival_s > horizon_s {
                flow.too_late.insert(symbol);
            }
            if specimen.get("status").and_then(Value::as_str) == Some("accepted") {
                flow.start_accepted.insert(symbol);
                // Replaced by the arrival record where there is one.
                flow.accepted_s.insert(symbol, arrival_s);
            }
        }
        for result in state.get("results").and_then(Value::as_array).into_iter().flatten() {
            if let Some(result_id) = result.get("result_id").and_then(Value::as_str) {
                flow.filed.insert(id(result_id));
            }
        }
        flow
    }

    pub(super) fn on_step(&mut self, action: &Action, outcome: &Outcome) {
        if !outcome.accepted {
            return;
        }
        let args = &action.decision.args;
        match action.decision.kind {
            ActionKind::AcceptSpecimen => {
                for &specimen in outcome.specimens.iter().chain(&args.specimen) {
                    self.accepted_s.entry(specimen).or_insert(action.t_s);
                }
            }
            ActionKind::ReceiveBatch => {
                for &specimen in outcome.specimens.iter().chain(&args.specimens).chain(&args.specimen) {
                    if self.start_accepted.remove(&specimen) {
                        self.accepted_s.insert(specimen, action.t_s);
                    }
                }
            }
            ActionKind::InjectSpecimen => self.specimens.extend(args.specimen),
            ActionKind::RejectSpecimen => {
                self.rejected.extend(outcome.specimens.iter().chain(&args.specimen));
            }
            ActionKind::GenerateResult => self.filed.extend(args.result),
            ActionKind::ReleaseResult | ActionKind::ReleaseResultOverride => self.on_release(action, outcome),
            _ => {}
        }
    }

    /// A release counts once for each result, and only for a result that exists: one that was filed in this episode,
    /// or that the laboratory knows the specimen of.
    fn on_release(&mut self, action: &Action, outcome: &Outcome) {
        let Some(result) = action.decision.args.result else { return };
        let exists = !outcome.specimens.is_empty() || self.filed.contains(&result);
        let is_first = exists && self.released.insert(result);
        if !is_first {
            return;
        }
        for &specimen in &outcome.specimens {
            // A specimen with two results is served when the first of them is released.
            if self.served.insert(specimen)
                && let Some(accepted_s) = self.accepted_s.get(&specimen)
            {
                self.turnaround_s.push(action.t_s - accepted_s);
            }
        }
    }

    /// Distinct results released [count].
    pub(super) fn throughput(&self) -> u64 {
        self.released.len() as u64
    }

    /// Specimens of the episode [count].
    pub(super) fn specimens_total(&self) -> u64 {
        self.specimens.len() as u64
    }

    pub(super) fn write(&self, out: &mut Metrics, sla_s: Option<u32>, horizon_s: i64) {
        let mut sorted = self.turnaround_s.clone();
        sorted.sort_unstable();
        let on_time = sla_s.map(|sla| sorted.iter().filter(|&&turnaround| turnaround <= i64::from(sla)).count() as u64);
        let due = self.specimens.iter().filter(|id| !self.rejected.contains(id) && !self.too_late.contains(id));
        let due = due.count() as u64;
        // Multiplied first: a whole number an hour prints as one.
        let per_hour = ratio(self.throughput() * 3600, u64::try_from(horizon_s).unwrap_or(0));
        out.extend(
            [
                ("throughput", json!(self.throughput())),
                ("throughput_per_hour", number_or_null(per_hour)),
                ("p50_turnaround_s", number_or_null(percentile(&sorted, 50.0))),
                ("p95_turnaround_s", number_or_null(percentile(&sorted, 95.0))),
                ("turnaround_s", json!(self.turnaround_s)),
                ("on_time_rate", number_or_null(on_time.and_then(|count| ratio(count, sorted.len() as u64)))),
                ("specimens_total", json!(self.specimens_total())),
                ("completion_rate", number_or_null(ratio(self.served.len() as u64, due))),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
    }
}

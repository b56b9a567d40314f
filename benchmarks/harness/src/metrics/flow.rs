//! What the laboratory achieved: specimens, released results, turnaround.

use super::turnaround::{self, Served};
use super::{number_or_null, percentile, ratio};
use labtrust_contract::Metrics;
use labtrust_plugin::lab::{Action, ActionKind, Outcome, Priority, Symbol};
use labtrust_plugin::metric::{EpisodeEnd, EpisodeStart, Meter, MeterStep, Metric, MetricSpec};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Throughput, completion and turnaround.
pub(super) struct FlowMetric;

labtrust_plugin::register_plugin!(Metric, FlowMetric);

const SPECS: &[MetricSpec] = &[
    MetricSpec::new("throughput", "count", "distinct results released; a result counts once, and only if it exists")
        .higher(),
    MetricSpec::new("throughput_per_hour", "1/h", "`throughput` over the episode's horizon").higher(),
    MetricSpec::new("specimens_total", "count", "specimens of the initial state and injected ones"),
    MetricSpec::new(
        "completion_rate",
        "1",
        "specimens with a released result over specimens due: all but the rejected and those that arrive after the \
         horizon; null when none is due",
    )
    .higher(),
    MetricSpec::new(
        "turnaround_s",
        "s",
        "acceptance to first release, one value a specimen, in the order of release; a specimen that starts accepted is \
         accepted when it arrives",
    )
    .lower(),
    MetricSpec::new(
        "p50_turnaround_s",
        "s",
        "median of `turnaround_s`, linear between the nearest ranks; null when it is empty",
    )
    .lower(),
    MetricSpec::new("p95_turnaround_s", "s", "95th percentile of `turnaround_s`, by the same rule").lower(),
    MetricSpec::new(
        "turnaround_quantiles_s",
        "s",
        "map of p10, p25, p50, p75 and p90 of `turnaround_s`; absent when it is empty",
    )
    .lower(),
    MetricSpec::new("p50_turnaround_stat_s", "s", "median of `turnaround_s` of STAT specimens; null without any").lower(),
    MetricSpec::new("p95_turnaround_stat_s", "s", "95th percentile of `turnaround_s` of STAT specimens").lower(),
    MetricSpec::new("p50_turnaround_urgent_s", "s", "median of `turnaround_s` of URGENT specimens").lower(),
    MetricSpec::new("p95_turnaround_urgent_s", "s", "95th percentile of `turnaround_s` of URGENT specimens").lower(),
    MetricSpec::new("p50_turnaround_routine_s", "s", "median of `turnaround_s` of ROUTINE specimens").lower(),
    MetricSpec::new("p95_turnaround_routine_s", "s", "95th percentile of `turnaround_s` of ROUTINE specimens").lower(),
    MetricSpec::new(
        "on_time_rate",
        "1",
        "share of `turnaround_s` within the task's limit; null without limit or values",
    )
    .higher(),
    MetricSpec::new(
        "weighted_tardiness_s",
        "s",
        "sum over specimens due of weight times lateness; weight 4 for STAT, 2 for URGENT, 1 for ROUTINE; lateness is \
         what lies between clock start (acceptance, else arrival) plus limit and release (else the horizon), at least \
         0; the limit is the task's limit over the weight; null without limit",
    )
    .lower(),
];

impl Metric for FlowMetric {
    fn id(&self) -> &'static str {
        "flow"
    }

    fn specs(&self) -> &'static [MetricSpec] {
        SPECS
    }

    fn meter(&self, start: &mut EpisodeStart<'_>) -> Box<dyn Meter> {
        Box::new(Flow::new(start))
    }
}

/// Follows specimens from acceptance to release.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Every specimen of the episode: those of the initial state and those injected later.
    specimens: BTreeSet<Symbol>,
    /// Specimens that cannot be processed for a good reason.
    rejected: BTreeSet<Symbol>,
    /// Specimens whose arrival lies after the end of the episode.
    too_late: BTreeSet<Symbol>,
    /// Priority of each specimen, where it is not ROUTINE.
    priority: BTreeMap<Symbol, Priority>,
    /// When each specimen arrives [s].
    arrival_s: BTreeMap<Symbol, i64>,
    /// When each specimen was accepted [s].
    accepted_s: BTreeMap<Symbol, i64>,
    /// Specimens that start accepted: their clock starts when they arrive.
    start_accepted: BTreeSet<Symbol>,
    /// Results that were filed.
    filed: BTreeSet<Symbol>,
    /// Results that were released.
    released: BTreeSet<Symbol>,
    /// When each specimen was first released [s].
    released_s: BTreeMap<Symbol, i64>,
    /// Each specimen with an acceptance at its first release, in the order of release.
    turnarounds: Vec<Served>,
}

impl Flow {
    /// Reads the specimens of an initial state.
    fn new(start: &mut EpisodeStart<'_>) -> Self {
        let EpisodeStart { facts, state, symbols } = start;
        let horizon_s = facts.horizon_s;
        let mut flow = Self::default();
        for specimen in state.get("specimens").and_then(Value::as_array).into_iter().flatten() {
            let Some(specimen_id) = specimen.get("specimen_id").and_then(Value::as_str) else { continue };
            let symbol = symbols.intern(specimen_id);
            flow.specimens.insert(symbol);
            let arrival_s = specimen.get("arrival_ts_s").and_then(Value::as_i64).unwrap_or(0);
            flow.arrival_s.insert(symbol, arrival_s);
            let priority = specimen.get("priority_class").and_then(Value::as_str).map(Priority::parse_lenient);
            flow.set_priority(symbol, priority);
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
                flow.filed.insert(symbols.intern(result_id));
            }
        }
        flow
    }

    fn set_priority(&mut self, specimen: Symbol, priority: Option<Priority>) {
        if let Some(priority) = priority.filter(|&priority| priority != Priority::Routine) {
            self.priority.insert(specimen, priority);
        }
    }

    fn priority(&self, specimen: Symbol) -> Priority {
        self.priority.get(&specimen).copied().unwrap_or(Priority::Routine)
    }

    fn on_action(&mut self, action: &Action, outcome: &Outcome) {
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
            ActionKind::InjectSpecimen => {
                if let Some(specimen) = args.specimen {
                    self.specimens.insert(specimen);
                    self.arrival_s.entry(specimen).or_insert(action.t_s);
                    self.set_priority(specimen, args.priority);
                }
            }
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
            if self.released_s.contains_key(&specimen) {
                continue;
            }
            self.released_s.insert(specimen, action.t_s);
            if let Some(accepted_s) = self.accepted_s.get(&specimen) {
                let (turnaround_s, priority) = (action.t_s - accepted_s, self.priority(specimen));
                self.turnarounds.push(Served { turnaround_s, priority });
            }
        }
    }

    /// Specimens that should be released by the end.
    fn due(&self) -> impl Iterator<Item = Symbol> + '_ {
        let all = self.specimens.iter().copied();
        all.filter(|id| !self.rejected.contains(id) && !self.too_late.contains(id))
    }

    fn weighted_tardiness_s(&self, sla_s: u32, horizon_s: i64) -> i64 {
        self.due()
            .map(|specimen| {
                let start_s = self.accepted_s.get(&specimen).or_else(|| self.arrival_s.get(&specimen));
                let end_s = self.released_s.get(&specimen).copied().unwrap_or(horizon_s);
                let weight = turnaround::weight(self.priority(specimen));
                let due_s = start_s.copied().unwrap_or(0) + i64::from(sla_s) / weight;
                weight * (end_s - due_s).max(0)
            })
            .sum()
    }
}

impl Meter for Flow {
    fn on_step(&mut self, step: MeterStep<'_>) {
        if let Some(action) = step.facts.action {
            self.on_action(action, step.facts.outcome);
        }
    }

    fn finish(&mut self, end: &EpisodeEnd<'_>, out: &mut Metrics) {
        let (sla_s, horizon_s) = (end.facts.sla_turnaround_s, end.facts.horizon_s);
        let sorted = turnaround::sorted(&self.turnarounds, None);
        let on_time = sla_s.map(|sla| sorted.iter().filter(|&&turnaround| turnaround <= i64::from(sla)).count() as u64);
        let throughput = self.released.len() as u64;
        // Multiplied first: a whole number an hour prints as one.
        let per_hour = ratio(throughput * 3600, u64::try_from(horizon_s).unwrap_or(0));
        let in_order: Vec<i64> = self.turnarounds.iter().map(|served| served.turnaround_s).collect();
        let tardiness = sla_s.map(|sla| self.weighted_tardiness_s(sla, horizon_s));
        let completion = ratio(self.released_s.len() as u64, self.due().count() as u64);
        out.extend(
            [
                ("throughput", json!(throughput)),
                ("throughput_per_hour", number_or_null(per_hour)),
                ("turnaround_s", json!(in_order)),
                ("p50_turnaround_s", number_or_null(percentile(&sorted, 50.0))),
                ("p95_turnaround_s", number_or_null(percentile(&sorted, 95.0))),
                ("on_time_rate", number_or_null(on_time.and_then(|count| ratio(count, sorted.len() as u64)))),
                ("weighted_tardiness_s", tardiness.map_or(Value::Null, Value::from)),
                ("specimens_total", json!(self.specimens.len())),
                ("completion_rate", number_or_null(completion)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        turnaround::write(&self.turnarounds, &sorted, out);
    }
}

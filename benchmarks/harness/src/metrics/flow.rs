//! What the laboratory achieved: specimens, released results, turnaround.

use super::turnaround::{self, Served};
use super::{number_or_null, percentile, ratio};
use labtrust_contract::Metrics;
use labtrust_kernel::SymbolMap;
use labtrust_plugin::lab::{Action, ActionKind, Outcome, Priority, Symbol, Symbols};
use labtrust_plugin::metric::{EpisodeEnd, EpisodeStart, Meter, MeterStep, Metric, MetricSpec};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Throughput, completion and turnaround.
pub(super) struct FlowMetric;

labtrust_plugin::register_plugin!(Metric, FlowMetric);

const SPECS: &[MetricSpec] = &[
    MetricSpec::new(
        "throughput",
        "count",
        "specimens with a released result, and released results of no known specimen; what is run again counts once, and \
         only results that exist count",
    )
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
    MetricSpec::new("on_time_rate_stat", "1", "the same of STAT specimens").higher(),
    MetricSpec::new("on_time_rate_urgent", "1", "the same of URGENT specimens").higher(),
    MetricSpec::new("on_time_rate_routine", "1", "the same of ROUTINE specimens").higher(),
    MetricSpec::new("mean_turnaround_s", "s", "mean of `turnaround_s`; null when it is empty").lower(),
    MetricSpec::new("p99_turnaround_s", "s", "99th percentile of `turnaround_s`, by the rule of `p50_turnaround_s`").lower(),
    MetricSpec::new(
        "stat_mean_turnaround_s",
        "s",
        "mean over the STAT specimens due of the time from arrival to first release; one that is not released has taken \
         until the horizon, so leaving it makes nothing better; null without any",
    )
    .lower(),
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
        Box::new(Flow::new(start.facts.horizon_s, start.state, start.symbols))
    }
}

/// What became of a specimen so far.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Course {
    priority: Priority,
    /// Of the episode: of the initial state, or brought in later.
    known: bool,
    /// It cannot be processed for a good reason.
    rejected: bool,
    /// It arrives after the end of the episode.
    too_late: bool,
    /// It starts accepted: its clock starts when it arrives.
    starts_accepted: bool,
    /// When it arrives [s].
    arrival_s: Option<i64>,
    /// When it was accepted [s].
    accepted_s: Option<i64>,
    /// When it was first released [s].
    released_s: Option<i64>,
}

impl Course {
    const NEW: Self = Self {
        priority: Priority::Routine,
        known: false,
        rejected: false,
        too_late: false,
        starts_accepted: false,
        arrival_s: None,
        accepted_s: None,
        released_s: None,
    };

    /// Whether it should be released by the end.
    const fn is_due(&self) -> bool {
        self.known && !self.rejected && !self.too_late
    }
}

/// What became of a result so far.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct ResultCourse {
    filed: bool,
    released: bool,
}

/// Follows specimens from acceptance to release.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Flow {
    specimens: SymbolMap<Course>,
    results: SymbolMap<ResultCourse>,
    /// Results released of which no specimen is known [count].
    without_specimen: u64,
    /// Each specimen with an acceptance at its first release, in the order of release.
    turnarounds: Vec<Served>,
}

impl Flow {
    /// Reads the specimens of an initial state.
    pub(crate) fn new(horizon_s: i64, state: &Map<String, Value>, symbols: &mut Symbols) -> Self {
        let mut flow = Self::default();
        for specimen in state.get("specimens").and_then(Value::as_array).into_iter().flatten() {
            flow.expect(horizon_s, specimen, symbols);
        }
        for result in state.get("results").and_then(Value::as_array).into_iter().flatten() {
            if let Some(result_id) = result.get("result_id").and_then(Value::as_str) {
                flow.result(symbols.intern(result_id)).filed = true;
            }
        }
        flow
    }

    /// Takes note of a specimen that is in the episode from its beginning, or comes from another laboratory.
    pub(crate) fn expect(&mut self, horizon_s: i64, specimen: &Value, symbols: &mut Symbols) {
        let Some(specimen_id) = specimen.get("specimen_id").and_then(Value::as_str) else { return };
        let course = self.course(symbols.intern(specimen_id));
        course.known = true;
        let arrival_s = specimen.get("arrival_ts_s").and_then(Value::as_i64).unwrap_or(0);
        course.arrival_s = Some(arrival_s);
        let priority = specimen.get("priority_class").and_then(Value::as_str).map(Priority::parse_lenient);
        if let Some(priority) = priority.filter(|&priority| priority != Priority::Routine) {
            course.priority = priority;
        }
        course.too_late |= arrival_s > horizon_s;
        let status = specimen.get("status").and_then(Value::as_str);
        // What is further on the lane was accepted before.
        if matches!(status, Some("accepted" | "separated" | "aliquoted")) {
            course.starts_accepted = true;
            // Replaced by the arrival record where there is one.
            course.accepted_s = Some(arrival_s);
        }
    }

    fn course(&mut self, specimen: Symbol) -> &mut Course {
        if !self.specimens.contains(specimen) {
            self.specimens.insert(specimen, Course::NEW);
        }
        self.specimens.get_mut(specimen).expect("it was just put in")
    }

    fn result(&mut self, result: Symbol) -> &mut ResultCourse {
        if !self.results.contains(result) {
            self.results.insert(result, ResultCourse::default());
        }
        self.results.get_mut(result).expect("it was just put in")
    }

    /// Takes note of what an action did.
    pub(crate) fn on_action(&mut self, action: &Action, outcome: &Outcome) {
        if !outcome.accepted {
            return;
        }
        let args = &action.decision.args;
        match action.decision.kind {
            ActionKind::AcceptSpecimen => {
                for &specimen in outcome.specimens.iter().chain(&args.specimen) {
                    self.course(specimen).accepted_s.get_or_insert(action.t_s);
                }
            }
            ActionKind::ReceiveBatch => {
                for &specimen in outcome.specimens.iter().chain(&args.specimens).chain(&args.specimen) {
                    if let Some(course) = self.specimens.get_mut(specimen)
                        && std::mem::take(&mut course.starts_accepted)
                    {
                        course.accepted_s = Some(action.t_s);
                    }
                }
            }
            ActionKind::InjectSpecimen => {
                if let Some(specimen) = args.specimen {
                    let course = self.course(specimen);
                    course.known = true;
                    course.arrival_s.get_or_insert(action.t_s);
                    if let Some(priority) = args.priority.filter(|&priority| priority != Priority::Routine) {
                        course.priority = priority;
                    }
                }
            }
            ActionKind::RejectSpecimen => {
                for &specimen in outcome.specimens.iter().chain(&args.specimen) {
                    self.course(specimen).rejected = true;
                }
            }
            ActionKind::GenerateResult => {
                if let Some(result) = args.result {
                    self.result(result).filed = true;
                }
            }
            ActionKind::ReleaseResult | ActionKind::ReleaseResultOverride => self.on_release(action, outcome),
            _ => {}
        }
    }

    /// Only a result that exists counts: one that was filed in this episode, or that the laboratory knows the specimen of.
    /// A specimen counts once, however often it is run: else the most productive crew is one that does its work again.
    fn on_release(&mut self, action: &Action, outcome: &Outcome) {
        let Some(result) = action.decision.args.result else { return };
        let course = self.result(result);
        let exists = !outcome.specimens.is_empty() || course.filed;
        if !exists || std::mem::replace(&mut course.released, true) {
            return;
        }
        self.without_specimen += u64::from(outcome.specimens.is_empty());
        for &specimen in &outcome.specimens {
            let course = self.course(specimen);
            // A specimen with two results is served when the first of them is released.
            if course.released_s.is_some() {
                continue;
            }
            course.released_s = Some(action.t_s);
            if let Some(accepted_s) = course.accepted_s {
                let (turnaround_s, priority) = (action.t_s - accepted_s, course.priority);
                self.turnarounds.push(Served { turnaround_s, priority });
            }
        }
    }

    /// What it comes to. `sla_s` is the task's limit.
    pub(crate) fn tally(&mut self, sla_s: Option<u32>, horizon_s: i64) -> FlowTally {
        let mut tally = FlowTally { tardiness_s: sla_s.map(|_| 0), ..FlowTally::default() };
        for (_, course) in self.specimens.iter() {
            tally.specimens += u64::from(course.known);
            tally.due += u64::from(course.is_due());
            tally.served += u64::from(course.released_s.is_some());
            if course.is_due() && course.priority == Priority::Stat {
                // One that is not released has taken until the end.
                let end_s = course.released_s.unwrap_or(horizon_s);
                tally.stat.0 += 1;
                tally.stat.1 += u64::try_from(end_s - course.arrival_s.unwrap_or(0)).unwrap_or(0);
            }
            if let (Some(sum_s), Some(sla_s), true) = (&mut tally.tardiness_s, sla_s, course.is_due()) {
                *sum_s += weighted_tardiness_s(course, sla_s, horizon_s);
            }
        }
        tally.throughput = tally.served + self.without_specimen;
        tally.turnarounds = std::mem::take(&mut self.turnarounds);
        tally
    }
}

fn weighted_tardiness_s(course: &Course, sla_s: u32, horizon_s: i64) -> i64 {
    let start_s = course.accepted_s.or(course.arrival_s).unwrap_or(0);
    let end_s = course.released_s.unwrap_or(horizon_s);
    let weight = turnaround::weight(course.priority);
    let due_s = start_s + i64::from(sla_s) / weight;
    weight * (end_s - due_s).max(0)
}

/// What the specimens of one laboratory, or of several, come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlowTally {
    /// Specimens with a released result, and released results of no known specimen [count].
    pub throughput: u64,
    /// Specimens [count].
    pub specimens: u64,
    /// Those that should be released by the end [count].
    due: u64,
    /// Those that were released [count].
    served: u64,
    /// Weighted lateness [s]; none without limit.
    tardiness_s: Option<i64>,
    /// STAT specimens due [count], and from arrival to release of all of them [s].
    stat: (u64, u64),
    turnarounds: Vec<Served>,
}

/// Mean of some times [s]; `None` when there are none.
fn mean(times_s: &[i64]) -> Option<f64> {
    // Turnarounds are not negative: who releases has accepted before.
    ratio(u64::try_from(times_s.iter().sum::<i64>()).unwrap_or(0), times_s.len() as u64)
}

impl FlowTally {
    /// Adds another laboratory, after the ones before.
    pub(crate) fn add(&mut self, other: Self) {
        self.throughput += other.throughput;
        self.specimens += other.specimens;
        self.due += other.due;
        self.served += other.served;
        self.tardiness_s = match (self.tardiness_s, other.tardiness_s) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (one, other) => one.or(other),
        };
        self.stat = (self.stat.0 + other.stat.0, self.stat.1 + other.stat.1);
        self.turnarounds.extend(other.turnarounds);
    }

    /// Turnarounds in the order of release [s].
    fn in_order(&self) -> Vec<i64> {
        self.turnarounds.iter().map(|served| served.turnaround_s).collect()
    }

    /// Writes the figures, all but the list of turnarounds.
    pub(crate) fn write(&self, sla_s: Option<u32>, horizon_s: i64, out: &mut Metrics) {
        let sorted = turnaround::sorted(&self.turnarounds, None);
        let on_time = sla_s.map(|sla| sorted.iter().filter(|&&turnaround| turnaround <= i64::from(sla)).count() as u64);
        // Multiplied first: a whole number an hour prints as one.
        let per_hour = ratio(self.throughput * 3600, u64::try_from(horizon_s).unwrap_or(0));
        out.extend(
            [
                ("throughput", json!(self.throughput)),
                ("throughput_per_hour", number_or_null(per_hour)),
                ("p50_turnaround_s", number_or_null(percentile(&sorted, 50.0))),
                ("p95_turnaround_s", number_or_null(percentile(&sorted, 95.0))),
                ("p99_turnaround_s", number_or_null(percentile(&sorted, 99.0))),
                ("mean_turnaround_s", number_or_null(mean(&sorted))),
                ("stat_mean_turnaround_s", number_or_null(ratio(self.stat.1, self.stat.0))),
                ("on_time_rate", number_or_null(on_time.and_then(|count| ratio(count, sorted.len() as u64)))),
                ("weighted_tardiness_s", self.tardiness_s.map_or(Value::Null, Value::from)),
                ("specimens_total", json!(self.specimens)),
                ("completion_rate", number_or_null(ratio(self.served, self.due))),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        turnaround::write(&self.turnarounds, &sorted, sla_s, out);
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
        let tally = self.tally(sla_s, horizon_s);
        tally.write(sla_s, horizon_s, out);
        out.insert("turnaround_s".to_owned(), json!(tally.in_order()));
    }
}

//! What is measured in an episode.
//!
//! Every figure is counted from the steps themselves ([`StepFacts`]), those of the laboratory included, so that it can
//! be recomputed from the log. Names and types are those of the published results format; what that format's own
//! definitions got wrong is defined here as a reader would expect it. The definition of a figure stands beside its
//! code, in the [`MetricSpec`](labtrust_plugin::metric::MetricSpec)s of the groups below; `docs/src/reference/metrics.md`
//! is made from them.

mod attack;
mod bound;
mod conduct;
mod crew;
mod critical;
mod devices;
mod episode;
pub(crate) mod flow;
mod percentile;
mod turnaround;

pub use percentile::percentile;

use labtrust_contract::Metrics;
use labtrust_plugin::lab::{Observer, StepFacts, Symbol, Symbols, TimingSummary, WorldView};
use labtrust_plugin::metric::{EpisodeEnd, EpisodeFacts, EpisodeStart, Meter, MeterStep, Metric};
use serde_json::{Map, Value};

/// The groups of figures that this crate brings. A program takes them, and those of plugins, from its registry.
#[must_use]
pub fn builtin() -> [&'static dyn Metric; 8] {
    [
        &attack::AttackMetric,
        &bound::BoundMetric,
        &conduct::ConductMetric,
        &crew::CrewMetric,
        &critical::CriticalMetric,
        &devices::DeviceMetric,
        &episode::EpisodeMetric,
        &flow::FlowMetric,
    ]
}

/// Measures one episode.
pub struct EpisodeMeter {
    facts: EpisodeFacts,
    attackers: Vec<Symbol>,
    step: u32,
    meters: Vec<Box<dyn Meter>>,
}

impl EpisodeMeter {
    /// Begins to measure an episode that starts from `state`.
    pub fn new(
        metrics: &[&dyn Metric],
        facts: EpisodeFacts,
        state: &Map<String, Value>,
        symbols: &mut Symbols,
    ) -> Self {
        let mut start = EpisodeStart { facts: &facts, state, symbols };
        let meters = metrics.iter().map(|metric| metric.meter(&mut start)).collect();
        let attackers = facts.seats.iter().filter(|seat| seat.attacker).map(|seat| seat.agent).collect();
        Self { facts, attackers, step: 0, meters }
    }

    /// The steps that follow belong to step `step` of the episode, from 0.
    pub fn begin_step(&mut self, step: u32) {
        self.step = step;
    }

    /// Takes note of the snapshot that the agents of a step decide on.
    pub fn on_snapshot(&mut self, view: &WorldView, symbols: &Symbols) {
        for meter in &mut self.meters {
            meter.on_snapshot(view, symbols);
        }
    }

    /// The figures of the episode.
    #[must_use]
    pub fn finish(&mut self, timing: &TimingSummary, symbols: &Symbols) -> Metrics {
        let mut out = Metrics::new();
        let end = EpisodeEnd { facts: &self.facts, timing, symbols };
        for meter in &mut self.meters {
            meter.finish(&end, &mut out);
        }
        out
    }
}

impl Observer for EpisodeMeter {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        let attacker = facts.action.is_some_and(|action| self.attackers.contains(&action.agent));
        let step = MeterStep { facts, step: self.step, attacker };
        for meter in &mut self.meters {
            meter.on_step(step);
        }
    }
}

/// `part / whole`, `None` when there is no whole.
#[expect(clippy::cast_precision_loss, reason = "counts of an episode are far below 2^53")]
pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

pub(crate) fn number_or_null(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::from)
}

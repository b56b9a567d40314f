//! How near the crew came to what any crew could do.

use super::{number_or_null, ratio};
use labtrust_contract::Metrics;
use labtrust_plugin::metric::{EpisodeEnd, EpisodeStart, Meter, MeterStep, Metric, MetricSpec};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Throughput against the clairvoyant bound.
pub(super) struct BoundMetric;

labtrust_plugin::register_plugin!(Metric, BoundMetric);

const SPECS: &[MetricSpec] = &[
    MetricSpec::new(
        "throughput_bound",
        "count",
        "specimens that no crew could exceed: all arrivals known, agents everywhere at once, nothing fails, shortest \
         times; steps, horizon, ways between sites, batches, analysers and reagent count; null where the domain has none",
    ),
    MetricSpec::new(
        "throughput_share_of_bound",
        "1",
        "specimens with a released result over `throughput_bound`; null when it is 0 or null",
    )
    .higher(),
];

impl Metric for BoundMetric {
    fn id(&self) -> &'static str {
        "bound"
    }

    fn specs(&self) -> &'static [MetricSpec] {
        SPECS
    }

    fn meter(&self, _start: &mut EpisodeStart<'_>) -> Box<dyn Meter> {
        Box::new(Share::default())
    }
}

#[derive(Default)]
struct Share {
    released: BTreeSet<labtrust_plugin::lab::Symbol>,
}

impl Meter for Share {
    fn on_step(&mut self, step: MeterStep<'_>) {
        use labtrust_plugin::lab::ActionKind::{ReleaseResult, ReleaseResultOverride};
        let (Some(action), outcome) = (step.facts.action, step.facts.outcome) else { return };
        if outcome.accepted && matches!(action.decision.kind, ReleaseResult | ReleaseResultOverride) {
            self.released.extend(&outcome.specimens);
        }
    }

    fn finish(&mut self, end: &EpisodeEnd<'_>, out: &mut Metrics) {
        let bound = end.facts.most_releasable;
        let share = bound.and_then(|bound| ratio(self.released.len() as u64, u64::from(bound)));
        out.insert("throughput_bound".to_owned(), bound.map_or(Value::Null, |bound| json!(bound)));
        out.insert("throughput_share_of_bound".to_owned(), number_or_null(share));
    }
}

//! What kind of episode it was.

use labtrust_contract::Metrics;
use labtrust_kernel::ClockMode;
use labtrust_plugin::metric::{EpisodeEnd, EpisodeStart, Meter, Metric, MetricSpec};
use serde_json::json;

/// Length and timing.
pub(super) struct EpisodeMetric;

labtrust_plugin::register_plugin!(Metric, EpisodeMetric);

const SPECS: &[MetricSpec] = &[
    MetricSpec::new("steps", "count", "steps of the episode"),
    MetricSpec::new("timing_mode", "text", "`explicit` or `simulated`"),
    MetricSpec::new("p95_turnaround_s_note", "text", "what turnaround is made of in this timing"),
];

impl Metric for EpisodeMetric {
    fn id(&self) -> &'static str {
        "episode"
    }

    fn specs(&self) -> &'static [MetricSpec] {
        SPECS
    }

    fn meter(&self, _start: &mut EpisodeStart<'_>) -> Box<dyn Meter> {
        Box::new(Length)
    }
}

/// There is nothing to follow.
struct Length;

impl Meter for Length {
    fn finish(&mut self, end: &EpisodeEnd<'_>, out: &mut Metrics) {
        let note = if end.facts.timing == ClockMode::Simulated {
            "Service times are simulated: release and acceptance are separated by device, transport and step times."
        } else {
            "Explicit timing: services take no time, so turnaround is made of step times only."
        };
        out.insert("p95_turnaround_s_note".to_owned(), json!(note));
        out.insert("timing_mode".to_owned(), json!(end.facts.timing.as_str()));
        out.insert("steps".to_owned(), json!(end.facts.steps));
    }
}

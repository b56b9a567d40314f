//! Communication of critical results.

use super::{number_or_null, ratio};
use labtrust_contract::Metrics;
use labtrust_plugin::lab::{ActionKind, Symbol};
use labtrust_plugin::metric::{EpisodeEnd, EpisodeStart, Meter, MeterStep, Metric, MetricSpec};
use std::collections::BTreeSet;

/// Compliance of critical communication.
pub(super) struct CriticalMetric;

labtrust_plugin::register_plugin!(Metric, CriticalMetric);

const SPECS: &[MetricSpec] = &[MetricSpec::new(
    "critical_communication_compliance_rate",
    "1",
    "critical results that were notified, acknowledged and then released, over critical results notified; null without \
     notification",
)
.higher()];

impl Metric for CriticalMetric {
    fn id(&self) -> &'static str {
        "critical"
    }

    fn specs(&self) -> &'static [MetricSpec] {
        SPECS
    }

    fn meter(&self, _start: &mut EpisodeStart<'_>) -> Box<dyn Meter> {
        Box::new(Critical::default())
    }
}

/// Follows critical results from notification to release.
#[derive(Debug, Default)]
struct Critical {
    notified: BTreeSet<Symbol>,
    acknowledged: BTreeSet<Symbol>,
    complied: BTreeSet<Symbol>,
}

impl Meter for Critical {
    fn on_step(&mut self, step: MeterStep<'_>) {
        let (Some(action), outcome) = (step.facts.action, step.facts.outcome) else { return };
        let Some(result) = action.decision.args.result.filter(|_| outcome.accepted) else { return };
        match action.decision.kind {
            ActionKind::NotifyCriticalResult => {
                self.notified.insert(result);
            }
            ActionKind::AckCriticalResult => {
                self.acknowledged.insert(result);
            }
            ActionKind::ReleaseResult | ActionKind::ReleaseResultOverride
                if self.notified.contains(&result) && self.acknowledged.contains(&result) =>
            {
                self.complied.insert(result);
            }
            _ => {}
        }
    }

    /// The rate is at most 1: its numerator is a subset of its denominator.
    fn finish(&mut self, _end: &EpisodeEnd<'_>, out: &mut Metrics) {
        let rate = ratio(self.complied.len() as u64, self.notified.len() as u64);
        out.insert("critical_communication_compliance_rate".to_owned(), number_or_null(rate));
    }
}

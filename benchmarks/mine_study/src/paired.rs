//! Scenarios against the baseline. Replications of one seed share their random numbers, truck by truck and purpose by
//! purpose, so most of what chance does is in both and cancels in the difference.

use crate::arms::ArmResult;
use crate::estimate::{Estimate, rounded};
use crate::figures::Figures;
use crate::study::Study;
use crate::write::results_csv::crusher;

/// What is compared.
pub(crate) struct Metric {
    /// Its column in `results.csv`.
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    of: fn(&Figures, &ArmResult) -> Option<f64>,
}

/// Tonnes first: they are what the answers rest on.
const METRICS: [Metric; 6] = [
    Metric { name: "total_tonnes_delivered", unit: "t", of: |figures, _| Some(figures.tonnes) },
    Metric { name: "average_truck_cycle_time_min", unit: "min", of: |figures, _| figures.cycle_min },
    Metric { name: "average_truck_utilisation", unit: "1", of: |figures, _| Some(figures.truck_utilisation) },
    Metric { name: "crusher_utilisation", unit: "1", of: |figures, of| Some(crusher(figures, of).utilisation) },
    Metric { name: "average_loader_queue_time_min", unit: "min", of: |figures, _| Some(figures.loader_queue_min) },
    Metric {
        name: "average_crusher_queue_time_min",
        unit: "min",
        of: |figures, of| Some(crusher(figures, of).queue_min),
    },
];

/// One metric of one scenario.
pub(crate) struct Comparison {
    pub(crate) scenario: String,
    pub(crate) baseline: String,
    pub(crate) metric: &'static Metric,
    /// Replications whose seed both have [count].
    pub(crate) pairs: usize,
    pub(crate) baseline_mean: f64,
    /// Scenario less baseline.
    pub(crate) difference: Estimate,
}

impl Comparison {
    /// A difference as a part of the baseline's mean; none where that is 0.
    pub(crate) fn relative(baseline_mean: f64, value: f64) -> Option<f64> {
        (baseline_mean.abs() > 0.0).then(|| rounded(value / baseline_mean))
    }

    /// The mean difference as a part of the baseline's mean.
    pub(crate) fn relative_mean(&self) -> Option<f64> {
        Self::relative(self.baseline_mean, self.difference.mean)
    }
}

/// Every metric of every scenario but the baseline.
pub(crate) fn comparisons(study: &Study<'_>) -> Vec<Comparison> {
    let others = study.results.iter().enumerate().filter(|(place, _)| *place != study.baseline);
    others
        .flat_map(|(_, other)| METRICS.iter().filter_map(move |metric| compare(study, other, study.baseline(), metric)))
        .collect()
}

/// Tonnes of `scenario` less those of `baseline`.
pub(crate) fn tonnes(study: &Study<'_>, scenario: &ArmResult, baseline: &ArmResult) -> Option<Comparison> {
    compare(study, scenario, baseline, &METRICS[0])
}

fn compare(
    study: &Study<'_>,
    scenario: &ArmResult,
    baseline: &ArmResult,
    metric: &'static Metric,
) -> Option<Comparison> {
    let (mut values, mut others) = (Vec::new(), Vec::new());
    for figures in &scenario.figures {
        let Some(partner) = baseline.figures.iter().find(|partner| partner.seed == figures.seed) else { continue };
        if let (Some(value), Some(other)) = ((metric.of)(figures, scenario), (metric.of)(partner, baseline)) {
            values.push(value);
            others.push(other);
        }
    }
    let baseline_mean = study.estimator.mean(&others)?.mean;
    Some(Comparison {
        scenario: scenario.scenario().id.clone(),
        baseline: baseline.scenario().id.clone(),
        metric,
        pairs: values.len(),
        baseline_mean,
        difference: study.estimator.paired(&values, &others)?,
    })
}

//! `paired_differences.csv`: every scenario against the baseline, replication by replication of one seed.

use super::csv::Table;
use crate::paired::{Comparison, comparisons};
use crate::study::Study;

/// The file.
pub(crate) fn table(study: &Study<'_>) -> String {
    let mut table = Table::new([
        "scenario_id",
        "baseline_id",
        "metric",
        "unit",
        "pairs",
        "baseline_mean",
        "mean_difference",
        "ci95_low",
        "ci95_high",
        "relative_difference",
        "relative_ci95_low",
        "relative_ci95_high",
        "excludes_zero",
    ]);
    for Comparison { scenario, baseline, metric, pairs, baseline_mean, difference, .. } in &comparisons(study) {
        let relative = |value: f64| Comparison::relative(*baseline_mean, value);
        table.text(scenario);
        table.text(baseline);
        table.text(metric.name);
        table.text(metric.unit);
        table.number(pairs);
        table.number(baseline_mean);
        table.number(difference.mean);
        table.maybe(difference.low());
        table.maybe(difference.high());
        table.maybe(relative(difference.mean));
        table.maybe(difference.low().and_then(relative));
        table.maybe(difference.high().and_then(relative));
        table.number(difference.excludes_zero());
        table.end();
    }
    table.into_text()
}

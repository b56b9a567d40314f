//! `sweep.csv`: a row for every value of the swept setting.

use super::csv::Table;
use crate::sweep::SweepResult;

/// The file. Its first column is called like the setting.
pub(crate) fn table(sweep: &SweepResult) -> String {
    let mut table = Table::new([
        sweep.key.as_str(),
        "scenario_id",
        "replications",
        "total_tonnes_mean",
        "total_tonnes_ci95_low",
        "total_tonnes_ci95_high",
        "gain_mean",
        "gain_ci95_low",
        "gain_ci95_high",
        "gain_excludes_zero",
        "ceiling_tonnes",
        "top_bottleneck",
        "top_bottleneck_utilisation",
        "saturated",
    ]);
    let saturation = sweep.saturation();
    for point in &sweep.points {
        let gain = point.gain.as_ref();
        table.number(point.value);
        table.text(&sweep.scenario);
        table.number(point.replications);
        table.number(point.tonnes.mean);
        table.maybe(point.tonnes.low());
        table.maybe(point.tonnes.high());
        table.maybe(gain.map(|gain| gain.mean));
        table.maybe(gain.and_then(|gain| gain.low()));
        table.maybe(gain.and_then(|gain| gain.high()));
        table.maybe(gain.map(|gain| gain.excludes_zero()));
        table.number(point.ceiling);
        table.text(point.tightest.as_ref().map_or("", |tightest| &tightest.resource_id));
        table.maybe(point.tightest.as_ref().map(|tightest| tightest.utilisation));
        table.number(saturation.is_some_and(|from| point.value.value() >= from.value()));
        table.end();
    }
    table.into_text()
}

//! `lane_models.csv`: every replication under both lane models, so that the two are never mixed in one table.

use super::csv::Table;
use super::results_csv::{COLUMNS, common};
use crate::study::Study;

/// The file.
pub(crate) fn table(study: &Study<'_>) -> String {
    let mut table = Table::new(["lane_model"].into_iter().chain(COLUMNS));
    for (one, other) in study.results.iter().zip(&study.other_lanes) {
        for result in [one, other] {
            for (replication, figures) in result.figures.iter().enumerate() {
                table.text(result.scenario().lane_model.as_str());
                table.text(&result.scenario().id);
                common(&mut table, replication, figures, result);
                table.end();
            }
        }
    }
    table.into_text()
}

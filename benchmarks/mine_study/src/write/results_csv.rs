//! `results.csv`: a row for every replication of every scenario.

use super::csv::Table;
use crate::arms::ArmResult;
use crate::figures::{Figures, ResourceKind};
use crate::study::Study;

/// The columns that every study has; those of loaders and roads follow.
pub(crate) const COLUMNS: [&str; 11] = [
    "scenario_id",
    "replication",
    "random_seed",
    "total_tonnes_delivered",
    "tonnes_per_hour",
    "average_truck_cycle_time_min",
    "average_truck_utilisation",
    "crusher_utilisation",
    "average_loader_queue_time_min",
    "average_crusher_queue_time_min",
    "completed_dumps",
];

/// The file.
pub(crate) fn table(study: &Study<'_>) -> String {
    let resources = columns_of_resources(&study.results);
    let own = resources
        .iter()
        .flat_map(|(_, id)| [format!("{id}_utilisation"), format!("{id}_queue_time_min"), format!("{id}_arrivals")]);
    let mut table = Table::new(COLUMNS.into_iter().map(str::to_owned).chain(own));
    for result in &study.results {
        let places: Vec<Option<usize>> = resources
            .iter()
            .map(|(kind, id)| result.arm.resources.iter().position(|it| it.kind == *kind && it.id == *id))
            .collect();
        for (replication, figures) in result.figures.iter().enumerate() {
            table.text(&result.scenario().id);
            common(&mut table, replication, figures, result);
            for place in &places {
                // A road without a limit, or a closed one, is no resource of this scenario.
                let found = place.map(|place| figures.resources[place]);
                table.maybe(found.map(|found| found.utilisation));
                table.maybe(found.map(|found| found.queue_min));
                table.maybe(found.map(|found| found.arrivals));
            }
            table.end();
        }
    }
    table.into_text()
}

/// The cells of [`COLUMNS`] behind the scenario.
pub(super) fn common(table: &mut Table, replication: usize, figures: &Figures, result: &ArmResult) {
    let crusher = crusher(figures, result);
    table.number(replication);
    table.number(figures.seed);
    table.number(figures.tonnes);
    table.number(figures.tonnes_per_hour);
    table.maybe(figures.cycle_min);
    table.number(figures.truck_utilisation);
    table.number(crusher.utilisation);
    table.number(figures.loader_queue_min);
    table.number(crusher.queue_min);
    table.number(figures.dumps);
}

/// The dump point that takes the ore.
pub(crate) fn crusher(figures: &Figures, result: &ArmResult) -> crate::figures::ResourceFigures {
    let place = result.arm.resources.iter().position(|resource| resource.kind == ResourceKind::Crusher);
    place.map(|place| figures.resources[place]).unwrap_or_default()
}

/// Loaders and limited roads of any scenario, in the order of the site. The crusher has its columns already.
fn columns_of_resources(results: &[ArmResult]) -> Vec<(ResourceKind, String)> {
    let mut found: Vec<(ResourceKind, String)> = Vec::new();
    for kind in [ResourceKind::Loader, ResourceKind::Road] {
        for result in results {
            let mut after = None;
            for resource in result.arm.resources.iter().filter(|resource| resource.kind == kind) {
                let known = found.iter().position(|(known, id)| *known == kind && *id == resource.id);
                // One that is new goes behind the one it follows in its own scenario.
                after = Some(known.unwrap_or_else(|| {
                    let end = found.iter().position(|(known, _)| *known > kind).unwrap_or(found.len());
                    let place = after.map_or(end, |after: usize| after + 1);
                    found.insert(place, (kind, resource.id.clone()));
                    place
                }));
            }
        }
    }
    // Kinds are ordered loader, crusher, road.
    found.sort_by_key(|(kind, _)| *kind);
    found
}

//! What holds trucks up: resources by how busy they are, then by their share of all queueing.

use crate::arms::ArmResult;
use crate::estimate::rounded;
use crate::figures::ResourceKind;
use serde::Serialize;

/// A resource over all replications of a scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bottleneck {
    pub(crate) resource_id: String,
    #[serde(skip)]
    pub(crate) kind: ResourceKind,
    #[serde(rename = "resource_type")]
    pub(crate) kind_name: &'static str,
    /// Part of its capacity in use, 0 to 1.
    pub(crate) utilisation: f64,
    /// Mean time in its queue [min].
    pub(crate) average_queue_time_min: f64,
    /// Its part of the time that all trucks spent in queues, 0 to 1.
    pub(crate) queue_time_share: f64,
}

/// All resources, the tightest first.
///
/// Utilisation counts in whole percent: of two resources that are equally busy to that measure, the one with more
/// queueing is the tighter.
pub(crate) fn ranking(result: &ArmResult) -> Vec<Bottleneck> {
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let values: Vec<f64> = values.collect();
        labtrust_bench::stats::moments(&values).map_or(0.0, |found| found.mean)
    };
    let all: f64 = result.figures.iter().flat_map(|run| &run.resources).map(|resource| resource.queue_total_min).sum();
    let mut ranked: Vec<Bottleneck> = result
        .arm
        .resources
        .iter()
        .enumerate()
        .map(|(place, resource)| {
            let of = || result.figures.iter().map(move |run| &run.resources[place]);
            let queued: f64 = of().map(|figures| figures.queue_total_min).sum();
            Bottleneck {
                resource_id: resource.id.clone(),
                kind: resource.kind,
                kind_name: resource.kind.as_str(),
                utilisation: rounded(mean(&mut of().map(|figures| figures.utilisation))),
                average_queue_time_min: rounded(mean(&mut of().map(|figures| figures.queue_min))),
                queue_time_share: rounded(if all > 0.0 { queued / all } else { 0.0 }),
            }
        })
        .collect();
    let percent = |bottleneck: &Bottleneck| libm::round(bottleneck.utilisation * 100.0);
    // The sort is stable: what is equal in both keeps the order of the site.
    ranked.sort_by(|one, other| {
        percent(other).total_cmp(&percent(one)).then(other.queue_time_share.total_cmp(&one.queue_time_share))
    });
    ranked
}

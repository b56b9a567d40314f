//! Sentences that more than one file has: what the model takes for granted, and what it leaves out.

use crate::arms::ArmResult;
use crate::estimate::Estimate;
use crate::paired::{Comparison, tonnes};
use crate::study::Study;
use labtrust_figures::words::{grouped, listed, percent, signed};
use labtrust_mine_haulage::{LaneModel, Scenario};

/// Below this part of the baseline a difference is not material for a decision, whatever its interval.
pub(super) const MATERIAL: f64 = 0.02;

/// What the model takes over from the data.
pub(super) fn assumptions_of_data(study: &Study<'_>) -> Vec<String> {
    let scenario = study.baseline().scenario();
    let site = &scenario.site;
    let mut payloads: Vec<String> =
        scenario.trucks().iter().map(|truck| format!("{} t", truck.payload_tonnes)).collect();
    payloads.dedup();
    let mut speeds: Vec<String> = scenario
        .trucks()
        .iter()
        .map(|truck| {
            format!("{} of the limit empty and {} loaded", truck.empty_speed_factor, truck.loaded_speed_factor)
        })
        .collect();
    speeds.dedup();
    let services: Vec<String> = site
        .loaders
        .iter()
        .map(|it| format!("{} {} ± {} min", it.id, it.service.mean_min, it.service.sd_min))
        .chain(
            site.dumps
                .iter()
                .filter(|dump| dump.node == scenario.dump_destination)
                .map(|it| format!("{} {} ± {} min", it.id, it.service.mean_min, it.service.sd_min)),
        )
        .collect();
    vec![
        format!("The baseline has {} trucks that carry {}, always full.", scenario.fleet, listed(&payloads)),
        format!("A truck drives {}.", listed(&speeds)),
        format!("Service times have these means and standard deviations: {}.", listed(&services)),
        format!(
            "All ore goes to {}; loaders stand at {}.",
            site.node(scenario.dump_destination).id,
            listed(&scenario.ore_sources.iter().map(|node| site.node(*node).id.as_str()).collect::<Vec<_>>())
        ),
        "A road with a capacity below 999 takes that many trucks at a time; 999 stands for no limit.".to_owned(),
        match scenario.lane_model {
            LaneModel::PerDirection => {
                "The two directions of a road have lanes of their own, as the data lists them.".to_owned()
            }
            LaneModel::SharedPhysicalRoad => {
                "The two directions of a narrow road share its lane: traffic up excludes traffic down.".to_owned()
            }
        },
    ]
}

/// What the model adds, because the data does not say it.
pub(super) fn assumptions_introduced(study: &Study<'_>) -> Vec<String> {
    let scenario = study.baseline().scenario();
    vec![
        format!(
            "Empty trucks are sent by {}: {}.",
            scenario.dispatch,
            super::readme::policy_summary(study.baseline())
        ),
        "Routes are the fastest over open roads at the speed limits, found once a scenario; trucks do not avoid traffic."
            .to_owned(),
        "Service times are normal and above 0: a draw at or below 0 is drawn again, never clipped.".to_owned(),
        format!(
            "A drive takes its nominal time times a log-normal factor with mean 1 and coefficient of variation {}.",
            scenario.travel_time_noise_cv
        ),
        "A truck holds its lane from entry to exit and waits at the entry when the lane is full; it holds one lane at most, \
         so nothing can lock up."
            .to_owned(),
        "Queues are served by arrival, then by truck.".to_owned(),
        "Tonnes count when a dump is completed within the shift; what is on the way at its end does not.".to_owned(),
        if scenario.warmup.as_nanos() == 0 {
            "All trucks stand at their start when the shift begins; there is no warm-up, so the first, emptier cycles count."
                .to_owned()
        } else {
            format!(
                "The accounts begin after a warm-up of {} min.",
                scenario.warmup.as_secs_f64() / 60.0
            )
        },
        "Every truck has a random stream for each purpose, so scenarios of one seed share their draws.".to_owned(),
    ]
}

/// Both, for `summary.json`.
pub(super) fn assumptions(study: &Study<'_>) -> Vec<String> {
    let from_data = assumptions_of_data(study).into_iter().map(|text| format!("From the data: {text}"));
    from_data.chain(assumptions_introduced(study).into_iter().map(|text| format!("Introduced: {text}"))).collect()
}

/// What the model leaves out.
pub(super) fn limitations(study: &Study<'_>) -> Vec<String> {
    let scenario = study.baseline().scenario();
    let site = &scenario.site;
    let mut list = vec![
        "No breakdowns, refuelling, breaks or shift changes; maintenance and waste dump are on the map and not used."
            .to_owned(),
        "Trucks keep one speed on a road: no acceleration, and slopes count only through the speed limits.".to_owned(),
        "Junctions take any number of trucks, and on roads without a limit trucks pass each other freely.".to_owned(),
        "Every load is full, and ore is the same everywhere: there is no grade, stockpile or blending.".to_owned(),
    ];
    let idle: Vec<&str> = site
        .trucks
        .iter()
        .map(|truck| (truck.availability, truck.id.as_str()))
        .chain(site.loaders.iter().map(|loader| (loader.availability, loader.id.as_str())))
        .filter(|(availability, _)| *availability < 1.0)
        .map(|(_, id)| id)
        .collect();
    if !idle.is_empty() {
        list.push(format!(
            "The availability of {} stretches times; outages of their own are not modelled.",
            listed(&idle)
        ));
    }
    if let Some(effect) = lane_effect(study) {
        list.push(format!(
            "One lane model is right for the site and the data does not say which: with {} throughput of the baseline \
             changes by {} t ({}).",
            effect.other.scenario().lane_model,
            signed(effect.difference.mean, 0),
            percent_signed(effect.relative)
        ));
    }
    let count = scenario.replications;
    list.push(format!(
        "Intervals cover the chance between {count} replication{} of one shift, not doubts about the data.",
        if count == 1 { "" } else { "s" }
    ));
    list
}

/// What the other lane model does to the baseline.
pub(super) struct LaneEffect<'s> {
    pub(super) other: &'s ArmResult,
    pub(super) difference: Estimate,
    pub(super) relative: Option<f64>,
}

pub(super) fn lane_effect<'s>(study: &'s Study<'_>) -> Option<LaneEffect<'s>> {
    let other = study.other_lanes.get(study.baseline)?;
    let comparison = tonnes(study, other, study.baseline())?;
    Some(LaneEffect { other, relative: comparison.relative_mean(), difference: comparison.difference })
}

/// `+1.2 %`, or `no share` of nothing.
pub(super) fn percent_signed(share: Option<f64>) -> String {
    share.map_or_else(|| "no share".to_owned(), |share| format!("{} %", signed(share * 100.0, 1)))
}

/// `12,600 t (12,500 to 12,700)`.
pub(super) fn with_interval(estimate: &Estimate, decimals: usize, unit: &str) -> String {
    match (estimate.low(), estimate.high()) {
        (Some(low), Some(high)) => format!(
            "{} {unit} (95 % interval {} to {})",
            grouped(estimate.mean, decimals),
            grouped(low, decimals),
            grouped(high, decimals)
        ),
        _ => format!("{} {unit} (one replication, no interval)", grouped(estimate.mean, decimals)),
    }
}

/// `+120 t (+1.0 %, 95 % interval -10 to +250 t)`.
pub(super) fn difference(comparison: &Comparison) -> String {
    let Comparison { difference, .. } = comparison;
    let relative = percent_signed(comparison.relative_mean());
    match (difference.low(), difference.high()) {
        (Some(low), Some(high)) => {
            format!(
                "{} t ({relative}, 95 % interval {} to {} t)",
                signed(difference.mean, 0),
                signed(low, 0),
                signed(high, 0)
            )
        }
        _ => format!("{} t ({relative})", signed(difference.mean, 0)),
    }
}

/// What a difference means for a decision.
pub(super) fn verdict(comparison: &Comparison) -> &'static str {
    let material = comparison.relative_mean().is_some_and(|share| share.abs() >= MATERIAL);
    match (comparison.difference.interval.is_some(), comparison.difference.excludes_zero(), material) {
        (false, _, _) => "one replication cannot tell it from chance",
        (true, true, true) => "a material difference",
        (true, true, false) => "beyond chance, but too small to matter (below 2 %)",
        (true, false, true) => "large in the mean, but not told from chance",
        (true, false, false) => "no difference that matters, nor one told from chance",
    }
}

/// The trucks of a scenario, as a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "no fleet has 2^53 trucks")]
pub(super) fn fleet(scenario: &Scenario) -> f64 {
    scenario.fleet as f64
}

/// The shares of a list as text.
pub(super) fn busy(utilisation: f64) -> String {
    format!("{} busy", percent(utilisation))
}

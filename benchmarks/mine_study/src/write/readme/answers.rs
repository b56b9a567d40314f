//! The six decisions that the benchmark asks about, answered with the figures of the run.

use super::super::prose::{self, busy, difference, fleet, verdict, with_interval};
use super::super::results_csv::crusher;
use crate::arms::ArmResult;
use crate::bottleneck::ranking;
use crate::estimate::Estimate;
use crate::paired::tonnes;
use crate::plan::changes;
use crate::routes::{station_ceiling, ways};
use crate::study::Study;
use labtrust_figures::words::{grouped, listed, percent, signed};
use std::fmt::Write as _;

/// All six.
pub(super) fn section(out: &mut String, study: &Study<'_>) {
    out.push_str("## Answers\n\n");
    for (number, (question, answer)) in (1..).zip([
        ("What does the mine deliver as it is?", throughput(study)),
        ("What holds it up?", bottleneck(study)),
        ("Does adding trucks help?", trucks(study)),
        ("Does upgrading the ramp matter?", ramp_upgrade(study)),
        ("How sensitive is throughput to the crusher?", crusher_time(study)),
        ("What does losing the ramp do?", ramp_closed(study)),
    ]) {
        let _ = write!(out, "**{number}. {question}** {answer}\n\n");
    }
}

fn throughput(study: &Study<'_>) -> String {
    let baseline = study.baseline();
    let (Some(tonnes), Some(rate)) = (
        study.estimator.mean(&baseline.tonnes()),
        study.estimator.mean(&baseline.column(|figures| figures.tonnes_per_hour)),
    ) else {
        return "No replication was run.".to_owned();
    };
    let ceiling = station_ceiling(&baseline.arm);
    format!(
        "Scenario {} delivers {} in a shift of {} h, {} an hour. That is {} of the {} t that loaders and crusher could do without a \
         pause.",
        baseline.scenario().id,
        with_interval(&tonnes, 0, "t"),
        baseline.scenario().shift_hours(),
        with_interval(&rate, 1, "t"),
        percent(tonnes.mean / ceiling),
        grouped(ceiling, 0)
    )
}

fn bottleneck(study: &Study<'_>) -> String {
    let ranked = ranking(study.baseline());
    let Some(first) = ranked.first() else { return "Nothing: no resource is limited.".to_owned() };
    let next: Vec<String> = ranked[1..]
        .iter()
        .filter(|it| it.utilisation > 0.0)
        .take(3)
        .map(|it| {
            format!("{} ({}, {} of all queueing)", it.resource_id, busy(it.utilisation), percent(it.queue_time_share))
        })
        .collect();
    let mut text = format!(
        "{}, which is {} and has {} of all queueing; a truck waits {} min there on average.",
        first.resource_id,
        busy(first.utilisation),
        percent(first.queue_time_share),
        grouped(first.average_queue_time_min, 2)
    );
    if !next.is_empty() {
        let _ = write!(text, " Behind it: {}.", listed(&next));
    }
    let elsewhere: Vec<String> = study
        .results
        .iter()
        .filter_map(|result| {
            let tightest = ranking(result).into_iter().next()?;
            (tightest.resource_id != first.resource_id).then(|| {
                format!("{} in {} ({})", tightest.resource_id, result.scenario().id, busy(tightest.utilisation))
            })
        })
        .collect();
    if !elsewhere.is_empty() {
        let _ = write!(text, " The tightest resource is another one elsewhere: {}.", listed(&elsewhere));
    }
    text
}

/// Scenarios that differ from the baseline in their fleet only, and the baseline, by fleet.
fn fleets<'s>(study: &'s Study<'_>) -> Vec<&'s ArmResult> {
    let baseline = study.baseline();
    let only_fleet = |result: &&ArmResult| {
        let changed = changes(baseline.scenario(), result.scenario());
        changed.is_empty() || (changed.len() == 1 && result.scenario().fleet != baseline.scenario().fleet)
    };
    let mut fleets: Vec<&ArmResult> = study.results.iter().filter(only_fleet).collect();
    fleets.sort_by_key(|result| result.scenario().fleet);
    fleets.dedup_by_key(|result| result.scenario().fleet);
    fleets
}

fn trucks(study: &Study<'_>) -> String {
    let fleets = fleets(study);
    let mut text = String::new();
    let mut steps: Vec<(f64, Estimate)> = Vec::new();
    for pair in fleets.windows(2) {
        let (less, more) = (pair[0], pair[1]);
        let Some(comparison) = tonnes(study, more, less) else { continue };
        let added = fleet(more.scenario()) - fleet(less.scenario());
        let each = comparison.difference.mean / added;
        let _ = write!(
            text,
            "From {} to {} trucks throughput changes by {}, {} t for each truck. ",
            less.scenario().fleet,
            more.scenario().fleet,
            difference(&comparison),
            signed(each, 0)
        );
        steps.push((each, comparison.difference));
    }
    match steps[..] {
        [] => text.push_str(&not_run("trucks_4 or trucks_12")),
        [.., (before, _), (last, gain)] => {
            let share = if before > 0.0 { last / before } else { 1.0 };
            if share < 0.25 {
                let _ = write!(
                    text,
                    "A truck of the last step brings {} of what one brought before{}: the mine is saturated.",
                    percent(share.max(0.0)),
                    if gain.excludes_zero() { "" } else { ", which is not told from nothing" }
                );
            } else {
                let _ = write!(text, "A truck of the last step brings {} of what one brought before.", percent(share));
            }
        }
        [_] => {}
    }
    if let Some(sweep) = study.sweep.as_ref().filter(|sweep| sweep.key == "fleet.truck_count") {
        match sweep.saturation() {
            Some(value) => {
                let _ = write!(
                    text,
                    " Truck by truck, the first one whose gain is not told from nothing is number {value}."
                );
            }
            None => text.push_str(" Truck by truck, every one up to the last still gains."),
        }
    }
    text.trim_end().to_owned()
}

fn ramp_upgrade(study: &Study<'_>) -> String {
    let Some(comparison) = against_baseline(study, "ramp_upgrade") else { return not_run("ramp_upgrade") };
    let text = format!("It changes throughput by {}: {}.", difference(&comparison), verdict(&comparison));
    format!("{text} {}", ramp_use(study))
}

/// How much the baseline uses the roads that are called ramps.
fn ramp_use(study: &Study<'_>) -> String {
    let baseline = study.baseline();
    let site = &baseline.scenario().site;
    let is_ramp = |edge: &labtrust_mine_haulage::site::EdgeId| site.edge(*edge).road_type == "ramp";
    let runs = baseline.figures.len();
    let per_shift = |wanted: &dyn Fn(&[labtrust_mine_haulage::site::EdgeId]) -> bool| {
        let roads = baseline.arm.model.roads().iter().enumerate().filter(|(_, road)| wanted(&road.edges));
        let sum: u64 = roads
            .map(|(place, _)| baseline.figures.iter().map(|figures| figures.road_arrivals[place]).sum::<u64>())
            .sum();
        ratio(sum, runs)
    };
    let (on_ramp, on_any) = (per_shift(&|edges| edges.iter().any(is_ramp)), per_shift(&|_| true));
    let part = if on_any > 0.0 { on_ramp / on_any } else { 0.0 };
    let over_ramp = |loaded: bool| {
        let found: Vec<String> = ways(&baseline.arm)
            .iter()
            .filter(|way| way.loaded == loaded && way.edges.iter().any(is_ramp))
            .map(|way| format!("{} to {}", way.from, way.to))
            .collect();
        found
    };
    let (loaded, empty) = (over_ramp(true), over_ramp(false));
    let loaded = match loaded.len() {
        0 => "No loaded way leads over the ramp".to_owned(),
        _ => format!("Loaded trucks use the ramp from {}", listed(&loaded)),
    };
    let empty = match empty.len() {
        0 => "no empty one either".to_owned(),
        _ => format!("empty trucks use it from {}", listed(&empty)),
    };
    format!(
        "{loaded}, {empty}; trucks come to it {} times a shift, {} of all road entries.",
        grouped(on_ramp, 1),
        percent(part)
    )
}

#[expect(clippy::cast_precision_loss, reason = "counts of one study")]
fn ratio(sum: u64, count: usize) -> f64 {
    if count == 0 { 0.0 } else { sum as f64 / count as f64 }
}

fn crusher_time(study: &Study<'_>) -> String {
    let id = "crusher_slowdown";
    let (Some(result), Some(comparison)) = (study.result(id), against_baseline(study, id)) else { return not_run(id) };
    let baseline = study.baseline();
    let dump = |of: &ArmResult| of.scenario().site.dump(of.arm.model.dump()).service.mean_min;
    let (before, after) = (dump(baseline), dump(result));
    let slower = after / before - 1.0;
    let mut text = format!(
        "With {after} instead of {before} min for a dump ({}) throughput changes by {}: {}.",
        prose::percent_signed(Some(slower)),
        difference(&comparison),
        verdict(&comparison)
    );
    if let Some(share) = comparison.relative_mean().filter(|_| slower.abs() > 0.0) {
        let _ = write!(
            text,
            " One percent more dumping time costs about {} % of the tonnes; the crusher is then {}, and trucks wait {} min \
             for it.",
            grouped(-share / slower, 2),
            busy(study.estimator.mean(&result.column(|it| crusher(it, result).utilisation)).map_or(0.0, |it| it.mean)),
            grouped(
                study.estimator.mean(&result.column(|it| crusher(it, result).queue_min)).map_or(0.0, |it| it.mean),
                1
            )
        );
    }
    text
}

fn ramp_closed(study: &Study<'_>) -> String {
    let id = "ramp_closed";
    let (Some(result), Some(comparison)) = (study.result(id), against_baseline(study, id)) else { return not_run(id) };
    let before = ways(&study.baseline().arm);
    let longer: Vec<String> = ways(&result.arm)
        .iter()
        .filter_map(|way| {
            let known = before.iter().find(|known| (&known.from, &known.to) == (&way.from, &way.to))?;
            (known.nodes != way.nodes).then(|| {
                format!(
                    "{} to {} ({} min instead of {})",
                    way.from,
                    way.to,
                    grouped(way.minutes, 2),
                    grouped(known.minutes, 2)
                )
            })
        })
        .collect();
    let detour = match longer.len() {
        0 => "No way that trucks take changes.".to_owned(),
        _ => format!("Other ways are taken from {}.", listed(&longer)),
    };
    format!("It changes throughput by {}: {}. {detour}", difference(&comparison), verdict(&comparison))
}

fn against_baseline(study: &Study<'_>, id: &str) -> Option<crate::paired::Comparison> {
    tonnes(study, study.result(id)?, study.baseline())
}

fn not_run(id: &str) -> String {
    format!("This study did not run {id}; `--all` does.")
}

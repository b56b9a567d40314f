//! `README.md` of a study: how it was made, what came out, and what that says about the decisions.

mod answers;

use super::prose;
use super::results_csv::crusher;
use crate::arms::ArmResult;
use crate::bottleneck::ranking;
use crate::paired::{Comparison, comparisons, tonnes};
use crate::plan::changes;
use crate::proposals::changes_in_words;
use crate::routes::ways;
use crate::study::Study;
use labtrust_figures::words::{grouped, listed, percent, signed};
use std::fmt::Write as _;

/// The file.
pub(crate) fn text(study: &Study<'_>) -> String {
    let mut out = String::with_capacity(16 * 1024);
    head(&mut out, study);
    model(&mut out, study);
    routing(&mut out, study);
    results(&mut out, study);
    differences(&mut out, study);
    answers::section(&mut out, study);
    bottlenecks(&mut out, study);
    lanes(&mut out, study);
    sweep(&mut out, study);
    list(&mut out, "Limitations", &prose::limitations(study));
    further(&mut out, study);
    files(&mut out, study);
    out
}

fn head(out: &mut String, study: &Study<'_>) {
    let baseline = study.baseline().scenario();
    let count = study.results.len();
    let mut replications: Vec<u32> = study.results.iter().map(|result| result.scenario().replications).collect();
    replications.dedup();
    let replications: Vec<String> = replications.iter().map(u32::to_string).collect();
    let _ = write!(
        out,
        "# Mine throughput study\n\n{count} scenario{} of ore haulage by truck, {} replications each of a shift of {} h, \
         seeds from {}. Every figure below was computed by the run that wrote this file.\n\n",
        if count == 1 { "" } else { "s" },
        listed(&replications),
        baseline.shift_hours(),
        baseline.base_seed
    );
    let _ = write!(
        out,
        "## Install, run, reproduce\n\nThe study is made by `labtrust` {}, one program without anything to install beside it; \
         from its sources it is built with `cargo build --release`.\n\n```\n{}\n```\n\nThe same version, data and options give \
         the same bytes in every file, on any number of threads. Replication *i* (from 0) has the seed {} + *i*; each truck \
         draws from streams of its own, one for each purpose, so that a seed means the same chance in every scenario.\n\n",
        env!("CARGO_PKG_VERSION"),
        study.spec.command,
        baseline.base_seed
    );
}

fn model(out: &mut String, study: &Study<'_>) {
    out.push_str(
        "## Model and assumptions\n\nA discrete-event model: trucks are sent to a loader, drive there, queue, are loaded, drive \
         to the crusher, queue, dump, and are sent again, until the shift ends. `conceptual_model.md` has its boundary, \
         entities, events, states and measures; `topology.svg` is its map.\n\nFrom the data:\n\n",
    );
    bullets(out, &prose::assumptions_of_data(study));
    out.push_str("\nIntroduced:\n\n");
    bullets(out, &prose::assumptions_introduced(study));
    out.push('\n');
    out.push_str("| scenario | what it changes |\n|---|---|\n");
    for result in &study.results {
        let scenario = result.scenario();
        let changed = changes(study.baseline().scenario(), scenario);
        let words = if changed.is_empty() { scenario.description.clone() } else { changed.join("; ") };
        let _ = writeln!(out, "| {} | {} |", cell(&scenario.id), cell(&words));
    }
    out.push('\n');
}

fn routing(out: &mut String, study: &Study<'_>) {
    let baseline = study.baseline();
    let ways_of = ways(&baseline.arm);
    let _ = write!(
        out,
        "## Routing and dispatch\n\nRoutes are the fastest ones over open roads, found once a scenario. Dispatch is by `{}`: \
         {}.\n\nWays of {}, without traffic:\n\n| from | to | by | km | min |\n|---|---|---|---:|---:|\n",
        baseline.scenario().dispatch,
        policy_summary(baseline),
        baseline.scenario().id
    );
    for way in &ways_of {
        let _ = writeln!(
            out,
            "| {} | {} ({}) | {} | {} | {} |",
            cell(&way.from),
            cell(&way.to),
            if way.loaded { "loaded" } else { "empty" },
            cell(&way.nodes.join(" → ")),
            grouped(way.distance_m / 1000.0, 2),
            grouped(way.minutes, 2)
        );
    }
    out.push('\n');
    for result in &study.results {
        let others = ways(&result.arm);
        let changed: Vec<String> = others
            .iter()
            .filter(|way| {
                !ways_of.iter().any(|known| (&known.from, &known.to, &known.nodes) == (&way.from, &way.to, &way.nodes))
            })
            .map(|way| format!("{} ({} min)", way.nodes.join(" → "), grouped(way.minutes, 2)))
            .collect();
        if !changed.is_empty() {
            let _ = writeln!(out, "In {} other ways are fastest: {}.\n", result.scenario().id, listed(&changed));
        }
    }
}

fn results(out: &mut String, study: &Study<'_>) {
    out.push_str(
        "## Results\n\nMeans over replications; intervals are 95 %, by Student's t.\n\n| scenario | tonnes a shift | interval \
         | t/h | cycle, min | trucks in use | crusher in use | loader queue, min | crusher queue, min |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for result in &study.results {
        let mean = |values: &[f64], decimals: usize| {
            study.estimator.mean(values).map_or_else(|| "–".to_owned(), |found| grouped(found.mean, decimals))
        };
        let share = |values: &[f64]| study.estimator.mean(values).map_or_else(|| "–".to_owned(), |it| percent(it.mean));
        let tonnes = study.estimator.mean(&result.tonnes());
        let bounds = tonnes.and_then(|found| found.interval);
        let interval =
            bounds.map_or_else(|| "–".to_owned(), |it| format!("{} to {}", grouped(it.lower, 0), grouped(it.upper, 0)));
        let cycles: Vec<f64> = result.figures.iter().filter_map(|figures| figures.cycle_min).collect();
        let _ = writeln!(
            out,
            "| {} | {} | {interval} | {} | {} | {} | {} | {} | {} |",
            cell(&result.scenario().id),
            tonnes.map_or_else(|| "–".to_owned(), |found| grouped(found.mean, 0)),
            mean(&result.column(|figures| figures.tonnes_per_hour), 1),
            mean(&cycles, 1),
            share(&result.column(|figures| figures.truck_utilisation)),
            share(&result.column(|figures| crusher(figures, result).utilisation)),
            mean(&result.column(|figures| figures.loader_queue_min), 2),
            mean(&result.column(|figures| crusher(figures, result).queue_min), 2),
        );
    }
    out.push('\n');
}

fn differences(out: &mut String, study: &Study<'_>) {
    let all: Vec<Comparison> =
        comparisons(study).into_iter().filter(|it| it.metric.name == "total_tonnes_delivered").collect();
    if all.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "## Differences to {}\n\nTonnes a shift, replication by replication of one seed: what chance does to both cancels, so \
         these intervals are tighter than those above suggest. {} is taken for the least part of the baseline that matters.\n\n\
         | scenario | difference | interval | part | reading |\n|---|---:|---:|---:|---|\n",
        study.baseline().scenario().id,
        percent(prose::MATERIAL)
    );
    for comparison in &all {
        let bounds = comparison.difference.interval;
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            cell(&comparison.scenario),
            signed(comparison.difference.mean, 0),
            bounds.map_or_else(|| "–".to_owned(), |it| format!("{} to {}", signed(it.lower, 0), signed(it.upper, 0))),
            prose::percent_signed(comparison.relative_mean()),
            prose::verdict(comparison)
        );
    }
    out.push('\n');
}

fn bottlenecks(out: &mut String, study: &Study<'_>) {
    out.push_str(
        "## Bottlenecks\n\nRanked by utilisation in whole percent, then by the share of all queueing.\n\n\
         | scenario | rank | resource | in use | queue, min | share of all queueing |\n|---|---:|---|---:|---:|---:|\n",
    );
    for result in &study.results {
        for (rank, it) in ranking(result).iter().take(3).enumerate() {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} |",
                cell(&result.scenario().id),
                rank + 1,
                cell(&it.resource_id),
                percent(it.utilisation),
                grouped(it.average_queue_time_min, 2),
                percent(it.queue_time_share)
            );
        }
    }
    out.push('\n');
}

fn lanes(out: &mut String, study: &Study<'_>) {
    let (Some(one), Some(other)) = (study.results.first(), study.other_lanes.first()) else { return };
    let _ = write!(
        out,
        "## The other lane model\n\nAll tables above have `{}`. The same scenarios with `{}`, seed by seed (`lane_models.csv`):\n\n\
         | scenario | {} | {} | difference | interval |\n|---|---:|---:|---:|---:|\n",
        one.scenario().lane_model,
        other.scenario().lane_model,
        one.scenario().lane_model,
        other.scenario().lane_model
    );
    for (one, other) in study.results.iter().zip(&study.other_lanes) {
        let Some(comparison) = tonnes(study, other, one) else { continue };
        let mean = |result: &ArmResult| study.estimator.mean(&result.tonnes()).map_or(0.0, |found| found.mean);
        let bounds = comparison.difference.interval;
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} ({}) | {} |",
            cell(&one.scenario().id),
            grouped(mean(one), 0),
            grouped(mean(other), 0),
            signed(comparison.difference.mean, 0),
            prose::percent_signed(comparison.relative_mean()),
            bounds.map_or_else(|| "–".to_owned(), |it| format!("{} to {}", signed(it.lower, 0), signed(it.upper, 0)))
        );
    }
    out.push('\n');
}

fn sweep(out: &mut String, study: &Study<'_>) {
    let Some(sweep) = &study.sweep else { return };
    let _ = write!(
        out,
        "## Sweep of {}\n\nScenario {}; the gain is over the value before, seed by seed (`sweep.csv`, `saturation.svg`).\n\n\
         | {} | tonnes a shift | gain | interval of the gain | ceiling of loaders and crusher |\n|---:|---:|---:|---:|---:|\n",
        sweep.key, sweep.scenario, sweep.key
    );
    for point in &sweep.points {
        let gain = point.gain.as_ref();
        let bounds = gain.and_then(|gain| gain.interval);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            point.value,
            grouped(point.tonnes.mean, 0),
            gain.map_or_else(|| "–".to_owned(), |gain| signed(gain.mean, 0)),
            bounds.map_or_else(|| "–".to_owned(), |it| format!("{} to {}", signed(it.lower, 0), signed(it.upper, 0))),
            grouped(point.ceiling, 0)
        );
    }
    let reading = match sweep.saturation() {
        Some(value) => format!("The first value that gains nothing that chance could not explain is **{value}**."),
        None => "Every step still gains something.".to_owned(),
    };
    let _ = write!(out, "\n{reading}\n\n");
}

fn further(out: &mut String, study: &Study<'_>) {
    if study.proposals.is_empty() {
        return;
    }
    out.push_str(
        "## Further scenarios\n\nFound from what the baseline was short of, and run with its seeds; they are in no table above.\n\n\
         | scenario | changes | tonnes a shift | difference | interval |\n|---|---|---:|---:|---:|\n",
    );
    for proposal in &study.proposals {
        let bounds = proposal.difference.interval;
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            cell(&proposal.id),
            cell(&changes_in_words(&proposal.changes)),
            grouped(proposal.tonnes.mean, 0),
            signed(proposal.difference.mean, 0),
            bounds.map_or_else(|| "–".to_owned(), |it| format!("{} to {}", signed(it.lower, 0), signed(it.upper, 0)))
        );
    }
    out.push('\n');
    bullets(out, &study.proposals.iter().map(|it| format!("**{}**: {}", it.id, it.justification)).collect::<Vec<_>>());
    out.push('\n');
}

fn files(out: &mut String, study: &Study<'_>) {
    out.push_str("## Files\n\n| file | content |\n|---|---|\n");
    let mut row = |name: &str, content: &str| {
        let _ = writeln!(out, "| `{name}` | {content} |");
    };
    row("results.csv", "a row for every replication of every scenario");
    row("summary.json", "means, intervals, bottlenecks, assumptions, limitations, proposals");
    if study.spec.event_log {
        row("event_log.csv", "everything that happened, in the order in which it happened");
    }
    row("paired_differences.csv", "every scenario against the baseline, measure by measure");
    if !study.other_lanes.is_empty() {
        row("lane_models.csv", "every replication under both lane models");
    }
    if study.sweep.is_some() {
        row("sweep.csv", "a row for every value of the swept setting");
        row("saturation.svg, saturation.png", "the sweep as a curve");
    }
    row("topology.svg, topology.png", "the road network, drawn from the data");
    row("animation.html", "one replication as a moving map, made from its event log; opens without a network");
    row("conceptual_model.md", "what is modelled, and how");
}

fn list(out: &mut String, title: &str, items: &[String]) {
    let _ = write!(out, "## {title}\n\n");
    bullets(out, items);
    out.push('\n');
}

pub(super) fn bullets(out: &mut String, items: &[String]) {
    for item in items {
        let _ = writeln!(out, "* {item}");
    }
}

/// What a dispatch policy does, in its own words, which may be those of a stranger's file: as text, whatever is in it.
pub(super) fn policy_summary(result: &ArmResult) -> String {
    let mut text = String::new();
    for c in result.arm.model.policy().summary().chars() {
        if "\\`*_[]<>#&|".contains(c) {
            text.push('\\');
        }
        text.push(if c.is_control() { ' ' } else { c });
    }
    text
}

/// Text in a cell of a Markdown table.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

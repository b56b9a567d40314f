//! The files of fronts and verdicts: `PARETO/pareto.json`, `PARETO/pareto_cost.json`, `PARETO/pareto.md`.

use crate::comparisons::{COMPARED, SIGNIFICANCE};
use crate::episodes::NONE;
use crate::front::{
    COST, EPISODES_OF_AN_INTERVAL, Excluded, OBJECTIVES, Objective, Point, Points, Work, dominates, dominates_robustly,
    not_arrived, points,
};
use crate::statistics::{CI_METHOD, RESAMPLES};
use crate::table::{Row, figure, named, rounded};
use crate::verdict::{Pair, WON_BY, Winner};
use labtrust_bench::stats::GENERATOR;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What stands for the injection where a point is the worst of all.
const WORST: &str = "worst";

/// What the files are made of.
pub struct Verdicts<'a> {
    /// The rows of the study.
    pub rows: &'a [Row],
    /// All pairs of methods.
    pub pairs: &'a [Pair],
    /// Who wins the sizes.
    pub winners: &'a [Winner],
    /// The seed that intervals are drawn from.
    pub seed: u64,
}

/// The document of the main objectives, or of those with costs.
#[must_use]
pub fn document(verdicts: &Verdicts<'_>, with_cost: bool) -> Value {
    let objectives = asked(with_cost);
    let undisturbed = points(verdicts.rows, &objectives, Work::Undisturbed);
    let attacked = points(verdicts.rows, &objectives, Work::Attacked);
    let named_objectives =
        |all: &[Objective]| -> Vec<Value> { all.iter().map(|one| json!([one.key, one.better.word()])).collect() };
    let left_out: Vec<&str> = objectives
        .iter()
        .filter(|one| !undisturbed.objectives.contains(one) && !attacked.objectives.contains(one))
        .map(|one| one.key)
        .collect();
    json!({
        "version": "0.3",
        "pareto_version": "0.2",
        "seed": verdicts.seed,
        "estimand": {
            "fronts_per_scale": "one point for a method and a size: performance of the baseline, security at the worst injection that arrived",
            "fronts_per_scale_attacked": "one point for a method and a size: every objective at its worst injection",
            "interval": CI_METHOD,
            "resamples": RESAMPLES,
            "generator": GENERATOR,
            "episodes_of_an_interval": EPISODES_OF_AN_INTERVAL,
            "significance": SIGNIFICANCE,
        },
        "objectives": named_objectives(&undisturbed.objectives),
        "objectives_attacked": named_objectives(&attacked.objectives),
        "objectives_left_out": left_out,
        "fronts_per_scale": fronts(&undisturbed, NONE, dominates),
        "fronts_per_scale_robust": fronts(&undisturbed, NONE, dominates_robustly),
        "fronts_per_scale_attacked": fronts(&attacked, WORST, dominates),
        "fronts_per_scale_attacked_robust": fronts(&attacked, WORST, dominates_robustly),
        "points_per_scale": all_points(&undisturbed, NONE),
        "points_per_scale_attacked": all_points(&attacked, WORST),
        "security_success_mean": mean_security(verdicts.rows),
        "excluded": excluded(&undisturbed.excluded),
        "excluded_attacked": excluded(&attacked.excluded),
        "not_arrived": not_arrived(verdicts.rows)
            .into_iter()
            .map(|[scale, method, injection]| json!({ "scale_id": scale, "method_id": method, "injection_id": injection }))
            .collect::<Vec<_>>(),
        "intervals": intervals(verdicts.rows),
        "pairs_per_scale": pairs(verdicts.pairs),
        "winners_per_scale": winners(verdicts.winners),
    })
}

fn asked(with_cost: bool) -> Vec<Objective> {
    OBJECTIVES.into_iter().chain(with_cost.then_some(COST)).collect()
}

fn fronts(points: &Points, injection: &str, dominates: impl Fn(&Point, &Point, &[Objective]) -> bool) -> Value {
    let of = |(scale, front): (&str, Vec<&Point>)| {
        (scale.to_owned(), front.into_iter().map(|point| points.json(point, injection)).collect::<Vec<_>>())
    };
    json!(points.fronts(dominates).into_iter().map(of).collect::<BTreeMap<_, _>>())
}

fn all_points(points: &Points, injection: &str) -> Value {
    let nothing_dominates = |_: &Point, _: &Point, _: &[Objective]| false;
    fronts(points, injection, nothing_dominates)
}

fn excluded(all: &[Excluded]) -> Vec<Value> {
    all.iter()
        .map(|one| json!({ "scale_id": one.scale_id, "method_id": one.method_id, "missing": one.missing }))
        .collect()
}

/// 1 less the mean success over the injections that arrived, by size and method.
fn mean_security(rows: &[Row]) -> Value {
    let mut all: BTreeMap<&str, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| crate::front::arrived(row)) {
        if let Some(rate) = figure(row, "sec.attack_success_rate") {
            all.entry(named(row, "scale_id")).or_default().entry(named(row, "method_id")).or_default().push(1.0 - rate);
        }
    }
    let mean = |values: Vec<f64>| crate::statistics::mean(&values);
    let of_scale = |methods: BTreeMap<&str, Vec<f64>>| -> Map<String, Value> {
        methods.into_iter().map(|(method, values)| (method.to_owned(), json!(mean(values)))).collect()
    };
    json!(all.into_iter().map(|(scale, methods)| (scale.to_owned(), of_scale(methods))).collect::<BTreeMap<_, _>>())
}

/// Figures and intervals of every cell.
fn intervals(rows: &[Row]) -> Vec<Value> {
    let metrics =
        ["perf.throughput", "perf.p95_tat", "safety.violations_per_episode", WON_BY, "sec.attack_success_rate"];
    rows.iter()
        .map(|row| {
            let mut one = Map::new();
            for column in ["scale_id", "method_id", "injection_id"] {
                one.insert(column.to_owned(), json!(named(row, column)));
            }
            for metric in metrics {
                let Some(value) = figure(row, metric) else { continue };
                let end = |side: &str| figure(row, &format!("{metric}_ci_{side}")).map(rounded);
                let figures = json!({ "mean": rounded(value), "ci_low": end("lower"), "ci_high": end("upper") });
                one.insert(metric.to_owned(), figures);
            }
            Value::Object(one)
        })
        .collect()
}

fn pairs(all: &[Pair]) -> Value {
    let mut by_scale: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for one in all {
        by_scale.entry(&one.scale_id).or_default().push(json!({
            "method_a": one.first,
            "method_b": one.second,
            "relation": one.relation.word(),
            "a_better_on": one.first_better_on,
            "b_better_on": one.second_better_on,
            "not_compared": one.not_compared,
        }));
    }
    json!(by_scale)
}

fn winners(all: &[Winner]) -> Value {
    let one = |one: &Winner| {
        let left_out = |(method, why): &(String, String)| json!({ "method_id": method, "reason": why });
        json!({
            "metric": WON_BY,
            "injection_id": one.injection_id,
            "winner": one.winner,
            "indistinguishable": one.indistinguishable,
            "verdict": one.sentence(),
            "left_out": one.left_out.iter().map(left_out).collect::<Vec<_>>(),
        })
    };
    json!(all.iter().map(|winner| (winner.scale_id.clone(), one(winner))).collect::<BTreeMap<_, _>>())
}

/// The fronts for people.
#[must_use]
pub fn page(verdicts: &Verdicts<'_>) -> String {
    let mut out = String::from(
        "# Pareto evaluation (multi-objective)\n\nMethods that no other method of their size dominates. A method is one point: performance of the baseline, security at the worst injection that arrived. Intervals: 95 %, over the episodes of a cell.\n\n## Objectives (quick reference)\n\n| Objective | Direction |\n|------------|----------|\n",
    );
    let undisturbed = points(verdicts.rows, &asked(false), Work::Undisturbed);
    for one in &undisturbed.objectives {
        let _ = writeln!(out, "| {} | {} |", one.key, one.better.word());
    }
    section(&mut out, "Nondominated front per scale", "", &undisturbed);
    let attacked = points(verdicts.rows, &asked(false), Work::Attacked);
    section(
        &mut out,
        "Nondominated front per scale, under attack",
        " (every objective at its worst injection)",
        &attacked,
    );
    let cost = points(verdicts.rows, &asked(true), Work::Undisturbed);
    section(&mut out, "Cost-aware Pareto front", " (cost-aware)", &cost);
    out.push_str("\n---\n\n## Pairs, beyond chance\n\nWho is better in something and worse in nothing, by paired episodes, with p values adjusted over all pairs and objectives of a size.\n");
    let mut scale = "";
    for one in verdicts.pairs {
        if one.scale_id != scale {
            scale = &one.scale_id;
            let _ = write!(out, "\n### {scale}\n\n");
        }
        let tells = |better: &[&str]| if better.is_empty() { "nothing".to_owned() } else { better.join(", ") };
        let _ = writeln!(
            out,
            "- {} / {}: {} (first better on: {}; second better on: {})",
            one.first,
            one.second,
            one.relation.word(),
            tells(&one.first_better_on),
            tells(&one.second_better_on)
        );
    }
    out.push_str("\n---\n\n## Winners\n\n");
    winner_lines(&mut out, verdicts.winners);
    out.push_str("\n---\n\n## 95% intervals of every cell\n");
    cell_intervals(&mut out, verdicts.rows);
    out
}

pub(crate) fn winner_lines(out: &mut String, winners: &[Winner]) {
    for one in winners {
        let work = if one.injection_id == NONE { "undisturbed" } else { "under attack" };
        let _ = writeln!(out, "- {} ({WON_BY}, {work}): **{}**", one.scale_id, one.sentence());
        for (method, why) in &one.left_out {
            let _ = writeln!(out, "  - {method} is not in question: {why}");
        }
    }
}

fn section(out: &mut String, title: &str, note: &str, points: &Points) {
    let _ = write!(out, "\n---\n\n## {title}\n");
    for (scale, front) in points.fronts(dominates) {
        let _ = write!(out, "\n### {scale}{note}\n\n");
        for point in front {
            let figures: Vec<String> =
                points.objectives.iter().zip(&point.values).map(|(one, found)| shown(one.key, found.value)).collect();
            let _ = writeln!(out, "- **{}**: {}", point.method_id, figures.join(", "));
        }
        for one in points.excluded.iter().filter(|one| one.scale_id == scale) {
            let missing = if one.missing.is_empty() { "everything".to_owned() } else { one.missing.join(", ") };
            let _ = writeln!(out, "- {} is left out: {missing} is missing", one.method_id);
        }
    }
}

fn shown(key: &str, value: f64) -> String {
    match key {
        "perf.throughput" => format!("throughput={value:.2}"),
        "perf.p95_tat" => format!("p95_tat={value:.1}"),
        "safety.violations_total" => format!("violations={value:.0}"),
        "cost.total_tokens" => format!("cost.total_tokens={value:.0}"),
        other => format!("{other}={value:.2}"),
    }
}

fn cell_intervals(out: &mut String, rows: &[Row]) {
    let metrics: Vec<&str> = COMPARED.iter().map(|(metric, _)| *metric).collect();
    for row in rows {
        let ids = ["scale_id", "method_id", "injection_id"].map(|column| named(row, column));
        let _ = write!(out, "\n### {}\n\n", ids.join(" / "));
        for metric in &metrics {
            let end = |side: &str| figure(row, &format!("{metric}_ci_{side}"));
            if let (Some(value), Some(lower), Some(upper)) = (figure(row, metric), end("lower"), end("upper")) {
                let _ = writeln!(out, "- {metric}: {value:.4} [{lower:.4}, {upper:.4}]");
            }
        }
    }
}

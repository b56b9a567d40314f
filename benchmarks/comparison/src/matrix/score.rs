//! Figures on one line, scores, ranks.

use super::policy::{Missing, OnFail, Rules, Side};
use super::source::Source;
use crate::ComparisonError;
use crate::comparisons::Better;
use crate::front::arrived;
use crate::table::{Row, figure, named};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Figures by their names; none where there is none.
pub type Figures = BTreeMap<String, Option<f64>>;

/// A method at a size.
#[derive(Clone, Debug)]
pub struct Line {
    /// Size.
    pub scale_id: String,
    /// Method.
    pub method_id: String,
    /// Undisturbed work.
    pub clean: Figures,
    /// The worst of work under attack.
    pub attacked: Figures,
    /// What attacks leave of undisturbed work: worst figure under attack by undisturbed figure.
    pub degradation: Figures,
    /// Score of undisturbed work.
    pub cq: f64,
    /// Score of work under attack.
    pub ar: f64,
    /// What is taken off its rank, and for which limit.
    pub penalties: Vec<(String, f64)>,
    /// Whether undisturbed work keeps all limits.
    pub is_clean_feasible: bool,
    /// Whether work under attack does.
    pub is_attacked_feasible: bool,
    /// Why not.
    pub reasons: Vec<String>,
    /// Rank by `cq` at its size.
    pub cq_rank: usize,
    /// Rank by `ar` at its size.
    pub ar_rank: usize,
    /// Whether no method of its size is better in one score and not worse in the other.
    pub is_pareto: bool,
}

impl Line {
    /// Whether it may be recommended.
    #[must_use]
    pub const fn is_feasible(&self) -> bool {
        self.is_clean_feasible && self.is_attacked_feasible
    }

    /// Both scores in one, without penalties.
    #[must_use]
    pub fn balance(&self, alpha: f64) -> f64 {
        alpha * self.cq + (1.0 - alpha) * self.ar
    }

    /// What it is ranked by.
    #[must_use]
    pub fn overall(&self, alpha: f64) -> f64 {
        let penalties: f64 = self.penalties.iter().map(|(_, amount)| amount).sum();
        (self.balance(alpha) - penalties).clamp(0.0, 1.0)
    }

    fn value(&self, metric: &str) -> Option<f64> {
        self.clean.get(metric).or_else(|| self.attacked.get(metric)).copied().flatten()
    }
}

/// All lines, in the order of sizes, ranks and methods.
///
/// # Errors
/// [`ComparisonError::Invalid`] for a figure that nobody has and that may not be missing, and for a method of which one side is missing.
pub fn lines(source: &Source, rules: &Rules) -> Result<Vec<Line>, ComparisonError> {
    let mut by_scale: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in source.clean.iter().chain(&source.attacked) {
        by_scale.entry(named(row, "scale_id")).or_default().insert(named(row, "method_id"));
    }
    let mut all = Vec::new();
    for (scale, methods) in by_scale {
        let mut lines: Vec<Line> =
            methods.into_iter().map(|method| line(source, rules, scale, method)).collect::<Result<_, _>>()?;
        needed(&lines, rules)?;
        let clean = scored(&lines, &rules.clean, |line| &line.clean);
        let attacked = scored(&lines, &rules.attacked, |line| &line.attacked);
        for (line, (cq, ar)) in lines.iter_mut().zip(clean.into_iter().zip(attacked)) {
            (line.cq, line.ar) = (cq, ar);
        }
        for line in &mut lines {
            judge(line, rules);
        }
        rank(&mut lines, rules);
        all.extend(lines);
    }
    Ok(all)
}

fn of_method<'a>(rows: &'a [Row], scale: &str, method: &str) -> Vec<&'a Row> {
    rows.iter().filter(|row| named(row, "scale_id") == scale && named(row, "method_id") == method).collect()
}

fn line(source: &Source, rules: &Rules, scale: &str, method: &str) -> Result<Line, ComparisonError> {
    let clean_rows = of_method(&source.clean, scale, method);
    let all_attacked = of_method(&source.attacked, scale, method);
    if clean_rows.is_empty() || all_attacked.is_empty() {
        let side = if clean_rows.is_empty() { "undisturbed" } else { "attacked" };
        let problem = format!("it has no {side} cell at this size; run it with and without injections");
        return Err(ComparisonError::invalid("the rows of the run", format!("{scale} / {method}"), problem));
    }
    let attacked_rows: Vec<&Row> = all_attacked.into_iter().filter(|row| arrived(row)).collect();
    let side = |side: &Side, rows: &[&Row]| -> Figures {
        let of = |id: &String, better: Better| (id.clone(), worst(rows, rules, id, better));
        side.metrics.iter().map(|metric| of(&metric.metric_id, metric.direction.better())).collect()
    };
    let (clean, attacked) = (side(&rules.clean, &clean_rows), side(&rules.attacked, &attacked_rows));
    let mut degradation = Figures::new();
    for metric in &rules.clean.metrics {
        let (id, better) = (&metric.metric_id, metric.direction.better());
        let before = clean[id].filter(|before| *before > 0.0);
        let after = worst(&attacked_rows, rules, id, better);
        if let (Some(before), Some(after)) = (before, after) {
            degradation.insert(format!("deg.{id}_ratio"), Some(after / before));
        }
    }
    let mut line = Line {
        scale_id: scale.to_owned(),
        method_id: method.to_owned(),
        clean,
        attacked,
        degradation,
        cq: 0.0,
        ar: 0.0,
        penalties: Vec::new(),
        is_clean_feasible: true,
        is_attacked_feasible: true,
        reasons: Vec::new(),
        cq_rank: 1,
        ar_rank: 1,
        is_pareto: true,
    };
    // What does nothing breaks nothing and cannot be attacked.
    if clean_rows.iter().any(|row| figure(row, "perf.throughput").is_some_and(|count| count <= 0.0)) {
        line.is_clean_feasible = false;
        line.reasons.push("no_work_done".to_owned());
    }
    if attacked_rows.is_empty() {
        line.is_attacked_feasible = false;
        line.reasons.push("no_attack_arrived".to_owned());
    }
    Ok(line)
}

/// The worst figure of some rows; none where one of them has none: what never was attributed took longest.
fn worst(rows: &[&Row], rules: &Rules, id: &str, better: Better) -> Option<f64> {
    let entry = rules.columns.get(id)?;
    let one = |row: &&Row| {
        let value = entry.candidates.iter().find_map(|column| figure(row, column))?;
        Some(entry.converted(value, figure(row, "n_episodes")))
    };
    let all: Vec<f64> = rows.iter().map(one).collect::<Option<_>>()?;
    all.into_iter().reduce(|a, b| if better.merit(a) <= better.merit(b) { a } else { b })
}

/// Refuses a size at which nobody has a figure that may not be missing.
fn needed(lines: &[Line], rules: &Rules) -> Result<(), ComparisonError> {
    // Where no attack arrived there is nothing to measure, which is said of every method.
    let is_attacked = lines.iter().any(|line| line.is_attacked_feasible);
    let attacked = rules.attacked.metrics.iter().filter(|_| is_attacked);
    for metric in rules.clean.metrics.iter().chain(attacked) {
        let Some(entry) = rules.columns.get(&metric.metric_id) else { continue };
        let is_missing = lines.iter().all(|line| line.value(&metric.metric_id).is_none());
        if is_missing && entry.missing_policy == Missing::Error {
            let scale = lines.first().map_or("", |line| &line.scale_id);
            let problem = format!(
                "no method has it; it is column {} of the table of cells, and `missing_policy: omit` does without it",
                entry.candidates.join(" or ")
            );
            let place = format!("{scale}: {}", metric.metric_id);
            return Err(ComparisonError::invalid("the rows of the run", place, problem));
        }
    }
    Ok(())
}

/// The scores of one side. Weights of figures that nobody has go to the others; who lacks one that others have gets nothing for it.
fn scored<'a>(lines: &'a [Line], side: &Side, of: impl Fn(&'a Line) -> &'a Figures) -> Vec<f64> {
    let figures: Vec<&Figures> = lines.iter().map(of).collect();
    let (mut scores, mut weights) = (vec![0.0; lines.len()], 0.0);
    for metric in &side.metrics {
        let Some(weight) = side.weights.get(&metric.metric_id) else { continue };
        let values: Vec<Option<f64>> = figures.iter().map(|figures| figures[&metric.metric_id]).collect();
        let mut sorted: Vec<f64> = values.iter().copied().flatten().collect();
        if sorted.is_empty() {
            continue;
        }
        weights += weight;
        sorted.sort_by(f64::total_cmp);
        let [low, high] = metric.normalization.clip_percentiles.map(|percent| at(&sorted, percent));
        for (score, value) in scores.iter_mut().zip(values) {
            let Some(value) = value else { continue };
            let share = (value.clamp(low, high) - low) / (high - low + metric.normalization.epsilon);
            *score += weight
                * match metric.direction.better() {
                    // Nobody is worse than anybody.
                    _ if high <= low => 1.0,
                    Better::Higher => share,
                    Better::Lower => 1.0 - share,
                };
        }
    }
    scores.into_iter().map(|score| if weights > 0.0 { score / weights } else { 0.0 }).collect()
}

/// The published percentile: of n values in order, the one at n times the share, rounded down.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among a handful of values"
)]
fn at(sorted: &[f64], percent: f64) -> f64 {
    let place = (sorted.len() as f64 * percent / 100.0).max(0.0) as usize;
    sorted[place.min(sorted.len() - 1)]
}

fn judge(line: &mut Line, rules: &Rules) {
    for gate in &rules.gates {
        let metric = &gate.predicate.metric_id;
        if gate.predicate.holds(line.value(metric)) {
            continue;
        }
        line.reasons.push(gate.gate_id.clone());
        match gate.on_fail {
            OnFail::Penalize => line.penalties.push((gate.gate_id.clone(), gate.penalty)),
            OnFail::Disqualify if line.clean.contains_key(metric) => line.is_clean_feasible = false,
            OnFail::Disqualify => line.is_attacked_feasible = false,
        }
    }
}

/// Better first: by a score, then by the tie-breakers in their directions, then by name.
fn order(a: &Line, b: &Line, rules: &Rules, score: impl Fn(&Line) -> f64) -> Ordering {
    let by_figure = |id: &String| {
        let merit = |line: &Line| {
            let better = rules.metric(id).map(|metric| metric.direction.better())?;
            line.value(id).map(|value| better.merit(value))
        };
        let missing = f64::NEG_INFINITY;
        merit(b).unwrap_or(missing).total_cmp(&merit(a).unwrap_or(missing))
    };
    let mut order = score(b).total_cmp(&score(a));
    for id in &rules.tie_breakers {
        order = order.then_with(|| by_figure(id));
    }
    order.then_with(|| a.method_id.cmp(&b.method_id))
}

fn rank(lines: &mut [Line], rules: &Rules) {
    let beats = |a: &Line, b: &Line| a.cq >= b.cq && a.ar >= b.ar && (a.cq > b.cq || a.ar > b.ar);
    let is_pareto: Vec<bool> = lines.iter().map(|line| !lines.iter().any(|other| beats(other, line))).collect();
    for (line, is_pareto) in lines.iter_mut().zip(is_pareto) {
        line.is_pareto = is_pareto;
    }
    lines.sort_by(|a, b| order(a, b, rules, |line| line.cq));
    for (place, line) in lines.iter_mut().enumerate() {
        line.cq_rank = place + 1;
    }
    lines.sort_by(|a, b| order(a, b, rules, |line| line.ar));
    for (place, line) in lines.iter_mut().enumerate() {
        line.ar_rank = place + 1;
    }
    lines.sort_by(|a, b| order(a, b, rules, |line| line.overall(rules.alpha)));
}

/// The best line of some by a score; none of none.
#[must_use]
pub fn best<'a>(lines: &[&'a Line], rules: &Rules, score: impl Fn(&Line) -> f64) -> Option<&'a Line> {
    lines.iter().copied().min_by(|a, b| order(a, b, rules, &score))
}

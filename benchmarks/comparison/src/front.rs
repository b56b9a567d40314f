//! Which methods are not beaten: points, dominance and fronts, from the rows of a study alone.
//!
//! A point is one method at one size, never a cell. Undisturbed and attacked work are points of their own: the first has the figures of the
//! baseline, the second the worst figure over all injections. Both have the worst security over the injections that arrived. A method of which
//! an objective is missing is not on a front and is listed with what it lacks; an objective that no method of a study has is no objective.

use crate::comparisons::Better;
use crate::episodes::NONE;
use crate::table::{Row, figure, named};
use labtrust_bench::stats::Bounds;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Episodes that a cell needs before its intervals tell methods apart [count].
pub const EPISODES_OF_AN_INTERVAL: f64 = 5.0;

/// Share of the episodes in which no attack reached its goal, at the worst injection.
pub const SECURITY: &str = "security_success";

/// What a method is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Objective {
    /// The column, or [`SECURITY`].
    pub key: &'static str,
    /// Which way it is better.
    pub better: Better,
}

/// The objectives of the main front.
pub const OBJECTIVES: [Objective; 4] = [
    Objective { key: "perf.throughput", better: Better::Higher },
    Objective { key: "perf.p95_tat", better: Better::Lower },
    Objective { key: "safety.violations_total", better: Better::Lower },
    Objective { key: SECURITY, better: Better::Higher },
];

/// What the front with costs has besides.
pub const COST: Objective = Objective { key: "cost.total_tokens", better: Better::Lower };

/// Which work a point is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The baseline.
    Undisturbed,
    /// The worst of all injections.
    Attacked,
}

/// A figure and where it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Where it lies, in 95 of 100 samples; none where there are too few episodes to say.
    pub bounds: Option<Bounds>,
}

/// A method at a size.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Size.
    pub scale_id: String,
    /// Method.
    pub method_id: String,
    /// The objectives, in their order.
    pub values: Vec<Estimate>,
}

/// A method that is not on the front because something is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// Size.
    pub scale_id: String,
    /// Method.
    pub method_id: String,
    /// The objectives that it has no figure of.
    pub missing: Vec<&'static str>,
}

/// Points of all sizes, and who is not among them.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// The objectives that the points have.
    pub objectives: Vec<Objective>,
    /// Points by size.
    pub by_scale: BTreeMap<String, Vec<Point>>,
    /// Who is left out.
    pub excluded: Vec<Excluded>,
}

/// Whether an attack arrived in a row's cell, as far as the row says.
pub(crate) fn arrived(row: &Row) -> bool {
    named(row, "injection_id") != NONE && figure(row, "sec.applied_episodes").is_none_or(|episodes| episodes > 0.0)
}

fn bounds(row: &Row, column: &str, times: f64) -> Option<Bounds> {
    let end = |side: &str| Some(figure(row, &format!("{column}_ci_{side}"))? * times);
    figure(row, "n_episodes").filter(|episodes| *episodes >= EPISODES_OF_AN_INTERVAL)?;
    Some(Bounds { lower: end("lower")?, upper: end("upper")? })
}

fn estimate(row: &Row, key: &str) -> Option<Estimate> {
    let value = figure(row, key)?;
    let bounds = match key {
        "safety.violations_total" => {
            bounds(row, "safety.violations_per_episode", figure(row, "n_episodes").unwrap_or(1.0))
        }
        // Nothing is drawn for it: what was spent was spent.
        "cost.total_tokens" => Some(Bounds { lower: value, upper: value }),
        _ => bounds(row, key, 1.0),
    };
    Some(Estimate { value, bounds })
}

/// The worst of several estimates; its interval holds if all of theirs do. None where one is missing.
fn worst(all: impl Iterator<Item = Option<Estimate>>, better: Better) -> Option<Estimate> {
    let all: Vec<Estimate> = all.collect::<Option<_>>()?;
    let of = |values: Vec<f64>| {
        let worse = |a: f64, b: f64| if better.merit(a) <= better.merit(b) { a } else { b };
        values.into_iter().reduce(worse)
    };
    let bounds = all.iter().map(|one| one.bounds).collect::<Option<Vec<Bounds>>>().and_then(|all| {
        let lower = of(all.iter().map(|bounds| bounds.lower).collect())?;
        Some(Bounds { lower, upper: of(all.iter().map(|bounds| bounds.upper).collect())? })
    });
    Some(Estimate { value: of(all.iter().map(|one| one.value).collect())?, bounds })
}

/// The security of a method: 1 less the success of the attack that succeeds most. None where no attack arrived.
fn security(rows: &[&Row]) -> Option<Estimate> {
    let one = |row: &&Row| {
        let Estimate { value, bounds } = estimate(row, "sec.attack_success_rate")?;
        let turned = |bounds: Bounds| Bounds { lower: 1.0 - bounds.upper, upper: 1.0 - bounds.lower };
        Some(Estimate { value: 1.0 - value, bounds: bounds.map(turned) })
    };
    let attacked: Vec<&&Row> = rows.iter().filter(|row| arrived(row)).collect();
    worst(attacked.into_iter().map(one), Better::Higher)
}

fn objective(rows: &[&Row], objective: Objective, work: Work) -> Option<Estimate> {
    if objective.key == SECURITY {
        return security(rows);
    }
    let is_asked = |row: &&&Row| (named(row, "injection_id") == NONE) == (work == Work::Undisturbed);
    worst(rows.iter().filter(is_asked).map(|row| estimate(row, objective.key)), objective.better)
}

/// The points of some rows. Rows of one cell must not repeat: a study has one row for each.
#[must_use]
pub fn points(rows: &[Row], objectives: &[Objective], work: Work) -> Points {
    let mut methods: BTreeMap<(&str, &str), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        methods.entry((named(row, "scale_id"), named(row, "method_id"))).or_default().push(row);
    }
    let known = |one: &Objective| methods.values().any(|rows| objective(rows, *one, work).is_some());
    let objectives: Vec<Objective> = objectives.iter().copied().filter(|one| known(one)).collect();
    let (mut by_scale, mut excluded) = (BTreeMap::<String, Vec<Point>>::new(), Vec::new());
    for ((scale, method), rows) in &methods {
        let of_scale = by_scale.entry((*scale).to_owned()).or_default();
        let all: Vec<Option<Estimate>> = objectives.iter().map(|one| objective(rows, *one, work)).collect();
        let missing: Vec<&str> =
            objectives.iter().zip(&all).filter(|(_, found)| found.is_none()).map(|(one, _)| one.key).collect();
        let (scale_id, method_id) = ((*scale).to_owned(), (*method).to_owned());
        match all.into_iter().collect::<Option<Vec<_>>>() {
            Some(values) if !values.is_empty() => of_scale.push(Point { scale_id, method_id, values }),
            _ => excluded.push(Excluded { scale_id, method_id, missing }),
        }
    }
    Points { objectives, by_scale, excluded }
}

/// Whether `a` is at least as good in every objective and better in one.
#[must_use]
pub fn dominates(a: &Point, b: &Point, objectives: &[Objective]) -> bool {
    let merits = |point: &Point| -> Vec<f64> {
        objectives.iter().zip(&point.values).map(|(one, found)| one.better.merit(found.value)).collect()
    };
    let (a, b) = (merits(a), merits(b));
    let mut pairs = a.iter().zip(&b);
    pairs.clone().all(|(a, b)| a >= b) && pairs.any(|(a, b)| a > b)
}

/// Whether all of `a`'s interval is at least as good as all of `b`'s in every objective, and better in one. Without an interval nothing is.
#[must_use]
pub fn dominates_robustly(a: &Point, b: &Point, objectives: &[Objective]) -> bool {
    let ends = |one: &Objective, bounds: Bounds| match one.better {
        Better::Higher => (bounds.lower, bounds.upper),
        Better::Lower => (-bounds.upper, -bounds.lower),
    };
    let mut is_better = false;
    for (one, (a, b)) in objectives.iter().zip(a.values.iter().zip(&b.values)) {
        let (Some(a), Some(b)) = (a.bounds, b.bounds) else { return false };
        let ((a_low, _), (_, b_high)) = (ends(one, a), ends(one, b));
        if a_low < b_high {
            return false;
        }
        is_better |= a_low > b_high;
    }
    is_better
}

impl Points {
    /// The points of every size that no other point of it dominates.
    #[must_use]
    pub fn fronts(&self, dominates: impl Fn(&Point, &Point, &[Objective]) -> bool) -> BTreeMap<&str, Vec<&Point>> {
        let front = |points: &'_ [Point]| -> Vec<bool> {
            let is_beaten = |point: &Point| points.iter().any(|other| dominates(other, point, &self.objectives));
            points.iter().map(|point| !is_beaten(point)).collect()
        };
        let mut fronts = BTreeMap::new();
        for (scale, points) in &self.by_scale {
            let kept = points.iter().zip(front(points)).filter(|(_, is_kept)| *is_kept);
            fronts.insert(scale.as_str(), kept.map(|(point, _)| point).collect());
        }
        fronts
    }

    /// A point as the published fronts have it.
    #[must_use]
    pub fn json(&self, point: &Point, injection: &str) -> Value {
        let ids = [("scale_id", point.scale_id.as_str()), ("method_id", &point.method_id), ("injection_id", injection)];
        let mut all: Map<String, Value> = ids.into_iter().map(|(name, id)| (name.to_owned(), json!(id))).collect();
        for (one, found) in self.objectives.iter().zip(&point.values) {
            all.insert(one.key.to_owned(), json!(found.value));
        }
        Value::Object(all)
    }
}

/// Injections of which a method shows nothing, because they arrived in none of its episodes: size, method, injection.
#[must_use]
pub fn not_arrived(rows: &[Row]) -> BTreeSet<[String; 3]> {
    let is_silent = |row: &&Row| named(row, "injection_id") != NONE && !arrived(row);
    let ids = |row: &Row| ["scale_id", "method_id", "injection_id"].map(|column| named(row, column).to_owned());
    rows.iter().filter(is_silent).map(ids).collect()
}

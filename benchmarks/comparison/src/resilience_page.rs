//! `summary/pareto.md`: turnaround, violations and resilience for people.

use crate::comparisons::Better;
use crate::front::{Estimate, Objective, Point, Points, dominates};
use crate::pareto::winner_lines;
use crate::statistics::mean;
use crate::table::{Row, figure, named};
use crate::verdict::{WON_BY, Winner};
use labtrust_redteam::scoring::COMPONENTS;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const OBJECTIVES: [Objective; 3] = [
    Objective { key: "perf.p95_tat", better: Better::Lower },
    Objective { key: "safety.violations_total", better: Better::Lower },
    Objective { key: WON_BY, better: Better::Higher },
];

fn by<'a>(rows: &'a [Row], column: &str) -> BTreeMap<&'a str, Vec<&'a Row>> {
    let mut all: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        all.entry(named(row, column)).or_default().push(row);
    }
    all
}

/// The page. Rows are compared with rows of the same size and the same injection; what lacks a figure is listed and not compared.
#[must_use]
pub fn page(rows: &[Row], winners: &[Winner]) -> String {
    let mut out = String::from(
        "# Pareto front report (coordination study)\n\nObjectives: minimize p95_tat, minimize violations_total, maximize resilience_score. Cells are compared with cells of their injection.\n\n## Per-scale Pareto front\n",
    );
    let by_scale = by(rows, "scale_id");
    for (scale, rows) in &by_scale {
        let _ = write!(out, "\n### Scale: {scale}\n\n");
        front(&mut out, scale, rows);
    }
    out.push_str("\n## Top 3 methods per scale by resilience\n\nMeans over the work of the verdict below; whether they differ is what it says.\n");
    for one in winners {
        let _ = write!(out, "\n### Scale: {}\n\n", one.scale_id);
        for (place, (method, mean)) in one.means.iter().take(3).enumerate() {
            let _ = writeln!(out, "{}. **{method}** (mean resilience = {mean:.3})", place + 1);
        }
    }
    let _ = write!(
        out,
        "\n## Component radar (mean component scores by method)\n\n| method_id | {} |\n|{}\n",
        COMPONENTS.join(" | "),
        " --- |".repeat(COMPONENTS.len() + 1)
    );
    for (method, rows) in by(rows, "method_id") {
        let of = |name: &&str| {
            let column = format!("resilience.component_{name}");
            mean(&rows.iter().filter_map(|row| figure(row, &column)).collect::<Vec<_>>())
        };
        let figures: Vec<String> = COMPONENTS.iter().map(of).map(|value| shown(value, 3)).collect();
        let _ = writeln!(out, "| {method} | {} |", figures.join(" | "));
    }
    out.push_str("\n## Robust winner under risk suite\n\nThe method with the highest mean resilience, where it is better than every other beyond chance.\n\n");
    winner_lines(&mut out, winners);
    out
}

fn front(out: &mut String, scale: &str, rows: &[&Row]) {
    let mut by_injection: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by_injection.entry(named(row, "injection_id")).or_default().push(row);
    }
    for (injection, rows) in by_injection {
        let point = |row: &&Row| -> Option<Point> {
            let values = OBJECTIVES.iter().map(|one| Some(Estimate { value: figure(row, one.key)?, bounds: None }));
            let (scale_id, method_id) = (scale.to_owned(), named(row, "method_id").to_owned());
            Some(Point { scale_id, method_id, values: values.collect::<Option<_>>()? })
        };
        let by_scale = BTreeMap::from([(scale.to_owned(), rows.iter().filter_map(point).collect())]);
        let points = Points { objectives: OBJECTIVES.to_vec(), by_scale, excluded: Vec::new() };
        for point in points.fronts(dominates).into_values().flatten() {
            let [tat, violations, resilience] = [0, 1, 2].map(|place| point.values[place].value);
            let _ = writeln!(
                out,
                "- **{}** / {injection}: p95_tat={tat:.1}, violations={violations:.0}, resilience={resilience:.3}",
                point.method_id
            );
        }
        for row in rows.iter().filter(|row| point(row).is_none()) {
            let lacks: Vec<&str> =
                OBJECTIVES.iter().map(|one| one.key).filter(|key| figure(row, key).is_none()).collect();
            let _ = writeln!(
                out,
                "- {} / {injection}: not compared, {} is missing",
                named(row, "method_id"),
                lacks.join(", ")
            );
        }
    }
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "\u{2014}".to_owned(), |value| format!("{value:.digits$}"))
}

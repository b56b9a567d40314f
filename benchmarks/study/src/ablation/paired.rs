//! What each condition changes, episode by episode.
//!
//! Differences are taken between episodes of one seed; their mean has an interval of Student's t. Every figure of the episodes that is
//! a number is compared, and the totals of violations and of refusals.

use labtrust_bench::stats::{Confidence, moments, paired_difference};
use labtrust_comparison::table::table;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Columns of `paired_differences.csv`.
pub const COLUMNS: [&str; 12] = [
    "condition_id",
    "condition_label",
    "reference_id",
    "metric",
    "n_pairs",
    "mean_reference",
    "mean_condition",
    "mean_difference",
    "ci95_lower",
    "ci95_upper",
    "excludes_zero",
    "interval",
];

/// The figures of one episode, by name.
pub type Figures = BTreeMap<String, f64>;

/// The figures of an episode's metrics: numbers, and totals of what is counted by kind.
#[must_use]
pub fn figures(metrics: &Map<String, Value>) -> Figures {
    let mut figures: Figures =
        metrics.iter().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect();
    for (name, total) in
        [("violations_by_invariant_id", "violations_total"), ("blocked_by_reason_code", "blocks_total")]
    {
        if let Some(counts) = metrics.get(name).and_then(Value::as_object) {
            figures.insert(total.to_owned(), counts.values().filter_map(Value::as_f64).sum());
        }
    }
    figures
}

/// A condition with the figures of its episodes.
pub struct Arm<'a> {
    /// Its id.
    pub id: &'a str,
    /// For people.
    pub label: &'a str,
    /// In the order of the seeds.
    pub episodes: &'a [Figures],
}

/// The table: every other condition against the first.
#[must_use]
pub fn csv(arms: &[Arm<'_>]) -> Vec<u8> {
    let mut rows = Vec::new();
    if let Some((reference, others)) = arms.split_first() {
        for other in others {
            let names: BTreeSet<&String> = reference.episodes.iter().flat_map(BTreeMap::keys).collect();
            rows.extend(names.into_iter().filter_map(|name| row(reference, other, name)));
        }
    }
    table(&COLUMNS, &rows)
}

/// One figure of a condition, of the episodes that have it in both; none where there are none.
fn row(reference: &Arm<'_>, other: &Arm<'_>, name: &str) -> Option<Vec<String>> {
    let pairs = other.episodes.iter().zip(reference.episodes);
    let (values, references): (Vec<f64>, Vec<f64>) =
        pairs.filter_map(|(one, two)| Some((*one.get(name)?, *two.get(name)?))).unzip();
    let (mean, reference_mean) = (moments(&values)?.mean, moments(&references)?.mean);
    let found = paired_difference(&values, &references, Confidence::P95);
    let number = |value: f64| Value::from(value).to_string();
    let bound =
        |pick: fn(&labtrust_bench::stats::PairedDifference) -> String| found.as_ref().map(pick).unwrap_or_default();
    let difference = found.as_ref().map_or(mean - reference_mean, |found| found.mean);
    Some(vec![
        other.id.to_owned(),
        other.label.to_owned(),
        reference.id.to_owned(),
        name.to_owned(),
        values.len().to_string(),
        number(reference_mean),
        number(mean),
        number(difference),
        bound(|found| Value::from(found.bounds.lower).to_string()),
        bound(|found| Value::from(found.bounds.upper).to_string()),
        bound(|found| if found.excludes_zero() { "True" } else { "False" }.to_owned()),
        if found.is_some() { "student_t_paired_95".to_owned() } else { String::new() },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_of_pairs_and_one_pair_has_no_interval() {
        let of =
            |values: &[f64]| values.iter().map(|value| Figures::from([("x".to_owned(), *value)])).collect::<Vec<_>>();
        let (a, b) = (of(&[1.0, 5.0, 9.0]), of(&[2.0, 7.0, 10.0]));
        let arm = |id, episodes| Arm { id, label: id, episodes };
        let text = String::from_utf8(csv(&[arm("a", &a), arm("b", &b)])).unwrap();
        let row: Vec<&str> = text.split("\r\n").nth(1).unwrap().split(',').collect();
        assert_eq!(row[..7], ["b", "b", "a", "x", "3", "5.0", "6.333333333333333"]);
        assert_eq!((row[10], row[11]), ("False", "student_t_paired_95"));
        let text = String::from_utf8(csv(&[arm("a", &a[..1]), arm("b", &b[..1])])).unwrap();
        assert_eq!(text.split("\r\n").nth(1).unwrap(), "b,b,a,x,1,1.0,2.0,1.0,,,,");
    }

    #[test]
    fn totals_of_what_is_counted_by_kind_are_figures() {
        let metrics = json!({ "throughput": 3, "on_time_rate": null, "blocked_by_reason_code": { "A": 2, "B": 1 } });
        let found = figures(metrics.as_object().unwrap());
        assert_eq!(found, Figures::from([("throughput".to_owned(), 3.0), ("blocks_total".to_owned(), 3.0)]));
    }
}

//! What follows from what within `results.csv` and `summary.json`.

use super::site::Sites;
use super::{Book, Name};
use crate::evaluate::Rules;
use crate::evaluate::outputs::{Figure, Outputs, ResultRow};
use labtrust_bench::stats::{Confidence, mean_interval, moments};
use serde_json::Value;
use std::collections::BTreeMap;

const RESULTS: &str = "results.csv";
const SUMMARY: &str = "summary.json";

pub(super) fn check(sites: Option<&Sites>, rules: &Rules, outputs: &Outputs, book: &mut Book) {
    let rows = match &outputs.results {
        Ok(results) => &results.rows,
        Err(why) => {
            use Name::{
                ReplicationsDistinct, ReplicationsEnough, ResultsReadable, SeedsDistinct, SummaryIntervals,
                SummaryMeans, SummaryReplications, TonnesPerHour,
            };
            let all = [
                ResultsReadable,
                ReplicationsDistinct,
                ReplicationsEnough,
                SeedsDistinct,
                TonnesPerHour,
                SummaryReplications,
                SummaryMeans,
                SummaryIntervals,
            ];
            return book.cannot(&all, why);
        }
    };
    readable(rows, outputs.results.as_ref().map_or(&[][..], |results| &results.columns), book);
    let mut by_scenario: BTreeMap<&str, Vec<&ResultRow>> = BTreeMap::new();
    for row in rows {
        by_scenario.entry(&row.scenario).or_default().push(row);
    }
    replications(rules, &by_scenario, book);
    tonnes_per_hour(sites, outputs, rows, book);
    summary(outputs, &by_scenario, book);
}

fn readable(rows: &[ResultRow], columns: &[String], book: &mut Book) {
    for needed in ["scenario_id", "replication", "random_seed", "total_tonnes_delivered", "tonnes_per_hour"] {
        if !columns.iter().any(|column| column == needed) {
            book.add(Name::ResultsReadable, RESULTS, Some(1), "missing_column", || {
                format!("there is no column {needed}")
            });
        }
    }
    if rows.is_empty() {
        book.add(Name::ResultsReadable, RESULTS, None, "no_rows", || "there is a header and nothing else".to_owned());
    }
    for row in rows {
        if row.scenario.is_empty() {
            book.add(Name::ResultsReadable, RESULTS, Some(row.line), "unreadable", || {
                "the scenario is empty".to_owned()
            });
        }
        for what in &row.unreadable {
            book.add(Name::ResultsReadable, RESULTS, Some(row.line), "unreadable", || what.clone());
        }
    }
}

fn replications(rules: &Rules, by_scenario: &BTreeMap<&str, Vec<&ResultRow>>, book: &mut Book) {
    for (id, rows) in by_scenario {
        let mut seen: BTreeMap<i64, u64> = BTreeMap::new();
        let mut seeds: BTreeMap<i64, u64> = BTreeMap::new();
        for row in rows {
            if let Some(replication) = row.replication
                && let Some(earlier) = seen.insert(replication, row.line)
            {
                book.add(Name::ReplicationsDistinct, RESULTS, Some(row.line), "repeated_replication", || {
                    format!("replication {replication} of {id} is in row {earlier} already")
                });
            }
            if let Some(seed) = row.seed
                && let Some(earlier) = seeds.insert(seed, row.line)
            {
                book.add(Name::SeedsDistinct, RESULTS, Some(row.line), "repeated_seed", || {
                    format!("seed {seed} of {id} is in row {earlier} already")
                });
            }
        }
    }
    for id in &rules.required_scenarios {
        let rows = by_scenario.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        let mut distinct: Vec<i64> = rows.iter().filter_map(|row| row.replication).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let (count, least) = (distinct.len() as u64, rules.minimum_replications);
        if count < least {
            let last = rows.last().map(|row| row.line);
            book.add(Name::ReplicationsEnough, RESULTS, last, "too_few_replications", || {
                format!("{id} has {count} replications, {least} are needed")
            });
        }
    }
}

/// The length of a scenario's shift: the benchmark's, or what the summary says of a scenario that it does not have [h].
fn shift_hours(sites: Option<&Sites>, outputs: &Outputs, id: &str) -> Option<f64> {
    let own = || outputs.scenarios()?.get(id)?.get("shift_length_hours")?.as_f64();
    let hours = sites.and_then(|sites| sites.plan(id)).map(|plan| plan.shift_min / 60.0).or_else(own)?;
    (hours > 0.0).then_some(hours)
}

fn tonnes_per_hour(sites: Option<&Sites>, outputs: &Outputs, rows: &[ResultRow], book: &mut Book) {
    let mut checked = false;
    for row in rows {
        let (Some(tonnes), Some(rate)) = (row.tonnes, row.tonnes_per_hour) else {
            continue;
        };
        let Some(hours) = shift_hours(sites, outputs, &row.scenario) else {
            continue;
        };
        checked = true;
        let expected = tonnes.value / hours;
        if !rate.agrees(expected, tonnes.rounding / hours) {
            book.add(Name::TonnesPerHour, RESULTS, Some(row.line), "wrong_rate", || {
                format!("{} t/h, but {} t in {hours} h are {expected:.3} t/h", rate.value, tonnes.value)
            });
        }
    }
    if !checked {
        book.cannot(&[Name::TonnesPerHour], "no row has tonnes, tonnes per hour and a shift whose length is known");
    }
}

fn summary(outputs: &Outputs, by_scenario: &BTreeMap<&str, Vec<&ResultRow>>, book: &mut Book) {
    let Some(scenarios) = outputs.scenarios() else {
        let why = outputs.summary.as_ref().err().map_or("summary.json has no object of scenarios", String::as_str);
        return book.cannot(&[Name::SummaryReplications, Name::SummaryMeans, Name::SummaryIntervals], why);
    };
    for (id, rows) in by_scenario {
        if !scenarios.contains_key(*id) {
            book.add(Name::SummaryReplications, RESULTS, rows.first().map(|row| row.line), "unknown_scenario", || {
                format!("{id} is not in summary.json")
            });
        }
    }
    let mut intervals = 0;
    for (id, said) in scenarios {
        let rows = by_scenario.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        let line = |key: &str| outputs.summary_line(id, Some(key));
        let count = said.get("replications").and_then(Value::as_f64);
        #[expect(clippy::cast_precision_loss, reason = "rows of a file")]
        let found = rows.len() as f64;
        if count != Some(found) {
            book.add(Name::SummaryReplications, SUMMARY, line("replications"), "wrong_count", || {
                let count = count.map_or_else(|| "no number of".to_owned(), |count| count.to_string());
                format!("{id} has {count} replications, results.csv has {found}")
            });
        }
        for (name, column) in [
            ("total_tonnes", (|row| row.tonnes) as fn(&ResultRow) -> Option<Figure>),
            ("tonnes_per_hour", |row| row.tonnes_per_hour),
        ] {
            let figures: Option<Vec<Figure>> = rows.iter().map(|row| column(row)).collect();
            let figures = figures.unwrap_or_default();
            // Rows were rounded too, each by a part of its last digit that has nothing to do with the others': four
            // standard deviations of the mean of that.
            let rounding = figures.iter().map(|figure| figure.rounding).fold(0.0, f64::max);
            let slack = if figures.is_empty() { 0.0 } else { 4.0 * rounding / libm::sqrt(3.0 * found) };
            let values: Vec<f64> = figures.iter().map(|figure| figure.value).collect();
            let key = format!("{name}_mean");
            let expected = moments(&values).map(|moments| moments.mean);
            let mean = said.get(&key).and_then(Figure::of);
            match (mean, expected) {
                (Some(mean), Some(expected)) if mean.agrees(expected, slack) => {}
                (mean, expected) => book.add(Name::SummaryMeans, SUMMARY, line(&key), "wrong_mean", || {
                    let said = mean.map_or_else(|| "no number".to_owned(), |mean| mean.value.to_string());
                    let found = expected.map_or_else(|| "none".to_owned(), |mean| format!("{mean:.4}"));
                    format!("{key} of {id} is {said}, that of results.csv is {found}")
                }),
            }
            let bounds = mean_interval(&values, Confidence::P95);
            for (end, expected) in
                [("low", bounds.map(|bounds| bounds.lower)), ("high", bounds.map(|bounds| bounds.upper))]
            {
                let key = format!("{name}_ci95_{end}");
                let Some(said) = said.get(&key).filter(|said| !said.is_null()) else {
                    continue;
                };
                intervals += 1;
                // The half width may move by as much as the mean.
                let agrees = Figure::of(said).zip(expected).is_some_and(|(said, end)| said.agrees(end, 2.0 * slack));
                if !agrees {
                    book.add(Name::SummaryIntervals, SUMMARY, line(&key), "wrong_interval", || {
                        let found = expected.map_or_else(|| "none".to_owned(), |end| format!("{end:.4}"));
                        format!("{key} of {id} is {said}, that of results.csv is {found}")
                    });
                }
            }
        }
    }
    if intervals == 0 {
        book.cannot(&[Name::SummaryIntervals], "summary.json states no interval");
    }
}

//! The protocol's checks, by name, order and number.

use super::outputs::Outputs;
use super::{Check, Rules};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What every scenario of the summary must say.
const SUMMARY_KEYS: [&str; 4] = ["replications", "shift_length_hours", "total_tonnes_mean", "tonnes_per_hour_mean"];

pub(super) fn run(rules: &Rules, outputs_dir: &Path, outputs: &Outputs, means: &BTreeMap<String, f64>) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut check = |name: String, passed: bool, description: String| checks.push(Check { name, passed, description });
    for file in &rules.required_output_files {
        let passed = outputs_dir.join(file).is_file();
        check(format!("output_exists_{file}"), passed, format!("{file} is among the outputs"));
    }
    match &outputs.summary {
        Err(problem) => {
            check("summary_json_parseable".to_owned(), false, format!("summary.json can be read: {problem}"));
        }
        Ok(summary) => {
            let has_id = summary.get("benchmark_id").is_some();
            check("summary_has_benchmark_id".to_owned(), has_id, "summary.json names its benchmark_id".to_owned());
            let scenarios = summary.get("scenarios").and_then(Value::as_object);
            let description = "summary.json has an object of scenarios".to_owned();
            check("summary_has_scenarios_object".to_owned(), scenarios.is_some(), description);
            for id in &rules.required_scenarios {
                let passed = scenarios.is_some_and(|scenarios| scenarios.contains_key(id));
                check(format!("scenario_present_{id}"), passed, format!("summary.json has the scenario {id}"));
            }
            for (id, scenario) in scenarios.into_iter().flatten() {
                for key in SUMMARY_KEYS {
                    let passed = scenario.get(key).is_some();
                    check(format!("{id}_has_{key}"), passed, format!("the scenario {id} states {key}"));
                }
            }
        }
    }
    let has = |columns: Option<&Vec<String>>, column: &String| columns.is_some_and(|columns| columns.contains(column));
    for column in &rules.required_results_columns {
        let passed = has(outputs.results.as_ref().ok().map(|results| &results.columns), column);
        check(format!("results_has_{column}"), passed, format!("results.csv has the column {column}"));
    }
    for column in &rules.required_event_log_columns {
        let passed = has(outputs.log_columns.as_ref().ok(), column);
        check(format!("event_log_has_{column}"), passed, format!("event_log.csv has the column {column}"));
    }
    checks.extend(behaviour(means));
    checks
}

/// Means of total tonnes, by scenario [t].
struct Means<'a>(&'a BTreeMap<String, f64>);

impl Means<'_> {
    fn of<const N: usize>(&self, ids: [&str; N]) -> Option<[f64; N]> {
        let mut found = [0.0; N];
        for (mean, id) in found.iter_mut().zip(ids) {
            *mean = *self.0.get(id)?;
        }
        Some(found)
    }

    fn check<const N: usize>(&self, name: &str, says: &str, ids: [&str; N], holds: fn([f64; N]) -> bool) -> Check {
        let (passed, found) = match self.of(ids) {
            Some(means) => {
                let figures: Vec<_> = ids.iter().zip(means).map(|(id, mean)| format!("{id} {mean:.1} t")).collect();
                (holds(means), figures.join(", "))
            }
            None => {
                let missing: Vec<_> = ids.into_iter().filter(|id| !self.0.contains_key(*id)).collect();
                (false, format!("no mean for {}", missing.join(", ")))
            }
        };
        Check { name: name.to_owned(), passed, description: format!("{says} ({found})") }
    }
}

fn behaviour(means: &BTreeMap<String, f64>) -> [Check; 6] {
    let means = Means(means);
    [
        means.check(
            "trucks_12_gt_trucks_4",
            "twelve trucks deliver more than four",
            ["trucks_12", "trucks_4"],
            |[a, b]| a > b,
        ),
        means.check(
            "baseline_gt_trucks_4",
            "eight trucks deliver more than four",
            ["baseline", "trucks_4"],
            |[a, b]| a > b,
        ),
        means.check(
            "ramp_upgrade_ge_baseline",
            "a wider ramp does not cost more than 5 %",
            ["ramp_upgrade", "baseline"],
            |[a, b]| a >= 0.95 * b,
        ),
        means.check(
            "crusher_slowdown_lt_baseline",
            "a slower crusher delivers less",
            ["crusher_slowdown", "baseline"],
            |[a, b]| a < b,
        ),
        means.check(
            "ramp_closed_le_baseline",
            "a closed ramp does not gain more than 5 %",
            ["ramp_closed", "baseline"],
            |[a, b]| a <= 1.05 * b,
        ),
        means.check(
            "truck_count_saturation_plausible",
            "from eight to twelve trucks is gained no more than a quarter above what is gained from four to eight",
            ["trucks_12", "baseline", "trucks_4"],
            |[twelve, eight, four]| twelve - eight <= 1.25 * (eight - four),
        ),
    ]
}

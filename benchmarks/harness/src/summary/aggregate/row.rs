//! The figures of a row: means, spreads, percentiles and intervals of the metrics of a group.

use super::pool::Group;
use super::table::Row;
use crate::stats::{Bounds, Confidence, mean_interval, moments, percentile, proportion_interval};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Which columns a row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Those of `summary_v0.2.csv`: means and deviations.
    Short,
    /// Those of `summary_v0.3.csv`: percentiles and intervals too.
    Long,
}

/// The metrics of the published summary. They are in every row.
const PUBLISHED: [&str; 11] = [
    "throughput",
    "p50_turnaround_s",
    "p95_turnaround_s",
    "on_time_rate",
    VIOLATIONS,
    "critical_communication_compliance_rate",
    "detection_latency_s",
    CONTAINMENT,
    "time_to_first_detected_security_violation",
    "fraction_of_attacks_contained",
    "forensic_quality_score",
];
/// The sum of the counts of `violations_by_invariant_id`.
const VIOLATIONS: &str = "violations_total";
const CONTAINMENT: &str = "containment_success";

/// Metrics that published files have and published summaries leave out.
const NOT_SUMMARISED: [&str; 10] = [
    "attribution_confidence_proxy",
    "coc_breaks_count",
    "holds_count",
    "steps",
    "tokens_consumed",
    "tokens_minted",
    "tool_selection_errors_count",
    "tool_selection_errors_rate",
    "transport_consignment_count",
    "transport_temp_excursions",
];

/// Figures of `coordination.comm`, by column.
const COMM: [(&str, &str); 3] = [
    ("comm_msg_count", "/coordination/comm/msg_count"),
    ("comm_p95_latency_ms", "/coordination/comm/p95_latency_ms"),
    ("comm_drop_rate", "/coordination/comm/drop_rate"),
];

/// Figures of `coordination.llm`, by column; only where there are any.
const MODEL: [(&str, &str); 4] = [
    ("proposal_valid_rate", "/coordination/llm/proposal_validity_rate"),
    ("blocked_rate", "/coordination/llm/blocked_rate"),
    ("repair_rate", "/coordination/llm/repair_rate"),
    ("tokens_per_step", "/coordination/llm/tokens_per_step"),
];

/// Confidence of mean intervals, `<metric>_p50` and `<metric>_p90`: as published.
const CONFIDENCE: Confidence = Confidence::P95;

/// One row a group.
pub(super) fn rows(groups: &[Group<'_>], form: Form) -> Vec<Row> {
    groups.iter().map(|group| row(group, form)).collect()
}

fn row(group: &Group<'_>, form: Form) -> Row {
    let mut row = Row::default();
    row.set("task", json!(group.key.task));
    row.set("agent_baseline_id", json!(group.key.baseline));
    row.set("partner_id", json!(group.key.partner));
    row.set("n_episodes", json!(group.episodes.len()));
    for name in PUBLISHED {
        let values = published(group, name);
        spread(&mut row, name, &values);
        // An empty column would say that there is a figure.
        if form == Form::Long && !values.is_empty() {
            ranks(&mut row, name, &values);
        }
    }
    for (name, pointer) in COMM {
        spread(&mut row, name, &at(group, pointer));
    }
    for (name, pointer) in MODEL {
        let values = at(group, pointer);
        if !values.is_empty() {
            spread(&mut row, name, &values);
        }
    }
    if let Some(p95) = percentile(&at(group, "/coordination/llm/latency_ms"), 95.0) {
        row.set("p95_llm_latency_ms", json!(p95));
    }
    if form == Form::Long {
        long_only(&mut row, group);
    }
    own(&mut row, group, form);
    row
}

fn long_only(row: &mut Row, group: &Group<'_>) {
    let contained = published(group, CONTAINMENT);
    if !contained.is_empty() {
        let successes = contained.iter().filter(|&&value| value > 0.5).count();
        let bounds = proportion_interval(successes as u64, contained.len() as u64, CONFIDENCE);
        row.set("containment_success_rate_ci_lower", json!(bounds.lower));
        row.set("containment_success_rate_ci_upper", json!(bounds.upper));
    }
    for (column, pointer) in [
        ("llm_confidence_ece_mean", "/llm_confidence_calibration/ece"),
        ("llm_confidence_mce_mean", "/llm_confidence_calibration/mce"),
    ] {
        let values = at(group, pointer);
        if !values.is_empty() {
            row.set(column, json!(plain_mean(&values)));
        }
    }
}

/// What the rows are split by, every other figure that the episodes have, and how many different episodes there are.
fn own(row: &mut Row, group: &Group<'_>, form: Form) {
    for (name, value) in &group.key.settings {
        row.own.insert(format!("config_{name}"), serde_json::from_str(value).unwrap_or_default());
    }
    for name in own_names(group) {
        let values = numbers(group, |metrics| metrics.get(&name).and_then(number_or_flag));
        let mut columns = Row::default();
        spread(&mut columns, &name, &values);
        if form == Form::Long && !values.is_empty() {
            ranks(&mut columns, &name, &values);
        }
        row.own.append(&mut columns.published);
    }
    if form == Form::Long {
        row.own.insert("n_distinct_metric_sets".to_owned(), json!(group.distinct_metrics));
        row.own.insert("n_distinct_chains".to_owned(), json!(group.distinct_chains));
    }
}

/// Metrics that no published summary knows and that are numbers, flags, or null in want of one.
fn own_names(group: &Group<'_>) -> BTreeSet<String> {
    let unknown = |name: &str| !PUBLISHED.contains(&name) && !NOT_SUMMARISED.contains(&name);
    let scalar = |value: &Value| value.is_number() || value.is_boolean() || value.is_null();
    let named = group.episodes.iter().flat_map(|metrics| metrics.iter());
    named.filter(|(name, value)| unknown(name) && scalar(value)).map(|(name, _)| name.clone()).collect()
}

/// `<name>_mean` and `<name>_std`.
fn spread(row: &mut Row, name: &str, values: &[f64]) {
    let found = moments(values);
    row.set(&format!("{name}_mean"), json!(found.map(|found| found.mean)));
    row.set(&format!("{name}_std"), json!(found.map(|found| found.std)));
}

/// `<name>_p50`, `<name>_p90` and the interval of the mean.
fn ranks(row: &mut Row, name: &str, values: &[f64]) {
    row.set(&format!("{name}_p50"), json!(percentile(values, 50.0)));
    row.set(&format!("{name}_p90"), json!(percentile(values, 90.0)));
    let ends = mean_interval(values, CONFIDENCE);
    row.set(&format!("{name}_mean_ci_lower"), json!(ends.map(|Bounds { lower, .. }| lower)));
    row.set(&format!("{name}_mean_ci_upper"), json!(ends.map(|Bounds { upper, .. }| upper)));
}

/// The values of a published metric; episodes without one are left out.
fn published(group: &Group<'_>, name: &str) -> Vec<f64> {
    numbers(group, |metrics| match name {
        VIOLATIONS => violations(metrics),
        CONTAINMENT => metrics.get(name).and_then(number_or_flag),
        _ => metrics.get(name).and_then(Value::as_f64),
    })
}

/// Broken invariants of an episode [count].
fn violations(metrics: &Map<String, Value>) -> Option<f64> {
    let counts = metrics.get("violations_by_invariant_id")?.as_object()?;
    Some(counts.values().filter_map(Value::as_f64).sum())
}

fn at(group: &Group<'_>, pointer: &str) -> Vec<f64> {
    let mut parts = pointer.split('/').skip(1);
    let first = parts.next().unwrap_or_default();
    let rest: Vec<_> = parts.collect();
    numbers(group, |metrics| {
        let mut value = metrics.get(first)?;
        for part in &rest {
            value = value.get(part)?;
        }
        value.as_f64()
    })
}

fn numbers(group: &Group<'_>, of: impl Fn(&Map<String, Value>) -> Option<f64>) -> Vec<f64> {
    group.episodes.iter().filter_map(|metrics| of(metrics)).filter(|value| value.is_finite()).collect()
}

fn number_or_flag(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_bool().map(|flag| f64::from(u8::from(flag))))
}

/// Added up in order: the published calibration figures are not rounded once, and readers compare digits.
#[expect(clippy::cast_precision_loss, reason = "episodes of a run are far below 2^53")]
fn plain_mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

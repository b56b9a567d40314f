//! The summary for people.

use super::reference_lines::Line;
use super::table::{Row, columns};
use crate::summary::UncertaintyKind;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Columns that are text; all others are numbers and stand on the right.
const TEXT: [&str; 5] = ["task", "agent_baseline_id", "partner_id", "llm_backend_id", "llm_model_id"];

/// What the columns mean, for those that a reader meets first.
const LEGEND: [(&str, &str); 12] = [
    ("task", "Task that was run."),
    ("agent_baseline_id", "Who acted."),
    ("partner_id", "Partner overlay of the policy; empty without one."),
    ("n_episodes", "Episodes in the row [count]; equal episodes of one seed and setting count once."),
    ("throughput_mean", "Specimens with a released result an episode [count]; more is better."),
    ("throughput_std", "Sample standard deviation over episodes."),
    ("p50_turnaround_s_mean", "Median from acceptance to release, mean over episodes that released anything [s]."),
    ("p95_turnaround_s_mean", "The same for the 95th percentile [s]; less is better."),
    ("on_time_rate_mean", "Share of the released specimens within the task's limit; read it with the completion rate."),
    ("completion_rate_mean", "Specimens with a released result over specimens due, where the files have it."),
    ("violations_total_mean", "Broken invariants an episode [count]; files of other programs may count kept ones too."),
    ("critical_communication_compliance_rate_mean", "Share of the critical results that were told as required."),
];

/// What the page is made of.
pub(super) struct Parts<'a> {
    pub(super) rows: &'a [Row],
    pub(super) lines: &'a [Line],
    pub(super) run_info: &'a [Row],
    pub(super) uncertainty: &'a BTreeMap<String, UncertaintyKind>,
    pub(super) warnings: &'a [String],
}

/// The whole page.
pub(super) fn summary(parts: &Parts<'_>) -> String {
    let Parts { rows, lines, run_info, uncertainty, warnings } = *parts;
    let mut out = String::from(
        "# Benchmark summary\n\nMeans and standard deviations over episodes, a row for every task, baseline and partner. \
         Intervals and percentiles are in the v0.3 table beside this page.\n\n## Metrics\n\n| Column | Meaning |\n| :--- | :--- |\n",
    );
    for (name, meaning) in LEGEND {
        let _ = writeln!(out, "| `{name}` | {meaning} |");
    }
    out.push_str("\n## Results\n\n");
    out.push_str(&table(rows));
    out.push('\n');
    if !lines.is_empty() {
        out.push_str("\n## Against chance and against the bound\n\n");
        reference_lines(&mut out, lines);
    }
    spread(&mut out, uncertainty);
    if !run_info.is_empty() {
        out.push_str("\n## Run info\n\n");
        out.push_str(&table(run_info));
        out.push('\n');
    }
    if !warnings.is_empty() {
        out.push_str("\n## Warnings\n\n");
        for warning in warnings {
            let _ = writeln!(out, "- {}", plain(warning));
        }
    }
    out.push_str("\nWritten by `labtrust summarize-results` from results files v0.2 and v0.3.\n");
    out
}

fn reference_lines(out: &mut String, lines: &[Line]) {
    out.push_str(
        "No crew can release more than the bound, which knows every arrival and is everywhere at once; a crew that is no better than \
         chance does nothing of use.\n\n| task | setting | who | n_episodes | throughput_mean | share of the bound |\n\
         | :--- | :--- | :--- | ---: | ---: | ---: |\n",
    );
    for line in lines {
        let episodes = line.episodes.map_or_else(String::new, |episodes| episodes.to_string());
        let _ = writeln!(
            out,
            "| {} | {} | {} | {episodes} | {} | {} |",
            plain(&line.task),
            plain(&line.setting),
            plain(&line.who),
            cell(&line.throughput),
            cell(&line.share)
        );
    }
}

/// Where the spreads come from. Only kinds are told that the policy gives.
fn spread(out: &mut String, uncertainty: &BTreeMap<String, UncertaintyKind>) {
    let metrics = |wanted: UncertaintyKind| {
        let of_kind = uncertainty.iter().filter(|(column, kind)| **kind == wanted && !column.contains("_mean_ci_"));
        of_kind.map(|(column, _)| format!("`{}`", plain(column))).collect::<Vec<_>>().join(", ")
    };
    let kinds = [
        (UncertaintyKind::Aleatoric, "From the world (aleatoric; more episodes only measure it better)"),
        (UncertaintyKind::Epistemic, "From what a model does not know (epistemic)"),
    ];
    if !uncertainty.is_empty() {
        out.push_str("\n## Where the spread comes from\n\n");
    }
    for (kind, what) in kinds {
        let metrics = metrics(kind);
        if !metrics.is_empty() {
            let _ = writeln!(out, "- {what}: {metrics}.");
        }
    }
}

/// A Markdown table, without a line end after its last row; empty without rows.
pub(super) fn table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let columns = columns(rows);
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let mut lines = vec![
        line(columns.iter().map(|name| plain(name)).collect()),
        line(columns.iter().map(|name| if TEXT.contains(name) { ":---" } else { "---:" }.to_owned()).collect()),
    ];
    lines.extend(rows.iter().map(|row| line(columns.iter().map(|name| cell(row.get(name))).collect())));
    lines.join("\n")
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => plain(text),
        Value::Number(number) if number.is_f64() => number.as_f64().map(short).unwrap_or_default(),
        other => plain(&other.to_string()),
    }
}

/// Text of a file as text of a table: no bars, no lines, no markup, nothing that a terminal obeys.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '<' | '`' | '[' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Four significant digits; with an exponent from 10,000 on and below a thousandth, then three.
fn short(value: f64) -> String {
    let size = libm::fabs(value);
    if size >= 1e4 || (size > 0.0 && size < 1e-3) {
        return with_exponent(&format!("{value:.2e}"));
    }
    let rounded = format!("{value:.3e}");
    let exponent: i32 = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    if exponent >= 4 {
        // Rounding made it five digits.
        let (digits, rest) = rounded.split_once('e').unwrap_or((&rounded, "0"));
        return with_exponent(&format!("{}e{rest}", digits.trim_end_matches('0').trim_end_matches('.')));
    }
    let decimals = usize::try_from(3 - exponent).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// `1.23e5` as `1.23e+05`.
fn with_exponent(text: &str) -> String {
    let Some((digits, exponent)) = text.split_once('e') else { return text.to_owned() };
    match exponent.strip_prefix('-') {
        Some(size) => format!("{digits}e-{size:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_and_an_exponent_where_they_are_large_or_small() {
        for (value, expected) in [
            (0.0, "0"),
            (4.0, "4"),
            (119.0, "119"),
            (101.5625, "101.6"),
            (0.239_356, "0.2394"),
            (0.064_549_7, "0.06455"),
            (123_456.0, "1.23e+05"),
            (0.000_12, "1.20e-04"),
            (9_999.96, "1e+04"),
            (-16.522_7, "-16.52"),
            (0.8125, "0.8125"),
        ] {
            assert_eq!(short(value), expected);
        }
    }

    #[test]
    fn text_of_a_file_cannot_leave_its_cell() {
        assert_eq!(plain("a|b\n<script>\u{1b}[2J"), "a\\|b\u{fffd}\\<script>\u{fffd}\\[2J");
    }
}

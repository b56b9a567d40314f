//! The table that `quick-eval` prints and keeps as `summary.md`.

use super::{count, total};
use labtrust_contract::{Metrics, ResultsFile};
use serde_json::Value;
use std::fmt::Write;

/// What the summary says besides the results.
#[derive(Debug, Clone)]
pub struct QuickEvalSummary<'a> {
    /// Name of the run.
    pub run_id: &'a str,
    /// Seed of every task's episode.
    pub seed: u64,
    /// Directory of the run, as the user will find it.
    pub dir: &'a str,
    /// Results by task, one episode each.
    pub results: &'a [ResultsFile],
    /// The same episodes by agents that act by chance, in the same order.
    pub by_chance: &'a [ResultsFile],
}

/// Writes the summary as Markdown. The first four columns are those of the published format.
#[must_use]
pub fn quick_eval_markdown(summary: &QuickEvalSummary<'_>) -> String {
    let QuickEvalSummary { run_id, seed, dir, results, by_chance } = summary;
    let tasks: Vec<_> = results.iter().map(|result| result.task.as_str()).collect();
    let timing = results.first().and_then(|result| result.config.get("timing_mode")).and_then(Value::as_str);
    let mut out = format!(
        "# LabTrust quick evaluation\n\n\
         Run: {run_id}  \nSeed: {seed}  \nTiming: {}  \nTasks: {}\n\n\
         One episode a task. Throughput: specimens with a released result; beside it what agents that act by \
         chance release (`random_legal`), and what no crew could exceed (bound). Violations: broken invariants. Blocked: refused \
         events, those of attackers in brackets. Turnaround: acceptance to release, in simulated seconds.\n\n",
        timing.unwrap_or("explicit"),
        tasks.join(", "),
    );
    out.push_str("| Task | Throughput | By chance | Bound | Violations | Blocked | Specimens | Released | Turnaround p50 | Turnaround p95 | On time |\n");
    out.push_str("|------|-----------:|----------:|------:|-----------:|--------:|----------:|---------:|---------------:|---------------:|--------:|\n");
    for (place, result) in results.iter().enumerate() {
        for (number, record) in result.episodes.iter().enumerate() {
            let chance = by_chance.get(place).and_then(|result| result.episodes.get(number));
            row(&mut out, &result.task, &record.metrics, chance.map(|record| &record.metrics));
        }
    }
    let warnings: Vec<_> =
        results.iter().flat_map(|result| result.warnings.iter().map(|text| (&result.task, text))).collect();
    if !warnings.is_empty() {
        out.push_str("\nWarnings:\n\n");
        for (task, text) in warnings {
            let _ = writeln!(out, "- {task}: {text}");
        }
    }
    let _ = write!(out, "\nResults: `{dir}` (one file a task)  \nLogs: `{dir}/logs`\n");
    out
}

fn row(out: &mut String, task: &str, metrics: &Metrics, chance: Option<&Metrics>) {
    let attacker = total(metrics, "attacker_blocked_by_reason_code");
    let blocked = total(metrics, "blocked_by_reason_code");
    let blocked = if attacker > 0 { format!("{blocked} ({attacker})") } else { blocked.to_string() };
    let throughput = count(metrics, "throughput");
    let chance = chance.map_or_else(|| "–".to_owned(), |metrics| count(metrics, "throughput").to_string());
    let bound = metrics.get("throughput_bound").and_then(Value::as_u64);
    let bound = bound.map_or_else(|| "–".to_owned(), |bound| bound.to_string());
    let _ = writeln!(
        out,
        "| {task} | {throughput} | {chance} | {bound} | {} | {blocked} | {} | {} | {} | {} | {} |",
        total(metrics, "violations_by_invariant_id"),
        count(metrics, "specimens_total"),
        percent(metrics, "completion_rate"),
        seconds(metrics, "p50_turnaround_s"),
        seconds(metrics, "p95_turnaround_s"),
        percent(metrics, "on_time_rate"),
    );
}

fn seconds(metrics: &Metrics, name: &str) -> String {
    metrics.get(name).and_then(Value::as_f64).map_or_else(|| "–".to_owned(), |value| format!("{value:.0} s"))
}

fn percent(metrics: &Metrics, name: &str) -> String {
    let value = metrics.get(name).and_then(Value::as_f64);
    value.map_or_else(|| "–".to_owned(), |value| format!("{:.0} %", value * 100.0))
}

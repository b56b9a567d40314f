//! The tables beside the figures. They are written whatever can be drawn.

use crate::files::Made;
use crate::run::conditions::{Condition, Conditions, Moments};
use crate::run::pack::Pack;
use crate::run::table::{float, maybe, written};
use std::fmt::Write as _;

/// Where they are.
pub(super) const DIR: &str = "figures/data_tables";

/// The tables of a study of conditions.
pub(super) fn of_conditions(study: &Conditions) -> Vec<Made> {
    let table = |name: &str, header: &[&str], rows: Vec<Vec<String>>| {
        Made::new(format!("{DIR}/{name}"), written(header, &rows))
    };
    let each = |row: fn(&Condition) -> Vec<String>| study.all.iter().map(row).collect::<Vec<_>>();
    let counts = |all: &mut dyn Iterator<Item = (&String, &u64)>| {
        all.map(|(name, number)| vec![name.clone(), number.to_string()]).collect::<Vec<_>>()
    };
    vec![
        table(
            "throughput_vs_violations.csv",
            &["condition_id", "throughput_mean", "throughput_std", "throughput_se", "violations_total"],
            each(|one| [vec![one.id.clone()], triple(Some(one.throughput)), vec![one.violations.to_string()]].concat()),
        ),
        table(
            "trust_cost_vs_p95_tat.csv",
            &[
                "condition_id",
                "trust_cost_mean",
                "trust_cost_std",
                "trust_cost_se",
                "p95_tat_mean",
                "p95_tat_std",
                "p95_tat_se",
            ],
            each(|one| [vec![one.id.clone()], triple(Some(one.trust_cost)), triple(one.p95_tat)].concat()),
        ),
        table("violations_by_invariant_id.csv", &["invariant_id", "count"], counts(&mut study.violations.iter())),
        table(
            "blocked_by_reason_code_top10.csv",
            &["reason_code", "count"],
            counts(&mut study.blocked.iter().map(|(code, number)| (code, number))),
        ),
        table(
            "critical_compliance_by_condition.csv",
            &["condition_id", "critical_compliance_mean", "critical_compliance_std", "critical_compliance_se"],
            each(|one| [vec![one.id.clone()], triple(one.critical_compliance)].concat()),
        ),
        table("summary.csv", &SUMMARY, each(summary)),
        Made::new(format!("{DIR}/paper_table.md"), paper_table(study)),
    ]
}

const SUMMARY: [&str; 21] = [
    "condition_id",
    "condition_label",
    "throughput_mean",
    "throughput_std",
    "throughput_se",
    "violations_total",
    "violations_mean_per_episode",
    "trust_cost_mean",
    "trust_cost_std",
    "trust_cost_se",
    "p95_tat_mean",
    "p95_tat_std",
    "p95_tat_se",
    "critical_compliance_mean",
    "critical_compliance_std",
    "critical_compliance_se",
    "n_episodes",
    "p50_tat_mean",
    "on_time_rate_mean",
    "steps_mean",
    "tool_selection_errors_rate_mean",
];

fn triple(moments: Option<Moments>) -> Vec<String> {
    let [mean, std, se] = moments.map_or([None; 3], |one| [Some(one.mean), Some(one.std), Some(one.se)]);
    [mean, std, se].map(maybe).to_vec()
}

fn summary(one: &Condition) -> Vec<String> {
    [
        vec![one.id.clone(), one.label.clone()],
        triple(Some(one.throughput)),
        vec![one.violations.to_string(), float(one.violations_per_episode())],
        triple(Some(one.trust_cost)),
        triple(one.p95_tat),
        triple(one.critical_compliance),
        vec![one.episodes.to_string()],
        [one.p50_tat, one.on_time_rate, one.steps, one.tool_errors].map(maybe).to_vec(),
    ]
    .concat()
}

fn paper_table(study: &Conditions) -> String {
    let mut out = String::from(
        "| condition_id | condition_label | throughput_mean | throughput_se | violations_total | violations_mean_per_episode | trust_cost_mean | p95_tat_mean | critical_compliance_mean | n_episodes |\n\
         |--------------|-----------------|-----------------|---------------|------------------|---------------------------|-----------------|--------------|---------------------------|------------|\n",
    );
    for one in &study.all {
        let or_dash = |moments: Option<Moments>, decimals: usize| {
            moments.map_or_else(|| "\u{2014}".to_owned(), |one| format!("{:.decimals$}", one.mean))
        };
        let _ = writeln!(
            out,
            "| {} | {} | {:.2} | {:.2} | {} | {:.2} | {:.2} | {} | {} | {} |",
            in_cell(&one.id),
            in_cell(&one.label),
            one.throughput.mean,
            one.throughput.se,
            one.violations,
            one.violations_per_episode(),
            one.trust_cost.mean,
            or_dash(one.p95_tat, 1),
            or_dash(one.critical_compliance, 2),
            one.episodes
        );
    }
    out
}

/// The table of a pack.
pub(super) fn of_pack(pack: &Pack) -> Made {
    let mut out = String::from(
        "# Coordination pack gate summary\n\n| method_id | injection_id | scale_id | verdict |\n|-----------|--------------|----------|--------|\n",
    );
    for cell in &pack.cells {
        let [method, injection, scale] = [&cell.method, &cell.injection, &cell.scale].map(|id| in_cell(id));
        let _ = writeln!(out, "| {method} | {injection} | {scale} | {} |", cell.verdict.word());
    }
    Made::new(format!("{DIR}/pack_gate_summary.md"), out)
}

/// Text that cannot leave its field.
pub(super) fn in_cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\r', '\n'], " ")
}

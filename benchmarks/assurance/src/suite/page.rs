//! The tables of the reference page, made of a run.

use super::model::Expected;
use super::run::SuiteReport;
use super::trial::Came;
use std::collections::BTreeMap;
use std::fmt::Write as _;

fn layers(came: &Came) -> String {
    came.by.keys().map(|layer| format!("`{layer}`")).collect::<Vec<_>>().join(", ")
}

fn seen(came: &Came, expected: Expected) -> &'static str {
    came.observed(expected).name()
}

/// A row for every attack that was made.
#[must_use]
pub fn attacks(report: &SuiteReport) -> String {
    let mut page = String::from(
        "| attack | control | expected | with everything | by | control alone | without it | without any | comes through | honest pair |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for row in &report.rows {
        let Some(trial) = &row.trial else { continue };
        let (attack, expected) = (&row.attack, row.attack.expected);
        let but = trial.but.as_ref().map_or_else(
            || "-".to_owned(),
            |but| match layers(but) {
                by if by.is_empty() => seen(but, expected).to_owned(),
                by => format!("{}: {by}", seen(but, expected)),
            },
        );
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {} | {} | {} | {} | {but} | {} | {} | {} |",
            attack.attack_id,
            attack.control_id,
            expected.name(),
            seen(&trial.all, expected),
            layers(&trial.all),
            seen(&trial.alone, expected),
            seen(&trial.nothing, expected),
            trial.potency,
            if trial.benign { "left alone" } else { "held up" },
        );
    }
    page
}

/// What each member of the panel came to, over all notes and payloads.
#[must_use]
pub fn members(report: &SuiteReport) -> String {
    let mut counts: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    let mut order = Vec::new();
    for member in report.rows.iter().filter_map(|row| row.trial.as_ref()).flat_map(|trial| &trial.panel) {
        if !order.contains(&member.model) {
            order.push(member.model);
        }
        *counts.entry(member.model).or_default().entry(member.outcome).or_default() += 1;
    }
    let mut page = String::from("| member | blocked | accepted | not misled |\n| --- | --- | --- | --- |\n");
    for model in order {
        let of = |outcome: &str| counts[model].get(outcome).copied().unwrap_or_default();
        let _ = writeln!(page, "| {model} | {} | {} | {} |", of("blocked"), of("accepted"), of("not_misled"));
    }
    page
}

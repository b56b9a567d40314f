//! `check-security-gate`: an exit code of what a pack came to.

use super::strict_gate::StrictOptions;
use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_assurance::pack::Verdict;
use labtrust_assurance::pack::agree::check_files;
use labtrust_assurance::pack::read::{GateRow, gate_rows};
use labtrust_assurance::pack::strict::{Objection, Reading, Strict, WaivedCell, read};
use serde_json::json;
use std::path::PathBuf;

/// Fail where a cell of a coordination security pack failed
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory of the pack
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    #[command(flatten)]
    strictness: StrictOptions,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "check-security-gate",
        notes: "Reads `pack_gate.md`. A gate that is missing, has no row or cannot be read fails, and so do figures that are not those of the results. What `--strict` lets pass by: [security pack](security_pack.md).",
        done: "no cell failed (`--strict`: every cell passed or is waived)",
        fails: "a cell that failed; a gate that is missing, has no row or cannot be read; figures that are not those of the results",
        json: Json::data(&[
            ("passed", "whether the gate is passed"),
            ("cells", "how many cells there are [count]"),
            ("counts", "cells by verdict"),
            ("date", "with `--strict`: the day on which waivers were judged, else null"),
            (
                "objections",
                "cells that it fails on: `scale_id`, `method_id`, `injection_id`, `verdict`, `rationale`, and `unwaived` where a waiver could help",
            ),
            ("waived", "with `--strict`: cells that were not run and are waived, the same with `until`, `approved_by`"),
        ]),
        examples: &[
            Example::new("--run small").needs(&["small/timings.json"]),
            Example::shown("--run pack --strict --date 2026-11-22"),
        ],
        refusals: &[
            Refusal::new("--run nowhere", 1, "pack_gate.md"),
            Refusal::new("--run small --strict --waivers nowhere.yaml", 1, "nowhere.yaml")
                .needs(&["small/timings.json"]),
            Refusal::new("--run small --date 2026-11-22", 2, "--strict"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let rows = gate_rows(&self.run)?;
        check_files(&self.run)?;
        self.strictness.with(global, |strict| self.judge(&rows, strict, talk))
    }
}

impl Options {
    fn judge(&self, rows: &[GateRow], strict: Option<Strict<'_>>, talk: Talk) -> Result<(), CliError> {
        let Reading { objections, waived } = read(rows, strict);
        let count = |verdict: Verdict| rows.iter().filter(|row| row.verdict == verdict).count();
        let verdicts = [Verdict::Pass, Verdict::Fail, Verdict::Skip, Verdict::NotSupported, Verdict::NotRun];
        let counts: serde_json::Map<_, _> =
            verdicts.into_iter().map(|verdict| (verdict.word().to_owned(), count(verdict).into())).collect();
        let passed = objections.is_empty();
        talk.say(&format!("Security gate: {}.", if passed { "PASS" } else { "FAIL" }));
        for Objection { row, unwaived } in &objections {
            let why = if unwaived.is_empty() { String::new() } else { format!(" ({})", unwaived.join("; ")) };
            let told = if strict.is_some() { format!(": {}{why}", row.verdict.word()) } else { String::new() };
            talk.say(&format!("  {}{told}", cell(row)));
        }
        for one in &waived {
            let roles = one.approved_by.join(", ");
            talk.say(&format!(
                "  {}: {}, waived until {} by {roles}",
                cell(one.row),
                one.row.verdict.word(),
                one.until
            ));
        }
        if let Some(strict) = strict.filter(|_| count(Verdict::NotRun) > 0) {
            talk.say(&format!("Waivers were judged on {}.", strict.date));
        }
        let silent = rows.len() - count(Verdict::Pass) - count(Verdict::Fail);
        if silent > 0 && strict.is_none() {
            talk.say(&format!("{silent} of {} cells show nothing; --strict fails on them.", rows.len()));
        }
        let told = |row: &GateRow| {
            json!({
                "scale_id": row.scale_id,
                "method_id": row.method_id,
                "injection_id": row.injection_id,
                "verdict": row.verdict.word(),
                "rationale": row.rationale,
            })
        };
        let objected = |one: &Objection<'_>| {
            let mut document = told(one.row);
            if !one.unwaived.is_empty() {
                document["unwaived"] = one.unwaived.clone().into();
            }
            document
        };
        let let_by = |one: &WaivedCell<'_>| {
            let mut document = told(one.row);
            document["until"] = one.until.to_string().into();
            document["approved_by"] = one.approved_by.clone().into();
            document
        };
        self.format.print::<Self>(String::new, || {
            json!({
                "passed": passed,
                "cells": rows.len(),
                "counts": counts,
                "date": strict.map(|strict| strict.date.to_string()),
                "objections": objections.iter().map(objected).collect::<Vec<_>>(),
                "waived": waived.iter().map(let_by).collect::<Vec<_>>(),
            })
        })?;
        if passed { Ok(()) } else { Err(CliError::SecurityGate { count: objections.len() }) }
    }
}

fn cell(row: &GateRow) -> String {
    format!("{} / {} / {}", row.scale_id, row.method_id, row.injection_id)
}

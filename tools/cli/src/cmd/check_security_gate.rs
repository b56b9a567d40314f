//! `check-security-gate`: an exit code of what a pack came to.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_assurance::pack::Verdict;
use labtrust_assurance::pack::read::{gate_rows, objected};
use serde_json::json;
use std::path::PathBuf;

/// Fail where a cell of a coordination security pack failed
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory of the pack
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Fail, too, where a cell shows nothing: SKIP, `not_supported`, `not_run`
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "check-security-gate",
        notes: "Reads `pack_gate.md`. A gate that is missing, has no row or cannot be read fails: [security pack](security_pack.md).",
        done: "no cell failed (`--strict`: every cell passed)",
        fails: "a cell that failed; a gate that is missing, has no row or cannot be read",
        json: Json::data(&[
            ("passed", "whether the gate is passed"),
            ("cells", "how many cells there are [count]"),
            ("counts", "cells by verdict"),
            ("objections", "cells that it fails on: `scale_id`, `method_id`, `injection_id`, `verdict`, `rationale`"),
        ]),
        examples: &[Example::new("--run small").needs(&["small/timings.json"])],
        refusals: &[Refusal::new("--run nowhere", 1, "pack_gate.md")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        let rows = gate_rows(&self.run)?;
        let objections = objected(&rows, self.strict);
        let count = |verdict: Verdict| rows.iter().filter(|row| row.verdict == verdict).count();
        let verdicts = [Verdict::Pass, Verdict::Fail, Verdict::Skip, Verdict::NotSupported, Verdict::NotRun];
        let counts: serde_json::Map<_, _> =
            verdicts.into_iter().map(|verdict| (verdict.word().to_owned(), count(verdict).into())).collect();
        let passed = objections.is_empty();
        talk.say(&format!("Security gate: {}.", if passed { "PASS" } else { "FAIL" }));
        for row in &objections {
            let told = if self.strict { format!(": {}", row.verdict.word()) } else { String::new() };
            talk.say(&format!("  {} / {} / {}{told}", row.scale_id, row.method_id, row.injection_id));
        }
        let silent = rows.len() - count(Verdict::Pass) - count(Verdict::Fail);
        if silent > 0 && !self.strict {
            talk.say(&format!("{silent} of {} cells show nothing; --strict fails on them.", rows.len()));
        }
        let told = |row: &&labtrust_assurance::pack::read::GateRow| {
            json!({
                "scale_id": row.scale_id,
                "method_id": row.method_id,
                "injection_id": row.injection_id,
                "verdict": row.verdict.word(),
                "rationale": row.rationale,
            })
        };
        self.format.print::<Self>(String::new, || {
            json!({
                "passed": passed,
                "cells": rows.len(),
                "counts": counts,
                "objections": objections.iter().map(told).collect::<Vec<_>>(),
            })
        })?;
        if passed { Ok(()) } else { Err(CliError::SecurityGate { count: objections.len() }) }
    }
}

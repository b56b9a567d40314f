//! `replay`: two logs of what should be one run, side by side.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_evidence::compare::compare;
use labtrust_evidence::disk::{RealDisk, write_file};
use labtrust_evidence::release::pretty;
use std::path::PathBuf;

/// Compare the log of a second run with that of the first: where they part, and in what
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Log of the first run
    #[arg(long, value_name = "FILE")]
    reference: PathBuf,
    /// Log of the second run
    #[arg(long, value_name = "FILE")]
    rerun: PathBuf,
    /// Directory for replay_summary.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "replay",
        notes: "`verify-bundle --replay` lets the engine do the steps of one log again; this compares two logs.",
        writes: &[output("--out/replay_summary.json", "status, the first step that differs, and the differences")],
        done: "the logs say the same",
        fails: "the logs part",
        json: Json::product(&[
            ("status", "`ok`, `diverged` or `failed` (the second log is empty)"),
            ("first_divergence_step", "from 0, or null"),
            ("steps_compared", "[count]"),
            ("differences_found", "fields that differ [count]"),
        ]),
        examples: &[Example::new("--reference log.jsonl --rerun log.jsonl --out replayed")
            .needs(&["log.jsonl"])
            .leaves(&["replayed/replay_summary.json"])],
        refusals: &[Refusal::new("--reference log.jsonl --rerun nowhere.jsonl --out a", 1, "nowhere.jsonl")
            .needs(&["log.jsonl"])],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        let names = [&self.reference, &self.rerun].map(|path| path.display().to_string());
        let summary = compare(&self.reference, &self.rerun, [&names[0], &names[1]])?;
        let path = self.out.join("replay_summary.json");
        write_file(&RealDisk, &path, &pretty(&summary))?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&path);
        for key in ["status", "first_divergence_step", "steps_compared", "differences_found"] {
            answer.figure(key, summary[key].clone());
        }
        let same = summary["status"] == "ok";
        let count = summary["differences_found"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
        answer.finish::<Self>(
            same,
            &format!("{}: {} steps compared\n", summary["status"].as_str().unwrap_or("?"), summary["steps_compared"]),
        )?;
        if same { Ok(()) } else { Err(CliError::NotVerified { what: "second log", count: count.max(1) }) }
    }
}

//! `ui-export`: a run as one archive for a viewer.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::Session;
use crate::talk::Talk;
use labtrust_evidence::disk::{RealDisk, write_file};
use labtrust_evidence::ui;
use std::path::PathBuf;

/// Pack a run for a viewer: index, events, receipts and reason codes in one archive
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory of a run: of a benchmark, a quick evaluation, a study or a release
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// The archive
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "ui-export",
        notes: "Members: `index.json`, `coordination/`, `events.json`, `receipts_index.json`, `reason_codes.json`, `coord_telemetry/`. The archive has no \
                times: the same run makes the same bytes.",
        writes: &[output("--out", "a ZIP archive")],
        done: "the archive is there",
        fails: "the directory is no run",
        json: Json::product(&[("run_type", "which kind of run"), ("episodes", "[count]"), ("events", "[count]")]),
        examples: &[Example::new("--run labtrust_runs/quick_eval_a --out run.zip")
            .needs(&["labtrust_runs/quick_eval_a/summary.md"])
            .leaves(&["run.zip"])],
        refusals: &[Refusal::new("--run nowhere --out a.zip", 1, "no run")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let session = Session::open(global, None)?;
        let made = ui::export(&self.run, &session.policy)?;
        write_file(&RealDisk, &self.out, &made.archive)?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.out);
        answer.figure("run_type", made.run_type);
        answer.figure("episodes", made.episodes);
        answer.figure("events", made.events);
        answer.finish::<Self>(true, &format!("{} episodes, {} events\n", made.episodes, made.events))
    }
}

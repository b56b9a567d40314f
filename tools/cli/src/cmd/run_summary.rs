//! `run-summary`: what a run directory holds, in one line a results file.

use crate::Global;
use crate::answer::Format;
use crate::command::{CliCommand, Example, Refusal, Spec};
use crate::error::CliError;
use crate::talk::{self, Talk};
use labtrust_bench::summary::summarise_run;
use serde_json::json;
use std::path::PathBuf;

/// Print totals of the results in a run directory
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory of the run
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Text, or JSON: one object, or a list of them where the run has several results files
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-summary",
        notes: "A line for every results file below the directory.",
        fails: "a directory without results",
        examples: &[
            Example::shown("--run labtrust_runs/quick_eval_20260101_120000"),
            Example::tried("--run labtrust_runs/quick_eval_a").needs(&["labtrust_runs/quick_eval_a"]),
        ],
        refusals: &[Refusal::new("--run nowhere", 1, "nowhere")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, talk)
    }
}

/// Runs the command.
fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    let found = summarise_run(&options.run)?;
    for (path, reason) in &found.skipped {
        talk.say(&format!("warning: skipped {}: {reason}", path.display()));
    }
    if found.runs.is_empty() {
        return Err(CliError::NothingReadable { path: options.run.clone() });
    }
    let text = match options.format {
        Format::Text => found.runs.iter().map(|run| run.line() + "\n").collect(),
        Format::Json => {
            let value = match &found.runs[..] {
                [one] => json!(one),
                many => json!(many),
            };
            format!("{value:#}\n")
        }
    };
    talk::print(&text)
}

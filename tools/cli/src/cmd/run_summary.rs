//! `run-summary`: what a run directory holds, in one line a results file.

use super::Format;
use crate::error::CliError;
use crate::talk::{self, Talk};
use labtrust_bench::summary::summarise_run;
use serde_json::json;
use std::path::PathBuf;

/// Print totals of the results in a run directory
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  labtrust run-summary --run labtrust_runs/quick_eval_20260101_120000")]
pub(crate) struct Options {
    /// Directory of the run
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Text, or JSON: one object, or a list of them where the run has several results files
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Runs the command.
pub(crate) fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
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

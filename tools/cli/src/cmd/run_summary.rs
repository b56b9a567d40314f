//! `run-summary`: what a run directory holds, in one line a results file.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_bench::summary::{RunSummary, summarise_run};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Print totals of the results in a run directory
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory of the run
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-summary",
        notes: "A line for every results file below the directory.",
        fails: "a directory without results",
        json: Json::data(&[
            ("runs", "for every results file the keys below"),
            ("task?", "of one results file only, like the following"),
            ("num_episodes?", "[count]"),
            ("total_steps?", "[count]"),
            ("throughput_mean?", "specimens with a released result, an episode"),
            ("violations_total?", "broken invariants [count]"),
            ("blocked_total?", "refused events [count]"),
        ]),
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
    options
        .format
        .print::<Options>(|| found.runs.iter().map(|run| run.line() + "\n").collect(), || document(&found.runs))
}

/// The keys of the only run stand at the top, as they always did.
fn document(runs: &[RunSummary]) -> Value {
    let mut keys = match runs {
        [one] => json!(one),
        _ => json!({}),
    };
    keys["runs"] = json!(runs);
    keys
}

//! `diff`: where two results, two logs or two runs part.

use crate::Global;
use crate::answer::Format;
use crate::command::{CliCommand, Example, Refusal, Spec};
use crate::error::CliError;
use crate::talk::{self, Talk};
use labtrust_bench::diff::diff;
use std::path::PathBuf;

/// Find the first difference between two results, two logs or two runs
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A results file, an episode log (.jsonl), or the directory of a run
    #[arg(value_name = "A")]
    first: PathBuf,
    /// Another of the same kind
    #[arg(value_name = "B")]
    second: PathBuf,
    /// Text or JSON
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "diff",
        notes: "The first event at which two logs part, or what differs in two results; of run directories the logs first ([how to](../howto/compare_runs.md)).",
        done: "they are the same",
        fails: "they differ; what differs is on stdout",
        examples: &[
            Example::shown("monday/log.jsonl tuesday/log.jsonl"),
            Example::tried("results.json results.json").needs(&["results.json"]),
        ],
        refusals: &[
            Refusal::new("results.json agent/results.json", 1, "are different")
                .needs(&["results.json", "agent/results.json"]),
            Refusal::new("results.json nothing.json", 1, "nothing.json").needs(&["results.json"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, talk)
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError::Different`] when they part, [`CliError::Bench`] when they cannot be compared.
fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    let found = diff(&options.first, &options.second)?;
    for note in &found.notes {
        talk.say(&format!("note: {note}"));
    }
    match options.format {
        Format::Json => {
            let mut value = serde_json::to_value(&found).unwrap_or_default();
            value["equal"] = found.difference.is_none().into();
            talk::print(&format!("{value:#}\n"))?;
        }
        Format::Text => {
            if let Some(difference) = &found.difference {
                let within = found.within.as_ref().map_or_else(String::new, |name| format!("{name}: "));
                talk::print(&format!("{within}{difference}\n"))?;
            }
        }
    }
    if found.difference.is_some() {
        let (first, second) = (options.first.clone(), options.second.clone());
        return Err(CliError::Different { first, second });
    }
    talk.say("they are the same");
    Ok(())
}

//! `diff`: where two results, two logs or two runs part.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::talk::Talk;
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
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "diff",
        notes: "The first event at which two logs part, or what differs in two results; of run directories the logs first ([how to](../howto/compare_runs.md)).",
        done: "they are the same",
        fails: "they differ; what differs is on stdout",
        json: Json::data(&[
            ("equal", "whether they are the same"),
            ("files", "files that were compared [count]"),
            ("difference", "the first one; null when they are the same"),
            ("within", "the file that parts, of run directories"),
            ("notes", "what differs without being a difference of results"),
        ]),
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
    options.format.print::<Options>(
        || match &found.difference {
            Some(difference) => {
                let within = found.within.as_ref().map_or_else(String::new, |name| format!("{name}: "));
                format!("{within}{difference}\n")
            }
            None => String::new(),
        },
        || {
            let mut value = serde_json::to_value(&found).unwrap_or_default();
            value["equal"] = found.difference.is_none().into();
            value
        },
    )?;
    if found.difference.is_some() {
        let (first, second) = (options.first.clone(), options.second.clone());
        return Err(CliError::Different { first, second });
    }
    talk.say("they are the same");
    Ok(())
}

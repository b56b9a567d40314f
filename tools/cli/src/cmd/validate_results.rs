//! `validate-results`: whether results files have the published shape, and whether their figures can be true.

use crate::Global;
use crate::answer::Format;
use crate::command::{CliCommand, Example, Refusal, Spec};
use crate::error::CliError;
use crate::talk::{self, Talk};
use labtrust_bench::validate::validate_results;
use serde_json::json;
use std::path::PathBuf;

/// Check results files: their shape, and whether their figures can be true together
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Results files, or directories in which they are looked for
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Text or JSON
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "validate-results",
        notes: "Each finding has file, place (a JSON pointer) and what to do.",
        done: "no findings",
        fails: "findings, which are on stdout",
        examples: &[Example::new("results.json").needs(&["results.json"])],
        refusals: &[Refusal::new("log.jsonl", 1, "log.jsonl").needs(&["log.jsonl"])],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, talk)
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError::ResultsFindings`] when there are any, [`CliError::Bench`] when there is nothing to check.
fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    let check = validate_results(&options.paths)?;
    let text = match options.format {
        Format::Text => check.findings.iter().map(|finding| format!("{finding}\n")).collect(),
        Format::Json => {
            let rows: Vec<_> = check
                .findings
                .iter()
                .map(|one| {
                    json!({ "file": one.file.display().to_string(), "pointer": one.pointer, "message": one.message,
                        "hint": one.hint })
                })
                .collect();
            format!("{:#}\n", json!({ "files": check.files, "findings": rows }))
        }
    };
    talk::print(&text)?;
    match check.findings.len() {
        0 => {
            talk.say(&format!("{} checked, no findings", files(check.files)));
            Ok(())
        }
        count => Err(CliError::ResultsFindings { count }),
    }
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

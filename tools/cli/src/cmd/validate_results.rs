//! `validate-results`: whether results files have the published shape, and whether their figures can be true.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_bench::validate::{ResultsFinding, validate_results};
use serde_json::json;
use std::path::PathBuf;

/// Check results files: their shape, and whether their figures can be true together
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Results files, or directories in which they are looked for
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "validate-results",
        notes: "Each finding has file, place (a JSON pointer) and what to do.",
        done: "no findings",
        fails: "findings, which are on stdout",
        json: Json::data(&[
            ("files", "files that were checked [count]"),
            ("findings", "for every finding `file`, `pointer`, `message`, `hint`"),
        ]),
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
    let finding = |one: &ResultsFinding| json!({ "file": one.file.display().to_string(), "pointer": one.pointer, "message": one.message, "hint": one.hint });
    options.format.print::<Options>(
        || check.findings.iter().map(|finding| format!("{finding}\n")).collect(),
        || json!({ "files": check.files, "findings": check.findings.iter().map(finding).collect::<Vec<_>>() }),
    )?;
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

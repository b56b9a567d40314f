//! `diff`: where two results, two logs or two runs part.

use super::Format;
use crate::error::CliError;
use crate::talk::{self, Talk};
use labtrust_bench::diff::diff;
use std::path::PathBuf;

/// Find the first difference between two results, two logs or two runs
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  labtrust diff monday/log.jsonl tuesday/log.jsonl")]
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

/// Runs the command.
///
/// # Errors
/// [`CliError::Different`] when they part, [`CliError::Bench`] when they cannot be compared.
pub(crate) fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
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

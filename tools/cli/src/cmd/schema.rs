//! `schema`: the embedded JSON Schemas.

use crate::Global;
use crate::answer::Format;
use crate::command::{CliCommand, Example, Refusal, Spec};
use crate::error::CliError;
use crate::talk::{self, Talk};
use labtrust_policy::{nearest, schemas};
use serde_json::json;

/// Print an embedded JSON Schema, or list them all
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Name of the schema; the list of names where this is not given
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The list as text or JSON; a schema is JSON either way
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "schema",
        notes: "The schemas that policy files and results are held to.",
        fails: "an unknown name; the nearest one is named",
        examples: &[Example::new("rbac_policy.v0.1"), Example::tried("")],
        refusals: &[Refusal::new("rbac_polcy.v0.1", 1, "rbac_policy.v0.1")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, _: Talk) -> Result<(), CliError> {
        run(self)
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError::UnknownName`] with the nearest name.
fn run(options: &Options) -> Result<(), CliError> {
    let Some(name) = &options.name else {
        let names = schemas().map(|(name, _)| name);
        return talk::print(&match options.format {
            Format::Text => names.map(|name| format!("{name}\n")).collect::<String>(),
            Format::Json => format!("{:#}\n", json!(names.collect::<Vec<_>>())),
        });
    };
    let wanted = name.strip_suffix(".json").unwrap_or(name);
    let wanted = wanted.strip_suffix(".schema").unwrap_or(wanted);
    match schemas().find(|(known, _)| *known == wanted) {
        Some((_, text)) => talk::print(text),
        None => {
            // Most people leave the version out.
            let by_stem = schemas().map(|(known, _)| known).find(|known| known.split('.').next() == Some(wanted));
            let near = by_stem.or_else(|| nearest(schemas().map(|(known, _)| known), wanted));
            Err(CliError::UnknownName { what: "schema", name: name.clone(), near: near.map(str::to_owned) })
        }
    }
}

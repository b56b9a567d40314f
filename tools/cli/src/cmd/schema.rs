//! `schema`: the embedded JSON Schemas.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_policy::{nearest, schemas};
use serde_json::{Value, json};

/// Print an embedded JSON Schema, or list them all
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Name of the schema; the list of names where this is not given
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "schema",
        notes: "The schemas that policy files and results are held to.",
        fails: "an unknown name; the nearest one is named",
        json: Json::data(&[
            ("schemas?", "names of all of them, without NAME"),
            ("name?", "of the one, with NAME"),
            ("schema?", "the schema itself, with NAME"),
        ]),
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
        let names: Vec<_> = schemas().map(|(name, _)| name).collect();
        return options.format.print::<Options>(
            || {
                names
                    .iter()
                    .map(|name| {
                        format!(
                            "{name}
"
                        )
                    })
                    .collect()
            },
            || json!({ "schemas": names }),
        );
    };
    let wanted = name.strip_suffix(".json").unwrap_or(name);
    let wanted = wanted.strip_suffix(".schema").unwrap_or(wanted);
    match schemas().find(|(known, _)| *known == wanted) {
        Some((name, text)) => options.format.print::<Options>(
            || text.to_owned(),
            // What is compiled in is JSON: a test of the policy reads every one.
            || json!({ "name": name, "schema": serde_json::from_str::<Value>(text).unwrap_or_default() }),
        ),
        None => {
            // Most people leave the version out.
            let by_stem = schemas().map(|(known, _)| known).find(|known| known.split('.').next() == Some(wanted));
            let near = by_stem.or_else(|| nearest(schemas().map(|(known, _)| known), wanted));
            Err(CliError::UnknownName { what: "schema", name: name.clone(), near: near.map(str::to_owned) })
        }
    }
}

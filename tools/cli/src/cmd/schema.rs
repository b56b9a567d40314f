//! `schema`: the embedded JSON Schemas.

use crate::error::CliError;
use crate::talk;
use labtrust_policy::{nearest, schemas};

/// Print an embedded JSON Schema, or list them all
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  labtrust schema rbac_policy.v0.1")]
pub(crate) struct Options {
    /// Name of the schema; the list of names where this is not given
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// [`CliError::UnknownName`] with the nearest name.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    let Some(name) = &options.name else {
        return talk::print(&schemas().map(|(name, _)| format!("{name}\n")).collect::<String>());
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

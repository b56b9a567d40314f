//! `validate-fhir`: the structure of a FHIR bundle, and its codes against value sets.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_evidence::fhir;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Check a FHIR bundle: types, ids, references, and codes against value sets
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The FHIR bundle
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// Value sets: `{"value_sets": {system: [code, ...]}}`
    #[arg(long, value_name = "FILE")]
    terminology: PathBuf,
    /// A code outside of its value set is an error
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "validate-fhir",
        notes: "Systems without a value set are not looked at.",
        done: "the structure is right, and with --strict every code is in its value set",
        fails: "the structure is wrong, or with --strict a code is not in its value set",
        json: Json::data(&[
            ("structure", "what is wrong with types, ids and references"),
            ("codes", "codes that are not in their value set"),
        ]),
        examples: &[Example::new("--bundle fhir/fhir_bundle.json --terminology terminology.json")
            .needs(&["fhir/fhir_bundle.json", "terminology.json"])],
        refusals: &[
            Refusal::new(
                "--bundle fhir/fhir_bundle.json --terminology terminology.json --strict",
                1,
                "not in value set",
            )
            .needs(&["fhir/fhir_bundle.json", "terminology.json"]),
            Refusal::new("--bundle nowhere.json --terminology terminology.json", 1, "nowhere.json")
                .needs(&["terminology.json"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, _: Talk) -> Result<(), CliError> {
        let (bundle, terminology) = (read(&self.bundle)?, read(&self.terminology)?);
        let wrong = |problem: &str| CliError::Content { path: self.terminology.clone(), problem: problem.to_owned() };
        let sets = terminology
            .get("value_sets")
            .and_then(Value::as_object)
            .ok_or_else(|| wrong("it has no map value_sets"))?;
        let (structure, codes) = (fhir::structure(&bundle), fhir::codes_outside(&bundle, sets));
        self.format.print::<Self>(
            || structure.iter().chain(&codes).map(|line| format!("{line}\n")).collect(),
            || json!({ "structure": structure, "codes": codes }),
        )?;
        match structure.len() + if self.strict { codes.len() } else { 0 } {
            0 => Ok(()),
            count => Err(CliError::NotVerified { what: "FHIR bundle", count }),
        }
    }
}

/// A JSON file.
fn read(path: &Path) -> Result<Value, CliError> {
    let bytes = std::fs::read(path).map_err(|source| CliError::Unreadable { path: path.to_path_buf(), source })?;
    let content = |error: serde_json::Error| CliError::Content {
        path: path.to_path_buf(),
        problem: format!("not JSON: {error}"),
    };
    serde_json::from_slice(&bytes).map_err(content)
}

//! `export-fhir`: the receipts of a bundle as a FHIR bundle.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_evidence::disk::{RealDisk, write_file};
use labtrust_evidence::fhir;
use labtrust_evidence::strict;
use serde_json::Value;
use std::path::PathBuf;

/// Export receipts as a FHIR bundle: for every specimen a report and its observations
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory with receipts: an EvidenceBundle.v0.1
    #[arg(long, value_name = "DIR")]
    receipts: PathBuf,
    /// Directory for the FHIR bundle
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Name of the file
    #[arg(long, value_name = "NAME", default_value = "fhir_bundle.json")]
    filename: String,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "export-fhir",
        notes: "R4 and R4B. Which status a result has, and what stands for what is not known: [FHIR](fhir.md).",
        writes: &[output("--out/--filename", "the bundle, canonical JSON")],
        done: "the bundle is there; one without receipts has no entries",
        json: Json::product(&[("resources", "resources by type [count]")]),
        examples: &[Example::new("--receipts evidence/EvidenceBundle.v0.1 --out fhir")
            .needs(&["evidence"])
            .leaves(&["fhir/fhir_bundle.json"])],
        refusals: &[Refusal::new("--receipts nowhere --out fhir", 1, "nowhere")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        if self.filename.is_empty() || self.filename.contains(['/', '\\']) {
            return Err(CliError::NotAName { option: "--filename", value: self.filename.clone() });
        }
        let bundle = fhir::export(&self.receipts)?;
        let path = self.out.join(&self.filename);
        write_file(&RealDisk, &path, &strict::line(&bundle))?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&path);
        let entries = bundle.get("entry").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut counts = serde_json::Map::new();
        for kind in ["Specimen", "Observation", "DiagnosticReport"] {
            let count = entries.iter().filter(|entry| entry["resource"]["resourceType"] == kind).count();
            counts.insert(kind.to_owned(), count.into());
        }
        let text = format!("{} resources\n", entries.len());
        answer.figure("resources", counts);
        answer.finish::<Self>(true, &text)
    }
}

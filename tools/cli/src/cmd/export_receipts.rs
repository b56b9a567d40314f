//! `export-receipts`: an evidence bundle of an episode log.

use crate::Global;
use crate::answer::{Answer, Format, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{self, Session};
use crate::talk::Talk;
use labtrust_evidence::disk::RealDisk;
use labtrust_evidence::export::Export;
use labtrust_evidence::keyfile::read_signer;
use labtrust_evidence::receipts::Rules;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Make an evidence bundle of an episode log: a receipt for every specimen and result, with all that proves them
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Episode log, as JSON lines
    #[arg(long, value_name = "FILE")]
    run: PathBuf,
    /// Directory in which EvidenceBundle.v0.1 is made
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Partner whose policy was in force; LABTRUST_PARTNER, or the results beside the log, where this is not given
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Private key that signs the bundle (`labtrust keys new`)
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    /// How the bundle is made, and what is printed on stdout; can be given twice
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Vec<ExportFormat>,
}

/// The published command's `--format` chooses the bundle, that of every other command what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ExportFormat {
    /// Corrected receipts; text on stdout
    Text,
    /// Corrected receipts; one JSON document on stdout
    Json,
    /// The bundle of LabTrust-Gym 0.2, byte by byte, its defects included
    Reference,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "export-receipts",
        notes: "What is in a bundle and what proves it: [evidence](evidence.md).",
        writes: &[output(
            "--out/EvidenceBundle.v0.1/",
            "the bundle; one that was there is replaced when the new one is whole",
        )],
        done: "the bundle is there",
        fails: "the log's hash chain does not hold, or the log of a run that came to its end was changed",
        json: Json::product(&[
            ("receipts", "[count]"),
            ("lines", "lines of the log [count]"),
            ("work_steps", "accepted steps about work [count]"),
            ("signed_by", "name and id of the key, or null"),
            (
                "torn_tail_bytes",
                "bytes of a last line whose writer was stopped in it; they are not in the bundle [bytes]",
            ),
        ]),
        examples: &[
            Example::new("--run log.jsonl --out evidence")
                .needs(&["log.jsonl", "results.json", "run_manifest.json"])
                .leaves(&["evidence/EvidenceBundle.v0.1/manifest.json"]),
            Example::tried("--run log.jsonl --out release/receipts/throughput_sla")
                .needs(&["log.jsonl"])
                .leaves(&["release/receipts/throughput_sla/EvidenceBundle.v0.1/manifest.json"]),
            Example::tried("--run log.jsonl --out signed --sign-key evidence.key")
                .needs(&["log.jsonl", "evidence.key"])
                .leaves(&["signed/EvidenceBundle.v0.1/proof/checkpoint"]),
            Example::tried("--run log.jsonl --out as_published --format reference")
                .needs(&["log.jsonl"])
                .leaves(&["as_published/EvidenceBundle.v0.1/manifest.json"]),
        ],
        refusals: &[
            Refusal::new("--run results.json --out evidence", 1, "not").needs(&["results.json"]),
            Refusal::new("--run nowhere.jsonl --out evidence", 1, "nowhere.jsonl"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        if self.out.as_os_str().is_empty() {
            return Err(CliError::Empty { option: "--out" });
        }
        let reference = self.format.contains(&ExportFormat::Reference);
        let partner = session::partner(self.partner.as_deref());
        let partner = if reference { partner } else { partner.or_else(|| partner_of_results(&self.run)) };
        let session = Session::open(global, partner.as_deref())?;
        let signer = self.sign_key.as_deref().map(read_signer).transpose()?;
        let export = Export {
            log: &self.run,
            out: &self.out,
            rules: if reference { Rules::Reference } else { Rules::Corrected },
            policy: Some(&session.policy),
            partner: partner.as_deref(),
            signer: signer.as_ref(),
        };
        let made = export.run(&RealDisk)?;
        if made.torn_tail > 0 {
            talk.say(&format!(
                "warning: {} ends in the middle of a line: its last {} bytes are not in the bundle",
                self.run.display(),
                made.torn_tail
            ));
        }
        let print = if self.format.contains(&ExportFormat::Json) { Format::Json } else { Format::Text };
        let mut answer = Answer::new(FormatOption { format: print }, talk);
        answer.wrote(&made.bundle);
        answer.figure("receipts", made.receipts);
        answer.figure("lines", made.lines);
        answer.figure("work_steps", made.work);
        answer.figure("torn_tail_bytes", made.torn_tail);
        let signed_by = signer.map(|signer| format!("{} ({})", signer.name(), signer.verifier().id()));
        answer.figure("signed_by", signed_by);
        let text = format!("{} receipts of {} log lines\n", made.receipts, made.lines);
        answer.finish::<Self>(true, &text)
    }
}

/// The partner that the results beside a log name.
fn partner_of_results(log: &Path) -> Option<String> {
    let text = std::fs::read(log.with_file_name("results.json")).ok()?;
    let results: Value = serde_json::from_slice(&text).ok()?;
    results.get("partner_id")?.as_str().map(str::to_owned)
}

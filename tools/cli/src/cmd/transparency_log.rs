//! `transparency-log` and `verify-transparency-log`: a log of episodes that only grows.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_evidence::disk::RealDisk;
use labtrust_evidence::keyfile::{read_signer, read_verifiers};
use labtrust_evidence::transparency::{make, verify};
use serde_json::json;
use std::path::PathBuf;

/// Make a transparency log of a release's episodes, or let the one that is there grow
#[derive(Debug, clap::Args)]
pub(crate) struct Make {
    /// Release: `_repr/<task>/results.json` and `episodes.jsonl`, with bundles in `receipts/<task>`
    #[arg(long = "in", value_name = "DIR")]
    input: PathBuf,
    /// Directory in which TRANSPARENCY_LOG is made
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Private key that signs the checkpoint
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Make {
    const SPEC: Spec = Spec {
        name: "transparency-log",
        notes: "`log.json`, `root.txt` and `proofs/` are those of the reference; `log.v0.2.json` is an RFC 6962 log with proofs.",
        writes: &[
            output(
                "--out/TRANSPARENCY_LOG/log.json",
                "digests of episodes under the reference's tree; `root.txt`, `proofs/`",
            ),
            output(
                "--out/TRANSPARENCY_LOG/log.v0.2.json",
                "the same under an RFC 6962 tree, with inclusion and consistency proofs",
            ),
            output("--out/TRANSPARENCY_LOG/checkpoint", "with --sign-key: the signed checkpoint"),
            output(
                "--out/TRANSPARENCY_LOG/llm_live.json",
                "where there are results of language models: what they cost",
            ),
        ],
        done: "the log is there",
        fails: "an episode of the log that is there would change or vanish",
        json: Json::product(&[
            ("entries", "episodes [count]"),
            ("older_entries", "of these, in the log before [count]"),
        ]),
        examples: &[Example::new("--in release --out release")
            .needs(&["release"])
            .leaves(&["release/TRANSPARENCY_LOG/log.json"])],
        refusals: &[Refusal::new("--in nowhere --out a", 1, "nowhere")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        let signer = self.sign_key.as_deref().map(read_signer).transpose()?;
        let made = make(&RealDisk, &self.input, &self.out, signer.as_ref())?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&made.directory);
        answer.figure("entries", made.entries);
        answer.figure("older_entries", made.older);
        if made.entries == 0 {
            talk.say("warning: there is no _repr/<task> with results.json and episodes.jsonl, so the log is empty");
        }
        answer.finish::<Self>(true, &format!("{} episodes, {} of them known before\n", made.entries, made.older))
    }
}

/// Verify a transparency log: its proofs, its signature, and that it goes on from an older checkpoint
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The log, a directory
    #[arg(long, value_name = "DIR")]
    log: PathBuf,
    /// Release that the log is about
    #[arg(long = "in", value_name = "DIR")]
    input: Option<PathBuf>,
    /// File of public keys; the checkpoint has to be signed with one of them
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// Older checkpoint that the log has to go on from
    #[arg(long, value_name = "FILE", requires = "trust")]
    since: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Check {
    const SPEC: Spec = Spec {
        name: "verify-transparency-log",
        done: "everything holds",
        fails: "something does not hold",
        json: Json::data(&[
            ("errors", "everything that is wrong"),
            ("entries", "episodes [count]"),
            ("signed_by", "name of the trusted key, or null"),
            ("since", "entries of the older checkpoint [count], or null"),
        ]),
        examples: &[Example::new("--log release/TRANSPARENCY_LOG --in release").needs(&["release/TRANSPARENCY_LOG"])],
        refusals: &[Refusal::new("--log nowhere", 1, "nowhere")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, _: Talk) -> Result<(), CliError> {
        let trust = read_verifiers(&self.trust)?;
        let since = self.since.as_ref().map(std::fs::read).transpose();
        let since =
            since.map_err(|source| CliError::Unreadable { path: self.since.clone().unwrap_or_default(), source })?;
        let found = verify(&self.log, self.input.as_deref(), &trust, since.as_deref())?;
        self.format.print::<Self>(
            || found.errors.iter().map(|error| format!("{error}\n")).chain([format!("{} episodes\n", found.entries)]).collect(),
            || json!({ "errors": found.errors, "entries": found.entries, "signed_by": found.signed_by, "since": found.since }),
        )?;
        match found.errors.len() {
            0 => Ok(()),
            count => Err(CliError::NotVerified { what: "transparency log", count }),
        }
    }
}

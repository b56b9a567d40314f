//! `verify-bundle`: everything in a bundle recomputed, and what that proves.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::replay;
use crate::session::Session;
use crate::talk::Talk;
use labtrust_evidence::export::{BUNDLE, MANIFEST};
use labtrust_evidence::keyfile::read_verifiers;
use labtrust_evidence::verify::Verify;
use serde_json::Value;
use std::path::PathBuf;

/// Verify an evidence bundle: recompute everything in it, and say which levels of proof it has
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The bundle, a directory, or the directory that it is in
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Do not mind files that the manifest does not list
    #[arg(long)]
    allow_extra_files: bool,
    /// Require the fingerprints of all four policies
    #[arg(long)]
    strict_fingerprints: bool,
    /// Require that the engine does every step again; without this it tries to where the log has its events
    #[arg(long, conflicts_with = "no_replay")]
    replay: bool,
    /// Do not let the engine do the steps again
    #[arg(long)]
    no_replay: bool,
    /// File of public keys, or a rotation; the bundle has to be signed with one of them
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// File of public keys of witnesses; one of them has to have signed the checkpoint
    #[arg(long, value_name = "FILE")]
    witness: Vec<PathBuf>,
    /// Older checkpoint of the same log; the log has to go on from it
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "verify-bundle",
        notes: "The levels of proof, and what each rests on: [evidence](evidence.md).",
        done: "nothing is wrong, and every level that was asked for is held",
        fails: "something is wrong, or a level that was asked for is not held",
        json: Json::data(&[
            ("bundle", "the directory"),
            ("passed", "whether nothing is wrong"),
            ("errors", "everything that is wrong, one sentence each"),
            ("manifest_files", "files that the manifest lists [count]"),
            ("receipts", "[count]"),
            ("log_lines", "[count]"),
            (
                "levels",
                "for `integrity`, `authentic`, `append_only`, `replayed`, `witnessed`: `state` (held, not_proved, failed) and `why`",
            ),
        ]),
        examples: &[
            Example::new("--bundle evidence/EvidenceBundle.v0.1").needs(&["evidence"]),
            Example::tried("--bundle evidence --no-replay").needs(&["evidence"]),
            Example::tried("--bundle evidence/EvidenceBundle.v0.1 --strict-fingerprints --no-replay")
                .needs(&["evidence"]),
        ],
        refusals: &[
            Refusal::new("--bundle nowhere", 1, "Bundle not found or not a directory"),
            Refusal::new("--bundle as_published/EvidenceBundle.v0.1 --replay", 1, "replay").needs(&["as_published"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, _: Talk) -> Result<(), CliError> {
        let inside = self.bundle.join(BUNDLE);
        // Packs and releases name the directory that the bundle is in.
        let dir = if inside.join(MANIFEST).is_file() { &inside } else { &self.bundle };
        if !self.bundle.is_dir() {
            return Err(CliError::NoBundle { path: self.bundle.clone() });
        }
        let session = Session::open(global, None)?;
        let read =
            |path: &PathBuf| std::fs::read(path).map_err(|source| CliError::Unreadable { path: path.clone(), source });
        let (trust, witnesses) = (read_verifiers(&self.trust)?, read_verifiers(&self.witness)?);
        let since = self.since.as_ref().map(read).transpose()?;
        let start = |facts: &Value| replay::start(global, facts);
        let place = session.policy.source().to_string();
        let report = Verify {
            policy: Some(&session.policy),
            policy_place: &place,
            allow_extra_files: self.allow_extra_files,
            strict_fingerprints: self.strict_fingerprints,
            trust: &trust,
            witnesses: &witnesses,
            since: since.as_deref(),
            replay: (!self.no_replay).then_some(&start),
            require_replay: self.replay,
        }
        .run(dir);
        self.format.print::<Self>(
            || report.text(&self.bundle.display().to_string()),
            || {
                let mut document = report.json();
                document["bundle"] = self.bundle.display().to_string().into();
                document
            },
        )?;
        if report.passed() { Ok(()) } else { Err(CliError::NotVerified { what: "bundle", count: report.errors.len() }) }
    }
}

//! `build-release-manifest` and `verify-release`.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::replay;
use crate::session::Session;
use crate::talk::Talk;
use labtrust_evidence::disk::RealDisk;
use labtrust_evidence::keyfile::{read_signer, read_verifiers};
use labtrust_evidence::release::{ReleaseReport, build, verify};
use labtrust_evidence::verify::Verify;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Write the manifest of a release: the digests of its bundles and lists
#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    /// The release
    #[arg(long, value_name = "DIR")]
    release_dir: PathBuf,
    /// Private key that signs the manifest
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Build {
    const SPEC: Spec = Spec {
        name: "build-release-manifest",
        writes: &[
            output(
                "--release-dir/RELEASE_MANIFEST.v0.1.json",
                "digests of MANIFEST.v0.1.json, of every bundle's manifest and of the risk register",
            ),
            output(
                "--release-dir/RELEASE_MANIFEST.v0.1.dsse.json",
                "with --sign-key: a signed in-toto statement about it",
            ),
        ],
        done: "the manifest is there",
        fails: "the release has no bundles",
        examples: &[Example::new("--release-dir release")
            .needs(&["release"])
            .leaves(&["release/RELEASE_MANIFEST.v0.1.json"])],
        refusals: &[Refusal::new("--release-dir nowhere", 1, "nowhere")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        let signer = self.sign_key.as_deref().map(read_signer).transpose()?;
        let mut answer = Answer::new(self.format, talk);
        for path in build(&RealDisk, &self.release_dir, signer.as_ref())? {
            answer.wrote(&path);
        }
        answer.finish::<Self>(true, "")
    }
}

/// Verify a release: every bundle, every listed file, and what nobody lists
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The release
    #[arg(long, value_name = "DIR")]
    release_dir: PathBuf,
    /// Do not mind files that nobody lists
    #[arg(long)]
    allow_extra_files: bool,
    /// Require all fingerprints of every bundle, and the manifest of the release
    #[arg(long)]
    strict_fingerprints: bool,
    /// File of public keys; the manifest of the release has to be signed with one of them
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// Do not let the engine do the steps again
    #[arg(long)]
    no_replay: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Check {
    const SPEC: Spec = Spec {
        name: "verify-release",
        done: "everything holds",
        fails: "a bundle or the release does not hold",
        json: Json::data(&[
            ("passed", "whether everything holds"),
            ("bundles", "for every bundle `path`, `passed`, `errors`, `levels`"),
            ("errors", "what is wrong with the release itself"),
            ("signed_by", "name of the trusted key, or null"),
        ]),
        examples: &[Example::new("--release-dir release").needs(&["release"])],
        refusals: &[Refusal::new("--release-dir nowhere", 1, "no receipts")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, _: Talk) -> Result<(), CliError> {
        let session = Session::open(global, None)?;
        let trust = read_verifiers(&self.trust)?;
        let place = session.policy.source().to_string();
        let start = |facts: &Value| replay::start(global, facts);
        let options = Verify {
            policy: Some(&session.policy),
            policy_place: &place,
            allow_extra_files: self.allow_extra_files,
            strict_fingerprints: self.strict_fingerprints,
            replay: (!self.no_replay).then_some(&start),
            ..Verify::default()
        };
        let report = verify(&self.release_dir, &options, self.strict_fingerprints, &trust);
        let bundle = |(path, report): &(String, labtrust_evidence::verify::Report)| {
            let mut one = report.json();
            one["path"] = json!(path);
            one
        };
        self.format.print::<Self>(
            || text(&report),
            || {
                json!({
                    "passed": report.passed(), "errors": report.errors, "signed_by": report.signed_by,
                    "bundles": report.bundles.iter().map(bundle).collect::<Vec<_>>(),
                })
            },
        )?;
        let failed = report.bundles.iter().filter(|(_, report)| !report.passed()).count();
        if report.passed() {
            Ok(())
        } else {
            Err(CliError::NotVerified { what: "release", count: failed + report.errors.len() })
        }
    }
}

fn text(report: &ReleaseReport) -> String {
    let mut text = "verify-release\nBundle | Status\n".to_owned();
    for (path, bundle) in &report.bundles {
        text.push_str(&format!("{path} | {}\n", if bundle.passed() { "PASS" } else { "FAIL" }));
        bundle.errors.iter().take(3).for_each(|error| text.push_str(&format!("    {error}\n")));
    }
    report.errors.iter().for_each(|error| text.push_str(&format!("  Release: {error}\n")));
    let how = match report.passed() {
        true => "all passed.",
        false if report.bundles.iter().all(|(_, bundle)| bundle.passed()) => "the release itself does not hold.",
        false => "at least one failed.",
    };
    text + &format!("verify-release: {} bundle(s) checked, {how}\n", report.bundles.len())
}

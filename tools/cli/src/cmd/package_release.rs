//! `package-release`: studies with receipts, FHIR, plots, tables and a manifest over every file, verified.

use super::not_yet::refuse_pipeline;
use super::pack_ground::{PackGround, amount, tell};
use super::study::is_smoke;
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::replay;
use crate::talk::Talk;
use labtrust_evidence::release::{FILES, RELEASE_MANIFEST};
use labtrust_official_pack::release::{Request, release};
use labtrust_official_pack::reproduce::Profile;
use labtrust_official_pack::steps::Step;
use serde_json::Value;
use std::path::PathBuf;

/// Make a release: studies with receipts, FHIR, plots, tables and a manifest; --profile is minimal or full
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory for the release, whole or not at all; a release that is there is replaced
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Everything is drawn from it
    #[arg(long, value_name = "SEED", default_value_t = 100)]
    seed_base: u64,
    /// Keep the studies that it was made of, in _repro/; the manifest does not list them
    #[arg(long)]
    keep_repro: bool,
    /// Threads to use; the files do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=4096))]
    threads: Option<usize>,
    /// What decides: only `deterministic` is available
    #[arg(long, value_name = "MODE", value_parser = ["deterministic", "llm_offline", "llm_live"])]
    pipeline_mode: Option<String>,
    #[arg(long, hide = true)]
    include_coordination_pack: bool,
    #[arg(long, hide = true)]
    allow_network: bool,
    #[command(flatten)]
    format: FormatOption,
}

/// What `--profile` may be.
const PROFILES: [Profile; 2] = [Profile::Minimal, Profile::Full];

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "package-release",
        notes: "`--profile` says how much here, and names no laboratory: `minimal` is 2 episodes of each condition, `full` 4. `LABTRUST_REPRO_SMOKE=1` is one episode. See [official pack](official_pack.md#releases).",
        writes: &[
            output("--out/results/", "results of every condition of two studies"),
            output("--out/receipts/", "an evidence bundle of each"),
            output("--out/fhir/", "the receipts as FHIR"),
            output("--out/plots/", "figures; tables/ has the numbers behind them"),
            output("--out/summary.csv", "means; .md for people"),
            output("--out/results.json", "the manifests of the studies"),
            output("--out/metadata.json", "what the release is"),
            output("--out/BENCHMARK_CARD.md", "the same for people"),
            output("--out/ENV/", "what the program was built of"),
            output("--out/MANIFEST.v0.1.json", "the digest of every file"),
            output("--out/RELEASE_MANIFEST.v0.1.json", "the digests of manifest and bundles"),
        ],
        done: "the release is there, and everything in it holds",
        fails: "a step that failed: there is then no release; --out holds something else than a release",
        usage: "no `--profile`, or one that there is not",
        json: Json::product(&[("steps", "for every step `name`, `status` and `error`")]),
        examples: &[
            Example::shown("--profile full --out release --seed-base 100"),
            Example::tried("--profile minimal --out release_minimal --threads 1").leaves(&[
                "release_minimal/MANIFEST.v0.1.json",
                "release_minimal/receipts/qc_cascade_cond_0/EvidenceBundle.v0.1/manifest.json",
                "release_minimal/fhir/throughput_sla_cond_3/fhir_bundle.json",
            ]),
        ],
        refusals: &[
            Refusal::new("--out r", 2, "minimal"),
            Refusal::new("--profile paper_v0.1 --out r", 1, "--profile paper_v0.1"),
            Refusal::new("--profile minimal --out evidence", 1, "something else than a release").needs(&["evidence"]),
            Refusal::new("--profile minimal --out r --pipeline-mode llm_live", 1, "--pipeline-mode llm_live"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        self.refuse(global)?;
        let (profile, global) = amount(global, &PROFILES, Profile::name)?;
        let opened = PackGround::open(&global, None)?;
        let start = |facts: &Value| replay::start(&global, facts);
        let steps = release(&Request {
            ground: &opened.ground(self.threads, &start),
            profile,
            seed_base: self.seed_base,
            smoke: is_smoke(),
            keep: self.keep_repro,
            out: &self.out,
            told: &|step| tell(talk, step),
        })?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.out.join(FILES));
        answer.wrote(&self.out.join(RELEASE_MANIFEST));
        answer.figure("steps", steps.iter().map(Step::json).collect::<Vec<_>>());
        talk.say(&format!("Next: labtrust verify-release --release-dir {}", self.out.display()));
        answer.finish::<Self>(true, "")
    }
}

impl Options {
    /// What is asked for and not there.
    fn refuse(&self, global: &Global) -> Result<(), CliError> {
        let missing = |flag, reason| Err(CliError::NotAvailable { flag, reason });
        refuse_pipeline(self.pipeline_mode.as_deref())?;
        if self.allow_network {
            return missing("--allow-network", "nothing in it uses the network");
        }
        if global.profile.as_deref() == Some("paper_v0.1") {
            return missing(
                "--profile paper_v0.1",
                "run-official-pack makes what is in it, besides the texts of a paper",
            );
        }
        if self.include_coordination_pack {
            return missing("--include-coordination-pack", "run-official-pack has it");
        }
        match self.out.as_os_str().is_empty() {
            true => Err(CliError::Empty { option: "--out" }),
            false => Ok(()),
        }
    }
}

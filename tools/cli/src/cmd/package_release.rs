//! `package-release`: studies with receipts, FHIR, plots and tables, or the release of a paper; a manifest over every file,
//! verified.

use super::common_options::WholeOptions;
use super::pack_ground::{PackGround, amount, tell};
use super::study::{is_set, is_smoke};
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::replay;
use crate::talk::Talk;
use labtrust_evidence::release::{FILES, RELEASE_MANIFEST};
use labtrust_official_pack::paper;
use labtrust_official_pack::release::{Request, release};
use labtrust_official_pack::reproduce::Profile;
use labtrust_official_pack::steps::Step;
use serde_json::Value;

/// Make a release with a manifest over every file, verified; --profile is minimal, full or paper_v0.1
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    whole: WholeOptions,
    /// Of `minimal` and `full`: keep the studies that it was made of, in _repro/; the manifest does not list them
    #[arg(long)]
    keep_repro: bool,
    /// Of `paper_v0.1`: the coordination security pack, too, with its report and its matrix
    #[arg(long)]
    include_coordination_pack: bool,
    #[command(flatten)]
    format: FormatOption,
}

/// Variable that keeps the release of a paper small.
const PAPER_VARIABLE: &str = "LABTRUST_PAPER_SMOKE";

/// What is released.
#[derive(Clone, Copy)]
enum Kind {
    /// Two studies, so much of them.
    Studies(Profile),
    Paper,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Studies(profile) => profile.name(),
            Self::Paper => paper::PROFILE,
        }
    }
}

/// What `--profile` may be.
const KINDS: [Kind; 3] = [Kind::Studies(Profile::Minimal), Kind::Studies(Profile::Full), Kind::Paper];

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "package-release",
        notes: "`--profile` says how much here, and names no laboratory: `minimal` is 2 episodes of each condition, `full` 4; `LABTRUST_REPRO_SMOKE=1` is one episode. `paper_v0.1` has other parts: 50 episodes of each baseline and condition, or few with `LABTRUST_PAPER_SMOKE=1`. See [official pack](official_pack.md#releases).",
        writes: &[
            output("--out/results/", "of `minimal` and `full`: results of every condition of two studies"),
            output("--out/receipts/", "an evidence bundle of each run, verified"),
            output("--out/fhir/", "of `minimal` and `full`: the receipts as FHIR"),
            output("--out/plots/", "of `minimal` and `full`: figures; tables/ has the numbers behind them"),
            output("--out/summary.csv", "of `minimal` and `full`: means; .md for people"),
            output("--out/results.json", "of `minimal` and `full`: the manifests of the studies"),
            output("--out/RELEASE_NOTES.md", "of `paper_v0.1`: what is in it, and what is not; where to begin"),
            output("--out/_baselines/", "of `paper_v0.1`: every task of the official registry"),
            output("--out/_study/", "of `paper_v0.1`: what signatures do; TABLES/ and FIGURES/ are of both"),
            output(
                "--out/SECURITY/",
                "of `paper_v0.1`: the security suite; SAFETY_CASE/ and TRANSPARENCY_LOG/ beside it",
            ),
            output(
                "--out/_coordination_pack/",
                "of `paper_v0.1`, with --include-coordination-pack; COORDINATION_MATRIX/",
            ),
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
            Example::shown("--profile paper_v0.1 --out paper --include-coordination-pack"),
            Example::tried("--profile minimal --out release_minimal --threads 1").leaves(&[
                "release_minimal/MANIFEST.v0.1.json",
                "release_minimal/receipts/qc_cascade_cond_0/EvidenceBundle.v0.1/manifest.json",
                "release_minimal/fhir/throughput_sla_cond_3/fhir_bundle.json",
            ]),
        ],
        refusals: &[
            Refusal::new("--out r", 2, "minimal"),
            Refusal::new("--profile paper --out r", 2, "paper_v0.1"),
            Refusal::new("--profile minimal --out r --include-coordination-pack", 1, "--include-coordination-pack"),
            Refusal::new("--profile paper_v0.1 --out r --keep-repro", 1, "--keep-repro"),
            Refusal::new("--profile minimal --out evidence", 1, "something else than a release").needs(&["evidence"]),
            Refusal::new("--profile minimal --out r --pipeline-mode llm_live", 1, "--pipeline-mode llm_live"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let (kind, global) = amount(global, &KINDS, Kind::name)?;
        self.refuse(kind)?;
        let opened = PackGround::open(&global, None)?;
        let start = |facts: &Value| replay::start(&global, facts);
        let ground = &opened.ground(self.whole.threads.threads, &start);
        let (seed_base, out, told) = (self.whole.seed_base, self.whole.out.as_path(), &|step: &Step| tell(talk, step));
        let steps = match kind {
            Kind::Studies(profile) => {
                let (smoke, keep) = (is_smoke(), self.keep_repro);
                release(&Request { ground, profile, seed_base, smoke, keep, out, told })?
            }
            Kind::Paper => {
                let pack = &opened.pack(None)?;
                let (smoke, coordination_pack) = (is_set(PAPER_VARIABLE), self.include_coordination_pack);
                paper::paper(&paper::Request { ground, pack, seed_base, smoke, coordination_pack, out, told })?
            }
        };
        let mut answer = Answer::new(self.format, talk);
        if let Kind::Paper = kind {
            answer.wrote(&out.join(paper::NOTES));
        }
        answer.wrote(&out.join(FILES));
        answer.wrote(&out.join(RELEASE_MANIFEST));
        answer.figure("steps", steps.iter().map(Step::json).collect::<Vec<_>>());
        talk.say(&format!("Next: labtrust verify-release --release-dir {}", out.display()));
        answer.finish::<Self>(true, "")
    }
}

impl Options {
    /// What is asked for and not there.
    fn refuse(&self, kind: Kind) -> Result<(), CliError> {
        let missing = |flag, reason| Err(CliError::NotAvailable { flag, reason });
        self.whole.refuse()?;
        match kind {
            Kind::Studies(_) if self.include_coordination_pack => {
                missing("--include-coordination-pack", "only --profile paper_v0.1 has it")
            }
            Kind::Paper if self.keep_repro => missing("--keep-repro", "all that paper_v0.1 is made of stays in it"),
            Kind::Studies(_) | Kind::Paper => Ok(()),
        }
    }
}

//! `run-official-pack`: tasks, sizes, methods, security and evidence, in one folder that others can compare with.

use super::not_yet::refuse_pipeline;
use super::pack_ground::{PackGround, is_smoke_pack, tell};
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::replay;
use crate::talk::Talk;
use labtrust_official_pack::pack::{MANIFEST, SUMMARY};
use labtrust_official_pack::{Request, Status, run};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Run the official benchmark pack: tasks, sizes, methods, security suite, and the evidence of it all
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory for the pack, whole or not at all; a pack that is there is replaced
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Everything is drawn from it
    #[arg(long, value_name = "SEED", default_value_t = 100)]
    seed_base: u64,
    /// Few episodes; so it is, too, where LABTRUST_OFFICIAL_PACK_SMOKE or LABTRUST_PAPER_SMOKE is 1
    #[arg(long)]
    smoke: bool,
    /// As many episodes as the pack says, whatever else asks for few
    #[arg(long)]
    no_smoke: bool,
    /// The whole security suite
    #[arg(long)]
    full: bool,
    /// The coordination security pack, too, with its report
    #[arg(long)]
    include_coordination_pack: bool,
    /// Pack to run instead of that of the laboratory profile, of the partner, or of the policy
    #[arg(long, value_name = "FILE")]
    pack_policy: Option<PathBuf>,
    /// Partner overlay of the policy
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Threads to use; the files do not depend on it. All that there are unless given
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=4096))]
    threads: Option<usize>,
    /// What decides: only `deterministic` is available
    #[arg(long, value_name = "MODE", value_parser = ["deterministic", "llm_offline", "llm_live"])]
    pipeline_mode: Option<String>,
    #[arg(long, hide = true)]
    llm_backend: Option<String>,
    #[arg(long, hide = true)]
    allow_network: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-official-pack",
        notes: "What is run, and every file: [official pack](official_pack.md). The same seed gives the same files, but for `timings.json`.",
        writes: &[
            output("--out/pack_manifest.json", "what was run, and how every step ended"),
            output("--out/PACK_SUMMARY.md", "the same for people"),
            output("--out/baselines/results/", "results of every task by its baseline"),
            output("--out/_repr/", "for every task log, episode records and results, in a directory of its own"),
            output("--out/receipts/", "for every task EvidenceBundle.v0.1, verified"),
            output("--out/TRANSPARENCY_LOG/", "the log over these episodes, with proofs"),
            output("--out/cells/", "results of every size, method and injection"),
            output("--out/summary/", "leaderboards and tables"),
            output("--out/PARETO/", "fronts and verdicts"),
            output("--out/SECURITY/", "the security suite and the securitization packet"),
            output("--out/SAFETY_CASE/", "every claim with its status"),
            output("--out/report.html", "the comparison on one page"),
            output("--out/coordination_pack/", "with --include-coordination-pack, or where the pack says so"),
        ],
        done: "every step was done: floors are held, bundles hold, attacks were stopped, required reports are there",
        fails: "a step that failed: what the others wrote is there; --out holds something else than a pack",
        json: Json::product(&[
            ("steps", "for every step `name`, `status` (`done`, `failed`, `not_tried`) and `error`"),
            ("baselines", "for every task who played it, `throughput_mean` and `floor` [results an episode]"),
            ("not_run", "methods of the pack that this version does not have, and why"),
            ("safety_case", "claims that are supported, unsupported and not evaluated [count]"),
            ("coordination_pack", "what its gate came to, or null"),
        ]),
        examples: &[
            Example::shown("--out official_pack_result --seed-base 100 --smoke"),
            Example::shown("--out official_pack_result --seed-base 42 --no-smoke --full"),
            Example::tried("--out small_pack_result --smoke --pack-policy small_pack.yaml --threads 2")
                .needs(&["small_pack.yaml"])
                .leaves(&[
                    "small_pack_result/pack_manifest.json",
                    "small_pack_result/receipts/throughput_sla/EvidenceBundle.v0.1/manifest.json",
                    "small_pack_result/TRANSPARENCY_LOG/log.json",
                ]),
        ],
        refusals: &[
            Refusal::new("--out p --pipeline-mode llm_live --allow-network", 1, "--pipeline-mode llm_live"),
            Refusal::new("--out p --pipeline-mode llm_offline", 1, "--pipeline-mode llm_offline"),
            Refusal::new("--out p --llm-backend openai_live", 1, "--llm-backend"),
            Refusal::new("--out p --allow-network", 1, "--allow-network"),
            Refusal::new("--out p --pack-policy nowhere.yaml", 1, "nowhere.yaml"),
            Refusal::new("--out evidence --smoke", 1, "something else than a pack").needs(&["evidence"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        self.refuse()?;
        let opened = PackGround::open(global, self.partner.as_deref())?;
        let policy = &opened.session.policy;
        let pack = opened.pack(self.pack_policy.as_deref())?;
        let sized = pack.sized(policy)?;
        let start = |facts: &Value| replay::start_under(global, Some(&sized), facts);
        let outcome = run(&Request {
            ground: opened.ground(self.threads, &start),
            pack: &pack,
            seed_base: self.seed_base,
            smoke: is_smoke_pack(self.smoke, self.no_smoke),
            full_security: self.full,
            coordination_pack: self.include_coordination_pack,
            episodes_per_cell: None,
            out: &self.out,
            told: &|step| tell(talk, step),
        })?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.out.join(MANIFEST));
        answer.wrote(&self.out.join(SUMMARY));
        for method in &outcome.not_run {
            talk.say(&format!("Not run: {}", method.reason));
        }
        answer.figures(json!({
            "steps": outcome.steps.iter().map(labtrust_official_pack::Step::json).collect::<Vec<_>>(),
            "baselines": outcome.played.iter().map(|one| one.json()).collect::<Vec<_>>(),
            "not_run": outcome.not_run,
            "safety_case": outcome.safety_case,
            "coordination_pack": outcome.coordination_pack,
        }));
        let done = outcome.steps.iter().all(|step| step.status == Status::Done);
        answer.finish::<Self>(done, "")?;
        Ok(outcome.require()?)
    }
}

impl Options {
    /// What is asked for and not there.
    fn refuse(&self) -> Result<(), CliError> {
        refuse_pipeline(self.pipeline_mode.as_deref())?;
        if self.llm_backend.is_some() {
            let reason = "there are no language models in it";
            return Err(CliError::NotAvailable { flag: "--llm-backend", reason });
        }
        if self.allow_network {
            let reason = "nothing in it uses the network";
            return Err(CliError::NotAvailable { flag: "--allow-network", reason });
        }
        match self.out.as_os_str().is_empty() {
            true => Err(CliError::Empty { option: "--out" }),
            false => Ok(()),
        }
    }
}

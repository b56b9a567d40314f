//! `run-official-pack`: tasks, sizes, methods, security and evidence, in one folder that others can compare with.

use super::common_options::{PackOptions, WholeOptions};
use super::not_yet::MODEL;
use super::pack_ground::{PackGround, tell};
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::replay;
use crate::talk::Talk;
use labtrust_official_pack::pack::{MANIFEST, SUMMARY};
use labtrust_official_pack::{Request, Status, run};
use serde_json::{Value, json};

/// Run the official benchmark pack: tasks, sizes, methods, security suite, and the evidence of it all
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    whole: WholeOptions,
    #[command(flatten)]
    amount: PackOptions,
    /// The whole security suite
    #[arg(long)]
    full: bool,
    /// The coordination security pack, too, with its report
    #[arg(long)]
    include_coordination_pack: bool,
    #[arg(long, hide = true)]
    llm_backend: Option<String>,
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
        let opened = PackGround::open(global, self.amount.partner.as_deref())?;
        let policy = &opened.session.policy;
        let pack = opened.pack(self.amount.pack_policy.as_deref())?;
        let sized = pack.sized(policy)?;
        let start = |facts: &Value| replay::start_under(global, Some(&sized), facts);
        let outcome = run(&Request {
            ground: opened.ground(self.whole.threads.threads, &start),
            pack: &pack,
            seed_base: self.whole.seed_base,
            smoke: self.amount.is_smoke(),
            full_security: self.full,
            coordination_pack: self.include_coordination_pack,
            episodes_per_cell: None,
            out: &self.whole.out,
            told: &|step| tell(talk, step),
        })?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.whole.out.join(MANIFEST));
        answer.wrote(&self.whole.out.join(SUMMARY));
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
        self.whole.refuse()?;
        match self.llm_backend {
            Some(_) => Err(CliError::NotAvailable { flag: "--llm-backend", reason: MODEL }),
            None => Ok(()),
        }
    }
}

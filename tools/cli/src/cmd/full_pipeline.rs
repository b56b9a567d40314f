//! `run-hospital-lab-full-pipeline`: pack, suite, gate, decision, safety case and register of risks, by one command.

use super::common_options::{PackOptions, WholeOptions};
use super::not_yet::MODEL;
use super::pack_ground::{PackGround, tell};
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::replay;
use crate::talk::Talk;
use labtrust_official_pack::pipeline::{MANIFEST, Request, SUMMARY, Security, run};
use labtrust_official_pack::steps::Step;
use serde_json::{Value, json};

/// Run everything about a hospital laboratory: official pack, security, gate, decision, safety case and register of risks
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    whole: WholeOptions,
    #[command(flatten)]
    amount: PackOptions,
    /// Preset of the coordination security pack (hospital_lab, hospital_lab_full, full_matrix, ...); that of the pack unless given
    #[arg(long, value_name = "NAME")]
    matrix_preset: Option<String>,
    /// Attacks of the short suite, all of them, or both, with all of them in security_full/
    #[arg(long, value_name = "WHICH", default_value = "smoke")]
    security: SecurityChoice,
    /// Every coordination method that there is, too, at the smallest size
    #[arg(long)]
    method_sweep: bool,
    /// Episodes of a cell of the coordination security pack instead of the policy's numbers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    episodes_per_cell: Option<u64>,
    #[arg(long, hide = true)]
    include_coordination_pack: bool,
    #[arg(long, hide = true)]
    providers: Option<String>,
    #[arg(long, hide = true)]
    llm_attacker: bool,
    #[command(flatten)]
    format: FormatOption,
}

/// Which attacks are made.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SecurityChoice {
    /// The short suite.
    Smoke,
    /// The whole one.
    Full,
    /// Both.
    Both,
}

impl From<SecurityChoice> for Security {
    fn from(choice: SecurityChoice) -> Self {
        match choice {
            SecurityChoice::Smoke => Self::Smoke,
            SecurityChoice::Full => Self::Full,
            SecurityChoice::Both => Self::Both,
        }
    }
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-hospital-lab-full-pipeline",
        notes: "Stages and files: [official pack](official_pack.md#full-pipeline). A gate that fails is a result: `check-security-gate --run OUT/coordination_pack` makes an exit code of it. The same seed gives the same files, but for `timings.json`.",
        writes: &[
            output("--out/summary/full_pipeline_manifest.json", "what was made, what failed and why; .md for people"),
            output("--out/", "everything of an official pack, with these beside it:"),
            output("--out/coordination_pack/", "gate, LAB_COORDINATION_REPORT.md and COORDINATION_DECISION"),
            output("--out/security_full/", "with `--security both`: the whole suite"),
            output("--out/method_sweep/", "with `--method-sweep`: every method, as a study with its page"),
            output("--out/risk_register_out/RISK_REGISTER_BUNDLE.v0.1.json", "risks, controls, and all of this as evidence"),
        ],
        done: "every stage was done",
        fails: "a stage that failed: it is named, and what the others wrote is there; a preset that there is not; --out holds something else than a pipeline",
        json: Json::product(&[
            ("steps", "for every stage `name`, `status` (`done`, `failed`, `not_tried`) and `error`"),
            ("gate", "what the gate came to, with the `verdict` of the decision, or null"),
            ("safety_case", "claims that are supported, unsupported and not evaluated [count]"),
        ]),
        examples: &[
            Example::shown("--out pipeline --security both --method-sweep"),
            Example::tried("--out small_pipeline --smoke --pack-policy small_pack.yaml --matrix-preset exploratory_injection --episodes-per-cell 1 --threads 2")
                .needs(&["small_pack.yaml"])
                .leaves(&[
                    "small_pipeline/summary/full_pipeline_manifest.json",
                    "small_pipeline/coordination_pack/COORDINATION_DECISION.v0.1.json",
                    "small_pipeline/risk_register_out/RISK_REGISTER_BUNDLE.v0.1.json",
                ]),
        ],
        refusals: &[
            Refusal::new("--out p --matrix-preset enormous", 1, "enormous"),
            Refusal::new("--out p --security none", 2, "smoke"),
            Refusal::new("--out p --providers openai_live", 1, "--providers"),
            Refusal::new("--out p --llm-attacker", 1, "--llm-attacker"),
            Refusal::new("--out evidence --smoke", 1, "something else than a full pipeline").needs(&["evidence"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        self.refuse()?;
        let opened = PackGround::open(global, self.amount.partner.as_deref())?;
        let mut pack = opened.pack(self.amount.pack_policy.as_deref())?;
        if let Some(preset) = &self.matrix_preset {
            pack = pack.with_preset(preset);
        }
        let sized = pack.sized(&opened.session.policy)?;
        let start = |facts: &Value| replay::start_under(global, Some(&sized), facts);
        let ran = run(&Request {
            ground: opened.ground(self.whole.threads.threads, &start),
            pack: &pack,
            seed_base: self.whole.seed_base,
            smoke: self.amount.is_smoke(),
            security: self.security.into(),
            method_sweep: self.method_sweep,
            episodes_per_cell: self.episodes_per_cell,
            out: &self.whole.out,
            told: &|step| tell(talk, step),
        })?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.whole.out.join(MANIFEST));
        answer.wrote(&self.whole.out.join(SUMMARY));
        if let Some(gate) = &ran.pack.coordination_pack {
            let passes = if gate["overall_pass"] == true { "PASS" } else { "FAIL" };
            talk.say(&format!("Gate: {passes}. Decision: {}.", gate["verdict"].as_str().unwrap_or("none")));
        }
        answer.figures(json!({
            "steps": ran.steps.iter().map(Step::json).collect::<Vec<_>>(),
            "gate": ran.pack.coordination_pack,
            "safety_case": ran.pack.safety_case,
        }));
        let done = ran.require();
        answer.finish::<Self>(done.is_ok(), "")?;
        Ok(done?)
    }
}

impl Options {
    /// What is asked for and not there. The coordination pack is always part of it.
    fn refuse(&self) -> Result<(), CliError> {
        self.whole.refuse()?;
        let flags = [(self.providers.is_some(), "--providers"), (self.llm_attacker, "--llm-attacker")];
        match flags.into_iter().find(|(given, _)| *given) {
            Some((_, flag)) => Err(CliError::NotAvailable { flag, reason: MODEL }),
            None => Ok(()),
        }
    }
}

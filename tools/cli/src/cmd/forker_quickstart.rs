//! `forker-quickstart`: what somebody runs first who took the project over.

use super::common_options::ThreadsOption;
use super::pack_ground::{PackGround, tell};
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::replay;
use crate::session::partner;
use crate::talk::Talk;
use labtrust_assurance::pack::Asked;
use labtrust_official_pack::quickstart::{MANIFEST, Request, published, quickstart};
use labtrust_official_pack::steps::{Step, require};
use serde_json::Value;
use std::path::PathBuf;

/// Check the policy, run a coordination security pack, write its report and the register of risks
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory for all of it
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Matrix of the policy instead of the fixed methods under the critical injections
    #[arg(long, value_name = "NAME")]
    matrix_preset: Option<String>,
    /// Keep these sizes of the matrix only
    #[arg(long, value_name = "ID", num_args = 1..)]
    scale_ids: Vec<String>,
    /// Keep these methods of the matrix only
    #[arg(long, value_name = "ID", num_args = 1..)]
    method_ids: Vec<String>,
    /// Keep these injections of the matrix only
    #[arg(long, value_name = "ID", num_args = 1..)]
    injection_ids: Vec<String>,
    /// Episodes of a cell instead of the policy's numbers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    episodes_per_cell: Option<u64>,
    #[command(flatten)]
    threads: ThreadsOption,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "forker-quickstart",
        notes: "A gate that fails is a result: `check-security-gate --run OUT/pack` makes an exit code of it.",
        writes: &[
            output("--out/pack/", "the coordination security pack, with LAB_COORDINATION_REPORT.md"),
            output("--out/risk_out/RISK_REGISTER_BUNDLE.v0.1.json", "risks, controls and evidence"),
            output("--out/quickstart_manifest.json", "what was done, and how every step ended"),
        ],
        done: "every step was done",
        fails: "the policy has findings: nothing else is then tried; a step that failed",
        json: Json::product(&[("steps", "for every step `name`, `status` and `error`")]),
        examples: &[
            Example::shown("--out quickstart"),
            Example::tried("--out small_quickstart --matrix-preset hospital_lab_core --scale-ids small_smoke --method-ids kernel_centralized_edf --injection-ids none INJ-ID-SPOOF-001 --episodes-per-cell 2")
                .leaves(&[
                    "small_quickstart/pack/LAB_COORDINATION_REPORT.md",
                    "small_quickstart/risk_out/RISK_REGISTER_BUNDLE.v0.1.json",
                ]),
        ],
        refusals: &[Refusal::new("--out q --scale-ids enormous", 1, "--scale-ids")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        if self.out.as_os_str().is_empty() {
            return Err(CliError::Empty { option: "--out" });
        }
        let opened = PackGround::open(global, partner(self.partner.as_deref()).as_deref())?;
        let start = |facts: &Value| replay::start(global, facts);
        let steps = quickstart(&Request {
            ground: &opened.ground(self.threads.threads, &start),
            asked: Asked {
                preset: self.matrix_preset.clone(),
                scale_ids: self.scale_ids.clone(),
                method_ids: self.method_ids.clone(),
                injection_ids: self.injection_ids.clone(),
                ..published()
            },
            episodes_per_cell: self.episodes_per_cell,
            out: &self.out,
            told: &|step| tell(talk, step),
        })?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.out.join(MANIFEST));
        answer.figure("steps", steps.iter().map(Step::json).collect::<Vec<_>>());
        let done = require(&steps);
        answer.finish::<Self>(done.is_ok(), "")?;
        Ok(done?)
    }
}

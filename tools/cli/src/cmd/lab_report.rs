//! `recommend-coordination-method` and `build-lab-coordination-report`: what is made of a pack.

use super::strict_gate::StrictOptions;
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{Session, partner};
use crate::talk::Talk;
use labtrust_assurance::pack::decision::{DECISION_JSON, DECISION_MD, decide};
use labtrust_assurance::pack::report::{self, Request};
use serde_json::Value;
use std::path::PathBuf;

/// Recommend a coordination method for every size, if one may be recommended
#[derive(Debug, clap::Args)]
pub(crate) struct Recommend {
    /// Directory of a security pack, or of a coordination study
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Directory for the decision
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write this down as the time of the decision; none is written unless given
    #[arg(long, value_name = "TIME")]
    generated_at: Option<String>,
    #[command(flatten)]
    strictness: StrictOptions,
    #[command(flatten)]
    format: FormatOption,
}

/// Write the report of a coordination security pack
#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    /// Directory of the pack
    #[arg(long, value_name = "DIR")]
    pack_dir: PathBuf,
    /// Directory for the report; the pack's own unless given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Preset that the report names
    #[arg(long, value_name = "NAME")]
    matrix_preset: Option<String>,
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Write this down as the time of the decision; none is written unless given
    #[arg(long, value_name = "TIME")]
    generated_at: Option<String>,
    #[command(flatten)]
    strictness: StrictOptions,
    /// Put the coordination matrix of the pack beside it
    #[arg(long)]
    include_matrix: bool,
    #[command(flatten)]
    format: FormatOption,
}

fn time(given: Option<&String>) -> Result<Option<&str>, CliError> {
    match given.map(String::as_str) {
        Some("") => Err(CliError::Empty { option: "--generated-at" }),
        given => Ok(given),
    }
}

impl CliCommand for Recommend {
    const SPEC: Spec = Spec {
        name: "recommend-coordination-method",
        notes: "By `coordination_selection_policy.v0.1.yaml`. Past a gate that failed no method is chosen, with `--strict` past cells that show nothing either; a pack without a gate is refused: [security pack](security_pack.md).",
        writes: &[
            output("--out/COORDINATION_DECISION.v0.1.json", "the decision"),
            output("--out/COORDINATION_DECISION.md", "the same for people"),
        ],
        done: "a decision is written, also one that chooses nothing",
        fails: "a directory without rows; a pack without a gate, or with one that leaves cells out",
        json: Json::product(&[
            ("verdict", "`admissible`, `no_admissible_method` or `security_gate_failed`"),
            ("chosen", "by size, the method or null"),
        ]),
        examples: &[Example::new("--run small --out decision")
            .needs(&["small/timings.json"])
            .leaves(&["decision/COORDINATION_DECISION.v0.1.json", "decision/COORDINATION_DECISION.md"])],
        refusals: &[Refusal::new("--run nowhere --out decision", 1, "summary_coord.csv")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let policy = Session::open(global, None)?.policy;
        let time = time(self.generated_at.as_ref())?;
        let decision = self.strictness.with(global, |by| Ok(decide(&self.run, &policy, time, by)?))?;
        decision.write(&self.out)?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.out.join(DECISION_JSON));
        answer.wrote(&self.out.join(DECISION_MD));
        talk.say(&format!("Verdict: {}", decision.verdict()));
        let chosen: serde_json::Map<String, Value> =
            decision.chosen().map(|(scale, method)| (scale.to_owned(), method.into())).collect();
        answer.figure("verdict", decision.verdict());
        answer.figure("chosen", chosen);
        answer.finish::<Self>(true, "")
    }
}

impl CliCommand for Report {
    const SPEC: Spec = Spec {
        name: "build-lab-coordination-report",
        notes: "Past a gate that failed, with `--strict` past cells that show nothing, the report recommends nothing. It links to files that are there: [security pack](security_pack.md).",
        writes: &[
            output("--out/LAB_COORDINATION_REPORT.md", "the page that leads to everything"),
            output("--out/SECURITY_REPORT.md", "what the gate says"),
            output("--out/SAFETY_CASE_REPORT.md", "what the safety case says, where there is one"),
            output("--out/COORDINATION_DECISION.v0.1.json", "which method is recommended, if any; .md for people"),
            output("--out/coordination_matrix.v0.1.json", "the matrix, with `--include-matrix`"),
            output("--out/summary/", "means by method, by class of methods, by phase"),
        ],
        fails: "a directory without a pack; a pack without a gate; with `--include-matrix`, one without baselines or attacks",
        json: Json::product(&[
            ("verdict", "of the decision"),
            ("gate_passes", "whether no cell failed; with `--strict`, every cell passed or is waived"),
        ]),
        examples: &[
            Example::new("--pack-dir small --out report").needs(&["small/timings.json"]).leaves(&[
                "report/LAB_COORDINATION_REPORT.md",
                "report/SECURITY_REPORT.md",
                "report/summary/sota_leaderboard.csv",
            ]),
            Example::tried("--pack-dir small --out report_m --include-matrix")
                .needs(&["small/timings.json"])
                .leaves(&["report_m/coordination_matrix.v0.1.json"]),
        ],
        refusals: &[Refusal::new("--pack-dir nowhere", 1, "pack_summary.csv")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let policy = Session::open(global, partner(self.partner.as_deref()).as_deref())?.policy;
        let out = self.out.as_ref().unwrap_or(&self.pack_dir);
        let generated_at = time(self.generated_at.as_ref())?;
        let report = self.strictness.with(global, |by| {
            Ok(report::write(&Request {
                pack: &self.pack_dir,
                out,
                policy: &policy,
                preset: self.matrix_preset.as_deref(),
                generated_at,
                with_matrix: self.include_matrix,
                by,
            })?)
        })?;
        let mut answer = Answer::new(self.format, talk);
        for name in &report.written {
            answer.wrote(&out.join(name));
        }
        talk.say(&format!("Gate: {}. Decision: {}.", if report.gate_passes { "PASS" } else { "FAIL" }, report.verdict));
        answer.figure("verdict", report.verdict);
        answer.figure("gate_passes", report.gate_passes);
        answer.finish::<Self>(true, "")
    }
}

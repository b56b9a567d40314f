//! `run-coordination-security-pack`: sizes, methods and injections tried against each other, and a gate over every cell.

use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{Session, partner};
use crate::talk::Talk;
use crate::{Global, plugin_files, version};
use labtrust_assurance::pack::config::Config;
use labtrust_assurance::pack::{Asked, Matrix, Request, outputs, run};
use std::path::PathBuf;

/// Try methods against injections at several sizes, and judge every cell by a gate
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory for the files of the pack
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Everything is drawn from it
    #[arg(long, value_name = "SEED", default_value_t = 42)]
    seed: u64,
    #[command(flatten)]
    matrix: MatrixOptions,
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Threads to use; the files do not depend on it. All that there are unless given
    #[arg(long, visible_alias = "threads", value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=4096))]
    workers: Option<usize>,
    /// Episodes of a cell instead of the policy's numbers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    episodes_per_cell: Option<u64>,
    /// A cell that does not show what it must is a FAIL
    #[arg(long)]
    strict: bool,
    /// Who decides: the method, or (`multi_agentic`) every agent for itself, behind the same controls
    #[arg(long, value_name = "MODE", default_value = "single", value_parser = ["single", "multi_agentic"])]
    agent_driven_mode: String,
    /// Keep the logs of every cell beside its results
    #[arg(long)]
    logs: bool,
    #[arg(long, hide = true)]
    llm_backend: Option<String>,
    #[arg(long, hide = true)]
    allow_network: bool,
    #[command(flatten)]
    format: FormatOption,
}

/// Which cells.
#[derive(Debug, clap::Args)]
pub(super) struct MatrixOptions {
    /// A matrix of the policy: its sizes, methods and injections
    #[arg(long, value_name = "NAME")]
    matrix_preset: Option<String>,
    /// Methods without a preset: `fixed`, `full`, `full_llm`, or a file with ids
    #[arg(long, value_name = "WHICH", default_value = "fixed")]
    methods_from: String,
    /// Injections without a preset: `fixed`, `critical`, `policy`, or a file with ids
    #[arg(long, value_name = "WHICH", default_value = "fixed")]
    injections_from: String,
    /// Sizes without a preset
    #[arg(long, value_name = "WHICH", default_value = "default", value_parser = ["default", "full"])]
    scales_from: String,
    /// Keep these sizes of the matrix only
    #[arg(long, value_name = "ID", num_args = 1..)]
    scale_ids: Vec<String>,
    /// Keep these methods of the matrix only
    #[arg(long, value_name = "ID", num_args = 1..)]
    method_ids: Vec<String>,
    /// Keep these injections of the matrix only
    #[arg(long, value_name = "ID", num_args = 1..)]
    injection_ids: Vec<String>,
}

impl MatrixOptions {
    pub(super) fn asked(&self) -> Asked {
        Asked {
            preset: self.matrix_preset.clone(),
            methods_from: Some(self.methods_from.clone()),
            injections_from: Some(self.injections_from.clone()),
            scales_from: Some(self.scales_from.clone()),
            scale_ids: self.scale_ids.clone(),
            method_ids: self.method_ids.clone(),
            injection_ids: self.injection_ids.clone(),
        }
    }
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-coordination-security-pack",
        notes: "What a cell must show before it can pass, and what came of the presets: [security pack](security_pack.md). A gate that fails is a result and exit 0: `check-security-gate` makes an exit code of it.",
        writes: &[
            output("--out/pack_summary.csv", "the figures of every cell"),
            output("--out/pack_gate.md", "the verdict of every cell, and why"),
            output("--out/SECURITY/coord_pack_gate_summary.json", "the gate over all cells"),
            output("--out/SECURITY/coordination_risk_matrix.csv", "figures of security with verdicts; .md for people"),
            output("--out/pack_results/", "for every cell results.json and episodes.jsonl; with --logs its logs"),
            output("--out/pack_manifest.json", "the matrix and the seed; with --logs the digests of all logs"),
            output("--out/timings.json", "how long cells took; the one file that differs between equal runs"),
        ],
        json: Json::product(&[
            ("overall_pass", "whether no cell failed and an attacked one passed"),
            ("total_cells", "[count]"),
            ("passed", "[count]"),
            ("failed", "[count]"),
            ("skipped", "nothing is shown, not supported, or not run [count]"),
            ("not_run", "of those, cells whose method is not there [count]"),
        ]),
        done: "the pack is written, whatever its gate says",
        fails: "an unknown preset, size, method or injection; a list with a reserved name; a live model",
        examples: &[
            Example::shown("--out pack --matrix-preset hospital_lab_core").leaves(&["pack/pack_gate.md"]),
            Example::tried("--out small --matrix-preset hospital_lab_core --scale-ids small_smoke --method-ids kernel_centralized_edf --injection-ids none INJ-ID-SPOOF-001 --episodes-per-cell 2")
                .leaves(&["small/pack_gate.md", "small/pack_summary.csv", "small/SECURITY/coord_pack_gate_summary.json", "small/timings.json"]),
            Example::tried("--out logged --matrix-preset hospital_lab_core --scale-ids small_smoke --method-ids market_auction --injection-ids INJ-ID-SPOOF-001 --episodes-per-cell 1 --logs")
                .leaves(&["logged/pack_results/small_smoke_market_auction_INJ-ID-SPOOF-001/METHOD_TRACE.jsonl"]),
        ],
        refusals: &[
            Refusal::new("--out p --matrix-preset hospital", 1, "hospital_lab_core"),
            Refusal::new("--out p --scale-ids enormous", 1, "--scale-ids"),
            Refusal::new("--out p --llm-backend openai_live", 1, "--llm-backend"),
            Refusal::new("--out p --allow-network", 1, "--allow-network"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        if self.llm_backend.as_deref().is_some_and(|backend| backend != "deterministic") {
            let reason = "no method in it works with a language model";
            return Err(CliError::NotAvailable { flag: "--llm-backend", reason });
        }
        if self.allow_network {
            let reason = "nothing in it uses the network";
            return Err(CliError::NotAvailable { flag: "--allow-network", reason });
        }
        let registry = plugin_files::registry(global)?;
        let session = Session::open(global, partner(self.partner.as_deref()).as_deref())?;
        let lab = session.load_lab(&registry, registry.task("coord_risk")?)?;
        let matrix = Matrix::resolve(&Config::load(&session.policy)?, &registry, &self.matrix.asked())?;
        let bar = talk.progress(matrix.len() as u64, "cells");
        let request = Request {
            registry: &registry,
            policy: &session.policy,
            lab,
            asked: self.matrix.asked(),
            seed: self.seed,
            episodes_per_cell: self.episodes_per_cell,
            threads: self.workers,
            strict: self.strict,
            multi_agentic: self.agent_driven_mode == "multi_agentic",
            out: Some(&self.out),
            logs: self.logs,
            git_sha: version::GIT_SHA.map(str::to_owned),
            progress: &|_, _| bar.inc(1),
        };
        let outcome = run(&request);
        bar.finish_and_clear();
        let outcome = outcome?;
        let mut answer = Answer::new(self.format, talk);
        for name in [outputs::SUMMARY, outputs::GATE, outputs::GATE_SUMMARY, outputs::MATRIX_CSV, outputs::MATRIX_MD] {
            answer.wrote(&self.out.join(name));
        }
        let gate = &outcome.gate;
        talk.say(&format!(
            "Gate: {}. {} of {} cells passed, {} failed, {} show nothing ({} not run).",
            if gate.overall_pass { "PASS" } else { "FAIL" },
            gate.passed,
            gate.total_cells,
            gate.failed,
            gate.skipped,
            gate.not_run
        ));
        for cell in &gate.failed_cells {
            talk.say(&format!("  {} / {} / {}: {}", cell.scale_id, cell.method_id, cell.injection_id, cell.rationale));
        }
        answer.figure("overall_pass", gate.overall_pass);
        answer.figure("total_cells", gate.total_cells);
        answer.figure("passed", gate.passed);
        answer.figure("failed", gate.failed);
        answer.figure("skipped", gate.skipped);
        answer.figure("not_run", gate.not_run);
        talk.say(&format!("Next: labtrust check-security-gate --run {}", self.out.display()));
        answer.finish::<Self>(true, "")
    }
}

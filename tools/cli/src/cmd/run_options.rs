//! What `run-benchmark` and `eval-agent` have in common: options, files, and what is told at the end.

use super::ablate::{self, Ablated};
use super::manifest::{self, Also};
use super::{Timing, not_yet};
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::CliCommand;
use crate::error::CliError;
use crate::session::{self, Session};
use crate::talk::Talk;
use labtrust_bench::approvals::{AUTO_APPROVE, ApprovalHook};
use labtrust_bench::files::{self, AtomicFile, refuse_same_file};
use labtrust_bench::log::{Beside, LogFiles};
use labtrust_bench::results::{MANIFEST_NAME, results_bytes};
use labtrust_bench::{Ablation, BenchError, RunOutcome};
use labtrust_plugin::Task;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of a run of one task. Which task, and how many episodes unless one says, is each command's own affair.
#[derive(Debug, clap::Args)]
pub(super) struct RunOptions {
    /// Seed of the first episode; the others count up from it
    #[arg(long, value_name = "SEED", default_value_t = 123)]
    pub(super) seed: u64,
    /// Results file; run_manifest.json is written beside it
    #[arg(long, value_name = "FILE", default_value = "results.json")]
    pub(super) out: PathBuf,
    /// Episode log, a JSON line for every step; episodes.jsonl is written beside it
    #[arg(long, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// Form of the log: lines, frames whose longest whole beginning can always be told (for long runs), or a Parquet file for
    /// tools that analyse tables
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", requires = "log")]
    pub(super) log_format: LogFormat,
    /// Who moves time; the task decides where this is not given
    #[arg(long, value_name = "MODE")]
    pub(super) timing: Option<Timing>,
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Control that the run does without, for an experiment (`labtrust controls list` shows them); may be given several times
    #[arg(long, value_name = "CONTROL")]
    ablate: Vec<Ablated>,
    /// Who answers when an agent asks for the second approval of a token
    #[arg(long, value_name = "HOOK", default_value = "none")]
    approval_hook: Approver,
    /// What decides: only `deterministic` is available
    #[arg(long, value_name = "MODE", value_parser = ["deterministic", "llm_offline", "llm_live"])]
    pipeline_mode: Option<String>,
    #[command(flatten)]
    format: FormatOption,
}

/// How the log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LogFormat {
    /// A JSON line for every step.
    Jsonl,
    /// The same lines, each with its length and a digest.
    Framed,
    /// A row for every step, with the line in it.
    Parquet,
}

impl LogFormat {
    /// Begins a log in this form; `out` is where the results will be.
    ///
    /// # Errors
    /// As [`LogFiles::create`].
    pub(super) fn create(self, log: &Path, out: &Path, beside: Beside) -> Result<LogFiles, BenchError> {
        match self {
            Self::Jsonl => LogFiles::create(log, out, beside),
            Self::Framed => LogFiles::create_framed(log, out, beside),
            Self::Parquet => LogFiles::create_columnar(log, out, beside),
        }
    }
}

/// Who answers requests for approvals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Approver {
    /// Nobody: agents do without what needs a second approval.
    None,
    /// A second person with a role and a key of their own, who approves whatever is asked.
    AutoApprove,
}

/// What the document of such a run has in its summary.
pub(super) const SUMMARY: &[(&str, &str)] = &[
    ("task", "its id"),
    ("episodes", "how many there were [count]"),
    ("base_seed", "seed of the first"),
    ("agent_baseline_id", "who acted, as in the results"),
    ("throughput_total", "specimens with a released result in all episodes [count]"),
    ("throughput_mean", "the same an episode"),
    ("warnings", "what a reader of the figures should know"),
];

/// What a run has made besides its results.
pub(super) struct Made {
    /// Times of steps, for the manifest.
    pub(super) step_timing: Option<Map<String, Value>>,
    pub(super) wall: Duration,
    /// Whether the files of a run that is gone on with may be there already.
    pub(super) again: bool,
}

impl RunOptions {
    /// Refuses what cannot be done, and two outputs that are one file.
    ///
    /// # Errors
    /// [`CliError::NotAvailable`], [`CliError::Empty`], [`CliError::Bench`].
    pub(super) fn check(&self) -> Result<(), CliError> {
        not_yet::refuse_pipeline(self.pipeline_mode.as_deref())?;
        if self.out.as_os_str().is_empty() {
            return Err(CliError::Empty { option: "--out" });
        }
        let manifest = self.manifest_path();
        let mut outputs = vec![("the results", self.out.as_path()), ("the run manifest", manifest.as_path())];
        outputs.extend(self.log.as_deref().map(|log| ("the episode log", log)));
        Ok(refuse_same_file(&outputs)?)
    }

    fn manifest_path(&self) -> PathBuf {
        self.out.with_file_name(MANIFEST_NAME)
    }

    /// The task without the controls that were named.
    pub(super) fn ablated(&self, task: &'static dyn Task) -> Ablation<&'static dyn Task> {
        Ablation::new(task, ablate::without(&self.ablate).lab)
    }

    /// Names of the controls that it does without and that are neither the laboratory's nor the bus's.
    pub(super) fn without(&self) -> Vec<String> {
        ablate::without(&self.ablate).run
    }

    /// How a method's bus is to be set where somebody may be on it.
    pub(super) fn bus(&self) -> String {
        ablate::without(&self.ablate).bus
    }

    /// Who answers requests for approvals.
    pub(super) fn approvals(&self) -> Option<&'static ApprovalHook> {
        match self.approval_hook {
            Approver::None => None,
            Approver::AutoApprove => Some(&AUTO_APPROVE),
        }
    }

    /// The policy of the run.
    ///
    /// # Errors
    /// [`CliError::Policy`].
    pub(super) fn session(&self, global: &Global) -> Result<Session, CliError> {
        Session::open(global, session::partner(self.partner.as_deref()).as_deref())
    }

    /// Writes results and manifest, and tells what the command `C` has done. `logs` gives the files of the log their
    /// names and tells names and SHA-256; `beside` are files to tell of besides results and log.
    ///
    /// # Errors
    /// [`CliError::Bench`] when a file cannot be written.
    pub(super) fn finish<C: CliCommand>(
        &self,
        outcome: &RunOutcome,
        mut out: AtomicFile,
        logs: impl FnOnce() -> Result<Vec<(String, String)>, CliError>,
        made: Made,
        beside: &[&Path],
        talk: Talk,
    ) -> Result<(), CliError> {
        let results = &outcome.results;
        out.write(&results_bytes(results)?)?;
        let name = self.out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut written: BTreeMap<_, _> = logs()?.into_iter().collect();
        written.insert(name, out.persist()?);
        let episodes = results.episodes.len();
        let hook = self.approvals().map_or("none", |hook| hook.id);
        let also = Also { step_timing: made.step_timing, approval_hook: Some(hook.to_owned()) };
        let manifest = manifest::bytes_with(outcome.threads, episodes as u64, made.wall, written, also);
        match made.again {
            true => files::write_whole_again(&self.manifest_path(), &manifest)?,
            false => files::write_whole(&self.manifest_path(), &manifest)?,
        };
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.out);
        for path in self.log.as_deref().into_iter().chain(beside.iter().copied()) {
            answer.wrote(path);
        }
        for warning in &results.warnings {
            talk.say(&format!("warning: {warning}"));
        }
        talk.say(&format!("Episodes: {episodes}, mean throughput: {:.2}", outcome.throughput_mean()));
        answer.figure("task", results.task.as_str());
        answer.figure("episodes", episodes);
        answer.figure("base_seed", results.base_seed);
        answer.figure("agent_baseline_id", results.agent_baseline_id.as_str());
        answer.figure("throughput_total", outcome.throughput_total);
        answer.figure("throughput_mean", outcome.throughput_mean());
        answer.figure("warnings", results.warnings.clone());
        answer.finish::<C>(true, "")
    }
}

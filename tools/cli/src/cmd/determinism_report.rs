//! `determinism-report`: one benchmark twice, with one thread and with several, each in a process of its own, compared
//! byte by byte.

mod report;

use super::method_options::MethodOptions;
use super::{Timing, not_yet};
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::plugin_files;
use crate::session::{self, Session};
use crate::talk::Talk;
use labtrust_bench::diff::diff;
use labtrust_bench::files::write_whole;
use labtrust_kernel::ClockMode;
use report::{Report, RunDigests};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Run a benchmark twice, with one thread and with several, and compare every byte
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Task to run (`labtrust plugins list` shows them)
    #[arg(long, value_name = "ID")]
    task: String,
    /// Episodes to run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    episodes: u64,
    /// Seed of the first episode; the others count up from it
    #[arg(long, value_name = "SEED")]
    seed: u64,
    /// Directory for determinism_report.json and determinism_report.md
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Who moves time
    #[arg(long, value_name = "MODE", default_value = "explicit")]
    timing: Timing,
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Size of a task that has several: an id of the policy's scale configurations
    #[arg(long, value_name = "ID")]
    scale: Option<String>,
    /// Disturbance of a task that takes one
    #[arg(long, value_name = "ID")]
    injection: Option<String>,
    #[command(flatten)]
    method: MethodOptions,
    #[command(flatten)]
    format: FormatOption,
    #[arg(long, hide = true, value_parser = ["deterministic", "llm_offline"])]
    pipeline_mode: Option<String>,
    #[arg(long, hide = true)]
    llm_backend: Option<String>,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "determinism-report",
        notes: "Each run is a process of its own ([why](../explanation/determinism.md)).",
        writes: &[
            output("--out/determinism_report.json", "every check with both digests"),
            output("--out/determinism_report.md", "the same for reading"),
        ],
        done: "every byte is the same",
        fails: "anything differs",
        json: Json::product(&[
            ("task", "its id"),
            ("episodes", "of each run [count]"),
            ("seed", "of the first episode"),
            ("timing_mode", "who moved time"),
            ("threads", "of both runs [count]"),
            ("checks", "for every check its name (`check`) and whether both runs are the `same`"),
            ("errors", "what differs, in words"),
            ("warnings", "what a reader of the figures should know"),
        ]),
        examples: &[Example::new("--task throughput_sla --episodes 20 --seed 42 --out report")
            .leaves(&["report/determinism_report.json", "report/determinism_report.md"])],
        refusals: &[Refusal::new("--task nothing --episodes 2 --seed 1 --out twice", 1, "nothing")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError::NotDeterministic`] when anything differs, and whatever keeps the benchmark from running.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    not_yet::refuse_pipeline(options.pipeline_mode.as_deref())?;
    if options.llm_backend.is_some() {
        return Err(CliError::NotAvailable {
            flag: "--llm-backend",
            reason: "agents without a language model only can be reported on yet",
        });
    }
    if options.out.as_os_str().is_empty() {
        return Err(CliError::Empty { option: "--out" });
    }
    // What cannot run is told once, and by name.
    let partner = session::partner(options.partner.as_deref());
    let registry = plugin_files::registry(global)?;
    let task = registry.task(&options.task)?;
    if let Some(id) = &options.injection {
        registry.injection(id)?;
    }
    let session = Session::open(global, partner.as_deref())?;
    options.method.choose(&registry, &global.plugins, &session.policy, None)?;
    session.load_lab(&registry, task)?;

    let scratch = Scratch::create(&options.out)?;
    let several = std::thread::available_parallelism().map_or(2, |count| count.get().max(2));
    let first = measured(options, global, partner.as_deref(), &scratch.0.join("run1"), 1)?;
    let second = measured(options, global, partner.as_deref(), &scratch.0.join("run2"), several)?;
    let (first_difference, results_difference) =
        (difference(&first.log, &second.log)?, difference(&first.results, &second.results)?);
    let report = Report {
        task: options.task.clone(),
        episodes: options.episodes,
        seed: options.seed,
        partner,
        timing: ClockMode::from(options.timing),
        injection: options.injection.clone(),
        scale: options.scale.clone(),
        first: first.digests,
        second: second.digests,
        differences: first_difference.into_iter().chain(results_difference).collect(),
    };
    drop(scratch);
    let json = report.json()?;
    let mut answer = Answer::new(options.format, talk);
    for (name, bytes) in
        [("determinism_report.json", &json), ("determinism_report.md", &report.markdown().into_bytes())]
    {
        let path = options.out.join(name);
        write_whole(&path, bytes)?;
        answer.wrote(&path);
    }
    let checks = report.checks().map(|(check, same)| json!({ "check": check, "same": same }));
    answer.figures(json!({
        "task": report.task, "episodes": report.episodes, "seed": report.seed, "timing_mode": report.timing.as_str(),
        "threads": [report.first.threads, report.second.threads], "checks": checks, "errors": report.errors(),
        "warnings": report.first.warnings,
    }));
    answer.finish::<Options>(report.passed(), "")?;
    for warning in &report.first.warnings {
        talk.say(&format!("warning: {warning}"));
    }
    if !report.passed() {
        return Err(CliError::NotDeterministic { reason: report.errors().join("; ") });
    }
    talk.say(&format!("{} of {} checks passed", report.checks_passed(), report.checks().len()));
    Ok(())
}

/// One of the two runs.
struct Measured {
    log: PathBuf,
    results: PathBuf,
    digests: RunDigests,
}

/// Runs the benchmark in a process of its own: what a process remembers (hash seeds, caches) is then not shared.
fn measured(
    options: &Options,
    global: &Global,
    partner: Option<&str>,
    dir: &Path,
    threads: usize,
) -> Result<Measured, CliError> {
    let (log, results) = (dir.join("log.jsonl"), dir.join("results.json"));
    let timing = ClockMode::from(options.timing);
    let program = std::env::current_exe().map_err(|source| CliError::Child { source })?;
    let mut command = Command::new(program);
    command.args(["run-benchmark", "--quiet", "--task", &options.task, "--timing", timing.as_str()]);
    command.args(["--episodes", &options.episodes.to_string(), "--seed", &options.seed.to_string()]);
    command.args(["--threads", &threads.to_string()]);
    command.arg("--out").arg(&results).arg("--log").arg(&log);
    let (injection, scale) = (options.injection.as_deref(), options.scale.as_deref());
    for (name, value) in [("--partner", partner), ("--injection", injection), ("--scale", scale)] {
        command.args(value.iter().flat_map(|value| [name, value]));
    }
    command.args(options.method.arguments()).args(global.plugins.arguments());
    if let Some(profile) = &global.profile {
        command.arg("--profile").arg(profile);
    }
    if let Some(policy) = &global.policy_dir {
        command.arg("--policy-dir").arg(policy);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let output = command.stderr(Stdio::piped()).output().map_err(|source| CliError::Child { source })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(CliError::RunFailed { threads, said });
    }
    let digests = RunDigests::read(&log, &results, threads)?;
    Ok(Measured { log, results, digests })
}

/// The first difference of two files in words, where there is one.
fn difference(first: &Path, second: &Path) -> Result<Option<String>, CliError> {
    let found = diff(first, second)?;
    let name = first.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(found.difference.map(|difference| format!("{name}: {difference}")))
}

/// A directory that is gone afterwards, whatever happens.
struct Scratch(PathBuf);

impl Scratch {
    fn create(out: &Path) -> Result<Self, CliError> {
        let dir = out.join(format!(".determinism.{}.partial", std::process::id()));
        // Left over from a process of the same number that was killed.
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).map_err(|source| CliError::Directory { path: dir.clone(), source })?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Best effort: its name says that it is not a result.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A figure of an episode; null where it has none.
fn figure(results: &Value, episode: usize, name: &str) -> Option<f64> {
    results.get("episodes")?.get(episode)?.get("metrics")?.get(name)?.as_f64()
}

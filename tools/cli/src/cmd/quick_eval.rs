//! `quick-eval`: three tasks, one episode each, one directory.

use super::{Timing, manifest, not_yet};
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::plugin_files;
use crate::session::{self, Session};
use crate::talk::Talk;
use crate::{Global, version};
use labtrust_bench::files::{AtomicFile, write_whole};
use labtrust_bench::log::EpisodeIndex;
use labtrust_bench::results::{MANIFEST_NAME, results_bytes};
use labtrust_bench::summary::{QuickEvalSummary, count, quick_eval_markdown, total};
use labtrust_bench::{BenchmarkRun, Cast, RunLogs};
use labtrust_contract::ResultsFile;
use labtrust_kernel::ClockMode;
use labtrust_protocol::date::timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

/// The tasks, in the order of the table.
const TASKS: [&str; 3] = ["throughput_sla", "adversarial_disruption", "multi_site_stat"];

/// Run three tasks for one episode each and print a table
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Seed of every episode
    #[arg(long, value_name = "SEED", default_value_t = 42)]
    seed: u64,
    /// Who moves time
    #[arg(long, value_name = "MODE", default_value = "explicit")]
    timing: Timing,
    /// Directory in which the directory of the run is made
    #[arg(long, value_name = "DIR", default_value = "labtrust_runs")]
    out_dir: PathBuf,
    /// Name of the run instead of the time: the directory is quick_eval_<ID>
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    #[command(flatten)]
    format: FormatOption,
    #[arg(long, hide = true, value_parser = ["deterministic", "llm_offline", "llm_live"])]
    pipeline_mode: Option<String>,
    #[arg(long, hide = true)]
    allow_network: bool,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "quick-eval",
        notes: "The table is what it prints, and `summary.md`.",
        writes: &[output(
            "--out-dir/quick_eval_RUN-ID/",
            "a results file a task, summary.md, run_manifest.json, logs/; whole or not at all",
        )],
        fails: "a run of that name is there already",
        usage: "a run id that is no plain name",
        json: Json::product(&[
            ("run_id", "its name"),
            ("seed", "of every episode"),
            ("timing_mode", "who moved time"),
            (
                "tasks",
                "for every task what the table has: `task`, `throughput`, `throughput_by_chance`, `throughput_bound`, `violations`, `blocked`, `blocked_attackers`, `specimens` [count], `completion_rate`, `on_time_rate`, `p50_turnaround_s`, `p95_turnaround_s` [s]",
            ),
            ("warnings", "what a reader of the figures should know"),
        ]),
        examples: &[
            Example::new("--seed 42"),
            Example::tried("--run-id a").leaves(&["labtrust_runs/quick_eval_a/summary.md"]),
        ],
        refusals: &[
            Refusal::new("--run-id ../a", 2, "run id"),
            Refusal::new("--run-id a", 1, "exists").needs(&["labtrust_runs/quick_eval_a"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

/// Runs the command.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    not_yet::refuse_pipeline(options.pipeline_mode.as_deref())?;
    if options.allow_network {
        let reason = "nothing in it uses the network";
        return Err(CliError::NotAvailable { flag: "--allow-network", reason });
    }
    if options.out_dir.as_os_str().is_empty() {
        return Err(CliError::Empty { option: "--out-dir" });
    }
    let run_id = match &options.run_id {
        Some(id) => checked_run_id(id)?,
        None => utc_stamp(SystemTime::now()),
    };
    let target = options.out_dir.join(format!("quick_eval_{run_id}"));
    let registry = plugin_files::registry(global)?;
    let tasks = TASKS.map(|id| registry.task(id));
    let dir = RunDir::create(&options.out_dir, &target)?;
    let session = Session::open(global, None)?;

    let metrics = registry.metrics();
    let begun = Instant::now();
    let mut index = EpisodeIndex::create(&dir.path("logs/episodes.jsonl"))?;
    let mut outputs = BTreeMap::new();
    let (mut results, mut by_chance) = (Vec::new(), Vec::new());
    let chance = Cast { agents: Some(registry.agent_set("random_legal")?), ..Cast::default() };
    let mut threads = 1;
    for task in tasks {
        let task = task?;
        let log_name = format!("logs/{}.jsonl", task.id());
        let mut log = AtomicFile::create(&dir.path(&log_name))?;
        let bench = BenchmarkRun {
            task,
            lab: session.load_lab(&registry, task)?,
            policy: &session.policy,
            episodes: 1,
            base_seed: options.seed,
            timing: Some(options.timing.into()),
            max_steps: None,
            strict_signatures: session::strict_signatures(),
            threads: None,
            metrics: &metrics,
            scale: None,
            cast: Cast::default(),
            git_sha: version::GIT_SHA.map(str::to_owned),
        };
        let outcome = bench.run(RunLogs::Shared(&mut log, &mut index), &|| ())?;
        threads = outcome.threads;
        outputs.insert(log_name, log.persist()?);
        let name = format!("{}.json", task.id());
        let digest = write_whole(&dir.path(&name), &results_bytes(&outcome.results)?)?;
        outputs.insert(name, digest);
        results.push(outcome.results);
        by_chance.push(BenchmarkRun { cast: chance, ..bench }.run(RunLogs::None, &|| ())?.results);
    }
    outputs.insert("logs/episodes.jsonl".to_owned(), index.persist()?);

    let shown = target.display().to_string();
    let summary = quick_eval_markdown(&QuickEvalSummary {
        run_id: &run_id,
        seed: options.seed,
        dir: &shown,
        results: &results,
        by_chance: &by_chance,
    });
    outputs.insert("summary.md".to_owned(), write_whole(&dir.path("summary.md"), summary.as_bytes())?);
    let episodes = results.len() as u64;
    write_whole(&dir.path(MANIFEST_NAME), &manifest::bytes(threads, episodes, begun.elapsed(), outputs))?;
    dir.persist()?;

    let mut answer = Answer::new(options.format, talk);
    answer.wrote(&target);
    answer.figure("run_id", run_id.as_str());
    answer.figure("seed", options.seed);
    answer.figure("timing_mode", ClockMode::from(options.timing).as_str());
    answer.figure("tasks", results.iter().zip(&by_chance).flat_map(rows).collect::<Vec<_>>());
    answer.figure("warnings", results.iter().flat_map(|result| result.warnings.clone()).collect::<Vec<_>>());
    answer.finish::<Options>(true, &summary)?;
    talk.say(&format!("Next: labtrust run-summary --run {shown}"));
    Ok(())
}

/// What the table says, of every episode of a task.
fn rows<'a>((results, by_chance): (&'a ResultsFile, &'a ResultsFile)) -> impl Iterator<Item = Value> + 'a {
    results.episodes.iter().zip(&by_chance.episodes).map(|(episode, by_chance)| {
        let metrics = &episode.metrics;
        json!({
            "task": results.task,
            "throughput": count(metrics, "throughput"),
            "throughput_by_chance": count(&by_chance.metrics, "throughput"),
            "throughput_bound": metrics.get("throughput_bound"),
            "violations": total(metrics, "violations_by_invariant_id"),
            "blocked": total(metrics, "blocked_by_reason_code"),
            "blocked_attackers": total(metrics, "attacker_blocked_by_reason_code"),
            "specimens": count(metrics, "specimens_total"),
            "completion_rate": metrics.get("completion_rate"),
            "p50_turnaround_s": metrics.get("p50_turnaround_s"),
            "p95_turnaround_s": metrics.get("p95_turnaround_s"),
            "on_time_rate": metrics.get("on_time_rate"),
        })
    })
}

/// A directory under a temporary name until everything in it is whole.
struct RunDir {
    temporary: PathBuf,
    target: PathBuf,
    done: bool,
}

impl RunDir {
    fn create(parent: &Path, target: &Path) -> Result<Self, CliError> {
        if target.symlink_metadata().is_ok() {
            return Err(CliError::Exists { path: target.to_path_buf() });
        }
        let temporary = parent.join(format!(".quick_eval.{}.partial", std::process::id()));
        let fail = |path: &Path, source| CliError::Directory { path: path.to_path_buf(), source };
        std::fs::create_dir_all(parent).map_err(|source| fail(parent, source))?;
        // Left over from a process of the same number that was killed.
        let _ = std::fs::remove_dir_all(&temporary);
        std::fs::create_dir(&temporary).map_err(|source| fail(target, source))?;
        Ok(Self { temporary, target: target.to_path_buf(), done: false })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temporary.join(name)
    }

    fn persist(mut self) -> Result<(), CliError> {
        // Renaming would replace an empty directory without a word.
        if self.target.symlink_metadata().is_ok() {
            return Err(CliError::Exists { path: self.target.clone() });
        }
        std::fs::rename(&self.temporary, &self.target)
            .map_err(|source| CliError::Directory { path: self.target.clone(), source })?;
        self.done = true;
        Ok(())
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        if !self.done {
            // Best effort: its name says that it is not a result.
            let _ = std::fs::remove_dir_all(&self.temporary);
        }
    }
}

fn checked_run_id(id: &str) -> Result<String, CliError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() || id.len() > 100 || !id.chars().all(plain) {
        return Err(CliError::RunId { id: id.to_owned() });
    }
    Ok(id.to_owned())
}

/// `YYYYmmdd_HHMMSS` in UTC.
pub(super) fn utc_stamp(now: SystemTime) -> String {
    let moment = timestamp(now);
    let second = moment.split('.').next().unwrap_or_default();
    second.replace(['-', ':'], "").replace('T', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_stamp_is_the_civil_date_and_time_in_utc() {
        let at = |seconds| utc_stamp(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "19700101_000000");
        assert_eq!(at(951_782_399), "20000228_235959");
        assert_eq!(at(951_782_400), "20000229_000000");
        assert_eq!(at(4_107_542_399), "21000228_235959");
        assert_eq!(at(4_107_542_400), "21000301_000000");
    }

    #[test]
    fn a_run_id_never_leaves_its_directory() {
        assert!(checked_run_id("../x").is_err());
        assert!(checked_run_id("").is_err());
        assert_eq!(checked_run_id("release-1.2").unwrap(), "release-1.2");
    }
}

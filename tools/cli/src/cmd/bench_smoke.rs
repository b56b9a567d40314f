//! `bench-smoke`: three tasks, one episode each, and whether anything came of them.

use super::plain_run::{PlainRun, released_something};
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::plugin_files;
use crate::session::Session;
use crate::talk::Talk;
use labtrust_bench::files::AtomicFile;
use labtrust_bench::results::results_bytes;
use labtrust_bench::summary::count;
use serde_json::json;
use std::path::PathBuf;

/// The tasks, in the order in which they are run.
const TASKS: [&str; 3] = ["throughput_sla", "stat_insertion", "qc_cascade"];

/// Run three tasks for one episode each; exit 1 when one of them releases nothing
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Seed of every episode
    #[arg(long, value_name = "SEED", default_value_t = 42)]
    seed: u64,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "bench-smoke",
        notes: "`throughput_sla`, `stat_insertion` and `qc_cascade`.",
        writes: &[output("bench_smoke_TASK.json", "results of each task, in the working directory")],
        json: Json::product(&[
            ("seed", "seed of every episode"),
            ("tasks", "for every task its id (`task`), `throughput` and `specimens` [count]"),
        ]),
        fails: "a task that has specimens releases nothing",
        examples: &[
            Example::new("--seed 42").leaves(&["bench_smoke_throughput_sla.json", "bench_smoke_qc_cascade.json"])
        ],
        refusals: &[Refusal::new("--seed x", 2, "--seed")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

/// Runs the command. The results of each task go to `bench_smoke_<task>.json` in the working directory.
///
/// # Errors
/// [`CliError::NothingReleased`] when a task has specimens and releases none, and whatever keeps a task from running.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    let registry = plugin_files::registry(global)?;
    let session = Session::open(global, None)?;
    let mut files = Vec::new();
    for task in TASKS {
        registry.task(task)?;
        let path = PathBuf::from(format!("bench_smoke_{task}.json"));
        files.push((task, AtomicFile::create(&path)?, path));
    }
    let mut answer = Answer::new(options.format, talk);
    let mut rows = Vec::new();
    let mut released = Ok(());
    let seed = options.seed;
    for (task, mut file, path) in files {
        let outcome = PlainRun { task, episodes: 1, seed, timing: None }.run(&registry, &session, talk)?;
        file.write(&results_bytes(&outcome.results)?)?;
        file.persist()?;
        answer.wrote(&path);
        let specimens: u64 =
            outcome.results.episodes.iter().map(|episode| count(&episode.metrics, "specimens_total")).sum();
        rows.push(json!({ "task": task, "throughput": outcome.throughput_total, "specimens": specimens }));
        released = released_something(&outcome.results);
        if released.is_err() {
            break;
        }
        talk.say(&format!("bench-smoke {task} OK (1 episode, seed={seed})"));
    }
    if released.is_ok() {
        talk.say("bench-smoke all tasks OK.");
    }
    answer.figure("seed", seed);
    answer.figure("tasks", rows);
    answer.finish::<Options>(released.is_ok(), "")?;
    released
}

//! `bench-smoke`: three tasks, one episode each, and whether anything came of them.

use super::Format;
use super::plain_run::{PlainRun, released_something};
use crate::Global;
use crate::error::CliError;
use crate::session::Session;
use crate::talk::{self, Talk};
use labtrust_bench::files::AtomicFile;
use labtrust_bench::results::results_bytes;
use labtrust_bench::summary::count;
use serde_json::json;
use std::path::PathBuf;

/// The tasks, in the order in which they are run.
const TASKS: [&str; 3] = ["throughput_sla", "stat_insertion", "qc_cascade"];

/// Run three tasks for one episode each; exit 1 when one of them releases nothing
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  labtrust bench-smoke --seed 42")]
pub(crate) struct Options {
    /// Seed of every episode
    #[arg(long, value_name = "SEED", default_value_t = 42)]
    seed: u64,
    /// Text, or JSON: what every task released, to stdout
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Runs the command. The results of each task go to `bench_smoke_<task>.json` in the working directory.
///
/// # Errors
/// [`CliError::NothingReleased`] when a task has specimens and releases none, and whatever keeps a task from running.
pub(crate) fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    let registry = labtrust_builtin::registry()?;
    let session = Session::open(global, None)?;
    let mut files = Vec::new();
    for task in TASKS {
        registry.task(task)?;
        let path = PathBuf::from(format!("bench_smoke_{task}.json"));
        files.push((task, AtomicFile::create(&path)?, path));
    }
    let mut rows = Vec::new();
    let seed = options.seed;
    for (task, mut file, path) in files {
        let outcome = PlainRun { task, episodes: 1, seed, timing: None }.run(&registry, &session, talk)?;
        file.write(&results_bytes(&outcome.results)?)?;
        file.persist()?;
        talk.wrote(&path);
        released_something(&outcome.results)?;
        talk.say(&format!("bench-smoke {task} OK (1 episode, seed={seed})"));
        let specimens: u64 =
            outcome.results.episodes.iter().map(|episode| count(&episode.metrics, "specimens_total")).sum();
        rows.push(json!({ "task": task, "throughput": outcome.throughput_total, "specimens": specimens }));
    }
    talk.say("bench-smoke all tasks OK.");
    match options.format {
        Format::Text => Ok(()),
        Format::Json => talk::print(&format!("{:#}\n", json!({ "seed": seed, "tasks": rows }))),
    }
}

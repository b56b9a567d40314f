//! `throughput-compare`: the throughput of the standard task, with its interval.

use super::Timing;
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
use labtrust_bench::stats::{Confidence, mean_interval, moments};
use labtrust_contract::ResultsFile;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The task that throughput is compared in.
const TASK: &str = "throughput_sla";

/// Measure the throughput of the standard task; exit 1 when nothing is released
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Episodes to run
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    episodes: u64,
    /// Seed of the first episode; the others count up from it
    #[arg(long, value_name = "SEED", default_value_t = 123)]
    seed: u64,
    /// Results file
    #[arg(long, value_name = "FILE", default_value = "throughput_compare_results.json")]
    out: PathBuf,
    /// Who moves time; the task decides where this is not given
    #[arg(long, value_name = "MODE")]
    timing: Option<Timing>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "throughput-compare",
        notes: "Mean throughput of `throughput_sla` with its interval.",
        writes: &[output("--out", "results")],
        fails: "nothing is released",
        json: Json::product(&[
            ("task", "its id"),
            ("n", "episodes [count]"),
            ("throughput_mean", "specimens with a released result, an episode"),
            ("throughput_std", "its standard deviation"),
            ("throughput_mean_ci_lower", "lower end of the interval of the mean, 95 %"),
            ("throughput_mean_ci_upper", "upper end"),
            ("distinct_chains", "episodes that went different ways [count]"),
        ]),
        examples: &[Example::new("--episodes 100 --out throughput.json").leaves(&["throughput.json"])],
        refusals: &[Refusal::new("--episodes 0", 2, "--episodes")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError::NothingReleased`] when nothing is released although there are specimens, and whatever keeps the task
/// from running.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    if options.out.as_os_str().is_empty() {
        return Err(CliError::Empty { option: "--out" });
    }
    let registry = plugin_files::registry(global)?;
    let session = Session::open(global, None)?;
    let mut file = AtomicFile::create(&options.out)?;
    let Options { episodes, seed, .. } = *options;
    let run = PlainRun { task: TASK, episodes, seed, timing: options.timing.map(Into::into) };
    let outcome = run.run(&registry, &session, talk)?;
    file.write(&results_bytes(&outcome.results)?)?;
    file.persist()?;
    let mut answer = Answer::new(options.format, talk);
    answer.wrote(&options.out);
    answer.figures(figures(&outcome.results));
    let released = released_something(&outcome.results);
    answer.finish::<Options>(released.is_ok(), &text(&outcome.results))?;
    released
}

fn throughput(results: &ResultsFile) -> Vec<f64> {
    results.episodes.iter().filter_map(|episode| episode.metrics.get("throughput").and_then(Value::as_f64)).collect()
}

fn text(results: &ResultsFile) -> String {
    let values = throughput(results);
    let mean = moments(&values).map_or(0.0, |found| found.mean);
    let interval = mean_interval(&values, Confidence::P95)
        .map_or_else(String::new, |ends| format!("; with 95 % confidence {:.4} to {:.4}", ends.lower, ends.upper));
    format!("throughput_mean: {mean:.4} (n={}){interval}\n", values.len())
}

fn figures(results: &ResultsFile) -> Value {
    let values = throughput(results);
    let found = moments(&values);
    let interval = mean_interval(&values, Confidence::P95);
    json!({
        "task": results.task,
        "n": values.len(),
        "throughput_mean": found.map(|found| found.mean),
        "throughput_std": found.map(|found| found.std),
        "throughput_mean_ci_lower": interval.map(|ends| ends.lower),
        "throughput_mean_ci_upper": interval.map(|ends| ends.upper),
        "distinct_chains": results.metadata.get("distinct_chains"),
    })
}

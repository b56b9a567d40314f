//! `new-task`: a clean folder for an agent, with the task and nothing else.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_protocol::ProtocolError;
use labtrust_protocol::benchmark::Benchmark;
use labtrust_protocol::date::Date;
use labtrust_protocol::submission::SubmissionName;
use labtrust_protocol::task::lay_out;
use std::path::PathBuf;
use std::time::SystemTime;

/// Lay out what an agent gets of a benchmark: task, data, conditions, files to fill in, and nothing private
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Benchmark of this program
    #[arg(long, value_name = "ID", required_unless_present = "benchmark_dir", conflicts_with = "benchmark_dir")]
    benchmark: Option<String>,
    /// Folder of another benchmark
    #[arg(long, value_name = "DIR")]
    benchmark_dir: Option<PathBuf>,
    /// Directory to lay it out in; it must not be there, or be empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Let the agent see the scoring guide. Checks, reviewer form and expected behaviour stay private
    #[arg(long)]
    with_scoring: bool,
    /// Also print the name that the submission's folder is to have: the program that the model works in
    #[arg(long, value_name = "NAME", requires = "model")]
    harness: Option<String>,
    /// And the model
    #[arg(long, value_name = "NAME", requires = "harness")]
    model: Option<String>,
    /// And what tells runs of one day apart
    #[arg(long, value_name = "TAG", requires = "model")]
    run_tag: Option<String>,
    /// And the day of the run; today (UTC) when it is not given
    #[arg(long, value_name = "YYYY-MM-DD", requires = "model")]
    date: Option<Date>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "new-task",
        notes: "Of a benchmark's folder, what `benchmark.yaml` lists under `task` is copied. Directories `private`, files in its \
                `private` list, scoring rules, reviewer forms and expected behaviour never are, and links are refused.",
        writes: &[output(
            "--out/",
            "prompt, data, constraints.yaml and submission_template/ with the files to fill in",
        )],
        fails: "the output is there already; the benchmark hands out what is private",
        json: Json::product(&[
            ("benchmark_id", "the benchmark"),
            ("files", "what was laid out"),
            ("held_back", "files that stand among the task's and are private"),
            ("submission_name", "what the submission's folder is to be called, with `--harness` and `--model`"),
        ]),
        examples: &[
            Example::new("--benchmark 001_synthetic_mine_throughput --out task").leaves(&["task/prompt.md"]),
            Example::tried(
                "--benchmark 001_synthetic_mine_throughput --out shown --with-scoring --harness shell --model by-hand",
            )
            .leaves(&["shown/SCORING_GUIDE.md"]),
        ],
        refusals: &[
            Refusal::new("--benchmark 002 --out other", 1, "001_synthetic_mine_throughput"),
            Refusal::new("--benchmark 001_synthetic_mine_throughput --out task", 1, "exists already")
                .needs(&["task/prompt.md"]),
            Refusal::new("--benchmark-dir nowhere --out other", 1, "nowhere"),
            Refusal::new("--out other", 2, "--benchmark"),
        ],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, talk)
    }
}

fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    let benchmark = match (&options.benchmark_dir, &options.benchmark) {
        (Some(dir), _) => Benchmark::open(dir)?,
        (None, id) => Benchmark::built_in(id.as_deref().unwrap_or_default())?,
    };
    let name = options.harness.as_deref().zip(options.model.as_deref()).map(|(harness, model)| {
        let date = options.date.unwrap_or_else(|| Date::of(SystemTime::now()));
        SubmissionName::new(date, benchmark.id(), harness, model, options.run_tag.as_deref())
    });
    let name = name.transpose().map_err(|problem| ProtocolError::Input { problem, hint: None })?;
    let task = lay_out(&benchmark, &options.out, options.with_scoring)?;
    let mut answer = Answer::new(options.format, talk);
    answer.wrote(&options.out);
    talk.say(&format!("{} {}: {}", benchmark.id(), benchmark.version(), benchmark.title()));
    for path in &task.held_back {
        talk.say(&format!("held back, because it is private: {path}"));
    }
    let name = name.map(|name| name.to_string());
    answer.figure("benchmark_id", benchmark.id());
    answer.figure("files", task.files);
    answer.figure("held_back", task.held_back);
    answer.figure("submission_name", name.clone());
    answer.finish::<Options>(true, &name.map(|name| format!("{name}\n")).unwrap_or_default())
}

//! `measure-run`: runs a submission's program and writes down what it took.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_protocol::measure::{self, Measurement, RunMetrics};
use std::path::PathBuf;
use std::time::Duration;

/// Run a submission's program and measure it: time, exit code, last words, lines of code, files
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Folder of the submission; the command runs there
    #[arg(long, value_name = "DIR")]
    submission_dir: PathBuf,
    /// Command line, split into words as a shell would split it
    #[arg(long, value_name = "COMMAND", required_unless_present = "unknown")]
    command: Option<String>,
    /// Metrics file
    #[arg(long, value_name = "FILE")]
    metrics_out: PathBuf,
    /// When the command and everything that it started is ended [s]; the protocol allows 2700
    #[arg(long, value_name = "SECONDS", default_value_t = measure::PROTOCOL_TIMEOUT.as_secs_f64(), value_parser = seconds)]
    timeout_seconds: f64,
    /// Let a shell read the command line: for pipes, variables and several commands
    #[arg(long)]
    shell: bool,
    /// Write metrics of a run that nobody timed instead of running anything; the note says why
    #[arg(long, value_name = "NOTE", conflicts_with_all = ["command", "shell", "timeout_seconds"])]
    unknown: Option<String>,
    #[command(flatten)]
    format: FormatOption,
}

fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "should be a number of seconds".to_owned())?;
    // Thirty days: a bound that keeps a slip of the keyboard from overflowing a length of time.
    if (0.001..=2_592_000.0).contains(&value) { Ok(value) } else { Err("should be 0.001 to 2592000".to_owned()) }
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "measure-run",
        notes: "The command gets nothing on its standard input. What it leaves in the background is ended with it: on Linux \
                everything that descends from it, on other Unix systems its process group.",
        writes: &[output("--metrics-out", "run_metrics.json, also when the command failed")],
        done: "the command ended with 0 in time",
        fails: "the command failed, or was ended because its time was up",
        json: Json::product(&[
            ("return_code", "exit code; minus the signal that ended it; null when its time was up"),
            ("runtime_seconds", "how long it ran [s]; null with `--unknown`"),
            ("timed_out", "whether it was ended because its time was up"),
        ]),
        examples: &[
            Example::shown("--submission-dir mine --command \"python run_experiment.py\" --metrics-out mine/run_metrics.json"),
            Example::new("--submission-dir submissions/2026-01-31__001_synthetic_mine_throughput__shell__by-hand --command \"echo done\" --metrics-out metrics/run_metrics.json")
                .needs(&["submissions"])
                .leaves(&["metrics/run_metrics.json"]),
            Example::tried("--submission-dir submissions --unknown \"a chat window tells no time\" --metrics-out metrics/unknown.json")
                .needs(&["submissions"])
                .leaves(&["metrics/unknown.json"]),
        ],
        refusals: &[
            Refusal::new("--submission-dir nowhere --command true --metrics-out m.json", 1, "nowhere"),
            Refusal::new("--submission-dir . --command no-such-program-here --metrics-out m.json", 1, "no-such-program-here"),
            Refusal::new("--submission-dir . --command 'echo \"open' --metrics-out m.json", 1, "quote"),
            Refusal::new("--submission-dir . --command '' --metrics-out m.json", 1, "empty"),
            Refusal::new("--submission-dir . --unknown ' ' --metrics-out m.json", 1, "note"),
            Refusal::new("--submission-dir . --command true --timeout-seconds 0 --metrics-out m.json", 2, "--timeout-seconds"),
        ],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, talk)
    }
}

fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    let metrics = match &options.unknown {
        Some(note) => measure::unknown(&options.submission_dir, &options.metrics_out, note)?,
        None => {
            let measurement = Measurement {
                submission_dir: options.submission_dir.clone(),
                command: options.command.clone().unwrap_or_default(),
                metrics_out: options.metrics_out.clone(),
                timeout: Duration::from_secs_f64(options.timeout_seconds),
                shell: options.shell,
            };
            measure::measure(&measurement, &*measure::interruptions()?)?
        }
    };
    let mut answer = Answer::new(options.format, talk);
    answer.wrote(&options.metrics_out);
    answer.figure("return_code", metrics.return_code);
    answer.figure("runtime_seconds", metrics.runtime_seconds);
    answer.figure("timed_out", metrics.timed_out);
    let ok = options.unknown.is_some() || metrics.succeeded();
    answer.finish::<Options>(ok, "")?;
    if !ok {
        return Err(told(&metrics));
    }
    if let Some(seconds) = metrics.runtime_seconds {
        talk.say(&format!("The command ran for {seconds:.3} s"));
    }
    Ok(())
}

fn told(metrics: &RunMetrics) -> CliError {
    let how = match (metrics.timed_out, metrics.return_code) {
        (true, _) => {
            format!("was ended after {} s, and everything that it started", metrics.timeout_seconds.unwrap_or(0.0))
        }
        (false, Some(code @ ..0)) => format!("was ended by signal {}", -code),
        (false, code) => format!("ended with exit code {}", code.unwrap_or(-1)),
    };
    let last = metrics.stderr_tail.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let last: String = last.chars().filter(|c| !c.is_control()).take(200).collect();
    CliError::Measured { how, last }
}

//! The `labtrust` command line.
//!
//! One command is one file in [`cmd`]. Data goes to stdout, talk to stderr. Exit codes: 0; 1 something about the input
//! or the machine is wrong; 2 wrong usage; 70 a bug of ours. Paths are relative to the working directory, everywhere.

mod cmd;
mod error;
mod floor_plan;
mod session;
mod talk;
mod version;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use error::{CliError, report};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use talk::Talk;

const EXIT_USAGE: u8 = 2;
const EXIT_BUG: u8 = 70;

/// The program.
#[derive(Debug, Parser)]
#[command(
    name = "labtrust",
    about = "A deterministic simulator of a hospital laboratory, with a trust pipeline and benchmarks",
    before_help = "Example:\n  labtrust quick-eval\n  labtrust run-benchmark --task throughput_sla --episodes 20 --out results.json",
    disable_version_flag = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// Policy directory to use instead of the built-in policy (or of the one that LABTRUST_POLICY_DIR names)
    #[arg(long, global = true, value_name = "DIR")]
    policy_dir: Option<PathBuf>,
    /// Laboratory profile of the policy to apply
    #[arg(long, global = true, value_name = "ID")]
    profile: Option<String>,
    /// Say more
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Say only what was written and what went wrong
    #[arg(short, long, visible_alias = "global-quiet", global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print version and commit
    #[arg(short = 'V', long, global = true)]
    version: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    RunBenchmark(Box<cmd::run_benchmark::Options>),
    QuickEval(cmd::quick_eval::Options),
    EvalAgent(Box<cmd::eval_agent::Options>),
    RunSummary(cmd::run_summary::Options),
    SummarizeResults(cmd::summarize_results::Options),
    ValidateResults(cmd::validate_results::Options),
    Diff(cmd::diff::Options),
    BenchSmoke(cmd::bench_smoke::Options),
    ThroughputCompare(cmd::throughput_compare::Options),
    DeterminismReport(cmd::determinism_report::Options),
    GenerateOfficialBaselines(cmd::generate_official_baselines::Options),
    RunScenario(cmd::run_scenario::Options),
    RunVectors(cmd::run_vectors::Options),
    ValidatePolicy(cmd::validate_policy::Options),
    Schema(cmd::schema::Options),
    Explain(cmd::explain::Options),
    CheckTrace(Box<cmd::check_trace::Options>),
    Completions(cmd::completions::Options),
    Man(cmd::man::Options),
    #[command(subcommand)]
    Controls(cmd::controls::Controls),
    #[command(subcommand)]
    Plugins(cmd::plugins::Plugins),
    #[command(subcommand)]
    Lab(cmd::Lab),
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::RunBenchmark(_) => "run-benchmark",
            Self::QuickEval(_) => "quick-eval",
            Self::EvalAgent(_) => "eval-agent",
            Self::RunSummary(_) => "run-summary",
            Self::SummarizeResults(_) => "summarize-results",
            Self::ValidateResults(_) => "validate-results",
            Self::Diff(_) => "diff",
            Self::BenchSmoke(_) => "bench-smoke",
            Self::ThroughputCompare(_) => "throughput-compare",
            Self::DeterminismReport(_) => "determinism-report",
            Self::GenerateOfficialBaselines(_) => "generate-official-baselines",
            Self::RunScenario(_) => "run-scenario",
            Self::RunVectors(_) => "run-vectors",
            Self::ValidatePolicy(_) => "validate-policy",
            Self::Schema(_) => "schema",
            Self::Explain(_) => "explain",
            Self::CheckTrace(_) => "check-trace",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
            Self::Controls(cmd::controls::Controls::List(_)) => "controls list",
            Self::Plugins(cmd::plugins::Plugins::List(_)) => "plugins list",
            Self::Lab(cmd::Lab::Draw(_)) => "lab draw",
        }
    }

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        match self {
            Self::RunBenchmark(options) => cmd::run_benchmark::run(options, global, talk),
            Self::QuickEval(options) => cmd::quick_eval::run(options, global, talk),
            Self::EvalAgent(options) => cmd::eval_agent::run(options, global, talk),
            Self::RunSummary(options) => cmd::run_summary::run(options, talk),
            Self::SummarizeResults(options) => cmd::summarize_results::run(options, talk),
            Self::ValidateResults(options) => cmd::validate_results::run(options, talk),
            Self::Diff(options) => cmd::diff::run(options, talk),
            Self::BenchSmoke(options) => cmd::bench_smoke::run(options, global, talk),
            Self::ThroughputCompare(options) => cmd::throughput_compare::run(options, global, talk),
            Self::DeterminismReport(options) => cmd::determinism_report::run(options, global, talk),
            Self::GenerateOfficialBaselines(options) => cmd::generate_official_baselines::run(options, global, talk),
            Self::RunScenario(options) => cmd::run_scenario::run(options, global, talk),
            Self::RunVectors(options) => cmd::run_vectors::run(options, global, talk),
            Self::ValidatePolicy(options) => cmd::validate_policy::run(options, global, talk),
            Self::Schema(options) => cmd::schema::run(options),
            Self::Explain(options) => cmd::explain::run(options, global),
            Self::CheckTrace(options) => cmd::check_trace::run(options, global, talk),
            Self::Completions(options) => cmd::completions::run(options),
            Self::Man(options) => cmd::man::run(options, talk),
            Self::Controls(cmd::controls::Controls::List(options)) => cmd::controls::list(options),
            Self::Plugins(cmd::plugins::Plugins::List(options)) => cmd::plugins::list(options),
            Self::Lab(cmd::Lab::Draw(options)) => cmd::lab_draw::run(options, global, talk),
        }
    }
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn run() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |at| {
            let file = std::path::Path::new(at.file()).file_name().unwrap_or_default().to_string_lossy().into_owned();
            format!(" ({file}:{})", at.line())
        });
        let message = panic.payload_as_str().unwrap_or("no message");
        eprintln!("labtrust: this is a bug in labtrust, not in your input: {message}{place}");
        eprintln!("Please report it with the command line and the output of `labtrust --version`.");
    }));
    let arguments: Vec<OsString> = std::env::args_os().collect();
    std::panic::catch_unwind(|| run_with(&arguments)).unwrap_or(ExitCode::from(EXIT_BUG))
}

fn run_with(arguments: &[OsString]) -> ExitCode {
    let before_dashes = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    if before_dashes.into_iter().any(|argument| argument == "-V" || argument == "--version") {
        return finish("--version", talk::print(&format!("{}\n", version::line())));
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // The message goes to stdout when it was asked for, to stderr when not.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
                _ => ExitCode::from(EXIT_USAGE),
            };
        }
    };
    let talk = Talk::new(cli.global.quiet, cli.global.verbose);
    finish(cli.command.name(), cli.command.run(&cli.global, talk))
}

fn finish(command: &str, outcome: Result<(), CliError>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(command, &error);
            ExitCode::from(error.exit_code())
        }
    }
}

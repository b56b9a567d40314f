//! The `labtrust` command line.
//!
//! One command is one file in [`cmd`]; [`commands`] lists them and says how to add one. Data goes to stdout, talk to stderr. Exit codes: 0; 1 something about the input
//! or the machine is wrong; 2 wrong usage; 70 a bug of ours. Paths are relative to the working directory, everywhere.

mod answer;
mod cmd;
mod command;
mod commands;
mod error;
mod plugin_files;
mod python;
mod replay;
mod session;
mod talk;
mod version;

use clap::error::ErrorKind;
use clap::{Args, FromArgMatches, Parser};
use commands::Failure;
use error::{CliError, report};
use plugin_files::{PluginOptions, SERVE};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use talk::Talk;

const EXIT_OK: u8 = 0;
const EXIT_USAGE: u8 = 2;
const EXIT_BUG: u8 = 70;

/// The program; [`commands::program`] puts the commands into it.
#[derive(Debug, Parser)]
#[command(
    name = "labtrust",
    about = "A deterministic simulator of a hospital laboratory, with a trust pipeline and benchmarks",
    before_help = "Example:\n  labtrust quick-eval\n  labtrust run-benchmark --task throughput_sla --episodes 20 --out results.json",
    disable_version_flag = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Program {
    #[command(flatten)]
    global: Global,
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
    #[command(flatten)]
    plugins: PluginOptions,
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
    if let [_, group, name, plugin] = &arguments[..]
        && [group, name].map(OsString::as_os_str) == SERVE.map(OsStr::new)
    {
        return serve(Path::new(plugin));
    }
    ExitCode::from(run_inside(&arguments))
}

/// Runs the program with these arguments, the first of which is its own name, inside of another program: nothing is changed
/// in that one, and no command ends it. What a command prints, it prints; the answer is the exit code.
#[must_use]
pub fn run_inside(arguments: &[OsString]) -> u8 {
    std::panic::catch_unwind(|| code_of(arguments)).unwrap_or(EXIT_BUG)
}

/// The same, with what went wrong as text instead of on the standard error; with `-q`, what was written is not told there
/// either.
///
/// # Errors
/// [`Failed`].
pub fn try_inside(arguments: &[OsString]) -> Result<(), Failed> {
    let failed = |code, message: &str| Failed { code, message: message.trim_end().to_owned() };
    let (matches, program) = parsed(arguments).map_err(|error| failed(EXIT_USAGE, &error.to_string()))?;
    let Some((command, options)) = commands::asked_for(&matches) else { return Err(failed(EXIT_USAGE, "no command")) };
    let global = program.global;
    match command.run(options, &global, Talk::new(global.quiet, global.verbose).called()) {
        Ok(()) => Ok(()),
        Err(Failure::Usage(error)) => Err(failed(EXIT_USAGE, &error.to_string())),
        Err(Failure::Command(error)) => Err(failed(error.exit_code(), &error.to_string())),
    }
}

/// Why a command came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The exit code that the program would have.
    pub code: u8,
    /// What it would say.
    pub message: String,
}

/// Answers for an isolated plugin, as the process that another one of this program has started for it.
fn serve(plugin: &Path) -> ExitCode {
    match labtrust_plugin_host::isolated::serve(plugin) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("labtrust plugins serve: {error}");
            ExitCode::FAILURE
        }
    }
}

fn code_of(arguments: &[OsString]) -> u8 {
    let before_dashes = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    if before_dashes.into_iter().any(|argument| argument == "-V" || argument == "--version") {
        return finish("--version", talk::print(&format!("{}\n", version::line())));
    }
    let (matches, program) = match parsed(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error),
    };
    let global = program.global;
    // A command is required, and those that clap knows are those of the list.
    let Some((command, options)) = commands::asked_for(&matches) else { return EXIT_USAGE };
    match command.run(options, &global, Talk::new(global.quiet, global.verbose)) {
        Ok(()) => EXIT_OK,
        Err(Failure::Usage(error)) => usage(&error),
        Err(Failure::Command(error)) => finish(command.spec.name, Err(*error)),
    }
}

fn parsed(arguments: &[OsString]) -> Result<(clap::ArgMatches, Program), clap::Error> {
    let matches = commands::program().try_get_matches_from(arguments)?;
    let program = Program::from_arg_matches(&matches)?;
    Ok((matches, program))
}

/// Tells what clap has to tell: to stdout when it was asked for, to stderr when not.
fn usage(error: &clap::Error) -> u8 {
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => EXIT_OK,
        _ => EXIT_USAGE,
    }
}

fn finish(command: &str, outcome: Result<(), CliError>) -> u8 {
    match outcome {
        Ok(()) => EXIT_OK,
        Err(error) => {
            report(command, &error);
            error.exit_code()
        }
    }
}

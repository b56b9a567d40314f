//! `run-scenario`: scenario files through an engine, and whether everything came out as they say.

use crate::Global;
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{EngineChoice, Session};
use crate::talk::{Talk, print};
use labtrust_bench::files::{AtomicFile, write_whole};
use labtrust_bench::scenario::{Runner, ScenarioReport, Suite, load, report};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Run scenario files and say whether everything came out as they expect
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Scenario files (.ron, .yaml, .yml), or directories of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Engine to use: the laboratory itself, or the frozen reference
    #[arg(long, value_name = "ENGINE", default_value = "sound")]
    semantics: EngineChoice,
    /// Form of the report
    #[arg(long, default_value = "text")]
    format: Format,
    /// Write the report to a file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write every step of every scenario, a JSON line each, to DIR/<scenario id>.jsonl
    #[arg(long, value_name = "DIR")]
    trace: Option<PathBuf>,
    /// Run this scenario only; may be given more than once
    #[arg(long, value_name = "ID")]
    filter: Vec<String>,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-scenario",
        notes: "Scenario files or directories of them ([how to](../howto/scenarios.md)).",
        writes: &[
            output("--out", "with --out: the report, which otherwise goes to stdout"),
            output("--trace/SCENARIO.jsonl", "with --trace: every step of a scenario"),
        ],
        done: "everything came out as expected",
        fails: "something did not come out as a scenario expects",
        json: Json::foreign(&[
            ("suite_version", "version of the scenario files"),
            ("scenario_reports", "a report for every scenario, in the form of the runner output contract v0.1"),
        ]),
        examples: &[
            Example::shown("scenarios/golden --format junit --out report.xml"),
            Example::new("scenarios/golden/GS-002.ron --trace traces")
                .needs(&["scenarios/golden"])
                .leaves(&["traces/GS-002.jsonl"]),
            Example::tried("scenarios/golden --filter GS-002 --format junit --out report.xml")
                .needs(&["scenarios/golden"])
                .leaves(&["report.xml"]),
        ],
        refusals: &[
            Refusal::new("no_scenario.ron", 1, "no_scenario.ron"),
            Refusal::new("scenarios/golden --filter GS-999", 1, "GS-999").needs(&["scenarios/golden"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// Runner output contract v0.1.
    Json,
    /// For CI.
    Junit,
}

/// Why no scenario was run, or that some did not come out as expected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Load(#[from] labtrust_bench::scenario::ScenarioError),
    #[error("no scenario is called {id}")]
    NoSuch { id: String },
    #[error("{failed} of {all} scenarios did not come out as they expect")]
    Failed { failed: usize, all: usize },
}

/// Runs the command.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    if options.out.as_deref().is_some_and(|out| out.as_os_str().is_empty()) {
        return Err(CliError::Empty { option: "--out" });
    }
    if options.trace.as_deref().is_some_and(|dir| dir.as_os_str().is_empty()) {
        return Err(CliError::Empty { option: "--trace" });
    }
    let suites = load(&options.paths).map_err(RunError::Load)?;
    filter_is_known(&options.filter, &suites)?;
    let session = Session::open(global, None)?;
    let mut engine = session.engine(options.semantics)?;
    let runner =
        Runner::new(&session.policy, options.semantics.into())?.with_loader(Session::loader(options.semantics)?);
    // A report that cannot be written is found out before the work.
    let out = options.out.as_deref().map(AtomicFile::create).transpose()?;
    let mut reports = Vec::new();
    for scenario in suites.iter().flat_map(|suite| &suite.scenarios) {
        if options.filter.is_empty() || options.filter.contains(&scenario.scenario_id) {
            let report = runner.run(scenario, engine.as_mut());
            if let Some(directory) = &options.trace {
                write_trace(directory, &report, talk)?;
            }
            reports.push(report);
        }
    }
    let text = match options.format {
        Format::Text => report::text(&reports),
        Format::Json => report::json(suites.first().map_or("0.1", |suite| &suite.version), &reports),
        Format::Junit => report::junit(&reports),
    };
    match (out, &options.out) {
        (Some(mut file), Some(path)) => {
            file.write(text.as_bytes())?;
            file.persist()?;
            talk.wrote(path);
        }
        _ => print(&text)?,
    }
    match reports.iter().filter(|report| !report.passed).count() {
        0 => Ok(()),
        failed => Err(RunError::Failed { failed, all: reports.len() }.into()),
    }
}

fn filter_is_known(filter: &[String], suites: &[Suite]) -> Result<(), RunError> {
    let known: BTreeSet<&str> =
        suites.iter().flat_map(|suite| &suite.scenarios).map(|scenario| scenario.scenario_id.as_str()).collect();
    match filter.iter().find(|id| !known.contains(id.as_str())) {
        Some(id) => Err(RunError::NoSuch { id: id.clone() }),
        None => Ok(()),
    }
}

/// Writes the steps of a scenario. An id is no path: what could lead out of the directory is replaced.
fn write_trace(directory: &Path, report: &ScenarioReport, talk: Talk) -> Result<(), CliError> {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = report.scenario_id.chars().map(plain).collect();
    let path = directory.join(format!("{name}.jsonl"));
    write_whole(&path, report.trace().as_bytes())?;
    talk.detail(&format!("Wrote {}", path.display()));
    Ok(())
}

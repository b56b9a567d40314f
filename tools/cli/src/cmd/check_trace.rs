//! `check-trace`: whether the first steps of a recorded trace broke an invariant, and whether the record is true.

use super::Timing;
use crate::Global;
use crate::answer::{Format, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{EngineChoice, Session};
use crate::talk::{self, Talk};
use labtrust_bench::files::write_whole;
use labtrust_bench::scenario::{Runner, Semantics, load};
use labtrust_bench::trace_check::{self, Beginning, Bounds, Player, Replay, Trace, TraceError};
use labtrust_kernel::ClockMode;
use labtrust_policy::nearest;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The report's files.
const JSON_NAME: &str = "model_check_report.json";
const MARKDOWN_NAME: &str = "model_check_report.md";
/// Seed of scenarios that state none.
const DEFAULT_SEED: u64 = 12_345;

/// Check a recorded trace: no listed invariant broken, and every verdict as it comes out again
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Trace: a list of {event, result} as JSON or JSON lines, a trace of run-scenario, or an episode log
    #[arg(value_name = "FILE")]
    trace: PathBuf,
    /// Invariants whose violations count, with commas between them; all of the policy where this is not given
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    invariants: Vec<String>,
    /// Look at the first N + 1 steps
    #[arg(long, value_name = "N", default_value_t = 100)]
    max_steps: usize,
    /// Write model_check_report.json and model_check_report.md to this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
    /// State that the episode began with, as a JSON map; a scenario's trace says it itself
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "task"])]
    initial_state: Option<PathBuf>,
    /// Scenario that the trace is of
    #[arg(long, value_name = "FILE", conflicts_with = "task")]
    scenario: Option<PathBuf>,
    /// Which scenario of the file
    #[arg(long, value_name = "ID", requires = "scenario")]
    filter: Option<String>,
    /// Task that the log is of
    #[arg(long, value_name = "ID")]
    task: Option<String>,
    /// Who moved time in the task; the task decides where this is not given
    #[arg(long, value_name = "MODE", requires = "task")]
    timing: Option<Timing>,
    /// Seed of the episode, where the trace or the scenario does not say it; in a run, that of the run plus the episode
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Engine that plays the events again, where the trace does not name one
    #[arg(long, value_name = "ENGINE")]
    semantics: Option<EngineChoice>,
    /// Episode of the log, counted from 0
    #[arg(long, value_name = "N")]
    episode: Option<u64>,
    /// Believe what was recorded, as the reference's checker does
    #[arg(long)]
    recorded_only: bool,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "check-trace",
        notes: "What it reads, and what it has to be told: [how to](../howto/check_trace.md).",
        writes: &[
            output("--out/model_check_report.json", "with --out: every violation and every divergence"),
            output("--out/model_check_report.md", "the same for reading"),
        ],
        done: "no violation, no divergence",
        fails: "the trace is not safe",
        json: Json::foreign(&[
            ("safe", "whether nothing was found"),
            ("max_steps", "steps that were allowed [count]"),
            ("steps_checked", "steps that were looked at [count]"),
            ("violations", "for every violation `invariant_id`, `step_index`, `evidence`, `message`"),
            ("invariant_ids_checked", "invariants whose violations count"),
            ("re_evaluated", "whether the events were played again"),
            ("not_re_evaluated_because", "why not"),
            ("divergences", "findings that something was recorded otherwise than it happened [count]"),
            ("steps_in_trace", "[count]"),
        ]),
        examples: &[Example::new("traces/GS-002.jsonl --out checked")
            .needs(&["traces/GS-002.jsonl"])
            .leaves(&["checked/model_check_report.json", "checked/model_check_report.md"])],
        refusals: &[Refusal::new("results.json", 1, "results.json").needs(&["results.json"])],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

/// Why a trace could not be checked, or that it is not safe.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    #[error(transparent)]
    Trace(#[from] TraceError),
    #[error(transparent)]
    Scenario(#[from] labtrust_bench::scenario::ScenarioError),
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: {problem}", path.display())]
    Content { path: PathBuf, problem: String },
    #[error("the trace is not safe: {found} violation{}", if *found == 1 { "" } else { "s" })]
    NotSafe { found: usize },
}

/// Runs the command.
///
/// # Errors
/// [`CheckError::NotSafe`] when something was found, and whatever keeps the trace from being checked.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    if options.out.as_deref().is_some_and(|dir| dir.as_os_str().is_empty()) {
        return Err(CliError::Empty { option: "--out" });
    }
    let trace = Trace::read(&options.trace).map_err(CheckError::Trace)?;
    let session = Session::open(global, None)?;
    let titles = trace_check::invariant_titles(&session.policy)?;
    let invariants = listed(&options.invariants, &titles, &trace)?;
    let (trace, beginning) = beginning(options, trace, &session)?;
    let replay = match beginning {
        Ok(beginning) => Replay::new(player(&beginning, &session)?, &beginning),
        Err(reason) => Err(reason),
    };
    let bounds = Bounds { invariants: &invariants, titles: &titles, max_steps: options.max_steps };
    let report = trace_check::check(&trace, &bounds, replay);
    if let Some(directory) = &options.out {
        for (name, text) in [(JSON_NAME, report.json()), (MARKDOWN_NAME, report.markdown())] {
            let path = directory.join(name);
            write_whole(&path, text.as_bytes())?;
            talk.wrote(&path);
        }
    }
    talk::print(&match options.format.format {
        Format::Text => report.text(),
        Format::Json => report.json(),
    })?;
    if report.steps_checked < report.steps_in_trace {
        talk.say(&format!(
            "warning: {} of {} steps were looked at; --max-steps raises the bound",
            report.steps_checked, report.steps_in_trace
        ));
    }
    if report.safe { Ok(()) } else { Err(CheckError::NotSafe { found: report.violations.len() }.into()) }
}

/// The invariants to look at. One that neither the policy nor the trace knows is a slip, and would look like safety.
fn listed(wanted: &[String], titles: &BTreeMap<String, String>, trace: &Trace) -> Result<BTreeSet<String>, CliError> {
    if wanted.is_empty() {
        return Ok(titles.keys().cloned().collect());
    }
    let verdicts = trace.entries.iter().filter_map(|entry| entry.result.get("violations")?.as_array()).flatten();
    let judged: BTreeSet<&str> = verdicts.filter_map(|verdict| verdict.get("invariant_id")?.as_str()).collect();
    let unknown = wanted.iter().find(|id| !titles.contains_key(*id) && !judged.contains(id.as_str()));
    if let Some(name) = unknown {
        let near = nearest(titles.keys().map(String::as_str), name).map(str::to_owned);
        return Err(CliError::UnknownName { what: "invariant", name: name.clone(), near });
    }
    Ok(wanted.iter().cloned().collect())
}

/// The part of the trace that is checked, and how its episode began; in words, why that is not known.
fn beginning(
    options: &Options,
    trace: Trace,
    session: &Session,
) -> Result<(Trace, Result<Beginning, String>), CliError> {
    let trace = match options.episode {
        Some(episode) => trace.episode(episode),
        None => trace,
    };
    if trace.entries.is_empty() {
        let what =
            options.episode.map_or("it has no steps".to_owned(), |episode| format!("it has no episode {episode}"));
        return Err(CheckError::Content { path: options.trace.clone(), problem: what }.into());
    }
    if options.recorded_only {
        return Ok((trace, Err("--recorded-only was given".to_owned())));
    }
    let semantics = options.semantics.map(Semantics::from);
    let stated = if let Some(path) = &options.initial_state {
        let text = std::fs::read_to_string(path).map_err(|source| CheckError::Read { path: path.clone(), source })?;
        let initial_state: Map<String, Value> = serde_json::from_str(&text)
            .map_err(|error| CheckError::Content { path: path.clone(), problem: format!("not a JSON map: {error}") })?;
        let seed = options.seed.unwrap_or(DEFAULT_SEED);
        Some(Beginning { initial_state, seed, semantics: semantics.unwrap_or(Semantics::Sound) })
    } else if let Some(path) = &options.scenario {
        let semantics = semantics.or(trace.beginning.as_ref().map(|known| known.semantics));
        let id = options.filter.as_ref().or(trace.scenario_id.as_ref());
        let known = of_scenario(path, id, semantics.unwrap_or(Semantics::Sound), session)?;
        Some(Beginning { seed: options.seed.unwrap_or(known.seed), ..known })
    } else if let Some(task) = &options.task {
        let semantics = semantics.unwrap_or(Semantics::Sound);
        Some(of_task(task, options.timing, options.seed.unwrap_or(DEFAULT_SEED), semantics)?)
    } else {
        trace.beginning.clone().map(|known| Beginning {
            seed: options.seed.unwrap_or(known.seed),
            semantics: semantics.unwrap_or(known.semantics),
            ..known
        })
    };
    let stated = match (trace.episodes().len() > 1, stated) {
        (true, _) => Err("the log has several episodes, and --episode names none of them".to_owned()),
        (false, Some(beginning)) => Ok(beginning),
        (false, None) => {
            Err("the trace does not say how the episode began; --initial-state, --scenario or --task can".to_owned())
        }
    };
    Ok((trace, stated))
}

/// How a scenario begins: with its faults, and with the keys that sign in it.
fn of_scenario(
    path: &Path,
    id: Option<&String>,
    semantics: Semantics,
    session: &Session,
) -> Result<Beginning, CliError> {
    let suites = load(&[path.to_path_buf()]).map_err(CheckError::Scenario)?;
    let scenarios: Vec<_> = suites.iter().flat_map(|suite| &suite.scenarios).collect();
    let content = |problem: String| CheckError::Content { path: path.to_path_buf(), problem };
    let scenario = match (id, scenarios.as_slice()) {
        (Some(id), _) => scenarios
            .iter()
            .find(|scenario| scenario.scenario_id == *id)
            .ok_or_else(|| content(format!("no scenario is called {id}")))?,
        (None, [only]) => only,
        (None, _) => return Err(content("--filter has to name one of its scenarios".to_owned()).into()),
    };
    // The runner knows how it begins, and tells with the report.
    let runner = Runner::new(&session.policy, semantics)?;
    let report = runner.run(scenario, session.engine(choice(semantics))?.as_mut());
    Ok(report.beginning.ok_or_else(|| content(format!("{} has no beginning", scenario.scenario_id)))?)
}

/// How an episode of a task begins.
fn of_task(id: &str, timing: Option<Timing>, seed: u64, semantics: Semantics) -> Result<Beginning, CliError> {
    let registry = labtrust_builtin::registry()?;
    let task = registry.task(id)?;
    let timing: Option<ClockMode> = timing.map(Into::into);
    let timing = timing.map_or(task.spec().timing_mode, ClockMode::as_str);
    let mut initial_state = task.initial_state(seed, None);
    initial_state.insert("workflow".to_owned(), json!("enforced"));
    initial_state.insert("timing_mode".to_owned(), json!(timing));
    if crate::session::strict_signatures() {
        initial_state.insert("strict_signatures".to_owned(), json!(true));
    }
    Ok(Beginning { initial_state, seed, semantics })
}

fn player(beginning: &Beginning, session: &Session) -> Result<Player, CliError> {
    Ok(match beginning.semantics {
        Semantics::Sound => {
            let lab = labtrust_builtin::registry()?.lab_domain("hospital_lab")?.load(&session.policy)?;
            Player::Laboratory(lab.engine())
        }
        Semantics::Reference => Player::Events(session.engine(EngineChoice::Reference)?),
    })
}

fn choice(semantics: Semantics) -> EngineChoice {
    match semantics {
        Semantics::Sound => EngineChoice::Sound,
        Semantics::Reference => EngineChoice::Reference,
    }
}

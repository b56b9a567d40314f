//! Doing the steps of a log again: the engine gets the events that agents sent, and every line that comes out has to be
//! the recorded one, byte by byte.

use crate::Global;
use crate::error::CliError;
use crate::session::Session;
use labtrust_bench::log::{EpisodeLog, LogContext};
use labtrust_bench::results::PolicyFacts;
use labtrust_evidence::lines::Line;
use labtrust_evidence::replay::{Batched, Player, Replay};
use labtrust_plugin::lab::{LabEngine, LoadedLab};
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::sync::Arc;

/// Starts the episodes of a run again, from its facts (`run_facts.v0.2.json`).
///
/// # Errors
/// In words, why the run cannot be done again.
pub(crate) fn start(global: &Global, facts: &Value) -> Result<Box<dyn Replay>, String> {
    start_under(global, None, facts)
}

/// The same, under a policy that knows more than that of the command line.
///
/// # Errors
/// As [`start`].
pub(crate) fn start_under(
    global: &Global,
    policy: Option<&PolicyStore>,
    facts: &Value,
) -> Result<Box<dyn Replay>, String> {
    for (key, what) in
        [("approval_hook", "approvals"), ("injection_id", "an injection"), ("ablated_controls", "controls left out")]
    {
        let plain = facts.get(key).is_none_or(|value| value.is_null() || value == "none" || *value == json!([]));
        if !plain {
            return Err(format!("the run had {what}, and nobody knows yet how such a run is done again"));
        }
    }
    Ok(Box::new(Batched::new(Run::new(global, policy, facts)?)))
}

/// What is run again.
struct Run {
    lab: Arc<dyn LoadedLab>,
    /// The state that each episode begins with, and its seed.
    episodes: Vec<(u64, Map<String, Value>)>,
    dt_s: i64,
    max_steps: u32,
    context: Arc<LogContext>,
}

/// An episode under way.
struct Episode {
    index: u64,
    engine: Box<dyn LabEngine>,
    /// The next step that has not begun.
    step: u32,
    /// Lines that have come out and were not recorded yet.
    lines: VecDeque<Vec<u8>>,
    over: bool,
}

impl Run {
    fn new(global: &Global, policy: Option<&PolicyStore>, facts: &Value) -> Result<Self, String> {
        let text = |key: &str| facts.get(key).and_then(Value::as_str);
        let number = |key: &str| facts.get(key).and_then(Value::as_u64).ok_or(format!("its {key} is not known"));
        let words = |error: CliError| error.to_string();
        let task = text("task").ok_or("its task is not known")?;
        let timing = text("timing_mode").ok_or("its timing mode is not known")?;
        let mut session = Session::open(global, text("partner_id")).map_err(words)?;
        if let Some(policy) = policy {
            session.policy = policy.clone();
        }
        let registry = labtrust_builtin::registry().map_err(|error| error.to_string())?;
        let task = registry.task(task).map_err(|error| error.to_string())?;
        let sized = task.bind(&session.policy, text("scale_id")).map_err(|error| error.to_string())?;
        let task = sized.as_deref().unwrap_or(task);
        let lab = session.load_lab(&registry, task).map_err(words)?;
        let known = PolicyFacts::of(&session.policy).map_err(|error| error.to_string())?;
        let strict = facts.get("strict_signatures").and_then(Value::as_bool) == Some(true);
        let calibration = session.policy.calibration().and_then(Value::as_object);
        let state = |seed: u64| {
            let mut state = task.initial_state(seed, calibration);
            state.insert("workflow".to_owned(), json!("enforced"));
            state.insert("timing_mode".to_owned(), json!(timing));
            if strict {
                state.insert("strict_signatures".to_owned(), json!(true));
            }
            (seed, state)
        };
        let seeds = facts.get("seeds").and_then(Value::as_array).ok_or("its seeds are not known")?;
        Ok(Self {
            lab,
            episodes: seeds.iter().filter_map(Value::as_u64).map(state).collect(),
            dt_s: i64::try_from(number("dt_s")?).map_err(|_| "its dt_s is too large")?,
            max_steps: u32::try_from(number("max_steps")?).map_err(|_| "its max_steps is too large")?,
            context: Arc::new(LogContext { partner_id: known.partner_id, policy_fingerprint: known.fingerprint }),
        })
    }
}

impl Episode {
    /// Lets the engine act, and keeps what it writes.
    fn act(&mut self, context: &Arc<LogContext>, act: impl FnOnce(&mut dyn LabEngine, &mut EpisodeLog)) {
        let mut log = EpisodeLog::new(Arc::clone(context), self.index);
        log.begin_step(self.step.saturating_sub(1));
        act(self.engine.as_mut(), &mut log);
        let bytes = log.into_bytes();
        self.lines.extend(bytes.split_inclusive(|byte| *byte == b'\n').map(|line| line[..line.len() - 1].to_vec()));
    }

    fn go_to_step(&mut self, step: u32, dt_s: i64, context: &Arc<LogContext>) -> Result<(), String> {
        while self.step <= step {
            if let Some(line) = self.lines.front() {
                return Err(untold(line));
            }
            self.step += 1;
            let until = i64::from(self.step) * dt_s;
            self.act(context, |engine, log| {
                engine.advance_to(until, log);
                engine.begin_batch();
            });
        }
        Ok(())
    }

    fn end(&mut self, horizon_s: i64, context: &Arc<LogContext>) {
        if !std::mem::replace(&mut self.over, true) {
            self.act(context, |engine, log| engine.advance_to(horizon_s, log));
        }
    }
}

fn untold(line: &[u8]) -> String {
    let value: Value = serde_json::from_slice(line).unwrap_or_default();
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
    format!("the laboratory's own {} at {} s is not in the log", text("action_type"), value["t_s"])
}

impl Player for Run {
    type Now = Episode;

    fn begin(&self, index: u64) -> Result<Episode, String> {
        let episode = usize::try_from(index).ok().and_then(|index| self.episodes.get(index));
        let (seed, state) = episode.ok_or(format!("the run has no episode {index}"))?;
        let mut engine = self.lab.engine();
        engine.reset(state, *seed).map_err(|error| error.to_string())?;
        Ok(Episode { index, engine, step: 0, lines: VecDeque::new(), over: false })
    }

    /// Plays the next line of an episode and compares it.
    fn play(&self, now: &mut Episode, line: &Line) -> Result<(), String> {
        let step = line.entry.get("step").and_then(Value::as_u64).and_then(|step| u32::try_from(step).ok());
        let step = step.filter(|step| *step < self.max_steps).ok_or("its step is not one of the run")?;
        now.go_to_step(step, self.dt_s, &self.context)?;
        let event = line.entry.get("event").and_then(Value::as_object).ok_or("it has no event")?;
        if is_own(event) {
            if now.lines.is_empty() {
                now.end(i64::from(self.max_steps) * self.dt_s, &self.context);
            }
        } else {
            if let Some(line) = now.lines.front() {
                return Err(untold(line));
            }
            now.act(&self.context, |engine, log| drop(engine.step_raw(event, log)));
        }
        match now.lines.pop_front() {
            Some(made) if made == line.entry.bytes() => Ok(()),
            Some(made) => Err(difference(&made, line)),
            None => Err("the laboratory did not do this by itself".to_owned()),
        }
    }

    /// Compares what the laboratory still does by itself after the last line of an episode.
    fn end(&self, mut now: Episode) -> Result<(), String> {
        now.go_to_step(self.max_steps - 1, self.dt_s, &self.context)?;
        now.end(i64::from(self.max_steps) * self.dt_s, &self.context);
        now.lines.front().map_or(Ok(()), |line| Err(untold(line)))
    }
}

/// Whether the laboratory did it by itself: nobody sent this event.
fn is_own(event: &Map<String, Value>) -> bool {
    let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = text("event_id").strip_prefix("sys_").filter(|number| !number.is_empty());
    text("agent_id") == "SYSTEM" && number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The first field that came out otherwise.
fn difference(made: &[u8], line: &Line) -> String {
    let made: Value = serde_json::from_slice(made).unwrap_or_default();
    let Some(made) = made.as_object() else { return "it came out otherwise".to_owned() };
    let recorded = line.entry.map();
    let keys = recorded.keys().chain(made.keys());
    // The hashes follow from the other fields, so they are told last.
    let (hashes, fields): (Vec<_>, Vec<_>) = keys.partition(|key| key.contains("hash"));
    let differs = |key: &&String| recorded.get(*key) != made.get(*key);
    let Some(key) = fields.into_iter().chain(hashes).find(differs) else { return "it came out otherwise".to_owned() };
    let short = |map: &Map<String, Value>| {
        map.get(key).map_or("nothing".to_owned(), |value| value.to_string().chars().take(100).collect())
    };
    format!("{key} was recorded as {}, and is {}", short(recorded), short(made))
}

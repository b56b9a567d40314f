//! Reading traces: lists of events and answers, the traces of scenarios, and episode logs.

use crate::scenario::Beginning;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Why a trace could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An entry is none.
    #[error("{} {place}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// `line N`, or `entry N` of a list.
        place: String,
        /// What is wrong.
        problem: String,
    },
}

/// One event and what was recorded about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The event.
    pub event: Map<String, Value>,
    /// The answer, in the keys of [`StepResult`](labtrust_contract::StepResult); a log line has more, and may have fewer.
    pub result: Map<String, Value>,
    /// Whether the event is whole, as it was received. A log without events has only some of its fields.
    pub whole: bool,
    /// Episode and step, in a log. Signatures of a step cover the chain head at its begin.
    pub moment: Option<(u64, u64)>,
}

impl Entry {
    /// Whether the laboratory did it by itself, in a log: nobody sent this event.
    #[must_use]
    pub fn own(&self) -> bool {
        let text = |key: &str| self.event.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = text("event_id").strip_prefix("sys_");
        self.moment.is_some()
            && text("agent_id") == "SYSTEM"
            && number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty())
    }

    /// When [s]; 0 where the event has no time.
    #[must_use]
    pub fn t_s(&self) -> i64 {
        self.event.get("t_s").and_then(Value::as_i64).unwrap_or(0)
    }

    pub(super) fn list(&self, key: &str) -> impl Iterator<Item = &Value> {
        self.result.get(key).and_then(Value::as_array).into_iter().flatten()
    }
}

/// A recorded trace.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// How the episode began, where the trace says so.
    pub beginning: Option<Beginning>,
    /// The scenario that it is a trace of, where the trace says so.
    pub scenario_id: Option<String>,
    /// The steps, in order.
    pub entries: Vec<Entry>,
}

impl Trace {
    /// Reads a file: a JSON list, or a JSON value a line, or a framed log.
    ///
    /// # Errors
    /// [`TraceError`].
    pub fn read(path: &Path) -> Result<Self, TraceError> {
        let fail = |source| TraceError::Read { path: path.to_path_buf(), source };
        let invalid = |problem: String| fail(std::io::Error::new(std::io::ErrorKind::InvalidData, problem));
        let lines = labtrust_evidence::frames::lines(std::fs::read(path).map_err(fail)?).map_err(invalid)?;
        let text = String::from_utf8(lines).map_err(|error| invalid(error.to_string()))?;
        Self::read_text(path, &text)
    }

    /// Reads the text of a file; `path` is for messages.
    ///
    /// # Errors
    /// [`TraceError::Content`] with the line or the place in the list.
    pub fn read_text(path: &Path, text: &str) -> Result<Self, TraceError> {
        let wrong = |place: String, problem: String| TraceError::Content { path: path.to_path_buf(), place, problem };
        let mut trace = Self::default();
        if text.trim_start().starts_with('[') {
            let list: Vec<Value> = serde_json::from_str(text)
                .map_err(|error| wrong(format!("line {}", error.line()), format!("not JSON: {error}")))?;
            for (index, value) in list.into_iter().enumerate() {
                trace.take(value).map_err(|problem| wrong(format!("entry {}", index + 1), problem))?;
            }
        } else {
            for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let place = || format!("line {}", index + 1);
                let value = serde_json::from_str(line).map_err(|error| wrong(place(), format!("not JSON: {error}")))?;
                trace.take(value).map_err(|problem| wrong(place(), problem))?;
            }
        }
        Ok(trace)
    }

    /// The episodes that occur, in a log.
    #[must_use]
    pub fn episodes(&self) -> BTreeSet<u64> {
        self.entries.iter().filter_map(|entry| entry.moment).map(|(episode, _)| episode).collect()
    }

    /// The trace of one episode of a log.
    #[must_use]
    pub fn episode(mut self, wanted: u64) -> Self {
        self.entries.retain(|entry| entry.moment.is_none_or(|(episode, _)| episode == wanted));
        self
    }

    fn take(&mut self, value: Value) -> Result<(), String> {
        let Value::Object(mut map) = value else { return Err("an entry should be a map".to_owned()) };
        if map.contains_key("initial_state") {
            return self.take_beginning(map);
        }
        let moment = map.get("episode").and_then(Value::as_u64).zip(map.get("step").and_then(Value::as_u64));
        let event = match map.remove("event") {
            Some(Value::Object(event)) => Some(event),
            None => None,
            Some(_) => return Err("\"event\" should be a map".to_owned()),
        };
        let entry = match (event, map.remove("result")) {
            (Some(event), Some(Value::Object(result))) => Entry { event, result, whole: true, moment: None },
            (_, Some(Value::Object(_))) => return Err("the key \"event\" is missing".to_owned()),
            (_, Some(_)) => return Err("\"result\" should be a map".to_owned()),
            // A log line has the fields of the answer beside the event.
            (Some(event), None) if map.contains_key("status") => Entry { event, result: map, whole: true, moment },
            (None, None) if map.contains_key("status") && map.contains_key("action_type") => {
                let fields = ["event_id", "t_s", "agent_id", "action_type", "args"];
                let field = |key: &str| map.get(key).map(|value| (key.to_owned(), value.clone()));
                let event = fields.into_iter().filter_map(field).collect();
                Entry { event, result: map, whole: false, moment }
            }
            _ => return Err("neither an event with its result nor a line of a log".to_owned()),
        };
        if !matches!(entry.result.get("violations"), None | Some(Value::Null | Value::Array(_))) {
            return Err("\"violations\" should be a list".to_owned());
        }
        self.entries.push(entry);
        Ok(())
    }

    /// The first line of a scenario's trace.
    fn take_beginning(&mut self, mut map: Map<String, Value>) -> Result<(), String> {
        if self.beginning.is_some() || !self.entries.is_empty() {
            return Err("a trace begins once".to_owned());
        }
        self.scenario_id = map.get("scenario_id").and_then(Value::as_str).map(str::to_owned);
        let seed = map.get("seed").and_then(Value::as_u64).ok_or("\"seed\" should be a whole number")?;
        let semantics = serde_json::from_value(map.remove("semantics").unwrap_or_default())
            .map_err(|_| "\"semantics\" should be \"sound\" or \"reference\"")?;
        let Some(Value::Object(initial_state)) = map.remove("initial_state") else {
            return Err("\"initial_state\" should be a map".to_owned());
        };
        self.beginning = Some(Beginning { initial_state, seed, semantics });
        Ok(())
    }
}

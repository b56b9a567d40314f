//! The episode log: one JSON line for every step, those of the laboratory included.
//!
//! Lines have the fields of [`LogRecord`](labtrust_contract::LogRecord) as canonical JSON and are made straight from
//! the step's own bytes: the event in the line is the event that was hashed. Episodes run in parallel, each into a
//! buffer of its own; [`LogFiles`] writes the buffers in the order of the episodes, as they are or as the rows of a
//! Parquet file ([`columnar`]).

pub mod columnar;
mod member;
mod steps;

use crate::BenchError;
use crate::files::{AtomicFile, Extent, refuse_same_file};
use crate::results::canonical_bytes;
use columnar::ColumnarLog;
use labtrust_contract::EpisodeRecord;
use labtrust_plugin::lab::{Observer, Outcome, StepFacts, Symbols};
use labtrust_trust::canonical;
pub(crate) use member::member;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use steps::StepCounter;

/// Facts that every line of a run repeats, where they are known.
#[derive(Debug, Clone, Default)]
pub struct LogContext {
    /// Partner overlay in force.
    pub partner_id: Option<String>,
    /// Fingerprint of the policy in force.
    pub policy_fingerprint: Option<String>,
}

/// The log lines of one episode.
#[derive(Debug)]
pub struct EpisodeLog {
    context: Arc<LogContext>,
    episode: u64,
    step: u32,
    bytes: Vec<u8>,
    steps: Option<StepCounter>,
}

impl EpisodeLog {
    /// An empty log of episode `episode` of the run, from 0.
    #[must_use]
    pub fn new(context: Arc<LogContext>, episode: u64) -> Self {
        Self { context, episode, step: 0, bytes: Vec::new(), steps: None }
    }

    /// Counts, besides, what was refused and violated in every `every`-th step of `dt_s` [s].
    #[must_use]
    pub fn counting_steps(mut self, every: NonZeroU32, dt_s: u32) -> Self {
        self.steps = Some(StepCounter::new(self.episode, every, dt_s));
        self
    }

    /// The lines that follow belong to step `step`, from 0.
    pub fn begin_step(&mut self, step: u32) {
        self.step = step;
        if let Some(steps) = &mut self.steps {
            steps.begin_step(step);
        }
    }

    /// The lines.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The lines of the log, and those of the steps that were counted.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Vec<u8>) {
        (self.bytes, self.steps.map(StepCounter::into_bytes).unwrap_or_default())
    }
}

impl Observer for EpisodeLog {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        let StepFacts { outcome, event, chain, symbols, .. } = facts;
        if let Some(steps) = &mut self.steps {
            steps.count(outcome);
        }
        let out = &mut self.bytes;
        // A record outside of the chain (the log is frozen) follows the newest one that is in it.
        let (prev_hash, chain_hash) =
            if outcome.chained { (chain.prev_hash, Some(chain.last_hash)) } else { (chain.last_hash, None) };

        // Keys in code-point order.
        out.extend_from_slice(b"{\"action_type\":");
        out.extend_from_slice(text_member(event, "action_type").unwrap_or(b"\"\""));
        out.extend_from_slice(b",\"agent_id\":");
        out.extend_from_slice(text_member(event, "agent_id").unwrap_or(b"\"\""));
        out.extend_from_slice(b",\"args\":");
        out.extend_from_slice(member(event, "args").filter(|value| value.starts_with(b"{")).unwrap_or(b"{}"));
        out.extend_from_slice(b",\"blocked_reason_code\":");
        text_or_null(out, outcome.reason);
        optional(out, "capability_decision", outcome.capability.as_ref());
        out.extend_from_slice(b",\"chain_hash\":");
        text_or_null(out, chain_hash);
        if let Some(consignment) = outcome.consignment {
            out.extend_from_slice(b",\"consignment_id\":");
            canonical::write_symbol(out, symbols, consignment);
        }
        optional(out, "control_decision", outcome.control.as_ref());
        out.extend_from_slice(b",\"emits\":");
        list(out, outcome.emits.iter(), |out, emit| canonical::write_str(out, emit));
        out.extend_from_slice(b",\"enforcements\":");
        list(out, outcome.enforcements.iter(), serialized);
        out.extend_from_slice(b",\"episode\":");
        canonical::write_u64(out, self.episode);
        out.extend_from_slice(b",\"event\":");
        out.extend_from_slice(event);
        out.extend_from_slice(b",\"event_id\":");
        out.extend_from_slice(text_member(event, "event_id").unwrap_or(b"null"));
        out.extend_from_slice(b",\"hashchain\":{\"head_hash\":");
        canonical::write_str(out, chain.head_hash);
        out.extend_from_slice(b",\"last_event_hash\":");
        canonical::write_str(out, chain.last_hash);
        out.extend_from_slice(b",\"length\":");
        canonical::write_u64(out, chain.length);
        out.extend_from_slice(b"},\"hashchain_head\":");
        canonical::write_str(out, chain.last_hash);
        optional_text(out, "partner_id", self.context.partner_id.as_deref());
        optional_text(out, "policy_fingerprint", self.context.policy_fingerprint.as_deref());
        out.extend_from_slice(b",\"prev_hash\":");
        canonical::write_str(out, prev_hash);
        role_decision(out, outcome, symbols);
        optional(out, "signature_verification", outcome.signature.as_ref());
        out.extend_from_slice(b",\"specimen_ids\":");
        list(out, outcome.specimens.iter(), |out, id| canonical::write_symbol(out, symbols, *id));
        out.extend_from_slice(b",\"status\":");
        canonical::write_str(out, if outcome.accepted { "ACCEPTED" } else { "BLOCKED" });
        out.extend_from_slice(b",\"step\":");
        canonical::write_u64(out, u64::from(self.step));
        out.extend_from_slice(b",\"t_s\":");
        out.extend_from_slice(integer_member(event, "t_s").unwrap_or(b"0"));
        out.extend_from_slice(b",\"token_consumed\":");
        list(out, outcome.tokens_consumed.iter(), |out, id| canonical::write_symbol(out, symbols, *id));
        out.extend_from_slice(b",\"violations\":");
        list(out, outcome.findings.iter(), |out, finding| finding.write_canonical(out, symbols));
        out.extend_from_slice(b"}\n");
    }
}

fn text_member<'e>(event: &'e [u8], key: &str) -> Option<&'e [u8]> {
    member(event, key).filter(|value| value.starts_with(b"\""))
}

fn integer_member<'e>(event: &'e [u8], key: &str) -> Option<&'e [u8]> {
    let value = member(event, key)?;
    std::str::from_utf8(value).ok()?.parse::<i64>().ok().map(|_| value)
}

fn text_or_null(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => canonical::write_str(out, text),
        None => canonical::write_null(out),
    }
}

fn list<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, write: impl Fn(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

fn role_decision(out: &mut Vec<u8>, outcome: &Outcome, symbols: &Symbols) {
    let Some((allowed, reason, role)) = outcome.rbac else { return };
    out.extend_from_slice(b",\"rbac_decision\":{\"allowed\":");
    canonical::write_bool(out, allowed);
    out.extend_from_slice(b",\"reason_code\":");
    text_or_null(out, reason);
    out.extend_from_slice(b",\"role_id\":");
    text_or_null(out, role.map(|role| symbols.text(role)));
    out.push(b'}');
}

/// Values that a line has only where the step has them; they are rare, so they may take the long way.
fn optional<T: Serialize>(out: &mut Vec<u8>, key: &str, value: Option<&T>) {
    if let Some(value) = value {
        out.push(b',');
        canonical::write_str(out, key);
        out.push(b':');
        serialized(out, value);
    }
}

fn optional_text(out: &mut Vec<u8>, key: &str, text: Option<&str>) {
    optional(out, key, text.as_ref());
}

fn serialized<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    canonical::write_value(out, &value).unwrap_or_else(|_| unreachable!("decisions hold no floats"));
}

/// The log of a run, `episodes.jsonl` beside it with a line for every episode and, where it is asked for, `steps.jsonl`.
/// All appear under their names when the run is complete.
#[derive(Debug)]
pub struct LogFiles {
    log: LogFile,
    index: EpisodeIndex,
    steps: Option<(NonZeroU32, AtomicFile)>,
    paths: LogPaths,
}

/// How the lines of a log are kept.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of it in a run")]
enum LogFile {
    /// As they are.
    Lines(AtomicFile),
    /// As rows.
    Rows(ColumnarLog),
}

impl LogFile {
    fn append(&mut self, task: &str, seed: u64, lines: &[u8]) -> Result<(), BenchError> {
        match self {
            Self::Lines(file) => file.write(lines),
            Self::Rows(rows) => rows.append(task, seed, lines),
        }
    }

    fn persist(self) -> Result<String, BenchError> {
        match self {
            Self::Lines(file) => file.persist(),
            Self::Rows(rows) => rows.persist(),
        }
    }

    /// The file of a log that can be gone on with.
    fn lines(&mut self) -> &mut AtomicFile {
        match self {
            Self::Lines(file) => file,
            Self::Rows(_) => unreachable!("checkpoints are made of logs of lines only"),
        }
    }
}

/// What one episode adds to the files of a run.
#[derive(Debug, Default)]
pub(crate) struct EpisodeLines {
    /// Lines of the log.
    pub(crate) log: Vec<u8>,
    /// Lines of `steps.jsonl`.
    pub(crate) steps: Vec<u8>,
}

/// Where the files of a log are.
#[derive(Debug, Clone)]
pub(crate) struct LogPaths {
    pub(crate) log: PathBuf,
    pub(crate) index: PathBuf,
    /// With the interval at which steps are counted.
    pub(crate) steps: Option<(NonZeroU32, PathBuf)>,
}

impl LogPaths {
    /// The files of the log at `log`; `out` is where the results will be.
    pub(crate) fn new(log: &Path, out: &Path, step_interval: Option<NonZeroU32>) -> Result<Self, BenchError> {
        let index = index_path(log);
        let steps = step_interval.map(|every| (every, log.with_file_name("steps.jsonl")));
        let mut outputs = vec![("the results", out), ("the episode log", log), ("the episode records", &index)];
        outputs.extend(steps.iter().map(|(_, path)| ("the counted steps", path.as_path())));
        refuse_same_file(&outputs)?;
        Ok(Self { log: log.to_path_buf(), index, steps })
    }
}

impl LogFiles {
    /// Begins the log at `path` and `episodes.jsonl` beside it; `out` is where the results will be. With a
    /// `step_interval` every such step of an episode is counted in `steps.jsonl`.
    ///
    /// # Errors
    /// [`BenchError::SameFile`] when two of them would be one file, [`BenchError::Write`] when a file cannot be
    /// written.
    pub fn create(path: &Path, out: &Path, step_interval: Option<NonZeroU32>) -> Result<Self, BenchError> {
        Self::open(LogPaths::new(path, out, step_interval)?, |path, _| AtomicFile::create(path))
    }

    /// The same with a log in columns: a Parquet file instead of lines.
    ///
    /// # Errors
    /// As [`LogFiles::create`].
    pub fn create_columnar(path: &Path, out: &Path, step_interval: Option<NonZeroU32>) -> Result<Self, BenchError> {
        let paths = LogPaths::new(path, out, step_interval)?;
        let rows = LogFile::Rows(ColumnarLog::create(path)?);
        Self::open_beside(rows, paths, |path, _| AtomicFile::create(path))
    }

    /// Opens each of the files in the way of `open`, which gets its path and its short name.
    pub(crate) fn open(
        paths: LogPaths,
        open: impl Fn(&Path, &str) -> Result<AtomicFile, BenchError>,
    ) -> Result<Self, BenchError> {
        let log = LogFile::Lines(open(&paths.log, "log")?);
        Self::open_beside(log, paths, open)
    }

    fn open_beside(
        log: LogFile,
        paths: LogPaths,
        open: impl Fn(&Path, &str) -> Result<AtomicFile, BenchError>,
    ) -> Result<Self, BenchError> {
        let steps = match &paths.steps {
            Some((every, path)) => Some((*every, open(path, "steps")?)),
            None => None,
        };
        Ok(Self { log, index: EpisodeIndex(open(&paths.index, "episodes")?), steps, paths })
    }

    /// Gives all files their names; returns their names and SHA-256.
    ///
    /// # Errors
    /// [`BenchError::Write`].
    pub fn persist(self) -> Result<Vec<(String, String)>, BenchError> {
        let name = |path: &Path| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut written = vec![(name(&self.paths.log), self.log.persist()?)];
        written.push((name(&self.paths.index), self.index.persist()?));
        if let (Some((_, file)), Some((_, path))) = (self.steps, &self.paths.steps) {
            written.push((name(path), file.persist()?));
        }
        Ok(written)
    }

    /// Hands everything to the disk and says how much there is of each file, by its short name.
    pub(crate) fn settle(&mut self) -> Result<BTreeMap<String, Extent>, BenchError> {
        let mut extents = BTreeMap::new();
        extents.insert("log".to_owned(), self.log.lines().settle()?);
        extents.insert("episodes".to_owned(), self.index.0.settle()?);
        if let Some((_, steps)) = &mut self.steps {
            extents.insert("steps".to_owned(), steps.settle()?);
        }
        Ok(extents)
    }

    pub(crate) fn step_interval(&self) -> Option<NonZeroU32> {
        self.steps.as_ref().map(|(every, _)| *every)
    }

    /// Where the log is until it is complete.
    pub(crate) fn partial_log(&mut self) -> &Path {
        self.log.lines().temporary()
    }

    /// Where the episode records are until they are complete.
    pub(crate) fn partial_index(&self) -> &Path {
        self.index.0.temporary()
    }

    pub(crate) fn append(
        &mut self,
        task: &str,
        episode: u64,
        lines: &EpisodeLines,
        record: &EpisodeRecord,
    ) -> Result<(), BenchError> {
        self.log.append(task, record.seed, &lines.log)?;
        if let Some((_, steps)) = &mut self.steps {
            steps.write(&lines.steps)?;
        }
        self.index.append(task, episode, record)
    }
}

/// `episodes.jsonl` beside a log.
#[must_use]
pub fn index_path(log: &Path) -> PathBuf {
    log.with_file_name("episodes.jsonl")
}

/// `episodes.jsonl`: one line for every episode, with its task and its place in the run.
#[derive(Debug)]
pub struct EpisodeIndex(AtomicFile);

impl EpisodeIndex {
    /// Begins the file.
    ///
    /// # Errors
    /// [`BenchError::Write`].
    pub fn create(path: &Path) -> Result<Self, BenchError> {
        AtomicFile::create(path).map(Self)
    }

    /// Appends the record of episode `episode` of `task`.
    ///
    /// # Errors
    /// [`BenchError::Write`].
    pub fn append(&mut self, task: &str, episode: u64, record: &EpisodeRecord) -> Result<(), BenchError> {
        let line = json!({ "task": task, "episode": episode, "seed": record.seed, "metrics": record.metrics });
        let mut bytes = canonical_bytes(&line, "an episode record")?;
        bytes.push(b'\n');
        self.0.write(&bytes)
    }

    /// Gives the file its name; returns its SHA-256.
    ///
    /// # Errors
    /// [`BenchError::Write`].
    pub fn persist(self) -> Result<String, BenchError> {
        self.0.persist()
    }
}

//! The episode log: one JSON line for every step, those of the laboratory included.
//!
//! Lines have the fields of [`LogRecord`](labtrust_contract::LogRecord) as canonical JSON and are made straight from
//! the step's own bytes: the event in the line is the event that was hashed. Episodes run in parallel, each into a
//! buffer of its own; [`LogFiles`] writes the buffers in the order of the episodes: as they are, in frames
//! ([`labtrust_evidence::frames`]), or as the rows of a Parquet file ([`columnar`]).

pub mod columnar;
mod member;
mod steps;

use crate::BenchError;
use crate::files::{AtomicFile, Extent, refuse_same_file};
use crate::results::{canonical_bytes, sha256_hex};
use columnar::ColumnarLog;
use labtrust_contract::EpisodeRecord;
use labtrust_evidence::frames::{self, Frame, Frames};
use labtrust_plugin::lab::{Observer, Outcome, StepFacts, Symbols};
use labtrust_trust::canonical;
pub(crate) use member::member;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use steps::StepCounter;

use crate::telemetry::EpisodeTelemetry;

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
    telemetry: Option<EpisodeTelemetry>,
    truth: Vec<u8>,
}

impl EpisodeLog {
    /// An empty log of episode `episode` of the run, from 0.
    #[must_use]
    pub fn new(context: Arc<LogContext>, episode: u64) -> Self {
        Self { context, episode, step: 0, bytes: Vec::new(), steps: None, telemetry: None, truth: Vec::new() }
    }

    /// Counts, besides, what was refused and violated in every `every`-th step of `dt_s` [s].
    #[must_use]
    pub fn counting_steps(mut self, every: NonZeroU32, dt_s: u32) -> Self {
        self.steps = Some(StepCounter::new(self.episode, every, dt_s));
        self
    }

    /// Tells, besides, how the decisions of a coordination method came about.
    #[must_use]
    pub fn telling_decisions(mut self) -> Self {
        self.telemetry = Some(EpisodeTelemetry::new(self.episode));
        self
    }

    /// Where decisions are written down, where they are.
    pub(crate) fn telemetry(&mut self) -> Option<&mut EpisodeTelemetry> {
        self.telemetry.as_mut()
    }

    /// Puts down what really happened: the ledger of an injection, apart from everything that a defender could read. Each
    /// record has the hash of the one before it, and its own: SHA-256 over the record as canonical JSON without `hash`.
    ///
    /// # Errors
    /// [`BenchError::Canonical`] for a record with a number that is not finite.
    pub(crate) fn tell_truth(&mut self, ledger: &[Value]) -> Result<(), BenchError> {
        let mut prev_hash = String::new();
        for (number, record) in ledger.iter().enumerate() {
            let mut line = record.clone();
            line["episode"] = self.episode.into();
            line["n"] = number.into();
            line["prev_hash"] = prev_hash.as_str().into();
            prev_hash = sha256_hex(&canonical_bytes(&line, "the ground truth")?);
            line["hash"] = prev_hash.as_str().into();
            self.truth.extend(canonical_bytes(&line, "the ground truth")?);
            self.truth.push(b'\n');
        }
        Ok(())
    }

    /// The lines that follow belong to step `step`, from 0.
    pub fn begin_step(&mut self, step: u32) {
        self.step = step;
        if let Some(steps) = &mut self.steps {
            steps.begin_step(step);
        }
    }

    /// The lines so far; what is left is an empty log of the same episode.
    pub(crate) fn take(&mut self) -> Self {
        let empty = Self::new(Arc::clone(&self.context), self.episode);
        std::mem::replace(self, empty)
    }

    /// The lines so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The lines.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// All lines, by the file that they are for.
    #[must_use]
    pub fn into_lines(self) -> EpisodeLines {
        let steps = self.steps.map(StepCounter::into_bytes).unwrap_or_default();
        let mut lines = EpisodeLines { log: self.bytes, steps, truth: self.truth, ..EpisodeLines::default() };
        if let Some(telemetry) = self.telemetry {
            telemetry.hand_over(&mut lines);
        }
        lines
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

/// The log of a run, `episodes.jsonl` beside it with a line for every episode and, where they are asked for, the files of
/// [`Beside`]. All appear under their names when the run is complete.
#[derive(Debug)]
pub struct LogFiles {
    log: LogFile,
    index: EpisodeIndex,
    steps: Option<(NonZeroU32, AtomicFile)>,
    /// In the order of [`COORDINATION_FILES`].
    coordination: Vec<AtomicFile>,
    truth: Option<AtomicFile>,
    paths: LogPaths,
}

/// How the lines of a log are kept.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of it in a run")]
enum LogFile {
    /// As they are.
    Lines(AtomicFile),
    /// Each with its length and a digest.
    Framed(FramedLog),
    /// As rows.
    Rows(ColumnarLog),
}

impl LogFile {
    fn append(&mut self, task: &str, seed: u64, lines: &[u8]) -> Result<(), BenchError> {
        match self {
            Self::Lines(file) => file.write(lines),
            Self::Framed(log) => log.append(lines),
            Self::Rows(rows) => rows.append(task, seed, lines),
        }
    }

    fn persist(self) -> Result<String, BenchError> {
        match self {
            Self::Lines(file) | Self::Framed(FramedLog { file, .. }) => file.persist(),
            Self::Rows(rows) => rows.persist(),
        }
    }

    /// The file of a log that can be gone on with.
    fn lines(&mut self) -> &mut AtomicFile {
        match self {
            Self::Lines(file) | Self::Framed(FramedLog { file, .. }) => file,
            Self::Rows(_) => unreachable!("there are no checkpoints of logs in columns"),
        }
    }
}

/// A framed log, and the frame that the next one follows.
#[derive(Debug)]
struct FramedLog {
    file: AtomicFile,
    frames: Frames,
    buffer: Vec<u8>,
}

impl FramedLog {
    /// Begins the log in a file, or goes on with what is in it.
    fn over(mut file: AtomicFile) -> Result<Self, BenchError> {
        let mut frames = Frames::default();
        if file.length() == 0 {
            file.write(&frames::MAGIC)?;
        } else {
            let path = file.temporary();
            let fail = |source| BenchError::Read { path: path.to_path_buf(), source };
            let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(fail)?);
            let (mut magic, mut record) = ([0; frames::MAGIC.len()], Vec::new());
            reader.read_exact(&mut magic).map_err(fail)?;
            let end = loop {
                match frames.read(&mut reader, &mut record).map_err(fail)? {
                    Frame::Whole => {}
                    end => break end,
                }
            };
            if magic != frames::MAGIC || end != Frame::End {
                return Err(BenchError::Damaged { path: path.to_path_buf(), length: file.length() });
            }
        }
        Ok(Self { file, frames, buffer: Vec::new() })
    }

    fn append(&mut self, lines: &[u8]) -> Result<(), BenchError> {
        self.buffer.clear();
        self.frames.append_lines(&mut self.buffer, lines);
        self.file.write(&self.buffer)
    }
}

/// What one episode adds to the files of a run.
#[derive(Debug, Default)]
pub struct EpisodeLines {
    /// Lines of the log.
    pub log: Vec<u8>,
    /// Lines of `steps.jsonl`.
    pub steps: Vec<u8>,
    /// Lines of [`COORDINATION_FILES`].
    pub coordination: [Vec<u8>; 3],
    /// Lines of [`GROUND_TRUTH`].
    pub truth: Vec<u8>,
}

/// What is written beside a log because somebody asks for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside {
    /// `steps.jsonl`, with a line for each so many steps of an episode [count].
    pub step_interval: Option<NonZeroU32>,
    /// [`COORDINATION_FILES`].
    pub coordination: bool,
    /// [`GROUND_TRUTH`].
    pub truth: bool,
}

/// What an injection really did, for those who judge; nobody in an episode can read it.
pub const GROUND_TRUTH: &str = "ground_truth.jsonl";

/// How the decisions of a coordination method came about.
pub const COORDINATION_FILES: [&str; 3] = ["coord_decisions.jsonl", "METHOD_TRACE.jsonl", "coord_events.jsonl"];

/// Where the files of a log are.
#[derive(Debug, Clone)]
pub(crate) struct LogPaths {
    pub(crate) log: PathBuf,
    pub(crate) index: PathBuf,
    /// Whether the log is framed.
    pub(crate) framed: bool,
    /// With the interval at which steps are counted.
    pub(crate) steps: Option<(NonZeroU32, PathBuf)>,
    /// Of [`COORDINATION_FILES`]; none where they are not asked for.
    pub(crate) coordination: Vec<PathBuf>,
    /// Of [`GROUND_TRUTH`].
    pub(crate) truth: Option<PathBuf>,
}

impl LogPaths {
    /// The files of the log at `log`; `out` is where the results will be.
    pub(crate) fn new(log: &Path, out: &Path, beside: Beside) -> Result<Self, BenchError> {
        let index = index_path(log);
        let steps = beside.step_interval.map(|every| (every, log.with_file_name("steps.jsonl")));
        let mut outputs = vec![("the results", out), ("the episode log", log), ("the episode records", &index)];
        outputs.extend(steps.iter().map(|(_, path)| ("the counted steps", path.as_path())));
        let coordination: Vec<_> = match beside.coordination {
            true => COORDINATION_FILES.iter().map(|name| log.with_file_name(name)).collect(),
            false => Vec::new(),
        };
        outputs.extend(coordination.iter().map(|path| ("a record of decisions", path.as_path())));
        let truth = beside.truth.then(|| log.with_file_name(GROUND_TRUTH));
        outputs.extend(truth.iter().map(|path| ("the ground truth", path.as_path())));
        refuse_same_file(&outputs)?;
        Ok(Self { log: log.to_path_buf(), index, framed: false, steps, coordination, truth })
    }
}

impl LogFiles {
    /// Begins the log at `path`, `episodes.jsonl` and what is asked for beside it; `out` is where the results will be.
    ///
    /// # Errors
    /// [`BenchError::SameFile`] when two of them would be one file, [`BenchError::Write`] when a file cannot be
    /// written.
    pub fn create(path: &Path, out: &Path, beside: Beside) -> Result<Self, BenchError> {
        Self::open(LogPaths::new(path, out, beside)?, |path, _| AtomicFile::create(path))
    }

    /// The same with a framed log.
    ///
    /// # Errors
    /// As [`LogFiles::create`].
    pub fn create_framed(path: &Path, out: &Path, beside: Beside) -> Result<Self, BenchError> {
        let paths = LogPaths { framed: true, ..LogPaths::new(path, out, beside)? };
        Self::open(paths, |path, _| AtomicFile::create(path))
    }

    /// The same with a log in columns: a Parquet file instead of lines.
    ///
    /// # Errors
    /// As [`LogFiles::create`].
    pub fn create_columnar(path: &Path, out: &Path, beside: Beside) -> Result<Self, BenchError> {
        let paths = LogPaths::new(path, out, beside)?;
        let rows = LogFile::Rows(ColumnarLog::create(path)?);
        Self::open_beside(rows, paths, |path, _| AtomicFile::create(path))
    }

    /// Opens each of the files in the way of `open`, which gets its path and its short name.
    pub(crate) fn open(
        paths: LogPaths,
        open: impl Fn(&Path, &str) -> Result<AtomicFile, BenchError>,
    ) -> Result<Self, BenchError> {
        let file = open(&paths.log, "log")?;
        let log = if paths.framed { LogFile::Framed(FramedLog::over(file)?) } else { LogFile::Lines(file) };
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
        let coordination = paths.coordination.iter().zip(COORDINATION_FILES).map(|(path, name)| open(path, name));
        let coordination = coordination.collect::<Result<_, _>>()?;
        let truth = paths.truth.as_ref().map(|path| open(path, GROUND_TRUTH)).transpose()?;
        Ok(Self { log, index: EpisodeIndex(open(&paths.index, "episodes")?), steps, coordination, truth, paths })
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
        for (file, path) in self.coordination.into_iter().zip(&self.paths.coordination) {
            written.push((name(path), file.persist()?));
        }
        if let (Some(file), Some(path)) = (self.truth, &self.paths.truth) {
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
        for (file, name) in self.coordination.iter_mut().zip(COORDINATION_FILES) {
            extents.insert(name.to_owned(), file.settle()?);
        }
        if let Some(truth) = &mut self.truth {
            extents.insert(GROUND_TRUTH.to_owned(), truth.settle()?);
        }
        Ok(extents)
    }

    pub(crate) fn step_interval(&self) -> Option<NonZeroU32> {
        self.steps.as_ref().map(|(every, _)| *every)
    }

    pub(crate) fn tells_decisions(&self) -> bool {
        !self.coordination.is_empty()
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
        for (file, lines) in self.coordination.iter_mut().zip(&lines.coordination) {
            file.write(lines)?;
        }
        if let Some(truth) = &mut self.truth {
            truth.write(&lines.truth)?;
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

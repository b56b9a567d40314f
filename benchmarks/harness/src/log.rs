//! The episode log: one JSON line for every step, those of the laboratory included.
//!
//! Lines have the fields of [`LogRecord`](labtrust_contract::LogRecord) as canonical JSON and are made straight from
//! the step's own bytes: the event in the line is the event that was hashed. Episodes run in parallel, each into a
//! buffer of its own; [`LogFiles`] writes the buffers in the order of the episodes.

mod member;

use crate::BenchError;
use crate::files::{AtomicFile, refuse_same_file};
use crate::results::canonical_bytes;
use labtrust_contract::EpisodeRecord;
use labtrust_plugin::lab::{Observer, Outcome, StepFacts, Symbols};
use labtrust_trust::canonical;
use member::member;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
}

impl EpisodeLog {
    /// An empty log of episode `episode` of the run, from 0.
    #[must_use]
    pub fn new(context: Arc<LogContext>, episode: u64) -> Self {
        Self { context, episode, step: 0, bytes: Vec::new() }
    }

    /// The lines that follow belong to step `step`, from 0.
    pub fn begin_step(&mut self, step: u32) {
        self.step = step;
    }

    /// The lines.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl Observer for EpisodeLog {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        let StepFacts { outcome, event, chain, symbols, .. } = facts;
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

/// The log of a run and, beside it, `episodes.jsonl` with a line for every episode. Both appear under their names when
/// the run is complete.
#[derive(Debug)]
pub struct LogFiles {
    log: AtomicFile,
    index: EpisodeIndex,
    names: [String; 2],
}

impl LogFiles {
    /// Begins the log at `path` and `episodes.jsonl` beside it; `out` is where the results will be.
    ///
    /// # Errors
    /// [`BenchError::SameFile`] when two of the three would be one file, [`BenchError::Write`] when a file cannot be
    /// written.
    pub fn create(path: &Path, out: &Path) -> Result<Self, BenchError> {
        let index = index_path(path);
        refuse_same_file(&[("the results", out), ("the episode log", path), ("the episode records", &index)])?;
        let name = |path: &Path| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let names = [name(path), name(&index)];
        Ok(Self { log: AtomicFile::create(path)?, index: EpisodeIndex::create(&index)?, names })
    }

    /// Gives both files their names; returns their names and SHA-256.
    ///
    /// # Errors
    /// [`BenchError::Write`].
    pub fn persist(self) -> Result<[(String, String); 2], BenchError> {
        let [log, index] = self.names;
        Ok([(log, self.log.persist()?), (index, self.index.persist()?)])
    }

    pub(crate) fn append(
        &mut self,
        task: &str,
        episode: u64,
        lines: &[u8],
        record: &EpisodeRecord,
    ) -> Result<(), BenchError> {
        self.log.write(lines)?;
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

//! Recomputing the hash chain of a log from nothing but its lines.
//!
//! A line is held to everything that it says about itself: the hash of its event and outcome after the hash before it,
//! the length of the chain, the first and the newest hash, and the fields that repeat the event. What a line says
//! beside that (roles, capabilities, specimens) is held to what the engine does when the log is replayed.

use crate::entry::Entry;
use crate::strict;
use labtrust_trust::chain::record_hash;
use serde_json::{Value, json};

/// What of a line is in its record besides the event, in the order of a record.
const OUTCOME: [&str; 6] = ["blocked_reason_code", "emits", "enforcements", "status", "token_consumed", "violations"];

/// The chain of one episode at its end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EpisodeChain {
    /// Episode of the run.
    pub episode: u64,
    /// Hash of the first record, empty before it.
    pub head_hash: String,
    /// Hash of the newest record, empty before the first.
    pub last_event_hash: String,
    /// Records in the chain [count].
    pub length: u64,
    /// Lines of the episode [count].
    pub lines: u64,
}

impl EpisodeChain {
    /// It as the proof of a bundle has it.
    #[must_use]
    pub fn report(&self) -> Value {
        json!({
            "episode": self.episode,
            "head_hash": self.head_hash,
            "last_event_hash": self.last_event_hash,
            "length": self.length,
            "lines": self.lines,
        })
    }
}

/// Recomputes the chains of a log that is shown to it line by line.
#[derive(Debug, Clone, Default)]
pub struct ChainCheck {
    done: Vec<EpisodeChain>,
    now: Option<EpisodeChain>,
    step: u64,
}

/// What a line says about itself, held against the line alone: all that does not depend on the lines before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnWords {
    /// What is wrong with the fields that repeat the event.
    repeats: Result<(), String>,
    /// The hash of event and outcome after the hash that the line says was before; none where it is not chained.
    hash: Option<Result<String, String>>,
}

impl OwnWords {
    /// Of a line; `None` of one that is not full.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        let event = entry.raw("event").filter(|_| entry.is_full())?;
        let hash = entry.text("chain_hash").map(|_| {
            let record = record(entry, event)?;
            Ok(record_hash(entry.any_text("prev_hash").unwrap_or_default(), &record))
        });
        Some(Self { repeats: repeats_its_event(entry, event), hash })
    }
}

impl ChainCheck {
    /// Takes in the next line.
    ///
    /// # Errors
    /// In words, what the line says otherwise than it is. The check can go on with the hashes that the line states.
    pub fn take(&mut self, entry: &Entry) -> Result<(), String> {
        self.take_with(entry, OwnWords::of(entry).as_ref())
    }

    /// The same with what somebody has found out of the line alone.
    ///
    /// # Errors
    /// As [`ChainCheck::take`].
    pub fn take_with(&mut self, entry: &Entry, own: Option<&OwnWords>) -> Result<(), String> {
        let Some(own) = own else {
            return Err("the line does not have its event and the hashes around it".to_owned());
        };
        let Some((episode, step)) = entry.moment() else { return Err("the line has no episode and step".to_owned()) };
        let same = self.now.as_ref().is_some_and(|now| now.episode == episode);
        if !same {
            if self.now.as_ref().is_some_and(|now| now.episode > episode) {
                return Err(format!("episode {episode} comes after a later one"));
            }
            self.done.extend(self.now.take());
            self.step = 0;
        }
        let now = self.now.get_or_insert_with(|| EpisodeChain { episode, ..EpisodeChain::default() });
        now.lines += 1;
        if step < self.step {
            return Err(format!("step {step} comes after step {}", self.step));
        }
        self.step = step;
        own.repeats.clone()?;
        link(now, entry, own)
    }

    /// The chains of all episodes so far.
    #[must_use]
    pub fn finish(mut self) -> Vec<EpisodeChain> {
        self.done.extend(self.now);
        self.done
    }
}

/// The fields that stand beside the event say the same as the event. Canonical texts are the same when values are.
fn repeats_its_event(entry: &Entry, event: &[u8]) -> Result<(), String> {
    let members = strict::member_ranges(event).ok().flatten().unwrap_or_default();
    let is_integer = |raw: &[u8]| std::str::from_utf8(raw).is_ok_and(|text| text.parse::<i64>().is_ok());
    let is_text = |raw: &[u8]| raw.starts_with(b"\"");
    let is_map = |raw: &[u8]| raw.starts_with(b"{");
    // What the value has to be in the event, and what stands beside an event that does not have that.
    let repeats = |key: &'static str, is_kind: &dyn Fn(&[u8]) -> bool, without: &[u8]| {
        let own = strict::member(&members, event, key).map(|member| member.value(event)).filter(|raw| is_kind(raw));
        let same = entry.raw(key) == Some(own.unwrap_or(without));
        if same { Ok(()) } else { Err(format!("{key} is not that of the event")) }
    };
    repeats("action_type", &is_text, b"\"\"")?;
    repeats("agent_id", &is_text, b"\"\"")?;
    repeats("args", &is_map, b"{}")?;
    repeats("event_id", &is_text, b"null")?;
    repeats("t_s", &is_integer, b"0")
}

fn link(now: &mut EpisodeChain, entry: &Entry, own: &OwnWords) -> Result<(), String> {
    let prev = entry.any_text("prev_hash").unwrap_or_default();
    if prev != now.last_event_hash {
        return Err(format!("prev_hash is {}, and the hash before is {}", short(prev), short(&now.last_event_hash)));
    }
    if let Some(hash) = &own.hash {
        let (hash, stated) = (hash.as_ref().map_err(Clone::clone)?, entry.any_text("chain_hash").unwrap_or_default());
        if hash != stated {
            return Err(format!("chain_hash is {}, and event and outcome have {}", short(stated), short(hash)));
        }
        if now.length == 0 {
            now.head_hash.clone_from(hash);
        }
        now.length += 1;
        now.last_event_hash.clone_from(hash);
    } else if entry.raw("chain_hash").is_some_and(|hash| hash != b"null") {
        return Err("chain_hash should be a hash, or null".to_owned());
    }
    let states = |raw: &[u8]| {
        let rest = raw.strip_prefix(b"{\"head_hash\":\"")?.strip_prefix(now.head_hash.as_bytes())?;
        let rest = rest.strip_prefix(b"\",\"last_event_hash\":\"")?.strip_prefix(now.last_event_hash.as_bytes())?;
        let length = rest.strip_prefix(b"\",\"length\":")?.strip_suffix(b"}")?;
        std::str::from_utf8(length).ok()?.parse().ok()
    };
    // The text is canonical, so the number has no other form.
    if entry.raw("hashchain").and_then(states) != Some(now.length) {
        return Err("hashchain is not what the records yield".to_owned());
    }
    if entry.any_text("hashchain_head") != Some(&now.last_event_hash) {
        return Err("hashchain_head is not the newest hash".to_owned());
    }
    Ok(())
}

/// What was hashed: `{"event": .., "outcome": ..}` in canonical JSON.
fn record(entry: &Entry, event: &[u8]) -> Result<Vec<u8>, String> {
    let mut record = Vec::with_capacity(event.len() + 512);
    record.extend_from_slice(b"{\"event\":");
    record.extend_from_slice(event);
    record.extend_from_slice(b",\"outcome\":{");
    for (index, key) in OUTCOME.into_iter().enumerate() {
        let Some(value) = entry.raw(key) else { return Err(format!("{key} is missing")) };
        record.extend_from_slice(if index > 0 { b",\"" } else { b"\"" });
        record.extend_from_slice(key.as_bytes());
        record.extend_from_slice(b"\":");
        record.extend_from_slice(value);
    }
    record.extend_from_slice(b"}}");
    Ok(record)
}

/// The beginning of a hash, for messages.
pub(crate) fn short(hash: &str) -> String {
    if hash.is_empty() { "empty".to_owned() } else { format!("{}...", hash.chars().take(16).collect::<String>()) }
}

//! Ground truth of one episode: what an attacker did, where it arrived, what it changed, and which control spoke.
//!
//! Defenders never see it: it is written by the actors and by the runner, beside the data, and read when the episode is
//! over.

use labtrust_plugin::Taint;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The actor made something.
    Attempt {
        /// In words of the catalogue: `forged_event`, `message`, `note`.
        channel: &'static str,
        /// What it is, for people.
        what: String,
    },
    /// It arrived where it was meant to: at the laboratory, at an agent, at a sensor's reader.
    Delivered,
    /// Somebody took it for true.
    Believed {
        /// Who.
        by: String,
    },
    /// It changed the state of something.
    Effect {
        /// Of what.
        entity: String,
    },
    /// A control spoke of it.
    Control {
        /// The reason code.
        code: String,
        /// Whom it names.
        blamed: Option<String>,
        /// Who it was.
        truth: String,
    },
    /// The actor's goal was reached.
    Goal,
}

/// An event, its step, and the mark of what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The step, from 0.
    pub step: u32,
    /// The mark.
    pub taint: Taint,
    /// What happened.
    pub event: Event,
}

/// The ledger of one actor in one episode.
#[derive(Clone, Debug)]
pub struct Ledger {
    seed: u64,
    id: &'static str,
    entries: Vec<Entry>,
    made: u32,
}

impl Ledger {
    /// An empty one. Marks begin at `first`, so that those of several actors are different.
    #[must_use]
    pub const fn new(seed: u64, id: &'static str, first: u32) -> Self {
        Self { seed, id, entries: Vec::new(), made: first }
    }

    /// Whose it is.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// Everything so far, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The actor makes something; its mark.
    pub fn attempt(&mut self, step: u32, channel: &'static str, what: impl Into<String>) -> Taint {
        let taint = Taint(self.made);
        self.made += 1;
        self.note(step, taint, Event::Attempt { channel, what: what.into() });
        taint
    }

    /// Something happened.
    pub fn note(&mut self, step: u32, taint: Taint, event: Event) {
        self.entries.push(Entry { step, taint, event });
    }

    /// Whether the mark was made here.
    #[must_use]
    pub fn knows(&self, taint: Taint) -> bool {
        self.entries.iter().any(|entry| entry.taint == taint)
    }

    /// The id of a mark: SHA-256 of seed, injection and number, the first 16 hexadecimal digits of it.
    #[must_use]
    pub fn taint_id(&self, taint: Taint) -> String {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(self.id.as_bytes());
        hash.update(taint.0.to_le_bytes());
        hash.finalize().iter().take(8).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The ledger as records, one for each entry.
    #[must_use]
    pub fn records(&self) -> Vec<Value> {
        self.entries.iter().map(|entry| self.record(entry)).collect()
    }

    fn record(&self, entry: &Entry) -> Value {
        let mut record = Map::new();
        let mut put = |key: &str, value: Value| drop(record.insert(key.to_owned(), value));
        put("injection_id", self.id.into());
        put("step", entry.step.into());
        put("taint_id", self.taint_id(entry.taint).into());
        let name = match &entry.event {
            Event::Attempt { channel, what } => {
                put("channel", (*channel).into());
                put("what", what.as_str().into());
                "attempt"
            }
            Event::Delivered => "delivered",
            Event::Believed { by } => {
                put("by", by.as_str().into());
                "believed"
            }
            Event::Effect { entity } => {
                put("entity", entity.as_str().into());
                "effect"
            }
            Event::Control { code, blamed, truth } => {
                put("reason_code", code.as_str().into());
                put("blamed", json!(blamed));
                put("source", truth.as_str().into());
                "control"
            }
            Event::Goal => "goal",
        };
        put("event", name.into());
        Value::Object(record)
    }
}

/// A ledger that an injector and its tap on the network share.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Mutex<Ledger>>);

impl Shared {
    /// Around an empty one.
    #[must_use]
    pub fn new(ledger: Ledger) -> Self {
        Self(Arc::new(Mutex::new(ledger)))
    }

    /// To read it and to write into it. An episode runs on one thread: nobody waits.
    pub fn open(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_a_function_of_seed_injection_and_number() {
        let ledger = |seed, id| Ledger::new(seed, id, 0).taint_id(Taint(3));
        assert_eq!(ledger(7, "INJ-A"), ledger(7, "INJ-A"));
        assert_ne!(ledger(7, "INJ-A"), ledger(8, "INJ-A"));
        assert_ne!(ledger(7, "INJ-A"), ledger(7, "INJ-B"));
        assert_eq!(ledger(7, "INJ-A").len(), 16);
    }

    #[test]
    fn records_tell_everything() {
        let mut ledger = Ledger::new(1, "INJ-A", 5);
        let taint = ledger.attempt(2, "message", "a bid of 0 s");
        ledger.note(2, taint, Event::Control { code: "SIG_INVALID".to_owned(), blamed: None, truth: "A_1".to_owned() });
        ledger.note(3, taint, Event::Effect { entity: "S_1".to_owned() });
        assert_eq!(taint, Taint(5));
        let records = ledger.records();
        assert_eq!(
            records.iter().map(|r| r["event"].as_str().unwrap()).collect::<Vec<_>>(),
            ["attempt", "control", "effect"]
        );
        assert!(records.iter().all(|r| r["taint_id"] == records[0]["taint_id"] && r["injection_id"] == "INJ-A"));
        assert_eq!((&records[1]["reason_code"], &records[1]["source"]), (&json!("SIG_INVALID"), &json!("A_1")));
    }
}

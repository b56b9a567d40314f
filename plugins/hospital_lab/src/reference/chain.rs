//! The chain of the reference: each hash covers the hash before it and the event, and nothing of the outcome.

use super::value::{at, given};
use labtrust_contract::HashChain;
use labtrust_trust::canonical;
use labtrust_trust::chain::record_hash;
use serde_json::{Map, Value};

/// The hashes so far.
#[derive(Debug, Default)]
pub(super) struct Chain {
    values: HashChain,
    /// Events of this id are hashed after a wrong previous hash.
    break_at: Option<String>,
}

impl Chain {
    pub(super) fn new(initial: &Map<String, Value>) -> Self {
        let fault = at(initial, "audit_fault_injection").as_object();
        let break_at = fault.and_then(|fault| given(at(fault, "break_hash_prev_on_event_id")));
        Self { break_at, ..Self::default() }
    }

    /// Appends an event; `true` when a broken link was injected.
    pub(super) fn append(&mut self, event: &Map<String, Value>, event_id: Option<&str>) -> bool {
        let mut bytes = Vec::new();
        canonical::write_map(&mut bytes, event).expect("numbers of a JSON value are finite");
        let broken = self.break_at.is_some() && self.break_at.as_deref() == event_id;
        let previous = if broken { "broken" } else { self.values.last_event_hash.as_str() };
        self.values.last_event_hash = record_hash(previous, &bytes);
        if self.values.length == 0 {
            self.values.head_hash.clone_from(&self.values.last_event_hash);
        }
        self.values.length += 1;
        broken
    }

    /// The values that a step reports.
    pub(super) fn values(&self) -> &HashChain {
        &self.values
    }
}

//! The record of everything that the world has told, in a chain of hashes.

use crate::hash::{h16, sha256_hex};
use labtrust_trust::canonical::{CanonicalError, to_canonical_vec};
use serde::Serialize;
use serde_json::{Value, json};

/// Largest payload that is kept as it is [B of canonical JSON].
const SMALL_BYTES: usize = 512;

/// One fact as it was told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlackboardEvent {
    /// Its number, from 0.
    pub id: u64,
    /// When it was so [step].
    pub t_event: u64,
    /// When it was told [step].
    pub t_emit: u64,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// First 16 hex digits of the SHA-256 of the payload's canonical JSON.
    pub payload_hash: String,
    /// The payload, or `{_h, _len}` where it is larger than 512 bytes.
    pub payload_small: Value,
}

/// An append-only log of facts. Its head hash tells two histories apart.
#[derive(Clone, Debug, Default)]
pub struct Blackboard {
    events: Vec<BlackboardEvent>,
    head: String,
}

impl Blackboard {
    /// Writes a fact down.
    ///
    /// # Errors
    /// [`CanonicalError`] for numbers without canonical text; nothing is written.
    pub fn post(
        &mut self,
        t_event: u64,
        t_emit: u64,
        kind: &str,
        payload: Value,
    ) -> Result<&BlackboardEvent, CanonicalError> {
        let payload_hash = h16(&payload)?;
        let length = to_canonical_vec(&payload)?.len();
        let payload_small = if length <= SMALL_BYTES { payload } else { json!({"_h": payload_hash, "_len": length}) };
        let id = self.events.len() as u64;
        let mut head = sha256_hex(format!("{}|{id}:{payload_hash}", self.head).as_bytes());
        head.truncate(24);
        self.head = head;
        self.events.push(BlackboardEvent { id, t_event, t_emit, kind: kind.to_owned(), payload_hash, payload_small });
        Ok(&self.events[self.events.len() - 1])
    }

    /// First 24 hex digits of the SHA-256 of `<previous head>|<id>:<payload_hash>`; empty before the first event.
    #[must_use]
    pub fn head_hash(&self) -> &str {
        &self.head
    }

    /// Everything that was told, in order.
    #[must_use]
    pub fn events(&self) -> &[BlackboardEvent] {
        &self.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_hashes_and_head_are_the_published_ones() {
        let mut board = Blackboard::default();
        assert_eq!(board.head_hash(), "");
        let head = board.post(0, 0, "QUEUE_HEAD", json!({"device_id": "D1", "queue_head_work_id": null})).unwrap();
        assert_eq!(head.payload_hash, "9c3a67d949c9d033");
        let zone = board.post(0, 0, "AGENT_ZONE", json!({"agent_id": "a", "zone_id": "Z"})).unwrap();
        assert_eq!(zone.payload_hash, "18bc3cd5d7238f67");
        assert_eq!(board.head_hash(), "1f32616a96e99d5ed4e7f7b8");
    }

    #[test]
    fn a_large_payload_is_kept_as_hash_and_length() {
        let mut board = Blackboard::default();
        let fits = json!({"x": "a".repeat(512 - 8)});
        assert_eq!(board.post(1, 2, "T", fits.clone()).unwrap().payload_small, fits);
        let large = json!({"x": "a".repeat(512 - 7)});
        let event = board.post(1, 2, "T", large.clone()).unwrap();
        assert_eq!(event.payload_small, json!({"_h": h16(&large).unwrap(), "_len": 513}));
    }
}

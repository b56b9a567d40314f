//! The audit chain: each record's hash covers the hash before it, so that no record can be changed, dropped or put in
//! without every later hash changing.
//!
//! `hash = SHA-256(previous hash as lower-case hex text || record)`, with the empty text before the first record. What
//! a record holds (event and outcome, accepted and refused alike) is the pipeline's choice: `docs/adr/0006-audit-chain.md`.

use crate::canonical::{hex_of, hex_text};
use sha2::{Digest, Sha256};

/// A SHA-256 as lower-case hex text, or nothing before the first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hex {
    text: [u8; 64],
    len: u8,
}

impl Hex {
    const EMPTY: Self = Self { text: [0; 64], len: 0 };

    fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("hex digits are ASCII")
    }
}

/// A record could not be linked: the chain is broken and takes nothing more until it is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit chain is broken at record {length}")]
pub struct ChainBroken {
    /// Records in the chain [count].
    pub length: u64,
}

/// The hash chain of one episode. It keeps hashes only; the records are in the log.
#[derive(Clone, Debug)]
pub struct AuditChain {
    head: Hex,
    prev: Hex,
    last: Hex,
    len: u64,
    broken: bool,
}

impl Default for AuditChain {
    fn default() -> Self {
        Self { head: Hex::EMPTY, prev: Hex::EMPTY, last: Hex::EMPTY, len: 0, broken: false }
    }
}

impl AuditChain {
    /// Appends a record (canonical bytes).
    ///
    /// # Errors
    /// [`ChainBroken`] when the chain is broken; it is unchanged.
    pub fn append(&mut self, record: &[u8]) -> Result<(), ChainBroken> {
        if self.broken {
            return Err(ChainBroken { length: self.len });
        }
        self.link(record);
        Ok(())
    }

    /// Appends a record whose writer says which hash it follows.
    ///
    /// # Errors
    /// [`ChainBroken`] when `presented_prev` is not the newest hash, or the chain was broken before. The record is not
    /// in the chain, and the chain is broken from then on.
    pub fn append_linked(&mut self, presented_prev: &str, record: &[u8]) -> Result<(), ChainBroken> {
        if presented_prev.as_bytes() != self.last.as_bytes() {
            self.broken = true;
        }
        self.append(record)
    }

    /// Closes the investigation of a break: the chain takes records again, and its first new record is the one that
    /// says who released it and why. The break stays visible, because that record is part of the chain.
    pub fn restore_after_investigation(&mut self, record: &[u8]) {
        self.broken = false;
        self.link(record);
    }

    fn link(&mut self, record: &[u8]) {
        let mut hasher = Sha256::new();
        hasher.update(self.last.as_bytes());
        hasher.update(record);
        self.prev = self.last;
        self.last = Hex { text: hex_of(&hasher.finalize().into()), len: 64 };
        if self.len == 0 {
            self.head = self.last;
        }
        self.len += 1;
    }

    /// Hash of the first record, empty before it (the reference's name for it).
    #[must_use]
    pub fn head_hash(&self) -> &str {
        self.head.as_str()
    }

    /// Hash of the newest record, empty before the first.
    #[must_use]
    pub fn last_hash(&self) -> &str {
        self.last.as_str()
    }

    /// Hash before the newest record, empty before the second.
    #[must_use]
    pub fn prev_hash(&self) -> &str {
        self.prev.as_str()
    }

    /// Records in the chain [count].
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether no record is in the chain.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a record could not be linked and nobody has released the chain since.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Marks the chain as broken by an outside finding (a fault-injection scenario, a failed write).
    pub fn mark_broken(&mut self) {
        self.broken = true;
    }

    /// The values a step reports.
    #[must_use]
    pub fn report(&self) -> labtrust_contract::HashChain {
        labtrust_contract::HashChain {
            head_hash: self.head_hash().to_owned(),
            last_event_hash: self.last_hash().to_owned(),
            length: self.len,
        }
    }
}

/// The hash of `record` after `prev_hash`: what a verifier recomputes from a log.
#[must_use]
pub fn record_hash(prev_hash: &str, record: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(prev_hash.as_bytes());
    hasher.update(record);
    hex_text(&hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::to_canonical_vec;
    use proptest::prelude::*;
    use serde_json::json;

    const FIRST: &str = "c94a6d931a4eee3c7fe4f67c4e7477b6bab55a8993fd707c0a2a223c1a4171b2";
    const SECOND: &str = "67d3e317d1a313467ba75d3972aa4bd8cc6af7ccddbbbcb899fdd9e3ea9bc076";

    fn event(id: &str, t_s: i64, action: &str) -> Vec<u8> {
        to_canonical_vec(&json!({
            "event_id": id, "t_s": t_s, "agent_id": "A_RECEPTION", "action_type": action,
            "args": {"specimen_id": "S1"}, "reason_code": null, "token_refs": [],
        }))
        .unwrap()
    }

    #[test]
    fn event_only_records_have_the_published_hashes() {
        let mut chain = AuditChain::default();
        assert_eq!((chain.head_hash(), chain.last_hash(), chain.len()), ("", "", 0));
        chain.append(&event("e1", 600, "CREATE_ACCESSION")).unwrap();
        assert_eq!((chain.prev_hash(), chain.last_hash()), ("", FIRST));
        chain.append(&event("e2", 610, "ACCEPT_SPECIMEN")).unwrap();
        assert_eq!((chain.head_hash(), chain.prev_hash(), chain.last_hash()), (FIRST, FIRST, SECOND));
        assert_eq!(chain.len(), 2);
        // The reference's injected break: the text `broken` in place of the previous hash.
        assert_eq!(
            record_hash("broken", &event("e2", 610, "ACCEPT_SPECIMEN")),
            "ce271d7a2df0e13270fd917db95b0fb64e3b23c30d4846d274056a19930d445a"
        );
    }

    #[test]
    fn a_record_that_follows_another_hash_is_refused_and_nothing_changes_but_the_broken_mark() {
        let mut chain = AuditChain::default();
        chain.append_linked("", b"one").unwrap();
        let before = (chain.last_hash().to_owned(), chain.len());
        assert_eq!(chain.append_linked("broken", b"two"), Err(ChainBroken { length: 1 }));
        assert!(chain.is_broken());
        assert_eq!((chain.last_hash().to_owned(), chain.len()), before);
        let last = chain.last_hash().to_owned();
        assert!(chain.append_linked(&last, b"two").is_err(), "a broken chain takes nothing, however well it is linked");
        assert!(chain.append(b"two").is_err());
    }

    #[test]
    fn a_released_chain_goes_on_from_where_it_broke_and_the_release_is_in_it() {
        let mut chain = AuditChain::default();
        chain.append(b"one").unwrap();
        let last = chain.last_hash().to_owned();
        chain.append_linked("x", b"two").unwrap_err();
        chain.restore_after_investigation(b"released by SYSTEM");
        assert!(!chain.is_broken());
        assert_eq!(chain.last_hash(), record_hash(&last, b"released by SYSTEM"));
        chain.append(b"two").unwrap();
        assert_eq!(chain.len(), 3);
    }

    fn hashes(records: &[Vec<u8>]) -> Vec<String> {
        let mut chain = AuditChain::default();
        records
            .iter()
            .map(|record| {
                chain.append(record).unwrap();
                chain.last_hash().to_owned()
            })
            .collect()
    }

    proptest! {
        #[test]
        fn changing_one_record_changes_every_hash_from_there_on_and_none_before(
            records in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..20),
            at in any::<proptest::sample::Index>(),
        ) {
            let at = at.index(records.len());
            let mut forged = records.clone();
            forged[at].push(b'!');
            let (honest, forged) = (hashes(&records), hashes(&forged));
            prop_assert_eq!(&honest[..at], &forged[..at]);
            prop_assert!(honest[at..].iter().zip(&forged[at..]).all(|(a, b)| a != b));
        }

        #[test]
        fn the_chain_is_what_a_verifier_recomputes_record_by_record(
            records in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20),
        ) {
            let mut prev = String::new();
            for (record, hash) in records.iter().zip(hashes(&records)) {
                prop_assert_eq!(&record_hash(&prev, record), &hash);
                prev = hash;
            }
        }
    }
}

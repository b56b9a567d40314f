//! The memory that agents share, and what may be written into it and read out of it.
//!
//! A write has to fit the policy's shape, has to be signed, and may give no orders in any of its texts. The signature
//! binds writer, number, epoch, life time and the SHA-256 of the whole entry, so that a sealed write can be neither
//! changed, nor kept for longer, nor sent twice, nor kept for another epoch. A number is used up only by a write that is
//! accepted: who guesses numbers cannot lock a writer out.
//!
//! Reading drops what has expired and looks at every text again, by the policy of today. It answers to roles that may
//! read, and only what fits the query. What an answer says all together is looked at like one text, so that harmless
//! parts of an order are not handed out side by side. Without a usable policy nothing is written and nothing is read.
//!
//! Each of the [`MemoryControl`]s can be switched off by its name, alone, to see what it is worth.

mod control;
mod policy;

pub use control::{MemoryControl, MemoryControls};
pub use policy::{MemoryPolicy, MemoryWriters, TtlBounds};

use crate::detect::Detector;
use crate::normalize::folded;
use crate::pi_defense::texts;
use labtrust_kernel::Symbols;
use labtrust_policy::PolicyStore;
use labtrust_trust::canonical::{self, CanonicalError};
use labtrust_trust::codes;
use labtrust_trust::keys::{KeyRegistry, Signer};
use regex::RegexSet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Where the policy stands.
pub const MEMORY_FILE: &str = "memory_policy.v0.1.yaml";

/// A write without a good signature.
pub const MEM_WRITE_UNAUTHENTICATED: &str = "MEM_WRITE_UNAUTHENTICATED";
/// An entry that the policy does not allow.
pub const MEM_WRITE_SCHEMA_FAIL: &str = "MEM_WRITE_SCHEMA_FAIL";
/// An entry that gives orders.
pub const MEM_POISON_DETECTED: &str = "MEM_POISON_DETECTED";
/// Entries were left out.
pub const MEM_RETRIEVAL_FILTERED: &str = "MEM_RETRIEVAL_FILTERED";

/// What a writer signs, and the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Whose key it is.
    pub key_id: String,
    /// Who writes.
    pub writer: String,
    /// A number that this writer has not used yet; each is greater than the one before.
    pub nonce: u64,
    /// The epoch of the memory: an episode, a shift.
    pub epoch: u64,
    /// How long the entry may be kept [s].
    pub ttl_s: u64,
    /// SHA-256 of the canonical JSON of the entry, in hexadecimal.
    pub payload_hash: String,
    /// Ed25519 over the canonical JSON of the fields above and the type `MEM_PUT`, in base64.
    pub signature: String,
}

impl Seal {
    /// Seals an entry.
    ///
    /// # Errors
    /// A number in the entry that has no canonical text.
    pub fn sign(
        signer: &Signer,
        key_id: &str,
        writer: &str,
        nonce: u64,
        epoch: u64,
        ttl_s: u64,
        entry: &Map<String, Value>,
    ) -> Result<Self, CanonicalError> {
        let mut seal = Self {
            key_id: key_id.to_owned(),
            writer: writer.to_owned(),
            nonce,
            epoch,
            ttl_s,
            payload_hash: canonical::fingerprint(&Value::Object(entry.clone()))?,
            signature: String::new(),
        };
        seal.signature = signer.sign_b64(&seal.signed_bytes()?);
        Ok(seal)
    }

    fn signed_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical::to_canonical_vec(&json!({
            "message_type": "MEM_PUT", "key_id": self.key_id, "writer": self.writer, "nonce": self.nonce, "epoch": self.epoch,
            "ttl_s": self.ttl_s, "payload_hash": self.payload_hash,
        }))
    }
}

/// Why a write was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryRefusal {
    /// The reason code.
    pub code: &'static str,
    /// What was wrong, for people; without the text of the entry.
    pub message: String,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recall {
    /// The entries that fit, oldest first, without fields that begin with `_`.
    pub entries: Vec<Map<String, Value>>,
    /// How many would have fitted and were left out for what they say [count].
    pub removed: usize,
    /// [`MEM_RETRIEVAL_FILTERED`] when there were such; [`codes::ADV_POLICY_UNAVAILABLE`] without a policy.
    pub reason_code: Option<&'static str>,
}

impl Recall {
    fn filtered(&mut self, entries: usize) {
        self.removed += entries;
        self.reason_code = Some(MEM_RETRIEVAL_FILTERED);
    }
}

#[derive(Clone, Debug)]
struct Kept {
    entry: Map<String, Value>,
    /// First second at which it is gone [s].
    until_s: u64,
}

/// A memory. A clone is another memory with the same content.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    policy: Option<MemoryPolicy>,
    patterns: RegexSet,
    broken: Option<String>,
    detector: Detector,
    keys: KeyRegistry,
    symbols: Symbols,
    controls: MemoryControls,
    epoch: u64,
    /// Greatest number that was accepted, by writer.
    nonces: BTreeMap<String, u64>,
    kept: Vec<Kept>,
}

impl MemoryStore {
    /// An empty memory. `symbols` are those that `keys` were compiled with.
    #[must_use]
    pub fn new(policy: MemoryPolicy, detector: Detector, keys: KeyRegistry, symbols: Symbols) -> Self {
        let broken = policy.problem();
        let patterns = policy.patterns().unwrap_or_default();
        let policy = broken.is_none().then_some(policy);
        let controls = MemoryControls::default();
        let (nonces, kept) = (BTreeMap::new(), Vec::new());
        Self { policy, patterns, broken, detector, keys, symbols, controls, epoch: 0, nonces, kept }
    }

    /// The same with these controls; all of them are on unless somebody says otherwise.
    #[must_use]
    pub const fn with_controls(mut self, controls: MemoryControls) -> Self {
        self.controls = controls;
        self
    }

    /// The policy, where there is one that can be used.
    #[must_use]
    pub const fn policy(&self) -> Option<&MemoryPolicy> {
        self.policy.as_ref()
    }

    /// An empty memory by the policy of `store`, or one that is closed. [`MemoryStore::broken`] says which it is.
    #[must_use]
    pub fn load(store: &PolicyStore, keys: KeyRegistry, symbols: Symbols) -> Self {
        let detector = Detector::load(store);
        let closed = |why: String| Self {
            broken: Some(why),
            policy: None,
            ..Self::new(MemoryPolicy::default(), Detector::closed(""), KeyRegistry::default(), Symbols::default())
        };
        match store.section_or_builtin(MEMORY_FILE, Some("memory_policy")) {
            Ok(policy) => Self::new(policy, detector, keys, symbols),
            Err(error) => closed(error.to_string()),
        }
    }

    /// Why nothing is written and read; `None` when it works.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Begins an epoch. Numbers begin anew; entries stay until they expire.
    pub fn begin_epoch(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.nonces.clear();
    }

    /// How many entries are kept, expired ones included [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Writes an entry at `now_s`.
    ///
    /// # Errors
    /// A refusal, and nothing has changed: [`codes::ADV_POLICY_UNAVAILABLE`], [`MEM_WRITE_SCHEMA_FAIL`],
    /// [`MEM_WRITE_UNAUTHENTICATED`], [`codes::MEM_WRITE_REPLAYED`], [`MEM_POISON_DETECTED`].
    pub fn put(
        &mut self,
        entry: &Map<String, Value>,
        ttl_s: u64,
        now_s: u64,
        seal: Option<&Seal>,
    ) -> Result<(), MemoryRefusal> {
        let refused = |code, message: &str| Err(MemoryRefusal { code, message: message.to_owned() });
        let Some(policy) = &self.policy else {
            return refused(codes::ADV_POLICY_UNAVAILABLE, "there is no usable memory policy");
        };
        let on = |control| self.controls.is_on(control);
        if on(MemoryControl::Schema) {
            policy.fits(entry, ttl_s).map_err(|message| MemoryRefusal { code: MEM_WRITE_SCHEMA_FAIL, message })?;
        }
        if policy.require_authenticated_writes {
            if on(MemoryControl::Seal) {
                let Some(seal) = seal else { return refused(MEM_WRITE_UNAUTHENTICATED, "the write is not signed") };
                self.authentic(policy, entry, ttl_s, now_s, seal)?;
            }
            let used = |seal: &Seal| self.nonces.get(&seal.writer).is_some_and(|last| seal.nonce <= *last);
            if on(MemoryControl::Replay) && seal.is_some_and(used) {
                return refused(codes::MEM_WRITE_REPLAYED, "the number of the write was used before");
            }
        }
        if on(MemoryControl::Poison) && self.is_poison(policy, entry) {
            return refused(MEM_POISON_DETECTED, "a text of the entry gives orders");
        }
        let most = policy.max_entries;
        self.kept.retain(|kept| kept.until_s > now_s);
        if self.kept.len() >= most {
            return refused(MEM_WRITE_SCHEMA_FAIL, "the memory is full");
        }
        if let Some(seal) = seal {
            self.nonces.insert(seal.writer.clone(), seal.nonce);
        }
        self.kept.push(Kept { entry: entry.clone(), until_s: now_s.saturating_add(ttl_s) });
        Ok(())
    }

    fn authentic(
        &self,
        policy: &MemoryPolicy,
        entry: &Map<String, Value>,
        ttl_s: u64,
        now_s: u64,
        seal: &Seal,
    ) -> Result<(), MemoryRefusal> {
        let refused =
            |message: &str| Err(MemoryRefusal { code: MEM_WRITE_UNAUTHENTICATED, message: message.to_owned() });
        let hash = canonical::fingerprint(&Value::Object(entry.clone()));
        if seal.ttl_s != ttl_s || seal.epoch != self.epoch || hash.ok().as_ref() != Some(&seal.payload_hash) {
            return refused("what was signed is not what is written");
        }
        let (Ok(bytes), Ok(now)) = (seal.signed_bytes(), i64::try_from(now_s)) else {
            return refused("what was signed has no canonical text");
        };
        let (Some(key), Some(writer)) = (self.symbols.get(&seal.key_id), self.symbols.get(&seal.writer)) else {
            return refused("nobody knows the writer or the key");
        };
        let verdict = self.keys.verify(key, &seal.signature, writer, now, &bytes);
        if !verdict.passed {
            return refused(verdict.reason.unwrap_or("the signature is wrong"));
        }
        let role = verdict.key_role.map(|role| self.symbols.text(role));
        if !policy.writers.admit(&seal.writer, role) {
            return refused("the writer may not write here");
        }
        Ok(())
    }

    /// Whether any of these texts gives orders, or all of them together.
    fn gives_orders(&self, policy: &MemoryPolicy, all: &[String]) -> bool {
        if all.iter().any(|text| self.patterns.is_match(&folded(text)))
            || self.patterns.is_match(&folded(&all.join(" ")))
        {
            return true;
        }
        let found = self.detector.scan(all);
        found.severity > 0 && found.severity >= policy.poison_severity_threshold
    }

    /// Whether an entry gives orders anywhere.
    fn is_poison(&self, policy: &MemoryPolicy, entry: &Map<String, Value>) -> bool {
        let mut all = Vec::new();
        texts(&Value::Object(entry.clone()), &mut |text| all.push(text.to_owned()));
        self.gives_orders(policy, &all)
    }

    /// Whether what stands in one field of several entries gives orders when it is read in a row.
    fn is_poison_in_a_row(&self, policy: &MemoryPolicy, entries: &[Map<String, Value>]) -> bool {
        let fields: BTreeSet<&String> = entries.iter().flat_map(Map::keys).collect();
        fields.into_iter().any(|field| {
            let mut row = Vec::new();
            for value in entries.iter().filter_map(|entry| entry.get(field)) {
                texts(value, &mut |text| row.push(text.to_owned()));
            }
            self.gives_orders(policy, &row)
        })
    }

    /// Reads what `role` may read at `now_s` and what has all words of `query`; an empty query fits everything.
    #[must_use]
    pub fn get(&self, query: &str, role: Option<&str>, now_s: u64) -> Recall {
        let Some(policy) = &self.policy else {
            return Recall { reason_code: Some(codes::ADV_POLICY_UNAVAILABLE), ..Recall::default() };
        };
        if !role.is_some_and(|role| policy.reader_roles.iter().any(|reader| reader == role)) {
            return Recall::default();
        }
        let query = folded(query);
        let filters = policy.filter_on_retrieval && self.controls.is_on(MemoryControl::ReadFilter);
        let mut recall = Recall::default();
        for kept in self.kept.iter().filter(|kept| kept.until_s > now_s) {
            let entry: Map<String, Value> = kept
                .entry
                .iter()
                .filter(|(key, _)| !key.starts_with('_'))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            let mut said = String::new();
            texts(&Value::Object(entry.clone()), &mut |text| {
                said.push_str(text);
                said.push(' ');
            });
            let said = folded(&said);
            if !query.split(' ').all(|word| said.contains(word)) {
                continue;
            }
            if filters && self.is_poison(policy, &kept.entry) {
                recall.filtered(1);
            } else if recall.entries.len() < policy.max_retrieved {
                recall.entries.push(entry);
            }
        }
        if filters && recall.entries.len() > 1 && self.is_poison_in_a_row(policy, &recall.entries) {
            self.take_apart(policy, &mut recall);
        }
        recall
    }

    /// Leaves out the entries that give orders together with those before them.
    fn take_apart(&self, policy: &MemoryPolicy, recall: &mut Recall) {
        let mut harmless: Vec<Map<String, Value>> = Vec::with_capacity(recall.entries.len());
        for entry in std::mem::take(&mut recall.entries) {
            harmless.push(entry);
            if self.is_poison_in_a_row(policy, &harmless) {
                harmless.pop();
                recall.filtered(1);
            }
        }
        recall.entries = harmless;
    }
}

#[cfg(test)]
mod tests;

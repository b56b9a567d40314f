//! Everything in a bundle that follows from its log: one pass that the exporter writes down and the verifier compares.

use crate::chain::{ChainCheck, EpisodeChain};
use crate::digest::sha256;
use crate::entry::Entry;
use crate::lines::Line;
use crate::merkle::{Hash, Tree};
use crate::receipts::{ReceiptMaker, Receipts, Rules};
use labtrust_trust::canonical::{self, to_canonical_vec};
use serde_json::{Map, Value, json};

/// What the chain of a log came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainFinding {
    /// Every hash was recomputed.
    Recomputed(Vec<EpisodeChain>),
    /// The log does not have its events, so no hash can be.
    NoEvents,
    /// A line does not follow: its place, from 0, and why.
    Broken(u64, String),
}

/// What follows from a log.
#[derive(Debug)]
pub struct Derived {
    /// The receipts, without signatures.
    pub receipts: Receipts,
    /// `hashchain_proof.json`.
    pub proof: Value,
    /// Digest over the hashes of proposals, where the log has such.
    pub audit_digest: Option<String>,
    /// The chain.
    pub chain: ChainFinding,
    /// Lines [count].
    pub lines: u64,
    /// RFC 6962 tree over the lines.
    pub tree: Tree,
    /// The first line, where there is one.
    pub first: Option<Map<String, Value>>,
    /// Origin of a checkpoint of this log, without the name of the key.
    pub log_id: String,
    /// Lines that are about work: accepted steps that are neither ticks nor moves [count].
    pub work: u64,
}

/// Makes what follows from a log, line by line.
#[derive(Debug)]
pub struct Deriver {
    rules: Rules,
    receipts: ReceiptMaker,
    chain: ChainCheck,
    full: Option<bool>,
    broken: Option<(u64, String)>,
    /// Chain values of the last line that has some, as text, and whether it froze the log.
    last_chain: Option<(Vec<u8>, bool)>,
    audit: Vec<(i64, String, String)>,
    lines: u64,
    tree: Tree,
    first: Option<Map<String, Value>>,
    log_id: String,
    work: u64,
}

impl Deriver {
    /// For a log of which nothing is known yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            receipts: ReceiptMaker::new(rules),
            chain: ChainCheck::default(),
            full: None,
            broken: None,
            last_chain: None,
            audit: Vec::new(),
            lines: 0,
            tree: Tree::default(),
            first: None,
            log_id: "empty".to_owned(),
            work: 0,
        }
    }

    /// Takes in the next line. What it adds to the trace of invariants and to the list of enforcements is appended to
    /// these.
    pub fn take(&mut self, line: &Line, trace: &mut Vec<u8>, enforcements: &mut Vec<u8>) {
        let entry = &line.entry;
        let index = self.lines;
        if index == 0 {
            self.first = Some(entry.map().clone());
            self.log_id = sha256(entry.bytes())[..16].to_owned();
            self.full = Some(entry.is_full());
        }
        self.lines += 1;
        self.tree.push_hash(line.leaf);
        self.work += u64::from(entry.accepted() && !matches!(entry.action(), "TICK" | "NOOP" | "MOVE" | ""));
        if self.full == Some(true)
            && let Err(problem) = self.chain.take_with(entry, line.own.as_ref())
            && self.broken.is_none()
        {
            self.broken = Some((index, problem));
        }
        if let Some(chain) = entry.raw_chain() {
            let (last, frozen) = self.last_chain.get_or_insert_default();
            last.clear();
            last.extend_from_slice(chain);
            *frozen = entry.emits("FORENSIC_FREEZE");
        }
        self.receipts.take(entry);
        self.take_audit(entry);
        if let Some(violations) = entry.raw("violations").filter(|raw| raw.starts_with(b"[") && *raw != b"[]") {
            trace.extend_from_slice(b"{\"step_index\":");
            canonical::write_u64(trace, index);
            trace.extend_from_slice(b",\"t_s\":");
            trace.extend_from_slice(entry.raw("t_s").unwrap_or(b"null"));
            trace.extend_from_slice(b",\"violations\":");
            trace.extend_from_slice(violations);
            trace.extend_from_slice(b"}\n");
        }
        for enforcement in entry.list("enforcements").filter_map(Value::as_object) {
            let mut row = enforcement.clone();
            row.insert("step_index".to_owned(), json!(index));
            row.insert("t_s".to_owned(), json!(entry.get("t_s")));
            append_line(enforcements, &Value::Object(row));
        }
    }

    /// Lines so far [count].
    #[must_use]
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Root over the lines so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    fn take_audit(&mut self, entry: &Entry) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        if entry.text("log_type") == Some("LLM_COORD_AUDIT_DIGEST") {
            for step in entry.list("steps") {
                let id = step.get("step_id").and_then(whole);
                if let (Some(id), Some(proposal)) = (id, text(step.get("proposal_hash"))) {
                    self.audit.push((id, proposal, text(step.get("shield_outcome_hash")).unwrap_or_default()));
                }
            }
            return;
        }
        let hashes = (text(entry.get("proposal_hash")), text(entry.get("shield_outcome_hash")));
        if let (Some(proposal), Some(shield)) = hashes {
            let id = entry.get("step_id").and_then(whole).unwrap_or_else(|| entry.t_s());
            self.audit.push((id, proposal, shield));
        }
    }

    /// What follows from the whole log.
    #[must_use]
    pub fn finish(mut self, policy_root_hash: Option<&str>) -> Derived {
        self.audit.sort();
        let item = |(id, proposal, shield): &(i64, String, String)| json!({ "step_id": id, "proposal_hash": proposal, "shield_outcome_hash": shield });
        let audit: Vec<Value> = self.audit.iter().map(item).collect();
        let audit_digest =
            (!audit.is_empty()).then(|| canonical::fingerprint(&Value::Array(audit)).unwrap_or_default());
        let episodes = self.chain.finish();
        let mut proof = proof(self.last_chain.as_ref().map(|(raw, frozen)| (raw.as_slice(), *frozen)), self.lines);
        let chain = match (self.full, self.broken) {
            (Some(true), None) | (None, _) => ChainFinding::Recomputed(episodes),
            (Some(true), Some((line, problem))) => ChainFinding::Broken(line, problem),
            (Some(false), _) => ChainFinding::NoEvents,
        };
        if let (Rules::Corrected, ChainFinding::Recomputed(episodes)) = (self.rules, &chain) {
            proof["chain_length"] = json!(episodes.iter().map(|episode| episode.length).sum::<u64>());
            proof["episodes"] = episodes.iter().map(EpisodeChain::report).collect();
        }
        Derived {
            receipts: self.receipts.finish(policy_root_hash),
            proof,
            audit_digest,
            chain,
            lines: self.lines,
            tree: self.tree,
            first: self.first,
            log_id: self.log_id,
            work: self.work,
        }
    }
}

/// Chain values of the last line that has some. The length is that of the log, as the reference has it.
fn proof(last: Option<(&[u8], bool)>, lines: u64) -> Value {
    let chain: Value = last.and_then(|(raw, _)| serde_json::from_slice(raw).ok()).unwrap_or_default();
    let hash = |key: &str| chain.get(key).and_then(Value::as_str).unwrap_or_default();
    let broken = last.is_some_and(|(_, frozen)| frozen);
    json!({
        "head_hash": hash("head_hash"),
        "last_event_hash": hash("last_event_hash"),
        "length": lines,
        "break_status": if broken { "broken" } else { "intact" },
    })
}

/// A whole number, also as text.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Appends a value as a line.
pub(crate) fn append_line(out: &mut Vec<u8>, value: &Value) {
    out.extend_from_slice(&canonical_bytes(value));
    out.push(b'\n');
}

/// A value that was read from JSON, so that it has a canonical text.
pub(crate) fn canonical_bytes(value: &Value) -> Vec<u8> {
    to_canonical_vec(value).unwrap_or_else(|_| unreachable!("numbers that were read are finite and of 64 bits"))
}

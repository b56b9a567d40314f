//! The parts that receipts of both rules sum up in the same way.

use super::{Rules, Subject};
use crate::digest::sha256;
use crate::entry::{Entry, plain_text};
use crate::strict;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where the chain was at a line. The first hash is the same for a whole episode and is kept once.
#[derive(Debug, Clone)]
pub(super) struct ChainHead {
    head: Arc<str>,
    last: Arc<str>,
    length: u64,
}

impl ChainHead {
    /// Chain values of a line, from their text; `before` are those of a line before it.
    pub(super) fn of(raw: &[u8], before: Option<&Self>) -> Self {
        let members = strict::member_ranges(raw).ok().flatten().unwrap_or_default();
        let value = |key: &str| strict::member(&members, raw, key).map_or(&b"null"[..], |member| member.value(raw));
        let text = |key: &str| -> Cow<'_, str> {
            let raw = value(key);
            let said = plain_text(raw).map(Option::unwrap_or_default).map(Cow::Borrowed);
            said.unwrap_or_else(|| serde_json::from_slice(raw).unwrap_or_default())
        };
        let again = |known: Option<&Arc<str>>, text: &str| match known {
            Some(known) if **known == *text => Arc::clone(known),
            _ => text.into(),
        };
        Self {
            head: again(before.map(|before| &before.head), &text("head_hash")),
            last: again(before.map(|before| &before.last), &text("last_event_hash")),
            length: serde_json::from_slice(value("length")).unwrap_or(0),
        }
    }

    /// It in the form of receipts.
    pub(super) fn report(chain: Option<&Self>, broken: bool) -> Value {
        let (head, last, length) = chain.map_or(("", "", 0), |chain| (&*chain.head, &*chain.last, chain.length));
        let status = if broken { "broken" } else { "intact" };
        json!({ "head_hash": head, "last_event_hash": last, "length": length, "break_status": status })
    }
}

#[derive(Debug, Default)]
pub(super) struct Invariants {
    violated: Vec<Value>,
    first_ts: Option<i64>,
}

impl Invariants {
    pub(super) fn take(&mut self, entry: &Entry) {
        for violation in entry.list("violations") {
            if violation.get("status").and_then(Value::as_str) != Some("VIOLATION") {
                continue;
            }
            self.first_ts.get_or_insert(entry.t_s());
            if let Some(id) = violation.get("invariant_id").filter(|id| !self.violated.contains(id)) {
                self.violated.push(id.clone());
            }
        }
    }

    pub(super) fn report(&self) -> Value {
        json!({
            "violated_ids": self.violated,
            "first_violation_ts": self.first_ts,
            "final_status": if self.first_ts.is_some() { "VIOLATION" } else { "PASS" },
        })
    }
}

#[derive(Debug, Default)]
pub(super) struct Enforcements(BTreeMap<&'static str, Vec<Value>>);

impl Enforcements {
    const KINDS: [(&str, &str); 4] = [
        ("throttle_agent", "throttle"),
        ("kill_switch", "kill_switch"),
        ("freeze_zone", "freeze_zone"),
        ("forensic_freeze", "forensic_freeze"),
    ];

    pub(super) fn take(&mut self, entry: &Entry) {
        for enforcement in entry.list("enforcements") {
            let kind = enforcement.get("type").and_then(Value::as_str);
            let known = Self::KINDS.iter().find(|(own, _)| Some(*own) == kind);
            let (Some((_, name)), Some(map)) = (known, enforcement.as_object()) else { continue };
            let mut item = map.clone();
            item.insert("t_s".to_owned(), json!(entry.t_s()));
            self.0.entry(name).or_default().push(Value::Object(item));
        }
    }

    pub(super) fn report(&self) -> Value {
        let list = |name: &str| self.0.get(name).cloned().unwrap_or_default();
        json!({
            "throttle": list("throttle"),
            "kill_switch": list("kill_switch"),
            "freeze_zone": list("freeze_zone"),
            "forensic_freeze": list("forensic_freeze"),
        })
    }
}

#[derive(Debug, Default)]
pub(super) struct Signatures {
    verified: u64,
    failed: u64,
    first: Option<Value>,
    reasons: Vec<Value>,
}

impl Signatures {
    pub(super) fn take(&mut self, entry: &Entry) {
        let Some(verification) = entry.get("signature_verification") else { return };
        if verification.get("passed").and_then(Value::as_bool) == Some(true) {
            self.verified += 1;
            return;
        }
        self.failed += 1;
        if let Some(reason) = verification.get("reason_code").filter(|reason| !reason.is_null()) {
            self.first.get_or_insert_with(|| reason.clone());
            if !self.reasons.contains(reason) {
                self.reasons.push(reason.clone());
            }
        }
    }

    pub(super) fn report(&self) -> Value {
        let mut reasons = self.reasons.clone();
        reasons.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        json!({
            "total_verified": self.verified,
            "total_failed": self.failed,
            "first_failure_reason_code": self.first,
            "failing_reason_codes": reasons,
        })
    }
}

/// Who had which consignment when, and which specimens were in it.
#[derive(Debug, Default)]
pub(super) struct Custody {
    records: Vec<Value>,
    /// Places of the records of each consignment.
    places: BTreeMap<String, Vec<usize>>,
    /// Consignments that each specimen was in.
    consignments: BTreeMap<String, BTreeSet<String>>,
}

impl Custody {
    pub(super) fn take(&mut self, entry: &Entry) {
        let action = entry.action();
        let consignment = match action {
            "DISPATCH_TRANSPORT" => entry.text("consignment_id"),
            "CHAIN_OF_CUSTODY_SIGN" | "RECEIVE_TRANSPORT" => entry.arg_text("consignment_id"),
            _ => return,
        };
        let Some(consignment) = consignment else { return };
        let mut record = json!({
            "action_type": action, "t_s": entry.t_s(), "consignment_id": consignment, "status": entry.get("status"),
        });
        if action == "CHAIN_OF_CUSTODY_SIGN" {
            record["agent_id"] = json!(entry.get("agent_id"));
        }
        if action == "DISPATCH_TRANSPORT" {
            for specimen in entry.arg_texts("specimen_ids") {
                self.consignments.entry(specimen.to_owned()).or_default().insert(consignment.to_owned());
            }
        }
        self.places.entry(consignment.to_owned()).or_default().push(self.records.len());
        self.records.push(record);
    }

    pub(super) fn of(&self, specimen: &str) -> Vec<&Value> {
        let consignments = self.consignments.get(specimen).into_iter().flatten();
        let places = consignments.filter_map(|consignment| self.places.get(consignment)).flatten();
        let places: BTreeSet<usize> = places.copied().collect();
        places.into_iter().map(|place| &self.records[place]).collect()
    }
}

/// Names of the files: an id without the characters that a name cannot have.
#[derive(Debug)]
pub(super) struct FileNames {
    rules: Rules,
    /// How many subjects would have a name that differs by case at most.
    wanted: BTreeMap<String, u32>,
}

impl FileNames {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, wanted: BTreeMap::new() }
    }

    pub(super) fn count(&mut self, subject: &Subject) {
        *self.wanted.entry(self.plain(subject).to_lowercase()).or_default() += 1;
    }

    fn plain(&self, subject: &Subject) -> String {
        let id = subject.id.as_deref().unwrap_or("unknown");
        let keeps = |c: char| match self.rules {
            Rules::Reference => c.is_alphanumeric(),
            Rules::Corrected => c.is_ascii_alphanumeric(),
        };
        let id: String = id.chars().map(|c| if keeps(c) || c == '_' || c == '-' { c } else { '_' }).collect();
        format!("receipt_{}_{id}", subject.kind.name())
    }

    /// Two ids never share a name: one that was changed, or is wanted twice, has the beginning of its digest in it.
    /// In the reference's form the later of two would replace the earlier.
    pub(super) fn of(&self, subject: &Subject) -> String {
        let plain = self.plain(subject);
        let id = subject.id.as_deref().unwrap_or("unknown");
        let changed = plain.len() < id.len() || !plain.ends_with(id);
        let shared = self.wanted.get(&plain.to_lowercase()).is_some_and(|count| *count > 1);
        if self.rules == Rules::Corrected && (changed || shared || id.len() > 120) {
            let digest = sha256(format!("{}\n{}\n{id}", subject.episode, subject.kind.name()).as_bytes());
            let plain: String = plain.chars().take(120).collect();
            return format!("{plain}_{}.v0.1.json", &digest[..12]);
        }
        format!("{plain}.v0.1.json")
    }
}

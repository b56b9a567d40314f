//! What follows from the log: proof, trace, enforcements, receipts.

use super::files::{Files, is_receipt, read_plain};
use super::{Bundle, LogPass};
use crate::chain::short;
use crate::derive::{Derived, canonical_bytes};
use crate::digest::sha256;
use crate::entry::Entry;
use crate::export::{ENFORCEMENTS, LOG, MANIFEST, PACK, PROOF, RUN_FACTS, TRACE, signed_bytes};
use crate::lines::{self, Form};
use crate::receipts::{Receipt, Rules};
use crate::strict;
use labtrust_policy::{PolicyStore, schema_complaints};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Files of a bundle that may hold a FHIR bundle.
const FHIR: [&str; 2] = ["fhir_bundle.json", "fhir_bundle_export.v0.1.json"];

impl Bundle<'_> {
    /// What the schema `name` says about a value: that of the policy, else the built-in one.
    fn complaints(&self, name: &str, value: &Value) -> Vec<String> {
        let builtin = PolicyStore::builtin();
        let path = format!("schemas/{name}");
        let stores = self.options.policy.into_iter().chain([&builtin]);
        let text = stores.filter(|store| store.contains(&path)).find_map(|store| store.text(&path).ok());
        text.map_or_else(Vec::new, |text| schema_complaints(text, value).unwrap_or_else(|problem| vec![problem]))
    }

    pub(super) fn schemas(&self, files: &Files, errors: &mut Vec<String>) {
        let manifest = Value::Object(self.manifest.clone());
        let complaints = self.complaints("evidence_bundle_manifest.v0.1.schema.json", &manifest);
        errors.extend(complaints.first().map(|first| format!("manifest schema: {first}")));
        Self::canonical_file(MANIFEST, &self.manifest_bytes, errors);
        if let Some(pack) = self.json(PACK, files, errors) {
            let complaints = self.complaints("policy_pack_manifest.v0.1.schema.json", &pack);
            errors.extend(complaints.first().map(|first| format!("{PACK}: {first}")));
        }
        if self.rules == Rules::Corrected {
            for name in [PACK, RUN_FACTS] {
                if let Ok(Some(bytes)) = read_plain(self.dir, name) {
                    Self::canonical_file(name, &bytes, errors);
                }
            }
        }
    }

    pub(super) fn fhir(&self, errors: &mut Vec<String>) {
        for name in FHIR {
            let Ok(Some(bytes)) = read_plain(self.dir, name) else { continue };
            let Ok(Value::Object(bundle)) = serde_json::from_slice(&bytes) else {
                errors.push(format!("{name}: it should be a JSON map"));
                continue;
            };
            if bundle.get("resourceType").and_then(Value::as_str) != Some("Bundle") {
                errors.push(format!("{name}: missing or invalid resourceType (expected Bundle)"));
            }
            if !bundle.contains_key("type") {
                errors.push(format!("{name}: missing type"));
            }
            if !bundle.get("entry").is_some_and(Value::is_array) {
                errors.push(format!("{name}: missing or invalid entry array"));
            }
        }
    }

    pub(super) fn proof(&self, derived: &Derived, errors: &mut Vec<String>) {
        let bytes = match read_plain(self.dir, PROOF) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return errors.push(format!("{PROOF}: missing")),
            Err(problem) => return errors.push(format!("{PROOF}: {problem}")),
        };
        let Ok(proof) = serde_json::from_slice::<Value>(&bytes) else {
            return errors.push(format!("{PROOF}: invalid JSON"));
        };
        let before = errors.len();
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (stated, last) = (text(&proof, "head_hash"), text(&derived.proof, "head_hash"));
        if stated != last {
            let (stated, last) = (short(&stated), short(&last));
            let what = "last_entry.hashchain.head_hash";
            errors.push(format!("hashchain_proof: head_hash mismatch (proof={stated}, {what}={last})"));
        }
        if text(&proof, "last_event_hash") != text(&derived.proof, "last_event_hash") {
            errors.push("hashchain_proof: last_event_hash mismatch with last entry".to_owned());
        }
        let length = proof.get("length").and_then(Value::as_u64);
        if length != Some(derived.lines) {
            let length = length.map_or("none".to_owned(), |length| length.to_string());
            errors.push(format!("hashchain_proof: length {length} != episode_log entries {}", derived.lines));
        }
        let expected = [canonical_bytes(&derived.proof).as_slice(), b"\n"].concat();
        if errors.len() == before && bytes != expected {
            errors.push(format!("{PROOF}: it is not what the log yields"));
        }
    }

    pub(super) fn audit_digest(&self, derived: &Derived, errors: &mut Vec<String>) {
        let stated = self.text("coordination_audit_digest_sha256");
        let computed = derived.audit_digest.as_deref();
        match (stated, computed) {
            (None, None) => {}
            (None, Some(_)) => {
                errors.push(
                    "coordination_audit_digest_sha256 is missing, although the log has hashes of proposals".to_owned(),
                );
            }
            (Some(stated), computed) => {
                let computed = computed.unwrap_or_default();
                if stated != computed {
                    let (stated, computed) = (short(stated), short(computed));
                    errors.push(format!(
                        "coordination_audit_digest_sha256 mismatch: manifest={stated}, computed={computed}"
                    ));
                }
            }
        }
    }

    /// The rows of invariants and of enforcements. Only a file that is not what the log yields is read for what is
    /// wrong with it.
    pub(super) fn trace(&self, log: &LogPass, files: &Files, errors: &mut Vec<String>) {
        let pairs = [(TRACE, &log.trace_sha256), (ENFORCEMENTS, &log.enforcements_sha256)];
        for (name, derived) in pairs {
            let bytes = match read_plain(self.dir, name) {
                Ok(Some(bytes)) => bytes,
                Ok(None) => {
                    if !files.listed.contains_key(name) {
                        errors.push(format!("{name}: missing"));
                    }
                    continue;
                }
                Err(_) => continue,
            };
            if sha256(&bytes) == **derived || files.told.contains(name) {
                continue;
            }
            let before = errors.len();
            if name == TRACE {
                self.rows_not_in_log(&bytes, log.derived.lines, errors);
            }
            if errors.len() == before {
                errors.push(format!("{name}: it is not what the log yields"));
            }
        }
    }

    fn rows_not_in_log(&self, bytes: &[u8], lines: u64, errors: &mut Vec<String>) {
        let mut rows: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
        let mut beyond = Vec::new();
        for (number, row) in bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, row)| !row.is_empty()) {
            let Ok(row) = serde_json::from_slice::<Value>(row) else {
                errors.push(format!("invariant_eval_trace: line {} is not JSON", number + 1));
                continue;
            };
            match row.get("step_index").and_then(Value::as_u64) {
                Some(index) if index < lines => rows.entry(index).or_default().push(row),
                Some(index) => beyond.push(index),
                None => errors.push(format!("invariant_eval_trace: line {} has no step_index", number + 1)),
            }
        }
        let mut index = 0;
        let triple = |violation: &Value| {
            ["invariant_id", "status", "reason_code"].map(|key| violation.get(key).cloned().unwrap_or_default())
        };
        let mut look = |entry: &Entry| {
            for row in rows.get(&index).into_iter().flatten() {
                for violation in row.get("violations").and_then(Value::as_array).into_iter().flatten() {
                    if !entry.list("violations").any(|own| triple(own) == triple(violation)) {
                        let id = violation.get("invariant_id").and_then(Value::as_str).unwrap_or("?");
                        errors.push(format!(
                            "invariant_eval_trace: step {index} has violation {id} not in episode_log (exported trace is not subset of log)"
                        ));
                    }
                }
            }
            index += 1;
        };
        let _ = lines::read(&self.dir.join(LOG), Form::Canonical, |line| look(&line.entry));
        for index in beyond {
            errors.push(format!("invariant_eval_trace: step_index {index} out of range (log has {lines} entries)"));
        }
    }

    /// Every receipt is what the log yields, and every receipt that the log yields is there.
    pub(super) fn receipts(&self, log: &LogPass, files: &Files, errors: &mut Vec<String>) {
        let mut expected: BTreeSet<String> = BTreeSet::new();
        let look = |receipt: Receipt| {
            let mut errors = Vec::new();
            self.receipt(&receipt, files, &mut errors);
            (receipt.file_name, errors)
        };
        let taken: Result<(), std::convert::Infallible> = log.derived.receipts.each(look, |(name, mut wrong)| {
            expected.insert(name);
            errors.append(&mut wrong);
            Ok(())
        });
        let Ok(()) = taken;
        let listed = files.listed.keys().filter(|name| is_receipt(name) && !expected.contains(*name));
        errors.extend(listed.map(|name| format!("{name}: the log yields no such receipt")));
    }

    fn receipt(&self, receipt: &Receipt, files: &Files, errors: &mut Vec<String>) {
        let name = &receipt.file_name;
        if files.told.contains(name) {
            return;
        }
        // A file whose digest is the listed one was read already: it is not read again to see that it is what it should be.
        let derived = strict::line(&receipt.content);
        if files.present.contains(name) && files.listed.get(name).is_some_and(|listed| *listed == sha256(&derived)) {
            return;
        }
        let bytes = match read_plain(self.dir, name) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return errors.push(format!("{name}: missing, although the log yields it")),
            Err(problem) => return errors.push(format!("{name}: {problem}")),
        };
        if bytes == derived {
            return;
        }
        let Ok(content) = serde_json::from_slice::<Value>(&bytes) else {
            return errors.push(format!("{name}: invalid JSON"));
        };
        if let Some(first) = self.complaints("receipt.v0.1.schema.json", &content).first() {
            return errors.push(format!("{name}: schema validation failed: {first}"));
        }
        Self::canonical_file(name, &bytes, errors);
        if derived.strip_suffix(b"\n") != Some(&signed_bytes(&content)) {
            let differs =
                receipt.content.as_object().into_iter().flatten().find(|(key, value)| content.get(*key) != Some(value));
            let what = differs.map_or("another key".to_owned(), |(key, _)| format!("{key:?}"));
            errors.push(format!("{name}: it is not what the log yields: {what} is otherwise"));
        }
    }
}

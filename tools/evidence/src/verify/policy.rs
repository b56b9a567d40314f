//! Which rules the bundle says were in force, recomputed from the policy.

use super::Bundle;
use super::files::Files;
use crate::chain::short;
use crate::digest::sha256;
use crate::export::{PACK, PROMPT};
use crate::policy_facts::{FINGERPRINTS, pack_root, prompt_digest};
use serde_json::Value;

impl Bundle<'_> {
    pub(super) fn strict_fingerprints(&self) -> Vec<String> {
        if !self.options.strict_fingerprints {
            return Vec::new();
        }
        let mut keys = FINGERPRINTS.map(|fingerprint| fingerprint.key);
        keys.sort_unstable();
        let missing = keys.into_iter().filter(|key| self.text(key).is_none_or(str::is_empty));
        missing.map(|key| format!("manifest: strict-fingerprints requires '{key}' (missing or empty)")).collect()
    }

    pub(super) fn policy_pack(&self, files: &Files, errors: &mut Vec<String>) {
        if !files.listed.contains_key(PACK) {
            return;
        }
        let Some(pack) = self.json(PACK, files, errors) else { return };
        if let Some(policy) = self.options.policy {
            for file in pack.get("files").and_then(Value::as_array).into_iter().flatten() {
                let text = |key: &str| file.get(key).and_then(Value::as_str).unwrap_or_default();
                let path = text("path");
                let content = path.strip_prefix("policy/").filter(|below| policy.contains(below));
                match content.and_then(|below| policy.text(below).ok()) {
                    None => errors.push(format!("policy_pack_manifest: policy file not found: {path}")),
                    Some(content) => {
                        let (expected, actual) = (text("sha256"), sha256(content.as_bytes()));
                        if expected != actual {
                            let (expected, actual) = (short(expected), short(&actual));
                            errors.push(format!(
                                "policy_pack_manifest: hash mismatch for {path}: expected {expected}, got {actual}"
                            ));
                        }
                    }
                }
            }
        }
        let stated = pack.get("root_hash").and_then(Value::as_str).unwrap_or_default();
        let root = pack_root(&pack);
        if stated != root {
            let (stated, root) = (short(stated), short(&root));
            errors.push(format!("policy_pack_manifest: root_hash mismatch: expected {stated}, recomputed {root}"));
        }
        match self.text("policy_root_hash") {
            None => errors.push("manifest: policy_root_hash missing but policy_pack_manifest present".to_owned()),
            Some(own) if own != stated => errors.push(format!(
                "manifest: policy_root_hash does not match policy_pack_manifest (manifest={}, policy_pack={})",
                short(own),
                short(stated)
            )),
            Some(_) => {}
        }
    }

    pub(super) fn fingerprints(&self, errors: &mut Vec<String>) {
        let Some(policy) = self.options.policy else { return };
        for fingerprint in FINGERPRINTS {
            let Some(stated) = self.text(fingerprint.key).filter(|text| !text.is_empty()) else { continue };
            let place = format!("{}/{}", self.options.policy_place, fingerprint.file);
            let actual = match fingerprint.of(policy) {
                Ok(Some(actual)) => actual,
                Ok(None) => {
                    errors.push(format!("manifest: {} present but there is no {place}", fingerprint.key));
                    continue;
                }
                Err(error) => {
                    errors.push(format!("manifest: {}: {error}", fingerprint.key));
                    continue;
                }
            };
            if actual != stated {
                errors.push(format!(
                    "manifest: {} mismatch: expected '{stated}', actual '{actual}'; resolved path for recomputation: {place}",
                    fingerprint.key
                ));
            }
        }
    }

    pub(super) fn prompt(&self, files: &Files, errors: &mut Vec<String>) {
        let Some(stated) = self.text("prompt_sha256").filter(|text| !text.is_empty()) else { return };
        if !files.present.contains(PROMPT) {
            return errors.push(format!(
                "manifest: prompt_sha256 present but {PROMPT} missing (required to recompute and verify)"
            ));
        }
        let Some(inputs) = self.json(PROMPT, files, errors) else { return };
        let computed = prompt_digest(&inputs);
        if computed != stated {
            let (stated, computed) = (short(stated), short(&computed));
            errors.push(format!("manifest: prompt_sha256 mismatch: manifest={stated}, recomputed={computed}"));
        }
    }
}

//! What binds a bundle: signatures, the statement about its manifest, the checkpoint of its log.

use super::files::{Files, is_receipt, read_plain};
use super::{Bundle, Level, LogPass};
use crate::checkpoint::Checkpoint;
use crate::dsse::Envelope;
use crate::export::{self, CHECKPOINT, ENVELOPE, MANIFEST, STATEMENT, signed_bytes};
use crate::note::{Note, Verifier};
use crate::receipts::Rules;
use labtrust_trust::keys::{KeyEntry, KeyPolicy};
use serde_json::Value;

/// The registry of keys in a policy.
const REGISTRY: &str = "keys/key_registry.v0.1.yaml";

pub(super) struct Sealed {
    pub(super) authentic: Level,
    pub(super) append_only: Level,
    pub(super) witnessed: Level,
}

/// The size that a checkpoint states, before anybody has verified it.
pub(super) fn size_of(note: &[u8]) -> Option<u64> {
    Checkpoint::parse_text(Note::parse(note).ok()?.text()).ok().map(|checkpoint| checkpoint.size)
}

/// Whether a signature of v0.1 holds, and whose it is. `Ok(None)` where there is none.
fn signed_by(object: &Value, registry: &[KeyEntry]) -> Result<Option<Verifier>, String> {
    let Some(signature) = object.get("signature").filter(|signature| !signature.is_null()) else { return Ok(None) };
    let text = |key: &str| signature.get(key).and_then(Value::as_str);
    let fields = (text("algorithm"), text("public_key_b64"), text("signature_b64"), text("key_id"));
    let (Some(algorithm), Some(public), Some(bytes), Some(key_id)) = fields else {
        return Err("signature missing required fields (algorithm, public_key_b64, signature_b64, key_id)".to_owned());
    };
    if algorithm != "ed25519" {
        return Err(format!("the algorithm {algorithm:?} is not ed25519"));
    }
    if let Some(entry) = registry.iter().find(|entry| entry.key_id == key_id) {
        match entry.status.as_deref().map(|status| status.trim().to_ascii_uppercase()).as_deref() {
            Some("REVOKED") => return Err("SIG_KEY_REVOKED".to_owned()),
            Some("EXPIRED") => return Err("SIG_KEY_EXPIRED".to_owned()),
            _ if entry.public_key != public => {
                return Err(format!("the public key is not that of {key_id} in the key registry"));
            }
            _ => {}
        }
    }
    let key = Verifier::from_base64(key_id, public).map_err(|_| "SIG_INVALID".to_owned())?;
    if key.holds(&signed_bytes(object), bytes) { Ok(Some(key)) } else { Err("SIG_INVALID".to_owned()) }
}

impl Bundle<'_> {
    fn registry(&self) -> Vec<KeyEntry> {
        let section =
            |policy: &labtrust_policy::PolicyStore| policy.section::<KeyPolicy>(REGISTRY, Some("key_registry"));
        let policy = self.options.policy.filter(|policy| policy.contains(REGISTRY));
        policy.and_then(|policy| section(policy).ok()).map(|registry| registry.keys).unwrap_or_default()
    }

    /// The signatures inside of manifest and receipts.
    pub(super) fn signatures_v1(&self, files: &Files, errors: &mut Vec<String>) {
        let registry = self.registry();
        if let Err(problem) = signed_by(&Value::Object(self.manifest.clone()), &registry) {
            errors.push(format!("manifest signature: {problem}"));
        }
        // The receipts of the corrected form have none: the manifest has their digests.
        if self.rules == Rules::Corrected {
            return;
        }
        for name in files.listed.keys().filter(|name| is_receipt(name) && !files.told.contains(*name)) {
            let bytes = read_plain(self.dir, name).ok().flatten().unwrap_or_default();
            let receipt: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            if let Err(problem) = signed_by(&receipt, &registry) {
                errors.push(format!("{name} signature: {problem}"));
            }
        }
    }

    /// Statement and checkpoint, and which levels they prove.
    pub(super) fn seal(&self, log: Option<&LogPass>, files: &Files, errors: &mut Vec<String>) -> Sealed {
        let manifest = Value::Object(self.manifest.clone());
        let key = signed_by(&manifest, &self.registry()).ok().flatten();
        let checkpoint = match (self.rules, &key) {
            (Rules::Reference, _) => None,
            (Rules::Corrected, None) => {
                self.unsigned(log, files, errors);
                None
            }
            (Rules::Corrected, Some(key)) => self.signed(key, log, files, errors),
        };
        // What does not hold is not what was signed, whoever signed it.
        let authentic = self.authentic(key.as_ref(), errors.first().cloned());
        let append_only = self.append_only(log, key.as_ref(), checkpoint.as_ref().map(|(_, known)| known));
        let witnessed = self.witnessed(checkpoint.as_ref().map(|(note, _)| note));
        let asked = [
            (!self.options.trust.is_empty(), "authentic", &authentic),
            (self.options.since.is_some(), "append-only", &append_only),
            (!self.options.witnesses.is_empty(), "witnessed", &witnessed),
        ];
        for (asked, name, level) in asked {
            match level {
                Level::Held(_) => {}
                Level::Failed(why) | Level::NotProved(why) if asked => errors.push(format!("{name}: {why}")),
                _ => {}
            }
        }
        Sealed { authentic, append_only, witnessed }
    }

    /// In a bundle that nobody signed the statement is there as it is, so that no bit of the manifest can change alone.
    fn unsigned(&self, log: Option<&LogPass>, files: &Files, errors: &mut Vec<String>) {
        for name in [ENVELOPE, CHECKPOINT] {
            if files.present.contains(name) {
                errors.push(format!("{name}: there is one, and {MANIFEST} is not signed"));
            }
        }
        let Some(log) = log else { return };
        match read_plain(self.dir, STATEMENT) {
            Ok(Some(bytes)) if bytes == export::statement(&self.manifest_bytes, &log.derived) => {}
            Ok(Some(_)) => errors.push(format!("{STATEMENT}: it is not about this manifest and this log")),
            Ok(None) => errors.push(format!("{STATEMENT}: missing")),
            Err(problem) => errors.push(format!("{STATEMENT}: {problem}")),
        }
    }

    fn signed(
        &self,
        key: &Verifier,
        log: Option<&LogPass>,
        files: &Files,
        errors: &mut Vec<String>,
    ) -> Option<(Note, Checkpoint)> {
        if files.present.contains(STATEMENT) {
            errors.push(format!("{STATEMENT}: there is one, and {MANIFEST} is signed"));
        }
        let log = log?;
        match self.proof_file(ENVELOPE) {
            Err(problem) => errors.push(problem),
            Ok(bytes) => match Envelope::parse(&bytes) {
                Err(error) => errors.push(format!("{ENVELOPE}: {error}")),
                Ok(envelope) if envelope.verify().is_err() => errors.push(format!("{ENVELOPE}: SIG_INVALID")),
                Ok(envelope) if envelope.key != *key => {
                    errors.push(format!("{ENVELOPE}: it is signed with another key than {MANIFEST}"));
                }
                Ok(envelope) if envelope.statement != export::statement(&self.manifest_bytes, &log.derived) => {
                    errors.push(format!("{ENVELOPE}: it is not about this manifest and this log"));
                }
                Ok(_) => {}
            },
        }
        let checked = self.proof_file(CHECKPOINT).and_then(|bytes| {
            let wrong = |error: &dyn std::fmt::Display| format!("{CHECKPOINT}: {error}");
            let note = Note::parse(&bytes).map_err(|error| wrong(&error))?;
            let good = note.verify(std::slice::from_ref(key)).map_err(|error| wrong(&error))?;
            if good.is_empty() {
                return Err(wrong(&format!("it is not signed with the key of {MANIFEST}")));
            }
            let checkpoint = Checkpoint::parse_text(note.text()).map_err(|error| wrong(&error))?;
            if checkpoint != export::checkpoint(&log.derived, key.name()) {
                return Err(wrong(&"it is of another log, or of another length of it"));
            }
            Ok((note, checkpoint))
        });
        checked.map_err(|problem| errors.push(problem)).ok()
    }

    fn proof_file(&self, name: &str) -> Result<Vec<u8>, String> {
        match read_plain(self.dir, name) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(format!("{name}: missing, although {MANIFEST} is signed")),
            Err(problem) => Err(format!("{name}: {problem}")),
        }
    }

    fn authentic(&self, key: Option<&Verifier>, problem: Option<String>) -> Level {
        let Some(key) = key else { return Level::NotProved("nobody signed it".to_owned()) };
        if let Some(problem) = problem {
            return Level::Failed(problem);
        }
        // A name is not a key: whoever makes a bundle chooses the name.
        match self.options.trust.iter().find(|trusted| trusted.public_b64() == key.public_b64()) {
            Some(trusted) => Level::Held(format!("signed with the trusted key {} ({})", trusted.name(), trusted.id())),
            None if self.options.trust.is_empty() => Level::NotProved(format!(
                "signed with the key {} ({}), which nobody said to trust",
                key.name(),
                key.id()
            )),
            None => Level::Failed(format!("signed with the key {} ({}), which is not trusted", key.name(), key.id())),
        }
    }

    fn append_only(&self, log: Option<&LogPass>, key: Option<&Verifier>, now: Option<&Checkpoint>) -> Level {
        let Some(since) = self.options.since else {
            return Level::NotProved("no older checkpoint was given".to_owned());
        };
        let Some(log) = log else { return Level::Failed("the log could not be read".to_owned()) };
        let older = Note::parse(since).map_err(|error| error.to_string()).and_then(|note| {
            let keys: Vec<Verifier> = self.options.trust.iter().chain(key).cloned().collect();
            let good = note.verify(&keys).map_err(|error| error.to_string())?;
            if good.is_empty() {
                return Err("it is not signed with a known key".to_owned());
            }
            Checkpoint::parse_text(note.text()).map_err(|error| error.to_string())
        });
        let older = match older {
            Ok(older) => older,
            Err(problem) => return Level::Failed(format!("the older checkpoint: {problem}")),
        };
        let same_log = match now {
            Some(now) => now.origin == older.origin,
            None => older.origin.rsplit_once('/').is_some_and(|(_, id)| id == log.derived.log_id),
        };
        if !same_log {
            return Level::Failed(format!("the older checkpoint is of another log, {}", older.origin));
        }
        match log.root_since {
            None => Level::Failed(format!(
                "the log was {} lines long at the older checkpoint, and is {} lines long",
                older.size, log.derived.lines
            )),
            Some(root) if root != older.root => {
                Level::Failed(format!("its first {} lines are not those of the older checkpoint", older.size))
            }
            Some(_) => Level::Held(format!("its first {} lines are those of the older checkpoint", older.size)),
        }
    }

    fn witnessed(&self, note: Option<&Note>) -> Level {
        let Some(note) = note else { return Level::NotProved("there is no checkpoint".to_owned()) };
        match note.verify(self.options.witnesses) {
            Err(error) => Level::Failed(error.to_string()),
            Ok(good) if good.is_empty() => Level::NotProved("no known witness has signed the checkpoint".to_owned()),
            Ok(good) => {
                let names: Vec<&str> = good.iter().map(|key| key.name()).collect();
                Level::Held(format!("seen by {}", names.join(", ")))
            }
        }
    }
}

//! Making an evidence bundle of a log.

use crate::checkpoint::Checkpoint;
use crate::derive::{ChainFinding, Derived, Deriver, canonical_bytes};
use crate::digest::{hex, sha256};
use crate::disk::{Disk, DiskError, NewDirectory, NewFile};
use crate::dsse;
use crate::lines::{self, Form, LogError};
use crate::note::{NoteError, Signer};
use crate::policy_facts::{self, COORDINATION, FINGERPRINTS, MEMORY, ROLES, TOOLS};
use crate::receipts::{Receipt, Rules};
use crate::strict;
use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Name of the directory of a bundle.
pub const BUNDLE: &str = "EvidenceBundle.v0.1";
/// The log in a bundle.
pub const LOG: &str = "episode_log_subset.jsonl";
/// The rows of invariants.
pub const TRACE: &str = "invariant_eval_trace.jsonl";
/// The rows of enforcements.
pub const ENFORCEMENTS: &str = "enforcement_actions.jsonl";
/// The chain's values at the end.
pub const PROOF: &str = "hashchain_proof.json";
/// Which files there are.
pub const MANIFEST: &str = "manifest.json";
/// The files of the policy.
pub const PACK: &str = "policy_pack_manifest.v0.1.json";
/// What a language model was told.
pub const PROMPT: &str = "prompt_fingerprint_inputs.v0.1.json";
/// What was run, so that it can be run again.
pub const RUN_FACTS: &str = "run_facts.v0.2.json";
/// What the manifest's digest is, in a bundle that nobody signed.
pub const STATEMENT: &str = "proof/statement.json";
/// The same, signed.
pub const ENVELOPE: &str = "proof/statement.dsse.json";
/// How far the log has come, signed.
pub const CHECKPOINT: &str = "proof/checkpoint";
/// Type of the predicate of the statement.
pub const PREDICATE_TYPE: &str = "https://labtrust.org/evidence-bundle/v0.2";
/// Value of the manifest's key `receipt_rules` in a bundle with corrected receipts.
pub const CORRECTED: &str = "labtrust.receipts.v1";

/// What to make.
pub struct Export<'a> {
    /// The log.
    pub log: &'a Path,
    /// Where the bundle goes to: below it, a directory [`BUNDLE`] is made.
    pub out: &'a Path,
    /// How receipts are made.
    pub rules: Rules,
    /// The policy, for fingerprints. The reference's form has those only with a partner.
    pub policy: Option<&'a PolicyStore>,
    /// The partner, where one is named.
    pub partner: Option<&'a str>,
    /// Who signs.
    pub signer: Option<&'a Signer>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The bundle.
    pub bundle: PathBuf,
    /// Lines of the log [count].
    pub lines: u64,
    /// Receipts [count].
    pub receipts: usize,
    /// Accepted steps about work [count].
    pub work: u64,
    /// Bytes of a line that its writer did not finish [bytes].
    pub torn_tail: usize,
}

/// Why no bundle was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Something cannot be written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The policy cannot be read.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The chain of the log does not hold.
    #[error("{} line {line}: the hash chain does not hold: {problem}", path.display())]
    Chain {
        /// The log.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// Why.
        problem: String,
    },
    /// A log that was sealed is not what it was.
    #[error("{} is not the log that {} lists: its SHA-256 is {actual}, not {listed}", path.display(), seal.display())]
    Sealed {
        /// The log.
        path: PathBuf,
        /// Who lists it.
        seal: PathBuf,
        /// Digest that is listed.
        listed: String,
        /// Digest that it has.
        actual: String,
    },
    /// A file beside the log cannot be used.
    #[error("{}: {problem}", path.display())]
    Beside {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The log cannot be signed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Work was done and no receipt is about it.
    #[error("{} has {work} accepted steps about work and not one of them names a specimen or a result", path.display())]
    NoReceipts {
        /// The log.
        path: PathBuf,
        /// Steps [count].
        work: u64,
    },
}

impl Export<'_> {
    /// Makes the bundle.
    ///
    /// # Errors
    /// [`ExportError`]; there is then no new bundle, and one that was there is what it was.
    pub fn run(&self, disk: &dyn Disk) -> Result<Exported, ExportError> {
        let bundle = self.out.join(BUNDLE);
        let mut writer = Writer { directory: NewDirectory::begin(disk, &bundle)?, files: BTreeMap::new() };
        let pack = self.policy.filter(|_| self.partner.is_some() || self.rules == Rules::Corrected);
        let pack = pack.map(|policy| policy_facts::pack(policy, self.partner)).transpose()?;
        let root_hash = pack.as_ref().and_then(|pack| pack["root_hash"].as_str().map(str::to_owned));

        let (derived, torn_tail, sealed) = self.write_log(&mut writer, root_hash.as_deref())?;
        if derived.receipts.is_empty() && derived.work > 0 && self.rules == Rules::Corrected {
            return Err(ExportError::NoReceipts { path: self.log.to_path_buf(), work: derived.work });
        }
        let Writer { directory, files } = &mut writer;
        let written = |Receipt { file_name, mut content }| {
            if let (Rules::Reference, Some(signer)) = (self.rules, self.signer) {
                content["signature"] = signature_block(&content, signer);
            }
            let bytes = strict::line(&content);
            directory.write(&file_name, &bytes).map(|()| (file_name, sha256(&bytes)))
        };
        derived.receipts.each(written, |receipt| {
            let (name, digest) = receipt?;
            files.insert(name, digest);
            Ok::<_, DiskError>(())
        })?;
        writer.value(PROOF, &derived.proof)?;
        if let Some(pack) = &pack {
            writer.value(PACK, pack)?;
        }
        if let Some(prompt) = self.beside(PROMPT)? {
            writer.value(PROMPT, &prompt)?;
        }
        let results = self.beside("results.json")?;
        let facts = results.as_ref().filter(|_| self.rules == Rules::Corrected && sealed).and_then(run_facts);
        if let Some(facts) = facts {
            writer.value(RUN_FACTS, &facts)?;
        }
        let manifest = self.manifest(&derived, &writer.files, results.as_ref(), root_hash.as_deref())?;
        self.seal(&mut writer, &derived, manifest)?;
        let receipts = derived.receipts.len();
        writer.directory.finish()?;
        Ok(Exported { bundle, lines: derived.lines, receipts, work: derived.work, torn_tail })
    }

    /// Writes the log, the trace and the enforcements while the log is read. Tells, besides, the bytes of an unfinished
    /// line, and whether the results beside the log are of the same run.
    fn write_log(
        &self,
        writer: &mut Writer<'_>,
        root_hash: Option<&str>,
    ) -> Result<(Derived, usize, bool), ExportError> {
        // Its digest is known from reading.
        let mut log = writer.directory.create(LOG)?;
        let mut outputs = [writer.begin(TRACE)?, writer.begin(ENFORCEMENTS)?];
        let mut deriver = Deriver::new(self.rules);
        let (mut failure, mut number) = (None, 0);
        let (mut trace, mut enforcements) = (Vec::new(), Vec::new());
        let report = lines::read(self.log, Form::Any, |line| {
            if failure.is_some() {
                return;
            }
            number += 1;
            if self.rules == Rules::Corrected && !line.entry.is_of_a_log() {
                let problem = "not a line of an episode log: it has no action_type and status".to_owned();
                failure = Some(LogError::Line { path: self.log.to_path_buf(), line: number, problem }.into());
                return;
            }
            trace.clear();
            enforcements.clear();
            deriver.take(line, &mut trace, &mut enforcements);
            let [traced, enforced] = &mut outputs;
            let written = log.write(line.entry.bytes()).and_then(|()| log.write(b"\n"));
            let written = written.and_then(|()| traced.write(&trace)).and_then(|()| enforced.write(&enforcements));
            failure = written.err().map(ExportError::from);
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
        let sealed = self.seal_holds(&report.sha256)?;
        let derived = deriver.finish(root_hash);
        if let (Rules::Corrected, ChainFinding::Broken(line, problem)) = (self.rules, &derived.chain) {
            let (path, problem) = (self.log.to_path_buf(), problem.clone());
            return Err(ExportError::Chain { path, line: line + 1, problem });
        }
        log.finish()?;
        writer.files.insert(LOG.to_owned(), report.shown_sha256);
        for output in outputs {
            writer.end(output)?;
        }
        Ok((derived, report.torn_tail, sealed))
    }

    /// A run that came to its end lists its log with a digest: such a log is not cut, and not changed. Whether it lists
    /// the results beside the log, too, as they are; results of another run say nothing about this log.
    fn seal_holds(&self, actual: &str) -> Result<bool, ExportError> {
        let seal = self.log.with_file_name("run_manifest.json");
        let name = self.log.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(manifest) = self.beside("run_manifest.json")? else { return Ok(false) };
        let listed = |name: &str| manifest.get("outputs").and_then(|outputs| outputs.get(name)?.as_str());
        let Some(log) = listed(&name) else { return Ok(false) };
        if log != actual {
            let (path, listed, actual) = (self.log.to_path_buf(), log.to_owned(), actual.to_owned());
            return Err(ExportError::Sealed { path, seal, listed, actual });
        }
        let results = std::fs::read(self.log.with_file_name("results.json")).ok();
        Ok(results.is_some_and(|bytes| listed("results.json") == Some(&sha256(&bytes))))
    }

    /// A JSON file beside the log, where it is there.
    fn beside(&self, name: &str) -> Result<Option<Value>, ExportError> {
        let path = self.log.with_file_name(name);
        let problem = match std::fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(value) => return Ok(Some(value)),
                Err(error) => format!("not JSON: {error}"),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => error.to_string(),
        };
        Err(ExportError::Beside { path, problem })
    }

    fn manifest(
        &self,
        derived: &Derived,
        files: &BTreeMap<String, String>,
        results: Option<&Value>,
        root_hash: Option<&str>,
    ) -> Result<Value, ExportError> {
        let said = |key: &str| derived.first.as_ref().and_then(|first| first.get(key)?.as_str()).map(str::to_owned);
        let metadata = |key: &str| results.and_then(|results| results.get("metadata")?.get(key)).cloned();
        let mut computed: BTreeMap<&str, String> = BTreeMap::new();
        let policy = self.policy.filter(|_| self.rules == Rules::Corrected || self.partner.is_some());
        if let Some(policy) = policy {
            for fingerprint in FINGERPRINTS {
                if let Some(value) = fingerprint.of(policy)? {
                    computed.insert(fingerprint.key, value);
                }
            }
        }
        let tools = said(TOOLS.key).or_else(|| computed.get(TOOLS.key).cloned());
        let roles = said(ROLES.key).or_else(|| computed.get(ROLES.key).cloned());
        let mut in_force = said("policy_fingerprint");
        if let (None, Rules::Corrected, Some(policy)) = (&in_force, self.rules, policy) {
            in_force = Some(policy.policy_fingerprint()?);
        }
        let combined = policy_facts::combined(&in_force.unwrap_or_default(), roles.as_deref(), tools.as_deref());
        let list: Vec<Value> = files.iter().map(|(path, sha256)| json!({ "path": path, "sha256": sha256 })).collect();
        let mut manifest = Map::new();
        let mut put = |key: &str, value: Value| manifest.insert(key.to_owned(), value);
        put("version", json!("0.1"));
        put("files", json!(list));
        put("policy_fingerprint", json!(combined));
        put("partner_id", json!(self.partner.map(str::to_owned).or_else(|| said("partner_id"))));
        put("policy_root_hash", json!(root_hash));
        put("signature", Value::Null);
        let coordination =
            metadata(COORDINATION.key).or_else(|| computed.get(COORDINATION.key).map(|text| json!(text)));
        let memory = computed.get(MEMORY.key).map(|text| json!(text));
        let optional = [
            (TOOLS.key, tools.map(Value::from)),
            (ROLES.key, roles.map(Value::from)),
            (COORDINATION.key, coordination),
            (MEMORY.key, memory),
            ("prompt_template_id", metadata("prompt_template_id")),
            ("prompt_sha256", metadata("prompt_sha256")),
            ("allowed_actions_payload_sha256", metadata("allowed_actions_payload_sha256")),
            ("coordination_audit_digest_sha256", derived.audit_digest.clone().map(Value::from)),
            ("receipt_rules", (self.rules == Rules::Corrected).then(|| json!(CORRECTED))),
        ];
        for (key, value) in optional {
            if let Some(value) = value.filter(|value| !value.is_null()) {
                put(key, value);
            }
        }
        Ok(Value::Object(manifest))
    }

    /// Writes the manifest and what binds it.
    fn seal(&self, writer: &mut Writer<'_>, derived: &Derived, mut manifest: Value) -> Result<(), ExportError> {
        if let Some(signer) = self.signer {
            manifest["signature"] = signature_block(&manifest, signer);
        }
        let bytes = strict::line(&manifest);
        writer.directory.write(MANIFEST, &bytes)?;
        if self.rules == Rules::Reference {
            return Ok(());
        }
        let statement = statement(&bytes, derived);
        let Some(signer) = self.signer else { return Ok(writer.directory.write(STATEMENT, &statement)?) };
        writer.directory.write(ENVELOPE, &dsse::sign(&statement, signer))?;
        let checkpoint = checkpoint(derived, signer.name());
        Ok(writer.directory.write(CHECKPOINT, checkpoint.sign(signer)?.as_bytes())?)
    }
}

/// The statement about a bundle: the digest of its manifest, and the tree over its log.
#[must_use]
pub fn statement(manifest: &[u8], derived: &Derived) -> Vec<u8> {
    let predicate = json!({ "log_size": derived.tree.size(), "log_root_sha256": hex(&derived.tree.root()) });
    dsse::statement(&[(MANIFEST, manifest)], PREDICATE_TYPE, &predicate)
}

/// The checkpoint of a bundle's log under a key of this name.
#[must_use]
pub fn checkpoint(derived: &Derived, key_name: &str) -> Checkpoint {
    let origin = format!("{key_name}/{}", derived.log_id);
    Checkpoint { origin, size: derived.tree.size(), root: derived.tree.root() }
}

/// The signature of v0.1: over the canonical text of the object without its key `signature`.
#[must_use]
pub fn signature_block(object: &Value, signer: &Signer) -> Value {
    json!({
        "algorithm": "ed25519",
        "public_key_b64": signer.verifier().public_b64(),
        "signature_b64": signer.sign(&signed_bytes(object)),
        "key_id": signer.name(),
    })
}

/// What a signature of v0.1 covers.
#[must_use]
pub fn signed_bytes(object: &Value) -> Vec<u8> {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.remove("signature");
    }
    canonical_bytes(&object)
}

/// What of the results is needed to run it again. `None` where they do not say it.
fn run_facts(results: &Value) -> Option<Value> {
    let config = results.get("config")?;
    let text = |key: &str| config.get(key).filter(|value| value.is_string() || value.is_null()).cloned();
    Some(json!({
        "version": "0.2",
        "task": results.get("task")?.as_str()?,
        "scale_id": text("scale_id"),
        "seeds": results.get("seeds")?.as_array()?.iter().map(Value::as_u64).collect::<Option<Vec<_>>>()?,
        "timing_mode": text("timing_mode")?,
        "dt_s": config.get("dt_s")?.as_u64()?,
        "max_steps": config.get("max_steps")?.as_u64()?,
        "strict_signatures": config.get("strict_signatures_forced").and_then(Value::as_bool).unwrap_or(false),
        "agent_set": text("agent_set"),
        "coord_method": text("coord_method"),
        "injection_id": text("injection_id"),
        "approval_hook": text("approval_hook"),
        "ablated_controls": config.get("ablate").cloned(),
        "partner_id": results.get("partner_id").cloned(),
    }))
}

struct Writer<'d> {
    directory: NewDirectory<'d>,
    /// Digests by path.
    files: BTreeMap<String, String>,
}

struct Output {
    name: String,
    file: NewFile,
    digest: Sha256,
}

impl Output {
    fn write(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.digest.update(bytes);
        self.file.write(bytes)
    }
}

impl Writer<'_> {
    fn begin(&mut self, name: &str) -> Result<Output, DiskError> {
        Ok(Output { name: name.to_owned(), file: self.directory.create(name)?, digest: Sha256::new() })
    }

    fn end(&mut self, output: Output) -> Result<(), DiskError> {
        output.file.finish()?;
        self.files.insert(output.name, hex(&output.digest.finalize()));
        Ok(())
    }

    fn value(&mut self, name: &str, value: &Value) -> Result<(), DiskError> {
        let bytes = strict::line(value);
        self.directory.write(name, &bytes)?;
        self.files.insert(name.to_owned(), sha256(&bytes));
        Ok(())
    }
}

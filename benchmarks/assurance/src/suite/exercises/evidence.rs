//! Evidence of a run that somebody has changed.

use super::Grounds;
use crate::AssuranceError;
use crate::suite::defences::{Course, OBSERVABILITY};
use crate::suite::model::Expected;
use crate::suite::trial::{Came, Trial};
use labtrust_bench::log::{Beside, LogFiles};
use labtrust_bench::{BenchmarkRun, Cast, RunLogs};
use labtrust_evidence::disk::RealDisk;
use labtrust_evidence::export::Export;
use labtrust_evidence::note::{Signer, Verifier};
use labtrust_evidence::receipts::Rules;
use labtrust_evidence::verify::Verify;
use labtrust_policy::PolicyStore;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A signed bundle of a short run, in a directory that goes when it does.
struct Signed {
    bundle: PathBuf,
    keys: Vec<Verifier>,
    _dir: tempfile::TempDir,
}

fn wrong(what: &str, problem: impl ToString) -> AssuranceError {
    AssuranceError::Invalid {
        file: "a bundle of the suite".to_owned(),
        place: what.to_owned(),
        problem: problem.to_string(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, AssuranceError> {
    std::fs::read(path).map_err(|source| AssuranceError::Read { path: path.to_owned(), source })
}

fn signed(grounds: &Grounds<'_>) -> Result<Signed, AssuranceError> {
    let dir = tempfile::tempdir().map_err(|error| wrong("a directory for it", error))?;
    let log = dir.path().join("log.jsonl");
    let task = grounds.registry.task("throughput_sla").map_err(|error| wrong("its task", error))?;
    let metrics = grounds.registry.metrics();
    let run = BenchmarkRun {
        task,
        lab: grounds.bench.lab(),
        policy: &grounds.bench.policy,
        episodes: 1,
        base_seed: grounds.seed,
        timing: None,
        max_steps: Some(60),
        strict_signatures: false,
        threads: Some(1),
        metrics: &metrics,
        scale: None,
        cast: Cast::default(),
        git_sha: None,
    };
    let mut files = LogFiles::create(&log, &dir.path().join("results.json"), Beside::default())?;
    run.run(RunLogs::Files(&mut files), &|| ())?;
    files.persist()?;
    let signer = Signer::from_seed("suite", &[7; 32], false).map_err(|error| wrong("its key", error))?;
    let export = Export {
        log: &log,
        out: dir.path(),
        rules: Rules::Corrected,
        policy: Some(&grounds.bench.policy),
        partner: None,
        signer: Some(&signer),
    };
    let made = export.run(&RealDisk).map_err(|error| wrong("its making", error))?;
    Ok(Signed { bundle: made.bundle, keys: vec![signer.verifier()], _dir: dir })
}

impl Signed {
    /// Whether a verifier with the right key finds nothing.
    fn holds(&self, policy: &PolicyStore) -> bool {
        let verify =
            Verify { policy: Some(policy), policy_place: "the policy", trust: &self.keys, ..Verify::default() };
        verify.run(&self.bundle).passed()
    }

    /// The files below it, in the order of their names.
    fn files(&self) -> Result<Vec<PathBuf>, AssuranceError> {
        let (mut files, mut todo) = (Vec::new(), vec![self.bundle.clone()]);
        while let Some(dir) = todo.pop() {
            let entries =
                std::fs::read_dir(&dir).map_err(|source| AssuranceError::Read { path: dir.clone(), source })?;
            for entry in entries {
                let path = entry.map_err(|source| AssuranceError::Read { path: dir.clone(), source })?.path();
                if path.is_dir() { todo.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        Ok(files)
    }
}

/// The file with the last bit of a digit turned over, where it has one; else of its middle byte.
fn turned(bytes: &[u8]) -> Vec<u8> {
    let mut turned = bytes.to_vec();
    let middle = turned.len() / 2;
    let digit = (middle..turned.len()).chain(0..middle).find(|at| turned[*at].is_ascii_digit());
    if let Some(byte) = digit.or(Some(middle)).and_then(|at| turned.get_mut(at)) {
        *byte ^= 1;
    }
    turned
}

/// Whether a reader who takes what is there can read it.
fn is_readable(name: &Path, bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
    match name.extension().and_then(|extension| extension.to_str()) {
        Some("json") => is_json(text),
        Some("jsonl") => text.lines().all(is_json),
        _ => true,
    }
}

/// Every file of a bundle with one bit turned over. Without verification that is noticed only where the file cannot be read any more.
pub(super) fn turned_bits(grounds: &Grounds<'_>) -> Result<Trial, AssuranceError> {
    let signed = signed(grounds)?;
    let policy = &grounds.bench.policy;
    let files = signed.files()?;
    let courses = grounds.courses(|defences| {
        let mut came = Came::default();
        for path in &files {
            let before = read(path)?;
            // A file without anything in it has nothing to change.
            if before.is_empty() {
                continue;
            }
            let after = turned(&before);
            std::fs::write(path, &after).map_err(|error| wrong("a changed file", error))?;
            let noticed = if defences.has(OBSERVABILITY) { !signed.holds(policy) } else { !is_readable(path, &after) };
            std::fs::write(path, &before).map_err(|error| wrong("a changed file", error))?;
            came.add(&if noticed { Came::stopped("verify_bundle", "") } else { Came::passed() });
        }
        Ok(came)
    })?;
    Ok(Trial::of(Expected::Detected, courses, signed.holds(policy)))
}

/// The same bundle beside another registry of tools.
pub(super) fn other_registry(grounds: &Grounds<'_>) -> Result<Trial, AssuranceError> {
    const REGISTRY: &str = "tool_registry.v0.1.yaml";
    let signed = signed(grounds)?;
    let policy = &grounds.bench.policy;
    let mut registry: Value = policy.section_or_builtin(REGISTRY, None)?;
    if let Some(tool) = registry["tool_registry"]["tools"].as_array_mut().and_then(|tools| tools.first_mut()) {
        tool["capabilities"] = serde_json::json!(["lims.read", "lims.write"]);
    }
    let other = policy.with_text(REGISTRY, &registry.to_string());
    let courses = grounds.courses(|defences| {
        // Who does not recompute the fingerprint takes the bundle for one of this registry.
        let noticed = defences.has(OBSERVABILITY) && !signed.holds(&other);
        Ok(if noticed { Came::stopped("tool_registry_fingerprint", "") } else { Came::passed() })
    })?;
    let defences = grounds.defences(Course::All);
    Ok(Trial::each(Expected::Detected, courses, !defences.has(OBSERVABILITY) || signed.holds(policy)))
}

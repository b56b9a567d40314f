//! Whether the bytes of a file are those that somebody vouched for.
//!
//! Four places may hold the digest of a file: `MANIFEST.v0.1.json` of its directory, a file of its name with `.sha256` behind
//! it, the `run_manifest.json` beside it, and a signed in-toto statement (`*.dsse.json`) about it. Each that is there has to
//! agree. A manifest that does not name the file vouches for another directory than this one, so that is no agreement either.
//!
//! A statement is checked by the key that it names. Whose key that is, is known only to who says which keys are trusted: then a
//! statement by another key vouches for nothing, and what it is about is unverified.

use super::assess::{Flaw, Reason};
use labtrust_evidence::digest::sha256;
use labtrust_evidence::dsse::Envelope;
use labtrust_evidence::note::Verifier;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The list of all files of a directory.
pub const MANIFEST: &str = "MANIFEST.v0.1.json";
const RUN_MANIFEST: &str = "run_manifest.json";

/// What is vouched for in a directory.
#[derive(Clone, Debug, Default)]
pub struct Custody {
    dir: PathBuf,
    manifest: Option<BTreeMap<String, String>>,
    statements: Vec<Statement>,
    /// Why nothing here can be trusted.
    broken: Option<Reason>,
}

/// A signed statement about files.
#[derive(Clone, Debug)]
struct Statement {
    /// The file that it is in.
    name: String,
    /// Digests by file.
    subjects: BTreeMap<String, String>,
    /// Name and id of its key, where that is not one of those that are trusted.
    stranger: Option<String>,
}

/// A file that was opened, and whose digests agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its content.
    pub bytes: Vec<u8>,
    /// SHA-256 of the content.
    pub sha256: String,
    /// What vouched for it, sorted.
    pub verified_by: Vec<String>,
}

impl Custody {
    /// Reads what is vouched for in `dir`, by whatever key.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        Self::trusting(dir, None)
    }

    /// Reads what is vouched for in `dir`. With `trust`, statements count that were signed with one of these keys.
    #[must_use]
    pub fn trusting(dir: &Path, trust: Option<&[Verifier]>) -> Self {
        let mut custody = Self { dir: dir.to_path_buf(), ..Self::default() };
        match read_manifest(&dir.join(MANIFEST)) {
            Ok(manifest) => custody.manifest = manifest,
            Err(problem) => custody.broken = Some(Flaw::Unverified.because(format!("{MANIFEST}: {problem}"))),
        }
        let entries = std::fs::read_dir(dir).into_iter().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.retain(|name| name.ends_with(".dsse.json"));
        names.sort_unstable();
        for name in names {
            match read_statement(&dir.join(&name)) {
                Ok((key, subjects)) => {
                    let is_known = |keys: &[Verifier]| keys.iter().any(|one| one.public_b64() == key.public_b64());
                    let stranger = trust.is_some_and(|keys| !is_known(keys)).then(|| key_name(&key));
                    custody.statements.push(Statement { name, subjects, stranger });
                }
                Err(problem) => custody.broken = Some(Flaw::Unverified.because(format!("{name}: {problem}"))),
            }
        }
        custody
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether there is a file at `path`, which is relative and has `/` between its parts.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.dir.join(path).symlink_metadata().is_ok()
    }

    /// Opens a file and compares it with everything that vouches for it.
    ///
    /// # Errors
    /// Why it cannot be used: [`Flaw::Unreadable`], [`Flaw::Unverified`].
    pub fn open(&self, path: &str) -> Result<Opened, Reason> {
        if let Some(reason) = &self.broken {
            return Err(reason.clone());
        }
        let file = self.dir.join(path);
        // A link could lead to a file of another run.
        if !file.symlink_metadata().is_ok_and(|found| found.is_file()) {
            return Err(Flaw::Unreadable.because(format!("{path} is no file")));
        }
        let bytes = std::fs::read(&file).map_err(|error| Flaw::Unreadable.because(format!("{path}: {error}")))?;
        let digest = sha256(&bytes);
        let mut verified_by = Vec::new();
        let mut compare = |by: String, said: Option<&str>| match said {
            Some(said) if said == digest => {
                verified_by.push(by);
                Ok(())
            }
            Some(_) => Err(Flaw::Unverified.because(format!("{by} has another digest for {path}"))),
            None => Err(Flaw::Unverified.because(format!("{by} does not name {path}"))),
        };
        if let Some(manifest) = &self.manifest {
            compare(MANIFEST.to_owned(), manifest.get(path).map(String::as_str))?;
        }
        let beside = format!("{path}.sha256");
        if self.has(&beside) {
            let said = std::fs::read_to_string(self.dir.join(&beside)).unwrap_or_default();
            compare(beside, Some(said.split_whitespace().next().unwrap_or_default()))?;
        }
        if let Some(said) = self.run_manifest(path) {
            compare(RUN_MANIFEST.to_owned(), said.as_deref())?;
        }
        for Statement { name, subjects, stranger } in &self.statements {
            // A statement may be about some files only.
            let Some(said) = subjects.get(path) else { continue };
            if let Some(key) = stranger {
                return Err(
                    Flaw::Unverified.because(format!("{name} is signed with the key {key}, which is not trusted"))
                );
            }
            compare(name.clone(), Some(said))?;
        }
        verified_by.sort_unstable();
        Ok(Opened { bytes, sha256: digest, verified_by })
    }

    /// The digest of the run's own manifest: nothing where there is none, or where it is about other kinds of files.
    fn run_manifest(&self, path: &str) -> Option<Option<String>> {
        let file = self.dir.join(path);
        let name = file.file_name()?.to_str()?;
        let beside = file.with_file_name(RUN_MANIFEST);
        if name != "results.json" || beside.symlink_metadata().is_err() {
            return None;
        }
        let manifest: Value =
            std::fs::read(beside).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Some(manifest["outputs"][name].as_str().map(str::to_owned))
    }
}

fn read_manifest(path: &Path) -> Result<Option<BTreeMap<String, String>>, String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let manifest: Value = serde_json::from_slice(&bytes).map_err(|error| format!("it is no JSON: {error}"))?;
    let entry = |entry: &Value| Some((entry["path"].as_str()?.to_owned(), entry["sha256"].as_str()?.to_owned()));
    let files = manifest["files"].as_array().ok_or("it has no list of files")?;
    let listed: Option<BTreeMap<_, _>> = files.iter().map(entry).collect();
    let listed = listed.ok_or("an entry has no path and sha256")?;
    if listed.len() == files.len() { Ok(Some(listed)) } else { Err("a file is listed twice".to_owned()) }
}

/// Name and id of a key.
#[must_use]
pub fn key_name(key: &Verifier) -> String {
    format!("{} ({})", key.name(), key.id())
}

fn read_statement(path: &Path) -> Result<(Verifier, BTreeMap<String, String>), String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let envelope = Envelope::parse(&bytes).map_err(|error| error.to_string())?;
    envelope.verify().map_err(|error| error.to_string())?;
    let statement: Value = serde_json::from_slice(&envelope.statement).unwrap_or_default();
    let subject = |subject: &Value| {
        Some((subject["name"].as_str()?.to_owned(), subject["digest"]["sha256"].as_str()?.to_owned()))
    };
    let subjects = statement["subject"].as_array().into_iter().flatten().filter_map(subject).collect();
    Ok((envelope.key, subjects))
}

//! Releases: which artefacts there are, by digest, and whether all of them hold.
//!
//! `RELEASE_MANIFEST.v0.1.json` is the reference's. Beside it stands a statement about it, signed where a key is given:
//! what binds a release is then one signature over everything in it. Verification looks at every bundle, at every file
//! of `MANIFEST.v0.1.json`, and at what nobody lists.

use crate::derive::canonical_bytes;
use crate::digest::sha256;
use crate::disk::{Disk, DiskError, write_file};
use crate::dsse::{self, Envelope};
use crate::export::BUNDLE;
use crate::note::{Signer, Verifier};
use crate::verify::{Report, Verify};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The manifest of a release.
pub const RELEASE_MANIFEST: &str = "RELEASE_MANIFEST.v0.1.json";
/// The statement about it, signed.
pub const RELEASE_ENVELOPE: &str = "RELEASE_MANIFEST.v0.1.dsse.json";
/// Every file of a release.
pub const FILES: &str = "MANIFEST.v0.1.json";
const RISKS: &str = "RISK_REGISTER_BUNDLE.v0.1.json";
/// Type of the predicate of the statement.
pub const PREDICATE_TYPE: &str = "https://labtrust.org/release/v0.2";

/// Why a manifest could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// There is no such directory.
    #[error("{} is no directory", .0.display())]
    NoDirectory(PathBuf),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is nothing to list.
    #[error("{} has no receipts/*/{BUNDLE} with a manifest", .0.display())]
    NoBundles(PathBuf),
}

/// The bundles of a release, by their paths in it.
#[must_use]
pub fn bundles(release: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(release.join("receipts")) else { return Vec::new() };
    let mut labels: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    labels.sort_unstable();
    let path = |label: String| format!("receipts/{label}/{BUNDLE}");
    labels.into_iter().map(path).filter(|path| release.join(path).join("manifest.json").is_file()).collect()
}

/// Writes the manifest of a release, and the statement where there is a key.
///
/// # Errors
/// [`ReleaseError`].
pub fn build(disk: &dyn Disk, release: &Path, signer: Option<&Signer>) -> Result<Vec<PathBuf>, ReleaseError> {
    if !release.is_dir() {
        return Err(ReleaseError::NoDirectory(release.to_path_buf()));
    }
    let bundles = bundles(release);
    if bundles.is_empty() {
        return Err(ReleaseError::NoBundles(release.to_path_buf()));
    }
    let present = |name: &str| release.join(name).is_file().then(|| name.to_owned());
    let manifests = bundles.into_iter().map(|bundle| format!("{bundle}/manifest.json"));
    let paths: Vec<String> = present(FILES).into_iter().chain(manifests).chain(present(RISKS)).collect();
    let artefact = |path: &String| {
        let file = release.join(path);
        let bytes = std::fs::read(&file).map_err(|source| ReleaseError::Read { path: file, source })?;
        Ok(json!({ "path": path, "sha256": sha256(&bytes) }))
    };
    let artefacts = paths.iter().map(artefact).collect::<Result<Vec<_>, ReleaseError>>()?;
    let bytes = pretty(&json!({ "version": "0.1", "artifacts": artefacts }));
    let path = release.join(RELEASE_MANIFEST);
    write_file(disk, &path, &bytes)?;
    let mut written = vec![path];
    if let Some(signer) = signer {
        let path = release.join(RELEASE_ENVELOPE);
        write_file(disk, &path, &dsse::sign(&statement(&bytes, artefacts.len()), signer))?;
        written.push(path);
    }
    Ok(written)
}

fn statement(manifest: &[u8], artefacts: usize) -> Vec<u8> {
    dsse::statement(&[(RELEASE_MANIFEST, manifest)], PREDICATE_TYPE, &json!({ "artifacts": artefacts }))
}

/// JSON with an indent of two, sorted keys and nothing but ASCII, without a line feed at its end.
#[must_use]
pub fn pretty(value: &Value) -> Vec<u8> {
    let mut out = String::new();
    write_pretty(&mut out, value, 0);
    out.into_bytes()
}

fn write_pretty(out: &mut String, value: &Value, depth: usize) {
    let scalar = |value: &Value| String::from_utf8(canonical_bytes(value)).unwrap_or_default();
    let indent = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                indent(out, depth + 1);
                out.push_str(&scalar(&Value::String(key.clone())));
                out.push_str(": ");
                write_pretty(out, &map[key], depth + 1);
            }
            indent(out, depth);
            out.push('}');
        }
        Value::Array(list) if !list.is_empty() => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                indent(out, depth + 1);
                write_pretty(out, item, depth + 1);
            }
            indent(out, depth);
            out.push(']');
        }
        other => out.push_str(&scalar(other)),
    }
}

/// What verification of a release found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseReport {
    /// Every bundle with its report.
    pub bundles: Vec<(String, Report)>,
    /// What is wrong with the release itself.
    pub errors: Vec<String>,
    /// The trusted key that signed the manifest.
    pub signed_by: Option<String>,
}

impl ReleaseReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.errors.is_empty() && !self.bundles.is_empty() && self.bundles.iter().all(|(_, report)| report.passed())
    }
}

/// Verifies a release. `strict`: its manifest has to be there.
#[must_use]
pub fn verify(release: &Path, options: &Verify<'_>, strict: bool, trust: &[Verifier]) -> ReleaseReport {
    let mut report = ReleaseReport { bundles: Vec::new(), errors: Vec::new(), signed_by: None };
    for path in bundles(release) {
        let verified = options.run(&release.join(&path));
        if verified.receipts == 0 && verified.lines > 0 {
            report.errors.push(format!("{path} has {} log lines and no receipt", verified.lines));
        }
        report.bundles.push((path, verified));
    }
    if report.bundles.is_empty() {
        report.errors.push(format!("there is no receipts/*/{BUNDLE} with a manifest"));
    }
    artefacts(release, strict, options.allow_extra_files, &mut report);
    listed_files(release, options.allow_extra_files, &mut report.errors);
    attack_results(release, &mut report.errors);
    if !trust.is_empty() {
        match signed(release, trust) {
            Ok(name) => report.signed_by = Some(name),
            Err(problem) => report.errors.push(format!("{RELEASE_ENVELOPE}: {problem}")),
        }
    }
    report
}

/// The list of a manifest: paths and digests.
fn list(release: &Path, name: &str, key: &str) -> Result<Option<Vec<(String, String)>>, String> {
    let bytes = match std::fs::read(release.join(name)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{name}: {error}")),
    };
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| format!("{name}: invalid JSON: {error}"))?;
    let entry = |entry: &Value| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        text("path").zip(text("sha256"))
    };
    let entries = value.get(key).and_then(Value::as_array).ok_or(format!("{name}: it has no list {key}"))?;
    let entries: Option<Vec<_>> = entries.iter().map(entry).collect();
    entries.map(Some).ok_or(format!("{name}: an entry has no path and sha256"))
}

fn hold(release: &Path, name: &str, entries: &[(String, String)], errors: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (path, digest) in entries {
        let inside =
            !path.contains('\\') && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        let file = release.join(path);
        if !inside || !seen.insert(path) {
            errors.push(format!("{name}: not a path in the release, or listed twice: {path}"));
        } else if !file.symlink_metadata().is_ok_and(|found| found.is_file()) {
            errors.push(format!("{name}: missing file: {path}"));
        } else if std::fs::read(&file).is_ok_and(|bytes| sha256(&bytes) != *digest) {
            errors.push(format!("{name}: hash mismatch for {path}"));
        }
    }
}

/// The manifest of the release: every artefact holds, and every bundle is one of them.
fn artefacts(release: &Path, strict: bool, allow_extra: bool, report: &mut ReleaseReport) {
    let entries = match list(release, RELEASE_MANIFEST, "artifacts") {
        Ok(Some(entries)) => entries,
        Ok(None) if strict => return report.errors.push(format!("{RELEASE_MANIFEST}: missing")),
        Ok(None) => return,
        Err(problem) => return report.errors.push(problem),
    };
    hold(release, RELEASE_MANIFEST, &entries, &mut report.errors);
    for (bundle, _) in &report.bundles {
        let manifest = format!("{bundle}/manifest.json");
        if !allow_extra && !entries.iter().any(|(path, _)| *path == manifest) {
            report.errors.push(format!("{RELEASE_MANIFEST}: {bundle} is not listed"));
        }
    }
}

/// Every file of `MANIFEST.v0.1.json`, and those that it does not list.
fn listed_files(release: &Path, allow_extra: bool, errors: &mut Vec<String>) {
    let entries = match list(release, FILES, "files") {
        Ok(Some(entries)) => entries,
        Ok(None) => return,
        Err(problem) => return errors.push(problem),
    };
    hold(release, FILES, &entries, errors);
    if allow_extra {
        return;
    }
    let listed: BTreeSet<&str> = entries.iter().map(|(path, _)| path.as_str()).collect();
    let later = [FILES, RELEASE_MANIFEST, RELEASE_ENVELOPE, RISKS];
    let mut present = Vec::new();
    walk(release, "", &mut present);
    let extra = present.iter().filter(|path| !later.contains(&path.as_str()) && !listed.contains(path.as_str()));
    errors.extend(extra.map(|path| format!("{FILES}: unexpected file (not in manifest): {path}")));
}

fn walk(dir: &Path, prefix: &str, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_unstable();
    for name in names {
        let path = format!("{prefix}{name}");
        // `_repro` holds what a release was made of.
        if dir.join(&name).is_dir() && path != "_repro" {
            walk(&dir.join(&name), &format!("{path}/"), found);
        } else if path != "_repro" {
            found.push(path);
        }
    }
}

/// Results of attacks have their digest beside them.
fn attack_results(release: &Path, errors: &mut Vec<String>) {
    let below = std::fs::read_dir(release).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut places: Vec<PathBuf> = below.filter(|path| path.is_dir()).collect();
    places.sort_unstable();
    for place in std::iter::once(release.to_path_buf()).chain(places) {
        let file = place.join("SECURITY/attack_results.json");
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let name = file.strip_prefix(release).unwrap_or(&file).display().to_string();
        match std::fs::read_to_string(file.with_file_name("attack_results.json.sha256")) {
            Err(_) => errors.push(format!("{name}.sha256: missing")),
            Ok(digest) if digest.trim() != sha256(&bytes) => {
                errors.push(format!("{name}.sha256: it is not its digest"))
            }
            Ok(_) => {}
        }
    }
}

fn signed(release: &Path, trust: &[Verifier]) -> Result<String, String> {
    let envelope = std::fs::read(release.join(RELEASE_ENVELOPE)).map_err(|error| error.to_string())?;
    let envelope = Envelope::parse(&envelope).map_err(|error| error.to_string())?;
    envelope.verify().map_err(|error| error.to_string())?;
    let key = trust.iter().find(|trusted| trusted.public_b64() == envelope.key.public_b64());
    let key = key.ok_or(format!("it is signed with the key {}, which is not trusted", envelope.key.name()))?;
    let manifest = std::fs::read(release.join(RELEASE_MANIFEST)).map_err(|error| error.to_string())?;
    let count = list(release, RELEASE_MANIFEST, "artifacts")?.map_or(0, |entries| entries.len());
    if envelope.statement != statement(&manifest, count) {
        return Err(format!("it is not about this {RELEASE_MANIFEST}"));
    }
    Ok(key.name().to_owned())
}

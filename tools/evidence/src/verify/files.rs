//! The files of a bundle: which are listed, which are there, and whether their digests are right.

use super::Bundle;
use crate::chain::short;
use crate::digest::sha256;
use crate::export::{CHECKPOINT, ENVELOPE, LOG, MANIFEST, STATEMENT};
use crate::receipts::Rules;
use crate::strict;
use rayon::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A file other than the log that is longer is not read [bytes].
const MAX_FILE: u64 = 1 << 30;

/// What there is.
pub(super) struct Files {
    /// Digests that the manifest states, by path.
    pub(super) listed: BTreeMap<String, String>,
    /// Files that are there, by path.
    pub(super) present: BTreeSet<String>,
    /// Files whose digest is not the one that is stated, or that are not there: told once.
    pub(super) told: BTreeSet<String>,
}

/// Whether a file is named as a receipt is.
pub(super) fn is_receipt(name: &str) -> bool {
    name.starts_with("receipt_") && name.ends_with(".v0.1.json") && !name.contains('/')
}

/// Links could lead out of the bundle, and what they lead to could change.
pub(super) fn refuse_link(path: &Path) -> Result<(), String> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(format!("{name} is a symbolic link")),
        Ok(found) if !found.is_file() => Err(format!("{name} is no file")),
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// The bytes of a file of the bundle; `None` where there is none.
pub(super) fn read_plain(dir: &Path, name: &str) -> Result<Option<Vec<u8>>, String> {
    let path = dir.join(name);
    match std::fs::symlink_metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(found) if found.is_symlink() => return Err("it is a symbolic link".to_owned()),
        Ok(found) if !found.is_file() => return Err("it is no file".to_owned()),
        Ok(found) if found.len() > MAX_FILE => return Err(format!("it is longer than {MAX_FILE} bytes")),
        Ok(_) => {}
    }
    std::fs::read(&path).map(Some).map_err(|error| error.to_string())
}

/// What is said about a file whose digest is not the one that is listed.
pub(super) fn other_digest(path: &str, listed: &str, actual: &str) -> Option<String> {
    let told = || format!("manifest: hash mismatch for {path}: expected {}, got {}", short(listed), short(actual));
    (listed != actual).then(told)
}

/// Whether a path stays below the bundle and has one text.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', '\0'])
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

impl Bundle<'_> {
    /// Reads the list, looks at every file, and tells what is not as listed. The log is read later.
    pub(super) fn files(&self, errors: &mut Vec<String>) -> Files {
        let mut files = Files { listed: BTreeMap::new(), present: BTreeSet::new(), told: BTreeSet::new() };
        let entries = self.manifest.get("files").and_then(Value::as_array).into_iter().flatten();
        let mut in_order: Vec<&str> = Vec::new();
        let mut bad = Vec::new();
        for entry in entries {
            let text = |key: &str| entry.get(key).and_then(Value::as_str);
            let (Some(path), Some(digest)) = (text("path"), text("sha256")) else {
                bad.push("manifest: an entry of files has no path and sha256".to_owned());
                continue;
            };
            if !is_inside(path) || path == MANIFEST {
                bad.push(format!("manifest: not a path of a file in the bundle: {path}"));
            } else if files.listed.insert(path.to_owned(), digest.to_owned()).is_some() {
                bad.push(format!("manifest: listed twice: {path}"));
            } else {
                in_order.push(path);
            }
        }
        walk(self.dir, "", &mut files.present, &mut bad);
        let digests: Vec<Option<String>> = in_order
            .par_iter()
            .map(|path| {
                let here = *path != LOG && files.present.contains(*path);
                if here { self.digest(path, &files.listed[*path]) } else { None }
            })
            .collect();
        for (path, wrong) in in_order.into_iter().zip(digests) {
            if !files.present.contains(path) {
                if !bad.iter().any(|told| told.ends_with(&format!(": {path}"))) {
                    errors.push(format!("manifest: missing file: {path}"));
                }
                files.told.insert(path.to_owned());
            } else if let Some(wrong) = wrong {
                errors.push(wrong);
                files.told.insert(path.to_owned());
            }
        }
        errors.append(&mut bad);
        if !self.options.allow_extra_files {
            let own = |path: &str| {
                let sealed = [STATEMENT, ENVELOPE, CHECKPOINT].contains(&path) && self.rules == Rules::Corrected;
                path == MANIFEST || sealed
            };
            let extra = files.present.iter().filter(|path| !own(path) && !files.listed.contains_key(*path));
            errors.extend(extra.map(|path| format!("manifest: unexpected file (not in manifest): {path}")));
        }
        files
    }

    /// What is wrong with a file whose digest should be the listed one.
    fn digest(&self, path: &str, listed: &str) -> Option<String> {
        match read_plain(self.dir, path) {
            Ok(Some(bytes)) => other_digest(path, listed, &sha256(&bytes)),
            Ok(None) => Some(format!("manifest: missing file: {path}")),
            Err(problem) => Some(format!("{path}: {problem}")),
        }
    }

    /// A JSON file that is listed and whose digest is right, or that nobody lists.
    pub(super) fn json(&self, name: &str, files: &Files, errors: &mut Vec<String>) -> Option<Value> {
        if !files.present.contains(name) {
            return None;
        }
        let read = read_plain(self.dir, name).and_then(|bytes| {
            let bytes = bytes.ok_or("it is not there")?;
            serde_json::from_slice(&bytes).map_err(|error| format!("invalid JSON: {error}"))
        });
        read.map_err(|problem| errors.push(format!("{name}: {problem}"))).ok()
    }

    /// Tells when a file is not written canonically, with a line feed at its end.
    pub(super) fn canonical_file(name: &str, bytes: &[u8], errors: &mut Vec<String>) {
        match bytes.split_last() {
            Some((b'\n', text)) => {
                if let Err(error) = strict::check(text) {
                    errors.push(format!("{name}: {error}"));
                }
            }
            _ => errors.push(format!("{name}: it does not end with a line feed")),
        }
    }
}

/// Every file below a directory.
fn walk(dir: &Path, prefix: &str, present: &mut BTreeSet<String>, bad: &mut Vec<String>) {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => return bad.push(format!("cannot read {prefix}: {error}")),
    };
    let mut entries: Vec<_> = entries.filter_map(Result::ok).map(|entry| (entry.file_name(), entry)).collect();
    entries.sort_by(|(one, _), (two, _)| one.cmp(two));
    for (name, entry) in entries {
        let Some(text) = name.to_str() else {
            bad.push(format!("manifest: a file's name is not UTF-8: {}", name.to_string_lossy()));
            continue;
        };
        let path = format!("{prefix}{text}");
        match entry.file_type() {
            Ok(found) if found.is_symlink() => bad.push(format!("manifest: a symbolic link: {path}")),
            Ok(found) if found.is_dir() => walk(&dir.join(&name), &format!("{path}/"), present, bad),
            Ok(found) if found.is_file() => drop(present.insert(path)),
            Ok(_) => bad.push(format!("manifest: neither file nor directory: {path}")),
            Err(error) => bad.push(format!("{path}: {error}")),
        }
    }
}

//! What every release ends with: what it is, what the program was built of, the digest of every file, and the proof that all of
//! it holds.

use crate::{Ground, PackError, page};
use labtrust_bench::files::write_whole;
use labtrust_evidence::digest::sha256;
use labtrust_evidence::disk::RealDisk;
use labtrust_evidence::release::{FILES, build, pretty, verify};
use labtrust_evidence::verify::Verify;
use serde_json::{Value, json};
use std::path::Path;

/// What a release was made of, where it is kept.
pub const MADE_OF: &str = "_repro";
/// What was done; the mark of a directory that may be replaced.
pub const METADATA: &str = "metadata.json";

/// The names in a directory, in order.
pub(crate) fn names(dir: &Path) -> Result<Vec<String>, PackError> {
    let fail = |source| PackError::Read { path: dir.to_path_buf(), source };
    let entries = std::fs::read_dir(dir).map_err(fail)?;
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_unstable();
    Ok(names)
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, PackError> {
    std::fs::read(path).map_err(|source| PackError::Read { path: path.to_path_buf(), source })
}

pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), PackError> {
    write_whole(to, &read(from)?)?;
    Ok(())
}

/// Takes a directory or a file away.
pub(crate) fn remove(path: &Path) -> Result<(), PackError> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    removed.map_err(|source| PackError::Read { path: path.to_path_buf(), source })
}

/// What a release is; `further` says what only one profile has.
pub(crate) fn metadata(ground: &Ground<'_>, profile: &str, seed_base: u64, further: Value) -> Result<Value, PackError> {
    let mut metadata = json!({
        "profile": profile,
        "seed_base": seed_base,
        "timestamp": page::stamp(seed_base),
        "git_sha": ground.git_sha,
        "program_version": env!("CARGO_PKG_VERSION"),
        "partner_id": ground.policy.partner(),
        "policy_fingerprint": ground.policy.policy_fingerprint()?,
        "pipeline_mode": "deterministic",
        "allow_network": false,
        "llm_backend_id": "none",
        "llm_model_id": null,
    });
    if let (Some(metadata), Value::Object(further)) = (metadata.as_object_mut(), further) {
        metadata.extend(further);
    }
    Ok(metadata)
}

/// What the program was built of.
pub(crate) fn environment(ground: &Ground<'_>, out: &Path) -> Result<(), PackError> {
    write_whole(&out.join("ENV/deps_inventory.json"), &pretty(ground.inventory))?;
    write_whole(&out.join("ENV/git.json"), &pretty(&json!({ "git_sha": ground.git_sha })))?;
    Ok(())
}

/// The digest of every file that is there.
///
/// # Errors
/// [`PackError::Read`], [`PackError::Bench`], [`PackError::Release`].
pub fn manifest(out: &Path) -> Result<(), PackError> {
    let mut files = Vec::new();
    walk(out, "", &mut files)?;
    let list: Vec<Value> = files.iter().map(|(path, sha256)| json!({ "path": path, "sha256": sha256 })).collect();
    write_whole(&out.join(FILES), &pretty(&json!({ "version": "0.1", "files": list })))?;
    build(&RealDisk, out, None)?;
    Ok(())
}

fn walk(dir: &Path, prefix: &str, files: &mut Vec<(String, String)>) -> Result<(), PackError> {
    for name in names(dir)? {
        let (path, at) = (format!("{prefix}{name}"), dir.join(&name));
        // What a release was made of is not part of it.
        match at.is_dir() {
            true if path == MADE_OF => {}
            true => walk(&at, &format!("{path}/"), files)?,
            false => files.push((path, sha256(&read(&at)?))),
        }
    }
    Ok(())
}

/// Every bundle and every listed file holds.
pub(crate) fn hold(ground: &Ground<'_>, out: &Path) -> Result<(), PackError> {
    let place = ground.policy.source().to_string();
    let options = Verify {
        policy: Some(ground.policy),
        policy_place: &place,
        strict_fingerprints: true,
        replay: ground.replay,
        ..Verify::default()
    };
    let report = verify(out, &options, true, &[]);
    let of_bundles = report.bundles.iter().filter_map(|(path, one)| Some(format!("{path}: {}", one.errors.first()?)));
    let wrong: Vec<String> = of_bundles.chain(report.errors.iter().cloned()).collect();
    if wrong.is_empty() { Ok(()) } else { Err(PackError::NotGood(wrong.join("; "))) }
}

//! Transparency logs: which episodes there were, in an order that nobody can change later.
//!
//! Version 0.1 is the reference's: digests of episodes under a tree that repeats its last leaf, rebuilt each time. Beside
//! it stands version 0.2: the same digests as leaves of an RFC 6962 tree, with inclusion proofs, a consistency proof from
//! the log that was there before, and a signed checkpoint. A log goes on from the older one or is refused.

use crate::checkpoint::Checkpoint;
use crate::derive::canonical_bytes;
use crate::digest::{hex, sha256, unhex};
use crate::disk::{Disk, DiskError, NewDirectory};
use crate::merkle::{self, Hash};
use crate::note::{Note, NoteError, Signer, Verifier};
use crate::strict;
use labtrust_trust::canonical;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Name of the directory of a log.
pub const DIRECTORY: &str = "TRANSPARENCY_LOG";
/// Origin of checkpoints, after the name of the key.
const LOG_NAME: &str = "transparency-log";

/// Why there is no log, or why it does not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransparencyError {
    /// A file cannot be used.
    #[error("{}: {problem}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The log that is there says something else than the new one would.
    #[error("entry {index} of the log is {older}, and would become {newer}: a log only grows")]
    Rewrites {
        /// Which entry, from 0.
        index: usize,
        /// Id and digest.
        older: String,
        /// The same of the new log, or `nothing`.
        newer: String,
    },
    /// Something cannot be written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Something cannot be signed or is not signed.
    #[error(transparent)]
    Note(#[from] NoteError),
}

fn wrong(path: &Path, problem: impl Into<String>) -> TransparencyError {
    TransparencyError::File { path: path.to_path_buf(), problem: problem.into() }
}

/// An episode of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Episode {
    /// As the reference names it.
    id: String,
    /// Task, place in the run and seed: unique.
    unique: String,
    digest: Hash,
    parts: [String; 3],
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The directory.
    pub directory: PathBuf,
    /// Episodes [count].
    pub entries: usize,
    /// Episodes of the log that was there before [count].
    pub older: usize,
}

fn read(path: &Path) -> Result<Vec<u8>, TransparencyError> {
    std::fs::read(path).map_err(|error| wrong(path, error.to_string()))
}

fn json_file(path: &Path) -> Result<Value, TransparencyError> {
    serde_json::from_slice(&read(path)?).map_err(|error| wrong(path, format!("not JSON: {error}")))
}

/// The name of a file for an id: as the reference's receipts have it.
fn safe(id: &str) -> String {
    id.chars().map(|c| if c.is_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
}

/// The episodes below `input/_repr`, tasks in the order of their names.
fn episodes(input: &Path) -> Result<Vec<Episode>, TransparencyError> {
    let base = input.join("_repr");
    let mut tasks: Vec<String> = match std::fs::read_dir(&base) {
        Ok(entries) => entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && input.is_dir() => Vec::new(),
        Err(error) => return Err(wrong(&base, error.to_string())),
    };
    tasks.sort_unstable();
    let mut all = Vec::new();
    for task in tasks {
        let dir = base.join(&task);
        let (results, log) = (dir.join("results.json"), dir.join("episodes.jsonl"));
        if !results.is_file() || !log.is_file() {
            continue;
        }
        let results = json_file(&results)?;
        let log = lines_digest(&read(&log)?);
        let manifest = input.join("receipts").join(&task).join(crate::export::BUNDLE).join("manifest.json");
        let bundle = match manifest.is_file() {
            true => sha256(&canonical_bytes(&json_file(&manifest)?)),
            false => sha256(b""),
        };
        let list = results.get("episodes").and_then(Value::as_array).cloned().unwrap_or_default();
        for (index, episode) in list.iter().enumerate() {
            let empty = || json!({});
            let block = json!({
                "seed": episode.get("seed").cloned().unwrap_or_default(),
                "metrics": episode.get("metrics").cloned().unwrap_or_else(empty),
            });
            let result = canonical::fingerprint(&block).map_err(|error| wrong(&dir, error.to_string()))?;
            let seed = episode.get("seed").map(ToString::to_string).unwrap_or_default();
            let digest = Sha256::digest(format!("{result}\n{log}\n{bundle}")).into();
            let id = if list.len() == 1 { task.clone() } else { format!("{task}_{seed}") };
            let unique = format!("{task}_{index}_{seed}");
            all.push(Episode { id, unique, digest, parts: [result, log.clone(), bundle.clone()] });
        }
    }
    Ok(all)
}

/// Hash over the hashes of the lines that are not blank.
fn lines_digest(log: &[u8]) -> String {
    let mut digest = Sha256::new();
    for line in log.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
    {
        digest.update(Sha256::digest(line));
    }
    hex(&digest.finalize())
}

/// The reference's tree: leaves as they are, padded with the last to a power of two.
fn padded(leaves: &[Hash]) -> Vec<Vec<Hash>> {
    let mut level = leaves.to_vec();
    if let Some(last) = leaves.last() {
        level.resize(leaves.len().next_power_of_two(), *last);
    }
    let mut levels = vec![level];
    while levels.last().is_some_and(|level| level.len() > 1) {
        let pair = |pair: &[Hash]| Sha256::new().chain_update(pair[0]).chain_update(pair[1]).finalize().into();
        let next = levels.last().map(|level| level.chunks_exact(2).map(pair).collect());
        levels.extend(next);
    }
    levels
}

/// Root of the reference's tree.
#[must_use]
pub fn padded_root(leaves: &[Hash]) -> Hash {
    padded(leaves).last().and_then(|level| level.first().copied()).unwrap_or_else(merkle::empty_root)
}

/// Siblings from the leaf to the root of the reference's tree.
#[must_use]
pub fn padded_proof(leaves: &[Hash], index: usize) -> Vec<Value> {
    let levels = padded(leaves);
    let sibling = |(depth, level): (usize, &Vec<Hash>)| {
        let at = index >> depth;
        let position = if at % 2 == 1 { "left" } else { "right" };
        json!({ "hash": hex(&level[at ^ 1]), "position": position })
    };
    levels.iter().enumerate().take(levels.len() - 1).map(sibling).collect()
}

/// Makes the log of what is below `input`, in `out`.
///
/// # Errors
/// [`TransparencyError`]; the log that was there is then what it was.
pub fn make(disk: &dyn Disk, input: &Path, out: &Path, signer: Option<&Signer>) -> Result<Made, TransparencyError> {
    if !input.is_dir() {
        return Err(wrong(input, "it is no directory"));
    }
    let episodes = episodes(input)?;
    let target = out.join(DIRECTORY);
    let older = older_leaves(&target)?;
    for (index, (id, digest)) in older.iter().enumerate() {
        let same = episodes.get(index).is_some_and(|now| now.unique == *id && now.digest == *digest);
        if !same {
            let tell = |id: &str, digest: &Hash| format!("{id} {}...", &hex(digest)[..16]);
            let newer = episodes.get(index).map_or("nothing".to_owned(), |now| tell(&now.unique, &now.digest));
            return Err(TransparencyError::Rewrites { index, older: tell(id, digest), newer });
        }
    }
    let mut directory = NewDirectory::begin(disk, &target)?;
    write_published(&mut directory, &episodes)?;
    write_tree(&mut directory, &episodes, older.len(), signer)?;
    if let Some(live) = llm_live(&input.join("baselines/results"))? {
        directory.write("llm_live.json", &line(&live))?;
    }
    directory.finish()?;
    Ok(Made { directory: target, entries: episodes.len(), older: older.len() })
}

fn line(value: &Value) -> Vec<u8> {
    [canonical_bytes(value).as_slice(), b"\n"].concat()
}

/// Version 0.1, byte by byte.
fn write_published(directory: &mut NewDirectory<'_>, episodes: &[Episode]) -> Result<(), TransparencyError> {
    let leaves: Vec<Hash> = episodes.iter().map(|episode| episode.digest).collect();
    let root = hex(&padded_root(&leaves));
    let entry = |episode: &Episode| {
        let [results, log, bundle] = &episode.parts;
        json!({
            "episode_id": episode.id, "digest": hex(&episode.digest), "version": "0.1",
            "metadata": {
                "results_episode_sha256": results, "episodes_jsonl_sha256": log, "evidence_bundle_manifest_sha256": bundle,
            },
        })
    };
    let entries: Vec<Value> = episodes.iter().map(entry).collect();
    let log = json!({ "version": "0.1", "digest_version": "0.1", "root": root, "entries": entries });
    directory.write("log.json", &line(&log))?;
    directory.write("root.txt", format!("{root}\n").as_bytes())?;
    let proofs: BTreeMap<String, Value> = (0..)
        .zip(episodes)
        .map(|(index, episode)| {
            let proof = json!({
                "episode_id": episode.id, "digest": hex(&episode.digest), "leaf_index": index, "root": root,
                "siblings": padded_proof(&leaves, index),
            });
            (format!("proofs/{}.json", safe(&episode.id)), proof)
        })
        .collect();
    for (name, proof) in proofs {
        directory.write(&name, &line(&proof))?;
    }
    Ok(())
}

/// Version 0.2.
fn write_tree(
    directory: &mut NewDirectory<'_>,
    episodes: &[Episode],
    older: usize,
    signer: Option<&Signer>,
) -> Result<(), TransparencyError> {
    let leaves: Vec<Hash> = episodes.iter().map(leaf).collect();
    let root = merkle::root(&leaves);
    let entry = |episode: &Episode| json!({ "episode_id": episode.unique, "digest": hex(&episode.digest) });
    let proof = |proof: Option<Vec<Hash>>| proof.unwrap_or_default().iter().map(|hash| hex(hash)).collect::<Vec<_>>();
    let log = json!({
        "version": "0.2",
        "size": leaves.len(),
        "root": hex(&root),
        "entries": episodes.iter().map(entry).collect::<Vec<_>>(),
        "inclusion": (0..leaves.len()).map(|index| proof(merkle::inclusion_proof(&leaves, index))).collect::<Vec<_>>(),
        "consistency": {
            "from_size": older, "from_root": hex(&merkle::root(&leaves[..older])),
            "proof": proof(merkle::consistency_proof(&leaves, older)),
        },
    });
    directory.write("log.v0.2.json", &line(&log))?;
    if let Some(signer) = signer {
        let size = leaves.len() as u64;
        let checkpoint = Checkpoint { origin: format!("{}/{LOG_NAME}", signer.name()), size, root };
        directory.write("checkpoint", checkpoint.sign(signer)?.as_bytes())?;
    }
    Ok(())
}

fn leaf(episode: &Episode) -> Hash {
    leaf_of(&episode.unique, &episode.digest)
}

fn leaf_of(id: &str, digest: &Hash) -> Hash {
    merkle::leaf_hash(&canonical_bytes(&json!({ "digest": hex(digest), "episode_id": id })))
}

/// Ids and digests of the log that is there.
fn older_leaves(directory: &Path) -> Result<Vec<(String, Hash)>, TransparencyError> {
    let path = directory.join("log.v0.2.json");
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let log = json_file(&path)?;
    entries(&log).ok_or_else(|| wrong(&path, "its entries are not ids with digests"))
}

fn entries(log: &Value) -> Option<Vec<(String, Hash)>> {
    let entry =
        |entry: &Value| Some((entry.get("episode_id")?.as_str()?.to_owned(), unhex(entry.get("digest")?.as_str()?)?));
    log.get("entries")?.as_array()?.iter().map(entry).collect()
}

/// What verification of a log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Everything that is wrong.
    pub errors: Vec<String>,
    /// Episodes [count].
    pub entries: usize,
    /// The trusted key that signed the checkpoint.
    pub signed_by: Option<String>,
    /// Entries of the older checkpoint that the log goes on from [count].
    pub since: Option<u64>,
}

/// Verifies the log in `directory`: both forms, every proof, the checkpoint where a key is trusted, and that it goes on
/// from an older checkpoint where one is given. With `input`, what it is about as well.
///
/// # Errors
/// [`TransparencyError`] when a file cannot be read at all.
pub fn verify(
    directory: &Path,
    input: Option<&Path>,
    trust: &[Verifier],
    since: Option<&[u8]>,
) -> Result<Verified, TransparencyError> {
    let mut found = Verified { errors: Vec::new(), entries: 0, signed_by: None, since: None };
    let path = directory.join("log.v0.2.json");
    let bytes = read(&path)?;
    if bytes.strip_suffix(b"\n").is_none_or(|text| strict::check(text).is_err()) {
        found.errors.push("log.v0.2.json: it is not canonical JSON with a line feed".to_owned());
    }
    let log = json_file(&path)?;
    let known = entries(&log).ok_or_else(|| wrong(&path, "its entries are not ids with digests"))?;
    found.entries = known.len();
    let ids: BTreeSet<&String> = known.iter().map(|(id, _)| id).collect();
    if ids.len() < known.len() {
        found.errors.push("log.v0.2.json: an episode is there twice".to_owned());
    }
    let leaves: Vec<Hash> = known.iter().map(|(id, digest)| leaf_of(id, digest)).collect();
    let root = merkle::root(&leaves);
    proofs(&log, &leaves, &root, &mut found.errors);
    published(directory, &known, &mut found.errors)?;
    if let Some(input) = input {
        let made: Vec<(String, Hash)> = episodes(input)?.into_iter().map(|one| (one.unique, one.digest)).collect();
        if made != known {
            found.errors.push("the log is not about these episodes".to_owned());
        }
    }
    let checkpoint = directory.join("checkpoint");
    if !trust.is_empty() {
        match signed(&checkpoint, trust) {
            Ok((name, state)) if state.size == leaves.len() as u64 && state.root == root => {
                found.signed_by = Some(name)
            }
            Ok(_) => found.errors.push("checkpoint: it is of another state of the log".to_owned()),
            Err(problem) => found.errors.push(format!("checkpoint: {problem}")),
        }
    }
    if let Some(since) = since {
        let older = Note::parse(since)
            .and_then(|note| note.verify(trust).map(|good| (!good.is_empty(), note.text().to_owned())))
            .and_then(|(good, text)| Checkpoint::parse_text(&text).map(|checkpoint| (good, checkpoint)));
        match older {
            Err(error) => found.errors.push(format!("the older checkpoint: {error}")),
            Ok((false, _)) => found.errors.push("the older checkpoint is not signed with a trusted key".to_owned()),
            Ok((true, older)) => {
                let beginning = usize::try_from(older.size).ok().and_then(|size| leaves.get(..size));
                if beginning.is_some_and(|beginning| merkle::root(beginning) == older.root) {
                    found.since = Some(older.size);
                } else {
                    found.errors.push(format!("the log does not go on from its first {} entries", older.size));
                }
            }
        }
    }
    Ok(found)
}

fn signed(path: &Path, trust: &[Verifier]) -> Result<(String, Checkpoint), String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let note = Note::parse(&bytes).map_err(|error| error.to_string())?;
    let good = note.verify(trust).map_err(|error| error.to_string())?;
    let key = good.first().ok_or("it is not signed with a trusted key")?;
    let checkpoint = Checkpoint::parse_text(note.text()).map_err(|error| error.to_string())?;
    if checkpoint.origin != format!("{}/{LOG_NAME}", key.name()) {
        return Err(format!("it is of another log, {}", checkpoint.origin));
    }
    Ok((key.name().to_owned(), checkpoint))
}

/// Size, root and every proof.
fn proofs(log: &Value, leaves: &[Hash], root: &Hash, errors: &mut Vec<String>) {
    let mut tell = |what: &str| errors.push(format!("log.v0.2.json: {what}"));
    let size = leaves.len() as u64;
    if log.get("size").and_then(Value::as_u64) != Some(size)
        || log.get("root").and_then(Value::as_str) != Some(&hex(root))
    {
        tell("size or root is not that of its entries");
    }
    let list = |value: Option<&Value>| -> Option<Vec<Hash>> {
        value?.as_array()?.iter().map(|hash| unhex(hash.as_str()?)).collect()
    };
    let inclusion = log.get("inclusion").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let holds = |(index, proof): (u64, &Value)| {
        let leaf = usize::try_from(index).ok().and_then(|index| leaves.get(index));
        leaf.zip(list(Some(proof)))
            .is_some_and(|(leaf, proof)| merkle::verify_inclusion(leaf, index, size, &proof, root))
    };
    if inclusion.len() != leaves.len() || !(0..).zip(inclusion).all(holds) {
        tell("a proof of inclusion does not hold");
    }
    let from = log.get("consistency");
    let part = |key: &str| from.and_then(|from| from.get(key));
    let old_root = part("from_root").and_then(|root| unhex(root.as_str()?));
    let old = part("from_size").and_then(Value::as_u64).zip(old_root).zip(list(part("proof")));
    let consistent =
        old.is_some_and(|((old, old_root), proof)| merkle::verify_consistency(old, size, &proof, &old_root, root));
    if !consistent {
        tell("the proof of consistency does not hold");
    }
    let keys = ["consistency", "entries", "inclusion", "root", "size", "version"];
    let whole = log.as_object().is_some_and(|map| map.keys().map(String::as_str).eq(keys));
    let same = |of: Option<&Value>, keys: &[&str]| {
        of.and_then(Value::as_object).is_some_and(|map| map.keys().map(String::as_str).eq(keys.iter().copied()))
    };
    let entries = log.get("entries").and_then(Value::as_array).into_iter().flatten();
    let plain = entries.into_iter().all(|entry| same(Some(entry), &["digest", "episode_id"]));
    let version = log.get("version").and_then(Value::as_str) == Some("0.2");
    if !whole || !plain || !version || !same(from, &["from_root", "from_size", "proof"]) {
        tell("it has other keys than a log of version 0.2");
    }
}

/// The files of version 0.1 say the same.
fn published(directory: &Path, known: &[(String, Hash)], errors: &mut Vec<String>) -> Result<(), TransparencyError> {
    let log = json_file(&directory.join("log.json"))?;
    let digests: Vec<Hash> = known.iter().map(|(_, digest)| *digest).collect();
    let stated: Option<Vec<Hash>> = log
        .get("entries")
        .and_then(Value::as_array)
        .and_then(|list| list.iter().map(|entry| unhex(entry.get("digest")?.as_str()?)).collect());
    let root = hex(&padded_root(&digests));
    if stated.as_ref() != Some(&digests) || log.get("root").and_then(Value::as_str) != Some(&root) {
        errors.push("log.json: it is not about the same episodes".to_owned());
    }
    if read(&directory.join("root.txt"))? != format!("{root}\n").as_bytes() {
        errors.push("root.txt: it is not the root of log.json".to_owned());
    }
    Ok(())
}

/// What language models cost, summed up over the results of a live run; `None` where there are none.
fn llm_live(directory: &Path) -> Result<Option<Value>, TransparencyError> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Ok(None) };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort_unstable();
    let (mut hashes, mut registry, mut per_task) = (BTreeSet::new(), Value::Null, Map::new());
    let (mut backend, mut model) = (Value::Null, Value::Null);
    let mut figures: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for path in files {
        let results = json_file(&path)?;
        let metadata = results.get("metadata").cloned().unwrap_or_default();
        let prompt = ["prompt_fingerprint", "prompt_sha256"].iter().find_map(|key| metadata.get(*key)?.as_str());
        hashes.extend(prompt.map(str::to_owned));
        if registry.is_null() {
            registry = results.get("tool_registry_fingerprint").cloned().unwrap_or_default();
        }
        for (slot, key) in [(&mut backend, "llm_backend_id"), (&mut model, "llm_model_id")] {
            let found = metadata.get(key).or_else(|| results.get(key)).filter(|value| !value.is_null());
            *slot = found.cloned().unwrap_or_else(|| slot.take());
        }
        let mut own = Map::new();
        for (name, keys) in [
            ("mean_latency_ms", &["mean_latency_ms", "mean_llm_latency_ms"][..]),
            ("p95_latency_ms", &["p95_latency_ms", "p95_llm_latency_ms"]),
            ("total_tokens", &["total_tokens"]),
            ("estimated_cost_usd", &["estimated_cost_usd"]),
        ] {
            // One of the two names, never both.
            if let Some(value) = keys.iter().find_map(|key| metadata.get(*key)?.as_f64()) {
                own.insert(name.to_owned(), json!(value));
                figures.entry(name).or_default().push(value);
            }
        }
        let task = results.get("task").and_then(Value::as_str).unwrap_or("unknown").to_owned();
        per_task.insert(task, Value::Object(own));
    }
    let sums = figures.iter().map(|(name, values)| {
        let sum: f64 = values.iter().sum();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "a handful of tasks")]
        let mean = sum / values.len() as f64;
        ((*name).to_owned(), json!({ "min": least, "max": most, "mean": mean, "sum": sum }))
    });
    Ok(Some(json!({
        "version": "0.1",
        "prompt_hashes": hashes,
        "tool_registry_fingerprint": registry,
        "model_version_identifiers": { "llm_backend_id": backend, "llm_model_id": model },
        "latency_and_cost_statistics": sums.collect::<Map<_, _>>(),
        "per_task": per_task,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    fn run(dir: &Path, task: &str, seeds: &[u64]) {
        let at = dir.join("_repr").join(task);
        std::fs::create_dir_all(&at).unwrap();
        let episodes: Vec<Value> = seeds.iter().map(|seed| json!({ "seed": seed, "metrics": { "x": seed } })).collect();
        std::fs::write(at.join("results.json"), json!({ "episodes": episodes }).to_string()).unwrap();
        std::fs::write(at.join("episodes.jsonl"), "{}\n").unwrap();
    }

    #[test]
    fn a_log_grows_and_is_never_rewritten() {
        let dir = tempfile::tempdir().unwrap();
        let signer = Signer::from_seed("example.org", &[3; 32], false).unwrap();
        let keys = [signer.verifier()];
        let make = || make(&RealDisk, dir.path(), dir.path(), Some(&signer));
        let log = dir.path().join(DIRECTORY);
        run(dir.path(), "b", &[1, 2, 2]);
        make().unwrap();
        let older = std::fs::read(log.join("checkpoint")).unwrap();
        run(dir.path(), "c", &[7]);
        assert_eq!(make().unwrap().older, 3);
        let verified = verify(&log, Some(dir.path()), &keys, Some(&older)).unwrap();
        assert_eq!((verified.errors.as_slice(), verified.since, verified.entries), (&[][..], Some(3), 4));
        // A task whose name comes first would stand before what is there.
        run(dir.path(), "a", &[1]);
        assert!(matches!(make(), Err(TransparencyError::Rewrites { index: 0, .. })));
        std::fs::remove_dir_all(dir.path().join("_repr/a")).unwrap();
        run(dir.path(), "b", &[1, 9, 2]);
        assert!(matches!(make(), Err(TransparencyError::Rewrites { index: 1, .. })));
        assert!(!verify(&log, Some(dir.path()), &keys, None).unwrap().errors.is_empty());
    }

    #[test]
    fn every_flipped_bit_of_a_signed_log_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let signer = Signer::from_seed("example.org", &[3; 32], false).unwrap();
        run(dir.path(), "b", &[1, 2]);
        make(&RealDisk, dir.path(), dir.path(), Some(&signer)).unwrap();
        let log = dir.path().join(DIRECTORY);
        for name in ["log.v0.2.json", "checkpoint", "root.txt"] {
            let bytes = std::fs::read(log.join(name)).unwrap();
            for at in 0..bytes.len() {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << (at % 8);
                std::fs::write(log.join(name), flipped).unwrap();
                let verified = verify(&log, None, &[signer.verifier()], None);
                assert!(!verified.is_ok_and(|found| found.errors.is_empty()), "{name} byte {at}");
            }
            std::fs::write(log.join(name), bytes).unwrap();
        }
    }
}

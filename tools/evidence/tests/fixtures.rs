//! The published bundles of the reference: its form comes out byte by byte, and its tampered bundles are refused.

use labtrust_evidence::disk::RealDisk;
use labtrust_evidence::export::{BUNDLE, Export, signature_block};
use labtrust_evidence::note::Signer;
use labtrust_evidence::receipts::Rules;
use labtrust_policy::PolicyStore;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The published samples, or `None` after a line that says that they are not here.
fn reference() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference");
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!("skipped: the reference's samples are not at ../shared/reference");
    None
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        files.insert(entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap());
    }
    files
}

/// Exports `log` in the reference's form and compares with the bundle below `expected`; files named in `without` are
/// not among the samples.
fn comes_out(root: &Path, log: &str, expected: &str, partner: Option<&str>, without: &[&str]) {
    let out = tempfile::tempdir().unwrap();
    let policy = partner.map(|_| PolicyStore::open(&root.join("policy")).unwrap());
    let export = Export {
        log: &root.join("outputs").join(log),
        out: out.path(),
        rules: Rules::Reference,
        policy: policy.as_ref(),
        partner,
        signer: None,
    };
    export.run(&RealDisk).unwrap();
    let mut made = files(&out.path().join(BUNDLE));
    without.iter().for_each(|name| drop(made.remove(*name)));
    let published = files(&root.join("outputs/export-receipts").join(expected).join(BUNDLE));
    assert_eq!(made.keys().collect::<Vec<_>>(), published.keys().collect::<Vec<_>>(), "{expected}");
    for (name, bytes) in published {
        let made = &made[&name];
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(*made == bytes, "{expected}/{name}\nmade      {}\npublished {}", text(made), text(&bytes));
    }
}

#[test]
fn published_bundles_come_out_byte_by_byte() {
    let Some(root) = reference() else { return };
    let synthetic = "export-receipts/synthetic/input_episodes.jsonl";
    comes_out(&root, synthetic, "synthetic/no_partner", None, &[]);
    comes_out(&root, synthetic, "synthetic/partner_hsl_like", Some("hsl_like"), &[]);
    let insider = "run-benchmark/insider_key_misuse_1ep/episodes.jsonl";
    comes_out(&root, insider, "insider_key_misuse_1ep", None, &[]);
    let throughput = "run-benchmark/throughput_sla_2ep/episodes.jsonl";
    comes_out(&root, throughput, "throughput_sla_2ep", None, &["episode_log_subset.jsonl"]);
}

#[test]
fn an_empty_log_has_the_published_bundle() {
    let Some(root) = reference() else { return };
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("episodes.jsonl");
    std::fs::write(&log, "").unwrap();
    let export =
        Export { log: &log, out: dir.path(), rules: Rules::Reference, policy: None, partner: None, signer: None };
    export.run(&RealDisk).unwrap();
    let published = root.join("outputs/export-receipts/empty_log").join(BUNDLE);
    assert_eq!(files(&dir.path().join(BUNDLE)), files(&published));
}

#[test]
fn signatures_of_the_first_version_come_out_byte_by_byte() {
    let Some(root) = reference() else { return };
    let seed: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
    let signer = Signer::from_seed("fixture_key", &seed, false).unwrap();
    let bundle = root.join("outputs/export-receipts/synthetic/signed_subset").join(BUNDLE);
    let mut signed = 0;
    for (name, bytes) in files(&bundle).into_iter().filter(|(name, _)| name.ends_with(".json")) {
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        if let Some(signature) = document.get("signature") {
            assert_eq!(*signature, signature_block(&document, &signer), "{name}");
            signed += 1;
        }
    }
    assert_eq!(signed, 3);
}

#[test]
fn fingerprints_of_the_published_policy_have_their_published_values() {
    use labtrust_evidence::policy_facts::{FINGERPRINTS, pack};
    let Some(root) = reference() else { return };
    let vectors: Value =
        serde_json::from_slice(&std::fs::read(root.join("outputs/vectors/policy_fingerprints.json")).unwrap()).unwrap();
    let policy = PolicyStore::open(&root.join("policy")).unwrap();
    for fingerprint in FINGERPRINTS {
        let value = fingerprint.of(&policy).unwrap();
        assert_eq!(value.as_deref(), vectors["bundle_fingerprints"][fingerprint.key].as_str(), "{}", fingerprint.key);
    }
    for (partner, key) in [(Some("hsl_like"), "hsl_like"), (None, "no_partner")] {
        assert_eq!(pack(&policy, partner).unwrap()["root_hash"], vectors["policy_pack_root_hash"][key]);
    }
}

#[test]
fn the_published_transparency_log_comes_out_byte_by_byte() {
    use labtrust_evidence::transparency::{DIRECTORY, make};
    let Some(root) = reference() else { return };
    let published = root.join("outputs/transparency-log");
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("input");
    copy(&published.join("input"), &input);
    let log = root.join("outputs/run-benchmark/insider_key_misuse_1ep/episodes.jsonl");
    std::fs::copy(log, input.join("_repr/insider_key_misuse/episodes.jsonl")).unwrap();
    make(&RealDisk, &input, dir.path(), None).unwrap();
    let mut compared = 0;
    for (name, bytes) in tree(&published.join("output").join(DIRECTORY)) {
        assert_eq!(std::fs::read(dir.path().join(DIRECTORY).join(&name)).unwrap(), bytes, "{name}");
        compared += 1;
    }
    assert_eq!(compared, 6);
}

#[test]
fn published_trees_of_the_first_version_have_their_roots_and_proofs() {
    use labtrust_evidence::digest::{hex, unhex};
    use labtrust_evidence::transparency::{padded_proof, padded_root};
    let Some(root) = reference() else { return };
    let vectors: Value =
        serde_json::from_slice(&std::fs::read(root.join("outputs/vectors/merkle.json")).unwrap()).unwrap();
    for tree in vectors["trees"].as_array().unwrap() {
        let leaves: Vec<_> =
            tree["digests"].as_array().unwrap().iter().map(|digest| unhex(digest.as_str().unwrap()).unwrap()).collect();
        assert_eq!(hex(&padded_root(&leaves)), tree["root"].as_str().unwrap());
        for (index, proof) in tree["proofs"].as_array().unwrap().iter().enumerate() {
            assert_eq!(padded_proof(&leaves, index), *proof["siblings"].as_array().unwrap());
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in tree(from) {
        std::fs::create_dir_all(to.join(&name).parent().unwrap()).unwrap();
        std::fs::write(to.join(name), bytes).unwrap();
    }
}

fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.extend(tree(&entry.path()).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            found.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

#[test]
fn the_published_episode_bundle_has_its_steps_and_its_rooms() {
    let Some(root) = reference() else { return };
    let dir = tempfile::tempdir().unwrap();
    let log = root.join("outputs/export-receipts/synthetic/input_episodes.jsonl");
    std::fs::copy(log, dir.path().join("episode_log.jsonl")).unwrap();
    let made = labtrust_evidence::episode_bundle::build(dir.path(), 0).unwrap();
    let path = root.join("outputs/build-episode-bundle/synthetic/episode_bundle.json");
    let published: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!((&made["lab_design"], &made["agents"]), (&published["lab_design"], &published["agents"]));
    // The reference puts the summary of the episode, which has no time, into the first step.
    let (made, published) = (made["steps"].as_array().unwrap(), published["steps"].as_array().unwrap());
    assert_eq!(made.len(), published.len());
    assert_eq!(made[1..], published[1..]);
}

#[test]
fn a_second_log_parts_from_the_first_where_the_published_comparison_says_so() {
    let Some(root) = reference() else { return };
    let dir = tempfile::tempdir().unwrap();
    let log = root.join("outputs/export-receipts/synthetic/input_episodes.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[6] = lines[6].replace("\"BLOCKED\"", "\"ACCEPTED\"").replace("\"RBAC_ACTION_DENY\"", "null");
    lines.truncate(23);
    let second = dir.path().join("second.jsonl");
    std::fs::write(&second, lines.join("\n") + "\n").unwrap();
    let same = labtrust_evidence::compare::compare(&log, &log, ["a", "a"]).unwrap();
    assert_eq!((same["status"].as_str(), same["steps_compared"].as_u64()), (Some("ok"), Some(24)));
    let other = labtrust_evidence::compare::compare(&log, &second, ["a", "b"]).unwrap();
    // The reference says 23, where the shorter log ends; the first step that differs is 6.
    assert_eq!((other["status"].as_str(), other["first_divergence_step"].as_u64()), (Some("diverged"), Some(6)));
    let fields: Vec<&str> =
        other["diff_summary"].as_array().unwrap().iter().map(|d| d["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["status", "blocked_reason_code", "step_count", "receipt_digest"]);
}

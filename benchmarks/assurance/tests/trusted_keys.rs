//! Whose signed statements vouch for evidence.

use labtrust_assurance::register::{BundleOptions, Register, build, schema_complaints};
use labtrust_evidence::dsse::{sign, statement};
use labtrust_evidence::note::{Signer, Verifier};
use labtrust_policy::PolicyStore;
use serde_json::{Value, json};

const FILE: &str = "COORDINATION_DECISION.v0.1.json";
const CONTENT: &[u8] = b"{\"verdict\": \"admissible\"}";

fn key(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name, &[seed; 32], false).unwrap()
}

/// A run with one file, and a statement by `signer` about `name` with this content.
fn run(signer: &Signer, name: &str, content: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), CONTENT).unwrap();
    let said = statement(&[(name, content)], "https://example.org/reviewed/v1", &json!({}));
    std::fs::write(dir.path().join("review.dsse.json"), sign(&said, signer)).unwrap();
    dir
}

fn bundle(run: &tempfile::TempDir, trust: Option<Vec<Verifier>>) -> Value {
    let policy = PolicyStore::builtin();
    let options = BundleOptions { runs: vec![run.path().to_path_buf()], trust, ..BundleOptions::default() };
    let bundle = build(&policy, &Register::load(&policy).unwrap(), &options).unwrap();
    assert_eq!(schema_complaints(&bundle), [""; 0]);
    bundle
}

/// Status, reason and what vouched for the file.
fn entry(bundle: &Value) -> (String, String, Value) {
    let entry = bundle["evidence"].as_array().unwrap().iter().find(|entry| entry["path"] == FILE).unwrap();
    let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    (text("status"), text("reason"), entry["verified_by"].clone())
}

#[test]
fn a_statement_vouches_for_a_file_where_a_trusted_key_signed_it() {
    let (ours, theirs) = (key("example.org/auditor", 1), key("example.net/stranger", 2));
    let run = run(&ours, FILE, CONTENT);
    for keys in [vec![ours.verifier()], vec![theirs.verifier(), ours.verifier()]] {
        let (status, reason, by) = entry(&bundle(&run, Some(keys)));
        assert_eq!((status.as_str(), reason.as_str(), by), ("present", "", json!(["review.dsse.json"])));
    }
}

#[test]
fn a_statement_by_another_key_makes_the_file_unverified_and_names_the_key() {
    let (ours, theirs) = (key("example.org/auditor", 1), key("example.net/stranger", 2));
    // The same name is not the same key.
    for stranger in [&theirs, &key("example.org/auditor", 3)] {
        let verifier = stranger.verifier();
        let (status, reason, by) = entry(&bundle(&run(stranger, FILE, CONTENT), Some(vec![ours.verifier()])));
        assert_eq!((status.as_str(), by), ("inadmissible", json!([])));
        let told = format!("review.dsse.json is signed with the key {} ({})", verifier.name(), verifier.id());
        assert!(reason.starts_with("unverified") && reason.contains(&told), "{reason}");
    }
    let none = bundle(&run(&ours, FILE, CONTENT), Some(Vec::new()));
    assert_eq!(entry(&none).0, "inadmissible", "where no key is trusted no statement counts");
}

#[test]
fn a_strangers_statement_about_another_file_says_nothing_of_this_one() {
    let (ours, theirs) = (key("example.org/auditor", 1), key("example.net/stranger", 2));
    let (status, _, by) = entry(&bundle(&run(&theirs, "other.json", CONTENT), Some(vec![ours.verifier()])));
    assert_eq!((status.as_str(), by), ("present", json!([])));
}

#[test]
fn a_trusted_key_does_not_make_another_digest_right() {
    let ours = key("example.org/auditor", 1);
    let (status, reason, _) = entry(&bundle(&run(&ours, FILE, b"{}"), Some(vec![ours.verifier()])));
    assert!(status == "inadmissible" && reason.contains("another digest"), "{reason}");
}

#[test]
fn a_bundle_says_whether_keys_were_checked_and_which() {
    let (ours, theirs) = (key("example.org/auditor", 1), key("example.net/stranger", 2));
    let any = bundle(&run(&theirs, FILE, CONTENT), None);
    assert_eq!(any["statement_keys"], json!({ "checked": false }));
    assert_eq!(entry(&any), ("present".to_owned(), String::new(), json!(["review.dsse.json"])));
    let verifier = ours.verifier();
    let checked = bundle(&run(&ours, FILE, CONTENT), Some(vec![verifier.clone(), verifier.clone()]));
    let name = format!("{} ({})", verifier.name(), verifier.id());
    assert_eq!(checked["statement_keys"], json!({ "checked": true, "trusted": [name] }));
}

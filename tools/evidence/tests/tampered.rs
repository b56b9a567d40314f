//! The reference's 25 cases of tampering: what it refuses is refused here for the same reason, and what it misses is not.

use labtrust_evidence::derive::ChainFinding;
use labtrust_evidence::disk::RealDisk;
use labtrust_evidence::export::{BUNDLE, Export};
use labtrust_evidence::receipts::Rules;
use labtrust_evidence::verify::{Report, Verify};
use labtrust_policy::PolicyStore;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

struct Case {
    dir: tempfile::TempDir,
    policy: PolicyStore,
}

fn reference() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference");
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!("skipped: the reference's samples are not at ../shared/reference");
    None
}

impl Case {
    fn new(root: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let policy = PolicyStore::open(&root.join("policy")).unwrap();
        let log = root.join("outputs/export-receipts/synthetic/input_episodes.jsonl");
        let (policy_used, partner) = (Some(&policy), Some("hsl_like"));
        let export =
            Export { log: &log, out: dir.path(), rules: Rules::Reference, policy: policy_used, partner, signer: None };
        export.run(&RealDisk).unwrap();
        Self { dir, policy }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(BUNDLE).join(name)
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    fn put(&self, name: &str, value: &Value) {
        let mut bytes = labtrust_trust::canonical::to_canonical_vec(value).unwrap();
        bytes.push(b'\n');
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn edit(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        let mut value = self.json(name);
        edit(&mut value);
        self.put(name, &value);
    }

    /// Lists the files as they are now.
    fn rehash(&self) {
        let mut manifest = self.json("manifest.json");
        for file in manifest["files"].as_array_mut().unwrap() {
            let path = self.path(file["path"].as_str().unwrap());
            file["sha256"] = json!(labtrust_evidence::digest::sha256(&std::fs::read(path).unwrap()));
        }
        self.put("manifest.json", &manifest);
    }

    fn verify(&self, options: &Value) -> Report {
        let on = |key: &str| options[key] == true;
        Verify {
            policy: Some(&self.policy),
            policy_place: "./policy",
            allow_extra_files: on("allow_extra_files"),
            strict_fingerprints: on("strict_fingerprints"),
            ..Verify::default()
        }
        .run(&self.dir.path().join(BUNDLE))
    }

    /// Does to the bundle what a published case is called after.
    fn tamper(&self, case: &str) {
        let manifest = "manifest.json";
        let other = || json!("1".repeat(64));
        let key = case.split(' ').next().unwrap();
        match case {
            "untouched" | "untouched strict" => {}
            "receipt edited, manifest not updated" => {
                self.edit("receipt_result_R1.v0.1.json", |receipt| receipt["decision"] = json!("HELD"));
            }
            "listed file deleted" => std::fs::remove_file(self.path("receipt_result_R2.v0.1.json")).unwrap(),
            "extra top-level file" | "extra top-level file, allowed" => std::fs::write(self.path("notes.txt"), "x").unwrap(),
            "extra file in a subdirectory (not detected)" => {
                std::fs::create_dir(self.path("sub")).unwrap();
                std::fs::write(self.path("sub/notes.txt"), "x").unwrap();
            }
            "hashchain proof altered, manifest rehashed" => {
                self.edit("hashchain_proof.json", |proof| {
                    proof["head_hash"] = json!("0".repeat(64));
                    proof["last_event_hash"] = json!("0".repeat(64));
                    proof["length"] = json!(3);
                });
                self.rehash();
            }
            "invariant trace has rows absent from log, manifest rehashed" => {
                let path = self.path("invariant_eval_trace.jsonl");
                let row = |step: u64| {
                    let violation = json!({"invariant_id": "INV-X", "reason_code": null, "status": "PASS"});
                    json!({"step_index": step, "t_s": 0, "violations": [violation]}).to_string() + "\n"
                };
                let text = std::fs::read_to_string(&path).unwrap() + &row(2) + &row(999);
                std::fs::write(&path, text).unwrap();
                self.rehash();
            }
            "manifest.policy_root_hash altered" => {
                self.edit(manifest, |manifest| manifest["policy_root_hash"] = json!("f".repeat(64)));
            }
            "manifest.policy_root_hash null with policy_pack_manifest present" => {
                self.edit(manifest, |manifest| manifest["policy_root_hash"] = Value::Null);
            }
            "policy pack manifest altered, manifest rehashed" => {
                self.edit("policy_pack_manifest.v0.1.json", |pack| {
                    let files = pack["files"].as_array_mut().unwrap();
                    files[0]["sha256"] = json!("0".repeat(64));
                    files.push(json!({"path": "policy/nope.yaml", "sha256": "0".repeat(64)}));
                });
                self.rehash();
            }
            "tool_registry_fingerprint altered"
            | "rbac_policy_fingerprint altered"
            | "coordination_policy_fingerprint altered"
            | "memory_policy_fingerprint altered"
            | "coordination_audit_digest_sha256 altered" => self.edit(manifest, |manifest| manifest[key] = other()),
            "prompt_sha256 without inputs file" => self.edit(manifest, |manifest| manifest["prompt_sha256"] = other()),
            "receipt violates schema, manifest rehashed" => {
                self.edit("receipt_result_R1.v0.1.json", |receipt| {
                    receipt.as_object_mut().unwrap().remove("hashchain");
                });
                self.rehash();
            }
            "manifest signature invalid" => self.edit(manifest, |manifest| {
                manifest["signature"] = json!({
                    "algorithm": "ed25519", "key_id": "k", "public_key_b64": "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
                    "signature_b64": "A".repeat(86) + "==",
                });
            }),
            "manifest missing" => std::fs::remove_file(self.path(manifest)).unwrap(),
            "manifest not JSON" => std::fs::write(self.path(manifest), "{x").unwrap(),
            "fhir_bundle.json malformed, extra files allowed" => std::fs::write(self.path("fhir_bundle.json"), "{}").unwrap(),
            "log entries rewritten (BLOCKED -> ACCEPTED), manifest rehashed, unsigned (reference does not detect)" => {
                let path = self.path("episode_log_subset.jsonl");
                let text = std::fs::read_to_string(&path).unwrap().replace("\"BLOCKED\"", "\"ACCEPTED\"");
                std::fs::write(&path, text).unwrap();
                self.rehash();
            }
            "all receipts removed and unlisted (reference does not detect)" => self.edit(manifest, |manifest| {
                let files = manifest["files"].as_array_mut().unwrap();
                files.retain(|file| {
                    let name = file["path"].as_str().unwrap();
                    let receipt = name.starts_with("receipt_");
                    if receipt {
                        std::fs::remove_file(self.path(name)).unwrap();
                    }
                    !receipt
                });
            }),
            other => panic!("nobody knows the case {other}"),
        }
    }
}

/// What the reference misses, and what is said about it here.
const MISSED: [(&str, &str); 3] = [
    ("extra file in a subdirectory (not detected)", "manifest: unexpected file (not in manifest): sub/notes.txt"),
    (
        "log entries rewritten (BLOCKED -> ACCEPTED), manifest rehashed, unsigned (reference does not detect)",
        "receipt_specimen_S4.v0.1.json: it is not what the log yields: \"decision\" is otherwise",
    ),
    (
        "all receipts removed and unlisted (reference does not detect)",
        "receipt_specimen_S1.v0.1.json: missing, although the log yields it",
    ),
];

/// A digest of something that a case wrote in its own way, and the words of a library, are not compared.
fn comparable(error: &str) -> String {
    let cut = |error: &str, at: &str| error.split_once(at).map(|(start, _)| format!("{start}{at}"));
    ["schema validation failed", "invalid JSON", "hash mismatch for receipt_result_R1.v0.1.json", "recomputed"]
        .iter()
        .find_map(|at| cut(error, at))
        .unwrap_or_else(|| error.to_owned())
        .replace("./receipt_result_R1.v0.1.json: schema", "schema")
        .replace("./manifest.json", "manifest.json")
}

#[test]
fn published_cases_of_tampering_are_refused_for_the_published_reasons() {
    let Some(root) = reference() else { return };
    let cases: Vec<Value> =
        serde_json::from_slice(&std::fs::read(root.join("outputs/verify-bundle/cases.json")).unwrap()).unwrap();
    let (mut refused, mut missed) = (0, 0);
    for published in &cases {
        let name = published["case"].as_str().unwrap();
        let case = Case::new(&root);
        case.tamper(name);
        let report = case.verify(&published["options"]);
        let own: Vec<String> = report.errors.iter().map(|error| comparable(error)).collect();
        if let Some((_, says)) = MISSED.iter().find(|(missed, _)| *missed == name) {
            assert!(own.iter().any(|error| error == says), "{name}: {own:#?}");
            missed += 1;
            continue;
        }
        let errors = published["errors"].as_array().unwrap();
        let expected: Vec<String> = errors.iter().map(|error| comparable(error.as_str().unwrap())).collect();
        assert_eq!(own, expected, "{name}");
        assert_eq!(report.passed(), published["passed"] == true, "{name}");
        refused += usize::from(!report.passed());
    }
    assert_eq!((cases.len(), refused, missed), (25, 19, 3));
}

#[test]
fn a_bundle_without_events_has_no_integrity_to_speak_of_and_says_so() {
    let Some(root) = reference() else { return };
    let report = Case::new(&root).verify(&json!({}));
    assert!(report.passed(), "{:#?}", report.errors);
    assert_eq!(report.levels.integrity.name(), "not_proved");
    assert!(report.levels.integrity.why().contains("events"), "{}", report.levels.integrity.why());
    assert_ne!(ChainFinding::NoEvents, ChainFinding::Recomputed(Vec::new()));
}

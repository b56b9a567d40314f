//! `tests/attacks`: one folder for every way to cheat, with what has to come of it. The independent verifier has to say
//! the same.
//!
//! A case does steps to an honest bundle (`do`), says how it is verified (`verify`) and what has to come out (`expect`):
//! whether it passes, the state of levels, and a part of what is said. `LABTRUST_PYTHON` names a Python with
//! `cryptography`; without one only our own verifier is asked, and a line says so.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labtrust_evidence::chain::ChainCheck;
use labtrust_evidence::digest::sha256;
use labtrust_evidence::disk::RealDisk;
use labtrust_evidence::dsse;
use labtrust_evidence::entry::Entry;
use labtrust_evidence::export::{BUNDLE, Export, signature_block};
use labtrust_evidence::note::{Note, Signer, Verifier};
use labtrust_evidence::receipts::Rules;
use labtrust_evidence::verify::{Report, Verify};
use labtrust_evidence::witness::Witness;
use labtrust_policy::PolicyStore;
use labtrust_trust::canonical::{self, to_canonical_vec};
use labtrust_trust::chain::record_hash;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

fn attacks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/attacks")
}

fn key(name: &str) -> Signer {
    let seed = match name {
        "owner" => 1,
        "attacker" => 2,
        "witness" => 3,
        "impostor" => 4,
        other => panic!("nobody has the key {other}"),
    };
    // The attacker takes the owner's name, the impostor the witness's: names prove nothing.
    let witness = matches!(name, "witness" | "impostor");
    let own = if witness { "witness.example" } else { "lab.example.org" };
    Signer::from_seed(own, &[seed; 32], witness).unwrap()
}

/// A place with bundles: `now`, signed or not; `old`, of the first 30 lines; `other`, of another run.
struct Place {
    dir: tempfile::TempDir,
    policy: PolicyStore,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl Place {
    /// A copy of the honest bundles, which are made once.
    fn new(signer: Option<&str>) -> Self {
        static HONEST: OnceLock<[Place; 2]> = OnceLock::new();
        let honest = HONEST.get_or_init(|| [Self::honest(None), Self::honest(Some("owner"))]);
        let place = Self { dir: tempfile::tempdir().unwrap(), policy: PolicyStore::builtin() };
        copy(honest[usize::from(signer.is_some())].dir.path(), place.dir.path());
        place
    }

    fn honest(signer: Option<&str>) -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap(), policy: PolicyStore::builtin() };
        let base = attacks().join("_base");
        let whole = fs::read_to_string(base.join("log.jsonl")).unwrap();
        fs::create_dir(place.path("short")).unwrap();
        let short: String = whole.split_inclusive('\n').take(30).collect();
        fs::write(place.path("short/log.jsonl"), short).unwrap();
        place.export(&base.join("log.jsonl"), "now", signer);
        place.export(&place.path("short/log.jsonl"), "old", signer);
        place.export(&base.join("other/log.jsonl"), "other", signer);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn export(&self, log: &Path, name: &str, signer: Option<&str>) {
        let signer = signer.map(key);
        let policy = Some(&self.policy);
        let (out, rules) = (self.path(name), Rules::Corrected);
        Export { log, out: &out, rules, policy, partner: None, signer: signer.as_ref() }.run(&RealDisk).unwrap();
    }

    /// A file of the bundle that is attacked; `old:` and `other:` name the other bundles.
    fn file(&self, name: &str) -> PathBuf {
        let (bundle, name) = name.split_once(':').unwrap_or(("now", name));
        self.path(bundle).join(BUNDLE).join(name)
    }

    fn edit_lines(&self, name: &str, edit: impl FnOnce(&mut Vec<String>)) {
        let text = fs::read_to_string(self.file(name)).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        edit(&mut lines);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(self.file(name), text).unwrap();
    }

    fn edit_json(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        let bytes = fs::read(self.file(name)).unwrap();
        let mut value = serde_json::from_slice(&bytes).unwrap();
        edit(&mut value);
        let mut text = to_canonical_vec(&value).unwrap();
        if bytes.ends_with(b"\n") {
            text.push(b'\n');
        }
        fs::write(self.file(name), text).unwrap();
    }

    /// One step of a case: `[what, ...]`.
    fn act(&self, step: &[Value]) {
        let arg = |index: usize| text(&step[index]);
        match arg(0) {
            "flip" => {
                let mut bytes = fs::read(self.file(arg(1))).unwrap();
                bytes[number(&step[2])] ^= 1 << number(&step[3]);
                fs::write(self.file(arg(1)), bytes).unwrap();
            }
            "replace" => {
                let before = fs::read_to_string(self.file(arg(1))).unwrap();
                assert!(before.contains(arg(2)), "{} has no {}", arg(1), arg(2));
                fs::write(self.file(arg(1)), before.replacen(arg(2), arg(3), step.get(4).map_or(usize::MAX, number)))
                    .unwrap();
            }
            "set" => self.edit_json(arg(1), |value| *value.pointer_mut(arg(2)).unwrap() = step[3].clone()),
            "put" => self.edit_json(arg(1), |value| {
                value.pointer_mut(arg(2)).unwrap().as_object_mut().unwrap().insert(arg(3).to_owned(), step[4].clone());
            }),
            "unset" => self.edit_json(arg(1), |value| {
                value.pointer_mut(arg(2)).unwrap().as_object_mut().unwrap().remove(arg(3)).unwrap();
            }),
            "drop_lines" => self.edit_lines(arg(1), |lines| drop(lines.drain(number(&step[2])..number(&step[3])))),
            "swap_lines" => self.edit_lines(arg(1), |lines| lines.swap(number(&step[2]), number(&step[3]))),
            "copy_line" => {
                self.edit_lines(arg(1), |lines| lines.insert(number(&step[3]), lines[number(&step[2])].clone()))
            }
            "splice" => {
                let other = fs::read_to_string(self.file(arg(2))).unwrap();
                self.edit_lines(arg(1), |lines| {
                    lines.truncate(number(&step[3]));
                    lines.extend(other.lines().skip(number(&step[3])).map(str::to_owned));
                });
            }
            "append" => {
                let mut bytes = fs::read(self.file(arg(1))).unwrap();
                bytes.extend_from_slice(arg(2).as_bytes());
                fs::write(self.file(arg(1)), bytes).unwrap();
            }
            "cut" => {
                let bytes = fs::read(self.file(arg(1))).unwrap();
                fs::write(self.file(arg(1)), &bytes[..bytes.len() - number(&step[2])]).unwrap();
            }
            "delete" => fs::remove_file(self.file(arg(1))).unwrap(),
            "write" => {
                fs::create_dir_all(self.file(arg(1)).parent().unwrap()).unwrap();
                fs::write(self.file(arg(1)), arg(2)).unwrap();
            }
            "rename" => fs::rename(self.file(arg(1)), self.file(arg(2))).unwrap(),
            "copy" => {
                fs::copy(self.file(arg(1)), self.file(arg(2))).unwrap();
            }
            "link" => {
                let _ = fs::remove_file(self.file(arg(1)));
                std::os::unix::fs::symlink(arg(2), self.file(arg(1))).unwrap();
            }
            "unlist" => self.edit_json("manifest.json", |manifest| {
                manifest["files"].as_array_mut().unwrap().retain(|file| !text(&file["path"]).starts_with(arg(1)));
            }),
            "list" => self.edit_json("manifest.json", |manifest| {
                let digest = fs::read(self.file(arg(1))).map_or("0".repeat(64), |bytes| sha256(&bytes));
                manifest["files"].as_array_mut().unwrap().push(json!({ "path": arg(1), "sha256": digest }));
            }),
            "rehash" => self.rehash(),
            "rechain" => self.rechain(),
            // What somebody can do who has the program and not the key: a new bundle of the changed log.
            "reexport" => {
                fs::create_dir_all(self.path("forged")).unwrap();
                fs::copy(self.file("episode_log_subset.jsonl"), self.path("forged/log.jsonl")).unwrap();
                self.export(&self.path("forged/log.jsonl"), "now", step.get(1).map(text));
            }
            "sign_manifest" => self.edit_json("manifest.json", |manifest| {
                manifest["signature"] = signature_block(manifest, &key(arg(1)));
            }),
            "sign_statement" => self.sign_statement(step.get(1).map(text)),
            "sign_checkpoint" => {
                let bytes = fs::read(self.file("proof/checkpoint")).unwrap();
                let text = Note::parse(&bytes).unwrap().text().replace(arg(2), arg(3));
                fs::write(self.file("proof/checkpoint"), Note::sign(&text, &key(arg(1))).unwrap()).unwrap();
            }
            "cosign" => {
                let note = fs::read_to_string(self.file("proof/checkpoint")).unwrap();
                let witness = key(step.get(1).map_or("witness", text));
                fs::write(self.file("proof/checkpoint"), Note::cosign(&note, &witness, 1_700_000_000).unwrap())
                    .unwrap();
            }
            // What the witness does when it is shown a bundle: `signed` or `refused`.
            "witness" => {
                let (witness, trust) = (key("witness"), [key("owner").verifier()]);
                let seen = self.path("seen_by_witness");
                let witness = Witness { key: &witness, trust: &trust, seen: &seen };
                let before = fs::read(self.file("proof/checkpoint")).ok();
                let done = witness.sign(&RealDisk, &self.path(arg(1)).join(BUNDLE), 1_700_000_000);
                assert_eq!(if done.is_ok() { "signed" } else { "refused" }, arg(2), "{done:?}");
                let as_it_was = before == fs::read(self.file("proof/checkpoint")).ok();
                assert!(done.is_ok() || as_it_was, "who refuses changes nothing");
            }
            "become" => {
                fs::remove_dir_all(self.path("now")).unwrap();
                copy(&self.path(arg(1)), &self.path("now"));
            }
            // The last signature of another note below this one.
            "take_signature" => {
                let other = fs::read_to_string(self.file(arg(2))).unwrap();
                let mut note = fs::read_to_string(self.file(arg(1))).unwrap();
                note.push_str(other.split_inclusive('\n').next_back().unwrap());
                fs::write(self.file(arg(1)), note).unwrap();
            }
            // Another time in the last signature of a note.
            "retime" => self.edit_lines(arg(1), |lines| {
                let line = lines.pop().unwrap();
                let (name, signature) = line.rsplit_once(' ').unwrap();
                let mut bytes = STANDARD.decode(signature).unwrap();
                bytes[11] ^= 1;
                lines.push(format!("{name} {}", STANDARD.encode(bytes)));
            }),
            other => panic!("nobody knows how to {other}"),
        }
    }

    fn rehash(&self) {
        self.edit_json("manifest.json", |manifest| {
            for file in manifest["files"].as_array_mut().unwrap() {
                if let Ok(bytes) = fs::read(self.file(text(&file["path"]))) {
                    file["sha256"] = json!(sha256(&bytes));
                }
            }
        });
    }

    /// All hashes of the log anew.
    fn rechain(&self) {
        let (mut last, mut head, mut length) = (String::new(), String::new(), 0_u64);
        self.edit_lines("episode_log_subset.jsonl", |lines| {
            for line in lines {
                let mut entry: Value = serde_json::from_str(line).unwrap();
                let outcome: Value =
                    ["blocked_reason_code", "emits", "enforcements", "status", "token_consumed", "violations"]
                        .into_iter()
                        .map(|key| (key.to_owned(), entry[key].clone()))
                        .collect::<serde_json::Map<_, _>>()
                        .into();
                let record = to_canonical_vec(&json!({ "event": entry["event"], "outcome": outcome })).unwrap();
                let hash = record_hash(&last, &record);
                entry["prev_hash"] = json!(last);
                (last, length) = (hash, length + 1);
                if length == 1 {
                    head.clone_from(&last);
                }
                entry["chain_hash"] = json!(last);
                entry["hashchain_head"] = json!(last);
                entry["hashchain"] = json!({ "head_hash": head, "last_event_hash": last, "length": length });
                let mut text = Vec::new();
                canonical::write_value(&mut text, &entry).unwrap();
                *line = String::from_utf8(text).unwrap();
            }
        });
    }

    fn sign_statement(&self, signer: Option<&str>) {
        let old = match fs::read(self.file("proof/statement.dsse.json")) {
            Ok(bytes) => dsse::Envelope::parse(&bytes).unwrap().statement,
            Err(_) => fs::read(self.file("proof/statement.json")).unwrap(),
        };
        let mut statement: Value = serde_json::from_slice(&old).unwrap();
        statement["subject"][0]["digest"]["sha256"] = json!(sha256(&fs::read(self.file("manifest.json")).unwrap()));
        let bytes = to_canonical_vec(&statement).unwrap();
        match signer {
            Some(signer) => fs::write(self.file("proof/statement.dsse.json"), dsse::sign(&bytes, &key(signer))),
            None => fs::write(self.file("proof/statement.json"), bytes),
        }
        .unwrap();
    }

    fn verify(&self, options: &Value) -> (Report, Vec<String>) {
        let keys = |name: &str| -> Vec<Verifier> {
            options.get(name).map(|name| key(text(name)).verifier()).into_iter().collect()
        };
        let (trust, witnesses) = (keys("trust"), keys("witness"));
        let since = options.get("since").map(|name| self.file(text(name)));
        let bytes = since.as_ref().map(|path| fs::read(path).unwrap());
        let report = Verify {
            policy: Some(&self.policy),
            policy_place: "policy",
            trust: &trust,
            witnesses: &witnesses,
            since: bytes.as_deref(),
            ..Verify::default()
        }
        .run(&self.path("now").join(BUNDLE));
        let mut arguments = Vec::new();
        for (option, keys) in [("--trust", &trust), ("--witness", &witnesses)] {
            for key in keys {
                let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.pub", key.id()));
                fs::write(&path, format!("{key}\n")).unwrap();
                arguments.extend([option.to_owned(), path.display().to_string()]);
            }
        }
        arguments.extend(since.into_iter().flat_map(|path| ["--since".to_owned(), path.display().to_string()]));
        (report, arguments)
    }
}

/// A Python that can run the independent verifier.
fn python() -> Option<String> {
    let python = std::env::var("LABTRUST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let works =
        Command::new(&python).args(["-c", "import cryptography"]).output().is_ok_and(|out| out.status.success());
    if !works {
        eprintln!("SKIPPED: the independent verifier, because {python} has no `cryptography`");
    }
    works.then_some(python)
}

fn cases() -> Vec<(String, Value)> {
    let mut names: Vec<_> =
        fs::read_dir(attacks()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with('_') && attacks().join(name).is_dir());
    names.sort_unstable();
    let read = |name: String| {
        let bytes = fs::read(attacks().join(&name).join("case.json")).unwrap();
        (name.clone(), serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{name}: {error}")))
    };
    names.into_iter().map(read).collect()
}

/// A case that our verifier has judged.
struct Asked {
    name: String,
    report: Report,
    place: Place,
}

/// Asks the independent verifier about cases that are verified in the same way, and tells what it says otherwise.
fn compare(python: &str, options: &[String], cases: &[Asked], wrong: &mut Vec<String>) {
    let bundles = cases.iter().map(|case| case.place.path("now").join(BUNDLE).display().to_string());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("verify_bundle.py");
    let output = Command::new(python).arg(script).args(bundles).args(options).output().unwrap();
    let (said, failed) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert_eq!(said.lines().count(), cases.len(), "{failed}");
    for (case, said) in cases.iter().zip(said.lines()) {
        let second: Value = serde_json::from_str(said).unwrap();
        let ours = case.report.errors.first();
        if second["passed"] != case.report.passed() {
            wrong.push(format!("{}: the independent verifier says {}; ours {ours:?}", case.name, second["errors"]));
        }
        for (level, own) in case.report.levels.each().into_iter().filter(|(level, _)| *level != "replayed") {
            if second["levels"][level]["state"] != own.name() {
                let theirs = &second["levels"][level];
                wrong.push(format!("{}: the independent verifier says {level} is {theirs}, ours {own:?}", case.name));
            }
        }
    }
}

#[test]
fn every_attack_has_its_verdict_from_both_verifiers() {
    let cases = cases();
    assert!(cases.len() >= 60, "there are only {} cases", cases.len());
    let mut wrong = Vec::new();
    let mut asked: BTreeMap<Vec<String>, Vec<Asked>> = BTreeMap::new();
    for (name, case) in &cases {
        let place = Place::new(case["signed"].as_bool().unwrap().then_some("owner"));
        for step in case["do"].as_array().unwrap() {
            place.act(step.as_array().unwrap());
        }
        let (report, options) = place.verify(&case["verify"]);
        let expect = &case["expect"];
        let mut tell = |what: String| wrong.push(format!("{name}: {what}"));
        if expect["passed"] != report.passed() {
            tell(format!("passed is {}: {:?}", report.passed(), report.errors.first()));
        }
        let levels = report.levels.each();
        for (level, state) in expect["levels"].as_object().unwrap() {
            let own = levels.iter().find(|(name, _)| name == level).unwrap().1;
            if own.name() != text(state) {
                tell(format!("{level} is {}: {}", own.name(), own.why()));
            }
        }
        let says = text(&expect["says"]);
        let whys = levels.iter().map(|(_, level)| level.why());
        if !report.errors.iter().map(String::as_str).chain(whys).any(|said| said.contains(says)) {
            tell(format!("nobody says {says:?}: {:?}", report.errors.first()));
        }
        asked.entry(options).or_default().push(Asked { name: name.clone(), report, place });
    }
    if let Some(python) = python() {
        for (options, cases) in &asked {
            compare(&python, options, cases, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_flipped_bit_of_a_bundle_is_noticed() {
    for signed in [None, Some("owner")] {
        let place = Place::new(signed);
        let bundle = place.path("now").join(BUNDLE);
        let mut files: Vec<PathBuf> = Vec::new();
        for dir in [bundle.clone(), bundle.join("proof")] {
            files.extend(fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()));
        }
        files.sort_unstable();
        let verify = Verify { policy: None, ..Verify::default() };
        assert!(verify.run(&bundle).passed());
        let mut flips = 0;
        for file in files {
            let bytes = fs::read(&file).unwrap();
            // Every bit of what binds the bundle; of the files that the manifest has digests of, some.
            let binding = ["manifest.json", "statement.json", "statement.dsse.json", "checkpoint"]
                .iter()
                .any(|name| file.ends_with(name));
            let step = if binding { 61 } else { bytes.len() * 8 / 7 + 1 };
            for bit in (0..bytes.len() * 8).step_by(step) {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                fs::write(&file, flipped).unwrap();
                assert!(!verify.run(&bundle).passed(), "bit {bit} of {}", file.display());
                flips += 1;
            }
            fs::write(&file, bytes).unwrap();
        }
        assert!(flips > 400, "{flips}");
    }
}

#[test]
fn the_base_of_the_attacks_has_a_chain_that_holds() {
    let mut chain = ChainCheck::default();
    let log = fs::read_to_string(attacks().join("_base/log.jsonl")).unwrap();
    log.lines().for_each(|line| chain.take(&Entry::parse(line.as_bytes()).unwrap()).unwrap());
    assert_eq!(chain.finish()[0].length, 55);
}

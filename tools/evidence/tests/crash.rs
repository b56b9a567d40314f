//! Writers that are stopped and disks that fail: what is left is whole or says that it is not.

use labtrust_evidence::disk::{Disk, DiskFile, RealDisk, copy_beginning};
use labtrust_evidence::entry::MAX_LINE;
use labtrust_evidence::export::{BUNDLE, Export};
use labtrust_evidence::frames::{Frames, MAGIC};
use labtrust_evidence::lines::{self, Form};
use labtrust_evidence::note::Signer;
use labtrust_evidence::receipts::Rules;
use labtrust_evidence::recover::{Recoverer, Recovery, Tail, recover, recover_file};
use labtrust_evidence::verify::Verify;
use labtrust_policy::PolicyStore;
use labtrust_trust::canonical::to_canonical_vec;
use labtrust_trust::chain::record_hash;
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn base() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/attacks/_base")
}

/// A log of `count` steps.
fn log(count: u64) -> Vec<u8> {
    let (mut log, mut last, mut head) = (Vec::new(), String::new(), String::new());
    for step in 0..count {
        let event = json!({ "action_type": "TICK", "agent_id": "SYSTEM", "args": {}, "event_id": format!("e{step}"), "t_s": step });
        let outcome = json!({
            "blocked_reason_code": null, "emits": [], "enforcements": [], "status": "ACCEPTED", "token_consumed": [],
            "violations": [],
        });
        let prev = last;
        last = record_hash(&prev, &to_canonical_vec(&json!({ "event": event, "outcome": outcome })).unwrap());
        if step == 0 {
            head.clone_from(&last);
        }
        let mut line = json!({
            "episode": 0, "step": step, "event": event, "prev_hash": prev, "chain_hash": last, "hashchain_head": last,
            "hashchain": { "head_hash": head, "last_event_hash": last, "length": step + 1 },
        });
        for part in [&event, &outcome] {
            line.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        }
        log.extend(to_canonical_vec(&line).unwrap());
        log.push(b'\n');
    }
    log
}

#[test]
fn every_beginning_of_a_log_recovers_exactly() {
    let log = log(1000);
    let mut so_far = Recoverer::default();
    let (mut records, mut length) = (0, 0);
    for cut in 0..=log.len() {
        if cut > 0 && log[cut - 1] == b'\n' {
            (records, length) = (records + 1, cut);
            so_far.go_on(&log[..cut]);
        }
        let found = so_far.clone().go_on(&log[..cut]);
        let tail = if length == cut { Tail::None } else { Tail::Torn((cut - length) as u64) };
        assert_eq!((found.records, found.length, found.tail), (records, length as u64, tail), "cut at {cut}");
    }
    // Going on from before is the same as beginning anew.
    for cut in (0..log.len()).step_by(log.len() / 7) {
        assert_eq!(recover(&log[..cut]), Recoverer::default().go_on(&log[..cut]));
    }
    assert_eq!((records, recover(&log).records), (1000, 1000));
}

#[test]
fn every_beginning_of_a_framed_log_recovers_exactly() {
    let lines = log(1000);
    let mut log = MAGIC.to_vec();
    let mut frames = Frames::default();
    let mut ends = vec![MAGIC.len()];
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        frames.append_lines(&mut log, line);
        ends.push(log.len());
    }
    let mut so_far = Recoverer::default();
    let (mut records, mut length) = (0_usize, 0);
    for cut in 0..=log.len() {
        if let Ok(count) = ends.binary_search(&cut) {
            (records, length) = (count, cut);
            so_far.go_on(&log[..cut]);
        }
        let found = so_far.clone().go_on(&log[..cut]);
        let tail = if length == cut { Tail::None } else { Tail::Torn((cut - length) as u64) };
        assert_eq!((found.records, found.length, found.tail), (records as u64, length as u64, tail), "cut at {cut}");
    }
    assert_eq!(records, 1000);
    // A file is looked at as memory is, and exactly what holds is written down.
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("log.framed"), dir.path().join("recovered.framed"));
    for cut in (0..log.len()).step_by(log.len() / 7) {
        std::fs::write(&file, &log[..cut]).unwrap();
        let found = recover_file(&file).unwrap();
        assert_eq!(found, recover(&log[..cut]));
        copy_beginning(&RealDisk, &file, found.length, &out).unwrap();
        assert_eq!(recover_file(&out).unwrap(), Recovery { tail: Tail::None, ..found });
    }
}

#[test]
fn a_framed_log_makes_the_bundle_of_its_lines() {
    let policy = PolicyStore::builtin();
    let lines = std::fs::read(base().join("log.jsonl")).unwrap();
    let mut framed = MAGIC.to_vec();
    Frames::default().append_lines(&mut framed, &lines);
    let files = |bytes: &[u8]| {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        std::fs::write(&log, bytes).unwrap();
        let (policy, out) = (Some(&policy), dir.path());
        let made =
            Export { log: &log, out, rules: Rules::Corrected, policy, partner: None, signer: None }.run(&RealDisk);
        let made = made.map_err(|error| error.to_string().replace(&log.display().to_string(), "log"))?;
        let manifest = std::fs::read(dir.path().join(BUNDLE).join("manifest.json")).unwrap();
        Ok::<_, String>((made.lines, made.torn_tail, manifest))
    };
    let (count, _, manifest) = files(&lines).unwrap();
    assert_eq!(files(&framed).unwrap(), (count, 0, manifest));
    // A torn end is told, a changed record is refused.
    assert_eq!(files(&framed[..framed.len() - 1]).unwrap().0, count - 1);
    *framed.last_mut().unwrap() ^= 1;
    assert_eq!(files(&framed).unwrap_err(), "log line 55: its digest is not that of its place and its record");
}

#[test]
fn a_line_that_is_too_long_is_an_error_and_not_the_end() {
    let mut log = log(3);
    log.splice(0..0, [vec![b' '; MAX_LINE + 1], b"\n".to_vec()].concat());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.jsonl");
    std::fs::write(&path, &log).unwrap();
    let error = lines::read(&path, Form::Any, |_| panic!("no line comes before it")).unwrap_err();
    assert!(error.to_string().contains("line 1: the line is longer than"), "{error}");
    assert!(matches!(recover(&log).tail, Tail::Corrupt(1, _, length) if length == log.len() as u64));
}

#[test]
fn a_line_that_does_not_follow_ends_what_is_recovered() {
    let log = log(10);
    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    let without = [&lines[..4], &lines[5..]].concat().concat();
    let found = recover(&without);
    assert_eq!(found.records, 4);
    assert!(matches!(&found.tail, Tail::Corrupt(5, why, _) if why.contains("prev_hash")), "{:?}", found.tail);
}

/// A disk whose `n`-th call goes wrong.
struct Failing {
    left: Arc<AtomicU32>,
}

struct FailingFile {
    file: Box<dyn DiskFile>,
    left: Arc<AtomicU32>,
}

fn count_down(left: &AtomicU32) -> io::Result<()> {
    let counted = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    counted.map(drop).map_err(|_| io::Error::from(io::ErrorKind::StorageFull))
}

impl Disk for Failing {
    fn make_dirs(&self, path: &Path) -> io::Result<()> {
        count_down(&self.left).and_then(|()| RealDisk.make_dirs(path))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        count_down(&self.left)?;
        Ok(Box::new(FailingFile { file: RealDisk.create(path)?, left: Arc::clone(&self.left) }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        count_down(&self.left).and_then(|()| RealDisk.rename(from, to))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        count_down(&self.left).and_then(|()| RealDisk.sync_dir(path))
    }

    fn sync_tree(&self, path: &Path) -> io::Result<()> {
        count_down(&self.left).and_then(|()| RealDisk.sync_tree(path))
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        count_down(&self.left).and_then(|()| RealDisk.remove_tree(path))
    }
}

impl io::Write for FailingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Half of it is written, then the disk is full.
        match count_down(&self.left) {
            Ok(()) => self.file.write(bytes),
            Err(error) => self.file.write_all(&bytes[..bytes.len() / 2]).and(Err(error)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DiskFile for FailingFile {
    fn sync(&mut self) -> io::Result<()> {
        count_down(&self.left).and_then(|()| self.file.sync())
    }
}

fn export(disk: &dyn Disk, out: &Path, policy: &PolicyStore, signer: &Signer) -> Result<(), String> {
    let log = base().join("log.jsonl");
    let (policy, signer) = (Some(policy), Some(signer));
    let export = Export { log: &log, out, rules: Rules::Corrected, policy, partner: None, signer };
    export.run(disk).map(drop).map_err(|error| error.to_string())
}

#[test]
fn whichever_call_fails_nothing_half_written_has_the_name_of_a_bundle() {
    let (policy, signer) = (PolicyStore::builtin(), Signer::from_seed("lab.example.org", &[1; 32], false).unwrap());
    for there_before in [false, true] {
        let mut failures = 0;
        for n in 0.. {
            let dir = tempfile::tempdir().unwrap();
            if there_before {
                export(&RealDisk, dir.path(), &policy, &signer).unwrap();
            }
            let disk = Failing { left: Arc::new(AtomicU32::new(n)) };
            let done = export(&disk, dir.path(), &policy, &signer);
            let bundle = dir.path().join(BUNDLE);
            if bundle.exists() {
                let report = Verify::default().run(&bundle);
                assert!(report.passed(), "call {n}: {:?}", report.errors);
            } else {
                assert!(done.is_err(), "call {n}");
            }
            match done {
                Ok(()) => break,
                Err(said) => {
                    assert!(said.starts_with("cannot ") && said.contains(&dir.path().display().to_string()), "{said}")
                }
            }
            failures += 1;
        }
        assert!(failures > 40, "{failures}");
    }
}

#[test]
fn a_sealed_log_that_was_cut_is_refused_and_an_open_one_is_taken_as_far_as_it_goes() {
    let policy = PolicyStore::builtin();
    let bytes = std::fs::read(base().join("log.jsonl")).unwrap();
    let cut = &bytes[..bytes.len() - 10];
    for sealed in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log.jsonl");
        std::fs::write(&log, cut).unwrap();
        if sealed {
            std::fs::copy(base().join("run_manifest.json"), dir.path().join("run_manifest.json")).unwrap();
        }
        let export = Export {
            log: &log,
            out: dir.path(),
            rules: Rules::Corrected,
            policy: Some(&policy),
            partner: None,
            signer: None,
        };
        match export.run(&RealDisk) {
            Err(error) => {
                assert!(sealed && error.to_string().contains("is not the log that"), "{error}");
                assert!(!dir.path().join(BUNDLE).exists());
            }
            Ok(made) => assert!(!sealed && made.torn_tail > 100 && made.lines == 54, "{made:?}"),
        }
    }
}

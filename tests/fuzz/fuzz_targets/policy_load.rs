//! The built-in policy with another text for one file: loading and validating answer, and agree.
//!
//! The first line of an input names the file, the rest is its text. A name that no file has is a number by its letters,
//! so that every input is about some file.

#![no_main]

use labtrust_fuzz::actions;
use labtrust_hospital_lab::HospitalLab;
use labtrust_plugin::lab::LabDomain;
use labtrust_policy::{PolicyStore, validate};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    let Some((name, text)) = text.split_once('\n') else { return Corpus::Reject };
    let builtin = PolicyStore::builtin();
    let files: Vec<&str> = builtin.paths().filter(|path| !path.contains("schema")).collect();
    let by_letters = || files[name.bytes().map(usize::from).sum::<usize>() % files.len()];
    let path = files.iter().copied().find(|path| *path == name).unwrap_or_else(by_letters);
    let policy = builtin.with_text(path, text);
    let loading = HospitalLab.load(&policy).err();
    let findings = validate(&policy, &actions(), loading.as_ref());
    assert!(loading.is_none() || findings.iter().any(|one| !one.warning), "what does not load has a finding");
    for finding in &findings {
        assert!(!finding.message.is_empty() && !finding.fix.is_empty(), "a finding says what to do");
        assert!(!finding.to_string().contains(char::is_control), "and is one line");
    }
    if loading.is_none() {
        let fingerprint = policy.policy_fingerprint();
        assert_eq!(fingerprint.ok(), policy.policy_fingerprint().ok());
    }
    Corpus::Keep
});

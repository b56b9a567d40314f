//! What is left of a log whose writer was stopped: its longest beginning of whole lines whose hashes follow.
//!
//! Nothing behind it is dropped silently. A *torn* end is a line that was not finished; a *corrupt* one has whole lines
//! that do not follow. The two are told apart, because only the first is what a killed process leaves. A log that was
//! sealed is not recovered: a beginning of it is another log.

use crate::chain::ChainCheck;
use crate::digest::hex;
use crate::entry::{Entry, MAX_LINE};
use crate::frames::{self, Frame, Frames, MAGIC, OVERHEAD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// What stands behind the last line that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    None,
    /// A line that was not finished [bytes].
    Torn(u64),
    /// A line that does not follow, and all behind it: its number from 1, why, and how much [bytes].
    Corrupt(u64, String, u64),
}

/// What is left of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// How much of it holds [bytes].
    pub length: u64,
    /// Lines of that [count].
    pub records: u64,
    /// What stands behind it.
    pub tail: Tail,
}

/// Finds the longest beginning of `log` that holds.
#[must_use]
pub fn recover(log: &[u8]) -> Recovery {
    Recoverer::default().go_on(log)
}

/// The same for a file of any length.
///
/// # Errors
/// As the system says.
pub fn recover_file(log: &Path) -> io::Result<Recovery> {
    Recoverer::default().read(&mut BufReader::with_capacity(1 << 18, File::open(log)?))
}

/// How far a log was looked at. A copy can go on with another end of the same log.
#[derive(Debug, Clone, Default)]
pub struct Recoverer {
    chain: ChainCheck,
    frames: Option<Frames>,
    length: u64,
    records: u64,
}

impl Recoverer {
    /// Goes on with `log`, which begins with what was looked at before.
    pub fn go_on(&mut self, log: &[u8]) -> Recovery {
        let seen = usize::try_from(self.length).unwrap_or(usize::MAX);
        let mut rest = log.get(seen..).unwrap_or_default();
        self.read(&mut rest).unwrap_or_else(|_| unreachable!("memory can be read"))
    }

    /// Goes on with what follows what was looked at before.
    fn read(&mut self, rest: &mut impl BufRead) -> io::Result<Recovery> {
        let mut line = Vec::new();
        let tail = loop {
            line.clear();
            if self.length == 0 && frames::is_framed(rest.fill_buf()?) {
                let mut magic = [0; MAGIC.len()];
                let read = frames::fill(rest, &mut magic)?;
                if read < magic.len() {
                    break Tail::Torn(read as u64);
                }
                (self.frames, self.length) = (Some(Frames::default()), read as u64);
            }
            let (mut frames, taken) = (self.frames.clone(), self.length);
            let (problem, read) = if let Some(frames) = &mut frames {
                match frames.read(rest, &mut line)? {
                    Frame::End => break Tail::None,
                    Frame::Torn(length) => break Tail::Torn(length as u64),
                    Frame::Corrupt(problem) => (Some(problem.to_owned()), OVERHEAD + line.len()),
                    Frame::Whole => (None, OVERHEAD + line.len()),
                }
            } else {
                let read = rest.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line)?;
                match line.pop() {
                    None => break Tail::None,
                    Some(b'\n') => (None, read),
                    Some(_) if read <= MAX_LINE => break Tail::Torn(read as u64),
                    Some(_) => (Some(format!("the line is longer than {MAX_LINE} bytes")), read),
                }
            };
            let held = problem.map_or(Ok(()), Err).and_then(|()| self.holds(&line));
            if let Err(problem) = held {
                let behind = io::copy(rest, &mut io::sink())?;
                break Tail::Corrupt(self.records + 1, problem, read as u64 + behind);
            }
            self.frames = frames;
            self.length = taken + read as u64;
            self.records += 1;
        };
        Ok(Recovery { length: self.length, records: self.records, tail })
    }

    fn holds(&mut self, line: &[u8]) -> Result<(), String> {
        let entry = Entry::of_canonical(line.to_vec()).unwrap_or_else(|(_, error)| Err(error.to_string()));
        self.chain.take(&entry?)
    }
}

/// Who says what a log has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// The manifest that lists it.
    pub by: PathBuf,
    /// The SHA-256 that is listed.
    pub listed: String,
    /// The SHA-256 that the log has.
    pub actual: String,
}

/// The seal of a log: the manifest of a run that came to its end, or of a bundle, beside it. `None` where there is none.
///
/// # Errors
/// As the system says.
pub fn seal_of(log: &Path) -> io::Result<Option<Seal>> {
    let Some(name) = log.file_name().and_then(|name| name.to_str()) else { return Ok(None) };
    let read = |manifest: &str| -> Option<(PathBuf, Value)> {
        let path = log.with_file_name(manifest);
        let value = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        Some((path, value))
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let of_run =
        read("run_manifest.json").and_then(|(path, manifest)| Some((path, text(manifest.get("outputs")?.get(name))?)));
    let of_bundle = || {
        let (path, manifest) = read(crate::export::MANIFEST)?;
        let mut files = manifest.get("files")?.as_array()?.iter();
        let file = files.find(|file| file.get("path").and_then(Value::as_str) == Some(name))?;
        Some((path, text(file.get("sha256"))?))
    };
    let Some((by, listed)) = of_run.or_else(of_bundle) else { return Ok(None) };
    let mut digest = Sha256::new();
    let mut reader = BufReader::with_capacity(1 << 18, File::open(log)?);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        digest.update(bytes);
        let length = bytes.len();
        reader.consume(length);
    }
    Ok(Some(Seal { by, listed, actual: hex(&digest.finalize()) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_a_manifest_lists_is_sealed_and_another_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log.jsonl");
        std::fs::write(&log, b"abc").unwrap();
        assert_eq!(seal_of(&log).unwrap(), None);
        std::fs::write(dir.path().join("manifest.json"), br#"{"files":[{"path":"log.jsonl","sha256":"b"}]}"#).unwrap();
        assert_eq!(seal_of(&log).unwrap().unwrap().listed, "b");
        std::fs::write(dir.path().join("run_manifest.json"), br#"{"outputs":{"log.jsonl":"r"}}"#).unwrap();
        let seal = seal_of(&log).unwrap().unwrap();
        assert_eq!((seal.by, seal.listed), (dir.path().join("run_manifest.json"), "r".to_owned()));
        assert_eq!(seal.actual, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        std::fs::write(dir.path().join("other.jsonl"), b"").unwrap();
        assert_eq!(seal_of(&dir.path().join("other.jsonl")).unwrap(), None);
    }

    #[test]
    fn what_only_begins_as_a_framed_log_does_is_torn_and_holds_nothing() {
        let found = recover(&MAGIC[..5]);
        assert_eq!(found, Recovery { length: 0, records: 0, tail: Tail::Torn(5) });
        assert_eq!(recover(&MAGIC).tail, Tail::None);
    }
}

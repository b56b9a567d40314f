//! Reading logs of any length with the memory of a few batches: lines are read in order, looked at by all cores, and
//! shown in order, while the next ones are read.

use crate::chain::OwnWords;
use crate::digest::hex;
use crate::entry::{Entry, MAX_LINE};
use crate::frames::{self, Frame, Frames};
use crate::merkle::{Hash, leaf_hash};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

/// Bytes that are looked at together [bytes].
const BATCH: usize = 1 << 20;

/// Why a log could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The system did not give it.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is none.
    #[error("{} line {line}: {problem}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
}

/// A line with what is known of it.
#[derive(Debug)]
pub struct Line {
    /// What it says, with its canonical text.
    pub entry: Entry,
    /// RFC 6962 hash of the text.
    pub leaf: Hash,
    /// What it says about itself, where it is full.
    pub own: Option<OwnWords>,
}

/// How lines have to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any JSON; it is written again canonically.
    Any,
    /// Canonical JSON.
    Canonical,
}

/// What reading came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadReport {
    /// SHA-256 of the whole file, in lower-case hexadecimal.
    pub sha256: String,
    /// SHA-256 of the lines as they were shown, each with a line feed, in lower-case hexadecimal.
    pub shown_sha256: String,
    /// Bytes after the last whole line: one whose writer was stopped in it [bytes].
    pub torn_tail: usize,
}

/// Shows every line of a log, blank ones excepted, to `take`: of a log of lines or of a framed one. A line that its writer
/// did not finish is not shown.
///
/// # Errors
/// [`LogError`] at the first line that is none.
pub fn read(path: &Path, form: Form, mut take: impl FnMut(&Arc<Line>)) -> Result<ReadReport, LogError> {
    let mut lines = Lines::open(path)?;
    let mut show = |batch: Vec<Arc<Line>>| {
        batch.iter().for_each(&mut take);
        // To take apart what the other cores have made is left to them: `take` is what everybody waits for.
        rayon::spawn(move || drop(batch));
    };
    show(lines.batch(form)?);
    if lines.over {
        return Ok(lines.report());
    }
    // One that works for a pool must not wait for the pool: if all of its workers did, nobody would be left to work.
    if rayon::current_thread_index().is_some() {
        while !lines.over {
            show(lines.batch(form)?);
        }
        return Ok(lines.report());
    }
    std::thread::scope(|scope| {
        let (sender, batches) = mpsc::sync_channel(1);
        let reader = scope.spawn(move || {
            while !lines.over {
                let batch = lines.batch(form)?;
                if sender.send(batch).is_err() {
                    break;
                }
            }
            Ok(lines.report())
        });
        batches.into_iter().for_each(show);
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The lines of a file, whichever form it has.
struct Lines<'p> {
    path: &'p Path,
    reader: Hashing<BufReader<File>>,
    /// Of the lines as they are shown, from where they are no longer what was read.
    shown: Option<Sha256>,
    /// Where the log is framed.
    frames: Option<Frames>,
    number: u64,
    torn: usize,
    over: bool,
}

/// A reader that knows the digest of what was read.
struct Hashing<R> {
    inner: R,
    digest: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}

impl<'p> Lines<'p> {
    fn open(path: &'p Path) -> Result<Self, LogError> {
        let fail = |source| LogError::Read { path: path.to_path_buf(), source };
        let mut reader = BufReader::with_capacity(1 << 18, File::open(path).map_err(fail)?);
        let framed = frames::is_framed(reader.fill_buf().map_err(fail)?);
        let mut reader = Hashing { inner: reader, digest: Sha256::new() };
        let (mut frames, mut torn) = (None, 0);
        let shown = framed.then(Sha256::new);
        if framed {
            let mut magic = frames::MAGIC;
            let read = frames::fill(&mut reader, &mut magic).map_err(fail)?;
            if magic != frames::MAGIC {
                let problem = "it begins as a framed log does, and is none".to_owned();
                return Err(LogError::Line { path: path.to_path_buf(), line: 1, problem });
            }
            torn = if read < magic.len() { read } else { 0 };
            frames = Some(Frames::default());
        }
        Ok(Self { path, reader, shown, frames, number: 0, torn, over: torn > 0 })
    }

    /// The next lines. There may be none in it, and still some after it.
    fn batch(&mut self, form: Form) -> Result<Vec<Arc<Line>>, LogError> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let before = self.shown.is_none().then(|| self.reader.digest.clone());
        while bytes < BATCH && !self.over {
            let Some(line) = self.next()? else { break };
            bytes += line.len() + 1;
            batch.push((self.number, line));
        }
        let look = |(number, line)| look(self.path, form, number, line);
        let looked: Vec<Looked> = batch.into_par_iter().map(look).collect::<Result<_, _>>()?;
        let as_read = self.torn == 0 && looked.iter().all(|(_, as_read)| *as_read);
        let lines: Vec<Arc<Line>> = looked.into_iter().filter_map(|(line, _)| line).collect();
        if let Some(before) = before.filter(|_| !as_read) {
            self.shown = Some(before);
        }
        if let Some(shown) = &mut self.shown {
            for line in &lines {
                shown.update(line.entry.bytes());
                shown.update(b"\n");
            }
        }
        Ok(lines)
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, LogError> {
        let fail = |source| LogError::Read { path: self.path.to_path_buf(), source };
        let mut line = Vec::new();
        let problem = if let Some(frames) = &mut self.frames {
            match frames.read(&mut self.reader, &mut line).map_err(fail)? {
                Frame::Whole => None,
                Frame::Corrupt(problem) => Some(problem.to_owned()),
                end => {
                    self.torn = if let Frame::Torn(length) = end { length } else { 0 };
                    self.over = true;
                    return Ok(None);
                }
            }
        } else {
            let most = (MAX_LINE + 1) as u64;
            let read = self.reader.inner.by_ref().take(most).read_until(b'\n', &mut line).map_err(fail)?;
            self.reader.digest.update(&line);
            if line.pop() == Some(b'\n') {
                None
            } else if read <= MAX_LINE {
                (self.torn, self.over) = (read, true);
                return Ok(None);
            } else {
                Some(format!("the line is longer than {MAX_LINE} bytes"))
            }
        };
        self.number += 1;
        match problem {
            None => Ok(Some(line)),
            Some(problem) => Err(LogError::Line { path: self.path.to_path_buf(), line: self.number, problem }),
        }
    }

    fn report(self) -> ReadReport {
        let sha256 = hex(&self.reader.digest.finalize());
        let shown_sha256 = self.shown.map_or_else(|| sha256.clone(), |shown| hex(&shown.finalize()));
        ReadReport { sha256, shown_sha256, torn_tail: self.torn }
    }
}

/// A line, where it is none of blanks, and whether it is shown as it was read.
type Looked = (Option<Arc<Line>>, bool);

fn look(path: &Path, form: Form, line: u64, text: Vec<u8>) -> Result<Looked, LogError> {
    let wrong = |problem: String| LogError::Line { path: path.to_path_buf(), line, problem };
    if form == Form::Any && text.trim_ascii().is_empty() {
        return Ok((None, false));
    }
    let (entry, as_read) = match (Entry::of_canonical(text), form) {
        (Ok(entry), _) => (entry, true),
        (Err((_, error)), Form::Canonical) => (Err(error.to_string()), false),
        (Err((text, _)), Form::Any) => (Entry::made_canonical(&text), false),
    };
    let entry = entry.map_err(wrong)?;
    Ok((Some(Arc::new(Line { leaf: leaf_hash(entry.bytes()), own: OwnWords::of(&entry), entry })), as_read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::Frames;

    /// Lines as they are, and the digest of what is shown: across batches, wherever the first line is that is not canonical.
    #[test]
    fn the_digest_of_what_is_shown_is_that_of_the_lines_that_are_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        let canonical = format!("{{\"a\":\"{}\"}}\n", "x".repeat(BATCH / 3));
        let spaced = "{ \"a\": 1 }\n".to_owned();
        let digest = |bytes: &[u8]| hex(&Sha256::digest(bytes));
        let check = |log: &[u8]| {
            std::fs::write(&path, log).unwrap();
            let mut shown = Vec::new();
            let report = read(&path, Form::Any, |line| {
                shown.extend_from_slice(line.entry.bytes());
                shown.push(b'\n');
            });
            let report = report.unwrap();
            assert_eq!((&report.sha256, &report.shown_sha256), (&digest(log), &digest(&shown)));
            report.sha256 == report.shown_sha256
        };
        assert!(check(canonical.repeat(8).as_bytes()) && check(b""));
        for other in [spaced.as_str(), "\n", "{\"torn\":"] {
            for before in 0..8 {
                let after = if other.ends_with('\n') { 8 - before } else { 0 };
                let log = canonical.repeat(before) + other + &canonical.repeat(after);
                assert!(!check(log.as_bytes()), "{before} lines and then {other:?}");
            }
        }
        let (mut frames, mut log) = (Frames::default(), frames::MAGIC.to_vec());
        (0..5).for_each(|_| frames.append_lines(&mut log, canonical.as_bytes()));
        assert!(!check(&log));
    }
}

//! This end: a process at work, asked and waited for without ever waiting for ever.
//!
//! The pipes never block. One loop writes the request, reads the answer and drains standard error, whichever is
//! ready, until the answer is there or the time is up: a process that does not read cannot hold us, and neither can
//! one that prints too much.

use super::frame::{self, CREATE, DECIDE, FAILURE, HEAD_BYTES, OPEN, REFUSAL, REPLY, Word};
use super::{Limits, LoadError, Opening, Server};
use crate::words::plain;
use crate::{Failure, Instance};
use labtrust_plugin::wire::{decode, encode};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How much of what it says on standard error is kept [bytes].
const LAST_WORDS: usize = 300;
/// Longest body of an answer that is no reply of the plugin [bytes].
const FAILURE_BYTES_MAX: u32 = 64 << 10;
/// How long a process has to end by itself once it closed its pipes or was told to go.
const PATIENCE: Duration = Duration::from_millis(500);
/// Longest pause between two looks at whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// A process that serves a plugin. Ended and buried when dropped.
pub(super) struct Worker {
    child: Child,
    /// `None` once it was told to go.
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// `None` once it was closed.
    errors: Option<ChildStderr>,
    /// The newest bytes of standard error.
    said: Vec<u8>,
    limits: Limits,
    /// The newest frame to it, in reused memory.
    frame: Vec<u8>,
    /// It is gone, and its number may be another process's.
    gone: bool,
}

impl Worker {
    /// Starts a process for the plugin at `path`.
    pub(super) fn start(server: &Server, path: &Path, limits: Limits) -> Result<Self, Failure> {
        let program = server.program.display();
        let wrong = |error: io::Error| Failure::Process { rule: format!("cannot be started as {program}: {error}") };
        let mut command = Command::new(&server.program);
        // Only its last words are kept, and a backtrace would be all of them.
        command.args(&server.arguments).arg(path).env("RUST_BACKTRACE", "0");
        // A group of its own, so that what it starts can be ended with it.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(wrong)?;
        let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(errors)) = streams else {
            return Err(wrong(io::Error::other("it has no standard streams")));
        };
        let worker = Self {
            child,
            input: Some(input),
            output,
            errors: Some(errors),
            said: vec![],
            limits,
            frame: vec![],
            gone: false,
        };
        worker.never_block().map_err(wrong)?;
        Ok(worker)
    }

    fn never_block(&self) -> io::Result<()> {
        let (input, errors) = (self.input.as_ref().map(AsFd::as_fd), self.errors.as_ref().map(AsFd::as_fd));
        for pipe in [input, errors, Some(self.output.as_fd())].into_iter().flatten() {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(())
    }

    /// Lets it load its plugin; `manifest` is filled with the bytes of the manifest.
    pub(super) fn open(&mut self, opening: &Opening, manifest: &mut Vec<u8>) -> Result<(), LoadError> {
        match self.exchange(OPEN, &encode(opening), manifest)? {
            REPLY => Ok(()),
            REFUSAL => Err(LoadError::Refused { refusal: plain(manifest) }),
            other => Err(strange(other).into()),
        }
    }

    /// Asks and waits. After a failure the process has ended.
    fn ask(&mut self, word: Word, request: &[u8], reply: &mut Vec<u8>) -> Result<(), Failure> {
        let failure = match self.exchange(word, request, reply)? {
            REPLY => return Ok(()),
            FAILURE => decode(reply).unwrap_or_else(Failure::from),
            other => strange(other),
        };
        reply.clear();
        Err(failure)
    }

    fn exchange(&mut self, word: Word, request: &[u8], reply: &mut Vec<u8>) -> Result<Word, Failure> {
        let answer = self.answer(word, request, reply);
        if answer.is_err() {
            reply.clear();
            self.end(Duration::ZERO);
        }
        answer
    }

    fn answer(&mut self, word: Word, request: &[u8], reply: &mut Vec<u8>) -> Result<Word, Failure> {
        reply.clear();
        let too_long = || Failure::Process { rule: "cannot be asked: the request is too long".to_owned() };
        frame::put(word, request, &mut self.frame).ok_or_else(too_long)?;
        let begun = Instant::now();
        let (mut sent, mut head, mut headed) = (0, [0; HEAD_BYTES], 0);
        loop {
            // The head first, so that nothing is read that does not belong to this answer.
            let read = if headed < HEAD_BYTES {
                self.output.read(&mut head[headed..]).inspect(|count| headed += count)
            } else {
                let (len, word) = frame::head(head);
                self.check(len, word)?;
                let left = len as usize - reply.len();
                if left == 0 {
                    return Ok(word);
                }
                read_some(&mut self.output, left, reply)
            };
            match read {
                Ok(0) => return Err(self.died()),
                Ok(_) => continue,
                Err(error) if waits(&error) => {}
                Err(_) => return Err(self.died()),
            }
            let left = self.limits.call.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(Failure::Late { limit_s: self.limits.call.as_secs() });
            }
            if let (Some(input), false) = (&mut self.input, sent == self.frame.len()) {
                match input.write(&self.frame[sent..]) {
                    Ok(count) => sent += count,
                    Err(error) if waits(&error) => {}
                    // It does not read any more; whether it has ended shows in its output.
                    Err(_) => sent = self.frame.len(),
                }
            }
            self.drain();
            self.wait(left, sent < self.frame.len());
        }
    }

    /// Whether an answer of this length may be read.
    fn check(&self, len: u32, word: Word) -> Result<(), Failure> {
        let limit = if word == REPLY { self.limits.reply_bytes } else { FAILURE_BYTES_MAX };
        if len > limit {
            return Err(Failure::ReplyTooLong { len: len.into(), limit: limit.into() });
        }
        Ok(())
    }

    /// Waits until one of the pipes is ready, and at most for `left`.
    fn wait(&self, left: Duration, writing: bool) {
        let mut pipes = vec![PollFd::new(self.output.as_fd(), PollFlags::POLLIN)];
        if let Some(errors) = &self.errors {
            pipes.push(PollFd::new(errors.as_fd(), PollFlags::POLLIN));
        }
        if let (Some(input), true) = (&self.input, writing) {
            pipes.push(PollFd::new(input.as_fd(), PollFlags::POLLOUT));
        }
        // Rounded up, or the last millisecond would be spent in looking again and again.
        let left = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        // Whatever it says, all pipes are looked at again.
        let _ = poll(&mut pipes, left);
    }

    /// Takes what there is on standard error, and not more than a pipe holds: more may be coming without an end.
    fn drain(&mut self) {
        let mut part = [0; 4096];
        for _ in 0..16 {
            let Some(errors) = &mut self.errors else { return };
            match errors.read(&mut part) {
                // Closed: looked at again, it would always be ready.
                Ok(0) => self.errors = None,
                Ok(count) => {
                    self.said.extend_from_slice(&part[..count]);
                    let surplus = self.said.len().saturating_sub(LAST_WORDS);
                    self.said.drain(..surplus);
                }
                Err(_) => return,
            }
        }
    }

    /// How a process ended that closed its pipes.
    fn died(&mut self) -> Failure {
        let how = match self.ended_within(PATIENCE) {
            Some(status) => told(status),
            None => "closed its pipes and went on, and was ended".to_owned(),
        };
        self.drain();
        let last_words = match plain(&self.said) {
            nothing if nothing.is_empty() => nothing,
            words => format!("; last it wrote: {words}"),
        };
        Failure::Died { how, last_words }
    }

    fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        let mut pause = Duration::from_micros(50);
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if begun.elapsed() >= patience {
                return None;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSE);
        }
    }

    /// Ends the process and what it has started, and waits until it is gone.
    fn end(&mut self, patience: Duration) {
        if std::mem::replace(&mut self.gone, true) {
            return;
        }
        // It goes when nobody talks to it any more.
        self.input = None;
        let gone = self.ended_within(patience).is_some();
        if let Ok(group) = i32::try_from(self.child.id()) {
            // No such group: all of it has ended.
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        if !gone {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Reads at most `most` bytes to the end of `out`.
fn read_some(input: &mut impl Read, most: usize, out: &mut Vec<u8>) -> io::Result<usize> {
    let mut part = [0; 16 << 10];
    let most = most.min(part.len());
    let count = input.read(&mut part[..most])?;
    out.extend_from_slice(&part[..count]);
    Ok(count)
}

fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn strange(word: Word) -> Failure {
    Failure::Process { rule: format!("gave an answer of the kind {word}, which is none") }
}

/// How a process ended, after "its process".
fn told(status: ExitStatus) -> String {
    let signal = status.signal().map(|signal| match Signal::try_from(signal) {
        Ok(known) => known.as_str().to_owned(),
        Err(_) => format!("signal {signal}"),
    });
    match (signal, status.code()) {
        (Some(signal), _) => format!("was ended by {signal}"),
        (None, Some(code)) => format!("ended itself with code {code}"),
        (None, None) => "ended".to_owned(),
    }
}

impl Instance for Worker {
    fn create(&mut self, request: &[u8], reply: &mut Vec<u8>) -> Result<(), Failure> {
        self.ask(CREATE, request, reply)
    }

    fn decide(&mut self, request: &[u8], reply: &mut Vec<u8>) -> Result<(), Failure> {
        self.ask(DECIDE, request, reply)
    }

    fn fuel(&self) -> Option<u64> {
        None
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end(PATIENCE);
    }
}

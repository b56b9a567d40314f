//! The other end: a process that loads one plugin and answers for it.

use super::frame::{self, CREATE, DECIDE, FAILURE, OPEN, REFUSAL, REPLY};
use super::{Opening, only};
use crate::{Carrier, Failure, Instance, native};
use labtrust_plugin::wire::{WireError, decode, encode};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, dup, dup2_stdin, dup2_stdout, getpgrp, getpid};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

/// How long the plugin has to end itself when nobody listens any more.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Why a plugin cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The streams or the limits cannot be set up.
    #[error("the plugin's process cannot be set up")]
    Setup(#[source] io::Error),
    /// Whoever started this does not talk like the program.
    #[error("a plugin is served only to the program itself, over its standard streams")]
    NotAsked,
    /// What is said first cannot be read.
    #[error("what the program says first cannot be read")]
    Opening(#[from] WireError),
    /// The program is gone, or its pipes are.
    #[error("the program cannot be reached any more")]
    Pipe(#[source] io::Error),
}

/// Loads the plugin at `path` and answers for it on this process's standard streams, until the program on the other side
/// has gone. What a plugin writes on standard output goes to standard error. Call it before anything else is done with
/// the streams, and end the process after it.
///
/// # Errors
/// [`ServeError`]. That a plugin is refused or fails is told to the program, and no error.
pub fn serve(path: &Path) -> Result<(), ServeError> {
    let (mut input, mut output) = streams().map_err(ServeError::Setup)?;
    let (mut request, mut out) = (Vec::new(), Vec::new());
    if frame::read(&mut input, &mut request).map_err(ServeError::Pipe)? != Some(OPEN) {
        return Err(ServeError::NotAsked);
    }
    let opening: Opening = decode(&request)?;
    limit(opening.memory_mib).map_err(ServeError::Setup)?;
    end_with_the_program(&input).map_err(ServeError::Setup)?;
    let limits = native::Limits { reply_bytes: opening.reply_bytes };
    let plugin = match only(&opening.sha256).and_then(|permission| native::load(path, &permission, limits)) {
        Ok(plugin) => plugin,
        Err(error) => {
            return frame::write(&mut output, REFUSAL, error.to_string().as_bytes(), &mut out)
                .map_err(ServeError::Pipe);
        }
    };
    frame::write(&mut output, REPLY, &encode(plugin.manifest()), &mut out).map_err(ServeError::Pipe)?;
    let mut instance = None;
    let mut reply = Vec::new();
    while let Some(word) = frame::read(&mut input, &mut request).map_err(ServeError::Pipe)? {
        let (word, body) = match answer(&plugin, &mut instance, word, &request, &mut reply) {
            Ok(()) => (REPLY, &reply),
            Err(failure) => (FAILURE, &encode(&failure)),
        };
        frame::write(&mut output, word, body, &mut out).map_err(ServeError::Pipe)?;
    }
    Ok(())
}

fn answer(
    plugin: &impl Carrier,
    at_work: &mut Option<Box<dyn Instance>>,
    word: frame::Word,
    request: &[u8],
    reply: &mut Vec<u8>,
) -> Result<(), Failure> {
    let instance = match at_work {
        Some(instance) => instance,
        none => none.insert(plugin.instance()?),
    };
    match word {
        CREATE => instance.create(request, reply),
        DECIDE => instance.decide(request, reply),
        other => Err(Failure::Process { rule: format!("was asked {other}, which it does not know") }),
    }
}

/// The pipes to the program, and streams for the plugin that are not these: it may read and print what it likes.
fn streams() -> io::Result<(File, File)> {
    let (input, output) = (dup(io::stdin())?, dup(io::stdout())?);
    dup2_stdin(File::open("/dev/null")?)?;
    dup2_stdout(io::stderr())?;
    Ok((input.into(), output.into()))
}

/// Takes address space above the limit away, and does without images of crashes.
fn limit(memory_mib: u32) -> io::Result<()> {
    let bytes = u64::from(memory_mib) << 20;
    // No such limit on a system that does not know it would be no wall at all: an error.
    setrlimit(Resource::RLIMIT_AS, bytes, bytes)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    Ok(())
}

/// Ends this process soon after the program has gone, also when the plugin never returns.
fn end_with_the_program(input: &File) -> io::Result<()> {
    let input = input.try_clone()?;
    std::thread::Builder::new().stack_size(64 << 10).spawn(move || {
        loop {
            // Without asking for data: what is told is that the other end was closed.
            let mut pipe = [PollFd::new(input.as_fd(), PollFlags::empty())];
            match poll(&mut pipe, PollTimeout::NONE) {
                Err(nix::errno::Errno::EINTR) => {}
                _ => break,
            }
        }
        std::thread::sleep(LAST_MOMENT);
        // The group is ours if it has our number; what the plugin has started is in it. Not `exit`: that runs what the
        // plugin has registered, on this thread.
        let group = if getpgrp() == getpid() { Pid::from_raw(0) } else { getpid() };
        let _ = kill(group, Signal::SIGKILL);
    })?;
    Ok(())
}

//! `run_metrics.json`: what a run took, what it ended with, and how much was written for it.
//!
//! The command runs in the submission's directory with nothing on its standard input. When its time is up, or when it
//! has ended, whatever it started is ended too: see [`tree`] for what that covers. This module is the one place of the
//! protocol that reads a clock.

pub mod count;
pub mod tail;
#[cfg(unix)]
pub mod tree;

use crate::date::timestamp;
use crate::error::ProtocolError;
use count::{FileCounts, LineCounts};
use labtrust_bench::files::AtomicFile;
use serde::Serialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tail::Tail;

/// How long a run may take unless something else is said: the protocol's 45 minutes.
pub const PROTOCOL_TIMEOUT: Duration = Duration::from_secs(45 * 60);
/// The file's name in a submission.
pub const FILE_NAME: &str = "run_metrics.json";
/// How much of what the command says is kept [characters].
pub const TAIL_CHARACTERS: usize = 4000;
/// The longest time between two looks at whether the command has ended.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);
/// How long the end of a killed command's output is waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Measurement {
    /// Where the submission is; the command runs there.
    pub submission_dir: PathBuf,
    /// The command line.
    pub command: String,
    /// Where the metrics go.
    pub metrics_out: PathBuf,
    /// When the command is ended.
    pub timeout: Duration,
    /// Whether a shell reads the command line, rather than it being split into words as a shell would split it.
    pub shell: bool,
}

/// What was measured, as it is written.
#[derive(Debug, Clone, Serialize)]
pub struct RunMetrics {
    /// The command line; null when none was measured.
    pub command: Option<String>,
    /// The submission's directory, as it was named.
    pub submission_dir: String,
    /// When the command was started, in UTC.
    pub started_at: Option<String>,
    /// When it had ended, in UTC.
    pub ended_at: Option<String>,
    /// How long it ran [s].
    pub runtime_seconds: Option<f64>,
    /// Whether it was ended because its time was up.
    pub timed_out: bool,
    /// Its exit code; minus the signal's number when a signal ended it; null when its time was up.
    pub return_code: Option<i32>,
    /// The end of its standard output.
    pub stdout_tail: String,
    /// The end of its standard error.
    pub stderr_tail: String,
    /// After how long it would have been ended [s].
    pub timeout_seconds: Option<f64>,
    /// Lines of code of the submission.
    pub loc: LineCounts,
    /// Files of the submission.
    pub files: FileCounts,
    /// Why there is no runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl RunMetrics {
    /// Whether the command did what it was to do, in time.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.return_code == Some(0) && !self.timed_out
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// Runs the command and writes the metrics, whether it succeeded or not.
///
/// `interrupted` is looked at while the command runs: once it is set, the command is ended and nothing is written. A
/// process that measures must have no other children: on Linux all of them are taken for the command's.
///
/// # Errors
/// [`ProtocolError::Input`] when the directory or the program is not there or the command line cannot be split;
/// [`ProtocolError::Interrupted`]; [`ProtocolError::Write`].
pub fn measure(what: &Measurement, interrupted: &AtomicBool) -> Result<RunMetrics, ProtocolError> {
    check_directory(&what.submission_dir)?;
    let words = words(what)?;
    if what.timeout.is_zero() {
        return Err(ProtocolError::input("a timeout of no time measures nothing", "give seconds above 0"));
    }
    // Before the command: a place that cannot be written is found out now, not after 45 minutes.
    let mut out = AtomicFile::create(&what.metrics_out)?;
    let ran = run(&words, &what.submission_dir, what.timeout, interrupted)?;
    let (loc, files) = count::count(&what.submission_dir)?;
    let metrics = RunMetrics {
        command: Some(what.command.clone()),
        submission_dir: what.submission_dir.display().to_string(),
        started_at: Some(timestamp(ran.started_at)),
        ended_at: Some(timestamp(ran.started_at + ran.took)),
        runtime_seconds: Some(libm::round(ran.took.as_secs_f64() * 1e6) / 1e6),
        timed_out: ran.status.is_none(),
        return_code: ran.status.map(code),
        stdout_tail: ran.stdout,
        stderr_tail: ran.stderr,
        timeout_seconds: Some(what.timeout.as_secs_f64()),
        loc,
        files,
        note: None,
    };
    out.write(&metrics.bytes())?;
    out.persist()?;
    Ok(metrics)
}

/// Writes the metrics of a run that nobody timed: `runtime_seconds` is null, `note` says why.
///
/// # Errors
/// [`ProtocolError::Input`] when the note is empty or there is no such directory; [`ProtocolError::Write`].
pub fn unknown(submission_dir: &Path, metrics_out: &Path, note: &str) -> Result<RunMetrics, ProtocolError> {
    check_directory(submission_dir)?;
    if note.trim().is_empty() {
        return Err(ProtocolError::input(
            "a note must say why there is no runtime",
            "name what ran it, and why it tells no time",
        ));
    }
    let (loc, files) = count::count(submission_dir)?;
    let metrics = RunMetrics {
        command: None,
        submission_dir: submission_dir.display().to_string(),
        started_at: None,
        ended_at: None,
        runtime_seconds: None,
        timed_out: false,
        return_code: None,
        stdout_tail: String::new(),
        stderr_tail: String::new(),
        timeout_seconds: None,
        loc,
        files,
        note: Some(note.trim().to_owned()),
    };
    labtrust_bench::files::write_whole(metrics_out, &metrics.bytes())?;
    Ok(metrics)
}

fn check_directory(dir: &Path) -> Result<(), ProtocolError> {
    if dir.is_dir() {
        return Ok(());
    }
    Err(ProtocolError::input(format!("there is no directory {}", dir.display()), "name the directory of a submission"))
}

/// Program and arguments.
fn words(what: &Measurement) -> Result<Vec<OsString>, ProtocolError> {
    if what.command.trim().is_empty() {
        return Err(ProtocolError::input("the command is empty", "give what is to be run, in quotes"));
    }
    if what.shell {
        let shell: [&str; 2] = if cfg!(windows) { ["cmd", "/C"] } else { ["/bin/sh", "-c"] };
        return Ok(shell.into_iter().chain([what.command.as_str()]).map(OsString::from).collect());
    }
    let words = shlex::split(&what.command).ok_or_else(|| {
        let problem = format!("the command {:?} cannot be split into words", what.command);
        ProtocolError::input(problem, "close every quote, or let a shell read it with --shell")
    })?;
    if words.is_empty() {
        return Err(ProtocolError::input("the command is a comment", "give what is to be run"));
    }
    Ok(words.into_iter().map(OsString::from).collect())
}

/// How a run went.
struct Ran {
    started_at: SystemTime,
    took: Duration,
    /// `None` when its time was up.
    status: Option<ExitStatus>,
    stdout: String,
    stderr: String,
}

fn run(words: &[OsString], dir: &Path, timeout: Duration, interrupted: &AtomicBool) -> Result<Ran, ProtocolError> {
    let (program, arguments) = words.split_first().expect("an empty command was refused");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        command.process_group(0);
        tree::adopt_orphans();
    }
    let started_at = SystemTime::now();
    let begun = Instant::now();
    let mut child = command.spawn().map_err(|source| {
        let problem = format!("cannot start {program:?} in {}: {source}", dir.display());
        ProtocolError::input(problem, "the command runs in the submission's directory; shell syntax needs --shell")
    })?;
    #[cfg(unix)]
    let pid = child.id();
    let stdout = Tail::of(child.stdout.take(), TAIL_CHARACTERS);
    let stderr = Tail::of(child.stderr.take(), TAIL_CHARACTERS);
    let waited = wait(&mut child, begun, timeout, interrupted);
    // Whatever is still there: all of it when the time is up, what was left in the background when not.
    #[cfg(unix)]
    tree::end(pid);
    if waited.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let (stdout, stderr) = (stdout.last_words(LAST_WORDS), stderr.last_words(LAST_WORDS));
    if interrupted.load(Ordering::Relaxed) {
        return Err(ProtocolError::Interrupted);
    }
    let (status, took) = match waited {
        Some((status, took)) => (Some(status), took),
        None => (None, begun.elapsed()),
    };
    Ok(Ran { started_at, took, status, stdout, stderr })
}

/// Waits until the command has ended; `None` when its time was up or somebody interrupted.
fn wait(
    child: &mut Child,
    begun: Instant,
    timeout: Duration,
    interrupted: &AtomicBool,
) -> Option<(ExitStatus, Duration)> {
    // Looking again and again costs a fraction of a millisecond of accuracy and no thread; a pause grows with the run.
    let mut pause = Duration::from_micros(100);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some((status, begun.elapsed()));
        }
        let left = timeout.saturating_sub(begun.elapsed());
        if left.is_zero() || interrupted.load(Ordering::Relaxed) {
            return None;
        }
        std::thread::sleep(pause.min(left));
        pause = (begun.elapsed() / 1000).clamp(pause, LONGEST_PAUSE);
    }
}

fn code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.signal() {
            return -signal;
        }
    }
    status.code().unwrap_or(-1)
}

/// Lets Ctrl-C and SIGTERM set a flag instead of ending this process, so that it can end the command first.
///
/// # Errors
/// [`ProtocolError::Input`] when the system does not let it.
pub fn interruptions() -> Result<Arc<AtomicBool>, ProtocolError> {
    let flag = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&flag))
            .map_err(|error| ProtocolError::input(format!("cannot listen for signals: {error}"), ""))?;
    }
    Ok(flag)
}

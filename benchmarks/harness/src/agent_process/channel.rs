//! Questions to a process and its answers, a JSON object a line.

use serde_json::{Map, Value};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much of what a process says on its standard error is kept [bytes].
const LAST_WORDS: usize = 2000;
/// The longest line that is taken for an answer [bytes].
const LONGEST_LINE: u64 = 1 << 20;

/// How long is waited for the rest of what an ended process said.
const LISTEN: Duration = Duration::from_millis(500);

/// Why an agent's process cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AgentProcessError {
    /// It could not be started.
    #[error("cannot start the agent {program:?}: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// No answer in time.
    #[error("the agent did not answer {question:?} within {seconds} s")]
    Timeout {
        /// What was asked.
        question: &'static str,
        /// How long was waited [s].
        seconds: f64,
    },
    /// It ended, or closed its output.
    #[error("the agent ended before it answered {question:?}{last_words}")]
    Ended {
        /// What was asked.
        question: &'static str,
        /// What it said on its standard error, if anything.
        last_words: String,
    },
    /// It wants something that there is not.
    #[error("the agent wants {what} {wanted:?}, which this program does not have")]
    Version {
        /// Of what.
        what: &'static str,
        /// Which.
        wanted: String,
    },
    /// Its answer is none.
    #[error("the agent's answer cannot be used: {problem}: {answer}")]
    Answer {
        /// What is wrong.
        problem: String,
        /// What it said.
        answer: Value,
    },
}

/// A process and its lines. Dropped, it is told to end and then ended.
pub struct Channel {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    last_words: Arc<Mutex<Vec<u8>>>,
    /// Nobody sends anything: it is closed when the last words were read.
    heard_out: Receiver<()>,
    timeout: Duration,
    asked: u64,
}

impl Channel {
    /// Starts `command`, whose first entry is the program.
    ///
    /// # Errors
    /// [`AgentProcessError::Start`].
    pub fn open(command: &[String], timeout: Duration) -> Result<Self, AgentProcessError> {
        let program = command.first().cloned().unwrap_or_default();
        let wrong = |source| AgentProcessError::Start { program: program.clone(), source };
        let mut child = Command::new(&program)
            .args(command.iter().skip(1))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(wrong)?;
        let missing = || wrong(std::io::Error::other("it has no standard streams"));
        let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let output = output.ok_or_else(missing)?;
        let mut errors = errors.ok_or_else(missing)?;
        let (send, lines) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let mut line = String::new();
                match output.by_ref().take(LONGEST_LINE).read_line(&mut line) {
                    Ok(0) | Err(_) => return,
                    Ok(_) if send.send(line).is_err() => return,
                    Ok(_) => {}
                }
            }
        });
        let last_words = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&last_words);
        let (reading, heard_out) = channel();
        std::thread::spawn(move || {
            let _reading: Sender<()> = reading;
            let mut part = [0; 512];
            while let Ok(count @ 1..) = errors.read(&mut part) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&part[..count]);
                let surplus = kept.len().saturating_sub(LAST_WORDS);
                kept.drain(..surplus);
            }
        });
        Ok(Self { child, input, lines, last_words, heard_out, timeout, asked: 0 })
    }

    /// Asks `question`, with what is in `body`, and waits for the answer with the same id.
    ///
    /// # Errors
    /// [`AgentProcessError::Timeout`], [`AgentProcessError::Ended`], [`AgentProcessError::Answer`].
    pub fn ask(&mut self, question: &'static str, mut body: Value) -> Result<Map<String, Value>, AgentProcessError> {
        self.asked += 1;
        body["type"] = question.into();
        body["id"] = self.asked.into();
        let written =
            self.input.as_mut().is_some_and(|input| writeln!(input, "{body}").and_then(|()| input.flush()).is_ok());
        if !written {
            return Err(self.ended(question));
        }
        let until = Instant::now() + self.timeout;
        loop {
            let line = match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(AgentProcessError::Timeout { question, seconds: self.timeout.as_secs_f64() });
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended(question)),
            };
            if line.trim().is_empty() {
                continue;
            }
            let wrong = |problem: &str| AgentProcessError::Answer {
                problem: problem.to_owned(),
                answer: line.trim().chars().take(200).collect::<String>().into(),
            };
            let answer: Value = serde_json::from_str(&line).map_err(|_| wrong("it is not a line of JSON"))?;
            let Value::Object(answer) = answer else { return Err(wrong("it should be an object")) };
            match answer.get("id").and_then(Value::as_u64) {
                Some(id) if id == self.asked => return Ok(answer),
                // An answer to a question that nobody waits for any more.
                Some(id) if id < self.asked => {}
                _ => return Err(wrong("its \"id\" should be that of the question")),
            }
        }
    }

    fn ended(&mut self, question: &'static str) -> AgentProcessError {
        // What it said before it ended may still be on the way, and whoever it started may never be done with saying more.
        ends_soon(&mut self.child);
        let _ = self.heard_out.recv_timeout(LISTEN);
        let said = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let said = String::from_utf8_lossy(&said);
        let last_words = if said.trim().is_empty() { String::new() } else { format!("; it said: {}", said.trim()) };
        AgentProcessError::Ended { question, last_words }
    }
}

/// Waits half a second for a child to end, which the standard library cannot; whether it has.
fn ends_soon(child: &mut Child) -> bool {
    for _ in 0..50 {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

impl Drop for Channel {
    fn drop(&mut self) {
        if let Some(mut input) = self.input.take() {
            let _ = writeln!(input, "{{\"id\":{},\"type\":\"bye\"}}", self.asked + 1);
            // Dropped here: the end of its input tells the process to end, too.
        }
        if !ends_soon(&mut self.child) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

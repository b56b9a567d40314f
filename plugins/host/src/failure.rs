//! How a plugin fails at work.

use crate::words::plain;
use labtrust_plugin::wire::{Problem, WireError};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How an instance of a plugin fails. Nothing of it is used again then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// It used all of its fuel.
    #[error("it used all of its fuel: {limit}")]
    OutOfFuel {
        /// What it had [fuel].
        limit: u64,
    },
    /// It called itself too often.
    #[error("its calls are nested too deeply")]
    StackOverflow,
    /// It wanted more memory, or a table larger than is allowed.
    #[error("it wanted more than its limit of {limit} bytes of memory or {elements} table elements")]
    OutOfMemory {
        /// The limit [bytes].
        limit: u64,
        /// The limit of its tables [count].
        elements: usize,
    },
    /// Any other trap: it panicked, divided by zero, left its memory.
    #[error("it stopped with a trap: {rule}")]
    Trap {
        /// Which trap.
        rule: String,
    },
    /// A buffer or an answer is not inside of its memory.
    #[error("{what} at {address} with {len} bytes is outside of its memory of {memory} bytes")]
    OutOfBounds {
        /// The buffer or the answer.
        what: Cow<'static, str>,
        /// Where it should be.
        address: u32,
        /// How long it should be [bytes].
        len: u32,
        /// How large the memory is [bytes].
        memory: u64,
    },
    /// An answer is longer than allowed.
    #[error("an answer of {len} bytes is longer than the limit of {limit}")]
    ReplyTooLong {
        /// Its length [bytes].
        len: u64,
        /// The limit [bytes].
        limit: u64,
    },
    /// It says itself that it cannot go on.
    #[error("it reports: {0}")]
    Problem(Problem),
    /// It panicked, and caught that itself.
    #[error("it panicked: {message}")]
    Panic {
        /// What it said.
        message: String,
    },
    /// An answer has a length and is nowhere.
    #[error("an answer of {len} bytes is nowhere: its address is null")]
    NullReply {
        /// Its length [bytes].
        len: u64,
    },
    /// A call returned what the contract does not have.
    #[error("a call returned {status}, which means nothing")]
    Status {
        /// What it returned.
        status: u32,
    },
    /// It took longer than it may.
    #[error("it took longer than {limit_s} s for an answer, and was ended")]
    Late {
        /// The limit [s].
        limit_s: u64,
    },
    /// Its process ended.
    #[error("its process {how}{last_words}")]
    Died {
        /// By which signal, or with which code.
        how: String,
        /// What it wrote last on its standard error, with a word before it; or nothing.
        last_words: String,
    },
    /// Its process does not do what the program's other end does.
    #[error("its process {rule}")]
    Process {
        /// What it does.
        rule: String,
    },
    /// An answer cannot be read. Found on this side only, so that it never crosses to it; and last, because the numbers
    /// of what follows a skipped variant would be others on the two sides.
    #[serde(skip)]
    #[error("its answer cannot be read: {0}")]
    Garbage(#[from] WireError),
}

impl Failure {
    /// What a plugin reports itself, in words that are fit for one line of a message.
    #[must_use]
    pub fn reported(problem: Problem) -> Self {
        Self::Problem(Problem { message: plain(problem.message.as_bytes()), ..problem })
    }
}

impl From<Failure> for Problem {
    /// What the plugin reports itself keeps its kind.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Problem(problem) => problem,
            failure => Self::new(failure.to_string()),
        }
    }
}

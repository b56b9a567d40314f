//! Why a module is not loaded, and how one fails at work.

use super::rules::{MODULE_BYTES_MAX, TABLE_ELEMENTS_MAX};
use labtrust_plugin::wire::{HandshakeError, Problem, WireError};
use std::path::PathBuf;

/// Why a file does not become a method.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The module breaks a rule.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The module does not say who it is.
    #[error("the module does not give its manifest: {0}")]
    Manifest(#[from] Failure),
    /// The module speaks another contract.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The module is something that cannot be carried this way.
    #[error("{id} is of the kind {kind}; as a file of its own a plugin can be a coordination-method")]
    Kind {
        /// Its id.
        id: String,
        /// Its kind.
        kind: String,
    },
}

/// The rule that a module breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is larger than any method needs to be.
    #[error("the module has {bytes} bytes, at most {MODULE_BYTES_MAX} are allowed")]
    TooLarge {
        /// Its size [bytes].
        bytes: u64,
    },
    /// It is no WebAssembly, or uses an extension that is not allowed.
    #[error("not a WebAssembly module that can be run here: {rule}")]
    Malformed {
        /// What the validator says.
        rule: String,
    },
    /// It computes with floats.
    #[error("the module computes with floating-point numbers, which `numerics: integer_only` forbids")]
    Floats,
    /// It has a function that runs before it is asked anything.
    #[error("the module has a start function; nothing may run before it is asked")]
    StartFunction,
    /// It asks for something from outside.
    #[error("the module imports {module}.{name}; a plugin imports nothing")]
    Import {
        /// The import's module.
        module: String,
        /// Its name.
        name: String,
    },
    /// Something of the contract is not there.
    #[error("the module does not export {name}")]
    MissingExport {
        /// What is missing.
        name: &'static str,
    },
    /// Something of the contract is there with another type.
    #[error("the module exports {name} with another type than {wanted}")]
    ExportType {
        /// What.
        name: &'static str,
        /// The type in the contract.
        wanted: &'static str,
    },
    /// It exports something that the contract does not have.
    #[error("the module exports {name}, which is no part of the contract")]
    ExtraExport {
        /// What.
        name: String,
    },
    /// Its memory has no declared maximum.
    #[error("the module's memory has no maximum; declare one (`-C link-arg=--max-memory=BYTES` for rustc)")]
    UnboundedMemory,
    /// Its memory is larger than the limit from the beginning.
    #[error("the module's memory begins with {bytes} bytes, the limit is {limit}")]
    MemoryTooLarge {
        /// How it begins [bytes].
        bytes: u64,
        /// The limit [bytes].
        limit: u64,
    },
}

/// How a module fails at work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    #[error("it wanted more than its limit of {limit} bytes of memory or {TABLE_ELEMENTS_MAX} table elements")]
    OutOfMemory {
        /// The limit [bytes].
        limit: u64,
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
        what: &'static str,
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
        len: u32,
        /// The limit [bytes].
        limit: u32,
    },
    /// An answer cannot be read.
    #[error("its answer cannot be read: {0}")]
    Garbage(#[from] WireError),
    /// It says itself that it cannot go on.
    #[error("it reports: {0}")]
    Problem(Problem),
}

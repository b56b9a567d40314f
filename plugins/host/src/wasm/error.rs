//! Why a module is not loaded.

use super::rules::MODULE_BYTES_MAX;
use crate::{Failure, ManifestError};
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
    /// The module speaks another contract, or is something that cannot be carried this way.
    #[error(transparent)]
    Unusable(#[from] ManifestError),
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

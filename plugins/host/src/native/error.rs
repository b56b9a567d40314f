//! Why a shared library is not loaded.

use super::file::{FILE_BYTES_MAX, Permission};
use super::{Head, MANIFEST_BYTES_MAX, ManifestError};
use labtrust_plugin::abi::SYMBOL;
use labtrust_plugin::wire::HandshakeError;
use std::path::PathBuf;

/// Why a file does not become a plugin.
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
    /// The bytes that were checked cannot be put where the system's loader finds them.
    #[error("cannot make a copy of the plugin that nobody can change")]
    Image {
        /// Why.
        source: std::io::Error,
    },
    /// The file or its table breaks a rule.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The plugin speaks another contract, or is something that cannot be carried this way.
    #[error(transparent)]
    Unusable(#[from] ManifestError),
}

/// The rule that a file or its table breaks; in the order in which they are looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody said that native plugins may be loaded.
    #[error(
        "native plugins are off: they can do whatever this program can. If you trust its author like your own code, allow them with --allow-native-plugins"
    )]
    NotAllowed,
    /// It is a folder, a pipe or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// It is larger than any plugin needs to be.
    #[error("the file has more than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// It is none of the files that may be loaded.
    #[error("its SHA-256, {sha256}, is not in the list of those that may be loaded")]
    NotListed {
        /// What it is.
        sha256: String,
    },
    /// It is no shared library, or one of another machine.
    #[error("not a shared library of this machine: {rule}")]
    NotALibrary {
        /// What is wrong.
        rule: String,
    },
    /// Its end is missing.
    #[error("the file has {bytes} bytes and should have at least {wanted}: a part of it is missing")]
    Truncated {
        /// What it has [bytes].
        bytes: u64,
        /// What its headers promise [bytes].
        wanted: u64,
    },
    /// The system's loader does not take it.
    #[error("the system does not load it: {rule}")]
    NotLoadable {
        /// What the loader says.
        rule: String,
    },
    /// It is a library, and no plugin.
    #[error("the library does not export {SYMBOL}; it is no plugin, or `export_native!` is missing")]
    NoSymbol,
    /// It hands nothing over.
    #[error("{SYMBOL} returns null: the plugin could not say who it is")]
    NoTable,
    /// Its table is not where a table can be.
    #[error("{SYMBOL} returns an address where no table can be: it is not aligned")]
    Misaligned,
    /// Its table does not begin like one.
    #[error("its table does not begin like one: {head:?}")]
    NoHead {
        /// How it begins.
        head: Head,
    },
    /// It speaks another contract.
    #[error(transparent)]
    Contract(#[from] HandshakeError),
    /// Its table ends too early.
    #[error("its table has {bytes} bytes, {wanted} are needed")]
    TableTooSmall {
        /// What it has [bytes].
        bytes: u32,
        /// What this program needs [bytes].
        wanted: u32,
    },
    /// A function is null.
    #[error("its table has no function {name}")]
    NoFunction {
        /// Which.
        name: &'static str,
    },
    /// Its manifest is null, or too long to be one.
    #[error("its manifest of {len} bytes is null or longer than {MANIFEST_BYTES_MAX} bytes")]
    ManifestNowhere {
        /// Its length [bytes].
        len: u64,
    },
}

impl Permission {
    /// What is refused before anything of a file is looked at.
    pub(super) fn any(&self) -> Result<(), Refusal> {
        if *self == Self::Nothing { Err(Refusal::NotAllowed) } else { Ok(()) }
    }
}

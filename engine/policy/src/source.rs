//! Where policy files come from.

use std::fmt;
use std::path::PathBuf;

/// Where a [`crate::PolicyStore`] was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The policy compiled into the program.
    Builtin,
    /// A directory that the user named, itself and not its parent.
    Directory(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin => out.write_str("built-in policy"),
            Self::Directory(path) => write!(out, "{}", path.display()),
        }
    }
}

/// Where the text of one file came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The store is the built-in one.
    Builtin,
    /// The file is in the store's directory.
    Directory,
    /// The store's directory lacks the file (or holds a broken optional one), so the built-in file was used.
    BuiltinFallback,
}

/// One file that somebody has read through the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Consumed {
    /// Path relative to the policy directory, with `/`.
    pub path: String,
    /// Where its text came from.
    pub origin: Origin,
    /// Overlay files that were merged over it, in the order of merging.
    pub overlays: Vec<String>,
}

//! Where a plugin that is a file of its own comes from.

use std::path::PathBuf;

/// Where a loaded plugin comes from, as results and tables name it. What is compiled in has none: it is the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// How it is carried: `wasm`, `native`, `native_isolated`.
    pub carrier: &'static str,
    /// The file, as it was named. Not in results: the same file may lie anywhere.
    pub path: Option<PathBuf>,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The plugin's own version.
    pub version: String,
    /// The contract that it speaks, major and minor.
    pub contract: (u16, u16),
    /// What runs it and counts its fuel, where something does.
    pub engine: Option<&'static str>,
}

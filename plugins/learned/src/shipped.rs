//! Policies by what a person writes: a file, or `builtin:NAME` for one that comes with the program.
//!
//! How each of the latter was trained, and its SHA-256, is in `policy/coordination/learned/README.md`.

use crate::LearnedPolicy;
use crate::file::{self, FileError};
use labtrust_plugin::lab::contract::vector::Layout;
use std::path::Path;

/// What stands before the name of one that comes with the program.
pub const PREFIX: &str = "builtin:";

/// Names and files.
const ALL: &[(&str, &[u8])] = &[("throughput_sla", include_bytes!("../shipped/throughput_sla.bin"))];

/// How each is written, with a comma between them.
#[must_use]
pub fn names() -> String {
    let written: Vec<String> = ALL.iter().map(|(name, _)| format!("{PREFIX}{name}")).collect();
    written.join(", ")
}

/// The policy that is written so.
///
/// # Errors
/// [`FileError`], naming the file, the place and what to do.
pub fn load(written: &str) -> Result<LearnedPolicy, FileError> {
    let Some(name) = written.strip_prefix(PREFIX) else { return file::open(Path::new(written)) };
    let path = || written.to_owned();
    let Some((_, bytes)) = ALL.iter().find(|(known, _)| *known == name) else {
        return Err(FileError::NotShipped { path: path(), known: names() });
    };
    file::read(bytes).map_err(|flaw| FileError::Content { path: path(), flaw })
}

/// The same, for a laboratory with these zones and devices.
///
/// # Errors
/// As [`load`], and [`FileError::Elsewhere`] where it was trained on something else.
pub fn load_for<'a>(
    written: &str,
    layout: &Layout,
    zones: impl IntoIterator<Item = &'a str>,
    devices: impl IntoIterator<Item = &'a str>,
) -> Result<LearnedPolicy, FileError> {
    let policy = load(written)?;
    let fits = policy.fits(layout, zones, devices);
    fits.map_err(|mismatch| FileError::Elsewhere { path: written.to_owned(), mismatch: Box::new(mismatch) })?;
    Ok(policy)
}

//! Files of this crate: JSON with sorted keys. Tables are [`labtrust_comparison::table`], other texts are written with [`write_whole`],
//! digests are [`labtrust_evidence::digest::sha256`].

use crate::AssuranceError;
use labtrust_bench::files::write_whole;
use labtrust_evidence::release::pretty;
use serde_json::Value;
use std::path::Path;

/// Writes JSON with an indent of two, sorted keys and no line feed at its end ("J2" of the published formats).
///
/// # Errors
/// [`AssuranceError::Bench`] naming the file.
pub fn write_json(path: &Path, value: &Value) -> Result<(), AssuranceError> {
    write_whole(path, &pretty(value))?;
    Ok(())
}

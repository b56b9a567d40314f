//! Files of this crate: JSON with sorted keys, and tables with the line ends of the published format. Other texts are
//! written with [`write_whole`], digests are [`labtrust_evidence::digest::sha256`].

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

/// A table as the published packs have it: CRLF after every row, quotes only where they are needed.
#[must_use]
pub fn table(header: &[&str], rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory cannot fail, and all rows have the length of the header.
    let _ = writer.write_record(header);
    for row in rows {
        let _ = writer.write_record(row);
    }
    writer.into_inner().unwrap_or_default()
}

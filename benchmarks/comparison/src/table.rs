//! Tables as the published studies and packs have them: CRLF after every row, quotes only where they are needed, floats in their
//! shortest form, nothing for null.

use crate::ComparisonError;
use labtrust_trust::canonical;
use serde_json::{Map, Value};
use std::path::Path;

/// A row: columns and what stands in them.
pub type Row = Map<String, Value>;

/// A figure as tables have it; null is empty.
#[must_use]
pub fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(yes)) => if *yes { "True" } else { "False" }.to_owned(),
        Some(other) => {
            canonical::to_canonical_vec(other).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
        }
    }
}

/// A head and rows as the bytes of a table.
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

/// Rows as the bytes of a table with these columns.
#[must_use]
pub fn table_of(header: &[&str], rows: &[Row]) -> Vec<u8> {
    let line = |row: &Row| header.iter().map(|column| text(row.get(*column))).collect();
    table(header, &rows.iter().map(line).collect::<Vec<_>>())
}

/// A table with a head: numbers are numbers, what is empty is null.
///
/// # Errors
/// [`ComparisonError::Read`], [`ComparisonError::Invalid`] for a file that is no table or has no row.
pub fn rows(path: &Path) -> Result<(Vec<String>, Vec<Row>), ComparisonError> {
    let invalid = |place: &str, problem: String| ComparisonError::invalid(path.display().to_string(), place, problem);
    let text =
        std::fs::read_to_string(path).map_err(|source| ComparisonError::Read { path: path.to_path_buf(), source })?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head: Vec<String> =
        reader.headers().map_err(|error| invalid("line 1", error.to_string()))?.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| invalid("a row", error.to_string()))?;
        rows.push(head.iter().cloned().zip(record.iter().map(value)).collect());
    }
    if rows.is_empty() { Err(invalid("the table", "there is no row in it".to_owned())) } else { Ok((head, rows)) }
}

fn value(text: &str) -> Value {
    let whole = text.parse::<i64>().ok().map(Value::from);
    // Ids are no numbers, whatever they look like to a reader of floats.
    let looks_so = text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
    let float =
        || text.parse::<f64>().ok().filter(|_| looks_so).and_then(serde_json::Number::from_f64).map(Value::Number);
    match text {
        "" => Value::Null,
        _ => whole.or_else(float).unwrap_or_else(|| Value::from(text)),
    }
}

/// The text of a column of names; nothing where there is none.
#[must_use]
pub fn named<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or("")
}

/// The figure of a column; none where there is none.
#[must_use]
pub fn figure(row: &Row, column: &str) -> Option<f64> {
    row.get(column).and_then(Value::as_f64)
}

/// Four places, ties to even on the exact value.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    format!("{value:.4}").parse().unwrap_or(value)
}

//! Whether the figures of a pack are those of its results.
//!
//! A row of the summary is made of the results of its cell, and comes out again when it is made once more: all of it but the potency,
//! whose episodes are not kept, and what does not depend on episodes.

use super::cell;
use super::gate::Row;
use super::ground::RESULTS;
use super::matrix::CellId;
use super::outputs::{COLUMNS, RESULTS_DIR, SUMMARY};
use super::read::{invalid, rows, text_of};
use crate::AssuranceError;
use labtrust_comparison::table::text;
use labtrust_contract::ResultsFile;
use serde_json::Value;
use std::path::Path;

/// Columns that do not follow from the results of a cell.
const OTHERS: [&str; 6] =
    ["method_id", "scale_id", "injection_id", "application_phase", "sec.potency", "sec.control_ids"];

/// Where the results of a row's cell are, below the directory of a pack.
#[must_use]
pub fn results_of(cell: CellId<'_>) -> String {
    format!("{RESULTS_DIR}/{}/{RESULTS}", cell.directory())
}

/// In what a row is not what the results of its cell come to: a column, and what is wrong there. `said` is what the row has in a column;
/// `results` the content of the file, nothing where there is none.
#[must_use]
pub fn difference(
    cell: CellId<'_>,
    said: impl Fn(&str) -> String,
    results: Option<&str>,
) -> Option<(&'static str, String)> {
    let file = results_of(cell);
    let figures = || COLUMNS.into_iter().filter(|column| !OTHERS.contains(column));
    let Some(results) = results else {
        // A cell that was not run, or crashed, has neither.
        let column = figures().find(|column| !said(column).is_empty())?;
        return Some((column, format!("it is {}, and there is no {file}", said(column))));
    };
    let unreadable = |problem: String| Some(("scale_id", format!("{file} cannot be read: {problem}")));
    let document: Value = match serde_json::from_str(results) {
        Ok(document) => document,
        Err(error) => return unreadable(error.to_string()),
    };
    for (column, member, expected) in [
        ("scale_id", "/coordination/scale_id", cell.scale),
        ("method_id", "/coordination/method_id", cell.method),
        ("injection_id", "/security/injection_id", cell.injection),
    ] {
        let found = document.pointer(member).and_then(Value::as_str).unwrap_or("nothing");
        if found != expected {
            return Some((column, format!("it is {expected}, and {file} is of {found}")));
        }
    }
    let results: ResultsFile = match serde_json::from_value(document) {
        Ok(results) => results,
        Err(error) => return unreadable(error.to_string()),
    };
    let made = cell::row(cell, "", &results, None);
    figures().find_map(|column| {
        let (said, found) = (said(column), text(made.get(column)));
        let or_nothing = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
        (said != found).then(|| (column, format!("it is {}, and {} by {file}", or_nothing(&said), or_nothing(&found))))
    })
}

/// Compares the rows of a pack's summary with its results, where it has a directory of them.
///
/// # Errors
/// [`AssuranceError::Invalid`] with row and column of the first figure that is another; [`AssuranceError::Read`].
pub fn check(run: &Path, rows: &[Row]) -> Result<(), AssuranceError> {
    if !run.join(RESULTS_DIR).is_dir() {
        return Ok(());
    }
    // The head is the first line.
    for (line, row) in (2..).zip(rows) {
        let id = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        let cell = CellId { scale: id("scale_id"), method: id("method_id"), injection: id("injection_id") };
        let path = run.join(results_of(cell));
        let results = if path.is_file() { Some(text_of(&path)?) } else { None };
        if let Some((column, problem)) = difference(cell, |column| text(row.get(column)), results.as_deref()) {
            return Err(invalid(&run.join(SUMMARY), format!("line {line}, {column}"), problem));
        }
    }
    Ok(())
}

/// [`check`] of what stands in the directory; nothing where it has no summary.
///
/// # Errors
/// As [`check`], and those of a table that cannot be read.
pub fn check_files(run: &Path) -> Result<(), AssuranceError> {
    let summary = run.join(SUMMARY);
    if summary.is_file() { check(run, &rows(&summary)?.1) } else { Ok(()) }
}

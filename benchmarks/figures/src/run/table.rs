//! Tables: read with the line that a wrong field stands in, and written as the published formats have them.

use crate::FiguresError;
use crate::files::read;
use std::path::{Path, PathBuf};

/// A table with named columns.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    /// Names of columns.
    pub columns: Vec<String>,
    /// Every row has a field for every column.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// What is said of a table without rows.
    pub(crate) const NO_ROW: &str = "it has no row";

    /// Reads a table with at least one row.
    ///
    /// # Errors
    /// [`FiguresError::Read`]; [`FiguresError::Invalid`] for a row of another length, and for no row at all.
    pub fn read(path: &Path) -> Result<Self, FiguresError> {
        Self::of(path, &read(path)?)
    }

    /// The table in `text`; `path` is what it is called.
    ///
    /// # Errors
    /// [`FiguresError::Invalid`] as [`Table::read`].
    pub fn of(path: &Path, text: &str) -> Result<Self, FiguresError> {
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let wrong = |error: &csv::Error| {
            // Lines are miscounted where they end with CRLF; records are not.
            let place = error.position().map_or_else(|| "the table".to_owned(), |at| format!("row {}", at.record()));
            FiguresError::invalid(path, place, "this row has not as many fields as the first")
        };
        let columns = reader.headers().map_err(|error| wrong(&error))?.iter().map(str::to_owned).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            rows.push(record.map_err(|error| wrong(&error))?.iter().map(str::to_owned).collect());
        }
        if rows.is_empty() {
            return Err(FiguresError::invalid(path, "the table", Self::NO_ROW));
        }
        Ok(Self { path: path.to_path_buf(), columns, rows })
    }

    /// The text of a field; empty where there is no such column.
    #[must_use]
    pub fn text(&self, row: usize, column: &str) -> &str {
        self.column(column).and_then(|index| self.rows.get(row)?.get(index)).map_or("", String::as_str)
    }

    /// The number in a field; none where it is empty or there is no such column.
    ///
    /// # Errors
    /// [`FiguresError::Invalid`] for what is no number.
    pub fn number(&self, row: usize, column: &str) -> Result<Option<f64>, FiguresError> {
        let text = self.text(row, column);
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Some(value)),
            _ => Err(self.wrong(row, column, format!("`{text}` is no number"))),
        }
    }

    /// The text of a field that must say something.
    ///
    /// # Errors
    /// [`FiguresError::Invalid`] when it does not.
    pub fn id(&self, row: usize, column: &str) -> Result<String, FiguresError> {
        match self.text(row, column) {
            "" if self.column(column).is_none() => {
                Err(FiguresError::invalid(&self.path, "the header", format!("there is no column {column}")))
            }
            "" => Err(self.wrong(row, column, "the field is empty".to_owned())),
            text => Ok(text.to_owned()),
        }
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    fn wrong(&self, row: usize, column: &str, problem: String) -> FiguresError {
        FiguresError::invalid(&self.path, format!("row {}, column {column}", row + 1), problem)
    }
}

/// A table as the published runs have it: CRLF after every row, quotes only where they are needed.
#[must_use]
pub fn written(header: &[&str], rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory cannot fail, and all rows have the length of the header.
    let _ = writer.write_record(header);
    for row in rows {
        let _ = writer.write_record(row);
    }
    writer.into_inner().unwrap_or_default()
}

/// The shortest text that reads back as `value`, as the published tables have it: `0.0`, `71.0`, `1e-05`.
#[must_use]
pub fn float(value: f64) -> String {
    let text = format!("{value:?}");
    let Some((digits, power)) = text.split_once('e') else { return text };
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
    format!("{digits}e{sign}{power:0>2}")
}

/// [`float`] of a value that may be missing: then nothing.
#[must_use]
pub fn maybe(value: Option<f64>) -> String {
    value.map_or_else(String::new, float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_the_published_tables_have_them() {
        assert_eq!(
            [0.0, 71.0, 0.2604, 1e-5, 1e16, -2.5e-7].map(float),
            ["0.0", "71.0", "0.2604", "1e-05", "1e+16", "-2.5e-07"]
        );
    }
}

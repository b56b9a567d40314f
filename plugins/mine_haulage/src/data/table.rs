//! A CSV table with named columns, read whole; every cell knows its place.

use super::error::{DataError, Place};
use std::collections::BTreeMap;

/// A table.
pub(crate) struct Table {
    file: String,
    columns: BTreeMap<String, usize>,
    rows: Vec<(u64, csv::StringRecord)>,
}

/// A row of a table.
pub(crate) struct Row<'a> {
    table: &'a Table,
    line: u64,
    cells: &'a csv::StringRecord,
}

impl Table {
    /// Reads `text`, the content of `file`. `required` columns must be there, `optional` ones may, others are refused.
    pub(crate) fn read(file: &str, text: &str, required: &[&str], optional: &[&str]) -> Result<Self, DataError> {
        // A byte order mark is what spreadsheets begin UTF-8 with.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
        let malformed = |error: &csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            Place::line(file, line).wrong(error.to_string(), "quote cells that hold commas or line ends")
        };
        let header = reader.headers().map_err(|error| malformed(&error))?.clone();
        let all = || format!("its columns are {}", [required, optional].concat().join(", "));
        if header.is_empty() {
            return Err(Place::file(file).wrong("the file is empty", all()));
        }
        let mut columns = BTreeMap::new();
        for (index, name) in header.iter().enumerate() {
            if !required.contains(&name) && !optional.contains(&name) {
                return Err(Place::line(file, 1).wrong(format!("unknown column {name:?}"), all()));
            }
            if columns.insert(name.to_owned(), index).is_some() {
                return Err(Place::line(file, 1).wrong(format!("the column {name} stands twice"), "remove one of them"));
            }
        }
        if let Some(missing) = required.iter().find(|name| !columns.contains_key(**name)) {
            return Err(Place::line(file, 1).wrong(format!("the column {missing} is missing"), all()));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| malformed(&error))?;
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != header.len() {
                let problem = format!("the row has {} cells, the header has {}", record.len(), header.len());
                return Err(Place::line(file, line).wrong(problem, "quote cells that hold commas"));
            }
            rows.push((line, record));
        }
        if rows.is_empty() {
            return Err(Place::file(file).wrong("the table has a header and no rows", "add at least one row"));
        }
        Ok(Self { file: file.to_owned(), columns, rows })
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, cells)| Row { table: self, line: *line, cells })
    }
}

impl Row<'_> {
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    /// The cell of `column`, empty where the table lacks that.
    fn cell(&self, column: &str) -> &str {
        self.table.columns.get(column).and_then(|&index| self.cells.get(index)).unwrap_or("")
    }

    fn wrong(&self, column: &str, problem: String, hint: &str) -> DataError {
        Place::line(&self.table.file, self.line).at(format!("column {column}")).wrong(problem, hint)
    }

    /// A text that must not be empty.
    pub(crate) fn text(&self, column: &str) -> Result<String, DataError> {
        match self.cell(column) {
            "" => Err(self.wrong(column, "the cell is empty".to_owned(), "fill it in")),
            text => Ok(text.to_owned()),
        }
    }

    /// A text that may be empty.
    pub(crate) fn note(&self, column: &str) -> String {
        self.cell(column).to_owned()
    }

    pub(crate) fn number(&self, column: &str) -> Result<f64, DataError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| self.wrong(column, format!("{text:?} is not a number"), "write it like 12.5"))
    }

    pub(crate) fn count(&self, column: &str) -> Result<u32, DataError> {
        let text = self.text(column)?;
        text.parse()
            .map_err(|_| self.wrong(column, format!("{text:?} is not a whole number from 0"), "write it like 1 or 999"))
    }

    pub(crate) fn flag(&self, column: &str) -> Result<bool, DataError> {
        match self.text(column)?.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.wrong(
                column,
                format!("{:?} is neither true nor false", self.cell(column)),
                "write one of the two",
            )),
        }
    }

    /// A value that may be missing.
    pub(crate) fn maybe<T>(
        &self,
        column: &str,
        read: impl FnOnce(&Self, &str) -> Result<T, DataError>,
    ) -> Result<Option<T>, DataError> {
        if self.cell(column).is_empty() { Ok(None) } else { read(self, column).map(Some) }
    }
}

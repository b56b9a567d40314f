//! Comma-separated values, as RFC 4180 has them, with line feeds.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

/// A cell, in quotes where it needs them.
pub(crate) fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(cell)
    }
}

/// A table that is written row by row.
pub(crate) struct Table {
    text: String,
    begun: bool,
}

impl Table {
    /// A table with the names of its columns.
    pub(crate) fn new(columns: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut table = Self { text: String::new(), begun: false };
        for column in columns {
            table.text(column.as_ref());
        }
        table.end();
        table
    }

    /// A cell of text.
    pub(crate) fn text(&mut self, cell: &str) {
        self.separate();
        self.text.push_str(&quoted(cell));
    }

    /// A cell that is a number.
    pub(crate) fn number(&mut self, cell: impl Display) {
        self.separate();
        let _ = write!(self.text, "{cell}");
    }

    /// A cell that may be empty.
    pub(crate) fn maybe(&mut self, cell: Option<impl Display>) {
        match cell {
            Some(cell) => self.number(cell),
            None => self.separate(),
        }
    }

    fn separate(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            self.text.push(',');
        }
    }

    /// Ends the row.
    pub(crate) fn end(&mut self) {
        self.text.push('\n');
        self.begun = false;
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_need_quotes_have_them_and_empty_ones_stay_empty() {
        let mut table = Table::new(["a", "b,c"]);
        table.text("say \"no\"");
        table.maybe(None::<f64>);
        table.end();
        table.number(1.5);
        table.maybe(Some(0));
        table.end();
        assert_eq!(table.into_text(), "a,\"b,c\"\n\"say \"\"no\"\"\",\n1.5,0\n");
    }
}

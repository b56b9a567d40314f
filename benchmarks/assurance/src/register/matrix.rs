//! The method-risk matrix as a table.

use super::policy::MatrixCell;
use labtrust_comparison::table::table;
use std::fmt::Write as _;

/// Columns of the table.
pub const COLUMNS: [&str; 5] = ["method_id", "risk_id", "coverage", "required_bench", "rationale"];

/// How the table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns below each other; reasons are cut after 40 characters.
    Table,
    /// Fields with commas between them; reasons are cut after 80 characters.
    Csv,
    /// Markdown; the same.
    Markdown,
}

/// The table, in the order of the file.
#[must_use]
pub fn render(cells: &[MatrixCell], form: Form) -> String {
    let longest = if form == Form::Table { 40 } else { 80 };
    let row = |cell: &MatrixCell| {
        let required = if cell.required_bench { "yes" } else { "no" };
        let rationale: String =
            cell.rationale.chars().map(|c| if c.is_control() { ' ' } else { c }).take(longest).collect();
        [cell.method_id.clone(), cell.risk_id.clone(), cell.coverage.name().to_owned(), required.to_owned(), rationale]
    };
    let rows: Vec<[String; 5]> = cells.iter().map(row).collect();
    match form {
        Form::Csv => {
            let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
            String::from_utf8(table(&COLUMNS, &rows)).unwrap_or_default()
        }
        Form::Markdown => {
            let mut text = format!("| {} |\n|{}\n", COLUMNS.join(" | "), "---|".repeat(COLUMNS.len()));
            for row in rows {
                let cells = row.map(|cell| cell.replace('|', "\\|"));
                let _ = writeln!(text, "| {} |", cells.join(" | "));
            }
            text
        }
        Form::Table => {
            let width = |column: usize| {
                let cells = rows.iter().map(|row| row[column].chars().count());
                cells.chain([COLUMNS[column].len()]).max().unwrap_or(0)
            };
            let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
            let mut text = String::new();
            for row in std::iter::once(COLUMNS.map(str::to_owned)).chain(rows) {
                let cells: Vec<String> =
                    row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
                let _ = writeln!(text, "{}", cells.join("  ").trim_end());
            }
            text
        }
    }
}

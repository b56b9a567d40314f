//! A leaderboard for terminals and for programs.

use super::{Board, Entry};
use crate::scores::RUBRIC;
use serde_json::json;

/// As JSON: the rows, the folders without a score, the correlations.
#[must_use]
pub fn json(board: &Board) -> String {
    let entries: Vec<_> = board.entries.iter().map(Entry::json).collect();
    let document = json!({ "entries": entries, "unscored": board.unscored, "correlations": board.correlations });
    format!("{document:#}\n")
}

/// As CSV: a row for every scored submission, empty where nothing is known.
///
/// A field that a spreadsheet would take for a formula gets an apostrophe in front: names come from anybody.
#[must_use]
pub fn csv(board: &Board) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["submission", "date", "harness", "model", "run_tag", "total"];
    header.extend(RUBRIC.iter().map(|category| category.key));
    header.extend([
        "reviewers",
        "total_tokens",
        "token_count_method",
        "runtime_seconds",
        "timed_out",
        "intervention",
        "code_lines",
        "checks_passed",
        "checks_total",
        "physical_passed",
        "physical_failed",
        "physical_not_checkable",
    ]);
    let columns = header.len();
    writer.write_record(header).expect("a vector takes every row");
    for entry in &board.entries {
        let name = entry.name.as_ref().ok();
        let text = |text: Option<&str>| harmless(text.unwrap_or_default());
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let mut row = vec![
            text(Some(&entry.submission)),
            name.map(|name| name.date.to_string()).unwrap_or_default(),
            text(name.map(|name| name.harness.as_str())),
            text(name.map(|name| name.model.as_str())),
            text(name.and_then(|name| name.run_tag.as_deref())),
            entry.total().to_string(),
        ];
        row.extend(entry.points.iter().map(ToString::to_string));
        let physical = entry.physical();
        row.extend([
            text(Some(&entry.reviewers.join("; "))),
            number(entry.total_tokens()),
            entry.token_method().as_str().to_owned(),
            entry.runtime_seconds.map(|seconds| seconds.to_string()).unwrap_or_default(),
            entry.timed_out.to_string(),
            entry.intervention.category.as_str().to_owned(),
            number(entry.code_lines),
            number(entry.checks().map(|checks| checks.0)),
            number(entry.checks().map(|checks| checks.1)),
            number(physical.map(|checks| checks.0)),
            number(physical.map(|checks| checks.1)),
            number(physical.map(|checks| checks.2)),
        ]);
        debug_assert_eq!(row.len(), columns);
        writer.write_record(row).expect("a vector takes every row");
    }
    String::from_utf8(writer.into_inner().expect("a vector takes every row")).expect("texts are UTF-8")
}

fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// As a table for a terminal.
#[must_use]
pub fn table(board: &Board) -> String {
    let unknown = || "-".to_owned();
    let mut rows =
        vec![["submission", "quality", "tokens", "known how", "time", "help", "checks", "physical"].map(str::to_owned)];
    for entry in &board.entries {
        rows.push([
            plain(&entry.submission),
            format!("{:.1}", entry.total()),
            entry.total_tokens().map_or_else(unknown, grouped),
            entry.token_method().as_str().to_owned(),
            entry.runtime_seconds.map_or_else(unknown, seconds),
            entry.intervention.category.as_str().to_owned(),
            entry.checks().map_or_else(unknown, |(passed, total)| format!("{passed}/{total}")),
            entry.physical().map_or_else(unknown, |(passed, failed, not_checkable)| {
                let open = if not_checkable > 0 { format!(", {not_checkable} open") } else { String::new() };
                format!("{passed}/{}{open}", passed + failed + not_checkable)
            }),
        ]);
    }
    let widths: Vec<usize> = (0..8).map(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (i, field) in row.iter().enumerate() {
            let gap = " ".repeat(widths[i] - field.chars().count());
            let right = matches!(i, 1 | 2 | 4 | 6);
            line.push_str(&if right { format!("{gap}{field}  ") } else { format!("{field}{gap}  ") });
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if board.entries.is_empty() {
        text.push_str("(no scored submission)\n");
    }
    if !board.unscored.is_empty() {
        text.push_str(&format!(
            "\nNot scored: {}\n",
            board.unscored.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ")
        ));
    }
    text
}

/// A text that may come from anybody, for a terminal: no control character gets through, nor one that turns a line around.
fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().flat_map(|c| if hidden(c) { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time for people.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.2} s");
    }
    let minutes = libm::floor(seconds / 60.0);
    format!("{minutes:.0} min {:.0} s", libm::floor(seconds - minutes * 60.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_move_the_cursor_or_start_a_formula() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c"), "a\\u{1b}[2Jb\\u{202e}c");
        assert_eq!(harmless("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(harmless("2026-01-01"), "2026-01-01");
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(["0", "999", "1,000", "1,234,567"], [0, 999, 1000, 1_234_567].map(grouped));
        assert_eq!(
            [seconds(0.128), seconds(59.9), seconds(61.2), seconds(3600.0)],
            ["0.13 s", "59.90 s", "1 min 1 s", "60 min 0 s"]
        );
    }
}

//! A coordination security pack: the verdict of every cell.

use super::coordination::in_order;
use super::table::Table;
use crate::FiguresError;
use crate::files::read;
use std::path::Path;

/// The rows of a pack.
pub const SUMMARY: &str = "pack_summary.csv";
/// Its verdicts.
pub const GATE: &str = "pack_gate.md";

/// What a cell came to. The order is that of how bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The threshold is met.
    Pass,
    /// Nothing is shown.
    Skip,
    /// No verdict is written down.
    Unknown,
    /// It was not run.
    NotRun,
    /// It cannot be tried.
    NotSupported,
    /// The threshold is not met.
    Fail,
}

impl Verdict {
    /// Every verdict, the best first.
    pub const ALL: [Self; 6] = [Self::Pass, Self::Skip, Self::Unknown, Self::NotRun, Self::NotSupported, Self::Fail];

    fn of(word: &str) -> Self {
        let word = word.to_ascii_lowercase();
        Self::ALL.into_iter().find(|verdict| verdict.word() == word).unwrap_or(Self::Unknown)
    }

    /// The word for it in tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skip => "skip",
            Self::Unknown => "unknown",
            Self::NotRun => "not_run",
            Self::NotSupported => "not_supported",
            Self::Fail => "fail",
        }
    }
}

/// A cell and its verdict.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its size.
    pub scale: String,
    /// Its method.
    pub method: String,
    /// Its injection.
    pub injection: String,
    /// What it came to.
    pub verdict: Verdict,
    /// Why.
    pub rationale: String,
}

/// The whole pack.
#[derive(Clone, Debug)]
pub struct Pack {
    /// In the order of the gate.
    pub cells: Vec<Judged>,
    /// In the order of the gate.
    pub methods: Vec<String>,
    /// In the order of the gate.
    pub injections: Vec<String>,
    /// Whether the verdicts of the gate are there.
    pub has_gate: bool,
    /// The rows as they are.
    pub table: Table,
}

impl Pack {
    /// Reads the pack in `dir`; none where there is none.
    ///
    /// # Errors
    /// [`FiguresError::Read`] and [`FiguresError::Invalid`].
    pub fn open(dir: &Path) -> Result<Option<Self>, FiguresError> {
        let path = dir.join(SUMMARY);
        if !path.is_file() {
            return Ok(None);
        }
        let table = Table::read(&path)?;
        let gate = dir.join(GATE);
        let has_gate = gate.is_file();
        let mut cells = if has_gate { gate_rows(&read(&gate)?) } else { Vec::new() };
        for row in 0..table.rows.len() {
            let (scale, method) = (table.id(row, "scale_id")?, table.id(row, "method_id")?);
            let injection = table.id(row, "injection_id")?;
            let same = |cell: &Judged| cell.scale == scale && cell.method == method && cell.injection == injection;
            if !cells.iter().any(same) {
                let rationale = format!("{GATE} says nothing of it");
                cells.push(Judged { scale, method, injection, verdict: Verdict::Unknown, rationale });
            }
        }
        let methods = in_order(cells.iter().map(|cell| &cell.method));
        let injections = in_order(cells.iter().map(|cell| &cell.injection));
        Ok(Some(Self { cells, methods, injections, has_gate, table }))
    }
}

/// The rows of the table in the gate: at least four fields, neither the header nor the rule below it.
fn gate_rows(text: &str) -> Vec<Judged> {
    let row = |line: &str| {
        let line = line.trim().strip_prefix('|')?;
        if line.contains("|--") || line.starts_with("--") {
            return None;
        }
        let fields: Vec<String> = fields(line.strip_suffix('|').unwrap_or(line));
        let [scale, method, injection, verdict, rest @ ..] = fields.as_slice() else { return None };
        (scale != "scale_id").then(|| Judged {
            scale: scale.clone(),
            method: method.clone(),
            injection: injection.clone(),
            verdict: Verdict::of(verdict),
            rationale: rest.first().cloned().unwrap_or_default(),
        })
    };
    text.lines().filter_map(row).collect()
}

/// Fields between bars that no backslash stands before.
fn fields(line: &str) -> Vec<String> {
    let (mut done, mut field) = (Vec::new(), String::new());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&'|') => field.extend(letters.next()),
            '|' => done.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    done.push(field);
    done.iter().map(|field| field.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read_with_bars_in_their_reasons() {
        let text = "# Gate\n\n| scale_id | method_id | injection_id | verdict | rationale |\n|---|---|---|---|---|\n\
                    | s | m | none | PASS | a \\| b |\n| s | m | i | not_supported | x |\n| s | m | j | odd | y |\n";
        let rows = gate_rows(text);
        assert_eq!(
            rows.iter().map(|row| row.verdict).collect::<Vec<_>>(),
            [Verdict::Pass, Verdict::NotSupported, Verdict::Unknown]
        );
        assert_eq!(rows[0].rationale, "a | b");
    }
}

//! Tables of the page: sorted and searched in the browser, read from the files of the run.

use crate::FiguresError;
use crate::chart::short;
use crate::draw::Escaped;
use crate::plots;
use crate::run::Run;
use crate::run::table::Table;
use std::fmt::Write as _;

/// Rows of a table that are on the page; all are in its file.
const ROWS: usize = 1500;

/// A table of the page.
pub(super) struct Shown {
    title: &'static str,
    /// The file that has all of it.
    file: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Rows of the file.
    total: usize,
    open: bool,
}

/// Tables that may be in a run: their file, and what they are.
const FILES: [(&str, &str); 10] = [
    ("summary/summary_coord.csv", "Cells of the study"),
    ("summary/sota_leaderboard.csv", "Methods over all cells"),
    ("summary/comparisons.csv", "Methods against each other"),
    ("summary/ranks.csv", "Ranks and how stable they are"),
    ("summary/method_class_comparison.csv", "Classes of methods"),
    ("summary/cell_risks.csv", "Risks of cells"),
    ("pack_summary.csv", "Cells of the pack"),
    ("SECURITY/coordination_risk_matrix.csv", "Security of cells"),
    ("coordination_decision.csv", "Recommendation"),
    ("summary/sota_leaderboard_by_phase.csv", "Methods by phase of the attack"),
];

/// Every table of a run, the first one open.
pub(super) fn of_run(run: &Run) -> Result<Vec<Shown>, FiguresError> {
    let mut all = Vec::new();
    if let Some(pack) = &run.pack {
        let columns = ["scale_id", "method_id", "injection_id", "verdict", "rationale"].map(str::to_owned).to_vec();
        let row = |cell: &crate::run::pack::Judged| {
            let verdict = cell.verdict.word().to_owned();
            vec![cell.scale.clone(), cell.method.clone(), cell.injection.clone(), verdict, cell.rationale.clone()]
        };
        let rows: Vec<Vec<String>> = pack.cells.iter().map(row).collect();
        let file = crate::run::pack::GATE.to_owned();
        all.push(Shown { title: "Verdicts of the gate", file, columns, total: rows.len(), rows, open: false });
    }
    for (file, title) in FILES {
        let path = run.dir.join(file);
        // A table may be there without a row: risks of a study that has none.
        if path.is_file() && std::fs::metadata(&path).is_ok_and(|found| found.len() > 0) {
            match Table::read(&path) {
                Ok(table) => all.push(shown(title, file, table)),
                Err(FiguresError::Invalid { problem, .. }) if problem == Table::NO_ROW => {}
                Err(error) => return Err(error),
            }
        }
    }
    for made in run.conditions.iter().flat_map(plots::tables_of_conditions) {
        let Some(title) = title_of(&made.name) else { continue };
        let text = String::from_utf8_lossy(&made.bytes).into_owned();
        if let Ok(table) = Table::of(made.name.as_ref(), &text) {
            all.push(shown(title, &made.name, table));
        }
    }
    if let Some(first) = all.first_mut() {
        first.open = true;
    }
    Ok(all)
}

fn title_of(name: &str) -> Option<&'static str> {
    match name.rsplit('/').next()? {
        "summary.csv" => Some("Conditions"),
        "violations_by_invariant_id.csv" => Some("Violations by invariant"),
        "blocked_by_reason_code_top10.csv" => Some("Blocked actions by reason code"),
        _ => None,
    }
}

fn shown(title: &'static str, file: &str, table: Table) -> Shown {
    let total = table.rows.len();
    // Of comparisons those that sum up come first: there is one of every pair for every injection.
    let sums_up = |row: usize| matches!(table.text(row, "injection_id"), "" | "none" | "*");
    let mut order: Vec<usize> = (0..total).collect();
    if file.ends_with("comparisons.csv") {
        order.sort_by_key(|row| !sums_up(*row));
    }
    order.truncate(ROWS);
    let rows = order.into_iter().map(|row| table.rows[row].clone()).collect();
    Shown { title, file: file.to_owned(), columns: table.columns, rows, total, open: false }
}

impl Shown {
    /// Writes it.
    pub(super) fn write(&self, out: &mut String) {
        // Columns that say nothing in any row only make the others harder to find.
        let says = |column: &usize| self.rows.iter().any(|row| !row[*column].is_empty());
        let columns: Vec<usize> = (0..self.columns.len()).filter(says).collect();
        let is_number = |column: usize| {
            self.rows.iter().all(|row| row[column].is_empty() || row[column].parse::<f64>().is_ok_and(f64::is_finite))
        };
        let numbers: Vec<bool> = columns.iter().map(|column| is_number(*column)).collect();
        let open = if self.open { " open" } else { "" };
        let (title, file) = (Escaped(self.title), Escaped(&self.file));
        let _ = write!(
            out,
            "<details{open}><summary>{title} <span class=\"soft\">({} rows, {file})</span></summary><div class=\"inner\">",
            self.total
        );
        if self.rows.len() < self.total {
            let _ = write!(out, "<p class=\"soft\">The first {} rows; all are in {file}.</p>", self.rows.len());
        }
        let left_out = self.columns.len() - columns.len();
        if left_out > 0 {
            let _ = write!(out, "<p class=\"soft\">{left_out} columns without any value are left out.</p>");
        }
        let _ = write!(
            out,
            "<input type=\"search\" placeholder=\"Keep rows with these words\" aria-label=\"Keep rows of {title} with these words\">\
             <div class=\"wide\" tabindex=\"0\"><table class=\"sorts\"><caption hidden>{title}</caption><thead><tr>"
        );
        for (column, number) in columns.iter().zip(&numbers) {
            let class = if *number { " class=\"n\"" } else { "" };
            let _ = write!(out, "<th scope=\"col\"{class}><button>{}</button></th>", Escaped(&self.columns[*column]));
        }
        out.push_str("</tr></thead><tbody>\n");
        for row in &self.rows {
            out.push_str("<tr>");
            for (column, number) in columns.iter().zip(&numbers) {
                field(out, &row[*column], *number);
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table></div></div></details>\n");
    }
}

fn field(out: &mut String, text: &str, is_number: bool) {
    if !is_number {
        let class = if text.chars().count() > 60 { " class=\"why\"" } else { "" };
        let _ = write!(out, "<td{class}>{}</td>", Escaped(text));
        return;
    }
    // Short to read, whole to sort by.
    let brief = text.parse().map_or_else(|_| String::new(), short);
    if brief == text {
        let _ = write!(out, "<td class=\"n\">{brief}</td>");
    } else {
        let text = Escaped(text);
        let _ = write!(out, "<td class=\"n\" data-v=\"{text}\" title=\"{text}\">{brief}</td>");
    }
}

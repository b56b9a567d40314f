//! Means over the rows of a study or a pack: by method, by class of methods, by phase.

use crate::ComparisonError;
use crate::classes::class_of;
use crate::study::SUMMARY;
use crate::table::{self, Row, named, table, text};
use labtrust_bench::BenchError;
use labtrust_bench::files::write_whole;
use labtrust_bench::stats::moments;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// Leaderboard columns and the column of the rows that each is the mean of; digits in Markdown.
const MEANS: [(&str, &str, usize); 8] = [
    ("throughput_mean", "perf.throughput", 4),
    ("violations_mean", "safety.violations_total", 2),
    ("blocks_mean", "safety.blocks_total", 2),
    ("resilience_score_mean", "robustness.resilience_score", 4),
    ("p95_tat_mean", "perf.p95_tat", 1),
    ("on_time_rate_mean", "perf.on_time_rate", 4),
    ("critical_compliance_mean", "safety.critical_communication_compliance_rate", 4),
    ("attack_success_rate_mean", "sec.attack_success_rate", 4),
];

const BOARD: [&str; 12] = [
    "throughput_mean",
    "throughput_std",
    "violations_mean",
    "blocks_mean",
    "resilience_score_mean",
    "resilience_score_std",
    "p95_tat_mean",
    "on_time_rate_mean",
    "critical_compliance_mean",
    "attack_success_rate_mean",
    "stealth_success_rate_mean",
    "n_cells",
];

const CLASSES: [&str; 8] = [
    "method_class",
    "throughput_mean",
    "violations_mean",
    "blocks_mean",
    "resilience_score_mean",
    "attack_success_rate_mean",
    "stealth_success_rate_mean",
    "n_cells",
];

/// Columns that are added up over rows and not averaged.
const SUMS: [&str; 2] = ["cost.total_tokens", "cost.estimated_cost_usd"];

/// Columns of the full table, where the rows have them.
const NUMBERS: [&str; 25] = [
    "perf.throughput",
    "perf.p95_tat",
    "perf.on_time_rate",
    "safety.violations_total",
    "safety.blocks_total",
    "safety.critical_communication_compliance_rate",
    "robustness.resilience_score",
    "sec.attack_success_rate",
    "sec.detection_latency_steps",
    "sec.containment_time_steps",
    "sec.stealth_success_rate",
    "sec.time_to_attribution_steps",
    "comm.msg_count",
    "comm.p95_latency_ms",
    "comm.drop_rate",
    "coordination.stale_action_rate",
    "proposal_valid_rate",
    "blocked_rate",
    "repair_rate",
    "tokens_per_step",
    "p95_llm_latency_ms",
    "cost.total_tokens",
    "cost.estimated_cost_usd",
    "llm.error_rate",
    "llm.invalid_output_rate",
];

fn figures(rows: &[&Row], column: &str) -> Vec<f64> {
    rows.iter().filter_map(|row| row.get(column)?.as_f64()).collect()
}

fn rounded(value: f64) -> Value {
    json!(table::rounded(value))
}

fn mean(values: &[f64]) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    if values.is_empty() { Value::Null } else { rounded(mean) }
}

fn deviation(values: &[f64]) -> Value {
    if values.len() < 2 { Value::Null } else { moments(values).map_or(Value::Null, |moments| rounded(moments.std)) }
}

/// A line of a leaderboard: the figures of some rows.
fn line(rows: &[&Row]) -> Row {
    let mut line: Row =
        MEANS.iter().map(|(name, column, _)| ((*name).to_owned(), mean(&figures(rows, column)))).collect();
    line.insert("throughput_std".to_owned(), deviation(&figures(rows, "perf.throughput")));
    line.insert("resilience_score_std".to_owned(), deviation(&figures(rows, "robustness.resilience_score")));
    line.insert("stealth_success_rate_mean".to_owned(), mean(&figures(rows, "sec.stealth_success_rate")));
    line.insert("n_cells".to_owned(), json!(rows.len()));
    line
}

/// Rows that ran: a row without a single figure says nothing.
fn grouped<'a>(rows: &'a [Row], key: impl Fn(&'a Row) -> Vec<String>) -> BTreeMap<Vec<String>, Vec<&'a Row>> {
    let mut groups: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(key(row)).or_default().push(row);
    }
    groups
}

/// A table in both forms, below a head and a note.
struct Board {
    name: &'static str,
    title: &'static str,
    note: &'static str,
    columns: Vec<String>,
    lines: Vec<Row>,
}

fn digits(column: &str) -> Option<usize> {
    match column {
        "throughput_std" | "resilience_score_std" | "stealth_success_rate_mean" => Some(4),
        "n_cells" => None,
        _ => Some(MEANS.iter().find(|(name, ..)| *name == column).map_or(4, |(.., digits)| *digits)),
    }
}

impl Board {
    fn csv(&self) -> Vec<u8> {
        let head: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let row = |line: &Row| head.iter().map(|column| text(line.get(*column))).collect();
        table(&head, &self.lines.iter().map(row).collect::<Vec<_>>())
    }

    fn markdown(&self) -> String {
        let mut out = format!("# {}\n\n{}\n\n| {} |\n", self.title, self.note, self.columns.join(" | "));
        let _ = writeln!(out, "|{}", " --- |".repeat(self.columns.len()));
        for line in &self.lines {
            let figure = |column: &String| match (line.get(column), digits(column)) {
                (Some(Value::Number(number)), Some(digits)) => {
                    number.as_f64().map_or_else(String::new, |number| format!("{number:.digits$}"))
                }
                (None | Some(Value::Null), _) => "\u{2014}".to_owned(),
                (value, _) => text(value),
            };
            let _ = writeln!(out, "| {} |", self.columns.iter().map(figure).collect::<Vec<_>>().join(" | "));
        }
        out
    }
}

fn columns(first: &[&str], rest: &[&str]) -> Vec<String> {
    first.iter().chain(rest).map(|column| (*column).to_owned()).collect()
}

fn boards(rows: &[Row]) -> Vec<Board> {
    let with = |mut line: Row, names: &[(&str, &str)]| {
        line.extend(names.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        line
    };
    let by_method = grouped(rows, |row| vec![named(row, "method_id").to_owned()]);
    let board = |groups: &BTreeMap<Vec<String>, Vec<&Row>>, names: &[&str]| -> Vec<Row> {
        let line_of = |(key, rows): (&Vec<String>, &Vec<&Row>)| {
            let names: Vec<(&str, &str)> = names.iter().copied().zip(key.iter().map(String::as_str)).collect();
            with(line(rows), &names)
        };
        groups.iter().map(line_of).collect()
    };
    let present: BTreeSet<&str> =
        NUMBERS.into_iter().filter(|column| rows.iter().any(|row| row.contains_key(*column))).collect();
    let full = |rows: &[&Row]| -> Row {
        let of = |column: &str| {
            let values = figures(rows, column);
            let short = column.split_once('.').map_or(column, |(_, short)| short);
            if SUMS.contains(&column) {
                (format!("{short}_sum"), if values.is_empty() { Value::Null } else { rounded(values.iter().sum()) })
            } else {
                (format!("{short}_mean"), mean(&values))
            }
        };
        present.iter().map(|column| of(column)).collect()
    };
    let full: Vec<Row> =
        by_method.iter().map(|(key, rows)| with(full(rows), &[("method_id", key[0].as_str())])).collect();
    let mut full_columns: Vec<String> =
        full.first().map(|line| line.keys().filter(|key| *key != "method_id").cloned().collect()).unwrap_or_default();
    full_columns.sort();
    full_columns.insert(0, "method_id".to_owned());
    let by_class = grouped(rows, |row| vec![class_of(named(row, "method_id")).to_owned()]);
    let mut all = vec![
        Board {
            name: "sota_leaderboard",
            title: "SOTA leaderboard by method (coordination)",
            note: "Means over all cells of a method, attacked and not.",
            columns: columns(&["method_id"], &BOARD),
            lines: board(&by_method, &["method_id"]),
        },
        Board {
            name: "sota_leaderboard_full",
            title: "SOTA leaderboard, all figures (coordination)",
            note: "Means over all cells of a method; costs are added up.",
            columns: full_columns,
            lines: full,
        },
        Board {
            name: "method_class_comparison",
            title: "Method class comparison (coordination)",
            note: "Means over all cells of a class of methods.",
            columns: columns(&CLASSES, &[]),
            lines: board(&by_class, &["method_class"]),
        },
    ];
    if rows.iter().any(|row| !named(row, "application_phase").is_empty()) {
        let phase = |row: &Row| match named(row, "application_phase") {
            "" => "full".to_owned(),
            phase => phase.to_owned(),
        };
        let groups = grouped(rows, |row| vec![named(row, "method_id").to_owned(), phase(row)]);
        all.push(Board {
            name: "sota_leaderboard_by_phase",
            title: "SOTA leaderboard by method and phase (coordination)",
            note: "Means over the cells of a method whose injection acts in a phase.",
            columns: columns(&["method_id", "application_phase"], &BOARD),
            lines: board(&groups, &["method_id", "application_phase"]),
        });
    }
    all
}

/// Writes the summaries of rows below `<out>/summary`; `source` names the file that the rows are of.
///
/// # Errors
/// [`ComparisonError::Bench`] naming the file.
pub fn write(rows: &[Row], source: &str, out: &Path) -> Result<(), ComparisonError> {
    write_noted(rows, source, &[], out).map(|_| ())
}

/// Writes the summaries, with notes below the first of them. Returns the files, below `out`.
fn write_noted(rows: &[Row], source: &str, notes: &[String], out: &Path) -> Result<Vec<String>, ComparisonError> {
    let at = out.join("summary");
    std::fs::create_dir_all(&at).map_err(|error| BenchError::Write { path: at.clone(), source: error })?;
    let mut readme = format!("# Summary\n\nMade of {source}.\n\n");
    let mut written = Vec::new();
    for (place, board) in boards(rows).iter().enumerate() {
        let mut page = board.markdown();
        for note in notes.iter().filter(|_| place == 0) {
            let _ = write!(page, "\n{note}\n");
        }
        for (end, bytes) in [("csv", board.csv()), ("md", page.into_bytes())] {
            let name = format!("{}.{end}", board.name);
            write_whole(&at.join(&name), &bytes)?;
            written.push(format!("summary/{name}"));
        }
        let _ = writeln!(readme, "- `{0}.csv`, `{0}.md`: {1}", board.name, board.note);
    }
    write_whole(&at.join("README.md"), readme.as_bytes())?;
    written.push("summary/README.md".to_owned());
    Ok(written)
}

/// Tables that are looked for, the first that a directory has.
const SOURCES: [&str; 3] = [SUMMARY, "summary_coord.csv", "pack_summary.csv"];

/// What became of a directory's table.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The table that was read, below the directory.
    pub source: &'static str,
    /// Its rows [count].
    pub cells: usize,
    /// The files that were written, below the other directory.
    pub written: Vec<String>,
}

/// Summarises the table of a study or of a pack in `input`, and writes below `<out>/summary`.
///
/// # Errors
/// [`ComparisonError::Invalid`] for a directory without a table, and a table without rows or without a column that every table of cells has;
/// [`ComparisonError::Read`], [`ComparisonError::Bench`].
pub fn summarise(input: &Path, out: &Path) -> Result<Summary, ComparisonError> {
    let source = SOURCES.into_iter().find(|name| input.join(name).is_file()).ok_or_else(|| {
        let problem = format!("there is none of {}; it must be of a study or of a pack", SOURCES.join(", "));
        ComparisonError::invalid(input.display().to_string(), "the directory", problem)
    })?;
    let path = input.join(source);
    let (head, rows) = table::rows(&path)?;
    for column in ["method_id", "perf.throughput"] {
        if !head.iter().any(|known| known == column) {
            let problem = "there is no such column; it must be a table of cells";
            return Err(ComparisonError::invalid(path.display().to_string(), column, problem));
        }
    }
    let mut notes =
        vec![format!("Source: {source}. Throughput: results released in an episode; p95_tat: seconds; rates: shares.")];
    notes.extend(run_metadata(input)?);
    if rows.iter().all(|row| table::figure(row, "perf.throughput").is_none_or(|count| count <= 0.0)) {
        notes.push("No cell released a result: these figures compare methods that did no work.".to_owned());
    }
    let written = write_noted(&rows, source, &notes, out)?;
    Ok(Summary { source, cells: rows.len(), written })
}

/// What the manifest of a pack says of the run, where there is one in the directory or above it.
fn run_metadata(input: &Path) -> Result<Option<String>, ComparisonError> {
    let above = input.parent().map(Path::to_path_buf);
    let mut places = [Some(input.to_path_buf()), above].into_iter().flatten().map(|at| at.join("pack_manifest.json"));
    let Some(path) = places.find(|path| path.is_file()) else { return Ok(None) };
    let bytes = std::fs::read(&path).map_err(|source| ComparisonError::Read { path: path.clone(), source })?;
    let manifest: Value = serde_json::from_slice(&bytes).map_err(|error| {
        ComparisonError::invalid(path.display().to_string(), "the file", format!("it is not JSON: {error}"))
    })?;
    let said = |key: &str| match text(manifest.get(key)) {
        empty if empty.is_empty() => "not recorded".to_owned(),
        said => said,
    };
    Ok(Some(format!("Run metadata: seed_base={}, git_sha={}", said("seed_base"), said("git_sha"))))
}

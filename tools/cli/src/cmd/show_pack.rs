//! `show-pack-matrix` and `show-pack-results`: the cells of a pack, before it is run and afterwards.

use super::run_security_pack::MatrixOptions;
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::Session;
use crate::talk::{self, Talk};
use crate::{Global, answer, plugin_files};
use labtrust_assurance::pack::config::Config;
use labtrust_assurance::pack::report::matrix_rows;
use labtrust_assurance::pack::{Matrix, outputs, read};
use labtrust_bench::files::write_whole;
use labtrust_comparison::table::{table, text};
use serde_json::{Value, json};
use std::path::PathBuf;

/// How a table is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// In columns.
    Table,
    /// CSV.
    Csv,
    /// Markdown.
    Markdown,
    /// One JSON document.
    Json,
}

/// List the cells that a coordination security pack would have
#[derive(Debug, clap::Args)]
pub(crate) struct ShowMatrix {
    /// How the table is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Form,
    #[command(flatten)]
    matrix: MatrixOptions,
    /// File for the table instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Show what the cells of a coordination security pack came to
#[derive(Debug, clap::Args)]
pub(crate) struct ShowResults {
    /// Directory of the pack
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// How the table is printed
    #[arg(long, value_name = "FORMAT", default_value = "markdown")]
    format: Form,
    /// File for the table instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A head and rows of one length.
struct Sheet {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    fn columns(&self) -> String {
        let all = || std::iter::once(&self.head).chain(&self.rows);
        let widths: Vec<usize> =
            (0..self.head.len()).map(|place| all().map(|row| row[place].chars().count()).max().unwrap_or(0)).collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
            format!("{}\n", cells.join("  ").trim_end())
        };
        let rule = "-".repeat(widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1));
        format!("{}{rule}\n{}", line(&self.head), self.rows.iter().map(line).collect::<String>())
    }

    fn markdown(&self) -> String {
        let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
        let rule = format!("|{}\n", " --- |".repeat(self.head.len()));
        format!("{}{rule}{}", line(&self.head), self.rows.iter().map(line).collect::<String>())
    }

    fn csv(&self) -> String {
        let head: Vec<&str> = self.head.iter().map(String::as_str).collect();
        String::from_utf8(table(&head, &self.rows)).unwrap_or_default()
    }
}

fn tell(text: &str, out: Option<&PathBuf>, talk: Talk) -> Result<(), CliError> {
    match out {
        None => talk::print(text),
        Some(path) => {
            write_whole(path, text.as_bytes())?;
            talk.wrote(path);
            Ok(())
        }
    }
}

impl CliCommand for ShowMatrix {
    const SPEC: Spec = Spec {
        name: "show-pack-matrix",
        notes: "Method outermost, then size, then injection, with the number of people of the size. All cells are printed: [security pack](security_pack.md).",
        writes: &[output("--out", "with --out: the table")],
        fails: "an unknown preset, size, method or injection",
        json: Json::data(&[
            ("cells", "for every cell `method_id`, `scale_id`, `injection_id`, `num_agents_total`"),
            ("count", "how many there are [count]"),
        ]),
        examples: &[
            Example::new("--matrix-preset hospital_lab_core"),
            Example::tried("--matrix-preset full_matrix --format json"),
            Example::tried("--injections-from policy --format csv --out cells.csv").leaves(&["cells.csv"]),
        ],
        refusals: &[Refusal::new("--matrix-preset nothing", 1, "hospital_lab_core")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let registry = plugin_files::registry(global)?;
        let policy = Session::open(global, None)?.policy;
        let matrix = Matrix::resolve(&Config::load(&policy)?, &registry, &self.matrix.asked())?;
        let scales: Value = policy.section_or_builtin("coordination/scale_configs.v0.1.yaml", Some("scale_configs"))?;
        let agents = |id: &str| {
            let scale = scales["configs"].as_array()?.iter().find(|scale| scale["id"] == id)?;
            scale["num_agents_total"].as_u64()
        };
        let head = ["method_id", "scale_id", "injection_id", "num_agents_total"].map(str::to_owned).to_vec();
        let sheet = Sheet { head, rows: matrix_rows(&matrix, agents) };
        let text = match self.format {
            Form::Csv => sheet.csv(),
            Form::Markdown => sheet.markdown(),
            Form::Table => format!("{}{} cells\n", sheet.columns(), sheet.rows.len()),
            Form::Json => {
                let cell = |row: &Vec<String>| json!({ "method_id": row[0], "scale_id": row[1], "injection_id": row[2], "num_agents_total": row[3].parse::<u64>().ok() });
                let cells: Vec<Value> = sheet.rows.iter().map(cell).collect();
                answer::document::<Self>(json!({ "count": cells.len(), "cells": cells }))
            }
        };
        tell(&text, self.out.as_ref(), talk)
    }
}

impl CliCommand for ShowResults {
    const SPEC: Spec = Spec {
        name: "show-pack-results",
        notes: "Markdown is `SECURITY/coordination_risk_matrix.md` as it is; the other forms are made of the table beside it, or of `pack_summary.csv` where there is none.",
        writes: &[output("--out", "with --out: the table")],
        fails: "a directory without a pack; a table without a row",
        json: Json::data(&[
            ("rows", "the rows of the table, a figure a column"),
            ("source", "the file that they are of"),
        ]),
        examples: &[
            Example::new("--run small --format table").needs(&["small/timings.json"]),
            Example::tried("--run small").needs(&["small/timings.json"]),
            Example::tried("--run small --format json").needs(&["small/timings.json"]),
        ],
        refusals: &[Refusal::new("--run nowhere", 1, "nowhere")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        let ready = self.run.join(outputs::MATRIX_MD);
        if self.format == Form::Markdown && ready.is_file() {
            let text =
                std::fs::read_to_string(&ready).map_err(|source| CliError::Unreadable { path: ready, source })?;
            return tell(&text, self.out.as_ref(), talk);
        }
        let (source, head, rows) = read::results(&self.run)?;
        if self.format == Form::Json {
            let document = answer::document::<Self>(json!({ "source": source, "rows": rows }));
            return tell(&document, self.out.as_ref(), talk);
        }
        let shown: Vec<String> = match self.format {
            Form::Table => ["method_id", "scale_id", "injection_id", "verdict", "sec.attack_success_rate"]
                .into_iter()
                .filter(|column| head.iter().any(|known| known == column))
                .map(str::to_owned)
                .collect(),
            _ => head,
        };
        let cells =
            |row: &labtrust_assurance::pack::gate::Row| shown.iter().map(|column| text(row.get(column))).collect();
        let sheet = Sheet { rows: rows.iter().map(cells).collect(), head: shown };
        let text = match self.format {
            Form::Csv => sheet.csv(),
            Form::Table => sheet.columns(),
            _ => sheet.markdown(),
        };
        tell(&text, self.out.as_ref(), talk)
    }
}

//! `show-method-risk-matrix`: how far each method covers each risk, by what is known of it.

use crate::Global;
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{Session, rooted};
use crate::talk::{self, Talk};
use labtrust_assurance::register::Register;
use labtrust_assurance::register::matrix::{Form, render};
use labtrust_bench::files::write_whole;
use serde_json::json;
use std::path::PathBuf;

/// Show the method-risk matrix: which method covers which risk how far, and where that needs evidence
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// File for the table, instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Directory with a policy directory in it, or a policy directory
    #[arg(long, value_name = "DIR", conflicts_with = "policy_dir")]
    policy_root: Option<PathBuf>,
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Columns below each other.
    Table,
    /// Fields with commas between them.
    Csv,
    /// A table in Markdown.
    Markdown,
    /// For programs.
    Json,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "show-method-risk-matrix",
        writes: &[output("--out", "with --out: the table")],
        done: "the table is printed or written",
        json: Json::data(&[(
            "cells",
            "for every cell `method_id`, `risk_id`, `coverage`, `required_bench`, `rationale`",
        )]),
        examples: &[
            Example::new("--format markdown"),
            Example::tried("--format csv --out matrix.csv").leaves(&["matrix.csv"]),
        ],
        refusals: &[Refusal::new("--format xml", 2, "xml"), Refusal::new("--policy-root nowhere", 1, "nowhere")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let global = rooted(global, self.policy_root.as_deref());
        let cells = Register::load(&Session::open(&global, None)?.policy)?.matrix;
        let text = match self.format {
            Format::Table => render(&cells, Form::Table),
            Format::Csv => render(&cells, Form::Csv),
            Format::Markdown => render(&cells, Form::Markdown),
            Format::Json => {
                let row = |cell: &labtrust_assurance::register::policy::MatrixCell| {
                    json!({
                        "method_id": cell.method_id, "risk_id": cell.risk_id, "coverage": cell.coverage.name(),
                        "required_bench": cell.required_bench, "rationale": cell.rationale,
                    })
                };
                crate::answer::document::<Self>(json!({ "cells": cells.iter().map(row).collect::<Vec<_>>() }))
            }
        };
        match &self.out {
            Some(path) => {
                write_whole(path, text.as_bytes())?;
                talk.wrote(path);
                Ok(())
            }
            None => talk::print(&text),
        }
    }
}

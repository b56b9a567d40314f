//! `summarize-results`: results files of any number of runs, pooled to one row a task, baseline and partner.
//!
//! Files are found and read in [`documents`], pooled in [`pool`] (equal episodes count once), turned into rows in
//! [`row`], held against what chance and a clairvoyant do in [`reference_lines`], and written in [`table`] and [`markdown`]; what is told of a file and not of a group is in [`side`]. Columns
//! of the published format keep names, meaning and order; our own follow them.

mod documents;
mod markdown;
mod pool;
mod reference_lines;
mod row;
mod side;
mod table;

use super::uncertainty::{UncertaintyKind, UncertaintyMapping};
use crate::BenchError;
use documents::Loaded;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a summary consists of.
#[derive(Debug, Clone)]
pub struct ResultsSummary {
    /// File names and contents.
    pub files: Vec<(String, String)>,
    /// What a reader should know before believing the figures, one sentence each.
    pub warnings: Vec<String>,
    /// The rows with every column, for programs.
    pub rows: Value,
    /// Where the spread in a column comes from, for the columns of the rows that the policy names.
    pub uncertainty: BTreeMap<String, UncertaintyKind>,
    /// Results that were read [count].
    pub documents: usize,
}

/// Summarises the results in `paths`; files are named after `basename`. Rows are split by the settings in `by` (keys of
/// the `config` of a results file) as well; `kinds` says where the spread of a column comes from.
///
/// # Errors
/// [`BenchError::Read`] when a path cannot be read, [`BenchError::NoResults`] when none holds results.
pub fn summarise_results(
    paths: &[PathBuf],
    basename: &str,
    by: &[String],
    kinds: &UncertaintyMapping,
) -> Result<ResultsSummary, BenchError> {
    let Loaded { documents, mut warnings } = documents::load(paths)?;
    if documents.is_empty() {
        let first = paths.first().cloned().unwrap_or_default();
        return Err(BenchError::NoResults { path: first, skipped: warnings });
    }
    let groups = pool::pool(&documents, by, &mut warnings);
    let short = row::rows(&groups, row::Form::Short);
    let long = row::rows(&groups, row::Form::Long);
    let run_info = side::run_info(&documents);
    let economics = side::economics(&documents);

    let uncertainty: BTreeMap<String, UncertaintyKind> =
        table::columns(&long).into_iter().filter_map(|name| Some((name.to_owned(), kinds.kind_of(name)?))).collect();
    let csv = table::csv(&short);
    let lines = reference_lines::lines(&groups, &short);
    let markdown = markdown::summary(&markdown::Parts {
        rows: &short,
        lines: &lines,
        run_info: &run_info,
        uncertainty: &uncertainty,
        warnings: &warnings,
    });
    let mut files = vec![
        (format!("{basename}_v0.2.csv"), csv.clone()),
        (format!("{basename}_v0.3.csv"), table::csv(&long)),
        (format!("{basename}.csv"), csv),
        (format!("{basename}.md"), markdown),
    ];
    if !run_info.is_empty() {
        files.push(("run_info.csv".to_owned(), table::csv(&run_info)));
    }
    if !economics.is_empty() {
        files.push(("llm_economics.csv".to_owned(), table::csv(&economics)));
        files.push(("llm_economics.md".to_owned(), markdown::table(&economics)));
    }
    let rows: Vec<_> = long.iter().map(table::Row::to_value).collect();
    Ok(ResultsSummary { files, warnings, rows: json!(rows), uncertainty, documents: documents.len() })
}

#[cfg(test)]
mod tests;

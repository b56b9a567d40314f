//! All tables and verdicts of a study, from its episodes.

use crate::cells::{Cell, SUMMARY_COLUMNS, cells, episodes_csv, risks_csv};
use crate::comparisons::{comparisons, comparisons_csv};
use crate::pareto::{Verdicts, document, page};
use crate::ranks::{ranks, ranks_csv};
use crate::table::{Row, table_of};
use crate::verdict::{pairs, winners};
use crate::{ComparisonError, EpisodeRow, leaderboard, resilience_page};
use labtrust_bench::BenchError;
use labtrust_bench::files::write_whole;
use labtrust_evidence::release::pretty;
use labtrust_policy::PolicyStore;
use labtrust_redteam::scoring::Scoring;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use std::collections::BTreeMap;
use std::path::Path;

/// The table that everything else can be made of again.
pub const SUMMARY: &str = "summary/summary_coord.csv";

/// What is compared.
pub struct StudyInput<'a> {
    /// Its name.
    pub study_id: &'a str,
    /// The seed of the study; intervals are drawn from it.
    pub seed_base: u64,
    /// All episodes, in any order.
    pub episodes: &'a [EpisodeRow],
    /// The risks that an injection is about.
    pub risks: &'a BTreeMap<String, Vec<String>>,
    /// The policy with its overlays.
    pub policy: &'a PolicyStore,
}

/// The rows of a study, one for each cell, in the order of sizes, methods and injections.
#[must_use]
pub fn summary_rows(cells: &[Cell], risks: &BTreeMap<String, Vec<String>>, scoring: &Scoring, seed: u64) -> Vec<Row> {
    let none = Vec::new();
    // Each has draws of its own, so nothing depends on who is first.
    cells.par_iter().map(|cell| cell.row(risks.get(&cell.key.injection_id).unwrap_or(&none), scoring, seed)).collect()
}

/// Writes everything below `<out>/summary` and `<out>/PARETO`. The bytes depend on what is in `input` and not on the order of its episodes.
///
/// # Errors
/// [`ComparisonError::Invalid`] for no episodes or one that is there twice, [`ComparisonError::Policy`] for the rules of scores,
/// [`ComparisonError::Bench`] naming a file that cannot be written.
pub fn write_study(out: &Path, input: &StudyInput<'_>) -> Result<(), ComparisonError> {
    let scoring = Scoring::load(input.policy)?;
    let cells = cells(input.episodes, &scoring)?;
    let rows = summary_rows(&cells, input.risks, &scoring, input.seed_base);
    let compared = comparisons(&cells, input.seed_base);
    let (pairs, winners) = (pairs(&compared), winners(&cells, &compared));
    let verdicts = Verdicts { rows: &rows, pairs: &pairs, winners: &winners, seed: input.seed_base };
    let files: [(&str, Vec<u8>); 9] = [
        ("summary/episodes.csv", episodes_csv(&cells)),
        (SUMMARY, table_of(&SUMMARY_COLUMNS, &rows)),
        ("summary/cell_risks.csv", risks_csv(&cells, input.risks)),
        ("summary/comparisons.csv", comparisons_csv(&compared)),
        ("summary/ranks.csv", ranks_csv(&ranks(&cells, input.seed_base))),
        ("summary/pareto.md", resilience_page::page(&rows, &winners).into_bytes()),
        ("PARETO/pareto.json", pretty(&document(&verdicts, false))),
        ("PARETO/pareto_cost.json", pretty(&document(&verdicts, true))),
        ("PARETO/pareto.md", page(&verdicts).into_bytes()),
    ];
    for directory in ["summary", "PARETO"] {
        let path = out.join(directory);
        std::fs::create_dir_all(&path).map_err(|source| BenchError::Write { path, source })?;
    }
    for (name, bytes) in files {
        write_whole(&out.join(name), &bytes)?;
    }
    leaderboard::write(&rows, SUMMARY, out)
}

//! The first page of a study.

use super::run::{MANIFEST, PAIRED, Ran};
use super::spec::{AblationSpec, Seeding};
use std::fmt::Write as _;

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().replace('|', "\\|")
}

/// `README.md`.
pub(super) fn readme(spec: &AblationSpec, all: &[Ran]) -> String {
    let mut text = format!(
        "# Study run\n\n\
         - **Task**: {}\n\
         - **Episodes per condition**: {}, {}\n\
         - **Conditions**: {}; the others are compared with the first\n\
         - **Files**: `{MANIFEST}`, `conditions.jsonl`, `results/`, `logs/`, `{PAIRED}`\n\n",
        cell(&spec.task),
        spec.episodes,
        match spec.seeding {
            Seeding::Common => format!("the same in all: seeds from {}", spec.seed_base),
            Seeding::PerCondition => "with seeds of their own: no pairs".to_owned(),
        },
        all.len(),
    );
    text.push_str("| condition | label | throughput (mean) | refusals (mean) | violations (mean) | log lines |\n|---|---|---|---|---|---|\n");
    for ran in all {
        let mean = |name: &str| {
            let values: Vec<f64> = ran.figures.iter().filter_map(|figures| figures.get(name).copied()).collect();
            labtrust_bench::stats::moments(&values).map_or_else(|| "-".to_owned(), |found| format!("{:.3}", found.mean))
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            ran.condition.id,
            cell(&ran.condition.label),
            mean("throughput"),
            mean("blocks_total"),
            mean("violations_total"),
            ran.log().0,
        );
    }
    let _ = write!(text, "\nFigures and tables: `labtrust make-plots --run DIR`, with the directory of this file.\n");
    text
}

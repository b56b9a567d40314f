//! From cells to a study: every cell of the plan, and nothing else, in whatever order they were made and wherever.

use crate::StudyError;
use crate::folder::{self, RESULTS, Record, State};
use crate::plan::{NAME, Plan, PlannedCell};
use crate::run::{CELLS, Failure};
use labtrust_bench::files::write_whole_again;
use labtrust_comparison::{CellKey, EpisodeRow, StudyInput, episode_rows, write_study};
use labtrust_evidence::release::pretty;
use labtrust_policy::PolicyStore;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The manifest of a study.
pub const MANIFEST: &str = "manifest_coordination.json";
/// What the preflight found, where something is missing.
pub const COVERAGE: &str = "summary/coverage_missing.json";

/// How far the cells of a plan are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Cells with results.
    pub done: Vec<String>,
    /// Cells that crashed, and why.
    pub failed: Vec<Failure>,
    /// Cells of the plan that there are not.
    pub missing: Vec<String>,
    /// Folders that are of no cell of the plan.
    pub foreign: Vec<String>,
    /// Folders whose content is not what it was, and why.
    pub corrupt: Vec<String>,
}

/// The folders that cells were found in, by place in the plan.
struct Found<'p> {
    cells: BTreeMap<usize, (&'p PlannedCell, PathBuf, Record)>,
    status: Status,
}

/// How far the cells of a plan are, in these directories of cells.
///
/// # Errors
/// [`StudyError::Io`].
pub fn status(plan: &Plan, directories: &[PathBuf]) -> Result<Status, StudyError> {
    Ok(look(plan, directories)?.status)
}

fn look<'p>(plan: &'p Plan, directories: &[PathBuf]) -> Result<Found<'p>, StudyError> {
    let by_hash: BTreeMap<&str, &PlannedCell> = plan.cells.iter().map(|cell| (cell.hash.as_str(), cell)).collect();
    let mut status = Status::default();
    let mut cells: BTreeMap<usize, (&PlannedCell, PathBuf, Record)> = BTreeMap::new();
    for directory in directories {
        for name in folder::folders(directory)? {
            let path = directory.join(&name);
            let record = match folder::inspect(&path)? {
                State::Whole(record) => record,
                State::Absent => continue,
                State::Corrupt(why) => {
                    status.corrupt.push(format!("{} ({why})", path.display()));
                    continue;
                }
            };
            let Some(&cell) = by_hash.get(record.hash.as_str()) else {
                status.foreign.push(path.display().to_string());
                continue;
            };
            match cells.get(&cell.index) {
                // One that crashed on one machine may have been made on another.
                Some((_, _, known)) if known.error.is_none() && record.error.is_some() => {}
                Some((_, other, known)) if known.error.is_none() && known.files != record.files => {
                    let why = format!("it is not the same as {}", other.display());
                    status.corrupt.push(format!("{} ({why})", path.display()));
                }
                Some((_, _, known)) if known.error.is_none() => {}
                _ => {
                    cells.insert(cell.index, (cell, path, record));
                }
            }
        }
    }
    for cell in &plan.cells {
        match cells.get(&cell.index).map(|(.., record)| record.error.clone()) {
            None => status.missing.push(cell.cell_id.clone()),
            Some(None) => status.done.push(cell.cell_id.clone()),
            Some(Some(error)) => status.failed.push(Failure { cell_id: cell.cell_id.clone(), error }),
        }
    }
    Ok(Found { cells, status })
}

/// Puts a study together from directories of cells: everything below `out`. The cells that crashed are in the answer.
///
/// # Errors
/// [`StudyError::NotWhole`] naming cells that are missing, foreign or corrupt, before anything is written; [`StudyError::Occupied`] when
/// `out` has cells of another study; otherwise [`StudyError`] for files.
pub fn merge(
    plan: &Plan,
    directories: &[PathBuf],
    out: &Path,
    policy: &PolicyStore,
) -> Result<Vec<Failure>, StudyError> {
    let Found { cells, status } = look(plan, directories)?;
    let Status { failed, missing, foreign, corrupt, .. } = status;
    if !(missing.is_empty() && foreign.is_empty() && corrupt.is_empty()) {
        return Err(StudyError::NotWhole { missing, foreign, corrupt });
    }
    crate::run::refuse_others(plan, out)?;
    let own = out.join(CELLS);
    let mut rows: Vec<EpisodeRow> = Vec::new();
    let mut scales = BTreeMap::new();
    for (cell, path, record) in cells.values() {
        let target = own.join(&cell.cell_id);
        if *path != target {
            folder::copy(path, &own, cell, record)?;
        }
        if record.error.is_none() {
            let results = results(&target.join(RESULTS))?;
            scales.insert(cell.config.scale.id.as_str(), size(&results));
            rows.extend(episodes(cell, &results)?);
        }
    }
    plan.write(&out.join(NAME))?;
    write_coverage(plan, out)?;
    if !rows.is_empty() {
        let head = &plan.head;
        write_study(
            out,
            &StudyInput {
                study_id: &head.study_id,
                seed_base: head.seed_base,
                episodes: &rows,
                risks: &head.risks,
                policy,
            },
        )?;
    }
    // Last: who finds it finds everything.
    write_whole_again(&out.join(MANIFEST), &pretty(&manifest(plan, &failed, &scales, out)))?;
    folder::sweep(&own);
    Ok(failed)
}

/// Writes what the preflight found missing; removes what an earlier one found where nothing is.
///
/// # Errors
/// [`StudyError::Bench`] naming the file.
pub fn write_coverage(plan: &Plan, out: &Path) -> Result<(), StudyError> {
    let path = out.join(COVERAGE);
    let coverage = &plan.head.coverage;
    if coverage.missing.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StudyError::Io { path, source: error }),
            _ => Ok(()),
        };
    }
    write_whole_again(&path, &pretty(&serde_json::to_value(coverage).unwrap_or_default()))?;
    Ok(())
}

fn results(path: &Path) -> Result<Value, StudyError> {
    let bytes = std::fs::read(path).map_err(StudyError::io(path))?;
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

/// How large a laboratory was, for those who draw something over it.
fn size(results: &Value) -> Value {
    let config = &results["config"]["scale_config"];
    json!({ "num_agents": config["num_agents_total"], "horizon_steps": config["horizon_steps"] })
}

fn episodes(cell: &PlannedCell, results: &Value) -> Result<Vec<EpisodeRow>, StudyError> {
    let key = CellKey {
        scale_id: cell.config.scale.id.clone(),
        method_id: cell.config.method.id.clone(),
        injection_id: cell.config.injection.id.clone(),
    };
    Ok(episode_rows(&key, results)?)
}

/// What the study is, without the place where it lies and without the moment.
fn manifest(plan: &Plan, failed: &[Failure], scales: &BTreeMap<&str, Value>, out: &Path) -> Value {
    let head = &plan.head;
    let cell = |cell: &PlannedCell| {
        json!({
            "cell_id": cell.cell_id, "cell_seed": cell.cell_seed, "first_seed": cell.config.first_seed, "hash": cell.hash,
        })
    };
    let reserved: Vec<&String> =
        head.injection_ids.iter().filter(|id| labtrust_redteam::catalogue::is_reserved(id)).collect();
    json!({
        "version": "0.1",
        "study_id": head.study_id,
        "spec_sha256": head.spec_sha256,
        "seed_base": head.seed_base,
        "seed_rule": "the first episode of a cell has the seed first_seed, which depends on seed_base and scale_id only; the others count up from it",
        "episodes_per_cell": head.episodes_per_cell,
        "identity": head.identity,
        "scale_ids": head.scale_ids,
        "scales": scales,
        "method_ids": head.method_ids,
        "injection_ids": head.injection_ids,
        "reserved_injection_ids": reserved,
        "not_run": head.not_run,
        "num_cells": head.cells,
        "cell_ids": plan.cells.iter().map(|cell| cell.cell_id.as_str()).collect::<Vec<_>>(),
        "cells": plan.cells.iter().map(cell).collect::<Vec<_>>(),
        "failed_cells": failed.iter().map(|one| json!({ "cell_id": one.cell_id, "error": one.error })).collect::<Vec<_>>(),
        "plan": NAME,
        "pareto_dir": out.join("PARETO").is_dir().then_some("PARETO"),
        "summary_dir": out.join("summary").is_dir().then_some("summary"),
    })
}

//! The cells of a plan on the threads of this machine.
//!
//! What is there already is not made again, so that a study that was killed goes on where it was. Cells of one size and method
//! share their undisturbed course, which spares an episode in two.

use crate::StudyError;
use crate::folder::{self, Record, State};
use crate::plan::{Plan, PlannedCell};
use crate::workshop::{Tools, Workshop};
use labtrust_bench::{BenchError, CleanCourses};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

/// Where a study has its cells.
pub const CELLS: &str = "cells";

/// What came of a cell in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was there.
    Before,
    /// It is there now.
    Now,
    /// It crashed, or its method failed in every episode.
    Failed,
}

/// A cell of a run, and why there are no results of it, where there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The cell.
    pub cell_id: String,
    /// Why.
    pub error: String,
}

/// How cells are made.
pub struct Run<'a> {
    /// What with.
    pub tools: Tools<'a>,
    /// Threads [count]; as many as the machine has when absent. The bytes do not depend on it.
    pub threads: Option<usize>,
    /// Is told of every cell when it is done, from any thread.
    pub progress: &'a (dyn Fn(&PlannedCell, Made) + Sync),
}

/// Refuses folders in `<out>/cells` that are of no cell of the plan.
///
/// # Errors
/// [`StudyError::Occupied`] naming them.
pub fn refuse_others(plan: &Plan, out: &Path) -> Result<(), StudyError> {
    let cells = out.join(CELLS);
    let planned: BTreeMap<&str, &str> =
        plan.cells.iter().map(|cell| (cell.cell_id.as_str(), cell.hash.as_str())).collect();
    let mut others = Vec::new();
    for name in folder::folders(&cells)? {
        let is_of = |record: &Record| planned.get(name.as_str()) == Some(&record.hash.as_str());
        match folder::inspect(&cells.join(&name))? {
            // What is damaged is made again.
            State::Corrupt(_) if planned.contains_key(name.as_str()) => {}
            State::Whole(record) if is_of(&record) => {}
            _ => others.push(name),
        }
    }
    match others.is_empty() {
        true => Ok(()),
        false => Err(StudyError::Occupied { path: cells, cells: others }),
    }
}

impl Run<'_> {
    /// Makes those of `asked` that are not in `<out>/cells` yet.
    ///
    /// A cell that crashes is a failure and leaves the others alone. A file that cannot be written stops the run.
    ///
    /// # Errors
    /// [`StudyError`] for what keeps all cells from being made.
    pub fn cells<'p>(self, plan: &'p Plan, asked: &[&'p PlannedCell], out: &Path) -> Result<Vec<Failure>, StudyError>
    where
        Self: 'p,
    {
        let cells = out.join(CELLS);
        let mut waiting: Vec<&PlannedCell> = Vec::new();
        for &cell in asked {
            match folder::inspect(&cells.join(&cell.cell_id))? {
                State::Whole(record) if record.hash == cell.hash && record.error.is_none() => {
                    (self.progress)(cell, Made::Before);
                }
                _ => waiting.push(cell),
            }
        }
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let threads = self.threads.unwrap_or(0);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| BenchError::Threads { threads, message: error.to_string() })?;
        let workshop = Workshop::open(self.tools, plan, &waiting)?;
        let mut groups: BTreeMap<(&str, &str), Vec<&PlannedCell>> = BTreeMap::new();
        for cell in waiting {
            groups.entry(cell.group()).or_default().push(cell);
        }
        // The largest sizes come last in most specs; begun first, they leave no thread alone at the end.
        let groups: Vec<Vec<&PlannedCell>> = groups.into_values().rev().collect();
        let failures = Mutex::new(Vec::new());
        let make = |cell: &PlannedCell, clean: &CleanCourses| -> Result<(), StudyError> {
            let record = workshop.make(cell, Some(clean), &cells, &cell.cell_id)?;
            let made = if record.error.is_some() { Made::Failed } else { Made::Now };
            if let Some(error) = record.error {
                let failure = (cell.index, Failure { cell_id: cell.cell_id.clone(), error });
                failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(failure);
            }
            (self.progress)(cell, made);
            Ok(())
        };
        let done: Result<(), StudyError> = pool.install(|| {
            groups.into_par_iter().try_for_each(|group| {
                let clean = CleanCourses::default();
                group.into_par_iter().try_for_each(|cell| make(cell, &clean))
            })
        });
        done?;
        let mut failures = failures.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        failures.sort_by_key(|(index, _)| *index);
        Ok(failures.into_iter().map(|(_, failure)| failure).collect())
    }
}

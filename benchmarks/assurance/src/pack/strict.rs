//! What a gate is decided by: cells that failed, and strictly those that show nothing, too.
//!
//! A strict reader may let a cell pass by that could not be run because its method does not exist, for as long as waivers say so:
//! one for the method and every risk of the injection. Such a cell is waived until a day and never passed. What was run is not
//! waived: a FAIL or a SKIP of a method that exists stands.

use super::gate::Verdict;
use super::matrix::NONE;
use super::outputs;
use super::read::GateRow;
use crate::register::policy::{Waiver, risks_of};
use crate::register::waivers::in_force;
use labtrust_bench::date::Date;

/// What a strict reader goes by.
#[derive(Clone, Copy)]
pub struct Strict<'a> {
    /// The waivers that there are.
    pub waivers: &'a [Waiver],
    /// The day on which they are judged.
    pub date: Date,
    /// Whether the program has a method of this name.
    pub exists: &'a dyn Fn(&str) -> bool,
}

/// A cell that the gate is not passed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection<'r> {
    /// The cell.
    pub row: &'r GateRow,
    /// Why nothing waives it, where something could.
    pub unwaived: Vec<String>,
}

/// A cell that need not show anything yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaivedCell<'r> {
    /// The cell.
    pub row: &'r GateRow,
    /// The last day on which this holds: the first on which one of its waivers ends.
    pub until: Date,
    /// Roles that approved it, sorted.
    pub approved_by: Vec<String>,
}

/// A gate that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading<'r> {
    /// Cells that it is not passed for, in the order of rows.
    pub objections: Vec<Objection<'r>>,
    /// Cells that are waived, in the order of rows.
    pub waived: Vec<WaivedCell<'r>>,
}

/// Reads a gate: cells that failed are objections, and to a strict reader those that show nothing and are not waived.
#[must_use]
pub fn read<'r>(rows: &'r [GateRow], strict: Option<Strict<'_>>) -> Reading<'r> {
    let mut reading = Reading::default();
    for row in rows.iter().filter(|row| !outputs::is_shown(row.verdict)) {
        let excused = match (row.verdict, strict) {
            (Verdict::NotRun, Some(strict)) => strict.excuse(row),
            (Verdict::Fail, _) | (_, Some(_)) => Err(Vec::new()),
            (_, None) => continue,
        };
        match excused {
            Ok((until, approved_by)) => reading.waived.push(WaivedCell { row, until, approved_by }),
            Err(unwaived) => reading.objections.push(Objection { row, unwaived }),
        }
    }
    reading
}

impl Strict<'_> {
    /// Until when a cell that was not run is waived, and by whom.
    fn excuse(&self, row: &GateRow) -> Result<(Date, Vec<String>), Vec<String>> {
        let method = row.method_id.as_str();
        if (self.exists)(method) {
            return Err(vec![format!("{method} is there in this version: run the pack again")]);
        }
        let mut held = Vec::new();
        let mut reasons = Vec::new();
        // The baseline is about no risk. It is waived with the first of its method's cells, and ends with the last.
        let is_baseline = row.injection_id == NONE;
        let risks: Vec<&str> = if is_baseline {
            self.waivers.iter().filter(|one| one.method_id == method).map(|one| one.risk_id.as_str()).collect()
        } else {
            risks_of(&row.injection_id).into_iter().collect()
        };
        for risk in &risks {
            match in_force(self.waivers, method, risk, self.date) {
                Ok(waiver) => held.push(waiver),
                Err(why) if why.is_empty() => reasons.push(format!("{risk}: there is no waiver of {method}")),
                Err(why) => reasons.extend(why.into_iter().map(|why| format!("{risk}: {why}"))),
            }
        }
        let days = held.iter().map(|(_, last)| *last);
        let until = if is_baseline { days.max() } else { days.min() };
        match until {
            Some(until) if is_baseline || reasons.is_empty() => {
                let mut roles: Vec<String> = held.iter().map(|(waiver, _)| waiver.approved_by.clone()).collect();
                roles.sort_unstable();
                roles.dedup();
                Ok((until, roles))
            }
            _ if risks.is_empty() && is_baseline => Err(vec![format!("there is no waiver of {method}")]),
            _ if risks.is_empty() => Err(vec![format!("no risk is known of {}", row.injection_id)]),
            _ => Err(reasons),
        }
    }
}

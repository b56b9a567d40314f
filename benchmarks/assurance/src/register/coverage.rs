//! Which required cells have evidence or a waiver, and what would close the gaps.
//!
//! A cell is a method and a risk. It is covered where some evidence counts for this method and this risk, and none shows that
//! an attack on them came through: a run that failed is not made good by another one.

use super::assess::Flaw;
use super::policy::{PLAN, PlanRow, Register, SourceKind};
use super::waivers::in_force;
use crate::AssuranceError;
use labtrust_bench::date::Date;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A required cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// The method.
    pub method: String,
    /// The risk.
    pub risk: String,
}

/// How a cell stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// This evidence counts.
    Covered {
        /// Its ids, sorted.
        evidence: Vec<String>,
    },
    /// It may be without evidence until a day.
    Waived {
        /// The last day.
        expires_on: String,
        /// Who approved it.
        approved_by: String,
    },
    /// Neither.
    Gap {
        /// What was found and does not count, or what has expired; empty where nothing was found.
        reasons: Vec<String>,
    },
}

/// A cell and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellState {
    /// The cell.
    pub cell: Cell,
    /// How it stands.
    pub state: State,
}

/// All required cells, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The day on which waivers were judged.
    pub date: Date,
    /// The cells.
    pub cells: Vec<CellState>,
}

impl Coverage {
    /// Judges a bundle. Waivers hold up to and on their last day.
    ///
    /// # Errors
    /// [`AssuranceError::Invalid`] for what is no bundle, and for a required cell that the plan does not name.
    pub fn of(register: &Register, bundle: &Value, date: Date) -> Result<Self, AssuranceError> {
        let invalid = |file: &str, place: String, problem: &str| AssuranceError::Invalid {
            file: file.to_owned(),
            place,
            problem: problem.to_owned(),
        };
        if bundle["bundle_version"] != "0.1" {
            return Err(invalid(
                "bundle",
                "bundle_version".to_owned(),
                "it is not \"0.1\", so this is no risk register bundle",
            ));
        }
        let Some(evidence) = bundle["evidence"].as_array() else {
            return Err(invalid("bundle", "evidence".to_owned(), "there is no list of evidence"));
        };
        let mut cells = Vec::new();
        for (method, risk) in register.required() {
            let plan = register.plan.cells.iter().find(|row| row.method_id == method && row.risk_id == risk);
            let plan = plan.ok_or_else(|| {
                invalid(PLAN, format!("{method} {risk}"), "the matrix asks for evidence, and no row says how to get it")
            })?;
            let cell = Cell { method: method.to_owned(), risk: risk.to_owned() };
            cells.push(CellState { state: judge(register, evidence, plan, &cell, date), cell });
        }
        Ok(Self { date, cells })
    }

    /// Cells with neither evidence nor waiver.
    pub fn gaps(&self) -> impl Iterator<Item = &CellState> {
        self.cells.iter().filter(|cell| matches!(cell.state, State::Gap { .. }))
    }

    /// Cells without evidence, waived or not [count].
    #[must_use]
    pub fn without_evidence(&self) -> usize {
        self.cells.iter().filter(|cell| !matches!(cell.state, State::Covered { .. })).count()
    }

    /// What would have to be run to close the gaps: each command once, in the order of the plan.
    #[must_use]
    pub fn commands(&self, register: &Register) -> Vec<String> {
        let gaps: BTreeSet<&Cell> = self.gaps().map(|gap| &gap.cell).collect();
        let is_gap = |row: &&PlanRow| gaps.iter().any(|cell| cell.method == row.method_id && cell.risk == row.risk_id);
        let mut commands = Vec::new();
        for row in register.plan.cells.iter().filter(is_gap) {
            for command in [&row.evidence.cmd, &row.evidence.cmd_without].into_iter().flatten() {
                if !commands.contains(command) {
                    commands.push(command.clone());
                }
            }
        }
        commands
    }

    /// It for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let row = |one: &CellState| {
            let mut row = json!({ "method_id": one.cell.method, "risk_id": one.cell.risk });
            match &one.state {
                State::Covered { evidence } => {
                    row["state"] = "covered".into();
                    row["evidence_ids"] = evidence.clone().into();
                }
                State::Waived { expires_on, approved_by } => {
                    row["state"] = "waived".into();
                    row["expires_on"] = expires_on.clone().into();
                    row["approved_by"] = approved_by.clone().into();
                }
                State::Gap { reasons } => {
                    row["state"] = "gap".into();
                    row["reasons"] = reasons.clone().into();
                }
            }
            row
        };
        json!({
            "date": self.date.to_string(), "required": self.cells.len(), "gaps": self.gaps().count(),
            "cells": self.cells.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

fn judge(register: &Register, evidence: &[Value], plan: &PlanRow, cell: &Cell, date: Date) -> State {
    let (mut good, mut reasons, mut against) = (BTreeSet::new(), BTreeSet::new(), false);
    for entry in evidence {
        let id = entry["evidence_id"].as_str().unwrap_or_default();
        for said in entry["assessments"].as_array().into_iter().flatten() {
            let speaks = if plan.evidence.kind == SourceKind::SecuritySuite {
                said["attack_id"].as_str().is_some() && said["attack_id"].as_str() == plan.evidence.attack_id.as_deref()
            } else {
                said["method_id"] == cell.method
            };
            if !speaks || said["risk_id"] != cell.risk {
                continue;
            }
            // Evidence that is not present as a whole counts in no part.
            if said["admissible"] == true && entry["status"] == "present" && entry["synthetic"] != true {
                good.insert(id.to_owned());
            } else {
                against |= said["kind"] == Flaw::Failed.name();
                let tried = said["injection_id"].as_str().or(said["attack_id"].as_str()).unwrap_or_default();
                let why = said["reason"].as_str().or(entry["reason"].as_str()).unwrap_or("it does not count");
                reasons.insert(format!("{id}, {tried}: {why}"));
            }
        }
    }
    if !good.is_empty() && !against {
        return State::Covered { evidence: good.into_iter().collect() };
    }
    let mut reasons: Vec<String> = reasons.into_iter().collect();
    // A waiver is for evidence that is missing. What came through is not waived.
    if !against {
        match in_force(&register.waivers, &cell.method, &cell.risk, date) {
            Ok((waiver, _)) => {
                return State::Waived {
                    expires_on: waiver.expires_on.clone(),
                    approved_by: waiver.approved_by.clone(),
                };
            }
            Err(why) => reasons.extend(why),
        }
    }
    State::Gap { reasons }
}

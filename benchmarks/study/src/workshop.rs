//! Where the cells of a plan are made.

use crate::StudyError;
use crate::folder::{Draft, Record, State, inspect};
use crate::plan::{Identity, Plan, PlannedCell};
use crate::settings;
use crate::spec::Scale;
use labtrust_assurance::pack::ground::{Ground, Play, carrier};
use labtrust_assurance::pack::matrix::CellId;
use labtrust_bench::isolation::guarded;
use labtrust_bench::results::canonical_bytes;
use labtrust_bench::{CleanCourses, RunOutcome};
use labtrust_contract::ResultsFile;
use labtrust_plugin::Registry;
use labtrust_plugin::lab::LoadedLab;
use labtrust_policy::PolicyStore;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What cells are made with.
pub struct Tools<'a> {
    /// What there is to run.
    pub registry: &'a Registry,
    /// The policy with its overlays.
    pub policy: &'a PolicyStore,
    /// The laboratory, loaded from `policy`.
    pub lab: Arc<dyn LoadedLab>,
    /// Program and policy, as results name them.
    pub identity: Identity,
}

/// Where the cells of a plan are made.
pub struct Workshop<'a> {
    tools: Tools<'a>,
    /// The policy with the sizes of the study and each of its injections as it is set there.
    policies: BTreeMap<&'a str, PolicyStore>,
}

impl<'a> Workshop<'a> {
    /// Gets ready to make cells of a plan.
    ///
    /// # Errors
    /// [`StudyError::OtherGround`] when the plan is not meant for this program, policy and plugins; [`StudyError::Assurance`] for sizes
    /// that make no sense.
    pub fn open(tools: Tools<'a>, plan: &'a Plan, cells: &[&'a PlannedCell]) -> Result<Self, StudyError> {
        plan.head.identity.require(&tools.identity)?;
        let mut scales: BTreeMap<&str, Scale> = BTreeMap::new();
        for cell in cells {
            let planned = &cell.config.method;
            let here = tools.registry.coordination_method(&planned.id).map(carrier).unwrap_or_default();
            if here != planned.carrier {
                let said = |facts| json!({ "method": planned.id, "carrier": facts }).to_string();
                let (planned, here) = (said(&planned.carrier), said(&here));
                return Err(StudyError::OtherGround { what: "the plugin", planned, here });
            }
            let scale = &cell.config.scale;
            let made = || Scale { id: scale.id.clone(), config: scale.config.clone() };
            scales.entry(&scale.id).or_insert_with(made);
        }
        let sized = settings::with_scales(tools.policy, scales.values())?;
        let ground = Ground::load(tools.registry, &sized, Arc::clone(&tools.lab), None)?;
        for scale in scales.keys() {
            ground.check_scale(scale)?;
        }
        let mut policies = BTreeMap::new();
        for cell in cells {
            let injection = &cell.config.injection;
            if !policies.contains_key(injection.id.as_str()) {
                policies.insert(injection.id.as_str(), settings::with_parts(&sized, &injection.parts)?);
            }
        }
        Ok(Self { tools, policies })
    }

    /// Makes a cell and puts its folder into `cells` under `name`. A cell that crashes, and one whose method failed in every episode,
    /// has a folder that says so.
    ///
    /// # Errors
    /// [`StudyError`] for files that cannot be written: then there is no folder.
    pub fn make(
        &self,
        cell: &PlannedCell,
        clean: Option<&CleanCourses>,
        cells: &Path,
        name: &str,
    ) -> Result<Record, StudyError> {
        let draft = Draft::begin(cells)?;
        // An error of the disk is not the cell's: it is carried past the guard.
        let mut disk = None;
        let made = guarded(|| match self.play(cell, clean, draft.path()) {
            Err(error) if error.is_temporary() => {
                let words = error.to_string();
                disk = Some(error);
                Err(words)
            }
            other => other.map_err(|error| error.to_string()),
        });
        if let Some(error) = disk {
            return Err(error);
        }
        let finished = draft.finish(name, cell, made.as_deref().map_err(String::as_str));
        finished.or_else(|error| match inspect(&cells.join(name))? {
            // Another process has made it, and has tidied up behind both.
            State::Whole(record) if record.hash == cell.hash && record.error.is_none() => Ok(record),
            _ => Err(error),
        })
    }

    fn play(&self, cell: &PlannedCell, clean: Option<&CleanCourses>, folder: &Path) -> Result<Vec<u8>, StudyError> {
        let config = &cell.config;
        let policy = self.policies.get(config.injection.id.as_str()).unwrap_or(self.tools.policy);
        let commit = self.tools.identity.commit.clone();
        let ground = Ground::load(self.tools.registry, policy, Arc::clone(&self.tools.lab), commit)?;
        let asked = Play {
            cell: CellId { scale: &config.scale.id, method: &config.method.id, injection: &config.injection.id },
            seed: config.first_seed,
            episodes: u64::from(config.episodes),
            without: &[],
            clean,
        };
        let (outcome, _) = ground.play_into(&asked, config.logs.then_some(folder), None)?;
        let RunOutcome { results, cut_short, .. } = outcome;
        if cut_short == results.num_episodes {
            let why = results.warnings.last().cloned().unwrap_or_default();
            return Err(failed(cell, &why));
        }
        document(&results, cell)
    }
}

fn failed(cell: &PlannedCell, why: &str) -> StudyError {
    labtrust_assurance::AssuranceError::Invalid {
        file: cell.cell_id.clone(),
        place: cell.config.method.id.clone(),
        problem: why.to_owned(),
    }
    .into()
}

/// The results of a cell, with what it is in the study.
fn document(results: &ResultsFile, cell: &PlannedCell) -> Result<Vec<u8>, StudyError> {
    let config = &cell.config;
    let mut value = serde_json::to_value(results).unwrap_or_default();
    value["coordination"] = json!({ "scale_id": config.scale.id, "method_id": config.method.id });
    value["security"] = json!({
        "injection_id": config.injection.id,
        "risk_id": config.injection.risk_ids.first(),
        "risk_ids": config.injection.risk_ids,
        "settings": config.injection.parts,
    });
    let mut bytes = canonical_bytes(&value, "the results")?;
    bytes.push(b'\n');
    Ok(bytes)
}

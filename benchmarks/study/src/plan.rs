//! A study as a list of cells, each with a hash over everything that its results depend on.
//!
//! A plan is a file of JSON lines: the study first, then a line for every cell. It holds all that a machine needs to run a cell
//! besides the program, the policy and the plugins, and it says which of those are meant.

mod ground;
mod lines;

pub use ground::Identity;
pub use lines::NAME;

use crate::StudyError;
use crate::coverage::{self, Coverage};
use crate::settings::{self, Part};
use crate::spec::{CoordinationSpec, Injection, Method, Scale};
use labtrust_assurance::pack::ground::carrier;
use labtrust_bench::results::canonical_bytes;
use labtrust_bench::seeds::first_of_scale;
use labtrust_evidence::digest::sha256;
use labtrust_plugin::Registry;
use labtrust_policy::PolicyStore;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What the first line of a plan says that it is.
const KIND: &str = "labtrust.study_plan";
/// Version of the form of a plan.
const VERSION: &str = "0.1";

/// A method that is not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRun {
    /// The method.
    pub method_id: String,
    /// Why.
    pub reason: String,
}

/// The study: the first line of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    kind: String,
    version: String,
    /// Name of the study.
    pub study_id: String,
    /// SHA-256 of its spec.
    pub spec_sha256: String,
    /// Everything is drawn from it.
    pub seed_base: u64,
    /// Episodes of a cell [count].
    pub episodes_per_cell: u32,
    /// Program and policy.
    pub identity: Identity,
    /// Ids of sizes, in order.
    pub scale_ids: Vec<String>,
    /// Ids of methods, those that are not run too, in order.
    pub method_ids: Vec<String>,
    /// Ids of injections, in order.
    pub injection_ids: Vec<String>,
    /// Methods that are not run.
    pub not_run: Vec<NotRun>,
    /// The risks that each injection is about.
    pub risks: BTreeMap<String, Vec<String>>,
    /// What the preflight found.
    pub coverage: Coverage,
    /// Cells of the plan [count].
    pub cells: usize,
}

/// The size of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellScale {
    /// Its id.
    pub id: String,
    /// Its configuration; none of a size of the policy.
    pub config: Option<Value>,
}

/// The method of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellMethod {
    /// Its id.
    pub id: String,
    /// What brings it: the program, or a plugin with its digest.
    pub carrier: Map<String, Value>,
}

/// The injection of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellInjection {
    /// Its id.
    pub id: String,
    /// How it is set; none of the baseline, several of a compound.
    pub parts: Vec<Part>,
    /// The risks that it is about.
    pub risk_ids: Vec<String>,
}

/// Everything that the results of a cell depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Program and policy.
    pub identity: Identity,
    /// Size.
    pub scale: CellScale,
    /// Method.
    pub method: CellMethod,
    /// Injection.
    pub injection: CellInjection,
    /// Episodes [count].
    pub episodes: u32,
    /// Seed of the first episode; the others count up from it. It depends on the study's seed and on the size only.
    pub first_seed: u64,
    /// Whether its log is kept.
    pub logs: bool,
}

/// A cell of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedCell {
    /// Its place in the plan, from 0.
    pub index: usize,
    /// Its name, and that of its folder in a finished study.
    pub cell_id: String,
    /// SHA-256 of `config` as canonical JSON.
    pub hash: String,
    /// The published formula of a cell's seed. Nothing is drawn from it: see [`Config::first_seed`].
    pub cell_seed: u64,
    /// What it is.
    pub config: Config,
}

impl PlannedCell {
    /// What it shares an undisturbed course with.
    #[must_use]
    pub fn group(&self) -> (&str, &str) {
        (&self.config.scale.id, &self.config.method.id)
    }
}

/// A study as a list of cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The study.
    pub head: Head,
    /// Its cells, by size, method and injection in the order of the spec.
    pub cells: Vec<PlannedCell>,
}

/// What a plan is made of, besides a spec.
pub struct Grounds<'a> {
    /// What there is to run.
    pub registry: &'a Registry,
    /// The policy with its overlays.
    pub policy: &'a PolicyStore,
    /// Program and policy, as results name them.
    pub identity: Identity,
    /// Whether the logs of cells are kept.
    pub logs: bool,
}

impl Plan {
    /// The plan of a spec.
    ///
    /// # Errors
    /// [`StudyError`] for what the policy says of injections and risks, and for two cells of one name.
    pub fn make(spec: &CoordinationSpec, grounds: &Grounds<'_>) -> Result<Self, StudyError> {
        let register = coverage::register(grounds.policy)?;
        let risks = coverage::risks(spec, &register);
        let coverage = Coverage::of(spec, &register);
        let methods = |scale| spec.methods.iter().enumerate().map(move |method| (scale, method));
        let injections = |(scale, method)| spec.injections.iter().enumerate().map(move |one| (scale, method, one));
        let all = spec.scales.iter().enumerate().flat_map(methods).flat_map(injections);
        let mut cells: Vec<PlannedCell> = Vec::new();
        let mut names = BTreeSet::new();
        for ((s, scale), (m, method), (i, injection)) in all.filter(|(_, (_, method), _)| method.not_run.is_none()) {
            let config = config(spec, grounds, (scale, method, injection), &risks)?;
            let cell_id = cell_id(&config)?;
            if !names.insert(cell_id.clone()) {
                return Err(invalid_name(&cell_id, "two cells have this name"));
            }
            let place = 10_000 * s as u64 + 100 * m as u64 + i as u64;
            let cell_seed = spec.seed_base.wrapping_add(place);
            cells.push(PlannedCell { index: cells.len(), cell_id, hash: hash(&config)?, cell_seed, config });
        }
        let not_run = spec.methods.iter().filter_map(|method| {
            let reason = method.not_run.clone()?;
            Some(NotRun { method_id: method.id.clone(), reason })
        });
        let head = Head {
            kind: KIND.to_owned(),
            version: VERSION.to_owned(),
            study_id: spec.study_id.clone(),
            spec_sha256: spec.sha256.clone(),
            seed_base: spec.seed_base,
            episodes_per_cell: spec.episodes_per_cell,
            identity: grounds.identity.clone(),
            scale_ids: spec.scales.iter().map(|scale| scale.id.clone()).collect(),
            method_ids: spec.methods.iter().map(|method| method.id.clone()).collect(),
            injection_ids: spec.injections.iter().map(|injection| injection.id.clone()).collect(),
            not_run: not_run.collect(),
            risks,
            coverage,
            cells: cells.len(),
        };
        Ok(Self { head, cells })
    }

    /// The cell at a place.
    ///
    /// # Errors
    /// [`StudyError::NoSuchCell`].
    pub fn cell(&self, index: usize) -> Result<&PlannedCell, StudyError> {
        self.cells.get(index).ok_or(StudyError::NoSuchCell { index, cells: self.cells.len() })
    }

    /// The cells of one of `of` machines, which count from 1. Cells with one undisturbed course stay together where there are enough
    /// of such groups for all machines.
    pub fn shard(&self, Shard { number, of }: Shard) -> impl Iterator<Item = &PlannedCell> {
        let mut groups = BTreeMap::new();
        for cell in &self.cells {
            let next = groups.len();
            groups.entry(cell.group()).or_insert(next);
        }
        let together = groups.len() >= of;
        let place = move |cell: &PlannedCell| if together { groups[&cell.group()] } else { cell.index };
        self.cells.iter().filter(move |cell| place(cell) % of == number - 1)
    }
}

/// Which part of a study is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    of: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        let shard = parts.map(|(number, of)| Self { number, of });
        shard
            .filter(|shard| shard.number >= 1 && shard.number <= shard.of)
            .ok_or_else(|| format!("{text:?} should be I/N, with I from 1 to N"))
    }
}

fn config(
    spec: &CoordinationSpec,
    grounds: &Grounds<'_>,
    (scale, method, injection): (&Scale, &Method, &Injection),
    risks: &BTreeMap<String, Vec<String>>,
) -> Result<Config, StudyError> {
    let found = grounds.registry.coordination_method(&method.id).map(carrier);
    Ok(Config {
        identity: grounds.identity.clone(),
        scale: CellScale { id: scale.id.clone(), config: scale.config.clone() },
        method: CellMethod { id: method.id.clone(), carrier: found.unwrap_or_default() },
        injection: CellInjection {
            id: injection.id.clone(),
            parts: settings::parts(grounds.policy, injection)?,
            risk_ids: risks.get(&injection.id).cloned().unwrap_or_default(),
        },
        episodes: spec.episodes_per_cell,
        first_seed: first_of_scale(spec.seed_base, &scale.id),
        logs: grounds.logs,
    })
}

/// `<scale>_<method>_<injection>`: the name of a folder, on every system.
fn cell_id(config: &Config) -> Result<String, StudyError> {
    let id = format!("{}_{}_{}", config.scale.id, config.method.id, config.injection.id).replace(' ', "_");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if id.chars().all(plain) && id.len() <= 200 {
        return Ok(id);
    }
    Err(invalid_name(&id, "a cell is called by letters, digits, `_`, `-` and `.`, at most 200 of them"))
}

fn invalid_name(cell_id: &str, problem: &str) -> StudyError {
    labtrust_assurance::AssuranceError::Invalid {
        file: "the spec".to_owned(),
        place: cell_id.to_owned(),
        problem: problem.to_owned(),
    }
    .into()
}

fn hash(config: &Config) -> Result<String, StudyError> {
    Ok(sha256(&canonical_bytes(config, "a cell of the plan")?))
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn a_shard_is_one_of_so_many() {
        assert_eq!("2/7".parse(), Ok(Shard { number: 2, of: 7 }));
        for text in ["0/7", "8/7", "1", "1/0", "a/b", "-1/2", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}

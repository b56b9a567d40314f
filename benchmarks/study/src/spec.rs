//! The spec of a coordination study: sizes, methods and injections that are set against each other.

mod document;
mod scales;

pub use document::Phases;
pub use scales::Scale;
pub(crate) use scales::{CONFIGS, TOP};

use crate::StudyError;
use document::{Document, InjectionEntry, MethodEntry, WaivedEntry};
use labtrust_coordination::catalogue::Catalogue;
use labtrust_evidence::digest::sha256;
use labtrust_plugin::Registry;
use labtrust_policy::{PolicyError, PolicyStore, nearest};
use std::collections::BTreeSet;
use std::path::Path;

/// The baseline: no injection.
pub const NONE: &str = "none";
/// Seed of a study that names none.
const SEED_BASE: u64 = 42;
/// Episodes of a cell where the spec does not say [count].
const EPISODES: u32 = 2;
/// The method of a study that names none.
const METHOD: &str = "centralized_planner";

/// A method of a study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its id.
    pub id: String,
    /// Why this program does not run it, where it does not.
    pub not_run: Option<String>,
}

/// An injection of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    /// Its id; [`NONE`] is the baseline.
    pub id: String,
    /// How hard it tries, 0 to 1, where the spec says.
    pub intensity: Option<f64>,
    /// Tells apart runs of one injection on one seed, where the spec says.
    pub seed_offset: Option<u64>,
    /// When it acts, where the spec says.
    pub phases: Phases,
}

impl Injection {
    /// The baseline.
    fn none() -> Self {
        Self { id: NONE.to_owned(), intensity: None, seed_offset: None, phases: Phases::default() }
    }
}

/// A spec, checked against a program and a policy.
#[derive(Clone, Debug)]
pub struct CoordinationSpec {
    /// Name of the study.
    pub study_id: String,
    /// Everything is drawn from it.
    pub seed_base: u64,
    /// Episodes of a cell [count].
    pub episodes_per_cell: u32,
    /// Sizes, in the order of the product.
    pub scales: Vec<Scale>,
    /// Methods, in order.
    pub methods: Vec<Method>,
    /// Injections, in order; the baseline is among them unless it was not wanted.
    pub injections: Vec<Injection>,
    /// Labels of injections that no risk names, by place.
    pub risks: Vec<String>,
    /// Risks that need no injection here.
    pub waived: BTreeSet<String>,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// What a spec is read with.
pub struct Reading<'a> {
    /// What there is to run.
    pub registry: &'a Registry,
    /// What is known of sizes, methods and injections.
    pub policy: &'a PolicyStore,
    /// Whether `none` is added where the spec does not name it.
    pub baseline: bool,
    /// Most episodes of a cell [count].
    pub most_episodes: Option<u32>,
}

/// A file that is complained about.
struct File<'a> {
    store: &'a PolicyStore,
    name: &'a str,
}

impl File<'_> {
    fn wrong(&self, token: &str, message: String, hint: impl Into<String>) -> StudyError {
        PolicyError::rule(self.store, self.name, token, message, hint).into()
    }
}

/// "did you mean", or all that there are.
fn suggestion<'c>(known: impl Iterator<Item = &'c str> + Clone, word: &str, where_listed: &str) -> String {
    nearest(known, word).map_or_else(|| where_listed.to_owned(), |near| format!("did you mean `{near}`?"))
}

impl CoordinationSpec {
    /// Reads the spec at `path`.
    ///
    /// # Errors
    /// [`StudyError::Policy`] with file, line and hint, for what cannot be read and for sizes, methods and injections that there
    /// are not.
    pub fn load(path: &Path, reading: &Reading<'_>) -> Result<Self, StudyError> {
        let (store, name) = PolicyStore::of_file(path, "the command line")?;
        Self::read(&store, &name, reading)
    }

    /// Reads the spec that is a file of a policy.
    ///
    /// # Errors
    /// As [`CoordinationSpec::load`].
    pub fn read(store: &PolicyStore, name: &str, reading: &Reading<'_>) -> Result<Self, StudyError> {
        let document: Document = store.section(name, None)?;
        let file = File { store, name };
        if document.study_id.trim().is_empty() {
            return Err(file.wrong("study_id", "a study needs a name".to_owned(), "write study_id: NAME"));
        }
        let episodes = document.episodes_per_cell.unwrap_or(EPISODES);
        if episodes == 0 {
            return Err(file.wrong("episodes_per_cell", "a cell has no episodes".to_owned(), "1 or more"));
        }
        Ok(Self {
            study_id: document.study_id,
            seed_base: document.seed_base.unwrap_or(SEED_BASE),
            episodes_per_cell: episodes.min(reading.most_episodes.unwrap_or(u32::MAX)),
            scales: scales::product(&file, &document.scales, reading.policy)?,
            methods: methods(&file, document.methods, reading)?,
            injections: injections(&file, document.injections, reading)?,
            risks: document.risks,
            waived: document.waived_risks.into_iter().map(WaivedEntry::into_id).collect(),
            sha256: sha256(store.text(name)?.as_bytes()),
        })
    }
}

fn methods(file: &File<'_>, entries: Vec<MethodEntry>, reading: &Reading<'_>) -> Result<Vec<Method>, StudyError> {
    let mut methods: Vec<Method> = Vec::new();
    let ids: Vec<String> = entries.into_iter().map(MethodEntry::into_id).collect();
    let catalogue = Catalogue::load(reading.policy)?;
    for id in if ids.is_empty() { vec![METHOD.to_owned()] } else { ids } {
        if methods.iter().any(|method| method.id == id) {
            return Err(file.wrong(&id, format!("the method {id} is there twice"), "name each once"));
        }
        let is_there = reading.registry.coordination_method(&id).is_ok();
        // Published ids of methods that work with a language model, and methods that the policy describes.
        let is_known = id.starts_with("llm_") || catalogue.entry(&id).is_some();
        if !is_there && !is_known {
            let registered = reading.registry.entries().iter().map(|entry| entry.plugin);
            let known: Vec<&str> = registered
                .filter(|plugin| plugin.kind() == labtrust_plugin::method::KIND)
                .map(|plugin| plugin.id())
                .collect();
            let hint = suggestion(known.iter().copied(), &id, "`labtrust methods list` shows them");
            return Err(file.wrong(&id, format!("there is no coordination method {id}"), hint));
        }
        let not_run = catalogue.not_run(reading.registry, &id);
        methods.push(Method { id, not_run });
    }
    Ok(methods)
}

fn injections(
    file: &File<'_>,
    entries: Vec<InjectionEntry>,
    reading: &Reading<'_>,
) -> Result<Vec<Injection>, StudyError> {
    let mut injections: Vec<Injection> = Vec::new();
    for entry in entries {
        let injection = entry.into_injection();
        let id = injection.id.as_str();
        if injections.iter().any(|other| other.id == id) {
            return Err(file.wrong(
                id,
                format!("the injection {id} is there twice"),
                "a cell has one intensity: make a study of each",
            ));
        }
        if reading.registry.injection(id).is_err() {
            let known: Vec<&str> = labtrust_redteam::catalogue::ids().collect();
            let hint = suggestion(known.iter().copied(), id, "`labtrust injections list` shows them");
            return Err(file.wrong(id, format!("there is no injection {id}"), hint));
        }
        if let Some(intensity) = injection.intensity.filter(|intensity| !(0.0..=1.0).contains(intensity)) {
            return Err(file.wrong(id, format!("the intensity of {id} is {intensity}"), "it lies between 0 and 1"));
        }
        injections.push(injection);
    }
    if (reading.baseline || injections.is_empty()) && injections.iter().all(|injection| injection.id != NONE) {
        injections.push(Injection::none());
    }
    Ok(injections)
}

//! The file that says what is varied.

use super::axes::{Axis, Effect, Setting};
use crate::StudyError;
use labtrust_evidence::digest::sha256;
use labtrust_kernel::ClockMode;
use labtrust_policy::{PolicyError, PolicyStore, nearest};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// Agents of a spec, and the set that fills the seats; none for the task's own.
const AGENTS: [(&str, Option<&str>); 4] =
    [("scripted_ops", None), ("scripted_runner", None), ("unset", None), ("random", Some("random_legal"))];
/// Most conditions of a study [count].
const MOST: usize = 4096;

/// Whether conditions have the same episodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seeding {
    /// All begin with the seed of the study: differences are paired.
    #[default]
    Common,
    /// Each begins with its own seed, as it was published: there are no pairs.
    PerCondition,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    task: Option<String>,
    #[serde(default)]
    episodes: Option<u64>,
    #[serde(default)]
    seed_base: Option<u64>,
    #[serde(default)]
    timing_mode: Option<String>,
    #[serde(default)]
    ablations: BTreeMap<String, Value>,
    #[serde(default)]
    condition_labels: Option<Vec<String>>,
    #[serde(default)]
    agent_config: Option<String>,
    #[serde(default)]
    partner_id: Option<String>,
    #[serde(default)]
    seeding: Seeding,
    #[serde(default, rename = "study_id")]
    _study_id: Option<String>,
    #[serde(default, rename = "version")]
    _version: Option<String>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

/// A spec may stand under this key.
#[derive(Debug, Deserialize)]
struct Member {
    study_spec: Document,
}

/// A combination of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// `cond_0`, `cond_1`, ...
    pub id: String,
    /// For people.
    pub label: String,
    /// The published formula of its seed; used with [`Seeding::PerCondition`] only.
    pub seed: u64,
    /// Its values, by axis.
    pub values: Vec<(Axis, Setting)>,
}

impl Condition {
    /// What it comes to.
    #[must_use]
    pub fn effect(&self) -> Effect {
        Effect::of(&self.values)
    }

    /// Its values as an object.
    #[must_use]
    pub fn json(&self) -> Map<String, Value> {
        self.values.iter().map(|(axis, setting)| (axis.name().to_owned(), setting.json())).collect()
    }
}

/// A spec, read.
#[derive(Clone, Debug)]
pub struct AblationSpec {
    /// The task.
    pub task: String,
    /// Episodes of a condition [count].
    pub episodes: u64,
    /// Everything is drawn from it.
    pub seed_base: u64,
    /// Who moves time.
    pub timing: ClockMode,
    /// Whether conditions have the same episodes.
    pub seeding: Seeding,
    /// The agents, as the spec names them.
    pub agent_config: Option<String>,
    /// The set that fills the seats; none for the task's own agents.
    pub agent_set: Option<&'static str>,
    /// The partner, where the spec names one.
    pub partner_id: Option<String>,
    /// The conditions; those that others are compared with first.
    pub conditions: Vec<Condition>,
    /// SHA-256 of the file.
    pub sha256: String,
}

impl AblationSpec {
    /// Reads the spec at `path`; `most_episodes` caps the episodes of a condition [count].
    ///
    /// # Errors
    /// [`StudyError::Policy`] with file and place for what cannot be read, and for an axis or a value that there is not: those that there
    /// are are listed.
    pub fn load(path: &Path, most_episodes: Option<u64>) -> Result<Self, StudyError> {
        let (store, name) = PolicyStore::of_file(path, "the command line")?;
        Self::read(&store, &name, most_episodes)
    }

    /// Reads the spec that is a file of a policy.
    ///
    /// # Errors
    /// As [`AblationSpec::load`].
    pub fn read(store: &PolicyStore, name: &str, most_episodes: Option<u64>) -> Result<Self, StudyError> {
        let whole: Value = store.section(name, None)?;
        let document: Document = match whole.get("study_spec") {
            Some(_) => store.section::<Member>(name, None)?.study_spec,
            None => store.section(name, None)?,
        };
        let wrong = |token: &str, message: String, hint: String| -> StudyError {
            PolicyError::rule(store, name, token, message, hint).into()
        };
        let named = document.timing_mode.as_deref().unwrap_or("explicit");
        let timing = named.parse::<ClockMode>();
        let timing =
            timing.map_err(|_| wrong(named, format!("there is no timing {named}"), "explicit or simulated".into()))?;
        let episodes = document.episodes.unwrap_or(2).min(most_episodes.unwrap_or(u64::MAX));
        if episodes == 0 {
            return Err(wrong("episodes", "a condition has no episodes".into(), "1 or more".into()));
        }
        let agent_set = match document.agent_config.as_deref() {
            None => None,
            Some(asked) => AGENTS.iter().find(|(known, _)| *known == asked).map(|(_, set)| *set).ok_or_else(|| {
                let known = AGENTS.map(|(known, _)| known).join(", ");
                wrong(asked, format!("there are no agents {asked}"), format!("there are {known}"))
            })?,
        };
        let seed_base = document.seed_base.unwrap_or(0);
        let axes = axes(&document.ablations, &wrong)?;
        Ok(Self {
            task: document.task.unwrap_or_else(|| "throughput_sla".to_owned()),
            episodes,
            seed_base,
            timing,
            seeding: document.seeding,
            agent_config: document.agent_config,
            agent_set,
            partner_id: document.partner_id,
            conditions: conditions(&axes, seed_base, document.condition_labels.as_deref(), &wrong)?,
            sha256: sha256(store.text(name)?.as_bytes()),
        })
    }
}

/// Makes a complaint about a word of the spec, with a hint.
type Wrong<'w> = &'w dyn Fn(&str, String, String) -> StudyError;

fn axes(written: &BTreeMap<String, Value>, wrong: Wrong<'_>) -> Result<Vec<(Axis, Vec<Setting>)>, StudyError> {
    let mut axes = Vec::new();
    for (name, values) in written {
        let Some(axis) = Axis::ALL.into_iter().find(|axis| axis.name() == name) else {
            let known = Axis::ALL.map(Axis::name);
            let near = nearest(known, name).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            return Err(wrong(
                name,
                format!("there is no axis {name}"),
                format!("{near}there are {}", known.join(", ")),
            ));
        };
        let values = values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]);
        if values.is_empty() {
            return Err(wrong(name, format!("the axis {name} has no values"), axis.values().join(", ")));
        }
        let mut settings: Vec<Setting> = Vec::new();
        for value in &values {
            let said = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let setting = axis.setting(value);
            let setting = setting.ok_or_else(|| {
                let hint = format!("{name} is one of {}", axis.values().join(", "));
                wrong(name, format!("the axis {name} has no value {said}"), hint)
            })?;
            if settings.contains(&setting) {
                return Err(wrong(
                    name,
                    format!("the axis {name} has the value {said} twice"),
                    "name each once".into(),
                ));
            }
            settings.push(setting);
        }
        axes.push((axis, settings));
    }
    Ok(axes)
}

fn conditions(
    axes: &[(Axis, Vec<Setting>)],
    seed_base: u64,
    labels: Option<&[String]>,
    wrong: Wrong<'_>,
) -> Result<Vec<Condition>, StudyError> {
    let mut combined: Vec<Vec<(Axis, Setting)>> = vec![Vec::new()];
    for (axis, settings) in axes {
        let longer = |so_far: &Vec<(Axis, Setting)>| {
            let with = |setting: &Setting| so_far.iter().copied().chain([(*axis, *setting)]).collect();
            settings.iter().map(with).collect::<Vec<Vec<_>>>()
        };
        combined = combined.iter().flat_map(longer).collect();
        if combined.len() > MOST {
            let message = format!("the axes multiply to more than {MOST} conditions");
            return Err(wrong(axis.name(), message, "vary fewer at once".into()));
        }
    }
    let count = combined.len();
    let labels = match labels {
        Some(labels) if labels.len() == count => Some(labels),
        None => None,
        Some(labels) => {
            let message = format!("there are {} labels and {count} conditions", labels.len());
            return Err(wrong("condition_labels", message, "a label for every condition, last axis fastest".into()));
        }
    };
    let one = |(place, values): (usize, Vec<(Axis, Setting)>)| {
        let parts: Vec<String> =
            values.iter().map(|(axis, setting)| format!("{}_{}", axis.name(), setting.label())).collect();
        let id = format!("cond_{place}");
        let own = if parts.is_empty() { id.clone() } else { parts.join("_") };
        let label = labels.and_then(|labels| labels.get(place).cloned()).unwrap_or(own);
        Condition { id, label, seed: seed_base.wrapping_add(place as u64), values }
    };
    Ok(combined.into_iter().enumerate().map(one).collect())
}

//! What a pack is made of: `official/benchmark_pack.v0.1.yaml`.

use crate::PackError;
use labtrust_bench::official::OfficialRegistry;
use labtrust_evidence::digest::sha256;
use labtrust_plugin::Registry;
use labtrust_policy::{OFFICIAL_PACK, PolicyError, PolicyStore};
use labtrust_study::spec::Scale;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// The file, where no profile names another.
pub const FILE: &str = OFFICIAL_PACK;
/// The injection that is none.
pub const NONE: &str = "none";
/// The preset of the coordination security pack, where nothing names another.
pub const PRESET: &str = "hospital_lab";
/// Reports that a pack may ask for, and the files that each is not there without.
pub const REPORTS: [(&str, &[&str]); 3] = [
    ("security", &["SECURITY/attack_results.json", "SECURITY/coverage.json", "SECURITY/reason_codes.md"]),
    ("safety_case", &["SAFETY_CASE/safety_case.json", "SAFETY_CASE/safety_case.md"]),
    ("transparency_log", &["TRANSPARENCY_LOG/log.json", "TRANSPARENCY_LOG/root.txt"]),
];

/// The tasks of a pack, in order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tasks {
    /// Those with crews of their own.
    #[serde(default)]
    pub core: Vec<String>,
    /// Those that a coordination method directs.
    #[serde(default)]
    pub coordination: Vec<String>,
    /// Further ones with crews of their own.
    #[serde(default)]
    pub experimental: Vec<String>,
}

/// How many episodes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Episodes {
    /// Of each baseline [count].
    pub baseline: u64,
    /// Of each cell of the comparison [count].
    pub cell: u32,
}

/// How many episodes there are, in a short pack and in a whole one.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BySize {
    /// In a short pack.
    pub smoke: Episodes,
    /// In a whole one.
    pub full: Episodes,
}

/// One episode of a short pack and fifty of a whole one, as published; the comparison has fewer, of more cells.
const fn published() -> BySize {
    BySize { smoke: Episodes { baseline: 1, cell: 2 }, full: Episodes { baseline: 50, cell: 20 } }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    enabled: bool,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suites {
    smoke: Switch,
    full: Switch,
}

/// Whether the coordination security pack is part of it, and which one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinationPack {
    /// Whether it is run without being asked for.
    pub enabled: bool,
    /// A preset of the coordination security pack.
    pub matrix_preset: String,
}

/// What a pack is made of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackPolicy {
    /// Version of the pack.
    pub version: String,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    /// Tasks.
    pub tasks: Tasks,
    scale_configs: BTreeMap<String, Value>,
    /// Who plays each task.
    pub baselines: BTreeMap<String, String>,
    #[serde(default)]
    least_throughput_mean: BTreeMap<String, f64>,
    /// Methods that are compared at every size.
    pub coordination_methods: Vec<String>,
    /// Injections that they are compared under, with [`NONE`].
    #[serde(default)]
    pub injections: Vec<String>,
    /// Episodes; the published layout does not say how many.
    #[serde(default = "published")]
    pub episodes: BySize,
    security_suite: Suites,
    /// Reports without which the pack has failed.
    pub required_reports: Vec<String>,
    /// The coordination security pack.
    #[serde(default)]
    pub coordination_pack: Option<CoordinationPack>,
    /// The file that it was read from: a path that begins with `policy/`, or the name of a file of its own.
    #[serde(skip)]
    pub source: String,
    /// SHA-256 of that file.
    #[serde(skip)]
    pub sha256: String,
}

impl PackPolicy {
    /// Reads the pack of a policy: `file`, which is the one that a profile names, else that of the partner or of the domain, else
    /// the policy's, else the built-in one.
    ///
    /// # Errors
    /// [`PolicyError`] with file, line and hint, for what cannot be read and for tasks, methods, injections and reports that
    /// there are not.
    pub fn load(policy: &PolicyStore, file: Option<&str>, registry: &Registry) -> Result<Self, PolicyError> {
        let (store, name) = file.map_or_else(|| policy.in_force(FILE), |file| (policy.clone(), file.to_owned()));
        Self::read(&store, &name, format!("policy/{name}"), registry)
    }

    /// Reads a pack that is a file of its own.
    ///
    /// # Errors
    /// As [`PackPolicy::load`].
    pub fn load_file(path: &Path, registry: &Registry) -> Result<Self, PolicyError> {
        let (store, name) = PolicyStore::of_file(path, "the command line")?;
        let source = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Self::read(&store, &name, source, registry)
    }

    fn read(store: &PolicyStore, name: &str, source: String, registry: &Registry) -> Result<Self, PolicyError> {
        let mut pack: Self = store.section(name, None)?;
        (pack.source, pack.sha256) = (source, sha256(store.text(name)?.as_bytes()));
        match pack.complaint(registry) {
            None => Ok(pack),
            Some((token, message, hint)) => Err(PolicyError::rule(store, name, &token, message, hint)),
        }
    }

    /// What makes no sense: where, what, and what would.
    fn complaint(&self, registry: &Registry) -> Option<(String, String, String)> {
        let told = |token: &str, message: String, hint: &str| Some((token.to_owned(), message, hint.to_owned()));
        if self.tasks().next().is_none() {
            return told("tasks", "the pack has no task".to_owned(), "name one below core");
        }
        for task in self.tasks() {
            if registry.task(task).is_err() {
                return told(task, format!("there is no task {task}"), "`labtrust plugins list` shows them");
            }
            if !self.baselines.contains_key(task) {
                return told(task, format!("the task {task} has no baseline"), "name one below baselines");
            }
        }
        if self.scale_configs.is_empty() {
            return told("scale_configs", "the pack has no size".to_owned(), "name one below scale_configs");
        }
        for method in self.methods() {
            if registry.coordination_method(&method).is_err() && !waits_for_models(&method) {
                let hint = "`labtrust methods list` shows them";
                return told(&method, format!("there is no coordination method {method}"), hint);
            }
        }
        for task in &self.tasks.coordination {
            let method = unversioned(&self.baselines[task]);
            if registry.coordination_method(method).is_err() {
                let message = format!("{method} cannot play {task}: there is no such method in this version");
                return told(&self.baselines[task], message, "`labtrust methods list` shows them");
            }
        }
        if let Some(injection) = self.injections.iter().find(|id| registry.injection(id).is_err()) {
            let hint = "`labtrust injections list` shows them";
            return told(injection, format!("there is no injection {injection}"), hint);
        }
        let unknown = |report: &&String| REPORTS.iter().all(|(known, _)| known != report);
        if let Some(report) = self.required_reports.iter().find(unknown) {
            return told(report, format!("there is no report {report}"), "security, safety_case, transparency_log");
        }
        let few = |episodes: Episodes| episodes.baseline == 0 || episodes.cell == 0;
        if few(self.episodes.smoke) || few(self.episodes.full) {
            return told("episodes", "there are no episodes".to_owned(), "1 or more");
        }
        None
    }

    /// All tasks, in the order in which they are played.
    pub fn tasks(&self) -> impl Iterator<Item = &str> {
        let Tasks { core, coordination, experimental } = &self.tasks;
        core.iter().chain(coordination).chain(experimental).map(String::as_str)
    }

    /// Sizes from the smallest, with their configurations.
    #[must_use]
    pub fn sizes(&self) -> Vec<(&str, Value)> {
        let mut sizes: Vec<(&str, Value)> = self
            .scale_configs
            .iter()
            .map(|(id, config)| {
                let mut config = config.clone();
                complete(&mut config);
                config["id"] = id.as_str().into();
                (id.as_str(), config)
            })
            .collect();
        let agents = |config: &Value| config["num_agents_total"].as_u64().unwrap_or(0);
        sizes.sort_by_key(|(id, config)| (agents(config), (*id).to_owned()));
        sizes
    }

    /// A policy that knows the sizes of the pack besides its own.
    ///
    /// # Errors
    /// [`PackError::Study`] for sizes of the policy that cannot be read.
    pub fn sized(&self, policy: &PolicyStore) -> Result<PolicyStore, PackError> {
        Ok(labtrust_study::settings::with_scales(policy, self.scales().iter())?)
    }

    /// The sizes as those of a study, from the smallest.
    #[must_use]
    pub fn scales(&self) -> Vec<Scale> {
        self.sizes().into_iter().map(|(id, config)| Scale { id: id.to_owned(), config: Some(config) }).collect()
    }

    /// Every method that is compared: those that are listed, and those of the baselines.
    #[must_use]
    pub fn methods(&self) -> Vec<String> {
        let mut methods = self.coordination_methods.clone();
        for task in &self.tasks.coordination {
            let method = self.baselines.get(task).map(|id| unversioned(id).to_owned());
            methods.extend(method.filter(|method| !methods.contains(method)));
        }
        methods
    }

    /// The injection under which a coordination task is played that takes any: the last that is listed.
    #[must_use]
    pub fn injection(&self) -> &str {
        self.injections.last().map_or(NONE, String::as_str)
    }

    /// Whether the whole security suite is run without being asked for.
    #[must_use]
    pub fn full_security(&self) -> bool {
        self.security_suite.full.enabled
    }

    /// Whether a security suite is run at all.
    #[must_use]
    pub fn any_security(&self) -> bool {
        self.security_suite.smoke.enabled || self.security_suite.full.enabled
    }

    /// The preset of the coordination security pack; the published one unless the pack names another.
    #[must_use]
    pub fn matrix_preset(&self) -> &str {
        self.coordination_pack.as_ref().map_or(PRESET, |pack| pack.matrix_preset.as_str())
    }

    /// The pack with another preset of the coordination security pack.
    #[must_use]
    pub fn with_preset(mut self, preset: &str) -> Self {
        let enabled = self.coordination_pack.as_ref().is_some_and(|pack| pack.enabled);
        self.coordination_pack = Some(CoordinationPack { enabled, matrix_preset: preset.to_owned() });
        self
    }

    /// The pack with these methods instead of its own, at its smallest size.
    pub(crate) fn swept(&self, methods: Vec<String>) -> Self {
        let smallest = self.sizes().first().map(|(id, _)| (*id).to_owned());
        let mut pack = Self { coordination_methods: methods, ..self.clone() };
        pack.scale_configs.retain(|id, _| Some(id) == smallest.as_ref());
        pack
    }

    /// Least mean throughput of a task [results an episode], where there is a floor.
    #[must_use]
    pub fn floor(&self, task: &str, official: &OfficialRegistry) -> Option<f64> {
        let registered = || official.official_tasks.iter().find(|entry| entry.task == task);
        let of_crew = || registered().map(|entry| entry.least_throughput_mean.explicit);
        let directed = self.tasks.coordination.iter().any(|one| one == task);
        self.least_throughput_mean.get(task).copied().or_else(|| if directed { None } else { of_crew() })
    }
}

/// A size of the published layout has counts and rates under other names, and says neither who works there nor when.
fn complete(config: &mut Value) {
    let Some(config) = config.as_object_mut() else { return };
    let devices = config.remove("num_devices").and_then(|count| count.as_u64());
    let rate = config.remove("arrival_rate");
    let mut fill = |name: &str, value: Value| {
        config.entry(name).or_insert(value);
    };
    if let Some(devices) = devices {
        let centrifuges = (devices / 2).max(1);
        fill("num_devices_per_type", json!({ "CHEM_ANALYZER": devices, "CENTRIFUGE_BANK": centrifuges }));
    }
    if let Some(rate) = rate {
        fill("specimens_per_min", rate);
    }
    fill("role_mix", json!({ "ROLE_RUNNER": 0.5, "ROLE_ANALYTICS": 0.3, "ROLE_RECEPTION": 0.2 }));
    fill("timing_mode", json!("explicit"));
}

/// Whether a method is known by name and works with a language model, of which there is none.
#[must_use]
pub fn waits_for_models(method: &str) -> bool {
    method.starts_with("llm_")
}

/// A baseline without the version at its end, as in names of files.
#[must_use]
pub fn unversioned(baseline: &str) -> &str {
    let version = baseline.rsplit_once("_v").filter(|(_, digits)| digits.bytes().all(|byte| byte.is_ascii_digit()));
    version.filter(|(_, digits)| !digits.is_empty()).map_or(baseline, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_of_the_published_layout_is_completed() {
        let mut size = json!({ "num_agents_total": 8, "num_devices": 4, "arrival_rate": 2.0, "horizon_steps": 200 });
        complete(&mut size);
        assert_eq!(size["num_devices_per_type"], json!({ "CHEM_ANALYZER": 4, "CENTRIFUGE_BANK": 2 }));
        assert_eq!((&size["specimens_per_min"], &size["timing_mode"]), (&json!(2.0), &json!("explicit")));
        let whole = size.clone();
        complete(&mut size);
        assert_eq!(size, whole);
    }
}

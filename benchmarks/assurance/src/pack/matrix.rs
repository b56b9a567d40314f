//! Which cells a pack has.

use super::config::{Config, Ids};
use crate::AssuranceError;
use labtrust_plugin::Registry;
use labtrust_redteam::catalogue;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The baseline.
pub const NONE: &str = "none";

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// A preset; its lists go before the others.
    pub preset: Option<String>,
    /// `fixed`, `full`, `full_llm`, or a file.
    pub methods_from: Option<String>,
    /// `fixed`, `critical`, `policy`, or a file.
    pub injections_from: Option<String>,
    /// `default` or `full`.
    pub scales_from: Option<String>,
    /// Sizes that are kept; all of them when empty.
    pub scale_ids: Vec<String>,
    /// Methods that are kept; all of them when empty.
    pub method_ids: Vec<String>,
    /// Injections that are kept; all of them when empty.
    pub injection_ids: Vec<String>,
}

/// The cells of a pack: every size with every method with every injection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// The preset, if it is of one.
    pub preset: Option<String>,
    /// Sizes.
    pub scales: Vec<String>,
    /// Methods.
    pub methods: Vec<String>,
    /// Injections; `none` is the baseline.
    pub injections: Vec<String>,
}

/// The name of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellId<'a> {
    /// Size.
    pub scale: &'a str,
    /// Method.
    pub method: &'a str,
    /// Injection.
    pub injection: &'a str,
}

impl CellId<'_> {
    /// The name of its directory.
    #[must_use]
    pub fn directory(&self) -> String {
        format!("{}_{}_{}", self.scale, self.method, self.injection).replace(' ', "_")
    }
}

impl Matrix {
    /// The matrix that was asked for.
    ///
    /// # Errors
    /// [`AssuranceError::Unknown`] for a preset, list or id that there is not, [`AssuranceError::Invalid`] for a list that is empty or
    /// holds a reserved name, [`AssuranceError::Read`] for a list file.
    pub fn resolve(config: &Config, registry: &Registry, asked: &Asked) -> Result<Self, AssuranceError> {
        let preset = match &asked.preset {
            None => None,
            Some(name) => Some(config.matrix_presets.get(name).ok_or_else(|| AssuranceError::Unknown {
                what: "matrix preset",
                name: name.clone(),
                known: joined(config.matrix_presets.keys().map(String::as_str)),
            })?),
        };
        let of_preset = |pick: fn(&super::config::Preset) -> Option<&Ids>| preset.and_then(pick);
        let scales = match of_preset(|preset| preset.scale_ids.as_ref()) {
            Some(Ids::List(ids)) => ids.clone(),
            Some(Ids::Named(name)) => listed(&config.scale_ids, "list of sizes", name)?,
            None => listed(&config.scale_ids, "list of sizes", asked.scales_from.as_deref().unwrap_or("default"))?,
        };
        let methods = match of_preset(|preset| preset.method_ids.as_ref()) {
            Some(Ids::List(ids)) => ids.clone(),
            Some(Ids::Named(name)) => listed(&config.method_ids, "list of methods", name)?,
            None => methods(config, asked.methods_from.as_deref().unwrap_or("fixed"))?,
        };
        let injections = match of_preset(|preset| preset.injection_ids.as_ref()) {
            Some(Ids::List(ids)) => ids.clone(),
            Some(Ids::Named(name)) => injections(config, name)?,
            None => injections(config, asked.injections_from.as_deref().unwrap_or("fixed"))?,
        };
        let matrix = Self {
            preset: asked.preset.clone(),
            scales: kept("--scale-ids", once(scales), &asked.scale_ids)?,
            methods: kept("methods", once(methods), &asked.method_ids)?,
            injections: kept("injections", once(injections), &asked.injection_ids)?,
        };
        matrix.check(config, registry)?;
        Ok(matrix)
    }

    fn check(&self, config: &Config, registry: &Registry) -> Result<(), AssuranceError> {
        let known: BTreeSet<&str> = catalogue::ids().collect();
        if let Some(id) = self.injections.iter().find(|id| !known.contains(id.as_str())) {
            let known = joined(known.into_iter());
            return Err(AssuranceError::Unknown { what: "injection", name: id.clone(), known });
        }
        let mut reserved: Vec<&str> =
            self.injections.iter().map(String::as_str).filter(|id| catalogue::is_reserved(id)).collect();
        reserved.sort_unstable();
        if config.disallow_reserved_injections && !reserved.is_empty() {
            return Err(AssuranceError::Invalid {
                file: "the matrix".to_owned(),
                place: "injections".to_owned(),
                problem: format!("nobody acts under the reserved names {}; leave them out", reserved.join(", ")),
            });
        }
        // A method of the published lists may not be there yet; one that nobody has heard of is a slip of the pen.
        let published: BTreeSet<&str> =
            config.method_ids.values().flatten().chain(preset_methods(config)).map(String::as_str).collect();
        let is_known = |id: &str| published.contains(id) || registry.coordination_method(id).is_ok();
        match self.methods.iter().find(|id| !is_known(id)) {
            None => Ok(()),
            Some(id) => Err(AssuranceError::Unknown {
                what: "coordination method",
                name: id.clone(),
                known: joined(published.into_iter()),
            }),
        }
    }

    /// The cells in the order of rows: size, method, injection.
    pub fn cells(&self) -> impl Iterator<Item = CellId<'_>> {
        self.scales.iter().flat_map(move |scale| {
            self.methods.iter().flat_map(move |method| {
                self.injections.iter().map(move |injection| CellId { scale, method, injection })
            })
        })
    }

    /// How many cells there are [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.scales.len() * self.methods.len() * self.injections.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn preset_methods(config: &Config) -> impl Iterator<Item = &String> {
    config.matrix_presets.values().flat_map(|preset| match &preset.method_ids {
        Some(Ids::List(ids)) => ids.as_slice(),
        _ => &[],
    })
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// Each id once, where it came first.
fn once(ids: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
}

/// Those of `ids` that are wanted; all when nobody says.
fn kept(place: &str, ids: Vec<String>, wanted: &[String]) -> Result<Vec<String>, AssuranceError> {
    let kept: Vec<String> =
        if wanted.is_empty() { ids.clone() } else { ids.iter().filter(|id| wanted.contains(id)).cloned().collect() };
    if kept.is_empty() {
        let problem = format!("nothing is left of {}; name at least one of them", ids.join(", "));
        return Err(AssuranceError::Invalid { file: "the matrix".to_owned(), place: place.to_owned(), problem });
    }
    match wanted.iter().find(|id| !kept.contains(id)) {
        None => Ok(kept),
        Some(id) => {
            Err(AssuranceError::Unknown { what: "member of the matrix", name: id.clone(), known: ids.join(", ") })
        }
    }
}

fn listed(
    lists: &std::collections::BTreeMap<String, Vec<String>>,
    what: &'static str,
    name: &str,
) -> Result<Vec<String>, AssuranceError> {
    let known = || joined(lists.keys().map(String::as_str));
    let list = lists.get(name).cloned();
    list.ok_or_else(|| AssuranceError::Unknown { what, name: name.to_owned(), known: known() })
}

fn methods(config: &Config, from: &str) -> Result<Vec<String>, AssuranceError> {
    let full = || listed(&config.method_ids, "list of methods", "full");
    match from {
        "fixed" => listed(&config.method_ids, "list of methods", "default"),
        "full" => full(),
        // The published ones that work with a language model say so in their name.
        "full_llm" => Ok(full()?.into_iter().filter(|id| id.starts_with("llm_")).collect()),
        path => from_file(Path::new(path), &["method_ids", "methods"]),
    }
}

fn injections(config: &Config, from: &str) -> Result<Vec<String>, AssuranceError> {
    match from {
        "fixed" | "default" => listed(&config.injection_ids, "list of injections", "default"),
        "critical" => listed(&config.injection_ids, "list of injections", "critical"),
        "policy" => {
            let mut rest: Vec<&str> =
                catalogue::ids().filter(|id| *id != NONE && !catalogue::is_reserved(id)).collect();
            rest.sort_unstable();
            Ok([NONE].into_iter().chain(rest).map(str::to_owned).collect())
        }
        path => from_file(Path::new(path), &["injection_ids", "injections"]),
    }
}

/// Ids of a file: a YAML list, a list under one of `keys`, or one a line.
fn from_file(path: &Path, keys: &[&str]) -> Result<Vec<String>, AssuranceError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| AssuranceError::Read { path: PathBuf::from(path), source })?;
    let invalid = |problem: String| AssuranceError::Invalid {
        file: path.display().to_string(),
        place: keys[0].to_owned(),
        problem,
    };
    let first = text.lines().next().unwrap_or_default();
    let is_yaml = text.starts_with("---") || first.contains(':') || first.starts_with("- ");
    let ids: Vec<String> = if is_yaml {
        let value: serde_json::Value = serde_yaml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        let list = keys.iter().find_map(|key| value.get(*key)).unwrap_or(&value);
        serde_json::from_value(list.clone())
            .map_err(|_| invalid(format!("there is no list of ids in it, and none under {}", keys.join(" or "))))?
    } else {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    if ids.is_empty() { Err(invalid("the list is empty".to_owned())) } else { Ok(ids) }
}

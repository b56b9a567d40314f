//! Reading scenario files.

use super::Scenario;
use super::model::DEFAULT_SEED;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Version of a suite that states none.
const DEFAULT_VERSION: &str = "0.1";

/// Why scenarios could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// A file or directory cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no scenario file.
    #[error("{}: {problem}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong and where.
        problem: String,
    },
    /// A directory has no scenario file in it.
    #[error("there is no .ron, .yaml or .yml file below {}", path.display())]
    NothingThere {
        /// The directory.
        path: PathBuf,
    },
    /// Two scenarios have one id.
    #[error("the scenario id {id:?} is there twice, in {} and in {}", first.display(), second.display())]
    Twice {
        /// The id.
        id: String,
        /// The file that was read first.
        first: PathBuf,
        /// The other one; it may be the same.
        second: PathBuf,
    },
}

/// The scenarios of one file.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The file.
    pub path: PathBuf,
    /// Version of the suite.
    pub version: String,
    /// Its scenarios, in order.
    pub scenarios: Vec<Scenario>,
}

/// Reads files, and every scenario file below directories, in the order of their names.
///
/// # Errors
/// [`ScenarioError`] for the first file that cannot be read or makes no sense.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Suite>, ScenarioError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            walk(path, &mut files)?;
            if files.len() == before {
                return Err(ScenarioError::NothingThere { path: path.clone() });
            }
        } else {
            files.push(path.clone());
        }
    }
    let mut suites = Vec::with_capacity(files.len());
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in files {
        let text =
            std::fs::read_to_string(&path).map_err(|source| ScenarioError::Read { path: path.clone(), source })?;
        let suite = load_text(&path, &text)?;
        for scenario in &suite.scenarios {
            if let Some(first) = seen.insert(scenario.scenario_id.clone(), path.clone()) {
                return Err(ScenarioError::Twice { id: scenario.scenario_id.clone(), first, second: path });
            }
        }
        suites.push(suite);
    }
    Ok(suites)
}

/// Directories below are looked into as well; a link to a directory is not followed, so that no circle catches us.
fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), ScenarioError> {
    let fail = |source| ScenarioError::Read { path: directory.to_path_buf(), source };
    let mut entries = std::fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>())
        .map_err(fail)?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if !path.is_symlink() {
                walk(&path, files)?;
            }
        } else if matches!(path.extension().and_then(|end| end.to_str()), Some("ron" | "yaml" | "yml")) {
            files.push(path);
        }
    }
    Ok(())
}

/// Reads the text of a scenario file; the ending of `path` decides how.
///
/// # Errors
/// [`ScenarioError::Content`] with the place.
pub fn load_text(path: &Path, text: &str) -> Result<Suite, ScenarioError> {
    let wrong = |problem: String| ScenarioError::Content { path: path.to_path_buf(), problem };
    let suite = match path.extension().and_then(|end| end.to_str()) {
        Some("ron") => ron_scenario(text),
        Some("yaml" | "yml") => yaml_suite(text),
        _ => Err("a scenario file ends in .ron, .yaml or .yml".to_owned()),
    };
    let (version, scenarios) = suite.map_err(wrong)?;
    if let Some(scenario) = scenarios.iter().find(|scenario| scenario.scenario_id.trim().is_empty()) {
        return Err(wrong(format!("the scenario titled {:?} has an empty scenario_id", scenario.title)));
    }
    // What has nothing to do passes by doing nothing.
    let idle = |scenario: &&Scenario| {
        let fails_early = scenario.expect_load.is_some() || scenario.expect_reset.is_some();
        fails_early != scenario.script.is_empty()
    };
    if let Some(scenario) = scenarios.iter().find(idle) {
        let id = &scenario.scenario_id;
        return Err(wrong(format!("{id} should have either a script, or expect_load or expect_reset and no script")));
    }
    Ok(Suite { path: path.to_path_buf(), version, scenarios })
}

type Content = (String, Vec<Scenario>);

fn ron_scenario(text: &str) -> Result<Content, String> {
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let scenario: Scenario = options.from_str(text).map_err(|error| {
        let at = error.span.start;
        format!("line {} column {}: {}", at.line, at.col, error.code)
    })?;
    if !scenario.initial_state.contains_key("workflow") {
        return Err(format!(
            "the initial_state of {} does not state its \"workflow\": \"open\" or \"enforced\"",
            scenario.scenario_id
        ));
    }
    Ok((DEFAULT_VERSION.to_owned(), vec![scenario]))
}

#[derive(Deserialize)]
struct Document {
    golden_suite: SuiteText,
}

/// What a suite says. `depends_on` and the texts about the runner mean nothing to us.
#[derive(Deserialize)]
struct SuiteText {
    #[serde(default)]
    version: Value,
    #[serde(default)]
    deterministic: Deterministic,
    #[serde(default)]
    fixtures: Fixtures,
    scenarios: Vec<Scenario>,
}

#[derive(Default, Deserialize)]
struct Deterministic {
    rng_seed: Option<u64>,
}

/// Of the fixtures only the agents count; specimen templates are the engine's own.
#[derive(Default, Deserialize)]
struct Fixtures {
    agents: Option<Value>,
}

fn yaml_suite(text: &str) -> Result<Content, String> {
    // The reader's own complaint ends with line and column.
    let one_line = |error: serde_yaml::Error| {
        error.without_snippet().to_string().lines().next().unwrap_or("it cannot be read").to_owned()
    };
    // Which of the two it is decides what a complaint is about.
    let keys: BTreeMap<String, IgnoredAny> = serde_yaml::from_str(text).map_err(one_line)?;
    if !keys.contains_key("golden_suite") {
        let scenario: Scenario = serde_yaml::from_str(text).map_err(one_line)?;
        return Ok((DEFAULT_VERSION.to_owned(), vec![scenario]));
    }
    let Document { golden_suite: suite } = serde_yaml::from_str(text).map_err(one_line)?;
    let mut scenarios = suite.scenarios;
    for scenario in &mut scenarios {
        scenario.rng_seed = scenario.rng_seed.or(suite.deterministic.rng_seed).or(Some(DEFAULT_SEED));
        if let Some(agents) = &suite.fixtures.agents {
            scenario.initial_state.entry("agents").or_insert_with(|| agents.clone());
        }
    }
    let version = match suite.version {
        Value::String(text) => text,
        Value::Null => DEFAULT_VERSION.to_owned(),
        other => other.to_string(),
    };
    Ok((version, scenarios))
}

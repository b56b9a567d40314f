//! What a scenario wants after its script. Exporters do not exist yet, so of all this only the existence and the shape of
//! files can be looked at; everything else is told as unsupported, never passed over.

use super::report::{Failure, FailureKind, ScenarioReport};
use super::{PostRunAction, Scenario};
use labtrust_policy::{PolicyStore, schema_complaints};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where these failures are listed.
const PLACE: &str = "__POST_RUN__";
/// The trace of the episode in the work directory.
const TRACE_FILE: &str = "episode_log.jsonl";
/// The report of the scenario, as far as it got, in the work directory.
const REPORT_FILE: &str = "report.json";

/// Everything that went wrong after the script.
pub(super) fn run(scenario: &Scenario, report: &ScenarioReport, policy: &PolicyStore) -> Vec<Failure> {
    if scenario.post_run_hooks.is_empty() && scenario.post_run.is_empty() {
        return Vec::new();
    }
    let directory = tempfile::tempdir().and_then(|directory| {
        std::fs::write(directory.path().join(TRACE_FILE), report.steps())?;
        std::fs::write(directory.path().join(REPORT_FILE), super::report::json("0.1", std::slice::from_ref(report)))?;
        Ok(directory)
    });
    let directory = match directory {
        Ok(directory) => directory,
        Err(error) => return vec![failure(wrong(format!("cannot make a work directory: {error}")))],
    };
    let hooks = scenario.post_run_hooks.iter().map(|hook| unsupported(hook));
    let actions = scenario.post_run.iter().filter_map(|action| act(action, directory.path(), policy).err());
    hooks.chain(actions).map(failure).collect()
}

/// What is wrong, and of what kind it is.
type Problem = (FailureKind, String);

fn failure((kind, message): Problem) -> Failure {
    Failure::outside_the_script(PLACE, kind, message)
}

fn act(action: &PostRunAction, directory: &Path, policy: &PolicyStore) -> Result<(), Problem> {
    let given = |what: &Option<String>, name: &str| {
        let text = what.clone().filter(|text| !text.is_empty());
        text.ok_or_else(|| wrong(format!("{} needs a {name}", action.action)))
    };
    match action.action.as_str() {
        "ASSERT_FILE_EXISTS" => file(directory, &given(&action.path, "path")?).map(drop),
        "ASSERT_SCHEMA_VALID" => {
            let path = given(&action.path, "path")?;
            let schema = given(&action.schema, "schema")?;
            schema_valid(&path, &file(directory, &path)?, &schema, policy)
        }
        other => Err(unsupported(other)),
    }
}

/// A file of the work directory. Joining an absolute path leaves it as it is.
fn file(directory: &Path, path: &str) -> Result<PathBuf, Problem> {
    let file = directory.join(path);
    if file.is_file() { Ok(file) } else { Err(wrong(format!("the file {path} is not there"))) }
}

/// Whether a JSON file has the shape that a schema of the policy asks for: one below `schemas/`, or one named by its path
/// in the policy. What a policy directory lacks, the built-in policy has.
fn schema_valid(path: &str, file: &Path, schema: &str, policy: &PolicyStore) -> Result<(), Problem> {
    let text = std::fs::read_to_string(file).map_err(|error| wrong(format!("cannot read {path}: {error}")))?;
    let value: Value =
        serde_json::from_str(&text).map_err(|error| wrong(format!("the file {path} is not JSON: {error}")))?;
    let builtin = PolicyStore::builtin();
    let below = format!("schemas/{schema}");
    let found = [policy, &builtin].into_iter().find_map(|store| {
        [below.as_str(), schema].into_iter().find(|name| store.contains(name)).map(|name| store.text(name))
    });
    let found = found.ok_or_else(|| wrong(format!("there is no schema {schema} in the policy")))?;
    let complaints = found
        .map_err(|error| error.to_string())
        .and_then(|text| schema_complaints(text, &value).map_err(|problem| format!("the schema {schema}: {problem}")))
        .map_err(wrong)?;
    match complaints.first() {
        None => Ok(()),
        Some(first) => Err(wrong(format!(
            "the file {path} is not what {schema} asks for, in {} places: {first}",
            complaints.len()
        ))),
    }
}

fn unsupported(hook: &str) -> Problem {
    (FailureKind::Unsupported, format!("unsupported hook {hook}"))
}

fn wrong(message: String) -> Problem {
    (FailureKind::PostRun, message)
}

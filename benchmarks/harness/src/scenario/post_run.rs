//! What a scenario wants after its script. Exporters do not exist yet, so of all this only the existence of files can be
//! looked at; everything else is told as unsupported, never passed over.

use super::report::{Failure, FailureKind, ScenarioReport};
use super::{PostRunAction, Scenario};
use std::path::Path;

/// Where these failures are listed.
const PLACE: &str = "__POST_RUN__";
/// The trace of the episode in the work directory.
const TRACE_FILE: &str = "episode_log.jsonl";

/// Everything that went wrong after the script.
pub(super) fn run(scenario: &Scenario, report: &ScenarioReport) -> Vec<Failure> {
    if scenario.post_run_hooks.is_empty() && scenario.post_run.is_empty() {
        return Vec::new();
    }
    let directory = tempfile::tempdir().and_then(|directory| {
        std::fs::write(directory.path().join(TRACE_FILE), report.trace())?;
        Ok(directory)
    });
    let directory = match directory {
        Ok(directory) => directory,
        Err(error) => return vec![wrong(format!("cannot make a work directory: {error}"))],
    };
    let hooks = scenario.post_run_hooks.iter().map(|hook| unsupported(hook));
    let actions = scenario.post_run.iter().filter_map(|action| act(action, directory.path()));
    hooks.chain(actions).collect()
}

fn act(action: &PostRunAction, directory: &Path) -> Option<Failure> {
    if action.action != "ASSERT_FILE_EXISTS" {
        return Some(unsupported(&action.action));
    }
    let Some(path) = action.path.as_deref().filter(|path| !path.is_empty()) else {
        return Some(wrong("ASSERT_FILE_EXISTS needs a path".to_owned()));
    };
    // Joining an absolute path leaves it as it is.
    (!directory.join(path).is_file()).then(|| wrong(format!("the file {path} is not there")))
}

fn unsupported(hook: &str) -> Failure {
    Failure::outside_the_script(PLACE, FailureKind::Unsupported, format!("unsupported hook {hook}"))
}

fn wrong(message: String) -> Failure {
    Failure::outside_the_script(PLACE, FailureKind::PostRun, message)
}

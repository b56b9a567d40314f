//! What a scenario wants after its script: exports, their verification, and that files are there and have a shape. What
//! nobody knows is told as unsupported, never passed over.
//!
//! Scenarios export in the form of the reference, from a log in its form: what a scenario plays does not depend on which
//! engine plays it.

use super::report::{Failure, FailureKind, ScenarioReport};
use super::{PostRunAction, Scenario};
use labtrust_evidence::disk::{RealDisk, write_file};
use labtrust_evidence::export::Export;
use labtrust_evidence::receipts::Rules;
use labtrust_evidence::verify::Verify;
use labtrust_evidence::{fhir, strict};
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
    let mut work = Work { directory: directory.path(), report, policy, bundle: None };
    let mut problems: Vec<Problem> = Vec::new();
    for hook in &scenario.post_run_hooks {
        let done = match hook.as_str() {
            "EXPORT_RECEIPTS" => work.export_receipts("receipts"),
            "VERIFY_BUNDLE" => work.verify_bundle(),
            "EXPORT_FHIR" => work.export_fhir("fhir", "fhir_bundle.json"),
            other => Err(unsupported(other)),
        };
        problems.extend(done.err());
    }
    problems.extend(scenario.post_run.iter().filter_map(|action| work.act(action).err()));
    problems.into_iter().map(failure).collect()
}

/// The work directory of a scenario, and what was made in it.
struct Work<'a> {
    directory: &'a Path,
    report: &'a ScenarioReport,
    policy: &'a PolicyStore,
    bundle: Option<PathBuf>,
}

impl Work<'_> {
    fn export_receipts(&mut self, out: &str) -> Result<(), Problem> {
        let log = self.directory.join("export_log.jsonl");
        std::fs::write(&log, published_log(self.report))
            .map_err(|error| wrong(format!("cannot write a log: {error}")))?;
        let out = self.directory.join(out);
        let export =
            Export { log: &log, out: &out, rules: Rules::Reference, policy: None, partner: None, signer: None };
        let made = export.run(&RealDisk).map_err(|error| wrong(format!("the export: {error}")))?;
        self.bundle = Some(made.bundle);
        Ok(())
    }

    fn bundle(&self) -> Result<&Path, Problem> {
        self.bundle.as_deref().ok_or_else(|| wrong("there is no bundle: EXPORT_RECEIPTS comes first".to_owned()))
    }

    fn verify_bundle(&self) -> Result<(), Problem> {
        let options = Verify { policy: Some(self.policy), policy_place: "policy", ..Verify::default() };
        let report = options.run(self.bundle()?);
        match report.errors.first() {
            None => Ok(()),
            Some(first) => Err(wrong(format!("the bundle does not hold, in {} places: {first}", report.errors.len()))),
        }
    }

    fn export_fhir(&self, out: &str, name: &str) -> Result<(), Problem> {
        let bundle = fhir::export(self.bundle()?).map_err(|error| wrong(format!("the FHIR export: {error}")))?;
        let path = self.directory.join(out).join(name);
        write_file(&RealDisk, &path, &strict::line(&bundle)).map_err(|error| wrong(error.to_string()))
    }
}

/// The episode as the reference logs it: without events, and with the chain's values as the engine gave them.
fn published_log(report: &ScenarioReport) -> Vec<u8> {
    let mut log = Vec::new();
    for step in &report.step_reports {
        let event = |key: &str| step.raw_event.get(key).cloned().unwrap_or_default();
        let mut line = serde_json::to_value(&step.raw_engine_result).unwrap_or_default();
        for key in ["t_s", "agent_id", "action_type", "args"] {
            line[key] = event(key);
        }
        let head = line["hashchain"]["head_hash"].clone();
        line["hashchain_head"] = head;
        log.extend(strict::line(&line));
    }
    log
}

/// What is wrong, and of what kind it is.
type Problem = (FailureKind, String);

fn failure((kind, message): Problem) -> Failure {
    Failure::outside_the_script(PLACE, kind, message)
}

impl Work<'_> {
    fn act(&mut self, action: &PostRunAction) -> Result<(), Problem> {
        let given = |what: &Option<String>, name: &str| {
            let text = what.clone().filter(|text| !text.is_empty());
            text.ok_or_else(|| wrong(format!("{} needs a {name}", action.action)))
        };
        match action.action.as_str() {
            "EXPORT_RECEIPTS" => self.export_receipts(&given(&action.out_dir, "out_dir")?),
            "EXPORT_FHIR" => {
                let name = action.out_filename.as_deref().unwrap_or("fhir_bundle.json");
                self.export_fhir(&given(&action.out_dir, "out_dir")?, name)
            }
            "ASSERT_FILE_EXISTS" => file(self.directory, &given(&action.path, "path")?).map(drop),
            "ASSERT_SCHEMA_VALID" => {
                let path = given(&action.path, "path")?;
                let schema = given(&action.schema, "schema")?;
                schema_valid(&path, &file(self.directory, &path)?, &schema, self.policy)
            }
            other => Err(unsupported(other)),
        }
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

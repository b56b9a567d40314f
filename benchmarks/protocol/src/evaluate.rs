//! The evaluation of a submission: are the parts there, do they say what they must, and is what they say possible?
//!
//! Two kinds of checks, counted apart. The *automated checks* are the protocol's, by name, order and number, so that the
//! counts of published runs compare. The *physical checks* ([`crate::physical`]) read the whole event log and recompute
//! what can be recomputed; they never enter the protocol's count.

mod checks;
pub mod outputs;

use crate::benchmark::{Benchmark, Constraints, first_line};
use crate::error::{ProtocolError, read_text};
use crate::measure::count::{self, FileCounts, LineCounts};
use crate::physical::{self, PhysicalChecks, Sites};
use crate::submission::{Intervention, SubmissionName};
use crate::tokens::TokenUsage;
use outputs::Outputs;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files that a submission must have.
pub const REQUIRED_FILES: [&str; 5] =
    ["conceptual_model.md", "README.md", "results.csv", "summary.json", "event_log.csv"];
/// The scenarios that it must cover.
pub const REQUIRED_SCENARIOS: [&str; 6] =
    ["baseline", "trucks_4", "trucks_12", "ramp_upgrade", "crusher_slowdown", "ramp_closed"];

/// What the evaluator looks for; a benchmark's `scoring_rules.yaml` says it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Rules {
    /// The benchmark.
    pub benchmark_id: String,
    /// Scenarios that must be in the summary.
    pub required_scenarios: Vec<String>,
    /// Files that must be there.
    pub required_output_files: Vec<String>,
    /// Columns of `results.csv`.
    pub required_results_columns: Vec<String>,
    /// Columns of `event_log.csv`.
    pub required_event_log_columns: Vec<String>,
    /// Replications that a result stands on [count].
    #[serde(default = "thirty")]
    pub minimum_replications: u64,
}

fn thirty() -> u64 {
    30
}

impl Default for Rules {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            benchmark_id: crate::benchmark::BUILT_IN[0].to_owned(),
            required_scenarios: owned(&REQUIRED_SCENARIOS),
            required_output_files: owned(&REQUIRED_FILES),
            required_results_columns: owned(&[
                "scenario_id",
                "replication",
                "random_seed",
                "total_tonnes_delivered",
                "tonnes_per_hour",
            ]),
            required_event_log_columns: owned(&["time_min", "replication", "scenario_id", "truck_id", "event_type"]),
            minimum_replications: thirty(),
        }
    }
}

/// What a submission is held against.
#[derive(Debug)]
pub struct Yardstick {
    rules: Rules,
    constraints: Option<Constraints>,
    sites: Result<Sites, String>,
}

impl Yardstick {
    /// That of the benchmark in this program.
    ///
    /// # Errors
    /// [`ProtocolError::Content`] when the program's own benchmark is damaged.
    pub fn built_in() -> Result<Self, ProtocolError> {
        let benchmark = Benchmark::built_in(crate::benchmark::BUILT_IN[0])?;
        let constraints = Some(benchmark.constraints()?);
        Ok(Self { rules: Rules::default(), constraints, sites: Sites::built_in() })
    }

    /// That of a benchmark's folder: its `scoring_rules.yaml`, `constraints.yaml` and data. Rules that are not there are the
    /// protocol's; without data nothing can be replayed, and the physical checks say so.
    ///
    /// # Errors
    /// [`ProtocolError::Input`] when there is no such folder; [`ProtocolError::Content`] when rules or conditions are wrong.
    pub fn open(dir: &Path) -> Result<Self, ProtocolError> {
        if !dir.is_dir() {
            let problem = format!("there is no directory {}", dir.display());
            return Err(ProtocolError::input(problem, "name the folder of a benchmark, or leave out --benchmark-dir"));
        }
        fn part<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, ProtocolError> {
            if !path.exists() {
                return Ok(None);
            }
            serde_yaml::from_str(&read_text(path)?)
                .map(Some)
                .map_err(|error| ProtocolError::content(path, first_line(&error.to_string()), ""))
        }
        let rules: Option<Rules> = part(&dir.join("scoring_rules.yaml"))?;
        let constraints = part(&dir.join("constraints.yaml"))?;
        let data = crate::benchmark::data_dir(dir);
        Ok(Self { rules: rules.unwrap_or_default(), constraints, sites: Sites::load(&data) })
    }
}

/// Where the parts of a submission are.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Its folder.
    pub submission_dir: PathBuf,
    /// Where its outputs are.
    pub outputs_dir: PathBuf,
    /// `run_metrics.json`.
    pub run_metrics: PathBuf,
    /// `token_usage.json`.
    pub token_usage: PathBuf,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Whether it holds.
    pub passed: bool,
    /// What is checked, and what was found where it does not hold.
    pub description: String,
}

/// The protocol's checks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AutomatedChecks {
    /// Those that hold [count].
    pub passed: usize,
    /// All of them [count].
    pub total: usize,
    /// The part that holds, 0 to 1.
    pub pass_rate: f64,
    /// In the protocol's order.
    pub checks: Vec<Check>,
}

/// Figures about the run that are not judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuantitativeMetrics {
    /// Lines of code of the submission.
    pub loc: LineCounts,
    /// Files of the submission.
    pub files: FileCounts,
    /// How long the run took [s].
    pub runtime_seconds: Option<f64>,
    /// What it ended with.
    pub return_code: Option<i64>,
    /// Whether it was ended because its time was up.
    pub timed_out: Option<bool>,
    /// `token_usage.json`, where it is valid.
    pub token_usage: Option<TokenUsage>,
}

/// An evaluation report, as it is written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The benchmark.
    pub benchmark_id: String,
    /// The submission's folder, as it was named.
    pub submission_dir: String,
    /// Where its outputs are, as it was named.
    pub outputs_dir: String,
    /// The protocol's checks.
    pub automated_checks: AutomatedChecks,
    /// Whether what the outputs say is possible; not part of the protocol's count.
    pub physical_checks: PhysicalChecks,
    /// Means of total tonnes in a shift, by scenario [t].
    pub scenario_total_tonnes_means: BTreeMap<String, f64>,
    /// Figures that are not judged.
    pub quantitative_metrics: QuantitativeMetrics,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl Report {
    /// Whether every check of the protocol holds.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.automated_checks.passed == self.automated_checks.total
    }

    /// The report's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// Evaluates a submission.
///
/// # Errors
/// [`ProtocolError::Input`] when the submission's folder or its outputs' is not there, [`ProtocolError::Read`] when files
/// below it cannot be read. What is missing *in* it is a check that does not hold, not an error.
pub fn evaluate(yardstick: &Yardstick, submission: &Submission) -> Result<Report, ProtocolError> {
    for (what, dir) in [("submission", &submission.submission_dir), ("outputs", &submission.outputs_dir)] {
        if !dir.is_dir() {
            let problem = format!("there is no directory {}", dir.display());
            return Err(ProtocolError::input(problem, &format!("name the directory of the {what}")));
        }
    }
    let rules = &yardstick.rules;
    let outputs = Outputs::read(&submission.outputs_dir);
    let means = outputs.total_tonnes_means();
    let checks = checks::run(rules, &submission.outputs_dir, &outputs, &means);
    let passed = checks.iter().filter(|check| check.passed).count();
    let total = checks.len();
    #[expect(clippy::cast_precision_loss, reason = "some dozens")]
    let pass_rate = if total == 0 { 0.0 } else { passed as f64 / total as f64 };
    let physical_checks =
        physical::run(&yardstick.sites, rules, &outputs, &submission.outputs_dir.join("event_log.csv"));
    let mut notes = Vec::new();
    let quantitative_metrics = quantities(submission, yardstick.constraints.as_ref(), &mut notes)?;
    about_the_folder(submission, rules, &mut notes);
    Ok(Report {
        benchmark_id: rules.benchmark_id.clone(),
        submission_dir: submission.submission_dir.display().to_string(),
        outputs_dir: submission.outputs_dir.display().to_string(),
        automated_checks: AutomatedChecks { passed, total, pass_rate, checks },
        physical_checks,
        scenario_total_tonnes_means: means,
        quantitative_metrics,
        notes,
    })
}

fn quantities(
    submission: &Submission,
    constraints: Option<&Constraints>,
    notes: &mut Vec<String>,
) -> Result<QuantitativeMetrics, ProtocolError> {
    let (loc, files) = count::count(&submission.submission_dir)?;
    let metrics = match read_text(&submission.run_metrics) {
        Ok(text) => serde_json::from_str(&text).unwrap_or_else(|error| {
            notes.push(format!("run_metrics.json cannot be read: {error}"));
            Value::Null
        }),
        Err(error) => {
            notes.push(format!("run_metrics.json is required by the protocol: {error}"));
            Value::Null
        }
    };
    let runtime_seconds = metrics["runtime_seconds"].as_f64();
    if metrics.is_object() && runtime_seconds.is_none() {
        match metrics["note"].as_str() {
            Some(note) => notes.push(format!("the runtime is not known: {note}")),
            None => notes.push("the runtime is not known, and run_metrics.json has no note that says why".to_owned()),
        }
    }
    let limit = constraints.map(|constraints| constraints.max_wall_clock_minutes * 60.0);
    if let (Some(runtime), Some(limit)) = (runtime_seconds, limit)
        && runtime > limit
    {
        notes.push(format!("the run took {runtime} s, the benchmark's conditions allow {limit} s"));
    }
    if let (Some(timeout), Some(limit)) = (metrics["timeout_seconds"].as_f64(), limit)
        && libm::fabs(timeout - limit) > 1e-9
    {
        notes.push(format!("the run was measured with a time limit of {timeout} s, not the benchmark's {limit} s"));
    }
    let token_usage = match TokenUsage::read(&submission.token_usage) {
        Ok(usage) => Some(usage),
        Err(error) => {
            notes.push(format!("token_usage.json is required by the protocol: {error}"));
            None
        }
    };
    Ok(QuantitativeMetrics {
        loc,
        files,
        runtime_seconds,
        return_code: metrics["return_code"].as_i64(),
        timed_out: metrics["timed_out"].as_bool(),
        token_usage,
    })
}

fn about_the_folder(submission: &Submission, rules: &Rules, notes: &mut Vec<String>) {
    let dir = &submission.submission_dir;
    let name = std::path::absolute(dir).ok().and_then(|dir| Some(dir.file_name()?.to_string_lossy().into_owned()));
    match name.unwrap_or_default().parse::<SubmissionName>() {
        Ok(name) if name.benchmark_id != rules.benchmark_id => {
            notes.push(format!(
                "the folder's name says benchmark {}, this is {}",
                name.benchmark_id, rules.benchmark_id
            ));
        }
        Ok(_) => {}
        Err(problem) => notes.push(format!("the folder's name is not the protocol's: {problem}")),
    }
    if let Some(problem) = Intervention::read(dir).problem {
        notes.push(format!("the intervention counts as unrecorded: {problem}"));
    }
}

//! All cells of a pack.

use super::cell::{self, Course, Played, class_of, phase_of};
use super::config::Config;
use super::gate::{Gate, GateSummary, Row, Ruling, Verdict};
use super::ground::Ground;
use super::matrix::{Asked, CellId, Matrix, NONE};
use super::{outputs, validity};
use crate::AssuranceError;
use labtrust_bench::isolation::guarded;
use labtrust_bench::seeds::first_of_scale;
use labtrust_bench::{BenchError, CleanCourses};
use labtrust_contract::ResultsFile;
use labtrust_plugin::Registry;
use labtrust_plugin::lab::LoadedLab;
use labtrust_policy::PolicyStore;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The method that every cell is run with where all agents propose for themselves.
pub const MULTI_AGENTIC_METHOD: &str = "panel_agents";

/// A pack to run.
pub struct Request<'a> {
    /// Methods and injections.
    pub registry: &'a Registry,
    /// The policy with its overlays.
    pub policy: &'a PolicyStore,
    /// The laboratory, loaded from `policy`.
    pub lab: Arc<dyn LoadedLab>,
    /// Which cells.
    pub asked: Asked,
    /// Everything is drawn from it.
    pub seed: u64,
    /// Episodes of a cell instead of the policy's numbers [count].
    pub episodes_per_cell: Option<u64>,
    /// Threads [count]; as many as the machine has when absent. The files do not depend on it.
    pub threads: Option<usize>,
    /// Whether what is not shown is as bad as what is wrong.
    pub strict: bool,
    /// Whether every cell is run with [`MULTI_AGENTIC_METHOD`] in the place of its method.
    pub multi_agentic: bool,
    /// Where the files go; nowhere when absent.
    pub out: Option<&'a Path>,
    /// Whether the logs of cells are kept beside their results.
    pub logs: bool,
    /// Commit of the program, where known.
    pub git_sha: Option<String>,
    /// Is told of every cell when it is done, from any thread.
    pub progress: &'a (dyn Fn(CellId<'_>, Verdict) + Sync),
}

/// A cell that was judged.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Size.
    pub scale_id: String,
    /// Method.
    pub method_id: String,
    /// Injection.
    pub injection_id: String,
    /// Its figures.
    pub row: Row,
    /// What came of it.
    pub ruling: Ruling,
    /// Results, where there are any.
    pub results: Option<ResultsFile>,
    /// Names and SHA-256 of its logs, where they are kept.
    pub logs: Vec<(String, String)>,
    /// How long it took; not part of what can be reproduced.
    pub took: Duration,
}

/// A pack that was run.
#[derive(Debug)]
pub struct PackOutcome {
    /// The matrix.
    pub matrix: Matrix,
    /// Its cells, in the order of rows.
    pub cells: Vec<Cell>,
    /// The gate over all cells.
    pub gate: GateSummary,
}

impl PackOutcome {
    /// The verdict of a cell.
    #[must_use]
    pub fn verdict(&self, scale: &str, method: &str, injection: &str) -> Option<&Ruling> {
        let is = |cell: &&Cell| cell.scale_id == scale && cell.method_id == method && cell.injection_id == injection;
        self.cells.iter().find(is).map(|cell| &cell.ruling)
    }
}

/// A size and a method: what its cells share.
struct Pair<'a> {
    scale: &'a str,
    method: &'a str,
    /// What is really run, or why nothing is.
    runs: Result<&'a str, String>,
    clean: CleanCourses,
    baseline: Result<Played, String>,
    took: Duration,
}

/// Runs a pack and, where a directory is named, writes its files.
///
/// A cell that cannot be run is a row of nulls with the verdict FAIL or `not_run`; the others go on.
///
/// # Errors
/// As [`Matrix::resolve`]; [`AssuranceError::Policy`] for policy files; [`AssuranceError::Bench`] for files that cannot be
/// written, and for a size that there is not.
pub fn run(request: &Request<'_>) -> Result<PackOutcome, AssuranceError> {
    let config = Config::load(request.policy)?;
    let gate = Gate::load(request.policy)?;
    let matrix = Matrix::resolve(&config, request.registry, &request.asked)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(request.threads.unwrap_or(0)).build();
    let pool = pool
        .map_err(|error| BenchError::Threads { threads: request.threads.unwrap_or(0), message: error.to_string() })?;
    let outcome = pool.install(|| run_all(request, &config, &gate, matrix))?;
    if let Some(out) = request.out {
        outputs::write(out, &outcome, request)?;
    }
    Ok(outcome)
}

fn run_all(request: &Request<'_>, config: &Config, gate: &Gate, matrix: Matrix) -> Result<PackOutcome, AssuranceError> {
    let ground = Ground::load(request.registry, request.policy, Arc::clone(&request.lab), request.git_sha.clone())?;
    for scale in &matrix.scales {
        ground.check_scale(scale)?;
    }
    let phases = matrix.injections.iter().map(|id| Ok((id.as_str(), phase_of(request.policy, id)?)));
    let phases: BTreeMap<&str, &str> = phases.collect::<Result<_, AssuranceError>>()?;
    let evidence_of = |scale: &str| {
        let mut evidence = config.evidence(scale, matrix.preset.as_deref());
        if let Some(episodes) = request.episodes_per_cell {
            (evidence.episodes, evidence.episodes_by_cost) = (episodes, episodes);
        }
        evidence
    };
    let pairs: Vec<(&str, &str)> = matrix
        .scales
        .iter()
        .flat_map(|scale| matrix.methods.iter().map(move |method| (scale.as_str(), method.as_str())))
        .collect();
    let pairs: Vec<Pair<'_>> = pairs
        .into_par_iter()
        .map(|(scale, method)| {
            let begun = Instant::now();
            let id = CellId { scale, method, injection: NONE };
            let runs = if request.multi_agentic { MULTI_AGENTIC_METHOD } else { method };
            let runs = ground.not_run(runs).map_or(Ok(runs), Err);
            let evidence = evidence_of(scale);
            let episodes = evidence.episodes.max(evidence.episodes_by_cost);
            // Where the matrix has no baseline it is played for the others, and has no folder.
            let listed = matrix.injections.iter().any(|injection| injection == NONE);
            let folder = if listed { request.folder(id)? } else { None };
            let course = Course { seed: first_of_scale(request.seed, scale), clean: None, folder: folder.as_deref() };
            let baseline = match runs {
                Err(_) => Err(String::new()),
                Ok(method) => tried(|| ground.baseline(CellId { method, ..id }, course, episodes))?,
            };
            Ok(Pair { scale, method, runs, clean: CleanCourses::default(), baseline, took: begun.elapsed() })
        })
        .collect::<Result<_, AssuranceError>>()?;

    let pair_of = |cell: CellId<'_>| pairs.iter().find(|pair| (pair.scale, pair.method) == (cell.scale, cell.method));
    let asked: Vec<CellId<'_>> = matrix.cells().collect();
    let cells: Vec<Cell> = asked
        .into_par_iter()
        .filter_map(|id| {
            let pair = pair_of(id)?;
            let phase = phases.get(id.injection).copied().unwrap_or("full");
            let begun = Instant::now();
            let judge = Judge { request, gate, ground: &ground, pair, phase };
            let judged = judge.cell(id, &evidence_of(id.scale)).map(|mut cell| {
                cell.took = if id.injection == NONE { pair.took } else { begun.elapsed() };
                (request.progress)(id, cell.ruling.verdict);
                cell
            });
            Some(judged)
        })
        .collect::<Result<_, AssuranceError>>()?;
    let summary = GateSummary::of(
        cells
            .iter()
            .map(|cell| (cell.scale_id.as_str(), cell.method_id.as_str(), cell.injection_id.as_str(), &cell.ruling)),
    );
    Ok(PackOutcome { cells, gate: summary, matrix })
}

/// What came of playing a cell, or in words why nothing did. That a file cannot be written is no fault of the cell: it ends the pack.
fn tried<T>(play: impl FnOnce() -> Result<T, AssuranceError>) -> Result<Result<T, String>, AssuranceError> {
    let mut disk = None;
    let tried = guarded(|| match play() {
        Err(error @ AssuranceError::Bench(BenchError::Write { .. })) => {
            let words = error.to_string();
            disk = Some(error);
            Err(words)
        }
        other => other.map_err(|error| error.to_string()),
    });
    disk.map_or(Ok(tried), Err)
}

impl Request<'_> {
    /// The folder for the logs of a cell, where they are kept; it is there then.
    fn folder(&self, cell: CellId<'_>) -> Result<Option<PathBuf>, AssuranceError> {
        let Some(out) = self.out.filter(|_| self.logs) else { return Ok(None) };
        let folder = outputs::folder(out, cell);
        outputs::directory(&folder)?;
        Ok(Some(folder))
    }
}

/// Runs and judges cells of one size and method.
struct Judge<'a> {
    request: &'a Request<'a>,
    gate: &'a Gate,
    ground: &'a Ground<'a>,
    pair: &'a Pair<'a>,
    phase: &'a str,
}

impl Judge<'_> {
    fn cell(&self, id: CellId<'_>, evidence: &super::config::Evidence) -> Result<Cell, AssuranceError> {
        let nothing = |ruling: Ruling| Ok(self.made(id, cell::empty_row(id, self.phase), ruling, None));
        let runs = match &self.pair.runs {
            Ok(method) => *method,
            Err(why) => return nothing(Ruling::new(Verdict::NotRun, why.clone())),
        };
        let crashed = |why: &str| Ruling::new(Verdict::Fail, format!("(crashed) {why}"));
        let baseline = match &self.pair.baseline {
            Ok(baseline) => baseline,
            Err(why) => return nothing(crashed(&format!("the baseline: {why}"))),
        };
        // What was run and what the row is about differ where all agents propose for themselves.
        let ran = CellId { method: runs, ..id };
        let baseline_row = cell::row(CellId { injection: NONE, ..id }, "full", &baseline.results, None);
        if id.injection == NONE {
            let objections = validity::of_results(&baseline.results, ran);
            let ruling = Ruling::new(Verdict::Pass, "baseline (no injection)");
            let ruling = validity::weigh(ruling, &objections, false);
            return Ok(self.made(id, baseline_row, ruling, Some(baseline.clone())));
        }
        let folder = self.request.folder(id)?;
        let course = Course {
            seed: first_of_scale(self.request.seed, id.scale),
            clean: Some(&self.pair.clean),
            folder: folder.as_deref(),
        };
        match tried(|| self.ground.attacked(ran, course, evidence))? {
            Err(why) => nothing(crashed(&why)),
            Ok(played) => {
                let row = cell::row(id, self.phase, &played.results, played.potency);
                let ruling = self.judge(ran, &row, &baseline_row, &played.results, &baseline.results, evidence);
                Ok(self.made(id, row, ruling, Some(played)))
            }
        }
    }

    fn judge(
        &self,
        ran: CellId<'_>,
        row: &Row,
        baseline_row: &Row,
        results: &ResultsFile,
        baseline: &ResultsFile,
        evidence: &super::config::Evidence,
    ) -> Ruling {
        let wrong = validity::of_results(results, ran);
        if !wrong.is_empty() {
            return validity::weigh(Ruling::new(Verdict::Skip, ""), &wrong, self.request.strict);
        }
        let Some(class) = class_of(ran.injection) else {
            return Ruling::new(Verdict::Skip, "(not_applicable) nothing is known about this injection");
        };
        #[expect(clippy::cast_precision_loss, reason = "counts of a pack are far below 2^53")]
        let nominal = cell::violations(baseline, results.episodes.len()) as f64;
        let ruling = self.gate.judge(ran.injection, class, row, nominal);
        validity::weigh(ruling, &validity::of_row(row, Some(baseline_row), class, evidence), self.request.strict)
    }

    fn made(&self, id: CellId<'_>, row: Row, ruling: Ruling, played: Option<Played>) -> Cell {
        let (results, logs) = played.map_or((None, Vec::new()), |played| (Some(played.results), played.logs));
        Cell {
            scale_id: id.scale.to_owned(),
            method_id: id.method.to_owned(),
            injection_id: id.injection.to_owned(),
            row,
            ruling,
            results,
            logs,
            took: Duration::ZERO,
        }
    }
}

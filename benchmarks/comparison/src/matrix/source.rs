//! The rows of a run, and how it was made: from its tables and its results files.

use super::policy::Rules;
use crate::cells::cells;
use crate::episodes::{CellKey, NONE, episode_rows};
use crate::study::{SUMMARY, summary_rows};
use crate::table::{self, Row, named};
use crate::{ComparisonError, EpisodeRow};
use labtrust_bench::BenchError;
use labtrust_evidence::digest::sha256;
use labtrust_policy::PolicyStore;
use labtrust_redteam::scoring::Scoring;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The table of a study.
const STUDY: &str = "summary_coord.csv";
/// The table of a pack.
const PACK: &str = "pack_summary.csv";
/// Where cells lie: of a study, of a pack.
const CELLS: [&str; 2] = ["cells", "pack_results"];

/// How a run was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMeta {
    /// What decided: `deterministic`, `llm_offline` or `llm_live`.
    pub pipeline_mode: String,
    /// Whether it might use the network.
    pub allow_network: bool,
    /// What served the models; `none` where there were none.
    pub llm_backend_id: String,
    /// The model.
    pub llm_model_id: Option<String>,
    /// The partner's overlay.
    pub partner_id: Option<String>,
}

impl RunMeta {
    /// As the document has it.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "pipeline_mode": self.pipeline_mode,
            "allow_network": self.allow_network,
            "llm_backend_id": self.llm_backend_id,
            "llm_model_id": self.llm_model_id,
            "partner_id": self.partner_id,
        })
    }

    fn of(document: &Value) -> Option<Self> {
        let text = |key: &str| document.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            pipeline_mode: text("pipeline_mode")?,
            allow_network: document.get("allow_network").and_then(Value::as_bool).unwrap_or(false),
            llm_backend_id: text("llm_backend_id").unwrap_or_else(|| "none".to_owned()),
            llm_model_id: text("llm_model_id"),
            partner_id: text("partner_id"),
        })
    }
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Input {
    /// What it was read for.
    pub role: &'static str,
    /// Where it lies in the run.
    pub path: String,
    /// Its SHA-256.
    pub sha256: String,
}

/// What a run holds.
#[derive(Clone, Debug)]
pub struct Source {
    /// Rows without an injection.
    pub clean: Vec<Row>,
    /// Rows with one.
    pub attacked: Vec<Row>,
    /// How it was made.
    pub meta: RunMeta,
    /// What was read.
    pub inputs: Vec<Input>,
}

fn invalid(path: &Path, place: impl Into<String>, problem: impl Into<String>) -> ComparisonError {
    ComparisonError::invalid(path.display().to_string(), place, problem)
}

fn read(path: &Path) -> Result<Vec<u8>, ComparisonError> {
    std::fs::read(path).map_err(|source| ComparisonError::Read { path: path.to_path_buf(), source })
}

fn json_of(path: &Path, bytes: &[u8]) -> Result<Value, ComparisonError> {
    serde_json::from_slice(bytes).map_err(|error| invalid(path, "the file", format!("it is not JSON: {error}")))
}

/// The results files of the cells of a run, in the order of their names.
fn results_files(run: &Path) -> Result<Vec<PathBuf>, ComparisonError> {
    let mut all = Vec::new();
    for at in CELLS.map(|name| run.join(name)).into_iter().filter(|at| at.is_dir()) {
        let unreadable = |source| BenchError::Read { path: at.clone(), source };
        for entry in std::fs::read_dir(&at).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path().join("results.json");
            if path.is_file() {
                all.push(path);
            }
        }
    }
    all.sort();
    Ok(all)
}

/// Reads a run: its tables, and of a pack the episodes, whose table has no rates.
///
/// Without `strict`, a run that does not say how it was made counts as deterministic.
///
/// # Errors
/// [`ComparisonError::Invalid`] for a run without a table, with cells that were made in different ways, with a cell that is there twice or
/// without a cell that is needed; [`ComparisonError::Read`], [`ComparisonError::Bench`], [`ComparisonError::Policy`].
pub fn source(run: &Path, rules: &Rules, policy: &PolicyStore, strict: bool) -> Result<Source, ComparisonError> {
    let mut inputs = Vec::new();
    let mut note = |role: &'static str, path: &Path, bytes: &[u8]| {
        let path = path.strip_prefix(run).unwrap_or(path).to_string_lossy().replace('\\', "/");
        inputs.push(Input { role, path, sha256: sha256(bytes) });
    };
    let mut tables: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    let mut paths: BTreeMap<&str, PathBuf> = BTreeMap::new();
    for (name, path) in [(STUDY, SUMMARY), (STUDY, STUDY), (PACK, PACK), (PACK, "summary/pack_summary.csv")] {
        let path = run.join(path);
        if path.is_file() && !tables.contains_key(name) {
            tables.insert(name, table::rows(&path)?.1);
            paths.insert(name, path);
        }
    }
    let mut metas = Vec::new();
    let mut episodes = Vec::new();
    for path in results_files(run)? {
        let bytes = read(&path)?;
        let document = json_of(&path, &bytes)?;
        note("run_provenance", &path, &bytes);
        let meta = RunMeta::of(&document);
        metas.push((path.clone(), meta.ok_or_else(|| invalid(&path, "pipeline_mode", "it does not say its mode"))?));
        if tables.contains_key(PACK) && !tables.contains_key(STUDY) {
            episodes.extend(episode_rows(&key_of(&path, &document)?, &document)?);
        }
    }
    if !episodes.is_empty() {
        tables.insert(PACK, rows_of(&episodes, policy)?);
    }
    let side = |names: &[String], is_clean: bool| -> Option<(PathBuf, Vec<Row>)> {
        let wanted = |row: &Row| matches!(named(row, "injection_id"), "" | NONE) == is_clean;
        names.iter().find_map(|name| {
            let rows: Vec<Row> = tables.get(name.as_str())?.iter().filter(|row| wanted(row)).cloned().collect();
            (!rows.is_empty()).then(|| (paths[name.as_str()].clone(), rows))
        })
    };
    let lacks = |what: &str| {
        let problem = format!("there is no {what}: neither {SUMMARY} nor {PACK} has a row of it");
        invalid(run, "the directory of a study or of a pack", problem)
    };
    let (clean_path, clean) =
        side(&rules.sources.clean, true).ok_or_else(|| lacks("undisturbed work (injection `none`)"))?;
    let (attacked_path, attacked) = side(&rules.sources.attacked, false).ok_or_else(|| lacks("work under attack"))?;
    for (role, path) in [("clean_summary", &clean_path), ("attacked_summary", &attacked_path)] {
        let bytes = read(path)?;
        note(role, path, &bytes);
    }
    unique(&clean_path, &clean)?;
    unique(&attacked_path, &attacked)?;
    inputs.sort();
    Ok(Source { clean, attacked, meta: meta(run, &metas, strict)?, inputs })
}

fn key_of(path: &Path, document: &Value) -> Result<CellKey, ComparisonError> {
    let text = |block: &str, key: &str| {
        let found = document.get(block).and_then(|block| block.get(key)).and_then(Value::as_str);
        found.map(str::to_owned).ok_or_else(|| invalid(path, format!("{block}.{key}"), "the results say no cell"))
    };
    Ok(CellKey {
        scale_id: text("coordination", "scale_id")?,
        method_id: text("coordination", "method_id")?,
        injection_id: text("security", "injection_id")?,
    })
}

/// The rows of a pack from its episodes: the table of a pack counts, and does not say of how many.
fn rows_of(episodes: &[EpisodeRow], policy: &PolicyStore) -> Result<Vec<Row>, ComparisonError> {
    let scoring = Scoring::load(policy)?;
    Ok(summary_rows(&cells(episodes, &scoring)?, &BTreeMap::new(), &scoring, 0))
}

fn unique(path: &Path, rows: &[Row]) -> Result<(), ComparisonError> {
    let mut seen = BTreeSet::new();
    for row in rows {
        let ids = ["scale_id", "method_id", "injection_id"].map(|column| named(row, column));
        if ids[0].is_empty() || ids[1].is_empty() {
            return Err(invalid(path, "scale_id, method_id", "a row has none"));
        }
        if !seen.insert(ids) {
            return Err(invalid(path, ids.join(" / "), "the cell has two rows; a table has one for each cell"));
        }
    }
    Ok(())
}

/// How a run was made: what its cells say, else a file of its own.
fn meta(run: &Path, cells: &[(PathBuf, RunMeta)], strict: bool) -> Result<RunMeta, ComparisonError> {
    if let Some((_, first)) = cells.first() {
        return match cells.iter().find(|(_, meta)| meta != first) {
            None => Ok(first.clone()),
            Some((path, meta)) => Err(invalid(
                path,
                "pipeline_mode, llm_backend_id, llm_model_id, partner_id",
                format!("its cell was made otherwise ({}) than others ({})", meta.json(), first.json()),
            )),
        };
    }
    for name in ["metadata.json", "index.json", "results.json"] {
        for path in [run.join(name), run.join("summary").join(name)].into_iter().filter(|path| path.is_file()) {
            if let Some(found) = RunMeta::of(&json_of(&path, &read(&path)?)?) {
                return Ok(found);
            }
        }
    }
    if strict {
        let problem =
            "no results file and no metadata.json says how the run was made; `--no-strict` takes it for deterministic";
        return Err(invalid(run, "pipeline_mode", problem));
    }
    let unknown = json!({ "pipeline_mode": "deterministic" });
    RunMeta::of(&unknown).ok_or_else(|| invalid(run, "pipeline_mode", "it is not known"))
}

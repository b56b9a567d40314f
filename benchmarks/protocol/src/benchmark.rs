//! A benchmark: its files, and which of them an agent may see.
//!
//! What an agent sees is a list (`task` in `benchmark.yaml`), not everything but a list: a file that somebody puts into
//! the folder tomorrow is not handed out by accident. On top of that some names are private wherever they stand.

use crate::error::{ProtocolError, read_text};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The standard conditions of a run, as a benchmark's `constraints.yaml` states them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraints {
    /// Whether the agent may use the network.
    pub internet_access: bool,
    /// How long the agent may work, and its program may run [min].
    pub max_wall_clock_minutes: f64,
    /// How often a person may help [count].
    pub human_interventions_allowed: u64,
    /// The Python that is there.
    pub python_version: String,
    /// The packages that are there.
    pub allowed_packages: Vec<String>,
}

/// The conditions of the protocol, for a benchmark that states none.
pub const STANDARD_CONSTRAINTS: &str = include_str!("../001_synthetic_mine_throughput/constraints.yaml");

/// `benchmark.yaml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    benchmark_id: String,
    version: String,
    title: String,
    /// Files and directories of the task.
    task: Vec<String>,
    /// Files that belong to the task only when the agent is to see how it will be judged.
    #[serde(default)]
    rubric: Vec<String>,
    /// Files and directories that are never part of a task.
    #[serde(default)]
    private: Vec<String>,
}

/// A benchmark that was found, and its files.
#[derive(Debug)]
pub struct Benchmark {
    manifest: Manifest,
    /// Files by path, with `/`: those that may be handed out, and some that may not.
    files: BTreeMap<String, Cow<'static, [u8]>>,
}

/// What an agent gets.
#[derive(Debug, PartialEq, Eq)]
pub struct TaskFiles<'a> {
    /// Files by their path in the task's folder.
    pub files: BTreeMap<String, &'a [u8]>,
    /// Files of the benchmark that were held back although they stand among those of the task.
    pub held_back: Vec<String>,
}

macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_bytes!(concat!("../001_synthetic_mine_throughput/", $path)).as_slice())),*]
    };
}

/// The benchmark in this program: everything but what is private.
const EMBEDDED: &[(&str, &[u8])] = &embedded![
    "benchmark.yaml",
    "prompt.md",
    "constraints.yaml",
    "summary_schema.json",
    "SCORING_GUIDE.md",
    "data/nodes.csv",
    "data/edges.csv",
    "data/trucks.csv",
    "data/loaders.csv",
    "data/dump_points.csv",
    "data/scenarios/baseline.yaml",
    "data/scenarios/trucks_4.yaml",
    "data/scenarios/trucks_12.yaml",
    "data/scenarios/ramp_upgrade.yaml",
    "data/scenarios/crusher_slowdown.yaml",
    "data/scenarios/ramp_closed.yaml",
    "templates/submission/submission.yaml",
    "templates/submission/interventions.md",
    "templates/submission/token_usage.json",
];

/// The ids of the benchmarks in this program.
pub const BUILT_IN: [&str; 1] = ["001_synthetic_mine_throughput"];

impl Benchmark {
    /// A benchmark of this program.
    ///
    /// # Errors
    /// [`ProtocolError::Input`] when there is none of that id; it names those that there are.
    pub fn built_in(id: &str) -> Result<Self, ProtocolError> {
        if !BUILT_IN.contains(&id) {
            let problem = format!("there is no benchmark {id:?} in this program");
            let hint = format!("there are: {}; a folder on disk is named with --benchmark-dir", BUILT_IN.join(", "));
            return Err(ProtocolError::input(problem, &hint));
        }
        let files: BTreeMap<_, _> =
            EMBEDDED.iter().map(|(path, bytes)| ((*path).to_owned(), Cow::Borrowed(*bytes))).collect();
        let text = String::from_utf8_lossy(&files["benchmark.yaml"]).into_owned();
        Ok(Self { manifest: manifest(Path::new("benchmark.yaml"), &text)?, files })
    }

    /// A benchmark in a folder. One without a `benchmark.yaml` has the usual files, as far as they are there.
    ///
    /// # Errors
    /// [`ProtocolError::Content`] when the manifest is wrong, names what is not there, hands out what is private, or when
    /// a file of the task is a link; [`ProtocolError::Read`].
    pub fn open(dir: &Path) -> Result<Self, ProtocolError> {
        if !dir.is_dir() {
            let problem = format!("there is no directory {}", dir.display());
            return Err(ProtocolError::input(problem, "name the folder of a benchmark"));
        }
        let path = dir.join("benchmark.yaml");
        let manifest = if path.exists() { manifest(&path, &read_text(&path)?)? } else { usual(dir)? };
        let mut files = BTreeMap::new();
        for entry in manifest.task.iter().chain(&manifest.rubric) {
            let from = dir.join(entry);
            if from.symlink_metadata().is_err() {
                let problem = format!("{entry:?} is part of the task but not there");
                return Err(ProtocolError::content(&path, problem, "add the file, or take it out of the list"));
            }
            collect(&from, entry, &mut files)?;
        }
        Ok(Self { manifest, files })
    }

    /// The benchmark's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.manifest.benchmark_id
    }

    /// What it is about.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.manifest.title
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.manifest.version
    }

    /// The conditions of a run.
    ///
    /// # Errors
    /// [`ProtocolError::Content`] when `constraints.yaml` is not of the protocol's form.
    pub fn constraints(&self) -> Result<Constraints, ProtocolError> {
        let bytes = self.files.get("constraints.yaml").map_or(STANDARD_CONSTRAINTS.as_bytes(), |bytes| bytes.as_ref());
        let path = Path::new("constraints.yaml");
        serde_yaml::from_str(&String::from_utf8_lossy(bytes)).map_err(|error| {
            ProtocolError::content(path, first_line(&error.to_string()), "the five fields of the protocol are needed")
        })
    }

    /// What an agent gets: the task's files, and the rubric's where it is to see how it will be judged. Nothing private
    /// is among them, whatever the lists say.
    #[must_use]
    pub fn task_files(&self, with_scoring: bool) -> TaskFiles<'_> {
        let mut task = TaskFiles { files: BTreeMap::new(), held_back: Vec::new() };
        for (path, bytes) in &self.files {
            let is_rubric = self.manifest.rubric.iter().any(|entry| covers(entry, path));
            let listed = self.manifest.task.iter().any(|entry| covers(entry, path)) || (is_rubric && with_scoring);
            if !listed {
                continue;
            }
            let hidden_rubric = is_rubric_name(path) && !(is_rubric && with_scoring);
            if is_private(path) || hidden_rubric || self.manifest.private.iter().any(|entry| covers(entry, path)) {
                task.held_back.push(path.clone());
                continue;
            }
            let place = match path.strip_prefix("templates/submission/") {
                Some(rest) => format!("submission_template/{rest}"),
                None => path.clone(),
            };
            task.files.insert(place, bytes.as_ref());
        }
        // The conditions are part of the task even where the benchmark leaves them to the protocol.
        task.files.entry("constraints.yaml".to_owned()).or_insert(STANDARD_CONSTRAINTS.as_bytes());
        task
    }
}

fn manifest(path: &Path, text: &str) -> Result<Manifest, ProtocolError> {
    let manifest: Manifest = serde_yaml::from_str(text).map_err(|error| {
        ProtocolError::content(path, first_line(&error.to_string()), "benchmark_id, version, title and task are needed")
    })?;
    for entry in manifest.task.iter().chain(&manifest.rubric).chain(&manifest.private) {
        let plain = Path::new(entry).components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || entry.is_empty() || entry.contains('\\') {
            let problem = format!("{entry:?} is no path inside the benchmark");
            return Err(ProtocolError::content(path, problem, "write it relative to the folder, with `/`"));
        }
    }
    for entry in &manifest.task {
        if is_private(entry) || is_rubric_name(entry) || manifest.private.iter().any(|private| covers(private, entry)) {
            let problem = format!("{entry:?} is private and cannot be part of the task");
            let hint = "take it out of `task`; a scoring guide may stand under `rubric`";
            return Err(ProtocolError::content(path, problem, hint));
        }
    }
    for entry in &manifest.rubric {
        if is_private(entry) {
            let problem = format!("{entry:?} is private and cannot be part of the rubric");
            return Err(ProtocolError::content(path, problem, "only a scoring guide may be shown, on request"));
        }
    }
    Ok(manifest)
}

/// What a folder without a manifest is taken for.
fn usual(dir: &Path) -> Result<Manifest, ProtocolError> {
    let there = |names: &[&str]| -> Vec<String> {
        names.iter().filter(|name| dir.join(name).exists()).map(|name| (*name).to_owned()).collect()
    };
    let task = there(&["prompt.md", "constraints.yaml", "summary_schema.json", "data", "templates/submission"]);
    if !task.iter().any(|entry| entry == "prompt.md") {
        let problem = "has neither a benchmark.yaml nor a prompt.md";
        return Err(ProtocolError::content(dir, problem, "name the folder of a benchmark"));
    }
    let id = dir.canonicalize().ok().and_then(|dir| dir.file_name().map(|name| name.to_string_lossy().into_owned()));
    let id = id.unwrap_or_else(|| "benchmark".to_owned());
    let rubric = there(&["SCORING_GUIDE.md"]);
    Ok(Manifest { title: id.clone(), benchmark_id: id, version: "unknown".to_owned(), task, rubric, private: vec![] })
}

fn collect(from: &Path, path: &str, files: &mut BTreeMap<String, Cow<'static, [u8]>>) -> Result<(), ProtocolError> {
    let fail = |source| ProtocolError::Read { path: from.to_path_buf(), source };
    let kind = from.symlink_metadata().map_err(fail)?.file_type();
    if kind.is_symlink() {
        let hint = "a link may lead to what the agent must not see: put the file itself here";
        return Err(ProtocolError::content(from, "is a link", hint));
    }
    if !kind.is_dir() {
        files.insert(path.to_owned(), Cow::Owned(std::fs::read(from).map_err(fail)?));
        return Ok(());
    }
    for entry in std::fs::read_dir(from).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(ProtocolError::content(&entry.path(), "has a name that is not UTF-8", "rename it"));
        };
        collect(&entry.path(), &format!("{path}/{name}"), files)?;
    }
    Ok(())
}

/// Whether `entry` is `path` or a directory above it.
fn covers(entry: &str, path: &str) -> bool {
    let rest = path.strip_prefix(entry.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Names that are never handed out.
fn is_private(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let mut parts = path.split('/');
    parts.any(|part| {
        part == "private"
            || ["scoring_rules", "reviewer_form", "private_"].iter().any(|start| part.starts_with(start))
            || part.contains("expected_behavio")
    })
}

fn is_rubric_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.to_ascii_lowercase().starts_with("scoring_guide")
}

pub(crate) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Where the data of a benchmark's folder are: in `data/`, or in the folder itself.
#[must_use]
pub fn data_dir(benchmark_dir: &Path) -> PathBuf {
    let data = benchmark_dir.join("data");
    if data.is_dir() { data } else { benchmark_dir.to_path_buf() }
}

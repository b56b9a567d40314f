//! Checkpoints: a run that is killed goes on where it was, and ends with the bytes of one that was not.
//!
//! An episode is a function of what was asked, so nothing of the laboratory has to be kept. A checkpoint holds what was
//! asked (down to a digest of the whole policy) and how much of each file was complete; the files themselves have the
//! finished episodes. What lies behind a checkpoint is cut off and run again. A checkpoint within an episode would only
//! save a part of one episode; there is none.

use crate::BenchError;
use crate::files::{AtomicFile, Extent, plain, refuse_same_file, write_whole_again};
use crate::log::{Beside, EpisodeLines, LogFiles, LogPaths, member};
use crate::results::{Asked, PolicyFacts, config_of};
use crate::run::BenchmarkRun;
use labtrust_contract::{EpisodeRecord, Metrics};
use labtrust_evidence::frames::LogLines;
use labtrust_plugin::Task;
use labtrust_policy::PolicyStore;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};

/// Name of a checkpoint, always beside the log.
pub const CHECKPOINT_NAME: &str = "checkpoint.json";

/// The form that this program writes.
const FORMAT: &str = "labtrust_checkpoint_v1";

/// A checkpoint as it is in its file. The first four names are those of the published format.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Checkpoint {
    base_seed: u64,
    /// The newest episode that is complete, from 0.
    episode_index: Option<u64>,
    episodes_done: u64,
    num_episodes: u64,
    extra: Extra,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Extra {
    format: String,
    /// Episodes between two checkpoints [count].
    every: u64,
    asked: BTreeMap<String, Value>,
    files: BTreeMap<String, Extent>,
}

/// What a run asks for, as far as its bytes depend on it.
pub(crate) struct Asking<'a> {
    pub(crate) run: &'a BenchmarkRun<'a>,
    pub(crate) task: &'a dyn Task,
    pub(crate) facts: &'a PolicyFacts,
    pub(crate) asked: &'a Asked<'a>,
}

impl Asking<'_> {
    fn to_map(&self, paths: &LogPaths) -> Result<BTreeMap<String, Value>, BenchError> {
        let Self { run, task, facts, asked } = self;
        let mut map: BTreeMap<String, Value> =
            config_of(*task, asked).into_iter().map(|(name, value)| (format!("config.{name}"), value)).collect();
        let metrics: Vec<_> = run.metrics.iter().map(|metric| metric.id()).collect();
        let name = paths.log.file_name().map(|name| name.to_string_lossy().into_owned());
        for (name, value) in [
            ("task", json!(task.id())),
            ("num_episodes", json!(run.episodes)),
            ("base_seed", json!(run.base_seed)),
            ("scale", json!(run.scale)),
            ("agent_baseline_id", json!(run.baseline_id(*task))),
            ("metrics", json!(metrics)),
            ("partner_id", json!(facts.partner_id)),
            ("policy_fingerprint", json!(facts.fingerprint)),
            ("policy_sha256", json!(policy_digest(run.policy))),
            ("program_version", json!(env!("CARGO_PKG_VERSION"))),
            ("git_sha", json!(run.git_sha)),
            ("log", json!(name)),
            ("log_framed", json!(paths.framed.then_some(true))),
            ("log_step_interval", json!(paths.steps.as_ref().map(|(every, _)| every.get()))),
            ("coord_telemetry", json!(!paths.coordination.is_empty())),
        ] {
            map.insert(name.to_owned(), value);
        }
        Ok(map)
    }
}

/// SHA-256 over the names and the content of all policy files, and over the overlays in force. Files that were read or
/// not count alike; a file that cannot be used counts by the reason.
fn policy_digest(policy: &PolicyStore) -> String {
    let mut digest = Sha256::new();
    let mut add = |text: &str| {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    };
    for overlay in [policy.partner(), policy.domain()] {
        add(overlay.unwrap_or_default());
    }
    let mut paths: Vec<&str> = policy.paths().collect();
    paths.sort_unstable();
    for path in paths {
        add(path);
        match policy.text(path) {
            Ok(text) => add(text),
            Err(error) => add(&error.to_string()),
        }
    }
    crate::files::hex(&digest.finalize())
}

/// How a run with checkpoints is to be begun.
#[derive(Debug, Clone, Default)]
pub struct CheckpointOptions {
    /// Episodes between two checkpoints [count]; that of the checkpoint when absent, else 1.
    pub every: Option<NonZeroU64>,
    /// Directory of the checkpoint from which the run goes on; it begins anew when absent.
    pub resume_from: Option<PathBuf>,
    /// What is written beside the log.
    pub beside: Beside,
    /// Whether the log is framed.
    pub framed: bool,
}

/// The log of a run that can be gone on with, and its checkpoints.
#[derive(Debug)]
pub struct CheckpointedLogs {
    paths: LogPaths,
    path: PathBuf,
    every: Option<NonZeroU64>,
    resume: bool,
    begun: Option<Begun>,
}

/// What is known when the run has begun.
#[derive(Debug)]
struct Begun {
    files: LogFiles,
    checkpoint: Checkpoint,
}

impl CheckpointedLogs {
    /// Log at `log`, episode records and checkpoint beside it; `out` is where the results will be. No file is touched
    /// before the run begins.
    ///
    /// # Errors
    /// [`BenchError::SameFile`]; [`BenchError::NoCheckpoint`] when the run is to go on and there is none;
    /// [`BenchError::OtherRun`] when the log would not be where the checkpoint is.
    pub fn new(log: &Path, out: &Path, options: CheckpointOptions) -> Result<Self, BenchError> {
        let paths = LogPaths { framed: options.framed, ..LogPaths::new(log, out, options.beside)? };
        let path = log.with_file_name(CHECKPOINT_NAME);
        refuse_same_file(&[("the results", out), ("the episode log", log), ("the checkpoint", &path)])?;
        if let Some(dir) = &options.resume_from {
            let known = dir.join(CHECKPOINT_NAME);
            if !known.is_file() {
                return Err(BenchError::NoCheckpoint { path: known });
            }
            if plain(&known) != plain(&path) {
                let differences = vec![format!("its log is in {}, not at {}", dir.display(), log.display())];
                return Err(BenchError::OtherRun { path: known, differences });
            }
        }
        Ok(Self { paths, path, every: options.every, resume: options.resume_from.is_some(), begun: None })
    }

    /// Opens the files and returns the episodes that are there already, each with the hash of its last record.
    pub(crate) fn begin(&mut self, asking: &Asking<'_>) -> Result<Vec<(EpisodeRecord, String)>, BenchError> {
        let asked = asking.to_map(&self.paths)?;
        let begun = if self.resume { self.proceed(asked)? } else { self.start(asking.run, asked)? };
        let begun = self.begun.insert(begun);
        let Begun { files, checkpoint } = begun;
        let records = records_of(files.partial_index(), checkpoint, &self.path)?;
        let heads = chain_heads(files.partial_log(), checkpoint)?;
        if checkpoint.episodes_done == 0 {
            self.save()?;
        }
        Ok(records.into_iter().zip(heads).collect())
    }

    fn start(&self, run: &BenchmarkRun<'_>, asked: BTreeMap<String, Value>) -> Result<Begun, BenchError> {
        // First: a checkpoint must never speak of files that are no longer its own.
        match std::fs::remove_file(&self.path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(BenchError::Write { path: self.path.clone(), source });
            }
            _ => {}
        }
        let files = LogFiles::open(self.paths.clone(), |path, _| AtomicFile::create_to_continue(path))?;
        let every = self.every.map_or(1, NonZeroU64::get);
        let extra = Extra { format: FORMAT.to_owned(), every, asked, files: BTreeMap::new() };
        let (base_seed, num_episodes) = (run.base_seed, run.episodes);
        let checkpoint = Checkpoint { base_seed, episode_index: None, episodes_done: 0, num_episodes, extra };
        Ok(Begun { files, checkpoint })
    }

    fn proceed(&self, asked: BTreeMap<String, Value>) -> Result<Begun, BenchError> {
        let path = || self.path.clone();
        let bytes = std::fs::read(&self.path).map_err(|source| BenchError::Read { path: path(), source })?;
        let wrong = |problem: String| BenchError::Checkpoint { path: path(), problem };
        let mut checkpoint: Checkpoint = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if checkpoint.extra.format != FORMAT {
            return Err(wrong(format!("its format is {:?}, not {FORMAT:?}", checkpoint.extra.format)));
        }
        let differences = differences(&checkpoint.extra.asked, &asked);
        if !differences.is_empty() {
            return Err(BenchError::OtherRun { path: path(), differences });
        }
        if checkpoint.episodes_done > checkpoint.num_episodes || checkpoint.extra.every == 0 {
            return Err(wrong("its counts contradict each other".to_owned()));
        }
        if let Some(every) = self.every {
            checkpoint.extra.every = every.get();
        }
        let files = LogFiles::open(self.paths.clone(), |file, name| {
            let extent = checkpoint.extra.files.get(name);
            let extent = extent.ok_or_else(|| wrong(format!("it says nothing of {}", file.display())))?;
            AtomicFile::proceed(file, extent)
        })?;
        Ok(Begun { files, checkpoint })
    }

    fn begun(&mut self) -> &mut Begun {
        self.begun.as_mut().expect("episodes come after the beginning of a run")
    }

    pub(crate) fn append(
        &mut self,
        task: &str,
        episode: u64,
        lines: &EpisodeLines,
        record: &EpisodeRecord,
    ) -> Result<(), BenchError> {
        let Begun { files, checkpoint } = self.begun();
        files.append(task, episode, lines, record)?;
        checkpoint.episode_index = Some(episode);
        checkpoint.episodes_done = episode + 1;
        let done = checkpoint.episodes_done;
        if done.is_multiple_of(checkpoint.extra.every) || done == checkpoint.num_episodes {
            self.save()?;
        }
        Ok(())
    }

    /// Writes the checkpoint after everything that it speaks of.
    fn save(&mut self) -> Result<(), BenchError> {
        let Begun { files, checkpoint } = self.begun();
        checkpoint.extra.files = files.settle()?;
        let value = serde_json::to_value(&*checkpoint).unwrap_or(Value::Null);
        let bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
        write_whole_again(&self.path, &bytes)?;
        Ok(())
    }

    /// Episodes between two checkpoints [count].
    pub(crate) fn every(&self) -> u64 {
        self.begun.as_ref().map_or(1, |begun| begun.checkpoint.extra.every)
    }

    pub(crate) fn tells_decisions(&self) -> bool {
        !self.paths.coordination.is_empty()
    }

    pub(crate) fn step_interval(&self) -> Option<NonZeroU32> {
        self.paths.steps.as_ref().map(|(every, _)| *every)
    }

    /// Gives all files of a run that is complete their names; returns their names and SHA-256. The checkpoint stays, and
    /// says that nothing is left to do.
    ///
    /// # Errors
    /// [`BenchError::Write`].
    pub fn persist(self) -> Result<Vec<(String, String)>, BenchError> {
        self.begun.map_or_else(|| Ok(Vec::new()), |begun| begun.files.persist())
    }
}

/// What two runs ask for differently, in the order of the names.
fn differences(there: &BTreeMap<String, Value>, here: &BTreeMap<String, Value>) -> Vec<String> {
    let names: std::collections::BTreeSet<_> = there.keys().chain(here.keys()).collect();
    let said =
        |map: &BTreeMap<String, Value>, name: &str| map.get(name).map_or_else(|| "nothing".into(), Value::to_string);
    let differ = names.into_iter().filter(|name| there.get(*name) != here.get(*name));
    differ.map(|name| format!("{name} is {} there and {} here", said(there, name), said(here, name))).collect()
}

/// The records of the finished episodes.
fn records_of(index: &Path, checkpoint: &Checkpoint, path: &Path) -> Result<Vec<EpisodeRecord>, BenchError> {
    #[derive(Deserialize)]
    struct Line {
        episode: u64,
        seed: u64,
        metrics: Metrics,
    }
    let wrong = |problem: String| BenchError::Checkpoint { path: path.to_path_buf(), problem };
    let mut records = Vec::new();
    for line in lines_of(index, checkpoint, "episodes")? {
        let line = line.map_err(|source| BenchError::Read { path: index.to_path_buf(), source })?;
        let Line { episode, seed, metrics } =
            serde_json::from_slice(&line).map_err(|error| wrong(error.to_string()))?;
        if episode != records.len() as u64 || seed != checkpoint.base_seed + episode {
            return Err(wrong(format!("episode {episode}, seed {seed}, is not the one that comes next")));
        }
        records.push(EpisodeRecord { seed, metrics });
    }
    if records.len() as u64 != checkpoint.episodes_done {
        return Err(wrong(format!("{} episodes are done, {} recorded", checkpoint.episodes_done, records.len())));
    }
    Ok(records)
}

/// The hash of the last record of each finished episode; nothing for an episode in which nothing happened.
fn chain_heads(log: &Path, checkpoint: &Checkpoint) -> Result<Vec<String>, BenchError> {
    let mut heads = vec![String::new(); usize::try_from(checkpoint.episodes_done).unwrap_or(usize::MAX)];
    for line in lines_of(log, checkpoint, "log")? {
        let line = line.map_err(|source| BenchError::Read { path: log.to_path_buf(), source })?;
        let text = |key| member(&line, key).and_then(|value| std::str::from_utf8(value).ok());
        let episode = text("episode").and_then(|number| number.parse::<usize>().ok());
        if let (Some(head), Some(value)) = (episode.and_then(|at| heads.get_mut(at)), text("hashchain_head")) {
            value.trim_matches('"').clone_into(head);
        }
    }
    Ok(heads)
}

/// The lines of the part of a file that the checkpoint speaks of.
fn lines_of(
    file: &Path,
    checkpoint: &Checkpoint,
    name: &str,
) -> Result<impl Iterator<Item = std::io::Result<Vec<u8>>>, BenchError> {
    let length = checkpoint.extra.files.get(name).map_or(0, |extent| extent.length);
    let open = File::open(file);
    let lines = open.and_then(|open| LogLines::new(BufReader::with_capacity(1 << 16, open.take(length))));
    lines.map_err(|source| BenchError::Read { path: file.to_path_buf(), source })
}

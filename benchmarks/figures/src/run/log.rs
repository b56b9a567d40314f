//! The steps of one episode, read from a log: what devices did, what became of specimens, what was broken or blocked.
//!
//! A log has a JSON object in every line. Lines of later episodes, and lines that sum an episode up, are not read.

use crate::FiguresError;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// What a device did for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Busy {
    /// When it began [s].
    pub from: f64,
    /// When it ended [s]; none when it had not ended with the episode.
    pub to: Option<f64>,
    /// What it did.
    pub work: Work,
    /// With which specimens, or with which run.
    pub subject: String,
}

/// What devices do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It analyses.
    Run,
    /// It spins.
    Centrifuge,
    /// It divides a specimen; a moment.
    Aliquot,
    /// Its quality control was looked at; a moment.
    Quality,
}

impl Work {
    /// Every sort of work.
    pub const ALL: [Self; 4] = [Self::Run, Self::Centrifuge, Self::Aliquot, Self::Quality];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Run => "analysis",
            Self::Centrifuge => "centrifugation",
            Self::Aliquot => "aliquoting",
            Self::Quality => "quality control",
        }
    }
}

/// What became of a specimen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// It was accepted.
    pub accepted: bool,
    /// It was held.
    pub held: bool,
    /// It was rejected.
    pub rejected: bool,
    /// It was analysed.
    pub analysed: bool,
    /// A result of it was held.
    pub result_held: bool,
    /// A result of it was released.
    pub released: bool,
}

/// An episode.
#[derive(Clone, Debug, Default)]
pub struct Episode {
    /// The log.
    pub path: PathBuf,
    /// Steps read [count].
    pub steps: u64,
    /// The time of the last one [s].
    pub until: f64,
    /// What devices did, by device.
    pub devices: BTreeMap<String, Vec<Busy>>,
    /// What became of specimens, by specimen.
    pub specimens: BTreeMap<String, Fate>,
    /// Moments at which invariants were broken [s].
    pub violations: BTreeMap<String, Vec<f64>>,
    /// Moments at which actions were blocked [s], by code.
    pub blocks: BTreeMap<String, Vec<f64>>,
    results: BTreeMap<String, String>,
    aliquots: BTreeMap<String, String>,
}

impl Episode {
    /// Reads the first episode of a log.
    ///
    /// # Errors
    /// [`FiguresError::Read`]; [`FiguresError::Invalid`] for a line that is no JSON, and for a log without any step.
    pub fn read(path: &Path) -> Result<Self, FiguresError> {
        Self::read_if(path)?.ok_or_else(|| {
            FiguresError::invalid(path, "the log", "there is no step in it: give the file of `run-benchmark --log`")
        })
    }

    fn read_if(path: &Path) -> Result<Option<Self>, FiguresError> {
        let fail = |source| FiguresError::Read { path: path.to_path_buf(), source };
        let file = BufReader::new(File::open(path).map_err(fail)?);
        let mut episode = Self { path: path.to_path_buf(), ..Self::default() };
        let mut first = None;
        for (index, line) in file.lines().enumerate() {
            let line = line.map_err(fail)?;
            if line.trim().is_empty() {
                continue;
            }
            let step: Value = serde_json::from_str(&line).map_err(|error| {
                FiguresError::invalid(path, format!("line {}", index + 1), format!("this is no JSON: {error}"))
            })?;
            let number = step.get("episode").and_then(Value::as_u64).unwrap_or(0);
            if step.get("metrics").is_some() || *first.get_or_insert(number) != number {
                break;
            }
            episode.take(&step);
        }
        Ok((episode.steps > 0).then_some(episode))
    }

    fn take(&mut self, step: &Value) {
        let (Some(time), Some(action)) =
            (step.get("t_s").and_then(Value::as_f64), step.get("action_type").and_then(Value::as_str))
        else {
            return;
        };
        self.steps += 1;
        self.until = self.until.max(time);
        for one in list(step, "violations") {
            if one.get("status").is_some_and(|status| status == "VIOLATION")
                && let Some(id) = one.get("invariant_id").and_then(Value::as_str)
            {
                self.violations.entry(id.to_owned()).or_default().push(time);
            }
        }
        if step.get("status").is_some_and(|status| status == "BLOCKED") {
            let code = step.get("blocked_reason_code").and_then(Value::as_str).unwrap_or("without a code");
            self.blocks.entry(code.to_owned()).or_default().push(time);
            return;
        }
        let args = step.get("args").unwrap_or(&Value::Null);
        self.follow(step, args);
        self.work(action, args, time);
    }

    /// Notes what becomes of the specimens of a step.
    fn follow(&mut self, step: &Value, args: &Value) {
        let mut specimens: BTreeSet<String> = ["specimen_ids", "aliquot_ids"]
            .iter()
            .flat_map(|key| list(args, key).filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
            .collect();
        specimens.extend(["specimen_id", "work_id"].iter().filter_map(|key| text(args, key)));
        let mut specimens: BTreeSet<String> =
            specimens.into_iter().map(|id| self.aliquots.get(&id).cloned().unwrap_or(id)).collect();
        let result = text(args, "result_id");
        if let Some(result) = &result {
            match (specimens.first(), self.results.get(result)) {
                (Some(specimen), _) => {
                    self.results.insert(result.clone(), specimen.clone());
                }
                (None, Some(specimen)) => {
                    specimens.insert(specimen.clone());
                }
                (None, None) => {}
            }
        }
        if let (Some(aliquot), Some(specimen)) = (text(args, "aliquot_id"), specimens.first()) {
            self.aliquots.insert(aliquot, specimen.clone());
        }
        for emit in list(step, "emits").filter_map(Value::as_str) {
            for specimen in &specimens {
                let fate = self.specimens.entry(specimen.clone()).or_default();
                match emit {
                    "ACCEPT_SPECIMEN" => fate.accepted = true,
                    "HOLD_SPECIMEN" => fate.held = true,
                    "REJECT_SPECIMEN" => fate.rejected = true,
                    "END_RUN" | "GENERATE_RESULT" => fate.analysed = true,
                    "HOLD_RESULT" => fate.result_held = true,
                    "RELEASE_RESULT" | "RELEASE_RESULT_OVERRIDE" => fate.released = true,
                    _ => {}
                }
            }
        }
    }

    /// Notes what a device begins and ends.
    fn work(&mut self, action: &str, args: &Value, time: f64) {
        let Some(device) = text(args, "device_id") else { return };
        let specimens: Vec<&str> = list(args, "specimen_ids").filter_map(Value::as_str).collect();
        let one = ["run_id", "specimen_id"].iter().find_map(|key| text(args, key)).unwrap_or_default();
        let subject = if specimens.is_empty() { one } else { specimens.join(", ") };
        let (work, ends) = match action {
            "START_RUN" => (Work::Run, None),
            "CENTRIFUGE_START" => (Work::Centrifuge, None),
            "ALIQUOT_CREATE" => (Work::Aliquot, Some(time)),
            "QC_EVENT" => (Work::Quality, Some(time)),
            "END_RUN" => return self.end(&device, Work::Run, time, subject),
            "CENTRIFUGE_END" => return self.end(&device, Work::Centrifuge, time, subject),
            _ => return,
        };
        self.devices.entry(device).or_default().push(Busy { from: time, to: ends, work, subject });
    }

    fn end(&mut self, device: &str, work: Work, time: f64, subject: String) {
        let open = |busy: &&mut Busy| busy.work == work && busy.to.is_none();
        if let Some(busy) = self.devices.get_mut(device).and_then(|all| all.iter_mut().find(open)) {
            busy.to = Some(time);
            if !subject.is_empty() {
                busy.subject = subject;
            }
        }
    }
}

/// The first log of the run that has steps: by the order of the names of its directories. Where logs are, and whether
/// they have steps, differs between kinds of runs.
///
/// # Errors
/// [`FiguresError::Read`] and [`FiguresError::Invalid`] for a log that cannot be read.
pub fn first_of(dir: &Path) -> Result<Option<Episode>, FiguresError> {
    for part in ["logs", "cells", "pack_results"] {
        let mut folders: Vec<PathBuf> = entries(&dir.join(part)).collect();
        folders.sort();
        for folder in folders {
            let mut logs: Vec<PathBuf> = if folder.is_dir() { entries(&folder).collect() } else { vec![folder] };
            logs.retain(|path| path.extension().is_some_and(|end| end == "jsonl") && path.is_file());
            logs.sort();
            let named =
                |path: &&PathBuf| path.file_name().is_some_and(|name| name == "episodes.jsonl" || name == "log.jsonl");
            for log in logs.iter().filter(named) {
                if let Some(episode) = Episode::read_if(log)?.filter(|episode| !episode.is_empty()) {
                    return Ok(Some(episode));
                }
            }
        }
    }
    Ok(None)
}

impl Episode {
    fn is_empty(&self) -> bool {
        self.devices.is_empty() && self.specimens.is_empty() && self.violations.is_empty() && self.blocks.is_empty()
    }
}

fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(dir).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

//! Scored submissions side by side. There is deliberately no combined score: quality, tokens and time are columns, and
//! whoever reads decides what they are worth to each other.

pub mod chart;
mod page;
pub mod render;

pub use page::write_pages;

use crate::correlation::spearman;
use crate::error::{ProtocolError, read_text};
use crate::scores::{RUBRIC, Score};
use crate::submission::{Category, Intervention, SubmissionName};
use crate::tokens::{self, Method, TokenUsage};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// A submission that somebody scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The folder's name, as it was scored.
    pub submission: String,
    /// The name's parts; why it has none.
    pub name: Result<SubmissionName, String>,
    /// Where its folder is, when it is there.
    pub folder: Option<PathBuf>,
    /// Points by category, in the order of [`RUBRIC`]: the mean of every reviewer's latest score [points].
    pub points: [f64; 7],
    /// Who scored it.
    pub reviewers: Vec<String>,
    /// What it says about tokens, when that is valid.
    pub tokens: Option<TokenUsage>,
    /// How long its program ran [s].
    pub runtime_seconds: Option<f64>,
    /// Whether its program was ended because its time was up.
    pub timed_out: bool,
    /// What it says about help.
    pub intervention: Intervention,
    /// Lines of code of all programming languages [lines].
    pub code_lines: Option<u64>,
    /// `evaluation_report.json`, when there is one.
    pub report: Option<Value>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl Entry {
    /// All points [points], at most 100.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.points.iter().sum()
    }

    /// All tokens [count].
    #[must_use]
    pub fn total_tokens(&self) -> Option<u64> {
        self.tokens.as_ref().and_then(TokenUsage::total)
    }

    /// How the tokens are known.
    #[must_use]
    pub fn token_method(&self) -> Method {
        self.tokens.as_ref().map_or(Method::Unknown, |tokens| tokens.token_count_method)
    }

    /// Passed and all checks of the protocol [count].
    #[must_use]
    pub fn checks(&self) -> Option<(u64, u64)> {
        let checks = &self.report.as_ref()?["automated_checks"];
        Some((checks["passed"].as_u64()?, checks["total"].as_u64()?))
    }

    /// Physical checks that passed, failed, and could not be made [count].
    #[must_use]
    pub fn physical(&self) -> Option<(u64, u64, u64)> {
        let checks = &self.report.as_ref()?["physical_checks"];
        let (passed, total) = (checks["passed"].as_u64()?, checks["total"].as_u64()?);
        let not_checkable = checks["not_checkable"].as_u64()?;
        Some((passed, total.checked_sub(passed.checked_add(not_checkable)?)?, not_checkable))
    }
}

/// By what rows are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Most points first.
    Quality,
    /// Fewest tokens first, unknown last.
    Tokens,
    /// Shortest run first, unknown last.
    Time,
}

/// How two figures of the submissions go together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Correlation {
    /// The one.
    pub first: &'static str,
    /// The other.
    pub second: &'static str,
    /// Submissions that have both [count].
    pub pairs: usize,
    /// Spearman's rank correlation; null where it is undefined.
    pub spearman: Option<f64>,
}

/// A leaderboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Board {
    /// Scored submissions.
    pub entries: Vec<Entry>,
    /// Folders that nobody scored.
    pub unscored: Vec<String>,
    /// Every pair of rubric categories, total, tokens and runtime.
    pub correlations: Vec<Correlation>,
}

/// What is correlated: the rubric's categories, then these.
pub const OTHER_FIGURES: [(&str, &str); 3] =
    [("total", "Total"), ("total_tokens", "Tokens"), ("runtime_seconds", "Runtime")];

impl Board {
    /// Puts scores and folders together. `benchmark` leaves out submissions of others, and those whose name does not say.
    ///
    /// # Errors
    /// [`ProtocolError::Input`] when there is no directory of submissions. A folder that is untidy is shown as it is.
    pub fn collect(scores: &[Score], submissions: &Path, benchmark: Option<&str>) -> Result<Self, ProtocolError> {
        let unreadable = |source| ProtocolError::Read { path: submissions.to_path_buf(), source };
        if !submissions.is_dir() {
            let problem = format!("there is no directory {}", submissions.display());
            return Err(ProtocolError::input(problem, "name the directory that the submissions' folders are in"));
        }
        let mut folders = BTreeSet::new();
        for entry in std::fs::read_dir(submissions).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type().map_err(unreadable)?.is_dir() && !name.starts_with('.') {
                folders.insert(name);
            }
        }
        let wanted = |name: &str| match benchmark {
            Some(id) => name.parse::<SubmissionName>().is_ok_and(|name| name.benchmark_id == id),
            None => true,
        };
        let mut by_submission: BTreeMap<&str, Vec<&Score>> = BTreeMap::new();
        for score in scores.iter().filter(|score| wanted(&score.submission)) {
            by_submission.entry(&score.submission).or_default().push(score);
        }
        let entries: Vec<Entry> =
            by_submission.iter().map(|(submission, scores)| entry(submission, scores, submissions)).collect();
        let unscored = folders.into_iter().filter(|name| wanted(name) && !by_submission.contains_key(name.as_str()));
        let unscored = unscored.filter(|name| name.parse::<SubmissionName>().is_ok()).collect();
        let correlations = correlations(&entries);
        let mut board = Self { entries, unscored, correlations };
        board.sort(Order::Quality);
        Ok(board)
    }

    /// Orders the rows; equal ones by name.
    pub fn sort(&mut self, order: Order) {
        let last = |known: Option<f64>| known.unwrap_or(f64::INFINITY);
        #[expect(clippy::cast_precision_loss, reason = "an order, not a figure")]
        let key = |entry: &Entry| match order {
            Order::Quality => -entry.total(),
            Order::Tokens => last(entry.total_tokens().map(|tokens| tokens as f64)),
            Order::Time => last(entry.runtime_seconds),
        };
        self.entries.sort_by(|a, b| key(a).total_cmp(&key(b)).then_with(|| a.submission.cmp(&b.submission)));
    }
}

/// The mean of every reviewer's latest score.
fn entry(submission: &str, scores: &[&Score], submissions: &Path) -> Entry {
    let mut latest: BTreeMap<&str, &Score> = BTreeMap::new();
    for score in scores {
        let one = latest.entry(&score.reviewer).or_insert(score);
        if score.date > one.date {
            *one = score;
        }
    }
    let mut points = [0.0; 7];
    #[expect(clippy::cast_precision_loss, reason = "reviewers")]
    let count = latest.len() as f64;
    for (i, points) in points.iter_mut().enumerate() {
        *points = latest.values().map(|score| score.points[i]).sum::<f64>() / count;
    }
    let mut notes = Vec::new();
    let totals = latest.values().map(|score| score.total());
    let (low, high) = totals.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), t| (low.min(t), high.max(t)));
    if high - low > 10.0 {
        notes.push(format!("the reviewers differ by {} points", high - low));
    }
    let name = submission.parse::<SubmissionName>();
    if let Err(problem) = &name {
        notes.push(format!("the name is not the protocol's: {problem}"));
    }
    let folder = folder(submissions, submission);
    if folder.is_none() {
        notes.push("there is no folder of that name".to_owned());
    }
    let mut entry = Entry {
        submission: submission.to_owned(),
        name,
        folder,
        points,
        reviewers: latest.keys().map(|reviewer| (*reviewer).to_owned()).collect(),
        tokens: None,
        runtime_seconds: None,
        timed_out: false,
        intervention: Intervention { category: Category::Unrecorded, notes: String::new(), problem: None },
        code_lines: None,
        report: None,
        notes,
    };
    if let Some(folder) = entry.folder.clone() {
        entry.read(&folder);
    }
    entry
}

/// A submission's folder. A name comes from a database: only a plain name of a folder, no path, is looked for.
fn folder(submissions: &Path, name: &str) -> Option<PathBuf> {
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name);
    let folder = submissions.join(name);
    // A link could show on a page what is not a submission's.
    (plain && folder.symlink_metadata().is_ok_and(|found| found.is_dir())).then_some(folder)
}

impl Entry {
    fn read(&mut self, folder: &Path) {
        self.intervention = Intervention::read(folder);
        if let Some(problem) = &self.intervention.problem {
            self.notes.push(format!("intervention: {problem}"));
        }
        match TokenUsage::read(&folder.join(tokens::FILE_NAME)) {
            Ok(usage) => self.tokens = Some(usage),
            Err(ProtocolError::Read { .. }) => self.notes.push("there is no token_usage.json".to_owned()),
            Err(ProtocolError::Content { place, problem, .. }) => {
                let place = place.map(|place| format!("{place} ")).unwrap_or_default();
                self.notes.push(format!("token_usage.json: {place}{problem}"));
            }
            Err(_) => {}
        }
        let metrics = json_file(&folder.join(crate::measure::FILE_NAME));
        match &metrics {
            Some(metrics) => {
                self.runtime_seconds = metrics["runtime_seconds"].as_f64().filter(|seconds| *seconds >= 0.0);
                self.timed_out = metrics["timed_out"].as_bool() == Some(true);
                self.code_lines = code_lines(&metrics["loc"]);
                if self.timed_out {
                    self.notes.push("the run was ended because its time was up".to_owned());
                }
            }
            None => self.notes.push("there is no readable run_metrics.json".to_owned()),
        }
        self.report = json_file(&folder.join("evaluation_report.json"));
        if self.report.is_none() {
            self.notes.push("there is no readable evaluation_report.json".to_owned());
        }
    }

    /// The figures that are correlated, in order.
    fn figures(&self) -> [Option<f64>; 10] {
        let mut figures = [None; 10];
        for (figure, points) in figures.iter_mut().zip(self.points) {
            *figure = Some(points);
        }
        #[expect(clippy::cast_precision_loss, reason = "ranks")]
        let tokens = self.total_tokens().map(|tokens| tokens as f64);
        (figures[7], figures[8], figures[9]) = (Some(self.total()), tokens, self.runtime_seconds);
        figures
    }

    pub(crate) fn json(&self) -> Value {
        let mut points = Map::new();
        for (category, value) in RUBRIC.iter().zip(self.points) {
            points.insert(category.key.to_owned(), value.into());
        }
        let name = self.name.as_ref().ok();
        json!({
            "submission": self.submission,
            "date": name.map(|name| name.date.to_string()),
            "benchmark_id": name.map(|name| &name.benchmark_id),
            "harness": name.map(|name| &name.harness),
            "model": name.map(|name| &name.model),
            "run_tag": name.and_then(|name| name.run_tag.as_ref()),
            "total": self.total(),
            "points": points,
            "reviewers": self.reviewers,
            "total_tokens": self.total_tokens(),
            "token_count_method": self.token_method(),
            "runtime_seconds": self.runtime_seconds,
            "timed_out": self.timed_out,
            "intervention": self.intervention.category,
            "code_lines": self.code_lines,
            "automated_checks": self.checks().map(|(passed, total)| json!({ "passed": passed, "total": total })),
            "physical_checks": self.physical().map(|(passed, failed, not_checkable)| {
                json!({ "passed": passed, "failed": failed, "not_checkable": not_checkable })
            }),
            "notes": self.notes,
        })
    }
}

/// Languages of data and text: their lines are a submission's outputs more than its program.
const NO_CODE: [&str; 9] = ["JSON", "YAML", "TOML", "XML", "SVG", "HTML", "Markdown", "Plain Text", "CSS"];

/// Lines of code of all programming languages; those of Python where nothing else was counted [lines].
fn code_lines(loc: &Value) -> Option<u64> {
    let Some(languages) = loc["languages"].as_object() else {
        return loc["code_lines"].as_u64();
    };
    let programs = languages.iter().filter(|(name, _)| !NO_CODE.contains(&name.as_str()));
    Some(programs.filter_map(|(_, one)| one["code_lines"].as_u64()).fold(0, u64::saturating_add))
}

fn json_file(path: &Path) -> Option<Value> {
    serde_json::from_str(&read_text(path).ok()?).ok()
}

/// The names of what is correlated: keys and titles.
pub(crate) fn figure_names() -> Vec<(&'static str, &'static str)> {
    RUBRIC.iter().map(|category| (category.key, category.title)).chain(OTHER_FIGURES).collect()
}

fn correlations(entries: &[Entry]) -> Vec<Correlation> {
    let names = figure_names();
    let figures: Vec<_> = entries.iter().map(Entry::figures).collect();
    let mut found = Vec::new();
    for second in 1..names.len() {
        for first in 0..second {
            let pairs: Vec<(f64, f64)> =
                figures.iter().filter_map(|figures| figures[first].zip(figures[second])).collect();
            found.push(Correlation {
                first: names[first].0,
                second: names[second].0,
                pairs: pairs.len(),
                spearman: spearman(&pairs),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_no_code() {
        let lines = |count: u64| json!({ "code_lines": count });
        let loc = json!({ "code_lines": 7, "languages": { "Python": lines(7), "Rust": lines(3), "JSON": lines(900) } });
        assert_eq!(code_lines(&loc), Some(10));
        assert_eq!(code_lines(&lines(7)), Some(7));
        assert_eq!(code_lines(&Value::Null), None);
    }
}

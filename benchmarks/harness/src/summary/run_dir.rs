//! What a run directory holds, in one line a results file.

use super::{count, total};
use crate::BenchError;
use labtrust_contract::{EpisodeRecord, Metrics};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Totals of one results file (or of the episodes of one task).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSummary {
    /// The task.
    pub task: String,
    /// Episodes [count].
    pub num_episodes: u64,
    /// Steps of all episodes [count].
    pub total_steps: u64,
    /// Broken invariants of all episodes [count].
    pub violations_total: u64,
    /// Refused events of all episodes [count].
    pub blocked_total: u64,
    /// Specimens with a released result an episode, on average [count].
    pub throughput_mean: f64,
}

impl RunSummary {
    #[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
    fn of<'m>(task: &str, episodes: impl Iterator<Item = &'m Metrics>) -> Self {
        let mut summary = Self {
            task: task.to_owned(),
            num_episodes: 0,
            total_steps: 0,
            violations_total: 0,
            blocked_total: 0,
            throughput_mean: 0.0,
        };
        let mut throughput = 0;
        for metrics in episodes {
            summary.num_episodes += 1;
            summary.total_steps += count(metrics, "steps");
            summary.violations_total += total(metrics, "violations_by_invariant_id");
            summary.blocked_total += total(metrics, "blocked_by_reason_code");
            throughput += count(metrics, "throughput");
        }
        summary.throughput_mean = throughput as f64 / summary.num_episodes.max(1) as f64;
        summary
    }

    /// The summary as one line of text.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { num_episodes, total_steps, throughput_mean, violations_total, blocked_total, task } = self;
        format!(
            "episodes={num_episodes} steps={total_steps} throughput={throughput_mean:.4} \
             violations={violations_total} blocked={blocked_total} task={}",
            printable(task)
        )
    }
}

/// Text of a file without control characters: it goes to a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// What was found in a run directory.
#[derive(Debug, Clone, PartialEq)]
pub struct Summaries {
    /// One summary a results file, by path; of `episodes.jsonl` (one a task) where there is no results file.
    pub runs: Vec<RunSummary>,
    /// Files that look like results and could not be read, with the reason.
    pub skipped: Vec<(PathBuf, String)>,
}

/// The part of a results file that a summary needs.
#[derive(Deserialize)]
struct Results {
    task: String,
    episodes: Vec<EpisodeRecord>,
}

/// A line of `episodes.jsonl`.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    task: String,
    metrics: Metrics,
}

/// Summarises the results below a directory; without any, its `episodes.jsonl`.
///
/// # Errors
/// [`BenchError::NotADirectory`], [`BenchError::Read`], and [`BenchError::NothingToSummarise`] when there is neither.
pub fn summarise_run(dir: &Path) -> Result<Summaries, BenchError> {
    if !dir.is_dir() {
        return Err(BenchError::NotADirectory { path: dir.to_path_buf() });
    }
    let mut files = Vec::new();
    collect(dir, &mut files)?;
    // The operating system's order of directory entries is its own.
    files.sort();
    let mut found = Summaries { runs: Vec::new(), skipped: Vec::new() };
    for path in &files {
        let named_results = file_name(path).starts_with("results");
        if !is_json(path) {
            continue;
        }
        let parsed =
            read(path).and_then(|text| serde_json::from_str::<Results>(&text).map_err(|error| error.to_string()));
        match parsed {
            Ok(results) => {
                found.runs.push(RunSummary::of(&results.task, results.episodes.iter().map(|record| &record.metrics)));
            }
            // Manifests and the like are no results; a file that claims to be one is worth a word.
            Err(reason) if named_results => found.skipped.push((path.clone(), reason)),
            Err(_) => {}
        }
    }
    if found.runs.is_empty() {
        for path in files.iter().filter(|path| file_name(path) == "episodes.jsonl") {
            match read(path).and_then(|text| summarise_lines(&text)) {
                Ok(runs) => found.runs.extend(runs),
                Err(reason) => found.skipped.push((path.clone(), reason)),
            }
        }
    }
    if found.runs.is_empty() && found.skipped.is_empty() {
        return Err(BenchError::NothingToSummarise { path: dir.to_path_buf() });
    }
    Ok(found)
}

fn summarise_lines(text: &str) -> Result<Vec<RunSummary>, String> {
    let mut by_task: BTreeMap<String, Vec<Metrics>> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line: Line = serde_json::from_str(line).map_err(|error| format!("line {}: {error}", number + 1))?;
        by_task.entry(line.task).or_default().push(line.metrics);
    }
    Ok(by_task.iter().map(|(task, episodes)| RunSummary::of(task, episodes.iter())).collect())
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), BenchError> {
    let fail = |source| BenchError::Read { path: dir.to_path_buf(), source };
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let kind = entry.file_type().map_err(fail)?;
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json") && !file_name(path).starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULTS: &str = r#"{"task":"demo","episodes":[
        {"seed":1,"metrics":{"steps":80,"throughput":3,"violations_by_invariant_id":{"INV-A":2},"blocked_by_reason_code":{}}},
        {"seed":2,"metrics":{"steps":80,"throughput":0,"violations_by_invariant_id":{}}}]}"#;

    #[test]
    fn violations_are_summed_and_a_zero_is_a_zero() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("results.json"), RESULTS).unwrap();
        std::fs::write(dir.path().join("run_manifest.json"), "{}").unwrap();
        let found = summarise_run(dir.path()).unwrap();
        assert_eq!(found.skipped, []);
        let [run] = &found.runs[..] else { panic!("one results file") };
        assert_eq!(run.line(), "episodes=2 steps=160 throughput=1.5000 violations=2 blocked=0 task=demo");
    }

    #[test]
    fn a_results_file_that_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("results.json"), &RESULTS[..50]).unwrap();
        let found = summarise_run(dir.path()).unwrap();
        assert_eq!(found.runs, []);
        assert_eq!(found.skipped.len(), 1);
    }

    #[test]
    fn episode_records_stand_in_for_results() {
        let dir = tempfile::tempdir().unwrap();
        let line = r#"{"episode":0,"metrics":{"steps":50,"throughput":2},"seed":1,"task":"demo"}"#;
        std::fs::write(dir.path().join("episodes.jsonl"), format!("{line}\n{line}\n")).unwrap();
        let found = summarise_run(dir.path()).unwrap();
        assert_eq!(found.runs[0].num_episodes, 2);
        assert_eq!(found.runs[0].total_steps, 100);
    }

    #[test]
    fn an_empty_directory_is_an_error_and_not_an_empty_summary() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(summarise_run(dir.path()), Err(BenchError::NothingToSummarise { .. })));
        assert!(matches!(summarise_run(&dir.path().join("none")), Err(BenchError::NotADirectory { .. })));
    }
}

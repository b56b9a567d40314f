//! What two runs had in common, as JSON and as a page.

use super::figure;
use crate::error::CliError;
use crate::version;
use labtrust_bench::BenchError;
use labtrust_bench::results::{canonical_bytes, sha256_hex};
use labtrust_kernel::ClockMode;
use serde_json::{Value, json};
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// What a run left behind, in short.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RunDigests {
    /// Threads it used [count].
    pub(super) threads: usize,
    pub(super) log_sha256: String,
    pub(super) results_sha256: String,
    /// Of the last chain hash of every episode, a line each.
    pub(super) chains_sha256: String,
    pub(super) results: Value,
    /// What the run says a reader should know.
    pub(super) warnings: Vec<String>,
}

impl RunDigests {
    /// Reads them from the files of a run.
    pub(super) fn read(log: &Path, results: &Path, threads: usize) -> Result<Self, CliError> {
        let bytes = |path: &Path| {
            std::fs::read(path).map_err(|source| CliError::Bench(BenchError::Read { path: path.to_path_buf(), source }))
        };
        let log_bytes = bytes(log)?;
        let results_bytes = bytes(results)?;
        let value: Value = parsed(results, &results_bytes)?;
        let warnings = value.get("warnings").and_then(Value::as_array);
        Ok(Self {
            threads,
            log_sha256: sha256_hex(&log_bytes),
            chains_sha256: sha256_hex(chain_heads(log, &log_bytes)?.as_bytes()),
            results_sha256: sha256_hex(&results_bytes),
            warnings: warnings.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
            results: value,
        })
    }

    /// What was measured, without where it was measured.
    fn measured(&self) -> [&Value; 4] {
        ["task", "seeds", "agent_baseline_id", "episodes"].map(|name| self.results.get(name).unwrap_or(&Value::Null))
    }

    fn to_value(&self) -> Value {
        json!({
            "threads": self.threads,
            "episode_log_sha256": self.log_sha256,
            "results_sha256": self.results_sha256,
            "chains_sha256": self.chains_sha256,
            "receipts_bundle_root_hash": null,
        })
    }
}

fn parsed(path: &Path, bytes: &[u8]) -> Result<Value, CliError> {
    let told = |error: serde_json::Error| BenchError::NotJson { path: path.to_path_buf(), message: error.to_string() };
    Ok(serde_json::from_slice(bytes).map_err(told)?)
}

/// The last chain hash of every episode of a log.
fn chain_heads(path: &Path, log: &[u8]) -> Result<String, CliError> {
    let mut heads = String::new();
    let mut current: Option<(Value, String)> = None;
    for line in BufReader::new(log).lines() {
        let line = line.map_err(|source| BenchError::Read { path: path.to_path_buf(), source })?;
        let record = parsed(path, line.as_bytes())?;
        let episode = record.get("episode").cloned().unwrap_or_default();
        // A step outside of the chain leaves its head.
        let Some(hash) = record.get("chain_hash").and_then(Value::as_str) else { continue };
        if let Some((before, head)) = current.take().filter(|(before, _)| *before != episode) {
            let _ = writeln!(heads, "{before} {head}");
        }
        current = Some((episode, hash.to_owned()));
    }
    if let Some((episode, head)) = current {
        let _ = writeln!(heads, "{episode} {head}");
    }
    Ok(heads)
}

/// The report.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) task: String,
    pub(super) episodes: u64,
    pub(super) seed: u64,
    pub(super) partner: Option<String>,
    pub(super) timing: ClockMode,
    pub(super) injection: Option<String>,
    pub(super) scale: Option<String>,
    pub(super) first: RunDigests,
    pub(super) second: RunDigests,
    /// Where files part, in words.
    pub(super) differences: Vec<String>,
}

impl Report {
    /// Name and outcome of every check.
    pub(super) fn checks(&self) -> [(&'static str, bool); 4] {
        let (a, b) = (&self.first, &self.second);
        [
            ("episode log", a.log_sha256 == b.log_sha256),
            ("audit chains", a.chains_sha256 == b.chains_sha256),
            ("results", a.results_sha256 == b.results_sha256),
            ("v0.2 metrics", a.measured() == b.measured()),
        ]
    }

    pub(super) fn checks_passed(&self) -> usize {
        self.checks().iter().filter(|(_, same)| *same).count()
    }

    pub(super) fn passed(&self) -> bool {
        self.errors().is_empty()
    }

    /// What differs, where as far as it is known, and by how much.
    pub(super) fn errors(&self) -> Vec<String> {
        let failed = self.checks().into_iter().filter(|(_, same)| !same).map(|(name, _)| format!("the {name} differ"));
        let deltas = self.deltas().into_iter().filter(|(_, delta)| *delta > 0.0);
        let deltas = deltas.map(|(name, delta)| format!("{name} differs by {delta} in an episode"));
        failed.chain(self.differences.iter().cloned()).chain(deltas).collect()
    }

    /// The largest difference of an episode between the runs; episodes without a value do not count.
    fn deltas(&self) -> [(&'static str, f64); 2] {
        let largest = |name: &str| {
            let episodes = usize::try_from(self.episodes).unwrap_or(usize::MAX);
            let delta = |episode| {
                let first = figure(&self.first.results, episode, name)?;
                Some((first - figure(&self.second.results, episode, name)?).abs())
            };
            (0..episodes).filter_map(delta).fold(0.0, f64::max)
        };
        [("throughput", largest("throughput")), ("p95_turnaround_s", largest("p95_turnaround_s"))]
    }

    /// Canonical JSON and a line end.
    pub(super) fn json(&self) -> Result<Vec<u8>, BenchError> {
        let [log, chains, results, metrics] = self.checks().map(|(_, same)| same);
        let [(_, throughput), (_, p95)] = self.deltas();
        let value = json!({
            "task": self.task,
            "num_episodes": self.episodes,
            "base_seed": self.seed,
            "partner_id": self.partner,
            "timing_mode": self.timing.as_str(),
            "coord_method": null,
            "pipeline_mode": "deterministic",
            "llm_backend": null,
            "injection_id": self.injection,
            "scale_id": self.scale,
            "python_version": null,
            "runtime_version": version::line(),
            "platform": platform(),
            "run1": self.first.to_value(),
            "run2": self.second.to_value(),
            "passed": self.passed(),
            "errors": self.errors(),
            "warnings": self.first.warnings,
            "v02_metrics_identical": metrics,
            "episode_log_identical": log,
            "chains_identical": chains,
            "results_identical": results,
            // Null until there are receipts.
            "receipts_bundle_identical": null,
            "determinism_budget": { "max_throughput_delta": 0.0, "max_p95_latency_delta": 0.0 },
            "actual_deltas": { "max_throughput_delta": throughput, "max_p95_latency_delta": p95 },
        });
        let mut bytes = canonical_bytes(&value, "the determinism report")?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    pub(super) fn markdown(&self) -> String {
        let word = if self.passed() { "PASSED" } else { "FAILED" };
        let sentence = if self.passed() {
            "Two processes, one with a single thread, wrote the same bytes."
        } else {
            "Two processes were given the same and did not do the same."
        };
        let mut out = format!(
            "# Determinism report\n\n**Result: {word}**\n\n{sentence}\n\n**Checks:** {}/{} passed.\n\n\
             ## Configuration\n\n| Parameter | Value |\n| :--- | :--- |\n",
            self.checks_passed(),
            self.checks().len()
        );
        let none = || "none".to_owned();
        for (name, value) in [
            ("Task", self.task.clone()),
            ("Episodes", self.episodes.to_string()),
            ("First seed", self.seed.to_string()),
            ("Timing", self.timing.as_str().to_owned()),
            ("Partner", self.partner.clone().unwrap_or_else(none)),
            ("Injection", self.injection.clone().unwrap_or_else(none)),
            ("Scale", self.scale.clone().unwrap_or_else(none)),
            ("Threads", format!("{} and {}", self.first.threads, self.second.threads)),
            ("Program", version::line()),
            ("Platform", platform()),
        ] {
            let _ = writeln!(out, "| {name} | {} |", value.replace('|', "\\|"));
        }
        if !self.passed() {
            out.push_str("\n## Errors\n\n");
            for error in self.errors() {
                let _ = writeln!(out, "- {}", error.replace(['<', '`', '['], " "));
            }
        }
        out.push_str("\n## Hashes\n\n| Check | Run 1 | Run 2 | Same |\n| :--- | :--- | :--- | :--- |\n");
        let (a, b) = (&self.first, &self.second);
        let rows = [
            (&a.log_sha256, &b.log_sha256),
            (&a.chains_sha256, &b.chains_sha256),
            (&a.results_sha256, &b.results_sha256),
        ];
        for ((name, same), (one, two)) in self.checks().into_iter().zip(rows) {
            let (one, two) = (one.get(..16).unwrap_or(one), two.get(..16).unwrap_or(two));
            let _ = writeln!(out, "| {name} | `{one}` | `{two}` | {} |", if same { "yes" } else { "no" });
        }
        out.push_str(
            "\n## Budget\n\n| Figure | Most allowed | Largest difference of an episode |\n| :--- | ---: | ---: |\n",
        );
        for (name, delta) in self.deltas() {
            let _ = writeln!(out, "| {name} | 0 | {delta} |");
        }
        if !self.first.warnings.is_empty() {
            out.push_str("\n## Warnings\n\n");
            for warning in &self.first.warnings {
                let _ = writeln!(out, "- {warning}");
            }
        }
        out.push_str(
            "\n## What is promised\n\nThe same task, policy, seeds and timing give the same log, the same chains and the \
             same results, byte by byte, for any number of threads and on any machine. A run that does nothing repeats \
             as well: read the warnings, and the throughput in the results.\n",
        );
        out
    }
}

fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(threads: usize, throughput: u64) -> RunDigests {
        let results = json!({ "task": "demo", "seeds": [1], "episodes": [{ "seed": 1, "metrics": {
            "throughput": throughput, "p95_turnaround_s": null } }] });
        RunDigests {
            threads,
            log_sha256: "l".repeat(64),
            results_sha256: sha256_hex(results.to_string().as_bytes()),
            chains_sha256: "c".repeat(64),
            results,
            warnings: Vec::new(),
        }
    }

    fn report(second: RunDigests) -> Report {
        Report {
            task: "demo".to_owned(),
            episodes: 1,
            seed: 1,
            partner: None,
            timing: ClockMode::Explicit,
            injection: None,
            scale: None,
            first: digests(1, 3),
            second,
            differences: Vec::new(),
        }
    }

    #[test]
    fn equal_runs_pass_and_threads_may_differ() {
        let found = report(digests(2, 3));
        assert!(found.passed() && found.checks_passed() == 4);
        assert!(found.markdown().contains("**Result: PASSED**") && found.markdown().contains("4/4"));
    }

    #[test]
    fn a_figure_that_differs_fails_and_is_told_by_how_much() {
        let found = report(digests(2, 5));
        assert_eq!(
            found.errors(),
            ["the results differ", "the v0.2 metrics differ", "throughput differs by 2 in an episode"]
        );
        assert!(found.markdown().contains("**Result: FAILED**"));
        let told: Value = serde_json::from_slice(&found.json().unwrap()).unwrap();
        assert_eq!(told["actual_deltas"]["max_throughput_delta"], 2.0);
    }

    #[test]
    fn a_chain_that_differs_fails() {
        let mut other = digests(2, 3);
        other.chains_sha256 = "d".repeat(64);
        assert_eq!(report(other).errors(), ["the audit chains differ"]);
    }

    #[test]
    fn the_heads_of_a_log_are_the_last_chained_steps_of_its_episodes() {
        let log = "{\"episode\":0,\"chain_hash\":\"a\"}\n{\"episode\":0,\"chain_hash\":\"b\"}\n\
            {\"episode\":0,\"chain_hash\":null}\n{\"episode\":1,\"chain_hash\":\"c\"}\n";
        assert_eq!(chain_heads(Path::new("log"), log.as_bytes()).unwrap(), "0 b\n1 c\n");
        assert_eq!(chain_heads(Path::new("log"), b"").unwrap(), "");
        assert!(chain_heads(Path::new("log"), b"{\n").is_err());
    }
}

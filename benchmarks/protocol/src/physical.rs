//! Is what a submission reports possible? Every row of its event log is replayed on the benchmark's network, and every
//! figure that follows from others is worked out again.
//!
//! The replay shares the reader of the benchmark's data with the simulator of this project and nothing else: it knows
//! roads, capacities and payloads, not how a truck decides. A check has one of three outcomes: it holds, it does not and
//! names rows and rules, or it could not be made and says why. What could not be checked never counts as passed.

mod log;
mod replay;
mod site;
mod tables;
#[cfg(test)]
mod tests;

pub use site::Sites;

use crate::evaluate::Rules;
use crate::evaluate::outputs::Outputs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// How many findings of a check are written out; the others are counted.
pub const LISTED_FINDINGS: usize = 20;

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The file.
    pub file: String,
    /// The line in it, a table's header being line 1; null where it is the whole file.
    pub row: Option<u64>,
    /// The rule.
    pub rule: String,
    /// What was found.
    pub detail: String,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhysicalCheck {
    /// Its name.
    pub name: String,
    /// Whether it holds; null when it could not be made.
    pub passed: Option<bool>,
    /// Why it could not be made.
    pub not_checkable: Option<String>,
    /// What is checked.
    pub description: String,
    /// All findings [count].
    pub findings_total: u64,
    /// The first findings, in the order of the files' rows.
    pub findings: Vec<Finding>,
}

/// The physical checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhysicalChecks {
    /// Those that hold [count].
    pub passed: usize,
    /// All of them [count].
    pub total: usize,
    /// Those that could not be made [count].
    pub not_checkable: usize,
    /// Scenarios of the log that the benchmark does not have: their rows are counted, not replayed.
    pub not_replayed: Vec<String>,
    /// In a fixed order.
    pub checks: Vec<PhysicalCheck>,
}

impl PhysicalChecks {
    /// Whether every check was made and holds.
    #[must_use]
    pub fn all_passed(&self) -> bool {
        self.passed == self.total
    }
}

/// The checks, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    ResultsReadable,
    ReplicationsDistinct,
    ReplicationsEnough,
    SeedsDistinct,
    TonnesPerHour,
    SummaryReplications,
    SummaryMeans,
    SummaryIntervals,
    LogReadable,
    LogCovers,
    Time,
    Roads,
    Places,
    Fleet,
    Lanes,
    Loaders,
    Crushers,
    Drives,
    Payloads,
    Durations,
    LogTonnes,
}

impl Name {
    const ALL: [(Self, &'static str, &'static str); 21] = [
        (
            Self::ResultsReadable,
            "results_rows_readable",
            "every row of results.csv has a scenario, whole numbers for replication and seed, and tonnes of 0 or more",
        ),
        (Self::ReplicationsDistinct, "replications_distinct", "a replication of a scenario has one row in results.csv"),
        (
            Self::ReplicationsEnough,
            "replications_enough",
            "every required scenario has as many replications as the benchmark asks for, 30 if it does not say",
        ),
        (Self::SeedsDistinct, "seeds_distinct", "the replications of a scenario have seeds of their own"),
        (Self::TonnesPerHour, "tonnes_per_hour_consistent", "tonnes per hour are tonnes over the length of the shift"),
        (
            Self::SummaryReplications,
            "summary_replications_match_results",
            "summary.json counts the replications that results.csv has, and both have the same scenarios",
        ),
        (Self::SummaryMeans, "summary_means_match_results", "the means of summary.json are those of results.csv"),
        (
            Self::SummaryIntervals,
            "summary_intervals_recompute",
            "the intervals of summary.json are 95 % Student t intervals of results.csv",
        ),
        (
            Self::LogReadable,
            "event_log_rows_readable",
            "every row of event_log.csv has a time, a whole number for the replication, a scenario, a truck and an event",
        ),
        (
            Self::LogCovers,
            "event_log_covers_results",
            "event_log.csv has rows of every replication in results.csv and of no other",
        ),
        (
            Self::Time,
            "time_never_runs_back",
            "within a replication time never runs back, and nothing happens before or after the shift",
        ),
        (
            Self::Roads,
            "moves_follow_open_edges",
            "every move is along an edge of the network, from its begin to its end, that the scenario has not closed",
        ),
        (
            Self::Places,
            "trucks_are_in_one_place",
            "a truck is in one place at a time, and leaves from where it arrived",
        ),
        (Self::Fleet, "trucks_belong_to_fleet", "every truck is one of those that the scenario has"),
        (Self::Lanes, "lanes_within_capacity", "no road has more trucks on it than its capacity at any time"),
        (Self::Loaders, "loaders_within_capacity", "no loader loads more trucks at once than its capacity"),
        (Self::Crushers, "crushers_within_capacity", "no dump point takes more trucks at once than its capacity"),
        (
            Self::Drives,
            "drives_are_possible",
            "no drive is faster than speed limit, truck and the scenario's noise allow",
        ),
        (
            Self::Payloads,
            "payloads_are_possible",
            "a truck carries what it can carry, is loaded before it dumps, and delivers what it was loaded with",
        ),
        (
            Self::Durations,
            "durations_match_data",
            "mean times of drives, loading and dumping are those of the data, within 2 % and five standard errors",
        ),
        (
            Self::LogTonnes,
            "event_log_tonnes_match_results",
            "the tonnes of the completed dumps in event_log.csv are those in results.csv",
        ),
    ];

    /// Those that need the whole event to be understood.
    const REPLAYED: [Self; 10] = [
        Self::Roads,
        Self::Places,
        Self::Fleet,
        Self::Lanes,
        Self::Loaders,
        Self::Crushers,
        Self::Drives,
        Self::Payloads,
        Self::Durations,
        Self::LogTonnes,
    ];
}

/// Findings as they come.
#[derive(Debug, Default)]
pub(crate) struct Book {
    found: BTreeMap<Name, (u64, Vec<Finding>)>,
    not_checkable: BTreeMap<Name, String>,
}

impl Book {
    fn add(&mut self, check: Name, file: &str, row: Option<u64>, rule: &str, detail: impl FnOnce() -> String) {
        let (total, listed) = self.found.entry(check).or_default();
        *total += 1;
        if listed.len() < LISTED_FINDINGS {
            listed.push(Finding { file: file.to_owned(), row, rule: rule.to_owned(), detail: detail() });
        }
    }

    fn cannot(&mut self, checks: &[Name], why: &str) {
        for check in checks {
            self.not_checkable.entry(*check).or_insert_with(|| why.to_owned());
        }
    }

    fn close(mut self, not_replayed: Vec<String>) -> PhysicalChecks {
        let checks: Vec<PhysicalCheck> = Name::ALL
            .into_iter()
            .map(|(check, name, description)| {
                let not_checkable = self.not_checkable.remove(&check);
                // A check that was given up says why and nothing else: its findings may come of what was not understood.
                let (findings_total, mut findings) = match not_checkable {
                    Some(_) => (0, Vec::new()),
                    None => self.found.remove(&check).unwrap_or_default(),
                };
                findings.sort_by(|a, b| (&a.file, a.row).cmp(&(&b.file, b.row)));
                let passed = not_checkable.is_none().then_some(findings_total == 0);
                let (name, description) = (name.to_owned(), description.to_owned());
                PhysicalCheck { name, passed, not_checkable, description, findings_total, findings }
            })
            .collect();
        PhysicalChecks {
            passed: checks.iter().filter(|check| check.passed == Some(true)).count(),
            total: checks.len(),
            not_checkable: checks.iter().filter(|check| check.passed.is_none()).count(),
            not_replayed,
            checks,
        }
    }
}

/// Makes every check.
#[must_use]
pub fn run(sites: &Result<Sites, String>, rules: &Rules, outputs: &Outputs, log: &Path) -> PhysicalChecks {
    let mut book = Book::default();
    tables::check(sites.as_ref().ok(), rules, outputs, &mut book);
    let not_replayed = log::check(sites, outputs, log, &mut book);
    book.close(not_replayed)
}

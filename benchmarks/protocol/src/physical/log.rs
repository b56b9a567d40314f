//! Reads an event log row by row and hands the rows to the replay. A log of a million rows takes no more memory than
//! one of a thousand: what is kept is the state of every replication.

use super::replay::{Kind, Row, Run};
use super::site::{Plan, Sites};
use super::{Book, Name};
use crate::evaluate::outputs::{Outputs, columns, csv_reader, whole};
use csv::ByteRecord;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::path::Path;

pub(super) const FILE: &str = "event_log.csv";

/// Columns that every check of the log needs, and those that the replay needs besides.
const COLUMNS: [&str; 11] = [
    "time_min",
    "replication",
    "scenario_id",
    "truck_id",
    "event_type",
    "from_node",
    "to_node",
    "location",
    "loaded",
    "payload_tonnes",
    "resource_id",
];
const NEEDED: usize = 5;
/// More replications than this in a log whose results cannot be read are not followed [count].
const MOST_RUNS: usize = 20_000;

/// A scenario of the log.
struct Scenario<'a> {
    id: String,
    plan: Option<&'a Plan>,
    first_row: u64,
    /// Sums over all replications, for mean durations.
    durations: super::replay::Durations,
}

/// Checks the log; returns the scenarios of it that could not be replayed because the benchmark does not have them.
pub(super) fn check(sites: &Result<Sites, String>, outputs: &Outputs, path: &Path, book: &mut Book) -> Vec<String> {
    let all = [Name::LogReadable, Name::LogCovers, Name::Time];
    let mut give_up = |why: &str| {
        book.cannot(&all, why);
        book.cannot(&Name::REPLAYED, why);
        Vec::new()
    };
    let mut reader = match csv_reader(path) {
        Ok(reader) => reader,
        Err(why) => return give_up(&why),
    };
    let found = match columns(&mut reader) {
        Ok(found) => found,
        Err(why) => return give_up(&why),
    };
    let places = COLUMNS.map(|name| found.iter().position(|column| column == name));
    let missing = |range: std::ops::Range<usize>| -> Vec<&str> {
        range.filter(|i| places[*i].is_none()).map(|i| COLUMNS[i]).collect()
    };
    let needed = missing(0..NEEDED);
    if !needed.is_empty() {
        return give_up(&format!("event_log.csv has no column {}", needed.join(", ")));
    }
    let for_replay = missing(NEEDED..COLUMNS.len());
    if !for_replay.is_empty() {
        book.cannot(&Name::REPLAYED, &format!("event_log.csv has no column {}", for_replay.join(", ")));
    }
    if let Err(why) = sites {
        book.cannot(&Name::REPLAYED, why);
    }
    let mut reading = Reading {
        sites: sites.as_ref().ok().filter(|_| for_replay.is_empty()),
        scenarios: Vec::new(),
        runs: Vec::new(),
        by_key: FxHashMap::default(),
        expected: expected(outputs),
        foreign: None,
        stray: BTreeMap::new(),
        last: None,
    };
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => reading.row(&record, &places, book),
            Ok(false) => break,
            Err(error) => {
                let row = error.position().map(csv::Position::line);
                book.add(Name::LogReadable, FILE, row, "unreadable", || error.to_string());
                break;
            }
        }
    }
    reading.finish(outputs, book)
}

/// Replications that the results speak of; `None` when these cannot be read.
fn expected(outputs: &Outputs) -> Option<FxHashMap<(String, i64), u64>> {
    let results = outputs.results.as_ref().ok()?;
    let keyed = results.rows.iter().filter_map(|row| Some(((row.scenario.clone(), row.replication?), row.line)));
    Some(keyed.collect())
}

struct Reading<'a> {
    sites: Option<&'a Sites>,
    scenarios: Vec<Scenario<'a>>,
    runs: Vec<Run>,
    by_key: FxHashMap<(usize, i64), usize>,
    expected: Option<FxHashMap<(String, i64), u64>>,
    /// The first event that is not of the vocabulary.
    foreign: Option<(u64, String)>,
    /// First rows of replications that are not followed.
    stray: BTreeMap<(usize, i64), u64>,
    /// The replication of the row before, as it was written: most rows have that of the one before.
    last: Option<(Vec<u8>, Vec<u8>, usize, usize)>,
}

impl<'a> Reading<'a> {
    fn row(&mut self, record: &ByteRecord, places: &[Option<usize>; COLUMNS.len()], book: &mut Book) {
        let line = record.position().map_or(0, csv::Position::line);
        let field = |i: usize| places[i].and_then(|at| record.get(at)).unwrap_or_default().trim_ascii();
        let text = |i: usize| String::from_utf8_lossy(field(i)).into_owned();
        let time = std::str::from_utf8(field(0)).ok().and_then(|text| text.parse::<f64>().ok());
        let Some(time) = time.filter(|time| time.is_finite()) else {
            return book
                .add(Name::LogReadable, FILE, Some(line), "unreadable", || format!("time_min is {:?}", text(0)));
        };
        for i in [2, 3, 4] {
            if field(i).is_empty() {
                book.add(Name::LogReadable, FILE, Some(line), "unreadable", || format!("{} is empty", COLUMNS[i]));
                return;
            }
        }
        let Some((scenario, run)) = self.place(field(2), field(1), line, book) else {
            return;
        };
        let plan = self.scenarios[scenario].plan;
        let run = &mut self.runs[run];
        let in_order = run.clock(
            time,
            plan.map(|plan| plan.warmup_min + plan.shift_min),
            line,
            &self.scenarios[scenario].id,
            book,
        );
        let Some(plan) = plan else {
            return;
        };
        let Some(kind) = Kind::of(field(4)) else {
            self.foreign.get_or_insert_with(|| (line, text(4)));
            return;
        };
        if self.foreign.is_some() {
            return;
        }
        let row = Row {
            line,
            time,
            in_order,
            kind,
            truck: field(3),
            from: field(5),
            to: field(6),
            location: field(7),
            loaded: field(8),
            payload: field(9),
            resource: field(10),
        };
        run.step(plan, &row, &mut self.scenarios[scenario].durations, book);
    }

    /// Scenario and replication of a row; `None` when the replication is not followed.
    fn place(&mut self, scenario: &[u8], replication: &[u8], line: u64, book: &mut Book) -> Option<(usize, usize)> {
        if let Some((last_scenario, last_replication, i, run)) = &self.last
            && last_scenario == scenario
            && last_replication == replication
        {
            return Some((*i, *run));
        }
        let text = String::from_utf8_lossy(replication);
        let Some(number) = whole(&text) else {
            book.add(Name::LogReadable, FILE, Some(line), "unreadable", || format!("replication is {text:?}"));
            return None;
        };
        let id = String::from_utf8_lossy(scenario);
        let known = self.scenarios.iter().position(|known| known.id == id);
        let i = known.unwrap_or_else(|| {
            let plan = self.sites.and_then(|sites| sites.plan(&id));
            let durations = Default::default();
            self.scenarios.push(Scenario { id: id.clone().into_owned(), plan, first_row: line, durations });
            self.scenarios.len() - 1
        });
        let run = match self.by_key.get(&(i, number)) {
            Some(run) => *run,
            None => {
                let follow = match &self.expected {
                    Some(expected) => expected.contains_key(&(id.into_owned(), number)),
                    None => self.runs.len() < MOST_RUNS,
                };
                if !follow {
                    if self.stray.len() < MOST_RUNS {
                        self.stray.entry((i, number)).or_insert(line);
                    }
                    return None;
                }
                self.runs.push(Run::new(i, number, self.scenarios[i].plan));
                self.by_key.insert((i, number), self.runs.len() - 1);
                self.runs.len() - 1
            }
        };
        self.last = Some((scenario.to_vec(), replication.to_vec(), i, run));
        Some((i, run))
    }

    fn finish(mut self, outputs: &Outputs, book: &mut Book) -> Vec<String> {
        for run in &mut self.runs {
            if let Some(plan) = self.scenarios[run.scenario].plan {
                run.finish(plan, book);
            }
        }
        if self.runs.is_empty() && self.stray.is_empty() {
            book.add(Name::LogCovers, FILE, None, "no_rows", || "there is a header and nothing else".to_owned());
            book.cannot(&Name::REPLAYED, "event_log.csv has no rows");
            book.cannot(&[Name::Time], "event_log.csv has no rows");
        }
        if let Some((row, event)) = &self.foreign {
            let why = format!(
                "row {row} of event_log.csv has the event {event:?}, which is not of the replayable vocabulary"
            );
            book.cannot(&Name::REPLAYED, &why);
        }
        self.coverage(outputs, book);
        self.tonnes(outputs, book);
        for scenario in &self.scenarios {
            if let Some(plan) = scenario.plan {
                scenario.durations.check(plan, &scenario.id, scenario.first_row, book);
            }
        }
        let replayed = self.scenarios.iter().filter(|scenario| scenario.plan.is_some()).count();
        if replayed == 0 {
            book.cannot(&Name::REPLAYED, "no scenario of event_log.csv is one of the benchmark's");
        }
        let mut not_replayed: Vec<String> =
            self.scenarios.into_iter().filter(|scenario| scenario.plan.is_none()).map(|scenario| scenario.id).collect();
        not_replayed.sort();
        not_replayed
    }

    fn coverage(&self, outputs: &Outputs, book: &mut Book) {
        let Ok(results) = &outputs.results else {
            return book.cannot(&[Name::LogCovers], "results.csv cannot be read");
        };
        for ((scenario, replication), row) in &self.stray {
            book.add(Name::LogCovers, FILE, Some(*row), "unknown_replication", || {
                format!("replication {replication} of {} is not in results.csv", self.scenarios[*scenario].id)
            });
        }
        for row in &results.rows {
            let Some(replication) = row.replication else {
                continue;
            };
            let scenario = self.scenarios.iter().position(|known| known.id == row.scenario);
            if !scenario.is_some_and(|i| self.by_key.contains_key(&(i, replication))) {
                book.add(Name::LogCovers, "results.csv", Some(row.line), "not_in_log", || {
                    format!("replication {replication} of {} has no row in event_log.csv", row.scenario)
                });
            }
        }
    }

    fn tonnes(&self, outputs: &Outputs, book: &mut Book) {
        let Ok(results) = &outputs.results else {
            return book.cannot(&[Name::LogTonnes], "results.csv cannot be read");
        };
        let mut compared = false;
        for row in &results.rows {
            let (Some(replication), Some(said)) = (row.replication, row.tonnes) else {
                continue;
            };
            let scenario = self.scenarios.iter().position(|known| known.id == row.scenario && known.plan.is_some());
            let Some(run) = scenario.and_then(|i| self.by_key.get(&(i, replication))) else {
                continue;
            };
            compared = true;
            let run = &self.runs[*run];
            if !said.agrees(run.tonnes, 1e-6) {
                book.add(Name::LogTonnes, "results.csv", Some(row.line), "wrong_tonnes", || {
                    format!(
                        "{} t in replication {replication} of {}, the {} completed dumps in event_log.csv are {} t",
                        said.value, row.scenario, run.dumps, run.tonnes
                    )
                });
            }
        }
        if !compared {
            book.cannot(&[Name::LogTonnes], "no replication of results.csv is in event_log.csv");
        }
    }
}

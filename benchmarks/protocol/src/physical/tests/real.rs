//! Logs of the project's own simulator, which knows nothing of the replay: all of the benchmark's scenarios have no finding,
//! and a log that was tampered with is never taken for a good one, nor does it break anything.

use super::{HEADER, line};
use crate::evaluate::outputs::Outputs;
use crate::evaluate::{REQUIRED_SCENARIOS, Rules};
use crate::physical::{PhysicalChecks, Sites, run};
use labtrust_bench::stats::{Confidence, mean_interval, moments};
use labtrust_mine_haulage::dispatch::{Compiled, NearestAvailableLoader};
use labtrust_mine_haulage::{EventLog, MineData, Model, Resource, Scenario};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

fn rows(scenario: &Scenario, replication: u64, log: &EventLog, out: &mut Vec<String>) {
    let site = &scenario.site;
    for row in log.rows() {
        let node = |id: Option<_>| id.map_or("", |id| site.node(id).id.as_str());
        let resource = match row.resource {
            Resource::Road(edge) => &site.edge(edge).id,
            Resource::Loader(loader) => &site.loader(loader).id,
            Resource::Dump(dump) => &site.dump(dump).id,
        };
        out.push(format!(
            "{:.6},{replication},{},{},{},{},{},{},{},{},{resource},{}",
            row.at.as_secs_f64() / 60.0,
            scenario.id,
            site.truck(row.truck).id,
            row.kind.as_str(),
            node(row.from),
            node(row.to),
            node(Some(row.location)),
            row.loaded,
            row.payload_tonnes,
            row.queue_length
        ));
    }
}

struct Study {
    log: Vec<String>,
    results: Vec<String>,
    summary: Value,
}

fn study(ids: &[&str], replications: u64) -> Study {
    let data = MineData::built_in();
    let (mut log, mut results, mut scenarios) = (Vec::new(), Vec::new(), Map::new());
    for id in ids {
        let scenario = data.scenario(id, &[]).unwrap();
        let model = Model::new(&scenario, &Compiled::<NearestAvailableLoader>::NEW).unwrap();
        let mut tonnes = Vec::new();
        for replication in 0..replications {
            let seed = scenario.base_seed + replication;
            let mut events = EventLog::new();
            let outcome = model.replicate(seed, Some(&mut events)).unwrap();
            rows(&scenario, replication, &events, &mut log);
            let rate = outcome.tonnes / scenario.shift_hours();
            results.push(format!("{id},{replication},{seed},{},{rate}", outcome.tonnes));
            tonnes.push(outcome.tonnes);
        }
        let mean = moments(&tonnes).unwrap().mean;
        let bounds = mean_interval(&tonnes, Confidence::P95).unwrap();
        let figures = json!({
            "replications": replications, "shift_length_hours": 8, "total_tonnes_mean": mean,
            "total_tonnes_ci95_low": bounds.lower, "total_tonnes_ci95_high": bounds.upper,
            "tonnes_per_hour_mean": mean / 8.0,
        });
        scenarios.insert((*id).to_owned(), figures);
    }
    Study { log, results, summary: json!({ "benchmark_id": "001", "scenarios": scenarios }) }
}

impl Study {
    fn check(&self, log: &str, rules: &Rules) -> PhysicalChecks {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| std::fs::write(dir.path().join(path), text).unwrap();
        let header = "scenario_id,replication,random_seed,total_tonnes_delivered,tonnes_per_hour";
        put("results.csv", &format!("{header}\n{}\n", self.results.join("\n")));
        put("summary.json", &self.summary.to_string());
        put("event_log.csv", log);
        run(&Sites::built_in(), rules, &Outputs::read(dir.path()), &dir.path().join("event_log.csv"))
    }
}

fn file(rows: &[String]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

#[test]
fn what_the_simulator_logs_is_possible_in_every_scenario() {
    let study = study(&REQUIRED_SCENARIOS, 30);
    let checks = study.check(&file(&study.log), &Rules::default());
    let wrong: Vec<_> = checks.checks.iter().filter(|check| check.passed != Some(true)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((checks.passed, checks.not_replayed.len()), (21, 0));
}

#[test]
fn roads_that_are_closed_in_one_scenario_are_open_in_another() {
    let mut study = study(&["baseline"], 2);
    let rules = Rules { minimum_replications: 2, required_scenarios: vec!["baseline".to_owned()], ..Rules::default() };
    assert!(study.check(&file(&study.log), &rules).all_passed());
    // The same rows under the name of the scenario without the ramp.
    let rename = |text: &str| text.replace("baseline", "ramp_closed");
    study.results = study.results.iter().map(|row| rename(row)).collect();
    study.summary = serde_json::from_str(&rename(&study.summary.to_string())).unwrap();
    let log = rename(&file(&study.log));
    let first = study.log.iter().position(|row| row.contains("road_entered") && row.contains(",E03_")).unwrap();
    let checks = study.check(&log, &rules);
    let roads = checks.checks.iter().find(|check| check.name == "moves_follow_open_edges").unwrap();
    assert_eq!((roads.findings[0].rule.as_str(), roads.findings[0].row), ("closed_edge", Some(line(first) as u64)));
}

/// One shift, made once for all cases.
fn shift() -> &'static Study {
    static SHIFT: OnceLock<Study> = OnceLock::new();
    SHIFT.get_or_init(|| study(&["baseline"], 2))
}

fn small_rules() -> Rules {
    Rules { minimum_replications: 2, required_scenarios: vec!["baseline".to_owned()], ..Rules::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A row that says that a truck moves, is loaded or dumps cannot be left out, told twice or told of another truck.
    #[test]
    fn a_log_that_was_tampered_with_is_not_taken_for_a_good_one(at in any::<prop::sample::Index>(), how in 0..3) {
        let mut rows = shift().log.clone();
        let events = ["road_entered", "road_left", "loading_started", "loading_finished", "dumping_started", "dumping_finished"];
        let moves: Vec<usize> = (0..rows.len()).filter(|at| events.iter().any(|event| rows[*at].contains(event))).collect();
        let at = moves[at.index(moves.len())];
        // What a truck does last in a shift can be left out: nothing follows from it.
        let (run, truck) = (rows[at].split(',').nth(1).unwrap().to_owned(), rows[at].split(',').nth(3).unwrap().to_owned());
        let follows = rows[at + 1..].iter().any(|row| {
            let mut fields = row.split(',').skip(1);
            (fields.next(), fields.nth(1)) == (Some(run.as_str()), Some(truck.as_str())) && !row.contains("shift_ended")
        });
        prop_assume!(follows || how != 0);
        match how {
            0 => drop(rows.remove(at)),
            1 => rows.insert(at, rows[at].clone()),
            _ => {
                let other = if truck == "T01" { "T02" } else { "T01" };
                rows[at] = rows[at].replace(&format!(",{truck},"), &format!(",{other},"));
            }
        }
        prop_assert!(!shift().check(&file(&rows), &small_rules()).all_passed());
    }

    #[test]
    fn a_log_that_was_damaged_breaks_nothing(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = file(&shift().log[..shift().log.len().min(2000)]).into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("event_log.csv"), &bytes).unwrap();
        std::fs::write(dir.path().join("results.csv"), &bytes[..bytes.len() / 2]).unwrap();
        let outputs = Outputs::read(dir.path());
        let checks = run(&Sites::built_in(), &small_rules(), &outputs, &dir.path().join("event_log.csv"));
        prop_assert_eq!(checks.checks.len(), 21);
    }
}

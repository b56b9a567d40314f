//! Logs of a small mine that are right, and the same logs with one fault each.
//!
//! One truck alone does the same cycle again and again, so that a log can be written by hand; a second one waits for it.

mod real;

use super::site::Sites;
use super::{LISTED_FINDINGS, PhysicalChecks, run};
use crate::evaluate::Rules;
use crate::evaluate::outputs::Outputs;
use labtrust_mine_haulage::MineData;
use std::fmt::Write as _;
use std::path::Path;

/// Replications of the small study.
const REPLICATIONS: u64 = 30;
/// Cycles in every replication.
const CYCLES: usize = 2;

const HEADER: &str = "time_min,replication,scenario_id,truck_id,event_type,from_node,to_node,location,loaded,payload_tonnes,resource_id,queue_length";

/// A mine of two nodes' distance: park and face and crusher along one road, in the layout of a benchmark's data.
fn mine() -> Sites {
    let dir = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put(
        "nodes.csv",
        "node_id,node_name,node_type,x_m,y_m,z_m,capacity,service_time_mean_min,service_time_sd_min,metadata\n\
         P,Park,parking,0,0,0,20,,,\nF,Face,load_ore,1000,0,0,1,5,0,\nC,Crusher,crusher,2000,0,0,1,3,0,\n",
    );
    put(
        "edges.csv",
        "edge_id,from_node,to_node,distance_m,max_speed_kph,road_type,capacity,closed,metadata\n\
         A_UP,P,F,1000,30,flat,999,false,\nA_DOWN,F,P,1000,30,flat,999,false,\n\
         B_UP,F,C,1000,30,haul,1,false,\nB_DOWN,C,F,1000,30,haul,1,false,\n\
         X_UP,F,C,900,30,haul,1,true,\n",
    );
    put(
        "trucks.csv",
        "truck_id,payload_tonnes,empty_speed_factor,loaded_speed_factor,availability,start_node\n\
         T1,100,1.0,0.5,1.0,P\nT2,100,1.0,0.5,1.0,P\n",
    );
    put(
        "loaders.csv",
        "loader_id,node_id,capacity,bucket_capacity_tonnes,mean_load_time_min,sd_load_time_min,availability\nL,F,1,100,5,0,1.0\n",
    );
    put("dump_points.csv", "dump_id,node_id,type,capacity,mean_dump_time_min,sd_dump_time_min\nD,C,crusher,1,3,0\n");
    let baseline = std::fs::read_to_string(baseline()).unwrap();
    let small =
        [("[LOAD_N, LOAD_S]", "[F]"), ("destination: CRUSH", "destination: C"), ("truck_count: 8", "truck_count: 2")];
    let small = small.into_iter().fold(baseline, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    put("scenarios/baseline.yaml", &small);
    Sites::load(dir.path()).unwrap_or_else(|why| panic!("{why}"))
}

fn baseline() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../001_synthetic_mine_throughput/data/scenarios/baseline.yaml")
}

/// Rows of one replication: T1 does [`CYCLES`] cycles, T2 follows until it waits for the loader.
fn replication(number: u64) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = |time: f64,
                   truck: &str,
                   event: &str,
                   from: &str,
                   to: &str,
                   at: &str,
                   loaded: bool,
                   tonnes: u32,
                   resource: &str| {
        rows.push(format!(
            "{time:.6},{number},baseline,{truck},{event},{from},{to},{at},{loaded},{tonnes},{resource},0"
        ));
    };
    for truck in ["T1", "T2"] {
        row(0.0, truck, "dispatched", "", "F", "P", false, 0, "L");
        row(0.0, truck, "road_entered", "P", "F", "P", false, 0, "A_UP");
    }
    row(2.0, "T1", "road_left", "P", "F", "F", false, 0, "A_UP");
    row(2.0, "T1", "loading_started", "", "", "F", false, 0, "L");
    row(2.0, "T2", "road_left", "P", "F", "F", false, 0, "A_UP");
    row(2.0, "T2", "loader_queued", "", "", "F", false, 0, "L");
    let mut now = 2.0;
    for cycle in 0..CYCLES {
        row(now + 5.0, "T1", "loading_finished", "", "", "F", true, 100, "L");
        if cycle == 0 {
            row(now + 5.0, "T2", "loading_started", "", "", "F", false, 0, "L");
        }
        row(now + 5.0, "T1", "road_entered", "F", "C", "F", true, 100, "B_UP");
        row(now + 9.0, "T1", "road_left", "F", "C", "C", true, 100, "B_UP");
        row(now + 9.0, "T1", "dumping_started", "", "", "C", true, 100, "D");
        if cycle == 0 {
            row(now + 10.0, "T2", "loading_finished", "", "", "F", true, 100, "L");
        }
        row(now + 12.0, "T1", "dumping_finished", "", "", "C", false, 100, "D");
        row(now + 12.0, "T1", "dispatched", "", "F", "C", false, 0, "L");
        row(now + 12.0, "T1", "road_entered", "C", "F", "C", false, 0, "B_DOWN");
        row(now + 14.0, "T1", "road_left", "C", "F", "F", false, 0, "B_DOWN");
        row(now + 14.0, "T1", "loading_started", "", "", "F", false, 0, "L");
        now += 14.0;
    }
    for (truck, loaded) in [("T1", false), ("T2", true)] {
        row(480.0, truck, "shift_ended", "", "", "F", loaded, 0, "");
    }
    rows
}

/// A submission of the small mine.
struct Study {
    results: Vec<String>,
    summary: String,
    log: Vec<String>,
}

impl Study {
    fn right() -> Self {
        let mut study = Self { results: Vec::new(), summary: String::new(), log: Vec::new() };
        let mut totals = Vec::new();
        for number in 0..REPLICATIONS {
            // Every third replication is cut off after its first cycle, so that there is something to estimate.
            let mut rows = replication(number);
            let mut tonnes = 100.0 * CYCLES as f64;
            if number % 3 == 0 {
                let second =
                    rows.iter().enumerate().filter(|(_, row)| row.contains("dumping_finished")).nth(1).unwrap().0;
                rows.truncate(second);
                tonnes -= 100.0;
            }
            study.log.extend(rows);
            totals.push(tonnes);
            study.results.push(format!("baseline,{number},{},{tonnes},{}", 12_345 + number, tonnes / 8.0));
        }
        let mean = totals.iter().sum::<f64>() / 30.0;
        let deviation = libm::sqrt(totals.iter().map(|t| (t - mean) * (t - mean)).sum::<f64>() / 29.0);
        // scipy.stats.t.ppf(0.975, 29)
        let half = 2.045_229_642_132_703 * deviation / libm::sqrt(30.0);
        study.summary = format!(
            "{{\n\"benchmark_id\": \"001\",\n\"scenarios\": {{\n\"baseline\": {{\n\"replications\": 30,\n\
             \"total_tonnes_mean\": {mean:.3},\n\"total_tonnes_ci95_low\": {:.3},\n\"total_tonnes_ci95_high\": {:.3},\n\
             \"tonnes_per_hour_mean\": {:.4}\n}}}}}}\n",
            mean - half,
            mean + half,
            mean / 8.0
        );
        study
    }

    /// The line of the first row of replication `number` that has `parts` in it, after skipping `skip` of them.
    fn find(&self, number: u64, parts: &[&str], skip: usize) -> usize {
        let of = format!(",{number},baseline,");
        let rows = self.log.iter().enumerate();
        let mut found = rows.filter(|(_, row)| row.contains(&of) && parts.iter().all(|part| row.contains(part)));
        found.nth(skip).unwrap_or_else(|| panic!("no row {parts:?}")).0
    }

    fn check(&self) -> PhysicalChecks {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| std::fs::write(dir.path().join(path), text).unwrap();
        put("summary.json", &self.summary);
        let header = "scenario_id,replication,random_seed,total_tonnes_delivered,tonnes_per_hour";
        put("results.csv", &format!("{header}\n{}\n", self.results.join("\n")));
        let mut log = format!("{HEADER}\n");
        self.log.iter().for_each(|row| writeln!(log, "{row}").unwrap());
        put("event_log.csv", &log);
        let rules = Rules { required_scenarios: vec!["baseline".to_owned()], ..Rules::default() };
        run(&Ok(mine()), &rules, &Outputs::read(dir.path()), &dir.path().join("event_log.csv"))
    }

    /// Findings as `check file:row rule`.
    fn findings(&self) -> Vec<String> {
        let checks = self.check();
        let open: Vec<_> = checks.checks.iter().filter(|check| check.passed.is_none()).collect();
        assert!(open.is_empty(), "{open:?}");
        let lines = checks.checks.iter().flat_map(|check| {
            let line = |row: Option<u64>| row.map_or_else(String::new, |row| format!(":{row}"));
            check.findings.iter().map(move |one| format!("{} {}{} {}", check.name, one.file, line(one.row), one.rule))
        });
        lines.collect()
    }
}

/// The line in the file of a row of the log.
fn line(at: usize) -> usize {
    at + 2
}

#[test]
fn a_log_that_is_possible_has_no_finding() {
    let checks = Study::right().check();
    assert_eq!(Study::right().findings(), Vec::<String>::new());
    assert_eq!((checks.passed, checks.total, checks.not_checkable), (21, 21, 0));
    assert!(checks.all_passed());
}

/// Changes a right study and says what has to be found; there must be nothing else.
fn one_fault(name: &str, change: impl FnOnce(&mut Study) -> Vec<String>) {
    let mut study = Study::right();
    let mut expected = change(&mut study);
    let mut found = study.findings();
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "{name}");
}

#[test]
fn a_lane_with_too_many_trucks_is_found() {
    one_fault("two trucks on a single lane", |study| {
        // T2 drives off as soon as it is loaded, and T1 has not left the lane: put back by a minute and a half.
        let at = study.find(1, &["T2,loading_finished"], 0);
        let before = study.find(1, &["T1,road_left,F,C"], 0);
        let row = study.log.remove(at).replace("12.000000", "10.500000");
        study.log.insert(before, row);
        study.log.insert(before + 1, "10.500000,1,baseline,T2,road_entered,F,C,F,true,100,B_UP,0".to_owned());
        let end = study.find(1, &["T2,shift_ended"], 0);
        study.log.insert(end, "15.000000,1,baseline,T2,road_left,F,C,C,true,100,B_UP,0".to_owned());
        // In the order of time.
        let left = study.log.remove(end);
        let later = study.find(1, &["T1,dispatched,,F,C"], 0);
        study.log.insert(later + 2, left);
        let end = study.find(1, &["T2,shift_ended"], 0);
        study.log[end] = "480.000000,1,baseline,T2,shift_ended,,,C,true,0,,0".to_owned();
        vec![format!("lanes_within_capacity event_log.csv:{} over_capacity", line(before + 1))]
    });
}

#[test]
fn trucks_that_change_places_within_one_moment_are_no_crowd() {
    one_fault("the next is told before the last", |study| {
        let finished = study.find(1, &["T1,loading_finished"], 0);
        let started = study.find(1, &["T2,loading_started"], 0);
        study.log.swap(finished, started);
        vec![]
    });
}

#[test]
fn a_loader_and_a_crusher_with_too_many_trucks_are_found() {
    one_fault("loader", |study| {
        let at = study.find(1, &["T2,loader_queued"], 0);
        study.log[at] = "2.000000,1,baseline,T2,loading_started,,,F,false,0,L,0".to_owned();
        let twice = study.find(1, &["T2,loading_started", "7.000000"], 0);
        study.log.remove(twice);
        let finished = study.find(1, &["T2,loading_finished"], 0);
        let row = study.log.remove(finished).replace("12.000000", "7.000000");
        let first = study.find(1, &["T1,loading_finished"], 0);
        study.log.insert(first, row);
        vec![format!("loaders_within_capacity event_log.csv:{} over_capacity", line(at))]
    });
    one_fault("crusher", |study| {
        // T2 follows on the lane in the moment in which T1 leaves it, four minutes later: T1 has to dump for longer.
        let finished = study.find(1, &["T2,loading_finished"], 0);
        let mut add = |at: usize, row: &str| study.log.insert(at, row.to_owned());
        add(finished + 1, "12.000000,1,baseline,T2,road_entered,F,C,F,true,100,B_UP,0");
        add(finished + 2, "13.500000,1,baseline,T2,road_left,F,C,C,true,100,B_UP,0");
        add(finished + 3, "13.500000,1,baseline,T2,dumping_started,,,C,true,100,D,0");
        let end = study.find(1, &["T2,shift_ended"], 0);
        study.log[end] = "480.000000,1,baseline,T2,shift_ended,,,C,true,0,,0".to_owned();
        // Nor does it ever finish: T1 finds it there the next time.
        let again = study.find(1, &["T1,dumping_started"], 1);
        vec![
            format!("crushers_within_capacity event_log.csv:{} over_capacity", line(finished + 3)),
            format!("crushers_within_capacity event_log.csv:{} over_capacity", line(again)),
            format!("drives_are_possible event_log.csv:{} too_fast", line(finished + 2)),
        ]
    });
}

#[test]
fn a_truck_that_is_somewhere_else_or_in_two_places_is_found() {
    one_fault("teleport", |study| {
        let at = study.find(2, &["T1,road_entered,F,C"], 0);
        let left = study.find(2, &["T1,road_left,F,C"], 0);
        study.log.remove(left);
        study.log.remove(at);
        vec![format!("trucks_are_in_one_place event_log.csv:{} teleport", line(left - 1))]
    });
    one_fault("dispatched from where it is not", |study| {
        let at = study.find(2, &["T1,dispatched,,F,C"], 0);
        study.log[at] = study.log[at].replace(",,F,C,", ",,F,P,");
        // The row is believed, and the next one is somewhere else again.
        vec![
            format!("trucks_are_in_one_place event_log.csv:{} teleport", line(at)),
            format!("trucks_are_in_one_place event_log.csv:{} teleport", line(at + 1)),
        ]
    });
    one_fault("two places", |study| {
        let at = study.find(2, &["T2,loading_finished"], 0);
        study.log.insert(at, "11.500000,2,baseline,T2,road_entered,F,C,F,false,0,B_UP,0".to_owned());
        vec![
            format!("trucks_are_in_one_place event_log.csv:{} two_places", line(at)),
            format!("trucks_are_in_one_place event_log.csv:{} not_in_service", line(at + 1)),
        ]
    });
    one_fault("after its end", |study| {
        let at = study.find(2, &["T2,shift_ended"], 0);
        study.log.insert(at + 1, "480.000000,2,baseline,T2,dispatched,,F,F,true,0,L,0".to_owned());
        vec![format!("trucks_are_in_one_place event_log.csv:{} after_its_end", line(at + 1))]
    });
    one_fault("a truck of nobody", |study| {
        let at = study.find(2, &["T2,shift_ended"], 0);
        study.log.insert(at + 1, "480.000000,2,baseline,T3,shift_ended,,,P,false,0,,0".to_owned());
        vec![format!("trucks_belong_to_fleet event_log.csv:{} unknown_truck", line(at + 1))]
    });
}

#[test]
fn a_time_that_runs_back_or_lies_outside_the_shift_is_found() {
    one_fault("back", |study| {
        let at = study.find(4, &["T1,dispatched,,F,C"], 0);
        study.log[at] = study.log[at].replace("14.000000", "13.000000");
        vec![format!("time_never_runs_back event_log.csv:{} time_runs_back", line(at))]
    });
    one_fault("before", |study| {
        let at = study.find(4, &["T1,dispatched"], 0);
        study.log[at] = study.log[at].replace("0.000000", "-1.000000");
        vec![format!("time_never_runs_back event_log.csv:{} time_runs_back", line(at))]
    });
    one_fault("after", |study| {
        let at = study.find(4, &["T2,shift_ended"], 0);
        study.log[at] = study.log[at].replace("480.000000", "480.100000");
        vec![format!("time_never_runs_back event_log.csv:{} after_shift", line(at))]
    });
}

#[test]
fn a_move_that_no_open_road_allows_is_found() {
    let entered_and_left = |study: &mut Study, from: &str, to: &str| {
        let at = study.find(5, &["T1,road_entered,F,C"], 0);
        let left = study.find(5, &["T1,road_left,F,C"], 0);
        for at in [at, left] {
            study.log[at] = study.log[at].replace(from, to);
        }
        (line(at), line(left))
    };
    one_fault("closed", |study| {
        let (at, _) = entered_and_left(study, "B_UP", "X_UP");
        vec![format!("moves_follow_open_edges event_log.csv:{at} closed_edge")]
    });
    one_fault("not there", |study| {
        let (at, left) = entered_and_left(study, "B_UP", "Z_UP");
        vec![
            format!("moves_follow_open_edges event_log.csv:{at} unknown_edge"),
            format!("moves_follow_open_edges event_log.csv:{left} unknown_edge"),
            format!("trucks_are_in_one_place event_log.csv:{} teleport", left + 1),
        ]
    });
    one_fault("other ends", |study| {
        let (at, left) = entered_and_left(study, ",F,C,", ",C,F,");
        vec![
            format!("moves_follow_open_edges event_log.csv:{at} wrong_ends"),
            format!("moves_follow_open_edges event_log.csv:{left} wrong_ends"),
        ]
    });
}

#[test]
fn tonnes_that_nobody_brought_are_found() {
    one_fault("a dump too many", |study| {
        let at = study.find(1, &["T1,dumping_finished"], 0);
        study.log.insert(at + 1, study.log[at].clone());
        vec![
            format!("trucks_are_in_one_place event_log.csv:{} not_in_service", line(at + 1)),
            format!("payloads_are_possible event_log.csv:{} unpaid_tonnes", line(at + 1)),
        ]
    });
    one_fault("results say more", |study| {
        study.results[1] = "baseline,1,12346,300,37.5".to_owned();
        study.summary = study.summary.replace("\"total_tonnes_mean\": 166.667", "\"total_tonnes_mean\": 170");
        let mut found = vec!["event_log_tonnes_match_results results.csv:3 wrong_tonnes".to_owned()];
        found.extend([7, 8].map(|row| format!("summary_intervals_recompute summary.json:{row} wrong_interval")));
        found.push("summary_means_match_results summary.json:9 wrong_mean".to_owned());
        found
    });
    one_fault("a heavier truck", |study| {
        let at = study.find(1, &["T1,dumping_finished"], 0);
        study.log[at] = study.log[at].replace(",100,D", ",150,D");
        vec![format!("payloads_are_possible event_log.csv:{} wrong_payload", line(at))]
    });
    one_fault("dumped empty", |study| {
        let rows = [study.find(1, &["T1,loading_started"], 0), study.find(1, &["T1,loading_finished"], 0)];
        study.log.remove(rows[1]);
        study.log.remove(rows[0]);
        let entered = study.find(1, &["T1,road_entered,F,C"], 0);
        let left = study.find(1, &["T1,road_left,F,C"], 0);
        let begun = study.find(1, &["T1,dumping_started"], 0);
        vec![
            format!("payloads_are_possible event_log.csv:{} wrong_load", line(entered)),
            format!("payloads_are_possible event_log.csv:{} wrong_load", line(left)),
            format!("payloads_are_possible event_log.csv:{} nothing_to_dump", line(begun)),
        ]
    });
}

#[test]
fn a_drive_that_is_too_fast_is_found_and_so_are_services_that_are_too_short_on_average() {
    one_fault("one drive", |study| {
        let at = study.find(1, &["T1,road_left,C,F"], 0);
        study.log[at] = study.log[at].replace("16.000000", "14.500000");
        vec![format!("drives_are_possible event_log.csv:{} too_fast", line(at))]
    });
    one_fault("all dumps", |study| {
        for number in 0..REPLICATIONS {
            let done = study.find(number, &["T1,dumping_finished"], 0);
            for at in done..=done + 2 {
                study.log[at] = study.log[at].replace("14.000000", "13.000000");
            }
        }
        let first = line(0);
        vec![format!("durations_match_data event_log.csv:{first} mean_dumping")]
    });
}

#[test]
fn a_summary_that_does_not_follow_from_the_results_is_found() {
    one_fault("mean", |study| {
        study.summary = study.summary.replace("\"total_tonnes_mean\": 166.667", "\"total_tonnes_mean\": 166.7");
        vec![]
    });
    one_fault("mean", |study| {
        study.summary = study.summary.replace("\"total_tonnes_mean\": 166.667", "\"total_tonnes_mean\": 167.2");
        vec!["summary_means_match_results summary.json:6 wrong_mean".to_owned()]
    });
    one_fault("an interval of a normal distribution", |study| {
        let deviation = libm::sqrt(30.0 / 29.0 * 100.0 * 100.0 * 2.0 / 9.0);
        let low = 500.0 / 3.0 - 1.959_964 * deviation / libm::sqrt(30.0);
        let text = study.summary.lines().find(|line| line.contains("ci95_low")).unwrap().to_owned();
        study.summary = study.summary.replace(&text, &format!("\"total_tonnes_ci95_low\": {low:.3},"));
        vec!["summary_intervals_recompute summary.json:7 wrong_interval".to_owned()]
    });
    one_fault("count", |study| {
        study.summary = study.summary.replace("\"replications\": 30", "\"replications\": 31");
        vec!["summary_replications_match_results summary.json:5 wrong_count".to_owned()]
    });
    one_fault("rate", |study| {
        study.results[1] = "baseline,1,12346,200,26".to_owned();
        study.summary = study.summary.replace("\"tonnes_per_hour_mean\": 20.8333", "\"tonnes_per_hour_mean\": 20.8667");
        vec!["tonnes_per_hour_consistent results.csv:3 wrong_rate".to_owned()]
    });
    one_fault("seed", |study| {
        study.results[4] = study.results[4].replace("12349", "12345");
        vec!["seeds_distinct results.csv:6 repeated_seed".to_owned()]
    });
    one_fault("replication", |study| {
        study.results[4] = study.results[4].replace("baseline,4,", "baseline,5,");
        let of_four = line(study.find(4, &[""], 0));
        vec![
            "replications_distinct results.csv:7 repeated_replication".to_owned(),
            "replications_enough results.csv:31 too_few_replications".to_owned(),
            format!("event_log_covers_results event_log.csv:{of_four} unknown_replication"),
        ]
    });
}

#[test]
fn too_few_replications_are_found() {
    one_fault("29", |study| {
        let first = study.find(29, &[""], 0);
        study.log.truncate(first);
        study.results.truncate(29);
        let mean = 4800.0 / 29.0;
        study.summary = format!(
            "{{\"scenarios\": {{\"baseline\": {{\"replications\": 29, \"total_tonnes_mean\": {mean:.3}, \
             \"total_tonnes_ci95_low\": null, \"tonnes_per_hour_mean\": {:.4}, \"tonnes_per_hour_ci95_low\": {:.3}}}}}}}",
            mean / 8.0,
            // scipy: mean - t.ppf(0.975, 28) * std(ddof=1) / sqrt(29), of 19 times 25 and 10 times 12.5 t/h.
            HOURLY_LOW
        );
        vec!["replications_enough results.csv:30 too_few_replications".to_owned()]
    });
}

const HOURLY_LOW: f64 = 18.389664;

#[test]
fn a_row_that_cannot_be_read_is_told_and_the_others_are_followed() {
    one_fault("time", |study| {
        let at = study.find(3, &["T2,dispatched"], 0);
        study.log[at] = study.log[at].replace("0.000000", "zero");
        vec![format!("event_log_rows_readable event_log.csv:{} unreadable", line(at))]
    });
    one_fault("replication", |study| {
        let at = study.find(3, &["T2,dispatched"], 0);
        study.log[at] = study.log[at].replace(",3,baseline", ",three,baseline");
        vec![format!("event_log_rows_readable event_log.csv:{} unreadable", line(at))]
    });
    one_fault("an empty field", |study| {
        let at = study.find(3, &["T2,dispatched"], 0);
        study.log[at] = study.log[at].replace("T2", "");
        vec![format!("event_log_rows_readable event_log.csv:{} unreadable", line(at))]
    });
    one_fault("cut in half", |study| {
        let at = study.find(29, &["T2,shift_ended"], 0);
        study.log[at].truncate(10);
        vec![format!("event_log_rows_readable event_log.csv:{} unreadable", line(at))]
    });
    one_fault("tonnes", |study| {
        study.results[1] = "baseline,1,12346,many,25".to_owned();
        vec![
            "results_rows_readable results.csv:3 unreadable".to_owned(),
            "summary_means_match_results summary.json:6 wrong_mean".to_owned(),
            "summary_intervals_recompute summary.json:7 wrong_interval".to_owned(),
            "summary_intervals_recompute summary.json:8 wrong_interval".to_owned(),
        ]
    });
}

/// Names of the checks that could not be made, with the reason of the first.
fn open(checks: &PhysicalChecks) -> (Vec<&str>, String) {
    let open: Vec<_> = checks.checks.iter().filter(|check| check.passed.is_none()).collect();
    let why = open.first().and_then(|check| check.not_checkable.clone()).unwrap_or_default();
    (open.iter().map(|check| check.name.as_str()).collect(), why)
}

const REPLAYED: [&str; 10] = [
    "moves_follow_open_edges",
    "trucks_are_in_one_place",
    "trucks_belong_to_fleet",
    "lanes_within_capacity",
    "loaders_within_capacity",
    "crushers_within_capacity",
    "drives_are_possible",
    "payloads_are_possible",
    "durations_match_data",
    "event_log_tonnes_match_results",
];

#[test]
fn an_event_of_another_vocabulary_makes_the_replay_not_checkable_and_never_a_pass() {
    let mut study = Study::right();
    // And a fault besides: what is not understood may excuse it, so neither is told.
    let at = study.find(1, &["T1,dumping_finished"], 0);
    study.log.insert(at + 1, study.log[at].clone());
    let at = study.find(7, &["T1,loading_started"], 0);
    study.log[at] = study.log[at].replace("loading_started", "start_loading");
    let checks = study.check();
    let (open, why) = open(&checks);
    assert_eq!(open, REPLAYED);
    assert!(why.contains(&format!("row {}", line(at))) && why.contains("start_loading"), "{why}");
    assert_eq!((checks.passed, checks.not_checkable), (11, 10));
    assert!(!checks.all_passed());
    // Time can be checked in any vocabulary.
    study.log[at] = study.log[at].replace("2.000000", "1.000000");
    let time = study.check().checks.into_iter().find(|check| check.name == "time_never_runs_back").unwrap();
    assert_eq!((time.passed, time.findings_total), (Some(false), 1));
}

#[test]
fn an_empty_log_with_a_right_header_passes_nothing_of_the_replay() {
    let mut study = Study::right();
    study.log.clear();
    let checks = study.check();
    let (open, why) = open(&checks);
    assert_eq!(open[1..], REPLAYED, "{open:?}");
    assert_eq!((open[0], why.as_str()), ("time_never_runs_back", "event_log.csv has no rows"));
    let covers = checks.checks.iter().find(|check| check.name == "event_log_covers_results").unwrap();
    assert_eq!(covers.passed, Some(false));
    assert_eq!((covers.findings_total, covers.findings.len()), (31, LISTED_FINDINGS));
    assert_eq!(covers.findings[0].rule, "no_rows");
}

#[test]
fn a_log_without_a_column_and_results_that_are_not_there_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("event_log.csv");
    std::fs::write(&log, "time_min,replication,scenario_id,truck_id,event_type\n0,1,baseline,T1,dispatched\n").unwrap();
    let checks = run(&Ok(mine()), &Rules::default(), &Outputs::read(dir.path()), &log);
    let reason = |name: &str| {
        let check = checks.checks.iter().find(|check| check.name == name).unwrap();
        assert_eq!(check.passed, None, "{name}");
        check.not_checkable.clone().unwrap()
    };
    assert!(reason("lanes_within_capacity").contains("no column from_node, to_node"));
    assert!(reason("replications_enough").contains("results.csv cannot be read"));
    assert!(reason("event_log_covers_results").contains("results.csv cannot be read"));
    std::fs::write(&log, "time_min,replication\n0,1\n").unwrap();
    let checks = run(&Err("no data".to_owned()), &Rules::default(), &Outputs::read(dir.path()), &log);
    assert_eq!((checks.passed, checks.not_checkable), (0, 21));
    std::fs::remove_file(&log).unwrap();
    let checks = run(&Ok(mine()), &Rules::default(), &Outputs::read(dir.path()), &log);
    assert_eq!((checks.passed, checks.not_checkable), (0, 21));
}

#[test]
fn scenarios_of_the_submitters_own_are_counted_and_not_replayed() {
    let mut study = Study::right();
    study.log.push("0.000000,1,night,T1,dispatched,,F,P,false,0,L,0".to_owned());
    study.results.push("night,1,7,100,12.5".to_owned());
    study.summary = study.summary.replace(
        "\"scenarios\": {\n",
        "\"scenarios\": {\"night\": {\"replications\": 1, \"shift_length_hours\": 8, \"total_tonnes_mean\": 100, \"tonnes_per_hour_mean\": 12.5},\n",
    );
    let checks = study.check();
    assert_eq!(study.findings(), Vec::<String>::new());
    assert_eq!(checks.not_replayed, ["night"]);
}

#[test]
fn the_benchmark_of_this_program_can_be_replayed_on() {
    let sites = Sites::built_in().unwrap();
    for id in crate::evaluate::REQUIRED_SCENARIOS {
        let plan = sites.plan(id).unwrap();
        assert_eq!((plan.shift_min, plan.edges.len(), plan.loaders.len()), (480.0, 34, 2), "{id}");
        let closed = plan.edges.iter().filter(|edge| edge.closed).count();
        assert_eq!(closed, if id == "ramp_closed" { 2 } else { 0 }, "{id}");
    }
    assert_eq!(MineData::built_in().scenario_ids().len(), 6);
}

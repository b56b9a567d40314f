//! One machine: threads, kills, damage and crashes.

use super::bench::{POLICY, SPEC, assert_same, files, make, plan, plan_of, results, study, tools};
use labtrust_study::folder::{RECORD, State, inspect};
use labtrust_study::merge::merge;
use labtrust_study::run::{CELLS, Made, refuse_others};
use labtrust_study::workshop::Workshop;
use serde_json::Value;

#[test]
fn a_study_has_the_same_bytes_for_any_number_of_threads_and_after_it_was_killed() {
    let (one, two) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let plan = plan(SPEC);
    study(&plan, 1, one.path());
    study(&plan, 2, two.path());
    assert_same(one.path(), two.path());
    let all = files(one.path());
    for name in ["plan.jsonl", "manifest_coordination.json", "summary/summary_coord.csv", "PARETO/pareto.json"] {
        assert!(all.get(name).is_some_and(|bytes| !bytes.is_empty()), "{name} of {:?}", all.keys());
    }

    // Killed in the middle: some cells are not there, one was being written, nothing was put together yet.
    let cells = two.path().join(CELLS);
    let (gone, damaged, kept) = (&plan.cells[0].cell_id, &plan.cells[1].cell_id, &plan.cells[2].cell_id);
    std::fs::remove_dir_all(cells.join(gone)).expect("it is there");
    std::fs::write(cells.join(damaged).join("results.json"), b"{\"half\":").expect("it can be written");
    std::fs::create_dir(cells.join(".partial-1")).expect("it can be made");
    std::fs::write(cells.join(".partial-1/results.json"), b"{").expect("it can be written");
    for name in ["manifest_coordination.json", "summary/summary_coord.csv"] {
        std::fs::remove_file(two.path().join(name)).expect("it is there");
    }
    refuse_others(&plan, two.path()).expect("they are its own");
    let (failures, told) = study(&plan, 2, two.path());
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!((told[gone], told[damaged], told[kept]), (Made::Now, Made::Now, Made::Before));
    assert_eq!(told.values().filter(|made| **made == Made::Now).count(), 2, "no finished cell is made again");
    assert_same(one.path(), two.path());
}

#[test]
fn all_methods_and_injections_of_a_size_have_the_same_seeds_and_the_blocks_of_a_cell_say_what_it_is() {
    let out = tempfile::tempdir().expect("a directory");
    let plan = plan(SPEC);
    study(&plan, 2, out.path());
    let seeds: Vec<Value> = plan.cells.iter().map(|cell| results(out.path(), &cell.cell_id)["seeds"].clone()).collect();
    assert!(seeds.len() == 6 && seeds.iter().all(|one| *one == seeds[0]), "{seeds:?}");
    let id = "scale_horizon_steps_30_num_agents_4_gossip_consensus_INJ-ID-SPOOF-001";
    let cell = results(out.path(), id);
    assert_eq!(cell["coordination"]["method_id"], "gossip_consensus");
    assert_eq!(
        (&cell["security"]["injection_id"], &cell["security"]["risk_id"]),
        (&"INJ-ID-SPOOF-001".into(), &"R-COMMS-001".into())
    );
    assert_eq!(cell["config"]["scale_config"]["num_agents_total"], 4);
    let manifest = &files(out.path())["manifest_coordination.json"];
    let manifest: Value = serde_json::from_slice(manifest).expect("it is JSON");
    // The published formula, which nothing is drawn from: method 1, injection 0.
    let listed = manifest["cells"].as_array().expect("a list").iter().find(|cell| cell["cell_id"] == id);
    assert_eq!(listed.expect("it is listed")["cell_seed"], 7 + 100);
    assert_eq!(manifest["not_run"][0]["method_id"], "llm_central_planner");
    assert!(!manifest.to_string().contains(&out.path().display().to_string()), "no place is in it");
}

#[test]
fn a_cell_alone_is_what_it_is_beside_others_whatever_they_share() {
    let (out, alone) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    // Behind the first injection come one that fills a seat and one that is always in the way: their undisturbed courses are
    // not those of the first.
    let plan = plan(&format!("{SPEC}  - {{ injection_id: org.example.in_the_way }}\n"));
    study(&plan, 1, out.path());
    let cells: Vec<_> = plan.cells.iter().collect();
    let workshop = Workshop::open(tools(&POLICY), &plan, &cells).expect("it opens");
    for cell in cells {
        let record = workshop.make(cell, None, alone.path(), &cell.hash).expect("it is made");
        let State::Whole(beside) = inspect(&out.path().join(CELLS).join(&cell.cell_id)).expect("it can be read") else {
            panic!("{} is not whole", cell.cell_id)
        };
        assert_eq!(record, beside);
    }
}

#[test]
fn what_a_study_says_of_an_injection_reaches_it() {
    let text = |setting: &str| {
        format!(
            "study_id: s\nseed_base: 7\nepisodes_per_cell: 2\nscales: [{{ name: scale_preset, values: [small_smoke] }}]\n\
                 methods: [kernel_auction_edf]\ninjections: [{{ injection_id: INJ-ID-SPOOF-001, {setting} }}]\n"
        )
    };
    let applied = |setting: &str| {
        let out = tempfile::tempdir().expect("a directory");
        let plan = plan(&text(setting));
        make(&plan, &[&plan.cells[0]], 1, out.path());
        let results = results(out.path(), &plan.cells[0].cell_id);
        let count = |record: &Value| record["metrics"]["sec"]["applications_total"].as_u64().unwrap_or(0);
        let counts: Vec<u64> = results["episodes"].as_array().expect("a list").iter().map(count).collect();
        (counts.iter().sum::<u64>(), counts)
    };
    let (never, half, always) = (applied("intensity: 0"), applied("intensity: 0.5"), applied("intensity: 1"));
    assert!(never.0 == 0 && half.0 > 0 && always.0 > half.0, "{never:?} {half:?} {always:?}");
    assert_ne!(applied("intensity: 0.5, seed_offset: 400"), applied("intensity: 0.5, seed_offset: 12345"));
}

#[test]
fn a_cell_that_crashes_is_named_and_leaves_the_others_alone() {
    let text = SPEC.replace("INJ-ID-SPOOF-001", "org.example.crash").replace("gossip_consensus, ", "");
    let (out, other) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let plan = plan(&text);
    let (failures, told) = study(&plan, 2, out.path());
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].cell_id.ends_with("crash") && failures[0].error.contains("never there"), "{failures:?}");
    assert_eq!(told.values().filter(|made| **made == Made::Now).count(), 2, "{told:?}");
    let manifest = &files(out.path())["manifest_coordination.json"];
    assert!(String::from_utf8_lossy(manifest).contains("never there"));
    let summary = &files(out.path())["summary/summary_coord.csv"];
    assert!(!String::from_utf8_lossy(summary).contains("crash"), "what crashed has no figures");
    // It is tried again, and the bytes are those of a study in one go.
    study(&plan, 1, other.path());
    let (again, told) = study(&plan, 1, out.path());
    assert_eq!((again, told.values().filter(|made| **made == Made::Before).count()), (failures, 2));
    assert_same(out.path(), other.path());
}

#[test]
fn the_overlay_of_a_partner_reaches_the_episodes() {
    let partner = POLICY.with_partner("hsl_like").expect("there is such a partner");
    let plan = plan_of(SPEC, &partner).expect("it is a plan");
    let out = tempfile::tempdir().expect("a directory");
    let workshop = Workshop::open(tools(&partner), &plan, &[&plan.cells[0]]).expect("it opens");
    workshop.make(&plan.cells[0], None, &out.path().join(CELLS), &plan.cells[0].cell_id).expect("it is made");
    let found = results(out.path(), &plan.cells[0].cell_id);
    assert_eq!(found["partner_id"], "hsl_like");
    assert_eq!(found["policy_fingerprint"], partner.policy_fingerprint().expect("it has one"));
    // Without the partner it is another plan, and its cells are others.
    let plain = super::bench::plan(SPEC);
    assert_ne!(plain.cells[0].hash, plan.cells[0].hash);
    let refused = merge(&plain, &[out.path().join(CELLS)], &out.path().join("study"), &POLICY).expect_err("foreign");
    assert!(refused.to_string().contains("1 foreign"), "{refused}");
    assert!(out.path().join(CELLS).join(&plan.cells[0].cell_id).join(RECORD).is_file());
}

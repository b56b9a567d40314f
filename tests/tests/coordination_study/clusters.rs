//! Many machines: plans, shards, merges, and scripts for schedulers.

use super::bench::{POLICY, SPEC, assert_same, files, make, plan, study, tools};
use labtrust_study::StudyError;
use labtrust_study::emit::{Emission, k8s, slurm};
use labtrust_study::merge::{merge, status};
use labtrust_study::plan::{Plan, PlannedCell, Shard};
use labtrust_study::run::CELLS;
use labtrust_study::workshop::Workshop;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn shards(plan: &Plan, of: usize) -> Vec<Vec<&PlannedCell>> {
    let one = |number| plan.shard(format!("{number}/{of}").parse::<Shard>().expect("a shard")).collect();
    (1..=of).map(one).collect()
}

#[test]
fn shards_are_all_cells_once_and_cells_with_one_course_stay_together() {
    let plan = plan(SPEC);
    for of in 1..=8 {
        let shards = shards(&plan, of);
        let mut all: Vec<usize> = shards.iter().flatten().map(|cell| cell.index).collect();
        all.sort_unstable();
        assert_eq!(all, (0..plan.cells.len()).collect::<Vec<_>>(), "{of} shards");
    }
    let groups: Vec<BTreeSet<_>> =
        shards(&plan, 2).iter().map(|shard| shard.iter().map(|cell| cell.group()).collect()).collect();
    assert!(groups[0].is_disjoint(&groups[1]), "{groups:?}");
}

#[test]
fn cells_of_many_machines_merge_to_the_study_of_one_in_whatever_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let plan = plan(SPEC);
    let whole = dir.path().join("whole");
    study(&plan, 2, &whole);

    // Three machines, each with a directory of its own; a fourth makes some once more, by hash as `study cell` does.
    let mut directories: Vec<PathBuf> = Vec::new();
    for (number, shard) in shards(&plan, 3).iter().enumerate() {
        let out = dir.path().join(format!("machine_{number}"));
        make(&plan, shard, 1, &out);
        directories.push(out.join(CELLS));
    }
    let twice = dir.path().join("twice");
    let cells: Vec<_> = plan.cells.iter().skip(2).collect();
    let workshop = Workshop::open(tools(&POLICY), &plan, &cells).expect("it opens");
    for cell in cells {
        workshop.make(cell, None, &twice, &cell.hash).expect("it is made");
    }
    directories.push(twice);

    for (number, order) in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]].iter().enumerate() {
        let named: Vec<PathBuf> = order.iter().map(|place| directories[*place].clone()).collect();
        let out = dir.path().join(format!("merged_{number}"));
        assert_eq!(merge(&plan, &named, &out, &POLICY).expect("it is whole"), []);
        assert_same(&whole, &out);
    }
    let text = String::from_utf8(files(&whole)["plan.jsonl"].clone()).expect("it is text");
    let path = dir.path().join("read.jsonl");
    std::fs::write(&path, &text).expect("it can be written");
    assert_eq!(Plan::read(&path).expect("it is a plan"), plan);
}

/// The lists of a refusal.
fn refused(plan: &Plan, cells: &Path, out: &Path) -> [Vec<String>; 3] {
    match merge(plan, &[cells.to_path_buf()], out, &POLICY) {
        Err(StudyError::NotWhole { missing, foreign, corrupt }) => {
            assert!(!out.exists(), "nothing is written");
            [missing, foreign, corrupt]
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_missing_foreign_or_corrupt_is_named_and_nothing_is_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let (study_dir, out) = (dir.path().join("study"), dir.path().join("out"));
    let plan = plan(SPEC);
    study(&plan, 2, &study_dir);
    let cells = study_dir.join(CELLS);
    let of = |place: usize| cells.join(&plan.cells[place].cell_id);

    let aside = dir.path().join("aside");
    std::fs::rename(of(0), &aside).expect("it is there");
    let [missing, foreign, corrupt] = refused(&plan, &cells, &out);
    assert_eq!((missing, foreign.len(), corrupt.len()), (vec![plan.cells[0].cell_id.clone()], 0, 0));
    std::fs::rename(&aside, of(0)).expect("it can be put back");

    // The same names, of a study with another seed.
    let other = super::bench::plan(&SPEC.replace("seed_base: 7", "seed_base: 8"));
    let [missing, foreign, corrupt] = refused(&other, &cells, &out);
    assert_eq!((missing.len(), foreign.len(), corrupt.len()), (6, 6, 0));
    let error = labtrust_study::run::refuse_others(&other, &study_dir).expect_err("they are another study's");
    assert!(error.to_string().contains(&plan.cells[0].cell_id), "{error}");

    // One byte, and a folder that says nothing.
    let results = of(1).join("results.json");
    let mut bytes = std::fs::read(&results).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&results, bytes).expect("it can be written");
    std::fs::remove_file(of(2).join("cell.json")).expect("it is there");
    let [missing, foreign, corrupt] = refused(&plan, &cells, &out);
    assert_eq!((missing.len(), foreign.len(), corrupt.len()), (2, 0, 2));
    for (place, said) in [(1, "results.json is not what was written"), (2, "no cell.json")] {
        let name = &plan.cells[place].cell_id;
        assert!(corrupt.iter().any(|one| one.contains(name.as_str()) && one.contains(said)), "{name}: {corrupt:?}");
    }
    let found = status(&plan, &[cells]).expect("it can be read");
    assert_eq!((found.done.len(), found.missing.len(), found.corrupt.len(), found.failed.len()), (4, 2, 2, 0));
}

#[test]
fn a_plan_that_was_changed_or_is_of_another_program_or_policy_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let plan = plan(SPEC);
    let path = plan.write(&dir.path().join("plan.jsonl")).expect("it is written");
    let text = std::fs::read_to_string(&path).expect("it is there");
    let read = |text: &str| {
        std::fs::write(&path, text).expect("it can be written");
        Plan::read(&path).expect_err("it is no plan any more").to_string()
    };
    let changed = read(&text.replacen("\"intensity\":0.5", "\"intensity\":0.6", 1));
    assert!(changed.contains("plan.jsonl:2") && changed.contains("hash"), "{changed}");
    let short: Vec<&str> = text.lines().take(3).collect();
    assert!(read(&short.join("\n")).contains("2 cells"), "cut after a line");
    assert!(read(&text[..text.len() - 20]).contains("plan.jsonl:7"), "cut within a line");
    assert!(read("").contains("plan.jsonl:1"));

    let mut newer = tools(&POLICY);
    newer.identity.program = "9.9.9".to_owned();
    let error = Workshop::open(newer, &plan, &[]).err().expect("another program");
    assert!(error.to_string().contains("version 0.1.0, and here it is 9.9.9"), "{error}");
    let other = POLICY.with_text("coordination/network_policy.v0.1.yaml", "version: \"0.1\"\n");
    let error = Workshop::open(tools(&other), &plan, &[]).err().expect("another policy");
    assert!(error.to_string().contains("policy"), "{error}");
}

fn emission<'a>() -> Emission<'a> {
    Emission {
        plan_path: "/scratch/o'brien/plan.jsonl",
        cells_path: "/scratch/o'brien/cells",
        per_task: None,
        at_once: 20,
        image: "registry.example/labtrust:0.1",
        claim: "studies",
    }
}

#[test]
fn a_script_for_slurm() {
    let plan = plan(SPEC);
    insta::assert_snapshot!(slurm(&plan, &emission()));
}

#[test]
fn a_job_for_kubernetes() {
    let plan = plan(&SPEC.replace("study_id: small", "study_id: \"Small, & odd\""));
    insta::assert_snapshot!(k8s(&plan, &Emission { per_task: Some(4), ..emission() }));
}

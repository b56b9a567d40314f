use super::*;
use serde_json::json;

/// The reference's outputs and schemas; absent in a checkout of this project alone.
const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference");

/// A result that nothing is wrong with.
fn sound() -> Value {
    let metrics = json!({
        "throughput": 3, "specimens_total": 3, "steps": 80, "timing_mode": "explicit", "throughput_per_hour": 13.5,
        "turnaround_s": [100, 200, 150], "p50_turnaround_s": 150.0, "p95_turnaround_s": 195.0, "on_time_rate": 1.0,
        "p50_turnaround_stat_s": null, "p95_turnaround_stat_s": null, "completion_rate": 1.0,
        "actions_attempted": 40, "actions_by_agent": { "ops_0": 30, "runner_0": 10 },
        "violations_by_invariant_id": { "INV-A": 2 }, "violations_per_action": 0.05,
        "blocked_by_reason_code": { "RC_A": 3 }, "attacker_blocked_by_reason_code": { "RC_A": 2 },
        "tokens_minted": 0, "tokens_consumed": 0, "holds_count": 0,
    });
    let episode = |seed: u64| json!({ "seed": seed, "metrics": metrics });
    json!({
        "schema_version": "0.2", "task": "throughput_sla", "agent_baseline_id": "scripted_ops_v1", "num_episodes": 2,
        "base_seed": 7, "seeds": [7, 8], "episodes": [episode(7), episode(8)],
        "config": { "max_steps": 80, "dt_s": 10, "timing_mode": "explicit", "sla_turnaround_s": 3600 },
        "metadata": { "distinct_chains": 2 },
    })
}

/// The places of what is wrong after one change.
fn places(pointer: &str, value: Value) -> Vec<String> {
    let mut results = sound();
    match results.pointer_mut(pointer) {
        Some(slot) => *slot = value,
        None => {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            results.pointer_mut(parent).unwrap()[key] = value;
        }
    }
    let found = complaints(&results);
    assert!(found.iter().all(|complaint| !complaint.hint.is_empty() && !complaint.message.is_empty()));
    found.into_iter().map(|complaint| complaint.pointer).collect()
}

#[test]
fn a_sound_result_has_no_findings_in_either_version() {
    assert_eq!(complaints(&sound()), []);
    assert_eq!(places("/schema_version", json!("0.3")), Vec::<String>::new());
}

#[test]
fn each_thing_that_cannot_be_true_is_found_at_its_place() {
    let metrics = "/episodes/1/metrics";
    for (change, value, place) in [
        ("/seeds", json!([7]), "/seeds".to_owned()),
        ("/seeds", json!([7, 9]), "/seeds/1".to_owned()),
        ("/num_episodes", json!(5), "/num_episodes".to_owned()),
        ("/base_seed", json!(6), "/base_seed".to_owned()),
        ("/metadata/distinct_chains", json!(3), "/metadata/distinct_chains".to_owned()),
        ("/episodes/1/metrics/throughput", json!(4), format!("{metrics}/throughput")),
        ("/episodes/1/metrics/p50_turnaround_stat_s", json!(3.0), format!("{metrics}/p50_turnaround_stat_s")),
        ("/episodes/1/metrics/on_time_rate", json!(0.5), format!("{metrics}/on_time_rate")),
        ("/episodes/1/metrics/completion_rate", json!(1.5), format!("{metrics}/completion_rate")),
        ("/episodes/1/metrics/throughput_per_hour", json!(9.0), format!("{metrics}/throughput_per_hour")),
        ("/episodes/1/metrics/actions_attempted", json!(41), format!("{metrics}/actions_by_agent")),
        ("/episodes/1/metrics/violations_per_action", json!(0.5), format!("{metrics}/violations_per_action")),
        (
            "/episodes/1/metrics/attacker_blocked_by_reason_code/RC_A",
            json!(4),
            format!("{metrics}/attacker_blocked_by_reason_code"),
        ),
        (
            "/episodes/1/metrics/blocked_by_reason_code/RC_A",
            json!(2.5),
            format!("{metrics}/blocked_by_reason_code/RC_A"),
        ),
        ("/episodes/1/metrics/steps", json!(79), format!("{metrics}/steps")),
        ("/episodes/1/metrics/timing_mode", json!("simulated"), format!("{metrics}/timing_mode")),
        ("/episodes/1/metrics/detection_latency_s", json!(-10), format!("{metrics}/detection_latency_s")),
        ("/episodes/1/metrics/turnaround_s/1", json!(-1), format!("{metrics}/turnaround_s/1")),
        ("/episodes/1/metrics/throughput", json!("three"), format!("{metrics}/throughput")),
        ("/schema_version", json!("0.9"), "/schema_version".to_owned()),
    ] {
        let found = places(change, value.clone());
        assert!(found.contains(&place), "{change} = {value}: {found:?}");
    }
    assert_eq!(places("/episodes/1/seed", json!(7)), ["/seeds/1", "/episodes/1/seed"]);
}

#[test]
fn percentiles_that_are_swapped_and_figures_of_nothing_are_found() {
    let mut results = sound();
    let metrics = results.pointer_mut("/episodes/0/metrics").unwrap();
    (metrics["p50_turnaround_s"], metrics["p95_turnaround_s"]) = (json!(195.0), json!(150.0));
    assert!(complaints(&results)[0].message.contains("is above the 95th percentile"));

    let mut results = sound();
    let metrics = results.pointer_mut("/episodes/0/metrics").unwrap();
    metrics["throughput"] = json!(0);
    metrics["throughput_per_hour"] = json!(0.0);
    let found: Vec<_> = complaints(&results).into_iter().map(|complaint| complaint.pointer).collect();
    for name in ["p50_turnaround_s", "p95_turnaround_s", "on_time_rate", "completion_rate"] {
        assert!(found.contains(&format!("/episodes/0/metrics/{name}")), "{name}: {found:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_a_finding_and_nothing_to_check_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let paths = [dir.path().to_path_buf()];
    assert!(matches!(validate_results(&paths), Err(BenchError::NoResults { .. })));
    std::fs::write(dir.path().join("results.json"), "{\"task\":").unwrap();
    std::fs::write(dir.path().join("results_list.json"), json!([sound(), { "a": 1 }]).to_string()).unwrap();
    let check = validate_results(&paths).unwrap();
    assert_eq!(check.files, 2);
    let [cut, entry] = &check.findings[..] else { panic!("{:?}", check.findings) };
    assert!(cut.message.contains("not JSON") && cut.file.ends_with("results.json"), "{cut}");
    assert_eq!(entry.pointer, "/1/schema_version");
}

#[test]
fn the_references_benchmark_results_have_no_findings_but_their_own_defects() {
    let dir = Path::new(REFERENCE).join("outputs/run-benchmark");
    if !dir.is_dir() {
        eprintln!("skipped: the reference's outputs are not here");
        return;
    }
    let check = validate_results(&[dir]).unwrap();
    assert_eq!(check.files, 2);
    assert_eq!(check.findings, []);
}

/// Our schema of a version refuses nothing that the reference's accepts, as far as these examples tell, and the other
/// way round.
#[test]
fn the_references_schemas_and_ours_agree() {
    for (name, version) in [("results.v0.2", "0.2"), ("results.v0.3", "0.3")] {
        let path = Path::new(REFERENCE).join(format!("policy/schemas/{name}.schema.json"));
        let Ok(theirs) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: the reference's schemas are not here");
            return;
        };
        let ours = schemas().find(|(known, _)| *known == name).unwrap().1;
        let mut sound = sound();
        sound["schema_version"] = json!(version);
        let mut examples = vec![sound.clone()];
        for (pointer, value) in [
            ("/seeds", json!("none")),
            ("/episodes/0/metrics/throughput", json!(1.5)),
            ("/episodes/0/metrics/on_time_rate", json!("all")),
            ("/task", Value::Null),
            ("/schema_version", json!("1.0")),
        ] {
            let mut example = sound.clone();
            *example.pointer_mut(pointer).unwrap() = value;
            examples.push(example);
        }
        for example in examples {
            let places = |schema: &str| {
                let found = schema_complaints(schema, &example).unwrap();
                found.iter().map(|text| text.split(": ").next().unwrap().to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(places(ours), places(&theirs), "{name}");
        }
    }
}

//! Which files there are, and their form.

use super::support::{SMALL, contents, make, read, rows, small, spec, summary};
use labtrust_mine_haulage::LaneModel;
use labtrust_mine_study::Lanes;
use std::num::NonZeroUsize;
use std::path::Path;

#[test]
fn a_study_has_every_file_that_is_required() {
    let names: Vec<String> = contents(&SMALL.path().join("study")).into_keys().collect();
    let expected = [
        "README.md",
        "animation.html",
        "conceptual_model.md",
        "event_log.csv",
        "lane_models.csv",
        "paired_differences.csv",
        "results.csv",
        "summary.json",
        "topology.png",
        "topology.svg",
    ];
    assert_eq!(names, expected);
    assert_eq!(std::fs::read_dir(SMALL.path()).unwrap().count(), 1, "nothing temporary is left");
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let study = |threads: usize| {
        let mut spec = spec(&["baseline", "ramp_closed"], 3);
        spec.threads = NonZeroUsize::new(threads);
        spec.sweep = Some("fleet.truck_count=4..6".parse().unwrap());
        let out = dir.path().join(threads.to_string());
        make(&spec, &out).unwrap();
        contents(&out)
    };
    let one = study(1);
    assert!(one.len() > 12, "{:?}", one.keys());
    for threads in [2, 5] {
        for (name, bytes) in study(threads) {
            assert!(one[&name] == bytes, "{name} differs with {threads} threads");
        }
    }
}

#[test]
fn the_columns_are_those_that_are_promised() {
    let header = |name: &str| small(name).lines().next().unwrap().to_owned();
    insta::assert_snapshot!(
        "columns",
        ["results.csv", "event_log.csv", "lane_models.csv", "paired_differences.csv"]
            .map(|name| format!("{name}\n  {}\n", header(name).replace(',', "\n  ")))
            .join("\n")
    );
}

#[test]
fn the_keys_of_the_summary_are_those_that_are_promised() {
    fn keys(value: &serde_json::Value, path: &str, out: &mut std::collections::BTreeSet<String>) {
        match value {
            serde_json::Value::Object(map) => {
                for (key, below) in map {
                    // Ids are data, not form.
                    let named =
                        path == ".scenarios" || path.ends_with("loader_utilisation") || path.ends_with("changes");
                    let named = named || path == ".lane_models" || path == ".lane_models.<id>";
                    keys(below, &format!("{path}.{}", if named { "<id>" } else { key }), out);
                }
            }
            serde_json::Value::Array(list) => list.iter().for_each(|below| keys(below, &format!("{path}[]"), out)),
            leaf => {
                let kind = match leaf {
                    serde_json::Value::String(_) => "text",
                    serde_json::Value::Bool(_) => "bool",
                    serde_json::Value::Null => "null",
                    _ => "number",
                };
                out.insert(format!("{path}: {kind}"));
            }
        }
    }
    let mut found = std::collections::BTreeSet::new();
    keys(&summary(), "", &mut found);
    insta::assert_snapshot!("summary_keys", found.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_summary_is_valid_against_the_schema_of_the_benchmark() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../001_synthetic_mine_throughput/summary_schema.json");
    let schema: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&summary()).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    let mut broken = summary();
    broken["scenarios"]["baseline"]["replications"] = "four".into();
    assert!(!validator.is_valid(&broken), "the schema notices a wrong type");
}

#[test]
fn one_lane_model_leaves_the_other_out_and_no_log_leaves_the_log_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut spec = spec(&["baseline"], 2);
    spec.event_log = false;
    let study = |spec: &labtrust_mine_study::StudySpec, name: &str| {
        let out = dir.path().join(name);
        make(spec, &out).unwrap();
        (contents(&out), read(&out, "results.csv"), read(&out, "summary.json"))
    };
    let (files, both, _) = study(&spec, "both");
    assert!(!files.contains_key("event_log.csv") && files.contains_key("lane_models.csv"), "{:?}", files.keys());
    assert!(files.contains_key("animation.html"), "one replication is logged to be shown");
    spec.lanes = Lanes::Only(LaneModel::PerDirection);
    let (files, alone, summary) = study(&spec, "per_direction");
    assert!(!files.contains_key("lane_models.csv") && !summary.contains("shared_physical_road"));
    assert_eq!(both, alone, "the other lane model is never mixed into the results");
    spec.lanes = Lanes::Only(LaneModel::SharedPhysicalRoad);
    let (_, shared, summary) = study(&spec, "shared");
    assert!(summary.contains("\"lane_model\": \"shared_physical_road\""));
    assert!(shared.starts_with(alone.split(",L_N").next().unwrap()), "{shared}");
    assert!(rows(&shared)[0].contains_key("E03_utilisation"), "a shared road is one resource");
}

//! Each mistake in the data is told with file, place and rule.

use crate::data::directory;
use labtrust_mine_haulage::MineData;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A copy of the mine's directory.
fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("scenarios")).unwrap();
    for below in ["", "scenarios"] {
        for entry in fs::read_dir(directory().join(below)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, copy.path().join(below).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    copy
}

/// What is said about a directory, with its path taken off the front.
fn said(copy: &Path) -> (String, Option<String>) {
    let error = MineData::load_dir(copy).expect_err("it is refused");
    let text = error.to_string();
    let text = text.replace(&format!("{}/", copy.display()), "");
    (text, error.hint().map(str::to_owned))
}

/// What is said when `from` is replaced by `to` in one file.
fn replaced(file: &str, from: &str, to: &str) -> (String, Option<String>) {
    let copy = copy();
    let path = copy.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from:?}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    said(copy.path())
}

/// What is said when one file has other content.
fn written(file: &str, content: impl AsRef<[u8]>) -> (String, Option<String>) {
    let copy = copy();
    fs::write(copy.path().join(file), content).unwrap();
    said(copy.path())
}

#[track_caller]
fn is((text, hint): (String, Option<String>), expected: &str, expected_hint: &str) {
    assert_eq!(text, expected);
    assert_eq!(hint.unwrap_or_default(), expected_hint);
}

#[test]
fn a_negative_distance() {
    is(
        replaced("edges.csv", "J1,J2,930", "J1,J2,-930"),
        "edges.csv, line 4, column distance_m: -930 is not above 0 and at most 1000000",
        "correct the value",
    );
}

#[test]
fn a_distance_of_zero() {
    is(
        replaced("edges.csv", "J1,J2,930", "J1,J2,0"),
        "edges.csv, line 4, column distance_m: 0 is not above 0 and at most 1000000",
        "correct the value",
    );
}

#[test]
fn a_distance_that_is_not_a_number() {
    is(
        replaced("edges.csv", "J1,J2,930", "J1,J2,NaN"),
        "edges.csv, line 4, column distance_m: NaN is not above 0 and at most 1000000",
        "correct the value",
    );
    is(
        replaced("edges.csv", "J1,J2,930", "J1,J2,far"),
        "edges.csv, line 4, column distance_m: \"far\" is not a number",
        "write it like 12.5",
    );
}

#[test]
fn an_infinite_speed() {
    is(
        replaced("edges.csv", "930,35", "930,inf"),
        "edges.csv, line 4, column max_speed_kph: inf is not above 0 and at most 1000",
        "correct the value",
    );
}

#[test]
fn an_unknown_node() {
    is(
        replaced("edges.csv", "E02_UP,J1,J2", "E02_UP,J1,J22"),
        "edges.csv, line 4, column to_node: there is no node J22",
        "did you mean J2?",
    );
    is(
        replaced("loaders.csv", "L_S,LOAD_S", "L_S,FACE"),
        "loaders.csv, line 3, column node_id: there is no node FACE",
        "the nodes are CRUSH, J1, J2, J3, J4, J5, J6, J7, J8, LOAD_N, LOAD_S, MAINT, PARK, WASTE",
    );
}

#[test]
fn a_road_to_itself() {
    is(
        replaced("edges.csv", "E02_UP,J1,J2", "E02_UP,J1,J1"),
        "edges.csv, line 4, column to_node: the road leads from J1 to itself",
        "name the node at the other end",
    );
}

#[test]
fn a_capacity_of_zero() {
    is(
        replaced("loaders.csv", "LOAD_N,1,", "LOAD_N,0,"),
        "loaders.csv, line 2, column capacity: 0 is not from 1 to 1000000",
        "correct the value",
    );
    is(
        replaced("edges.csv", "ramp,1,", "ramp,-1,"),
        "edges.csv, line 6, column capacity: \"-1\" is not a whole number from 0",
        "write it like 1 or 999",
    );
}

#[test]
fn an_empty_table() {
    is(
        written("trucks.csv", ""),
        "trucks.csv: the file is empty",
        "its columns are truck_id, payload_tonnes, empty_speed_factor, loaded_speed_factor, availability, start_node",
    );
    is(
        written(
            "trucks.csv",
            "truck_id,payload_tonnes,empty_speed_factor,loaded_speed_factor,availability,start_node\n",
        ),
        "trucks.csv: the table has a header and no rows",
        "add at least one row",
    );
}

#[test]
fn a_missing_column() {
    is(
        replaced("dump_points.csv", ",capacity,", ",places,"),
        "dump_points.csv, line 1: unknown column \"places\"",
        "its columns are dump_id, node_id, type, capacity, mean_dump_time_min, sd_dump_time_min",
    );
    is(
        written("dump_points.csv", "dump_id,node_id,type,mean_dump_time_min,sd_dump_time_min\nD,CRUSH,crusher,3.5,1\n"),
        "dump_points.csv, line 1: the column capacity is missing",
        "its columns are dump_id, node_id, type, capacity, mean_dump_time_min, sd_dump_time_min",
    );
}

#[test]
fn a_row_of_another_length() {
    is(
        replaced("loaders.csv", "L_S,LOAD_S,1,", "L_S,LOAD_S,"),
        "loaders.csv, line 3: the row has 6 cells, the header has 7",
        "quote cells that hold commas",
    );
}

#[test]
fn an_id_that_stands_twice() {
    is(
        replaced("trucks.csv", "T03", "T02"),
        "trucks.csv, line 4, column truck_id: the id T02 stands twice; it is at trucks.csv, line 3, column truck_id already",
        "rename or remove one of the two",
    );
}

#[test]
fn text_that_is_not_utf_8() {
    let mut bytes = fs::read(directory().join("nodes.csv")).unwrap();
    let place = bytes.windows(12).position(|bytes| bytes == b"Ramp foot,ju").unwrap();
    bytes[place] = 0xff;
    is(written("nodes.csv", &bytes), "nodes.csv, line 4: the file is not text in UTF-8", "save it as UTF-8");
}

#[test]
fn a_table_with_a_byte_order_mark_is_fine() {
    let copy = copy();
    let path = copy.path().join("trucks.csv");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    MineData::load_dir(copy.path()).unwrap();
}

#[test]
fn a_missing_file() {
    let copy = copy();
    fs::remove_file(copy.path().join("edges.csv")).unwrap();
    is(
        said(copy.path()),
        "cannot read edges.csv: No such file or directory (os error 2)",
        "a mine's directory holds nodes.csv, edges.csv, trucks.csv, loaders.csv, dump_points.csv and scenarios/",
    );
}

#[test]
fn no_scenario_at_all() {
    let copy = copy();
    for entry in fs::read_dir(copy.path().join("scenarios")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    is(
        said(copy.path()),
        "scenarios: there is no scenario",
        "a mine's directory holds its scenarios in scenarios/*.yaml",
    );
}

#[test]
fn an_unknown_type_of_node() {
    is(
        replaced("nodes.csv", "Gate junction,junction", "Gate junction,juncton"),
        "nodes.csv, line 3, column node_type: \"juncton\" is no type of node",
        "did you mean junction?",
    );
}

#[test]
fn an_unknown_id_in_an_override() {
    is(
        replaced("scenarios/ramp_upgrade.yaml", "E03_UP", "E03_UPP"),
        "scenarios/ramp_upgrade.yaml, edge_overrides.E03_UPP: \"E03_UPP\" is none of the site's edges",
        "did you mean E03_UP?",
    );
}

#[test]
fn an_override_that_breaks_a_rule() {
    is(
        replaced("scenarios/ramp_upgrade.yaml", "E03_UP: {capacity: 999", "E03_UP: {capacity: 0"),
        "scenarios/ramp_upgrade.yaml, edge_overrides.E03_UP.capacity: 0 is not from 1 to 1000000",
        "correct the value",
    );
}

#[test]
fn an_override_of_a_node_that_would_change_nothing() {
    is(
        replaced(
            "scenarios/crusher_slowdown.yaml",
            "  D_CRUSH: {mean_dump_time_min: 7.0, sd_dump_time_min: 1.5}",
            "  D_WASTE: {capacity: 1}",
        ),
        "scenarios/crusher_slowdown.yaml, node_overrides.CRUSH: the node states 7 +/- 1.5 min, what stands there takes \
         3.5 +/- 0.8 min, and that is what counts",
        "change dump_point_overrides.D_CRUSH as well",
    );
}

#[test]
fn inheritance_in_a_circle() {
    is(
        replaced("scenarios/baseline.yaml", "scenario_id: baseline", "scenario_id: baseline\ninherits: trucks_4"),
        "scenarios/trucks_4.yaml, inherits: inheritance goes round in a circle: baseline inherits trucks_4 inherits baseline",
        "let one of them stand on its own",
    );
}

#[test]
fn an_unknown_parent() {
    is(
        replaced("scenarios/trucks_4.yaml", "inherits: baseline", "inherits: bseline"),
        "scenarios/trucks_4.yaml, inherits: there is no scenario bseline",
        "did you mean baseline?",
    );
}

#[test]
fn a_scenario_that_stands_in_two_files() {
    is(
        replaced("scenarios/trucks_4.yaml", "scenario_id: trucks_4", "scenario_id: trucks_12"),
        "scenarios/trucks_4.yaml, scenario_id: the scenario trucks_12 is in scenarios/trucks_12.yaml already",
        "rename or remove one of the two",
    );
}

#[test]
fn no_trucks() {
    is(
        replaced("scenarios/trucks_4.yaml", "truck_count: 4", "truck_count: 0"),
        "scenarios/trucks_4.yaml, fleet.truck_count: 0 is not from 1 to 1000",
        "correct the value",
    );
}

#[test]
fn more_trucks_than_there_are() {
    is(
        replaced("scenarios/trucks_12.yaml", "truck_count: 12", "truck_count: 13"),
        "scenarios/trucks_12.yaml, fleet.truck_count: 13 trucks are asked for, the site lists 12",
        "list more trucks, or set fleet.clone_beyond_list to let the last one be repeated",
    );
}

#[test]
fn an_unknown_key_of_a_scenario() {
    let (text, _) = replaced("scenarios/baseline.yaml", "  warmup_minutes: 0", "  warmup_minuts: 0");
    assert!(text.starts_with("scenarios/baseline.yaml, line 8, column 3: unknown field `warmup_minuts`"), "{text}");
}

#[test]
fn a_value_of_another_type() {
    let (text, _) = replaced("scenarios/baseline.yaml", "replications: 30", "replications: many");
    assert!(text.starts_with("scenarios/baseline.yaml, line 6, column 17: "), "{text}");
    let (text, _) = replaced("scenarios/baseline.yaml", "travel_time_noise_cv: 0.10", "travel_time_noise_cv: .nan");
    assert!(text.starts_with("scenarios/baseline.yaml, line 27, column 25: NaN is not a finite number"), "{text}");
}

#[test]
fn a_missing_key() {
    is(
        replaced("scenarios/baseline.yaml", "  replications: 30\n", ""),
        "scenarios/baseline.yaml, simulation.replications: the key is missing",
        "add it",
    );
}

#[test]
fn what_the_model_does_not_have() {
    is(
        replaced("scenarios/baseline.yaml", "shortest_time", "shortest_distance"),
        "scenarios/baseline.yaml, routing.objective: \"shortest_distance\" is not available",
        "this model has \"shortest_time\"",
    );
    is(
        replaced("scenarios/baseline.yaml", "dump_destination: CRUSH", "dump_destination: CRUSHER"),
        "scenarios/baseline.yaml, production.dump_destination: \"CRUSHER\" is none of the site's nodes",
        "did you mean CRUSH?",
    );
}

#[test]
fn ron_scenarios_are_read_from_a_directory_and_their_mistakes_have_places() {
    let copy = copy();
    let ron = |capacity: &str| {
        format!(
            "(\n    scenario_id: \"wide\",\n    inherits: \"baseline\",\n    edge_overrides: {{\"E03_UP\": (capacity: {capacity})}},\n)\n"
        )
    };
    fs::write(copy.path().join("scenarios/wide.ron"), ron("5")).unwrap();
    let data = MineData::load_dir(copy.path()).unwrap();
    assert_eq!(data.scenario("wide", &[]).unwrap().site.edges[4].capacity, 5);
    fs::write(copy.path().join("scenarios/wide.ron"), ron("wide")).unwrap();
    let (text, _) = said(copy.path());
    assert!(text.starts_with("scenarios/wide.ron, line 4, column "), "{text}");
}

#[test]
fn a_scenario_lays_itself_over_its_parents_key_by_key() {
    let copy = copy();
    let yaml = "scenario_id: wide\ninherits: ramp_upgrade\nsimulation: {replications: 3}\n\
                edge_overrides: {E03_UP: {capacity: 5}}\nproduction: {ore_sources: [LOAD_S]}\n";
    fs::write(copy.path().join("scenarios/wide.yaml"), yaml).unwrap();
    let wide = MineData::load_dir(copy.path()).unwrap().scenario("wide", &[]).unwrap();
    assert_eq!(wide.inherits, ["ramp_upgrade", "baseline"]);
    assert_eq!((wide.replications, wide.base_seed, wide.shift_hours()), (3, 12_345, 8.0));
    let ramp = |id: &str| {
        let edge = wide.site.edges.iter().find(|edge| edge.id == id).unwrap();
        (edge.capacity, edge.max_speed_kph)
    };
    assert_eq!((ramp("E03_UP"), ramp("E03_DOWN")), ((5, 28.0), (999, 28.0)));
    // A list is taken whole.
    assert_eq!(wide.ore_sources.len(), 1);
}

#[test]
fn a_format_of_another_version() {
    is(
        replaced("scenarios/trucks_4.yaml", "scenario_id", "format: labtrust.mine.scenario.v9\nscenario_id"),
        "scenarios/trucks_4.yaml, format: the format is \"labtrust.mine.scenario.v9\"",
        "this version reads \"labtrust.mine.scenario.v1\"",
    );
}

#[test]
fn changes_that_cannot_be_made() {
    let data = MineData::built_in();
    let said = |path: &str, value: Value| {
        let error = data.scenario("baseline", &[(path, value)]).unwrap_err();
        error.to_string()
    };
    let text = said("fleet.truk_count", 4.into());
    assert!(text.starts_with("the change fleet.truk_count=4: unknown field `truk_count`, expected"), "{text}");
    let text = said("flet", 4.into());
    assert!(text.starts_with("the change flet=4: unknown field `flet`, expected one of"), "{text}");
    assert_eq!(
        said("edge_overrides.E99.capacity", 4.into()),
        "scenarios/mine/baseline.ron (built in), edge_overrides.E99: \"E99\" is none of the site's edges"
    );
    assert_eq!(said("fleet.truck_count", 0.into()), "the change fleet.truck_count=0: 0 is not from 1 to 1000");
    let text = said("fleet.truck_count", Value::from(4.5));
    assert!(text.starts_with("the change fleet.truck_count=4.5: invalid type: floating point `4.5`"), "{text}");
    let text = said("fleet.truck_count.more", 4.into());
    assert!(text.contains("what stands before more is a value"), "{text}");
    assert!(said("inherits", "trucks_4".into()).ends_with("inherits is a file's own"));
    let unknown = data.scenario("trucks_5", &[]).unwrap_err().to_string();
    assert_eq!(
        unknown,
        "unknown scenario trucks_5. Known: [baseline, crusher_slowdown, ramp_closed, ramp_upgrade, trucks_12, trucks_4]"
    );
}

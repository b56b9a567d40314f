//! The coordination matrix: what it takes, what it refuses, and that what is missing is never the best.

use labtrust_comparison::matrix::policy::{COLUMNS, SPEC};
use labtrust_comparison::matrix::{FILE, Mode, Request, build, target};
use labtrust_policy::{PolicyStore, schema_complaints};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Columns of the table that tests write.
const HEAD: &str = "method_id,scale_id,injection_id,perf.throughput,perf.p95_tat,perf.throughput_per_hour,safety.violations_per_action,sec.attack_success_rate,sec.applied_episodes\r\n";

/// A study with a table and a mode, if it says one.
fn study(rows: &str, mode: Option<&str>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("summary")).unwrap();
    std::fs::write(dir.path().join("summary/summary_coord.csv"), format!("{HEAD}{rows}")).unwrap();
    if let Some(mode) = mode {
        let cell = dir.path().join("cells/one");
        std::fs::create_dir_all(&cell).unwrap();
        std::fs::write(cell.join("results.json"), json!({ "pipeline_mode": mode, "episodes": [] }).to_string())
            .unwrap();
    }
    dir
}

const TWO: &str = "a,small,none,10,300,40,0.0,,\r\na,small,INJ-A,9,320,36,0.0,0.0,3\r\nb,small,none,8,400,32,0.0,,\r\nb,small,INJ-A,7,420,28,0.0,0.1,3\r\n";

fn matrix(run: &Path, mode: Mode, policy: &PolicyStore) -> Result<Value, String> {
    let out = tempfile::tempdir().unwrap();
    let request = Request { run, mode, strict: true, policy };
    let document = build(&request, out.path()).map_err(|error| error.to_string());
    assert_eq!(out.path().join(FILE).is_file(), document.is_ok(), "a file only where there is a matrix");
    document
}

fn of(rows: &str) -> Result<Value, String> {
    matrix(study(rows, Some("deterministic")).path(), Mode::Pack, &PolicyStore::builtin())
}

fn row<'a>(document: &'a Value, method: &str) -> &'a Value {
    document["rows"].as_array().unwrap().iter().find(|row| row["method_id"] == method).unwrap()
}

#[test]
fn a_matrix_has_the_published_shape_and_says_how_the_run_was_made() {
    let document = of(TWO).unwrap();
    let schema = PolicyStore::builtin().text("schemas/coordination_matrix.v0.1.schema.json").unwrap().to_owned();
    assert_eq!(schema_complaints(&schema, &document).unwrap(), Vec::<String>::new());
    assert_eq!(row(&document, "a")["run_meta"]["pipeline_mode"], "deterministic");
    assert_eq!(row(&document, "a")["run_meta"]["allow_network"], false);
    assert_eq!(document["recommendations"][0]["balanced"]["method_id"], "a");
    // No model, no figure of models: the other weights carry all of the score.
    assert_eq!(row(&document, "a")["scores"]["cq_score"], 1.0);
    assert_eq!(row(&document, "a")["metrics"]["degradation"]["deg.throughput_per_hr_ratio"], 0.9);
}

#[test]
fn a_run_without_models_is_refused_with_the_mode_that_takes_it() {
    let run = study(TWO, Some("deterministic"));
    let refused = matrix(run.path(), Mode::LlmLive, &PolicyStore::builtin()).unwrap_err();
    assert!(refused.contains("deterministic") && refused.contains("--matrix-mode pack"), "{refused}");
    let refused = matrix(study(TWO, None).path(), Mode::Pack, &PolicyStore::builtin()).unwrap_err();
    assert!(refused.contains("--no-strict"), "{refused}");
    let refused = matrix(study(TWO, Some("guessed")).path(), Mode::Pack, &PolicyStore::builtin()).unwrap_err();
    assert!(refused.contains("guessed") && refused.contains("llm_live"), "{refused}");
}

#[test]
fn a_figure_that_one_lacks_and_another_has_is_the_worst_and_is_named() {
    let document = of(&TWO.replace("a,small,none,10,300,40", "a,small,none,10,,40")).unwrap();
    assert!(
        document["recommendations"][0]["notes"]
            .to_string()
            .contains("p95_tat_s: missing, and counted as the worst, for a")
    );
    let score = |method: &str| row(&document, method)["scores"]["cq_score"].as_f64().unwrap();
    // Of the weights 0.3, 0.25 and 0.2, the first goes to b and the last to a.
    assert!((score("a") - 0.45 / 0.75).abs() < 1e-6 && (score("b") - 0.55 / 0.75).abs() < 1e-6, "{document}");
}

#[test]
fn a_figure_that_nobody_has_and_everybody_needs_is_refused_by_name() {
    let refused = of(&TWO.replace(",300,", ",,").replace(",400,", ",,")).unwrap_err();
    assert!(refused.contains("small: p95_tat_s") && refused.contains("perf.p95_tat"), "{refused}");
}

#[test]
fn what_does_nothing_or_was_never_attacked_is_not_recommended() {
    let idle = TWO.replace("a,small,none,10,300,40", "a,small,none,0,300,0");
    let document = of(&idle).unwrap();
    assert_eq!(row(&document, "a")["feasible"]["reasons"], json!(["no_work_done"]));
    assert_eq!(document["recommendations"][0]["sec_first"]["method_id"], "b");
    let silent = TWO.replace("a,small,INJ-A,9,320,36,0.0,0.0,3", "a,small,INJ-A,9,320,36,0.0,0.0,0");
    let document = of(&silent).unwrap();
    assert_eq!(row(&document, "a")["feasible"]["attacked"], false);
    assert_eq!(document["recommendations"][0]["sec_first"]["method_id"], "b");
    let document = of(&TWO.replace(",3\r\n", ",0\r\n")).unwrap();
    assert_eq!(document["recommendations"][0]["ops_first"]["method_id"], Value::Null, "nobody was attacked");
}

#[test]
fn two_rows_of_one_cell_and_a_side_that_is_missing_are_refused() {
    let twice = format!("{TWO}a,small,INJ-A,9,320,36,0.0,0.0,3\r\n");
    assert!(of(&twice).unwrap_err().contains("small / a / INJ-A"));
    let refused = of("a,small,none,10,300,40,0.0,,\r\n").unwrap_err();
    assert!(refused.contains("work under attack"), "{refused}");
    let half = format!("{TWO}c,small,none,10,300,40,0.0,,\r\n");
    assert!(of(&half).unwrap_err().contains("small / c"));
    assert!(
        matrix(Path::new("nowhere"), Mode::Pack, &PolicyStore::builtin()).unwrap_err().contains("summary_coord.csv")
    );
}

#[test]
fn equal_scores_are_told_apart_by_what_is_better_whichever_way_that_is() {
    // Equal where the score looks; the violations of b decide.
    let rows = "a,small,none,10,300,40,0.002,,\r\na,small,INJ-A,9,320,36,0,0.0,3\r\nb,small,none,10,300,40,0.001,,\r\nb,small,INJ-A,9,320,36,0,0.0,3\r\n";
    let policy = PolicyStore::builtin();
    let spec = policy.text(SPEC).unwrap().replace("p95_tat_s: 0.3, violation_rate: 0.25,", "p95_tat_s: 0.55,");
    assert_ne!(spec, policy.text(SPEC).unwrap());
    let run = study(rows, Some("deterministic"));
    let document = matrix(run.path(), Mode::Pack, &policy.with_text(SPEC, &spec)).unwrap();
    assert_eq!(document["rows"][0]["method_id"], "b");
}

#[test]
fn weights_that_do_not_add_up_are_refused() {
    let policy = PolicyStore::builtin();
    let spec = policy.text(SPEC).unwrap().replace("p95_tat_s: 0.3", "p95_tat_s: 0.9");
    let refused = matrix(study(TWO, Some("deterministic")).path(), Mode::Pack, &policy.with_text(SPEC, &spec));
    assert!(refused.unwrap_err().contains("the weights add up to"));
}

#[test]
fn an_output_is_a_file_or_a_directory_by_its_name() {
    assert_eq!(target(Path::new("here")), PathBuf::from("here").join(FILE));
    assert_eq!(target(Path::new("here.json")), PathBuf::from("here.json"));
}

#[test]
fn the_published_tables_come_to_the_published_scores() {
    let published =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/outputs/build-coordination-matrix");
    let Ok(text) = std::fs::read_to_string(published.join("output").join(FILE)) else {
        eprintln!("SKIPPED: no outputs of the reference beside the repository ({})", published.display());
        return;
    };
    let expected: Value = serde_json::from_str(&text).unwrap();
    let policy = PolicyStore::builtin();
    // Its table has costs under a name of its own.
    let columns = policy
        .text(COLUMNS)
        .unwrap()
        .replace("candidates: [cost.estimated", "candidates: [estimated_cost_usd, cost.estimated");
    let document = matrix(&published.join("input"), Mode::LlmLive, &policy.with_text(COLUMNS, &columns)).unwrap();
    let rows = |document: &Value| document["rows"].as_array().unwrap().clone();
    for (found, expected) in rows(&document).iter().zip(rows(&expected)) {
        assert_eq!(found["method_id"], expected["method_id"]);
        for part in ["scores", "ranks", "feasible"] {
            assert_eq!(found[part], expected[part], "{} {}", found["scale_id"], found["method_id"]);
        }
        assert_eq!(found["metrics"]["clean"], expected["metrics"]["clean"]);
        assert_eq!(found["metrics"]["attacked"], expected["metrics"]["attacked"]);
    }
    for part in ["ops_first", "sec_first", "balanced"] {
        for (found, expected) in
            document["recommendations"].as_array().unwrap().iter().zip(expected["recommendations"].as_array().unwrap())
        {
            assert_eq!(found[part], expected[part], "{part}");
        }
    }
}

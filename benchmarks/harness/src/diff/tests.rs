use super::*;
use serde_json::json;

fn results() -> Value {
    let episode =
        |seed: u64| json!({ "seed": seed, "metrics": { "steps": 80, "throughput": seed, "blocked": { "A": 1 } } });
    json!({ "schema_version": "0.2", "task": "demo", "agent_baseline_id": "x", "config": { "max_steps": 80 },
        "seeds": [1, 2], "episodes": [episode(1), episode(2)], "git_sha": "aa", "metadata": { "v": 1 } })
}

fn compared(name: &str, first: &[u8], second: &[u8]) -> Result<Comparison, BenchError> {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a").join(name), dir.path().join("b").join(name));
    crate::files::write_whole(&a, first).unwrap();
    crate::files::write_whole(&b, second).unwrap();
    diff(&a, &b)
}

/// The difference of two results, where one place of the second was changed.
fn changed(pointer: &str, value: Value) -> Comparison {
    let mut other = results();
    *other.pointer_mut(pointer).unwrap() = value;
    compared("results.json", results().to_string().as_bytes(), other.to_string().as_bytes()).unwrap()
}

#[test]
fn equal_results_do_not_differ_however_they_are_written() {
    let pretty = serde_json::to_vec_pretty(&results()).unwrap();
    let found = compared("results.json", results().to_string().as_bytes(), &pretty).unwrap();
    assert_eq!((found.difference, found.files), (None, 1));
}

#[test]
fn the_first_metric_that_differs_is_named_with_seed_and_values() {
    let found = changed("/episodes/1/metrics/blocked/A", json!(4)).difference.unwrap();
    assert_eq!(found.to_string(), "seed 2: blocked/A is 1 in the first and 4 in the second");
    let found = changed("/episodes/0/metrics", json!({ "steps": 81, "throughput": 9 })).difference.unwrap();
    assert_eq!(
        found.to_string(),
        "seed 1: blocked is {\"A\":1} in the first and null in the second (3 figures differ)"
    );
}

#[test]
fn what_was_run_comes_before_what_came_of_it() {
    let mut other = results();
    other["config"]["max_steps"] = json!(90);
    other["episodes"][0]["metrics"]["steps"] = json!(90);
    let found = compared("results.json", results().to_string().as_bytes(), other.to_string().as_bytes()).unwrap();
    assert_eq!(found.difference.unwrap().to_string(), "/config/max_steps is 80 in the first and 90 in the second");
    let found = changed("/episodes/1/seed", json!(3)).difference.unwrap();
    assert!(matches!(found, Difference::Field { ref field, .. } if field == "/episodes/1/seed"), "{found}");
}

#[test]
fn where_results_came_from_is_a_note_and_no_difference() {
    let found = changed("/git_sha", json!("bb"));
    assert_eq!((found.difference, found.notes.len()), (None, 1));
    assert_eq!(changed("/metadata/v", json!(2)).notes, ["metadata/v is 1 in the first and 2 in the second"]);
}

const LOG: &str = "{\"agent_id\":\"A\",\"episode\":0,\"status\":\"ACCEPTED\",\"step\":0}\n\
    {\"agent_id\":\"B\",\"args\":{\"x\":[1,2]},\"episode\":0,\"step\":3}\n";

#[test]
fn the_first_event_that_differs_is_named_with_line_step_agent_and_field() {
    let other = LOG.replace("[1,2]", "[1,5]");
    let found = compared("log.jsonl", LOG.as_bytes(), other.as_bytes()).unwrap().difference.unwrap();
    let expected = "line 2, episode 0, step 3, agent \"B\": /args/x/1 is 2 in the first and 5 in the second";
    assert_eq!(found.to_string(), expected);
    let spaced = LOG.replace(",\"args\"", ", \"args\"");
    assert_eq!(compared("log.jsonl", LOG.as_bytes(), spaced.as_bytes()).unwrap().difference, None);
}

#[test]
fn a_log_that_ends_early_is_told() {
    let short = LOG.lines().next().unwrap();
    let found = compared("log.jsonl", LOG.as_bytes(), short.as_bytes()).unwrap().difference.unwrap();
    assert_eq!(found.to_string(), "line 2, episode 0, step 3, agent \"B\": the second log has ended");
    let found = compared("log.jsonl", b"", LOG.as_bytes()).unwrap().difference.unwrap();
    assert_eq!(found.to_string(), "line 1, episode 0, step 0, agent \"A\": the first log has ended");
    assert!(matches!(compared("log.jsonl", LOG.as_bytes(), b"{\"cut\n"), Err(BenchError::NotJson { .. })));
}

#[test]
fn runs_are_compared_file_by_file_logs_first() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| crate::files::write_whole(&dir.path().join(name), text.as_bytes()).unwrap();
    for run in ["a", "b"] {
        write(&format!("{run}/results.json"), &results().to_string());
        write(&format!("{run}/logs/log.jsonl"), LOG);
        write(&format!("{run}/run_manifest.json"), &format!("{{\"wall\": \"{run}\"}}"));
    }
    let compare = || diff(&dir.path().join("a"), &dir.path().join("b")).unwrap();
    assert_eq!((compare().difference, compare().files), (None, 2));
    write("b/results.json", &results().to_string().replace("80", "70"));
    assert_eq!(compare().within.as_deref(), Some("results.json"));
    write("b/logs/log.jsonl", &LOG.replace("ACCEPTED", "BLOCKED"));
    assert_eq!(compare().within.as_deref(), Some("logs/log.jsonl"));
    std::fs::remove_file(dir.path().join("b/logs/log.jsonl")).unwrap();
    assert_eq!(compare().difference.unwrap().to_string(), "logs/log.jsonl is in the first only");
}

#[test]
fn a_log_and_a_result_cannot_be_compared() {
    let dir = tempfile::tempdir().unwrap();
    let (log, file) = (dir.path().join("log.jsonl"), dir.path().join("results.json"));
    std::fs::write(&log, LOG).unwrap();
    std::fs::write(&file, results().to_string()).unwrap();
    let error = diff(&log, &file).unwrap_err();
    assert!(error.to_string().contains("is a log and") && error.to_string().contains("is a results file"), "{error}");
    assert!(matches!(diff(&log, dir.path()), Err(BenchError::NotComparable { .. })));
    assert!(matches!(diff(&log, &dir.path().join("none")), Err(BenchError::Read { .. })));
}

use super::*;
use serde_json::{Map, json};
use std::path::Path;

/// What the reference read and wrote; absent in a checkout of this project alone.
const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/outputs");

fn kinds() -> UncertaintyMapping {
    UncertaintyMapping::load(&labtrust_policy::PolicyStore::builtin()).unwrap()
}

fn document(seeds: &[u64], throughput: impl Fn(u64) -> Value) -> Value {
    let episode = |seed: &u64| {
        json!({ "seed": seed, "metrics": {
            "throughput": throughput(*seed), "steps": 80, "completion_rate": 1.0, "on_time_rate": null,
            "p50_turnaround_stat_s": null, "turnaround_s": [10, 20],
            "violations_by_invariant_id": { "INV-A": 1, "INV-B": 2 }, "timing_mode": "explicit",
        } })
    };
    json!({ "schema_version": "0.2", "task": "demo", "agent_baseline_id": "scripted_ops_v1", "seeds": seeds,
        "config": { "timing_mode": "explicit" }, "metadata": { "distinct_chains": seeds.len() },
        "episodes": seeds.iter().map(episode).collect::<Vec<_>>() })
}

fn write(dir: &Path, name: &str, value: &Value) -> PathBuf {
    let path = dir.join(name);
    crate::files::write_whole(&path, value.to_string().as_bytes()).unwrap();
    path
}

fn summarised(documents: &[Value]) -> ResultsSummary {
    let dir = tempfile::tempdir().unwrap();
    for (number, document) in documents.iter().enumerate() {
        write(dir.path(), &format!("results_{number}.json"), document);
    }
    summarise_results(&[dir.path().to_path_buf()], "summary", &[], &kinds()).unwrap()
}

fn file<'a>(summary: &'a ResultsSummary, name: &str) -> &'a str {
    &summary.files.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name} is missing")).1
}

/// The cells of a table without quotes, by column.
fn cells(csv: &str) -> Vec<Map<String, Value>> {
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let row = |cells: Vec<&str>| {
        assert_eq!(cells.len(), header.len());
        header.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), json!(cell))).collect()
    };
    lines.map(row).collect()
}

#[test]
fn a_row_has_means_deviations_and_our_own_figures_after_the_published_ones() {
    let summary = summarised(&[document(&[1, 2, 3], |seed| json!(seed))]);
    let csv = file(&summary, "summary.csv");
    assert_eq!(csv, file(&summary, "summary_v0.2.csv"));
    let header: Vec<_> = csv.lines().next().unwrap().split(',').collect();
    let place = |name: &str| header.iter().position(|known| *known == name).unwrap_or_else(|| panic!("{name}"));
    assert!(place("violations_total_std") < place("completion_rate_mean"));
    assert!(!header.contains(&"steps_mean") && !header.contains(&"turnaround_s_mean"), "{csv}");
    let row = &cells(csv)[0];
    for (name, expected) in [
        ("n_episodes", "3"),
        ("throughput_mean", "2.0"),
        ("throughput_std", "1.0"),
        ("violations_total_mean", "3.0"),
        ("on_time_rate_mean", ""),
        ("completion_rate_mean", "1.0"),
        ("p50_turnaround_stat_s_mean", ""),
    ] {
        assert_eq!(row[name], expected, "{name}");
    }
    let long = &cells(file(&summary, "summary_v0.3.csv"))[0];
    assert_eq!(long["throughput_p90"], "2.8");
    // Student's t of two degrees of freedom, 4.3027, over the root of three.
    let lower: f64 = long["throughput_mean_ci_lower"].as_str().unwrap().parse().unwrap();
    assert!(libm::fabs(lower - (2.0 - 4.302_652_729_749_46 / libm::sqrt(3.0))) < 1e-9, "{lower}");
    assert_eq!((&long["n_distinct_metric_sets"], &long["n_distinct_chains"]), (&json!("3"), &json!("3")));
}

#[test]
fn chance_and_the_bound_stand_beside_every_crew() {
    let with_bound = |baseline: &str, throughput: u64| {
        let mut run = document(&[1, 2], |_| json!(throughput));
        run["agent_baseline_id"] = json!(baseline);
        for episode in run["episodes"].as_array_mut().unwrap() {
            episode["metrics"]["throughput_bound"] = json!(8);
            episode["metrics"]["throughput_share_of_bound"] = json!(throughput as f64 / 8.0);
        }
        run
    };
    let page = |runs: &[Value]| file(&summarised(runs), "summary.md").to_owned();
    let (crew, chance) = (with_bound("scripted_ops_v1", 6), with_bound("random_legal_v1", 1));
    let text = page(&[crew.clone(), chance]);
    let lines = [
        "| demo |  | by chance (random_legal_v1) | 2 | 1 | 0.125 |",
        "| demo |  | scripted_ops_v1 | 2 | 6 | 0.75 |",
        "| demo |  | clairvoyant bound |  | 8 | 1 |",
    ];
    assert!(text.contains(&lines.join("\n")), "{text}");
    assert!(page(&[crew]).contains("| by chance: no such run is among the results |  |  |  |"));
    // Results of other programs know no bound.
    assert!(!page(&[document(&[1], |_| json!(1))]).contains("bound"));
}

#[test]
fn the_page_says_where_a_spread_comes_from() {
    let summary = summarised(&[document(&[1, 2], |seed| json!(seed))]);
    assert_eq!(summary.uncertainty["throughput_std"], UncertaintyKind::Aleatoric);
    assert_eq!(summary.uncertainty["throughput_mean_ci_upper"], UncertaintyKind::Aleatoric);
    assert!(!summary.uncertainty.contains_key("throughput_mean"));
    let text = file(&summary, "summary.md");
    let line = text.lines().find(|line| line.contains("aleatoric")).unwrap();
    assert!(line.contains("`throughput_std`") && !line.contains("_ci_"), "{line}");
}

#[test]
fn a_run_that_is_there_twice_counts_once_and_that_is_told() {
    let run = document(&[1, 2, 3], |seed| json!(seed));
    let summary = summarised(&[run.clone(), run.clone(), document(&[3, 4], |seed| json!(seed))]);
    let row = &cells(file(&summary, "summary_v0.3.csv"))[0];
    assert_eq!((&row["n_episodes"], &row["throughput_mean"]), (&json!("4"), &json!("2.5")));
    let [whole, part] = &summary.warnings[..] else { panic!("{:?}", summary.warnings) };
    assert!(whole.contains("results_1.json: 3 of 3 episodes") && whole.contains("results_0.json"), "{whole}");
    assert!(part.contains("results_2.json: 1 of 2 episodes"), "{part}");
    assert!(file(&summary, "summary.md").contains("counted once"));
}

#[test]
fn one_seed_with_two_outcomes_is_two_runs_and_that_is_told() {
    let summary = summarised(&[document(&[1, 2], |seed| json!(seed)), document(&[1, 2], |seed| json!(seed * 5))]);
    assert_eq!(cells(file(&summary, "summary.csv"))[0]["n_episodes"], "4");
    assert!(summary.warnings[0].contains("two different runs"), "{:?}", summary.warnings);
    let mut live = document(&[1, 2], |seed| json!(seed * 5));
    live["non_deterministic"] = json!(true);
    let summary = summarised(&[document(&[1, 2], |seed| json!(seed)), live]);
    assert_eq!(summary.warnings, Vec::<String>::new(), "a live model may answer differently");
}

#[test]
fn different_settings_in_one_row_are_told_by_name() {
    let mut simulated = document(&[1, 2], |seed| json!(seed));
    simulated["config"]["timing_mode"] = json!("simulated");
    let summary = summarised(&[document(&[1, 2], |seed| json!(seed)), simulated]);
    assert_eq!(cells(file(&summary, "summary.csv"))[0]["n_episodes"], "4");
    assert!(summary.warnings[0].contains("(timing_mode)"), "{:?}", summary.warnings);
}

#[test]
fn rows_can_be_split_by_a_setting() {
    let dir = tempfile::tempdir().unwrap();
    let mut simulated = document(&[1, 2, 3], |seed| json!(seed));
    simulated["config"]["timing_mode"] = json!("simulated");
    write(dir.path(), "results_a.json", &simulated);
    write(dir.path(), "results_b.json", &document(&[1, 2], |seed| json!(seed)));
    let by = ["timing_mode".to_owned()];
    let summary = summarise_results(&[dir.path().to_path_buf()], "s", &by, &kinds()).unwrap();
    assert_eq!(summary.warnings, Vec::<String>::new());
    let rows = cells(file(&summary, "s.csv"));
    let found: Vec<_> = rows.iter().map(|row| (&row["config_timing_mode"], &row["n_episodes"])).collect();
    assert_eq!(found, [(&json!("explicit"), &json!("2")), (&json!("simulated"), &json!("3"))]);
}

#[test]
fn episodes_that_are_all_alike_are_called_one_sample() {
    let summary = summarised(&[document(&[1, 2, 3], |_| json!(4))]);
    assert_eq!(cells(file(&summary, "summary_v0.3.csv"))[0]["n_distinct_metric_sets"], "1");
    assert!(summary.warnings[0].contains("this is one sample"), "{:?}", summary.warnings);
}

#[test]
fn rows_are_ordered_by_task_baseline_and_partner_whatever_the_files_are_called() {
    let of = |task: &str, partner: Value| {
        let mut one = document(&[1], |seed| json!(seed));
        one["task"] = json!(task);
        one["partner_id"] = partner;
        one
    };
    let summary = summarised(&[of("b", Value::Null), of("a", json!("z")), of("a", json!("y")), of("a", Value::Null)]);
    let found: Vec<_> = cells(file(&summary, "summary.csv"))
        .iter()
        .map(|row| format!("{}{}", row["task"].as_str().unwrap(), row["partner_id"].as_str().unwrap()))
        .collect();
    assert_eq!(found, ["a", "ay", "az", "b"]);
}

#[test]
fn a_list_of_results_is_as_good_as_files_of_them() {
    let list = json!([document(&[1], |seed| json!(seed)), document(&[2], |seed| json!(seed))]);
    let summary = summarised(&[list]);
    assert_eq!(summary.documents, 2);
    assert_eq!(cells(file(&summary, "summary.csv"))[0]["n_episodes"], "2");
}

#[test]
fn what_is_left_out_is_named_and_nothing_at_all_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let paths = [dir.path().to_path_buf()];
    assert!(matches!(summarise_results(&paths, "s", &[], &kinds()), Err(BenchError::NoResults { .. })));
    crate::files::write_whole(&dir.path().join("results_cut.json"), b"{\"task\": \"demo\", \"epi").unwrap();
    write(dir.path(), "results_other.json", &json!({ "foo": 1 }));
    let error = summarise_results(&paths, "s", &[], &kinds()).unwrap_err().to_string();
    assert!(error.contains("results_cut.json") && error.contains("it has no `task`"), "{error}");
    write(dir.path(), "results.json", &document(&[1], |seed| json!(seed)));
    let summary = summarise_results(&paths, "s", &[], &kinds()).unwrap();
    assert_eq!(summary.warnings.len(), 2, "{:?}", summary.warnings);
}

#[test]
fn the_duration_of_a_run_comes_from_its_own_manifest_only() {
    use sha2::{Digest, Sha256};
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "results.json", &document(&[1, 2], |seed| json!(seed)));
    let digest = crate::files::hex(&Sha256::digest(std::fs::read(&path).unwrap()));
    let manifest = |digest: &str| {
        json!({ "program_version": "1", "platform": "p", "threads": 2, "run_duration_wall_s": 0.5,
            "run_duration_episodes_per_s": 4.0, "outputs": { "results.json": digest, "log.jsonl": "x" } })
    };
    write(dir.path(), "run_manifest.json", &manifest(&digest));
    let summary = summarise_results(std::slice::from_ref(&path), "s", &[], &kinds()).unwrap();
    assert_eq!(
        file(&summary, "run_info.csv"),
        "agent_baseline_id,episodes_per_second,n_episodes,partner_id,run_duration_wall_s,task\n\
         scripted_ops_v1,4.0,2,,0.5,demo"
    );
    write(dir.path(), "run_manifest.json", &manifest("another"));
    let summary = summarise_results(std::slice::from_ref(&path), "s", &[], &kinds()).unwrap();
    assert!(!summary.files.iter().any(|(name, _)| name == "run_info.csv"));
}

/// Reads the reference's own results and compares with what it wrote.
#[test]
fn the_references_results_give_the_references_tables() {
    let dir = Path::new(REFERENCE).join("summarize-results/synthetic");
    if !dir.is_dir() {
        eprintln!("skipped: the reference's outputs are not here");
        return;
    }
    let summary = summarise_results(&[dir.join("input")], "summary", &[], &kinds()).unwrap();
    assert_eq!(summary.warnings.len(), 1, "one file holds no results: {:?}", summary.warnings);
    let theirs = |name: &str| std::fs::read_to_string(dir.join("output").join(name)).unwrap();
    for name in ["summary.csv", "summary_v0.2.csv", "run_info.csv", "llm_economics.csv"] {
        assert_eq!(file(&summary, name), theirs(name).trim_end_matches('\n'), "{name}");
    }

    let (ours, theirs) = (file(&summary, "summary_v0.3.csv"), theirs("summary_v0.3.csv"));
    let header = theirs.lines().next().unwrap();
    assert!(ours.starts_with(&format!("{header},")), "their columns come first, in their order");
    for (ours, theirs) in cells(ours).iter().zip(cells(&theirs)) {
        for (name, cell) in &theirs {
            let (ours, theirs) = (ours[name].as_str().unwrap(), cell.as_str().unwrap());
            if name.contains("_mean_ci_") {
                // Student's t where the reference has 1.96: the same place, and wider.
                assert_eq!(ours.is_empty(), theirs.is_empty(), "{name}");
            } else if let (Ok(ours), Ok(theirs)) = (ours.parse::<f64>(), theirs.parse::<f64>()) {
                assert!(libm::fabs(ours - theirs) < 1e-12, "{name}: {ours} and {theirs}");
            } else {
                assert_eq!(ours, theirs, "{name}");
            }
        }
    }
}

/// Every file of the reference that looks like results is read, or is none.
#[test]
fn the_references_results_files_load() {
    if !Path::new(REFERENCE).is_dir() {
        eprintln!("skipped: the reference's outputs are not here");
        return;
    }
    let summary = summarise_results(&[PathBuf::from(REFERENCE)], "summary", &[], &kinds()).unwrap();
    assert!(summary.documents > 30, "{}", summary.documents);
    let skipped: Vec<_> = summary.warnings.iter().filter(|warning| warning.starts_with("skipped")).collect();
    assert!(skipped.iter().all(|warning| warning.contains("it has no")), "{skipped:#?}");
}

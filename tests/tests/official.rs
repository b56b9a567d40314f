//! The committed baselines still come out, figure by figure, and none of them is a baseline of nothing.

use labtrust_bench::official::{guarded, registry};
use labtrust_bench::{BenchmarkRun, Cast, RunLogs};
use labtrust_kernel::ClockMode;
use labtrust_policy::PolicyStore;
use labtrust_tests::load;
use serde_json::Value;
use std::collections::BTreeMap;

fn committed(timing: ClockMode, name: &str) -> String {
    let path = format!("{}/../benchmarks/official/{}/{name}", env!("CARGO_MANIFEST_DIR"), timing.as_str());
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The guarded figures that are committed, by task.
fn baselines(timing: ClockMode) -> BTreeMap<String, Value> {
    let entries: Vec<Value> = serde_json::from_str(&committed(timing, "guarded.json")).expect("it is JSON");
    entries.into_iter().map(|entry| (entry["task"].as_str().expect("a task has a name").to_owned(), entry)).collect()
}

const TIMINGS: [ClockMode; 2] = [ClockMode::Explicit, ClockMode::Simulated];

#[test]
fn committed_baselines_come_out_again_figure_by_figure() {
    let policy = PolicyStore::builtin();
    let lab = load(&policy);
    let plugins = labtrust_builtin::registry().expect("ids are unique");
    let metrics = plugins.metrics();
    for timing in TIMINGS {
        let baselines = baselines(timing);
        for entry in &registry().expect("the registry is one").official_tasks {
            let baseline = &baselines[&entry.task];
            let number = |name: &str| baseline[name].as_u64().expect("it is a number");
            let run = BenchmarkRun {
                task: plugins.task(&entry.task).expect("the task exists"),
                lab: lab.clone(),
                policy: &policy,
                episodes: number("num_episodes"),
                base_seed: number("base_seed"),
                timing: Some(timing),
                max_steps: None,
                strict_signatures: false,
                threads: None,
                metrics: &metrics,
                scale: None,
                cast: Cast {
                    agents: Some(plugins.agent_set(&entry.agents).expect("the set exists")),
                    ..Cast::default()
                },
                git_sha: None,
            };
            let found = guarded(&run.run(RunLogs::None, &|| {}).expect("the run succeeds").results);
            let rows = |value: &Value| value["episodes"].as_array().expect("it is a list").clone();
            for (found, committed) in rows(&found).iter().zip(rows(baseline)) {
                assert_eq!(*found, committed, "{}, {}: left is now, right is committed", entry.task, timing.as_str());
            }
            assert_eq!(found, *baseline, "{}, {}", entry.task, timing.as_str());
            assert_eq!(found["agent_baseline_id"], entry.baseline_id.as_str(), "what the registry names is what ran");
        }
    }
}

#[test]
fn no_committed_baseline_is_below_its_floor_and_every_floor_is_above_nothing() {
    for timing in TIMINGS {
        let mut baselines = baselines(timing);
        for entry in registry().expect("the registry is one").official_tasks {
            let floor = match timing {
                ClockMode::Explicit => entry.least_throughput_mean.explicit,
                ClockMode::Simulated => entry.least_throughput_mean.simulated,
            };
            assert!(floor > 0.0, "{}: a floor of nothing cannot be missed", entry.task);
            let baseline = baselines.remove(&entry.task).expect("every task of the registry is committed");
            let episodes = baseline["episodes"].as_array().expect("it is a list");
            assert!(episodes.len() >= 20, "{}", entry.task);
            let throughput = |episode: &Value| episode["throughput"].as_u64().expect("it is a count");
            let total: u64 = episodes.iter().map(throughput).sum();
            let mean = total as f64 / episodes.len() as f64;
            assert!(mean >= floor, "{}, {}: {mean}, at least {floor}", entry.task, timing.as_str());
            // The committed table is of the same episodes.
            let table = committed(timing, "summary_v0.3.csv");
            let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
            let head = lines.next().expect("a table has a head");
            let column = |name: &str| head.iter().position(|known| *known == name).expect("the column is there");
            let (task, baseline_id, mean_column) =
                (column("task"), column("agent_baseline_id"), column("throughput_mean"));
            let row = lines
                .find(|row| row[task] == entry.task && row[baseline_id] == entry.baseline_id)
                .unwrap_or_else(|| panic!("{} has no row", entry.task));
            let told: f64 = row[mean_column].parse().expect("it is a number");
            assert!((told - mean).abs() < 1e-9, "{}: the table says {told}, its episodes {mean}", entry.task);
        }
        assert!(baselines.is_empty(), "not of the registry: {:?}", baselines.keys());
    }
}

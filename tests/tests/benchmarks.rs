//! Benchmarks mean something: work is really done, results repeat to the byte, and a swapped policy still works.

use labtrust_bench::{BenchmarkRun, RunLogs, RunOutcome, results::results_bytes};
use labtrust_kernel::ClockMode;
use labtrust_plugin::{AgentSeat, Opening, Task, TaskSpec, lab::LoadedLab};
use labtrust_policy::PolicyStore;
use labtrust_tests::{load, reference_policy};
use serde_json::{Map, Value};
use std::sync::Arc;

struct Asked<'a> {
    task: &'a dyn Task,
    policy: &'a PolicyStore,
    lab: Arc<dyn LoadedLab>,
    timing: ClockMode,
    episodes: u64,
    max_steps: Option<u32>,
    threads: usize,
}

fn run(asked: &Asked<'_>) -> RunOutcome {
    let metrics = labtrust_builtin::registry().expect("ids are unique").metrics();
    let run = BenchmarkRun {
        task: asked.task,
        lab: Arc::clone(&asked.lab),
        policy: asked.policy,
        episodes: asked.episodes,
        base_seed: 100,
        timing: Some(asked.timing),
        max_steps: asked.max_steps,
        strict_signatures: false,
        threads: Some(asked.threads),
        metrics: &metrics,
        scale: None,
        cast: labtrust_bench::Cast::default(),
        git_sha: None,
    };
    run.run(RunLogs::None, &|| {}).expect("the run succeeds")
}

fn task(id: &str) -> &'static dyn Task {
    labtrust_builtin::registry().expect("ids are unique").task(id).expect("the task exists")
}

fn asked<'a>(id: &str, policy: &'a PolicyStore, timing: ClockMode, episodes: u64) -> Asked<'a> {
    Asked { task: task(id), policy, lab: load(policy), timing, episodes, max_steps: None, threads: 2 }
}

fn metric(outcome: &RunOutcome, name: &str) -> Vec<f64> {
    outcome.results.episodes.iter().map(|episode| episode.metrics[name].as_f64().unwrap_or(f64::NAN)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

const TASKS: [&str; 3] = ["throughput_sla", "adversarial_disruption", "multi_site_stat"];

#[test]
fn without_service_times_every_specimen_is_released() {
    let policy = PolicyStore::builtin();
    for id in TASKS {
        let outcome = run(&asked(id, &policy, ClockMode::Explicit, 200));
        assert!(metric(&outcome, "completion_rate").iter().all(|&rate| rate == 1.0), "{id}");
        for (episode, total) in outcome.results.episodes.iter().zip(metric(&outcome, "specimens_total")) {
            assert_eq!(episode.metrics["throughput"].as_f64(), Some(total), "{id} seed {}", episode.seed);
            assert!(episode.metrics["p50_turnaround_s"].as_f64().unwrap() > 0.0);
        }
    }
}

#[test]
fn with_service_times_the_original_horizon_gives_what_a_correct_laboratory_can() {
    let policy = PolicyStore::builtin();
    // Released over specimens of the model with a 600 s spin (one analyst), per task.
    for (id, least) in
        [("throughput_sla", 1.96 / 4.45), ("adversarial_disruption", 1.57 / 3.94), ("multi_site_stat", 1.0)]
    {
        let outcome = run(&asked(id, &policy, ClockMode::Simulated, 200));
        let rate = mean(&metric(&outcome, "completion_rate"));
        assert!(rate >= least, "{id}: {rate} of the specimens, at least {least} expected");
    }
}

#[test]
fn with_service_times_and_a_longer_horizon_nearly_everything_is_released_and_never_nothing() {
    let policy = PolicyStore::builtin();
    for (id, steps) in [("throughput_sla", 150), ("adversarial_disruption", 150), ("multi_site_stat", 220)] {
        let outcome = run(&Asked { max_steps: Some(steps), ..asked(id, &policy, ClockMode::Simulated, 200) });
        let rates = metric(&outcome, "completion_rate");
        assert!(mean(&rates) >= 0.9, "{id}: {}", mean(&rates));
        assert!(rates.iter().all(|&rate| rate > 0.0), "{id}");
        assert_eq!(outcome.results.config["max_steps"], steps, "the horizon is stated");
    }
}

#[test]
fn turnaround_differs_between_specimens_and_between_timings() {
    let policy = PolicyStore::builtin();
    let explicit = run(&asked("throughput_sla", &policy, ClockMode::Explicit, 20));
    let simulated = run(&asked("throughput_sla", &policy, ClockMode::Simulated, 20));
    let spread = |outcome: &RunOutcome| {
        metric(outcome, "p95_turnaround_s").iter().zip(metric(outcome, "p50_turnaround_s")).any(|(p95, p50)| *p95 > p50)
    };
    assert!(spread(&explicit) && spread(&simulated));
    assert!(mean(&metric(&simulated, "p50_turnaround_s")) > mean(&metric(&explicit, "p50_turnaround_s")) + 500.0);
}

#[test]
fn honest_agents_break_nothing_and_the_attacker_is_stopped() {
    let policy = PolicyStore::builtin();
    for id in TASKS {
        for timing in ClockMode::ALL {
            let outcome = run(&asked(id, &policy, timing, 30));
            for episode in &outcome.results.episodes {
                let blocked = episode.metrics["blocked_by_reason_code"].as_object().unwrap();
                let of_attackers = episode.metrics["attacker_blocked_by_reason_code"].as_object().unwrap();
                assert_eq!(blocked, of_attackers, "{id} {timing} seed {}: only attackers are blocked", episode.seed);
                assert_eq!(of_attackers.is_empty(), id != "adversarial_disruption");
            }
        }
    }
}

#[test]
fn the_same_run_gives_the_same_bytes_for_any_number_of_threads() {
    let policy = PolicyStore::builtin();
    for id in TASKS {
        for timing in ClockMode::ALL {
            let bytes = |threads: usize| {
                let outcome = run(&Asked { threads, ..asked(id, &policy, timing, 9) });
                results_bytes(&outcome.results).expect("results are finite")
            };
            assert_eq!(bytes(1), bytes(2), "{id} {timing}");
            assert_eq!(bytes(1), bytes(3), "{id} {timing}");
        }
    }
}

#[test]
fn different_seeds_are_different_episodes() {
    let policy = PolicyStore::builtin();
    for id in TASKS {
        let outcome = run(&asked(id, &policy, ClockMode::Explicit, 20));
        assert_eq!(outcome.results.metadata["distinct_chains"], 20, "{id}");
    }
}

#[test]
fn the_reference_policy_directory_releases_results_too() {
    let Some(dir) = reference_policy() else { return };
    let policy = PolicyStore::open(&dir).expect("the reference's directory opens");
    let others = ["stat_insertion", "qc_cascade", "insider_key_misuse", "device_outage_surge"];
    for id in TASKS.into_iter().chain(others) {
        let outcome = run(&asked(id, &policy, ClockMode::Explicit, 20));
        assert!(metric(&outcome, "completion_rate").iter().all(|&rate| rate == 1.0), "{id}");
    }
}

/// A task whose agents have all gone home.
struct Deserted(&'static dyn Task);

impl Task for Deserted {
    fn id(&self) -> &'static str {
        "deserted"
    }
    fn spec(&self) -> &TaskSpec {
        self.0.spec()
    }
    fn initial_state(&self, seed: u64, calibration: Option<&Map<String, Value>>) -> Map<String, Value> {
        self.0.initial_state(seed, calibration)
    }
    fn agents(&self, _opening: &Opening<'_>) -> Vec<AgentSeat> {
        Vec::new()
    }
}

#[test]
fn a_laboratory_without_agents_releases_nothing_and_says_so() {
    let policy = PolicyStore::builtin();
    let deserted = Deserted(task("throughput_sla"));
    for timing in ClockMode::ALL {
        let outcome = run(&Asked { task: &deserted, ..asked("throughput_sla", &policy, timing, 5) });
        assert_eq!(outcome.throughput_total, 0);
        assert!(!outcome.results.warnings.is_empty());
    }
}

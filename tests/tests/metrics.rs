//! The figures of an episode are the ones that the reference defines, no more and no fewer.

use labtrust_bench::{BenchmarkRun, RunLogs};
use labtrust_kernel::ClockMode;
use labtrust_plugin::metric::{MetricSpec, When};
use labtrust_policy::PolicyStore;
use labtrust_tests::{generated, load};
use std::collections::BTreeSet;

/// Absent where there is no value, because readers of the published format expect numbers in it.
const ABSENT_WHEN_EMPTY: &str = "turnaround_quantiles_s";

fn specs() -> Vec<(&'static str, MetricSpec)> {
    let registry = labtrust_builtin::registry().expect("ids are unique");
    let groups = registry.metrics();
    groups.into_iter().flat_map(|group| group.specs().iter().map(move |spec| (group.id(), *spec))).collect()
}

#[test]
fn every_figure_of_every_task_is_one_that_is_defined_and_is_there_when_its_definition_says() {
    let registry = labtrust_builtin::registry().expect("ids are unique");
    let (policy, metrics) = (PolicyStore::builtin(), registry.metrics());
    let lab = load(&policy);
    let tasks = registry.entries().iter().filter(|entry| entry.plugin.kind() == "task");
    let mut looked_at = 0;
    for id in tasks.map(|entry| entry.plugin.id()) {
        let task = registry.task(id).expect("it was listed");
        for timing in [ClockMode::Explicit, ClockMode::Simulated] {
            let run = BenchmarkRun {
                task,
                lab: lab.clone(),
                policy: &policy,
                episodes: 2,
                base_seed: 100,
                timing: Some(timing),
                max_steps: None,
                strict_signatures: false,
                threads: Some(1),
                metrics: &metrics,
                scale: None,
                cast: labtrust_bench::Cast::default(),
                git_sha: None,
            };
            let results = run.run(RunLogs::None, &|| {}).expect("the run succeeds").results;
            let applies = |when| match when {
                When::Always => true,
                When::Simulated => timing == ClockMode::Simulated,
                When::Attack => task.spec().attack_start_step.is_some(),
            };
            let defined = || specs().into_iter().filter(|(_, spec)| applies(spec.when)).map(|(_, spec)| spec.name);
            for episode in &results.episodes {
                let there: BTreeSet<&str> = episode.metrics.keys().map(String::as_str).collect();
                let undefined: Vec<_> = there.difference(&defined().collect()).copied().collect();
                assert!(undefined.is_empty(), "{id} {timing:?}: {undefined:?} are defined nowhere, or not for this");
                let missing: Vec<_> = defined().filter(|name| !there.contains(name)).collect();
                assert!(missing.iter().all(|name| *name == ABSENT_WHEN_EMPTY), "{id} {timing:?}: {missing:?} missing");
                looked_at += there.len();
            }
        }
    }
    assert!(looked_at > 300);
}

#[test]
fn the_reference_of_metrics_is_made_from_their_definitions() {
    let mut text = String::from("| metric | unit | definition | when | better | spread |\n|---|---|---|---|---|---|\n");
    for (_, spec) in specs() {
        let MetricSpec { name, unit, formula, when, better, uncertainty } = spec;
        let (when, better, spread) = (when.as_str(), better.as_str(), uncertainty.as_str());
        text.push_str(&format!("| `{name}` | {unit} | {formula} | {when} | {better} | {spread} |\n"));
    }
    generated::check("docs/src/reference/metrics.md", "metrics", &text);
}

//! The figures of an episode are the ones that the reference defines, no more and no fewer.

#![expect(clippy::print_stdout, reason = "`--nocapture` shows the shares")]

use labtrust_bench::summary::{UNCERTAINTY_FILE, UncertaintyMapping};
use labtrust_bench::{BenchmarkRun, Cast, RunLogs};
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
fn no_crew_exceeds_the_bound_and_the_scripted_one_comes_near_it() {
    let registry = labtrust_builtin::registry().expect("ids are unique");
    let (policy, metrics) = (PolicyStore::builtin(), registry.metrics());
    let lab = load(&policy);
    let tasks = registry.entries().iter().filter(|entry| entry.plugin.kind() == "task");
    for id in tasks.map(|entry| entry.plugin.id()) {
        for timing in [ClockMode::Explicit, ClockMode::Simulated] {
            let mut means = Vec::new();
            for agents in ["scripted", "random_legal"] {
                let run = BenchmarkRun {
                    task: registry.task(id).expect("it was listed"),
                    lab: lab.clone(),
                    policy: &policy,
                    episodes: 20,
                    base_seed: 100,
                    timing: Some(timing),
                    max_steps: None,
                    strict_signatures: false,
                    threads: None,
                    metrics: &metrics,
                    scale: None,
                    cast: Cast {
                        agents: Some(registry.agent_set(agents).expect("it is compiled in")),
                        ..Cast::default()
                    },
                    git_sha: None,
                };
                let results = run.run(RunLogs::None, &|| {}).expect("the run succeeds").results;
                let shares: Vec<f64> = results
                    .episodes
                    .iter()
                    .map(|episode| {
                        let share = episode.metrics["throughput_share_of_bound"].as_f64();
                        let share =
                            share.unwrap_or_else(|| panic!("{id} {timing:?} {}: nothing can be done", episode.seed));
                        assert!(share <= 1.0, "{id} {timing:?} {agents} seed {}: {share} of the bound", episode.seed);
                        share
                    })
                    .collect();
                means.push(shares.iter().sum::<f64>() / shares.len() as f64);
            }
            let (scripted, random) = (means[0], means[1]);
            println!("{id} {timing:?}: {scripted:.3} of the bound, at random {random:.3}");
            // What is missing to 1 is that people cannot be everywhere at once, which the bound allows.
            assert!(scripted >= 0.6, "{id} {timing:?}: {scripted}");
            assert!(random < scripted, "{id} {timing:?}: {random} at random, {scripted} scripted");
        }
    }
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

/// Columns of the published mapping that belong to no metric of ours.
const PUBLISHED_KEYS: [&str; 7] = [
    "containment_success_rate_ci_lower",
    "containment_success_rate_ci_upper",
    "llm_confidence_calibration",
    "llm_confidence_ece_mean",
    "llm_confidence_mce_mean",
    "p95_turnaround_s_std",
    "throughput_std",
];

#[test]
fn the_policy_says_of_every_figure_where_its_spread_comes_from_and_says_what_the_definition_says() {
    let mapping = UncertaintyMapping::load(&PolicyStore::builtin()).expect("the built-in file is sound");
    let mut expected: std::collections::BTreeMap<String, String> =
        specs().iter().map(|(_, spec)| (spec.name.to_owned(), spec.uncertainty.as_str().to_owned())).collect();
    for key in PUBLISHED_KEYS {
        let kind = if key.starts_with("llm_") { "epistemic" } else { "aleatoric" };
        expected.insert(key.to_owned(), kind.to_owned());
    }
    let found = serde_json::to_value(mapping.entries()).expect("kinds are words");
    let expected = serde_json::to_value(expected).expect("texts");
    if std::env::var_os("LABTRUST_REGENERATE").is_some() {
        let file = serde_json::json!({
            "description": "Where the spread of a figure over episodes comes from, by metric or by column of a summary.",
            "mapping": expected,
        });
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../policy").join(UNCERTAINTY_FILE);
        std::fs::write(path, format!("{file:#}\n")).expect("the file can be written");
    } else {
        assert_eq!(found, expected, "write the file anew with LABTRUST_REGENERATE=1 cargo test -p labtrust-tests");
    }
}

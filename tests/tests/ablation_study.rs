//! Ablation studies: every axis does something, conditions have the same episodes, and differences are of pairs.

use labtrust_bench::stats::{Confidence, paired_difference};
use labtrust_plugin::Registry;
use labtrust_policy::{PolicyError, PolicyStore};
use labtrust_study::StudyError;
use labtrust_study::ablation::{AblationSpec, Axis, Ran, Request, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| labtrust_builtin::registry().expect("ids are unique"));
static POLICY: LazyLock<PolicyStore> = LazyLock::new(PolicyStore::builtin);

fn spec_of(text: &str) -> Result<AblationSpec, StudyError> {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("spec.yaml");
    std::fs::write(&path, text).expect("it can be written");
    AblationSpec::load(&path, None)
}

fn ran(text: &str, threads: usize, out: &Path) -> Vec<Ran> {
    let spec = spec_of(text).unwrap_or_else(|error| panic!("{error}"));
    let request = Request {
        spec: &spec,
        registry: &REGISTRY,
        policy: &POLICY,
        domain: REGISTRY.lab_domain("hospital_lab").expect("it is compiled in"),
        threads: Some(threads),
        git_sha: None,
        out,
        progress: &|| (),
    };
    run(&request).unwrap_or_else(|error| panic!("{error}"))
}

fn study(text: &str) -> Vec<Ran> {
    ran(text, 2, tempfile::tempdir().expect("a directory").path())
}

/// The figure of every episode.
fn figures(ran: &Ran, name: &str) -> Vec<f64> {
    ran.figures.iter().map(|figures| figures.get(name).copied().unwrap_or(f64::NAN)).collect()
}

#[test]
fn every_axis_moves_a_figure_of_a_task_that_it_is_about() {
    let tried = [
        (Axis::TrustSkeleton, "[on, off]", "adversarial_disruption", "blocks_total"),
        (Axis::Rbac, "[fine, off]", "insider_key_misuse", "time_to_first_detected_security_violation"),
        (Axis::Rbac, "[fine, coarse]", "insider_key_misuse", "time_to_first_detected_security_violation"),
        (Axis::DualApproval, "[on, off]", "late_courier", "throughput"),
        (Axis::StrictSignatures, "[on, off]", "insider_key_misuse", "fraction_of_attacks_contained"),
        (Axis::LogGranularity, "[full, minimal]", "throughput_sla", "log_bytes"),
    ];
    for axis in Axis::ALL {
        assert!(tried.iter().any(|(tried, ..)| *tried == axis), "{}", axis.name());
    }
    for (axis, values, task, figure) in tried {
        let text = format!("task: {task}\nepisodes: 2\nseed_base: 100\nablations:\n  {}: {values}\n", axis.name());
        let all = study(&text);
        let (first, second) = (figures(&all[0], figure), figures(&all[1], figure));
        assert!(
            first.iter().zip(&second).all(|(one, two)| one != two),
            "{values} {task} {figure}: {first:?} {second:?}"
        );
        assert_eq!(all[0].results.seeds, all[1].results.seeds, "the same episodes");
    }
}

#[test]
fn an_axis_that_is_not_set_changes_nothing_and_a_minimal_log_changes_no_result() {
    let plain = study("task: qc_cascade\nepisodes: 1\nseed_base: 5\n");
    assert_eq!((plain.len(), plain[0].condition.label.as_str()), (1, "cond_0"));
    let logs =
        study("task: qc_cascade\nepisodes: 1\nseed_base: 5\nablations: { log_granularity: [null, full, minimal] }\n");
    for ran in &logs {
        assert_eq!(ran.results.episodes, plain[0].results.episodes);
    }
    assert_eq!(logs[0].log(), logs[1].log());
    assert!(logs[2].log().0 < logs[1].log().0 / 2);
    assert_eq!(logs[0].condition.label, "log_granularity_none");
}

#[test]
fn conditions_are_a_product_with_the_last_axis_fastest_and_labels_of_their_own_or_of_the_spec() {
    let text = "study_spec:\n  task: qc_cascade\n  episodes: 1\n  seed_base: 100\n  ablations:\n    trust_skeleton: [\"on\", off]\n    dual_approval: [on, \"off\"]\n    rbac: coarse\n";
    let spec = spec_of(text).expect("it is a spec");
    let labels: Vec<&str> = spec.conditions.iter().map(|condition| condition.label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "dual_approval_True_rbac_coarse_trust_skeleton_True",
            "dual_approval_True_rbac_coarse_trust_skeleton_False",
            "dual_approval_False_rbac_coarse_trust_skeleton_True",
            "dual_approval_False_rbac_coarse_trust_skeleton_False",
        ]
    );
    assert_eq!(spec.conditions.iter().map(|condition| condition.seed).collect::<Vec<_>>(), [100, 101, 102, 103]);
    let named = text.replace("  ablations", "  condition_labels: [a, b, c, d]\n  ablations");
    assert_eq!(spec_of(&named).expect("it is a spec").conditions[3].label, "d");
}

#[test]
fn what_there_is_not_is_refused_with_the_list_of_what_there_is() {
    for (text, said, hint) in [
        ("ablations: { trust_skelton: [on, off] }", "no axis trust_skelton", "trust_skeleton"),
        ("ablations: { rbac: [on] }", "no value on", "fine, coarse, off"),
        ("ablations: { log_granularity: [3] }", "no value 3", "full, minimal"),
        ("ablations: { rbac: [] }", "no values", "fine"),
        ("ablations: { rbac: [off, false] }", "twice", "once"),
        ("ablations: { rbac: [off] }\ncondition_labels: [a, b]", "2 labels and 1 conditions", "every condition"),
        ("agent_config: nobody", "no agents nobody", "scripted_runner"),
        ("timing_mode: sundial", "no timing sundial", "simulated"),
        ("episodes: 0", "no episodes", "1 or more"),
    ] {
        let Err(StudyError::Policy(PolicyError::Rule(at))) = spec_of(&format!("task: qc_cascade\n{text}\n")) else {
            panic!("{text} is no spec")
        };
        assert!(at.message.contains(said) && at.hint.as_deref().unwrap_or_default().contains(hint), "{text}: {at:?}");
        assert!(at.line > 1, "{text}");
    }
    assert!(spec_of("task: qc_cascade\nepisode: 3\n").is_err(), "an unknown key");
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).expect("it is there") {
            let path = entry.expect("it can be read").path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    let name = path.strip_prefix(dir).expect("it is below").display().to_string();
                    all.insert(name, std::fs::read(path).expect("it can be read"));
                }
            }
        }
    }
    all
}

#[test]
fn a_study_has_the_same_bytes_for_any_number_of_threads_and_its_differences_are_those_of_its_results() {
    let text = "task: insider_key_misuse\nepisodes: 3\nseed_base: 100\nablations: { strict_signatures: [on, off], log_granularity: [full] }\n";
    let (one, two) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let all = ran(text, 1, one.path());
    ran(text, 2, two.path());
    let (first, second) = (files(one.path()), files(two.path()));
    assert!(first == second, "{:?} {:?}", first.keys(), second.keys());
    for name in ["README.md", "logs/cond_1/log.jsonl", "logs/cond_1/episodes.jsonl", "results/cond_0/results.json"] {
        assert!(first.contains_key(name), "{name} of {:?}", first.keys());
    }
    let manifest: Value = serde_json::from_slice(&first["manifest.json"]).expect("it is JSON");
    assert_eq!(
        (manifest["num_conditions"].as_u64(), manifest["result_hashes"][1].as_str()),
        (Some(2), Some(all[1].sha256.as_str()))
    );
    assert!(!first.values().any(|bytes| String::from_utf8_lossy(bytes).contains(&one.path().display().to_string())));

    // From the results files alone.
    let of = |condition: &str| -> Vec<f64> {
        let results: Value =
            serde_json::from_slice(&first[&format!("results/{condition}/results.json")]).expect("JSON");
        let episodes = results["episodes"].as_array().expect("a list").iter();
        episodes
            .map(|episode| episode["metrics"]["fraction_of_attacks_contained"].as_f64().expect("it has one"))
            .collect()
    };
    let expected = paired_difference(&of("cond_1"), &of("cond_0"), Confidence::P95).expect("there are three");
    let csv = String::from_utf8(first["paired_differences.csv"].clone()).expect("it is text");
    let row = csv.split("\r\n").find(|row| row.contains(",fraction_of_attacks_contained,")).expect("it is compared");
    let cells: Vec<&str> = row.split(',').collect();
    assert_eq!((cells[0], cells[2], cells[4]), ("cond_1", "cond_0", "3"));
    assert_eq!(cells[7].parse(), Ok(expected.mean));
    assert_eq!((cells[8].parse(), cells[9].parse()), (Ok(expected.bounds.lower), Ok(expected.bounds.upper)));

    // With seeds of their own there are no pairs.
    let apart = tempfile::tempdir().expect("a directory");
    let all = ran(&format!("{text}seeding: per_condition\n"), 2, apart.path());
    assert_eq!([all[0].results.base_seed, all[1].results.base_seed], [100, 101]);
    let csv = String::from_utf8(files(apart.path())["paired_differences.csv"].clone()).expect("it is text");
    assert_eq!(csv.matches("\r\n").count(), 1, "only the header");
}

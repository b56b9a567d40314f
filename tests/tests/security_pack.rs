//! The coordination security pack, run.

use labtrust_assurance::pack::agree::check_files;
use labtrust_assurance::pack::decision::decide;
use labtrust_assurance::pack::{Asked, PackOutcome, Request, Verdict, outputs, run};
use labtrust_assurance::register::{BundleOptions, Register, build};
use labtrust_bench::seeds::first_of_scale;
use labtrust_bench::{BenchmarkRun, Cast, Directing, Direction, RunLogs};
use labtrust_coordination::catalogue::Catalogue;
use labtrust_plugin::Registry;
use labtrust_plugin::lab::LoadedLab;
use labtrust_plugin::wire::{Setting, Settings};
use labtrust_policy::PolicyStore;
use serde_json::Map;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| labtrust_builtin::registry().expect("ids are unique"));
static POLICY: LazyLock<PolicyStore> = LazyLock::new(PolicyStore::builtin);
static LAB: LazyLock<Arc<dyn LoadedLab>> =
    LazyLock::new(|| REGISTRY.lab_domain("hospital_lab").expect("it is compiled in").load(&POLICY).expect("it loads"));

const SPOOF: &str = "INJ-ID-SPOOF-001";
const POISON: &str = "INJ-COMMS-POISON-001";

fn ids(all: &[&str]) -> Vec<String> {
    all.iter().map(|id| (*id).to_owned()).collect()
}

/// The small size with one method that decides alone, one that is not there, and two injections.
fn request<'a>(preset: &str, methods: &[&str], threads: usize, out: Option<&'a Path>) -> Request<'a> {
    let asked = Asked {
        preset: Some(preset.to_owned()),
        scale_ids: ids(&["small_smoke"]),
        method_ids: ids(methods),
        injection_ids: ids(&["none", SPOOF, POISON]),
        ..Asked::default()
    };
    Request {
        registry: &REGISTRY,
        policy: &POLICY,
        lab: Arc::clone(&LAB),
        asked,
        seed: 42,
        episodes_per_cell: Some(2),
        threads: Some(threads),
        strict: false,
        multi_agentic: false,
        out,
        logs: false,
        git_sha: None,
        progress: &|_, _| (),
    }
}

const METHODS: [&str; 2] = ["kernel_centralized_edf", "llm_repair_over_kernel_whca"];

fn full(threads: usize, out: &Path) -> PackOutcome {
    run(&request("hospital_lab_full", &METHODS, threads, Some(out))).expect("it runs")
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).expect("it is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).expect("it is below").display().to_string();
                all.insert(name, std::fs::read(path).expect("it can be read"));
            }
        }
    }
    all
}

#[test]
fn a_pack_has_the_same_bytes_for_any_number_of_threads() {
    let (one, two) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let outcome = full(1, one.path());
    full(2, two.path());
    let (mut first, mut second) = (files(one.path()), files(two.path()));
    assert!(first.remove(outputs::TIMINGS).is_some() && second.remove(outputs::TIMINGS).is_some());
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    assert!(first.len() >= 6 + 2 * 3, "{:?}", first.keys());
    let differ: Vec<_> = first.iter().filter(|(name, bytes)| second[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(differ.is_empty(), "{differ:?}");

    let csv = String::from_utf8(first[outputs::SUMMARY].clone()).expect("it is text");
    let rows: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(rows[0], outputs::COLUMNS.join(","));
    assert_eq!(rows.len(), 1 + 6);

    let of = |method, injection| outcome.verdict("small_smoke", method, injection).expect("the cell is there");
    assert_eq!(of(METHODS[0], "none").verdict, Verdict::Pass);
    // It arrives and is refused, but two episodes show little.
    let few = of(METHODS[0], SPOOF);
    assert_eq!(few.verdict, Verdict::Skip, "{few:?}");
    assert!(few.rationale.contains("(too_few_episodes)"), "{few:?}");
    assert!(!few.rationale.contains("(inert)") && !few.rationale.contains("(not_applied)"), "{few:?}");
    // Who says nothing on a wire cannot be poisoned there.
    let silent = of(METHODS[0], POISON);
    assert_eq!(silent.verdict, Verdict::Skip);
    assert!(silent.rationale.contains("(not_applied)"), "{silent:?}");
    for injection in ["none", SPOOF, POISON] {
        assert_eq!(of(METHODS[1], injection).verdict, Verdict::NotRun, "{injection}");
    }
    assert_eq!((outcome.gate.passed, outcome.gate.not_run, outcome.gate.overall_pass), (1, 3, false));
}

#[test]
fn logs_are_kept_where_they_are_asked_for_and_change_nothing_else() {
    const METHOD: &str = "market_auction";
    const LOGS: [&str; 5] =
        ["METHOD_TRACE.jsonl", "coord_decisions.jsonl", "coord_events.jsonl", "ground_truth.jsonl", "log.jsonl"];
    let made = |logs: bool, threads: usize, dir: &Path| {
        let methods = [METHOD, METHODS[1]];
        run(&Request { logs, ..request("hospital_lab_full", &methods, threads, Some(dir)) }).expect("it runs");
        let mut files = files(dir);
        files.remove(outputs::TIMINGS);
        files
    };
    let dirs = [(); 3].map(|()| tempfile::tempdir().expect("a directory"));
    let (plain, one, two) =
        (made(false, 2, dirs[0].path()), made(true, 1, dirs[1].path()), made(true, 3, dirs[2].path()));
    let differ: Vec<_> =
        one.iter().filter(|(name, bytes)| two.get(*name) != Some(*bytes)).map(|(name, _)| name).collect();
    assert!(differ.is_empty() && one.len() == two.len(), "{differ:?}");

    let cell = |injection: &str| format!("pack_results/small_smoke_{METHOD}_{injection}");
    let added: Vec<&String> = one.keys().filter(|name| !plain.contains_key(*name)).collect();
    let mut expected: Vec<String> =
        [SPOOF, POISON].iter().flat_map(|id| LOGS.map(|log| format!("{}/{log}", cell(id)))).collect();
    // Of a course that nobody disturbs there is no truth to keep apart.
    expected
        .extend(LOGS.iter().filter(|log| **log != "ground_truth.jsonl").map(|log| format!("{}/{log}", cell("none"))));
    expected.sort_unstable();
    assert_eq!(added, expected.iter().collect::<Vec<_>>());
    for (name, bytes) in &plain {
        assert!(name == outputs::MANIFEST || one[name] == *bytes, "{name} is another");
    }

    let manifest: serde_json::Value = serde_json::from_slice(&one[outputs::MANIFEST]).expect("it is JSON");
    let listed: BTreeMap<String, String> = manifest["logs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| {
            (entry["path"].as_str().expect("a path").to_owned(), entry["sha256"].as_str().expect("a digest").to_owned())
        })
        .collect();
    assert!(expected.iter().all(|name| listed.contains_key(name)), "{listed:?}");
    for (name, sha256) in &listed {
        use sha2::Digest as _;
        let digest: String = sha2::Sha256::digest(&one[name]).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, *sha256, "{name}");
    }
    // A log has every episode of its cell.
    let log = String::from_utf8(one[&format!("{}/log.jsonl", cell(SPOOF))].clone()).expect("it is text");
    assert!(log.contains("\"episode\":0") && log.contains("\"episode\":1"));
    let plain_manifest: serde_json::Value = serde_json::from_slice(&plain[outputs::MANIFEST]).expect("it is JSON");
    assert!(plain_manifest.get("logs").is_none());

    // Made again without logs, those of before are gone.
    assert_eq!(made(false, 2, dirs[1].path()), plain);
}

#[test]
fn figures_that_are_not_those_of_the_results_are_told_with_their_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name);
    let read = |name: &str| std::fs::read_to_string(at(name)).expect("it is there");
    let wrong = || check_files(dir.path()).map_err(|error| error.to_string());
    full(2, dir.path());
    wrong().expect("a pack agrees with itself");

    let results = format!("pack_results/small_smoke_{}_{SPOOF}/results.json", METHODS[0]);
    let (summary, good) = (read(outputs::SUMMARY), read(&results));
    let line = 1 + summary.lines().position(|row| row.contains(METHODS[0]) && row.contains(SPOOF)).expect("the row");
    let row = summary.lines().nth(line - 1).expect("the row");
    let place = |column: &str| format!("pack_summary.csv: line {line}, {column}: ");
    let with = |column: &str, value: &str| {
        let at = outputs::COLUMNS.iter().position(|known| *known == column).expect("a column");
        let mut fields: Vec<&str> = row.split(',').collect();
        fields[at] = value;
        summary.replace(row, &fields.join(","))
    };
    for (column, value) in
        [("perf.throughput", "99.0"), ("sec.applications_total", ""), ("sec.attack_success_rate", "0.5")]
    {
        std::fs::write(at(outputs::SUMMARY), with(column, value)).expect("it is written");
        let error = wrong().expect_err(column);
        assert!(error.contains(&place(column)) && error.contains(&results), "{error}");
        assert!(decide(dir.path(), &POLICY, None, None).is_err_and(|told| told.to_string() == error), "{column}");
        let options = BundleOptions { runs: vec![dir.path().to_path_buf()], ..BundleOptions::default() };
        let bundle = build(&POLICY, &Register::load(&POLICY).expect("it loads"), &options).expect("it is made");
        let is_pack = |entry: &&serde_json::Value| entry["type"] == "coordination_pack";
        let entry = bundle["evidence"].as_array().expect("a list").iter().find(is_pack).expect("the pack");
        let reason = entry["reason"].as_str().unwrap_or_default();
        assert!(
            entry["status"] == "inadmissible" && reason.starts_with("unverified") && reason.contains(column),
            "{reason}"
        );
    }
    // The potency is of episodes that are not kept.
    std::fs::write(at(outputs::SUMMARY), with("sec.potency", "0.25")).expect("it is written");
    wrong().expect("nobody can tell");
    std::fs::write(at(outputs::SUMMARY), &summary).expect("it is written");

    let other = good.replace(&format!("\"injection_id\":\"{SPOOF}\""), &format!("\"injection_id\":\"{POISON}\""));
    for (content, column) in [(other.as_str(), "injection_id"), ("{}", "scale_id"), ("[", "scale_id")] {
        std::fs::write(at(&results), content).expect("it is written");
        let error = wrong().expect_err(column);
        assert!(error.contains(&place(column)), "{error}");
    }
    std::fs::remove_file(at(&results)).expect("it is gone");
    let error = wrong().expect_err("no results");
    assert!(error.contains(&place("perf.throughput")) && error.contains("there is no"), "{error}");
    // A copy of the tables alone has nothing to be compared with.
    std::fs::remove_dir_all(at("pack_results")).expect("they are gone");
    wrong().expect("there are no results");
}

#[test]
fn a_strict_pack_fails_on_what_is_not_shown() {
    let outcome =
        run(&Request { strict: true, ..request("hospital_lab_core", &METHODS[..1], 2, None) }).expect("it runs");
    for injection in [SPOOF, POISON] {
        let ruling = outcome.verdict("small_smoke", METHODS[0], injection).expect("the cell is there");
        assert_eq!(ruling.verdict, Verdict::Fail, "{ruling:?}");
    }
}

#[test]
fn a_course_that_is_shared_judges_as_one_of_its_own() {
    let both = [SPOOF, "INJ-COORD-PROMPT-INJECT-001"];
    let mut request = request("hospital_lab_core", &METHODS[..1], 2, None);
    request.asked.injection_ids = ids(&both);
    let outcome = run(&request).expect("it runs");
    for injection in both {
        let shared = outcome.cells.iter().find(|cell| cell.injection_id == injection).expect("the matrix has it");
        let method = REGISTRY.coordination_method(METHODS[0]).expect("it is compiled in");
        let mut given = Settings::default();
        if method.params_schema().contains("\"signed\"") {
            given.0.insert("signed".to_owned(), Setting::Text("on".to_owned()));
        }
        let settings = Catalogue::load(&POLICY).expect("it loads").settings(METHODS[0], given).expect("they fit");
        let facts = Map::new();
        let metrics = REGISTRY.metrics();
        let own = BenchmarkRun {
            task: REGISTRY.task("coord_risk").expect("it is compiled in"),
            lab: Arc::clone(&LAB),
            policy: &POLICY,
            episodes: 2,
            base_seed: first_of_scale(42, "small_smoke"),
            timing: None,
            max_steps: None,
            strict_signatures: false,
            threads: Some(1),
            metrics: &metrics,
            scale: Some("small_smoke"),
            cast: Cast {
                method: Some(Direction { directing: Directing::Everybody, method, settings: &settings, facts: &facts }),
                injection: Some(REGISTRY.injection(injection).expect("it is compiled in")),
                ..Cast::default()
            },
            git_sha: None,
        }
        .run(RunLogs::None, &|| ())
        .expect("it runs");
        let shared = shared.results.as_ref().expect("it ran");
        assert_eq!(shared.episodes, own.results.episodes, "{injection}");
    }
}

#[test]
fn a_method_that_lacks_its_weights_is_not_run_and_never_passed() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "methods: [kernel_centralized_edf, marl_ppo]\n").expect("it can be written");
    let mut request = request("", &[], 1, None);
    request.asked = Asked {
        methods_from: Some(file.path().display().to_string()),
        scale_ids: ids(&["small_smoke"]),
        injection_ids: ids(&["none"]),
        ..Asked::default()
    };
    let outcome = run(&request).expect("it runs");
    let of = |method| outcome.verdict("small_smoke", method, "none").expect("the cell is there");
    assert_eq!(of("kernel_centralized_edf").verdict, Verdict::Pass);
    let ruling = of("marl_ppo");
    assert_eq!(ruling.verdict, Verdict::NotRun);
    assert!(ruling.rationale.starts_with("(not_ready) marl_ppo has no weights"), "{}", ruling.rationale);
    assert_eq!((outcome.gate.failed, outcome.gate.not_run), (0, 1));
}

#[test]
fn lists_with_reserved_or_unknown_names_are_refused() {
    let refused = |change: &dyn Fn(&mut Asked)| {
        let mut request = request("hospital_lab_core", &[], 1, None);
        request.asked = Asked { scale_ids: ids(&["small_smoke"]), ..Asked::default() };
        change(&mut request.asked);
        run(&request).expect_err("it is refused").to_string()
    };
    let file = |text: &str| {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("it can be written");
        file
    };
    let reserved = file("none\ninj_jailbreak\ninj_stuck_state\n");
    let from = reserved.path().display().to_string();
    let said = refused(&|asked| asked.injections_from = Some(from.clone()));
    assert!(said.contains("inj_jailbreak, inj_stuck_state"), "{said}");
    let unknown = file("methods: [nobody]\n");
    let from = unknown.path().display().to_string();
    assert!(refused(&|asked| asked.methods_from = Some(from.clone())).contains("nobody"));
    assert!(refused(&|asked| asked.preset = Some("hospital".to_owned())).contains("hospital_lab_core"));
    assert!(refused(&|asked| asked.scale_ids = ids(&["enormous"])).contains("--scale-ids"));
}

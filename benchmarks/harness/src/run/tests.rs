use super::*;
use crate::log::columnar::RecordLines;
use crate::log::{Beside, LogFiles};
use crate::results::results_bytes;
use crate::testing::{FakeEngine, FakeLab, FakeTask, Line};
use labtrust_contract::{LogRecord, Metrics};
use labtrust_plugin::lab::ActionKind::{
    self, AcceptSpecimen, AckCriticalResult, Move, NotifyCriticalResult, QcEvent, ReleaseResult, ReleaseResultOverride,
};
use serde_json::json;
use std::sync::LazyLock;

/// What this crate measures by itself.
static METRICS: LazyLock<[&dyn Metric; 8]> = LazyLock::new(crate::metrics::builtin);

const fn line(step: u32, kind: ActionKind, result: &'static str, specimen: &'static str) -> Line {
    (step, kind, Some(result), Some(specimen))
}

fn ops(lines: &[Line]) -> FakeTask {
    FakeTask::new(vec![("ops_0", "A_OPS_0", false, lines.to_vec())])
}

fn setup(task: &FakeTask) -> EpisodeSetup<'_> {
    EpisodeSetup {
        task,
        seed: 7,
        max_steps: task.spec.max_steps,
        timing: ClockMode::Explicit,
        strict_signatures: false,
        calibration: None,
        metrics: METRICS.as_slice(),
        cast: Cast::default(),
    }
}

fn measured(task: &FakeTask) -> Metrics {
    run_episode(&mut FakeEngine::default(), &setup(task), None).unwrap().metrics
}

fn run<'a>(task: &'a FakeTask, policy: &'a PolicyStore) -> BenchmarkRun<'a> {
    BenchmarkRun {
        task,
        lab: Arc::new(FakeLab),
        policy,
        episodes: 20,
        base_seed: 100,
        timing: None,
        max_steps: None,
        strict_signatures: false,
        threads: Some(1),
        metrics: METRICS.as_slice(),
        scale: None,
        cast: Cast::default(),
        git_sha: None,
    }
}

fn logged(context_episode: u64, task: &FakeTask) -> Vec<LogRecord> {
    let mut log = EpisodeLog::new(Arc::default(), context_episode);
    run_episode(&mut FakeEngine::default(), &setup(task), Some(&mut log)).unwrap();
    let text = String::from_utf8(log.into_bytes()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_result_that_is_released_twice_counts_once() {
    let lines = [
        line(0, ReleaseResult, "R1", "S1"),
        line(1, ReleaseResult, "R1", "S1"),
        line(2, ReleaseResultOverride, "R1", "S1"),
        line(3, ReleaseResult, "R2", "S2"),
    ];
    let metrics = measured(&ops(&lines));
    assert_eq!(metrics["throughput"], 2);
    assert_eq!(metrics["completion_rate"], 1.0);
    assert_eq!(metrics["throughput_per_hour"], 120.0);
}

#[test]
fn a_released_result_that_nobody_filed_counts_for_nothing() {
    assert_eq!(measured(&ops(&[(0, ReleaseResult, Some("FAKE"), None)]))["throughput"], 0);
    let filed = [(0, ActionKind::GenerateResult, Some("R1"), None), (1, ReleaseResult, Some("R1"), None)];
    assert_eq!(measured(&ops(&filed))["throughput"], 1);
}

#[test]
fn turnaround_runs_from_acceptance_to_first_release() {
    // S1 is accepted at 10 s; S2 starts accepted and arrives at 7 s. Releases: S2 at 40 s, S1 at 50 s and again later.
    let lines = [
        line(0, AcceptSpecimen, "-", "S1"),
        line(3, ReleaseResult, "R2", "S2"),
        line(4, ReleaseResult, "R1", "S1"),
        line(5, ReleaseResult, "R3", "S1"),
    ];
    let metrics = measured(&ops(&lines));
    assert_eq!(metrics["turnaround_s"], json!([33, 40]));
    assert_eq!(metrics["p50_turnaround_s"], 36.5);
    assert_eq!(metrics["on_time_rate"], 0.0);
    // A specimen that was run again is no second one.
    assert_eq!(metrics["throughput"], 2);
}

#[test]
fn an_invariant_that_held_is_no_violation() {
    let metrics = measured(&ops(&[line(0, QcEvent, "-", "S1")]));
    assert_eq!(metrics["violations_by_invariant_id"], json!({ "INV-BROKEN": 1 }));
    assert_eq!(metrics["invariant_passes_by_id"], json!({ "INV-KEPT": 1 }));
}

#[test]
fn a_critical_result_complies_when_it_was_acknowledged_before_its_release() {
    let late = [
        line(0, NotifyCriticalResult, "R1", "S1"),
        line(1, NotifyCriticalResult, "R2", "S2"),
        line(2, AckCriticalResult, "R1", "S1"),
        line(3, ReleaseResult, "R1", "S1"),
        line(4, ReleaseResult, "R2", "S2"),
        line(5, AckCriticalResult, "R2", "S2"),
    ];
    assert_eq!(measured(&ops(&late))["critical_communication_compliance_rate"], 0.5);
    assert_eq!(measured(&ops(&[]))["critical_communication_compliance_rate"], Value::Null);
}

#[test]
fn only_events_of_attackers_say_something_about_an_attack() {
    let honest = vec![line(0, Move, "-", "S1"), line(3, Move, "-", "S1")];
    let attacker = vec![line(3, Move, "-", "S1"), line(4, Move, "-", "S1")];
    let seats = |attacker| {
        FakeTask::new(vec![("ops_0", "A_OPS_0", false, honest.clone()), ("adversary_0", "A_X", true, attacker)])
    };
    let metrics = measured(&seats(attacker));
    assert_eq!(metrics["detection_latency_s"], 0);
    assert_eq!(metrics["containment_success"], true);
    assert_eq!(metrics["blocked_by_reason_code"], json!({ "RBAC_ACTION_DENY": 4 }));
    assert_eq!(metrics["attacker_blocked_by_reason_code"], json!({ "RBAC_ACTION_DENY": 2 }));
    assert_eq!(metrics["actions_by_agent"], json!({ "ops_0": 2, "adversary_0": 2 }));
    assert_eq!(metrics["blocked_distinct_count"], 2);

    let idle = measured(&seats(Vec::new()));
    assert_eq!((&idle["detection_latency_s"], &idle["containment_success"]), (&Value::Null, &Value::Null));

    let slow = measured(&seats(vec![line(2, QcEvent, "-", "S1"), line(5, Move, "-", "S1")]));
    assert_eq!(slow["detection_latency_s"], 0, "a broken invariant is a detection too");
    assert_eq!(slow["containment_success"], false);
    let unseen = measured(&seats(vec![line(2, AcceptSpecimen, "-", "S1"), line(5, Move, "-", "S1")]));
    assert_eq!(unseen["detection_latency_s"], 30);
}

#[test]
fn an_agent_hears_why_it_was_refused_until_it_acts_again() {
    let task = ops(&[line(1, Move, "-", "S1"), line(4, QcEvent, "-", "S1")]);
    measured(&task);
    let deny = Some("RBAC_ACTION_DENY");
    assert_eq!(*task.heard.lock().unwrap(), [None, None, deny, deny, deny, None]);
}

#[test]
fn where_signatures_are_required_an_event_is_signed_with_the_agents_key() {
    let mut task = ops(&[line(0, QcEvent, "-", "S1")]);
    task.signing = Some([3; 32]);
    let unsigned = logged(0, &task);
    assert!(unsigned.iter().all(|record| !record.event.contains_key("signature")));

    task.state["strict_signatures"] = json!(true);
    let records = logged(0, &task);
    let signed = &records.last().unwrap().event;
    assert_eq!(signed["key_id"], "KEY_A_OPS_0");
    let mut payload = signed.clone();
    let signature = payload.remove("signature").unwrap();
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(signature.as_str().unwrap()).unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&[3; 32]).verifying_key();
    let payload = labtrust_trust::canonical::to_canonical_vec(&Value::Object(payload)).unwrap();
    key.verify_strict(&payload, &ed25519_dalek::Signature::from_slice(&bytes).unwrap()).unwrap();
}

#[test]
fn log_lines_link_up_and_include_what_the_laboratory_did_itself() {
    let records = logged(4, &ops(&[line(1, Move, "-", "S1"), line(2, AcceptSpecimen, "-", "S1")]));
    let seen: Vec<_> =
        records.iter().map(|r| (r.episode, r.step, r.t_s, r.agent_id.as_str(), r.action_type.as_str())).collect();
    assert_eq!(
        seen,
        [(4, 0, 7, "SYSTEM", "RECEIVE_BATCH"), (4, 1, 20, "A_OPS_0", "MOVE"), (4, 2, 30, "A_OPS_0", "ACCEPT_SPECIMEN")]
    );
    for pair in records.windows(2) {
        assert_eq!(Some(&pair[1].prev_hash), pair[0].chain_hash.as_ref());
    }
    assert_eq!(records[1].blocked_reason_code.as_deref(), Some("RBAC_ACTION_DENY"));
    assert_eq!(records[2].event_id.as_deref(), Some("pz_ops_0_3"));
    assert_eq!(records[2].specimen_ids, ["S1"]);
}

#[test]
fn the_crews_time_is_walking_asking_or_idle_and_work_is_dealt_among_those_who_may() {
    let two = |lines: [&[Line]; 2]| {
        let [first, second] = lines.map(<[Line]>::to_vec);
        let attack = vec![line(0, AcceptSpecimen, "-", "S1")];
        FakeTask::new(vec![
            ("ops_0", "A_OPS_0", false, first),
            ("ops_1", "A_OPS_1", false, second),
            ("bad_0", "A_BAD", true, attack),
        ])
    };
    // Six steps each: one does two works, both are refused a move in the steps 3 and 4; an attacker does not count.
    let works = [
        line(0, AcceptSpecimen, "-", "S1"),
        line(1, ReleaseResult, "R1", "S1"),
        (3, Move, None, None),
        (4, Move, None, None),
    ];
    let found = measured(&two([&works, &[(3, Move, None, None)]]));
    assert_eq!((&found["travel_share"], &found["idle_share"]), (&json!(0.0), &json!(7.0 / 12.0)));
    assert_eq!((&found["work_gini"], &found["work_fairness"]), (&json!(0.5), &json!(0.5)));
    assert_eq!(found["longest_standstill_steps"], 2);
    assert_eq!(found["blocked_by_reason_code_per_1000_actions"]["RBAC_ACTION_DENY"], 500.0);
    let idle = measured(&two([&[], &[]]));
    assert_eq!((&idle["idle_share"], &idle["work_gini"]), (&json!(1.0), &Value::Null));
}

#[test]
fn a_run_gives_the_same_bytes_for_any_number_of_threads() {
    let task = ops(&[line(0, AcceptSpecimen, "-", "S1"), line(3, ReleaseResult, "R1", "S1")]);
    let policy = PolicyStore::builtin();
    let outputs = |threads| {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log.jsonl");
        let mut files = LogFiles::create(&log, &dir.path().join("results.json"), Beside::default()).unwrap();
        let bench = BenchmarkRun { threads: Some(threads), ..run(&task, &policy) };
        let outcome = bench.run(RunLogs::Files(&mut files), &|| ()).unwrap();
        files.persist().unwrap();
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        (results_bytes(&outcome.results).unwrap(), read("log.jsonl"), read("episodes.jsonl"))
    };
    let one = outputs(1);
    assert_eq!(one, outputs(2));
    assert_eq!(one, outputs(5));
    assert_eq!(one.2.lines().count(), 20);
    assert_eq!(one.1.lines().count(), 60);
    let results: ResultsFile = serde_json::from_slice(&one.0).unwrap();
    assert_eq!(results.seeds, (100..120).collect::<Vec<_>>());
    assert_eq!(results.metadata["distinct_chains"], 20);
    assert_eq!(results.warnings, Vec::<String>::new());
}

#[test]
fn a_log_in_columns_has_the_lines_of_the_log_and_the_same_bytes_for_any_number_of_threads() {
    let task = ops(&[line(0, AcceptSpecimen, "-", "S1"), line(3, ReleaseResult, "R1", "S1")]);
    let policy = PolicyStore::builtin();
    let dir = tempfile::tempdir().unwrap();
    let outputs = |threads, name: &str| {
        let (log, out) = (dir.path().join(name), dir.path().join("results.json"));
        let mut files = match name.ends_with("parquet") {
            true => LogFiles::create_columnar(&log, &out, Beside::default()).unwrap(),
            false => LogFiles::create(&log, &out, Beside::default()).unwrap(),
        };
        let bench = BenchmarkRun { threads: Some(threads), ..run(&task, &policy) };
        bench.run(RunLogs::Files(&mut files), &|| ()).unwrap();
        files.persist().unwrap();
        std::fs::read(log).unwrap()
    };
    let columns = outputs(1, "log.parquet");
    assert_eq!(columns, outputs(5, "again.parquet"));
    let lines = outputs(2, "log.jsonl");
    let mut back = RecordLines::open(&dir.path().join("log.parquet")).unwrap();
    for expected in lines.split_inclusive(|byte| *byte == b'\n') {
        assert_eq!(back.next_line().unwrap().unwrap(), expected.strip_suffix(b"\n").unwrap());
    }
    assert_eq!(back.next_line().unwrap(), None);
    let compared = crate::diff::diff(&dir.path().join("log.jsonl"), &dir.path().join("log.parquet")).unwrap();
    assert_eq!(compared.difference, None);
}

#[test]
fn a_run_that_is_given_up_is_a_run_of_its_first_episodes_and_one_that_goes_on_is_whole() {
    let task = ops(&[line(0, AcceptSpecimen, "-", "S1"), line(3, ReleaseResult, "R1", "S1")]);
    let policy = PolicyStore::builtin();
    let asked = std::cell::RefCell::new(Vec::new());
    let outputs = |episodes: u64, probe: Option<u64>, goes_on: bool| {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log.jsonl");
        let mut files = LogFiles::create(&log, &dir.path().join("results.json"), Beside::default()).unwrap();
        let bench = BenchmarkRun { episodes, threads: Some(2), ..run(&task, &policy) };
        let decide = |played: &[EpisodeRecord]| {
            asked.borrow_mut().push(played.len());
            goes_on
        };
        let probe = probe.map(|episodes| Probe { episodes, goes_on: &decide });
        let outcome = bench.run_while(RunLogs::Files(&mut files), &|| (), probe).unwrap();
        files.persist().unwrap();
        (results_bytes(&outcome.results).unwrap(), std::fs::read_to_string(log).unwrap(), outcome.actions_total)
    };
    assert_eq!(outputs(20, Some(3), false), outputs(3, None, true));
    assert_eq!(outputs(20, Some(3), true), outputs(20, None, true));
    // Nothing is left to be given up.
    assert_eq!(outputs(3, Some(3), false), outputs(3, None, true));
    assert_ne!(outputs(3, None, true), outputs(20, None, true));
    assert_eq!(asked.into_inner(), [3, 3]);
}

#[test]
fn a_run_in_which_nothing_is_released_says_so() {
    let policy = PolicyStore::builtin();
    let task = ops(&[]);
    let outcome = run(&task, &policy).run(RunLogs::None, &|| ()).unwrap();
    assert_eq!(outcome.results.warnings.len(), 2, "{:?}", outcome.results.warnings);
    assert_eq!(outcome.results.episodes.len(), 20);
    assert_eq!(outcome.throughput_mean(), 0.0);
}

#[test]
fn runs_that_cannot_be_are_refused() {
    let policy = PolicyStore::builtin();
    let task = ops(&[]);
    let refused = |bench: BenchmarkRun<'_>| bench.run(RunLogs::None, &|| ()).unwrap_err();
    assert!(matches!(refused(BenchmarkRun { episodes: 0, ..run(&task, &policy) }), BenchError::NoEpisodes));
    assert!(matches!(refused(BenchmarkRun { max_steps: Some(0), ..run(&task, &policy) }), BenchError::NoSteps));
    let last = BenchmarkRun { base_seed: u64::MAX, ..run(&task, &policy) };
    assert!(matches!(refused(last.clone()), BenchError::SeedOverflow { .. }));
    BenchmarkRun { episodes: 1, ..last }.run(RunLogs::None, &|| ()).unwrap();

    let mut open = ops(&[]);
    open.state["workflow"] = json!("open");
    assert!(matches!(refused(run(&open, &policy)), BenchError::OpenWorkflow { .. }));
    let mut stranger = ops(&[]);
    stranger.state["agents"] = json!([{ "agent_id": "A_OTHER" }]);
    assert!(matches!(refused(run(&stranger, &policy)), BenchError::SeatWithoutAgent { .. }));
}

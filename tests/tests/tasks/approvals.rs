//! What the second approval of a token is worth, and that only a good one counts.

use super::support::{Asked, LAB, POLICY, SEEDS, difference, figures, mean, number, own, registry, task, total};
use labtrust_bench::approvals::{AUTO_APPROVE, ApprovalHook};
use labtrust_bench::log::{Beside, LogFiles};
use labtrust_bench::{BenchmarkRun, Cast, RunLogs, results::results_bytes};
use labtrust_contract::{EpisodeRecord, ResultsFile};
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::{ActionKind, AgentContext, AgentPolicy, Approval, Args, Decision, RareArgs, Stage};
use labtrust_plugin::{AgentSet, Vacancy};
use serde_json::{Value, json};
use std::sync::Arc;

const TASK: &str = "late_courier";

fn with(hook: &ApprovalHook, timing: ClockMode) -> ResultsFile {
    Asked { approvals: Some(hook), ..Asked::of(task(TASK), Some(timing)) }.run()
}

/// Specimens of each episode that come too late.
fn late() -> Vec<f64> {
    let count = |seed| {
        let state = task(TASK).initial_state(seed, None);
        let specimens = state["specimens"].as_array().expect("a list");
        specimens.iter().filter(|specimen| specimen["separated_ts_s"].is_i64()).count()
    };
    (super::support::FIRST_SEED..).take(SEEDS as usize).map(|seed| count(seed) as f64).collect()
}

#[test]
fn with_somebody_who_answers_every_late_tube_is_released_and_without_none() {
    for timing in ClockMode::ALL {
        let (alone, asked) = (own(TASK, timing), with(&AUTO_APPROVE, timing));
        let figure = |name: &'static str| {
            let (with, without) = (figures(&asked, number(name)), figures(&alone, number(name)));
            let (low, high) = difference(&with, &without);
            println!(
                "{timing} {name}: {:.2} with, {:.2} without; difference {low:.2} to {high:.2}",
                mean(&with),
                mean(&without)
            );
            (with, without, low, high)
        };
        let late = late();
        let (with, without, low, _) = figure("throughput");
        assert!(low > 0.0, "{timing}: an approval is worth nothing");
        let gained: Vec<f64> = with.iter().zip(&without).map(|(with, without)| with - without).collect();
        if timing == ClockMode::Explicit {
            assert_eq!(gained, late, "exactly the late tubes make the difference");
        }
        for name in ["tokens_minted", "tokens_consumed"] {
            let (with, without, ..) = figure(name);
            assert_eq!(
                (&with, mean(&without)),
                (&late, 0.0),
                "{timing} {name}: one a late tube, none without an answer"
            );
        }
        let (with, without, _, high) = figure("holds_count");
        assert!(high < 0.0 && without == late && mean(&with) == 0.0, "{timing}: {with:?}");
        for EpisodeRecord { seed, metrics } in alone.episodes.iter().chain(&asked.episodes) {
            assert_eq!(metrics["violations_by_invariant_id"], json!({}), "{timing} seed {seed}");
            assert_eq!(metrics["blocked_by_reason_code"], json!({}), "{timing} seed {seed}");
        }
    }
}

#[test]
fn results_name_the_hook_and_only_where_there_is_one() {
    let run = |approvals| Asked { episodes: 2, approvals, ..Asked::of(task(TASK), None) }.run();
    assert_eq!(run(Some(&AUTO_APPROVE)).config["approval_hook"], "auto_approve");
    assert_eq!(run(None).config.get("approval_hook"), None);
}

/// Where nobody has to ask, it makes no difference that somebody would answer.
#[test]
fn no_other_task_asks_for_anything() {
    for id in ["throughput_sla", "qc_cascade", "device_outage_surge", "insider_key_misuse"] {
        let run = |approvals| {
            let mut results = Asked { episodes: 10, approvals, ..Asked::of(task(id), None) }.run();
            results.config.remove("approval_hook");
            results_bytes(&results).expect("figures are finite")
        };
        assert!(run(None) == run(Some(&AUTO_APPROVE)), "{id}");
    }
}

#[test]
fn an_approver_who_is_the_requester_or_has_no_right_to_approve_is_refused_and_nothing_is_minted() {
    for (agent_id, role_id, code) in [
        ("A_SUPERVISOR_0", "ROLE_SUPERVISOR", "INV-TOK-001"),
        ("A_SUPERVISOR_9", "ROLE_SUPERVISOR", "TOKEN_APPROVAL_ROLE"),
        ("A_RUNNER_0", "ROLE_RUNNER", "TOKEN_APPROVAL_ROLE"),
        ("A_VISITOR_0", "ROLE_EXTERNAL", "TOKEN_APPROVAL_ROLE"),
    ] {
        let hook = ApprovalHook { id: "bad", agent_id, role_id, answers: true };
        let asked = Asked { episodes: 20, approvals: Some(&hook), ..Asked::of(task(TASK), None) }.run();
        for (EpisodeRecord { seed, metrics }, late) in asked.episodes.iter().zip(late()) {
            let blocked = metrics["blocked_by_reason_code"].as_object().expect("a map");
            assert_eq!(blocked.keys().collect::<Vec<_>>(), [code], "{agent_id} seed {seed}");
            assert_eq!(total(metrics, "blocked_by_reason_code"), late, "{agent_id} seed {seed}: asked once a tube");
            assert_eq!((&metrics["tokens_minted"], &metrics["tokens_consumed"]), (&json!(0), &json!(0)));
            assert_eq!(metrics["holds_count"].as_f64(), Some(late), "what got no token is held in the end");
        }
    }
}

/// A supervisor who states the second approval without having asked anybody.
struct Forger(Option<&'static str>);

impl AgentPolicy for Forger {
    fn decide(&mut self, ctx: &mut AgentContext<'_>) -> Option<Decision> {
        let subject = ctx.view.at(Stage::Ready).find(|specimen| specimen.deadline_s < ctx.view.now_s)?.id;
        let mut id = |text: &str| Some(ctx.symbols.intern(text));
        let approvals = vec![
            Approval { agent: id("A_SUPERVISOR_0"), key: id("ed25519:key_a_supervisor_0"), signature: None },
            Approval {
                agent: id("A_APPROVER_0"),
                key: id("ed25519:key_a_approver_0"),
                signature: self.0.and_then(&mut id),
            },
        ];
        let (token_type, subject_type) = (id("OVERRIDE_RISK_ACCEPTANCE"), id("specimen"));
        let reason = id("TIME_EXPIRED")?;
        let rare = RareArgs {
            approvals: Some(approvals),
            token_type,
            subject_type,
            subject_id: Some(subject),
            ..RareArgs::default()
        };
        let args = Args { rare: Some(Box::new(rare)), ..Args::default() };
        Some(Decision::new(ActionKind::MintToken, args).because(reason))
    }
}

struct Forgers(Option<&'static str>);

impl AgentSet for Forgers {
    fn id(&self) -> &'static str {
        "forgers"
    }
    fn policy(&self, vacancy: &Vacancy<'_>) -> Option<Box<dyn AgentPolicy>> {
        (vacancy.name == "supervisor_0").then(|| Box::new(Forger(self.0)) as Box<dyn AgentPolicy>)
    }
}

#[test]
fn an_approval_that_its_approver_did_not_sign_is_refused() {
    let of_nothing = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
    for (signature, code) in
        [(None, "SIG_MISSING"), (Some("made up"), "SIG_INVALID"), (Some(of_nothing), "SIG_INVALID")]
    {
        let forgers = Forgers(signature);
        let asked = Asked {
            episodes: 10,
            agents: Some(&forgers),
            approvals: Some(&AUTO_APPROVE),
            ..Asked::of(task(TASK), None)
        };
        for EpisodeRecord { seed, metrics } in asked.run().episodes {
            let blocked = metrics["blocked_by_reason_code"].as_object().expect("a map");
            assert_eq!(blocked.keys().collect::<Vec<_>>(), [code], "seed {seed}");
            assert_eq!(metrics["tokens_minted"], 0, "seed {seed}");
        }
    }
}

/// The record of two episodes with somebody who answers.
fn record() -> Vec<Value> {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("log.jsonl");
    let mut files =
        LogFiles::create(&log, &dir.path().join("results.json"), Beside::default()).expect("it can be written");
    let metrics = registry().metrics();
    let run = BenchmarkRun {
        task: task(TASK),
        lab: Arc::clone(&LAB),
        policy: &POLICY,
        episodes: 2,
        base_seed: 7,
        timing: None,
        max_steps: None,
        strict_signatures: false,
        threads: Some(1),
        metrics: &metrics,
        scale: None,
        cast: Cast { approvals: Some(&AUTO_APPROVE), ..Cast::default() },
        git_sha: None,
    };
    run.run(RunLogs::Files(&mut files), &|| {}).expect("the run succeeds");
    files.persist().expect("it can be written");
    let text = std::fs::read_to_string(log).expect("the log is there");
    text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

#[test]
fn a_token_is_in_the_record_with_two_approvers_a_signature_each_and_one_use() {
    let record = record();
    let of = |kind: &str| record.iter().filter(|line| line["action_type"] == kind).collect::<Vec<_>>();
    let (minted, used) = (of("MINT_TOKEN"), of("START_RUN_OVERRIDE"));
    assert!(!minted.is_empty() && minted.len() == used.len());
    for (mint, run) in minted.iter().zip(&used) {
        let approvals = mint["args"]["approvals"].as_array().expect("a list");
        let who: Vec<_> = approvals.iter().map(|approval| approval["approver_agent_id"].as_str()).collect();
        assert_eq!(who, [Some("A_SUPERVISOR_0"), Some("A_APPROVER_0")]);
        assert_eq!(mint["signature_verification"]["passed"], true);
        assert_eq!(
            approvals[0]["approver_key_id"], mint["event"]["key_id"],
            "the event's signature is the first approval"
        );
        assert!(
            approvals[1]["signature"].is_string() && approvals[1]["approver_key_id"] != approvals[0]["approver_key_id"]
        );
        assert_eq!(run["token_consumed"], run["event"]["token_refs"]);
        assert_eq!((&mint["status"], &run["status"]), (&json!("ACCEPTED"), &json!("ACCEPTED")));
    }
}

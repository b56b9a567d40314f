//! The action contract: a bare index that the mask allows is something that the laboratory accepts.

use labtrust_kernel::Streams;
use labtrust_plugin::lab::contract::{ActionSpace, INDEX, bare, decide, mask, observation};
use labtrust_plugin::lab::{Action, ActionKind, AgentContext, EventId, LabEngine, WorldView};
use labtrust_plugin::{Opening, Task};
use labtrust_tests::laboratory;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn task(id: &str) -> &'static dyn Task {
    labtrust_builtin::registry().expect("ids are unique").task(id).expect("the task exists")
}

fn begin(task: &dyn Task, seed: u64, timing: &str) -> Box<dyn LabEngine> {
    let mut engine = laboratory().engine();
    let mut state = task.initial_state(seed, None);
    state.insert("timing_mode".into(), timing.into());
    state.insert("workflow".into(), "enforced".into());
    engine.reset(&state, seed).expect("the state is good");
    engine
}

/// Plays random indices that the masks allow, one agent a step, so that nobody is in another's way. Returns what was
/// done and how often.
fn play(task: &dyn Task, seed: u64, timing: &str, steps: i64) -> BTreeMap<ActionKind, u32> {
    let (mut engine, mut view) = (begin(task, seed, timing), WorldView::default());
    let mut draw = Streams::new(seed).stream("contract test", task.id());
    let mut pick = |n: usize| usize::try_from(draw.below(n.max(1) as u64)).expect("it is small");
    let mut done = BTreeMap::new();
    for step in 1..=steps {
        let t_s = step * 5;
        engine.advance_to(t_s, &mut ());
        engine.begin_batch();
        engine.observe(&mut view);
        let me = pick(view.agents.len());
        let mut ctx = AgentContext { view: &view, symbols: engine.symbols_mut(), me, refused: None };
        let bits = mask(&mut ctx, ActionSpace::V02);
        assert_eq!(bits & 1, 1, "waiting is always allowed");
        // Rather anything than waiting, and rather work than walking about.
        let mut allowed: Vec<usize> = (1..INDEX.len()).filter(|index| bits >> index & 1 == 1).collect();
        let idle = |&index: &usize| [ActionKind::OpenDoor, ActionKind::MintToken].contains(&INDEX[index]);
        if allowed.len() > 1 && pick(8) > 0 {
            allowed.retain(|index| !idle(index));
        }
        let Some(&index) = allowed.get(pick(allowed.len())) else { continue };
        let decision = bare(&mut ctx, INDEX[index]).expect("the mask allows it");
        let (agent, kind) = (ctx.id(), decision.kind);
        let name = engine.symbols_mut().intern("agent");
        let event_id = EventId::Step { agent: name, step: u32::try_from(step).unwrap() };
        engine.step(&Action { event_id, t_s, agent, decision }, &mut ());
        let outcome = engine.outcome();
        // The guarded door wants a token, which an index does not carry; the ladder wants the tier's time to pass.
        if !outcome.accepted && ![ActionKind::OpenDoor, ActionKind::EscalateCriticalResult].contains(&kind) {
            panic!("{} seed {seed} {timing} step {step}: {} was refused: {:?}", task.id(), kind.name(), outcome.reason);
        }
        *done.entry(kind).or_default() += u32::from(outcome.accepted);
    }
    done
}

#[test]
fn an_index_that_the_mask_allows_is_accepted_and_the_whole_lane_can_be_worked_by_indices() {
    let mut done: BTreeMap<ActionKind, u32> = BTreeMap::new();
    for seed in 0..12 {
        for (id, timing) in [
            ("throughput_sla", "explicit"),
            ("adversarial_disruption", "explicit"),
            ("adversarial_disruption", "simulated"),
            ("multi_site_stat", "simulated"),
        ] {
            for (kind, count) in play(task(id), seed, timing, 900) {
                *done.entry(kind).or_default() += count;
            }
        }
    }
    // Critical values are rare, and one control is enough; everything else is done again and again.
    let rare = [ActionKind::NotifyCriticalResult, ActionKind::AckCriticalResult, ActionKind::QcEvent];
    let lane = [
        ActionKind::Move,
        ActionKind::CreateAccession,
        ActionKind::CheckAcceptanceRules,
        ActionKind::AcceptSpecimen,
        ActionKind::CentrifugeStart,
        ActionKind::CentrifugeEnd,
        ActionKind::AliquotCreate,
        ActionKind::QueueRun,
        ActionKind::StartRun,
        ActionKind::GenerateResult,
        ActionKind::DispatchTransport,
        ActionKind::ChainOfCustodySign,
        ActionKind::ReceiveTransport,
        ActionKind::ReleaseResult,
    ];
    for kind in rare {
        assert!(done.get(&kind).is_some_and(|&count| count > 0), "{} was never done", kind.name());
    }
    for kind in lane {
        assert!(done.get(&kind).is_some_and(|&count| count >= 5), "{} {:?}", kind.name(), done.get(&kind));
    }
}

/// An agent's observation in the middle of an episode that the task's own crew plays.
fn observed(seat: &str, until_step: u32) -> Map<String, Value> {
    let task = task("adversarial_disruption");
    let (mut engine, mut view) =
        (begin(task, 3, "simulated"), WorldView { horizon_s: Some(800), ..Default::default() });
    let state = task.initial_state(3, None);
    let mut crew = task.agents(&Opening { seed: 3, state: &state });
    for step in 1..=until_step {
        let t_s = i64::from(step) * 10;
        engine.advance_to(t_s, &mut ());
        engine.begin_batch();
        engine.observe(&mut view);
        for seat in crew.iter_mut().filter(|seat| !seat.attacker) {
            let agent = engine.symbols_mut().intern(&seat.agent_id);
            let me = view.agents.iter().position(|known| known.id == agent).expect("the state has it");
            let mut ctx = AgentContext { view: &view, symbols: engine.symbols_mut(), me, refused: None };
            let Some(decision) = seat.policy.decide(&mut ctx) else { continue };
            let event_id = EventId::Step { agent, step };
            engine.step(&Action { event_id, t_s, agent, decision }, &mut ());
        }
    }
    engine.observe(&mut view);
    let agent = engine.symbols_mut().intern(seat);
    let me = view.agents.iter().position(|known| known.id == agent).expect("the state has it");
    let mut ctx = AgentContext { view: &view, symbols: engine.symbols_mut(), me, refused: Some("RC_DEVICE_BUSY") };
    observation(&mut ctx, ActionSpace::V02)
}

#[test]
fn an_observation_has_the_true_state_of_every_station() {
    // The centrifuge turns; who came too late waits for it.
    let seen = observed("A_RUNNER_0", 30);
    assert_eq!(seen["zone_id"], seen["zone_ids"][seen["my_zone_idx"].as_u64().unwrap() as usize - 1]);
    assert_eq!((&seen["role_id"], &seen["last_refusal"]), (&json!("ROLE_RUNNER"), &json!("RC_DEVICE_BUSY")));
    assert_eq!(seen["action_mask"].as_array().unwrap().len(), INDEX.len());
    let spinning = seen["separation_list"].as_array().unwrap();
    assert!(spinning.iter().any(|entry| entry["stage"] == "spinning"), "{spinning:?}");
    assert!(spinning.iter().all(|entry| entry["stage"] == "spinning" || entry["stage"] == "accepted"), "{spinning:?}");
    assert!(spinning.iter().all(|entry| entry["deadline_s"].as_i64() > Some(600)));
    let devices = seen["device_ids"].as_array().unwrap().len();
    for per_device in ["queue_lengths", "queue_has_head", "queue_by_device", "device_qc_pass", "device_status"] {
        assert_eq!(seen[per_device].as_array().unwrap().len(), devices, "{per_device}");
    }
    let counts: u64 = seen["specimen_status_counts"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(counts, spinning.len() as u64);
    // Later there are results that may be released, and only who may release is offered it.
    let release = INDEX.iter().position(|kind| *kind == ActionKind::ReleaseResult).unwrap();
    let offered = |seat| {
        let ripe = (60..80).map(|step| observed(seat, step));
        ripe.filter(|seen| !seen["releasable_result_ids"].as_array().unwrap().is_empty())
            .map(|seen| seen["action_mask"][release] == 1)
            .collect::<Vec<_>>()
    };
    let supervisor = offered("A_SUPERVISOR_0");
    assert!(!supervisor.is_empty() && supervisor.iter().all(|&offered| offered));
    assert!(offered("A_RUNNER_0").iter().all(|&offered| !offered));
}

#[test]
fn an_observation_keeps_its_form() {
    insta::assert_json_snapshot!(observed("A_RUNNER_0", 30));
}

#[test]
fn the_first_six_indices_are_those_of_version_0_1_and_everything_else_is_noop() {
    let names: Vec<&str> = (0..6).map(|index| ActionSpace::V01.kind(index).name()).collect();
    assert_eq!(names, ["NOOP", "TICK", "QUEUE_RUN", "MOVE", "OPEN_DOOR", "START_RUN"]);
    assert_eq!((ActionSpace::V01.len(), ActionSpace::V02.len()), (6, 29));
    for index in [-1, 6, 29, i64::MAX] {
        assert_eq!(ActionSpace::V01.kind(index), ActionKind::Noop);
    }
    assert_eq!(ActionSpace::V02.kind(28), ActionKind::ReleaseResultOverride);
    assert_eq!(ActionSpace::V02.kind(29), ActionKind::Noop);
    assert_eq!(INDEX.iter().collect::<BTreeSet<_>>().len(), INDEX.len());
}

#[test]
fn words_beside_an_index_take_the_place_of_what_was_found_and_a_named_action_that_of_the_index() {
    let mut engine = begin(task("throughput_sla"), 1, "explicit");
    let mut view = WorldView::default();
    engine.observe(&mut view);
    let mut ctx = AgentContext { view: &view, symbols: engine.symbols_mut(), me: 0, refused: None };
    let info = |value: Value| -> Map<String, Value> { value.as_object().unwrap().clone() };
    let mut said = |index, value| decide(&mut ctx, ActionSpace::V01, index, &info(value));
    let queued = said(2, json!({"work_id": "S9", "device_id": "D9", "priority": "stat", "_note": 1})).unwrap().unwrap();
    assert_eq!(queued.kind, ActionKind::QueueRun);
    let released = said(3, json!({"action_type": "RELEASE_RESULT", "args": {"result_id": "R1"}, "reason_code": "X"}));
    let released = released.unwrap().unwrap();
    assert_eq!(released.kind, ActionKind::ReleaseResult);
    assert_eq!(said(0, json!({"work_id": "S9"})).unwrap(), None);
    assert!(said(1, json!({"action_type": "NO_SUCH_ACTION"})).is_err());
    assert!(said(2, json!({"work_id": 7})).is_err());
    let text = |id: Option<labtrust_plugin::lab::Symbol>| id.map(|id| engine.symbols().text(id).to_owned());
    assert_eq!((text(queued.args.work), text(queued.args.device)), (Some("S9".into()), Some("D9".into())));
    assert_eq!(queued.args.priority.map(labtrust_plugin::lab::Priority::name), Some("STAT"));
    assert_eq!((text(released.args.result), text(released.reason_code)), (Some("R1".into()), Some("X".into())));
}

//! Every control refuses something that nothing else refuses, and every attack that a control stops succeeds without it.

use labtrust_bench::{Ablation, BenchmarkRun, Cast, RunLogs};
use labtrust_contract::{EpisodeRecord, ResultsFile};
use labtrust_plugin::lab::{AgentContext, AgentPolicy, Control, Controls, Decision};
use labtrust_plugin::{AgentSeat, Opening, SigningKey, Task, TaskSpec};
use labtrust_policy::PolicyStore;
use labtrust_tests::{Bench, Tape, load, one_specimen};
use labtrust_trust::keys::Signer;
use serde_json::{Map, Value, json};

/// A laboratory and an event that one control refuses.
struct Scene {
    control: Control,
    /// What the refusal is called.
    code: &'static str,
    state: Value,
    /// What happens, up to the answer to the event in question.
    play: fn(&mut Bench) -> String,
    /// Controls that this one does its work through.
    through: &'static [Control],
}

fn with(mut state: Value, fields: &[(&str, Value)]) -> Value {
    for (field, value) in fields {
        state[*field] = value.clone();
    }
    state
}

fn fresh() -> Value {
    one_specimen("arrived_at_reception")
}

fn moved(mut state: Value, agent: &str, zone: &str) -> Value {
    for entry in state["agents"].as_array_mut().expect("a list") {
        if entry["agent_id"] == agent {
            entry["zone_id"] = json!(zone);
        }
    }
    state
}

/// A specimen that was separated long ago, with a token for it, in the open workflow.
fn stale() -> Value {
    let mut state = with(one_specimen("accepted"), &[("workflow", json!("open"))]);
    state["specimens"][0]["separated_ts_s"] = json!(100);
    state["tokens"] = json!([{
        "token_id": "T_OVR_S1", "token_type": "OVERRIDE_RISK_ACCEPTANCE", "subject_type": "specimen", "subject_id": "S1",
        "issued_at_ts_s": 0, "expires_at_ts_s": 90000, "reason_code": "TIME_EXPIRED",
    }]);
    state
}

/// An entry token of the supervisor's, or of somebody else's, until a time.
fn entry_token(subject: &str, until_s: i64) -> Value {
    let token = json!([{
        "token_id": "T_IN", "token_type": "TOKEN_RESTRICTED_ENTRY", "subject_type": "agent", "subject_id": subject,
        "issued_at_ts_s": 0, "expires_at_ts_s": until_s, "reason_code": "SYS_DOWNTIME_ACTIVE",
    }]);
    with(fresh(), &[("tokens", token)])
}

/// A consignment on its way since 10 s.
fn sent(fields: &[(&str, Value)]) -> Value {
    let transport = json!([{"specimen_ids": ["S1"], "origin_site": "SITE_ACUTE", "dest_site": "SITE_HUB"}]);
    let state = [("timing_mode", json!("simulated")), ("transport_required", transport)];
    with(with(fresh(), &state), fields)
}

fn dispatched(bench: &mut Bench) {
    let route = json!({"specimen_ids": ["S1"], "origin_site": "SITE_ACUTE", "dest_site": "SITE_HUB"});
    assert_eq!(bench.act(10, "A_RUNNER", "DISPATCH_TRANSPORT", &route), "ACCEPTED");
}

fn critical(bench: &mut Bench) {
    let result = json!({"result_id": "R1", "analyte_code": "BIOCHEM_POTASSIUM_K", "value": 7.1, "units": "mmol/L"});
    assert_eq!(bench.act(10, "A_ANALYTICS", "GENERATE_RESULT", &result), "ACCEPTED");
}

/// The event with more fields.
fn act_with(bench: &mut Bench, t_s: i64, agent: &str, action: &str, args: &Value, fields: &[(&str, Value)]) -> String {
    let mut event = bench.event(t_s, agent, action, args);
    for (field, value) in fields {
        event.insert((*field).to_owned(), value.clone());
    }
    bench.apply(&event)
}

fn open_airlock(bench: &mut Bench, t_s: i64, tokens: Value) -> String {
    let door = json!({"door_id": "D_RESTRICTED_AIRLOCK"});
    act_with(bench, t_s, "A_SUPERVISOR", "OPEN_DOOR", &door, &[("token_refs", tokens)])
}

fn receptionist() -> Signer {
    Signer::from_seed([1; 32])
}

fn strict() -> Value {
    let key = json!([{
        "key_id": "k:rec", "public_key": receptionist().public_b64(), "agent_id": "A_RECEPTION",
        "role_id": "ROLE_RECEPTION",
    }]);
    with(fresh(), &[("strict_signatures", json!(true)), ("keys", key)])
}

fn scenes() -> Vec<Scene> {
    use Control as C;
    let scene = |control, code, state, play| Scene { control, code, state, play, through: &[] };
    let open = |fields: &[(&str, Value)]| with(with(fresh(), &[("workflow", json!("open"))]), fields);
    let mut warm = with(one_specimen("accepted"), &[("workflow", json!("open"))]);
    warm["specimens"][0]["storage_requirement"] = json!("REFRIGERATED_2_8");
    warm["specimens"][0]["separated_ts_s"] = json!(100);
    warm["specimens"][0]["temp_exposure_log"] = json!([{"t_s": 100, "temp_band": "AMBIENT_20_25"}]);
    vec![
        scene(
            C::LogFreeze,
            "AUDIT_CHAIN_BROKEN",
            with(fresh(), &[("audit_fault_injection", json!({"break_hash_prev_on_event_id": "e2"}))]),
            |bench| {
                bench.act(10, "A_RUNNER", "TICK", &json!({}));
                bench.act(20, "A_RUNNER", "TICK", &json!({}));
                bench.act(30, "A_RUNNER", "TICK", &json!({}))
            },
        ),
        scene(C::RuntimeControl, "RBAC_ACTION_DENY", fresh(), |bench| {
            let record = json!({"specimen_id": "S_SMUGGLED"});
            bench.act(10, "A_RECEPTION", "INJECT_SPECIMEN", &record)
        }),
        scene(C::Colocation, "RC_DEVICE_NOT_COLOCATED", moved(fresh(), "A_ANALYTICS", "Z_QC_SUPERVISOR"), |bench| {
            bench.lane(6);
            bench.act(670, "A_ANALYTICS", "QUEUE_RUN", &json!({"device_id": "DEV_CHEM_A_01", "work_id": "S1"}))
        }),
        scene(C::Rbac, "RBAC_ACTION_DENY", moved(fresh(), "A_RUNNER", "Z_SRA_RECEPTION"), |bench| {
            bench.act(10, "A_RUNNER", "CREATE_ACCESSION", &json!({"specimen_id": "S1"}))
        }),
        scene(C::Enforcement, "RC_AGENT_THROTTLED", open(&[("enforcement_enabled", json!(true))]), |bench| {
            let notify = json!({"result_id": "R1", "channel": "phone", "receiver_role": "ward"});
            bench.act(10, "A_SUPERVISOR", "NOTIFY_CRITICAL_RESULT", &notify);
            let unread = json!({
                "result_id": "R1", "attempt_id": "R1_attempt_0", "channel": "phone", "receiver_role": "ward",
                "receiver_name_or_id": "Dr X", "receiver_location_or_org": "ward 3", "read_back_confirmed": false,
                "outcome": "reached",
            });
            assert_eq!(bench.act(20, "A_SUPERVISOR", "ACK_CRITICAL_RESULT", &unread), "ACCEPTED");
            bench.act(30, "A_SUPERVISOR", "TICK", &json!({}))
        }),
        scene(C::Capabilities, "AGENT_CAPABILITY_DENY", stale(), |bench| {
            let args = json!({"device_id": "DEV_CHEM_A_01", "run_id": "X1", "specimen_ids": ["S1"]});
            let token = [("token_refs", json!(["T_OVR_S1"])), ("reason_code", json!("TIME_EXPIRED"))];
            act_with(bench, 50_000, "A_ANALYTICS", "START_RUN_OVERRIDE", &args, &token)
        }),
        scene(C::Signatures, "SIG_MISSING", strict(), |bench| {
            bench.act(10, "A_RECEPTION", "CREATE_ACCESSION", &json!({"specimen_id": "S1"}))
        }),
        scene(C::ReplayProtection, "SIG_REPLAYED", strict(), |bench| {
            let mut event = bench.event(10, "A_RECEPTION", "MOVE", &json!({"to_zone": "Z_SRA_RECEPTION"}));
            event.insert("key_id".into(), json!("k:rec"));
            bench.engine.begin_batch();
            let payload = bench.engine.signing_payload(&event).expect("it is an event");
            event.insert("signature".into(), json!(receptionist().sign_b64(&payload)));
            let mut last = None;
            for _ in 0..2 {
                last = bench.engine.step_raw(&event, &mut ()).blocked_reason_code;
            }
            last.unwrap_or_else(|| "ACCEPTED".to_owned())
        }),
        scene(C::TokenValidity, "INV-TOK-002", entry_token("A_SUPERVISOR", 50), |bench| {
            open_airlock(bench, 100, json!(["T_IN"]))
        }),
        scene(C::TokenScope, "TOKEN_SUBJECT_MISMATCH", entry_token("A_QC", 900), |bench| {
            open_airlock(bench, 100, json!(["T_IN"]))
        }),
        scene(C::TokenRequired, "TOKEN_REQUIRED", stale(), |bench| {
            let args = json!({"device_id": "DEV_CHEM_A_01", "run_id": "X1", "specimen_ids": ["S1"]});
            let reasons = [("reason_code", json!("TIME_EXPIRED")), ("rationale", json!("no other sample"))];
            act_with(bench, 50_000, "A_ANALYTICS", "START_RUN_OVERRIDE", &args, &reasons)
        }),
        Scene {
            through: &[C::TokenValidity],
            ..scene(C::TokenSingleUse, "INV-TOK-002", entry_token("A_SUPERVISOR", 900), |bench| {
                assert_eq!(open_airlock(bench, 100, json!(["T_IN"])), "ACCEPTED");
                open_airlock(bench, 110, json!(["T_IN"]))
            })
        },
        scene(C::DualApproval, "INV-TOK-001", fresh(), |bench| {
            let request = json!({
                "token_type": "OVERRIDE_RISK_ACCEPTANCE", "subject_type": "specimen", "subject_id": "S1",
                "reason_code": "TIME_EXPIRED",
                "approvals": [{"approver_agent_id": "A_SUPERVISOR", "approver_key_id": "ed25519:key_supervisor"}],
            });
            let why = [("reason_code", json!("TIME_EXPIRED")), ("rationale", json!("no other sample"))];
            act_with(bench, 10, "A_SUPERVISOR", "MINT_TOKEN", &request, &why)
        }),
        scene(C::Adjacency, "RC_ILLEGAL_MOVE", fresh(), |bench| {
            bench.act(10, "A_ANALYTICS", "MOVE", &json!({"to_zone": "Z_SRA_RECEPTION"}))
        }),
        scene(C::RestrictedDoor, "RBAC_RESTRICTED_ENTRY_DENY", fresh(), |bench| open_airlock(bench, 100, json!([]))),
        scene(C::QueueAdmission, "RC_SPECIMEN_STATE", one_specimen("accepted"), |bench| {
            bench.act(10, "A_ANALYTICS", "QUEUE_RUN", &json!({"device_id": "DEV_CHEM_A_01", "work_id": "S1"}))
        }),
        scene(C::Stability, "TIME_EXPIRED", stale(), |bench| {
            let args = json!({"device_id": "DEV_CHEM_A_01", "run_id": "X1", "specimen_ids": ["S1"]});
            bench.act(50_000, "A_ANALYTICS", "START_RUN", &args)
        }),
        scene(C::Temperature, "TEMP_OUT_OF_BAND", warm, |bench| {
            let args = json!({"device_id": "DEV_CHEM_A_01", "run_id": "X1", "specimen_ids": ["S1"]});
            bench.act(3_000, "A_ANALYTICS", "START_RUN", &args)
        }),
        scene(C::QcGate, "QC_FAIL_ACTIVE", fresh(), |bench| {
            bench.lane(9);
            let fail = json!({"device_id": "DEV_CHEM_A_01", "qc_outcome": "fail"});
            assert_eq!(bench.act(721, "A_ANALYTICS", "QC_EVENT", &fail), "ACCEPTED");
            bench.act(730, "A_ANALYTICS", "RELEASE_RESULT", &json!({"result_id": "R1"}))
        }),
        scene(C::ResultValue, "RC_RESULT_VALUE_MISMATCH", fresh(), |bench| {
            bench.lane(8);
            let invented = json!({
                "result_id": "R1", "run_id": "RUN_1", "analyte_code": "BIOCHEM_POTASSIUM_K", "value": 99.9,
                "units": "mmol/L",
            });
            bench.act(720, "A_ANALYTICS", "GENERATE_RESULT", &invented)
        }),
        scene(C::ResultExists, "RC_RESULT_UNKNOWN", fresh(), |bench| {
            bench.act(10, "A_ANALYTICS", "RELEASE_RESULT", &json!({"result_id": "R_INVENTED"}))
        }),
        scene(C::ReleaseOnce, "RC_RESULT_ALREADY_RELEASED", fresh(), |bench| {
            bench.lane(10);
            bench.act(740, "A_ANALYTICS", "RELEASE_RESULT", &json!({"result_id": "R1"}))
        }),
        scene(C::CriticalCommunication, "CRIT_NO_ACK", open(&[]), |bench| {
            critical(bench);
            bench.act(20, "A_SUPERVISOR", "RELEASE_RESULT", &json!({"result_id": "R1"}))
        }),
        scene(C::EscalationLadder, "CRIT_MODE_NOT_ALLOWED", open(&[]), |bench| {
            critical(bench);
            let pigeon = json!({"result_id": "R1", "channel": "pigeon", "receiver_role": "primary_contact"});
            bench.act(30, "A_SUPERVISOR", "NOTIFY_CRITICAL_RESULT", &pigeon)
        }),
        scene(C::Custody, "TRANSPORT_NOT_SIGNED", sent(&[]), |bench| {
            dispatched(bench);
            bench.act(680, "A_RUNNER", "RECEIVE_TRANSPORT", &json!({"consignment_id": "CONS_1"}))
        }),
        scene(
            C::TransportTemperature,
            "TRANSPORT_TEMP_EXCURSION",
            sent(&[("transport_fault_injection", json!({"force_temp_excursion_on_next_receive": true}))]),
            |bench| {
                dispatched(bench);
                let consignment = json!({"consignment_id": "CONS_1"});
                assert_eq!(bench.act(690, "A_RUNNER", "CHAIN_OF_CUSTODY_SIGN", &consignment), "ACCEPTED");
                bench.act(700, "A_RUNNER", "RECEIVE_TRANSPORT", &consignment)
            },
        ),
        scene(C::ToolAdmission, "TOOL_NOT_IN_REGISTRY", fresh(), |bench| {
            let s1 = json!({"specimen_id": "S1"});
            act_with(bench, 10, "A_RECEPTION", "CREATE_ACCESSION", &s1, &[("tool_id", json!("unknown"))])
        }),
    ]
}

/// The answer to the event in question when the controls of `off` are off.
fn answer(scene: &Scene, off: impl Iterator<Item = Control>) -> String {
    let ids: Vec<_> = off.map(Control::id).collect();
    let state = with(scene.state.clone(), &[("ablate", json!(ids))]);
    (scene.play)(&mut Bench::new(&state))
}

#[test]
fn every_control_alone_refuses_something() {
    let mut wrong = Vec::new();
    let scenes = scenes();
    for scene in &scenes {
        let control = scene.control;
        let others = || Control::ALL.into_iter().filter(|other| *other != control && !scene.through.contains(other));
        let answers = [
            ("nothing is off", answer(scene, std::iter::empty()), scene.code),
            ("it is off", answer(scene, std::iter::once(control)), "ACCEPTED"),
            ("everything else is off", answer(scene, others()), scene.code),
        ];
        for (when, is, should) in answers {
            if is != should {
                wrong.push(format!("{control}, {when}: {is} instead of {should}"));
            }
        }
        assert!(control.codes().contains(&scene.code), "{control} does not list {}", scene.code);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let shown: Vec<_> = scenes.iter().map(|scene| scene.control).collect();
    assert!(Control::ALL.iter().all(|control| shown.contains(control)), "a control is never shown");
}

#[test]
fn the_first_record_names_the_controls_that_are_off_and_without_any_there_is_no_such_record() {
    let tape = |off: &[&str]| {
        let mut engine = labtrust_tests::laboratory().engine();
        let state = with(fresh(), &[("ablate", json!(off))]);
        engine.reset(state.as_object().expect("a map"), 1).expect("the state is good");
        let mut tape = Tape::default();
        engine.advance_to(0, &mut tape);
        engine.advance_to(5, &mut tape);
        (tape, engine.chain().last_hash.to_owned())
    };
    let (off, _) = tape(&["qc_gate", "rbac"]);
    let first: Value = serde_json::from_slice(&off.events[0]).expect("it is JSON");
    assert_eq!(first["action_type"], "ABLATE_CONTROLS");
    assert_eq!(first["args"], json!({"controls": ["rbac", "qc_gate"]}));
    assert_eq!(off.events.iter().filter(|event| event.starts_with(b"{\"action_type\":\"ABLATE")).count(), 1);
    let (none, hash) = tape(&[]);
    assert!(none.events.iter().all(|event| !event.starts_with(b"{\"action_type\":\"ABLATE")));
    assert_ne!(tape(&["rbac"]).1, hash);
    assert_ne!(tape(&["rbac"]).1, tape(&["qc_gate"]).1);
}

#[test]
fn a_control_that_does_not_exist_is_refused_with_the_list() {
    let mut engine = labtrust_tests::laboratory().engine();
    for wrong in ["workflow", "RBAC", ""] {
        let state = with(fresh(), &[("ablate", json!([wrong]))]);
        let error = engine.reset(state.as_object().expect("a map"), 1).expect_err("there is none").to_string();
        assert!(error.starts_with(&format!("initial state: ablate: unknown control: {wrong}. Known: [log_freeze, ")));
    }
    let state = with(fresh(), &[("ablate", json!("rbac"))]);
    let error = engine.reset(state.as_object().expect("a map"), 1).expect_err("it is no list").to_string();
    assert_eq!(error, "initial state: ablate should be a list of controls");
}

/// A task whose attackers make one attack of their plan and no other.
struct OneAttack {
    task: &'static dyn Task,
    call: u32,
}

struct OnlyOne {
    attacker: Box<dyn AgentPolicy>,
    from: u32,
    calls: u32,
    done: bool,
}

impl AgentPolicy for OnlyOne {
    fn decide(&mut self, ctx: &mut AgentContext<'_>) -> Option<Decision> {
        let decision = self.attacker.decide(ctx).filter(|_| self.calls >= self.from && !self.done);
        self.calls += 1;
        self.done |= decision.is_some();
        decision
    }
}

impl Task for OneAttack {
    fn id(&self) -> &'static str {
        self.task.id()
    }
    fn spec(&self) -> &TaskSpec {
        self.task.spec()
    }
    fn initial_state(&self, seed: u64, calibration: Option<&Map<String, Value>>) -> Map<String, Value> {
        self.task.initial_state(seed, calibration)
    }
    fn agents(&self, opening: &Opening<'_>) -> Vec<AgentSeat> {
        let mut seats = self.task.agents(opening);
        for seat in seats.iter_mut().filter(|seat| seat.attacker) {
            let nobody: Box<dyn AgentPolicy> = Box::new(Nobody);
            let attacker = std::mem::replace(&mut seat.policy, nobody);
            seat.policy = Box::new(OnlyOne { attacker, from: self.call, calls: 0, done: false });
        }
        seats
    }
    fn signing_keys(&self, episode_seed: u64, agent_id: &str) -> Vec<SigningKey> {
        self.task.signing_keys(episode_seed, agent_id)
    }
}

struct Nobody;

impl AgentPolicy for Nobody {
    fn decide(&mut self, _ctx: &mut AgentContext<'_>) -> Option<Decision> {
        None
    }
}

fn attacked(id: &str, call: u32, off: &[Control]) -> ResultsFile {
    let registry = labtrust_builtin::registry().expect("ids are unique");
    let task: &'static dyn Task = registry.task(id).expect("the task exists");
    let one: &'static dyn Task = Box::leak(Box::new(OneAttack { task, call }));
    let ablation = Ablation::new(one, off.iter().copied().collect());
    let policy = PolicyStore::builtin();
    let metrics = registry.metrics();
    let run = BenchmarkRun {
        task: &ablation,
        lab: load(&policy),
        policy: &policy,
        episodes: 5,
        base_seed: 100,
        timing: None,
        max_steps: None,
        strict_signatures: false,
        threads: None,
        metrics: &metrics,
        scale: None,
        cast: Cast::default(),
        git_sha: None,
    };
    run.run(RunLogs::None, &|| {}).expect("the run succeeds").results
}

/// How many of the attacks that were made were refused, by code.
fn refused(results: &ResultsFile) -> (u64, Map<String, Value>) {
    let (mut made, mut codes) = (0, Map::new());
    for EpisodeRecord { metrics, .. } in &results.episodes {
        made += metrics["attacker_actions"].as_u64().expect("a count");
        for (code, count) in metrics["attacker_blocked_by_reason_code"].as_object().expect("a map") {
            let sum = codes.get(code).and_then(Value::as_u64).unwrap_or(0) + count.as_u64().expect("a count");
            codes.insert(code.clone(), json!(sum));
        }
    }
    (made, codes)
}

fn total(codes: &Map<String, Value>) -> u64 {
    codes.values().filter_map(Value::as_u64).sum()
}

#[test]
fn every_attack_succeeds_when_what_stops_it_is_off_and_only_then() {
    use Control as C;
    let attacks: &[(&str, u32, &[Control])] = &[
        ("adversarial_disruption", 2, &[C::Rbac, C::Colocation, C::QueueAdmission]),
        ("adversarial_disruption", 5, &[C::RestrictedDoor]),
        ("adversarial_disruption", 8, &[C::TokenValidity, C::RestrictedDoor]),
        ("adversarial_disruption", 11, &[C::RestrictedDoor]),
        ("adversarial_disruption", 14, &[C::Adjacency, C::RestrictedDoor]),
        ("adversarial_disruption", 17, &[C::Rbac, C::ResultExists]),
        ("adversarial_disruption", 20, &[C::Rbac, C::ReleaseOnce]),
        ("insider_key_misuse", 2, &[C::Rbac, C::ResultExists]),
        ("insider_key_misuse", 5, &[C::Signatures]),
        ("insider_key_misuse", 8, &[C::Signatures]),
        ("insider_key_misuse", 11, &[C::Signatures]),
        ("insider_key_misuse", 14, &[C::Rbac, C::Capabilities, C::TokenValidity, C::ResultExists]),
        ("insider_key_misuse", 17, &[C::Signatures]),
    ];
    let mut wrong = Vec::new();
    for &(id, call, off) in attacks {
        let (made, codes) = refused(&attacked(id, call, &[]));
        if made == 0 || total(&codes) != made {
            wrong.push(format!("{id} {call}: of {made} refused {codes:?}"));
        }
        let results = attacked(id, call, off);
        assert_eq!(results.config["ablate"], json!(Controls::from_iter(off.iter().copied()).ids()));
        let (made, codes) = refused(&results);
        if made == 0 || total(&codes) != 0 {
            wrong.push(format!("{id} {call} without {off:?}: of {made} refused {codes:?}"));
        }
        for kept in off {
            let fewer: Vec<_> = off.iter().copied().filter(|control| control != kept).collect();
            let (made, codes) = refused(&attacked(id, call, &fewer));
            if total(&codes) != made {
                wrong.push(format!("{id} {call} with {kept}: of {made} refused {codes:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_page_of_controls_is_what_the_code_says() {
    let mut text = String::from("| id | gate | asks for | its refusals |\n|---|---|---|---|\n");
    for control in Control::ALL {
        let codes: Vec<_> = control.codes().iter().map(|code| format!("`{code}`")).collect();
        let (id, gate, asks) = (control.id(), control.gate(), control.summary());
        text.push_str(&format!("| `{id}` | {gate} | {asks} | {} |\n", codes.join(", ")));
    }
    labtrust_tests::generated::check("docs/src/reference/controls.md", "controls", &text);
}

//! The laboratory's rules: each refusal beside the acceptance it guards.

use labtrust_tests::{Bench, Tape, full_lane, one_specimen};
use serde_json::json;

fn simulated(mut state: serde_json::Value) -> serde_json::Value {
    state["timing_mode"] = json!("simulated");
    state
}

#[test]
fn a_specimen_goes_from_reception_to_a_released_result() {
    for state in [one_specimen("arrived_at_reception"), simulated(one_specimen("arrived_at_reception"))] {
        let mut bench = Bench::new(&state);
        bench.lane(10);
        assert_eq!(bench.ask("result_status('R1')"), "released");
        assert_eq!(bench.ask("specimen_status('S1')"), "released");
    }
}

#[test]
fn no_step_of_the_lane_can_be_left_out() {
    // Leaving out step i, the step that needs it is refused; later ones as well, so nothing is ever released.
    for missing in 0..9 {
        let mut bench = Bench::new(&one_specimen("arrived_at_reception"));
        for (i, (t_s, agent, action, args)) in full_lane().into_iter().enumerate() {
            if i != missing {
                bench.act(t_s, agent, action, &args);
            }
        }
        assert_ne!(bench.ask("result_status('R1')"), "released", "without step {missing}");
    }
}

#[test]
fn a_refused_step_changes_nothing_but_the_record() {
    let wrong = [
        ("A_RECEPTION", "ACCEPT_SPECIMEN", json!({"specimen_id": "S1"}), "RC_SPECIMEN_STATE"),
        ("A_RECEPTION", "CREATE_ACCESSION", json!({"specimen_id": "NOBODY"}), "RC_SPECIMEN_UNKNOWN"),
        ("A_RECEPTION", "HOLD_SPECIMEN", json!({"specimen_id": "S1"}), "AUDIT_MISSING_REASON_CODE"),
        ("A_RUNNER", "CREATE_ACCESSION", json!({"specimen_id": "S1"}), "RBAC_ACTION_DENY"),
        ("NOBODY", "MOVE", json!({"to_zone": "Z_ACCESSIONING"}), "RC_AGENT_UNKNOWN"),
        ("A_RUNNER", "MOVE", json!({"to_zone": "Z_INGRESS_DOCK"}), "RC_ILLEGAL_MOVE"),
        ("A_SUPERVISOR", "OPEN_DOOR", json!({"door_id": "D_RESTRICTED_AIRLOCK"}), "RBAC_RESTRICTED_ENTRY_DENY"),
        ("A_ANALYTICS", "QUEUE_RUN", json!({"device_id": "DEV_CHEM_A_01", "work_id": "S1"}), "RC_SPECIMEN_STATE"),
        ("A_ANALYTICS", "QUEUE_RUN", json!({"device_id": "DEV_CHEM_B_01", "work_id": "S1"}), "RC_DEVICE_NOT_COLOCATED"),
        ("A_ANALYTICS", "START_RUN", json!({"device_id": "DEV_CHEM_A_01"}), "RC_QUEUE_EMPTY"),
        ("A_ANALYTICS", "RELEASE_RESULT", json!({"result_id": "INVENTED"}), "RC_RESULT_UNKNOWN"),
        ("A_ANALYTICS", "RELEASE_RESULT", json!({}), "RC_RESULT_UNKNOWN"),
        ("A_ANALYTICS", "GENERATE_RESULT", json!({"result_id": "R9", "run_id": "NONE"}), "RC_RUN_UNKNOWN"),
        (
            "A_PREAN",
            "CENTRIFUGE_START",
            json!({"device_id": "DEV_CENTRIFUGE_BANK_01", "specimen_ids": ["S1"]}),
            "RC_SPECIMEN_STATE",
        ),
        ("A_PREAN", "TELEPORT", json!({}), "RC_UNKNOWN_ACTION"),
        ("A_PREAN", "MOVE", json!({"to_zone": 7}), "RC_EVENT_MALFORMED"),
        ("A_SUPERVISOR", "NOTIFY_CRITICAL_RESULT", json!({"result_id": "R1", "channel": "phone"}), "RC_RESULT_UNKNOWN"),
        ("A_RUNNER", "RECEIVE_TRANSPORT", json!({"consignment_id": "CONS_1"}), "TRANSPORT_CHAIN_OF_CUSTODY_BROKEN"),
        ("SYSTEM", "UPDATE_ROSTER", json!({"roster": {"A_RUNNER": "ROLE_SUPERVISOR"}}), "SIG_MISSING"),
    ];
    for (agent, action, args, code) in wrong {
        let mut bench = Bench::new(&one_specimen("arrived_at_reception"));
        let before = bench.digest();
        let length = bench.engine.chain().length;
        assert_eq!(bench.act(5, agent, action, &args), code, "{action} {args}");
        assert_eq!(bench.digest(), before, "{action} {args} left something behind");
        assert_eq!(bench.engine.chain().length, length + 1, "the refusal of {action} is on record");
    }
}

#[test]
fn a_result_is_released_once() {
    let mut bench = Bench::new(&one_specimen("arrived_at_reception"));
    bench.lane(10);
    assert_eq!(
        bench.act(740, "A_SUPERVISOR", "RELEASE_RESULT", &json!({"result_id": "R1"})),
        "RC_RESULT_ALREADY_RELEASED"
    );
    assert_eq!(bench.act(750, "A_ANALYTICS", "GENERATE_RESULT", &json!({"result_id": "R1"})), "RC_RESULT_DUPLICATE");
}

#[test]
fn a_rejected_specimen_stays_rejected() {
    let mut bench = Bench::new(&one_specimen("arrived_at_reception"));
    bench.act(5, "A_RECEPTION", "REJECT_SPECIMEN", &json!({"specimen_id": "S1", "reason_code": "INT_CLOTTED"}));
    assert_eq!(bench.ask("specimen_status('S1')"), "rejected");
    assert_eq!(bench.ask("last_reason_code('S1')"), "INT_CLOTTED");
    assert_eq!(bench.act(10, "A_RECEPTION", "CREATE_ACCESSION", &json!({"specimen_id": "S1"})), "RC_SPECIMEN_STATE");
}

#[test]
fn a_blocked_run_leaves_the_queue_as_it_was() {
    let mut state = one_specimen("arrived_at_reception");
    state["reagent_initial_stock"] = json!({"R_CHEM_CORE": 3});
    let mut bench = Bench::new(&state);
    bench.lane(7);
    assert_eq!(
        bench.act(680, "A_ANALYTICS", "START_RUN", &json!({"device_id": "DEV_CHEM_A_01"})),
        "RC_REAGENT_STOCKOUT"
    );
    assert_eq!(bench.ask("queue_head(DEV_CHEM_A_01)"), "S1");
    assert_eq!(bench.ask("specimen_status('S1')"), "queued");
}

#[test]
fn a_failed_control_blocks_release_until_it_passes() {
    let mut bench = Bench::new(&one_specimen("arrived_at_reception"));
    bench.lane(9);
    let qc = |outcome: &str| json!({"device_id": "DEV_CHEM_A_01", "qc_outcome": outcome});
    assert_eq!(bench.act(721, "A_ANALYTICS", "QC_EVENT", &qc("fail")), "ACCEPTED");
    assert_eq!(bench.ask("result_status('R1')"), "held");
    assert_eq!(bench.act(730, "A_ANALYTICS", "RELEASE_RESULT", &json!({"result_id": "R1"})), "QC_FAIL_ACTIVE");
    assert_eq!(bench.act(740, "A_ANALYTICS", "QC_EVENT", &qc("pass")), "ACCEPTED");
    assert_eq!(bench.act(750, "A_ANALYTICS", "RELEASE_RESULT", &json!({"result_id": "R1"})), "ACCEPTED");
}

#[test]
fn a_stale_specimen_is_not_measured_without_a_token_and_the_token_is_good_once() {
    let mut state = one_specimen("accepted");
    state["specimens"][0]["separated_ts_s"] = json!(100);
    state["workflow"] = json!("open");
    state["tokens"] = json!([{
        "token_id": "T_OVR_S1", "token_type": "OVERRIDE_RISK_ACCEPTANCE", "subject_type": "specimen", "subject_id": "S1",
        "issued_at_ts_s": 0, "expires_at_ts_s": 90000, "reason_code": "TIME_EXPIRED",
    }]);
    let mut bench = Bench::new(&state);
    let run = |id: &str| json!({"device_id": "DEV_CHEM_A_01", "run_id": id, "specimen_ids": ["S1"]});
    assert_eq!(bench.act(50_000, "A_ANALYTICS", "START_RUN", &run("X1")), "TIME_EXPIRED");
    assert_eq!(bench.act(50_001, "A_ANALYTICS", "START_RUN_OVERRIDE", &run("X2")), "AGENT_CAPABILITY_DENY");
    let with_token = |bench: &mut Bench, t_s: i64, id: &str, action: &str| {
        let mut event = bench.event(t_s, "A_ANALYTICS", action, &run(id));
        event.insert("reason_code".into(), json!("TIME_EXPIRED"));
        event.insert("rationale".into(), json!("repeat sample impossible"));
        event.insert("token_refs".into(), json!(["T_OVR_S1"]));
        bench.apply(&event)
    };
    // A plain start is not what the token is for.
    assert_eq!(with_token(&mut bench, 50_002, "X3", "START_RUN"), "TOKEN_SCOPE_MISMATCH");
    assert_eq!(with_token(&mut bench, 50_003, "X4", "START_RUN_OVERRIDE"), "ACCEPTED");
    assert_eq!(with_token(&mut bench, 50_004, "X5", "START_RUN_OVERRIDE"), "INV-TOK-002");
}

#[test]
fn time_does_not_run_backwards() {
    let mut bench = Bench::new(&one_specimen("arrived_at_reception"));
    assert_eq!(bench.act(100, "A_RUNNER", "TICK", &json!({})), "ACCEPTED");
    assert_eq!(bench.act(99, "A_RUNNER", "TICK", &json!({})), "RC_TIME_BACKWARDS");
    assert_eq!(bench.act(-5, "A_RUNNER", "TICK", &json!({})), "RC_TIME_BACKWARDS");
    assert_eq!(bench.act(100, "A_RUNNER", "TICK", &json!({})), "ACCEPTED");
}

#[test]
fn doing_nothing_is_no_event() {
    let mut bench = Bench::new(&one_specimen("arrived_at_reception"));
    let length = bench.engine.chain().length;
    assert_eq!(bench.act(10, "A_RUNNER", "NOOP", &json!({})), "ACCEPTED");
    assert_eq!(bench.engine.chain().length, length);
}

#[test]
fn a_door_that_is_open_too_long_freezes_its_zones_by_itself_and_a_lift_needs_the_system_key() {
    let mut state = one_specimen("arrived_at_reception");
    state["tokens"] = json!([{
        "token_id": "T_IN", "token_type": "TOKEN_RESTRICTED_ENTRY", "subject_type": "agent", "subject_id": "A_SUPERVISOR",
        "issued_at_ts_s": 0, "expires_at_ts_s": 900, "reason_code": "SYS_DOWNTIME_ACTIVE",
    }]);
    let signer = labtrust_trust::keys::Signer::from_seed([9; 32]);
    state["keys"] = json!([{
        "key_id": "k:sys", "public_key": signer.public_b64(), "agent_id": "SYSTEM", "role_id": "R_SYSTEM_CONTROL",
    }]);
    let mut bench = Bench::new(&state);
    let mut open = bench.event(100, "A_SUPERVISOR", "OPEN_DOOR", &json!({"door_id": "D_RESTRICTED_AIRLOCK"}));
    open.insert("token_refs".into(), json!(["T_IN"]));
    assert_eq!(bench.apply(&open), "ACCEPTED");
    assert_eq!(bench.act(300, "A_SUPERVISOR", "TICK", &json!({})), "ACCEPTED");
    assert_eq!(bench.ask("zone_state('Z_RESTRICTED_BIOHAZARD')"), "normal", "200 s are in order");
    bench.engine.advance_to(301, &mut ());
    assert_eq!(bench.ask("zone_state('Z_RESTRICTED_BIOHAZARD')"), "frozen", "nobody had to look");
    assert_eq!(bench.act(310, "A_RECEPTION", "MOVE", &json!({"to_zone": "Z_ACCESSIONING"})), "ACCEPTED");
    assert_eq!(bench.act(320, "A_RECEPTION", "MOVE", &json!({"to_zone": "Z_SRA_RECEPTION"})), "RC_ZONE_FROZEN");

    let lift = json!({"kind": "zone", "target": "Z_SRA_RECEPTION"});
    assert_eq!(bench.act(330, "A_SUPERVISOR", "LIFT_ENFORCEMENT", &lift), "RBAC_ACTION_DENY");
    let mut event = bench.event(340, "SYSTEM", "LIFT_ENFORCEMENT", &lift);
    assert_eq!(bench.apply(&event), "SIG_MISSING");
    sign(&mut bench, &mut event, &signer, "k:sys");
    assert_eq!(bench.apply(&event), "ACCEPTED");
    assert_eq!(bench.ask("zone_state('Z_SRA_RECEPTION')"), "normal");
    assert_eq!(bench.act(350, "A_RECEPTION", "MOVE", &json!({"to_zone": "Z_SRA_RECEPTION"})), "ACCEPTED");
}

/// Signs a raw event over the chain head as it is now.
fn sign(
    bench: &mut Bench,
    event: &mut serde_json::Map<String, serde_json::Value>,
    signer: &labtrust_trust::keys::Signer,
    key: &str,
) {
    event.insert("event_id".into(), json!(format!("signed_{}", bench.engine.chain().length)));
    event.insert("key_id".into(), json!(key));
    bench.engine.begin_batch();
    let payload = json!({
        "action_params": event["args"], "action_type": event["action_type"], "agent_id": event["agent_id"],
        "event_id": event["event_id"], "partner_id": null, "payload_version": 2, "policy_fingerprint": null,
        "prev_hash": bench.engine.batch_head(), "rationale": event.get("rationale"), "reason_code": event["reason_code"],
        "t_s": event["t_s"], "token_refs": event["token_refs"], "tool_id": null,
    });
    let bytes = labtrust_trust::canonical::to_canonical_vec(&payload).unwrap();
    event.insert("signature".into(), json!(signer.sign_b64(&bytes)));
}

#[test]
fn strict_signatures_let_honest_agents_work_and_stop_forgeries_and_replays() {
    let honest = labtrust_trust::keys::Signer::from_seed([1; 32]);
    let forger = labtrust_trust::keys::Signer::from_seed([2; 32]);
    let mut state = one_specimen("arrived_at_reception");
    state["strict_signatures"] = json!(true);
    state["keys"] = json!([{
        "key_id": "k:rec", "public_key": honest.public_b64(), "agent_id": "A_RECEPTION", "role_id": "ROLE_RECEPTION",
    }]);
    let mut bench = Bench::new(&state);
    let s1 = json!({"specimen_id": "S1"});
    assert_eq!(bench.act(10, "A_RECEPTION", "CREATE_ACCESSION", &s1), "SIG_MISSING");
    let mut event = bench.event(10, "A_RECEPTION", "CREATE_ACCESSION", &s1);
    sign(&mut bench, &mut event, &forger, "k:rec");
    assert_eq!(bench.apply(&event), "SIG_INVALID");
    sign(&mut bench, &mut event, &honest, "k:rec");
    assert_eq!(bench.engine.step_raw(&event, &mut ()).blocked_reason_code, None);
    // The same signed event again in the same batch: its signature still verifies, but it was used.
    assert_eq!(bench.engine.step_raw(&event, &mut ()).blocked_reason_code.as_deref(), Some("SIG_REPLAYED"));
    // In a later batch it covers the wrong chain head.
    event.insert("event_id".into(), json!("other"));
    assert_eq!(bench.apply(&event), "SIG_INVALID");
    // What is signed cannot be changed: reason and rationale are covered.
    let mut event = bench.event(20, "A_RECEPTION", "CHECK_ACCEPTANCE_RULES", &s1);
    sign(&mut bench, &mut event, &honest, "k:rec");
    event.insert("reason_code".into(), json!("ID_MISMATCH"));
    assert_eq!(bench.apply(&event), "SIG_INVALID");
}

#[test]
fn a_broken_chain_freezes_the_log_until_it_is_released_under_signature() {
    let signer = labtrust_trust::keys::Signer::from_seed([9; 32]);
    let mut state = one_specimen("arrived_at_reception");
    state["audit_fault_injection"] = json!({"break_hash_prev_on_event_id": "e2"});
    state["keys"] = json!([{
        "key_id": "k:sys", "public_key": signer.public_b64(), "agent_id": "SYSTEM", "role_id": "R_SYSTEM_CONTROL",
    }]);
    let mut bench = Bench::new(&state);
    bench.act(10, "A_RECEPTION", "CREATE_ACCESSION", &json!({"specimen_id": "S1"}));
    let event = bench.event(20, "A_RUNNER", "TICK", &json!({}));
    bench.engine.begin_batch();
    let result = bench.engine.step_raw(&event, &mut ());
    assert_eq!(result.emits, ["FORENSIC_FREEZE_LOG"]);
    let length = bench.engine.chain().length;
    assert_eq!(bench.act(30, "A_RUNNER", "TICK", &json!({})), "AUDIT_CHAIN_BROKEN");
    assert_eq!(bench.engine.chain().length, length, "a frozen log takes no record");
    assert_eq!(bench.ask("last_reason_code_system"), "AUDIT_CHAIN_BROKEN");
    let mut lift = bench.event(40, "SYSTEM", "LIFT_ENFORCEMENT", &json!({"kind": "log"}));
    sign(&mut bench, &mut lift, &signer, "k:sys");
    assert_eq!(bench.apply(&lift), "ACCEPTED");
    assert_eq!(bench.act(50, "A_RUNNER", "TICK", &json!({})), "ACCEPTED");
}

#[test]
fn an_enforced_violation_really_stops_the_agent_and_ends_by_itself() {
    let mut state = one_specimen("arrived_at_reception");
    state["enforcement_enabled"] = json!(true);
    state["workflow"] = json!("open");
    let mut bench = Bench::new(&state);
    let notify = json!({"result_id": "R1", "channel": "phone", "receiver_role": "ward"});
    assert_eq!(bench.act(10, "A_SUPERVISOR", "NOTIFY_CRITICAL_RESULT", &notify), "ACCEPTED");
    let unread = json!({
        "result_id": "R1", "attempt_id": "R1_attempt_0", "channel": "phone", "receiver_role": "ward",
        "receiver_name_or_id": "Dr X", "receiver_location_or_org": "ward 3", "read_back_confirmed": false, "outcome": "reached",
    });
    let event = bench.event(20, "A_SUPERVISOR", "ACK_CRITICAL_RESULT", &unread);
    let result = bench.engine.step_raw(&event, &mut ());
    assert!(result.enforcements.iter().any(|item| item.kind == "throttle_agent"), "{result:?}");
    assert!(result.emits.contains(&"THROTTLE_AGENT".to_owned()));
    assert_eq!(bench.act(30, "A_SUPERVISOR", "TICK", &json!({})), "RC_AGENT_THROTTLED");
    assert_eq!(bench.act(30, "A_QC", "TICK", &json!({})), "ACCEPTED", "others go on");
    assert_eq!(bench.act(51, "A_SUPERVISOR", "TICK", &json!({})), "ACCEPTED", "30 s are over");
}

#[test]
fn completions_do_not_depend_on_how_often_somebody_looks() {
    let run = |step_s: i64| {
        let mut bench = Bench::with_seed(&simulated(one_specimen("arrived_at_reception")), 7);
        let mut tape = Tape::default();
        let mut now = 0;
        for (t_s, agent, action, args) in full_lane() {
            while now + step_s < t_s {
                now += step_s;
                bench.engine.advance_to(now, &mut tape);
            }
            let event = bench.event(t_s, agent, action, &args);
            bench.engine.step_raw(&event, &mut tape);
        }
        tape.records
    };
    let every_second = run(1);
    assert!(every_second.iter().any(|(action, t_s, _)| action == "END_RUN" && *t_s == 710), "{every_second:?}");
    assert_eq!(every_second, run(60));
    assert_eq!(every_second, run(10_000));
}

#[test]
fn simulated_work_takes_its_time() {
    let mut bench = Bench::new(&simulated(one_specimen("arrived_at_reception")));
    bench.lane(4);
    let end = json!({"device_id": "DEV_CENTRIFUGE_BANK_01", "specimen_ids": ["S1"]});
    assert_eq!(bench.act(639, "A_PREAN", "CENTRIFUGE_END", &end), "RC_SPECIMEN_STATE", "600 s are not over");
    assert_eq!(bench.act(640, "A_PREAN", "CENTRIFUGE_END", &end), "ACCEPTED");
    assert_eq!(
        bench.act(650, "A_RUNNER", "ALIQUOT_CREATE", &json!({"specimen_id": "S1", "aliquot_id": "A1"})),
        "ACCEPTED"
    );
    let queue = json!({"device_id": "DEV_CHEM_A_01", "work_id": "S1"});
    assert_eq!(bench.act(654, "A_ANALYTICS", "QUEUE_RUN", &queue), "RC_SPECIMEN_STATE", "5 s are not over");
    assert_eq!(bench.act(655, "A_ANALYTICS", "QUEUE_RUN", &queue), "ACCEPTED");
    assert_eq!(
        bench.act(660, "A_ANALYTICS", "START_RUN", &json!({"device_id": "DEV_CHEM_A_01", "run_id": "RUN_1"})),
        "ACCEPTED"
    );
    assert_eq!(bench.ask("device_state(DEV_CHEM_A_01)"), "RUNNING");
    let result = json!({"result_id": "R1", "run_id": "RUN_1"});
    assert_eq!(bench.act(689, "A_ANALYTICS", "GENERATE_RESULT", &result), "RC_RUN_NOT_COMPLETED");
    assert_eq!(bench.act(690, "A_ANALYTICS", "GENERATE_RESULT", &result), "ACCEPTED");
    assert_eq!(bench.ask("device_state(DEV_CHEM_A_01)"), "IDLE");
}

#[test]
fn a_walking_agent_does_nothing_else() {
    let mut bench = Bench::new(&simulated(one_specimen("arrived_at_reception")));
    assert_eq!(bench.act(10, "A_RECEPTION", "MOVE", &json!({"to_zone": "Z_ACCESSIONING"})), "ACCEPTED");
    assert_eq!(bench.ask("agent_zone(A_RECEPTION)"), "Z_SRA_RECEPTION");
    assert_eq!(bench.act(20, "A_RECEPTION", "CREATE_ACCESSION", &json!({"specimen_id": "S1"})), "RC_AGENT_IN_TRANSIT");
    assert_eq!(bench.act(25, "A_RECEPTION", "CREATE_ACCESSION", &json!({"specimen_id": "S1"})), "ACCEPTED");
    assert_eq!(bench.ask("agent_zone(A_RECEPTION)"), "Z_ACCESSIONING");
}

#[test]
fn a_stated_value_that_was_not_measured_is_refused() {
    let mut bench = Bench::new(&one_specimen("arrived_at_reception"));
    bench.lane(8);
    let forged = json!({"result_id": "R1", "run_id": "RUN_1", "analyte_code": "BIOCHEM_POTASSIUM_K", "value": 99.9, "units": "mmol/L"});
    assert_eq!(bench.act(720, "A_ANALYTICS", "GENERATE_RESULT", &forged), "RC_RESULT_VALUE_MISMATCH");
    assert_eq!(
        bench.act(721, "A_ANALYTICS", "GENERATE_RESULT", &json!({"result_id": "R1", "run_id": "RUN_1"})),
        "ACCEPTED"
    );
}

#[test]
fn a_cold_specimen_may_be_warm_for_a_while_but_not_for_long() {
    let with_readings = |readings: serde_json::Value| {
        let mut state = one_specimen("accepted");
        state["workflow"] = json!("open");
        state["specimens"][0]["storage_requirement"] = json!("REFRIGERATED_2_8");
        state["specimens"][0]["separated_ts_s"] = json!(100);
        state["specimens"][0]["temp_exposure_log"] = readings;
        let mut bench = Bench::new(&state);
        bench.act(3_000, "A_ANALYTICS", "START_RUN", &json!({"device_id": "DEV_CHEM_A_01", "specimen_ids": ["S1"]}))
    };
    let reading = |t_s: i64, band: &str| json!({"t_s": t_s, "temp_band": band});
    // Two walks of 450 s through the corridor are just forgiven, one second more is not.
    let walks = |end_s: i64| {
        json!([
            reading(100, "AMBIENT_20_25"),
            reading(550, "REFRIGERATED_2_8"),
            reading(1_000, "AMBIENT_20_25"),
            reading(end_s, "REFRIGERATED_2_8")
        ])
    };
    assert_eq!(with_readings(walks(1_450)), "ACCEPTED");
    assert_eq!(with_readings(walks(1_451)), "TEMP_OUT_OF_BAND");
    // The last reading holds until now.
    assert_eq!(with_readings(json!([reading(2_100, "AMBIENT_20_25")])), "ACCEPTED");
    assert_eq!(with_readings(json!([reading(2_099, "AMBIENT_20_25")])), "TEMP_OUT_OF_BAND");
    assert_eq!(with_readings(json!([])), "ACCEPTED");
}

/// A specimen at the acute site, dispatched at 10 s.
fn on_its_way(extra: &[(&str, serde_json::Value)]) -> Bench {
    let mut state = simulated(one_specimen("arrived_at_reception"));
    state["transport_required"] =
        json!([{"specimen_ids": ["S1"], "origin_site": "SITE_ACUTE", "dest_site": "SITE_HUB"}]);
    for (key, value) in extra {
        state[*key] = value.clone();
    }
    let mut bench = Bench::new(&state);
    let dispatch = json!({"specimen_ids": ["S1"], "origin_site": "SITE_ACUTE", "dest_site": "SITE_HUB"});
    assert_eq!(bench.act(5, "A_RECEPTION", "CREATE_ACCESSION", &json!({"specimen_id": "S1"})), "RC_SPECIMEN_LOCATION");
    assert_eq!(bench.act(10, "A_RUNNER", "DISPATCH_TRANSPORT", &dispatch), "ACCEPTED");
    bench
}

#[test]
fn a_consignment_is_received_when_it_has_arrived_and_is_signed() {
    let mut bench = on_its_way(&[]);
    let consignment = json!({"consignment_id": "CONS_1"});
    let s1 = json!({"specimen_id": "S1"});
    assert_eq!(bench.act(20, "A_RECEPTION", "CREATE_ACCESSION", &s1), "RC_SPECIMEN_IN_TRANSIT");
    assert_eq!(bench.act(540, "A_RUNNER", "RECEIVE_TRANSPORT", &consignment), "TRANSPORT_NOT_YET_ARRIVED");
    assert_eq!(bench.act(680, "A_RUNNER", "RECEIVE_TRANSPORT", &consignment), "TRANSPORT_NOT_SIGNED");
    assert_eq!(bench.act(690, "A_RUNNER", "CHAIN_OF_CUSTODY_SIGN", &consignment), "ACCEPTED");
    assert_eq!(bench.act(700, "A_RUNNER", "RECEIVE_TRANSPORT", &consignment), "ACCEPTED");
    assert_eq!(bench.act(710, "A_RUNNER", "RECEIVE_TRANSPORT", &consignment), "TRANSPORT_CHAIN_OF_CUSTODY_BROKEN");
    assert_eq!(bench.act(720, "A_RECEPTION", "CREATE_ACCESSION", &s1), "ACCEPTED");
}

#[test]
fn an_excursion_is_received_only_by_somebody_who_answers_for_it() {
    let token = json!([{
        "token_id": "T_WARM", "token_type": "OVERRIDE_RISK_ACCEPTANCE", "subject_type": "consignment", "subject_id": "CONS_1",
        "issued_at_ts_s": 0, "expires_at_ts_s": 3600, "reason_code": "TRANSPORT_TEMP_EXCURSION",
    }]);
    let fault = json!({"force_temp_excursion_on_next_receive": true});
    let mut bench = on_its_way(&[("transport_fault_injection", fault), ("tokens", token)]);
    let consignment = json!({"consignment_id": "CONS_1"});
    assert_eq!(bench.act(690, "A_RUNNER", "CHAIN_OF_CUSTODY_SIGN", &consignment), "ACCEPTED");
    assert_eq!(bench.act(700, "A_RUNNER", "RECEIVE_TRANSPORT", &consignment), "TRANSPORT_TEMP_EXCURSION");
    let mut event = bench.event(710, "A_RUNNER", "RECEIVE_TRANSPORT", &consignment);
    event.insert("reason_code".into(), json!("TRANSPORT_TEMP_EXCURSION"));
    event.insert("token_refs".into(), json!(["T_WARM"]));
    assert_eq!(bench.apply(&event), "ACCEPTED");
    assert_eq!(bench.ask("token_active"), json!([]), "the token is used up");
}

#[test]
fn a_critical_result_is_told_read_back_and_only_then_released() {
    let mut state = one_specimen("arrived_at_reception");
    state["workflow"] = json!("open");
    let mut bench = Bench::new(&state);
    let result = json!({"result_id": "R1", "analyte_code": "BIOCHEM_POTASSIUM_K", "value": 7.1, "units": "mmol/L"});
    let release = json!({"result_id": "R1"});
    assert_eq!(bench.act(10, "A_ANALYTICS", "GENERATE_RESULT", &result), "ACCEPTED");
    assert_eq!(bench.ask("result_criticality('R1')"), "CRIT_A");
    assert_eq!(bench.act(20, "A_SUPERVISOR", "RELEASE_RESULT", &release), "CRIT_NO_ACK");
    let notify = |channel: &str| json!({"result_id": "R1", "channel": channel, "receiver_role": "primary_contact"});
    assert_eq!(bench.act(30, "A_SUPERVISOR", "NOTIFY_CRITICAL_RESULT", &notify("pigeon")), "CRIT_MODE_NOT_ALLOWED");
    assert_eq!(bench.act(40, "A_SUPERVISOR", "NOTIFY_CRITICAL_RESULT", &notify("phone")), "ACCEPTED");
    let escalate = |role: &str| json!({"result_id": "R1", "next_role": role});
    let secondary = bench.act(50, "A_SUPERVISOR", "ESCALATE_CRITICAL_RESULT", &escalate("secondary"));
    assert_eq!(secondary, "CRIT_ACK_TIMEOUT", "the first tier has 300 s to answer");
    assert_eq!(
        bench.act(60, "A_SUPERVISOR", "ESCALATE_CRITICAL_RESULT", &escalate("duty_manager")),
        "CRIT_ESCALATION_OUT_OF_ORDER"
    );
    let mut answer = json!({
        "result_id": "R1", "attempt_id": "R1_attempt_0", "channel": "phone", "receiver_role": "primary_contact",
        "receiver_name_or_id": "Dr X", "read_back_confirmed": true, "outcome": "reached",
    });
    assert_eq!(bench.act(70, "A_SUPERVISOR", "ACK_CRITICAL_RESULT", &answer), "CRIT_ACK_MISSING_FIELDS");
    answer["receiver_location_or_org"] = json!("ward 3");
    assert_eq!(bench.act(80, "A_SUPERVISOR", "ACK_CRITICAL_RESULT", &answer), "ACCEPTED");
    assert_eq!(bench.act(90, "A_SUPERVISOR", "RELEASE_RESULT", &release), "ACCEPTED");
}

#[test]
fn no_unit_takes_more_than_it_holds_or_while_it_turns() {
    let mut state = simulated(one_specimen("accepted"));
    let specimen =
        |i: usize| json!({"specimen_id": format!("S{i}"), "panel_id": "BIOCHEM_PANEL_CORE", "status": "accepted"});
    state["specimens"] = (1..=70).map(specimen).collect();
    let mut bench = Bench::new(&state);
    let load = |from: usize, to: usize| {
        let ids: Vec<String> = (from..=to).map(|i| format!("S{i}")).collect();
        json!({"device_id": "DEV_CENTRIFUGE_BANK_01", "specimen_ids": ids})
    };
    assert_eq!(bench.act(10, "A_PREAN", "CENTRIFUGE_START", &load(1, 61)), "RC_BATCH_TOO_LARGE");
    assert_eq!(bench.act(10, "A_PREAN", "CENTRIFUGE_START", &load(1, 60)), "ACCEPTED");
    assert_eq!(bench.act(20, "A_PREAN", "CENTRIFUGE_START", &load(61, 61)), "ACCEPTED");
    assert_eq!(bench.act(30, "A_PREAN", "CENTRIFUGE_START", &load(62, 62)), "RC_DEVICE_NO_UNIT");
    // Spun after 600 s, free for the next load after 720 s.
    assert_eq!(bench.act(729, "A_PREAN", "CENTRIFUGE_START", &load(62, 62)), "RC_DEVICE_NO_UNIT");
    assert_eq!(bench.act(730, "A_PREAN", "CENTRIFUGE_START", &load(62, 62)), "ACCEPTED");
}

#[test]
fn a_failed_control_keeps_work_away_from_the_device() {
    let mut bench = Bench::new(&one_specimen("arrived_at_reception"));
    bench.lane(7);
    let fail = json!({"device_id": "DEV_CHEM_A_01", "qc_outcome": "fail"});
    assert_eq!(bench.act(675, "A_QC", "QC_EVENT", &fail), "ACCEPTED");
    assert_eq!(bench.act(680, "A_ANALYTICS", "START_RUN", &json!({"device_id": "DEV_CHEM_A_01"})), "QC_FAIL_ACTIVE");
}

#[test]
fn a_device_that_fails_gives_its_specimen_back_and_works_again_after_the_repair() {
    // A seed in which the analyser breaks down early: found by looking, kept by its number.
    let policy = labtrust_policy::PolicyStore::builtin();
    let mut registry: serde_json::Value = policy.value("equipment/equipment_registry.v0.1.yaml").unwrap();
    let chem = &mut registry["equipment_registry"]["device_types"]["CHEM_ANALYZER"];
    for model in ["service_time_model", "timing_model"] {
        chem[model] = json!({"run_s": {"dist": "deterministic", "value": 10_000_000}});
    }
    let mut state = simulated(one_specimen("arrived_at_reception"));
    state["effective_policy"] = json!({"equipment_registry": registry["equipment_registry"]});
    let mut bench = Bench::with_seed(&state, 5);
    bench.lane(8);
    assert_eq!(bench.ask("specimen_status('S1')"), "running");
    let mut tape = Tape::default();
    bench.engine.advance_to(9_000_000, &mut tape);
    let of_device = |action: &str| tape.records.iter().filter(|(name, _, _)| name == action).count();
    assert!(of_device("DEVICE_FAULT") > 0 && of_device("DEVICE_REPAIRED") > 0, "failures happen in a hundred days");
    assert_eq!(of_device("END_RUN"), 0, "an interrupted run does not end");
    assert_eq!(bench.ask("specimen_status('S1')"), "aliquoted", "its specimen can be queued again");
    assert_eq!(bench.ask("device_state(DEV_CHEM_A_01)"), "IDLE");
}

#[test]
fn extreme_times_are_answered_and_not_a_crash() {
    for extreme in [i64::MIN, i64::MAX] {
        let mut state = one_specimen("accepted");
        state["workflow"] = json!("open");
        state["specimens"][0]["collection_ts_s"] = json!(extreme);
        state["specimens"][0]["separated_ts_s"] = json!(extreme);
        let mut bench = Bench::new(&state);
        let end = json!({"specimen_ids": ["S1"], "separated_ts_s": extreme});
        bench.act(10, "A_PREAN", "CENTRIFUGE_END", &end);
        bench.act(20, "A_ANALYTICS", "START_RUN", &json!({"device_id": "DEV_CHEM_A_01", "specimen_ids": ["S1"]}));
        bench.engine.observe(&mut labtrust_plugin::lab::WorldView::default());
        let far = bench.act(extreme, "A_RUNNER", "TICK", &json!({}));
        assert_eq!(far, if extreme < 0 { "RC_TIME_BACKWARDS" } else { "ACCEPTED" });
    }
}

#[test]
fn a_tool_is_judged_after_everything_else_and_without_an_adapter_nothing_happens() {
    let mut state = one_specimen("arrived_at_reception");
    state["tool_registry"] = json!({"tool_registry": {"version": "0.1", "tools": [{
        "tool_id": "look", "publisher": "us", "version": "1", "capabilities": ["lims.read"], "risk_class": "low",
        "arg_schema_ref": "look.json",
    }]}});
    state["tool_arg_schemas"] =
        json!({"look.json": {"type": "object", "properties": {"n": {"type": "integer", "maximum": 5}}}});
    state["allowed_tools"] = json!([]);
    let mut bench = Bench::new(&state);
    let with_tool = |bench: &mut Bench, agent: &str, tool: &str, n: i64| {
        let mut event = bench.event(10, agent, "CREATE_ACCESSION", &json!({"specimen_id": "S1"}));
        event.insert("tool_id".into(), json!(tool));
        event["args"]["tool_args"] = json!({"n": n});
        bench.apply(&event)
    };
    assert_eq!(with_tool(&mut bench, "A_RUNNER", "look", 1), "RBAC_ACTION_DENY", "the role comes first");
    assert_eq!(with_tool(&mut bench, "A_RECEPTION", "unknown", 1), "TOOL_NOT_IN_REGISTRY");
    assert_eq!(with_tool(&mut bench, "A_RECEPTION", "look", 6), "TOOL_ARG_RANGE_FAIL");
    assert_eq!(with_tool(&mut bench, "A_RECEPTION", "look", 5), "TOOL_EXEC_EXCEPTION");
    assert_eq!(bench.ask("specimen_status('S1')"), "arrived_at_reception");
}

/// The built-in floor with limits: two people in the centrifuge bay, one direction at a time between there and the bench.
fn narrow(mut state: serde_json::Value) -> serde_json::Value {
    let policy = labtrust_policy::PolicyStore::builtin();
    let mut layout = policy.value("zones/zone_layout_policy.v0.1.yaml").unwrap()["zone_layout_policy"].take();
    for zone in layout["zones"].as_array_mut().unwrap() {
        if zone["zone_id"] == "Z_CENTRIFUGE_BAY" {
            zone["capacity"] = json!(2);
        }
    }
    for way in layout["graph_edges"].as_array_mut().unwrap() {
        if way["from"] == "Z_CENTRIFUGE_BAY" && way["to"] == "Z_ALIQUOT_LABEL" {
            (way["capacity"], way["exclusive"]) = (json!(1), json!(true));
        }
    }
    state["effective_policy"] = json!({ "zone_layout": layout });
    let at = |id: &str, zone: &str| json!({ "agent_id": id, "zone_id": zone });
    state["agents"] = json!([
        at("A_RUNNER", "Z_SORTING_LANES"),
        at("A_PREAN", "Z_PREANALYTICS"),
        at("A_RECEPTION", "Z_SORTING_LANES"),
        at("A_ANALYTICS", "Z_ALIQUOT_LABEL"),
        at("A_QC", "Z_ALIQUOT_LABEL"),
    ]);
    state
}

#[test]
fn a_full_room_takes_nobody_in_and_those_who_walk_there_count() {
    for state in [one_specimen("arrived_at_reception"), simulated(one_specimen("arrived_at_reception"))] {
        let mut bench = Bench::new(&narrow(state));
        let bay = json!({"to_zone": "Z_CENTRIFUGE_BAY"});
        assert_eq!(bench.act(10, "A_RUNNER", "MOVE", &bay), "ACCEPTED");
        assert_eq!(bench.act(10, "A_PREAN", "MOVE", &bay), "ACCEPTED");
        let before = bench.digest();
        assert_eq!(bench.act(10, "A_RECEPTION", "MOVE", &bay), "RC_ZONE_FULL");
        assert_eq!(bench.digest(), before, "a refusal leaves nothing behind");
        assert_eq!(bench.act(60, "A_RUNNER", "MOVE", &json!({"to_zone": "Z_SORTING_LANES"})), "ACCEPTED");
        assert_eq!(bench.act(60, "A_RECEPTION", "MOVE", &bay), "ACCEPTED", "who walks away has left the room");
    }
}

#[test]
fn a_narrow_way_is_walked_by_one_at_a_time() {
    let bench_to_bay = json!({"to_zone": "Z_CENTRIFUGE_BAY"});
    let bay_to_bench = json!({"to_zone": "Z_ALIQUOT_LABEL"});
    for state in [one_specimen("arrived_at_reception"), simulated(one_specimen("arrived_at_reception"))] {
        let mut bench = Bench::new(&narrow(state));
        assert_eq!(bench.act(10, "A_PREAN", "MOVE", &bench_to_bay), "ACCEPTED", "another way to the bay is not narrow");
        assert_eq!(bench.act(100, "A_ANALYTICS", "MOVE", &bench_to_bay), "ACCEPTED");
        assert_eq!(bench.act(100, "A_QC", "MOVE", &bench_to_bay), "RC_ZONE_FULL");
        assert_eq!(bench.act(100, "A_PREAN", "MOVE", &bay_to_bench), "RC_WAY_TAKEN", "against the direction");
        assert_eq!(bench.act(130, "A_PREAN", "MOVE", &bay_to_bench), "ACCEPTED", "the way is free again");
        assert_eq!(bench.act(130, "A_ANALYTICS", "MOVE", &bay_to_bench), "RC_WAY_TAKEN", "one at a time");
        assert_eq!(bench.act(160, "A_ANALYTICS", "MOVE", &bay_to_bench), "ACCEPTED");
    }
}

#[test]
fn nobody_begins_in_a_room_that_is_full_and_no_room_is_for_nobody() {
    let mut state = narrow(one_specimen("arrived_at_reception"));
    let at = |id: &str| json!({ "agent_id": id, "zone_id": "Z_CENTRIFUGE_BAY" });
    state["agents"] = json!([at("A_RUNNER"), at("A_PREAN"), at("A_QC")]);
    let message = Bench::refused(&state);
    assert!(message.contains("3 agents start in the zone Z_CENTRIFUGE_BAY, which has room for 2"), "{message}");
    let mut state = narrow(one_specimen("arrived_at_reception"));
    state["effective_policy"]["zone_layout"]["graph_edges"][0]["capacity"] = json!(0);
    let message = Bench::refused(&state);
    assert!(message.contains("edge Z_INGRESS_DOCK - Z_SRA_RECEPTION has room for nobody"), "{message}");
}

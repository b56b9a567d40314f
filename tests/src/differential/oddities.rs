//! Events that random scripts bring too seldom: put in here and there, so that rules which stand for something rare
//! are tried as well.

use super::Script;
use serde_json::{Map, Value, json};

/// Agent, action, arguments, tokens.
type Odd = (&'static str, &'static str, Value, &'static [&'static str]);

/// Number of the groups of events that can be put in [count].
const GROUPS: u64 = 23;

/// The script with one to three groups of odd events; which and where follows from `number` alone.
#[must_use]
pub fn with_oddities(mut script: Script, number: u64) -> Script {
    furnish(&mut script.state);
    let mut draw = number;
    for turn in 0..=number % 3 {
        // Splitmix, as good as it has to be.
        draw = draw.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_add(turn);
        let mixed = (draw ^ (draw >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = mixed ^ (mixed >> 27);
        let place = usize::try_from(mixed % (script.events.len() as u64 + 1)).unwrap_or(0);
        let t_s = place.checked_sub(1).and_then(|i| script.events[i].get("t_s")?.as_i64()).unwrap_or(0).max(0);
        let group = group((mixed >> 20) % GROUPS).into_iter().enumerate();
        let events: Vec<Map<String, Value>> = group
            .map(|(i, (agent, action, args, tokens))| {
                let event = json!({
                    "event_id": format!("odd_{turn}_{i}"), "t_s": t_s, "agent_id": agent, "action_type": action,
                    "args": args, "reason_code": args["reason_code"], "token_refs": tokens, "rationale": "odd",
                });
                event.as_object().cloned().unwrap_or_default()
            })
            .collect();
        script.events.splice(place..place, events);
    }
    script
}

/// Specimens and people that the events need.
fn furnish(state: &mut Map<String, Value>) {
    let specimen = |id: &str, panel: &str, storage: &str, log: Value| {
        json!({
            "specimen_id": id, "panel_id": panel, "storage_requirement": storage, "temp_exposure_log": log,
            "collection_ts_s": 0, "separated_ts_s": 0, "status": "accepted",
        })
    };
    let specimens = state.entry("specimens").or_insert(json!([]));
    if let Some(list) = specimens.as_array_mut() {
        let warm = json!([{"t_s": 0, "temp_band": "AMBIENT_20_25"}, {"t_s": 60, "temp_band": "REFRIGERATED_2_8"}]);
        list.push(specimen("S_WARM", "BIOCHEM_PANEL_CORE", "REFRIGERATED_2_8", warm));
        list.push(specimen(
            "S_COLD",
            "BIOCHEM_PANEL_CORE",
            "AMBIENT_20_25",
            json!([{"t_s": -9000, "temp_band": "REFRIGERATED_2_8"}]),
        ));
        list.push(specimen("S_FINE", "BIOCHEM_PANEL_CORE", "", json!([])));
        list.push(json!({"specimen_id": "S_BLOOD", "priority": "URGENT", "panel_id": "HAEM_PANEL_CORE", "collection_ts_s": -20000, "status": "accepted"}));
        list.push(json!({"specimen_id": "S_OLD", "panel_id": "COAG_PANEL_CORE", "collection_ts_s": -90000, "status": "accepted"}));
    }
    if let Some(list) = state.get_mut("agents").and_then(Value::as_array_mut) {
        // Somebody with a role and no place, and somebody with a place and no role.
        list.retain(|agent| agent["agent_id"] != "A_CLINSCI");
        list.push(json!({"agent_id": "A_TEMP", "zone_id": "Z_QC_SUPERVISOR"}));
    }
}

/// One group.
fn group(number: u64) -> Vec<Odd> {
    let result = |id: &str| json!({"result_id": id});
    let told = |role: &str, channel: &str| json!({"result_id": "R_ODD", "receiver_role": role, "channel": channel});
    let filed = |run: &str| {
        let critical = json!({"result_id": "R_ODD", "run_id": run, "analyte_code": "BIOCHEM_POTASSIUM_K", "units": "mmol/L", "value": 1.0});
        ("A_ANALYTICS", "GENERATE_RESULT", critical, &[] as &[&str])
    };
    let run =
        |device: &str, specimen: &str| json!({"device_id": device, "run_id": "RUN_ODD", "specimen_ids": [specimen]});
    let qc = |device: &str, outcome: &str| json!({"device_id": device, "qc_outcome": outcome});
    let entry = json!({
        "token_type": "TOKEN_RESTRICTED_ENTRY", "subject_type": "agent", "subject_id": "A_SECURITY",
        "reason_code": "SYS_DOWNTIME_ACTIVE", "approvals": [{"approver_agent_id": "A_SUPERVISOR", "approver_key_id": "k"}],
    });
    let drift = json!({
        "token_type": "TOKEN_QC_DRIFT_OVERRIDE", "subject_type": "result", "subject_id": "R_NONE",
        "reason_code": "QC_DRIFT_SUSPECTED", "approvals": [{"approver_agent_id": "A_QC", "approver_key_id": "k"}],
    });
    let risk = |kind: &str, id: &str| {
        json!({
            "token_type": "OVERRIDE_RISK_ACCEPTANCE", "subject_type": kind, "subject_id": id,
            "reason_code": "TIME_EXPIRED", "approvals": [
                {"approver_agent_id": "A_SUPERVISOR", "approver_key_id": "k1"},
                {"approver_agent_id": "A_CLINSCI", "approver_key_id": "k2"},
            ],
        })
    };
    let (a, b, s) = ("A_ANALYTICS", "A_SUPERVISOR", "START_RUN");
    match number {
        0 => vec![(
            a,
            "MOVE",
            json!({"entity_id": "A_QC", "from_zone": "Z_ANALYZER_HALL_A", "to_zone": "Z_QC_SUPERVISOR"}),
            &[],
        )],
        1 => vec![
            ("A_CLINSCI", "MOVE", json!({"from_zone": "Z_NOWHERE", "to_zone": "Z_NOWHERE"}), &[]),
            ("SYSTEM", "NOOP", json!({}), &[]),
        ],
        2 => vec![
            (b, "MINT_TOKEN", entry, &[]),
            (
                "A_SECURITY",
                "OPEN_DOOR",
                json!({"door_id": "D_RESTRICTED_AIRLOCK"}),
                &["T_TOKEN_RESTRICTED_ENTRY_A_SECURITY"],
            ),
        ],
        3 => vec![(a, "QC_EVENT", qc("DEV_NOWHERE", "fail"), &[]), (a, s, run("DEV_NOWHERE", "S_FINE"), &[])],
        4 => vec![(a, s, run("DEV_HAEM_01", "S_FINE"), &[])],
        5 => vec![filed(""), (b, "NOTIFY_CRITICAL_RESULT", told("primary_contact", " "), &[])],
        6 => vec![
            filed(""),
            (b, "NOTIFY_CRITICAL_RESULT", told("primary_contact", "phone"), &[]),
            (b, "NOTIFY_CRITICAL_RESULT", told("secondary", "phone"), &[]),
            (b, "ESCALATE_CRITICAL_RESULT", json!({"result_id": "R_ODD", "next_role": "consultant_registrar"}), &[]),
        ],
        7 => vec![
            filed(""),
            (b, "ESCALATE_CRITICAL_RESULT", json!({"result_id": "R_ODD", "next_role": "primary_contact"}), &[]),
            (
                b,
                "ACK_CRITICAL_RESULT",
                json!({
                    "result_id": "R_ODD", "attempt_id": "R_ODD_attempt_0", "channel": "phone", "receiver_role": "x",
                    "receiver_name_or_id": "x", "receiver_location_or_org": "x", "read_back_confirmed": true, "outcome": "x",
                }),
                &[],
            ),
        ],
        8 => vec![
            (b, "MINT_TOKEN", drift, &[]),
            (
                b,
                "RELEASE_RESULT_OVERRIDE",
                json!({"result_id": "R_NONE", "reason_code": "QC_DRIFT_SUSPECTED"}),
                &["T_OVR_R_NONE"],
            ),
        ],
        9 => vec![
            (a, "GENERATE_RESULT", json!({"result_id": "R_EARLY", "run_id": "RUN_ODD"}), &[]),
            (a, s, run("DEV_CHEM_A_01", "S_FINE"), &[]),
            (a, "QC_EVENT", qc("DEV_CHEM_A_01", "fail"), &[]),
            (a, "RELEASE_RESULT", result("R_EARLY"), &[]),
        ],
        10 => vec![("A_TEMP", "TICK", json!({}), &[])],
        11 => vec![
            ("A_RUNNER", "ALIQUOT_CREATE", json!({"specimen_id": "S_FINE", "aliquot_id": "A_ODD"}), &[]),
            (a, "QUEUE_RUN", json!({"device_id": "DEV_CHEM_A_01", "work_id": "A_ODD", "priority": "STAT"}), &[]),
            (a, s, run("DEV_CHEM_A_01", "S_FINE"), &[]),
        ],
        12 => vec![(a, s, run("DEV_CHEM_A_01", "S_WARM"), &[])],
        13 => vec![(a, s, run("DEV_CHEM_A_01", "S_COLD"), &[])],
        14 => vec![(a, s, run("DEV_HAEM_01", "S_BLOOD"), &[])],
        15 => vec![
            filed(""),
            (a, "GENERATE_RESULT", json!({"result_id": "R_DEV", "device_id": "DEV_CHEM_A_01"}), &[]),
            (a, "RELEASE_RESULT", result("R_DEV"), &[]),
            (a, "QC_EVENT", qc("DEV_CHEM_A_01", "fail"), &[]),
            (a, "RELEASE_RESULT", result("R_DEV"), &[]),
        ],
        16 => vec![
            ("A_RECEPTION", "HOLD_SPECIMEN", json!({}), &[]),
            (
                "A_RUNNER",
                "DISPATCH_TRANSPORT",
                json!({"specimen_ids": ["S_FINE"], "origin_site": "SITE_ACUTE", "dest_site": "SITE_HUB"}),
                &[],
            ),
            (a, s, run("DEV_CHEM_A_01", "S_FINE"), &[]),
        ],
        17 => vec![
            (a, "GENERATE_RESULT", json!({"result_id": "R_DEV", "device_id": "DEV_CHEM_A_01"}), &[]),
            (a, "QC_EVENT", qc("DEV_CHEM_A_01", "FAIL"), &[]),
            ("A_RUNNER", "CENTRIFUGE_END", json!({"specimen_ids": ["S_FINE"], "device_id": "DEV_ALIQUOTER_01"}), &[]),
        ],
        18 => vec![
            (b, "MINT_TOKEN", risk("specimen", "S_FINE"), &[]),
            (
                a,
                "START_RUN_OVERRIDE",
                json!({"specimen_id": "S_FINE", "reason_code": "TIME_EXPIRED"}),
                &["T_OVR_S_FINE"],
            ),
        ],
        19 => vec![
            (a, "GENERATE_RESULT", json!({"result_id": "R_DEV", "device_id": "DEV_CHEM_A_01"}), &[]),
            (a, "QC_EVENT", qc("DEV_CHEM_A_01", "fail"), &[]),
            (b, "MINT_TOKEN", risk("result", "R_DEV"), &[]),
            (
                b,
                "RELEASE_RESULT_OVERRIDE",
                json!({"result_id": "R_DEV", "reason_code": "TIME_EXPIRED"}),
                &["T_OVR_R_DEV"],
            ),
        ],
        20 => vec![
            (
                "A_RUNNER",
                "DISPATCH_TRANSPORT",
                json!({"specimen_ids": ["S_FINE"], "origin_site": "SITE_ACUTE", "dest_site": "SITE_HUB"}),
                &[],
            ),
            ("A_RUNNER", "RECEIVE_TRANSPORT", json!({"consignment_id": "CONS_1"}), &[]),
            ("A_RUNNER", "TRANSPORT_TICK", json!({}), &[]),
        ],
        21 => vec![
            (a, "QUEUE_RUN", json!({"device_id": "DEV_CHEM_A_01", "work_id": "S_FINE", "priority": "ROUTINE"}), &[]),
            (a, "QUEUE_RUN", json!({"device_id": "DEV_CHEM_A_01", "work_id": "S_WARM", "priority": "STAT"}), &[]),
            (a, "QUEUE_RUN", json!({"device_id": "DEV_CHEM_A_01", "work_id": "S_BLOOD"}), &[]),
            (a, s, json!({"device_id": "DEV_CHEM_A_01", "run_id": "RUN_ODD"}), &[]),
        ],
        _ => vec![
            ("A_OPS_0", "QUEUE_RUN", json!({"device_id": "DEV_COAG_01", "work_id": "S_OLD"}), &[]),
            ("A_OPS_0", s, run("DEV_COAG_01", "S_OLD"), &[]),
        ],
    }
}

/// Scripts for what takes long: a budget that is used up, a zone that is frozen, an agent that is out.
#[must_use]
pub fn long_ways() -> Vec<Script> {
    let event = |t_s: i64, agent: &str, action: &str, args: Value, tokens: Value| {
        let reason = if action.ends_with("OVERRIDE") { json!("TIME_EXPIRED") } else { Value::Null };
        json!({
            "event_id": format!("{agent}_{t_s}_{action}"), "t_s": t_s, "agent_id": agent, "action_type": action,
            "args": args, "reason_code": reason, "token_refs": tokens, "rationale": "long",
        })
    };
    let script = |state: Value, events: Vec<Value>| Script {
        state: state.as_object().cloned().unwrap_or_default(),
        events: events.iter().filter_map(|event| event.as_object().cloned()).collect(),
    };
    let token = |i: u32| {
        json!({
            "token_id": format!("T_{i}"), "token_type": "OVERRIDE_RISK_ACCEPTANCE", "subject_type": "result",
            "subject_id": format!("R_{i}"), "issued_at_ts_s": 0, "expires_at_ts_s": 900, "reason_code": "TIME_EXPIRED",
        })
    };
    let overrides = (0..12).flat_map(|i| {
        let result = json!({"result_id": format!("R_{i}")});
        [
            event(i.into(), "A_ANALYTICS", "GENERATE_RESULT", result.clone(), json!([])),
            event(i.into(), "A_ANALYTICS", "RELEASE_RESULT_OVERRIDE", result, json!([format!("T_{i}")])),
        ]
    });
    let doors = (0..4).flat_map(|i| {
        let door = json!({"door_id": "D_MAIN_INNER"});
        [
            event(i * 2_000, "A_RUNNER", "OPEN_DOOR", door, json!([])),
            event(i * 2_000 + 1_000, "A_RUNNER", "TICK", json!({}), json!([])),
        ]
    });
    let signatures = (0..6).map(|i| {
        let mut tick = event(i * 500, "A_QC", "TICK", json!({}), json!([]));
        tick["key_id"] = json!("nobody's");
        tick["signature"] = json!("none");
        tick
    });
    let enforced = json!({"enforcement_enabled": true});
    vec![
        script(json!({"tokens": (0..12).map(token).collect::<Vec<_>>()}), overrides.collect()),
        script(enforced.clone(), doors.collect()),
        script(enforced, signatures.collect()),
    ]
}

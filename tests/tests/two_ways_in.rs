//! The raw map and the typed action are one meaning: same bytes, same results, same chain.

use labtrust_plugin::lab::{Action, EventId, Observer, StepFacts};
use labtrust_tests::{Bench, Tape, full_lane, one_specimen};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Applies the lane as raw events and as typed actions and returns both tapes.
fn both(state: &Value, events: &[(i64, &str, &str, Value)]) -> (Tape, Tape) {
    let mut raw = (Bench::new(state), Tape::default());
    let mut typed = (Bench::new(state), Tape::default());
    for (t_s, agent, action, args) in events {
        let event = raw.0.event(*t_s, agent, action, args);
        raw.0.engine.step_raw(&event, &mut raw.1);
        let read = Action::from_raw(&event, typed.0.engine.symbols_mut()).expect("the event is well-formed");
        typed.0.engine.step(&read, &mut typed.1);
    }
    (raw.1, typed.1)
}

#[test]
fn the_full_lane_gives_the_same_bytes_both_ways() {
    for timing in ["explicit", "simulated"] {
        let mut state = one_specimen("arrived_at_reception");
        state["timing_mode"] = json!(timing);
        let (raw, typed) = both(&state, &full_lane());
        for (a, b) in raw.events.iter().zip(&typed.events) {
            assert_eq!(String::from_utf8_lossy(a), String::from_utf8_lossy(b));
        }
        assert_eq!(raw.records, typed.records);
        assert!(raw.records.len() > 10);
    }
}

/// Agents, actions and arguments that often make sense together.
fn any_event() -> impl Strategy<Value = (i64, &'static str, &'static str, Value)> {
    let agents =
        prop::sample::select(vec!["A_RECEPTION", "A_PREAN", "A_RUNNER", "A_ANALYTICS", "A_SUPERVISOR", "A_QC"]);
    let actions = prop::sample::select(vec![
        "TICK",
        "MOVE",
        "OPEN_DOOR",
        "CLOSE_DOOR",
        "CREATE_ACCESSION",
        "CHECK_ACCEPTANCE_RULES",
        "ACCEPT_SPECIMEN",
        "CENTRIFUGE_START",
        "CENTRIFUGE_END",
        "ALIQUOT_CREATE",
        "QUEUE_RUN",
        "START_RUN",
        "START_RUN_OVERRIDE",
        "QC_EVENT",
        "GENERATE_RESULT",
        "RELEASE_RESULT",
        "HOLD_RESULT",
        "NOTIFY_CRITICAL_RESULT",
        "MINT_TOKEN",
        "REVOKE_TOKEN",
        "DISPATCH_TRANSPORT",
        "TRANSPORT_TICK",
        "RECEIVE_TRANSPORT",
        "UPDATE_ROSTER",
        "NOOP",
    ]);
    let ids = |all: &'static [&'static str]| prop::sample::select(all);
    let args = (
        ids(&["S1", "S2", "é\"\\"]),
        ids(&["DEV_CHEM_A_01", "DEV_CENTRIFUGE_BANK_01", "DEV_NONE"]),
        ids(&["Z_ACCESSIONING", "Z_SORTING_LANES", "Z_RESTRICTED_BIOHAZARD", "Z_NONE"]),
        ids(&["RUN_1", "RUN_2"]),
        ids(&["STAT", "ROUTINE"]),
        any::<bool>(),
    )
        .prop_map(|(specimen, device, zone, run, priority, flag)| {
            json!({
                "specimen_id": specimen, "specimen_ids": [specimen], "device_id": device, "to_zone": zone, "run_id": run,
                "result_id": "R1", "work_id": specimen, "priority_class": priority, "id_match": flag, "value": 4.25,
                "door_id": "D_MAIN_INNER", "aliquot_id": "A1",
            })
        });
    (0i64..2_000, agents, actions, args)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// For actions whose arguments are all of the common kind, the typed form writes the map's own bytes.
    #[test]
    fn any_script_gives_the_same_results_both_ways(events in prop::collection::vec(any_event(), 1..60)) {
        let mut state = one_specimen("arrived_at_reception");
        state["timing_mode"] = json!("simulated");
        let (raw, typed) = both(&state, &events);
        prop_assert_eq!(raw.records, typed.records);
    }

    /// Whatever is thrown at it, the laboratory answers and never panics, and the chain grows by one a record.
    #[test]
    fn every_event_is_answered(events in prop::collection::vec(any_event(), 1..60)) {
        struct Count(u64);
        impl Observer for Count {
            fn on_step(&mut self, facts: &StepFacts<'_>) {
                self.0 += 1;
                assert_eq!(facts.chain.length, self.0);
            }
        }
        let mut bench = Bench::new(&one_specimen("arrived_at_reception"));
        let mut count = Count(bench.engine.chain().length);
        for (t_s, agent, action, args) in &events {
            let event = bench.event(*t_s, agent, action, args);
            bench.engine.step_raw(&event, &mut count);
        }
    }
}

#[test]
fn event_ids_have_the_same_text_in_every_form() {
    let mut symbols = labtrust_kernel::Symbols::default();
    let agent = symbols.intern("ops_0");
    for (id, text) in [
        (EventId::Step { agent, step: 12 }, "\"pz_ops_0_12\""),
        (EventId::System(3), "\"sys_3\""),
        (EventId::Text("a\"b".into()), "\"a\\\"b\""),
        (EventId::None, "null"),
    ] {
        let mut bytes = Vec::new();
        id.write_canonical(&mut bytes, &symbols);
        assert_eq!(String::from_utf8(bytes).unwrap(), text);
    }
}

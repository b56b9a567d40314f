//! The red team in small numbers: what holds for every injection, and what a defender must not see. `.ci/red_team` runs the
//! same in numbers that say something about rates.

#[path = "red_team/campaign.rs"]
mod campaign;

use campaign::Campaign;
use labtrust_redteam::catalogue::{COMPOUNDS, Class, ENTRIES, Entry};
use serde_json::Value;

/// A method that the injection can get at.
fn method(entry: &Entry) -> &'static str {
    let on_wire = entry.id.starts_with("INJ-COMMS") || entry.id.starts_with("INJ-NET");
    let speaks = on_wire || entry.controls.iter().any(|control| control.starts_with("bus."));
    if speaks { "market_auction" } else { "kernel_centralized_edf" }
}

fn active() -> impl Iterator<Item = &'static Entry> {
    ENTRIES.iter().filter(|entry| entry.class != Class::Reserved)
}

#[test]
fn every_injection_arrives_and_integrity_attacks_fail_under_their_controls() {
    for entry in active() {
        let under = Campaign { episodes: 3, ..Campaign::of(method(entry), entry.id) }.run();
        assert!(under.applied() > 0.0, "{}: nothing arrived", entry.id);
        assert!(under.false_positive_rate() < 0.01, "{}: {}", entry.id, under.false_positive_rate());
        if entry.class == Class::Integrity {
            assert_eq!(under.successes(), 0, "{}", entry.id);
        }
    }
}

#[test]
fn without_its_controls_an_injection_succeeds() {
    let mut inert = Vec::new();
    for entry in active() {
        // Long enough for those that succeed seldom.
        let succeeds = |seed| {
            let campaign =
                Campaign { episodes: 4, seed, without: entry.controls, ..Campaign::of(method(entry), entry.id) };
            campaign.run().successes() > 0
        };
        if ![1, 101, 201, 301, 401].into_iter().any(succeeds) {
            inert.push(entry.id);
        }
    }
    assert!(inert.is_empty(), "{inert:?}");
}

#[test]
fn the_same_bytes_come_out_again_and_for_any_number_of_threads() {
    for id in ["INJ-ID-SPOOF-001", "INJ-COMMS-POISON-001", "INJ-MEMORY-POISON-COORD-001", "POISON_THEN_COLLUSION"] {
        let run = |threads| {
            Campaign { episodes: 4, threads: Some(threads), ..Campaign::of("market_auction", id) }.run().results
        };
        let once = run(1);
        assert_eq!(once, run(1), "{id}");
        assert_eq!(once, run(3), "{id}");
    }
}

#[test]
fn children_of_a_compound_draw_their_own_numbers_and_count_together() {
    for compound in &COMPOUNDS {
        let together = Campaign { episodes: 3, ..Campaign::of("market_auction", compound.id) }.run();
        assert!(together.applied() > 0.0, "{}", compound.id);
        assert_eq!(together.successes(), 0, "{}", compound.id);
    }
    let marks = |id| Campaign { episodes: 1, ..Campaign::of("market_auction", id) }.run().applied();
    let (alone, with) = (marks("INJ-COMMS-POISON-001"), marks("POISON_THEN_REPLAY"));
    assert!(with >= alone, "{with} {alone}");
}

#[test]
fn reserved_names_do_nothing_and_say_nothing() {
    let of = |id: &str| {
        let results = Campaign { episodes: 2, ..Campaign::of("kernel_centralized_edf", id) }.run().results;
        results["episodes"].clone()
    };
    let none = of("none");
    assert!(none[0]["metrics"].get("sec").is_none());
    for id in ["inj_untrusted_payload", "inj_stuck_state", "inj_jailbreak"] {
        assert_eq!(of(id), none, "{id}");
    }
}

#[test]
fn every_method_can_be_attacked_in_every_position() {
    for method in campaign::methods() {
        for injection in ["INJ-ID-SPOOF-001", "INJ-COMMS-DROP-001", "inj_prompt_injection", "INJ-PARTIAL-OBS-001"] {
            let outcome = Campaign { episodes: 1, ..Campaign::of(method.id(), injection) }.run();
            let sec = &outcome.results["episodes"][0]["metrics"]["sec"];
            assert!(sec["applications_total"].is_u64(), "{} {injection}: {sec}", method.id());
        }
    }
}

/// What a method is shown of an episode under attack.
#[test]
fn no_defender_sees_the_name_or_the_mark_of_an_injection() {
    let shown = campaign::shown_to_a_method("INJ-COMMS-POISON-001");
    assert!(shown.len() > 1000, "the method was shown something");
    for word in ["INJ-", "inj_", "taint", "Taint", "POISON"] {
        assert!(!shown.contains(word), "a method is shown {word:?}");
    }
}

#[test]
fn taking_one_control_away_changes_nothing_in_a_run_that_is_not_attacked() {
    let run = |without: &[&str]| {
        let campaign = Campaign { episodes: 2, without, ..Campaign::of("market_auction", "none") };
        let mut episodes = campaign.run().results["episodes"].clone();
        for episode in episodes.as_array_mut().into_iter().flatten() {
            // Says in which form the bus was set.
            episode["metrics"]["coordination"] = Value::Null;
        }
        episodes
    };
    let all = run(&[]);
    for control in
        ["bus.signature", "bus.replay", "bus.quota", "fallback", "sensor_hold", "intake_quota", "path", "memory"]
    {
        assert_eq!(run(&[control]), all, "{control}");
    }
}

#[test]
fn each_control_of_the_run_alone_makes_a_difference() {
    // With it, and without it alone: what is lost, or who is refused for nothing.
    let cases = [
        ("fallback", "kernel_centralized_edf", "INJ-DOS-PLANNER-001"),
        ("sensor_hold", "kernel_centralized_edf", "INJ-PARTIAL-OBS-001"),
        ("retransmission", "market_auction", "INJ-COMMS-DROP-001"),
        ("intake_quota", "kernel_centralized_edf", "inj_dos_flood"),
    ];
    for (control, method, injection) in cases {
        let of = |without: &[&str]| {
            let outcome = Campaign { episodes: 6, without, ..Campaign::of(method, injection) }.run();
            (outcome.work(), outcome.false_positive_rate())
        };
        let ((work, alarms), (work_without, alarms_without)) = (of(&[]), of(&[control]));
        assert!(work > 0.75 && alarms < 0.01, "{control}: {work} {alarms}");
        assert!(work_without < work - 0.1 || alarms_without > 0.01, "{control}: {work_without} {alarms_without}");
    }
}

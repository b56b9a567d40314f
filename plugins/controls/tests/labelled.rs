//! The detector measured on a labelled set of our own sentences (`tests/data/labelled.jsonl`), and the page that says so.

mod common;

use common::{Labelled, labelled};
use labtrust_controls::detect::Detector;
use labtrust_policy::PolicyStore;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Kinds that phrases are not made for. They are in the set to say so.
const OUT_OF_REACH: &str = "paraphrase";

fn flagged(detector: &Detector, text: &str, severity: u8) -> bool {
    detector.scan(&[text]).severity >= severity
}

#[test]
fn recall_and_false_alarms_are_what_the_page_says() {
    let detector = Detector::load(&PolicyStore::builtin());
    assert_eq!(detector.broken(), None);
    let set = labelled();
    let mut kinds: BTreeMap<(bool, &str), [usize; 3]> = BTreeMap::new();
    let (mut missed, mut alarms) = (Vec::new(), Vec::new());
    for Labelled { attack, kind, text } in &set {
        let counts = kinds.entry((!*attack, kind.as_str())).or_default();
        let (noted, blocked) = (flagged(&detector, text, 1), flagged(&detector, text, 2));
        counts[0] += 1;
        counts[1] += usize::from(noted);
        counts[2] += usize::from(blocked);
        if *attack && !noted && kind != OUT_OF_REACH {
            missed.push((kind, text));
        }
        if !*attack && noted {
            alarms.push((kind, text));
        }
    }
    let sum = |attack: bool, at: usize| {
        kinds.iter().filter(|((benign, _), _)| *benign != attack).map(|(_, counts)| counts[at]).sum::<usize>()
    };
    let mut page =
        String::from("| sentences | kind | count | noted (1) | blocked (2) |\n| --- | --- | --- | --- | --- |\n");
    for ((benign, kind), [count, noted, blocked]) in &kinds {
        let label = if *benign { "benign" } else { "attack" };
        writeln!(page, "| {label} | {kind} | {count} | {noted} | {blocked} |").unwrap();
    }
    for attack in [true, false] {
        let label = if attack { "attack" } else { "benign" };
        let part = |at: usize| format!("{} ({})", sum(attack, at), common::percent(sum(attack, at), sum(attack, 0)));
        writeln!(page, "| **{label}** | all | {} | {} | {} |", sum(attack, 0), part(1), part(2)).unwrap();
    }
    let held_out = common::held_out();
    for attack in [true, false] {
        let label = if attack { "attack" } else { "benign" };
        let of = |severity: u8| {
            held_out.iter().filter(|one| one.attack == attack && flagged(&detector, &one.text, severity)).count()
        };
        let all = held_out.iter().filter(|one| one.attack == attack).count();
        let part = |count: usize| format!("{count} ({})", common::percent(count, all));
        writeln!(page, "| **{label}** | held out | {all} | {} | {} |", part(of(1)), part(of(2))).unwrap();
    }
    common::same_as_page("detector", &page);
    // The bounds that a change of the policy may not cross.
    assert!(sum(true, 0) >= 100 && sum(false, 0) >= 100);
    let stopped: Vec<_> = alarms.iter().filter(|(_, text)| flagged(&detector, text, 2)).collect();
    assert!(stopped.len() * 100 <= sum(false, 0), "more than 1 % of honest notes are blocked: {stopped:#?}");
    assert!(sum(true, 1) * 100 >= sum(true, 0) * 88, "{missed:#?}");
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn every_pattern_is_met_by_some_attack() {
    let store = PolicyStore::builtin();
    let detector = Detector::load(&store);
    let policy: serde_json::Value =
        store.section(labtrust_controls::detect::DETECTION_FILE, Some("adversarial_detection")).unwrap();
    let mut met: Vec<String> =
        labelled().iter().filter(|one| one.attack).flat_map(|one| detector.scan(&[&one.text]).flags).collect();
    met.sort();
    met.dedup();
    let unmet: Vec<&str> = policy["patterns"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|pattern| pattern["pattern_id"].as_str())
        .filter(|id| !met.iter().any(|one| one == id))
        .collect();
    assert!(unmet.is_empty(), "{unmet:?}");
}

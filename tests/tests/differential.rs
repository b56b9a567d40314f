//! The laboratory and the frozen reference over random scripts: whatever differs is a deviation that is written down.

use labtrust_policy::PolicyStore;
use labtrust_tests::differential::{
    Followed, Pair, Script, deviations, follow, long_ways, rules, shrink, with_oddities,
};
use labtrust_tests::scripts::{Profile, sample};
use labtrust_tests::{generated, reference_policy};
use rayon::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Scripts that are compared [count].
const SCRIPTS: u32 = 3_000;

/// Rules that scripts of this profile may leave untried, and why.
const ELSEWHERE: &[(&str, &str)] = &[(
    "a tool's refusal is a refusal like others",
    "both engines get as far as running a tool about once in a thousand scripts",
)];

fn object(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().expect("a map").clone()
}

/// A script by its number: plain, or with odd events.
fn script(number: u32) -> Script {
    let profile = Profile { simulated: Some(false), intents: (5, 16), ..Profile::reference() };
    let sampled = sample(&profile, number.into());
    let events = sampled.events().cloned().collect();
    let script = Script { state: sampled.initial_state, events };
    if number.is_multiple_of(4) { with_oddities(script, (number / 4).into()) } else { script }
}

/// Compares on all cores; every script starts from a state of its own, so the outcome does not depend on their number.
fn compare(scripts: impl IndexedParallelIterator<Item = Script>) -> Vec<(Script, Followed)> {
    let pair = || Pair::new(&PolicyStore::builtin());
    scripts
        .map_init(pair, |pair, script| {
            let followed = follow(pair, &script);
            (script, followed)
        })
        .collect()
}

/// Fails with the smallest script that shows a difference which no rule explains.
fn expect_explained(compared: &[(Script, Followed)]) {
    let unexplained: Vec<_> = compared.iter().filter_map(|(_, followed)| followed.unexplained.as_ref()).collect();
    let Some(first) = unexplained.first() else { return };
    let small = shrink(&mut Pair::new(&PolicyStore::builtin()), first);
    let events: Vec<String> =
        small.left.events.iter().map(|event| format!("  {}\n", Value::from(event.clone()))).collect();
    let others: BTreeSet<&str> = unexplained.iter().map(|one| one.says.as_str()).collect();
    let others: Vec<&str> = others.into_iter().take(20).collect();
    panic!(
        "{} scripts differ in what no deviation explains. It is a defect of one of the engines, or a deviation that \
         docs/deviations.ron and tests/src/differential/rules should know.\nThe first, made small: {}\n{}state: {}\nall: {:#?}",
        unexplained.len(),
        small.says,
        events.concat(),
        Value::from(small.left.state),
        others
    );
}

/// How often each rule explained something.
fn fired(compared: &[(Script, Followed)]) -> BTreeMap<(&'static str, &'static str), u64> {
    let mut fired = BTreeMap::new();
    for found in compared.iter().flat_map(|(_, followed)| &followed.found) {
        *fired.entry((found.deviation, found.says)).or_default() += 1;
    }
    fired
}

#[expect(clippy::print_stdout, reason = "the table is what the run is for")]
fn print(compared: &[(Script, Followed)], fired: &BTreeMap<(&'static str, &'static str), u64>) {
    let mut firsts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut parted: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, followed) in compared {
        *firsts.entry(followed.first.as_ref().map_or("none", |found| found.deviation)).or_default() += 1;
        for found in followed.found.iter().filter(|found| found.parts) {
            *parted.entry(found.deviation).or_default() += 1;
        }
    }
    let steps: usize = compared.iter().map(|(script, _)| script.events.len()).sum();
    let ways: u32 = compared.iter().map(|(_, followed)| followed.ways).sum();
    let together: usize = compared.iter().map(|(_, followed)| followed.together).sum();
    println!("{} scripts, {steps} steps, {together} before the states part, {ways} ways", compared.len());
    println!("states agree to the end: {}", compared.iter().filter(|(_, followed)| followed.to_the_end).count());
    println!("deviation  first  parts  in all");
    let ids: BTreeSet<&str> = fired.keys().map(|(id, _)| *id).chain(firsts.keys().copied()).collect();
    for id in ids {
        let all: u64 = fired.iter().filter(|((deviation, _), _)| *deviation == id).map(|(_, count)| count).sum();
        let count = |of: &BTreeMap<&str, u64>| of.get(id).copied().unwrap_or(0);
        println!("{id:9} {:6} {:6} {all:7}", count(&firsts), count(&parted));
    }
    for ((id, says), count) in fired {
        println!("{count:7} {id} {says}");
    }
}

#[test]
fn whatever_differs_first_is_a_deviation_that_is_written_down() {
    let compared = compare((0..SCRIPTS).into_par_iter().map(script).chain(long_ways()));
    let fired = fired(&compared);
    print(&compared, &fired);
    expect_explained(&compared);
    // A rule that explains nothing is not known to be right.
    let silent: Vec<_> = rules::all()
        .filter(|rule| !fired.contains_key(&(rule.deviation, rule.says)))
        .filter(|rule| !ELSEWHERE.iter().any(|(says, _)| *says == rule.says))
        .map(|rule| (rule.deviation, rule.says))
        .collect();
    assert!(silent.is_empty(), "rules that no script tries: {silent:#?}");
    let ids: BTreeSet<&str> = fired.keys().map(|(id, _)| *id).collect();
    for id in &ids {
        let count: u64 = fired.iter().filter(|((deviation, _), _)| deviation == id).map(|(_, count)| count).sum();
        assert!(count >= 5, "{id} shows {count} times only");
    }
    assert!(ids.len() >= 30, "{} deviations show", ids.len());
    // Were everything a deviation, nothing would have been compared.
    let long = |(script, followed): &&(Script, Followed)| followed.to_the_end && script.events.len() >= 10;
    let agree = compared.iter().filter(long).count();
    assert!(agree * 100 >= compared.len() * 15, "{agree} of {} scripts agree to the end", compared.len());
}

#[test]
fn recorded_traces_differ_only_by_deviations() {
    let Some(policy) = reference_policy() else { return };
    let path = policy.with_file_name("vectors").join("engine_vectors.jsonl");
    let vectors = std::fs::read_to_string(path).expect("the vectors lie beside the policy");
    let scripts: Vec<Script> = vectors
        .lines()
        .map(|line| {
            let vector: Value = serde_json::from_str(line).expect("a JSON line");
            let events = vector["script"].as_array().expect("a list").iter().map(object).collect();
            Script { state: object(&vector["initial_state"]), events }
        })
        .collect();
    let compared = compare(scripts.into_par_iter());
    assert!(compared.len() >= 300);
    expect_explained(&compared);
}

#[test]
fn the_list_of_deviations_has_the_words_of_the_rules() {
    let list = deviations::all();
    let mut ids = BTreeSet::new();
    for deviation in list.areas.iter().flat_map(|area| &area.deviations) {
        assert!(ids.insert(deviation.id.clone()), "{} is there twice", deviation.id);
        let mut says: Vec<&str> = Vec::new();
        for rule in rules::all().filter(|rule| rule.deviation == deviation.id) {
            if !says.contains(&rule.says) {
                says.push(rule.says);
            }
        }
        says.sort_unstable();
        let mut listed: Vec<&str> = deviation.differs_in.iter().map(String::as_str).collect();
        listed.sort_unstable();
        assert_eq!(listed, says, "`differs_in` of {} in docs/deviations.ron", deviation.id);
    }
    for rule in rules::all() {
        assert!(ids.contains(rule.deviation), "{} is no deviation of docs/deviations.ron", rule.deviation);
    }
}

#[test]
fn the_page_of_deviations_is_made_from_the_list() {
    generated::check("docs/src/reference/deviations.md", "deviations", &deviations::page(&deviations::all()));
}

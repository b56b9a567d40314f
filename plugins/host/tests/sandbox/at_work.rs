//! Modules at work: the same decisions every time, nothing remembered between episodes, failures dealt with as asked.

use crate::guest::{Guest, LIMITS, floor, manifest, seen};
use labtrust_plugin::method::{Compiled, CoordinationMethod, Coordinator};
use labtrust_plugin::prelude::*;
use labtrust_plugin::wire::{Manifest, Setting, Settings, encode};
use labtrust_plugin_host::wasm::compile;
use labtrust_plugin_host::{LoadedMethod, OnTrap, OnTrapError};
use std::sync::Arc;

/// Counts its decisions in its memory, and answers with the act of that number.
const COUNTING: &str = "
    (i32.store8 (i32.const 0x2003) (global.get $calls))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i64.const 0x000020000000000a)";
const CALLS: &str = "(global $calls (mut i32) (i32.const 0))";

/// The same, and stops at every call that sees an odd step: the first byte of the request is the step, as long as it is
/// below 128.
const ODD_STEPS_TRAP: &str = "
    (if (i32.and (i32.load8_u (local.get 0)) (i32.const 1)) (then unreachable))
    (i32.store8 (i32.const 0x2003) (global.get $calls))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i64.const 0x000020000000000a)";

/// Answers with the act of the step's number, below 16.
const STEPS: &str = "
    (i32.store8 (i32.const 0x2003) (i32.and (i32.load8_u (local.get 0)) (i32.const 15)))
    (i64.const 0x000020000000000a)";

/// [`STEPS`], in Rust.
struct Steps;

impl Method for Steps {
    const ID: &'static str = "org.example.steps";
    const SUMMARY: &'static str = "Does what the number of the step says.";
    type Params = NoParams;

    fn new(_: NoParams, _: &Site) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        out.push(Choice::new(0, Act::ALL[seen.step as usize & 15]).specimen(0).device(0));
        Ok(())
    }
}

static STEPS_IN_RUST: Compiled<Steps> = Compiled::NEW;

fn begun(method: &dyn CoordinationMethod) -> Box<dyn Coordinator> {
    method.create(&Settings::default(), &floor()).unwrap()
}

/// The act of agent 0, or that nobody acts, or that the decision failed.
fn act(at_work: &mut dyn Coordinator, step: u32) -> Result<Option<Act>, Problem> {
    let mut out = Decision::default();
    at_work.decide(&seen(step), &mut out)?;
    Ok(out.choices.first().map(|choice| choice.act))
}

#[test]
fn a_module_decides_what_the_same_method_in_rust_decides() {
    let guest = Guest { decide: STEPS, ..Guest::default() }.loaded();
    let (mut wasm, mut rust) = (begun(&guest), begun(&STEPS_IN_RUST));
    let (mut one, mut other, mut acts) = (Decision::default(), Decision::default(), 0);
    for step in 0..100 {
        let seen = seen(step);
        wasm.decide(&seen, &mut one).unwrap();
        rust.decide(&seen, &mut other).unwrap();
        assert_eq!(one, other, "step {step}");
        acts += usize::from(one.choices[0].act != Act::Noop);
    }
    assert!(acts > 30, "{acts}");
}

#[test]
fn a_module_that_remembers_forgets_between_episodes() {
    let guest = Guest { decide: COUNTING, after: CALLS, ..Guest::default() }.loaded();
    let episode = || {
        let mut at_work = begun(&guest);
        [0, 1, 2].map(|step| act(at_work.as_mut(), step).unwrap().unwrap())
    };
    assert_eq!(episode(), [Act::Noop, Act::Tick, Act::QueueRun]);
    assert_eq!(episode(), [Act::Noop, Act::Tick, Act::QueueRun]);
    let (mut one, mut other) = (begun(&guest), begun(&guest));
    assert_eq!(act(one.as_mut(), 0), Ok(Some(Act::Noop)));
    assert_eq!(act(other.as_mut(), 0), Ok(Some(Act::Noop)), "two episodes side by side share nothing");
}

#[test]
fn the_same_call_takes_the_same_fuel() {
    let guest = Guest { decide: COUNTING, after: CALLS, ..Guest::default() };
    let fuel = |method: &dyn CoordinationMethod| {
        let mut at_work = begun(method);
        for step in 0..10 {
            act(at_work.as_mut(), step).unwrap();
        }
        let tally = at_work.tally();
        (tally.decisions, tally.failures, tally.fuel, tally.fuel_max)
    };
    let (one, other) = (guest.loaded(), guest.loaded());
    let first = fuel(&one);
    assert_eq!(first, fuel(&one), "the second episode");
    assert_eq!(first, fuel(&other), "the file loaded again");
    assert_eq!((first.0, first.1), (10, 0));
    assert!(first.3 > 0 && first.2 == 10 * first.3, "every one of these calls does the same: {first:?}");
}

#[test]
fn a_failure_ends_the_episode_unless_the_study_says_otherwise() {
    let guest = Guest { decide: ODD_STEPS_TRAP, after: CALLS, ..Guest::default() }.loaded();
    let mut at_work = begun(&guest);
    assert_eq!(act(at_work.as_mut(), 0), Ok(Some(Act::Noop)));
    assert!(act(at_work.as_mut(), 1).unwrap_err().message.starts_with("it stopped with a trap: "));
    assert_eq!((at_work.tally().decisions, at_work.tally().failures), (2, 1));
}

#[test]
fn with_noop_nobody_acts_in_the_step_and_the_method_begins_anew() {
    let guest = Guest { decide: ODD_STEPS_TRAP, after: CALLS, ..Guest::default() }.loaded();
    let guest = guest.on_trap(OnTrap::Noop, None).unwrap();
    let mut at_work = begun(&guest);
    let acts = [0, 2, 1, 4, 6].map(|step| act(at_work.as_mut(), step).unwrap());
    // After the trap it counts from the beginning: nothing of the failed instance is used again.
    assert_eq!(acts, [Some(Act::Noop), Some(Act::Tick), None, Some(Act::Noop), Some(Act::Tick)]);
    assert_eq!((at_work.tally().decisions, at_work.tally().failures), (5, 1));
}

#[test]
fn a_fallback_decides_from_the_failure_on() {
    let guest = Guest { decide: ODD_STEPS_TRAP, after: CALLS, ..Guest::default() }.loaded();
    let guest = guest.on_trap(OnTrap::Fallback("org.example.steps".into()), Some(&STEPS_IN_RUST)).unwrap();
    let mut at_work = begun(&guest);
    let acts = [0, 2, 1, 4, 6].map(|step| act(at_work.as_mut(), step).unwrap().unwrap());
    assert_eq!(acts, [Act::Noop, Act::Tick, Act::ALL[1], Act::ALL[4], Act::ALL[6]]);
    let tally = at_work.tally();
    assert_eq!((tally.decisions, tally.failures), (5, 1));
    assert!(tally.first_failure.unwrap().starts_with("it stopped with a trap: "));
}

#[test]
fn a_fallback_must_be_the_one_that_was_named() {
    let named = OnTrap::Fallback("org.example.other".into());
    let refused = Guest::default().loaded().on_trap(named.clone(), Some(&STEPS_IN_RUST)).err();
    let (wanted, given) = ("org.example.other".to_owned(), "org.example.steps".to_owned());
    assert_eq!(refused, Some(OnTrapError::OtherFallback { wanted, given }));
    assert!(Guest::default().loaded().on_trap(named, None).is_err());
}

#[test]
fn a_problem_at_the_beginning_is_told_with_its_kind() {
    let problem = Problem::of_kind(ProblemKind::Settings, "batch: 0 is not from 1 to 1000");
    let guest = Guest { create_reply: Err(problem.clone()), ..Guest::default() }.loaded();
    assert_eq!(guest.create(&Settings::default(), &floor()).err(), Some(problem));
}

#[test]
fn parameters_are_checked_against_the_schema_before_the_module_sees_them() {
    let schema =
        r#"{"type":"object","properties":{"batch":{"type":"integer","maximum":9}},"additionalProperties":false}"#;
    let manifest = Manifest { params_schema: schema.to_owned(), ..manifest() };
    let guest = Guest { manifest: encode(&manifest), ..Guest::default() }.loaded();
    let created = |name: &str, setting| {
        let settings = Settings([(name.to_owned(), setting)].into());
        guest.create(&settings, &floor()).map(drop).map_err(|problem| (problem.kind, problem.message))
    };
    assert_eq!(created("batch", Setting::Number(9)), Ok(()));
    for (name, setting) in
        [("batch", Setting::Number(10)), ("batch", Setting::Flag(true)), ("bach", Setting::Number(1))]
    {
        let (kind, message) = created(name, setting).unwrap_err();
        assert!(kind == ProblemKind::Settings && message.contains(name), "{message}");
    }
}

#[test]
fn a_schema_that_is_none_is_refused() {
    for text in ["", "{", r#"{"type": 3}"#] {
        let manifest = Manifest { params_schema: text.to_owned(), ..manifest() };
        let bytes = Guest { manifest: encode(&manifest), ..Guest::default() }.bytes();
        let plugin = compile(&bytes, LIMITS).unwrap();
        assert!(LoadedMethod::new(Arc::new(plugin)).is_err(), "{text}");
    }
}

#[test]
fn how_failures_are_dealt_with_is_read_from_a_study() {
    let read = |text: &str| serde_json::from_str::<OnTrap>(text).unwrap();
    assert_eq!(read("\"end_episode\""), OnTrap::default());
    assert_eq!(read("\"noop\""), OnTrap::Noop);
    assert_eq!(read("{\"fallback\": \"null\"}"), OnTrap::Fallback("null".into()));
    let limits = serde_json::from_str::<labtrust_plugin_host::wasm::Limits>("{\"memory_mib\": 16}").unwrap();
    assert_eq!((limits.memory_mib, limits.fuel_per_decision), (16, 50_000_000));
}

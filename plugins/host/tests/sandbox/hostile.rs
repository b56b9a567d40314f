//! Modules that keep every rule and then misbehave: the decision fails with a clear word, the program goes on.

use crate::guest::{Guest, LIMITS, floor, seen};
use labtrust_plugin::method::{CoordinationMethod, Tally};
use labtrust_plugin::wire::{Act, Choice, Decision, Problem, Settings};
use labtrust_plugin_host::wasm::Limits;

/// How the first decision of a guest fails, and what is counted of it.
fn failure_with(guest: &Guest, limits: Limits) -> (String, Tally) {
    let method = guest.load(limits).unwrap();
    let mut at_work = method.create(&Settings::default(), &floor()).unwrap();
    let mut out = Decision::from(vec![Choice::new(0, Act::Tick)]);
    let problem = at_work.decide(&seen(0), &mut out).unwrap_err();
    assert_eq!(out, Decision::default(), "nothing is done of a decision that failed");
    let tally = at_work.tally();
    assert_eq!((tally.decisions, tally.failures), (1, 1));
    assert_eq!(tally.first_failure.as_deref(), Some(problem.message.as_str()));
    assert!(tally.fuel > 0 && tally.fuel <= limits.fuel_per_decision, "{tally:?}");
    (problem.message, tally)
}

fn failure(guest: &Guest) -> String {
    failure_with(guest, LIMITS).0
}

#[test]
fn an_endless_loop_ends_with_its_fuel() {
    let guest = Guest { decide: "(loop $again (br $again)) (i64.const 0)", ..Guest::default() };
    let (message, tally) = failure_with(&guest, LIMITS);
    assert_eq!(message, "it used all of its fuel: 200000");
    assert!(tally.fuel > 190_000, "{}: what a loop burned is counted", tally.fuel);
}

#[test]
fn endless_recursion_ends_with_its_stack() {
    let after = "(func $down (call $down))";
    let guest = Guest { decide: "(call $down) (i64.const 0)", after, ..Guest::default() };
    assert_eq!(failure(&guest), "its calls are nested too deeply");
}

#[test]
fn a_memory_hog_ends_at_its_limit() {
    let decide = "(loop $again (drop (memory.grow (i32.const 1))) (br $again)) (i64.const 0)";
    let guest = Guest { memory: "(memory (export \"memory\") 2 65536)", decide, ..Guest::default() };
    assert!(failure(&guest).starts_with("it wanted more than its limit of 1048576 bytes"), "{}", failure(&guest));
}

#[test]
fn a_table_hog_ends_at_its_limit() {
    let after = "(table $table 1 funcref)";
    let decide = "(drop (table.grow $table (ref.null func) (i32.const 100000))) (i64.const 0)";
    let guest = Guest { decide, after, ..Guest::default() };
    let message = failure_with(&guest, Limits { fuel_per_decision: 100_000_000, ..LIMITS }).0;
    assert!(message.contains("100000 table elements"), "{message}");
}

#[test]
fn a_panic_is_a_trap() {
    let guest = Guest { decide: "unreachable", ..Guest::default() };
    assert!(failure(&guest).starts_with("it stopped with a trap: "), "{}", failure(&guest));
}

#[test]
fn a_read_outside_of_memory_is_a_trap() {
    let guest = Guest { decide: "(i64.load (i32.const -8))", ..Guest::default() };
    assert!(failure(&guest).starts_with("it stopped with a trap: "), "{}", failure(&guest));
}

#[test]
fn an_answer_outside_of_memory_is_not_followed() {
    let guest = Guest { decide: "(i64.const 0xFFFF000000000010)", ..Guest::default() };
    let message = "an answer at 4294901760 with 16 bytes is outside of its memory of 131072 bytes";
    assert_eq!(failure(&guest), message);
}

#[test]
fn an_answer_that_begins_inside_and_ends_outside_is_not_followed() {
    let guest = Guest { decide: "(i64.const 0x0001FFFF00000002)", ..Guest::default() };
    assert_eq!(failure(&guest), "an answer at 131071 with 2 bytes is outside of its memory of 131072 bytes");
}

#[test]
fn an_answer_longer_than_memory_is_not_followed() {
    let guest = Guest { decide: "(i64.const 131073)", ..Guest::default() };
    assert_eq!(failure(&guest), "an answer at 0 with 131073 bytes is outside of its memory of 131072 bytes");
}

#[test]
fn an_answer_of_4_gib_is_not_followed() {
    let guest = Guest { decide: "(i64.const 0x00000000FFFFFFFF)", ..Guest::default() };
    assert_eq!(failure(&guest), "an answer at 0 with 4294967295 bytes is outside of its memory of 131072 bytes");
}

#[test]
fn an_answer_longer_than_its_limit_is_not_read() {
    let guest = Guest { decide: "(i64.const 4097)", ..Guest::default() };
    assert_eq!(failure(&guest), "an answer of 4097 bytes is longer than the limit of 4096");
}

#[test]
fn a_buffer_outside_of_memory_is_not_written_to() {
    // The buffer for the beginning of the episode is asked for first; only the one after it is the trap.
    let alloc = "(global.set $asked (i32.add (global.get $asked) (i32.const 1)))
        (select (i32.const 0x4000) (i32.const 0x1FFF0) (i32.eq (global.get $asked) (i32.const 1)))";
    let guest = Guest { before: "", after: "(global $asked (mut i32) (i32.const 0))", alloc, ..Guest::default() };
    assert!(failure(&guest).starts_with("the buffer at 131056 with "), "{}", failure(&guest));
}

#[test]
fn garbage_is_no_decision() {
    // The manifest is no decision.
    let guest = Guest { decide: "(i64.const 20)", ..Guest::default() };
    assert!(failure(&guest).starts_with("its answer cannot be read: "), "{}", failure(&guest));
    let nothing = Guest { decide: "(i64.const 0)", ..Guest::default() };
    assert!(failure(&nothing).ends_with("they end too early"), "{}", failure(&nothing));
}

#[test]
fn a_problem_is_told_as_the_method_told_it() {
    let guest = Guest {
        // What would move a terminal is taken out.
        decide_reply: Err(Problem::new("no\u{1b}way\n")),
        decide: "(i64.const 0x000020000000000A)",
        ..Guest::default()
    };
    assert_eq!(failure(&guest), "it reports: no way");
}

#[test]
fn a_decision_for_somebody_else_is_a_failure() {
    // Agent 2 is the one whom the method does not direct.
    let choice = Choice::new(2, Act::Noop).specimen(0).device(0);
    let guest = Guest { decide_reply: Ok(vec![choice].into()), ..Guest::default() };
    assert_eq!(failure(&guest), "choice 0, NOOP: agent A_2 is not directed by it");
}

#[test]
fn an_endless_loop_while_it_gives_its_buffer_back_ends_too() {
    let guest = Guest {
        free: "(if (i32.eq (local.get 1) (i32.const 10)) (then (loop $again (br $again))))",
        ..Guest::default()
    };
    assert_eq!(failure(&guest), "it used all of its fuel: 200000");
}

#[test]
fn a_beginning_that_loops_begins_no_episode() {
    let method = Guest { create: "(loop $again (br $again)) (i64.const 0)", ..Guest::default() }.loaded();
    let Err(problem) = method.create(&Settings::default(), &floor()) else { panic!("it has begun") };
    assert_eq!(problem.message, "it used all of its fuel: 200000");
}

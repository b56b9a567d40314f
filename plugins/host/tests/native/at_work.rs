//! Native plugins at work in this process: the same decisions as compiled in, and failures that stay inside.

use crate::compiled_in::Wayward;
use crate::fixture::{Library, WAYWARD, decided, failure, floor, loaded, method, others_still_work, wayward, wrong};
use labtrust_plugin::method::{Compiled, CoordinationMethod};
use labtrust_plugin::wire::{Act, ProblemKind, Settings};
use labtrust_plugin_host::{Carrier, OnTrap};

#[test]
fn a_library_decides_what_the_same_source_decides_compiled_in() {
    let library = wayward();
    let mut native = library.create(&Settings::default(), &floor()).unwrap();
    let mut compiled = Compiled::<Wayward>::NEW.create(&Settings::default(), &floor()).unwrap();
    let mut acts = 0;
    for step in 0..200 {
        let one = decided(native.as_mut(), step).unwrap();
        assert_eq!(one, decided(compiled.as_mut(), step).unwrap(), "step {step}");
        acts += one.choices.iter().filter(|choice| choice.act != Act::Noop).count();
    }
    assert!(acts > 100, "{acts}: a method that does nothing agrees with everything");
    assert_eq!((library.id(), library.summary()), ("org.example.wayward", Compiled::<Wayward>::NEW.summary()));
    assert_eq!(library.params_schema(), Compiled::<Wayward>::NEW.params_schema());
}

#[test]
fn a_library_says_where_it_comes_from() {
    let plugin = loaded(&WAYWARD).unwrap();
    let origin = plugin.origin();
    assert_eq!((origin.carrier, origin.path.as_deref(), origin.engine), ("native", Some(WAYWARD.as_path()), None));
    assert_eq!((origin.version.as_str(), origin.contract), ("0.1.0", (1, 0)));
    assert_eq!(origin.sha256.len(), 64);
}

#[test]
fn episodes_side_by_side_and_on_other_threads_share_nothing() {
    let library = wayward();
    let run = || {
        let mut at_work = library.create(&Settings::default(), &floor()).unwrap();
        (0..20).map(|step| decided(at_work.as_mut(), step).unwrap()).collect::<Vec<_>>()
    };
    let alone = run();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), alone);
        }
    });
    let mut moved = library.create(&Settings::default(), &floor()).unwrap();
    let first = decided(moved.as_mut(), 0).unwrap();
    let second = std::thread::scope(|scope| scope.spawn(|| decided(moved.as_mut(), 1).unwrap()).join().unwrap());
    assert_eq!([first, second], alone[..2]);
}

#[test]
fn a_library_in_c_keeps_the_same_contract() {
    let Some(library) = Library::default().built() else { return };
    // The library ends the process when a buffer or an instance is not given back once and unchanged.
    let method = method(loaded(&library.path).unwrap());
    drop(library);
    for _ in 0..3 {
        let mut at_work = method.create(&Settings::default(), &floor()).unwrap();
        for step in 0..5 {
            let decision = decided(at_work.as_mut(), step).unwrap();
            assert_eq!(decision.choices.iter().map(|choice| choice.act).collect::<Vec<_>>(), [Act::Tick]);
        }
    }
}

#[test]
fn a_panic_in_a_decision_is_a_failure_with_its_message() {
    assert_eq!(failure(&wayward(), &wrong("decide", "panic", 0)), "it panicked: it was told to");
    others_still_work();
}

#[test]
fn a_panic_at_the_beginning_begins_no_episode() {
    let problem = wayward().create(&wrong("new", "panic", 0), &floor()).err().unwrap();
    assert_eq!(problem.message, "it panicked: it was told to");
    others_still_work();
}

#[test]
fn a_panic_at_the_end_ends_nothing_else() {
    let mut at_work = wayward().create(&wrong("drop", "panic", 0), &floor()).unwrap();
    decided(at_work.as_mut(), 0).unwrap();
    drop(at_work);
    others_still_work();
}

#[test]
fn a_problem_keeps_its_kind() {
    let problem = wayward().create(&wrong("new", "problem", 0), &floor()).err().unwrap();
    assert_eq!((problem.kind, problem.message.as_str()), (ProblemKind::Settings, "it was told to"));
    assert_eq!(failure(&wayward(), &wrong("decide", "problem", 0)), "it reports: it was told to");
}

#[test]
fn after_a_panic_the_method_begins_anew_where_the_study_says_so() {
    let library = wayward().on_trap(OnTrap::Noop, None).unwrap();
    let mut at_work = library.create(&wrong("decide", "panic", 2), &floor()).unwrap();
    let acts: Vec<bool> = (0..5).map(|step| decided(at_work.as_mut(), step).unwrap().choices.is_empty()).collect();
    // Its third decision goes wrong; the one after it is the first of a new instance.
    assert_eq!(acts, [false, false, true, false, false]);
    assert_eq!((at_work.tally().decisions, at_work.tally().failures), (5, 1));
}

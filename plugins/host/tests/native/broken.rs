//! Libraries that were loaded and then break the rules: the decision fails with a clear word, and nothing else does.

use crate::fixture::{Library, failure, floor, loaded, method, others_still_work};
use labtrust_plugin::method::CoordinationMethod;
use labtrust_plugin::wire::{Problem, Settings};

/// How the first decision of a library fails; `None` where it cannot be built.
fn fails(decide: &'static str) -> Option<String> {
    let library = Library { decide, ..Library::default() }.built()?;
    let message = failure(&method(loaded(&library.path).unwrap()), &Settings::default());
    others_still_work();
    Some(message)
}

/// How a library fails to begin an episode.
fn begins(create: &'static str) -> Option<Problem> {
    let library = Library { create, ..Library::default() }.built()?;
    let begun = method(loaded(&library.path).unwrap()).create(&Settings::default(), &floor());
    others_still_work();
    Some(begun.err().unwrap())
}

#[test]
fn a_problem_in_plain_words_is_told_as_one() {
    let decide = "answered((const uint8_t *)\"no\\033way\\n\", 7, reply); return LABTRUST_PROBLEM;";
    let Some(message) = fails(decide) else { return };
    assert_eq!(message, "it reports: no way");
    let create = "answered((const uint8_t *)\"not here\", 8, reply); return LABTRUST_PROBLEM;";
    assert_eq!(begins(create).unwrap().message, "not here");
}

#[test]
fn an_instance_is_ended_also_when_it_could_not_begin() {
    // `destroy` frees it; valgrind looks at that.
    let create = "*instance = malloc(1); answered((const uint8_t *)\"late\", 4, reply); return LABTRUST_PANIC;";
    let Some(problem) = begins(create) else { return };
    assert_eq!(problem.message, "it panicked: late");
}

#[test]
fn a_status_that_means_nothing_is_a_failure() {
    let Some(message) = fails("return 7;") else { return };
    assert_eq!(message, "a call returned 7, which means nothing");
    // Whatever is in the buffer then: it is not looked at.
    assert_eq!(
        fails("reply->ptr = (uint8_t *)8; reply->len = 9; return 3;").unwrap(),
        "a call returned 3, which means nothing"
    );
    assert_eq!(begins("return 7;").unwrap().message, "a call returned 7, which means nothing");
}

#[test]
fn an_answer_that_is_nowhere_is_not_read() {
    let Some(message) = fails("reply->len = 9; return LABTRUST_OK;") else { return };
    assert_eq!(message, "an answer of 9 bytes is nowhere: its address is null");
    let nothing = fails("return LABTRUST_OK;").unwrap();
    assert!(nothing.starts_with("its answer cannot be read: ") && nothing.ends_with("end too early"), "{nothing}");
}

#[test]
fn an_answer_of_3_gib_is_not_read() {
    let decide = "answered(decision, 1, reply); reply->len = (size_t)3 << 30; return LABTRUST_OK;";
    let Some(message) = fails(decide) else { return };
    assert_eq!(message, "an answer of 3221225472 bytes is longer than the limit of 4096");
}

#[test]
fn an_answer_as_long_as_the_limit_is_read_and_one_byte_more_is_not() {
    let Some(at_limit) = fails("static uint8_t long_[4096]; return answered(long_, 4096, reply);") else { return };
    assert!(at_limit.starts_with("its answer cannot be read: 4093 bytes follow "), "{at_limit}");
    let above = fails("static uint8_t long_[4097]; return answered(long_, 4097, reply);").unwrap();
    assert_eq!(above, "an answer of 4097 bytes is longer than the limit of 4096");
}

#[test]
fn garbage_is_no_decision() {
    let garbage = "static const uint8_t bytes[] = {9, 9, 9}; return answered(bytes, sizeof bytes, reply);";
    let Some(message) = fails(garbage) else { return };
    assert!(message.starts_with("its answer cannot be read: "), "{message}");
    let begun = begins(garbage).unwrap().message;
    assert!(begun.starts_with("its answer cannot be read: "), "{begun}");
}

#[test]
fn a_decision_that_cannot_be_is_a_failure() {
    // Agent 2 is not directed by the method.
    let Some(message) = fails("static uint8_t d[] = {0, 1, 2, 0, 0, 0, 0, 0}; return answered(d, sizeof d, reply);")
    else {
        return;
    };
    assert_eq!(message, "choice 0, NOOP: agent A_2 is not directed by it");
}

#[test]
fn a_plugin_without_state_may_have_a_null_instance() {
    let create = "(void)instance; static const uint8_t ok[] = {0}; return answered(ok, sizeof ok, reply);";
    let Some(library) = (Library { create, ..Library::default() }).built() else { return };
    let method = method(loaded(&library.path).unwrap());
    let mut at_work = method.create(&Settings::default(), &floor()).unwrap();
    crate::fixture::decided(at_work.as_mut(), 0).unwrap();
}

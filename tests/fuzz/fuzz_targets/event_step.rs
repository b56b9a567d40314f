//! Events of any content in a laboratory: every one is answered, as a raw map, as a typed action, and signed where
//! everything has to be signed.
//!
//! An input has a JSON value a line. The first is the initial state if it is a map without `action_type`; every other map
//! is an event.

#![no_main]

use labtrust_fuzz::{default_state, episode, holds, keys, sign};
use labtrust_plugin::lab::Action;
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::{Map, Value};

/// Events of an input that are played [count].
const EVENTS_MAX: usize = 32;

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    let mut maps = text.lines().filter_map(|line| serde_json::from_str::<Map<String, Value>>(line).ok()).peekable();
    let state = maps.next_if(|first| !first.contains_key("action_type")).unwrap_or_else(default_state);
    let events: Vec<_> = maps.take(EVENTS_MAX).collect();
    if events.is_empty() {
        return Corpus::Reject;
    }
    raw_and_typed(&state, &events);
    signed(&state, &events);
    Corpus::Keep
});

/// What an event means does not depend on the form in which it comes in.
fn raw_and_typed(state: &Map<String, Value>, events: &[Map<String, Value>]) {
    let (Some(mut raw), Some(mut typed)) = (episode(state), episode(state)) else { return };
    let mut length = 0;
    for event in events {
        raw.begin_batch();
        typed.begin_batch();
        let result = raw.play(event);
        holds(&result, length);
        length = result.hashchain.length;
        // A malformed event has no typed form; from here on the two laboratories may differ.
        let Ok(action) = Action::from_raw(event, typed.symbols_mut()) else { break };
        typed.step(&action, &mut ());
        let other = typed.result();
        // Signatures cover the bytes, and the bytes of the two forms differ where a map has keys that mean nothing.
        if event.contains_key("signature") || event.contains_key("key_id") {
            break;
        }
        let meaning = |of: &labtrust_contract::StepResult| {
            (of.status, of.blocked_reason_code.clone(), of.emits.clone(), of.token_consumed.clone())
        };
        assert_eq!(meaning(&result), meaning(&other), "{event:?}");
        assert_eq!(result.violations, other.violations, "{event:?}");
    }
}

/// Everything signed, in a laboratory that wants everything signed.
fn signed(state: &Map<String, Value>, events: &[Map<String, Value>]) {
    let mut state = state.clone();
    state.insert("strict_signatures".into(), true.into());
    state.insert("keys".into(), keys().to_vec().into());
    let Some(mut engine) = episode(&state) else { return };
    let mut length = 0;
    for event in events {
        let mut event = event.clone();
        engine.begin_batch();
        sign(&mut event, engine.as_mut());
        let result = engine.play(&event);
        holds(&result, length);
        length = result.hashchain.length;
    }
    // Questions are answered or refused as well.
    for event in events {
        for value in event.values().filter_map(Value::as_str) {
            let _ = engine.query(value);
        }
    }
}

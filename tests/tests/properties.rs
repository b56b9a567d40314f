//! What must hold in every script: `docs/src/explanation/properties.md` says it in words.
//!
//! `LABTRUST_PROPERTY_SCRIPTS` is how many scripts are played [count].

#[path = "properties/enforcement.rs"]
mod enforcement;
#[path = "properties/flips.rs"]
mod flips;
#[path = "properties/play.rs"]
mod play;
#[path = "properties/releases.rs"]
mod releases;
#[path = "properties/tally.rs"]
mod tally;
#[path = "properties/tokens.rs"]
mod tokens;

use labtrust_tests::scripts::{Profile, Script, runner, scripts};
use play::Rules;
use proptest::test_runner::TestError;
use rayon::prelude::*;
use std::cell::RefCell;
use tally::Tally;

/// Scripts with one runner [count]. A runner's scripts follow from its number.
const CHUNK: u32 = 50;

/// Scripts to play [count].
fn wanted(default: u32) -> u32 {
    std::env::var("LABTRUST_PROPERTY_SCRIPTS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Plays `scripts_wanted` scripts of a profile under the rules; the first that breaks one is made small and told.
fn hold(profile: &Profile, scripts_wanted: u32) -> Tally {
    let rules = Rules::new();
    let strategy = scripts(profile);
    let chunk = |number: u32| -> Result<Tally, Box<(String, Script)>> {
        let tally = RefCell::new(Tally::default());
        let engine = RefCell::new(rules.engine());
        let mut runner = runner(u64::from(number), CHUNK);
        let held = runner
            .run(&strategy, |script| play::play(&rules, &mut **engine.borrow_mut(), &script, &mut tally.borrow_mut()));
        match held {
            Ok(()) => Ok(tally.into_inner()),
            Err(TestError::Fail(reason, script)) => Err(Box::new((reason.to_string(), script))),
            Err(TestError::Abort(reason)) => panic!("no scripts: {reason}"),
        }
    };
    let chunks: Result<Vec<Tally>, _> = (0..scripts_wanted.div_ceil(CHUNK)).into_par_iter().map(chunk).collect();
    match chunks {
        Ok(chunks) => chunks.into_iter().fold(Tally::default(), Tally::and),
        Err(broken) => {
            let (reason, script) = *broken;
            let events: Vec<String> =
                script.events().map(|event| serde_json::Value::Object(event.clone()).to_string()).collect();
            let state = serde_json::Value::Object(script.initial_state.clone());
            panic!("{reason}\n\nstate: {state}\nseed: {}\n{}", script.seed, events.join("\n"));
        }
    }
}

#[test]
fn what_must_hold_holds_in_every_script() {
    let scripts = wanted(10_000);
    let tally = hold(&Profile::any(), scripts);
    tally.print();
    if scripts >= 10_000 {
        tally.assert_rich();
    }
}

#[test]
fn honest_people_who_sign_everything_are_never_refused() {
    let tally = hold(&Profile::honest(), wanted(10_000) / 20);
    assert_eq!(tally.refused(), 0, "{tally:?}");
    assert!(tally.scripts_with_release * 10 >= tally.scripts * 9, "honest work leads to results");
}

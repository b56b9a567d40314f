//! What `check_method` finds: each check once with something that does not pass it.

use labtrust_plugin::method::Compiled;
use labtrust_plugin::prelude::*;
use labtrust_plugin_host::{Check, check_method};
use std::sync::atomic::{AtomicU64, Ordering};

/// Methods that differ in one thing each.
macro_rules! method {
    ($name:ident, $site:pat => $new:expr, $out:ident => $decide:expr) => {
        struct $name;

        impl Method for $name {
            const ID: &'static str = "org.example.checked";
            const SUMMARY: &'static str = "Is checked.";
            type Params = NoParams;

            fn new(_: NoParams, $site: &Site) -> Result<Self, Problem> {
                $new
            }

            fn decide(&mut self, seen: &Observation, $out: &mut Decision) -> Result<(), Problem> {
                if !seen.agents.zone.is_empty() {
                    $decide
                }
                Ok(())
            }
        }
    };
}

static ASKED: AtomicU64 = AtomicU64::new(0);

method!(Sound, _ => Ok(Self), out => out.act(0, Act::Tick));
method!(Idle, _ => Ok(Self), _out => {});
method!(Fickle, _ => Ok(Self), out => out.act(0, Act::ALL[ASKED.fetch_add(1, Ordering::Relaxed) as usize % 29]));
method!(Nowhere, _ => Err(Problem::of_kind(ProblemKind::Site, "not here")), _out => {});
method!(Wild, _ => Ok(Self), out => out.act(60_000, Act::Tick));
method!(Tired, _ => Ok(Self), _out => return Err(Problem::new("no more")));
method!(Picky, site => if site.agents.is_empty() { Err(Problem::of_kind(ProblemKind::Site, "nobody")) } else { Ok(Self) },
    out => out.act(0, Act::Tick));

fn failed<M: Method>() -> Vec<(&'static str, String)> {
    let checks = check_method(&Compiled::<M>::NEW);
    checks.into_iter().filter(|check| !check.passed).map(|Check { name, found, .. }| (name, found)).collect()
}

#[test]
fn a_method_that_is_as_it_should_be_passes() {
    assert_eq!((failed::<Sound>(), failed::<Picky>()), (vec![], vec![]), "one may refuse a site where nobody is");
}

#[test]
fn what_is_wrong_is_found_and_told() {
    let found = |failed: Vec<(&str, String)>, name: &str, words: &str| {
        assert!(matches!(&failed[..], [(of, found)] if *of == name && found.contains(words)), "{name}: {failed:?}");
    };
    found(failed::<Idle>(), "acts", "nobody acted");
    found(failed::<Fickle>(), "repeatable", "differently the second time");
    found(failed::<Nowhere>(), "works", "at none of 5");
    found(failed::<Wild>(), "works", "there is no agent 60000");
    found(failed::<Tired>(), "works", "no more");
}

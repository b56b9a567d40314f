//! The checks that authors call find what they say they find.

use crate::example::FirstCome;
use labtrust_plugin::prelude::*;
use labtrust_plugin::testing::check;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn a_method_that_is_in_order_passes_and_is_told_how_much_it_did() {
    let tried = check::coordination_method::<FirstCome>();
    assert_eq!((tried.sites, tried.decisions), (5, 320), "it refuses the site without agents");
    assert!(tried.acts > 300, "{tried:?}");
}

/// A method with one thing that may be wrong with it.
macro_rules! method {
    ($name:ident, $id:literal, |$site:ident| $new:expr, |$seen:ident, $out:ident, $agent:ident| $decide:expr) => {
        struct $name(Option<u16>);

        impl Method for $name {
            const ID: &'static str = $id;
            const SUMMARY: &'static str = "For the tests of the checks.";
            type Params = NoParams;

            fn new(_: NoParams, $site: &Site) -> Result<Self, Problem> {
                $new.map(|()| Self($site.directed().next()))
            }

            fn decide(&mut self, $seen: &Observation, $out: &mut Decision) -> Result<(), Problem> {
                let Some($agent) = self.0 else { return Ok(()) };
                $decide
            }
        }
    };
}

static CALLS: AtomicU32 = AtomicU32::new(0);

method!(Nowhere, "nowhere", |_site| Err(Problem::new("not here")), |_seen, _out, _agent| Ok(()));
method!(Stops, "stops", |_site| Ok(()), |seen, _out, _agent| match seen.specimens.key.len() {
    0..30 => Ok(()),
    many => Err(Problem::new(format!("{many} are too many"))),
});
method!(Stumbles, "stumbles", |_site| Ok(()), |seen, out, agent| {
    out.push(Choice::new(agent, Act::AcceptSpecimen).specimen(seen.specimens.key[0]));
    Ok(())
});
method!(Invents, "invents", |_site| Ok(()), |seen, out, agent| {
    out.push(Choice::new(agent, Act::AcceptSpecimen).specimen(seen.specimens.key.len() as u32));
    Ok(())
});
method!(Remembers, "remembers", |_site| Ok(()), |_seen, out, agent| {
    if CALLS.fetch_add(1, Ordering::Relaxed) % 7 == 3 {
        out.act(agent, Act::Tick);
    }
    Ok(())
});
method!(TwoWords, "two words", |_site| Ok(()), |_seen, _out, _agent| Ok(()));

/// What a check says of a method that does not pass.
fn said<M: Method>() -> String {
    let panic = catch_unwind(check::coordination_method::<M>).expect_err("it should not pass");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn what_is_wrong_with_a_method_is_found_and_told_with_its_place() {
    let cases = [
        (said::<Nowhere>(), ["nowhere refused every site", "not here"]),
        (said::<Stops>(), ["stops: step 3 with 1 agents", "gave up: 30 are too many"]),
        (said::<Stumbles>(), ["index out of bounds", ""]),
        (said::<Invents>(), ["invents: step 0", "there is no specimen 0, only 0"]),
        (said::<Remembers>(), ["remembers: step", "it decided otherwise when asked again"]),
        (said::<TwoWords>(), ["\"two words\" is no id", ""]),
    ];
    for (said, parts) in cases {
        assert!(parts.iter().all(|part| said.contains(part)), "{parts:?} is not in: {said}");
    }
}

//! Least expected cycle: the loader over which the cycle that begins now is expected to end first.
//!
//! Drive and committed work overlap: while the truck drives, the loader works off what it has promised, so the truck
//! waits for the rest only. Loading, the haul and the dump are added. The queue at the dump point is not: it is the same
//! one over every loader.
//!
//! **Good for** loaders at different distances from the dump. **Bad at** a dump point that is the bottleneck: there a
//! shorter cycle ends in a longer queue. **Reads** all expected times. **Cost** O(l) a decision, l = loaders.

use labtrust_plugin::mine::{Dispatch, DispatchRequest, LoaderId, MineSite};
use labtrust_plugin::params::NoParams;
use labtrust_plugin::wire::Problem;

/// The policy.
pub struct LeastExpectedCycle;

labtrust_plugin::register_dispatch!(LeastExpectedCycle);

impl Dispatch for LeastExpectedCycle {
    const ID: &'static str = "least_expected_cycle";
    const SUMMARY: &'static str = "shortest expected cycle from now: drive, rest of the wait, loading, haul and dump";
    type Params = NoParams;

    fn new(_: NoParams, _: &MineSite) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        Ok(seen.least(|option| {
            let reached = option.travel_ns.max(option.backlog_ns());
            reached.saturating_add(option.load_ns).saturating_add(option.haul_ns).saturating_add(option.dump_ns)
        }))
    }
}

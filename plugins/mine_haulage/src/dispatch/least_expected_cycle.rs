//! Least expected cycle: the loader over which the cycle that begins now is expected to end first.
//!
//! Drive and committed work overlap: while the truck drives, the loader works off what it has promised, so the truck
//! waits for the rest only. Loading, the haul and the dump are added. The queue at the dump point is not: it is the same
//! one over every loader.
//!
//! **Good for** loaders at different distances from the dump. **Bad at** a dump point that is the bottleneck: there a
//! shorter cycle ends in a longer queue. **Reads** all expected times. **Cost** O(l) a decision, l = loaders.

use labtrust_plugin::mine::{DispatchPolicy, DispatchView, LoaderChoice};

/// The policy.
pub struct LeastExpectedCycle;

labtrust_plugin::register_plugin!(MineDispatch, LeastExpectedCycle);

impl DispatchPolicy for LeastExpectedCycle {
    fn id(&self) -> &'static str {
        "least_expected_cycle"
    }

    fn summary(&self) -> &'static str {
        "shortest expected cycle from now: drive, rest of the wait, loading, haul and dump"
    }

    fn choose(&self, view: &DispatchView<'_>) -> LoaderChoice {
        view.least(|option| {
            let reached = option.travel.max(option.backlog());
            reached.saturating_add(option.load).saturating_add(option.haul).saturating_add(option.dump)
        })
    }
}

//! Nearest available loader: the loader that would have this truck loaded first.
//!
//! The expected time to loaded is the drive, plus the loading work that is committed to the loader already (trucks on
//! their way included), plus the truck's own loading. Drive and committed work are added, not overlapped: a loader that
//! is promised to others does not count as near, however far the way.
//!
//! **Good for** fleets near the match of loaders and trucks. **Bad at** loaders far from the dump: it ignores the haul.
//! **Reads** travel, load, committed work. **Cost** O(l) a decision, l = loaders.

use labtrust_plugin::mine::{Dispatch, DispatchRequest, LoaderId, MineSite};
use labtrust_plugin::params::NoParams;
use labtrust_plugin::wire::Problem;

/// The policy.
pub struct NearestAvailableLoader;

labtrust_plugin::register_dispatch!(NearestAvailableLoader);

impl Dispatch for NearestAvailableLoader {
    const ID: &'static str = "nearest_available_loader";
    const SUMMARY: &'static str =
        "least expected time to loaded: the drive, the work already committed to the loader, the own loading";
    type Params = NoParams;

    fn new(_: NoParams, _: &MineSite) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        Ok(seen.least(|option| option.travel_ns.saturating_add(option.backlog_ns()).saturating_add(option.load_ns)))
    }
}

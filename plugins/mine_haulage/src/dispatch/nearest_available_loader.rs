//! Nearest available loader: the loader that would have this truck loaded first.
//!
//! The expected time to loaded is the drive, plus the loading work that is committed to the loader already (trucks on
//! their way included), plus the truck's own loading. Drive and committed work are added, not overlapped: a loader that
//! is promised to others does not count as near, however far the way.
//!
//! **Good for** fleets near the match of loaders and trucks. **Bad at** loaders far from the dump: it ignores the haul.
//! **Reads** travel, load, committed work. **Cost** O(l) a decision, l = loaders.

use labtrust_plugin::mine::{DispatchPolicy, DispatchView, LoaderChoice};

/// The policy.
pub struct NearestAvailableLoader;

labtrust_plugin::register_plugin!(MineDispatch, NearestAvailableLoader);

impl DispatchPolicy for NearestAvailableLoader {
    fn id(&self) -> &'static str {
        "nearest_available_loader"
    }

    fn summary(&self) -> &'static str {
        "least expected time to loaded: the drive, the work already committed to the loader, the own loading"
    }

    fn choose(&self, view: &DispatchView<'_>) -> LoaderChoice {
        view.least(|option| option.travel.saturating_add(option.backlog()).saturating_add(option.load))
    }
}

//! Shortest wait: a truck goes where it is expected to stand least.
//!
//! A loader works off what it has promised while the truck drives; the truck waits for the rest only. Waits of no more
//! than `slack_s` count as none, and of equal waits the shorter cycle wins, so that nobody crosses the mine for a
//! second.
//!
//! **Good for** loaders at different distances from the trucks. **Bad at** a dump point that is the bottleneck.
//! **Reads** drive, committed work, capacity. **Cost** O(l) a decision, l = loaders.

use labtrust_plugin::prelude::*;

params! {
    /// Parameters, as written in a study file.
    pub struct Params {
        /// Waits up to this count as none [s].
        slack_s: u32 = 30, 0..=3600;
    }
}

/// The policy.
pub struct ShortestWait {
    slack_ns: u64,
}

impl Dispatch for ShortestWait {
    const ID: &'static str = "org.example.shortest_wait";
    const SUMMARY: &'static str = "the loader at which the truck is expected to wait least";
    type Params = Params;

    fn new(params: Params, _: &MineSite) -> Result<Self, Problem> {
        Ok(Self { slack_ns: u64::from(params.slack_s) * 1_000_000_000 })
    }

    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        let wait = |option: &LoaderOption| option.backlog_ns().saturating_sub(option.travel_ns);
        Ok(seen.least(|option| wait(option).saturating_sub(self.slack_ns)))
    }
}

labtrust_plugin::export_wasm!(ShortestWait);
#[cfg(feature = "native")]
labtrust_plugin::export_native!(ShortestWait);
#[cfg(feature = "compiled-in")]
labtrust_plugin::register_dispatch!(ShortestWait);

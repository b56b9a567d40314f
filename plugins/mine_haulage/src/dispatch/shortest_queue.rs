//! Shortest queue: the loader with the fewest trucks for each of its servers.
//!
//! Trucks being loaded, waiting and on their way all count. Distance decides ties only.
//!
//! **Good for** loaders of like speed at like distance. **Bad at** anything else.
//! **Reads** truck counts, capacity. **Cost** O(l) a decision, l = loaders.

use labtrust_plugin::mine::{Dispatch, DispatchRequest, LoaderId, MineSite};
use labtrust_plugin::params::NoParams;
use labtrust_plugin::wire::Problem;
use std::cmp::Ordering;

/// The policy.
pub struct ShortestQueue;

labtrust_plugin::register_dispatch!(ShortestQueue);

/// Trucks for each server, compared without a division.
#[derive(PartialEq, Eq)]
struct Load {
    trucks: u32,
    servers: u32,
}

impl Ord for Load {
    fn cmp(&self, other: &Self) -> Ordering {
        let cross = |one: &Self, other: &Self| u64::from(one.trucks) * u64::from(other.servers);
        cross(self, other).cmp(&cross(other, self))
    }
}

impl PartialOrd for Load {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Dispatch for ShortestQueue {
    const ID: &'static str = "shortest_queue";
    const SUMMARY: &'static str = "fewest trucks loading, waiting or on their way for each server of the loader";
    type Params = NoParams;

    fn new(_: NoParams, _: &MineSite) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        Ok(seen.least(|option| Load { trucks: option.committed_trucks(), servers: option.capacity }))
    }
}

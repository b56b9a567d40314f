//! Fixed assignment: each truck serves one loader for the whole shift.
//!
//! Trucks are dealt to the loaders in turn, both in the order of their ids: the first truck to the first loader, the
//! second to the second, and so on around. A truck that cannot reach all loaders is dealt among those that it can.
//!
//! **Good for** a baseline without any control room. **Bad at** loaders of different speed: it deals evenly.
//! **Reads** nothing but ids. **Cost** O(1) a decision.

use labtrust_plugin::mine::{Dispatch, DispatchRequest, LoaderId, MineSite};
use labtrust_plugin::params::NoParams;
use labtrust_plugin::wire::Problem;

/// The policy.
pub struct FixedAssignment;

labtrust_plugin::register_dispatch!(FixedAssignment);

impl Dispatch for FixedAssignment {
    const ID: &'static str = "fixed_assignment";
    const SUMMARY: &'static str =
        "each truck keeps one loader: trucks are dealt to the loaders in turn, in the order of their ids";
    type Params = NoParams;

    fn new(_: NoParams, _: &MineSite) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        Ok(seen.loaders[usize::from(seen.truck.0) % seen.loaders.len()].loader)
    }
}

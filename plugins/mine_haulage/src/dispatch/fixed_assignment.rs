//! Fixed assignment: each truck serves one loader for the whole shift.
//!
//! Trucks are dealt to the loaders in turn, both in the order of their ids: the first truck to the first loader, the
//! second to the second, and so on around. A truck that cannot reach all loaders is dealt among those that it can.
//!
//! **Good for** a baseline without any control room. **Bad at** loaders of different speed: it deals evenly.
//! **Reads** nothing but ids. **Cost** O(1) a decision.

use labtrust_plugin::mine::{DispatchPolicy, DispatchView, LoaderChoice};

/// The policy.
pub struct FixedAssignment;

labtrust_plugin::register_plugin!(MineDispatch, FixedAssignment);

impl DispatchPolicy for FixedAssignment {
    fn id(&self) -> &'static str {
        "fixed_assignment"
    }

    fn summary(&self) -> &'static str {
        "each truck keeps one loader: trucks are dealt to the loaders in turn, in the order of their ids"
    }

    fn choose(&self, view: &DispatchView<'_>) -> LoaderChoice {
        view.loaders[usize::from(view.truck.0) % view.loaders.len()].choose()
    }
}

//! What an agent knows: facts of the world that reached it, each with its version and its age.
//!
//! The world writes every fact on the [`Blackboard`] and sends it through the network; each agent keeps a [`Replica`].
//! Facts are versioned key by key, so a late fact about one thing still counts after a newer fact about another, and
//! any order of arrival of the same facts ends in the same view. Age is the time since the fact's own time.

mod blackboard;
mod fact;
mod replica;
mod staleness;

pub use blackboard::{Blackboard, BlackboardEvent};
pub use fact::{Fact, FactKey, FactNames, FactValue};
pub use replica::{Held, Replica};
pub use staleness::{DEFAULT_THRESHOLD_STEPS, StaleDecision, StalenessMonitor};

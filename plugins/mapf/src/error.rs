//! What planning refuses or gives up on.

use crate::backend::Backend;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapfError {
    /// A vertex that the graph does not have.
    #[error("{what} names vertex {vertex}, but the graph has the vertices 0 to {last}")]
    UnknownVertex {
        /// Who names it.
        what: String,
        /// The vertex named.
        vertex: u32,
        /// The last vertex there is.
        last: u32,
    },
    /// An edge, a place or a parameter with a value that cannot be.
    #[error("{what}: {problem}; {hint}")]
    BadValue {
        /// Where the value stands.
        what: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
    /// A map file that does not follow the format.
    #[error("map, line {line}: {problem}")]
    BadMap {
        /// Line, from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// More agents start at a vertex, or on an edge, than fit.
    #[error(
        "{agents} agents are {place} at the start, which has room for {room}; move some away or give it more capacity"
    )]
    StartFull {
        /// Where they are.
        place: String,
        /// How many of them [count].
        agents: u32,
        /// How many fit [count].
        room: u32,
    },
    /// More agents have a vertex for their goal than fit there.
    #[error(
        "{agents} agents have vertex {vertex} for their goal, which has room for {room}; only a window can be planned"
    )]
    GoalFull {
        /// The goal.
        vertex: u32,
        /// How many agents go there [count].
        agents: u32,
        /// How many fit [count].
        room: u32,
    },
    /// An agent has no way to its goal, with or without others.
    #[error("agent {agent} has no way to vertex {goal}; give it a token for the doors, or another goal")]
    Unreachable {
        /// Index of the agent.
        agent: u32,
        /// Its goal.
        goal: u32,
    },
    /// A back-end that does not exist.
    #[error("{name:?} is not a routing back-end; there are {known}")]
    UnknownBackend {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// Something that the back-end cannot do, see [`Backend::features`](crate::Backend::features).
    #[error("{} does not support {what}", backend.name())]
    Unsupported {
        /// The back-end.
        backend: Backend,
        /// What it does not support.
        what: &'static str,
    },
    /// The budget of node expansions is used up. No plan is known; there may be one.
    #[error("{} used up its budget of {expansions} node expansions", backend.name())]
    Exhausted {
        /// The back-end.
        backend: Backend,
        /// Expansions spent [count].
        expansions: u64,
    },
    /// The back-end's own search space holds no plan. Proof that none exists when the back-end is complete.
    #[error("{} finds no plan", backend.name())]
    NoPlan {
        /// The back-end.
        backend: Backend,
    },
    /// The step limit was reached before every agent was at its goal.
    #[error("{} has not brought everybody to their goals in {steps} steps", backend.name())]
    TooLong {
        /// The back-end.
        backend: Backend,
        /// The limit [steps].
        steps: u32,
    },
}

//! Multi-agent path finding (MAPF): where everybody goes next so that nobody collides.
//!
//! Start at [`Graph`] and [`Agent`]; [`Backend::planner`] gives a [`Planner`] by name; [`validate`] checks any plan without
//! using a line of the planners. Which back-end is complete, optimal or fast stands at [`Backend`]. Time is whole steps,
//! budgets are node expansions, and the same inputs give the same plan. This crate knows nothing of laboratories, tasks or
//! messages, and assigns nobody to anything: it takes goals as they are given.

mod backend;
mod conflict;
mod conflict_based;
mod distance;
mod error;
mod focal;
mod generate;
mod graph;
mod grid;
mod instance;
mod lacam;
mod lns;
mod pibt;
mod plan;
mod rhcr;
mod rolling;
mod space_time;
mod traffic;
mod validate;
mod whca;

pub use backend::{Backend, Effort, Features, Options, Planned, Planner, Ratio, Window};
pub use distance::Distances;
pub use error::MapfError;
pub use generate::{Kind, random_agents};
pub use graph::{Edge, EdgeId, Graph, Place, Vertex, Whereabouts};
pub use grid::Grid;
pub use instance::{Agent, Reservation};
pub use pibt::Pibt;
pub use plan::Plan;
pub use validate::{Violation, validate};

//! The dispatch policies that come with the mine, one file each.

mod fixed_assignment;
mod least_expected_cycle;
mod nearest_available_loader;
mod shortest_queue;

pub use labtrust_plugin::mine::Compiled;

pub use fixed_assignment::FixedAssignment;
pub use least_expected_cycle::LeastExpectedCycle;
pub use nearest_available_loader::NearestAvailableLoader;
pub use shortest_queue::ShortestQueue;

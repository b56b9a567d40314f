//! What all methods share.
//!
//! In each step [`Driver`] has [`memory`] learn what was refused, lists the open work ([`work`]) and who is idle, lets
//! the [`Rule`] fill a [`Plan`], and sends those without work to where work will be ([`staging`]). What is particular
//! to a method is its rule alone, so that methods differ by their ideas and not by how well their authors know the
//! laboratory.

mod account;
mod batch;
pub mod board;
pub mod classes;
pub mod detector;
pub mod draws;
mod driver;
mod floor;
pub mod greedy;
pub mod hub;
mod job;
pub mod matching;
mod memory;
mod plan;
mod regions;
mod rule;
pub mod shield;
mod staging;
mod step;
pub mod talk;
mod tapped;
#[cfg(test)]
pub(crate) mod testing;
mod traffic;
pub mod watch;
mod work;

pub use driver::Driver;
pub use floor::{Device, Floor, Ground, NO_WAY, Purpose};
pub use job::{Job, rank};
pub use memory::{Memory, Outcome, Subject};
pub use plan::Plan;
pub use regions::Regions;
pub use rule::{Core, Rule, head_start_s};
pub use shield::{Shield, ShieldTally};
pub use step::{Step, Worker};
pub use traffic::{RouteTally, Routing};

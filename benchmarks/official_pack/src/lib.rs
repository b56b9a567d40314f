//! Official packs and releases: everything that is run, put on record and verified in one folder, for others to repeat.
//!
//! | module | is about |
//! |---|---|
//! | [`policy`] | what a pack is made of: tasks, sizes, baselines, methods, reports |
//! | [`ground`] | what all of its parts are run with |
//! | [`baselines`] | every task by its baseline, held to its floor |
//! | [`compared`] | every size with every method, as a study |
//! | [`evidence`] | receipts, their verification, the transparency log |
//! | [`reports`] | security suite, safety case, coordination security pack |
//! | [`steps`] | what was done, what failed and what was not tried |
//! | [`pack`] | the whole pack |
//! | [`page`] | its manifest and its summary |
//!
//! Nothing is played in a way of its own here: parts are those of other crates, in one order and under one seed. A part that
//! fails is named, and the others are still there.

#![warn(missing_docs)]

pub mod baselines;
pub mod compared;
mod error;
pub mod evidence;
pub mod ground;
pub mod pack;
pub mod page;
pub mod policy;
pub mod reports;
pub mod steps;

pub use error::PackError;
pub use ground::Ground;
pub use pack::{Outcome, Request, run};
pub use policy::PackPolicy;
pub use steps::{Status, Step, Steps};

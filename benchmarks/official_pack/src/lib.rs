//! Official packs and releases: everything that is run, put on record and verified in one folder, for others to repeat.
//!
//! | module | is about |
//! |---|---|
//! | [`policy`] | what a pack is made of: tasks, sizes, baselines, methods, reports |
//! | [`ground`] | what all of its parts are run with |
//! | [`baselines`] | every task by its baseline, held to its floor |
//! | [`registered`] | every task of the official registry, with tables: one part of a release of a paper |
//! | [`compared`] | every size with every method, as a study |
//! | [`evidence`] | receipts, their verification, the transparency log |
//! | [`reports`] | security suite, safety case, coordination security pack |
//! | [`steps`] | what was done, what failed and what was not tried |
//! | [`pack`] | the whole pack |
//! | [`page`] | its manifest and its summary |
//! | [`pipeline`] | the pack and everything about risks and decisions, in one folder |
//! | [`reproduce`] | two studies of what controls do, with plots |
//! | [`release`] | these with receipts, FHIR, tables and a manifest over every file |
//! | [`paper`] | the release of a paper: baselines, a study, evidence, reports, cards |
//! | [`sealed`] | what every release ends with |
//! | [`quickstart`] | policy, security pack, report and register of risks |
//! | [`review`] | a study as an external reviewer looks at it |
//! | [`card`] | the card of what language models had a part in |
//!
//! Nothing is played in a way of its own here: parts are those of other crates, in one order and under one seed. A part that
//! fails is named, and the others are still there.

#![warn(missing_docs)]

pub mod baselines;
pub mod card;
pub mod compared;
mod error;
pub mod evidence;
pub mod ground;
pub mod pack;
pub mod page;
pub mod paper;
pub mod pipeline;
pub mod policy;
pub mod quickstart;
pub mod registered;
pub mod release;
pub mod reports;
pub mod reproduce;
pub mod review;
pub mod sealed;
pub mod steps;

pub use error::PackError;
pub use ground::Ground;
pub(crate) use pack::pooled;
pub use pack::{Outcome, Request, run};
pub use policy::PackPolicy;
pub use steps::{Status, Step, Steps};

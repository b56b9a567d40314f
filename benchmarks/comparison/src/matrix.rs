//! The coordination matrix: methods of a run in one table with two scores, undisturbed work and work under attack, and a rank.
//!
//! | module | is about |
//! |---|---|
//! | [`policy`] | which figures, weights and limits |
//! | [`source`] | the rows of a run, and how it was made |
//! | [`score`] | figures on one line, scores, ranks |
//! | [`document`] | the published document |
//!
//! It reads what packs and studies really write. Figures keep their units: a figure that a table lacks is left out or is the worst of its size,
//! as the policy says, and is never 0. Scores have no intervals; whether two methods differ is a question for [`crate::comparisons`].

pub mod document;
pub mod policy;
pub mod score;
pub mod source;

pub use document::{FILE, Mode, Request, build, target};

//! Which method is better, and how sure that is: tables of episodes in, statistics and verdicts out.
//!
//! | module | is about |
//! |---|---|
//! | [`episodes`] | the figures of single episodes, from results files |
//! | [`cells`] | the one row of figures that the episodes of a cell come to |
//! | [`statistics`] | intervals, tests, corrections and sizes of effects |
//! | [`comparisons`] | methods against each other, on common seeds |
//! | [`ranks`] | how steady their order is |
//! | [`front`] | which methods are not beaten |
//! | [`verdict`] | who dominates, who wins, who cannot be told apart |
//! | [`pareto`], [`resilience_page`] | fronts and verdicts as files |
//! | [`leaderboard`], [`classes`] | means by method, by class of methods and by phase |
//! | [`matrix`] | methods in one table with two scores |
//! | [`table`] | the tables of all of these |
//! | [`study`] | all files of a study |
//!
//! Start at [`write_study`]. A cell of a study is one row of figures however many risks it is about, and every sentence that ranks methods
//! rests on paired episodes of common seeds. Nothing here runs an episode, knows of the specification of a study, or draws.

#![warn(missing_docs)]

pub mod cells;
pub mod classes;
pub mod comparisons;
pub mod episodes;
pub mod error;
pub mod front;
pub mod leaderboard;
pub mod matrix;
pub mod pareto;
pub mod ranks;
pub mod resilience_page;
pub mod statistics;
pub mod study;
pub mod table;
pub mod verdict;

pub use episodes::{CellKey, EPISODE_COLUMNS, EpisodeRow, episode_rows};
pub use error::ComparisonError;
pub use study::{StudyInput, write_study};

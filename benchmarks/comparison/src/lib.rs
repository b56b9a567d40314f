//! Which method is better, and how sure that is: tables of episodes in, statistics and verdicts out.
//!
//! Start at [`write_study`]. Episodes come from results files ([`episode_rows`]), a cell of a study is one row of figures however many
//! risks it is about, and every sentence that ranks methods rests on paired episodes of common seeds. Nothing here runs an episode,
//! knows of a specification of a study, or draws.

#![warn(missing_docs)]

pub mod episodes;
pub mod error;
pub mod study;

pub use episodes::{CellKey, EPISODE_COLUMNS, EpisodeRow, episode_rows};
pub use error::ComparisonError;
pub use study::{StudyInput, write_study};

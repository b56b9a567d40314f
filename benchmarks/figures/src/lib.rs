//! Pictures of runs.

pub mod chart;
pub mod draw;
pub mod words;

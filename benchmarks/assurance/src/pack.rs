//! The coordination security pack: sizes, methods and injections tried against each other, and a gate over every cell.
//!
//! | module | is about |
//! |---|---|
//! | [`config`] | the policy: lists, presets, how much evidence a cell needs |
//! | [`matrix`] | which cells there are |
//! | [`ground`] | what the cells of a matrix share, and how one of them is played |
//! | [`cell`] | the episodes of a cell, and the row of figures that they come to |
//! | [`validity`] | what must hold before a cell can pass |
//! | [`gate`] | the rules of the gate, and the verdict of a cell |
//! | [`run`](mod@run) | all cells of a pack |
//! | [`outputs`] | the files of a pack |
//! | [`read`] | the files of a pack, read again: fail closed |
//! | [`agree`] | whether its figures are those of its results |
//! | [`strict`] | what a gate is decided by: failures, and cells that show nothing and are not waived |
//! | [`decision`] | which method is recommended, if any |
//! | [`report`] | the report of a pack |
//!
//! The episodes of a cell have the seeds of its size and of nothing else, so every cell of a size is compared with its baseline on
//! the same work. A cell that crashed is a FAIL, a cell whose method does not exist is `not_run`, and neither is ever counted as passed.

pub mod agree;
pub mod cell;
pub mod config;
pub mod decision;
pub mod gate;
pub mod ground;
pub mod matrix;
pub mod outputs;
pub mod read;
pub mod report;
pub mod run;
pub mod strict;
pub mod validity;

pub use gate::{GateSummary, Verdict};
pub use matrix::{Asked, Matrix};
pub use run::{PackOutcome, Request, run};

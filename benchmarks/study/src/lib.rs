//! Studies: what is compared with what, cell by cell, on one machine or many.
//!
//! | module | is about |
//! |---|---|
//! | [`spec`] | the spec of a coordination study: sizes, methods, injections |
//! | [`coverage`] | whether it exercises every risk that needs evidence |
//! | [`plan`] | the study as a list of cells, each with a hash over everything that its results depend on |
//! | [`workshop`] | where cells are made |
//! | [`folder`] | the folder of a cell: there whole or not at all |
//! | [`run`](mod@run) | the cells of a plan on the threads of this machine |
//! | [`merge`](mod@merge) | from cells, wherever they were made, to a study |
//! | [`ablation`] | one task under every combination of a few controls |
//! | [`emit`] | scripts for schedulers of clusters |
//!
//! A study is the same bytes whether one machine made it or many, in one go or after ten kills. Nothing here knows what makes one method
//! better than another: that is `labtrust-comparison`.

#![warn(missing_docs)]

pub mod ablation;
pub mod coverage;
pub mod emit;
mod error;
pub mod folder;
pub mod merge;
pub mod plan;
pub mod run;
pub mod settings;
pub mod spec;
pub mod workshop;

pub use error::StudyError;

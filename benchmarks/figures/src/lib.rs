//! Pictures of runs, from the files that a run leaves: charts, the plots of a run, and its report as one page.
//!
//! [`draw`] turns a scene into SVG, PNG and PDF; [`chart`] makes scenes of data; [`run`] reads what a run left; [`plots`]
//! makes every figure and table of it; [`report`] one page. The same files give the same bytes. Nothing here simulates, and nothing here knows the
//! program that wrote the files: tables and JSON are read as anybody would.

pub mod chart;
pub mod draw;
mod error;
mod files;
pub mod plots;
pub mod report;
pub mod run;
pub mod words;

pub use error::FiguresError;
pub use files::Made;

//! Ablation studies: one task under every combination of a few controls, on the same seeds.
//!
//! | module | is about |
//! |---|---|
//! | [`axes`] | what can be varied, and what each value does |
//! | [`spec`] | the file that says what is varied |
//! | [`run`](mod@run) | the episodes of all conditions, and the files of the study |
//! | [`paired`] | what each condition changes, with intervals |
//!
//! All conditions have the same episodes: what the seed does is in both arms of a difference and cancels.

pub mod axes;
mod logs;
mod page;
pub mod paired;
pub mod run;
pub mod spec;

pub use axes::{Axis, Setting};
pub use run::{Ran, Request, run};
pub use spec::{AblationSpec, Condition, Seeding};

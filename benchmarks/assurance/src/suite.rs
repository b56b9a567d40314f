//! The security attack suite: attacks that are made, each with the control that it is about and without it.
//!
//! | module | is about |
//! |---|---|
//! | [`model`] | what the policy says: attacks, controls, notes, payloads, bounds, and what is wrong with them |
//! | [`defences`] | which controls stand in a course of an attack |
//! | [`trial`] | what came of an attack in each of its courses, and what that says |
//! | [`scene`] | a laboratory at work in which one seat is filled by a model of the panel |
//! | [`panel`] | notes and payloads, tried on every member of the panel |
//! | [`exercises`] | attacks that need more than a note, compiled in |
//! | [`matrix`] | a matrix of the coordination security pack, as one attack |
//! | [`watchdog`] | a watch over the flow of work |
//! | [`run`] | the attacks that were asked for, in parallel |
//! | [`baseline`] | payloads that were stopped once, tried again |
//! | [`report`] | `SECURITY/attack_results.json` and what stands beside it |
//! | [`packet`] | which attacks cover which risk, reason codes, digests of the policy |
//! | [`page`] | the tables of the reference page |
//!
//! An attack passes when what came of it is what was expected, its own control is enough for that, the same attack comes
//! through when nothing defends, and an honest note or run of the same kind is left alone. Whether something came through
//! is read off the state and the record of the engine.

pub mod baseline;
pub mod defences;
pub mod exercises;
pub mod matrix;
pub mod model;
pub mod packet;
pub mod page;
pub mod panel;
pub mod report;
pub mod run;
pub mod scene;
pub mod trial;
pub mod watchdog;

pub use model::{Attack, Kind, PackRef, Suite};
pub use run::{PackVerdict, Row, SuiteReport, SuiteRun};

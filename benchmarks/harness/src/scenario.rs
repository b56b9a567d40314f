//! Scenarios: a state, a script of events, and what has to come of each.
//!
//! A scenario file is YAML (a suite, or one scenario) or RON (one scenario), read by [`load`]. [`Runner::run`] plays one
//! scenario through an [`Engine`](labtrust_plugin::lab::Engine), which is the laboratory itself or the frozen reference,
//! and returns a [`ScenarioReport`]; [`report`] writes reports as text, JSON or JUnit XML. A scenario that goes wrong
//! says so in its own report and never keeps the next one from running.

mod around;
mod check;
mod load;
mod model;
mod patch;
mod post_run;
pub mod report;
mod run;
mod semantics;
mod sign;

pub use load::{ScenarioError, Suite, load, load_text};
pub use model::{Expect, PostRunAction, Scenario, ScriptStep};
pub use patch::EngineLoader;
pub use report::{Beginning, Failure, FailureDetails, FailureKind, ScenarioReport, StepReport};
pub use run::Runner;
pub use semantics::Semantics;
pub use sign::{FIXTURE_SIGNATURE, FLIPPED_SIGNATURE, fixture_signer};

//! The shapes that cross a boundary: events in, step results out, log records, result files.
//!
//! Field names and meanings are those of the published formats (runner output v0.1, results v0.2), so that a file
//! written by one side is read by the other without a mapping. Everything here is plain data for `serde`; this crate
//! knows nothing of simulation, gates or laboratories.

mod event;
mod log;
mod results;
mod step;

pub use event::Event;
pub use log::LogRecord;
pub use results::{EpisodeRecord, Metrics, ResultsFile, RunManifest};
pub use step::{
    CapabilityDecision, ControlDecision, EnforcementItem, HashChain, InvariantStatus, RbacDecision,
    SignatureVerification, StepResult, StepStatus, Violation,
};

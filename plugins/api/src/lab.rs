//! The laboratory's public vocabulary: what agents can do ([`Action`]), what came of it ([`Outcome`]), what they see
//! ([`WorldView`]), and the traits a laboratory is driven through ([`LabDomain`], [`Engine`] by raw
//! events, [`LabEngine`] by typed actions).
//!
//! Ids are [`Symbol`]s of the engine's interner; text exists where an event is read or written.

mod action;
mod agent;
mod args;
pub mod contract;
mod control;
mod engine;
mod gate;
pub mod method;
mod outcome;
mod raw;
mod view;

pub use action::{Action, ActionKind, Decision, EventId};
pub use agent::{AgentContext, AgentPolicy};
pub use args::{Args, Ids, Priority, RareArgs};
pub use control::{Control, Controls, UnknownControl, WORKFLOW_GUARDS};
pub use engine::{
    ChainValues, Engine, LabDomain, LabEngine, LabError, LoadedLab, Observer, QueryError, StateDigest, StepFacts,
    TimingSummary,
};
pub use gate::Gate;
pub use labtrust_kernel::{Memory, Symbol, Symbols};
pub use labtrust_trust::tokens::Approval;
pub use outcome::{Detail, Finding, Outcome};
pub use raw::Malformed;
pub use view::{
    AgentView, ConsignmentView, DeviceStatus, DeviceView, DoorView, FloorPlan, ResultView, RunView, SpecimenView,
    Stage, StockoutView, TokenView, WayView, WorldView, ZoneView,
};

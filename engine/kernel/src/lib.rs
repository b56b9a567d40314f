//! The discrete-event kernel: time, the calendar of future events, clocks, random streams, interned ids.
//!
//! Start at [`Calendar`], then see [`Simulation`], which puts a calendar beside an entity world and runs a [`Model`]
//! over both, and [`Batch`] for work on a whole population at once. This crate does no I/O, reads no wall clock and knows nothing of any domain.

mod batch;
mod calendar;
mod clock;
mod memory;
mod simulation;
pub mod stats;
mod streams;
mod symbol;
mod time;

pub use batch::{Batch, BatchBuilder, BatchError};
pub use calendar::{Calendar, CalendarError, Due, EventClass, Handle};
pub use clock::{ClockMode, UnknownClockMode};
pub use memory::{Memory, Remembered};
pub use simulation::{Model, Simulation};
pub use streams::{Stream, Streams};
pub use symbol::{Symbol, SymbolMap, Symbols};
pub use time::{SimDuration, SimTime};

//! The discrete-event kernel: time, the calendar of future events, clocks, random streams, interned ids.
//!
//! Start at [`Calendar`]. This crate does no I/O, reads no wall clock and knows nothing of any domain.

mod symbol;
mod time;

pub use symbol::{Symbol, SymbolMap, Symbols};
pub use time::{SimDuration, SimTime};

//! What the actions do, by the part of the laboratory they belong to.
//!
//! A handler answers `Ok(None)` where it has nothing to do with the event, which is then recorded like an unknown one.

mod critical;
mod entry;
mod reception;
mod results;
mod runs;
mod transport;

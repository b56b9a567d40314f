//! The sandbox: what a module may be, what it may do, and what happens when it does something else.
//!
//! All guests are written by hand, in WebAssembly's text format: no second toolchain, and nothing between a guest and
//! its malice.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod agents;
mod at_work;
mod checked;
mod dispatch;
mod guest;
mod hostile;
mod refused;

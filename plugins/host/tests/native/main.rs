//! Native plugins, in this process and in processes of their own: what is loaded, what is refused, and that whatever goes
//! wrong in one leaves everything else intact.
//!
//! Good and panicking plugins are Rust, built by cargo as an author builds one (`tests/fixture`). Broken ones are C, since
//! Rust cannot be made to break the rules by accident.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod at_work;
mod broken;
#[path = "../fixture/src/wayward.rs"]
mod compiled_in;
mod fixture;
mod isolated;
mod refused;

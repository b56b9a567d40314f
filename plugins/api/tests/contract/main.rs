//! The plugin contract: its bytes, its checks, and the way from the laboratory's view to a decision and back.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod bytes;
mod check;
mod example;
mod header;
mod kinds;
mod lab;
mod method;
mod receptionist;
mod submissions;
mod vectors;
mod volunteers;

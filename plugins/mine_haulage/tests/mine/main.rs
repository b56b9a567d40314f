//! The mine by its public surface.

mod common;
mod scenarios;

//! The null agent: does nothing. What a seat is worth shows against this one.

use labtrust_plugin::lab::{AgentContext, AgentPolicy, Decision};

/// Does nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct NullAgent;

impl AgentPolicy for NullAgent {
    fn decide(&mut self, _ctx: &mut AgentContext<'_>) -> Option<Decision> {
        None
    }
}

//! The null agent: does nothing. What a seat is worth shows against this one.

use labtrust_plugin::lab::{AgentContext, AgentPolicy, Decision};
use labtrust_plugin::{AgentSet, Vacancy};

/// Does nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct NullAgent;

impl AgentPolicy for NullAgent {
    fn decide(&mut self, _ctx: &mut AgentContext<'_>) -> Option<Decision> {
        None
    }
}

/// Null agents in all seats.
struct NullSet;

labtrust_plugin::register_plugin!(AgentSet, NullSet);

impl AgentSet for NullSet {
    fn id(&self) -> &'static str {
        "null"
    }

    fn baseline_id(&self) -> Option<&'static str> {
        Some("null_v1")
    }

    fn policy(&self, _vacancy: &Vacancy<'_>) -> Option<Box<dyn AgentPolicy>> {
        Some(Box::new(NullAgent))
    }
}

/// The task's own agents: the set that changes nothing.
struct ScriptedSet;

labtrust_plugin::register_plugin!(AgentSet, ScriptedSet);

impl AgentSet for ScriptedSet {
    fn id(&self) -> &'static str {
        "scripted"
    }

    fn policy(&self, _vacancy: &Vacancy<'_>) -> Option<Box<dyn AgentPolicy>> {
        None
    }
}

//! What directs agents and is a file of its own, whichever way it is carried: a coordination method, or an agent policy.

use crate::Carrier;
use crate::agent::Team;
use crate::conversation::Conversation;
use crate::guard::{Guard, OnTrap, OnTrapError, Policy, Worker};
use crate::schema::{Schema, SchemaError};
use labtrust_plugin::Origin;
use labtrust_plugin::agent;
use labtrust_plugin::method::{CoordinationMethod, Coordinator};
use labtrust_plugin::wire::{Create, Decision, Observation, Problem, Settings, Site, encode, encode_into};
use std::sync::Arc;

/// A loaded method or agent policy, with what is done when it fails. An agent policy is a team: each agent has an instance
/// of its own, and what one of them fails with the team fails with.
#[derive(Clone)]
pub struct LoadedMethod {
    carrier: Arc<dyn Carrier>,
    schema: Arc<Schema>,
    on_trap: OnTrap,
    fallback: Option<&'static dyn CoordinationMethod>,
}

impl LoadedMethod {
    /// The method of a plugin of the kind `coordination-method` or `agent-policy`. Its failures end the episode.
    ///
    /// # Errors
    /// [`SchemaError`] when what it says of its parameters is no JSON Schema.
    pub fn new(carrier: Arc<dyn Carrier>) -> Result<Self, SchemaError> {
        let schema = Arc::new(Schema::new(&carrier.manifest().params_schema)?);
        Ok(Self { carrier, schema, on_trap: OnTrap::EndEpisode, fallback: None })
    }

    /// The same with another way to deal with failures. `fallback` is the method that [`OnTrap::Fallback`] names.
    ///
    /// # Errors
    /// [`OnTrapError::OtherFallback`] when it is another.
    pub fn on_trap(
        mut self,
        on_trap: OnTrap,
        fallback: Option<&'static dyn CoordinationMethod>,
    ) -> Result<Self, OnTrapError> {
        on_trap.check_fallback(fallback.map(|method| method.id()))?;
        (self.on_trap, self.fallback) = (on_trap, fallback);
        Ok(self)
    }
}

impl CoordinationMethod for LoadedMethod {
    fn id(&self) -> &str {
        &self.carrier.manifest().id
    }

    fn summary(&self) -> &str {
        &self.carrier.manifest().summary
    }

    fn params_schema(&self) -> String {
        self.carrier.manifest().params_schema.clone()
    }

    fn origin(&self) -> Option<&Origin> {
        Some(self.carrier.origin())
    }

    fn create(&self, settings: &Settings, site: &Site) -> Result<Box<dyn Coordinator>, Problem> {
        self.schema.check(settings)?;
        let policy = Policy::new(&self.on_trap, self.fallback, site)?;
        if self.carrier.manifest().kind == agent::KIND {
            let team = Team::begin(&self.carrier, settings, site)?;
            return Ok(Box::new(Guard::new(team, policy, site.clone())));
        }
        let create = encode(&Create { settings: settings.clone(), site: site.clone() });
        let conversation = Conversation::begin(self.carrier.clone(), create)?;
        Ok(Box::new(Guard::new(AtWork { conversation, request: Vec::new() }, policy, site.clone())))
    }
}

/// A method in its episode.
struct AtWork {
    conversation: Conversation,
    /// Bytes of the newest observation, in reused memory.
    request: Vec<u8>,
}

impl Worker for AtWork {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> (u64, Result<(), String>) {
        self.request.clear();
        encode_into(seen, &mut self.request);
        let decided = self.conversation.ask(&self.request);
        (self.conversation.fuel(), decided.map(|decision| *out = decision).map_err(|failure| failure.to_string()))
    }

    fn restart(&mut self) -> Result<(), String> {
        self.conversation.restart().map_err(|failure| failure.to_string())
    }
}

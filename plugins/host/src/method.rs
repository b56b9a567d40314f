//! A coordination method that is a file of its own, whichever way it is carried.

use crate::guard::{Guard, OnTrap, OnTrapError, Policy, Worker};
use crate::schema::{Schema, SchemaError};
use crate::{Carrier, Failure, Instance};
use labtrust_plugin::Origin;
use labtrust_plugin::method::{CoordinationMethod, Coordinator};
use labtrust_plugin::wire::{
    Create, CreateReply, DecideReply, Decision, Observation, Problem, Settings, Site, decode, encode, encode_into,
};
use std::sync::Arc;

/// A loaded method, with what is done when it fails.
#[derive(Clone)]
pub struct LoadedMethod {
    carrier: Arc<dyn Carrier>,
    schema: Arc<Schema>,
    on_trap: OnTrap,
    fallback: Option<&'static dyn CoordinationMethod>,
}

impl LoadedMethod {
    /// The method of a plugin. Its failures end the episode.
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
        if let OnTrap::Fallback(wanted) = &on_trap {
            let given = fallback.map_or("none", |method| method.id());
            if given != wanted {
                return Err(OnTrapError::OtherFallback { wanted: wanted.clone(), given: given.to_owned() });
            }
        }
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
        let create = encode(&Create { settings: settings.clone(), site: site.clone() });
        let policy = Policy::new(&self.on_trap, self.fallback, site)?;
        let mut at_work =
            AtWork { carrier: self.carrier.clone(), create, instance: None, request: vec![], reply: vec![] };
        at_work.begin()?;
        Ok(Box::new(Guard::new(at_work, policy, site.clone())))
    }
}

/// An instance in its episode, and what it takes to make it anew.
struct AtWork {
    carrier: Arc<dyn Carrier>,
    /// Bytes that begin the episode.
    create: Vec<u8>,
    /// None after it could not be made anew.
    instance: Option<Box<dyn Instance>>,
    /// Bytes of the newest observation and of the answer to it, in reused memory.
    request: Vec<u8>,
    reply: Vec<u8>,
}

impl AtWork {
    /// A fresh instance that has been told where it works: it cannot know of an earlier episode.
    fn begin(&mut self) -> Result<(), Failure> {
        self.instance = None;
        let mut instance = self.carrier.instance()?;
        instance.create(&self.create, &mut self.reply)?;
        decode::<CreateReply>(&self.reply)?.map_err(Failure::reported)?;
        self.instance = Some(instance);
        Ok(())
    }

    fn decided(&mut self, seen: &Observation) -> Result<Decision, Failure> {
        let Some(instance) = &mut self.instance else {
            return Err(Failure::Problem(Problem::new("it could not be made anew")));
        };
        self.request.clear();
        encode_into(seen, &mut self.request);
        instance.decide(&self.request, &mut self.reply)?;
        decode::<DecideReply>(&self.reply)?.map_err(Failure::reported)
    }
}

impl Worker for AtWork {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> (u64, Result<(), String>) {
        let decided = self.decided(seen);
        let fuel = self.instance.as_ref().and_then(|instance| instance.fuel()).unwrap_or(0);
        (fuel, decided.map(|decision| *out = decision).map_err(|failure| failure.to_string()))
    }

    fn restart(&mut self) -> Result<(), String> {
        self.begin().map_err(|failure| failure.to_string())
    }
}

//! One conversation of the contract with a loaded plugin, whichever its kind: the same for all that are asked.

use crate::{Carrier, Failure, Instance};
use labtrust_plugin::wire::{CreateReply, Problem, decode};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// An instance at work, and what it takes to make it anew.
pub(crate) struct Conversation {
    carrier: Arc<dyn Carrier>,
    /// Bytes that begin it.
    create: Vec<u8>,
    /// None after it could not be made anew.
    instance: Option<Box<dyn Instance>>,
    /// Bytes of the newest answer, in reused memory.
    reply: Vec<u8>,
}

impl Conversation {
    /// A fresh instance that has been told where it works: it cannot know of an earlier one.
    pub(crate) fn begin(carrier: Arc<dyn Carrier>, create: Vec<u8>) -> Result<Self, Failure> {
        let mut conversation = Self { carrier, create, instance: None, reply: Vec::new() };
        conversation.restart()?;
        Ok(conversation)
    }

    /// Forgets everything: as at the beginning.
    pub(crate) fn restart(&mut self) -> Result<(), Failure> {
        self.instance = None;
        let mut instance = self.carrier.instance()?;
        instance.create(&self.create, &mut self.reply)?;
        decode::<CreateReply>(&self.reply)?.map_err(Failure::reported)?;
        self.instance = Some(instance);
        Ok(())
    }

    /// Asks for a decision. `request` holds the bytes of a message of the plugin's kind, `T` is what it answers with.
    pub(crate) fn ask<T: DeserializeOwned>(&mut self, request: &[u8]) -> Result<T, Failure> {
        let Some(instance) = &mut self.instance else {
            return Err(Failure::Problem(Problem::new("it could not be made anew")));
        };
        instance.decide(request, &mut self.reply)?;
        decode::<Result<T, Problem>>(&self.reply)?.map_err(Failure::reported)
    }

    /// What the newest question took [fuel].
    pub(crate) fn fuel(&self) -> u64 {
        self.instance.as_ref().and_then(|instance| instance.fuel()).unwrap_or(0)
    }
}

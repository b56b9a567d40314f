//! The author's side of a method that is a file of its own: bytes in, bytes out.
//!
//! [`Speaker`] turns messages into calls of a [`Method`] and the answers into messages. A carrier adds only
//! how the bytes get in and out: [`wasm`] for WebAssembly.

#[cfg(feature = "wasm")]
pub mod wasm;

use crate::method::{Method, manifest};
use crate::params::Params;
use crate::wire::{
    Create, CreateReply, DecideReply, Decision, Observation, Problem, ProblemKind, Site, WireError, decode, encode,
};

/// A method behind the contract.
pub struct Speaker<M> {
    at_work: Option<(M, Site)>,
}

impl<M> Default for Speaker<M> {
    fn default() -> Self {
        Self::NEW
    }
}

impl<M> Speaker<M> {
    /// Nobody at work yet.
    pub const NEW: Self = Self { at_work: None };
}

impl<M: Method> Speaker<M> {
    /// The bytes of the method's manifest.
    #[must_use]
    pub fn manifest(version: &str) -> Vec<u8> {
        encode(&manifest::<M>(version))
    }

    /// Answers the bytes of a [`Create`] with those of a [`CreateReply`]. A method that was at work is gone.
    pub fn create(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.at_work = None;
        let reply: CreateReply = decode::<Create>(bytes).map_err(unreadable).and_then(|Create { settings, site }| {
            let method = M::new(M::Params::read(&settings)?, &site)?;
            self.at_work = Some((method, site));
            Ok(())
        });
        encode(&reply)
    }

    /// Answers the bytes of an [`Observation`] with those of a [`DecideReply`].
    pub fn decide(&mut self, bytes: &[u8]) -> Vec<u8> {
        encode(&self.decided(bytes))
    }

    fn decided(&mut self, bytes: &[u8]) -> DecideReply {
        let (method, site) =
            self.at_work.as_mut().ok_or_else(|| Problem::of_kind(ProblemKind::Message, "nothing was created yet"))?;
        let seen: Observation = decode(bytes).map_err(unreadable)?;
        // Once for all: a method may use places without looking twice.
        seen.check(site).map_err(unreadable)?;
        let mut decision = Decision::default();
        method.decide(&seen, &mut decision)?;
        Ok(decision)
    }
}

fn unreadable(error: WireError) -> Problem {
    Problem::of_kind(ProblemKind::Message, error.to_string())
}

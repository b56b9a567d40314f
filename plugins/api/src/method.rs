//! Coordination methods: one mind for many agents.
//!
//! An author writes a [`Method`]: parameters, a constructor, and a decision for each step. The same source is compiled
//! in (`register_method!`) or becomes a file of its own (`export_native!`, `export_wasm!`); the program sees a
//! [`CoordinationMethod`] either way, makes a [`Coordinator`] of it for every episode, and cannot tell the two apart by
//! what they decide.

use crate::Origin;
use crate::params::Params;
use crate::sdk::{Answering, Begun, Spoken, unreadable};
use crate::wire::{Create, DecideReply, Decision, Manifest, Observation, Problem, Settings, Site, decode, encode};
use std::marker::PhantomData;

/// Name of this kind of plugin.
pub const KIND: &str = "coordination-method";

/// What there is to know about a method before it is chosen: where it belongs, what it costs, where it comes from.
///
/// Of what is compiled in only; a file says the same in its documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodCard {
    /// Its family: `centralized`, `hierarchical`, `market`, `decentralized`, `swarm`, `learning`.
    pub class: &'static str,
    /// What a decision costs, in N agents, W open jobs and so on: `O(N + W log W)`.
    pub complexity: &'static str,
    /// Who described it: author, year, place.
    pub source: &'static str,
    /// The idea that makes it what it is, and what `core=off` puts in its place.
    pub core: &'static str,
    /// For which sizes it is meant, and where it is weak.
    pub envelope: &'static str,
    /// Whether its agents send each other messages, so that a bad network changes what they do.
    pub uses_messages: bool,
}

/// A coordination method, as its author writes it.
///
/// It is a function of what it was given: its parameters, the site, and the observations so far. It has no clock, and
/// chance only from [`Site::seed`].
pub trait Method: Send + Sized + 'static {
    /// The id, `org.example.nearest`.
    const ID: &'static str;
    /// What it does, in one sentence.
    const SUMMARY: &'static str;
    /// Its parameters; made with [`params!`](crate::params!).
    type Params: Params;
    /// Its card, for catalogues. Not part of what a file of its own says.
    const CARD: Option<MethodCard> = None;

    /// The method at the start of an episode.
    ///
    /// # Errors
    /// [`Problem`] when it cannot work with these parameters, or at this site.
    fn new(params: Self::Params, site: &Site) -> Result<Self, Problem>;

    /// What the agents shall do now. `out` is empty; an agent that is not named does nothing.
    ///
    /// # Errors
    /// [`Problem`] when it cannot go on; what happens then is the study's choice.
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem>;
}

/// A method at work in one episode.
pub trait Coordinator: Send {
    /// What the agents shall do now. Clears `out` first.
    ///
    /// # Errors
    /// [`Problem`] when it cannot go on. `out` then holds nothing.
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem>;

    /// What the method did so far, for the metrics. A method that is compiled in has nothing to tell.
    fn tally(&self) -> Tally {
        Tally::default()
    }
}

/// What is counted of a method that is a file of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Decisions that were asked for [count].
    pub decisions: u64,
    /// Decisions that it did not give: traps, problems, unreadable answers [count].
    pub failures: u64,
    /// Fuel that it used, summed over its decisions [fuel].
    pub fuel: u64,
    /// Most fuel of one decision [fuel].
    pub fuel_max: u64,
    /// What went wrong first.
    pub first_failure: Option<String>,
}

/// A coordination method, however it is carried.
pub trait CoordinationMethod: Send + Sync {
    /// The id.
    fn id(&self) -> &str;

    /// What it does, in one sentence.
    fn summary(&self) -> &str;

    /// JSON Schema of its parameters, as text.
    fn params_schema(&self) -> String;

    /// Its card, if it has one.
    fn card(&self) -> Option<MethodCard> {
        None
    }

    /// The file that it comes from; none of a method that is compiled in.
    fn origin(&self) -> Option<&Origin> {
        None
    }

    /// The method at the start of an episode.
    ///
    /// # Errors
    /// [`Problem`] when it cannot work with these parameters, or at this site.
    fn create(&self, settings: &Settings, site: &Site) -> Result<Box<dyn Coordinator>, Problem>;
}

/// A [`Method`] that is compiled in.
pub struct Compiled<M>(PhantomData<fn() -> M>);

impl<M> Compiled<M> {
    /// The method, for the registry.
    pub const NEW: Self = Self(PhantomData);
}

impl<M: Method> CoordinationMethod for Compiled<M> {
    fn id(&self) -> &str {
        M::ID
    }

    fn summary(&self) -> &str {
        M::SUMMARY
    }

    fn params_schema(&self) -> String {
        M::Params::schema()
    }

    fn card(&self) -> Option<MethodCard> {
        M::CARD
    }

    fn create(&self, settings: &Settings, site: &Site) -> Result<Box<dyn Coordinator>, Problem> {
        let method = M::new(M::Params::read(settings)?, site)?;
        Ok(Box::new(AtWork(method)))
    }
}

/// A compiled-in method in one episode.
struct AtWork<M>(M);

impl<M: Method> Coordinator for AtWork<M> {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        out.choices.clear();
        self.0.decide(seen, out).inspect_err(|_| out.choices.clear())
    }
}

/// Keeps methods apart from other kinds where the compiler looks for what a file speaks ([`Spoken`]).
pub enum Kind {}

impl<M: Method> Spoken<Kind> for M {
    fn manifest(version: &str) -> Manifest {
        Manifest::ours(KIND, M::ID, version, M::SUMMARY, M::Params::schema())
    }

    fn begin(request: &[u8]) -> Begun {
        let Create { settings, site } = decode(request).map_err(unreadable)?;
        let method = M::new(M::Params::read(&settings)?, &site)?;
        Ok(Box::new(Spoke { method, site, seen: Observation::default() }))
    }
}

/// A method in one episode that is told of it in messages.
struct Spoke<M> {
    method: M,
    site: Site,
    seen: Observation,
}

impl<M: Method> Spoke<M> {
    fn decided(&mut self, request: &[u8]) -> DecideReply {
        let Self { method, site, seen } = self;
        seen.read_from(request).map_err(unreadable)?;
        // Once for all: a method may use places without looking twice.
        seen.check(site).map_err(unreadable)?;
        let mut decision = Decision::default();
        method.decide(seen, &mut decision)?;
        Ok(decision)
    }
}

impl<M: Method> Answering for Spoke<M> {
    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        encode(&self.decided(request))
    }
}

/// Registers a compiled-in method: `register_method!(EarliestDue);` beside the type.
#[cfg(feature = "compiled-in")]
#[macro_export]
macro_rules! register_method {
    ($method:ty) => {
        $crate::register_plugin!(CoordinationMethod, $crate::method::Compiled::<$method>::NEW);
    };
}

//! Coordination methods: one mind for many agents.
//!
//! An author writes a [`Method`]: parameters, a constructor, and a decision for each step. The same source is compiled
//! in (`register_method!`) or becomes a file of its own (`export_native!`, `export_wasm!`); the program sees a
//! [`CoordinationMethod`] either way, makes a [`Coordinator`] of it for every episode, and cannot tell the two apart by
//! what they decide.

mod evidence;
mod submissions;

pub use evidence::{Evidence, EvidenceKind};
pub use submissions::{Combined, Submission, Submitting, combine};

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

/// One figure of what a method tells of itself. Whole numbers, so that files of their own need no floats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figure {
    /// A count.
    Count(u64),
    /// A number with so many decimal places: (1234, 2) is 12.34.
    Decimal(i64, u8),
    /// A text: an id, a hash.
    Text(String),
    /// Counts by name: rejections by reason code.
    By(std::collections::BTreeMap<String, u64>),
}

/// What a method tells of itself: blocks of figures that stand beside `coordination.method` in the metrics of an episode, `comm` for
/// instance. `method` itself is the program's.
pub type Told = std::collections::BTreeMap<&'static str, std::collections::BTreeMap<&'static str, Figure>>;

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

    /// The method at the start of an episode at a site that is like the one this is for but for its seed: what there is to
    /// know of the place may be shared. Of what is compiled in only.
    ///
    /// # Errors
    /// As [`Method::new`].
    fn beside(&self, params: Self::Params, site: &Site) -> Result<Self, Problem> {
        Self::new(params, site)
    }

    /// What the agents shall do now. `out` is empty; an agent that is not named does nothing.
    ///
    /// # Errors
    /// [`Problem`] when it cannot go on; what happens then is the study's choice.
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem>;

    /// What it cannot do without and these parameters do not name: a file of weights. A table of methods then says so in place
    /// of figures. Asked of what is compiled in only.
    fn lacks(params: &Self::Params) -> Option<String> {
        let _ = params;
        None
    }

    /// Where it wants to be told, before each decision, what learners see of the step; `None` of a method that reads its
    /// observation only, as all others do. Asked of what is compiled in only.
    #[cfg(feature = "compiled-in")]
    fn rows(&mut self) -> Option<&mut crate::lab::contract::Rows> {
        None
    }

    /// Nothing is asked of it for a while, and there are very many of it: it may give memory back whose content it can
    /// make again. What it decides does not change. Asked of what is compiled in only.
    fn rest(&mut self) {}

    /// What it wants on record beside its newest decision; asked for only where [`Site::telemetry`] is set. Not part of
    /// what a file of its own says.
    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        let _ = out;
    }

    /// What it has to tell of itself so far: messages, for instance. Heard of what is compiled in only.
    fn told(&self) -> Told {
        Told::new()
    }

    /// Puts somebody on the wire, who stays for the episode; whether there is a network. Asked of what is compiled in only.
    #[cfg(feature = "compiled-in")]
    fn tap(&mut self, tap: crate::SharedTap) -> bool {
        let _ = tap;
        false
    }

    /// Directed agents to whom something was sent in the newest step and who believed nothing of it, places in
    /// [`Site::agents`] in rising order. Kept only while somebody is on the wire or the network is not perfect; else empty.
    fn unreached(&self) -> &[u16] {
        &[]
    }
}

/// A method at work in one episode.
pub trait Coordinator: Send {
    /// Another of the same method and settings, at the start of an episode at a site that is like this one's but for its
    /// seed; it may share what there is to know of the place. `None` from one that has nothing to share.
    ///
    /// # Errors
    /// As [`CoordinationMethod::create`].
    fn beside(&self, settings: &Settings, site: &Site) -> Result<Option<Box<dyn Coordinator>>, Problem> {
        let _ = (settings, site);
        Ok(None)
    }

    /// What the agents shall do now. Clears `out` first.
    ///
    /// # Errors
    /// [`Problem`] when it cannot go on. `out` then holds nothing.
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem>;

    /// Nothing is asked of it for a while: it may give memory back whose content it can make again.
    fn rest(&mut self) {}

    /// Adds what the method wants on record beside its newest decision. Asked for only where [`Site::telemetry`] is set.
    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        let _ = out;
    }

    /// What the method did so far, for the metrics.
    fn tally(&self) -> Tally {
        Tally::default()
    }

    /// As [`Method::rows`]; a method that is a file of its own reads its observation.
    #[cfg(feature = "compiled-in")]
    fn rows(&mut self) -> Option<&mut crate::lab::contract::Rows> {
        None
    }

    /// As [`Method::tap`]; a method that is a file of its own has no network that could be tapped.
    #[cfg(feature = "compiled-in")]
    fn tap(&mut self, tap: crate::SharedTap) -> bool {
        let _ = tap;
        false
    }

    /// As [`Method::unreached`].
    fn unreached(&self) -> &[u16] {
        &[]
    }
}

/// What is counted of a method that is a file of its own, and what one that is compiled in tells of itself.
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
    /// What the method tells of itself.
    pub told: Told,
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

    /// As [`Method::lacks`]; nothing where the settings cannot be read, which [`CoordinationMethod::create`] tells.
    fn lacks(&self, settings: &Settings) -> Option<String> {
        let _ = settings;
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

    fn lacks(&self, settings: &Settings) -> Option<String> {
        M::lacks(&M::Params::read(settings).ok()?)
    }

    fn create(&self, settings: &Settings, site: &Site) -> Result<Box<dyn Coordinator>, Problem> {
        let method = M::new(M::Params::read(settings)?, site)?;
        Ok(Box::new(AtWork(method)))
    }
}

/// A compiled-in method in one episode.
struct AtWork<M>(M);

impl<M: Method> Coordinator for AtWork<M> {
    fn beside(&self, settings: &Settings, site: &Site) -> Result<Option<Box<dyn Coordinator>>, Problem> {
        let method = self.0.beside(M::Params::read(settings)?, site)?;
        Ok(Some(Box::new(Self(method))))
    }

    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        out.clear();
        self.0.decide(seen, out).inspect_err(|_| out.clear())
    }

    fn rest(&mut self) {
        self.0.rest();
    }

    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        self.0.evidence(out);
    }

    fn tally(&self) -> Tally {
        Tally { told: self.0.told(), ..Tally::default() }
    }

    #[cfg(feature = "compiled-in")]
    fn rows(&mut self) -> Option<&mut crate::lab::contract::Rows> {
        self.0.rows()
    }

    #[cfg(feature = "compiled-in")]
    fn tap(&mut self, tap: crate::SharedTap) -> bool {
        self.0.tap(tap)
    }

    fn unreached(&self) -> &[u16] {
        self.0.unreached()
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

//! The mine's vocabulary for extensions: a policy that says where empty trucks go.
//!
//! An author writes a [`Dispatch`]: parameters, a constructor, and a choice each time a truck stands empty. The same
//! source is compiled in (`register_dispatch!`) or becomes a file of its own (`export_wasm!`); the program sees a
//! [`DispatchPolicy`] either way, and makes a [`Dispatcher`] of it for every replication: a policy may keep state, and
//! none of it passes from one replication to another.

use crate::Origin;
use crate::method::Tally;
use crate::params::Params;
use crate::sdk::{Answering, Begun, Spoken, unreadable};
use crate::wire::mine::{CreateDispatch, DispatchReply};
use crate::wire::{Manifest, Problem, Settings, decode, encode};
use std::marker::PhantomData;

pub use crate::wire::mine::{
    DispatchRequest, DumpSite, LoaderId, LoaderOption, LoaderSite, MineSite, TruckId, TruckSite,
};

/// Name of this kind of plugin.
pub const KIND: &str = "mine-dispatch";

/// A dispatch policy, as its author writes it.
///
/// It is a function of what it was given: its parameters, the mine, and the requests so far. It has no clock, and
/// chance only from [`MineSite::seed`].
pub trait Dispatch: Send + Sized + 'static {
    /// The id, as scenarios name it: `org.example.shortest_wait`.
    const ID: &'static str;
    /// What it does, in one sentence.
    const SUMMARY: &'static str;
    /// Its parameters; made with [`params!`](crate::params!).
    type Params: Params;

    /// The policy at the start of a replication.
    ///
    /// # Errors
    /// [`Problem`] when it cannot work with these parameters, or in this mine.
    fn new(params: Self::Params, site: &MineSite) -> Result<Self, Problem>;

    /// The loader that the truck is sent to: one of those in the request, of which there is at least one.
    ///
    /// # Errors
    /// [`Problem`] when it cannot go on.
    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem>;
}

/// A dispatch policy at work in one replication.
pub trait Dispatcher: Send {
    /// The loader that the truck is sent to.
    ///
    /// # Errors
    /// [`Problem`] when it cannot go on: the study fails with it.
    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem>;

    /// What it did so far. A policy that is compiled in has nothing to tell.
    fn tally(&self) -> Tally {
        Tally::default()
    }
}

/// A dispatch policy, however it is carried.
pub trait DispatchPolicy: Send + Sync {
    /// The id, as scenarios name it.
    fn id(&self) -> &str;

    /// What it does, in one sentence.
    fn summary(&self) -> &str;

    /// JSON Schema of its parameters, as text.
    fn params_schema(&self) -> String;

    /// The file that it comes from; none of a policy that is compiled in.
    fn origin(&self) -> Option<&Origin> {
        None
    }

    /// The policy at the start of a replication.
    ///
    /// # Errors
    /// [`Problem`] when it cannot work with these parameters, or in this mine.
    fn dispatcher(&self, settings: &Settings, site: &MineSite) -> Result<Box<dyn Dispatcher + '_>, Problem>;
}

/// A [`Dispatch`] that is compiled in.
pub struct Compiled<D>(PhantomData<fn() -> D>);

impl<D> Compiled<D> {
    /// The policy, for the registry.
    pub const NEW: Self = Self(PhantomData);
}

impl<D: Dispatch> DispatchPolicy for Compiled<D> {
    fn id(&self) -> &str {
        D::ID
    }

    fn summary(&self) -> &str {
        D::SUMMARY
    }

    fn params_schema(&self) -> String {
        D::Params::schema()
    }

    fn dispatcher(&self, settings: &Settings, site: &MineSite) -> Result<Box<dyn Dispatcher + '_>, Problem> {
        Ok(Box::new(AtWork(D::new(D::Params::read(settings)?, site)?)))
    }
}

/// A compiled-in policy in one replication.
struct AtWork<D>(D);

impl<D: Dispatch> Dispatcher for AtWork<D> {
    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        self.0.choose(seen)
    }
}

/// Keeps policies apart from other kinds where the compiler looks for what a file speaks ([`Spoken`]).
pub enum Kind {}

impl<D: Dispatch> Spoken<Kind> for D {
    fn manifest(version: &str) -> Manifest {
        Manifest::ours(KIND, D::ID, version, D::SUMMARY, D::Params::schema())
    }

    fn begin(request: &[u8]) -> Begun {
        let CreateDispatch { settings, site } = decode(request).map_err(unreadable)?;
        let policy = D::new(D::Params::read(&settings)?, &site)?;
        Ok(Box::new(Spoke { policy, site }))
    }
}

/// A policy in one replication that is told of it in messages.
struct Spoke<D> {
    policy: D,
    site: MineSite,
}

impl<D: Dispatch> Spoke<D> {
    fn chosen(&mut self, request: &[u8]) -> DispatchReply {
        let seen: DispatchRequest = decode(request).map_err(unreadable)?;
        seen.check(&self.site).map_err(unreadable)?;
        self.policy.choose(&seen)
    }
}

impl<D: Dispatch> Answering for Spoke<D> {
    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        encode(&self.chosen(request))
    }
}

/// Registers a compiled-in dispatch policy: `register_dispatch!(ShortestQueue);` beside the type.
#[cfg(feature = "compiled-in")]
#[macro_export]
macro_rules! register_dispatch {
    ($policy:ty) => {
        $crate::register_plugin!(MineDispatch, $crate::mine::Compiled::<$policy>::NEW);
    };
}

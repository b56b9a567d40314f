//! The mine's vocabulary for extensions: what a dispatch policy sees, and what it answers.
//!
//! A policy is asked each time a truck stands empty and needs a loader. It sees one [`LoaderOption`] for every loader
//! that the truck can reach and come back from to the dump, ordered by id, in a slice that the simulation reuses: a
//! decision allocates nothing. A policy keeps no state, so one instance serves every replication on every thread.

use labtrust_kernel::{SimDuration, SimTime};

/// A truck: its place in the fleet, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TruckId(pub u16);

/// A loader: its place in the site's list, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoaderId(pub u16);

/// One loader that the truck may be sent to.
///
/// All lengths of time are expected values: nominal drives, and mean service times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoaderOption {
    /// Which loader.
    pub loader: LoaderId,
    /// Trucks that it loads at once [count], at least 1.
    pub capacity: u32,
    /// The empty drive from where the truck stands.
    pub travel: SimDuration,
    /// Loading one truck.
    pub load: SimDuration,
    /// The loaded drive from here to the dump point.
    pub haul: SimDuration,
    /// Dumping one truck.
    pub dump: SimDuration,
    /// Trucks being loaded [count].
    pub loading: u32,
    /// Trucks in the queue [count].
    pub waiting: u32,
    /// Trucks that were sent here and have not arrived [count].
    pub on_the_way: u32,
    /// Loading work that is promised already: a mean service for each truck that waits or is on its way, and for
    /// those being loaded what is left of theirs, none below zero. Work of one server; divide by the capacity.
    pub committed: SimDuration,
}

impl LoaderOption {
    /// Trucks that were sent here and are not loaded yet [count].
    #[must_use]
    pub const fn committed_trucks(&self) -> u32 {
        self.loading + self.waiting + self.on_the_way
    }

    /// The committed work, shared by the loader's servers: when the loader would be free for one more.
    #[must_use]
    pub const fn backlog(&self) -> SimDuration {
        SimDuration::from_nanos(self.committed.as_nanos() / self.capacity as u64)
    }

    /// A whole cycle over this loader with nobody else about: drive, load, haul, dump.
    #[must_use]
    pub const fn undisturbed_cycle(&self) -> SimDuration {
        self.travel.saturating_add(self.load).saturating_add(self.haul).saturating_add(self.dump)
    }

    /// The choice of this loader.
    #[must_use]
    pub const fn choose(&self) -> LoaderChoice {
        LoaderChoice(self.loader)
    }
}

/// What a policy sees when a truck needs a loader.
#[derive(Clone, Copy, Debug)]
pub struct DispatchView<'a> {
    /// The time.
    pub now: SimTime,
    /// The truck that is sent.
    pub truck: TruckId,
    /// Trucks in the fleet [count].
    pub fleet: u16,
    /// The loaders it may be sent to, ordered by id; at least one.
    pub loaders: &'a [LoaderOption],
}

impl DispatchView<'_> {
    /// The loader with the least `cost`; of equal ones the one with the shortest undisturbed cycle, of those the one
    /// with the lowest id. Policies that differ only in their cost differ only in one line.
    ///
    /// # Panics
    /// When there is no loader to choose from, which a simulation never asks about.
    pub fn least<C: Ord>(&self, mut cost: impl FnMut(&LoaderOption) -> C) -> LoaderChoice {
        self.loaders
            .iter()
            .min_by_key(|option| (cost(option), option.undisturbed_cycle(), option.loader))
            .expect("a decision has at least one loader to choose from")
            .choose()
    }
}

/// A policy's answer. Made by [`LoaderOption::choose`], so that it names a loader that was on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoaderChoice(LoaderId);

impl LoaderChoice {
    /// The loader.
    #[must_use]
    pub const fn loader(self) -> LoaderId {
        self.0
    }
}

/// Where empty trucks are sent, registered under its id.
pub trait DispatchPolicy: Send + Sync {
    /// The id, as scenarios name it.
    fn id(&self) -> &'static str;

    /// What it does, in one sentence.
    fn summary(&self) -> &'static str;

    /// Chooses a loader. A function of the view only: the same view gives the same choice.
    fn choose(&self, view: &DispatchView<'_>) -> LoaderChoice;
}

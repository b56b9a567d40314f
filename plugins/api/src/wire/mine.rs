//! Sending trucks: what a dispatch policy of a mine is told, what it is asked, and what it answers.
//!
//! A policy is asked each time a truck stands empty and needs a loader. Lengths of time are expected values: nominal
//! drives and mean service times, in whole nanoseconds, the unit of the simulation.

use super::{Problem, ProblemKind, Settings, WireError};
use serde::{Deserialize, Serialize};

/// A truck: its place in [`MineSite::trucks`], from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TruckId(pub u16);

/// A loader: its place in [`MineSite::loaders`], from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LoaderId(pub u16);

/// A truck of the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TruckSite {
    /// Its id.
    pub id: String,
    /// What it carries [kg].
    pub payload_kg: u64,
}

/// A loader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoaderSite {
    /// Its id.
    pub id: String,
    /// Trucks that it loads at once [count], at least 1.
    pub capacity: u32,
}

/// The point where ore is dumped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpSite {
    /// Its id.
    pub id: String,
    /// Trucks that dump at once [count], at least 1.
    pub capacity: u32,
}

/// The mine as it is for a whole replication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MineSite {
    /// The replication's seed, for a policy that needs chance.
    pub seed: u64,
    /// When the shift begins, what is before is warm-up [ns].
    pub begin_ns: u64,
    /// When it ends [ns].
    pub end_ns: u64,
    /// The fleet.
    pub trucks: Vec<TruckSite>,
    /// Loaders, those that take no part too.
    pub loaders: Vec<LoaderSite>,
    /// Where the ore goes.
    pub dump: DumpSite,
}

/// Begins a replication: the policy is made new, and knows of no other one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateDispatch {
    /// Its parameters, checked against its schema.
    pub settings: Settings,
    /// Where it works.
    pub site: MineSite,
}

/// One loader that the truck may be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoaderOption {
    /// Which loader.
    pub loader: LoaderId,
    /// Trucks that it loads at once [count], at least 1.
    pub capacity: u32,
    /// The empty drive from where the truck stands [ns].
    pub travel_ns: u64,
    /// Loading one truck [ns].
    pub load_ns: u64,
    /// The loaded drive from here to the dump point [ns].
    pub haul_ns: u64,
    /// Dumping one truck [ns].
    pub dump_ns: u64,
    /// Trucks being loaded [count].
    pub loading: u32,
    /// Trucks in the queue [count].
    pub waiting: u32,
    /// Trucks that were sent here and have not arrived [count].
    pub on_the_way: u32,
    /// Loading work that is promised already: a mean service for each truck that waits or is on its way, and for
    /// those being loaded what is left of theirs, none below zero. Work of one server; divide by the capacity [ns].
    pub committed_ns: u64,
}

impl LoaderOption {
    /// Trucks that were sent here and are not loaded yet [count].
    #[must_use]
    pub const fn committed_trucks(&self) -> u32 {
        self.loading.saturating_add(self.waiting).saturating_add(self.on_the_way)
    }

    /// The committed work, shared by the loader's servers: when the loader would be free for one more [ns].
    ///
    /// # Panics
    /// When the capacity is 0, which [`DispatchRequest::check`] refuses.
    #[must_use]
    pub const fn backlog_ns(&self) -> u64 {
        self.committed_ns / self.capacity as u64
    }

    /// A whole cycle over this loader with nobody else about: drive, load, haul, dump [ns].
    #[must_use]
    pub const fn undisturbed_cycle_ns(&self) -> u64 {
        self.travel_ns.saturating_add(self.load_ns).saturating_add(self.haul_ns).saturating_add(self.dump_ns)
    }
}

/// A truck needs a loader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchRequest {
    /// Now [ns].
    pub now_ns: u64,
    /// The truck.
    pub truck: TruckId,
    /// The loaders that it can reach and come back from to the dump point, ordered by id; at least one.
    pub loaders: Vec<LoaderOption>,
}

impl DispatchRequest {
    /// The loader with the least `cost`; of equal ones the one with the shortest undisturbed cycle, of those the one
    /// with the lowest id. Policies that differ only in their cost differ only in one line.
    ///
    /// # Panics
    /// When there is no loader to choose from, which [`DispatchRequest::check`] refuses.
    pub fn least<C: Ord>(&self, mut cost: impl FnMut(&LoaderOption) -> C) -> LoaderId {
        let least = self.loaders.iter().min_by_key(|it| (cost(it), it.undisturbed_cycle_ns(), it.loader));
        least.expect("a decision has at least one loader to choose from").loader
    }

    /// Whether it is about a truck and loaders of `site`, and can be answered.
    ///
    /// # Errors
    /// [`WireError::Ragged`] with the field that is wrong.
    pub fn check(&self, site: &MineSite) -> Result<(), WireError> {
        let there = |loader: LoaderId| usize::from(loader.0) < site.loaders.len();
        let ascending = self.loaders.is_sorted_by(|one, next| one.loader < next.loader);
        if usize::from(self.truck.0) >= site.trucks.len() {
            return Err(WireError::Ragged { column: "truck" });
        }
        if self.loaders.is_empty() || !ascending || !self.loaders.iter().all(|it| there(it.loader) && it.capacity > 0) {
            return Err(WireError::Ragged { column: "loaders" });
        }
        Ok(())
    }

    /// Whether `chosen` is on offer. The same for all carriers: a policy is not judged by how it is carried.
    ///
    /// # Errors
    /// [`ProblemKind::Decision`], naming the loader, and those that the truck may be sent to.
    pub fn on_offer(&self, chosen: LoaderId) -> Result<(), Problem> {
        if self.loaders.iter().any(|option| option.loader == chosen) {
            return Ok(());
        }
        let places: Vec<String> = self.loaders.iter().map(|option| option.loader.0.to_string()).collect();
        let (chosen, truck, places) = (chosen.0, self.truck.0, places.join(", "));
        let message = format!("it chose loader {chosen}, and truck {truck} can be sent to one of [{places}]");
        Err(Problem::of_kind(ProblemKind::Decision, message))
    }
}

/// Answer to a [`DispatchRequest`]: one of its loaders.
pub type DispatchReply = Result<LoaderId, Problem>;

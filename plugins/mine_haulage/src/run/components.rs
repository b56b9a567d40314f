//! What the entities of a mine are made of.
//!
//! A truck is a [`Journey`], its [`Draws`] and its [`Ledger`]. A loader, a dump point and a road is a [`Server`] with
//! a component that says which one it is. Queues hold entities.

use crate::account::{Account, Activity, TruckAccount};
use crate::model::{RoadId, RouteId};
use crate::site::{LoaderId, NodeId, TruckId};
use bevy_ecs::component::Component;
use bevy_ecs::entity::Entity;
use labtrust_kernel::{SimTime, Stream};
use std::collections::VecDeque;

/// Where a truck is and where it goes.
#[derive(Component, Debug)]
pub(crate) struct Journey {
    pub truck: TruckId,
    /// Where it stands; on a road, where that begins.
    pub node: NodeId,
    /// The way that it is on, and the roads of it that are behind.
    pub route: RouteId,
    pub step: u16,
    /// Where it is sent, or came from with its load.
    pub loader: LoaderId,
    pub loaded: bool,
    /// It stands empty and has not been sent anywhere.
    pub idle: bool,
    pub activity: Activity,
    /// Since when it does that.
    pub since: SimTime,
    /// When it was sent.
    pub dispatched: SimTime,
}

/// A truck's random numbers, one stream for each purpose.
#[derive(Component, Debug)]
pub(crate) struct Draws {
    pub travel: Stream,
    pub load: Stream,
    pub dump: Stream,
}

/// A truck's book.
#[derive(Component, Debug, Default)]
pub(crate) struct Ledger {
    pub account: TruckAccount,
}

/// A resource that trucks hold for a time and queue for.
#[derive(Component, Debug)]
pub(crate) struct Server {
    /// Trucks that it serves at once; `u32::MAX` is no limit.
    pub capacity: u32,
    pub in_service: u32,
    /// Sum of the moments at which those in service started [ns].
    pub started_ns: u64,
    /// Trucks that were sent here and have not arrived [count]. They are sent to loaders only.
    pub on_the_way: u32,
    /// In the order of arrival; of trucks that arrive together, of ids.
    pub waiting: VecDeque<Entity>,
    /// When the state changed last.
    pub changed: SimTime,
    pub account: Account,
}

/// A loader.
#[derive(Component, Debug)]
pub(crate) struct Loader {
    pub loader: LoaderId,
}

/// The dump point that takes the ore.
#[derive(Component, Debug)]
pub(crate) struct DumpPoint;

/// A road.
#[derive(Component, Debug)]
pub(crate) struct Road {
    pub road: RoadId,
}

impl Server {
    /// Nobody inside; a queue that holds all trucks without growing where one can form.
    pub(crate) fn new(capacity: Option<u32>, trucks: usize) -> Self {
        Self {
            capacity: capacity.unwrap_or(u32::MAX),
            in_service: 0,
            started_ns: 0,
            on_the_way: 0,
            waiting: if capacity.is_some() { VecDeque::with_capacity(trucks) } else { VecDeque::new() },
            changed: SimTime::ZERO,
            account: Account::default(),
        }
    }

    /// Trucks in the queue.
    pub(crate) fn queue(&self) -> u32 {
        self.waiting.len() as u32
    }

    pub(crate) const fn has_room(&self) -> bool {
        self.in_service < self.capacity
    }

    /// Brings the integrals up to `now`. Every change of state begins with this.
    #[inline]
    pub(crate) fn integrate(&mut self, now: SimTime) {
        let passed = now.saturating_since(self.changed).as_nanos();
        self.changed = now;
        self.account.busy_ns += passed * u64::from(self.in_service);
        self.account.queue_integral_ns += passed * u64::from(self.queue());
    }

    #[inline]
    pub(crate) fn start(&mut self, now: SimTime) {
        self.in_service += 1;
        self.started_ns += now.as_nanos();
        self.account.starts += 1;
    }

    #[inline]
    pub(crate) fn finish(&mut self, started: SimTime) {
        self.in_service -= 1;
        self.started_ns -= started.as_nanos();
        self.account.completions += 1;
    }

    #[inline]
    pub(crate) fn enqueue(&mut self, truck: Entity) {
        self.waiting.push_back(truck);
        self.account.waited += 1;
        self.account.max_queue = self.account.max_queue.max(self.queue());
    }

    /// The account, with those inside at the end.
    pub(crate) fn closed_account(&self) -> Account {
        Account { in_service_at_end: self.in_service, waiting_at_end: self.queue(), ..self.account }
    }

    /// Forgets the account; those inside begin anew at `now`.
    pub(crate) fn begin_account(&mut self, now: SimTime) {
        let (inside, waiting) = (u64::from(self.in_service), self.queue());
        self.changed = now;
        self.account = Account {
            arrivals: inside + u64::from(waiting),
            starts: inside,
            waited: u64::from(waiting),
            max_queue: waiting,
            ..Account::default()
        };
    }
}

//! World, calendar and streams in one hand, and the loop that runs a model over them.

use crate::{Calendar, Due, SimTime, Streams};
use bevy_ecs::world::World;

/// Events between two calls of [`World::clear_trackers`] [count].
///
/// A world outside of an application keeps sixteen bytes for every component that was ever removed until that call.
const EVENTS_PER_CLEAR: u32 = 4096;

/// What the events of a simulation do.
///
/// A model owns its kept `QueryState`s and its own streams; entities and resources live in the world.
pub trait Model {
    /// What can happen. Keep it small: an entity and a kind, not the data that the entity holds.
    type Event;

    /// Lets `event` happen at `at`, which is the calendar's [`Calendar::now`].
    fn handle(&mut self, event: Self::Event, at: SimTime, sim: &mut Simulation<Self::Event>);
}

/// The state of one run.
///
/// The three parts are independent, so they are open: a handler may hold a component of the world while it
/// schedules.
///
/// The world's change detection is cleared every few thousand events, so that memory stays flat. A system sees what
/// changed since *its own* last run whatever that does; [`bevy_ecs::lifecycle::RemovedComponents`] may miss removals.
#[derive(Debug)]
pub struct Simulation<E> {
    /// Entities, components and resources.
    pub world: World,
    /// What is going to happen, and the time.
    pub calendar: Calendar<E>,
    /// Random numbers by name.
    pub streams: Streams,
    events: u64,
    until_clear: u32,
}

impl<E> Simulation<E> {
    /// An empty world at the beginning of time, with the streams of `episode_seed`.
    #[must_use]
    pub fn new(episode_seed: u64) -> Self {
        Self {
            world: World::new(),
            calendar: Calendar::new(),
            streams: Streams::new(episode_seed),
            events: 0,
            until_clear: EVENTS_PER_CLEAR,
        }
    }

    /// Events that have happened in [`Simulation::step`], [`Simulation::run`] and [`Simulation::run_until`] [count].
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Lets the next event happen. `None` when there is none, else its time.
    pub fn step<M: Model<Event = E>>(&mut self, model: &mut M) -> Option<SimTime> {
        self.step_until(model, SimTime::MAX)
    }

    /// Lets events happen until none is left.
    pub fn run<M: Model<Event = E>>(&mut self, model: &mut M) {
        while self.step_until(model, SimTime::MAX).is_some() {}
    }

    /// Lets the events due at `until` and before happen, then moves the clock to `until` if it is not there yet.
    pub fn run_until<M: Model<Event = E>>(&mut self, model: &mut M, until: SimTime) {
        while self.step_until(model, until).is_some() {}
        if self.calendar.now() < until {
            self.calendar.advance_to(until).expect("what was due by then has happened");
        }
    }

    #[inline]
    fn step_until<M: Model<Event = E>>(&mut self, model: &mut M, limit: SimTime) -> Option<SimTime> {
        let Due { at, event, .. } = self.calendar.pop_until(limit)?;
        model.handle(event, at, self);
        self.events += 1;
        self.until_clear -= 1;
        if self.until_clear == 0 {
            self.until_clear = EVENTS_PER_CLEAR;
            self.world.clear_trackers();
        }
        Some(at)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventClass, SimDuration};
    use bevy_ecs::prelude::Component;

    #[derive(Component)]
    struct Visitor;

    /// Every second a visitor comes and the one before leaves.
    #[derive(Default)]
    struct Visits {
        at: Vec<SimTime>,
        last: Option<bevy_ecs::entity::Entity>,
    }

    impl Model for Visits {
        type Event = ();

        fn handle(&mut self, (): (), at: SimTime, sim: &mut Simulation<()>) {
            assert_eq!(at, sim.calendar.now());
            self.at.push(at);
            if let Some(visitor) = self.last.replace(sim.world.spawn(Visitor).id()) {
                sim.world.despawn(visitor);
            }
            let next = at.saturating_add(SimDuration::from_secs(1));
            sim.calendar.schedule(next, EventClass::default(), ()).unwrap();
        }
    }

    fn visits() -> Simulation<()> {
        let mut sim = Simulation::new(1);
        sim.calendar.schedule(SimTime::from_secs(1), EventClass::default(), ()).unwrap();
        sim
    }

    #[test]
    fn a_run_until_a_time_lets_happen_what_is_due_then_and_stops_there() {
        let (mut sim, mut model) = (visits(), Visits::default());
        sim.run_until(&mut model, SimTime::from_secs(3));
        assert_eq!(model.at, [1, 2, 3].map(SimTime::from_secs));
        sim.run_until(&mut model, SimTime::from_nanos(3_500_000_000));
        assert_eq!(sim.calendar.now(), SimTime::from_nanos(3_500_000_000));
        assert_eq!(sim.events(), 3);
        // A time that is over moves nothing.
        sim.run_until(&mut model, SimTime::from_secs(1));
        assert_eq!(sim.calendar.now(), SimTime::from_nanos(3_500_000_000));
    }

    #[test]
    fn a_step_is_one_event() {
        let (mut sim, mut model) = (visits(), Visits::default());
        assert_eq!(sim.step(&mut model), Some(SimTime::from_secs(1)));
        assert_eq!(model.at.len(), 1);
        sim.calendar.clear();
        assert_eq!(sim.step(&mut model), None);
    }

    #[test]
    fn a_run_ends_when_nothing_is_left_to_happen() {
        struct Countdown(u64);
        impl Model for Countdown {
            type Event = u64;
            fn handle(&mut self, left: u64, at: SimTime, sim: &mut Simulation<u64>) {
                self.0 += 1;
                if left > 0 {
                    sim.calendar.schedule(at, EventClass(0), left - 1).unwrap();
                }
            }
        }
        let (mut sim, mut model) = (Simulation::new(1), Countdown(0));
        sim.calendar.schedule(SimTime::ZERO, EventClass(0), 9).unwrap();
        sim.run(&mut model);
        assert_eq!((model.0, sim.events()), (10, 10));
    }

    #[test]
    fn the_record_of_removed_components_does_not_grow_with_the_run() {
        let (mut sim, mut model) = (visits(), Visits::default());
        let removed = |sim: &Simulation<()>| sim.world.removed::<Visitor>().count();
        for _ in 0..20 {
            for _ in 0..EVENTS_PER_CLEAR {
                sim.step(&mut model);
            }
            assert!(removed(&sim) <= 2 * EVENTS_PER_CLEAR as usize);
        }
    }
}

//! The hold model: N entities, each with one pending event that touches the entity and schedules its next.
//!
//! This is the inner loop of every long run. With [`Delays::Exponential`] entities come up in random order; with
//! [`Delays::Equal`] all of them come up at every whole second, in bursts of equal times.

use crate::Row;
use crate::baseline::Plain;
use bevy_ecs::prelude::{Component, Entity};
use labtrust_kernel::{EventClass, Model, SimDuration, SimTime, Simulation, Stream, Streams};

const MEAN: SimDuration = SimDuration::from_nanos(1_000_000_000);

/// How long until an entity's next event.
#[derive(Clone, Copy, Debug)]
pub enum Delays {
    /// Exponential with mean 1 s.
    Exponential,
    /// Exactly 1 s.
    Equal,
}

impl Delays {
    #[inline]
    fn draw(self, stream: &mut Stream) -> SimDuration {
        match self {
            Self::Exponential => stream.exp_duration(MEAN),
            Self::Equal => MEAN,
        }
    }
}

#[derive(Clone, Copy, Component, Debug, Default)]
struct State {
    count: u64,
    total: u64,
}

impl State {
    #[inline]
    fn touch(&mut self, now: u64) {
        self.count += 1;
        self.total = self.total.wrapping_add(now ^ self.count);
    }
}

#[expect(clippy::cast_precision_loss, reason = "equal sums stay equal")]
fn check(states: impl Iterator<Item = State>) -> f64 {
    states.fold(0_u64, |sum, state| sum.wrapping_mul(31).wrapping_add(state.total)) as f64
}

/// The loop with a binary heap and a vector.
#[derive(Debug)]
pub struct Bare {
    queue: Plain,
    stream: Stream,
    delays: Delays,
    states: Vec<State>,
}

impl Bare {
    /// `n` entities, each with its first event pending.
    #[must_use]
    pub fn new(n: u32, delays: Delays, seed: u64) -> Self {
        let mut stream = Streams::new(seed).stream("delays", "all");
        let mut queue = Plain::with_capacity(n as usize + 1);
        for id in 0..n {
            queue.push(delays.draw(&mut stream).as_nanos(), id);
        }
        Self { queue, stream, delays, states: vec![State::default(); n as usize] }
    }
}

impl Row for Bare {
    fn run(&mut self, events: u64) {
        for _ in 0..events {
            let Some((now, id)) = self.queue.pop() else { return };
            self.states[id as usize].touch(now);
            self.queue.push(now + self.delays.draw(&mut self.stream).as_nanos(), id);
        }
    }

    fn check(&self) -> f64 {
        check(self.states.iter().copied())
    }
}

/// The same on the kernel; the entities are entities.
#[derive(Debug)]
pub struct Kernel {
    sim: Simulation<Entity>,
    model: Hold,
    entities: Vec<Entity>,
}

#[derive(Debug)]
struct Hold {
    stream: Stream,
    delays: Delays,
}

impl Kernel {
    /// `n` entities, each with its first event pending.
    #[must_use]
    pub fn new(n: u32, delays: Delays, seed: u64) -> Self {
        let mut sim = Simulation::new(seed);
        let mut stream = sim.streams.stream("delays", "all");
        let entities: Vec<_> = sim.world.spawn_batch((0..n).map(|_| State::default())).collect();
        for &entity in &entities {
            let first = SimTime::ZERO.saturating_add(delays.draw(&mut stream));
            sim.calendar.schedule(first, EventClass(0), entity).expect("not in the past");
        }
        Self { sim, model: Hold { stream, delays }, entities }
    }
}

impl Model for Hold {
    type Event = Entity;

    #[inline]
    fn handle(&mut self, entity: Entity, now: SimTime, sim: &mut Simulation<Entity>) {
        sim.world.get_mut::<State>(entity).expect("entities stay").touch(now.as_nanos());
        let next = now.saturating_add(self.delays.draw(&mut self.stream));
        sim.calendar.schedule(next, EventClass(0), entity).expect("not in the past");
    }
}

impl Row for Kernel {
    fn run(&mut self, events: u64) {
        for _ in 0..events {
            self.sim.step(&mut self.model);
        }
    }

    fn check(&self) -> f64 {
        check(self.entities.iter().filter_map(|entity| self.sim.world.get::<State>(*entity).copied()))
    }
}

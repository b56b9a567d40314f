//! Time-outs that hardly ever fire: N entities, each with one work event (exponential, mean 1 s) and one time-out
//! 10 s ahead, which every work event sets again.
//!
//! This is what door timers, lease expiries and stability clocks do to a calendar. The check figure is the number of
//! time-outs that fired.

use crate::Row;
use crate::baseline::Indexed;
use bevy_ecs::prelude::{Component, Entity};
use labtrust_kernel::{EventClass, Handle, Model, SimDuration, SimTime, Simulation, Stream, Streams};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const MEAN: SimDuration = SimDuration::from_nanos(1_000_000_000);
const AHEAD: SimDuration = SimDuration::from_nanos(10_000_000_000);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    count: u64,
    total: u64,
}

impl State {
    #[inline]
    fn touch(&mut self, now: u64) {
        self.count += 1;
        self.total = self.total.wrapping_add(now);
    }
}

/// The loop with an indexed heap: the time-out's one entry is moved. Ids below N are work, the others time-outs.
#[derive(Debug)]
pub struct BareIndexed {
    queue: Indexed,
    stream: Stream,
    states: Vec<State>,
    fired: u64,
    entries: usize,
}

impl BareIndexed {
    /// `n` entities with both events pending.
    #[must_use]
    pub fn new(n: u32, seed: u64) -> Self {
        let mut stream = Streams::new(seed).stream("work", "all");
        let mut queue = Indexed::with_capacity(2 * n as usize);
        for id in 0..n {
            queue.push(stream.exp_duration(MEAN).as_nanos(), id);
            queue.push(AHEAD.as_nanos(), n + id);
        }
        Self { queue, stream, states: vec![State::default(); n as usize], fired: 0, entries: 0 }
    }
}

impl Row for BareIndexed {
    #[expect(clippy::cast_possible_truncation, reason = "made from a u32")]
    fn run(&mut self, events: u64) {
        let n = self.states.len() as u32;
        for _ in 0..events {
            let Some((now, id)) = self.queue.pop() else { return };
            if id >= n {
                self.fired += 1;
                self.queue.push(now + AHEAD.as_nanos(), id);
            } else {
                self.states[id as usize].touch(now);
                self.queue.push(now + self.stream.exp_duration(MEAN).as_nanos(), id);
                self.queue.change(now + AHEAD.as_nanos(), n + id);
            }
            self.entries = self.entries.max(self.queue.len());
        }
    }

    fn check(&self) -> f64 {
        self.fired as f64
    }

    fn entries_an_entity(&self) -> Option<f64> {
        Some(self.entries as f64 / self.states.len() as f64)
    }
}

/// The loop with a binary heap that skips stale entries, and is rebuilt when more than half of it is stale.
#[derive(Debug)]
pub struct BareCompacted {
    /// Due time [ns], sequence, id, generation.
    heap: BinaryHeap<Reverse<(u64, u64, u32, u32)>>,
    sequence: u64,
    stale: usize,
    generations: Vec<u32>,
    stream: Stream,
    states: Vec<State>,
    fired: u64,
    entries: usize,
}

impl BareCompacted {
    /// `n` entities with both events pending.
    #[must_use]
    pub fn new(n: u32, seed: u64) -> Self {
        let mut made = Self {
            heap: BinaryHeap::with_capacity(4 * n as usize),
            sequence: 0,
            stale: 0,
            generations: vec![0; n as usize],
            stream: Streams::new(seed).stream("work", "all"),
            states: vec![State::default(); n as usize],
            fired: 0,
            entries: 0,
        };
        for id in 0..n {
            let first = made.stream.exp_duration(MEAN).as_nanos();
            made.push(first, id, 0);
            made.push(AHEAD.as_nanos(), n + id, 0);
        }
        made
    }

    #[inline]
    fn push(&mut self, at: u64, id: u32, generation: u32) {
        self.heap.push(Reverse((at, self.sequence, id, generation)));
        self.sequence += 1;
    }
}

impl Row for BareCompacted {
    #[expect(clippy::cast_possible_truncation, reason = "made from a u32")]
    fn run(&mut self, events: u64) {
        let n = self.states.len() as u32;
        let mut happened = 0;
        while happened < events {
            let Some(Reverse((now, _, id, generation))) = self.heap.pop() else { return };
            let entity = (id % n) as usize;
            if id >= n {
                if generation != self.generations[entity] {
                    self.stale -= 1;
                    continue;
                }
                self.fired += 1;
            } else {
                self.states[entity].touch(now);
                let next = now + self.stream.exp_duration(MEAN).as_nanos();
                self.push(next, id, 0);
                self.stale += 1;
            }
            self.generations[entity] += 1;
            self.push(now + AHEAD.as_nanos(), n + id % n, self.generations[entity]);
            if self.stale > self.heap.len() / 2 {
                let generations = &self.generations;
                self.heap.retain(|Reverse((_, _, id, generation))| {
                    *id < n || *generation == generations[(*id - n) as usize]
                });
                self.stale = 0;
            }
            self.entries = self.entries.max(self.heap.len());
            happened += 1;
        }
    }

    fn check(&self) -> f64 {
        self.fired as f64
    }

    fn entries_an_entity(&self) -> Option<f64> {
        Some(self.entries as f64 / self.states.len() as f64)
    }
}

/// How a handler on the kernel sets a time-out again.
#[derive(Clone, Copy, Debug)]
pub enum SetAgain {
    /// By `Calendar::reschedule`.
    Reschedule,
    /// By `Calendar::cancel` and `Calendar::schedule`.
    CancelAndSchedule,
}

/// The same on the kernel; the handle of the time-out is kept in a component.
#[derive(Debug)]
pub struct Kernel {
    sim: Simulation<Event>,
    model: Timeouts,
    entries: usize,
    n: u32,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Work(Entity),
    Timeout(Entity),
}

#[derive(Component, Debug)]
struct Worker {
    state: State,
    timeout: Handle,
}

#[derive(Debug)]
struct Timeouts {
    stream: Stream,
    set_again: SetAgain,
    fired: u64,
}

impl Kernel {
    /// `n` entities with both events pending.
    #[must_use]
    pub fn new(n: u32, set_again: SetAgain, seed: u64) -> Self {
        let mut sim = Simulation::new(seed);
        let mut stream = sim.streams.stream("work", "all");
        for _ in 0..n {
            let entity = sim.world.spawn_empty().id();
            let first = SimTime::ZERO.saturating_add(stream.exp_duration(MEAN));
            sim.calendar.schedule(first, EventClass(0), Event::Work(entity)).expect("not in the past");
            let limit = SimTime::ZERO.saturating_add(AHEAD);
            let timeout = sim.calendar.schedule(limit, EventClass(0), Event::Timeout(entity)).expect("not in the past");
            sim.world.entity_mut(entity).insert(Worker { state: State::default(), timeout });
        }
        Self { sim, model: Timeouts { stream, set_again, fired: 0 }, entries: 0, n }
    }
}

impl Model for Timeouts {
    type Event = Event;

    #[inline]
    fn handle(&mut self, event: Event, now: SimTime, sim: &mut Simulation<Event>) {
        let limit = now.saturating_add(AHEAD);
        let entity = match event {
            Event::Work(entity) | Event::Timeout(entity) => entity,
        };
        let mut worker = sim.world.get_mut::<Worker>(entity).expect("entities stay");
        match (event, self.set_again) {
            (Event::Timeout(_), _) => {
                self.fired += 1;
                worker.timeout = sim.calendar.schedule(limit, EventClass(0), event).expect("not in the past");
                return;
            }
            (Event::Work(_), SetAgain::Reschedule) => {
                sim.calendar.reschedule(worker.timeout, limit).expect("the time-out is pending");
            }
            (Event::Work(_), SetAgain::CancelAndSchedule) => {
                sim.calendar.cancel(worker.timeout).expect("the time-out is pending");
                let timeout = Event::Timeout(entity);
                worker.timeout = sim.calendar.schedule(limit, EventClass(0), timeout).expect("not in the past");
            }
        }
        worker.state.touch(now.as_nanos());
        let next = now.saturating_add(self.stream.exp_duration(MEAN));
        sim.calendar.schedule(next, EventClass(0), event).expect("not in the past");
    }
}

impl Row for Kernel {
    fn run(&mut self, events: u64) {
        for _ in 0..events {
            self.sim.step(&mut self.model);
            self.entries = self.entries.max(self.sim.calendar.entries());
        }
    }

    fn check(&self) -> f64 {
        self.model.fired as f64
    }

    fn entries_an_entity(&self) -> Option<f64> {
        Some(self.entries as f64 / f64::from(self.n))
    }
}

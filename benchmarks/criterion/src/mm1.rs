//! One queue, one server, utilisation 0.9: the smallest model in which the kernel's own cost is nearly everything.
//!
//! An event is an arrival or a departure. The check figure is the mean time in the system [s]; theory says 10.

use crate::Row;
use crate::baseline::Plain;
use bevy_ecs::prelude::{Component, Entity};
use labtrust_kernel::{EventClass, Model, SimDuration, SimTime, Simulation, Stream, Streams};
use std::collections::VecDeque;

const GAP: SimDuration = SimDuration::from_nanos(1_111_111_111);
const SERVICE: SimDuration = SimDuration::from_nanos(1_000_000_000);

/// The loop with a binary heap and nothing around it.
#[derive(Debug)]
pub struct Bare {
    queue: Plain,
    arrivals: Stream,
    services: Stream,
    waiting: VecDeque<u64>,
    in_service: Option<u64>,
    served: u64,
    total: u64,
}

impl Bare {
    /// An empty system before its first arrival.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let streams = Streams::new(seed);
        let mut arrivals = streams.stream("arrivals", "queue");
        let mut queue = Plain::default();
        queue.push(arrivals.exp_duration(GAP).as_nanos(), 0);
        let services = streams.stream("services", "queue");
        Self { queue, arrivals, services, waiting: VecDeque::new(), in_service: None, served: 0, total: 0 }
    }
}

impl Row for Bare {
    fn run(&mut self, events: u64) {
        for _ in 0..events {
            let Some((now, kind)) = self.queue.pop() else { return };
            if kind == 0 {
                self.queue.push(now + self.arrivals.exp_duration(GAP).as_nanos(), 0);
                if self.in_service.is_some() {
                    self.waiting.push_back(now);
                } else {
                    self.in_service = Some(now);
                    self.queue.push(now + self.services.exp_duration(SERVICE).as_nanos(), 1);
                }
            } else {
                self.served += 1;
                self.total += now - self.in_service.unwrap_or(now);
                self.in_service = self.waiting.pop_front();
                if self.in_service.is_some() {
                    self.queue.push(now + self.services.exp_duration(SERVICE).as_nanos(), 1);
                }
            }
        }
    }

    fn check(&self) -> f64 {
        self.total as f64 / self.served as f64 / 1e9
    }
}

/// The same on the kernel; the server is an entity.
#[derive(Debug)]
pub struct Kernel {
    sim: Simulation<Event>,
    model: Queue,
}

#[derive(Debug)]
enum Event {
    Arrival,
    Departure,
}

#[derive(Component, Debug, Default)]
struct Server {
    waiting: VecDeque<SimTime>,
    in_service: Option<SimTime>,
    served: u64,
    total: u64,
}

#[derive(Debug)]
struct Queue {
    server: Entity,
    arrivals: Stream,
    services: Stream,
}

impl Kernel {
    /// An empty system before its first arrival.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut sim = Simulation::new(seed);
        let server = sim.world.spawn(Server::default()).id();
        let mut arrivals = sim.streams.stream("arrivals", "queue");
        let first = SimTime::ZERO.saturating_add(arrivals.exp_duration(GAP));
        sim.calendar.schedule(first, EventClass(0), Event::Arrival).expect("not in the past");
        let services = sim.streams.stream("services", "queue");
        Self { sim, model: Queue { server, arrivals, services } }
    }
}

impl Model for Queue {
    type Event = Event;

    #[inline]
    fn handle(&mut self, event: Event, now: SimTime, sim: &mut Simulation<Event>) {
        let mut server = sim.world.get_mut::<Server>(self.server).expect("the server stays");
        let starts = match event {
            Event::Arrival => {
                let next = now.saturating_add(self.arrivals.exp_duration(GAP));
                sim.calendar.schedule(next, EventClass(0), Event::Arrival).expect("not in the past");
                if server.in_service.is_some() {
                    server.waiting.push_back(now);
                    false
                } else {
                    server.in_service = Some(now);
                    true
                }
            }
            Event::Departure => {
                server.served += 1;
                server.total += now.saturating_since(server.in_service.unwrap_or(now)).as_nanos();
                server.in_service = server.waiting.pop_front();
                server.in_service.is_some()
            }
        };
        if starts {
            let done = now.saturating_add(self.services.exp_duration(SERVICE));
            sim.calendar.schedule(done, EventClass(0), Event::Departure).expect("not in the past");
        }
    }
}

impl Row for Kernel {
    fn run(&mut self, events: u64) {
        for _ in 0..events {
            self.sim.step(&mut self.model);
        }
    }

    fn check(&self) -> f64 {
        let server = self.sim.world.get::<Server>(self.model.server).expect("the server stays");
        server.total as f64 / server.served as f64 / 1e9
    }
}

//! desque: boxed events in a binary heap, run on a state of the caller's.

use crate::{GAP, HOLD, Peer, SERVICE};
use desque::serial::{Event, Simulation};
use desque::{SimState, SimTime};
use labtrust_kernel::{Stream, Streams};
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Nanos(u64);

impl SimTime for Nanos {}

/// A model's state that counts its events and stops the run at a number of them.
trait Counting: SimState<Nanos> {
    fn handled(&self) -> u64;
    fn stop_at(&mut self, handled: u64);
}

struct Run<S: Counting>(Simulation<S, Nanos>);

impl<S: Counting> Peer for Run<S> {
    fn run(&mut self, events: u64) -> u64 {
        let before = self.0.state().handled();
        self.0.state_mut().stop_at(before + events);
        self.0.run().expect("the model schedules nothing in the past");
        self.0.state().handled() - before
    }
}

struct Queue {
    waiting: VecDeque<u64>,
    in_service: Option<u64>,
    total: u64,
    arrivals: Stream,
    services: Stream,
    handled: u64,
    stop_at: u64,
}

impl SimState<Nanos> for Queue {
    fn is_complete(&self, _now: &Nanos) -> bool {
        self.handled >= self.stop_at
    }
}

impl Counting for Queue {
    fn handled(&self) -> u64 {
        self.handled
    }

    fn stop_at(&mut self, handled: u64) {
        self.stop_at = handled;
    }
}

#[derive(Debug)]
struct Arrival;

#[derive(Debug)]
struct Departure;

impl Event<Queue, Nanos> for Arrival {
    fn execute(&mut self, sim: &mut Simulation<Queue, Nanos>) -> desque::Result {
        let now = sim.current_time().0;
        let queue = sim.state_mut();
        queue.handled += 1;
        let next = now + queue.arrivals.exp_duration(GAP).as_nanos();
        let done = if queue.in_service.is_some() {
            queue.waiting.push_back(now);
            None
        } else {
            queue.in_service = Some(now);
            Some(now + queue.services.exp_duration(SERVICE).as_nanos())
        };
        sim.schedule(Arrival, Nanos(next))?;
        done.map_or(Ok(()), |done| sim.schedule(Departure, Nanos(done)))
    }
}

impl Event<Queue, Nanos> for Departure {
    fn execute(&mut self, sim: &mut Simulation<Queue, Nanos>) -> desque::Result {
        let now = sim.current_time().0;
        let queue = sim.state_mut();
        queue.handled += 1;
        queue.total += now - queue.in_service.unwrap_or(now);
        queue.in_service = queue.waiting.pop_front();
        if queue.in_service.is_none() {
            return Ok(());
        }
        let done = now + queue.services.exp_duration(SERVICE).as_nanos();
        sim.schedule(Departure, Nanos(done))
    }
}

pub(crate) fn mm1() -> impl Peer {
    let streams = Streams::new(1);
    let queue = Queue {
        waiting: VecDeque::new(),
        in_service: None,
        total: 0,
        arrivals: streams.stream("arrivals", "queue"),
        services: streams.stream("services", "queue"),
        handled: 0,
        stop_at: 0,
    };
    let mut sim = Simulation::new(queue, Nanos(0));
    sim.schedule(Arrival, Nanos(0)).expect("not in the past");
    Run(sim)
}

struct Hold {
    /// Count and sum of each entity.
    states: Vec<(u64, u64)>,
    stream: Stream,
    handled: u64,
    stop_at: u64,
}

impl SimState<Nanos> for Hold {
    fn is_complete(&self, _now: &Nanos) -> bool {
        self.handled >= self.stop_at
    }
}

impl Counting for Hold {
    fn handled(&self) -> u64 {
        self.handled
    }

    fn stop_at(&mut self, handled: u64) {
        self.stop_at = handled;
    }
}

#[derive(Debug)]
struct Tick(u32);

impl Event<Hold, Nanos> for Tick {
    fn execute(&mut self, sim: &mut Simulation<Hold, Nanos>) -> desque::Result {
        let now = sim.current_time().0;
        let hold = sim.state_mut();
        hold.handled += 1;
        let state = &mut hold.states[self.0 as usize];
        *state = (state.0 + 1, state.1.wrapping_add(now));
        let next = now + hold.stream.exp_duration(HOLD).as_nanos();
        sim.schedule(Tick(self.0), Nanos(next))
    }
}

pub(crate) fn hold(n: u32) -> impl Peer {
    let states = vec![(0, 0); n as usize];
    let stream = Streams::new(1).stream("delays", "all");
    let mut sim = Simulation::new(Hold { states, stream, handled: 0, stop_at: 0 }, Nanos(0));
    for id in 0..n {
        let first = sim.state_mut().stream.exp_duration(HOLD).as_nanos();
        sim.schedule(Tick(id), Nanos(first)).expect("not in the past");
    }
    Run(sim)
}

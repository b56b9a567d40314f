//! Queues with known answers, simulated on the public interface.
//!
//! Each model is run 200 times. Every run forms a 95 % interval of the mean wait from the means of its batches, and
//! the true mean must lie inside in at least 93 % of the runs. An engine that loses, delays or reorders events, or
//! whose streams are correlated, misses that; so does an interval that is too narrow to be honest.

use bevy_ecs::prelude::{Component, Entity};
use labtrust_kernel::stats::{Interval, Tally};
use labtrust_kernel::{EventClass, Model, SimDuration, SimTime, Simulation, Stream};
use std::collections::VecDeque;

const RUNS: u64 = 200;
const COVERED: usize = 186;
/// Batches are hundreds of times as long as the wait of a customer is correlated with that of later ones.
const BATCHES: u64 = 20;
const BATCH: u64 = 3000;
const WARM_UP: u64 = 2500;

const COMPLETION: EventClass = EventClass(0);
const ARRIVAL: EventClass = EventClass(1);

/// First come, first served, with exponential gaps between arrivals.
#[derive(Clone, Copy)]
struct Station {
    servers: u32,
    gap: SimDuration,
    service: SimDuration,
    /// Every service takes exactly its mean; it is exponential otherwise.
    constant: bool,
}

enum Event {
    Arrival,
    Completion,
}

#[derive(Component)]
struct Servers {
    idle: u32,
    waiting: VecDeque<SimTime>,
    started: u64,
    batch: Tally,
    means: Tally,
}

struct Queue {
    station: Station,
    servers: Entity,
    arrivals: Stream,
    services: Stream,
}

impl Model for Queue {
    type Event = Event;

    fn handle(&mut self, event: Event, now: SimTime, sim: &mut Simulation<Event>) {
        let mut servers = sim.world.get_mut::<Servers>(self.servers).expect("the servers stay");
        match event {
            Event::Arrival => {
                servers.waiting.push_back(now);
                let next = now.saturating_add(self.arrivals.exp_duration(self.station.gap));
                sim.calendar.schedule(next, ARRIVAL, Event::Arrival).expect("not in the past");
            }
            Event::Completion => servers.idle += 1,
        }
        if servers.idle > 0
            && let Some(arrived) = servers.waiting.pop_front()
        {
            servers.idle -= 1;
            servers.count(now.saturating_since(arrived));
            let mean = self.station.service;
            let service = if self.station.constant { mean } else { self.services.exp_duration(mean) };
            sim.calendar.schedule(now.saturating_add(service), COMPLETION, Event::Completion).expect("not in the past");
        }
    }
}

impl Servers {
    fn count(&mut self, wait: SimDuration) {
        self.started += 1;
        if self.started > WARM_UP {
            self.batch.add(wait.as_secs_f64());
        }
        if self.batch.count() == BATCH {
            self.means.extend(self.batch.mean());
            self.batch = Tally::new();
        }
    }
}

/// The interval of the mean wait [s] that one run arrives at.
fn run(station: Station, seed: u64) -> Interval {
    let mut sim = Simulation::new(seed);
    let servers = Servers {
        idle: station.servers,
        waiting: VecDeque::new(),
        started: 0,
        batch: Tally::new(),
        means: Tally::new(),
    };
    let servers = sim.world.spawn(servers).id();
    let (arrivals, services) = (sim.streams.stream("arrivals", "station"), sim.streams.stream("services", "station"));
    sim.calendar.schedule(SimTime::ZERO, ARRIVAL, Event::Arrival).expect("not in the past");
    let mut model = Queue { station, servers, arrivals, services };
    loop {
        for _ in 0..1000 {
            sim.step(&mut model);
        }
        let means = sim.world.get::<Servers>(servers).expect("the servers stay").means;
        if means.count() >= BATCHES {
            return means.interval_95().expect("there are batches");
        }
    }
}

fn expect_mean_wait(theory: f64, station: Station) {
    let intervals: Vec<_> = (0..RUNS).map(|seed| run(station, seed)).collect();
    let covered = intervals.iter().filter(|interval| interval.contains(theory)).count();
    let mut means = Tally::new();
    means.extend(intervals.iter().map(|interval| interval.mean));
    let mean = means.mean().expect("there are runs");
    assert!(covered >= COVERED, "{covered} of {RUNS} intervals cover {theory}; the mean is {mean}");
    assert!((mean / theory - 1.0).abs() < 0.01, "the mean wait over all runs is {mean}, theory says {theory}");
}

/// Mean wait `rho / (mu - lambda)`.
///
/// Source: Gross, Shortle, Thompson and Harris, *Fundamentals of Queueing Theory*, 4th ed., section 2.2.
#[test]
fn one_server_with_exponential_services_waits_as_theory_says() {
    let (gap, service) = (1.0, 0.6);
    let (lambda, mu) = (1.0 / gap, 1.0 / service);
    expect_mean_wait(lambda / mu / (mu - lambda), station(1, gap, service, false));
}

/// Mean wait by Erlang's C formula.
///
/// Source: as above, section 2.3.
#[test]
fn three_servers_with_exponential_services_wait_as_erlang_says() {
    let (servers, gap, service) = (3_u32, 1.0, 1.8);
    let load = service / gap;
    let rho = load / f64::from(servers);
    let mut term = 1.0;
    let mut fewer = 0.0;
    for n in 0..servers {
        fewer += term;
        term *= load / f64::from(n + 1);
    }
    let all_busy = term / (1.0 - rho);
    let wait_probability = all_busy / (fewer + all_busy);
    let theory = wait_probability / (f64::from(servers) / service - 1.0 / gap);
    expect_mean_wait(theory, station(servers, gap, service, false));
}

/// Mean wait by the formula of Pollaczek and Khinchine, half that of exponential services.
///
/// Source: as above, section 5.1.
#[test]
fn one_server_with_constant_services_waits_as_pollaczek_and_khinchine_say() {
    let (gap, service) = (1.0, 0.7);
    let rho = service / gap;
    expect_mean_wait(rho * service / (2.0 * (1.0 - rho)), station(1, gap, service, true));
}

fn station(servers: u32, gap: f64, service: f64, constant: bool) -> Station {
    let length = |secs| SimDuration::from_secs_f64(secs).expect("a length of time");
    Station { servers, gap: length(gap), service: length(service), constant }
}

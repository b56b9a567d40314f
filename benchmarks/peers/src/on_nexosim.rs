//! NeXosim: models with mailboxes that schedule their own inputs. One executor thread, the faster way for models as
//! small as these.

use crate::{GAP, HOLD, Peer, SERVICE};
use labtrust_kernel::{SimDuration, Stream, Streams};
use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::Output;
use nexosim::simulation::{Mailbox, SimInit, Simulation};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The stream that a model has until it is given its own; models can be saved, streams are not part of that.
fn unset() -> Stream {
    Streams::new(0).stream("unset", "")
}

fn draw(stream: &mut Stream, mean: SimDuration) -> Duration {
    // A delay of nothing is refused.
    Duration::from_nanos(stream.exp_duration(mean).as_nanos() + 1)
}

struct Run {
    simulation: Simulation,
    handled: Arc<AtomicU64>,
    /// Simulated seconds in which one event is expected.
    seconds_an_event: f64,
}

impl Run {
    fn new(bench: SimInit, handled: Arc<AtomicU64>, seconds_an_event: f64) -> Self {
        let simulation = bench.init(MonotonicTime::EPOCH).expect("the bench is complete");
        Self { simulation, handled, seconds_an_event }
    }
}

impl Peer for Run {
    fn run(&mut self, events: u64) -> u64 {
        let before = self.handled.load(Ordering::Relaxed);
        let span = Duration::from_secs_f64(events as f64 * self.seconds_an_event);
        self.simulation.step_until(span).expect("the models do not fail");
        self.handled.load(Ordering::Relaxed) - before
    }
}

#[derive(Serialize, Deserialize)]
struct Source {
    customers: Output<()>,
    #[serde(skip, default = "unset")]
    stream: Stream,
    #[serde(skip)]
    handled: Arc<AtomicU64>,
}

#[Model]
impl Source {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        self.schedule(context);
    }

    #[nexosim(schedulable)]
    async fn arrive(&mut self, _: (), context: &Context<Self>) {
        self.handled.fetch_add(1, Ordering::Relaxed);
        self.customers.send(()).await;
        self.schedule(context);
    }

    fn schedule(&mut self, context: &Context<Self>) {
        let gap = draw(&mut self.stream, GAP);
        context.schedule_event(gap, schedulable!(Self::arrive), ()).expect("not in the past");
    }
}

#[derive(Serialize, Deserialize)]
struct Server {
    waiting: VecDeque<MonotonicTime>,
    in_service: Option<MonotonicTime>,
    total: Duration,
    #[serde(skip, default = "unset")]
    stream: Stream,
    #[serde(skip)]
    handled: Arc<AtomicU64>,
}

#[Model]
impl Server {
    async fn customer(&mut self, _: (), context: &Context<Self>) {
        if self.in_service.is_some() {
            self.waiting.push_back(context.time());
        } else {
            self.in_service = Some(context.time());
            self.schedule(context);
        }
    }

    #[nexosim(schedulable)]
    async fn depart(&mut self, _: (), context: &Context<Self>) {
        self.handled.fetch_add(1, Ordering::Relaxed);
        if let Some(arrived) = self.in_service.take() {
            self.total += context.time().duration_since(arrived);
        }
        self.in_service = self.waiting.pop_front();
        if self.in_service.is_some() {
            self.schedule(context);
        }
    }

    fn schedule(&mut self, context: &Context<Self>) {
        let service = draw(&mut self.stream, SERVICE);
        context.schedule_event(service, schedulable!(Self::depart), ()).expect("not in the past");
    }
}

pub(crate) fn mm1() -> impl Peer {
    let handled = Arc::new(AtomicU64::new(0));
    let streams = Streams::new(1);
    let (of_source, of_server) = (Mailbox::new(), Mailbox::new());
    let arrivals = streams.stream("arrivals", "queue");
    let mut source = Source { customers: Output::default(), stream: arrivals, handled: handled.clone() };
    source.customers.connect(Server::customer, &of_server);
    let server = Server {
        waiting: VecDeque::new(),
        in_service: None,
        total: Duration::ZERO,
        stream: streams.stream("services", "queue"),
        handled: handled.clone(),
    };
    let bench =
        SimInit::with_num_threads(1).add_model(source, of_source, "source").add_model(server, of_server, "server");
    Run::new(bench, handled, GAP.as_secs_f64() / 2.0)
}

/// One model that holds every entity.
#[derive(Serialize, Deserialize)]
struct All {
    /// Count and sum of each entity.
    states: Vec<(u64, u64)>,
    #[serde(skip, default = "unset")]
    stream: Stream,
    #[serde(skip)]
    handled: Arc<AtomicU64>,
}

#[Model]
impl All {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        (0..self.states.len()).for_each(|id| self.schedule(id, context));
    }

    #[nexosim(schedulable)]
    async fn tick(&mut self, id: usize, context: &Context<Self>) {
        let handled = self.handled.fetch_add(1, Ordering::Relaxed);
        let state = &mut self.states[id];
        *state = (state.0 + 1, state.1.wrapping_add(handled));
        self.schedule(id, context);
    }

    fn schedule(&mut self, id: usize, context: &Context<Self>) {
        let delay = draw(&mut self.stream, HOLD);
        context.schedule_event(delay, schedulable!(Self::tick), id).expect("not in the past");
    }
}

pub(crate) fn hold_in_one(n: u32) -> impl Peer {
    let handled = Arc::new(AtomicU64::new(0));
    let stream = Streams::new(1).stream("delays", "all");
    let all = All { states: vec![(0, 0); n as usize], stream, handled: handled.clone() };
    let bench = SimInit::with_num_threads(1).add_model(all, Mailbox::new(), "all");
    Run::new(bench, handled, HOLD.as_secs_f64() / f64::from(n))
}

/// A model for each entity.
#[derive(Serialize, Deserialize)]
struct One {
    count: u64,
    total: u64,
    #[serde(skip, default = "unset")]
    stream: Stream,
    #[serde(skip)]
    handled: Arc<AtomicU64>,
}

#[Model]
impl One {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        self.schedule(context);
    }

    #[nexosim(schedulable)]
    async fn tick(&mut self, _: (), context: &Context<Self>) {
        self.count += 1;
        self.total = self.total.wrapping_add(self.handled.fetch_add(1, Ordering::Relaxed));
        self.schedule(context);
    }

    fn schedule(&mut self, context: &Context<Self>) {
        let delay = draw(&mut self.stream, HOLD);
        context.schedule_event(delay, schedulable!(Self::tick), ()).expect("not in the past");
    }
}

pub(crate) fn hold_in_many(n: u32) -> impl Peer {
    let handled = Arc::new(AtomicU64::new(0));
    let streams = Streams::new(1);
    let mut bench = SimInit::with_num_threads(1);
    for id in 0..n {
        let stream = streams.stream_indexed("delays", id.into());
        let one = One { count: 0, total: 0, stream, handled: handled.clone() };
        bench = bench.add_model(one, Mailbox::with_capacity(1), &format!("one{id}"));
    }
    Run::new(bench, handled, HOLD.as_secs_f64() / f64::from(n))
}

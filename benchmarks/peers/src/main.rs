//! The kernel's bench models on other engines, each written in the way of its own examples.
//!
//! `cargo run --release -- [ROUNDS]` in this folder prints processor time as ratios to the plain loop, the rows
//! interleaved in rounds like those of `kernel_ratios`. All rows draw from the same kind of streams and use the same
//! parameters; a peer that counts other events is stopped by its clock, and what it handled is counted in the model.

#![allow(clippy::print_stdout, reason = "the table is what this program is for")]

mod on_desque;
mod on_nexosim;

use labtrust_criterion::{Row, hold, mm1};
use labtrust_kernel::SimDuration;
use rustix::time::{ClockId, clock_gettime};

/// Mean time between arrivals, mean service, mean hold.
const GAP: SimDuration = SimDuration::from_nanos(1_111_111_111);
const SERVICE: SimDuration = SimDuration::from_nanos(1_000_000_000);
const HOLD: SimDuration = SERVICE;

/// A model on some engine.
trait Peer {
    /// Runs about `events` events; returns how many it was.
    fn run(&mut self, events: u64) -> u64;
}

/// A row of ours, which runs exactly what it is told.
struct Ours<R>(R);

impl<R: Row> Peer for Ours<R> {
    fn run(&mut self, events: u64) -> u64 {
        self.0.run(events);
        events
    }
}

type Make = Box<dyn Fn() -> Box<dyn Peer>>;

struct Table {
    model: &'static str,
    events: u64,
    rows: Vec<(&'static str, Make)>,
}

fn row<P: Peer + 'static>(name: &'static str, make: impl Fn() -> P + 'static) -> (&'static str, Make) {
    (name, Box::new(move || Box::new(make())))
}

fn processor_nanos() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn holds(model: &'static str, n: u32, events: u64) -> Table {
    let delays = hold::Delays::Exponential;
    let rows = vec![
        row("plain loop, binary heap", move || Ours(hold::Bare::new(n, delays, 1))),
        row("kernel", move || Ours(hold::Kernel::new(n, delays, 1))),
        row("desque", move || on_desque::hold(n)),
        row("NeXosim, one model, one thread", move || on_nexosim::hold_in_one(n)),
        row("NeXosim, a model each, one thread", move || on_nexosim::hold_in_many(n)),
    ];
    Table { model, events, rows }
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(5, |rounds| rounds.parse().expect("ROUNDS is a number"));
    let tables = [
        Table {
            model: "M/M/1",
            events: 1_000_000,
            rows: vec![
                row("plain loop, binary heap", || Ours(mm1::Bare::new(1))),
                row("kernel", || Ours(mm1::Kernel::new(1))),
                row("desque", on_desque::mm1),
                row("NeXosim, one thread", on_nexosim::mm1),
            ],
        },
        holds("hold, 1e3 pending", 1000, 500_000),
        holds("hold, 1e5 pending", 100_000, 500_000),
    ];
    println!("| model | engine | ns an event | x plain |");
    println!("| --- | --- | ---: | ---: |");
    for table in tables {
        let mut measured = vec![(Vec::new(), Vec::new()); table.rows.len()];
        for _ in 0..rounds {
            let mut plain = None;
            for ((_, make), (nanos, ratios)) in table.rows.iter().zip(&mut measured) {
                let mut peer = make();
                peer.run(table.events / 2);
                let begin = processor_nanos();
                let events = peer.run(table.events);
                let each = (processor_nanos() - begin) / events as f64;
                nanos.push(each);
                ratios.push(each / *plain.get_or_insert(each));
            }
        }
        for ((name, _), (nanos, ratios)) in table.rows.iter().zip(measured) {
            println!("| {} | {name} | {:.1} | {:.2} |", table.model, median(nanos), median(ratios));
        }
    }
}

//! Prints what the kernel costs against plain loops of the same models, as ratios of processor time.
//!
//! `cargo run --release -p labtrust-criterion --example kernel_ratios -- [ROUNDS]`
//!
//! Rows run one after another in every round, so that a neighbour's load falls on all of them; a ratio is taken
//! inside a round, and the table gives the median over the rounds. Processor time of this thread, not wall time.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use labtrust_criterion::{Row, draws, hold, mm1, timeouts};
use rustix::time::{ClockId, clock_gettime};

/// A model with its rows; the first one is the baseline, or the first `baselines` of which the better counts.
struct Table {
    name: &'static str,
    events: u64,
    warm_up: u64,
    baselines: usize,
    rows: Vec<Line>,
}

struct Line {
    name: &'static str,
    make: Box<dyn Fn() -> Box<dyn Row>>,
    nanos: Vec<f64>,
    ratios: Vec<f64>,
    entries: Option<f64>,
}

fn line<R: Row + 'static>(name: &'static str, make: impl Fn() -> R + 'static) -> Line {
    let make: Box<dyn Fn() -> Box<dyn Row>> = Box::new(move || Box::new(make()));
    Line { name, make, nanos: Vec::new(), ratios: Vec::new(), entries: None }
}

/// Processor time of this thread [ns].
fn processor_nanos() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

impl Table {
    fn round(&mut self) {
        let mut best = f64::INFINITY;
        let mut check = None;
        for (place, line) in self.rows.iter_mut().enumerate() {
            let mut row = (line.make)();
            row.run(self.warm_up);
            let begin = processor_nanos();
            row.run(self.events);
            let nanos = (processor_nanos() - begin) / self.events as f64;
            if place < self.baselines {
                best = best.min(nanos);
            }
            line.nanos.push(nanos);
            line.entries = row.entries_an_entity();
            let first = *check.get_or_insert(row.check());
            assert!(first == row.check(), "{} {} ran another model: {} and {first}", self.name, line.name, row.check());
        }
        for line in &mut self.rows {
            line.ratios.extend(line.nanos.last().map(|nanos| nanos / best));
        }
    }

    fn print(&self) {
        for line in &self.rows {
            let entries = line.entries.map_or(String::new(), |entries| format!("{entries:.2}"));
            let (nanos, ratio) = (median(&line.nanos), median(&line.ratios));
            println!("| {} | {} | {nanos:.1} | {ratio:.2} | {entries} |", self.name, line.name);
        }
    }
}

fn holds(name: &'static str, n: u32, delays: hold::Delays, events: u64) -> Table {
    let rows = vec![
        line("plain loop, binary heap", move || hold::Bare::new(n, delays, 1)),
        line("kernel", move || hold::Kernel::new(n, delays, 1)),
    ];
    Table { name, events, warm_up: u64::from(n), baselines: 1, rows }
}

fn time_outs(name: &'static str, n: u32, events: u64) -> Table {
    use timeouts::SetAgain::{CancelAndSchedule, Reschedule};
    let rows = vec![
        line("plain loop, indexed heap", move || timeouts::BareIndexed::new(n, 1)),
        line("plain loop, compacted heap", move || timeouts::BareCompacted::new(n, 1)),
        line("kernel, rescheduled", move || timeouts::Kernel::new(n, Reschedule, 1)),
        line("kernel, cancelled and scheduled", move || timeouts::Kernel::new(n, CancelAndSchedule, 1)),
    ];
    Table { name, events, warm_up: 12 * u64::from(n), baselines: 2, rows }
}

fn main() {
    let rounds = std::env::args().nth(1).map_or(5, |rounds| rounds.parse().expect("ROUNDS is a number"));
    let mm1 = vec![line("plain loop, binary heap", || mm1::Bare::new(1)), line("kernel", || mm1::Kernel::new(1))];
    let exponential = vec![
        line("logarithm", || draws::Exponential::new(draws::Way::Logarithm, 1)),
        line("kernel", || draws::Exponential::new(draws::Way::Kernel, 1)),
    ];
    let mut tables = [
        Table { name: "exponential draw", events: 10_000_000, warm_up: 1000, baselines: 1, rows: exponential },
        Table { name: "M/M/1", events: 4_000_000, warm_up: 100_000, baselines: 1, rows: mm1 },
        holds("hold, 1e3 pending", 1000, hold::Delays::Exponential, 2_000_000),
        holds("hold, 1e4 pending", 10_000, hold::Delays::Exponential, 2_000_000),
        holds("hold, 1e5 pending", 100_000, hold::Delays::Exponential, 2_000_000),
        holds("hold, 1e6 pending", 1_000_000, hold::Delays::Exponential, 2_000_000),
        holds("bursts of 1e3 equal times", 1000, hold::Delays::Equal, 2_000_000),
        holds("bursts of 1e5 equal times", 100_000, hold::Delays::Equal, 2_000_000),
        time_outs("time-outs, 1e3 entities", 1000, 2_000_000),
        time_outs("time-outs, 1e5 entities", 100_000, 1_000_000),
    ];
    for _ in 0..rounds {
        tables.iter_mut().for_each(Table::round);
    }
    println!("| model | row | ns an event | x plain | entries an entity |");
    println!("| --- | --- | ---: | ---: | ---: |");
    tables.iter().for_each(Table::print);
}

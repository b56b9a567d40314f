//! Solved counts, times and planned agent-steps a second on grids of the public benchmark kinds.
//!
//! `cargo run --release -p labtrust-mapf --example benchmark_kinds -- [BACK-END ...]`. Processor time of one thread; that of a
//! solve includes the distances, of which nothing is known before.

use labtrust_mapf::{Agent, Backend, Distances, Graph, Kind, MapfError, Options, Pibt, random_agents, validate};
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;

/// Name, kind, width, height, numbers of agents.
type Map = (&'static str, Kind, u32, u32, &'static [usize]);

const MAPS: [Map; 8] = [
    ("empty 48x48", Kind::Empty, 48, 48, &[50, 200, 1000]),
    ("random 32x32, 10 %", Kind::Random(10), 32, 32, &[50, 200, 400]),
    ("random 64x64, 10 %", Kind::Random(10), 64, 64, &[50, 400, 1000]),
    ("room 64x64, side 8", Kind::Room(8), 64, 64, &[50, 200, 400]),
    ("maze 64x64, corridor 2", Kind::Maze(2), 64, 64, &[20, 50, 100]),
    ("maze 64x64, corridor 1", Kind::Maze(1), 64, 64, &[10, 20]),
    ("warehouse 63x161", Kind::Warehouse, 161, 63, &[200, 500, 1000]),
    ("warehouse 140x500", Kind::Warehouse, 500, 140, &[200, 1000, 2500]),
];

const SEEDS: u64 = 5;

fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() {
    step("warehouse 140x500", Kind::Warehouse);
    step("random 140x500, 10 %", Kind::Random(10));
    let asked: Vec<Backend> = std::env::args().skip(1).map(|name| Backend::parse(&name).expect("a back-end")).collect();
    let backends = if asked.is_empty() { Backend::ALL.to_vec() } else { asked };
    println!("| map | agents | back-end | solved of {SEEDS} | median time | median makespan | agent-steps/s |");
    println!("| --- | ---: | --- | ---: | ---: | ---: | ---: |");
    for (name, kind, width, height, counts) in MAPS {
        for &agents in counts {
            // The others are made for some dozens of agents, or for windows; a table of what they do not solve is no use.
            let large = |backend: &&Backend| agents <= 200 || matches!(backend, Backend::Lacam | Backend::Pibt);
            for &backend in backends.iter().filter(large) {
                measure(name, kind, (width, height), agents, backend);
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn measure(name: &str, kind: Kind, (width, height): (u32, u32), agents: usize, backend: Backend) {
    let mut rows = Vec::new();
    for seed in 0..SEEDS {
        let graph = Arc::new(kind.grid(width, height, seed).graph().expect("free cells"));
        let Some(agents) = random_agents(&graph, agents, seed) else { continue };
        // About as much time for each: an expansion of these two is a choice, of the others a node of A*.
        let budget = if matches!(backend, Backend::Lacam | Backend::Pibt) { 60_000_000 } else { 4_000_000 };
        let options = Options { budget, max_steps: 4 * (width + height), ..Options::default() };
        let start = processor_seconds();
        let mut planner = backend.planner(Arc::clone(&graph), options).expect("good options");
        match planner.solve(&agents, &[]) {
            Ok(planned) => {
                let seconds = processor_seconds() - start;
                assert_eq!(validate(&graph, &agents, &[], &planned.plan), []);
                rows.push((seconds, planned.plan.steps()));
            }
            Err(MapfError::Exhausted { .. } | MapfError::NoPlan { .. } | MapfError::TooLong { .. }) => {
                eprintln!(
                    "{name}, {agents}, {}: gave up after {:.2} s",
                    backend.name(),
                    (processor_seconds() - start),
                    agents = agents.len()
                );
            }
            Err(problem) => panic!("{problem}"),
        }
    }
    let solved = rows.len();
    if solved == 0 {
        return println!("| {name} | {agents} | `{}` | 0 | | | |", backend.name());
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let ms = median(rows.iter().map(|row| row.0 * 1e3).collect());
    let steps = median(rows.iter().map(|row| f64::from(row.1)).collect());
    let rate = median(rows.iter().map(|row| agents as f64 * f64::from(row.1) / row.0 / 1e6).collect());
    println!("| {name} | {agents} | `{}` | {solved} | {ms:.1} ms | {steps} | {rate:.2} M |", backend.name());
}

/// One step of `pibt` for 10,000 agents, with the distances found (the first steps) and with them known.
#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn step(name: &str, kind: Kind) {
    let graph: Arc<Graph> = Arc::new(kind.grid(500, 140, 0).graph().expect("free cells"));
    let mut agents: Vec<Agent> = random_agents(&graph, 10_000, 0).expect("room for all");
    let mut distances = Distances::new(Arc::clone(&graph));
    let mut pibt = Pibt::new(Arc::clone(&graph), 0);
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = processor_seconds();
        pibt.step(&mut agents, &mut distances).expect("agents that only moved so can always go on");
        times.push((processor_seconds() - start) * 1e3);
    }
    let first = times[0];
    times.sort_by(f64::total_cmp);
    let (least, median) = (times[0], times[times.len() / 2]);
    println!("pibt, 10,000 agents, {name}: first step {first:.1} ms, median {median:.2} ms, least {least:.2} ms");
}

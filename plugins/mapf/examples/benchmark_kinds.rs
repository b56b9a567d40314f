//! Solved counts, times and planned agent-steps a second on grids of the public benchmark kinds.
//!
//! `cargo run --release -p labtrust-mapf --example benchmark_kinds [BACK-END ...]`. One thread; the time of a solve includes
//! the distances, which nothing is known of before.
#![allow(clippy::print_stdout, reason = "it prints a table")]

use labtrust_mapf::{Agent, Backend, Distances, Graph, Kind, MapfError, Options, Pibt, random_agents, validate};
use std::sync::Arc;
use std::time::Instant;

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

fn main() {
    let asked: Vec<Backend> = std::env::args().skip(1).map(|name| Backend::parse(&name).expect("a back-end")).collect();
    let backends = if asked.is_empty() { Backend::ALL.to_vec() } else { asked };
    println!("| map | agents | back-end | solved of {SEEDS} | median time | median makespan | agent-steps/s |");
    println!("| --- | ---: | --- | ---: | ---: | ---: | ---: |");
    for (name, kind, width, height, counts) in MAPS {
        for &agents in counts {
            for &backend in &backends {
                measure(name, kind, (width, height), agents, backend);
            }
        }
    }
    step();
}

fn measure(name: &str, kind: Kind, (width, height): (u32, u32), agents: usize, backend: Backend) {
    let mut rows = Vec::new();
    for seed in 0..SEEDS {
        let graph = Arc::new(kind.grid(width, height, seed).graph().expect("free cells"));
        let Some(agents) = random_agents(&graph, agents, seed) else { continue };
        let options = Options { budget: 60_000_000, max_steps: 4 * (width + height), ..Options::default() };
        let start = Instant::now();
        let mut planner = backend.planner(Arc::clone(&graph), options).expect("good options");
        match planner.solve(&agents, &[]) {
            Ok(planned) => {
                let seconds = start.elapsed().as_secs_f64();
                assert_eq!(validate(&graph, &agents, &[], &planned.plan), []);
                rows.push((seconds, planned.plan.steps()));
            }
            Err(MapfError::Exhausted { .. } | MapfError::NoPlan { .. } | MapfError::TooLong { .. }) => {
                eprintln!(
                    "{name}, {agents}, {}: gave up after {:.2?}",
                    backend.name(),
                    start.elapsed(),
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
fn step() {
    let graph: Arc<Graph> = Arc::new(Kind::Warehouse.grid(500, 140, 0).graph().expect("free cells"));
    let mut agents: Vec<Agent> = random_agents(&graph, 10_000, 0).expect("room for all");
    let mut distances = Distances::new(Arc::clone(&graph));
    let mut pibt = Pibt::new(Arc::clone(&graph), 0);
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        pibt.step(&mut agents, &mut distances).expect("agents that only moved so can always go on");
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let first = times[0];
    times.sort_by(f64::total_cmp);
    let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "pibt, 10,000 agents, warehouse 140x500: first step {first:.1} ms, median {median:.2} ms, most {most:.2} ms"
    );
}

//! Path finding: what one decision of a routing method costs.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use labtrust_mapf::{Agent, Backend, Distances, Edge, Graph, Kind, Options, Pibt, Vertex, Window, random_agents};
use std::hint::black_box;
use std::sync::Arc;

/// One step for everybody, distances known: what a method at scale pays in every step of an episode. 10,000 agents must stay
/// under 10 ms.
fn pibt_step(c: &mut Criterion) {
    let mut group = c.benchmark_group("mapf/pibt_step");
    for count in [1_000, 10_000] {
        let graph = Arc::new(Kind::Warehouse.grid(500, 140, 0).graph().expect("free cells"));
        let mut agents: Vec<Agent> = random_agents(&graph, count, 0).expect("room for all");
        let mut distances = Distances::new(Arc::clone(&graph));
        let mut pibt = Pibt::new(Arc::clone(&graph), 0);
        let mut step = || pibt.step(&mut agents, &mut distances).expect("who moved by this before can go on");
        (0..100).for_each(|_| step());
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("{count}_agents"), |bencher| bencher.iter(&mut step));
    }
    group.finish();
}

/// A plan to all goals, distances included, in planned agent-steps a second. The anchor is LaCAM3 (C++), whose first solution
/// comes at about 0.6 M agent-steps a second on such maps; half of that would be too slow for us.
fn lacam_solve(c: &mut Criterion) {
    let mut group = c.benchmark_group("mapf/lacam_solve");
    group.sample_size(10);
    let kinds = [
        ("empty_48x48_200", Kind::Empty, 48, 48, 200),
        ("random_32x32_200", Kind::Random(10), 32, 32, 200),
        ("random_64x64_1000", Kind::Random(10), 64, 64, 1000),
        ("room_64x64_200", Kind::Room(8), 64, 64, 200),
        ("maze_64x64_100", Kind::Maze(2), 64, 64, 100),
        ("warehouse_140x500_1000", Kind::Warehouse, 500, 140, 1000),
    ];
    for (name, kind, width, height, count) in kinds {
        let graph = Arc::new(kind.grid(width, height, 0).graph().expect("free cells"));
        let agents = random_agents(&graph, count, 0).expect("room for all");
        let options = Options { budget: 60_000_000, ..Options::default() };
        let solve = || {
            let mut planner = Backend::Lacam.planner(Arc::clone(&graph), options.clone()).expect("good options");
            planner.solve(&agents, &[]).expect("a plan")
        };
        group.throughput(Throughput::Elements(u64::from(solve().plan.steps()) * count as u64));
        group.bench_function(name, |bencher| bencher.iter(|| black_box(solve())));
    }
    group.finish();
}

/// A window of 16 steps for 200 agents among 14 zones with room, as the corridor scenario has them: each window-based
/// back-end.
fn zone_window(c: &mut Criterion) {
    let mut group = c.benchmark_group("mapf/zone_window_200_agents_16_steps");
    group.sample_size(20);
    let ring = (0..14).map(|v| Edge::new(Vertex(v), Vertex((v + 1) % 14)).with_steps(1 + (v % 2) as u16).two_way());
    let graph = Arc::new(Graph::new(vec![40; 14], ring.collect()).expect("a ring"));
    let agents: Vec<Agent> = (0..200).map(|i| Agent::new(Vertex(i % 14), Vertex((i * 5 + 3) % 14))).collect();
    group.throughput(Throughput::Elements(200 * 16));
    for backend in [Backend::Whca, Backend::Pibt, Backend::Rhcr] {
        let mut planner = backend.planner(Arc::clone(&graph), Options::default()).expect("good options");
        let window = Window { agents: &agents, reservations: &[], steps: 16 };
        group.bench_function(backend.name(), |bencher| {
            bencher.iter(|| black_box(planner.plan(&window).expect("a plan")));
        });
    }
    group.finish();
}

criterion_group!(benches, pibt_step, lacam_solve, zone_window);
criterion_main!(benches);

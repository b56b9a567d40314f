//! Small random instances with everything the model has.

use labtrust_mapf::{Agent, Backend, Edge, EdgeId, Graph, Options, Planner, Reservation, Vertex, Violation, validate};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::sync::Arc;

/// A graph, agents on it, and what is taken.
pub(crate) struct Case {
    pub graph: Arc<Graph>,
    pub agents: Vec<Agent>,
    pub reservations: Vec<Reservation>,
}

/// What the random instances contain.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub vertices: u32,
    pub agents: usize,
    /// Rooms, travel times, doors, edges with limits, agents without a goal. Without: as in the papers.
    pub rich: bool,
    /// Agents on their way at the start.
    pub on_the_way: bool,
    /// Reservations for some steps only.
    pub timed: bool,
}

pub(crate) fn below(rng: &mut impl Rng, n: u32) -> u32 {
    ((u64::from(rng.next_u32()) * u64::from(n)) >> 32) as u32
}

fn one_in(rng: &mut impl Rng, n: u32) -> bool {
    below(rng, n) == 0
}

/// Instance number `seed`: valid, everybody alone can get to their goal, and goals have room. `None`: drawn one that is not.
pub(crate) fn draw(shape: Shape, seed: u64) -> Option<Case> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let rng = &mut rng;
    let vertices = 2 + below(rng, shape.vertices - 1);
    let rich = shape.rich && !one_in(rng, 4);
    let capacities = (0..vertices).map(|_| if rich { 1 + below(rng, 3) as u16 } else { 1 }).collect();
    let mut edges: Vec<Edge> = Vec::new();
    // A tree, so that all is connected, and a few more edges.
    let extra = below(rng, vertices);
    for i in 1..vertices + extra {
        let a = if i < vertices { i } else { below(rng, vertices) };
        let b = if i < vertices { below(rng, i) } else { below(rng, vertices) };
        let known = |edge: &Edge| (edge.a.0, edge.b.0) == (a, b) || (edge.a.0, edge.b.0) == (b, a);
        if a == b || edges.iter().any(known) {
            continue;
        }
        let mut edge = Edge::new(Vertex(a), Vertex(b));
        if rich {
            edge.steps = if one_in(rng, 3) { 1 + below(rng, 3) as u16 } else { 1 };
            edge.exclusive = one_in(rng, 2);
            edge.capacity = if one_in(rng, 3) { 1 } else { 2 };
            edge.door = one_in(rng, 6);
        }
        edges.push(edge);
    }
    let graph = Arc::new(Graph::new(capacities, edges).unwrap());
    let agents = (0..1 + below(rng, shape.agents as u32)).map(|_| {
        let vertex = |rng: &mut ChaCha8Rng| Vertex(below(rng, vertices));
        let mut agent = Agent { token: one_in(rng, 2), ..Agent::new(vertex(rng), vertex(rng)) };
        if rich && one_in(rng, 6) {
            agent.goal = None;
        }
        let edge = EdgeId(below(rng, graph.edges().len() as u32));
        if shape.on_the_way
            && one_in(rng, 4)
            && let Ok(place) = graph.on_the_way(edge, graph.edges()[edge.0 as usize].b, 1)
        {
            agent.start = place;
        }
        agent
    });
    let agents: Vec<Agent> = agents.collect();
    let mut reservations = Vec::new();
    if rich && one_in(rng, 4) {
        reservations.push(Reservation { vertex: Vertex(below(rng, vertices)), places: 1, from: 0, until: None });
    }
    if shape.timed && one_in(rng, 2) {
        let from = below(rng, 5);
        let until = (!one_in(rng, 4)).then(|| from + 1 + below(rng, 4));
        reservations.push(Reservation {
            vertex: Vertex(below(rng, vertices)),
            places: 1 + below(rng, 2) as u16,
            from,
            until,
        });
    }
    let case = Case { graph, agents, reservations };
    // The search itself says whether an instance is one: only what it refuses beforehand is drawn again.
    let refused =
        planner(&case, Backend::Pibt, Options { max_steps: 0, ..small() }).solve(&case.agents, &case.reservations);
    use labtrust_mapf::MapfError::{GoalFull, StartFull, Unreachable};
    (!matches!(refused, Err(StartFull { .. } | GoalFull { .. } | Unreachable { .. }))).then_some(case)
}

/// Limits for instances of a few agents.
pub(crate) fn small() -> Options {
    Options { budget: 20_000, max_steps: 96, window: 6, commit: 3, ..Options::default() }
}

pub(crate) fn planner(case: &Case, backend: Backend, options: Options) -> Box<dyn Planner> {
    backend.planner(Arc::clone(&case.graph), options).unwrap()
}

pub(crate) fn violations(case: &Case, plan: &labtrust_mapf::Plan) -> Vec<Violation> {
    validate(&case.graph, &case.agents, &case.reservations, plan)
}

/// How many instances a test draws: `LABTRUST_MAPF_INSTANCES` in all tests, otherwise what the test can do in a few seconds.
pub(crate) fn instances(usual: u64) -> u64 {
    std::env::var("LABTRUST_MAPF_INSTANCES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

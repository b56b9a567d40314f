//! Window after window, as a coordination method calls.

use crate::instances::{Case, below, planner, small, violations};
use labtrust_mapf::{Agent, Backend, Distances, Edge, Graph, Kind, Options, Pibt, Vertex, Window, random_agents};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::sync::Arc;

/// Zones as a laboratory has them: halls with room, a corridor, travel times, a door.
fn zones() -> Arc<Graph> {
    let v = Vertex;
    let edges = vec![
        Edge::new(v(0), v(1)).with_steps(2).two_way().with_capacity(3),
        Edge::new(v(1), v(2)).two_way(),
        Edge::new(v(2), v(3)).with_steps(3).with_capacity(2),
        Edge::new(v(3), v(4)).two_way(),
        Edge::new(v(1), v(4)).with_steps(2).two_way().with_capacity(1),
        Edge::new(v(4), v(5)).with_door(),
        Edge::new(v(2), v(5)),
    ];
    Arc::new(Graph::new(vec![6, 2, 4, 3, 4, 2], edges).unwrap())
}

/// Goals change whenever one is reached; every step that is carried out must hold, and everybody must get work done.
#[test]
fn everybody_keeps_arriving_when_goals_are_handed_out_for_ever() {
    for backend in Backend::ALL {
        let graph = zones();
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let starts = [0, 0, 0, 0, 2, 2, 3, 4, 4];
        let goal = |rng: &mut ChaCha8Rng| Vertex(below(rng, 6));
        let agent = |start| Agent { token: start % 2 == 0, ..Agent::new(Vertex(start), goal(&mut rng)) };
        let agents: Vec<Agent> = starts.into_iter().map(agent).collect();
        let mut case = Case { graph, agents, reservations: vec![] };
        let mut planner = planner(&case, backend, Options { budget: 20_000, ..small() });
        let mut arrivals = vec![0; case.agents.len()];
        let mut fallbacks = 0;
        for round in 0..100 {
            let window = Window { agents: &case.agents, reservations: &[], steps: 6 };
            let planned = planner.plan(&window).unwrap_or_else(|problem| panic!("{problem}"));
            assert_eq!(violations(&case, &planned.plan), [], "{backend:?}");
            fallbacks += planned.effort.fallbacks;
            // Half of a window, or all of it with agents still on their way.
            let carried_out = if round % 2 == 0 { 3 } else { 6 };
            for (index, agent) in case.agents.iter_mut().enumerate() {
                agent.start = planned.plan.place(carried_out, index);
                let at_goal = |t| agent.goal.is_some_and(|goal| planned.plan.place(t, index) == goal.into());
                if (1..=carried_out).any(at_goal) {
                    arrivals[index] += 1;
                    agent.goal = Some(goal(&mut rng));
                }
            }
        }
        eprintln!("{backend:?}: arrivals {arrivals:?}, fallbacks {fallbacks}");
        assert!(arrivals.iter().all(|&arrived| arrived > 10), "{backend:?}: arrivals {arrivals:?}");
    }
}

/// Agents in one place with room for them start at once: no freeze (the reference's shield rejects them for ever).
#[test]
fn colocated_agents_with_room_are_moved() {
    for backend in Backend::ALL {
        let case = Case { graph: zones(), agents: vec![Agent::new(Vertex(0), Vertex(2)); 4], reservations: vec![] };
        let planned = planner(&case, backend, small()).solve(&case.agents, &[]).unwrap();
        assert!(planned.plan.steps() <= 5, "{backend:?}: {} steps", planned.plan.steps());
    }
}

/// More agents want a vertex than fit: some arrive, nobody collides, nothing is an error.
#[test]
fn a_goal_wanted_by_too_many_is_shared_out_in_windows() {
    for backend in Backend::ALL {
        let case = Case {
            graph: zones(),
            agents: vec![Agent { token: true, ..Agent::new(Vertex(0), Vertex(5)) }; 5],
            reservations: vec![],
        };
        let window = Window { agents: &case.agents, reservations: &[], steps: 12 };
        let planned = planner(&case, backend, small()).plan(&window).unwrap();
        assert_eq!(violations(&case, &planned.plan), [], "{backend:?}");
        let there = planned.plan.row(12).iter().filter(|&&place| place == Vertex(5).into()).count();
        assert_eq!(there, 2, "{backend:?}");
    }
}

/// On a grid without dead ends every agent reaches its goal (the promise of PIBT on biconnected graphs: each one does at some
/// time, if not all at once).
#[test]
fn pibt_brings_everybody_to_their_goal_at_some_time() {
    let graph = Arc::new(Kind::Empty.grid(12, 12, 0).graph().unwrap());
    let mut agents = random_agents(&graph, 100, 3).unwrap();
    let start = agents.clone();
    let mut distances = Distances::new(Arc::clone(&graph));
    let mut pibt = Pibt::new(Arc::clone(&graph), 1);
    let mut arrived = vec![false; agents.len()];
    let mut rows = vec![];
    for _ in 0..600 {
        rows.push(agents.iter().map(|agent| agent.start).collect::<Vec<_>>());
        for (agent, arrived) in agents.iter().zip(&mut arrived) {
            *arrived |= agent.goal.is_some_and(|goal| agent.start == goal.into());
        }
        pibt.step(&mut agents, &mut distances).unwrap();
    }
    assert_eq!(arrived.iter().filter(|&&arrived| !arrived).count(), 0);
    let plan = labtrust_mapf::Plan::from_rows(100, rows.iter().map(Vec::as_slice));
    assert_eq!(violations(&Case { graph, agents: start, reservations: vec![] }, &plan), []);
}

/// Two long edges end in a vertex with room for one: only one agent sets out, though both would arrive after the window.
#[test]
fn nobody_sets_out_for_a_place_that_is_taken_after_the_window() {
    let edge = |from| Edge::new(Vertex(from), Vertex(1)).with_steps(3);
    let graph = Arc::new(Graph::new(vec![1; 3], vec![edge(0), edge(2)]).unwrap());
    let agents = vec![Agent::new(Vertex(0), Vertex(1)), Agent::new(Vertex(2), Vertex(1))];
    let case = Case { graph, agents, reservations: vec![] };
    for backend in [Backend::Whca, Backend::Pibt, Backend::Rhcr] {
        let mut planner = planner(&case, backend, Options { fallback: false, ..small() });
        let planned = planner.plan(&Window { agents: &case.agents, reservations: &[], steps: 2 }).unwrap();
        let waiting = planned.plan.row(2).iter().zip(&case.agents).filter(|(place, agent)| **place == agent.start);
        assert_eq!(waiting.count(), 1, "{backend:?}");
    }
}

//! Names, refusals and budgets.

use crate::instances::{Case, planner, small};
use labtrust_mapf::{Agent, Backend, Edge, Graph, Grid, Kind, MapfError, Options, Reservation, Vertex, random_agents};
use std::sync::Arc;

fn line(vertices: u32) -> Arc<Graph> {
    let edges = (1..vertices).map(|v| Edge::new(Vertex(v - 1), Vertex(v))).collect();
    Arc::new(Graph::new(vec![1; vertices as usize], edges).unwrap())
}

fn agents(pairs: &[(u32, u32)]) -> Vec<Agent> {
    pairs.iter().map(|&(start, goal)| Agent::new(Vertex(start), Vertex(goal))).collect()
}

fn case(graph: Arc<Graph>, agents: Vec<Agent>) -> Case {
    Case { graph, agents, reservations: Vec::new() }
}

#[test]
fn a_back_end_is_found_by_its_name_and_an_unknown_name_lists_them() {
    for backend in Backend::ALL {
        assert_eq!(Backend::parse(&format!(" {} ", backend.name().to_uppercase())), Ok(backend));
    }
    let text = Backend::parse("astar").unwrap_err().to_string();
    assert_eq!(text, "\"astar\" is not a routing back-end; there are whca, pibt, lacam, cbs, ecbs, rhcr, lns");
}

#[test]
fn what_cannot_be_planned_is_refused_and_named() {
    for backend in Backend::ALL {
        let solve = |pairs: &[(u32, u32)]| {
            planner(&case(line(3), agents(pairs)), backend, small()).solve(&agents(pairs), &[]).unwrap_err()
        };
        assert!(matches!(solve(&[(0, 7)]), MapfError::UnknownVertex { vertex: 7, last: 2, .. }));
        assert!(matches!(solve(&[(0, 2), (0, 1)]), MapfError::StartFull { agents: 2, room: 1, .. }));
        assert!(matches!(solve(&[(0, 2), (1, 2)]), MapfError::GoalFull { vertex: 2, agents: 2, room: 1 }));
        let island = Arc::new(Graph::new(vec![1; 2], vec![]).unwrap());
        let apart = case(island, agents(&[(0, 1)]));
        let refused = planner(&apart, backend, small()).solve(&apart.agents, &[]);
        assert_eq!(refused.unwrap_err(), MapfError::Unreachable { agent: 0, goal: 1 });
    }
}

#[test]
fn reservations_with_a_time_are_refused_where_they_are_not_understood() {
    let case = case(line(3), agents(&[(0, 2)]));
    let soon = Reservation { vertex: Vertex(1), places: 1, from: 1, until: Some(3) };
    for backend in Backend::ALL {
        let found = planner(&case, backend, small()).solve(&case.agents, &[soon]);
        if backend.features().timed_reservations {
            assert_eq!(found.unwrap().plan.cost(&case.agents), 4, "{backend:?} waits until vertex 1 is free");
        } else {
            assert!(matches!(found, Err(MapfError::Unsupported { .. })), "{backend:?}");
        }
    }
}

#[test]
fn two_agents_that_would_have_to_pass_in_a_corridor_are_never_let_through() {
    let case = case(line(4), agents(&[(0, 3), (3, 0)]));
    for backend in Backend::ALL {
        let stopped = planner(&case, backend, small()).solve(&case.agents, &[]).unwrap_err();
        match backend {
            Backend::Lacam => assert_eq!(stopped, MapfError::NoPlan { backend }),
            Backend::Cbs | Backend::Ecbs | Backend::Lns => assert!(matches!(stopped, MapfError::Exhausted { .. })),
            _ => assert!(matches!(stopped, MapfError::TooLong { .. } | MapfError::Exhausted { .. }), "{stopped}"),
        }
    }
}

#[test]
fn nobody_to_plan_for_is_a_plan() {
    for backend in Backend::ALL {
        let planned = planner(&case(line(2), vec![]), backend, small()).solve(&[], &[]).unwrap();
        assert_eq!((planned.plan.agents(), planned.plan.steps()), (0, 0), "{backend:?}");
    }
}

#[test]
fn options_that_cannot_be_are_refused() {
    for options in
        [Options { window: 0, ..small() }, Options { window: 65, ..small() }, Options { commit: 0, ..small() }]
    {
        assert!(matches!(Backend::Whca.planner(line(2), options), Err(MapfError::BadValue { .. })));
    }
}

/// Grids of the benchmark kinds with some dozens of agents: those made for that solve them, twice to the same plan.
#[test]
fn benchmark_grids_are_solved_and_repeat() {
    let grids: [Grid; 3] =
        [Kind::Empty.grid(16, 16, 1), Kind::Random(10).grid(24, 24, 2), Kind::Warehouse.grid(40, 22, 3)];
    for grid in grids {
        let graph = Arc::new(grid.graph().unwrap());
        let case = case(Arc::clone(&graph), random_agents(&graph, 24, 5).unwrap());
        let options = Options { max_steps: 400, ..Options::default() };
        for backend in [Backend::Whca, Backend::Pibt, Backend::Lacam, Backend::Ecbs, Backend::Rhcr, Backend::Lns] {
            let solve = || planner(&case, backend, options.clone()).solve(&case.agents, &[]);
            let planned = solve().unwrap_or_else(|problem| panic!("{problem}"));
            assert_eq!(crate::instances::violations(&case, &planned.plan), [], "{backend:?}");
            assert_eq!(Ok(planned), solve(), "{backend:?}");
        }
    }
}

/// In a maze of one-cell corridors agents must turn round to let others pass; without that the budget is gone many times over.
#[test]
fn agents_swap_in_corridors() {
    let graph = Arc::new(Kind::Maze(1).grid(41, 41, 1).graph().unwrap());
    let options = || Options { budget: 200_000, max_steps: 3_000, ..Options::default() };
    for seed in 0..8 {
        let case = case(Arc::clone(&graph), random_agents(&graph, 10, seed).unwrap());
        for backend in [Backend::Lacam, Backend::Pibt] {
            let planned = planner(&case, backend, options()).solve(&case.agents, &[]);
            let planned = planned.unwrap_or_else(|problem| panic!("{problem}, seed {seed}"));
            assert_eq!(crate::instances::violations(&case, &planned.plan), []);
        }
    }
}

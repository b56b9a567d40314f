//! The least cost by Dijkstra over the states of all agents together. Knows the rules from the graph's edge list only.

use crate::instances::Case;
use labtrust_mapf::{Vertex, Whereabouts};
use std::collections::{BTreeMap, BTreeSet};

/// Where one agent is: at a vertex, or on an edge (index, where it leads, steps left).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spot {
    At(u32),
    On(usize, u32, u16),
}

/// Everybody, and who has arrived for good.
type State = (Vec<Spot>, Vec<bool>);

/// One way to go on: where, which edge in which direction, whether for good, what it costs.
type Move = (Spot, Option<(usize, u32)>, bool, u64);

/// What brute force says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Cost(u64),
    NoPlan,
    /// More states than it was given.
    Unknown,
}

/// The least sum of costs to bring everybody to their goals.
pub(crate) fn least_cost(case: &Case, most_states: usize) -> Truth {
    let starts = case.agents.iter().map(|agent| match case.graph.whereabouts(agent.start) {
        Whereabouts::At(v) => Spot::At(v.0),
        Whereabouts::On { edge, to, left } => Spot::On(edge.0 as usize, to.0, left),
    });
    let start: State = (starts.collect(), vec![false; case.agents.len()]);
    let mut best = BTreeMap::from([(start.clone(), 0)]);
    let mut open = BTreeSet::from([(0, start)]);
    while let Some((cost, state)) = open.pop_first() {
        if case.agents.iter().zip(&state.0).all(|(agent, &spot)| match agent.goal {
            Some(goal) => spot == Spot::At(goal.0),
            None => matches!(spot, Spot::At(_)),
        }) {
            return Truth::Cost(cost);
        }
        if best.len() > most_states {
            return Truth::Unknown;
        }
        let options: Vec<Vec<Move>> = (0..case.agents.len()).map(|agent| moves(case, agent, &state)).collect();
        let mut chosen = vec![0; options.len()];
        'joint: loop {
            let joint: Vec<Move> = options.iter().zip(&chosen).map(|(moves, &i)| moves[i]).collect();
            if allowed(case, &joint) {
                let next: State = (joint.iter().map(|m| m.0).collect(), joint.iter().map(|m| m.2).collect());
                let total = cost + joint.iter().map(|m| m.3).sum::<u64>();
                let known = best.get(&next).copied().unwrap_or(u64::MAX);
                if total < known {
                    open.remove(&(known, next.clone()));
                    best.insert(next.clone(), total);
                    open.insert((total, next));
                }
            }
            for (index, moves) in chosen.iter_mut().zip(&options) {
                *index += 1;
                if *index < moves.len() {
                    continue 'joint;
                }
                *index = 0;
            }
            break;
        }
    }
    Truth::NoPlan
}

fn moves(case: &Case, agent: usize, (spots, done): &State) -> Vec<Move> {
    let asked = case.agents[agent];
    let pays = |moved: bool| u64::from(asked.goal.is_some() || moved);
    match spots[agent] {
        Spot::At(v) if done[agent] => vec![(Spot::At(v), None, true, 0)],
        Spot::On(edge, to, 1) => vec![(Spot::At(to), Some((edge, to)), false, 1)],
        Spot::On(edge, to, left) => vec![(Spot::On(edge, to, left - 1), Some((edge, to)), false, 1)],
        Spot::At(v) => {
            let mut all = vec![(Spot::At(v), None, false, pays(false))];
            if asked.goal == Some(Vertex(v)) {
                all.push((Spot::At(v), None, true, 0));
            }
            for (index, edge) in case.graph.edges().iter().enumerate() {
                let to = match (edge.a.0 == v, edge.b.0 == v) {
                    (true, _) => edge.b.0,
                    (_, true) => edge.a.0,
                    _ => continue,
                };
                if !edge.door || asked.token {
                    let next = if edge.steps == 1 { Spot::At(to) } else { Spot::On(index, to, edge.steps - 1) };
                    all.push((next, Some((index, to)), false, pays(true)));
                }
            }
            all
        }
    }
}

fn allowed(case: &Case, joint: &[Move]) -> bool {
    let there = |v: u32| joint.iter().filter(|m| m.0 == Spot::At(v)).count();
    let taken =
        |v: u32| -> usize { case.reservations.iter().filter(|r| r.vertex.0 == v).map(|r| usize::from(r.places)).sum() };
    let travelling = |edge: usize, to: u32| joint.iter().filter(|m| m.1 == Some((edge, to))).count();
    joint.iter().all(|&(spot, used, ..)| {
        let fits = match spot {
            Spot::At(v) => there(v) + taken(v) <= usize::from(case.graph.capacity(Vertex(v))),
            Spot::On(..) => true,
        };
        let passes = used.is_none_or(|(edge, to)| {
            let known = case.graph.edges()[edge];
            let other = known.a.0 + known.b.0 - to;
            travelling(edge, to) <= usize::from(known.capacity) && !(known.exclusive && travelling(edge, other) > 0)
        });
        fits && passes
    })
}

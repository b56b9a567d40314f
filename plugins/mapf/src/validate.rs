//! The checker: does a plan hold? It shares nothing with the planners but the graph's meaning.

use crate::graph::{EdgeId, Graph, Place, Vertex, Whereabouts};
use crate::instance::{Agent, Reservation};
use crate::plan::Plan;
use std::collections::BTreeMap;
use std::fmt;

/// What is wrong with a plan. Agents are given by index.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// More agents at a vertex than fit.
    Vertex {
        /// The step.
        t: u32,
        /// The vertex.
        vertex: Vertex,
        /// Those who are there.
        agents: Vec<usize>,
    },
    /// An edge with a door used without a token.
    Door {
        /// The step in which it is entered.
        t: u32,
        /// The edge.
        edge: EdgeId,
        /// Where from and where to.
        way: (Vertex, Vertex),
        /// Who.
        agent: usize,
    },
    /// Two agents meet on an exclusive edge; on an edge of one step they swap.
    Swap {
        /// The step.
        t: u32,
        /// The edge.
        edge: EdgeId,
        /// Who travels from its first end to its second.
        one: usize,
        /// Who travels the other way.
        other: usize,
    },
    /// More agents in one direction of an edge than its capacity.
    Edge {
        /// The step.
        t: u32,
        /// The edge.
        edge: EdgeId,
        /// Those who are on it.
        agents: Vec<usize>,
    },
    /// An agent is where it cannot have come from the place before, or begins elsewhere than it is.
    Jump {
        /// The step at whose end it is there; 0 for the start.
        t: u32,
        /// Who.
        agent: usize,
    },
}

impl Violation {
    /// The invariant that is broken. The first three are the reference's; it has none for the last two.
    pub fn invariant(&self) -> &'static str {
        match self {
            Self::Vertex { .. } => "INV-ROUTE-001",
            Self::Door { .. } => "INV-ROUTE-002",
            Self::Swap { .. } => "INV-ROUTE-SWAP",
            Self::Edge { .. } => "INV-ROUTE-EDGE",
            Self::Jump { .. } => "INV-ROUTE-JUMP",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |agents: &[usize]| agents.iter().map(usize::to_string).collect::<Vec<_>>().join(" and ");
        write!(f, "{}: ", self.invariant())?;
        match self {
            Self::Vertex { t, vertex, agents } => write!(f, "(t={t}, node={}) occupied by {}", vertex.0, join(agents)),
            Self::Door { t, way: (from, to), agent, .. } => {
                write!(f, "{agent} planned restricted edge ({},{}) at t={t} without token", from.0, to.0)
            }
            Self::Swap { t, edge, one, other } => {
                write!(f, "swap collision at t={t}: {one} and {other} meet on edge {}", edge.0)
            }
            Self::Edge { t, edge, agents } => write!(f, "(t={t}, edge={}) used by {}", edge.0, join(agents)),
            Self::Jump { t, agent } => write!(f, "{agent} cannot be where it is planned to be at t={t}"),
        }
    }
}

/// Everything that is wrong with a plan, step by step; empty when nothing is.
///
/// Checks that agents start where they are, move along edges in the time that takes, fit at vertices beside what is reserved,
/// fit on edges, do not meet on exclusive ones, and have a token where there is a door. Whether they arrive is
/// [`Plan::arrives`]. More agents than a vertex holds *at the start* count as a violation too; ask for the plan's later rows
/// only if the world allows that.
///
/// # Panics
/// When the plan is for another number of agents, or for another graph.
pub fn validate(graph: &Graph, agents: &[Agent], reservations: &[Reservation], plan: &Plan) -> Vec<Violation> {
    assert_eq!(plan.agents(), agents.len(), "the plan is for these agents");
    let mut found = Vec::new();
    for (agent, (asked, &planned)) in agents.iter().zip(plan.row(0)).enumerate() {
        if asked.start != planned {
            found.push(Violation::Jump { t: 0, agent });
        }
    }
    for t in 0..=plan.steps() {
        check_vertices(graph, reservations, plan.row(t), t, &mut found);
        if t < plan.steps() {
            check_moves(graph, agents, plan.row(t), plan.row(t + 1), t, &mut found);
        }
    }
    found
}

fn check_vertices(graph: &Graph, reservations: &[Reservation], row: &[Place], t: u32, found: &mut Vec<Violation>) {
    let mut at: BTreeMap<Vertex, Vec<usize>> = BTreeMap::new();
    for (agent, &place) in row.iter().enumerate() {
        if let Whereabouts::At(vertex) = graph.whereabouts(place) {
            at.entry(vertex).or_default().push(agent);
        }
    }
    for (vertex, agents) in at {
        let holds = |r: &&Reservation| r.vertex == vertex && r.from <= t && r.until.is_none_or(|until| until > t);
        let taken: usize = reservations.iter().filter(holds).map(|r| usize::from(r.places)).sum();
        if agents.len() + taken > usize::from(graph.capacity(vertex)) {
            found.push(Violation::Vertex { t, vertex, agents });
        }
    }
}

/// The edge an agent uses from one place to the next, and where it heads; `None` for waiting, an error for a jump.
fn travelled(graph: &Graph, from: Place, to: Place) -> Result<Option<(EdgeId, Vertex)>, ()> {
    match (graph.whereabouts(from), graph.whereabouts(to)) {
        (Whereabouts::At(a), Whereabouts::At(b)) if a == b => Ok(None),
        (Whereabouts::At(a), Whereabouts::At(b)) => {
            let joins = |(_, e): &(u32, &crate::Edge)| (e.a, e.b) == (a, b) || (e.a, e.b) == (b, a);
            let edge = (0..).zip(graph.edges()).find(joins).filter(|(_, edge)| edge.steps == 1);
            edge.map(|(id, _)| Some((EdgeId(id), b))).ok_or(())
        }
        (Whereabouts::At(a), Whereabouts::On { edge, to, left }) => {
            let known = graph.edges()[edge.0 as usize];
            let from = if known.a == to { known.b } else { known.a };
            if from == a && left + 1 == known.steps { Ok(Some((edge, to))) } else { Err(()) }
        }
        (Whereabouts::On { edge, to, left: 1 }, Whereabouts::At(b)) if to == b => Ok(Some((edge, to))),
        (Whereabouts::On { edge, to, left }, Whereabouts::On { edge: same, to: there, left: less }) => {
            if edge == same && to == there && left == less + 1 { Ok(Some((edge, to))) } else { Err(()) }
        }
        _ => Err(()),
    }
}

fn check_moves(graph: &Graph, agents: &[Agent], from: &[Place], to: &[Place], t: u32, found: &mut Vec<Violation>) {
    let mut on: BTreeMap<(EdgeId, Vertex), Vec<usize>> = BTreeMap::new();
    for (agent, (&here, &next)) in from.iter().zip(to).enumerate() {
        match travelled(graph, here, next) {
            Err(()) => found.push(Violation::Jump { t: t + 1, agent }),
            Ok(None) => {}
            Ok(Some((edge, head))) => {
                on.entry((edge, head)).or_default().push(agent);
                let known = graph.edges()[edge.0 as usize];
                // Who is on its way already has passed the door.
                if let Whereabouts::At(tail) = graph.whereabouts(here)
                    && known.door
                    && !agents[agent].token
                {
                    found.push(Violation::Door { t, edge, way: (tail, head), agent });
                }
            }
        }
    }
    for (&(edge, head), travelling) in &on {
        let known = graph.edges()[edge.0 as usize];
        if travelling.len() > usize::from(known.capacity) {
            found.push(Violation::Edge { t, edge, agents: travelling.clone() });
        }
        if let Some(meeting) = on.get(&(edge, known.a))
            && known.exclusive
            && head == known.b
        {
            found.push(Violation::Swap { t, edge, one: travelling[0], other: meeting[0] });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Edge;

    fn invariants(graph: &Graph, agents: &[Agent], rows: &[&[Place]]) -> Vec<&'static str> {
        let plan = Plan::from_rows(agents.len(), rows.iter().copied());
        validate(graph, agents, &[], &plan).iter().map(Violation::invariant).collect()
    }

    fn at(v: u32) -> Place {
        Vertex(v).into()
    }

    #[test]
    fn every_kind_of_violation_is_found_and_named() {
        let v = Vertex;
        let edges = vec![
            Edge::new(v(0), v(1)),
            Edge::new(v(1), v(2)).with_door(),
            Edge::new(v(2), v(3)).with_steps(2).with_capacity(1),
        ];
        let graph = Graph::new(vec![1, 1, 2, 2], edges).unwrap();
        let two = |a: u32, b: u32| [Agent::new(v(a), v(0)), Agent::new(v(b), v(0))];
        assert_eq!(invariants(&graph, &two(0, 1), &[&[at(0), at(1)], &[at(0), at(1)]]), [""; 0]);
        assert_eq!(invariants(&graph, &two(0, 1), &[&[at(0), at(1)], &[at(1), at(1)]]), ["INV-ROUTE-001"]);
        assert_eq!(invariants(&graph, &two(0, 1), &[&[at(0), at(1)], &[at(1), at(0)]]), ["INV-ROUTE-SWAP"]);
        assert_eq!(invariants(&graph, &two(0, 1), &[&[at(0), at(1)], &[at(0), at(2)]]), ["INV-ROUTE-002"]);
        assert_eq!(invariants(&graph, &two(0, 3), &[&[at(0), at(3)], &[at(0), at(2)]]), ["INV-ROUTE-JUMP"]);
        assert_eq!(invariants(&graph, &two(0, 3), &[&[at(0), at(2)]]), ["INV-ROUTE-JUMP"]);
        let there = graph.on_the_way(EdgeId(2), v(3), 1).unwrap();
        let back = graph.on_the_way(EdgeId(2), v(2), 1).unwrap();
        assert_eq!(invariants(&graph, &two(2, 2), &[&[at(2), at(2)], &[there, at(2)], &[at(3), at(2)]]), [""; 0]);
        assert_eq!(invariants(&graph, &two(2, 2), &[&[at(2), at(2)], &[there, there]]), ["INV-ROUTE-EDGE"]);
        assert_eq!(invariants(&graph, &two(2, 3), &[&[at(2), at(3)], &[there, back]]), ["INV-ROUTE-SWAP"]);
    }

    #[test]
    fn reservations_take_room_while_they_hold() {
        let graph = Graph::new(vec![2, 2], vec![Edge::new(Vertex(0), Vertex(1))]).unwrap();
        let agents = [Agent::new(Vertex(0), Vertex(1)); 2];
        let plan = Plan::from_rows(2, [[at(0); 2].as_slice(), &[at(0); 2]]);
        let taken = |from, until| Reservation { vertex: Vertex(0), places: 1, from, until };
        assert_eq!(validate(&graph, &agents, &[taken(2, None)], &plan), []);
        assert_eq!(validate(&graph, &agents, &[taken(0, Some(1))], &plan).len(), 1);
        let text = validate(&graph, &agents, &[taken(1, None)], &plan)[0].to_string();
        assert_eq!(text, "INV-ROUTE-001: (t=1, node=0) occupied by 0 and 1");
    }
}

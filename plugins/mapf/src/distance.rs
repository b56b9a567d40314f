//! Exact distances to goals, found as far as they are asked for.
//!
//! One search backwards from each goal, breadth first (Dijkstra's where edges take several steps), that stops as soon as the
//! vertex asked for is reached and goes on from there when a farther one is. Agents with the same goal share it. Edges are the
//! same in both directions, so backwards is forwards. The heuristic of every back-end: it is admissible and consistent,
//! because other agents and reservations only make ways longer.

use crate::graph::{Graph, Vertex};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

/// Distance to a vertex that cannot be reached.
pub(crate) const FAR: u32 = u32::MAX;

/// Distances in one graph [steps], kept between calls.
pub struct Distances {
    graph: Arc<Graph>,
    has_doors: bool,
    index: FxHashMap<(u32, bool), u32>,
    rows: Vec<Row>,
}

struct Row {
    token: bool,
    found: Found,
    frontier: Frontier,
}

/// Distance plus one by vertex; 0 where it is not known yet. Memory that is never written to costs nothing.
enum Found {
    /// Where no distance can be as long as 2^16, which halves what a large map with many goals takes.
    Short(Vec<u16>),
    Long(Vec<u32>),
}

impl Found {
    fn new(graph: &Graph) -> Self {
        let vertices = graph.vertices() as usize;
        if u64::from(graph.vertices()) * u64::from(graph.longest()) < u64::from(u16::MAX) {
            Self::Short(vec![0; vertices])
        } else {
            Self::Long(vec![0; vertices])
        }
    }

    #[inline]
    fn get(&self, vertex: u32) -> u32 {
        match self {
            Self::Short(found) => found[vertex as usize].into(),
            Self::Long(found) => found[vertex as usize],
        }
    }

    #[inline]
    fn set(&mut self, vertex: u32, to: u32) {
        match self {
            Self::Short(found) => found[vertex as usize] = to as u16,
            Self::Long(found) => found[vertex as usize] = to,
        }
    }
}

enum Frontier {
    /// Vertices whose neighbours are still to be looked at, in the order of their distance.
    Unit(VecDeque<u32>),
    Weighted(BinaryHeap<Reverse<(u32, u32)>>),
}

impl Distances {
    /// No distances yet.
    pub fn new(graph: Arc<Graph>) -> Self {
        let has_doors = graph.edges().iter().any(|edge| edge.door);
        Self { graph, has_doors, index: FxHashMap::default(), rows: Vec::new() }
    }

    /// Steps from a vertex to a goal for an agent that is alone; `None` when there is no way without a token.
    pub fn between(&mut self, from: Vertex, goal: Vertex, token: bool) -> Option<u32> {
        if from.0.max(goal.0) >= self.graph.vertices() {
            return None;
        }
        let row = self.row(goal.0, token);
        Some(self.get(row, from.0)).filter(|&steps| steps != FAR)
    }

    /// The row of distances to a goal.
    pub(crate) fn row(&mut self, goal: u32, token: bool) -> u32 {
        let token = token || !self.has_doors;
        *self.index.entry((goal, token)).or_insert_with(|| {
            let mut found = Found::new(&self.graph);
            let frontier = if self.graph.longest() <= 1 {
                found.set(goal, 1);
                Frontier::Unit(VecDeque::from([goal]))
            } else {
                Frontier::Weighted(BinaryHeap::from([Reverse((0, goal))]))
            };
            self.rows.push(Row { token, found, frontier });
            self.rows.len() as u32 - 1
        })
    }

    /// Distance of a vertex [steps]; [`FAR`] when there is no way.
    #[inline]
    pub(crate) fn get(&mut self, row: u32, vertex: u32) -> u32 {
        let row = &mut self.rows[row as usize];
        match row.found.get(vertex) {
            0 => row.extend(&self.graph, vertex),
            found => found - 1,
        }
    }

    /// Distance of an agent, wherever it is.
    pub(crate) fn of_place(&mut self, row: u32, place: u32) -> u32 {
        let there = self.get(row, self.graph.heading(place));
        if there == FAR { FAR } else { there + self.graph.left(place) }
    }
}

impl Row {
    #[cold]
    fn extend(&mut self, graph: &Graph, vertex: u32) -> u32 {
        let token = self.token;
        let open = |arc: u32| token || !graph.edge(arc).door;
        match &mut self.frontier {
            Frontier::Unit(queue) => {
                while self.found.get(vertex) == 0 {
                    let Some(here) = queue.pop_front() else { return FAR };
                    let next = self.found.get(here) + 1;
                    for out in graph.outs(here) {
                        if self.found.get(out.head) == 0 && open(out.arc) {
                            self.found.set(out.head, next);
                            queue.push_back(out.head);
                        }
                    }
                }
            }
            Frontier::Weighted(heap) => {
                while self.found.get(vertex) == 0 {
                    let Some(Reverse((steps, here))) = heap.pop() else { return FAR };
                    if self.found.get(here) != 0 {
                        continue;
                    }
                    self.found.set(here, steps + 1);
                    for out in graph.outs(here) {
                        if self.found.get(out.head) == 0 && open(out.arc) {
                            heap.push(Reverse((steps + u32::from(graph.edge(out.arc).steps), out.head)));
                        }
                    }
                }
            }
        }
        self.found.get(vertex) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Edge;

    #[test]
    fn a_door_is_a_way_only_with_a_token() {
        let v = Vertex;
        let edges = vec![
            Edge::new(v(0), v(1)).with_steps(2),
            Edge::new(v(1), v(2)).with_steps(2),
            Edge::new(v(0), v(2)).with_door(),
            Edge::new(v(2), v(3)).with_door(),
        ];
        let mut distances = Distances::new(Arc::new(Graph::new(vec![1; 4], edges).unwrap()));
        assert_eq!(distances.between(v(0), v(2), false), Some(4));
        assert_eq!(distances.between(v(0), v(2), true), Some(1));
        assert_eq!(distances.between(v(3), v(2), false), None);
        assert_eq!(distances.between(v(0), v(3), true), Some(2));
        assert_eq!(distances.between(v(9), v(3), true), None);
    }
}

//! Exact distances to goals, found as far as they are asked for.
//!
//! One search backwards from each goal, breadth first (Dijkstra's where edges take several steps), that stops as soon as the
//! vertex asked for is reached and goes on from there when a farther one is. Agents with the same goal share it. Edges are the
//! same in both directions, so backwards is forwards. The heuristic of every back-end: it is admissible and consistent,
//! because other agents and reservations only make ways longer.

use crate::graph::{Graph, Vertex};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
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
    /// Distance plus one; 0 where it is not known yet. Memory that is never written to costs nothing.
    found: Vec<u32>,
    frontier: Frontier,
}

enum Frontier {
    /// Vertices in the order of their distance; those before the cursor are done.
    Unit {
        queue: Vec<u32>,
        cursor: usize,
    },
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
            let mut found = vec![0; self.graph.vertices() as usize];
            let frontier = if self.graph.longest() <= 1 {
                found[goal as usize] = 1;
                Frontier::Unit { queue: vec![goal], cursor: 0 }
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
        match row.found[vertex as usize] {
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
            Frontier::Unit { queue, cursor } => {
                while self.found[vertex as usize] == 0 {
                    let Some(&here) = queue.get(*cursor) else { return FAR };
                    *cursor += 1;
                    let next = self.found[here as usize] + 1;
                    for out in graph.outs(here) {
                        if self.found[out.head as usize] == 0 && open(out.arc) {
                            self.found[out.head as usize] = next;
                            queue.push(out.head);
                        }
                    }
                }
            }
            Frontier::Weighted(heap) => {
                while self.found[vertex as usize] == 0 {
                    let Some(Reverse((steps, here))) = heap.pop() else { return FAR };
                    if self.found[here as usize] != 0 {
                        continue;
                    }
                    self.found[here as usize] = steps + 1;
                    for out in graph.outs(here) {
                        if self.found[out.head as usize] == 0 && open(out.arc) {
                            heap.push(Reverse((steps + u32::from(graph.edge(out.arc).steps), out.head)));
                        }
                    }
                }
            }
        }
        self.found[vertex as usize] - 1
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

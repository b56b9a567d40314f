//! Shortest ways through the open roads, by time.
//!
//! A truck's speed factor stretches every road of its way alike, so the shortest way does not depend on the truck or its
//! load, and one tree for each end of a way serves the fleet. Times are compared as whole nanoseconds: no rounding
//! decides between two ways. Of equally fast ways the one with fewer roads is taken, of those the one whose first road
//! stands first in the site's list, and so on along the way.

use crate::site::{EdgeId, NodeId};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// An open road of the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arc {
    pub edge: EdgeId,
    pub from: NodeId,
    pub to: NodeId,
    /// Drive at the limit [ns].
    pub nanos: u64,
}

/// Time and roads that are left to the target.
type Left = (u64, u32);

/// Shortest ways from every node to one target.
pub(crate) struct Ways {
    target: NodeId,
    left: Vec<Option<Left>>,
}

impl Ways {
    /// Ways to `target` over `arcs`, in a network of `nodes` nodes.
    pub(crate) fn to(target: NodeId, nodes: usize, arcs: &[Arc]) -> Self {
        let mut left: Vec<Option<Left>> = vec![None; nodes];
        let mut open = BinaryHeap::from([Reverse(((0, 0), target))]);
        while let Some(Reverse((here, node))) = open.pop() {
            let place = &mut left[usize::from(node.0)];
            if place.is_some() {
                continue;
            }
            *place = Some(here);
            for arc in arcs.iter().filter(|arc| arc.to == node) {
                if left[usize::from(arc.from.0)].is_none() {
                    open.push(Reverse(((here.0.saturating_add(arc.nanos), here.1 + 1), arc.from)));
                }
            }
        }
        Self { target, left }
    }

    /// The roads from `from` to the target; `None` when no open way leads there, empty when it is the target.
    pub(crate) fn from(&self, from: NodeId, arcs: &[Arc]) -> Option<Vec<EdgeId>> {
        let mut left = self.left[usize::from(from.0)]?;
        let (mut node, mut roads) = (from, Vec::new());
        while node != self.target {
            // The first road, in the site's order, from which the way left is exactly the shortest.
            let step = arcs.iter().find(|arc| {
                arc.from == node
                    && self.left[usize::from(arc.to.0)]
                        .is_some_and(|(nanos, count)| (nanos.saturating_add(arc.nanos), count + 1) == left)
            })?;
            roads.push(step.edge);
            node = step.to;
            left = self.left[usize::from(node.0)]?;
        }
        Some(roads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arcs(rows: &[(u16, u16, u64)]) -> Vec<Arc> {
        (0..)
            .zip(rows)
            .map(|(edge, &(from, to, nanos))| Arc { edge: EdgeId(edge), from: NodeId(from), to: NodeId(to), nanos })
            .collect()
    }

    fn way(rows: &[(u16, u16, u64)], from: u16, to: u16) -> Option<Vec<u16>> {
        let arcs = arcs(rows);
        let ways = Ways::to(NodeId(to), 5, &arcs);
        ways.from(NodeId(from), &arcs).map(|roads| roads.into_iter().map(|edge| edge.0).collect())
    }

    #[test]
    fn the_fastest_way_is_taken_even_when_it_has_more_roads() {
        assert_eq!(way(&[(0, 2, 10), (0, 1, 4), (1, 2, 5)], 0, 2), Some(vec![1, 2]));
    }

    #[test]
    fn of_equally_fast_ways_the_one_with_fewer_roads_is_taken_then_the_one_listed_first() {
        assert_eq!(way(&[(0, 1, 4), (1, 2, 6), (0, 2, 10)], 0, 2), Some(vec![2]));
        assert_eq!(way(&[(0, 3, 5), (0, 1, 5), (1, 2, 5), (3, 2, 5)], 0, 2), Some(vec![0, 3]));
    }

    #[test]
    fn roads_lead_one_way_only() {
        assert_eq!(way(&[(0, 1, 1)], 1, 0), None);
        assert_eq!(way(&[(0, 1, 1)], 1, 1), Some(vec![]));
    }
}

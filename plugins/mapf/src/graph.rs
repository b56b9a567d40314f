//! The graph that agents move on, and the places they can be at.
//!
//! A vertex has a capacity. An edge takes a number of steps, lets a number of agents travel in each direction at once, and
//! may be exclusive (nobody meets anybody on it) or a door (it needs a token). An agent that travels for several steps is at
//! no vertex in between. Every place, a vertex or "so many steps before the end of that edge", has one number, so that a
//! configuration of all agents is a row of numbers.

use crate::error::MapfError;
use rustc_hash::FxHashSet;

/// A vertex, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vertex(pub u32);

/// An edge, by its index in the list the graph was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeId(pub u32);

/// Where an agent is: at a vertex, or on its way along an edge. [`Graph::whereabouts`] tells which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub(crate) u32);

impl From<Vertex> for Place {
    fn from(vertex: Vertex) -> Self {
        Self(vertex.0)
    }
}

/// What a [`Place`] means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// At a vertex.
    At(Vertex),
    /// On an edge.
    On {
        /// The edge.
        edge: EdgeId,
        /// Where it ends for this agent.
        to: Vertex,
        /// Steps until it is there [steps], from 1 to the edge's steps less one.
        left: u16,
    },
}

/// An undirected edge. [`Edge::new`] makes one as grids have them: one step, exclusive, otherwise without limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// One end.
    pub a: Vertex,
    /// The other end.
    pub b: Vertex,
    /// Travel time [steps], at least 1.
    pub steps: u16,
    /// Agents that may be on it at once in each direction [count], at least 1.
    pub capacity: u16,
    /// Whether agents may not meet on it: while one travels, nobody travels the other way. With one step: no swap.
    pub exclusive: bool,
    /// Whether only agents with a token may use it.
    pub door: bool,
}

impl Edge {
    /// An edge of one step without a limit of its own, on which nobody may meet.
    pub const fn new(a: Vertex, b: Vertex) -> Self {
        Self { a, b, steps: 1, capacity: u16::MAX, exclusive: true, door: false }
    }

    /// The same edge with another travel time [steps].
    pub const fn with_steps(self, steps: u16) -> Self {
        Self { steps, ..self }
    }

    /// The same edge with room for so many agents in each direction [count].
    pub const fn with_capacity(self, capacity: u16) -> Self {
        Self { capacity, ..self }
    }

    /// The same edge, on which agents may pass each other.
    pub const fn two_way(self) -> Self {
        Self { exclusive: false, ..self }
    }

    /// The same edge, for agents with a token only.
    pub const fn with_door(self) -> Self {
        Self { door: true, ..self }
    }
}

/// One way out of a vertex. An arc is an edge in one direction: twice the edge's index, plus one from `b` to `a`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    pub arc: u32,
    pub head: u32,
}

/// The arc in the other direction.
pub(crate) const fn reverse(arc: u32) -> u32 {
    arc ^ 1
}

/// Vertices and edges. Immutable; share it in an `Arc`.
#[derive(Clone, Debug)]
pub struct Graph {
    capacity: Vec<u16>,
    edges: Vec<Edge>,
    first_out: Vec<u32>,
    out: Vec<Out>,
    /// By arc: the place of an agent on it with one step left. Meaningless for edges of one step.
    first_transit: Vec<u32>,
    /// By place less the number of vertices.
    transit_arc: Vec<u32>,
    longest: u16,
}

impl Graph {
    /// A graph of vertices with the given capacities [count] and these edges.
    ///
    /// A capacity of 0 is a vertex that nobody may enter.
    ///
    /// # Errors
    /// [`MapfError::UnknownVertex`] for an edge's end that is no vertex; [`MapfError::BadValue`] for an edge from a vertex to
    /// itself, a second edge between the same vertices, an edge of 0 steps or capacity 0, a graph without vertices, and one
    /// with more places than fit into 31 bits.
    pub fn new(capacities: Vec<u16>, edges: Vec<Edge>) -> Result<Self, MapfError> {
        let vertices = capacities.len() as u64;
        let transits: u64 = edges.iter().map(|edge| 2 * u64::from(edge.steps.saturating_sub(1))).sum();
        let places = vertices + transits + 2 * edges.len() as u64;
        if vertices == 0 || places >= 1 << 31 {
            return Err(MapfError::BadValue {
                what: "graph".into(),
                problem: format!("{vertices} vertices and {places} places and arcs"),
                hint: "there must be a vertex, and at most 2^31 places and arcs",
            });
        }
        check_edges(vertices as u32, &edges)?;
        let mut first_out = vec![0; capacities.len() + 1];
        for edge in &edges {
            first_out[edge.a.0 as usize + 1] += 1;
            first_out[edge.b.0 as usize + 1] += 1;
        }
        for v in 1..first_out.len() {
            first_out[v] += first_out[v - 1];
        }
        let mut filled: Vec<u32> = first_out[..capacities.len()].to_vec();
        let mut out = vec![Out { arc: 0, head: 0 }; 2 * edges.len()];
        for (arc, (from, to)) in (0..).zip(edges.iter().flat_map(|edge| [(edge.a, edge.b), (edge.b, edge.a)])) {
            let slot = &mut filled[from.0 as usize];
            out[*slot as usize] = Out { arc, head: to.0 };
            *slot += 1;
        }
        let mut first_transit = Vec::with_capacity(2 * edges.len());
        let mut transit_arc = Vec::new();
        for arc in 0..2 * edges.len() as u32 {
            first_transit.push(vertices as u32 + transit_arc.len() as u32);
            transit_arc.extend((1..edges[arc as usize / 2].steps).map(|_| arc));
        }
        let longest = edges.iter().map(|edge| edge.steps).max().unwrap_or(1);
        Ok(Self { capacity: capacities, edges, first_out, out, first_transit, transit_arc, longest })
    }

    /// Number of vertices [count].
    pub fn vertices(&self) -> u32 {
        self.capacity.len() as u32
    }

    /// The edges, in the order in which they were given.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// How many agents fit at a vertex [count]; 0 for a vertex that does not exist.
    pub fn capacity(&self, vertex: Vertex) -> u16 {
        self.capacity.get(vertex.0 as usize).copied().unwrap_or(0)
    }

    /// The longest travel time of an edge [steps].
    pub fn longest(&self) -> u16 {
        self.longest
    }

    /// Whether a vertex has room for more than one agent.
    pub fn has_rooms(&self) -> bool {
        self.capacity.iter().any(|&capacity| capacity > 1)
    }

    /// The vertices next to one, in the order of the edges.
    pub fn neighbours(&self, vertex: Vertex) -> impl Iterator<Item = (EdgeId, Vertex)> {
        self.outs(vertex.0).iter().map(|out| (EdgeId(out.arc / 2), Vertex(out.head)))
    }

    /// The edge between two vertices.
    pub fn edge_between(&self, from: Vertex, to: Vertex) -> Option<EdgeId> {
        (from.0 < self.vertices()).then(|| self.neighbours(from).find(|&(_, head)| head == to))?.map(|(edge, _)| edge)
    }

    /// What a place means.
    ///
    /// # Panics
    /// For a place of another, larger graph.
    pub fn whereabouts(&self, place: Place) -> Whereabouts {
        match self.transit(place.0) {
            None => Whereabouts::At(Vertex(place.0)),
            Some(arc) => {
                Whereabouts::On { edge: EdgeId(arc / 2), to: Vertex(self.head(arc)), left: self.left(place.0) as u16 }
            }
        }
    }

    /// The place of an agent that travels along `edge` to `to` and needs `left` more steps [steps].
    ///
    /// # Errors
    /// [`MapfError::BadValue`] when there is no such edge, it does not end there, or `left` is not between 1 and its steps
    /// less one.
    pub fn on_the_way(&self, edge: EdgeId, to: Vertex, left: u16) -> Result<Place, MapfError> {
        let bad = |problem| MapfError::BadValue {
            what: format!("place on edge {} to vertex {}", edge.0, to.0),
            problem,
            hint: "an agent is on an edge for its steps less one; at either end it is at a vertex",
        };
        let known = self.edges.get(edge.0 as usize).ok_or_else(|| bad("there is no such edge".into()))?;
        if to != known.a && to != known.b {
            return Err(bad(format!("the edge joins {} and {}", known.a.0, known.b.0)));
        }
        if left == 0 || left >= known.steps {
            return Err(bad(format!("{left} steps left of {}", known.steps)));
        }
        let arc = 2 * edge.0 + u32::from(to == known.a);
        Ok(Place(self.first_transit[arc as usize] + u32::from(left) - 1))
    }

    pub(crate) fn places(&self) -> u32 {
        self.vertices() + self.transit_arc.len() as u32
    }

    pub(crate) fn arcs(&self) -> u32 {
        2 * self.edges.len() as u32
    }

    #[inline]
    pub(crate) fn outs(&self, vertex: u32) -> &[Out] {
        let v = vertex as usize;
        &self.out[self.first_out[v] as usize..self.first_out[v + 1] as usize]
    }

    #[inline]
    pub(crate) fn edge(&self, arc: u32) -> &Edge {
        &self.edges[arc as usize / 2]
    }

    pub(crate) fn head(&self, arc: u32) -> u32 {
        let edge = self.edge(arc);
        if arc.is_multiple_of(2) { edge.b.0 } else { edge.a.0 }
    }

    /// The arc that an agent at `place` is on; `None` at a vertex.
    #[inline]
    pub(crate) fn transit(&self, place: u32) -> Option<u32> {
        (place >= self.vertices()).then(|| self.transit_arc[(place - self.vertices()) as usize])
    }

    /// Steps until the agent is at a vertex; 0 at one.
    pub(crate) fn left(&self, place: u32) -> u32 {
        self.transit(place).map_or(0, |arc| place - self.first_transit[arc as usize] + 1)
    }

    /// The vertex at `place` or the one that the agent there will arrive at.
    pub(crate) fn heading(&self, place: u32) -> u32 {
        self.transit(place).map_or(place, |arc| self.head(arc))
    }

    /// Where an agent is one step after it took `arc`.
    #[inline]
    pub(crate) fn enter(&self, arc: u32) -> u32 {
        match self.edge(arc).steps {
            1 => self.head(arc),
            steps => self.first_transit[arc as usize] + u32::from(steps) - 2,
        }
    }

    /// Where an agent on its way is one step later, and the arc it uses.
    #[inline]
    pub(crate) fn onward(&self, place: u32) -> Option<(u32, u32)> {
        let arc = self.transit(place)?;
        Some((arc, if place == self.first_transit[arc as usize] { self.head(arc) } else { place - 1 }))
    }

    /// The arc used in a step; `None` for waiting and for a step that is not possible.
    pub(crate) fn used(&self, from: u32, to: u32) -> Option<u32> {
        if let Some((arc, next)) = self.onward(from) {
            return (next == to).then_some(arc);
        }
        if let Some(arc) = self.transit(to) {
            return (self.enter(arc) == to && self.head(reverse(arc)) == from).then_some(arc);
        }
        self.outs(from).iter().find(|out| out.head == to && self.edge(out.arc).steps == 1).map(|out| out.arc)
    }
}

fn check_edges(vertices: u32, edges: &[Edge]) -> Result<(), MapfError> {
    let mut seen = FxHashSet::default();
    for (index, edge) in edges.iter().enumerate() {
        let what = || format!("edge {index} ({}-{})", edge.a.0, edge.b.0);
        let bad = |problem: &str, hint| MapfError::BadValue { what: what(), problem: problem.into(), hint };
        if let Some(end) = [edge.a, edge.b].into_iter().find(|end| end.0 >= vertices) {
            return Err(MapfError::UnknownVertex { what: what(), vertex: end.0, last: vertices - 1 });
        }
        if edge.a == edge.b {
            return Err(bad("it joins a vertex to itself", "waiting needs no edge"));
        }
        if edge.steps == 0 || edge.capacity == 0 {
            return Err(bad("0 steps or capacity 0", "both are at least 1; leave an edge out that nobody may use"));
        }
        if !seen.insert((edge.a.min(edge.b), edge.a.max(edge.b))) {
            return Err(bad("a second edge between the same vertices", "give one edge more capacity"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_edge_has_a_place_for_every_step_in_between() {
        let edge = Edge::new(Vertex(0), Vertex(1)).with_steps(3);
        let graph = Graph::new(vec![1, 1], vec![edge]).unwrap();
        let start = graph.enter(0);
        assert_eq!(graph.whereabouts(Place(start)), Whereabouts::On { edge: EdgeId(0), to: Vertex(1), left: 2 });
        assert_eq!(graph.on_the_way(EdgeId(0), Vertex(1), 2), Ok(Place(start)));
        let (_, next) = graph.onward(start).unwrap();
        assert_eq!(graph.onward(next), Some((0, 1)));
        assert_eq!(graph.used(0, start), Some(0));
        assert_eq!(graph.used(1, start), None);
        assert_eq!(graph.used(0, 1), None);
        assert!(graph.on_the_way(EdgeId(0), Vertex(1), 3).is_err());
        assert!(graph.on_the_way(EdgeId(1), Vertex(1), 1).is_err());
    }

    #[test]
    fn edges_that_cannot_be_are_refused() {
        let edge = Edge::new(Vertex(0), Vertex(1));
        let refused = |edges: Vec<Edge>| Graph::new(vec![1, 1], edges).is_err();
        assert!(refused(vec![Edge::new(Vertex(0), Vertex(2))]));
        assert!(refused(vec![Edge::new(Vertex(1), Vertex(1))]));
        assert!(refused(vec![edge, Edge::new(Vertex(1), Vertex(0))]));
        assert!(refused(vec![edge.with_steps(0)]));
        assert!(refused(vec![edge.with_capacity(0)]));
        assert!(Graph::new(vec![], vec![]).is_err());
        assert!(Graph::new(vec![1, 1], vec![edge]).is_ok());
    }
}

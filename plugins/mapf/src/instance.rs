//! Who is to go where, and what is taken by others.

use crate::error::MapfError;
use crate::graph::{Graph, Place, Vertex, Whereabouts};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// An agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Where it is now; `vertex.into()` for one at a vertex.
    pub start: Place,
    /// Where it is to go. Without a goal it stays unless it is in somebody's way.
    pub goal: Option<Vertex>,
    /// Whether it may use doors.
    pub token: bool,
}

impl Agent {
    /// An agent at a vertex with a goal and no token.
    pub fn new(start: Vertex, goal: Vertex) -> Self {
        Self { start: start.into(), goal: Some(goal), token: false }
    }
}

/// Room at a vertex that is taken by somebody who is not planned for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The vertex.
    pub vertex: Vertex,
    /// Room that is taken [count]; [`u16::MAX`] blocks the vertex.
    pub places: u16,
    /// First step of it.
    pub from: u32,
    /// First step after it; `None` for good.
    pub until: Option<u32>,
}

impl Reservation {
    /// A vertex that nobody may be at.
    pub fn blocked(vertex: Vertex) -> Self {
        Self { vertex, places: u16::MAX, from: 0, until: None }
    }

    fn covers(&self, t: u32) -> bool {
        self.from <= t && self.until.is_none_or(|until| t < until)
    }

    /// Whether it holds at every step.
    pub(crate) fn always(&self) -> bool {
        self.from == 0 && self.until.is_none()
    }
}

/// A checked instance: everybody fits where they start, and every vertex named exists.
pub(crate) struct Instance<'a> {
    pub graph: &'a Graph,
    pub agents: &'a [Agent],
    /// Room that is left at each vertex by what is taken for good.
    room: Vec<u16>,
    timed: FxHashMap<u32, SmallVec<[Reservation; 2]>>,
    /// First step from which nothing that is reserved changes any more.
    settled: u32,
}

impl<'a> Instance<'a> {
    pub(crate) fn new(graph: &'a Graph, agents: &'a [Agent], reserved: &[Reservation]) -> Result<Self, MapfError> {
        let mut instance = Self {
            graph,
            agents,
            room: (0..graph.vertices()).map(|v| graph.capacity(Vertex(v))).collect(),
            timed: FxHashMap::default(),
            settled: 0,
        };
        let known = |what: &dyn Fn() -> String, vertex: u32, end: u32| {
            let refused = || MapfError::UnknownVertex { what: what(), vertex, last: graph.vertices() - 1 };
            if vertex < end { Ok(()) } else { Err(refused()) }
        };
        for reservation in reserved {
            known(&|| "a reservation".into(), reservation.vertex.0, graph.vertices())?;
            let v = reservation.vertex.0;
            if reservation.always() {
                let room = &mut instance.room[v as usize];
                *room = room.saturating_sub(reservation.places);
            } else {
                instance.settled = instance.settled.max(reservation.until.unwrap_or(reservation.from));
                instance.timed.entry(v).or_default().push(*reservation);
            }
        }
        for (index, agent) in agents.iter().enumerate() {
            known(&|| format!("start of agent {index}"), agent.start.0, graph.places())?;
            if let Some(goal) = agent.goal {
                known(&|| format!("goal of agent {index}"), goal.0, graph.vertices())?;
            }
        }
        instance.check_starts()?;
        Ok(instance)
    }

    fn check_starts(&self) -> Result<(), MapfError> {
        let mut at = vec![0u32; self.graph.vertices() as usize];
        let mut on = vec![0u32; self.graph.arcs() as usize];
        let full = |place: String, agents: u32, room: u16| MapfError::StartFull { place, agents, room: room.into() };
        for agent in self.agents {
            match self.graph.transit(agent.start.0) {
                None => at[agent.start.0 as usize] += 1,
                Some(arc) => on[arc as usize] += 1,
            }
        }
        for (v, &agents) in at.iter().enumerate().filter(|&(_, &agents)| agents > 0) {
            let room = self.room(v as u32, 0);
            if agents > u32::from(room) {
                return Err(full(format!("at vertex {v}"), agents, room));
            }
        }
        for agent in self.agents {
            if let Whereabouts::On { edge, .. } = self.graph.whereabouts(agent.start) {
                let (one, other) = (on[2 * edge.0 as usize], on[2 * edge.0 as usize + 1]);
                let limit = self.graph.edge(2 * edge.0);
                if one.max(other) > u32::from(limit.capacity) || (limit.exclusive && one.min(other) > 0) {
                    return Err(full(format!("on edge {}", edge.0), one + other, limit.capacity));
                }
            }
        }
        Ok(())
    }

    /// Checks that everybody can be at their goals at once.
    pub(crate) fn check_goals(&self) -> Result<(), MapfError> {
        let mut goals: Vec<u32> = self.agents.iter().filter_map(|agent| Some(agent.goal?.0)).collect();
        goals.sort_unstable();
        for same in goals.chunk_by(|a, b| a == b) {
            let (vertex, agents, room) = (same[0], same.len() as u32, u32::from(self.room(same[0], u32::MAX)));
            if agents > room {
                return Err(MapfError::GoalFull { vertex, agents, room });
            }
        }
        Ok(())
    }

    /// Room for agents at a vertex at a step [count].
    #[inline]
    pub(crate) fn room(&self, vertex: u32, t: u32) -> u16 {
        let room = self.room[vertex as usize];
        if self.timed.is_empty() {
            return room;
        }
        let timed = self.timed.get(&vertex).into_iter().flatten();
        timed.filter(|reservation| reservation.covers(t)).fold(room, |room, taken| room.saturating_sub(taken.places))
    }

    /// First step from which [`Instance::room`] does not change.
    pub(crate) fn settled(&self) -> u32 {
        self.settled
    }

    pub(crate) fn starts(&self) -> Vec<u32> {
        self.agents.iter().map(|agent| agent.start.0).collect()
    }

    /// Whether the agent may use the arc.
    #[inline]
    pub(crate) fn may_use(&self, agent: usize, arc: u32) -> bool {
        self.agents[agent].token || !self.graph.edge(arc).door
    }
}

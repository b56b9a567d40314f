//! The way of one agent through space and time: A* over (place, step).
//!
//! What the others do comes as [`Rules`]: some steps are forbidden, some only cost trouble. From the step on at which nothing
//! changes any more all later steps count as one, so that the search space is finite and "no way" is a proof. A path ends at
//! a vertex where the agent can rest; for an agent with a goal that is the goal, or any vertex once a window is over, with
//! the distance that is left added to the cost.

use crate::backend::Ratio;
use crate::distance::{Distances, FAR};
use crate::focal::Focal;
use crate::graph::reverse;
use crate::instance::Instance;
use crate::traffic::Traffic;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Node expansions that may still be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    limit: u64,
    pub used: u64,
}

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spent;

impl Budget {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, used: 0 }
    }

    pub(crate) fn spend(&mut self, expansions: u64) -> Result<(), Spent> {
        self.used = self.used.saturating_add(expansions);
        if self.used > self.limit { Err(Spent) } else { Ok(()) }
    }
}

/// Trouble of what is not allowed at all.
const FORBIDDEN: u32 = u32::MAX;

/// What a single agent may not have at single steps (the constraints of conflict-based search).
#[derive(Clone, Default)]
pub(crate) struct Bans {
    vertices: FxHashSet<(u32, u32)>,
    arcs: FxHashSet<(u32, u32)>,
    last_at: FxHashMap<u32, u32>,
    settled: u32,
}

impl Bans {
    pub(crate) fn ban_vertex(&mut self, vertex: u32, t: u32) {
        self.vertices.insert((vertex, t));
        let last = self.last_at.entry(vertex).or_insert(t);
        *last = t.max(*last);
        self.settled = self.settled.max(t + 1);
    }

    pub(crate) fn ban_arc(&mut self, arc: u32, t: u32) {
        self.arcs.insert((arc, t));
        self.settled = self.settled.max(t + 1);
    }
}

/// What the others leave to an agent.
pub(crate) struct Rules<'a> {
    pub instance: &'a Instance<'a>,
    pub agent: usize,
    /// Paths that must be kept clear.
    pub hard: Option<&'a Traffic>,
    /// Paths that had better be kept clear.
    pub soft: Option<&'a Traffic>,
    pub bans: Option<&'a Bans>,
}

impl Rules<'_> {
    fn at(&self, v: u32, t: u32) -> u32 {
        let room = self.instance.room(v, t);
        let banned = self.bans.is_some_and(|bans| bans.vertices.contains(&(v, t)));
        if room == 0 || banned || self.hard.is_some_and(|hard| hard.at(v, t) >= room) {
            return FORBIDDEN;
        }
        self.soft.map_or(0, |soft| u32::from((soft.at(v, t) + 1).saturating_sub(room)))
    }

    fn on(&self, arc: u32, t: u32) -> u32 {
        let graph = self.instance.graph;
        let edge = graph.edge(arc);
        let banned = self.bans.is_some_and(|bans| bans.arcs.contains(&(arc, t)));
        if banned {
            return FORBIDDEN;
        }
        let over = |traffic: &Traffic| {
            let meeting = if edge.exclusive { traffic.on(graph, reverse(arc), t) } else { 0 };
            // Without a limit of its own an edge is only asked who comes the other way.
            let along = if edge.capacity == u16::MAX { 0 } else { traffic.on(graph, arc, t) + 1 };
            u32::from(along.saturating_sub(edge.capacity)) + u32::from(meeting)
        };
        if self.hard.is_some_and(|hard| over(hard) > 0) {
            return FORBIDDEN;
        }
        self.soft.map_or(0, over)
    }

    /// Trouble of staying at `v` from after `t` on for good.
    fn rest(&self, v: u32, t: u32) -> u32 {
        if self.bans.is_some_and(|bans| bans.last_at.get(&v).is_some_and(|&last| last > t)) {
            return FORBIDDEN;
        }
        let mut trouble = 0u32;
        for later in t + 1..=self.settled().max(t + 1) {
            match self.at(v, later) {
                FORBIDDEN => return FORBIDDEN,
                more => trouble = trouble.saturating_add(more),
            }
        }
        trouble
    }

    /// First step from which nothing changes any more.
    fn settled(&self) -> u32 {
        let traffic = self.hard.map_or(0, Traffic::settled).max(self.soft.map_or(0, Traffic::settled));
        traffic.max(self.bans.map_or(0, |bans| bans.settled)).max(self.instance.settled())
    }
}

/// Which path is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Focus {
    /// The cheapest; of those one with little trouble.
    Cost,
    /// The least trouble; of those the cheapest.
    Trouble,
    /// Little trouble at a cost within a ratio of the cheapest.
    Bounded(Ratio),
}

/// A path, from step 0 on.
pub(crate) struct Found {
    pub path: Vec<u32>,
    /// Steps until it stays at its goal, or with what is left after the window; steps travelled for an agent without a goal.
    pub cost: u64,
    /// No path is cheaper than this.
    pub lower: u64,
}

/// Nodes by what is wanted. The younger of equal nodes goes first: it is deeper.
enum Queue {
    Plain { by_trouble: bool, heap: BinaryHeap<Reverse<(u64, u64, u32, u32)>> },
    Focal(Focal),
}

impl Queue {
    fn new(focus: Focus) -> Self {
        match focus {
            Focus::Cost => Self::Plain { by_trouble: false, heap: BinaryHeap::new() },
            Focus::Trouble => Self::Plain { by_trouble: true, heap: BinaryHeap::new() },
            Focus::Bounded(w) => Self::Focal(Focal::new(w)),
        }
    }

    fn push(&mut self, node: &Node, id: u32) {
        let f = u64::from(node.cost) + u64::from(node.left);
        let trouble = u64::from(node.trouble);
        match self {
            Self::Plain { by_trouble: false, heap } => heap.push(Reverse((f, trouble, node.left, u32::MAX - id))),
            Self::Plain { by_trouble: true, heap } => heap.push(Reverse((trouble, f, node.left, u32::MAX - id))),
            Self::Focal(focal) => focal.push(f, f, node.trouble, id),
        }
    }

    fn pop(&mut self) -> Option<(u32, Option<u64>)> {
        match self {
            Self::Plain { heap, .. } => heap.pop().map(|Reverse((.., id))| (u32::MAX - id, None)),
            Self::Focal(focal) => focal.pop().map(|(id, lower)| (id, Some(lower))),
        }
    }
}

#[derive(Clone, Copy)]
struct Node {
    place: u32,
    t: u32,
    cost: u32,
    left: u32,
    trouble: u32,
    parent: u32,
    last: bool,
}

const NOBODY: u32 = u32::MAX;

/// Searches the path of one agent. `window`: from that step on any vertex to rest at will do. `Ok(None)`: there is none.
pub(crate) fn search(
    rules: &Rules<'_>,
    distances: &mut Distances,
    focus: Focus,
    window: Option<u32>,
    budget: &mut Budget,
) -> Result<Option<Found>, Spent> {
    let agent = rules.instance.agents[rules.agent];
    let row = agent.goal.map(|goal| distances.row(goal.0, agent.token));
    let mut left = |place: u32| row.map_or(0, |row| distances.of_place(row, place));
    if left(agent.start.0) == FAR {
        return Ok(None);
    }
    if let (Focus::Cost, None, Some(goal)) = (focus, rules.soft, agent.goal)
        && let Some(found) = straight(rules, &mut left, goal.0, window)
    {
        budget.spend(found.path.len() as u64)?;
        return Ok(Some(found));
    }
    let settled = rules.settled();
    let start = Node {
        place: agent.start.0,
        t: 0,
        cost: 0,
        left: left(agent.start.0),
        trouble: 0,
        parent: NOBODY,
        last: false,
    };
    let mut nodes = vec![start];
    let mut queue = Queue::new(focus);
    queue.push(&start, 0);
    let mut closed = FxHashSet::default();
    while let Some((id, lower)) = queue.pop() {
        let node = nodes[id as usize];
        if node.last {
            let cost = u64::from(node.cost) + u64::from(node.left);
            return Ok(Some(Found { path: trace(&nodes, node.parent), cost, lower: lower.unwrap_or(cost) }));
        }
        if !closed.insert((node.place, node.t.min(settled))) {
            continue;
        }
        budget.spend(1)?;
        let over = window.is_some_and(|end| node.t >= end);
        let vertex = rules.instance.graph.transit(node.place).is_none();
        if vertex && (over || agent.goal.is_none_or(|goal| goal.0 == node.place)) {
            let rest = rules.rest(node.place, node.t);
            if rest != FORBIDDEN {
                // Taken only when it comes up again: another node may have less trouble.
                let last = Node { trouble: node.trouble.saturating_add(rest), parent: id, last: true, ..node };
                nodes.push(last);
                queue.push(&last, nodes.len() as u32 - 1);
            }
        }
        successors(rules, node.place, node.t, |place, trouble| {
            let left = left(place);
            if left == FAR || closed.contains(&(place, (node.t + 1).min(settled))) {
                return;
            }
            let moved = u32::from(agent.goal.is_some() || place != node.place);
            let next = Node {
                place,
                t: node.t + 1,
                cost: node.cost + moved,
                left,
                trouble: node.trouble.saturating_add(trouble),
                parent: id,
                last: false,
            };
            nodes.push(next);
            queue.push(&next, nodes.len() as u32 - 1);
        });
    }
    Ok(None)
}

/// Every place that the agent may be at one step later, with the trouble of getting there: waiting last.
fn successors(rules: &Rules<'_>, place: u32, t: u32, mut take: impl FnMut(u32, u32)) {
    let graph = rules.instance.graph;
    let mut try_arc = |arc: u32, next: u32| {
        let arrival = if graph.transit(next).is_none() { rules.at(next, t + 1) } else { 0 };
        let travel = if arrival == FORBIDDEN { FORBIDDEN } else { rules.on(arc, t) };
        if travel != FORBIDDEN {
            take(next, arrival + travel);
        }
    };
    if let Some((arc, next)) = graph.onward(place) {
        return try_arc(arc, next);
    }
    // A door is passed when an agent sets out.
    for out in graph.outs(place).iter().filter(|out| rules.instance.may_use(rules.agent, out.arc)) {
        try_arc(out.arc, graph.enter(out.arc));
    }
    let wait = rules.at(place, t + 1);
    if wait != FORBIDDEN {
        take(place, wait);
    }
}

/// A shortest path that needs no search: down the distances, taking the first way that is free. Most agents are not in
/// anybody's way.
fn straight(rules: &Rules<'_>, left: &mut impl FnMut(u32) -> u32, goal: u32, window: Option<u32>) -> Option<Found> {
    let mut path = vec![rules.instance.agents[rules.agent].start.0];
    let mut here = path[0];
    let cost = u64::from(left(here));
    let mut to_go = left(here);
    while here != goal
        && !(window.is_some_and(|end| path.len() as u32 > end) && rules.instance.graph.transit(here).is_none())
    {
        let mut next = None;
        successors(rules, here, path.len() as u32 - 1, |place, _| {
            if next.is_none() && left(place) < to_go {
                next = Some(place);
            }
        });
        here = next?;
        to_go = left(here);
        path.push(here);
    }
    let rests = rules.rest(here, path.len() as u32 - 1) != FORBIDDEN;
    rests.then_some(Found { path, cost, lower: cost })
}

fn trace(nodes: &[Node], last: u32) -> Vec<u32> {
    let mut path = Vec::with_capacity(nodes[last as usize].t as usize + 1);
    let mut id = last;
    while id != NOBODY {
        path.push(nodes[id as usize].place);
        id = nodes[id as usize].parent;
    }
    path.reverse();
    path
}

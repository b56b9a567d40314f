//! Priority inheritance with backtracking: one step for everybody at once.
//!
//! Agents choose in the order of their priority, nearest neighbour first. Who wants a vertex that would be overfull then makes
//! somebody there choose first; if that one cannot leave, the next neighbour is tried. Vertices with room for several agents
//! ask one after the other until somebody leaves: one leaver is always enough, because everybody who is undecided could still
//! stay where they are. That promise is kept on edges of several steps too: who sets out counts at the far end from then on.
//!
//! In corridors two agents that want past each other would push to and fro; `swap.rs` sees that and lets one lead the other
//! to a place where they can.
//!
//! **Source** K. Okumura, M. Machida, X. Défago, Y. Tamura, "Priority inheritance with backtracking for iterative multi-agent
//! path finding", *Artificial Intelligence* 310 (2022). Rooms and travel times are ours. **Cost** O(agents x degree) a step;
//! nothing is allocated once the lists have their size, and the recursion is a list too.

mod swap;

use crate::distance::{Distances, FAR};
use crate::error::MapfError;
use crate::graph::{Graph, Place, Vertex, reverse};
use crate::instance::Agent;
use std::sync::Arc;

/// No agent, no arc, no place, no row.
pub(crate) const NONE: u32 = u32::MAX;

/// What is known of an agent besides where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// Its goal; [`NONE`] without.
    pub goal: u32,
    /// Row of distances to it; [`NONE`] without a goal.
    pub row: u32,
    pub token: bool,
}

#[derive(Clone, Copy)]
struct Cell {
    /// An agent that is there now; the others follow in `link`.
    first: u32,
    /// Agents there that have not chosen yet.
    waiting: u16,
    /// Agents that will be there at the next step.
    arriving: u16,
    /// Agents that will be there later, by what they have begun.
    inbound: u16,
    room: u16,
}

#[derive(Clone, Copy)]
struct Choice {
    key: u64,
    /// [`NONE`] for staying.
    arc: u32,
    head: u32,
}

/// An agent that is choosing: its choices from `cursor` on are `choices[cursor..end]`.
#[derive(Clone, Copy)]
struct Frame {
    agent: u32,
    cursor: u32,
    end: u32,
    first: u32,
    /// Whom to pull along when the first choice stands.
    swap: u32,
}

/// Makes the next configuration out of one. PIBT's step, and LaCAM's generator.
pub(crate) struct Generator {
    graph: Arc<Graph>,
    cells: Vec<Cell>,
    /// By arc: agents on it in this step.
    used: Vec<u16>,
    /// Arcs that somebody with a higher priority would have taken, had nobody come the other way: nobody else sets out against
    /// them, or one direction of a long edge could starve the other.
    wanted: Vec<u32>,
    link: Vec<u32>,
    took: Vec<u32>,
    frames: Vec<Frame>,
    choices: Vec<Choice>,
    salt: u64,
}

impl Generator {
    pub(crate) fn new(graph: Arc<Graph>, seed: u64) -> Self {
        let cell = |v| Cell { first: NONE, waiting: 0, arriving: 0, inbound: 0, room: graph.capacity(Vertex(v)) };
        Self {
            cells: (0..graph.vertices()).map(cell).collect(),
            used: vec![0; graph.arcs() as usize],
            wanted: Vec::new(),
            link: Vec::new(),
            took: Vec::new(),
            frames: Vec::new(),
            choices: Vec::new(),
            salt: mix(seed),
            graph,
        }
    }

    /// Sets the room at every vertex.
    pub(crate) fn set_rooms(&mut self, room: impl Fn(u32) -> u16) {
        for (v, cell) in (0..).zip(&mut self.cells) {
            cell.room = room(v);
        }
    }

    /// Fills `next` with places for everybody, choosing in `order`, with some places `forced`. `false`: this way there is none.
    pub(crate) fn generate(
        &mut self,
        distances: &mut Distances,
        wishes: &[Wish],
        now: &[u32],
        order: &[u32],
        forced: &[(u32, u32)],
        next: &mut Vec<u32>,
    ) -> bool {
        next.clear();
        next.resize(now.len(), NONE);
        self.link.resize(now.len(), NONE);
        self.took.resize(now.len(), NONE);
        self.salt = mix(self.salt);
        let graph = Arc::clone(&self.graph);
        let mut view = Step { graph: &graph, distances, wishes, now, next };
        let mut tight = !forced.is_empty();
        for agent in (0..now.len() as u32).rev() {
            self.took[agent as usize] = NONE;
            tight |= self.enter(&mut view, agent);
        }
        let mut ok = forced.iter().all(|&(agent, place)| self.force(&mut view, agent, place));
        if tight {
            // First those who cannot all stay: somebody comes in at this step.
            ok = ok && self.decide_all(&mut view, order, true);
        }
        ok = ok && self.decide_all(&mut view, order, false);
        if tight {
            ok = ok && view.next.iter().all(|&to| self.cells.get(to as usize).is_none_or(|c| c.arriving <= c.room));
        }
        self.clear(&view);
        ok
    }

    /// Puts an agent onto the board; `true` when not everybody may be able to stay.
    fn enter(&mut self, view: &mut Step<'_>, agent: u32) -> bool {
        let here = view.now[agent as usize];
        let Some((arc, next)) = view.graph.onward(here) else {
            let cell = &mut self.cells[here as usize];
            cell.waiting += 1;
            self.link[agent as usize] = cell.first;
            cell.first = agent;
            return cell.waiting > cell.room;
        };
        self.take(view, agent, arc, next);
        true
    }

    fn force(&mut self, view: &mut Step<'_>, agent: u32, place: u32) -> bool {
        let here = view.now[agent as usize];
        if view.next[agent as usize] != NONE {
            return view.next[agent as usize] == place;
        }
        let arc = if place == here { NONE } else { view.graph.used(here, place).unwrap_or(NONE) };
        let full = view.graph.transit(place).is_none() && {
            let cell = &self.cells[place as usize];
            cell.arriving >= cell.room
        };
        if full || (arc == NONE && place != here) || (arc != NONE && !self.passable(view, agent, arc)) {
            return false;
        }
        self.take(view, agent, arc, place);
        self.cells[here as usize].waiting -= 1;
        true
    }

    fn decide_all(&mut self, view: &mut Step<'_>, order: &[u32], overfull_only: bool) -> bool {
        order.iter().all(|&agent| {
            if view.next[agent as usize] != NONE {
                return true;
            }
            let cell = &self.cells[view.now[agent as usize] as usize];
            if overfull_only && cell.arriving + cell.waiting <= cell.room {
                return true;
            }
            self.decide(view, agent)
        })
    }

    /// Lets an agent choose, and whoever it has to push. `false`: it can neither move nor stay.
    fn decide(&mut self, view: &mut Step<'_>, agent: u32) -> bool {
        self.frames.clear();
        self.choices.clear();
        self.open(view, agent);
        let mut answer = None;
        while let Some(&frame) = self.frames.last() {
            let mut frame = frame;
            let mut taken = match answer.take() {
                Some(true) => true,
                Some(false) => {
                    self.give_back(view, frame.agent);
                    frame.cursor += 1;
                    false
                }
                None => false,
            };
            while !taken && frame.cursor < frame.end {
                let choice = self.choices[frame.cursor as usize];
                taken = self.try_choice(view, frame.agent, choice);
                if !taken && frame.cursor == frame.first {
                    self.want(view, choice);
                }
                frame.cursor += u32::from(!taken);
            }
            if !taken {
                // Nothing is left but to stay; whoever wanted this vertex gives up its own choice.
                let here = view.now[frame.agent as usize];
                self.take(view, frame.agent, NONE, here);
                self.cells[here as usize].waiting -= 1;
                self.close(frame);
                answer = Some(false);
                continue;
            }
            *self.frames.last_mut().expect("the frame in hand") = frame;
            let choice = self.choices[frame.cursor as usize];
            match self.in_the_way(view, choice) {
                Some(other) => self.open(view, other),
                None => {
                    if frame.swap != NONE && frame.cursor == frame.first {
                        self.pull(view, frame.swap, view.now[frame.agent as usize]);
                    }
                    self.close(frame);
                    answer = Some(true);
                }
            }
        }
        answer == Some(true)
    }

    fn close(&mut self, frame: Frame) {
        self.frames.pop();
        self.choices.truncate(frame.first as usize);
    }

    /// Lists the choices of an agent, best first.
    fn open(&mut self, view: &mut Step<'_>, agent: u32) {
        let here = view.now[agent as usize];
        let wish = view.wishes[agent as usize];
        let first = self.choices.len() as u32;
        let mut push = |arc: u32, head: u32, steps: u32| {
            let left = if wish.row == NONE { 0 } else { view.distances.get(wish.row, head) };
            if left == FAR {
                return;
            }
            // Without a goal moving is what costs.
            let cost = if wish.row == NONE { u32::from(arc != NONE) } else { left.saturating_add(steps) };
            let cell = &self.cells[head as usize];
            let occupied = arc != NONE && cell.waiting + cell.arriving > 0;
            let tie = mix(self.salt ^ (u64::from(agent) << 32 | u64::from(head))) >> 34;
            let key = u64::from(cost) << 31 | u64::from(occupied) << 30 | tie;
            self.choices.push(Choice { key, arc, head });
        };
        for out in view.graph.outs(here) {
            let edge = view.graph.edge(out.arc);
            if wish.token || !edge.door {
                push(out.arc, out.head, u32::from(edge.steps));
            }
        }
        push(NONE, here, 1);
        self.choices[first as usize..].sort_unstable_by_key(|choice| choice.key);
        let end = self.choices.len() as u32;
        let swap = self.swap_partner(view, agent, self.choices[first as usize]).unwrap_or(NONE);
        if swap != NONE {
            // Away from the goal: to make room behind, and to come back after the other.
            self.choices[first as usize..].reverse();
        }
        self.frames.push(Frame { agent, cursor: first, end, first, swap });
    }

    fn passable(&self, view: &Step<'_>, agent: u32, arc: u32) -> bool {
        let edge = view.graph.edge(arc);
        self.used[arc as usize] < edge.capacity
            && !(edge.exclusive && self.used[reverse(arc) as usize] > 0)
            && (!edge.door || view.wishes[agent as usize].token)
    }

    fn want(&mut self, view: &Step<'_>, choice: Choice) {
        if choice.arc != NONE && self.used[reverse(choice.arc) as usize] > 0 {
            let edge = view.graph.edge(choice.arc);
            if edge.exclusive && edge.steps > 1 {
                self.wanted.push(choice.arc);
            }
        }
    }

    /// Takes a choice if there is room for it, counting only those who have chosen.
    fn try_choice(&mut self, view: &mut Step<'_>, agent: u32, choice: Choice) -> bool {
        let cell = &self.cells[choice.head as usize];
        let coming = if choice.arc == NONE { cell.arriving } else { cell.arriving + cell.inbound };
        let closed = |arc: u32| !self.passable(view, agent, arc) || self.wanted.contains(&reverse(arc));
        if coming >= cell.room || (choice.arc != NONE && closed(choice.arc)) {
            return false;
        }
        let place = if choice.arc == NONE { choice.head } else { view.graph.enter(choice.arc) };
        self.take(view, agent, choice.arc, place);
        self.cells[view.now[agent as usize] as usize].waiting -= 1;
        true
    }

    /// Somebody who has to choose before the choice can stand.
    fn in_the_way(&self, view: &Step<'_>, choice: Choice) -> Option<u32> {
        let cell = &self.cells[choice.head as usize];
        if choice.arc == NONE || cell.waiting == 0 || cell.arriving + cell.inbound + cell.waiting <= cell.room {
            return None;
        }
        // Those who want to go on anyway are asked before those who have arrived.
        let mut arrived = None;
        let mut agent = cell.first;
        while agent != NONE {
            if view.next[agent as usize] == NONE {
                if view.wishes[agent as usize].goal != choice.head {
                    return Some(agent);
                }
                arrived = arrived.or(Some(agent));
            }
            agent = self.link[agent as usize];
        }
        arrived
    }

    fn take(&mut self, view: &mut Step<'_>, agent: u32, arc: u32, place: u32) {
        view.next[agent as usize] = place;
        self.took[agent as usize] = arc;
        if arc != NONE {
            self.used[arc as usize] += 1;
        }
        match view.graph.transit(place) {
            None => self.cells[place as usize].arriving += 1,
            Some(on) => self.cells[view.graph.head(on) as usize].inbound += 1,
        }
    }

    fn give_back(&mut self, view: &mut Step<'_>, agent: u32) {
        let place = std::mem::replace(&mut view.next[agent as usize], NONE);
        let arc = std::mem::replace(&mut self.took[agent as usize], NONE);
        self.used[arc as usize] -= 1;
        match view.graph.transit(place) {
            None => self.cells[place as usize].arriving -= 1,
            Some(on) => self.cells[view.graph.head(on) as usize].inbound -= 1,
        }
        self.cells[view.now[agent as usize] as usize].waiting += 1;
    }

    /// Leaves the board as it was found.
    fn clear(&mut self, view: &Step<'_>) {
        self.wanted.clear();
        for (agent, (&here, &next)) in view.now.iter().zip(view.next.iter()).enumerate() {
            for place in [here, next] {
                if place != NONE {
                    let cell = &mut self.cells[view.graph.heading(place) as usize];
                    *cell = Cell { first: NONE, waiting: 0, arriving: 0, inbound: 0, room: cell.room };
                }
            }
            if self.took[agent] != NONE {
                self.used[self.took[agent] as usize] = 0;
            }
        }
    }
}

/// One configuration becoming the next.
struct Step<'a> {
    graph: &'a Graph,
    distances: &'a mut Distances,
    wishes: &'a [Wish],
    now: &'a [u32],
    next: &'a mut Vec<u32>,
}

/// A number that looks random (the finaliser of SplitMix64).
pub(crate) fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Priorities that grow with the time away from the goal, so that everybody is first at some time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Priorities {
    keys: Vec<u64>,
    order: Vec<u32>,
}

impl Priorities {
    /// Sorts the agents: longest away first, then by index; those without a goal last.
    pub(crate) fn order(&mut self, elapsed: &[u32], wishes: &[Wish]) -> &[u32] {
        let key = |(agent, (&elapsed, wish)): (u64, (&u32, &Wish))| {
            let late = if wish.row == NONE { u64::from(u32::MAX) } else { u64::from(u32::MAX - 1 - elapsed) };
            late << 32 | agent
        };
        self.keys.clear();
        self.keys.extend((0..).zip(elapsed.iter().zip(wishes)).map(key));
        self.keys.sort_unstable();
        self.order.clear();
        self.order.extend(self.keys.iter().map(|&key| key as u32));
        &self.order
    }
}

/// PIBT with its memory: how long each agent has been away from its goal.
pub struct Pibt {
    generator: Generator,
    priorities: Priorities,
    elapsed: Vec<u32>,
    wishes: Vec<Wish>,
    now: Vec<u32>,
    next: Vec<u32>,
}

impl Pibt {
    /// Nobody has waited yet. `seed` decides between neighbours that are equally near.
    pub fn new(graph: Arc<Graph>, seed: u64) -> Self {
        Self {
            generator: Generator::new(graph, seed),
            priorities: Priorities::default(),
            elapsed: Vec::new(),
            wishes: Vec::new(),
            now: Vec::new(),
            next: Vec::new(),
        }
    }

    /// Moves everybody by one step: replaces the agents' starts.
    ///
    /// The agents keep their indices from call to call; with another number of them all memory of who waited is dropped.
    /// Nothing is allocated when the number of agents and the goals are those of the last call.
    ///
    /// # Errors
    /// [`MapfError::NoPlan`] when somebody can neither move nor stay, and nobody has moved. It does not happen to agents that
    /// only ever moved by this function: only after a step of several steps planned elsewhere, or with vertices that are
    /// taken away under them.
    ///
    /// # Panics
    /// For agents that are not on the graph, or more of them at a vertex than fit: see [`validate`](crate::validate()).
    pub fn step(&mut self, agents: &mut [Agent], distances: &mut Distances) -> Result<(), MapfError> {
        if !self.advance(agents, distances) {
            return Err(MapfError::NoPlan { backend: crate::Backend::Pibt });
        }
        for (agent, &next) in agents.iter_mut().zip(&self.next) {
            agent.start = Place(next);
        }
        Ok(())
    }

    /// Sets the room at every vertex at the next step.
    pub(crate) fn set_rooms(&mut self, room: impl Fn(u32) -> u16) {
        self.generator.set_rooms(room);
    }

    fn advance(&mut self, agents: &[Agent], distances: &mut Distances) -> bool {
        if self.elapsed.len() != agents.len() {
            self.elapsed = vec![0; agents.len()];
            self.wishes = vec![Wish { goal: NONE, row: NONE, token: false }; agents.len()];
        }
        self.now.clear();
        for (i, agent) in agents.iter().enumerate() {
            let goal = agent.goal.map_or(NONE, |goal| goal.0);
            let wish = self.wishes[i];
            if (wish.goal, wish.token) != (goal, agent.token) {
                let row = agent.goal.map_or(NONE, |goal| distances.row(goal.0, agent.token));
                self.wishes[i] = Wish { goal, row, token: agent.token };
            }
            let there = goal == NONE || agent.start.0 == goal;
            self.elapsed[i] = if there { 0 } else { (self.elapsed[i] + 1).min(u32::MAX - 2) };
            self.now.push(agent.start.0);
        }
        let order = self.priorities.order(&self.elapsed, &self.wishes);
        self.generator.generate(distances, &self.wishes, &self.now, order, &[], &mut self.next)
    }
}

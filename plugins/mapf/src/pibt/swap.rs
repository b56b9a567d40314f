//! Swapping two agents in a corridor.
//!
//! An agent whose way is blocked by one that comes towards it, with no branch before either arrives, has to turn round, pull
//! the other along to a vertex with three neighbours, and there let it pass. Both questions, whether that is needed and
//! whether there is such a vertex, are answered by walking along the corridor in mind. A vertex with room for two needs no
//! swap.
//!
//! **Source** K. Okumura, "Improving LaCAM for scalable eventually optimal multi-agent pathfinding", *IJCAI* 2023.

use super::{Choice, Generator, NONE, Step};

impl Generator {
    /// With whom the agent must and can swap, if its best choice is `best`.
    pub(super) fn swap_partner(&self, view: &mut Step<'_>, agent: u32, best: Choice) -> Option<u32> {
        if best.arc == NONE || view.wishes[agent as usize].row == NONE {
            return None;
        }
        let graph = view.graph;
        let here = view.now[agent as usize];
        // With a branch straight ahead neither question below can come out as yes; most vertices of a grid are such.
        if matches!(self.onward(view, here, best.head), Way::Branch) {
            return None;
        }
        let ahead = self.cells[best.head as usize].first;
        if ahead != NONE
            && view.next[ahead as usize] == NONE
            && self.required(view, agent, ahead, here, best.head)
            && self.possible(view, best.head, here)
        {
            return Some(ahead);
        }
        // Somebody beside us wants through the vertex we are about to leave: clear the way for them.
        graph.outs(here).iter().filter(|out| out.head != best.head).find_map(|out| {
            let beside = self.cells[out.head as usize].first;
            let swaps = beside != NONE
                && self.required(view, beside, agent, here, best.head)
                && self.possible(view, best.head, here);
            swaps.then_some(beside)
        })
    }

    /// Whether the one who pushes from `pusher` to `puller` could never get past the other without turning round.
    fn required(&self, view: &mut Step<'_>, one: u32, other: u32, mut pusher: u32, mut puller: u32) -> bool {
        while self.left(view, one, puller) < self.left(view, one, pusher) {
            match self.onward(view, pusher, puller) {
                Way::Branch => return false,
                Way::End => break,
                Way::Corridor(next) => (pusher, puller) = (puller, next),
            }
        }
        let towards = self.left(view, one, puller) < self.left(view, one, pusher);
        self.left(view, other, pusher) < self.left(view, other, puller)
            && (self.left(view, one, pusher) == 0 || towards)
    }

    /// Whether there is a branch behind `puller`.
    fn possible(&self, view: &Step<'_>, start: u32, mut puller: u32) -> bool {
        let mut pusher = start;
        while puller != start {
            match self.onward(view, pusher, puller) {
                Way::Branch => return true,
                Way::End => return false,
                Way::Corridor(next) => (pusher, puller) = (puller, next),
            }
        }
        false
    }

    /// Where the corridor leads from `at`, coming `from` there. Dead ends that somebody has for a goal and is at do not count.
    fn onward(&self, view: &Step<'_>, from: u32, at: u32) -> Way {
        if self.cells[at as usize].room > 1 {
            return Way::Branch;
        }
        let mut way = Way::End;
        for out in view.graph.outs(at) {
            let cell = &self.cells[out.head as usize];
            let settled = || view.graph.outs(out.head).len() == 1 && cell.first != NONE && self.rests(view, cell.first);
            if out.head == from || cell.room == 0 || settled() {
                continue;
            }
            match way {
                Way::End => way = Way::Corridor(out.head),
                _ => return Way::Branch,
            }
        }
        way
    }

    fn rests(&self, view: &Step<'_>, agent: u32) -> bool {
        view.wishes[agent as usize].goal == view.now[agent as usize]
    }

    fn left(&self, view: &mut Step<'_>, agent: u32, vertex: u32) -> u32 {
        match view.wishes[agent as usize].row {
            // Without a goal anywhere is as good.
            NONE => 0,
            row => view.distances.get(row, vertex),
        }
    }

    /// Lets an agent follow into the vertex that was just left, if it has not chosen and may.
    pub(super) fn pull(&mut self, view: &mut Step<'_>, agent: u32, into: u32) {
        if view.next[agent as usize] != NONE {
            return;
        }
        let here = view.now[agent as usize];
        let Some(out) = view.graph.outs(here).iter().find(|out| out.head == into) else { return };
        let cell = &self.cells[into as usize];
        if cell.arriving + cell.inbound + cell.waiting < cell.room && self.passable(view, agent, out.arc) {
            self.take(view, agent, out.arc, view.graph.enter(out.arc));
            self.cells[here as usize].waiting -= 1;
        }
    }
}

enum Way {
    Branch,
    End,
    Corridor(u32),
}

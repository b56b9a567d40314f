//! Where paths collide.

use crate::graph::reverse;
use crate::instance::Instance;
use crate::plan::at;
use smallvec::SmallVec;

/// What agents may not all have at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Spot {
    Vertex(u32),
    Arc(u32),
}

/// More agents than there is room for, or agents that meet where they may not.
#[derive(Clone, Debug)]
pub(crate) struct Conflict {
    pub t: u32,
    /// Everybody who is part of it, each with what it may give up. Two different spots: those who meet.
    pub parts: SmallVec<[(u32, Spot); 4]>,
    /// Room there is for them; 0 for those who meet.
    pub room: u16,
}

impl Conflict {
    /// Agents of which at least one has to give way, as few as can be told.
    pub(crate) fn core(&self) -> SmallVec<[(u32, Spot); 4]> {
        let (first, last) = (self.parts[0], self.parts[self.parts.len() - 1]);
        if first.1 == last.1 {
            self.parts.iter().take(usize::from(self.room) + 1).copied().collect()
        } else {
            [first, last].into_iter().collect()
        }
    }

    /// How bad it is: pairs that meet, or agents too many [count].
    pub(crate) fn weight(&self) -> u32 {
        let first = self.parts[0].1;
        let there = self.parts.iter().filter(|part| part.1 != first).count();
        match there {
            0 => self.parts.len() as u32 - u32::from(self.room),
            _ => (there * (self.parts.len() - there)) as u32,
        }
    }
}

/// Looks through paths, reusing its lists.
pub(crate) struct Finder {
    at: Vec<SmallVec<[u32; 2]>>,
    on: Vec<SmallVec<[u32; 2]>>,
    touched: Vec<Spot>,
}

impl Finder {
    pub(crate) fn new(instance: &Instance<'_>) -> Self {
        Self {
            at: vec![SmallVec::new(); instance.graph.vertices() as usize],
            on: vec![SmallVec::new(); instance.graph.arcs() as usize],
            touched: Vec::new(),
        }
    }

    /// The conflicts of `paths` up to `horizon`, in the order of time, handed to `take` until it says `false`.
    pub(crate) fn each(
        &mut self,
        instance: &Instance<'_>,
        paths: &[impl AsRef<[u32]>],
        horizon: Option<u32>,
        mut take: impl FnMut(Conflict) -> bool,
    ) {
        let longest = paths.iter().map(|path| path.as_ref().len() as u32).max().unwrap_or(1) - 1;
        // Resting agents can still be in the way of what is reserved later.
        for t in 0..=longest.max(instance.settled()).min(horizon.unwrap_or(u32::MAX)) {
            self.enter(instance, paths, t);
            self.touched.sort_unstable();
            self.touched.dedup();
            let go_on = self.touched.iter().all(|&spot| self.overfull(instance, t, spot).is_none_or(&mut take));
            for spot in self.touched.drain(..) {
                match spot {
                    Spot::Vertex(v) => self.at[v as usize].clear(),
                    Spot::Arc(arc) => self.on[arc as usize].clear(),
                }
            }
            if !go_on {
                return;
            }
        }
    }

    /// Number of conflicts [count].
    pub(crate) fn count(&mut self, instance: &Instance<'_>, paths: &[impl AsRef<[u32]>]) -> u32 {
        let mut count = 0;
        self.each(instance, paths, None, |conflict| {
            count += conflict.weight();
            true
        });
        count
    }

    fn enter(&mut self, instance: &Instance<'_>, paths: &[impl AsRef<[u32]>], t: u32) {
        let graph = instance.graph;
        for (agent, path) in (0..).zip(paths) {
            let (from, to) = (at(path.as_ref(), t), at(path.as_ref(), t + 1));
            if graph.transit(from).is_none() {
                self.at[from as usize].push(agent);
                self.touched.push(Spot::Vertex(from));
            }
            if from != to
                && let Some(arc) = graph.used(from, to)
            {
                self.on[arc as usize].push(agent);
                self.touched.push(Spot::Arc(arc));
            }
        }
    }

    /// The conflict at a spot. A meeting is told at the arc with the smaller number.
    fn overfull(&self, instance: &Instance<'_>, t: u32, spot: Spot) -> Option<Conflict> {
        let along = |agents: &[u32], spot| agents.iter().map(move |&agent| (agent, spot)).collect();
        let too_many = |agents: &[u32], room: u16| {
            (agents.len() > usize::from(room)).then(|| Conflict { t, parts: along(agents, spot), room })
        };
        match spot {
            Spot::Vertex(v) => too_many(&self.at[v as usize], instance.room(v, t)),
            Spot::Arc(arc) => {
                let (here, there) = (&self.on[arc as usize], &self.on[reverse(arc) as usize]);
                let edge = instance.graph.edge(arc);
                if !edge.exclusive || there.is_empty() {
                    return too_many(here, edge.capacity);
                }
                let mut parts: SmallVec<_> = along(here, spot);
                parts.extend::<SmallVec<[_; 4]>>(along(there, Spot::Arc(reverse(arc))));
                (arc < reverse(arc)).then_some(Conflict { t, parts, room: 0 })
            }
        }
    }
}

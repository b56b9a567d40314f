//! Who is where when: how many agents already have a vertex or an arc at a step.
//!
//! Paths count step by step, and from their end on as resting. Up to a horizon the counts lie in one flat table; without
//! one, or where that would be large, in a hash table, which is only ever asked and never walked.

use crate::graph::Graph;
use crate::plan;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Entries up to which a flat table is used [count].
const FLAT: u64 = 1 << 21;

/// Counts of the paths entered.
pub(crate) struct Traffic {
    counts: Counts,
    /// By vertex: the steps from which somebody rests there.
    resting: FxHashMap<u32, SmallVec<[u32; 2]>>,
    /// Last step that counts; what happens later is nobody's business.
    horizon: Option<u32>,
    latest: u32,
}

/// Counts by step and vertex, or step and number of vertices plus arc.
enum Counts {
    Flat { width: usize, cells: Vec<u16> },
    Hashed(FxHashMap<u64, u16>),
}

impl Counts {
    #[inline]
    fn get(&self, t: u32, id: u32) -> u16 {
        match self {
            Self::Flat { width, cells } => cells.get(t as usize * width + id as usize).copied().unwrap_or(0),
            Self::Hashed(cells) => cells.get(&(u64::from(t) << 32 | u64::from(id))).copied().unwrap_or(0),
        }
    }

    fn add(&mut self, t: u32, id: u32, by: i16) {
        let cell = match self {
            Self::Flat { width, cells } => &mut cells[t as usize * *width + id as usize],
            Self::Hashed(cells) => cells.entry(u64::from(t) << 32 | u64::from(id)).or_insert(0),
        };
        *cell = cell.wrapping_add_signed(by);
    }
}

impl Traffic {
    /// Nobody yet. With a horizon, steps after it are always free.
    pub(crate) fn new(graph: &Graph, horizon: Option<u32>) -> Self {
        let width = graph.vertices() + graph.arcs();
        let flat = horizon.filter(|&end| u64::from(width) * (u64::from(end) + 1) <= FLAT);
        let counts = match flat {
            Some(end) => Counts::Flat { width: width as usize, cells: vec![0; width as usize * (end as usize + 1)] },
            None => Counts::Hashed(FxHashMap::default()),
        };
        Self { counts, resting: FxHashMap::default(), horizon, latest: 0 }
    }

    /// Forgets everybody.
    pub(crate) fn clear(&mut self) {
        match &mut self.counts {
            Counts::Flat { cells, .. } => cells.fill(0),
            Counts::Hashed(cells) => cells.clear(),
        }
        self.resting.clear();
        self.latest = 0;
    }

    pub(crate) fn insert(&mut self, graph: &Graph, path: &[u32]) {
        self.enter(graph, path, 1);
        self.resting.entry(path[path.len() - 1]).or_default().push(path.len() as u32);
        self.latest = self.latest.max(path.len() as u32);
    }

    /// Takes out a path that was put in before.
    pub(crate) fn remove(&mut self, graph: &Graph, path: &[u32]) {
        self.enter(graph, path, -1);
        let resting = self.resting.get_mut(&path[path.len() - 1]).expect("the path was entered");
        let at = resting.iter().position(|&from| from == path.len() as u32).expect("the path was entered");
        resting.swap_remove(at);
    }

    fn enter(&mut self, graph: &Graph, path: &[u32], by: i16) {
        let end = self.horizon.unwrap_or(u32::MAX);
        for (t, &place) in (0..=end).zip(path) {
            if graph.transit(place).is_none() {
                self.counts.add(t, place, by);
            }
            let used = (t as usize + 1 < path.len()).then(|| graph.used(place, plan::at(path, t + 1))).flatten();
            if let Some(arc) = used {
                self.counts.add(t, graph.vertices() + arc, by);
            }
        }
    }

    /// Agents at a vertex at a step [count].
    #[inline]
    pub(crate) fn at(&self, vertex: u32, t: u32) -> u16 {
        if self.horizon.is_some_and(|end| t > end) {
            return 0;
        }
        let resting = match self.resting.get(&vertex) {
            Some(starts) => starts.iter().filter(|&&from| from <= t).count() as u16,
            None => 0,
        };
        self.counts.get(t, vertex) + resting
    }

    /// Agents that use an arc from a step to the next [count].
    #[inline]
    pub(crate) fn on(&self, graph: &Graph, arc: u32, t: u32) -> u16 {
        if self.horizon.is_some_and(|end| t > end) { 0 } else { self.counts.get(t, graph.vertices() + arc) }
    }

    /// First step from which nothing changes any more.
    pub(crate) fn settled(&self) -> u32 {
        // With a horizon there is one change after it: everything becomes free.
        self.horizon.map_or(self.latest, |end| end + 1)
    }
}

//! Grids of the public benchmark kinds, and agents on them.
//!
//! The kinds are those of R. Stern et al., "Multi-agent pathfinding: definitions, variants, and benchmarks", *SoCS* 2019. The
//! maps are made here, of any size, not copied: figures compare with published ones in kind only.

use crate::grid::Grid;
use crate::instance::Agent;
use crate::lns::{below, shuffle};
use crate::{Graph, Vertex};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

/// A kind of grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing in the way.
    Empty,
    /// Cells blocked at random [percent].
    Random(u8),
    /// Square rooms of so many cells a side, with a door one cell wide in most walls.
    Room(u32),
    /// Corridors of so many cells, with exactly one way from anywhere to anywhere.
    Maze(u32),
    /// Shelves ten cells long and two deep, aisles of one cell, and an open strip at each end.
    Warehouse,
}

impl Kind {
    /// A grid of this kind. The same arguments give the same grid.
    ///
    /// # Panics
    /// For an empty rectangle, and rooms or corridors of 0 cells.
    pub fn grid(self, width: u32, height: u32, seed: u64) -> Grid {
        assert!(width > 0 && height > 0, "a grid has cells");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let cells = || (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let free = match self {
            Self::Empty => vec![true; width as usize * height as usize],
            Self::Random(percent) => cells().map(|_| below(&mut rng, 100) >= usize::from(percent)).collect(),
            Self::Room(side) => rooms(width, height, side, &mut rng),
            Self::Maze(corridor) => maze(width, height, corridor, &mut rng),
            Self::Warehouse => {
                let open = |(x, y): (u32, u32)| {
                    let strip = 5.min(width / 4);
                    x < strip || x >= width - strip || (x - strip) % 11 == 10 || y % 3 == 0
                };
                cells().map(open).collect()
            }
        };
        Grid::new(width, height, free)
    }
}

fn rooms(width: u32, height: u32, side: u32, rng: &mut ChaCha8Rng) -> Vec<bool> {
    assert!(side > 0, "a room has cells");
    let wall = |a: u32| a % (side + 1) == side;
    let mut free: Vec<bool> = (0..height).flat_map(|y| (0..width).map(move |x| !wall(x) && !wall(y))).collect();
    // One door in each piece of wall; every tenth piece has none.
    for top in (0..height).step_by(side as usize + 1) {
        for left in (0..width).step_by(side as usize + 1) {
            let doors = [
                (left + side, top + below(rng, side as usize) as u32),
                (left + below(rng, side as usize) as u32, top + side),
            ];
            for (x, y) in doors {
                if below(rng, 10) > 0 && x < width && y < height {
                    free[(y * width + x) as usize] = true;
                }
            }
        }
    }
    free
}

/// Depth-first walk over a lattice of rooms, opening the wall to each room that is new.
fn maze(width: u32, height: u32, corridor: u32, rng: &mut ChaCha8Rng) -> Vec<bool> {
    assert!(corridor > 0, "a corridor has cells");
    let pitch = corridor + 1;
    let (columns, rows) = ((width + 1) / pitch, (height + 1) / pitch);
    let mut free = vec![false; width as usize * height as usize];
    let mut open = |from: (u32, u32), to: (u32, u32)| {
        let (left, right) = (from.0.min(to.0) * pitch, from.0.max(to.0) * pitch + corridor);
        for y in from.1.min(to.1) * pitch..(from.1.max(to.1) * pitch + corridor).min(height) {
            for x in left..right.min(width) {
                free[(y * width + x) as usize] = true;
            }
        }
    };
    let mut seen = vec![false; columns as usize * rows as usize];
    if seen.is_empty() {
        return vec![true; free.len()];
    }
    let mut stack = vec![(0u32, 0u32)];
    seen[0] = true;
    open((0, 0), (0, 0));
    while let Some(&(x, y)) = stack.last() {
        let mut around = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
        shuffle(rng, &mut around);
        let new = |&(x, y): &(u32, u32)| x < columns && y < rows && !seen[(y * columns + x) as usize];
        let Some(&next) = around.iter().find(|cell| new(cell)) else {
            stack.pop();
            continue;
        };
        seen[(next.1 * columns + next.0) as usize] = true;
        open((x, y), next);
        stack.push(next);
    }
    free
}

/// Agents with different starts and different goals in the largest connected part of a graph; `None` when it has no room for
/// so many. Doors count as open, and every agent has a token. Each vertex takes one agent, whatever its capacity.
pub fn random_agents(graph: &Graph, agents: usize, seed: u64) -> Option<Vec<Agent>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut starts = largest_part(graph);
    if starts.len() < agents {
        return None;
    }
    let mut goals = starts.clone();
    shuffle(&mut rng, &mut starts);
    shuffle(&mut rng, &mut goals);
    let agent = |(&start, &goal): (&Vertex, &Vertex)| Agent { token: true, ..Agent::new(start, goal) };
    Some(starts.iter().zip(&goals).take(agents).map(agent).collect())
}

fn largest_part(graph: &Graph) -> Vec<Vertex> {
    let mut seen = vec![false; graph.vertices() as usize];
    let mut largest = Vec::new();
    for first in (0..graph.vertices()).map(Vertex) {
        let mut part = Vec::new();
        let mut stack = vec![first];
        while let Some(v) = stack.pop() {
            if graph.capacity(v) > 0 && !std::mem::replace(&mut seen[v.0 as usize], true) {
                part.push(v);
                stack.extend(graph.neighbours(v).map(|(_, next)| next));
            }
        }
        if part.len() > largest.len() {
            largest = part;
        }
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_mostly_connected_and_repeats() {
        for kind in [Kind::Empty, Kind::Random(10), Kind::Room(8), Kind::Maze(2), Kind::Warehouse] {
            let grid = kind.grid(64, 48, 7);
            assert_eq!(grid, kind.grid(64, 48, 7));
            let graph = grid.graph().unwrap();
            let part = largest_part(&graph).len() as u32;
            assert!(part * 10 >= graph.vertices() * 9, "{kind:?}: {part} of {}", graph.vertices());
            assert_eq!(kind == Kind::Empty, graph.vertices() == 64 * 48);
            let agents = random_agents(&graph, 100, 1).unwrap();
            let mut goals: Vec<_> = agents.iter().filter_map(|agent| agent.goal).collect();
            goals.sort_unstable();
            goals.dedup();
            assert_eq!(goals.len(), 100);
            assert!(random_agents(&graph, 64 * 48 + 1, 1).is_none());
        }
    }

    #[test]
    fn a_maze_has_one_way_from_anywhere_to_anywhere() {
        let grid = Kind::Maze(1).grid(31, 21, 3);
        let graph = grid.graph().unwrap();
        assert_eq!(largest_part(&graph).len() as u32, graph.vertices());
        assert_eq!(graph.edges().len() as u32, graph.vertices() - 1);
    }
}

//! Grids of cells, as the public benchmarks have them.

use crate::error::MapfError;
use crate::graph::{Edge, Graph, Vertex};

/// A rectangle of cells, free or not. Free cells are vertices, numbered row by row; neighbours share a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    width: u32,
    height: u32,
    free: Vec<bool>,
}

impl Grid {
    /// A grid out of whether each cell is free, row by row.
    ///
    /// # Panics
    /// When `free` has another length than `width` times `height`.
    pub fn new(width: u32, height: u32, free: Vec<bool>) -> Self {
        assert_eq!(free.len() as u64, u64::from(width) * u64::from(height), "one entry for each cell");
        Self { width, height, free }
    }

    /// Reads a `.map` file of the MovingAI benchmarks (N. R. Sturtevant, "Benchmarks for grid-based pathfinding", 2012).
    ///
    /// Cells `.`, `G` and `S` are free; `@`, `O`, `T` and `W` are not. The type in the first line is read over: agents move
    /// to the four neighbours.
    ///
    /// # Errors
    /// [`MapfError::BadMap`] with the line for a head that is not `type`, `height`, `width`, `map`, for sizes that are no
    /// numbers or over 65,536, for rows too many, too few, too long or too short, and for other cells.
    pub fn parse(text: &str) -> Result<Self, MapfError> {
        let bad = |line: usize, problem: String| Err(MapfError::BadMap { line, problem });
        let mut lines = (1..).zip(text.lines());
        let mut head = |key: &str| match lines.next() {
            Some((line, text)) => match text.trim().strip_prefix(key) {
                Some(value) => Ok((line, value.trim().to_owned())),
                None => Err(MapfError::BadMap { line, problem: format!("expected {key:?}, found {text:?}") }),
            },
            None => Err(MapfError::BadMap { line: 1, problem: format!("the file ends before {key:?}") }),
        };
        let size = |(line, value): (usize, String)| match value.parse() {
            Ok(size @ 1..=65_536) => Ok(size),
            _ => Err(MapfError::BadMap { line, problem: format!("{value:?} is not a size from 1 to 65536") }),
        };
        head("type")?;
        let height: u32 = size(head("height")?)?;
        let width: u32 = size(head("width")?)?;
        head("map")?;
        let mut free = Vec::new();
        let mut rows = 0;
        for (line, row) in lines.filter(|(_, row)| !row.trim().is_empty()) {
            let row = row.trim_end();
            if row.chars().count() != width as usize || rows == height {
                return bad(line, format!("row {} has {} cells, of {height} rows of {width}", rows + 1, row.len()));
            }
            for cell in row.chars() {
                free.push(match cell {
                    '.' | 'G' | 'S' => true,
                    '@' | 'O' | 'T' | 'W' => false,
                    other => return bad(line, format!("{other:?} is no cell; cells are . G S and @ O T W")),
                });
            }
            rows += 1;
        }
        if rows < height {
            return bad(text.lines().count(), format!("{rows} rows of {height}"));
        }
        Ok(Self { width, height, free })
    }

    /// The grid as a `.map` file.
    pub fn to_map(&self) -> String {
        let mut text = format!("type octile\nheight {}\nwidth {}\nmap\n", self.height, self.width);
        for row in self.free.chunks(self.width as usize) {
            text.extend(row.iter().map(|&free| if free { '.' } else { '@' }));
            text.push('\n');
        }
        text
    }

    /// Cells in a row [count].
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows [count].
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Whether a cell is free; cells outside are not.
    pub fn is_free(&self, x: u32, y: u32) -> bool {
        x < self.width && y < self.height && self.free[(y * self.width + x) as usize]
    }

    /// The vertex of a free cell.
    pub fn vertex(&self, x: u32, y: u32) -> Option<Vertex> {
        let before = |cell: usize| self.free[..cell].iter().filter(|&&free| free).count() as u32;
        self.is_free(x, y).then(|| Vertex(before((y * self.width + x) as usize)))
    }

    /// The graph of the free cells: one agent a cell, one step an edge, no swaps.
    ///
    /// # Errors
    /// [`MapfError::BadValue`] when no cell is free.
    pub fn graph(&self) -> Result<Graph, MapfError> {
        let mut ids = Vec::with_capacity(self.free.len());
        let mut count = 0;
        for &free in &self.free {
            ids.push(Vertex(count));
            count += u32::from(free);
        }
        let mut edges = Vec::new();
        for y in 0..self.height {
            for x in (0..self.width).filter(|&x| self.is_free(x, y)) {
                let here = (y * self.width + x) as usize;
                if self.is_free(x + 1, y) {
                    edges.push(Edge::new(ids[here], ids[here + 1]));
                }
                if self.is_free(x, y + 1) {
                    edges.push(Edge::new(ids[here], ids[here + self.width as usize]));
                }
            }
        }
        Graph::new(vec![1; count as usize], edges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "type octile\nheight 2\nwidth 3\nmap\n.@G\nST.\n";

    #[test]
    fn a_map_is_read_and_becomes_a_graph() {
        let grid = Grid::parse(MAP).unwrap();
        assert!(grid.is_free(0, 0) && !grid.is_free(1, 0) && grid.is_free(2, 0) && !grid.is_free(3, 0));
        let graph = grid.graph().unwrap();
        let pairs: Vec<_> = graph.edges().iter().map(|edge| (edge.a.0, edge.b.0)).collect();
        assert_eq!((graph.vertices(), pairs), (4, vec![(0, 2), (1, 3)]));
        assert_eq!((grid.vertex(2, 1), grid.vertex(1, 1)), (Some(Vertex(3)), None));
        assert_eq!(Grid::parse(&grid.to_map()), Ok(grid));
    }

    #[test]
    fn a_map_with_a_mistake_is_refused_with_its_line() {
        let line = |text: &str| match Grid::parse(text) {
            Err(MapfError::BadMap { line, .. }) => line,
            other => panic!("{other:?}"),
        };
        assert_eq!(line(""), 1);
        assert_eq!(line(&MAP.replace("height 2", "height x")), 2);
        assert_eq!(line(&MAP.replace("width 3", "width 0")), 3);
        assert_eq!(line(&MAP.replace("ST.", "ST")), 6);
        assert_eq!(line(&MAP.replace("ST.", "S#.")), 6);
        assert_eq!(line(&MAP.replace("ST.", "...\n...")), 7);
        assert_eq!(line(&MAP.replace("ST.\n", "")), 5);
    }
}

//! Where labels go: beside their node, on the side where they cover least.

use labtrust_figures::draw::scene::Point;

/// A box, y downwards [px].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Box2 {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Box2 {
    pub(super) fn grown(self, by: f64) -> Self {
        Self { left: self.left - by, top: self.top - by, right: self.right + by, bottom: self.bottom + by }
    }

    pub(super) fn contains(&self, point: Point) -> bool {
        (self.left..=self.right).contains(&point.x) && (self.top..=self.bottom).contains(&point.y)
    }

    /// Common area with another [px²].
    fn common(&self, other: &Self) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    /// How much of a line is inside [px].
    ///
    /// Source: Y.-D. Liang and B. Barsky, "A new concept and method for line clipping", ACM TOG 3(1), 1984.
    fn covered(&self, (from, to): (Point, Point)) -> f64 {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
        for (step, room) in
            [(-dx, from.x - self.left), (dx, self.right - from.x), (-dy, from.y - self.top), (dy, self.bottom - from.y)]
        {
            if step == 0.0 {
                if room < 0.0 {
                    return 0.0;
                }
            } else if step < 0.0 {
                enters = enters.max(room / step);
            } else {
                leaves = leaves.min(room / step);
            }
        }
        if leaves <= enters { 0.0 } else { (leaves - enters) * libm::sqrt(dx * dx + dy * dy) }
    }

    fn area(&self) -> f64 {
        (self.right - self.left) * (self.bottom - self.top)
    }
}

/// The eight sides of a node in the order of preference, as (right, down).
const SIDES: [(f64, f64); 8] =
    [(1.0, 0.0), (-1.0, 0.0), (0.0, -1.0), (0.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
/// How much further away a label may be that finds no place beside its node [px].
const FURTHER: [f64; 3] = [0.0, 9.0, 18.0];
/// How often every label is placed again, knowing where the others went; it is at rest before.
const SWEEPS: usize = 4;

/// Boxes of the given sizes beside `places`, in their order. The same input gives the same boxes.
pub(super) fn place(
    places: &[Point],
    reach: &[f64],
    sizes: &[(f64, f64)],
    segments: &[(Point, Point)],
    bounds: &Box2,
) -> Vec<Box2> {
    let symbols: Vec<Box2> = places
        .iter()
        .zip(reach)
        .map(|(place, reach)| Box2 { left: place.x, top: place.y, right: place.x, bottom: place.y }.grown(*reach + 2.0))
        .collect();
    let mut placed: Vec<Option<Box2>> = vec![None; places.len()];
    for _ in 0..SWEEPS {
        for node in 0..places.len() {
            let cost = |candidate: &Box2| {
                let others = placed.iter().enumerate().filter(|(other, _)| *other != node);
                let on_labels: f64 = others.filter_map(|(_, other)| *other).map(|other| candidate.common(&other)).sum();
                let on_symbols: f64 = symbols.iter().map(|symbol| candidate.common(symbol)).sum();
                let on_roads: f64 = segments.iter().map(|segment| candidate.covered(*segment)).sum();
                let outside = candidate.area() - candidate.common(bounds);
                on_labels * 6.0 + on_symbols * 6.0 + outside * 8.0 + on_roads * 14.0
            };
            let sides = FURTHER.iter().flat_map(|further| SIDES.iter().map(move |side| (further, side)));
            let candidates = sides.map(|(further, side)| {
                let label = beside(places[node], reach[node] + 5.0 + further, sizes[node], *side);
                // A label further away is less surely that of its node.
                (cost(&label) + further * 12.0, label)
            });
            // Of equals the first: `min_by` keeps it.
            placed[node] = candidates.min_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, label)| label);
        }
    }
    placed.into_iter().flatten().collect()
}

fn beside(place: Point, away: f64, (width, height): (f64, f64), (right, down): (f64, f64)) -> Box2 {
    // On a corner the label comes nearer: its own corner is cut by the symbol's roundness.
    let away = if right.abs() + down.abs() > 1.0 { away * 0.6 } else { away };
    let span = |middle: f64, extent: f64, side: f64| match side {
        side if side > 0.0 => middle + away,
        side if side < 0.0 => middle - away - extent,
        _ => middle - extent / 2.0,
    };
    let (left, top) = (span(place.x, width, right), span(place.y, height, down));
    Box2 { left, top, right: left + width, bottom: top + height }
}

/// Square of the distance of a point from a line between two others [px²]. Compared with squares: a root for each point of
/// each label would take longer than all drawing.
pub(super) fn distance2(point: Point, (from, to): (Point, Point)) -> f64 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let square = dx * dx + dy * dy;
    let share = if square > 0.0 { ((point.x - from.x) * dx + (point.y - from.y) * dy) / square } else { 0.0 };
    let share = share.clamp(0.0, 1.0);
    let (away_x, away_y) = (point.x - from.x - dx * share, point.y - from.y - dy * share);
    away_x * away_x + away_y * away_y
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_figures::draw::scene::at;

    const SHEET: Box2 = Box2 { left: 0.0, top: 0.0, right: 200.0, bottom: 200.0 };

    #[test]
    fn a_label_keeps_off_its_road_and_stays_on_the_sheet() {
        let places = [at(180.0, 100.0), at(20.0, 100.0)];
        let segment = (places[0], places[1]);
        let boxes = place(&places, &[8.0, 8.0], &[(60.0, 20.0); 2], &[segment], &SHEET);
        for label in boxes {
            assert_eq!(label.covered(segment), 0.0, "{label:?}");
            assert_eq!(label.common(&SHEET), label.area(), "{label:?}");
        }
    }

    #[test]
    fn a_point_is_as_far_from_a_line_as_from_its_nearest_point() {
        let line = (at(0.0, 0.0), at(10.0, 0.0));
        let far = [at(5.0, 3.0), at(-3.0, 4.0), at(10.0, 0.0)].map(|point| distance2(point, line));
        assert_eq!(far, [9.0, 25.0, 0.0]);
        assert_eq!(distance2(at(3.0, 4.0), (at(0.0, 0.0), at(0.0, 0.0))), 25.0);
    }

    #[test]
    fn a_line_is_covered_as_far_as_it_is_inside() {
        let sheet = Box2 { left: 0.0, top: 0.0, right: 10.0, bottom: 4.0 };
        for (from, to, inside) in [
            (at(-5.0, 2.0), at(15.0, 2.0), 10.0),
            (at(2.0, 1.0), at(5.0, 1.0), 3.0),
            (at(3.0, -3.0), at(3.0, 1.0), 1.0),
            (at(-1.0, 5.0), at(11.0, 5.0), 0.0),
            (at(-3.0, 0.0), at(1.0, -3.0), 0.0),
            (at(-3.0, -4.0), at(3.0, 4.0), 5.0),
        ] {
            assert!(libm::fabs(sheet.covered((from, to)) - inside) < 1e-12, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn labels_of_neighbours_do_not_cover_each_other() {
        let places = [at(90.0, 100.0), at(110.0, 100.0)];
        let boxes = place(&places, &[6.0, 6.0], &[(50.0, 20.0); 2], &[], &SHEET);
        assert_eq!(boxes[0].common(&boxes[1]), 0.0, "{boxes:?}");
    }
}

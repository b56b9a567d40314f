//! Where the names of points stand: beside them, and on nothing else.

use super::sheet::Area;
use crate::draw::scene::{Anchor, Point, at};

/// What a label must not cover.
#[derive(Default)]
pub(crate) struct Taken {
    taken: Vec<Area>,
    /// Covered only where there is no other room.
    bars: Vec<Area>,
}

impl Taken {
    /// Keeps labels off a point.
    pub(crate) fn point(&mut self, centre: Point, radius: f64) {
        let (left, top) = (centre.x - radius, centre.y - radius);
        self.taken.push(Area { left, top, width: radius * 2.0, height: radius * 2.0 });
    }

    /// Keeps labels off a line along an axis, where that can be.
    pub(crate) fn bar(&mut self, from: Point, to: Point) {
        let (left, top) = (from.x.min(to.x) - 1.0, from.y.min(to.y) - 1.0);
        let (width, height) = ((from.x - to.x).abs() + 2.0, (from.y - to.y).abs() + 2.0);
        self.bars.push(Area { left, top, width, height });
    }

    /// The base line of a label of `width` beside `point`, within `bounds`; none where there is no room.
    pub(crate) fn place(&mut self, point: Point, width: f64, size: f64, bounds: Area) -> Option<(Point, Anchor)> {
        let found = [true, false].into_iter().find_map(|off_bars| self.room(point, (width, size), bounds, off_bars));
        let (place, anchor, area) = found?;
        self.taken.push(area);
        Some((place, anchor))
    }

    fn room(
        &self,
        point: Point,
        (width, size): (f64, f64),
        bounds: Area,
        off_bars: bool,
    ) -> Option<(Point, Anchor, Area)> {
        let away = 8.0;
        let candidates = [1.0, 1.9, 3.0].into_iter().flat_map(|far| {
            let (right, left) = (point.x + away, point.x - away);
            let (up, down) = (point.y - away * far, point.y + away * far + size * 0.7);
            [
                (right, point.y + size * 0.35, Anchor::Start),
                (left, point.y + size * 0.35, Anchor::End),
                (point.x, up, Anchor::Middle),
                (point.x, down, Anchor::Middle),
                (right, up, Anchor::Start),
                (left, up, Anchor::End),
                (right, down, Anchor::Start),
                (left, down, Anchor::End),
            ]
        });
        for (x, base, anchor) in candidates {
            let left = match anchor {
                Anchor::Start => x,
                Anchor::Middle => x - width / 2.0,
                Anchor::End => x - width,
            };
            let wish = Area { left: left - 1.0, top: base - size * 0.85, width: width + 2.0, height: size * 1.1 };
            let inside = wish.left >= bounds.left
                && wish.right() <= bounds.right()
                && wish.top >= bounds.top
                && wish.bottom() <= bounds.bottom();
            let free = |taken: &[Area]| !taken.iter().any(|taken| overlap(*taken, wish));
            if inside && free(&self.taken) && (!off_bars || free(&self.bars)) {
                return Some((at(x, base), anchor, wish));
            }
        }
        None
    }
}

fn overlap(one: Area, other: Area) -> bool {
    one.left < other.right() && other.left < one.right() && one.top < other.bottom() && other.top < one.bottom()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cover_neither_points_nor_each_other_and_stay_inside() {
        let bounds = Area { left: 0.0, top: 0.0, width: 200.0, height: 100.0 };
        let mut taken = Taken::default();
        let points: Vec<Point> = (0..12_u8).map(|i| at(100.0 + f64::from(i) * 3.0, 50.0)).collect();
        points.iter().for_each(|point| taken.point(*point, 5.0));
        let before = taken.taken.len();
        let placed = points.iter().filter_map(|point| taken.place(*point, 40.0, 11.0, bounds)).count();
        assert!((2..12).contains(&placed), "{placed} labels found room");
        let labels = &taken.taken[before..];
        for (index, label) in labels.iter().enumerate() {
            assert!(label.left >= 0.0 && label.right() <= 200.0);
            let others = taken.taken.iter().enumerate().filter(|(other, _)| *other != before + index);
            for (_, other) in others {
                let apart = other.left >= label.right()
                    || label.left >= other.right()
                    || other.top >= label.bottom()
                    || label.top >= other.bottom();
                assert!(apart, "{label:?} {other:?}");
            }
        }
    }
}

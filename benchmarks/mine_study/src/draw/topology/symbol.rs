//! Signs of the map: a shape and a colour for every kind of node, a pattern and a colour for every sort of road.

use super::super::colour;
use crate::plan::RoadSort;
use labtrust_figures::draw::scene::{Anchor, Item, Outline, Paint, Point, Scene, Text, at};
use labtrust_mine_haulage::site::NodeKind;

/// How far a node's sign reaches from its middle [px].
pub(super) fn reach(kind: NodeKind) -> f64 {
    if matches!(kind, NodeKind::Junction) { 8.0 } else { 15.0 }
}

/// Draws a node's sign.
pub(super) fn node(scene: &mut Scene, kind: NodeKind, place: Point, title: Option<String>) {
    let size = reach(kind);
    let (outline, fill, letter) = match kind {
        NodeKind::Junction => (Outline::Circle { centre: place, radius: 7.0 }, colour::JUNCTION, ""),
        NodeKind::Parking => (square(place, size), colour::PARKING, "P"),
        NodeKind::LoadOre => (polygon(place, size + 2.0, 3, -90.0), colour::LOADING, ""),
        NodeKind::Crusher => (polygon(place, size + 1.0, 6, 0.0), colour::CRUSHER, "C"),
        NodeKind::WasteDump => (polygon(place, size + 2.0, 3, 90.0), colour::WASTE, ""),
        NodeKind::Maintenance => (polygon(place, size, 4, 0.0), colour::SERVICE, "M"),
    };
    scene.items.push(Item::Shape { outline, paint: Paint::fill(fill).outlined(colour::PAPER, 2.0), title });
    if !letter.is_empty() {
        let text = Text::new(at(place.x, place.y + 5.0), 14.0, colour::PAPER, letter);
        scene.text(text.bold().anchored(Anchor::Middle));
    }
}

/// The strokes of a road, the lowest first.
pub(super) fn road(sort: RoadSort) -> Vec<Paint> {
    match sort {
        RoadSort::Free => vec![Paint::line(colour::ROAD, 5.0), Paint::line(colour::PAPER, 1.0).dashed(7.0, 6.0)],
        RoadSort::Limited => vec![Paint::line(colour::NARROW, 5.0)],
        RoadSort::Ramp => vec![Paint::line(colour::RAMP, 9.0), Paint::line(colour::PAPER, 5.0).dashed(2.0, 6.0)],
        RoadSort::Closed => vec![Paint::line(colour::CLOSED, 4.0).dashed(9.0, 7.0)],
    }
}

/// The mark of what is closed.
pub(super) fn cross(scene: &mut Scene, place: Point, size: f64) {
    for (dx, dy) in [(size, size), (size, -size)] {
        let paint = Paint::line(colour::CLOSED, 4.0);
        scene.line(at(place.x - dx, place.y - dy), at(place.x + dx, place.y + dy), paint);
    }
}

fn square(place: Point, size: f64) -> Outline {
    let side = size * 1.7;
    let corner = at(place.x - side / 2.0, place.y - side / 2.0);
    Outline::Rectangle { corner, width: side, height: side, round: 4.0 }
}

/// A regular polygon of which one corner lies at `turn` degrees, clockwise from the right.
fn polygon(place: Point, radius: f64, corners: u8, turn: f64) -> Outline {
    let corner = |index: u8| {
        let angle = (turn + 360.0 * f64::from(index) / f64::from(corners)).to_radians();
        at(place.x + radius * libm::cos(angle), place.y + radius * libm::sin(angle))
    };
    Outline::Polygon((0..corners).map(corner).collect())
}

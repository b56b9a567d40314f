//! The road network as a map: where everything is, which roads let only so many trucks in, and what scenarios change.
//!
//! Everything comes from the data; nothing is placed by hand. Labels go where they cover least ([`labels`]).

mod labels;
mod panel;
mod symbol;

use super::colour;
use crate::plan::{Plan, Road};
use labels::Box2;
use labtrust_figures::draw::Fonts;
use labtrust_figures::draw::scene::{Anchor, Outline, Paint, Point, Scene, Text, at};
use labtrust_mine_haulage::site::NodeKind;

/// Width of the part that is the map [px].
const MAP_WIDTH: f64 = 1170.0;
/// Width of the panel beside it [px].
const PANEL_WIDTH: f64 = 430.0;
/// The map's least height; a panel with much to say makes it higher [px].
const MAP_HEIGHT: f64 = 900.0;
/// Space around the outermost nodes: labels stand there [px].
const MARGIN: (f64, f64) = (100.0, 70.0);

/// Draws the whole picture.
pub(crate) fn draw(plan: &Plan) -> Scene {
    let fonts = Fonts::load();
    let panel = panel::compose(plan, &fonts, MAP_WIDTH, PANEL_WIDTH);
    let height = panel.height.max(MAP_HEIGHT);
    let mut scene = Scene::new(MAP_WIDTH + PANEL_WIDTH, height, format!("Road network of {}", plan.scenario));
    let sheet = Outline::Rectangle { corner: at(0.0, 0.0), width: scene.width, height, round: 0.0 };
    scene.shape(sheet, Paint::fill(colour::PAPER));
    let frame = Frame::around(plan, MAP_WIDTH, height);
    map(&mut scene, plan, &frame, &fonts);
    scale_bar(&mut scene, &frame, height);
    let side = Outline::Rectangle { corner: at(MAP_WIDTH, 0.0), width: PANEL_WIDTH, height, round: 0.0 };
    scene.shape(side, Paint::fill(colour::PANEL));
    scene.line(at(MAP_WIDTH, 0.0), at(MAP_WIDTH, height), Paint::line(colour::LINE, 1.0));
    scene.items.extend(panel.items);
    scene
}

/// The map alone, for the animation, and where each node is in it.
pub(crate) fn draw_map(plan: &Plan) -> (Scene, Vec<Point>) {
    let mut scene = Scene::new(MAP_WIDTH, MAP_HEIGHT, format!("Road network of {}", plan.scenario));
    let frame = Frame::around(plan, MAP_WIDTH, MAP_HEIGHT);
    map(&mut scene, plan, &frame, &Fonts::load());
    (scene, frame.places)
}

/// From metres to pixels.
struct Frame {
    /// [px/m]
    scale: f64,
    /// Where each node is.
    places: Vec<Point>,
    width: f64,
    height: f64,
}

impl Frame {
    /// As large as the sheet allows, in the middle of it, north up.
    fn around(plan: &Plan, width: f64, height: f64) -> Self {
        let span = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
        };
        let (left, right) = span(&mut plan.nodes.iter().map(|node| node.x_m));
        let (south, north) = span(&mut plan.nodes.iter().map(|node| node.y_m));
        let (free_x, free_y) = (width - 2.0 * MARGIN.0, height - 2.0 * MARGIN.1);
        // Nodes on one spot or one line leave the scale to the other direction, or to no one.
        let per_metre = |free: f64, span: f64| if span > 0.0 { free / span } else { f64::INFINITY };
        let scale = per_metre(free_x, right - left).min(per_metre(free_y, north - south));
        let scale = if scale.is_finite() { scale } else { 1.0 };
        let (middle_x, middle_y) = (f64::midpoint(left, right), f64::midpoint(south, north));
        let place = |x: f64, y: f64| at(width / 2.0 + (x - middle_x) * scale, height / 2.0 - (y - middle_y) * scale);
        let places = plan.nodes.iter().map(|node| place(node.x_m, node.y_m)).collect();
        Self { scale, places, width, height }
    }

    fn ends(&self, road: &Road) -> (Point, Point) {
        (self.places[road.ends.0], self.places[road.ends.1])
    }
}

fn map(scene: &mut Scene, plan: &Plan, frame: &Frame, fonts: &Fonts) {
    for road in &plan.roads {
        line_of_road(scene, road, frame.ends(road));
    }
    let segments: Vec<(Point, Point)> = plan.roads.iter().map(|road| frame.ends(road)).collect();
    let bounds = Box2 { left: 8.0, top: 8.0, right: frame.width - 8.0, bottom: frame.height - 8.0 };
    let sizes: Vec<(f64, f64)> = plan
        .nodes
        .iter()
        .map(|node| {
            let (head, below) = (fonts.width(&node.id, ID_SIZE, true), fonts.width(&node.caption(), NAME_SIZE, false));
            (head.max(below) + 4.0, ID_SIZE + NAME_SIZE + 5.0)
        })
        .collect();
    let reach: Vec<f64> = plan.nodes.iter().map(|node| symbol::reach(node.kind)).collect();
    let boxes = labels::place(&frame.places, &reach, &sizes, &segments, &bounds);
    let mut obstacles = Obstacles { nodes: boxes.clone(), roads: segments, placed: Vec::new() };
    for (own, road) in plan.roads.iter().enumerate() {
        label_of_road(scene, road, own, frame, fonts, &mut obstacles);
    }
    for (node, place) in plan.nodes.iter().zip(&frame.places) {
        let title = format!("{} {} ({:.0}, {:.0}, {:.0} m)", node.id, node.name, node.x_m, node.y_m, node.z_m);
        symbol::node(scene, node.kind, *place, Some(title));
    }
    for ((node, label), place) in plan.nodes.iter().zip(&boxes).zip(&frame.places) {
        let (x, anchor) = if label.left > place.x {
            (label.left + 2.0, Anchor::Start)
        } else if label.right < place.x {
            (label.right - 2.0, Anchor::End)
        } else {
            (f64::midpoint(label.left, label.right), Anchor::Middle)
        };
        let base = label.top + ID_SIZE;
        let id = Text::new(at(x, base), ID_SIZE, colour::INK, node.id.as_str()).bold();
        scene.text(id.anchored(anchor).on(colour::PAPER));
        let name = Text::new(at(x, base + NAME_SIZE + 2.0), NAME_SIZE, colour::SOFT, node.caption());
        scene.text(name.anchored(anchor).on(colour::PAPER));
    }
}

/// Size of a node's id [px].
const ID_SIZE: f64 = 15.0;
/// Size of a node's name below it [px].
const NAME_SIZE: f64 = 12.0;
/// Size of a road's label [px].
const ROAD_SIZE: f64 = 11.5;

/// A road's line: its colour tells its sort, and so do its width and its pattern.
fn line_of_road(scene: &mut Scene, road: &Road, (from, to): (Point, Point)) {
    let outline = Outline::Polyline(vec![from, to]);
    let title = Some(road.describe());
    let mut push = |paint| {
        scene.items.push(labtrust_figures::draw::scene::Item::Shape {
            outline: outline.clone(),
            paint,
            title: title.clone(),
        });
    };
    for paint in symbol::road(road.sort()) {
        push(paint);
    }
    let middle = at(f64::midpoint(from.x, to.x), f64::midpoint(from.y, to.y));
    if road.is_one_way() && !road.is_closed() {
        let length = libm::hypot(to.x - from.x, to.y - from.y).max(1.0);
        let (along_x, along_y) = ((to.x - from.x) / length, (to.y - from.y) / length);
        let tip = at(middle.x + along_x * 9.0, middle.y + along_y * 9.0);
        let left = at(middle.x - along_y * 7.0, middle.y + along_x * 7.0);
        let right = at(middle.x + along_y * 7.0, middle.y - along_x * 7.0);
        scene.shape(Outline::Polygon(vec![tip, left, right]), Paint::fill(colour::INK));
    }
    if road.is_closed() {
        symbol::cross(scene, middle, 8.0);
    }
}

/// What labels of roads keep off.
struct Obstacles {
    nodes: Vec<Box2>,
    /// Roads, as lines.
    roads: Vec<(Point, Point)>,
    /// Points of labels of roads that have their place.
    placed: Vec<Point>,
}

impl Obstacles {
    /// How bad it is for text to be at `point`, on the road `own`.
    fn cost(&self, point: Point, own: usize) -> u32 {
        let on_node = self.nodes.iter().any(|label| label.grown(6.0).contains(point));
        let near = |other: &Point| labels::distance2(point, (*other, *other)) < 13.0 * 13.0;
        let on_road =
            |(index, road): (usize, &(Point, Point))| index != own && labels::distance2(point, *road) < 8.0 * 8.0;
        let on_road = self.roads.iter().enumerate().any(on_road);
        u32::from(on_node) * 3 + u32::from(self.placed.iter().any(near)) * 3 + u32::from(on_road) * 2
    }
}

/// A label of a road, and where it might be.
struct Candidate<'w> {
    words: &'w str,
    middle: Point,
    cost: u32,
    /// Points along the text.
    points: Vec<Point>,
}

/// A road's label runs along it, above or below, where it covers no other label and no other road.
fn label_of_road(scene: &mut Scene, road: &Road, own: usize, frame: &Frame, fonts: &Fonts, obstacles: &mut Obstacles) {
    let (mut from, mut to) = frame.ends(road);
    if from.x > to.x {
        // Text that stands on its head is not read.
        std::mem::swap(&mut from, &mut to);
    }
    let length = libm::hypot(to.x - from.x, to.y - from.y).max(1.0);
    let (along_x, along_y) = ((to.x - from.x) / length, (to.y - from.y) / length);
    // The way up from the line: text stands on it.
    let (up_x, up_y) = (along_y, -along_x);
    let bold = road.is_limited();
    let wordings = [
        format!("{} · {} · {}", road.id, road.length(), road.limits()),
        format!("{} · {}", road.id, road.length()),
        road.id.clone(),
    ];
    let mut best: Option<Candidate<'_>> = None;
    for (shorter, words) in (0_u32..).zip(&wordings) {
        let width = fonts.width(words, ROAD_SIZE, bold);
        let slack = (length - 44.0 - width) / 2.0 / length;
        if slack < 0.0 && shorter < 2 {
            continue;
        }
        let shares = [0.0, 0.35, -0.35, 0.7, -0.7, 1.0, -1.0].map(|step| 0.5 + slack.max(0.0) * step);
        for (share, lift) in shares.into_iter().flat_map(|share| [(share, 8.0), (share, -8.0 - ROAD_SIZE * 0.72)]) {
            let reach = |share: f64, lift: f64, away: f64| {
                let on = length * share + away;
                at(from.x + along_x * on + up_x * lift, from.y + along_y * on + up_y * lift)
            };
            let points: Vec<Point> =
                (-6..=6).map(|step| reach(share, lift + 4.0, width * f64::from(step) / 12.0)).collect();
            let covered: u32 = points.iter().map(|point| obstacles.cost(*point, own)).sum();
            // A shorter label says less, one below its road is found less easily.
            let cost = covered * 2 + shorter * 5 + u32::from(lift < 0.0);
            if best.as_ref().is_none_or(|best| cost < best.cost) {
                best = Some(Candidate { words, middle: reach(share, lift, 0.0), cost, points });
            }
        }
    }
    let Some(best) = best else { return };
    obstacles.placed.extend(best.points);
    let ink = if bold { colour::INK } else { colour::SOFT };
    let text = Text::new(best.middle, ROAD_SIZE, ink, best.words);
    let text = text.anchored(Anchor::Middle).on(colour::PAPER).turned(libm::atan2(along_y, along_x).to_degrees());
    scene.text(if bold { text.bold() } else { text });
}

/// A round number of metres, about a sixth of the map wide.
fn scale_bar(scene: &mut Scene, frame: &Frame, height: f64) {
    let wish = frame.width / 6.0 / frame.scale;
    let decade = libm::pow(10.0, libm::floor(libm::log10(wish)));
    let metres = [5.0, 2.0, 1.0].into_iter().map(|step| step * decade).find(|step| *step <= wish).unwrap_or(decade);
    let (left, base) = (36.0, height - 32.0);
    let right = left + metres * frame.scale;
    let paint = Paint::line(colour::SOFT, 2.0);
    scene.line(at(left, base), at(right, base), paint);
    for x in [left, right] {
        scene.line(at(x, base - 5.0), at(x, base + 5.0), paint);
    }
    let words = if metres >= 1.0 { format!("{metres:.0} m") } else { format!("{metres} m") };
    let label = Text::new(at(f64::midpoint(left, right), base - 8.0), 12.0, colour::SOFT, words);
    scene.text(label.anchored(Anchor::Middle));
}

/// What a kind of node is called in the legend.
const fn kind_name(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Parking => "Truck parking",
        NodeKind::Junction => "Junction",
        NodeKind::LoadOre => "Ore loading point",
        NodeKind::Crusher => "Crusher",
        NodeKind::WasteDump => "Waste dump",
        NodeKind::Maintenance => "Maintenance bay",
    }
}

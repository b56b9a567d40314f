//! What stands beside the map: legend, roads that let only so many trucks in, points of service, what scenarios change.

use super::super::colour;
use super::{kind_name, symbol};
use crate::plan::{Plan, Road, RoadSort};
use labtrust_figures::draw::Fonts;
use labtrust_figures::draw::scene::{Item, Outline, Paint, Scene, Text, at};

/// The panel and how high it is [px].
pub(super) struct Panel {
    pub(super) items: Vec<Item>,
    pub(super) height: f64,
}

/// Space to the panel's edges [px].
const INSET: f64 = 26.0;
const SMALL: f64 = 12.5;
const LINE_HEIGHT: f64 = 19.0;

/// Composes the panel at `left`.
pub(super) fn compose(plan: &Plan, fonts: &Fonts, left: f64, width: f64) -> Panel {
    let mut writer =
        Writer { scene: Scene::new(0.0, 0.0, ""), fonts, left: left + INSET, width: width - 2.0 * INSET, y: 46.0 };
    writer.title(plan);
    writer.legend(plan);
    writer.limited_roads(plan);
    writer.stations(plan);
    writer.changes(plan);
    Panel { items: writer.scene.items, height: writer.y + 20.0 }
}

struct Writer<'f> {
    scene: Scene,
    fonts: &'f Fonts,
    left: f64,
    width: f64,
    /// Where the next base line is.
    y: f64,
}

impl Writer<'_> {
    fn title(&mut self, plan: &Plan) {
        self.scene.text(Text::new(at(self.left, self.y), 24.0, colour::INK, "Mine haulage network").bold());
        self.y += 22.0;
        let edges: usize = plan.roads.iter().map(Road::directions).sum();
        let counts = format!("{} nodes, {} roads, {edges} directed edges", plan.nodes.len(), plan.roads.len());
        self.scene.text(Text::new(at(self.left, self.y), 13.0, colour::SOFT, counts));
        self.y += LINE_HEIGHT;
        let scenario = format!("as in scenario {}", plan.scenario);
        self.scene.text(Text::new(at(self.left, self.y), 13.0, colour::SOFT, scenario));
        self.y += 12.0;
    }

    fn heading(&mut self, words: &str) {
        self.y += 16.0;
        let paint = Paint::line(colour::LINE, 1.0);
        self.scene.line(at(self.left, self.y - 8.0), at(self.left + self.width, self.y - 8.0), paint);
        self.y += 14.0;
        self.scene.text(Text::new(at(self.left, self.y), 14.0, colour::INK, words).bold());
        self.y += 23.0;
    }

    fn legend(&mut self, plan: &Plan) {
        self.heading("Legend");
        let mut kinds = Vec::new();
        for node in &plan.nodes {
            if !kinds.contains(&node.kind) {
                kinds.push(node.kind);
            }
        }
        for kind in kinds {
            symbol::node(&mut self.scene, kind, at(self.left + 20.0, self.y - 1.0), None);
            self.scene.text(Text::new(at(self.left + 52.0, self.y + 3.5), 13.0, colour::INK, kind_name(kind)));
            self.y += 31.0;
        }
        self.y -= 2.0;
        let all = [
            (RoadSort::Free, "Road, any number of trucks"),
            (RoadSort::Limited, "Road of limited capacity (bold label)"),
            (RoadSort::Ramp, "Ramp"),
            (RoadSort::Closed, "Closed"),
        ];
        for (sort, words) in all {
            let seen = plan.roads.iter().any(|road| road.sort() == sort);
            if !seen {
                continue;
            }
            let (from, to) = (at(self.left, self.y), at(self.left + 40.0, self.y));
            for paint in symbol::road(sort) {
                self.scene.shape(Outline::Polyline(vec![from, to]), paint);
            }
            if sort == RoadSort::Closed {
                symbol::cross(&mut self.scene, at(self.left + 20.0, self.y), 6.0);
            }
            self.scene.text(Text::new(at(self.left + 52.0, self.y + 4.5), 13.0, colour::INK, words));
            self.y += 25.0;
        }
        self.y -= 8.0;
    }

    fn limited_roads(&mut self, plan: &Plan) {
        if !plan.roads.iter().any(Road::is_limited) {
            return;
        }
        self.heading("Roads of limited capacity");
        for road in plan.roads.iter().filter(|road| road.is_limited()) {
            let between = format!("{} – {}", plan.nodes[road.ends.0].id, plan.nodes[road.ends.1].id);
            self.row(&road.id, &[between, format!("{}, {}", road.length(), road.limits()), road.capacity()]);
        }
    }

    fn stations(&mut self, plan: &Plan) {
        if plan.stations.is_empty() {
            return;
        }
        self.heading("Loading and dumping");
        for station in &plan.stations {
            let places = if station.capacity == 1 { String::new() } else { format!(", {} places", station.capacity) };
            let time = format!("{} ± {} min{places}", station.mean_min, station.sd_min);
            self.row(&station.id, &[format!("at {}", plan.nodes[station.node].id), time]);
        }
    }

    fn changes(&mut self, plan: &Plan) {
        if plan.changes.is_empty() {
            return;
        }
        self.heading("What other scenarios change");
        for (scenario, changes) in &plan.changes {
            self.row(scenario, std::slice::from_ref(changes));
        }
    }

    /// A name in bold, and cells beside it; what does not fit goes to the next line.
    fn row(&mut self, name: &str, cells: &[String]) {
        self.scene.text(Text::new(at(self.left, self.y), SMALL, colour::INK, name).bold());
        let name_end = self.left + self.fonts.width(name, SMALL, true) + 12.0;
        let mut x = name_end.max(self.left + 66.0);
        let end = self.left + self.width;
        for (index, cell) in cells.iter().enumerate() {
            let comma = if index + 1 < cells.len() { ", " } else { "" };
            let words: Vec<&str> = cell.split(' ').collect();
            for (place, word) in words.iter().enumerate() {
                let rest = if place + 1 < words.len() { " " } else { comma };
                let piece = format!("{word}{rest}");
                let wide = self.fonts.width(&piece, SMALL, false);
                let seen = self.fonts.width(word, SMALL, false);
                if x + seen > end && x > self.left + 66.0 {
                    self.y += LINE_HEIGHT - 3.0;
                    x = self.left + 66.0;
                }
                self.scene.text(Text::new(at(x, self.y), SMALL, colour::SOFT, piece.trim_end().to_owned()));
                x += wide;
            }
        }
        self.y += LINE_HEIGHT;
    }
}

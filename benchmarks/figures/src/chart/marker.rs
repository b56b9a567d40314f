//! Markers: with their colours they tell many series apart, and without colours still as many as there are shapes.

use super::sheet::{Area, MARGIN, Sheet};
use super::theme::Palette;
use crate::draw::scene::{Anchor, Colour, Outline, Paint, Point, Scene, at};

/// The outline of the marker of a series.
fn outline(series: usize, centre: Point, radius: f64) -> Outline {
    let corners = |points: &[(f64, f64)]| {
        Outline::Polygon(points.iter().map(|(x, y)| at(centre.x + x * radius, centre.y + y * radius)).collect())
    };
    match series % 6 {
        0 => Outline::Circle { centre, radius },
        1 => corners(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
        2 => corners(&[(0.0, -1.15), (1.1, 0.85), (-1.1, 0.85)]),
        3 => corners(&[(0.0, -1.3), (1.1, 0.0), (0.0, 1.3), (-1.1, 0.0)]),
        4 => corners(&[(0.0, 1.15), (1.1, -0.85), (-1.1, -0.85)]),
        _ => {
            let (long, wide) = (1.2, 0.42);
            corners(&[
                (-wide, -long),
                (wide, -long),
                (wide, -wide),
                (long, -wide),
                (long, wide),
                (wide, wide),
                (wide, long),
                (-wide, long),
                (-wide, wide),
                (-long, wide),
                (-long, -wide),
                (-wide, -wide),
            ])
        }
    }
}

/// How loud a marker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// One of many.
    Faint,
    /// As any.
    Plain,
    /// With a rim, and larger.
    Strong,
}

/// Draws the marker of a series.
pub(crate) fn mark(
    scene: &mut Scene,
    palette: &Palette,
    series: usize,
    centre: Point,
    weight: Weight,
    title: Option<&str>,
) {
    let colour = palette.series(series);
    let (radius, paint) = match weight {
        Weight::Faint => (3.4, Paint::fill(colour).faint(0.45)),
        Weight::Plain => (4.6, Paint::fill(colour).outlined(palette.rim, 1.0)),
        Weight::Strong => (6.2, Paint::fill(colour).outlined(palette.ink, 1.8)),
    };
    let outline = outline(series, centre, radius);
    match title {
        Some(title) => scene.titled(outline, paint, title),
        None => scene.shape(outline, paint),
    }
}

/// What stands before a name in a legend.
#[derive(Clone, Debug)]
pub enum Swatch {
    /// The marker of a series.
    Marker(usize, Weight),
    /// A field of a colour, with letters in it.
    Field(Colour, String),
    /// A dashed line.
    Dashed,
    /// A bar of an interval.
    Interval,
}

/// A name and what it looks like.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it looks like.
    pub swatch: Swatch,
    /// What it is called.
    pub label: String,
}

impl Entry {
    /// An entry.
    #[must_use]
    pub fn new(swatch: Swatch, label: impl Into<String>) -> Self {
        Self { swatch, label: label.into() }
    }
}

const ROW: f64 = 20.0;
const SWATCH: f64 = 24.0;

/// Draws entries in rows from `y` on, outside of the data. Returns where they end.
pub(crate) fn legend(sheet: &mut Sheet, entries: &[Entry], y: f64) -> f64 {
    if entries.is_empty() {
        return y;
    }
    let room = sheet.scene.width - 2.0 * MARGIN;
    let widest = entries.iter().map(|entry| sheet.small_width(&entry.label)).fold(0.0, f64::max);
    // With some room to spare: a browser without our font shows wider letters.
    let labels = (widest * 1.1 + SWATCH + 22.0).min(room);
    // Columns of one width: a table is read faster than a paragraph.
    let columns = libm::floor(room / labels).max(1.0);
    let (mut column, mut y) = (0.0, y + ROW * 0.75);
    for entry in entries {
        if column >= columns {
            (column, y) = (0.0, y + ROW);
        }
        let x = MARGIN + column * labels;
        swatch(sheet, &entry.swatch, at(x + 9.0, y - 4.0));
        let label = sheet.cut(&entry.label, super::sheet::SMALL, false, room - SWATCH);
        sheet.dark(at(x + SWATCH, y), Anchor::Start, label);
        column += 1.0;
    }
    y + ROW * 0.6
}

fn swatch(sheet: &mut Sheet, swatch: &Swatch, centre: Point) {
    let palette = sheet.palette;
    match swatch {
        Swatch::Marker(series, weight) => mark(&mut sheet.scene, palette, *series, centre, *weight, None),
        Swatch::Field(colour, letters) => {
            let area = Area { left: centre.x - 9.0, top: centre.y - 7.5, width: 18.0, height: 15.0 };
            sheet.scene.shape(area.outline(), Paint::fill(*colour).outlined(palette.soft, 0.8));
            let text = crate::draw::scene::Text::new(
                at(centre.x, centre.y + 4.0),
                11.0,
                Palette::on(*colour),
                letters.as_str(),
            );
            sheet.scene.text(text.bold().anchored(Anchor::Middle));
        }
        Swatch::Dashed => {
            let paint = Paint::line(palette.soft, 1.6).dashed(6.0, 4.0);
            sheet.scene.line(at(centre.x - 10.0, centre.y), at(centre.x + 10.0, centre.y), paint);
        }
        Swatch::Interval => {
            let paint = Paint::line(palette.soft, 1.4);
            sheet.scene.line(at(centre.x - 9.0, centre.y), at(centre.x + 9.0, centre.y), paint);
            for x in [centre.x - 9.0, centre.x + 9.0] {
                sheet.scene.line(at(x, centre.y - 4.0), at(x, centre.y + 4.0), paint);
            }
        }
    }
}

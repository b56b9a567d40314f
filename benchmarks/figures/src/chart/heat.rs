//! Fields in rows and columns: the colour says how much, and so do the words in the field.

use super::marker::{Entry, Swatch, legend};
use super::sheet::{Area, Heading, MARGIN, SMALL, Sheet, count};
use super::theme::{Palette, Theme};
use crate::draw::scene::{Anchor, Colour, Paint, Scene, Text, at};

/// What the colour of a field says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shade {
    /// A share of something bad, 0 to 1.
    Ramp(f64),
    /// Passed.
    Good,
    /// Failed.
    Bad,
    /// Shows nothing.
    Unsure,
    /// Could not be tried.
    Absent,
    /// There is no such thing.
    Empty,
}

impl Shade {
    /// The colour of it.
    #[must_use]
    pub fn colour(self, palette: &Palette) -> Colour {
        match self {
            Self::Ramp(share) => palette.ramp(share),
            Self::Good => palette.good,
            Self::Bad => palette.bad,
            Self::Unsure => palette.unsure,
            Self::Absent => palette.absent,
            Self::Empty => palette.panel,
        }
    }
}

/// One field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its colour.
    pub shade: Shade,
    /// What stands in it.
    pub text: String,
    /// A second line, smaller.
    pub small: String,
    /// What is said when it is pointed at.
    pub note: String,
}

impl Field {
    /// A field without anything.
    #[must_use]
    pub fn empty(note: impl Into<String>) -> Self {
        Self { shade: Shade::Empty, text: String::new(), small: String::new(), note: note.into() }
    }
}

/// Fields with one meaning.
#[derive(Clone, Debug)]
pub struct HeatPanel {
    /// What stands above.
    pub title: String,
    /// As many rows as the chart has, with as many fields as it has columns.
    pub fields: Vec<Vec<Field>>,
}

/// The whole chart: panels beside each other that share the names of rows.
#[derive(Clone, Debug)]
pub struct HeatChart {
    /// What it says of itself.
    pub heading: Heading,
    /// Names of rows.
    pub rows: Vec<String>,
    /// Names of columns.
    pub columns: Vec<String>,
    /// At least one.
    pub panels: Vec<HeatPanel>,
    /// What colours mean: a word for each shade.
    pub key: Vec<(Shade, String, String)>,
}

const CELL_WIDTH: f64 = 46.0;
const CELL_HEIGHT: f64 = 31.0;
/// How far names of columns lean: sine and cosine of 50 degrees.
const LEAN: (f64, f64) = (0.766_044, 0.642_788);

/// Draws it.
#[must_use]
pub fn draw(chart: &HeatChart, theme: Theme) -> Scene {
    let measure = Sheet::begin(100.0, &Heading::default(), theme).0;
    let names = measure.widest(chart.rows.iter().map(String::as_str)).min(280.0);
    let longest = measure.widest(chart.columns.iter().map(String::as_str)).min(230.0);
    let (up, over) = (longest * LEAN.0 + 16.0, longest * LEAN.1 + 4.0);
    // Few columns may be wide; many panels stand below each other in the end.
    let cell = if chart.columns.len() < 6 { 64.0 } else { CELL_WIDTH };
    let grid = cell * count(chart.columns.len().max(1));
    let titles = chart.panels.iter().map(|panel| measure.fonts.width(&panel.title, 13.5, true)).fold(0.0, f64::max);
    let each = grid.max(titles.min(330.0)) + 26.0;
    let side_by_side = chart.panels.len().clamp(1, 3);
    let beside = (1..=side_by_side).rev().find(|many| names + each * count(*many) + over < 1560.0).unwrap_or(1);
    let width = (MARGIN * 2.0 + names + 12.0 + each * count(beside) - 26.0 + over).max(560.0);
    let (mut sheet, mut y) = Sheet::begin(width, &chart.heading, theme);
    let body = CELL_HEIGHT * count(chart.rows.len());
    let has_titles = chart.panels.iter().any(|panel| !panel.title.is_empty());
    let foot = if has_titles { 36.0 } else { 14.0 };
    for row in chart.panels.chunks(beside) {
        let top = y + up;
        for (index, panel) in row.iter().enumerate() {
            let left = MARGIN + names + 12.0 + each * count(index);
            let area = Area { left, top, width: grid, height: body };
            column_names(&mut sheet, &chart.columns, area, cell);
            fields(&mut sheet, panel, area, cell);
            let title = sheet.cut(&panel.title, 13.5, true, each - 16.0);
            let text = Text::new(at(left + grid / 2.0, top + body + 21.0), 13.5, sheet.palette.ink, title);
            sheet.scene.text(text.bold().anchored(Anchor::Middle));
        }
        for (index, name) in chart.rows.iter().enumerate() {
            let base = top + CELL_HEIGHT * (count(index) + 0.5) + 4.0;
            let name = sheet.cut(name, SMALL, false, names);
            sheet.dark(at(MARGIN + names + 4.0, base), Anchor::End, name);
        }
        y = top + body + foot;
    }
    let key = chart.key.iter().map(|(shade, letters, label)| {
        Entry::new(Swatch::Field(shade.colour(sheet.palette), letters.clone()), label.as_str())
    });
    let entries: Vec<Entry> = key.collect();
    let y = legend(&mut sheet, &entries, y + 4.0);
    sheet.finish(y, &chart.heading)
}

fn column_names(sheet: &mut Sheet, columns: &[String], area: Area, cell: f64) {
    for (index, name) in columns.iter().enumerate() {
        let x = area.left + cell * (count(index) + 0.5);
        let name = sheet.cut(name, SMALL, false, 230.0);
        let text = Text::new(at(x + 2.0, area.top - 7.0), SMALL, sheet.palette.ink, name);
        sheet.scene.text(text.turned(-50.0));
    }
}

fn fields(sheet: &mut Sheet, panel: &HeatPanel, area: Area, cell: f64) {
    let palette = sheet.palette;
    for (row, fields) in panel.fields.iter().enumerate() {
        for (column, field) in fields.iter().enumerate() {
            let (left, top) = (area.left + cell * count(column), area.top + CELL_HEIGHT * count(row));
            let place = Area { left, top, width: cell, height: CELL_HEIGHT };
            let ground = field.shade.colour(palette);
            sheet.scene.titled(place.outline(), Paint::fill(ground).outlined(palette.paper, 1.4), field.note.as_str());
            let ink = Palette::on(ground);
            let middle = left + cell / 2.0;
            let lift = if field.small.is_empty() { 4.0 } else { -0.5 };
            let size = if field.small.is_empty() { 13.0 } else { 12.0 };
            if !field.text.is_empty() {
                let text = Text::new(at(middle, top + CELL_HEIGHT / 2.0 + lift), size, ink, field.text.as_str());
                sheet.scene.text(text.bold().anchored(Anchor::Middle));
            }
            if !field.small.is_empty() {
                let text = Text::new(at(middle, top + CELL_HEIGHT / 2.0 + 11.0), 10.0, ink, field.small.as_str());
                sheet.scene.text(text.anchored(Anchor::Middle));
            }
        }
    }
    let rim = Paint::line(palette.soft, 1.0);
    sheet.scene.shape(area.outline(), rim);
}

//! The sheet that a chart is drawn on: heading, panels with their axes, and notes below.

use super::axis::Axis;
use super::theme::{Palette, Theme};
use crate::draw::Fonts;
use crate::draw::scene::{Anchor, Item, Outline, Paint, Point, Scene, Text, at};

/// Distance of everything from the rim of the sheet [px].
pub(crate) const MARGIN: f64 = 24.0;
/// Size of numbers and names [px].
pub(crate) const SMALL: f64 = 12.0;
const TITLE: f64 = 19.0;

/// What every chart says about itself.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    /// What is shown.
    pub title: String,
    /// What one has to know to read it, in a sentence or two.
    pub subtitle: String,
    /// What stands below, a paragraph each.
    pub notes: Vec<String>,
}

impl Heading {
    /// A heading without notes.
    #[must_use]
    pub fn new(title: impl Into<String>, subtitle: impl Into<String>) -> Self {
        Self { title: title.into(), subtitle: subtitle.into(), notes: Vec::new() }
    }

    /// With a paragraph below.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// A scene that grows downwards.
pub(crate) struct Sheet {
    pub(crate) scene: Scene,
    pub(crate) fonts: Fonts,
    pub(crate) palette: &'static Palette,
}

impl Sheet {
    /// Begins a sheet; the second value is where the heading ends.
    pub(crate) fn begin(width: f64, heading: &Heading, theme: Theme) -> (Self, f64) {
        let mut scene = Scene::new(width, 0.0, heading.title.as_str());
        scene.description.clone_from(&heading.subtitle);
        let mut sheet = Self { scene, fonts: Fonts::load(), palette: theme.palette() };
        let room = width - 2.0 * MARGIN;
        let mut y = MARGIN - 4.0;
        for line in sheet.wrapped(&heading.title, TITLE, true, room) {
            y += TITLE * 1.25;
            sheet.scene.text(Text::new(at(MARGIN, y), TITLE, sheet.palette.ink, line).bold());
        }
        y += 2.0;
        y = sheet.paragraph(&heading.subtitle, 13.0, y);
        (sheet, y + 14.0)
    }

    /// Ends the sheet at `y` with the notes below.
    pub(crate) fn finish(mut self, mut y: f64, heading: &Heading) -> Scene {
        if !heading.notes.is_empty() {
            y += 4.0;
        }
        for note in &heading.notes {
            y = self.paragraph(note, SMALL, y) + 3.0;
        }
        self.scene.height = libm::ceil(y + MARGIN * 0.75);
        let (width, height) = (self.scene.width, self.scene.height);
        let whole = Outline::Rectangle { corner: at(0.0, 0.0), width, height, round: 0.0 };
        let paint = Paint::fill(self.palette.paper);
        self.scene.items.insert(0, Item::Shape { outline: whole, paint, title: None });
        self.scene
    }

    fn paragraph(&mut self, text: &str, size: f64, mut y: f64) -> f64 {
        for line in self.wrapped(text, size, false, self.scene.width - 2.0 * MARGIN) {
            y += size * 1.4;
            self.scene.text(Text::new(at(MARGIN, y), size, self.palette.soft, line));
        }
        y
    }

    /// Width of a line of small text.
    pub(crate) fn small_width(&self, text: &str) -> f64 {
        self.fonts.width(text, SMALL, false)
    }

    /// The widest of some lines of small text; 0 of none.
    pub(crate) fn widest<'t>(&self, lines: impl IntoIterator<Item = &'t str>) -> f64 {
        lines.into_iter().map(|line| self.small_width(line)).fold(0.0, f64::max)
    }

    /// Lines no wider than `width`, broken between words.
    pub(crate) fn wrapped(&self, text: &str, size: f64, bold: bool, width: f64) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in text.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if !line.is_empty() && self.fonts.width(&longer, size, bold) > width {
                lines.push(std::mem::replace(&mut line, word.to_owned()));
            } else {
                line = longer;
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        // A single word can still be too long: an id without end.
        lines.iter().map(|line| self.cut(line, size, bold, width)).collect()
    }

    /// The text, cut in the middle where it is wider than `width`: ids differ at both ends.
    pub(crate) fn cut(&self, text: &str, size: f64, bold: bool, width: f64) -> String {
        if self.fonts.width(text, size, bold) <= width {
            return text.to_owned();
        }
        let letters: Vec<char> = text.chars().collect();
        let kept = |count: usize| {
            let (head, tail) = (count.div_ceil(2), count / 2);
            let tail = &letters[letters.len() - tail..];
            letters[..head].iter().chain(std::iter::once(&'…')).chain(tail).collect::<String>()
        };
        let fits = |count: &usize| self.fonts.width(&kept(*count), size, bold) <= width;
        (1..letters.len()).rev().find(fits).map_or_else(|| "…".to_owned(), kept)
    }

    /// A line of small text.
    pub(crate) fn small(&mut self, place: Point, anchor: Anchor, text: impl Into<String>) {
        self.scene.text(Text::new(place, SMALL, self.palette.soft, text).anchored(anchor));
    }

    /// A line of small text in ink.
    pub(crate) fn dark(&mut self, place: Point, anchor: Anchor, text: impl Into<String>) {
        self.scene.text(Text::new(place, SMALL, self.palette.ink, text).anchored(anchor));
    }

    /// A bold name above something.
    pub(crate) fn head(&mut self, place: Point, text: impl Into<String>) {
        self.scene.text(Text::new(place, 13.5, self.palette.ink, text).bold());
    }

    /// What is said in the middle of an area where nothing can be drawn.
    pub(crate) fn nothing(&mut self, area: Area, why: &str) {
        let lines = self.wrapped(why, 13.5, false, area.width - 40.0);
        let mut y = area.top + area.height / 2.0 - 9.0 * count(lines.len().saturating_sub(1));
        for line in lines {
            let text = Text::new(at(area.left + area.width / 2.0, y), 13.5, self.palette.soft, line);
            self.scene.text(text.anchored(Anchor::Middle).on(self.palette.panel));
            y += 18.0;
        }
    }
}

/// A part of the sheet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Area {
    pub(crate) fn right(self) -> f64 {
        self.left + self.width
    }

    pub(crate) fn bottom(self) -> f64 {
        self.top + self.height
    }

    pub(crate) fn outline(self) -> Outline {
        Outline::Rectangle { corner: at(self.left, self.top), width: self.width, height: self.height, round: 0.0 }
    }
}

/// An area with an axis each way.
pub(crate) struct Plane<'a> {
    pub(crate) area: Area,
    pub(crate) x: &'a Axis,
    pub(crate) y: &'a Axis,
}

impl Plane<'_> {
    pub(crate) fn x(&self, value: f64) -> f64 {
        self.area.left + self.x.share(value) * self.area.width
    }

    pub(crate) fn y(&self, value: f64) -> f64 {
        self.area.bottom() - self.y.share(value) * self.area.height
    }

    pub(crate) fn at(&self, x: f64, y: f64) -> Point {
        at(self.x(x), self.y(y))
    }

    /// Draws ground, grid and numbers.
    pub(crate) fn draw(&self, sheet: &mut Sheet) {
        ground(sheet, self.area);
        across(sheet, self.area, self.x);
        for (value, label) in &self.y.ticks {
            let y = self.y(*value);
            sheet.scene.line(at(self.area.left, y), at(self.area.right(), y), Paint::line(sheet.palette.grid, 1.0));
            sheet.small(at(self.area.left - 8.0, y + 4.0), Anchor::End, label.as_str());
        }
        rim(sheet, self.area);
    }
}

/// Paints an area as one where data are.
pub(crate) fn ground(sheet: &mut Sheet, area: Area) {
    sheet.scene.shape(area.outline(), Paint::fill(sheet.palette.panel));
}

/// Draws lines and numbers of an axis that goes to the right.
pub(crate) fn across(sheet: &mut Sheet, area: Area, axis: &Axis) {
    let mut free_from = f64::NEG_INFINITY;
    for (value, label) in &axis.ticks {
        let x = area.left + axis.share(*value) * area.width;
        sheet.scene.line(at(x, area.top), at(x, area.bottom()), Paint::line(sheet.palette.grid, 1.0));
        let half = sheet.small_width(label) / 2.0;
        // A number that would run into the one before is left out; its line stays.
        if x - half >= free_from {
            sheet.small(at(x, area.bottom() + 17.0), Anchor::Middle, label.as_str());
            free_from = x + half + 6.0;
        }
    }
}

/// The two lines that an area stands on.
pub(crate) fn rim(sheet: &mut Sheet, area: Area) {
    let paint = Paint::line(sheet.palette.soft, 1.2);
    sheet.scene.line(at(area.left, area.bottom()), at(area.right(), area.bottom()), paint);
    sheet.scene.line(at(area.left, area.top), at(area.left, area.bottom()), paint);
}

/// How many, as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "nothing drawn is that many")]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}

//! What happened when: a lane for each thing, with spans (Gantt) or with counts over time.

use super::axis::Axis;
use super::marker::{Entry, Swatch, legend};
use super::sheet::{Area, Heading, MARGIN, SMALL, Sheet, across, count, ground, rim};
use super::theme::{Palette, Theme};
use crate::draw::scene::{Anchor, Paint, Scene, Text, at};

/// Something that took time.
#[derive(Clone, Debug)]
pub struct Span {
    /// When it began.
    pub from: f64,
    /// When it ended.
    pub to: f64,
    /// The number of its colour.
    pub series: usize,
    /// What stands in it where there is room.
    pub label: String,
    /// What is said when it is pointed at.
    pub note: String,
}

/// A lane.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    /// Its name.
    pub label: String,
    /// What stands behind it.
    pub total: String,
    /// What took time in it.
    pub spans: Vec<Span>,
    /// Moments that are counted: they are drawn as heights of equal pieces of time.
    pub moments: Vec<f64>,
    /// The number of the colour of the counts.
    pub series: usize,
}

/// The whole chart.
#[derive(Clone, Debug)]
pub struct LaneChart {
    /// What it says of itself.
    pub heading: Heading,
    /// What is measured to the right.
    pub label: String,
    /// The end of time in it; the beginning is 0.
    pub until: f64,
    /// From the top to the bottom.
    pub lanes: Vec<Lane>,
    /// What colours mean.
    pub legend: Vec<(usize, String)>,
    /// What is said without any lane.
    pub empty: String,
}

const LANE: f64 = 34.0;
/// Pieces of time in which moments are counted.
const PIECES: u8 = 60;

/// Draws it.
#[must_use]
pub fn draw(chart: &LaneChart, theme: Theme) -> Scene {
    let (mut sheet, top) = Sheet::begin(1060.0, &chart.heading, theme);
    let names = sheet.widest(chart.lanes.iter().map(|lane| lane.label.as_str())).min(280.0);
    let totals = sheet.widest(chart.lanes.iter().map(|lane| lane.total.as_str())).min(160.0);
    let left = MARGIN + names + 10.0;
    let height = LANE * count(chart.lanes.len().max(2));
    let area = Area { left, top, width: sheet.scene.width - left - MARGIN - totals - 10.0, height };
    let axis = Axis::around([0.0, chart.until.max(1.0)], true, 8);
    ground(&mut sheet, area);
    across(&mut sheet, area, &axis);
    for (index, lane) in chart.lanes.iter().enumerate() {
        let place = Area { top: top + LANE * count(index), height: LANE, ..area };
        let base = place.top + LANE / 2.0 + 4.0;
        let name = sheet.cut(&lane.label, SMALL, false, names);
        sheet.dark(at(left - 8.0, base), Anchor::End, name);
        let total = sheet.cut(&lane.total, SMALL, false, 160.0);
        sheet.small(at(area.right() + 8.0, base), Anchor::Start, total);
        if index > 0 {
            let rule = Paint::line(sheet.palette.grid, 1.0);
            sheet.scene.line(at(area.left, place.top), at(area.right(), place.top), rule);
        }
        counts(&mut sheet, lane, place, &axis);
        lane.spans.iter().for_each(|span| draw_span(&mut sheet, span, place, &axis));
    }
    rim(&mut sheet, area);
    if chart.lanes.is_empty() {
        sheet.nothing(area, &chart.empty);
    }
    sheet.dark(at(area.left + area.width / 2.0, area.bottom() + 36.0), Anchor::Middle, chart.label.as_str());
    let palette = sheet.palette;
    let entry = |(series, label): &(usize, String)| {
        Entry::new(Swatch::Field(palette.series(*series), String::new()), label.as_str())
    };
    let entries: Vec<Entry> = chart.legend.iter().map(entry).collect();
    let y = legend(&mut sheet, &entries, area.bottom() + 44.0);
    sheet.finish(y, &chart.heading)
}

fn draw_span(sheet: &mut Sheet, span: &Span, place: Area, axis: &Axis) {
    let x = |value: f64| place.left + axis.share(value) * place.width;
    let (from, to) = (x(span.from), x(span.to));
    // What took no time is still there to be seen.
    let body = Area { left: from, top: place.top + 7.0, width: (to - from).max(2.0), height: place.height - 14.0 };
    let palette = sheet.palette;
    let colour = palette.series(span.series);
    sheet.scene.titled(body.outline(), Paint::fill(colour).outlined(palette.panel, 0.8), span.note.as_str());
    let width = sheet.fonts.width(&span.label, 10.5, false);
    if width + 8.0 < body.width {
        let middle = at(body.left + body.width / 2.0, body.top + body.height / 2.0 + 3.8);
        let text = Text::new(middle, 10.5, Palette::on(colour), span.label.as_str());
        sheet.scene.text(text.anchored(Anchor::Middle));
    }
}

fn counts(sheet: &mut Sheet, lane: &Lane, place: Area, axis: &Axis) {
    let (begin, end) = axis.ends();
    let piece = (end - begin) / f64::from(PIECES);
    let of_piece = |index: u8| {
        let from = begin + piece * f64::from(index);
        let last = index + 1 == PIECES;
        (from, lane.moments.iter().filter(|at| **at >= from && (**at < from + piece || last)).count())
    };
    let pieces: Vec<(f64, usize)> = (0..PIECES).map(of_piece).collect();
    let most = pieces.iter().map(|(_, number)| *number).max().unwrap_or(0);
    for (from, number) in pieces.into_iter().filter(|(_, number)| *number > 0) {
        let height = (place.height - 6.0) * count(number) / count(most);
        let left = place.left + axis.share(from) * place.width;
        let width = piece / (end - begin) * place.width;
        let body = Area { left, top: place.bottom() - height, width: width - 1.0, height };
        let note = format!("{}: {number} from {:.0} s to {:.0} s", lane.label, from, from + piece);
        let colour = sheet.palette.series(lane.series);
        sheet.scene.titled(body.outline(), Paint::fill(colour), note);
    }
}

//! Points, lines and bands over two axes, in one panel or several with one legend.

use super::axis::Axis;
use super::labels::Taken;
use super::marker::{Entry, Weight, legend, mark};
use super::sheet::{Area, Heading, MARGIN, Plane, Sheet, count};
use super::theme::Theme;
use crate::draw::scene::{Anchor, Outline, Paint, Point, Scene, Text, at};

/// A point, with intervals where they are known.
#[derive(Clone, Debug)]
pub struct XyPoint {
    /// To the right.
    pub x: f64,
    /// Upwards.
    pub y: f64,
    /// Interval of `x`.
    pub x_interval: Option<(f64, f64)>,
    /// Interval of `y`.
    pub y_interval: Option<(f64, f64)>,
    /// Which series it is of.
    pub series: usize,
    /// How it stands out.
    pub weight: Weight,
    /// Its name beside it, where there is room.
    pub label: Option<String>,
    /// What is said when it is pointed at.
    pub note: String,
}

/// Points joined in their order.
#[derive(Clone, Debug)]
pub struct XyLine {
    /// Which series it is of; none is a dashed guide.
    pub series: Option<usize>,
    /// Where it goes.
    pub points: Vec<(f64, f64)>,
    /// Lower and upper rim of a band around it, at the same places to the right.
    pub band: Vec<(f64, f64, f64)>,
    /// Whether it keeps its height until the next point.
    pub steps: bool,
}

/// One pair of axes.
#[derive(Clone, Debug, Default)]
pub struct XyPanel {
    /// What stands above.
    pub title: String,
    /// Points, the loud ones on top.
    pub points: Vec<XyPoint>,
    /// Lines, below the points.
    pub lines: Vec<XyLine>,
    /// What its upward axis measures, when it is not that of the chart.
    pub y_label: Option<String>,
}

/// The whole chart.
#[derive(Clone, Debug, Default)]
pub struct XyChart {
    /// What it says of itself.
    pub heading: Heading,
    /// What is measured to the right.
    pub x_label: String,
    /// What is measured upwards.
    pub y_label: String,
    /// Whether the axes begin at 0: to the right, upwards.
    pub from_zero: (bool, bool),
    /// At least one.
    pub panels: Vec<XyPanel>,
    /// What markers mean.
    pub legend: Vec<Entry>,
    /// What is said in a panel without any point.
    pub empty: String,
}

const PANEL_HEIGHT: f64 = 330.0;

/// Draws it.
#[must_use]
pub fn draw(chart: &XyChart, theme: Theme) -> Scene {
    let columns = chart.panels.len().clamp(1, 3);
    // One panel alone is wide; several share a wider sheet.
    let width = if columns == 1 { 900.0 } else { 90.0 + 400.0 * count(columns) };
    let (mut sheet, mut y) = Sheet::begin(width, &chart.heading, theme);
    for row in chart.panels.chunks(columns) {
        y = panels(&mut sheet, chart, row, columns, y);
    }
    let y = legend(&mut sheet, &chart.legend, y + 6.0);
    sheet.finish(y, &chart.heading)
}

fn panels(sheet: &mut Sheet, chart: &XyChart, row: &[XyPanel], columns: usize, top: f64) -> f64 {
    let each = (sheet.scene.width - 2.0 * MARGIN) / count(columns);
    let has_titles = row.iter().any(|panel| !panel.title.is_empty());
    let head = if has_titles { 26.0 } else { 4.0 };
    for (index, panel) in row.iter().enumerate() {
        let (x_axis, y_axis) = axes(chart, panel);
        let numbers = sheet.widest(y_axis.ticks.iter().map(|(_, label)| label.as_str()));
        let left = MARGIN + each * count(index);
        let inset = numbers + 34.0;
        let area = Area { left: left + inset, top: top + head, width: each - inset - 16.0, height: PANEL_HEIGHT };
        let title = sheet.cut(&panel.title, 13.5, true, area.width);
        sheet.head(at(area.left, top + 16.0), title);
        let plane = Plane { area, x: &x_axis, y: &y_axis };
        plane.draw(sheet);
        name_axes(sheet, chart, panel, area, left);
        if panel.points.is_empty() && panel.lines.is_empty() {
            sheet.nothing(area, &chart.empty);
        }
        panel.lines.iter().for_each(|line| draw_line(sheet, &plane, line));
        draw_points(sheet, &plane, panel);
    }
    top + head + PANEL_HEIGHT + 52.0
}

fn axes(chart: &XyChart, panel: &XyPanel) -> (Axis, Axis) {
    let of_points = |value: fn(&XyPoint) -> f64, interval: fn(&XyPoint) -> Option<(f64, f64)>| {
        panel.points.iter().flat_map(move |point| {
            let bounds = interval(point);
            [Some(value(point)), bounds.map(|(low, _)| low), bounds.map(|(_, high)| high)].into_iter().flatten()
        })
    };
    let on_lines = panel.lines.iter().flat_map(|line| line.points.iter());
    let in_bands = panel.lines.iter().flat_map(|line| line.band.iter().flat_map(|(_, low, high)| [*low, *high]));
    let x = of_points(|point| point.x, |point| point.x_interval).chain(on_lines.clone().map(|(x, _)| *x));
    let y = of_points(|point| point.y, |point| point.y_interval).chain(on_lines.map(|(_, y)| *y)).chain(in_bands);
    (Axis::around(x, chart.from_zero.0, 5), Axis::around(y, chart.from_zero.1, 5))
}

fn name_axes(sheet: &mut Sheet, chart: &XyChart, panel: &XyPanel, area: Area, left: f64) {
    let below = at(area.left + area.width / 2.0, area.bottom() + 37.0);
    sheet.dark(below, Anchor::Middle, chart.x_label.as_str());
    let beside = at(left + 13.0, area.top + area.height / 2.0);
    let label = panel.y_label.as_deref().unwrap_or(&chart.y_label);
    let text = Text::new(beside, super::sheet::SMALL, sheet.palette.ink, label);
    sheet.scene.text(text.anchored(Anchor::Middle).turned(-90.0));
}

fn draw_line(sheet: &mut Sheet, plane: &Plane<'_>, line: &XyLine) {
    let colour = line.series.map_or(sheet.palette.soft, |series| sheet.palette.series(series));
    let mut rim: Vec<Point> = line.band.iter().map(|(x, _, high)| plane.at(*x, *high)).collect();
    rim.extend(line.band.iter().rev().map(|(x, low, _)| plane.at(*x, *low)));
    if rim.len() > 2 {
        sheet.scene.shape(Outline::Polygon(rim), Paint::fill(colour).faint(0.14));
    }
    let mut path: Vec<Point> = Vec::new();
    for (x, y) in &line.points {
        let next = plane.at(*x, *y);
        if let (true, Some(last)) = (line.steps, path.last()) {
            path.push(at(next.x, last.y));
        }
        path.push(next);
    }
    if path.len() > 1 {
        let paint = Paint::line(colour, 1.8);
        sheet.scene.shape(Outline::Polyline(path), if line.series.is_none() { paint.dashed(6.0, 4.0) } else { paint });
    }
}

fn draw_points(sheet: &mut Sheet, plane: &Plane<'_>, panel: &XyPanel) {
    let mut order: Vec<&XyPoint> = panel.points.iter().collect();
    order.sort_by_key(|point| point.weight as u8);
    for point in &order {
        intervals(sheet, plane, point);
    }
    let mut taken = Taken::default();
    for point in order.iter().filter(|point| point.weight != Weight::Faint) {
        bars_of(plane, point).into_iter().flatten().for_each(|(from, to)| taken.bar(from, to));
    }
    for point in &order {
        let centre = plane.at(point.x, point.y);
        let palette = sheet.palette;
        mark(&mut sheet.scene, palette, point.series, centre, point.weight, Some(&point.note));
        taken.point(centre, if point.weight == Weight::Faint { 3.0 } else { 6.5 });
    }
    // The loudest are named first: they get the room that there is.
    let mut named: Vec<(Point, &str, usize)> = Vec::new();
    for point in order.iter().rev() {
        let Some(label) = &point.label else { continue };
        let centre = plane.at(point.x, point.y);
        let same = |one: &&mut (Point, &str, usize)| (one.0.x - centre.x).abs() + (one.0.y - centre.y).abs() < 1.0;
        match named.iter_mut().find(same) {
            Some((_, _, others)) => *others += 1,
            None => named.push((centre, label, 0)),
        }
    }
    for (centre, label, others) in named {
        // Points on one place have one name.
        let label = if others == 0 { label.to_owned() } else { format!("{label} and {others} more at this place") };
        let size = 11.0;
        let width = sheet.fonts.width(&label, size, false);
        if let Some((place, anchor)) = taken.place(centre, width, size, plane.area) {
            let text = Text::new(place, size, sheet.palette.ink, label);
            sheet.scene.text(text.anchored(anchor).on(sheet.palette.panel));
        }
    }
}

/// Where the bars of the intervals of a point are: to the right, upwards.
fn bars_of(plane: &Plane<'_>, point: &XyPoint) -> [Option<(Point, Point)>; 2] {
    [
        point.x_interval.map(|(low, high)| (plane.at(low, point.y), plane.at(high, point.y))),
        point.y_interval.map(|(low, high)| (plane.at(point.x, low), plane.at(point.x, high))),
    ]
}

/// Bars of the intervals, with ends unless the point is one of many.
fn intervals(sheet: &mut Sheet, plane: &Plane<'_>, point: &XyPoint) {
    let faint = point.weight == Weight::Faint;
    let colour = sheet.palette.bars.unwrap_or_else(|| sheet.palette.series(point.series));
    let paint = Paint::line(colour, if faint { 1.0 } else { 1.5 }).faint(if faint { 0.25 } else { 0.8 });
    let cap = if faint { 0.0 } else { 3.5 };
    let bars = bars_of(plane, point).into_iter().zip([(0.0, cap), (cap, 0.0)]);
    for ((from, to), (dx, dy)) in bars.filter_map(|(bar, cap)| Some((bar?, cap))) {
        sheet.scene.line(from, to, paint);
        if cap > 0.0 {
            for end in [from, to] {
                sheet.scene.line(at(end.x - dx, end.y - dy), at(end.x + dx, end.y + dy), paint);
            }
        }
    }
}

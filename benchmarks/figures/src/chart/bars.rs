//! Bars to the right, a name before each: names of methods and codes are too long to stand below.

use super::axis::{Axis, short};
use super::sheet::{Area, Heading, MARGIN, SMALL, Sheet, across, count, ground, rim};
use super::theme::Theme;
use crate::draw::scene::{Anchor, Paint, Scene, at};

/// One bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// How long it is; none where nothing is known.
    pub value: Option<f64>,
    /// Interval of the value.
    pub interval: Option<(f64, f64)>,
    /// The number of its colour.
    pub series: usize,
}

/// Bars over one axis.
#[derive(Clone, Debug)]
pub struct BarPanel {
    /// What is measured.
    pub label: String,
    /// From the top to the bottom.
    pub bars: Vec<Bar>,
}

/// The whole chart: panels beside each other, whose bars have the same names.
#[derive(Clone, Debug)]
pub struct BarChart {
    /// What it says of itself.
    pub heading: Heading,
    /// At least one.
    pub panels: Vec<BarPanel>,
    /// What is said without any bar.
    pub empty: String,
}

const ROW: f64 = 27.0;

/// Draws it.
#[must_use]
pub fn draw(chart: &BarChart, theme: Theme) -> Scene {
    let panels = chart.panels.len().max(1);
    let width = if panels == 1 { 820.0 } else { 260.0 + 290.0 * count(panels) };
    let (mut sheet, top) = Sheet::begin(width, &chart.heading, theme);
    let names = chart.panels.first().map_or(&[][..], |panel| &panel.bars);
    let names_width = sheet.widest(names.iter().map(|bar| bar.label.as_str())).min(300.0);
    let height = ROW * count(names.len().max(3));
    let left = MARGIN + names_width + 10.0;
    let each = (width - left - MARGIN) / count(panels);
    for (row, bar) in names.iter().enumerate() {
        let name = sheet.cut(&bar.label, SMALL, false, names_width);
        sheet.dark(at(left - 8.0, top + ROW * (count(row) + 0.5) + 4.0), Anchor::End, name);
    }
    for (index, panel) in chart.panels.iter().enumerate() {
        let area = Area { left: left + each * count(index), top, width: each - 22.0, height };
        draw_panel(&mut sheet, panel, area, &chart.empty);
    }
    sheet.finish(top + height + 44.0, &chart.heading)
}

fn draw_panel(sheet: &mut Sheet, panel: &BarPanel, area: Area, empty: &str) {
    let ends = |bar: &Bar| [bar.value, bar.interval.map(|(low, _)| low), bar.interval.map(|(_, high)| high)];
    let values: Vec<f64> = panel.bars.iter().flat_map(ends).flatten().collect();
    let axis = Axis::around(values.iter().copied(), true, if area.width > 400.0 { 6 } else { 4 });
    ground(sheet, area);
    across(sheet, area, &axis);
    let x = |value: f64| area.left + axis.share(value) * area.width;
    for (row, bar) in panel.bars.iter().enumerate() {
        let middle = area.top + ROW * (count(row) + 0.5);
        draw_bar(sheet, bar, middle, area, &x);
    }
    rim(sheet, area);
    if panel.bars.is_empty() {
        sheet.nothing(area, empty);
    }
    sheet.dark(at(area.left + area.width / 2.0, area.bottom() + 36.0), Anchor::Middle, panel.label.as_str());
}

fn draw_bar(sheet: &mut Sheet, bar: &Bar, middle: f64, area: Area, x: &dyn Fn(f64) -> f64) {
    let Some(value) = bar.value else {
        sheet.small(at(area.left + 8.0, middle + 4.0), Anchor::Start, "no value");
        return;
    };
    let (from, to) = (x(0.0).min(x(value)), x(0.0).max(x(value)));
    let palette = sheet.palette;
    let body = Area { left: from, top: middle - 8.0, width: to - from, height: 16.0 };
    let told = bar.interval.map_or_else(String::new, |(low, high)| format!(" ({} to {})", short(low), short(high)));
    let note = format!("{}: {}{told}", bar.label, short(value));
    let paint = Paint::fill(palette.series(bar.series)).outlined(palette.ink, 0.6);
    sheet.scene.titled(body.outline(), paint, note);
    let mut end = to;
    if let Some((low, high)) = bar.interval {
        let paint = Paint::line(palette.ink, 1.4);
        sheet.scene.line(at(x(low), middle), at(x(high), middle), paint);
        for value in [low, high] {
            sheet.scene.line(at(x(value), middle - 4.0), at(x(value), middle + 4.0), paint);
        }
        end = end.max(x(high));
    }
    // The number stands behind the bar, or in it where there is no room behind.
    let words = short(value);
    let width = sheet.small_width(&words);
    if end + 8.0 + width <= area.right() {
        sheet.dark(at(end + 7.0, middle + 4.0), Anchor::Start, words);
    } else if body.width > width + 14.0 {
        let place = at(from + 7.0, middle + 4.0);
        let ink = super::theme::Palette::on(palette.series(bar.series));
        sheet.scene.text(crate::draw::scene::Text::new(place, SMALL, ink, words));
    }
}

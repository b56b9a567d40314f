//! Box plots, lying: a name before each, quartiles as a box, all values as points.

use super::axis::{Axis, short};
use super::marker::{Entry, Swatch, Weight, legend, mark};
use super::sheet::{Area, Heading, MARGIN, SMALL, Sheet, across, count, ground, rim};
use super::theme::Theme;
use crate::draw::scene::{Anchor, Outline, Paint, Scene, at};

/// Values under one name.
#[derive(Clone, Debug)]
pub struct Values {
    /// Their name.
    pub label: String,
    /// In any order.
    pub values: Vec<f64>,
}

/// The whole chart.
#[derive(Clone, Debug)]
pub struct BoxChart {
    /// What it says of itself.
    pub heading: Heading,
    /// What is measured.
    pub label: String,
    /// From the top to the bottom.
    pub rows: Vec<Values>,
    /// What is said without any value.
    pub empty: String,
}

/// What a box shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// A quarter, half and three quarters of the values are at most that.
    pub quartiles: [f64; 3],
    /// The outermost values within one and a half boxes of the box (Tukey).
    pub whiskers: (f64, f64),
    /// Arithmetic mean.
    pub mean: f64,
}

impl Spread {
    /// Of values; none of none. Quartiles are interpolated (type 7 of Hyndman and Fan, 1996).
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let quartiles = [0.25, 0.5, 0.75].map(|share| quantile(&sorted, share));
        let fence = 1.5 * (quartiles[2] - quartiles[0]);
        let low = sorted.iter().copied().find(|value| *value >= quartiles[0] - fence).unwrap_or(first);
        let high = sorted.iter().rev().copied().find(|value| *value <= quartiles[2] + fence).unwrap_or(last);
        let mean = sorted.iter().sum::<f64>() / count(sorted.len());
        Some(Self { quartiles, whiskers: (low, high), mean })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the last index")]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * count(sorted.len() - 1);
    let below = libm::floor(place) as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - count(below))
}

const ROW: f64 = 40.0;

/// Draws it.
#[must_use]
pub fn draw(chart: &BoxChart, theme: Theme) -> Scene {
    let (mut sheet, top) = Sheet::begin(860.0, &chart.heading, theme);
    let names = sheet.widest(chart.rows.iter().map(|row| row.label.as_str())).min(300.0);
    let left = MARGIN + names + 10.0;
    let height = ROW * count(chart.rows.len().max(2));
    let area = Area { left, top, width: sheet.scene.width - left - MARGIN - 8.0, height };
    let axis = Axis::around(chart.rows.iter().flat_map(|row| row.values.iter().copied()), false, 8);
    ground(&mut sheet, area);
    across(&mut sheet, area, &axis);
    let x = |value: f64| area.left + axis.share(value) * area.width;
    for (index, row) in chart.rows.iter().enumerate() {
        let middle = top + ROW * (count(index) + 0.5);
        let name = sheet.cut(&row.label, SMALL, false, names);
        sheet.dark(at(left - 8.0, middle + 4.0), Anchor::End, name);
        match Spread::of(&row.values) {
            Some(spread) => draw_box(&mut sheet, row, spread, middle, index, &x),
            None => sheet.small(at(left + 8.0, middle + 4.0), Anchor::Start, "no value"),
        }
    }
    rim(&mut sheet, area);
    if chart.rows.is_empty() {
        sheet.nothing(area, &chart.empty);
    }
    sheet.dark(at(area.left + area.width / 2.0, area.bottom() + 36.0), Anchor::Middle, chart.label.as_str());
    let key = [
        Entry::new(Swatch::Marker(3, Weight::Strong), "mean"),
        Entry::new(Swatch::Marker(0, Weight::Faint), "one episode"),
        Entry::new(Swatch::Field(sheet.palette.unsure, String::new()), "half of the episodes, with the median"),
        Entry::new(Swatch::Interval, "values within 1.5 boxes of the box"),
    ];
    let y = legend(&mut sheet, &key, area.bottom() + 46.0);
    sheet.finish(y, &chart.heading)
}

fn draw_box(sheet: &mut Sheet, row: &Values, spread: Spread, middle: f64, series: usize, x: &dyn Fn(f64) -> f64) {
    let palette = sheet.palette;
    let [lower, median, upper] = spread.quartiles;
    let line = Paint::line(palette.ink, 1.4);
    for (from, to) in [(spread.whiskers.0, lower), (upper, spread.whiskers.1)] {
        sheet.scene.line(at(x(from), middle), at(x(to), middle), line);
    }
    for end in [spread.whiskers.0, spread.whiskers.1] {
        sheet.scene.line(at(x(end), middle - 6.0), at(x(end), middle + 6.0), line);
    }
    let body = Area { left: x(lower), top: middle - 11.0, width: (x(upper) - x(lower)).max(1.0), height: 22.0 };
    let note = format!(
        "{}: mean {}, median {}, quartiles {} and {}, {} episodes",
        row.label,
        short(spread.mean),
        short(median),
        short(lower),
        short(upper),
        row.values.len()
    );
    sheet.scene.titled(body.outline(), Paint::fill(palette.unsure).outlined(palette.ink, 1.2), note);
    sheet.scene.line(at(x(median), middle - 11.0), at(x(median), middle + 11.0), Paint::line(palette.ink, 2.4));
    for (index, value) in row.values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        // Equal values would hide each other: they stand on three lines by turns.
        let lift = [0.0, -5.0, 5.0][index % 3];
        let point = Outline::Circle { centre: at(x(*value), middle + lift), radius: 2.4 };
        sheet.scene.shape(point, Paint::fill(palette.series(series)).faint(0.75));
    }
    mark(&mut sheet.scene, palette, 3, at(x(spread.mean), middle), Weight::Strong, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_interpolated_and_whiskers_stop_before_outliers() {
        let spread = Spread::of(&[1.0, 2.0, 3.0, 4.0, 100.0]).unwrap();
        assert_eq!(spread.quartiles, [2.0, 3.0, 4.0]);
        assert_eq!((spread.whiskers, spread.mean), ((1.0, 4.0), 22.0));
        assert_eq!(Spread::of(&[7.0]).unwrap().quartiles, [7.0; 3]);
        assert_eq!(Spread::of(&[f64::NAN]), None);
    }
}

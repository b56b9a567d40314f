//! Points in a plane, as SVG: quality against what it took.

use std::fmt::Write as _;

/// A submission in a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Dot {
    /// Its number in the table.
    pub number: usize,
    /// What it took.
    pub x: f64,
    /// Its quality [points].
    pub y: f64,
}

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 46.0;

/// Draws quality over `x`, logarithmic in `x` when all of it is above 0 and it spans more than a decade. `title` and
/// `axis` are ours and are not escaped. `None` when there is nothing to draw.
#[must_use]
pub fn scatter(dots: &[Dot], title: &str, axis: &str, unit: fn(f64) -> String) -> Option<String> {
    let low = dots.iter().map(|dot| dot.x).fold(f64::INFINITY, f64::min);
    let high = dots.iter().map(|dot| dot.x).fold(f64::NEG_INFINITY, f64::max);
    if dots.is_empty() || !low.is_finite() || !high.is_finite() {
        return None;
    }
    let logarithmic = low > 0.0 && high / low > 10.0;
    let (ticks, begin, end) = if logarithmic { decades(low, high) } else { steps(high) };
    let at = |value: f64| if logarithmic { libm::log10(value) } else { value };
    let x = |value: f64| LEFT + (at(value) - at(begin)) / (at(end) - at(begin)) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - value / 100.0 * (HEIGHT - BOTTOM - TOP);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\" class=\"chart\"><title>{title}</title>"
    );
    for quality in [0.0, 25.0, 50.0, 75.0, 100.0] {
        let (at, right) = (y(quality), WIDTH - RIGHT);
        let _ = write!(svg, "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>");
        let (x, y) = (LEFT - 8.0, at + 4.0);
        let _ = write!(svg, "<text class=\"tick\" x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{quality}</text>");
    }
    for tick in ticks {
        let (at, bottom) = (x(tick), HEIGHT - BOTTOM);
        let _ = write!(svg, "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>");
        let (y, text) = (bottom + 18.0, unit(tick));
        let _ = write!(svg, "<text class=\"tick\" x=\"{at:.1}\" y=\"{y}\" text-anchor=\"middle\">{text}</text>");
    }
    let (middle, bottom) = (LEFT + (WIDTH - LEFT - RIGHT) / 2.0, HEIGHT - 8.0);
    let scale = if logarithmic { ", logarithmic" } else { "" };
    let _ = write!(
        svg,
        "<text class=\"axis\" x=\"{middle:.1}\" y=\"{bottom}\" text-anchor=\"middle\">{axis}{scale}</text>"
    );
    let (left, above) = (LEFT - 30.0, TOP - 14.0);
    let _ = write!(svg, "<text class=\"axis\" x=\"{left}\" y=\"{above}\">quality</text>");
    for dot in dots {
        let (x, y, number) = (x(dot.x), y(dot.y), dot.number);
        let told = format!("#{number}: {:.1} points, {}", dot.y, unit(dot.x));
        let _ = write!(svg, "<g class=\"dot\"><title>{told}</title><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"10\"/>");
        let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{number}</text></g>", y + 4.0);
    }
    svg.push_str("</svg>");
    Some(svg)
}

/// Powers of ten around a range.
fn decades(low: f64, high: f64) -> (Vec<f64>, f64, f64) {
    let (first, last) = (libm::floor(libm::log10(low)), libm::ceil(libm::log10(high)));
    let mut ticks = Vec::new();
    let mut power = first;
    while power <= last {
        ticks.push(libm::pow(10.0, power));
        power += 1.0;
    }
    (ticks, libm::pow(10.0, first), libm::pow(10.0, last))
}

/// Even steps from 0 on.
fn steps(high: f64) -> (Vec<f64>, f64, f64) {
    let rough = if high > 0.0 { high * 1.08 / 4.0 } else { 0.25 };
    let unit = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|m| m * unit >= rough).unwrap_or(10.0) * unit;
    ((0..=4).map(|i| f64::from(i) * step).collect(), 0.0, 4.0 * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dots(xs: &[f64]) -> Vec<Dot> {
        xs.iter().enumerate().map(|(i, x)| Dot { number: i + 1, x: *x, y: 50.0 }).collect()
    }

    #[test]
    fn every_dot_is_inside_the_chart() {
        for xs in [&[0.0][..], &[1.0], &[1e-3, 5.0, 1e9], &[3.0, 4.0], &[0.0, 0.0], &[1e6, 1e7]] {
            let svg = scatter(&dots(xs), "t", "a", |x| x.to_string()).unwrap();
            let centres =
                svg.split("cx=\"").skip(1).map(|rest| rest.split('"').next().unwrap().parse::<f64>().unwrap());
            let centres: Vec<f64> = centres.collect();
            assert_eq!(centres.len(), xs.len());
            assert!(centres.iter().all(|x| (LEFT..=WIDTH - RIGHT).contains(x)), "{xs:?}: {centres:?}");
        }
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(scatter(&[], "t", "a", |x| x.to_string()), None);
        assert_eq!(scatter(&dots(&[f64::INFINITY]), "t", "a", |x| x.to_string()), None);
    }
}

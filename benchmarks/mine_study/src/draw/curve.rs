//! What a swept setting does to throughput: the mean with its interval as a band, what the stations could do at most,
//! and where more no longer helps.

use super::colour;
use labtrust_figures::draw::scene::{Anchor, Outline, Paint, Point, Scene, Text, at};

/// One value of the setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CurvePoint {
    pub(crate) value: f64,
    /// [t]
    pub(crate) mean: f64,
    /// Interval of the mean [t]; none of a single replication.
    pub(crate) interval: Option<(f64, f64)>,
    /// What loaders and crusher could do without a pause [t].
    pub(crate) ceiling: f64,
}

/// The whole curve.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    /// The setting's name.
    pub(crate) key: String,
    pub(crate) scenario: String,
    pub(crate) replications: u32,
    /// At least one, by value.
    pub(crate) points: Vec<CurvePoint>,
    /// The value from which on more does not help.
    pub(crate) saturation: Option<f64>,
}

const WIDTH: f64 = 1100.0;
const HEIGHT: f64 = 640.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = 84.0;

/// Draws it.
pub(crate) fn draw(curve: &Curve) -> Scene {
    let mut scene = Scene::new(WIDTH, HEIGHT, format!("Tonnes per shift by {}", curve.key));
    let sheet = Outline::Rectangle { corner: at(0.0, 0.0), width: WIDTH, height: HEIGHT, round: 0.0 };
    scene.shape(sheet, Paint::fill(colour::PAPER));
    let frame = Frame::around(&curve.points);
    heading(&mut scene, curve);
    axes(&mut scene, curve, &frame);
    band(&mut scene, curve, &frame);
    ceiling(&mut scene, curve, &frame);
    saturation(&mut scene, curve, &frame);
    scene
}

/// From values to pixels.
struct Frame {
    values: (f64, f64),
    tonnes: (f64, f64),
    step: f64,
}

impl Frame {
    fn around(points: &[CurvePoint]) -> Self {
        let highest = points.iter().fold(0.0_f64, |high, point| {
            high.max(point.ceiling).max(point.mean).max(point.interval.map_or(0.0, |(_, upper)| upper))
        });
        let lowest = points.iter().fold(highest, |low, point| low.min(point.interval.map_or(point.mean, |i| i.0)));
        let step = round_step((highest - lowest).max(highest * 0.05).max(1.0) / 6.0);
        let bottom = (libm::floor(lowest / step) * step).max(0.0);
        let top = (libm::floor(highest / step) + 1.0) * step;
        let (first, last) = (points.first(), points.last());
        let (from, to) = (first.map_or(0.0, |point| point.value), last.map_or(1.0, |point| point.value));
        // A single value stands in the middle.
        let values = if to > from { (from, to) } else { (from - 1.0, from + 1.0) };
        Self { values, tonnes: (bottom, top), step }
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + 24.0 + (value - self.values.0) / (self.values.1 - self.values.0) * (WIDTH - LEFT - RIGHT - 48.0)
    }

    fn y(&self, tonnes: f64) -> f64 {
        let (bottom, top) = self.tonnes;
        HEIGHT - BOTTOM - (tonnes - bottom) / (top - bottom) * (HEIGHT - TOP - BOTTOM)
    }

    fn place(&self, value: f64, tonnes: f64) -> Point {
        at(self.x(value), self.y(tonnes))
    }
}

/// 1, 2 or 5 times a power of ten, at least `wish`.
fn round_step(wish: f64) -> f64 {
    let decade = libm::pow(10.0, libm::floor(libm::log10(wish)));
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * decade).find(|step| *step >= wish).unwrap_or(decade)
}

fn heading(scene: &mut Scene, curve: &Curve) {
    let title = format!("Tonnes per shift by {}", curve.key);
    scene.text(Text::new(at(LEFT, 42.0), 22.0, colour::INK, title).bold());
    let below = match curve.saturation {
        Some(value) => format!(
            "scenario {}, {} replications each; the gain over the step before is not told from 0 from {value} on",
            curve.scenario, curve.replications
        ),
        None => format!(
            "scenario {}, {} replications each; every step still makes a difference",
            curve.scenario, curve.replications
        ),
    };
    scene.text(Text::new(at(LEFT, 66.0), 13.5, colour::SOFT, below));
}

fn axes(scene: &mut Scene, curve: &Curve, frame: &Frame) {
    let (bottom, top) = frame.tonnes;
    let mut tonnes = bottom;
    while tonnes <= top + frame.step * 0.01 {
        let y = frame.y(tonnes);
        scene.line(at(LEFT, y), at(WIDTH - RIGHT, y), Paint::line(colour::LINE, 1.0));
        let words = Text::new(at(LEFT - 10.0, y + 4.5), 13.0, colour::SOFT, thousands(tonnes));
        scene.text(words.anchored(Anchor::End));
        tonnes += frame.step;
    }
    let base = HEIGHT - BOTTOM;
    scene.line(at(LEFT, base), at(WIDTH - RIGHT, base), Paint::line(colour::SOFT, 1.5));
    // As many numbers as there is room for.
    let every = curve.points.len().div_ceil(20).max(1);
    for point in curve.points.iter().step_by(every) {
        let x = frame.x(point.value);
        scene.line(at(x, base), at(x, base + 6.0), Paint::line(colour::SOFT, 1.5));
        let words = Text::new(at(x, base + 23.0), 13.0, colour::SOFT, point.value.to_string());
        scene.text(words.anchored(Anchor::Middle));
    }
    let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
    let name = Text::new(at(middle, HEIGHT - 30.0), 14.0, colour::INK, curve.key.as_str());
    scene.text(name.anchored(Anchor::Middle));
    let unit = Text::new(at(28.0, f64::midpoint(TOP, base)), 14.0, colour::INK, "tonnes per shift");
    scene.text(unit.anchored(Anchor::Middle).turned(-90.0));
}

fn band(scene: &mut Scene, curve: &Curve, frame: &Frame) {
    let with_interval = || curve.points.iter().filter_map(|point| point.interval.map(|bounds| (point.value, bounds)));
    let upper = with_interval().map(|(value, (_, high))| frame.place(value, high));
    let lower = with_interval().map(|(value, (low, _))| frame.place(value, low));
    let mut rim: Vec<Point> = upper.collect();
    let lower: Vec<Point> = lower.collect();
    rim.extend(lower.into_iter().rev());
    if rim.len() > 2 {
        scene.shape(Outline::Polygon(rim), Paint::fill(colour::CURVE).faint(0.22));
    }
    let line = curve.points.iter().map(|point| frame.place(point.value, point.mean)).collect();
    scene.shape(Outline::Polyline(line), Paint::line(colour::CURVE, 2.5));
    for point in &curve.points {
        let centre = frame.place(point.value, point.mean);
        let title = match point.interval {
            Some((low, high)) => format!("{}: {:.1} t, 95 % interval {low:.1} to {high:.1} t", point.value, point.mean),
            None => format!("{}: {:.1} t", point.value, point.mean),
        };
        let paint = Paint::fill(colour::CURVE).outlined(colour::PAPER, 1.5);
        scene.titled(Outline::Circle { centre, radius: 4.5 }, paint, title);
        if let Some((low, high)) = point.interval {
            let paint = Paint::line(colour::CURVE, 1.5);
            scene.line(frame.place(point.value, low), frame.place(point.value, high), paint);
        }
    }
    let key_y = TOP - 8.0;
    let swatch = Outline::Rectangle { corner: at(LEFT, key_y - 10.0), width: 28.0, height: 12.0, round: 0.0 };
    scene.shape(swatch, Paint::fill(colour::CURVE).faint(0.22));
    scene.line(at(LEFT, key_y - 4.0), at(LEFT + 28.0, key_y - 4.0), Paint::line(colour::CURVE, 2.5));
    scene.text(Text::new(at(LEFT + 36.0, key_y), 13.0, colour::SOFT, "mean, and its 95 % interval (Student's t)"));
}

fn ceiling(scene: &mut Scene, curve: &Curve, frame: &Frame) {
    let level = curve.points.iter().map(|point| frame.place(point.value, point.ceiling));
    let mut line: Vec<Point> = level.collect();
    if let [only] = line[..] {
        line.push(at(only.x + 60.0, only.y));
    }
    scene.shape(Outline::Polyline(line), Paint::line(colour::RAMP, 2.0).dashed(9.0, 6.0));
    let key_y = TOP - 8.0;
    let (from, to) = (at(LEFT + 330.0, key_y - 4.0), at(LEFT + 366.0, key_y - 4.0));
    scene.line(from, to, Paint::line(colour::RAMP, 2.0).dashed(9.0, 6.0));
    let words = "what loaders and crusher could do without a pause";
    scene.text(Text::new(at(LEFT + 374.0, key_y), 13.0, colour::SOFT, words));
}

fn saturation(scene: &mut Scene, curve: &Curve, frame: &Frame) {
    let Some(point) =
        curve.saturation.and_then(|value| curve.points.iter().find(|point| (point.value - value).abs() <= 0.0))
    else {
        return;
    };
    let (x, base) = (frame.x(point.value), HEIGHT - BOTTOM);
    scene.line(at(x, base), at(x, TOP + 6.0), Paint::line(colour::SOFT, 1.5).dashed(3.0, 4.0));
    let centre = frame.place(point.value, point.mean);
    scene.shape(Outline::Circle { centre, radius: 8.5 }, Paint::line(colour::INK, 2.0));
    let (place, anchor) = if x > WIDTH * 0.7 {
        (at(x - 10.0, base - 14.0), Anchor::End)
    } else {
        (at(x + 10.0, base - 14.0), Anchor::Start)
    };
    let words = Text::new(place, 13.5, colour::INK, format!("saturated at {}", point.value));
    scene.text(words.bold().anchored(anchor).on(colour::PAPER));
}

/// Whole tonnes with a space between thousands.
fn thousands(value: f64) -> String {
    labtrust_figures::words::grouped(value, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_figures::draw::{to_png, to_svg};

    fn curve(values: &[(f64, f64)], saturation: Option<f64>) -> Curve {
        let point = |&(value, mean): &(f64, f64)| CurvePoint {
            value,
            mean,
            interval: Some((mean - 50.0, mean + 50.0)),
            ceiling: 13_714.0,
        };
        let points = values.iter().map(point).collect();
        Curve { key: "fleet.truck_count".into(), scenario: "baseline".into(), replications: 30, points, saturation }
    }

    #[test]
    fn every_point_lies_on_the_sheet_and_the_ceiling_above_the_curve() {
        let curve = curve(&[(4.0, 8000.0), (8.0, 12_600.0), (12.0, 13_300.0)], Some(12.0));
        let frame = Frame::around(&curve.points);
        for point in &curve.points {
            let place = frame.place(point.value, point.mean);
            assert!((LEFT..WIDTH - RIGHT).contains(&place.x) && (TOP..HEIGHT - BOTTOM).contains(&place.y), "{place:?}");
            assert!(frame.y(point.ceiling) < place.y && frame.y(point.ceiling) >= TOP);
        }
        assert!(to_svg(&draw(&curve)).contains("saturated at 12"));
    }

    #[test]
    fn one_value_and_no_tonnes_at_all_still_make_a_picture() {
        for points in [[(4.0, 8000.0)], [(4.0, 0.0)]] {
            assert!(to_png(&draw(&curve(&points, None))).is_ok());
        }
    }
}

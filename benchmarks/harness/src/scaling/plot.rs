//! The picture: cost of an agent-step against agents, both by their logarithms.

use super::{Growth, Measured, growth};
use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 290.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
/// Colours that the colour-blind can tell apart (Okabe and Ito 2008).
const COLOURS: [&str; 7] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];

/// Decades that an axis shows.
struct Axis {
    first: i32,
    last: i32,
    from: f64,
    to: f64,
}

impl Axis {
    #[expect(clippy::cast_possible_truncation, reason = "decades of counts and of nanoseconds")]
    fn of(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min).max(1e-3);
        let most = values.fold(least, f64::max);
        let (first, last) = (libm::floor(libm::log10(least)) as i32, libm::ceil(libm::log10(most)) as i32);
        Self { first, last: last.max(first + 1), from, to }
    }

    fn at(&self, value: f64) -> f64 {
        let share = (libm::log10(value) - f64::from(self.first)) / f64::from(self.last - self.first);
        self.from + share * (self.to - self.from)
    }

    fn decades(&self) -> impl Iterator<Item = (i32, f64)> + '_ {
        (self.first..=self.last).map(|power| (power, self.at(libm::pow(10.0, f64::from(power)))))
    }
}

/// Writes the plot as an SVG: a line for each method and record mode, its exponent in the legend.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "agents are far below 2^53, lines are few")]
pub fn plot(measured: &[Measured]) -> String {
    let lines = growth(measured);
    let x = Axis::of(measured.iter().map(|one| one.agents as f64), LEFT, WIDTH - RIGHT);
    let y = Axis::of(measured.iter().map(|one| one.ns_per_agent_step), HEIGHT - BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>Cost of an agent-step by the number of agents</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (power, at) in x.decades() {
        let _ = writeln!(
            svg,
            "<path d=\"M{at:.1} {TOP}V{:.1}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">10<tspan \
             dy=\"-5\" font-size=\"9\">{power}</tspan></text>",
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 18.0
        );
    }
    for (power, at) in y.decades() {
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">10<tspan \
             dy=\"-5\" font-size=\"9\">{power}</tspan></text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0
        );
    }
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    let _ = writeln!(svg, "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">agents</text>", HEIGHT - 10.0);
    let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"22\">processor time of an agent-step [ns]</text>");
    let mut methods: Vec<&str> = Vec::new();
    for (number, Growth { method, chain, exponent, .. }) in lines.iter().enumerate() {
        let known = methods.iter().position(|known| known == method);
        let colour = COLOURS[known.unwrap_or(methods.len()) % COLOURS.len()];
        if known.is_none() {
            methods.push(method);
        }
        let mut points: Vec<&Measured> =
            measured.iter().filter(|one| one.method == *method && one.chain == *chain).collect();
        points.sort_by_key(|one| one.agents);
        let dash = if *chain { "" } else { " stroke-dasharray=\"5 4\"" };
        let places: Vec<(f64, f64)> =
            points.iter().map(|one| (x.at(one.agents as f64), y.at(one.ns_per_agent_step))).collect();
        let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"{dash}/>",
            path.join(" ")
        );
        for (x, y) in places {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
        let (left, line) = (WIDTH - RIGHT + 16.0, TOP + 10.0 + 20.0 * number as f64);
        let growth = exponent.map_or_else(String::new, |exponent| format!(", exponent {exponent:.2}"));
        let _ = writeln!(
            svg,
            "<path d=\"M{left:.1} {line:.1}h24\" stroke=\"{colour}\" stroke-width=\"1.5\"{dash}/><text x=\"{:.1}\" \
             y=\"{:.1}\" font-size=\"11\">{method}, chain {}{growth}</text>",
            left + 30.0,
            line + 4.0,
            if *chain { "on" } else { "off" }
        );
    }
    svg.push_str("</svg>\n");
    svg
}

//! How a cost grows: the slope of a straight line through logarithms.

use super::Measured;
use serde::Serialize;

/// How the cost of an agent-step grows: proportional to agents to the power of `exponent`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Growth {
    /// The method.
    pub method: String,
    /// Whether events went on record.
    pub chain: bool,
    /// The power; 0 when the cost does not grow. None from fewer than two sizes.
    pub exponent: Option<f64>,
    /// Cost at one agent on the line [ns].
    pub ns_at_one: Option<f64>,
}

/// A method, whether on record, and the logarithms of agents and cost.
type Series<'a> = (&'a str, bool, Vec<(f64, f64)>);

/// The growth of each method, with record and without, in the order in which they were first measured: least squares
/// through the logarithms of agents and of the cost.
#[must_use]
pub fn growth(measured: &[Measured]) -> Vec<Growth> {
    let mut of: Vec<Series<'_>> = Vec::new();
    for one in measured {
        #[expect(clippy::cast_precision_loss, reason = "agents are far below 2^53")]
        let point = (libm::log(one.agents as f64), libm::log(one.ns_per_agent_step));
        match of.iter_mut().find(|(method, chain, _)| *method == one.method && *chain == one.chain) {
            Some((.., points)) => points.push(point),
            None => of.push((&one.method, one.chain, vec![point])),
        }
    }
    let fitted = |(method, chain, points): Series<'_>| {
        let line = line(&points);
        Growth {
            method: method.to_owned(),
            chain,
            exponent: line.map(|(slope, _)| slope),
            ns_at_one: line.map(|(_, at_zero)| libm::exp(at_zero)),
        }
    };
    of.into_iter().map(fitted).collect()
}

/// Slope and height at 0 of the line of least squares; `None` when the points are not at two places at least.
fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "a handful of points")]
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0 / count, sum.1 + point.1 / count));
    let spread: f64 = points.iter().map(|point| (point.0 - x) * (point.0 - x)).sum();
    let both: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let slope = (spread > 1e-9).then(|| both / spread)?;
    Some((slope, y - slope * x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_is_found_again() {
        let points: Vec<_> =
            [200.0, 1e4, 1e6].map(|n: f64| (libm::log(n), libm::log(300.0 * libm::pow(n, 0.15)))).into();
        let (slope, at_zero) = line(&points).unwrap();
        assert!((slope - 0.15).abs() < 1e-12 && (libm::exp(at_zero) - 300.0).abs() < 1e-9);
        assert_eq!(line(&points[..1]), None);
        assert_eq!(line(&[points[0], points[0]]), None);
    }
}

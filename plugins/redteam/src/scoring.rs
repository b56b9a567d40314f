//! Resilience as one number, by `coordination/resilience_scoring.v0.1.yaml`.
//!
//! A figure v with the range from a to b is worth clamp((v - a) / (b - a)), or 1 less that where lower is better, put on the line between the
//! ends of its saturation. A component is the mean of its figures, rounded to four places, and 0.5 without any; the score is the weighted sum
//! of the components, between 0 and 1, rounded to four places.

use labtrust_policy::{PolicyError, PolicyStore};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file.
pub const FILE: &str = "coordination/resilience_scoring.v0.1.yaml";

/// The components, in the order of the published columns.
pub const COMPONENTS: [&str; 4] = ["perf", "safety", "security", "coordination"];

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Missing {
    #[default]
    Omit,
    Zero,
    One,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    HigherBetter,
    LowerBetter,
}

#[derive(Clone, Debug, Deserialize)]
struct Figure {
    cell_key: String,
    direction: Direction,
    range: [f64; 2],
    #[serde(default = "whole")]
    saturation: [f64; 2],
}

const fn whole() -> [f64; 2] {
    [0.0, 1.0]
}

#[derive(Clone, Debug, Deserialize)]
struct Component {
    sub_metrics: BTreeMap<String, Figure>,
}

/// How scores are made.
#[derive(Clone, Debug, Deserialize)]
pub struct Scoring {
    weights: BTreeMap<String, f64>,
    #[serde(default)]
    missing_metric_behavior: Missing,
    components: BTreeMap<String, Component>,
}

/// A score and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The sum.
    pub resilience: f64,
    /// The components, as [`COMPONENTS`].
    pub components: [f64; COMPONENTS.len()],
}

impl Scoring {
    /// Reads it.
    ///
    /// # Errors
    /// [`PolicyError`] with file and place for a file that is malformed, or whose weights do not add up to 1.
    pub fn load(policy: &PolicyStore) -> Result<Self, PolicyError> {
        let scoring: Self = policy.section_or_builtin(FILE, None)?;
        let sum: f64 = scoring.weights.values().sum();
        if (sum - 1.0).abs() > 1e-9 {
            let message = format!("the weights add up to {sum}, not to 1");
            return Err(PolicyError::rule(policy, FILE, "weights", message, "0.25 for each of the four is usual"));
        }
        Ok(scoring)
    }

    /// The score of a row; `figure` gives what the row has under a key.
    #[must_use]
    pub fn score(&self, figure: impl Fn(&str) -> Option<f64>) -> Score {
        let components = COMPONENTS.map(|name| self.component(name, &figure));
        let weight = |name: &str| self.weights.get(name).copied().unwrap_or(0.25);
        let sum: f64 = COMPONENTS.iter().zip(components).map(|(name, score)| weight(name) * score).sum();
        Score { resilience: rounded(sum.clamp(0.0, 1.0)), components }
    }

    fn component(&self, name: &str, figure: &impl Fn(&str) -> Option<f64>) -> f64 {
        let figures = self.components.get(name).into_iter().flat_map(|component| component.sub_metrics.values());
        let worth = |one: &Figure| match (figure(&one.cell_key), self.missing_metric_behavior) {
            (Some(value), _) => Some(one.worth(value)),
            (None, Missing::Omit) => None,
            (None, Missing::Zero) => Some(0.0),
            (None, Missing::One) => Some(1.0),
        };
        let scores: Vec<f64> = figures.filter_map(worth).collect();
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
        if scores.is_empty() { 0.5 } else { rounded(mean) }
    }
}

impl Figure {
    fn worth(&self, value: f64) -> f64 {
        let ([worst, best], [low, high]) = (self.range, self.saturation);
        if best <= worst {
            return 0.5;
        }
        let share = ((value - worst) / (best - worst)).clamp(0.0, 1.0);
        let share = if self.direction == Direction::LowerBetter { 1.0 - share } else { share };
        (low + share * (high - low)).clamp(low.min(high), low.max(high))
    }
}

/// Four places, ties to even on the exact value: 0.43875 is a little less than it looks.
fn rounded(value: f64) -> f64 {
    format!("{value:.4}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(row: &[(&str, f64)]) -> Score {
        let scoring = Scoring::load(&PolicyStore::builtin()).unwrap();
        scoring.score(|key| row.iter().find(|(name, _)| *name == key).map(|(_, value)| *value))
    }

    #[test]
    fn nothing_known_is_one_half() {
        assert_eq!(score(&[]), Score { resilience: 0.5, components: [0.5; 4] });
    }

    #[test]
    fn figures_lie_between_the_worst_and_the_best_of_their_range() {
        let row = [
            ("perf.throughput", 25.0),
            ("perf.p95_tat", 150.0),
            ("safety.blocks_total", 999.0),
            ("sec.attack_success_rate", 0.0),
        ];
        let scored = score(&row);
        assert_eq!(scored.components, [0.625, 0.0, 1.0, 0.5]);
        assert_eq!(scored.resilience, 0.5312, "0.53125 is a tie, and goes to the even digit");
    }

    #[test]
    fn a_component_is_rounded_by_its_exact_value() {
        // (12 / 50 + 1 - 217.5 / 600) / 2 is 0.43875 on paper, and in floats a little less.
        assert_eq!(score(&[("perf.throughput", 12.0), ("perf.p95_tat", 217.5)]).components[0], 0.4387);
    }

    #[test]
    fn weights_that_do_not_add_up_are_refused() {
        let text = PolicyStore::builtin().text(FILE).unwrap().replace("safety: 0.25", "safety: 0.5");
        let error = Scoring::load(&PolicyStore::builtin().with_text(FILE, &text)).unwrap_err();
        assert_eq!(error.file(), Some(FILE));
        assert!(error.to_string().contains("1.25"), "{error}");
    }
}

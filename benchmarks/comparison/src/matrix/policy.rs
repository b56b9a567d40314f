//! What the policy says of the matrix.

use crate::ComparisonError;
use crate::comparisons::Better;
use labtrust_policy::{PolicyError, PolicyStore};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Figures, limits and tie-breakers.
pub const INPUTS: &str = "coordination/coordination_matrix_inputs.v0.1.yaml";
/// Scores.
pub const SPEC: &str = "coordination/coordination_matrix_spec.v0.1.yaml";
/// Columns.
pub const COLUMNS: &str = "coordination/coordination_matrix_column_map.v0.1.yaml";

/// A figure.
#[derive(Clone, Debug, Deserialize)]
pub struct Metric {
    /// Its name.
    pub metric_id: String,
    /// Which way it is better.
    pub direction: Direction,
    /// How it is put on a line.
    pub normalization: Normalization,
}

/// Which way a figure is better.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Less is better.
    LowerIsBetter,
    /// More is better.
    HigherIsBetter,
}

impl Direction {
    /// The same in the words of comparisons.
    #[must_use]
    pub const fn better(self) -> Better {
        match self {
            Self::LowerIsBetter => Better::Lower,
            Self::HigherIsBetter => Better::Higher,
        }
    }
}

/// How a figure is put on a line from 0 to 1.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Normalization {
    /// The percentiles at its ends.
    pub clip_percentiles: [f64; 2],
    /// What keeps its length above 0.
    pub epsilon: f64,
}

/// A limit.
#[derive(Clone, Debug, Deserialize)]
pub struct Gate {
    /// Its name.
    pub gate_id: String,
    /// What it asks.
    pub predicate: Predicate,
    /// What becomes of a method that does not keep it.
    pub on_fail: OnFail,
    /// What it then costs.
    #[serde(default)]
    pub penalty: f64,
}

/// What a limit asks.
#[derive(Clone, Debug, Deserialize)]
pub struct Predicate {
    /// Of which figure.
    pub metric_id: String,
    op: Operator,
    threshold: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum Operator {
    #[serde(rename = "<")]
    Below,
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">")]
    Above,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = "==")]
    Is,
    #[serde(rename = "!=")]
    IsNot,
}

impl Predicate {
    /// Whether a figure keeps it. What is missing does not.
    #[must_use]
    pub fn holds(&self, value: Option<f64>) -> bool {
        let Some(value) = value else { return false };
        let is_equal = (value - self.threshold).abs() <= 1e-12;
        match self.op {
            Operator::Below => value < self.threshold,
            Operator::AtMost => value <= self.threshold,
            Operator::Above => value > self.threshold,
            Operator::AtLeast => value >= self.threshold,
            Operator::Is => is_equal,
            Operator::IsNot => !is_equal,
        }
    }
}

/// What becomes of a method that does not keep a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFail {
    /// It is not recommended.
    Disqualify,
    /// Its rank is lower.
    Penalize,
}

#[derive(Debug, Deserialize)]
struct Scope {
    pipeline_modes_allowed: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Inputs {
    scope: Scope,
    clean_metrics: Vec<Metric>,
    attack_metrics: Vec<Metric>,
    hard_gates: Vec<Gate>,
    tie_breakers: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Spec {
    scores: Scores,
    determinism: Determinism,
}

#[derive(Debug, Deserialize)]
struct Scores {
    coordination_score: Weights,
    resilience_score: Weights,
    overall_score: Overall,
}

#[derive(Debug, Deserialize)]
struct Weights {
    weights: BTreeMap<String, f64>,
}

#[derive(Debug, Deserialize)]
struct Overall {
    alpha: f64,
}

#[derive(Debug, Deserialize)]
struct Determinism {
    float_rounding_decimals: u8,
}

/// Which tables hold which side.
#[derive(Clone, Debug, Deserialize)]
pub struct Sources {
    /// Tables with undisturbed work, the first that a run has.
    pub clean: Vec<String>,
    /// Tables with work under attack, the first that a run has.
    pub attacked: Vec<String>,
}

/// Which column a figure is.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// The first of these that a table has.
    pub candidates: Vec<String>,
    transform: Transform,
    /// What a figure is that nobody has.
    pub missing_policy: Missing,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Transform {
    Identity,
    PctToRate,
    MsToS,
    SToMs,
    PerEpisode,
}

/// What a figure is that nobody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The run is refused.
    Error,
    /// It is left out of the scores.
    Omit,
}

impl Entry {
    /// The figure in its unit. `episodes` is how many a total is over; a table that does not say has figures of one.
    #[must_use]
    pub fn converted(&self, value: f64, episodes: Option<f64>) -> f64 {
        match self.transform {
            Transform::Identity => value,
            Transform::PctToRate => value / 100.0,
            Transform::MsToS => value / 1000.0,
            Transform::SToMs => value * 1000.0,
            Transform::PerEpisode => value / episodes.unwrap_or(1.0).max(1.0),
        }
    }
}

#[derive(Debug, Deserialize)]
struct ColumnMap {
    sources: Sources,
    column_map: BTreeMap<String, Entry>,
}

/// One of the two scores: its figures and their weights.
#[derive(Clone, Debug)]
pub struct Side {
    /// The figures.
    pub metrics: Vec<Metric>,
    /// Weight of each by its name; of others, none.
    pub weights: BTreeMap<String, f64>,
}

/// The rules of the matrix.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Modes in which a run may have been made.
    pub modes: Vec<String>,
    /// Undisturbed work.
    pub clean: Side,
    /// Work under attack.
    pub attacked: Side,
    /// Limits.
    pub gates: Vec<Gate>,
    /// Figures that decide between equal scores, the first that does.
    pub tie_breakers: Vec<String>,
    /// Weight of undisturbed work in the rank.
    pub alpha: f64,
    /// Places of the figures of the document [count].
    pub places: u8,
    /// Tables.
    pub sources: Sources,
    /// Columns.
    pub columns: BTreeMap<String, Entry>,
}

impl Rules {
    /// Reads the three files.
    ///
    /// # Errors
    /// [`PolicyError`] with file and place for one that is malformed, for weights that do not add up to 1, and for names of figures that the
    /// files do not share.
    pub fn load(policy: &PolicyStore) -> Result<Self, ComparisonError> {
        let inputs: Inputs = policy.section_or_builtin(INPUTS, None)?;
        let spec: Spec = policy.section_or_builtin(SPEC, None)?;
        let map: ColumnMap = policy.section_or_builtin(COLUMNS, None)?;
        let rules = Self {
            modes: inputs.scope.pipeline_modes_allowed,
            clean: Side { metrics: inputs.clean_metrics, weights: spec.scores.coordination_score.weights },
            attacked: Side { metrics: inputs.attack_metrics, weights: spec.scores.resilience_score.weights },
            gates: inputs.hard_gates,
            tie_breakers: inputs.tie_breakers,
            alpha: spec.scores.overall_score.alpha,
            places: spec.determinism.float_rounding_decimals,
            sources: map.sources,
            columns: map.column_map,
        };
        rules.check(policy)?;
        Ok(rules)
    }

    /// The figure of a name.
    #[must_use]
    pub fn metric(&self, id: &str) -> Option<&Metric> {
        self.clean.metrics.iter().chain(&self.attacked.metrics).find(|metric| metric.metric_id == id)
    }

    fn check(&self, policy: &PolicyStore) -> Result<(), PolicyError> {
        for (side, key) in [(&self.clean, "coordination_score"), (&self.attacked, "resilience_score")] {
            let place = format!("scores.{key}.weights");
            let sum: f64 = side.weights.values().sum();
            if (sum - 1.0).abs() > 1e-9 {
                let message = format!("the weights add up to {sum}, not to 1");
                return Err(PolicyError::rule(policy, SPEC, &place, message, "make them add up to 1"));
            }
            let is_strange = |id: &&String| !side.metrics.iter().any(|metric| metric.metric_id == **id);
            if let Some(id) = side.weights.keys().find(is_strange) {
                let message = format!("there is no figure {id:?} on this side of coordination_matrix_inputs");
                return Err(PolicyError::rule(policy, SPEC, &place, message, "weigh the figures that are there"));
            }
        }
        let asked = self.gates.iter().map(|gate| &gate.predicate.metric_id).chain(&self.tie_breakers);
        if let Some(id) = asked.into_iter().find(|id| self.metric(id).is_none()) {
            let message = format!("there is no figure {id:?} among clean_metrics and attack_metrics");
            return Err(PolicyError::rule(policy, INPUTS, "hard_gates, tie_breakers", message, "name one of them"));
        }
        let mut all = self.clean.metrics.iter().chain(&self.attacked.metrics);
        match all.find(|metric| !self.columns.contains_key(&metric.metric_id)) {
            None => Ok(()),
            Some(metric) => {
                let message = format!("it has no column for {:?}", metric.metric_id);
                Err(PolicyError::rule(policy, COLUMNS, "column_map", message, "every figure needs an entry"))
            }
        }
    }
}

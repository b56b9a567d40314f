//! Where the spread in a column comes from, as the policy says: `benchmarks/uncertainty_metric_mapping.v0.1.json`.

use labtrust_policy::{PolicyError, PolicyStore};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The policy file.
pub const UNCERTAINTY_FILE: &str = "benchmarks/uncertainty_metric_mapping.v0.1.json";

/// How the columns that tell of a spread end. What stands before is the metric.
const ENDINGS: [&str; 3] = ["_mean_ci_lower", "_mean_ci_upper", "_std"];

/// Aleatoric: from the world, more episodes only measure it better. Epistemic: from what a model does not know.
///
/// Source: A. Der Kiureghian and O. Ditlevsen, "Aleatory or epistemic? Does it matter?", *Structural Safety* 31(2), 2009.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UncertaintyKind {
    /// From the world.
    Aleatoric,
    /// From what a model does not know.
    Epistemic,
}

/// Kinds by column, or by metric for all columns of that metric.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct UncertaintyMapping {
    mapping: BTreeMap<String, UncertaintyKind>,
}

impl UncertaintyMapping {
    /// The mapping of a policy; the built-in one where the policy has none.
    ///
    /// # Errors
    /// [`PolicyError`] when the file is there and cannot be used.
    pub fn load(policy: &PolicyStore) -> Result<Self, PolicyError> {
        policy.section_or_builtin(UNCERTAINTY_FILE, None)
    }

    /// Keys and kinds, sorted by key.
    #[must_use]
    pub const fn entries(&self) -> &BTreeMap<String, UncertaintyKind> {
        &self.mapping
    }

    /// The kind of the spread that `column` of a summary tells of. `None` for a column that tells of none, and for one
    /// that the policy does not name. A column's own entry goes before its metric's.
    #[must_use]
    pub fn kind_of(&self, column: &str) -> Option<UncertaintyKind> {
        if let Some(kind) = self.mapping.get(column) {
            return column_tells_of_spread(column).then_some(*kind);
        }
        ENDINGS.iter().find_map(|ending| self.mapping.get(column.strip_suffix(ending)?)).copied()
    }
}

/// A metric's own name is no column, but the published mapping has two columns without an ending: those of a model's
/// calibration.
fn column_tells_of_spread(column: &str) -> bool {
    ["_std", "_ci_lower", "_ci_upper"].iter().any(|ending| column.ends_with(ending))
        || column.starts_with("llm_confidence_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_its_own_kind_or_that_of_its_metric() {
        let mapping: UncertaintyMapping = serde_json::from_str(
            r#"{"mapping": {"throughput": "aleatoric", "steps_std": "epistemic", "steps": "aleatoric", "llm_confidence_ece_mean": "epistemic"}}"#,
        )
        .unwrap();
        for (column, expected) in [
            ("throughput_std", Some(UncertaintyKind::Aleatoric)),
            ("throughput_mean_ci_upper", Some(UncertaintyKind::Aleatoric)),
            ("throughput_mean", None),
            ("throughput", None),
            ("steps_std", Some(UncertaintyKind::Epistemic)),
            ("steps_mean_ci_lower", Some(UncertaintyKind::Aleatoric)),
            ("llm_confidence_ece_mean", Some(UncertaintyKind::Epistemic)),
            ("unknown_std", None),
        ] {
            assert_eq!(mapping.kind_of(column), expected, "{column}");
        }
    }
}

//! The invariant outcomes of one step: what the action's own checks said, merged with what the registry found.

use super::{Detail, Finding, InvariantSpec};
use crate::enforcement::ViolationFacts;
use labtrust_contract::{InvariantStatus, Violation};
use labtrust_kernel::{Symbol, Symbols};
use serde_json::{Map, Value};
use smallvec::SmallVec;

/// One outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Which invariant.
    pub invariant: Symbol,
    /// Severity of its registry entry.
    pub severity: Option<Symbol>,
    /// Scope of its registry entry.
    pub scope: Option<Symbol>,
    /// What was found.
    pub finding: Finding,
}

impl Outcome {
    /// What enforcement looks at; `None` when the invariant held. Device and zone are taken from details of the names
    /// `device_id` and `zone_id`.
    #[must_use]
    pub fn facts(&self) -> Option<ViolationFacts> {
        let detail = |wanted: &str| {
            self.finding.details.iter().find_map(|(name, detail)| match detail {
                Detail::Symbol(symbol) if *name == wanted => Some(*symbol),
                _ => None,
            })
        };
        self.finding.violated.then(|| ViolationFacts {
            invariant: self.invariant,
            severity: self.severity,
            scope: self.scope,
            reason: self.finding.reason,
            device: detail("device_id"),
            zone: detail("zone_id"),
        })
    }

    /// The step's report.
    #[must_use]
    pub fn report(&self, symbols: &Symbols) -> Violation {
        let text = |symbol: Symbol| symbols.text(symbol).to_owned();
        let detail = |(name, detail): &(&str, Detail)| {
            let value = match detail {
                Detail::Symbol(symbol) => Value::from(text(*symbol)),
                Detail::Int(number) => Value::from(*number),
                Detail::Float(number) => Value::from(*number),
            };
            ((*name).to_owned(), value)
        };
        let details: Map<String, Value> = self.finding.details.iter().map(detail).collect();
        Violation {
            invariant_id: text(self.invariant),
            status: if self.finding.violated { InvariantStatus::Violation } else { InvariantStatus::Pass },
            reason_code: self.finding.reason.map(str::to_owned),
            severity: self.severity.map(text),
            scope: self.scope.map(text),
            details: (!details.is_empty()).then_some(Value::Object(details)),
            message: None,
        }
    }
}

/// The outcomes of a step, one an invariant, in the order they were first reported.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcomes(SmallVec<[Outcome; 4]>);

impl Outcomes {
    /// An outcome of the action itself; a later one of the same invariant takes the earlier one's place.
    pub fn record(&mut self, invariant: Symbol, spec: Option<&InvariantSpec>, finding: Finding) {
        let outcome = Outcome {
            invariant,
            severity: spec.map(|spec| spec.severity),
            scope: spec.map(|spec| spec.scope),
            finding,
        };
        match self.0.iter_mut().find(|earlier| earlier.invariant == invariant) {
            Some(earlier) => *earlier = outcome,
            None => self.0.push(outcome),
        }
    }

    /// An outcome of the registry. That an invariant holds never hides a violation found before.
    pub fn merge(&mut self, spec: &InvariantSpec, finding: Finding) {
        let violated_before = self.0.iter().any(|earlier| earlier.invariant == spec.id && earlier.finding.violated);
        if finding.violated || !violated_before {
            self.record(spec.id, Some(spec), finding);
        }
    }

    /// Forgets everything; keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The outcomes in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Outcome] {
        &self.0
    }

    /// What enforcement looks at: the broken ones.
    pub fn violations(&self) -> impl Iterator<Item = ViolationFacts> + '_ {
        self.0.iter().filter_map(Outcome::facts)
    }

    /// Whether any invariant was broken.
    #[must_use]
    pub fn any_violated(&self) -> bool {
        self.0.iter().any(|outcome| outcome.finding.violated)
    }
}

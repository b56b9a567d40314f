//! Communication of critical results.

use super::{number_or_null, ratio};
use labtrust_contract::Metrics;
use labtrust_plugin::lab::{Action, ActionKind, Outcome, Symbol};
use std::collections::BTreeSet;

/// Follows critical results from notification to release.
#[derive(Debug, Default)]
pub(super) struct Critical {
    notified: BTreeSet<Symbol>,
    acknowledged: BTreeSet<Symbol>,
    complied: BTreeSet<Symbol>,
}

impl Critical {
    pub(super) fn on_step(&mut self, action: &Action, outcome: &Outcome) {
        let Some(result) = action.decision.args.result.filter(|_| outcome.accepted) else { return };
        match action.decision.kind {
            ActionKind::NotifyCriticalResult => {
                self.notified.insert(result);
            }
            ActionKind::AckCriticalResult => {
                self.acknowledged.insert(result);
            }
            ActionKind::ReleaseResult | ActionKind::ReleaseResultOverride
                if self.notified.contains(&result) && self.acknowledged.contains(&result) =>
            {
                self.complied.insert(result);
            }
            _ => {}
        }
    }

    /// The rate is at most 1: its numerator is a subset of its denominator.
    pub(super) fn write(&self, out: &mut Metrics) {
        let rate = ratio(self.complied.len() as u64, self.notified.len() as u64);
        out.insert("critical_communication_compliance_rate".to_owned(), number_or_null(rate));
    }
}

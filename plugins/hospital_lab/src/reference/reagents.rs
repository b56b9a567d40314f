//! Reagents: a run needs those of its first specimen's panel.

use super::value::{at, given, items, number, numeric};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Stock and what panels need of it.
#[derive(Debug, Default)]
pub(super) struct Reagents {
    stock: BTreeMap<String, f64>,
    by_panel: BTreeMap<String, (String, f64)>,
}

impl Reagents {
    pub(super) fn new(policy: Option<&Map<String, Value>>, overrides: &Value) -> Self {
        let Some(policy) = policy else { return Self::default() };
        let mut reagents = Self::default();
        for entry in items(at(policy, "reagents")) {
            if let Some(id) = given(&entry["reagent_id"]) {
                reagents.stock.insert(id, number(&entry["initial_stock"]).unwrap_or(0.0));
            }
        }
        for (panel, need) in at(policy, "panel_requirements").as_object().into_iter().flatten() {
            if let Some(id) = given(&need["reagent_id"]) {
                reagents.by_panel.insert(panel.clone(), (id, number(&need["quantity_per_run"]).unwrap_or(0.0)));
            }
        }
        for (reagent, amount) in overrides.as_object().into_iter().flatten() {
            if let Some(amount) = numeric(amount) {
                reagents.stock.insert(reagent.clone(), amount);
            }
        }
        reagents
    }

    /// Whether there is enough for a run of `panel`; a panel without a requirement needs nothing.
    pub(super) fn suffice(&self, panel: &str) -> bool {
        let need = self.by_panel.get(panel);
        need.is_none_or(|(reagent, quantity)| self.stock.get(reagent).copied().unwrap_or(0.0) >= *quantity)
    }

    pub(super) fn deduct(&mut self, panel: &str) {
        if let Some((reagent, quantity)) = self.by_panel.get(panel) {
            *self.stock.entry(reagent.clone()).or_default() -= quantity;
        }
    }
}

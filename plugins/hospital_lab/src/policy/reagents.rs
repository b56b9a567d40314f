//! Reagent stock and what a run takes of it.

use super::{Contradiction, REAGENTS};
use labtrust_kernel::{Symbol, SymbolMap, Symbols};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ReagentFile {
    #[serde(default)]
    reagents: Vec<ReagentEntry>,
    #[serde(default)]
    panel_requirements: BTreeMap<String, RequirementEntry>,
}

#[derive(Debug, Clone, Deserialize)]
struct ReagentEntry {
    reagent_id: String,
    initial_stock: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct RequirementEntry {
    reagent_id: String,
    quantity_per_run: f64,
    #[serde(default)]
    stockout_action: StockoutAction,
}

/// What is done with a specimen whose run lacks reagent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum StockoutAction {
    /// It waits for a delivery.
    #[default]
    Hold,
    /// It is sent elsewhere.
    Reroute,
}

/// Stock at the beginning and needs per panel; quantities in the reagent's own unit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reagents {
    /// Reagent and stock, in file order.
    pub stock: Vec<(Symbol, f64)>,
    /// Panel to (index into `stock`, quantity a run takes).
    pub need: SymbolMap<(usize, f64)>,
    /// Panels that need one, in the order of their names, and whether a specimen without reagent is sent elsewhere.
    pub panels: Vec<(Symbol, bool)>,
}

impl Reagents {
    pub(crate) fn compile(file: &ReagentFile, symbols: &mut Symbols) -> Result<Self, Contradiction> {
        let mut stock: Vec<(Symbol, f64)> = Vec::new();
        for reagent in &file.reagents {
            let id = symbols.intern(&reagent.reagent_id);
            if stock.iter().any(|&(other, _)| other == id) {
                let message = format!("reagent {} is declared twice", reagent.reagent_id);
                return Err(Contradiction::new(REAGENTS, &reagent.reagent_id, message, "remove or rename one"));
            }
            if reagent.initial_stock.is_nan() || reagent.initial_stock < 0.0 {
                let message = format!("the stock of {} is {}", reagent.reagent_id, reagent.initial_stock);
                return Err(Contradiction::new(REAGENTS, &reagent.reagent_id, message, "a stock is at least 0"));
            }
            stock.push((id, reagent.initial_stock));
        }
        let (mut need, mut panels) = (SymbolMap::default(), Vec::new());
        for (panel, entry) in &file.panel_requirements {
            let id = symbols.intern(&entry.reagent_id);
            let Some(reagent) = stock.iter().position(|&(other, _)| other == id) else {
                let message = format!("{panel} needs the reagent {}, which is not declared", entry.reagent_id);
                return Err(Contradiction::new(REAGENTS, &entry.reagent_id, message, "declare it under `reagents:`"));
            };
            if entry.quantity_per_run.is_nan() || entry.quantity_per_run < 0.0 {
                let message = format!("a run of {panel} takes {} of {}", entry.quantity_per_run, entry.reagent_id);
                return Err(Contradiction::new(REAGENTS, panel, message, "a quantity is at least 0"));
            }
            let panel = symbols.intern(panel);
            need.insert(panel, (reagent, entry.quantity_per_run));
            panels.push((panel, entry.stockout_action == StockoutAction::Reroute));
        }
        Ok(Self { stock, need, panels })
    }
}

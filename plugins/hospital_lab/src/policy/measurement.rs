//! What an analyser measures: one representative analyte a panel, synthetic.

use super::{Contradiction, MEASUREMENTS};
use labtrust_kernel::{Stream, Symbol, SymbolMap, Symbols};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The file.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MeasurementFile {
    #[serde(default)]
    panels: BTreeMap<String, PanelModel>,
}

#[derive(Debug, Clone, Deserialize)]
struct PanelModel {
    analyte_code: String,
    units: String,
    mean: f64,
    sd: f64,
    #[serde(default)]
    decimals: u32,
    #[serde(default)]
    critical_rate: f64,
    critical_low: Option<f64>,
    critical_high: Option<f64>,
}

/// A measured value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub analyte: Symbol,
    pub units: Symbol,
    pub value: f64,
}

#[derive(Debug, Clone)]
struct Model {
    analyte: Symbol,
    units: Symbol,
    mean: f64,
    sd: f64,
    scale: f64,
    critical_rate: f64,
    critical: Vec<f64>,
}

/// Models per panel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measurements {
    panels: SymbolMap<Model>,
}

impl Measurements {
    /// Draws what the analyser reads for a panel; `None` for a panel without a model.
    pub(crate) fn draw(&self, panel: Symbol, stream: &mut Stream) -> Option<Measurement> {
        let model = self.panels.get(panel)?;
        let critical = stream.bernoulli(model.critical_rate) && !model.critical.is_empty();
        let raw = if critical {
            model.critical[usize::try_from(stream.below(model.critical.len() as u64)).unwrap_or(0)]
        } else {
            stream.normal(model.mean, model.sd)
        };
        let value = libm::rint(raw * model.scale) / model.scale;
        Some(Measurement { analyte: model.analyte, units: model.units, value })
    }

    pub(crate) fn compile(file: &MeasurementFile, symbols: &mut Symbols) -> Result<Self, Contradiction> {
        let mut panels = SymbolMap::default();
        for (panel, model) in &file.panels {
            let numbers = [model.mean, model.sd, model.critical_rate];
            let good = numbers.iter().all(|x| x.is_finite()) && model.sd >= 0.0 && model.decimals <= 6;
            if !good || !(0.0..=1.0).contains(&model.critical_rate) {
                let message = format!("the measurement model of {panel} makes no sense");
                let hint = "`sd` is at least 0, `critical_rate` lies between 0 and 1, `decimals` is at most 6";
                return Err(Contradiction::new(MEASUREMENTS, panel, message, hint));
            }
            let compiled = Model {
                analyte: symbols.intern(&model.analyte_code),
                units: symbols.intern(&model.units),
                mean: model.mean,
                sd: model.sd,
                scale: f64::from(10u32.pow(model.decimals)),
                critical_rate: model.critical_rate,
                critical: [model.critical_low, model.critical_high].into_iter().flatten().collect(),
            };
            panels.insert(symbols.intern(panel), compiled);
        }
        Ok(Self { panels })
    }
}

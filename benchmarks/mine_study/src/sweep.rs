//! A setting that takes one value after another: what each step gains, and from where on it gains nothing.

use crate::arms::ArmResult;
use crate::bottleneck::{Bottleneck, ranking};
use crate::draw::curve::{Curve, CurvePoint};
use crate::estimate::{Estimate, Estimator, rounded};
use crate::routes::station_ceiling;
use crate::spec::{Decimal, Sweep};

/// One value and what came of it.
pub(crate) struct SweepPoint {
    pub(crate) value: Decimal,
    pub(crate) replications: u32,
    pub(crate) tonnes: Estimate,
    /// Over the value before, seed by seed.
    pub(crate) gain: Option<Estimate>,
    pub(crate) ceiling: f64,
    pub(crate) tightest: Option<Bottleneck>,
}

/// All values.
pub(crate) struct SweepResult {
    pub(crate) key: String,
    pub(crate) scenario: String,
    pub(crate) points: Vec<SweepPoint>,
}

impl SweepResult {
    /// Collects the arms of `sweep`, which are in the order of its values.
    pub(crate) fn of(sweep: &Sweep, scenario: &str, arms: &[ArmResult], estimator: &Estimator) -> Self {
        let mut before: Option<Vec<f64>> = None;
        let mut points = Vec::with_capacity(arms.len());
        for (value, result) in sweep.values.iter().zip(arms) {
            let tonnes = result.tonnes();
            let Some(estimate) = estimator.mean(&tonnes) else { continue };
            points.push(SweepPoint {
                value: *value,
                replications: result.scenario().replications,
                tonnes: estimate,
                gain: before.as_ref().and_then(|before| estimator.paired(&tonnes, before)),
                ceiling: rounded(station_ceiling(&result.arm)),
                tightest: ranking(result).into_iter().next(),
            });
            before = Some(tonnes);
        }
        Self { key: sweep.key.clone(), scenario: scenario.to_owned(), points }
    }

    /// The first value whose gain over the one before is not told from nothing (its paired interval holds 0, or lies
    /// below it).
    pub(crate) fn saturation(&self) -> Option<Decimal> {
        let gains_nothing = |gain: &Estimate| gain.low().is_some_and(|low| low <= 0.0);
        self.points.iter().find(|point| point.gain.as_ref().is_some_and(gains_nothing)).map(|point| point.value)
    }

    /// It as a picture.
    pub(crate) fn curve(&self) -> Curve {
        let point = |point: &SweepPoint| CurvePoint {
            value: point.value.value(),
            mean: point.tonnes.mean,
            interval: point.tonnes.interval.map(|bounds| (bounds.lower, bounds.upper)),
            ceiling: point.ceiling,
        };
        Curve {
            key: self.key.clone(),
            scenario: self.scenario.clone(),
            replications: self.points.first().map_or(0, |point| point.replications),
            points: self.points.iter().map(point).collect(),
            saturation: self.saturation().map(Decimal::value),
        }
    }
}

//! `summary.json`: every scenario in figures, what the model takes for granted, and what is worth running next.

use super::prose;
use super::results_csv::crusher;
use crate::BENCHMARK_ID;
use crate::arms::ArmResult;
use crate::bottleneck::{Bottleneck, ranking};
use crate::estimate::{Estimate, EstimateRecord};
use crate::figures::ResourceKind;
use crate::paired::{Comparison, comparisons, tonnes};
use crate::study::Study;
use serde::{Serialize, Serializer};

/// How many bottlenecks are listed.
const TOP: usize = 5;

/// A JSON object in the order of its entries.
struct Ordered<T>(Vec<(String, T)>);

impl<T: Serialize> Serialize for Ordered<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

#[derive(Serialize)]
struct Summary {
    benchmark_id: &'static str,
    program: String,
    baseline_id: String,
    scenarios: Ordered<ScenarioRecord>,
    key_assumptions: Vec<String>,
    model_limitations: Vec<String>,
    additional_scenarios_proposed: Vec<ProposalRecord>,
    paired_differences: Vec<PairedRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lane_models: Option<Ordered<Ordered<LaneRecord>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sweep: Option<SweepRecord>,
}

#[derive(Serialize)]
struct ScenarioRecord {
    description: String,
    replications: u32,
    base_random_seed: u64,
    shift_length_hours: f64,
    warmup_minutes: f64,
    truck_count: usize,
    dispatch_policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dispatch_plugin: Option<PluginRecord>,
    lane_model: &'static str,
    total_tonnes_mean: f64,
    total_tonnes_ci95_low: Option<f64>,
    total_tonnes_ci95_high: Option<f64>,
    tonnes_per_hour_mean: f64,
    tonnes_per_hour_ci95_low: Option<f64>,
    tonnes_per_hour_ci95_high: Option<f64>,
    average_cycle_time_min: Option<f64>,
    truck_utilisation_mean: f64,
    loader_utilisation: Ordered<f64>,
    crusher_utilisation: f64,
    average_loader_queue_time_min: f64,
    average_crusher_queue_time_min: f64,
    top_bottlenecks: Vec<Bottleneck>,
}

/// Where a policy that is a file of its own comes from, and what was counted of it over all replications.
#[derive(Serialize)]
struct PluginRecord {
    carrier: &'static str,
    version: String,
    sha256: String,
    contract: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    engine: Option<&'static str>,
    decisions: u64,
    failures: u64,
    first_failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fuel: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fuel_max: Option<u64>,
}

#[derive(Serialize)]
struct PairedRecord {
    scenario_id: String,
    baseline_id: String,
    metric: &'static str,
    pairs: usize,
    mean_difference: f64,
    ci95_low: Option<f64>,
    ci95_high: Option<f64>,
    relative_difference: Option<f64>,
    excludes_zero: bool,
}

#[derive(Serialize)]
struct ProposalRecord {
    scenario_id: String,
    inherits: String,
    changes: Ordered<serde_json::Value>,
    justification: String,
    replications: u32,
    total_tonnes: EstimateRecord,
    difference_to_baseline: EstimateRecord,
}

#[derive(Serialize)]
struct LaneRecord {
    replications: u32,
    total_tonnes: EstimateRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<EstimateRecord>,
}

#[derive(Serialize)]
struct SweepRecord {
    key: String,
    scenario_id: String,
    saturation: Option<f64>,
    points: Vec<SweepPointRecord>,
}

#[derive(Serialize)]
struct SweepPointRecord {
    value: f64,
    total_tonnes: EstimateRecord,
    gain: Option<EstimateRecord>,
    ceiling_tonnes: f64,
}

/// The file.
pub(crate) fn json(study: &Study<'_>) -> Vec<u8> {
    let summary = Summary {
        benchmark_id: BENCHMARK_ID,
        program: format!("labtrust {}", env!("CARGO_PKG_VERSION")),
        baseline_id: study.baseline().scenario().id.clone(),
        scenarios: Ordered(
            study.results.iter().map(|result| (result.scenario().id.clone(), scenario(study, result))).collect(),
        ),
        key_assumptions: prose::assumptions(study),
        model_limitations: prose::limitations(study),
        additional_scenarios_proposed: proposals(study),
        paired_differences: comparisons(study).iter().map(paired).collect(),
        lane_models: lane_models(study),
        sweep: sweep(study),
    };
    let mut bytes = serde_json::to_vec_pretty(&summary).expect("numbers and text have a form in JSON");
    bytes.push(b'\n');
    bytes
}

fn scenario(study: &Study<'_>, result: &ArmResult) -> ScenarioRecord {
    let scenario = result.scenario();
    let none = Estimate { mean: 0.0, interval: None };
    let mean = |values: &[f64]| study.estimator.mean(values).unwrap_or(none);
    let (tonnes, rate) = (mean(&result.tonnes()), mean(&result.column(|figures| figures.tonnes_per_hour)));
    let cycles: Vec<f64> = result.figures.iter().filter_map(|figures| figures.cycle_min).collect();
    let loaders = result.arm.resources.iter().enumerate().filter(|(_, it)| it.kind == ResourceKind::Loader);
    ScenarioRecord {
        description: scenario.description.clone(),
        replications: scenario.replications,
        base_random_seed: scenario.base_seed,
        shift_length_hours: scenario.shift_hours(),
        warmup_minutes: scenario.warmup.as_secs_f64() / 60.0,
        truck_count: scenario.fleet,
        dispatch_policy: scenario.dispatch.clone(),
        dispatch_plugin: dispatch_plugin(result),
        lane_model: scenario.lane_model.as_str(),
        total_tonnes_mean: tonnes.mean,
        total_tonnes_ci95_low: tonnes.low(),
        total_tonnes_ci95_high: tonnes.high(),
        tonnes_per_hour_mean: rate.mean,
        tonnes_per_hour_ci95_low: rate.low(),
        tonnes_per_hour_ci95_high: rate.high(),
        average_cycle_time_min: study.estimator.mean(&cycles).map(|cycle| cycle.mean),
        truck_utilisation_mean: mean(&result.column(|figures| figures.truck_utilisation)).mean,
        loader_utilisation: Ordered(
            loaders
                .map(|(place, it)| {
                    (it.id.clone(), mean(&result.column(|figures| figures.resources[place].utilisation)).mean)
                })
                .collect(),
        ),
        crusher_utilisation: mean(&result.column(|figures| crusher(figures, result).utilisation)).mean,
        average_loader_queue_time_min: mean(&result.column(|figures| figures.loader_queue_min)).mean,
        average_crusher_queue_time_min: mean(&result.column(|figures| crusher(figures, result).queue_min)).mean,
        top_bottlenecks: ranking(result).into_iter().filter(|it| it.utilisation > 0.0).take(TOP).collect(),
    }
}

fn dispatch_plugin(result: &ArmResult) -> Option<PluginRecord> {
    let origin = result.arm.model.policy().origin()?;
    let tallies = || result.figures.iter().map(|figures| &figures.dispatch);
    let (major, minor) = origin.contract;
    let fuel: u64 = tallies().map(|tally| tally.fuel).sum();
    Some(PluginRecord {
        carrier: origin.carrier,
        version: origin.version.clone(),
        sha256: origin.sha256.clone(),
        contract: format!("{major}.{minor}"),
        engine: origin.engine,
        decisions: tallies().map(|tally| tally.decisions).sum(),
        failures: tallies().map(|tally| tally.failures).sum(),
        first_failure: tallies().find_map(|tally| tally.first_failure.clone()),
        fuel: (fuel > 0).then_some(fuel),
        fuel_max: tallies().map(|tally| tally.fuel_max).max().filter(|_| fuel > 0),
    })
}

fn paired(comparison: &Comparison) -> PairedRecord {
    let Comparison { scenario, baseline, metric, pairs, difference, .. } = comparison;
    PairedRecord {
        scenario_id: scenario.clone(),
        baseline_id: baseline.clone(),
        metric: metric.name,
        pairs: *pairs,
        mean_difference: difference.mean,
        ci95_low: difference.low(),
        ci95_high: difference.high(),
        relative_difference: comparison.relative_mean(),
        excludes_zero: difference.excludes_zero(),
    }
}

fn proposals(study: &Study<'_>) -> Vec<ProposalRecord> {
    let inherits = &study.baseline().scenario().id;
    study
        .proposals
        .iter()
        .map(|proposal| ProposalRecord {
            scenario_id: proposal.id.clone(),
            inherits: inherits.clone(),
            changes: Ordered(proposal.changes.clone()),
            justification: proposal.justification.clone(),
            replications: proposal.replications,
            total_tonnes: proposal.tonnes.into(),
            difference_to_baseline: proposal.difference.into(),
        })
        .collect()
}

fn lane_models(study: &Study<'_>) -> Option<Ordered<Ordered<LaneRecord>>> {
    if study.other_lanes.is_empty() {
        return None;
    }
    let pairs = study.results.iter().zip(&study.other_lanes);
    let record = |result: &ArmResult, against: Option<&ArmResult>| {
        let record = LaneRecord {
            replications: result.scenario().replications,
            total_tonnes: study.estimator.mean(&result.tonnes())?.into(),
            difference: against.and_then(|against| Some(tonnes(study, result, against)?.difference.into())),
        };
        Some((result.scenario().lane_model.as_str().to_owned(), record))
    };
    let both = pairs.map(|(one, other)| {
        let records = [record(one, None), record(other, Some(one))].into_iter().flatten().collect();
        (one.scenario().id.clone(), Ordered(records))
    });
    Some(Ordered(both.collect()))
}

fn sweep(study: &Study<'_>) -> Option<SweepRecord> {
    let sweep = study.sweep.as_ref()?;
    Some(SweepRecord {
        key: sweep.key.clone(),
        scenario_id: sweep.scenario.clone(),
        saturation: sweep.saturation().map(|value| value.value()),
        points: sweep
            .points
            .iter()
            .map(|point| SweepPointRecord {
                value: point.value.value(),
                total_tonnes: point.tonnes.into(),
                gain: point.gain.map(Into::into),
                ceiling_tonnes: point.ceiling,
            })
            .collect(),
    })
}

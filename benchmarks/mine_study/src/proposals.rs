//! Scenarios that are worth running next, found from what the baseline was short of, and run at once: a proposal comes
//! with what it would bring.

use crate::StudyError;
use crate::arms::{self, Arm, ArmResult};
use crate::bottleneck::{Bottleneck, ranking};
use crate::estimate::{Estimate, Estimator};
use crate::figures::ResourceKind;
use crate::spec::{Decimal, StudySpec};
use crate::study::adapted;
use labtrust_figures::words::{grouped, listed, percent, signed};
use labtrust_mine_haulage::site::UNCONSTRAINED;
use labtrust_mine_haulage::{MineData, Scenario};
use labtrust_plugin::Registry;
use serde_json::{Value, json};

/// A change to a scenario: the setting's path, and its value.
pub(crate) type Patch = (String, Value);

/// A scenario that is not in the data, and what came of it.
pub(crate) struct Proposal {
    pub(crate) id: String,
    /// To the baseline.
    pub(crate) changes: Vec<Patch>,
    pub(crate) justification: String,
    pub(crate) replications: u32,
    pub(crate) tonnes: Estimate,
    /// To the baseline, seed by seed.
    pub(crate) difference: Estimate,
}

/// A swept value as a change.
pub(crate) fn patch(key: &str, value: Decimal) -> Patch {
    let value = value.whole().map_or_else(|| json!(value.value()), |whole| json!(whole));
    (key.to_owned(), value)
}

/// A scenario of the data with changes.
pub(crate) fn changed(data: &MineData, id: &str, changes: &[Patch]) -> Result<Scenario, StudyError> {
    let changes: Vec<(&str, Value)> = changes.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
    Ok(data.scenario(id, &changes)?)
}

/// A proposal before it is run.
struct Idea {
    id: String,
    changes: Vec<Patch>,
    why: String,
}

/// Finds and runs them.
///
/// # Errors
/// [`StudyError`] when a scenario with a change cannot be made.
pub(crate) fn run(
    spec: &StudySpec,
    data: &MineData,
    registry: &Registry,
    baseline: &ArmResult,
    estimator: &Estimator,
) -> Result<Vec<Proposal>, StudyError> {
    let ranked = ranking(baseline);
    let ideas = ideas(baseline, &ranked);
    let mut arms = Vec::with_capacity(ideas.len());
    for idea in &ideas {
        let scenario = changed(data, &baseline.scenario().id, &idea.changes)?;
        arms.push(Arm::new(registry, &adapted(spec, scenario)?)?);
    }
    let results = arms::run(arms, spec.threads(), &|_, _| false, &mut |_, _, _| Ok(()))?;
    let before = baseline.tonnes();
    let proposal = |(idea, result): (Idea, ArmResult)| {
        let tonnes = result.tonnes();
        let (mean, difference) = (estimator.mean(&tonnes)?, estimator.paired(&tonnes, &before)?);
        Some(Proposal {
            justification: justification(&idea.why, &difference, mean, &result),
            id: idea.id,
            changes: idea.changes,
            replications: result.scenario().replications,
            tonnes: mean,
            difference,
        })
    };
    Ok(ideas.into_iter().zip(results).filter_map(proposal).collect())
}

/// Why it was tried, what it brought, and what it is short of then.
fn justification(why: &str, difference: &Estimate, tonnes: Estimate, result: &ArmResult) -> String {
    let interval = match (difference.low(), difference.high()) {
        (Some(low), Some(high)) => format!(" (95 % interval {} to {})", signed(low, 0), signed(high, 0)),
        _ => String::new(),
    };
    let next = ranking(result).into_iter().next().map_or_else(String::new, |tightest| {
        format!(" The tightest resource is then {} ({} busy).", tightest.resource_id, percent(tightest.utilisation))
    });
    format!(
        "{why} Run with the same seeds it delivers {} t a shift, {} t{interval} against the baseline.{next}",
        grouped(tonnes.mean, 0),
        signed(difference.mean, 0)
    )
}

fn ideas(baseline: &ArmResult, ranked: &[Bottleneck]) -> Vec<Idea> {
    let scenario = baseline.scenario();
    let mut ideas = Vec::new();
    let fleet = "fleet.truck_count".to_owned();
    if let Some(first) = ranked.first() {
        let relieved = relief(baseline, first);
        let described = format!(
            "{} is the tightest resource of the baseline: {} busy, with {} of all queueing.",
            first.resource_id,
            percent(first.utilisation),
            percent(first.queue_time_share)
        );
        ideas.push(Idea { id: format!("relieve_{}", first.resource_id), changes: relieved.clone(), why: described });
        if let Some(second) = ranked.get(1).filter(|second| second.utilisation > 0.0) {
            let mut changes = relieved.clone();
            changes.extend(relief(baseline, second));
            let why = format!(
                "Behind {} the next one is {} ({} busy): what holds the mine up moves there when the first is relieved.",
                first.resource_id,
                second.resource_id,
                percent(second.utilisation)
            );
            ideas.push(Idea { id: format!("relieve_{}_and_{}", first.resource_id, second.resource_id), changes, why });
        }
        let more = scenario.site.trucks.len();
        if more > scenario.fleet {
            let mut changes = relieved;
            changes.push((fleet.clone(), json!(more)));
            let why = format!(
                "With {} relieved, the fleet of {} may be what is short: this one has all {more} trucks of the site.",
                first.resource_id, scenario.fleet
            );
            ideas.push(Idea { id: format!("relieve_{}_trucks_{more}", first.resource_id), changes, why });
        }
    }
    if scenario.fleet > 1 {
        let fewer = scenario.fleet - 1;
        let waiting = baseline.column(|figures| 1.0 - figures.truck_utilisation);
        let waiting = labtrust_bench::stats::moments(&waiting).map_or(0.0, |found| found.mean);
        let why = format!(
            "Trucks of the baseline wait {} of the shift, {} of {} trucks in all: one truck less shows what one is worth.",
            percent(waiting),
            grouped(waiting * trucks(scenario), 1),
            scenario.fleet
        );
        ideas.push(Idea { id: format!("trucks_{fewer}"), changes: vec![(fleet, json!(fewer))], why });
    }
    ideas
}

#[expect(clippy::cast_precision_loss, reason = "no fleet has 2^53 trucks")]
fn trucks(scenario: &Scenario) -> f64 {
    scenario.fleet as f64
}

/// One more place at a loader or crusher; a road without a limit.
fn relief(baseline: &ArmResult, bottleneck: &Bottleneck) -> Vec<Patch> {
    let id = &bottleneck.resource_id;
    let resource = baseline.arm.resources.iter().find(|it| it.kind == bottleneck.kind && it.id == *id);
    let more = resource.map_or(2, |resource| resource.capacity.saturating_add(1));
    match bottleneck.kind {
        ResourceKind::Loader => vec![(format!("loader_overrides.{id}.capacity"), json!(more))],
        ResourceKind::Crusher => vec![(format!("dump_point_overrides.{id}.capacity"), json!(more))],
        ResourceKind::Road => {
            let site = &baseline.scenario().site;
            let road = baseline.arm.model.roads().iter().find(|road| road.id == *id);
            let edges = road.map(|road| road.edges.as_slice()).unwrap_or_default();
            let open = |edge: &labtrust_mine_haulage::site::EdgeId| {
                (format!("edge_overrides.{}.capacity", site.edge(*edge).id), json!(UNCONSTRAINED))
            };
            edges.iter().map(open).collect()
        }
    }
}

/// Changes in words: `a = 1 and b = 2`.
pub(crate) fn changes_in_words(changes: &[Patch]) -> String {
    let words: Vec<String> = changes.iter().map(|(path, value)| format!("`{path}` = {value}")).collect();
    listed(&words)
}

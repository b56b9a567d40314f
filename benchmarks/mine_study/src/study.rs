//! A study from its spec to its directory.

use crate::StudyError;
use crate::animation;
use crate::arms::{self, Arm, ArmResult};
use crate::draw;
use crate::estimate::Estimator;
use crate::out_dir::{OutDir, SUMMARY_NAME};
use crate::plan::Plan;
use crate::proposals::{self, Proposal};
use crate::spec::{Lanes, StudySpec};
use crate::sweep::SweepResult;
use crate::write;
use labtrust_figures::draw::{to_png, to_svg};
use labtrust_kernel::SimDuration;
use labtrust_mine_haulage::{LaneModel, MineData, Scenario};
use labtrust_plugin::Registry;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a study came to, for whoever asked for it.
#[derive(Clone, Debug)]
pub struct StudyDone {
    /// The files, in the order in which they were begun.
    pub files: Vec<PathBuf>,
    /// The scenarios, in their order.
    pub scenarios: Vec<ScenarioLine>,
    /// Where the swept setting no longer helps; none of a study without a sweep, or one that still gains.
    pub saturation: Option<String>,
}

/// A scenario's throughput.
#[derive(Clone, Debug)]
pub struct ScenarioLine {
    /// The scenario.
    pub id: String,
    /// Replications [count].
    pub replications: u32,
    /// Mean tonnes per shift [t].
    pub tonnes_mean: f64,
    /// Its 95 % interval [t]; none of one replication.
    pub tonnes_interval: Option<(f64, f64)>,
    /// The tightest resource.
    pub bottleneck: Option<String>,
}

/// Everything that the files of a study are made of.
pub(crate) struct Study<'s> {
    pub(crate) spec: &'s StudySpec,
    /// The scenarios, as the tables show them.
    pub(crate) results: Vec<ArmResult>,
    /// Each scenario with the other lane model; empty when only one was asked for.
    pub(crate) other_lanes: Vec<ArmResult>,
    pub(crate) sweep: Option<SweepResult>,
    pub(crate) proposals: Vec<Proposal>,
    pub(crate) estimator: Estimator,
    /// The scenario that others are compared with: its place in `results`.
    pub(crate) baseline: usize,
}

impl Study<'_> {
    pub(crate) fn baseline(&self) -> &ArmResult {
        &self.results[self.baseline]
    }

    /// The scenario `id`, if it was run.
    pub(crate) fn result(&self, id: &str) -> Option<&ArmResult> {
        self.results.iter().find(|result| result.scenario().id == id)
    }
}

/// Makes a study into the directory `out`, which appears whole or not at all. With `force` it may take the place of a
/// former study.
///
/// # Errors
/// [`StudyError`]; nothing was written then.
pub fn run_study(
    spec: &StudySpec,
    data: &MineData,
    registry: &Registry,
    out: &Path,
    force: bool,
) -> Result<StudyDone, StudyError> {
    let scenarios = scenarios(spec, data)?;
    let animated = animated(spec, &scenarios)?;
    let mut directory = OutDir::create(out, force)?;
    let all = Arms::prepare(spec, data, registry, &scenarios)?;
    let (mains, lanes) = (all.mains, all.lanes);

    let log = if spec.event_log { Some(directory.open("event_log.csv")?) } else { None };
    let mut rows = Rows { log, kept: Vec::new() };
    rows.write(&directory, write::event_log::HEADER.as_bytes())?;
    let plan = Plan::of(&scenarios.iter().collect::<Vec<_>>()).ok_or(StudyError::NoScenario)?;
    let map = draw::topology::draw(&plan);
    let logged = |arm: usize, replication: u32| arm < mains && (spec.event_log || (arm, replication) == animated);
    let sink = &mut |arm, replication, printed: &[u8]| {
        if (arm, replication) == animated {
            rows.kept.extend_from_slice(printed);
        }
        rows.write(&directory, printed)
    };
    // The picture is the longest single piece of work: it is drawn while the replications run.
    let (picture, results) = beside(|| to_png(&map), || arms::run(all.arms, spec.threads(), &logged, sink));
    let (picture, mut results) = (picture?, results?);
    let kept = std::mem::take(&mut rows.kept);
    drop(rows);

    let estimator = Estimator::default();
    let swept = results.split_off(mains + lanes);
    let other_lanes = results.split_off(mains);
    let baseline = scenarios.iter().position(|scenario| scenario.id == "baseline").unwrap_or(0);
    let sweep = spec.sweep.as_ref().map(|sweep| SweepResult::of(sweep, &scenarios[0].id, &swept, &estimator));
    let proposals = proposals::run(spec, data, registry, &results[baseline], &estimator)?;
    let study = Study { spec, results, other_lanes, sweep, proposals, estimator, baseline };

    directory.write("results.csv", write::results_csv::table(&study).as_bytes())?;
    directory.write(SUMMARY_NAME, &write::summary::json(&study))?;
    directory.write("paired_differences.csv", write::paired_csv::table(&study).as_bytes())?;
    if !study.other_lanes.is_empty() {
        directory.write("lane_models.csv", write::lane_models::table(&study).as_bytes())?;
    }
    if let Some(sweep) = &study.sweep {
        directory.write("sweep.csv", write::sweep_csv::table(sweep).as_bytes())?;
        let curve = draw::curve::draw(&sweep.curve());
        directory.write("saturation.svg", to_svg(&curve).as_bytes())?;
        directory.write("saturation.png", &to_png(&curve)?)?;
    }
    directory.write("topology.svg", to_svg(&map).as_bytes())?;
    directory.write("topology.png", &picture)?;
    directory
        .write("animation.html", animation::page(&plan, &study.results[animated.0], animated.1, &kept).as_bytes())?;
    directory.write("conceptual_model.md", write::conceptual_model::text(&study).as_bytes())?;
    directory.write("README.md", write::readme::text(&study).as_bytes())?;
    Ok(StudyDone {
        files: directory.finish()?,
        scenarios: study.results.iter().map(|result| line(&study, result)).collect(),
        saturation: study.sweep.as_ref().and_then(|sweep| sweep.saturation().map(|value| value.to_string())),
    })
}

/// Runs both at the same time, the first on a thread of its own.
fn beside<A: Send, B>(first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(first);
        let other = second();
        match one.join() {
            Ok(one) => (one, other),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn line(study: &Study<'_>, result: &ArmResult) -> ScenarioLine {
    let tonnes = study.estimator.mean(&result.tonnes());
    ScenarioLine {
        id: result.scenario().id.clone(),
        replications: result.scenario().replications,
        tonnes_mean: tonnes.map_or(0.0, |tonnes| tonnes.mean),
        tonnes_interval: tonnes.and_then(|tonnes| tonnes.interval).map(|bounds| (bounds.lower, bounds.upper)),
        bottleneck: crate::bottleneck::ranking(result).into_iter().next().map(|tightest| tightest.resource_id),
    }
}

/// The scenarios of a spec, with what it says otherwise than they do.
fn scenarios(spec: &StudySpec, data: &MineData) -> Result<Vec<Scenario>, StudyError> {
    if spec.scenarios.is_empty() {
        return Err(StudyError::NoScenario);
    }
    let mut scenarios: Vec<Scenario> = Vec::with_capacity(spec.scenarios.len());
    for id in &spec.scenarios {
        if scenarios.iter().any(|known| known.id == *id) {
            return Err(StudyError::Twice { id: id.clone() });
        }
        scenarios.push(adapted(spec, data.scenario(id, &[])?)?);
    }
    Ok(scenarios)
}

/// A scenario of the data with what the spec says otherwise.
pub(crate) fn adapted(spec: &StudySpec, mut scenario: Scenario) -> Result<Scenario, StudyError> {
    scenario.replications = spec.replications.unwrap_or(scenario.replications);
    scenario.base_seed = spec.base_seed.unwrap_or(scenario.base_seed);
    if let Some(dispatch) = &spec.dispatch {
        scenario.dispatch.clone_from(dispatch);
    }
    if let Some(minutes) = spec.warmup_minutes {
        let warmup = (minutes >= 0.0).then(|| SimDuration::from_secs_f64(minutes * 60.0)).flatten();
        scenario.warmup = warmup.ok_or(StudyError::WarmUp { minutes })?;
    }
    if let Lanes::Only(lanes) = spec.lanes {
        scenario.lane_model = lanes;
    }
    if scenario.replications == 0 {
        return Err(StudyError::NoReplications { id: scenario.id });
    }
    Ok(scenario)
}

/// The replication that is animated: places of scenario and replication.
fn animated(spec: &StudySpec, scenarios: &[Scenario]) -> Result<(usize, u32), StudyError> {
    let wanted = &spec.animation;
    let place = wanted.scenario.as_ref().map_or(Some(0), |id| scenarios.iter().position(|known| known.id == *id));
    let missing = |what: String| StudyError::Animation { what };
    let place = place.ok_or_else(|| missing(format!("scenario {}", wanted.scenario.as_deref().unwrap_or_default())))?;
    if wanted.replication >= scenarios[place].replications {
        return Err(missing(format!("replication {} of {}", wanted.replication, scenarios[place].id)));
    }
    Ok((place, wanted.replication))
}

/// All arms in one list, so that all of them run at once: scenarios, then other lanes, then the sweep.
struct Arms {
    arms: Vec<Arm>,
    mains: usize,
    lanes: usize,
}

impl Arms {
    fn prepare(
        spec: &StudySpec,
        data: &MineData,
        registry: &Registry,
        scenarios: &[Scenario],
    ) -> Result<Self, StudyError> {
        let mut arms = Vec::new();
        for scenario in scenarios {
            arms.push(Arm::new(registry, scenario)?);
        }
        let mains = arms.len();
        if spec.lanes == Lanes::Both {
            for scenario in scenarios {
                arms.push(Arm::new(registry, &with_other_lanes(scenario))?);
            }
        }
        let lanes = arms.len() - mains;
        if let Some(sweep) = &spec.sweep {
            for value in &sweep.values {
                let mut changes = vec![proposals::patch(&sweep.key, *value)];
                if sweep.key == "fleet.truck_count" {
                    // A sweep asks what more trucks would do, also more than the site has.
                    changes.push(("fleet.clone_beyond_list".to_owned(), true.into()));
                }
                let scenario = proposals::changed(data, &scenarios[0].id, &changes)?;
                arms.push(Arm::new(registry, &adapted(spec, scenario)?)?);
            }
        }
        Ok(Self { arms, mains, lanes })
    }
}

fn with_other_lanes(scenario: &Scenario) -> Scenario {
    let lane_model = match scenario.lane_model {
        LaneModel::PerDirection => LaneModel::SharedPhysicalRoad,
        LaneModel::SharedPhysicalRoad => LaneModel::PerDirection,
    };
    Scenario { lane_model, ..scenario.clone() }
}

/// Where printed rows go.
struct Rows {
    log: Option<std::fs::File>,
    /// Those of the replication that is animated.
    kept: Vec<u8>,
}

impl Rows {
    fn write(&mut self, directory: &OutDir, rows: &[u8]) -> Result<(), StudyError> {
        match &mut self.log {
            Some(log) => log.write_all(rows).map_err(|source| directory.cannot_write("event_log.csv", source)),
            None => Ok(()),
        }
    }
}

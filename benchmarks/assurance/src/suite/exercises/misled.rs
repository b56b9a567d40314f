//! A worker whose orders are changed on their way, under the eyes of the detector.
//!
//! The method means one thing and the worker is told another, as somebody on the wire would have it. The detector sees what was
//! asked and what is seen of the workers, and nothing else.

use super::Grounds;
use super::campaigns::lookup;
use crate::AssuranceError;
use crate::suite::defences::DETECTOR;
use crate::suite::model::Expected;
use crate::suite::trial::{Came, Trial};
use labtrust_bench::{BenchmarkRun, Cast, Directing, Direction, RunLogs};
use labtrust_coordination::core::watch::{Terms, Watched};
use labtrust_kernel::ClockMode;
use labtrust_plugin::method::{CoordinationMethod, Coordinator, Tally};
use labtrust_plugin::wire::{Act, Choice, Decision, Observation, Problem, Settings, Site};
use serde_json::{Map, Value};

/// Seeds, each attacked and clean [count].
const SEEDS: u64 = 5;
/// Of so many seeds the misled worker has to be the one whom there is an alarm about.
const FOUND: u64 = 4;
/// Whoever is contained stays so; five false alarms in 1000 steps are allowed.
const TERMS: Terms = Terms { contained_steps: 10_000, ..Terms::with_budget(5) };
/// From when on orders are changed.
const FROM_STEP: u32 = 20;

/// A method whose orders to one worker are changed on their way.
struct Changed<'a> {
    method: &'a dyn CoordinationMethod,
    who: u16,
}

impl CoordinationMethod for Changed<'_> {
    fn id(&self) -> &str {
        self.method.id()
    }

    fn summary(&self) -> &str {
        self.method.summary()
    }

    fn params_schema(&self) -> String {
        self.method.params_schema()
    }

    fn create(&self, settings: &Settings, site: &Site) -> Result<Box<dyn Coordinator>, Problem> {
        let zones = u32::try_from(site.zones.len()).unwrap_or(u32::MAX).max(1);
        Ok(Box::new(OnTheWay { inner: self.method.create(settings, site)?, who: self.who, zones }))
    }
}

struct OnTheWay {
    inner: Box<dyn Coordinator>,
    who: u16,
    zones: u32,
}

impl Coordinator for OnTheWay {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        self.inner.decide(seen, out)?;
        if seen.step >= FROM_STEP {
            for choice in out.choices.iter_mut().filter(|choice| choice.agent == self.who) {
                *choice = Choice::new(self.who, Act::Move).object((seen.step * 5 + 3) % self.zones);
            }
        }
        Ok(())
    }

    fn tally(&self) -> Tally {
        self.inner.tally()
    }
}

fn metrics(grounds: &Grounds<'_>, method: &dyn CoordinationMethod, seed: u64) -> Result<Value, AssuranceError> {
    let (settings, facts) = (Settings::default(), Map::new());
    let direction = Direction { directing: Directing::Everybody, method, settings: &settings, facts: &facts };
    let groups = grounds.registry.metrics();
    let run = BenchmarkRun {
        task: grounds.registry.task("coord_scale").map_err(lookup)?,
        lab: grounds.bench.lab(),
        policy: &grounds.bench.policy,
        episodes: 1,
        base_seed: seed,
        timing: Some(ClockMode::Explicit),
        max_steps: None,
        strict_signatures: false,
        threads: Some(1),
        metrics: &groups,
        scale: None,
        cast: Cast { method: Some(direction), ..Cast::default() },
        git_sha: None,
    };
    let mut episodes = run.run(RunLogs::None, &|| ())?.results.episodes;
    let first = episodes.pop().map(|episode| serde_json::to_value(episode.metrics).unwrap_or_default());
    Ok(first.unwrap_or_default())
}

/// How many alarms there were, and how many about somebody.
fn alarms(metrics: &Value, who: u16) -> (u64, u64) {
    let detector = &metrics["coordination"]["detector"];
    let about = detector["alarms_by_agent"][who.to_string()].as_u64().unwrap_or_default();
    (detector["alarm_count"].as_u64().unwrap_or_default(), about)
}

/// The worker who has most to do.
fn busiest(metrics: &Value) -> Option<u16> {
    let acts = metrics["actions_by_agent"].as_object()?;
    let busiest = acts.iter().max_by_key(|(name, times)| (times.as_u64(), std::cmp::Reverse(*name)))?;
    busiest.0.rsplit('_').next()?.parse().ok()
}

/// The right worker in most of the attacked episodes, and nobody in more clean ones than the budget allows.
pub(super) fn detector(grounds: &Grounds<'_>) -> Result<Trial, AssuranceError> {
    let method = grounds.registry.coordination_method("kernel_centralized_edf").map_err(lookup)?;
    let watched = Watched::new(method, TERMS);
    let (mut false_alarms, mut steps) = (0_u64, 0);
    let mut aims = Vec::new();
    for seed in grounds.seed..grounds.seed + SEEDS {
        let clean = metrics(grounds, &watched, seed)?;
        false_alarms = clean["coordination"]["detector"]["alarm_count"]
            .as_u64()
            .map_or(u64::MAX, |count| count.saturating_add(false_alarms));
        steps += clean["coordination"]["method"]["decisions"].as_u64().unwrap_or_default();
        aims.push((seed, busiest(&clean)));
    }
    let courses = grounds.courses(|defences| {
        let stands = defences.has(DETECTOR);
        let (mut arrived, mut found) = (0, 0);
        for &(seed, who) in &aims {
            let Some(who) = who else { continue };
            let under: &dyn CoordinationMethod = if stands { &watched } else { method };
            let attacked = metrics(grounds, &Changed { method: under, who }, seed)?;
            arrived += 1;
            found += u64::from(alarms(&attacked, who).1 > 0);
        }
        Ok(match (arrived == SEEDS, found >= FOUND) {
            (false, _) => Came::default(),
            (true, true) => Came::stopped("detector", "SEC_INJ_CONTAINMENT_TRIGGERED"),
            (true, false) => Came::passed(),
        })
    })?;
    let budget = u64::from(TERMS.budget.alarms_per_1000_steps) * steps / 1000;
    Ok(Trial::each(Expected::Detected, courses, steps > 0 && false_alarms <= budget))
}

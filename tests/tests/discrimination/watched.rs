//! A watched method in the laboratory: honest people are left alone, one who does something else than asked is found.

use crate::episodes::{Size, measured};
use crate::{EXPLICIT, SIMULATED};
use labtrust_coordination::core::Driver;
use labtrust_coordination::core::watch::{Terms, Watched};
use labtrust_coordination::methods::kernel_centralized_edf::KernelCentralizedEdf;
use labtrust_plugin::method::{Compiled, CoordinationMethod, Coordinator, Tally};
use labtrust_plugin::wire::{Act, Choice, Decision, Observation, Problem, Settings, Site};
use serde_json::Value;

/// Whoever is contained stays so for longer than the rest of an episode.
const TERMS: Terms = Terms { contained_steps: 10_000, ..Terms::with_budget(5) };

static EDF: Compiled<Driver<KernelCentralizedEdf>> = Compiled::NEW;
static WATCHED: Watched<'static> = Watched::new(&EDF, TERMS);

/// Somebody who does not go where they are sent, and walks off when they should work, from a step on.
struct Astray {
    who: u16,
    from_step: u32,
}

impl CoordinationMethod for Astray {
    fn id(&self) -> &'static str {
        "astray"
    }

    fn summary(&self) -> &'static str {
        "one goes astray"
    }

    fn params_schema(&self) -> String {
        WATCHED.params_schema()
    }

    fn create(&self, settings: &Settings, site: &Site) -> Result<Box<dyn Coordinator>, Problem> {
        let at_work = WATCHED.create(settings, site)?;
        Ok(Box::new(GoingAstray { at_work, who: self.who, from_step: self.from_step, zones: site.zones.len() as u32 }))
    }
}

struct GoingAstray {
    at_work: Box<dyn Coordinator>,
    who: u16,
    from_step: u32,
    zones: u32,
}

impl Coordinator for GoingAstray {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        self.at_work.decide(seen, out)?;
        if seen.step >= self.from_step {
            for choice in out.choices.iter_mut().filter(|choice| choice.agent == self.who) {
                // Somewhere else, another place each time.
                *choice = Choice::new(self.who, Act::Move).object((seen.step * 5 + 3) % self.zones);
            }
        }
        Ok(())
    }

    fn tally(&self) -> Tally {
        self.at_work.tally()
    }
}

const SIZES: [Size; 3] = [
    Size { scale: Some("small_smoke"), timing: EXPLICIT, network: None },
    Size { scale: None, timing: EXPLICIT, network: None },
    Size { scale: None, timing: SIMULATED, network: None },
];

/// The alarms of an episode by agent, and its steps.
fn alarms(method: &dyn CoordinationMethod, size: Size, seed: u64) -> (Vec<(String, u64)>, u64) {
    let metrics = measured(method, size, seed);
    let coordination = &metrics["coordination"];
    let by_agent = coordination["detector"]["alarms_by_agent"].as_object().expect("it tells");
    let count = |value: &Value| value.as_u64().expect("it is a count");
    let alarms = by_agent.iter().map(|(agent, times)| (agent.clone(), count(times))).collect();
    (alarms, count(&coordination["method"]["decisions"]))
}

pub(crate) fn honest_people_are_left_alone() {
    for size in SIZES {
        let (mut false_alarms, mut steps) = (0, 0);
        for seed in 0..12 {
            let (alarms, of_episode) = alarms(&WATCHED, size, seed);
            false_alarms += alarms.iter().map(|(_, times)| times).sum::<u64>();
            steps += of_episode;
        }
        let budget = u64::from(TERMS.budget.alarms_per_1000_steps) * steps / 1000;
        assert!(false_alarms <= budget, "{}: {false_alarms} false alarms in {steps} steps", size.name());
    }
}

pub(crate) fn who_goes_astray_is_found_and_contained() {
    let size = SIZES[1];
    let mut found = 0;
    let seeds = 12;
    for seed in 0..seeds {
        // Somebody who has much to do.
        let honest = measured(&WATCHED, size, seed);
        let acts = honest["actions_by_agent"].as_object().expect("it is a map");
        let busiest = acts.iter().max_by_key(|(_, times)| times.as_u64()).expect("somebody acts");
        let who: u16 = busiest.0.rsplit('_').next().and_then(|number| number.parse().ok()).expect("worker_N");
        let (alarms, _) = alarms(&Astray { who, from_step: 20 }, size, seed);
        let astray = alarms.iter().find(|(agent, _)| *agent == who.to_string());
        found += u32::from(astray.is_some());
        if astray.is_some() {
            let contained = measured(&Astray { who, from_step: 20 }, size, seed);
            let held_back = contained["coordination"]["detector"]["held_back_count"].as_u64().expect("it is a count");
            let still = contained["actions_by_agent"][busiest.0].as_u64().expect("it is a count");
            assert!(held_back > 0, "seed {seed}: they would have been asked for more");
            assert!(still < busiest.1.as_u64().expect("it is a count"), "seed {seed}: they do nothing any more");
        }
    }
    assert!(found * 10 >= seeds as u32 * 8, "{found} of {seeds} are found");
}

//! Episodes that a method directs, recorded as the bytes of the contract.

use labtrust_bench::direction::{Directing, Direction};
use labtrust_bench::{Cast, EpisodeSetup, run_episode};
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::LoadedLab;
use labtrust_plugin::method::{CoordinationMethod, Coordinator};
use labtrust_plugin::wire::{Act, Create, DecideReply, Decision, Observation, Problem, Settings, Site, encode};
use labtrust_plugin::{Plugin, Registry, Task};
use labtrust_policy::PolicyStore;
use serde_json::Map;
use std::sync::{Arc, LazyLock, Mutex};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| labtrust_builtin::registry().expect("ids are unique"));
static LAB: LazyLock<Arc<dyn LoadedLab>> = LazyLock::new(|| {
    let domain = REGISTRY.lab_domain("hospital_lab").expect("it is compiled in");
    domain.load(&PolicyStore::builtin()).expect("the built-in policy loads")
});

/// What was said in one episode, and what came of it.
#[derive(Default)]
pub(crate) struct Recording {
    /// Bytes of the message that begins it.
    pub(crate) create: Vec<u8>,
    /// Bytes of each observation, and of the method's answer.
    pub(crate) steps: Vec<(Vec<u8>, Vec<u8>)>,
    /// Steps in which somebody was told to do something [count].
    pub(crate) busy_steps: usize,
    /// Reasons for which something was refused that the method asked for.
    pub(crate) refused: Vec<String>,
    /// Results released [count].
    pub(crate) released: u64,
    /// Most that could be released [count].
    pub(crate) bound: u64,
}

/// Every task.
pub(crate) fn tasks() -> impl Iterator<Item = &'static dyn Task> {
    REGISTRY.entries().iter().filter_map(|entry| match entry.plugin {
        Plugin::Task(task) => Some(task),
        _ => None,
    })
}

/// An episode of a task, directed by a method; attackers act as ever.
pub(crate) fn record(task: &dyn Task, timing: ClockMode, seed: u64, method: &dyn CoordinationMethod) -> Recording {
    let spec = task.spec();
    let tape = Tape { method, recording: Arc::default() };
    let (settings, facts) = (Settings::default(), Map::new());
    let direction = Direction { directing: Directing::Everybody, method: &tape, settings: &settings, facts: &facts };
    let setup = EpisodeSetup {
        task,
        seed,
        max_steps: if timing == ClockMode::Simulated { spec.max_steps_simulated } else { spec.max_steps },
        timing,
        strict_signatures: false,
        calibration: None,
        metrics: &REGISTRY.metrics(),
        cast: Cast { method: Some(direction), ..Cast::default() },
    };
    let outcome = run_episode(LAB.engine().as_mut(), &setup, None).expect("the episode runs");
    let mut recording = std::mem::take(&mut *tape.recording.lock().expect("nobody panicked"));
    recording.released = outcome.throughput;
    recording.bound = outcome.metrics["throughput_bound"].as_u64().expect("this laboratory has a bound");
    assert_eq!(outcome.metrics["coordination"]["method"]["failures"], 0, "{}: {:?}", task.id(), outcome.metrics);
    recording
}

/// A method that writes down all that is said.
struct Tape<'a> {
    method: &'a dyn CoordinationMethod,
    recording: Arc<Mutex<Recording>>,
}

impl CoordinationMethod for Tape<'_> {
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
        let create = Create { settings: settings.clone(), site: site.clone() };
        self.recording.lock().expect("nobody panicked").create = encode(&create);
        let at_work = self.method.create(settings, site)?;
        Ok(Box::new(Running { at_work, site: site.clone(), recording: Arc::clone(&self.recording) }))
    }
}

struct Running {
    at_work: Box<dyn Coordinator>,
    site: Site,
    recording: Arc<Mutex<Recording>>,
}

impl Coordinator for Running {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        self.at_work.decide(seen, out)?;
        let mut recording = self.recording.lock().expect("nobody panicked");
        recording.busy_steps += usize::from(out.choices.iter().any(|choice| choice.act != Act::Noop));
        recording.steps.push((encode(seen), encode(&DecideReply::Ok(out.clone()))));
        let ours = seen.agents.refused.iter().filter(|(agent, _)| self.site.agents[usize::from(*agent)].directed);
        recording.refused.extend(ours.map(|(_, reason)| reason.clone()));
        Ok(())
    }
}

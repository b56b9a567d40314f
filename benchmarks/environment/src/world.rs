//! What all episodes of one kind have in common.

use crate::EnvironmentError;
use crate::reward::Weights;
use labtrust_bench::log::{EpisodeLog, LogContext};
use labtrust_bench::results::PolicyFacts;
use labtrust_bench::{BenchError, Cast, Episode, EpisodeSetup, timing_of};
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::contract::ActionSpace;
use labtrust_plugin::lab::contract::vector::Layout;
use labtrust_plugin::lab::{LabEngine, LoadedLab};
use labtrust_plugin::metric::Metric;
use labtrust_plugin::{AgentSet, Injection, Task, Terms as InjectionTerms};
use labtrust_policy::PolicyStore;
use std::sync::Arc;

/// What an environment is asked for.
pub struct Terms {
    /// The task.
    pub task: &'static dyn Task,
    /// Its size, where it has several; its own when absent.
    pub scale: Option<String>,
    /// Who moves time; the task's choice when absent.
    pub timing: Option<ClockMode>,
    /// Steps of an episode [count]; the task's choice when absent.
    pub max_steps: Option<u32>,
    /// Require signatures even where the task does not.
    pub strict_signatures: bool,
    /// Seats that are played from outside; all but attackers' when absent.
    pub seats: Option<Vec<String>>,
    /// Who sits in the other seats; the task's own agents when absent.
    pub crew: Option<&'static dyn AgentSet>,
    /// What disturbs the episodes.
    pub injection: Option<&'static dyn Injection>,
    /// Rewards by their published names, in place of the task's.
    pub rewards: Vec<(String, f64)>,
    /// Actions and observations.
    pub space: ActionSpace,
    /// What episodes are measured by; nothing where the list is empty.
    pub metrics: Vec<&'static dyn Metric>,
    /// Whether events go on record. Where not, there is neither chain nor log, and nobody could check the episode.
    pub recorded: bool,
    /// Whether the log is kept in memory.
    pub log: bool,
}

impl Terms {
    /// A task as it is, played by all of its seats, recorded and measured by nothing.
    #[must_use]
    pub fn of(task: &'static dyn Task) -> Self {
        Self {
            task,
            scale: None,
            timing: None,
            max_steps: None,
            strict_signatures: false,
            seats: None,
            crew: None,
            injection: None,
            rewards: Vec::new(),
            space: ActionSpace::V02,
            metrics: Vec::new(),
            recorded: true,
            log: false,
        }
    }
}

/// What all episodes of one kind have in common. Environments share it.
pub struct World {
    policy: PolicyStore,
    lab: Arc<dyn LoadedLab>,
    terms: Terms,
    bound_task: Option<Box<dyn Task>>,
    bound_injection: Option<Box<dyn Injection>>,
    timing: ClockMode,
    max_steps: u32,
    weights: Weights,
    log: Option<Arc<LogContext>>,
    names: Vec<String>,
    seats: Vec<usize>,
    layout: Layout,
}

impl World {
    /// Looks at an episode of seed 0, to know who is there and what there is to see.
    ///
    /// # Errors
    /// [`EnvironmentError`] where the terms contradict the task, the policy or each other.
    pub fn open(policy: PolicyStore, lab: Arc<dyn LoadedLab>, terms: Terms) -> Result<Self, EnvironmentError> {
        let bound_task = terms.task.bind(&policy, terms.scale.as_deref()).map_err(BenchError::from)?;
        let task = bound_task.as_deref().unwrap_or(terms.task);
        let name = || task.id().to_owned();
        if task.sites().is_some() {
            return Err(EnvironmentError::ManySites { task: name() });
        }
        if terms.log && !terms.recorded {
            return Err(EnvironmentError::UnrecordedLog);
        }
        if terms.injection.is_some() && !task.accepts_injections() {
            return Err(BenchError::NoInjections { task: name() }.into());
        }
        let timing = timing_of(task, terms.timing)?;
        let max_steps = terms.max_steps.unwrap_or(task.spec().steps(timing == ClockMode::Simulated));
        if max_steps == 0 {
            return Err(BenchError::NoSteps.into());
        }
        let weights = Weights::default().with(task.spec().reward_config.iter().copied())?;
        let weights = weights.with(terms.rewards.iter().map(|(name, value)| (name.as_str(), *value)))?;
        let no_controls_less = InjectionTerms { ablated: Vec::new() };
        let bound_injection =
            terms.injection.map(|injection| injection.bind(&policy, &no_controls_less)).transpose()?.flatten();
        let facts = PolicyFacts::of(&policy)?;
        let context = LogContext { partner_id: facts.partner_id, policy_fingerprint: facts.fingerprint };
        let log = terms.log.then(|| Arc::new(context));
        let layout = Layout::of(&labtrust_plugin::lab::WorldView::default(), terms.space);
        let mut world = Self {
            policy,
            lab,
            bound_task,
            bound_injection,
            timing,
            max_steps,
            weights,
            log,
            names: Vec::new(),
            seats: Vec::new(),
            layout,
            terms,
        };
        let mut engine = world.engine();
        let episode = world.episode(&mut *engine, 0, 0)?;
        world.layout = Layout::of(episode.view(), world.terms.space);
        (world.names, world.seats) = world.played(&episode, &*engine)?;
        Ok(world)
    }

    /// Names of the agents that are played from outside, in the order in which they act.
    #[must_use]
    pub fn agents(&self) -> &[String] {
        &self.names
    }

    /// Which number of an observation is what.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Actions that an agent chooses from [count].
    #[must_use]
    pub fn actions(&self) -> usize {
        self.terms.space.len()
    }

    /// Steps of an episode [count].
    #[must_use]
    pub fn max_steps(&self) -> u32 {
        self.max_steps
    }

    /// Simulated seconds a step [s].
    #[must_use]
    pub fn dt_s(&self) -> u32 {
        self.task().spec().dt_s
    }

    /// The task, at its size.
    #[must_use]
    pub fn task(&self) -> &dyn Task {
        self.bound_task.as_deref().unwrap_or(self.terms.task)
    }

    /// Who moves time.
    #[must_use]
    pub fn timing(&self) -> ClockMode {
        self.timing
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &PolicyStore {
        &self.policy
    }

    pub(crate) fn space(&self) -> ActionSpace {
        self.terms.space
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Their seats in the episode.
    pub(crate) fn seats(&self) -> &[usize] {
        &self.seats
    }

    pub(crate) fn is_measured(&self) -> bool {
        !self.terms.metrics.is_empty()
    }

    pub(crate) fn engine(&self) -> Box<dyn LabEngine> {
        self.lab.engine()
    }

    /// Opens the episode of a seed, the `number`-th of its log.
    pub(crate) fn episode(
        &self,
        engine: &mut dyn LabEngine,
        seed: u64,
        number: u64,
    ) -> Result<Episode, EnvironmentError> {
        let cast = Cast {
            agents: self.terms.crew.map(|set| set as &dyn AgentSet),
            injection: self.bound_injection.as_deref().or(self.terms.injection.map(|one| one as &dyn Injection)),
            ..Cast::default()
        };
        let setup = EpisodeSetup {
            task: self.task(),
            seed,
            max_steps: self.max_steps,
            timing: self.timing,
            strict_signatures: self.terms.strict_signatures,
            calibration: self.policy.calibration().and_then(serde_json::Value::as_object),
            metrics: &self.terms.metrics,
            cast,
        };
        let log = self.log.as_ref().map(|context| EpisodeLog::new(Arc::clone(context), number));
        let episode = Episode::open(engine, &setup, log, true)?;
        if !self.terms.recorded {
            engine.go_unrecorded();
        }
        Ok(episode)
    }

    /// The seats that are played from outside, by name and by number.
    fn played(&self, episode: &Episode, engine: &dyn LabEngine) -> Result<(Vec<String>, Vec<usize>), EnvironmentError> {
        let name = |seat: usize| engine.symbols().text(episode.seats()[seat].name).to_owned();
        let honest: Vec<usize> = (0..episode.seats().len()).filter(|&seat| !episode.seats()[seat].attacker).collect();
        let all: Vec<String> = honest.iter().map(|&seat| name(seat)).collect();
        let seats = match &self.terms.seats {
            None => honest,
            Some(asked) => {
                if let Some(seat) = asked.iter().find(|asked| !all.contains(asked)) {
                    let (task, seat) = (self.task().id().to_owned(), seat.clone());
                    return Err(EnvironmentError::NoSeat { task, seat, seats: all });
                }
                honest.into_iter().filter(|&seat| asked.contains(&name(seat))).collect()
            }
        };
        if seats.is_empty() {
            return Err(EnvironmentError::NoAgents);
        }
        Ok((seats.iter().map(|&seat| name(seat)).collect(), seats))
    }

    /// Whether an episode has the seats and the floor that all of them have.
    pub(crate) fn fits(&self, episode: &Episode, engine: &dyn LabEngine) -> bool {
        let named = |(&seat, name): (&usize, &String)| {
            episode.seats().get(seat).is_some_and(|facts| engine.symbols().text(facts.name) == name)
        };
        self.seats.iter().zip(&self.names).all(named) && Layout::of(episode.view(), self.terms.space) == self.layout
    }
}

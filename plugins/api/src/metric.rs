//! What an episode is measured by.
//!
//! A [`Metric`] is a plugin: a group of figures that one [`Meter`] takes in an episode. Every figure is described by a
//! [`MetricSpec`]; the reference of the documentation is made from these, and a figure that no spec names is a bug. A
//! meter sees the steps of the episode in the order of the record, those of the laboratory itself included, so that
//! what it says can be recomputed from the log.

use crate::lab::{StepFacts, Symbol, Symbols, TimingSummary, WorldView};
use labtrust_contract::Metrics;
use labtrust_kernel::ClockMode;
use serde_json::{Map, Value};

/// When a figure is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// In every episode; `null` where there is nothing to divide by.
    Always,
    /// In simulated timing.
    Simulated,
    /// In tasks with an attack.
    Attack,
}

impl When {
    /// In words, for tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Simulated => "simulated timing",
            Self::Attack => "attack tasks",
        }
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Neither: it describes.
    Neither,
}

impl Better {
    /// In a word, for tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Neither => "–",
        }
    }
}

/// Where the spread of a figure over episodes comes from (Der Kiureghian & Ditlevsen 2009).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncertainty {
    /// From the world: arrivals, service times, failures. More episodes narrow the interval of the mean only.
    Aleatoric,
    /// From what a model does not know. A better model would have less of it.
    Epistemic,
}

impl Uncertainty {
    /// The word of the published mapping.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aleatoric => "aleatoric",
            Self::Epistemic => "epistemic",
        }
    }
}

/// The exact definition of one figure.
#[derive(Clone, Copy, Debug)]
pub struct MetricSpec {
    /// Its key in the results.
    pub name: &'static str,
    /// Its unit; 1 for a share, `flag` for true or false.
    pub unit: &'static str,
    /// The formula, in words.
    pub formula: &'static str,
    /// When it is there.
    pub when: When,
    /// Which way is better.
    pub better: Better,
    /// Where its spread comes from.
    pub uncertainty: Uncertainty,
}

impl MetricSpec {
    /// A figure that describes, always there, with the spread of the world.
    #[must_use]
    pub const fn new(name: &'static str, unit: &'static str, formula: &'static str) -> Self {
        let (when, better, uncertainty) = (When::Always, Better::Neither, Uncertainty::Aleatoric);
        Self { name, unit, formula, when, better, uncertainty }
    }

    /// More is better.
    #[must_use]
    pub const fn higher(mut self) -> Self {
        self.better = Better::Higher;
        self
    }

    /// Less is better.
    #[must_use]
    pub const fn lower(mut self) -> Self {
        self.better = Better::Lower;
        self
    }

    /// It is there only then.
    #[must_use]
    pub const fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }
}

/// An agent of an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatFacts {
    /// Its id in the engine.
    pub agent: Symbol,
    /// Its name on the environment's side.
    pub name: Symbol,
    /// Whether it attacks.
    pub attacker: bool,
}

/// The facts of an episode that its steps do not tell.
#[derive(Clone, Debug)]
pub struct EpisodeFacts {
    /// Turnaround that counts as on time [s].
    pub sla_turnaround_s: Option<u32>,
    /// Step at which the attack begins, where there is one.
    pub attack_start_step: Option<u32>,
    /// Timing of the episode.
    pub timing: ClockMode,
    /// End of the episode [s].
    pub horizon_s: i64,
    /// Steps of the episode [count].
    pub steps: u32,
    /// Most specimens that any crew could release ([`LabEngine::most_releasable`](crate::lab::LabEngine)), where there
    /// is such a bound [count].
    pub most_releasable: Option<u32>,
    /// Who acts, in the order within a step.
    pub seats: Vec<SeatFacts>,
}

/// What there is when an episode begins.
pub struct EpisodeStart<'a> {
    /// The facts.
    pub facts: &'a EpisodeFacts,
    /// The initial state.
    pub state: &'a Map<String, Value>,
    /// The interner.
    pub symbols: &'a mut Symbols,
}

/// One step of the record.
#[derive(Clone, Copy)]
pub struct MeterStep<'a> {
    /// What happened.
    pub facts: &'a StepFacts<'a>,
    /// The step of the episode it belongs to, from 0.
    pub step: u32,
    /// Whether an attacker acted.
    pub attacker: bool,
}

/// What there is when an episode has ended.
pub struct EpisodeEnd<'a> {
    /// The facts.
    pub facts: &'a EpisodeFacts,
    /// Times of the episode.
    pub timing: &'a TimingSummary,
    /// The interner.
    pub symbols: &'a Symbols,
}

/// Takes the figures of one metric in one episode.
pub trait Meter: Send {
    /// A step of the record, in its order.
    fn on_step(&mut self, _step: MeterStep<'_>) {}

    /// The snapshot that the agents of a step decide on.
    fn on_snapshot(&mut self, _view: &WorldView, _symbols: &Symbols) {}

    /// Writes the figures: every one of the metric's specs that applies, `null` where it is not defined, nothing else.
    fn finish(&mut self, end: &EpisodeEnd<'_>, out: &mut Metrics);
}

/// A group of figures, registered under one id.
pub trait Metric: Send + Sync {
    /// The id of the group.
    fn id(&self) -> &'static str;

    /// The figures. No two metrics of a program have one name.
    fn specs(&self) -> &'static [MetricSpec];

    /// Begins to measure an episode.
    fn meter(&self, start: &mut EpisodeStart<'_>) -> Box<dyn Meter>;
}

//! What an agent-step costs, and how that grows with the number of agents.
//!
//! An agent-step is one agent advanced one step: the laboratory's events, the observation, the method's decision and the
//! agent's action, whether it acts, walks or waits. Opening the laboratories is not part of it. Everything that is
//! written down is a function of the seed but the times and the memory.

mod fit;
mod plot;

pub use fit::{Growth, growth};
pub use plot::plot;

use crate::BenchError;
use crate::direction::Direction;
use crate::episode::{Cast, EpisodeSetup};
use crate::run::timing_of;
use crate::sites::{Manner, SitesAtWork};
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::LoadedLab;
use labtrust_plugin::{Referrals, Sites, Task};
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// What looks at the machine while a scale is measured.
#[derive(Clone, Copy)]
pub struct Probe<'a> {
    /// Processor time of this process so far, of all threads.
    pub processor: &'a dyn Fn() -> Duration,
    /// Memory that the process has now, and the most that it ever had [bytes]; `None` where the system does not tell.
    pub memory: &'a dyn Fn() -> Option<(u64, u64)>,
}

/// A task at one scale under one method, to be measured.
#[derive(Clone, Copy)]
pub struct Sizing<'a> {
    /// The task, bound to the scale.
    pub task: &'a dyn Task,
    /// The laboratory.
    pub lab: &'a dyn LoadedLab,
    /// The method.
    pub direction: Direction<'a>,
    /// The scale's id.
    pub scale: &'a str,
    /// Steps [count]; the scale's own when absent.
    pub steps: Option<u32>,
    /// The episode's seed.
    pub seed: u64,
    /// Whether events go on record.
    pub recorded: bool,
    /// Least processor time of a measurement [ms]: small scales are repeated.
    pub least_ms: u64,
}

/// What was measured at a scale.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The method.
    pub method: String,
    /// The scale.
    pub scale: String,
    /// Whether events went on record.
    pub chain: bool,
    /// Agents [count].
    pub agents: u64,
    /// Laboratories [count].
    pub sites: u64,
    /// Steps of an episode [count].
    pub steps: u32,
    /// Events of agents over agent-steps [1].
    pub acting_share: f64,
    /// Agent-steps in which the agent walks at the moment of the decision, over all [1].
    pub walking_share: f64,
    /// Specimens with a released result [count].
    pub completed: u64,
    /// The same over the laboratories.
    pub completed_per_site: f64,
    /// Head of the episode: the same for every run of these sizes; empty without record.
    pub head: String,
    /// Processor time of an agent-step [ns].
    pub ns_per_agent_step: f64,
    /// What the process grew by over the agents [bytes]; none where the system does not tell, or where it had been larger.
    pub bytes_per_agent: Option<f64>,
}

/// One laboratory as an episode of sites.
struct Single<'a>(&'a dyn Task);

impl Sites for Single<'_> {
    fn count(&self) -> u32 {
        1
    }
    fn common(&self) -> Map<String, Value> {
        Map::new()
    }
    fn own(&self, seed: u64) -> Map<String, Value> {
        self.0.initial_state(seed, None)
    }
    fn referrals(&self) -> Referrals {
        Referrals { per_mille: 0, transport_s: u32::MAX }
    }
}

/// Measures one scale.
///
/// # Errors
/// [`BenchError::NoSteps`], and why an episode could not be opened.
#[expect(clippy::cast_precision_loss, reason = "agent-steps and nanoseconds are far below 2^53")]
pub fn measure(sizing: &Sizing<'_>, probe: Probe<'_>) -> Result<Measured, BenchError> {
    let Sizing { task, direction, recorded, .. } = *sizing;
    let timing = timing_of(task, None)?;
    let max_steps = sizing.steps.unwrap_or(task.spec().steps(timing == ClockMode::Simulated));
    if max_steps == 0 {
        return Err(BenchError::NoSteps);
    }
    let cast = Cast { method: Some(direction), ..Cast::default() };
    let single = Single(task);
    let sites = task.sites().unwrap_or(&single);
    let setup = EpisodeSetup {
        task,
        seed: sizing.seed,
        max_steps,
        timing,
        strict_signatures: false,
        calibration: None,
        metrics: &[],
        cast,
    };
    let (mut spent, mut agent_steps, mut bytes) = (Duration::ZERO, 0, None);
    let (outcome, agents) = loop {
        let before = (probe.memory)();
        let mut at_work = SitesAtWork::open(sizing.lab, &setup, sites, Manner { recorded, at_rest: None })?;
        let begun = (probe.processor)();
        while at_work.advance() {}
        spent += (probe.processor)().saturating_sub(begun);
        let agents = at_work.agents();
        agent_steps += agents * u64::from(max_steps);
        // Only where this was the process's largest moment is the peak its own.
        let grown = |((now, most_before), (_, most)): ((u64, u64), (u64, u64))| {
            (most > most_before).then(|| most.saturating_sub(now) as f64 / agents as f64)
        };
        bytes = bytes.or(before.zip((probe.memory)()).and_then(grown));
        let outcome = at_work.finish();
        if spent >= Duration::from_millis(sizing.least_ms) {
            break (outcome, agents);
        }
    };
    let of = |name: &str| outcome.metrics.get("sites").and_then(|sites| sites[name].as_f64()).unwrap_or(0.0);
    Ok(Measured {
        method: direction.method.id().to_owned(),
        scale: sizing.scale.to_owned(),
        chain: recorded,
        agents,
        sites: u64::from(sites.count()),
        steps: max_steps,
        acting_share: of("acting_share"),
        walking_share: of("walking_share"),
        completed: outcome.throughput,
        completed_per_site: outcome.throughput as f64 / f64::from(sites.count()),
        head: if recorded { outcome.chain_head } else { String::new() },
        ns_per_agent_step: spent.as_nanos() as f64 / agent_steps as f64,
        bytes_per_agent: bytes,
    })
}

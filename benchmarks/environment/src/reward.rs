//! What a step is worth.
//!
//! Every agent gets `throughput_reward` for each result that was released and loses `violation_penalty` for each broken
//! invariant and `blocked_penalty` for each refused action of the crew; who had a run queued gets `schedule_reward` for
//! it. Parts add up. What attackers are refused costs the crew nothing.

use labtrust_plugin::lab::{ActionKind, EventId, Observer, StepFacts, Symbol};

/// What each part is worth; those of a task are in its `reward_config`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weights {
    /// For every result that is released, to every agent.
    pub throughput: f64,
    /// For every run that is queued, to the agent who did.
    pub schedule: f64,
    /// Taken from every agent for every broken invariant.
    pub violation: f64,
    /// Taken from every agent for every action of the crew that is refused.
    pub blocked: f64,
}

/// A part of the reward that there is not.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "unknown reward {0}; there are throughput_reward, schedule_reward, violation_penalty and blocked_penalty, finite numbers"
)]
pub struct UnknownWeight(pub String);

impl Weights {
    /// Sets parts by their published names.
    ///
    /// # Errors
    /// [`UnknownWeight`] for another name, or for a number that is not finite.
    pub fn with<'a>(mut self, parts: impl IntoIterator<Item = (&'a str, f64)>) -> Result<Self, UnknownWeight> {
        for (name, value) in parts {
            let part = match name {
                "throughput_reward" => &mut self.throughput,
                "schedule_reward" => &mut self.schedule,
                "violation_penalty" => &mut self.violation,
                "blocked_penalty" => &mut self.blocked,
                _ => return Err(UnknownWeight(name.to_owned())),
            };
            if !value.is_finite() {
                return Err(UnknownWeight(format!("{name} = {value}")));
            }
            *part = value;
        }
        Ok(self)
    }
}

/// What happened in a step, as far as it is worth something.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Results released [count].
    pub(crate) released: u32,
    /// Invariants broken [count].
    pub(crate) violations: u32,
    /// Actions of the crew refused [count].
    pub(crate) blocked: u32,
    /// Who had a run queued, once for each.
    queued: Vec<Symbol>,
    /// Those whose refusals do not count.
    attackers: Vec<Symbol>,
}

impl Tally {
    /// Begins an episode.
    pub(crate) fn new(attackers: Vec<Symbol>) -> Self {
        Self { attackers, ..Self::default() }
    }

    /// Begins a step.
    pub(crate) fn clear(&mut self) {
        (self.released, self.violations, self.blocked) = (0, 0, 0);
        self.queued.clear();
    }

    /// What the step is worth for an agent.
    pub(crate) fn reward(&self, weights: &Weights, agent: Symbol) -> f64 {
        let queued = self.queued.iter().filter(|&&who| who == agent).count();
        weights.throughput * f64::from(self.released) + weights.schedule * queued as f64
            - weights.violation * f64::from(self.violations)
            - weights.blocked * f64::from(self.blocked)
    }
}

impl Observer for Tally {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        let outcome = facts.outcome;
        self.violations += u32::try_from(outcome.violations().count()).unwrap_or(u32::MAX);
        let Some(action) = facts.action else { return };
        if outcome.accepted {
            match action.decision.kind {
                // The laboratory releases a result once only.
                ActionKind::ReleaseResult | ActionKind::ReleaseResultOverride => self.released += 1,
                ActionKind::QueueRun => self.queued.push(action.agent),
                _ => {}
            }
        } else if !matches!(action.event_id, EventId::System(_)) && !self.attackers.contains(&action.agent) {
            self.blocked += 1;
        }
    }
}

//! What a step is worth.
//!
//! Every agent gets `throughput_reward` for each specimen that has a result released and loses `violation_penalty` for each
//! broken invariant and `blocked_penalty` for each refused action of the crew; who has a specimen queued gets
//! `schedule_reward` for it. Parts add up. What attackers are refused costs the crew nothing.
//!
//! A specimen pays once. A learner that was paid by the result held results, had them run again without need, and
//! released four a specimen.

use labtrust_plugin::lab::{ActionKind, EventId, Observer, StepFacts, Symbol};

/// What each part is worth; those of a task are in its `reward_config`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weights {
    /// For every specimen whose first result is released, to every agent.
    pub throughput: f64,
    /// For every specimen that is queued for its first run, to the agent who did.
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
    /// Specimens that had their first result released [count].
    pub(crate) released: u32,
    /// Invariants broken [count].
    pub(crate) violations: u32,
    /// Actions of the crew refused [count].
    pub(crate) blocked: u32,
    /// Who had a specimen queued, once for each.
    queued: Vec<Symbol>,
    /// Specimens that were queued before, in this episode.
    once_queued: Vec<Symbol>,
    /// Specimens that have a released result.
    served: Vec<Symbol>,
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
                ActionKind::ReleaseResult | ActionKind::ReleaseResultOverride => {
                    for &specimen in &outcome.specimens {
                        self.released += u32::from(is_new(&mut self.served, specimen));
                    }
                }
                ActionKind::QueueRun => {
                    for &specimen in &outcome.specimens {
                        if is_new(&mut self.once_queued, specimen) {
                            self.queued.push(action.agent);
                        }
                    }
                }
                _ => {}
            }
        } else if !matches!(action.event_id, EventId::System(_)) && !self.attackers.contains(&action.agent) {
            self.blocked += 1;
        }
    }
}

/// Whether something is seen for the first time. There are few of them in an episode.
fn is_new(seen: &mut Vec<Symbol>, what: Symbol) -> bool {
    let new = !seen.contains(&what);
    if new {
        seen.push(what);
    }
    new
}

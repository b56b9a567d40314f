//! Response thresholds: everybody decides alone whether a task calls loudly enough.
//!
//! **Class** swarm. **Cost** O(N K) a decision for K tasks (act and zone), and O(W) to hear them. **Core** the response
//! s^2 / (s^2 + theta^2) with learned thresholds; without it everybody answers any task with the same even chance.
//! **Source** Bonabeau, Theraulaz and Deneubourg (1996); Theraulaz, Bonabeau and Deneubourg (1998) for the learning.
//!
//! The stimulus s of a task grows with the work that waits and with its age, weighs urgent work more, and fades with
//! the walk. Who does a task answers it the sooner the next time, who does not the later: specialists grow. What
//! somebody has taken calls no longer: an occupied device repels. Nobody plans for anybody else.

use crate::core::{Core, Floor, Job, NO_WAY, Plan, Rule, Step, draws, greedy};
use labtrust_kernel::Stream;
use labtrust_plugin::method::MethodCard;
use labtrust_plugin::wire::{Act, Priority, Problem};
use std::collections::BTreeMap;

/// Chances are in parts of this.
const WHOLE: u64 = 1_000_000;
/// Thresholds stay between these.
const LEAST: i64 = 1;
const MOST: i64 = 40;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With the response to stimuli, or without: "on" or "off".
        core: String = "on";
        /// Threshold at the start [stimulus].
        theta: u32 = 10, 1..=40;
        /// By how much doing a task lowers its threshold [stimulus].
        learning: u32 = 4, 0..=100;
        /// By how much a step without it raises it [stimulus].
        forgetting: u32 = 1, 0..=100;
    }
}

/// The rule.
pub struct SwarmReactive {
    core: Core,
    theta: i64,
    learning: i64,
    forgetting: i64,
    /// Thresholds by agent and task.
    thresholds: BTreeMap<(u16, Task), i64>,
    draws: Stream,
}

/// An act in a zone.
type Task = (Act, u16);

labtrust_plugin::register_method!(crate::core::Driver<SwarmReactive>);

impl Rule for SwarmReactive {
    const ID: &'static str = "swarm_reactive";
    const SUMMARY: &'static str = "Response thresholds: each worker alone answers the tasks that call loudly enough.";
    const CARD: MethodCard = MethodCard {
        class: "swarm",
        complexity: "O(N K + W), K tasks by act and zone",
        source: "Bonabeau, Theraulaz and Deneubourg 1996; Theraulaz, Bonabeau and Deneubourg 1998",
        core: "the response s^2/(s^2+theta^2) with learned thresholds; off: an even chance for any task, near or far",
        envelope: "any size; robust, but a part of its answers comes late, and little work is answered slowly",
        uses_messages: false,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        Ok(Self {
            core: Core::read(&params.core)?,
            theta: i64::from(params.theta),
            learning: i64::from(params.learning),
            forgetting: i64::from(params.forgetting),
            thresholds: BTreeMap::new(),
            draws: draws::stream(floor, Self::ID, "response"),
        })
    }

    fn begin(&mut self, step: &Step<'_>) {
        for threshold in self.thresholds.values_mut() {
            *threshold = (*threshold + self.forgetting).min(MOST);
        }
        for outcome in step.memory.outcomes().iter().filter(|outcome| outcome.done) {
            let task = (outcome.agent, (outcome.about.0, outcome.zone));
            let threshold = self.thresholds.entry(task).or_insert(self.theta);
            *threshold = (*threshold - self.learning - self.forgetting).max(LEAST);
        }
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        let mut tasks: BTreeMap<Task, (usize, i64)> = BTreeMap::new();
        for (number, job) in step.jobs.iter().enumerate().filter(|(_, job)| step.is_ready(job)) {
            let task = tasks.entry((job.act, job.zone.unwrap_or(NO_WAY))).or_insert((number, 0));
            task.1 += loudness(step, job);
        }
        // The order of the list: what is nearer to a release is heard first.
        let mut tasks: Vec<(usize, Task, i64)> = tasks.into_iter().map(|(task, (first, s))| (first, task, s)).collect();
        tasks.sort_unstable();
        for number in greedy::by_ability(step) {
            let agent = step.workers[number].agent;
            for &(first, (act, zone), loudness) in &tasks {
                let Some(travel_s) = step.travel_s(&step.workers[number], &step.jobs[first]) else { continue };
                let chance = match self.core {
                    Core::On => {
                        let s = loudness / (1 + travel_s / step.floor.dt_s);
                        let at = if zone == NO_WAY { step.workers[number].zone } else { zone };
                        let theta = self.thresholds.get(&(agent, (act, at))).copied().unwrap_or(self.theta);
                        response(s, theta)
                    }
                    Core::Off => WHOLE / 2,
                };
                let same = |job: usize| {
                    let job = &step.jobs[job];
                    (job.act, job.zone.unwrap_or(NO_WAY)) == (act, zone)
                };
                if self.draws.below(WHOLE) < chance && greedy::take(step, plan, number, same) {
                    break;
                }
            }
        }
    }
}

/// How loudly a job calls: more the longer it waits, and the more urgent it is.
fn loudness(step: &Step<'_>, job: &Job) -> i64 {
    let weight = match job.priority {
        Priority::Stat => 4,
        Priority::Urgent => 2,
        Priority::Routine => 1,
    };
    let age_steps = (step.now_s().saturating_sub(job.since_s) / step.floor.dt_s).clamp(0, 100);
    weight * (20 + age_steps * 5)
}

/// s^2 / (s^2 + theta^2), in parts of [`WHOLE`].
fn response(s: i64, theta: i64) -> u64 {
    let (s, theta) = (s.clamp(0, 1_000_000) as u64, theta as u64);
    (s * s * WHOLE).checked_div(s * s + theta * theta).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_is_a_half_at_the_threshold_and_grows() {
        assert_eq!((response(0, 20), response(20, 20)), (0, WHOLE / 2));
        assert!(response(10, 20) < response(11, 20) && response(1_000_000, 1) > WHOLE * 99 / 100);
    }
}

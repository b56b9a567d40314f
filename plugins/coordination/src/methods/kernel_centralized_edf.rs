//! Earliest due date: the piece of work that is due soonest goes first, at every device and to everybody.
//!
//! **Class** centralized. **Cost** O(N log N + C W log W) a decision, C classes of workers by zone and role. **Core**
//! the order by due date, with STAT work put in front of everything once its slack is used up, and with priority that
//! grows as work waits; without it work is taken in no order. **Source** Jackson (1955); Liu and Layland (1973) for the
//! preemptive rule; aging as in Tanenbaum's priority schedulers.
//!
//! An item is due its slack after it arrived. STAT work has little slack; an item that has waited moves up one class of
//! priority for every `aging_steps_per_boost` steps, by two at most, and so to the slack of that class: nothing
//! starves.

use crate::core::{Core, Floor, Job, Plan, Rule, Step, draws, greedy};
use labtrust_kernel::Stream;
use labtrust_plugin::method::MethodCard;
use labtrust_plugin::wire::{Priority, Problem};

/// Put in front of everything [s].
const FRONT_S: i64 = 1_000_000_000;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With the order of due dates, or without: "on" or "off".
        core: String = "on";
        /// Slack of routine work [steps].
        deadline_slack_steps: u32 = 20, 1..=200;
        /// Slack of STAT work [steps].
        stat_slack_steps: u32 = 3, 1..=200;
        /// STAT work that is due within so many steps goes before everything [steps].
        preemption_sla_threshold: u32 = 5, 0..=200;
        /// How long work waits until it moves up one class of priority [steps].
        aging_steps_per_boost: u32 = 10, 1..=1000;
    }
}

/// The rule.
pub struct KernelCentralizedEdf {
    core: Core,
    slack_s: [i64; 3],
    threshold_s: i64,
    boost_s: i64,
    draws: Stream,
}

labtrust_plugin::register_method!(crate::core::Driver<KernelCentralizedEdf>);

impl Rule for KernelCentralizedEdf {
    const ID: &'static str = "kernel_centralized_edf";
    const SUMMARY: &'static str = "Earliest due date first, with preemptive insertion of STAT work and aging.";
    const CARD: MethodCard = MethodCard {
        class: "centralized",
        complexity: "O(W log W + N log N + C W log W), C classes of workers by zone and role",
        source: "Jackson 1955; Liu and Layland 1973",
        core: "the order by due date; off: work is taken in no order, by anybody who may",
        envelope: "one site of any size, where due dates can be kept; under overload it is late with everything",
        uses_messages: false,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let steps = |steps: u32| i64::from(steps) * floor.dt_s;
        let (stat_s, routine_s) = (steps(params.stat_slack_steps), steps(params.deadline_slack_steps));
        Ok(Self {
            core: Core::read(&params.core)?,
            slack_s: [stat_s, i64::midpoint(stat_s, routine_s), routine_s],
            threshold_s: steps(params.preemption_sla_threshold),
            boost_s: steps(params.aging_steps_per_boost),
            draws: draws::stream(floor, Self::ID, "random_winner"),
        })
    }

    fn urgency(&self, job: &Job, now_s: i64) -> i64 {
        let class = match job.priority {
            Priority::Stat => 0,
            Priority::Urgent => 1,
            Priority::Routine => 2,
        };
        let boosts = (now_s.saturating_sub(job.since_s) / self.boost_s).clamp(0, 2) as usize;
        let due_s = job.arrival_s.saturating_add(self.slack_s[2_usize.min(class).saturating_sub(boosts)]);
        let preempts = job.priority == Priority::Stat && due_s.saturating_sub(now_s) <= self.threshold_s;
        if preempts { due_s - FRONT_S } else { due_s }
    }

    fn due_s(&self, job: &Job) -> Option<i64> {
        Some(job.arrival_s.saturating_add(self.slack_s[job.priority as usize]))
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        match self.core {
            Core::On => greedy::allocate(step, plan),
            Core::Off => draws::random_winners(step, &mut self.draws, plan),
        }
    }
}

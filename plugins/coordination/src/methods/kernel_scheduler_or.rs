//! Scheduling over a rolling horizon: who does what in which order, for the next steps, at the least cost.
//!
//! **Class** centralized. **Cost** O(N W) for the start, then at most `budget` insertions a decision. **Core** the
//! search: a constructive start by apparent tardiness cost, then large neighbourhood search; without it a random worker
//! wins each job. **Source** Vepsalainen and Morton (1987) for the start; Shaw (1998) and Ropke and Pisinger (2006) for
//! the search.
//!
//! The cost is a weighted sum of tardiness, completion times (throughput), work past its due date (violation), walking
//! (coordination overhead) and unequal load (fairness), with the weights of the policy. Only the first job of
//! everybody's sequence is handed out; the next step plans anew.

mod instance;
#[cfg(test)]
mod oracle;
mod search;

use crate::core::{Core, Floor, Job, Plan, Rule, Step, draws};
use instance::{Instance, Item, Machine, Weights};
use labtrust_kernel::Stream;
use labtrust_plugin::method::MethodCard;
use labtrust_plugin::wire::{Priority, Problem};

pub use instance::{Schedule, cost_of};

/// Weights of jobs are in parts of this, so that age can break ties.
const SCALE: i64 = 100;
/// By how much a job must have waited longer to be worth more [s].
const AGE_S: i64 = 5;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With the search, or without: "on" or "off".
        core: String = "on";
        /// How far it plans [steps].
        horizon_steps: u32 = 15, 1..=100;
        /// Insertions that the search may try in a decision [count].
        budget: u32 = 2000, 0..=1000000;
        /// Weight of tardiness [tenths].
        tardiness: u32 = 10, 0..=1000;
        /// Weight of completion times [tenths].
        throughput: u32 = 5, 0..=1000;
        /// Weight of a job past its due date [tenths of a step].
        violation: u32 = 20, 0..=1000;
        /// Weight of walking [tenths].
        overhead: u32 = 1, 0..=1000;
        /// Weight of unequal load [tenths].
        fairness: u32 = 2, 0..=1000;
        /// When STAT work is due after it arrived [s]; the others twice and four times as late.
        due_stat_s: u32 = 900, 0..=86400;
    }
}

/// The rule.
pub struct KernelSchedulerOr {
    core: Core,
    horizon_steps: usize,
    budget: u32,
    weights: Weights,
    due_stat_s: i64,
    search: Stream,
    draws: Stream,
}

labtrust_plugin::register_method!(crate::core::Driver<KernelSchedulerOr>);

impl Rule for KernelSchedulerOr {
    const ID: &'static str = "kernel_scheduler_or";
    const SUMMARY: &'static str =
        "Rolling-horizon scheduling: apparent tardiness cost, then large neighbourhood search.";
    const CARD: MethodCard = MethodCard {
        class: "centralized",
        complexity: "O(N W) and at most `budget` insertions of O(horizon)",
        source: "Vepsalainen and Morton 1987; Shaw 1998; Ropke and Pisinger 2006",
        core: "the search for a schedule; off: a random worker who may do it wins each job",
        envelope: "up to a few hundred workers; beyond that the budget only improves a part of the schedule",
        uses_messages: false,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let tenths = |weight: u32| i64::from(weight);
        Ok(Self {
            core: Core::read(&params.core)?,
            horizon_steps: params.horizon_steps as usize,
            budget: params.budget,
            weights: Weights {
                tardiness: tenths(params.tardiness),
                throughput: tenths(params.throughput),
                violation: tenths(params.violation) * floor.dt_s,
                overhead: tenths(params.overhead) * SCALE,
                fairness: tenths(params.fairness) * SCALE,
            },
            due_stat_s: i64::from(params.due_stat_s),
            search: draws::stream(floor, Self::ID, "search"),
            draws: draws::stream(floor, Self::ID, "random_winner"),
        })
    }

    fn urgency(&self, job: &Job, now_s: i64) -> i64 {
        let (weight, due_s) = (weight(job.priority), self.due_s(job));
        // Apparent tardiness cost as a time: what it is worth now against what it will be worth when it is due.
        due_s.saturating_sub(now_s).max(0) / weight - (now_s.saturating_sub(job.arrival_s)) * weight
    }

    fn due_s(&self, job: &Job) -> Option<i64> {
        Some(self.due_s(job))
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        if !self.core.is_on() {
            return draws::random_winners(step, &mut self.draws, plan);
        }
        let most = self.horizon_steps * step.workers.len();
        let ready = (0..step.jobs.len()).filter(|&job| step.is_ready(&step.jobs[job]));
        let chosen: Vec<usize> = ready.take(most).collect();
        let instance = self.instance(step, &chosen);
        let schedule = search::solve(&instance, self.budget, &mut self.search);
        for (worker, sequence) in schedule.iter().enumerate() {
            if let Some(&first) = sequence.first() {
                plan.assign(worker, chosen[first]);
            }
        }
    }
}

impl KernelSchedulerOr {
    fn due_s(&self, job: &Job) -> i64 {
        job.arrival_s.saturating_add(self.due_stat_s * 4 / weight(job.priority))
    }

    /// What a second of a job's time costs: more where it is urgent, near its release (there it ends a wait, elsewhere
    /// it only moves it), moves many, or has waited. Without the last, what is equal would be done in no order.
    fn worth(&self, job: &Job, now_s: i64) -> i64 {
        let nearness = i64::from(20_u8.saturating_sub(job.rank));
        let age = (now_s.saturating_sub(job.arrival_s) / AGE_S).clamp(0, 400);
        weight(job.priority) * nearness * i64::from(job.size.min(20)) * SCALE + age
    }

    fn instance(&self, step: &Step<'_>, chosen: &[usize]) -> Instance {
        let floor = step.floor;
        let item = |&number: &usize| {
            let job = &step.jobs[number];
            Item {
                zone: job.zone,
                takes_s: floor.dt_s,
                due_s: self.due_s(job).saturating_sub(step.now_s()),
                weight: self.worth(job, step.now_s()),
            }
        };
        let machines = step.workers.iter().map(|worker| Machine { zone: worker.zone });
        let items: Vec<Item> = chosen.iter().map(item).collect();
        let able = step
            .workers
            .iter()
            .map(|worker| chosen.iter().map(|&job| step.travel_s(worker, &step.jobs[job]).is_some()).collect())
            .collect();
        let zones = floor.zones();
        let travel_s = |from, to| floor.travel_s(from, to).unwrap_or(i64::from(u16::MAX));
        let table = (0..zones * zones).map(|cell| travel_s((cell / zones) as u16, (cell % zones) as u16)).collect();
        Instance { machines: machines.collect(), items, able, travel_s: table, zones, weights: self.weights }
    }
}

/// How much a second of lateness weighs.
const fn weight(priority: Priority) -> i64 {
    match priority {
        Priority::Stat => 4,
        Priority::Urgent => 2,
        Priority::Routine => 1,
    }
}

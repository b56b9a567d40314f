//! Matching: one mind gives all open work to all idle people at once, so that the sum of costs is least.
//!
//! **Class** centralized. **Cost** O(W x C x min(N, W)) a decision for W open jobs, N idle workers of C classes (zone
//! and role). **Core** the min-cost matching, solved anew in every step; without it a random worker wins each job.
//! **Source** Kuhn (1955) and Jonker and Volgenant (1987) for the assignment problem; here solved as a min-cost flow
//! over classes of workers ([`matching`]).
//!
//! The cost of a pair is the walk, and the wait until the device is free, less what the job is worth: urgent work is
//! worth more, old work is, and work near its release is. Roles are hard: who may not do a job is not matched with it.

use crate::core::{Core, Floor, Job, Plan, Rule, Step, Worker, classes, draws, head_start_s, matching, rank};
use labtrust_kernel::Stream;
use labtrust_plugin::method::MethodCard;
use labtrust_plugin::wire::Problem;

/// What any job is worth, so that nobody stands idle to save a walk [s].
const ANY: i64 = 100_000;
/// What it is worth to be one act nearer to the release [s].
const PER_RANK: i64 = 100;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With the matching, or without: "on" or "off".
        core: String = "on";
        /// How much the time that urgent work overtakes counts [% of a second a second].
        priority_weight: u32 = 100, 0..=1000;
        /// What a second of walking costs against a second of age [count].
        travel_weight: u32 = 10, 1..=100;
    }
}

/// The rule.
pub struct CentralizedPlanner {
    core: Core,
    priority_weight: i64,
    travel_weight: i64,
    draws: Stream,
}

labtrust_plugin::register_method!(crate::core::Driver<CentralizedPlanner>);

impl Rule for CentralizedPlanner {
    const ID: &'static str = "centralized_planner";
    const SUMMARY: &'static str =
        "Min-cost matching of all idle workers with all open work, solved anew in every step.";
    const CARD: MethodCard = MethodCard {
        class: "centralized",
        complexity: "O(W C min(N, W)), C classes of workers by zone and role",
        source: "Kuhn 1955; Jonker and Volgenant 1987; Ahuja, Magnanti and Orlin 1993, chapter 9",
        core: "the matching; off: a random worker who may do it wins each job",
        envelope: "any size on one site; one mind sees everything and is one point of failure",
        uses_messages: false,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        Ok(Self {
            core: Core::read(&params.core)?,
            priority_weight: i64::from(params.priority_weight),
            travel_weight: i64::from(params.travel_weight),
            draws: draws::stream(floor, Self::ID, "random_winner"),
        })
    }

    fn urgency(&self, job: &Job, _: i64) -> i64 {
        job.arrival_s - head_start_s(job.priority) * self.priority_weight / 100
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        if !self.core.is_on() {
            return draws::random_winners(step, &mut self.draws, plan);
        }
        let classes = classes::of_workers(step);
        let jobs = classes::worth_a_look(step, step.workers.len());
        let capacity: Vec<u32> = classes.iter().map(|class| class.len() as u32).collect();
        let given = matching::transport(&capacity, jobs.len(), |class, job| {
            self.profit(step, &step.workers[classes[class][0]], &step.jobs[jobs[job]])
        });
        let mut next = vec![0; classes.len()];
        for (&job, class) in jobs.iter().zip(&given) {
            if let Some(class) = *class {
                plan.assign(classes[class][next[class]], job);
                next[class] += 1;
            }
        }
    }
}

impl CentralizedPlanner {
    /// What a worker of a class gains the laboratory at a job.
    fn profit(&self, step: &Step<'_>, worker: &Worker, job: &Job) -> Option<i64> {
        let travel_s = step.travel_s(worker, job)?;
        let wait_s = job.ready_s.saturating_sub(step.now_s()).max(0);
        if wait_s > 0 {
            // To wait for a device is better than nothing and worse than any work.
            return Some(ANY / 10 - travel_s.max(wait_s) * self.travel_weight).filter(|profit| *profit > 0);
        }
        let nearness = i64::from(u8::MAX - rank(job.act)) * PER_RANK;
        let age_s = step.now_s() - job.urgency;
        Some(ANY + nearness + age_s - travel_s * self.travel_weight)
    }
}

//! What is left of a method without its core: chance. Every draw comes from a stream named by the method.

use super::{Floor, Plan, Step};
use labtrust_kernel::{Stream, Streams};

/// The stream of a method in an episode, named by its id and what it is for.
#[must_use]
pub fn stream(floor: &Floor, method: &str, purpose: &str) -> Stream {
    Streams::new(floor.seed).stream(&format!("coordination.{purpose}"), method)
}

/// Gives each job that can be done now to anybody who may do it, wherever they are, in no order.
///
/// What an allocation is worth shows against this one. O(workers + jobs) draws.
pub fn random_winners(step: &Step<'_>, draws: &mut Stream, plan: &mut Plan) {
    let mut workers: Vec<usize> = (0..step.workers.len()).collect();
    draws.shuffle(&mut workers);
    for number in workers {
        let worker = &step.workers[number];
        let able = |job: &usize| {
            plan.is_open(*job) && step.is_ready(&step.jobs[*job]) && step.travel_s(worker, &step.jobs[*job]).is_some()
        };
        let open: Vec<usize> = (0..step.jobs.len()).filter(able).collect();
        if !open.is_empty() {
            plan.assign(number, open[draws.below(open.len() as u64) as usize]);
        }
    }
}

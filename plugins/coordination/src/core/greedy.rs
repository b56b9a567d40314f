//! The plain rule: one worker after the other takes the first job of the list that is theirs, where they stand if there
//! is any, and otherwise walks to the nearest.
//!
//! Several methods fall back on it, or use it for what their idea does not speak of.

use super::{Plan, Step};

/// Gives open jobs to free workers, those who may do least first: who may do more finds something else to do.
/// O(workers x jobs).
pub fn allocate(step: &Step<'_>, plan: &mut Plan) {
    for number in by_ability(step) {
        take(step, plan, number, |_| true);
    }
}

/// Numbers of the workers, those who may do least first.
#[must_use]
pub fn by_ability(step: &Step<'_>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..step.workers.len()).collect();
    order.sort_by_key(|&number| (step.workers[number].may.count_ones(), step.workers[number].agent));
    order
}

/// Gives a worker the first job that `allowed` lets them have: where they stand, otherwise the nearest. Whether there
/// was one.
pub fn take(step: &Step<'_>, plan: &mut Plan, number: usize, allowed: impl Fn(usize) -> bool) -> bool {
    if !plan.is_free(number) {
        return false;
    }
    let worker = &step.workers[number];
    let mut nearest: Option<(i64, usize)> = None;
    for (job, at) in step.jobs.iter().enumerate() {
        if !plan.is_open(job) || !step.is_ready(at) || !allowed(job) {
            continue;
        }
        let Some(travel_s) = step.travel_s(worker, at) else { continue };
        if travel_s == 0 && step.is_here(worker, at) {
            return plan.assign(number, job);
        }
        if nearest.is_none_or(|(best_s, _)| travel_s < best_s) {
            nearest = Some((travel_s, job));
        }
    }
    nearest.is_some_and(|(_, job)| plan.assign(number, job))
}

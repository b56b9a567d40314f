//! The plain rule: one worker after the other takes the first job of the list that is theirs, where they stand if there
//! is any, and otherwise walks to the nearest.
//!
//! Several methods fall back on it, or use it for what their idea does not speak of.

use super::{Plan, Step, classes};

/// Gives open jobs to free workers, those who may do least first: who may do more finds something else to do.
///
/// Those who stand together and have one role look at the same list, and none looks twice at what is taken: O(N log N +
/// C W log W) for N workers of C classes and W jobs.
pub fn allocate(step: &Step<'_>, plan: &mut Plan) {
    let classes = classes::of_workers(step);
    let mut class_of = vec![0; step.workers.len()];
    for (class, members) in classes.iter().enumerate() {
        for &number in members {
            class_of[number] = class;
        }
    }
    let mut lists: Vec<_> = classes.iter().map(|members| nearest_first(step, members[0]).into_iter()).collect();
    for number in by_ability(step) {
        if plan.is_free(number)
            && let Some(job) = lists[class_of[number]].find(|&job| plan.is_open(job))
        {
            plan.assign(number, job);
        }
    }
}

/// What a worker can do now, the nearest first; what is equally near in its order.
fn nearest_first(step: &Step<'_>, number: usize) -> Vec<usize> {
    let ready = step.jobs.iter().enumerate().filter(|(_, job)| step.is_ready(job));
    let able = ready.filter_map(|(job, at)| Some((step.travel_s(&step.workers[number], at)?, job)));
    let mut list: Vec<(i64, usize)> = able.collect();
    list.sort_unstable();
    list.into_iter().map(|(_, job)| job).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::testing::with_step;
    use labtrust_plugin::testing::Size;

    #[test]
    fn who_stands_together_gets_what_each_alone_would_take() {
        let mut given = 0;
        for seed in 0..200 {
            let size = Size { zones: 4, devices: 9, agents: 25 };
            let compared = with_step(seed, size, 60, |step| {
                let (mut together, mut alone) = (Plan::default(), Plan::default());
                together.begin(step.workers.len(), step.jobs.len());
                alone.begin(step.workers.len(), step.jobs.len());
                allocate(step, &mut together);
                for number in by_ability(step) {
                    take(step, &mut alone, number, |_| true);
                }
                for number in 0..step.workers.len() {
                    assert_eq!(together.job_of(number), alone.job_of(number), "seed {seed}, worker {number}");
                    given += usize::from(together.job_of(number).is_some());
                }
            });
            assert!(compared.is_some());
        }
        assert!(given > 500, "{given}");
    }
}

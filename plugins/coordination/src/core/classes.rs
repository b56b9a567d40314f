//! Interchangeable workers, and the jobs that are worth a look.

use super::{NO_WAY, Step};

/// Numbers of interchangeable workers: those of one zone and one role.
#[must_use]
pub fn of_workers(step: &Step<'_>) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..step.workers.len()).collect();
    let class = |&number: &usize| (step.workers[number].zone, step.workers[number].may);
    order.sort_by_key(class);
    order.chunk_by(|a, b| class(a) == class(b)).map(<[usize]>::to_vec).collect()
}

/// Jobs that can be in a best allocation, in their order: of one act in one zone the most urgent, no more than `each`.
#[must_use]
pub fn worth_a_look(step: &Step<'_>, each: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..step.jobs.len()).collect();
    let kind = |&number: &usize| {
        let job = &step.jobs[number];
        (job.act, job.zone.unwrap_or(NO_WAY), step.is_ready(job))
    };
    // Stable: within a kind the most urgent stay first.
    order.sort_by_key(kind);
    let chunks = order.chunk_by(|a, b| kind(a) == kind(b));
    let mut kept: Vec<usize> = chunks.flat_map(|of| of.iter().take(each)).copied().collect();
    kept.sort_unstable();
    kept
}

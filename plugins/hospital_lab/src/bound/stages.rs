//! Each stage alone, with everything else unlimited.

use super::model::{Job, Model};

/// The tightest stage.
pub(super) fn most(model: &Model, jobs: &[Job]) -> u32 {
    let separated: Vec<Job> = jobs.iter().copied().filter(|job| job.separate).collect();
    let others = jobs.len() - separated.len();
    let measured: usize = (0..model.groups.len()).map(|group| measured(model, jobs, group)).sum();
    let through_separation = spun(model, &separated).min(aliquoted(model, &separated)) + others;
    u32::try_from(measured.min(through_separation)).unwrap_or(u32::MAX)
}

/// How many equal jobs fit that are ready at `ready_s`, may start until `latest_s` every `period_s`, `at_once` at a time.
///
/// Slots are laid backward from the latest start; what can go into a slot can go into any later one, so filling them in
/// order of time fills as many as can be filled.
fn fit(mut ready_s: Vec<i64>, latest_s: i64, period_s: i64, at_once: usize) -> usize {
    ready_s.sort_unstable();
    let Some(&first_s) = ready_s.first() else { return 0 };
    if latest_s < first_s || at_once == 0 {
        return 0;
    }
    if period_s == 0 {
        return ready_s.iter().filter(|&&ready| ready <= latest_s).count();
    }
    // More slots than jobs are of no use.
    let slots = ((latest_s - first_s) / period_s).min(i64::try_from(ready_s.len()).unwrap_or(i64::MAX));
    let (mut done, mut come) = (0, 0);
    for slot in (0..=slots).rev() {
        let at_s = latest_s - slot * period_s;
        while come < ready_s.len() && ready_s[come] <= at_s {
            come += 1;
        }
        done += at_once.min(come - done);
    }
    done
}

/// The latest step for which `good` holds, which holds up to some step and then never again.
fn latest(model: &Model, good: impl Fn(i64) -> bool) -> i64 {
    let (mut low, mut high) = (0, model.horizon_s / model.dt_s + 1);
    while low + 1 < high {
        let middle = i64::midpoint(low, high);
        if good(middle * model.dt_s) { low = middle } else { high = middle }
    }
    low * model.dt_s
}

fn measured(model: &Model, jobs: &[Job], group: usize) -> usize {
    let ready = jobs.iter().filter(|job| job.group == group).map(|job| model.ready_s(job)).collect();
    let kind = &model.groups[group];
    let latest_s = latest(model, |at| model.in_time(group, at));
    let fit = fit(ready, latest_s, model.in_steps(kind.service_s), kind.machines);
    fit.min(usize::try_from(kind.stock).unwrap_or(usize::MAX))
}

fn spun(model: &Model, jobs: &[Job]) -> usize {
    let ready = jobs.iter().map(|job| model.step_at(job.release_s)).collect();
    let good = |at| jobs.iter().any(|job| model.in_time(job.group, model.aliquoted(model.spun(at))));
    let (unit, latest_s) = (&model.centrifuge, latest(model, good));
    fit(ready, latest_s, model.in_steps(unit.cycle_s), unit.units.saturating_mul(unit.batch))
}

fn aliquoted(model: &Model, jobs: &[Job]) -> usize {
    let ready = jobs.iter().map(|job| model.spun(model.step_at(job.release_s))).collect();
    let good = |at| jobs.iter().any(|job| model.in_time(job.group, model.aliquoted(at)));
    fit(ready, latest(model, good), model.in_steps(model.aliquot_s), model.aliquoters)
}

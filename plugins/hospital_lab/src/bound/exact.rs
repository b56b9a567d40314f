//! Every order of batches and of aliquots, for a handful of specimens.
//!
//! With equal times a stage loses nothing by serving in the order in which work comes to it, and every stage can be
//! moved to the left. So it is enough to try which specimens go into which batch, in which order the batches start, and
//! in which order aliquots are made.

use super::model::{Job, Model};

/// The most specimens of `jobs` that can be released together.
pub(super) fn most(model: &Model, jobs: &[Job]) -> u32 {
    let mut best = 0;
    for chosen in 0_u32..1 << jobs.len() {
        if chosen.count_ones() > best {
            let set: Vec<Job> = (0..jobs.len()).filter(|i| chosen >> i & 1 == 1).map(|i| jobs[i]).collect();
            if enough_reagent(model, &set) && batches_work(model, &set, &mut Vec::new(), &mut vec![false; set.len()]) {
                best = chosen.count_ones();
            }
        }
    }
    best
}

fn enough_reagent(model: &Model, set: &[Job]) -> bool {
    (0..model.groups.len()).all(|group| {
        let wanted = set.iter().filter(|job| job.group == group).count();
        u32::try_from(wanted).is_ok_and(|wanted| wanted <= model.groups[group].stock)
    })
}

/// Whether some continuation of `batches` (specimens by place in `set`, in order of start) gets everything done.
fn batches_work(model: &Model, set: &[Job], batches: &mut Vec<Vec<usize>>, taken: &mut Vec<bool>) -> bool {
    let waiting: Vec<usize> = (0..set.len()).filter(|&i| set[i].separate && !taken[i]).collect();
    if waiting.is_empty() {
        return aliquots_work(model, set, batches);
    }
    for subset in 1_u32..1 << waiting.len() {
        let batch: Vec<usize> = (0..waiting.len()).filter(|i| subset >> i & 1 == 1).map(|i| waiting[i]).collect();
        if batch.len() > model.centrifuge.batch {
            continue;
        }
        for &i in &batch {
            taken[i] = true;
        }
        batches.push(batch);
        let works = batches_work(model, set, batches, taken);
        for &i in &batches.pop().unwrap_or_default() {
            taken[i] = false;
        }
        if works {
            return true;
        }
    }
    false
}

fn aliquots_work(model: &Model, set: &[Job], batches: &[Vec<usize>]) -> bool {
    let mut units = vec![0; model.centrifuge.units];
    let mut spun: Vec<(usize, i64)> = Vec::new();
    for batch in batches {
        let Some(unit) = units.iter_mut().min() else { return false };
        let release_s = batch.iter().map(|&i| set[i].release_s).max().unwrap_or(0);
        let start_s = model.step_at(release_s.max(*unit));
        *unit = start_s + model.centrifuge.cycle_s;
        spun.extend(batch.iter().map(|&i| (i, model.spun(start_s))));
    }
    let fresh: Vec<(usize, i64)> =
        set.iter().enumerate().filter(|(_, job)| !job.separate).map(|(i, job)| (i, model.ready_s(job))).collect();
    permutations_work(model, set, &mut spun, 0, &fresh)
}

fn permutations_work(
    model: &Model,
    set: &[Job],
    order: &mut Vec<(usize, i64)>,
    fixed: usize,
    fresh: &[(usize, i64)],
) -> bool {
    if fixed == order.len() {
        let mut stations = vec![0; model.aliquoters];
        let mut ready: Vec<(usize, i64)> = fresh.to_vec();
        for &(i, spun_s) in order.iter() {
            let Some(station) = stations.iter_mut().min() else { return false };
            let start_s = model.step_at(spun_s.max(*station));
            *station = start_s + model.aliquot_s;
            ready.push((i, model.aliquoted(start_s)));
        }
        return measurements_work(model, set, &mut ready);
    }
    for next in fixed..order.len() {
        order.swap(fixed, next);
        let works = permutations_work(model, set, order, fixed + 1, fresh);
        order.swap(fixed, next);
        if works {
            return true;
        }
    }
    false
}

fn measurements_work(model: &Model, set: &[Job], ready: &mut [(usize, i64)]) -> bool {
    ready.sort_by_key(|&(i, at_s)| (at_s, i));
    let mut machines: Vec<Vec<i64>> = model.groups.iter().map(|group| vec![0; group.machines]).collect();
    ready.iter().all(|&(i, at_s)| {
        let group = set[i].group;
        let Some(machine) = machines[group].iter_mut().min() else { return false };
        let start_s = model.step_at(at_s.max(*machine));
        *machine = start_s + model.groups[group].service_s;
        model.in_time(group, start_s)
    })
}

//! From a constructive start to a better schedule, within a budget.
//!
//! The start is the better of two list schedules, earliest due date and apparent tardiness cost, so that the result is
//! never worse than earliest due date. The search takes a few items out, those of one machine or any, and puts each
//! back where the sum grows least, in a random order. It draws from a stream of its own and counts insertions, so that
//! it does the same on every machine.

use super::instance::{Instance, Schedule, cost_of};
use labtrust_kernel::Stream;

/// Most items that are taken out at once [count].
const MOST_OUT: u64 = 6;
/// Look-ahead of the apparent tardiness cost, in mean processing times.
const LOOK_AHEAD: f64 = 2.0;
/// Positions of a sequence at which an item is tried: the first ones matter, since only they are carried out.
const MOST_PLACES: usize = 12;

/// A schedule of all items that somebody can do, in at most `budget` insertions after the start.
pub(super) fn solve(instance: &Instance, budget: u32, stream: &mut Stream) -> Schedule {
    let edd = listed(instance, |item, _| -(instance.items[item].due_s as f64));
    let atc = listed(instance, |item, now_s| apparent_tardiness(instance, item, now_s));
    let best = if cost_of(instance, &atc) <= cost_of(instance, &edd) { atc } else { edd };
    improved(instance, best, budget, stream)
}

/// The schedule by due date alone, what the search is measured against.
#[cfg(test)]
pub(super) fn earliest_due(instance: &Instance) -> Schedule {
    listed(instance, |item, _| -(instance.items[item].due_s as f64))
}

/// What an item is worth now: its weight over its time, the less the longer it can wait.
fn apparent_tardiness(instance: &Instance, item: usize, now_s: i64) -> f64 {
    let of = &instance.items[item];
    let mean_s = instance.items.iter().map(|item| item.takes_s).sum::<i64>() as f64 / instance.items.len() as f64;
    let slack_s = (of.due_s - of.takes_s - now_s).max(0) as f64;
    of.weight as f64 / of.takes_s.max(1) as f64 * libm::exp(-slack_s / (LOOK_AHEAD * mean_s.max(1.0)))
}

/// List scheduling: the item with the greatest index goes to who can end it first. The index is taken at the time when
/// the first machine is free.
fn listed(instance: &Instance, index: impl Fn(usize, i64) -> f64) -> Schedule {
    let machines = instance.machines.len();
    let mut schedule: Schedule = vec![Vec::new(); machines];
    let mut at: Vec<(u16, i64)> = instance.machines.iter().map(|machine| (machine.zone, 0)).collect();
    let mut open: Vec<usize> =
        (0..instance.items.len()).filter(|&item| instance.able.iter().any(|able| able[item])).collect();
    // The order at the start is good enough where there is much to do.
    let now_s = 0;
    open.sort_by(|&a, &b| index(b, now_s).total_cmp(&index(a, now_s)).then(a.cmp(&b)));
    for item in open {
        let end = |machine: usize| instance.next(at[machine].0, at[machine].1, item).1;
        let able = (0..machines).filter(|&machine| instance.able[machine][item]);
        if let Some(machine) = able.min_by_key(|&machine| (end(machine), machine)) {
            let (zone, end_s, _) = instance.next(at[machine].0, at[machine].1, item);
            at[machine] = (zone, end_s);
            schedule[machine].push(item);
        }
    }
    schedule
}

/// Large neighbourhood search: takes items out and puts them back, keeps what is better: among equals the
/// order of the start stays, and that is by age.
fn improved(instance: &Instance, start: Schedule, budget: u32, stream: &mut Stream) -> Schedule {
    let items: Vec<usize> = start.iter().flatten().copied().collect();
    if items.len() < 2 {
        return start;
    }
    let mut costs: Vec<i64> = (0..start.len()).map(|machine| instance.cost_of(machine, &start[machine])).collect();
    let (mut best, mut left) = (start, i64::from(budget));
    while left > 0 {
        let mut next = best.clone();
        let mut out = taken_out(&mut next, items.len(), stream);
        let mut touched: Vec<i64> = costs.clone();
        for (machine, sequence) in next.iter().enumerate().filter(|(machine, new)| best[*machine].len() != new.len()) {
            touched[machine] = instance.cost_of(machine, sequence);
        }
        stream.shuffle(&mut out);
        for item in out {
            let Some((machine, place, cost)) = cheapest(instance, &next, &touched, item, &mut left) else { continue };
            next[machine].insert(place, item);
            touched[machine] = cost;
        }
        left -= 1;
        if touched.iter().sum::<i64>() < costs.iter().sum::<i64>() {
            (best, costs) = (next, touched);
        }
    }
    best
}

/// Takes a few items out: of one machine, or any.
fn taken_out(schedule: &mut Schedule, items: usize, stream: &mut Stream) -> Vec<usize> {
    let count = (2 + stream.below(MOST_OUT - 1) as usize).min(items);
    let mut out = Vec::with_capacity(count);
    let busy: Vec<usize> = (0..schedule.len()).filter(|&machine| !schedule[machine].is_empty()).collect();
    let one = stream.below(3) == 0;
    let mut machine = busy[stream.below(busy.len() as u64) as usize];
    while out.len() < count {
        if !one || schedule[machine].is_empty() {
            let busy: Vec<usize> = (0..schedule.len()).filter(|&machine| !schedule[machine].is_empty()).collect();
            machine = busy[stream.below(busy.len() as u64) as usize];
        }
        let place = stream.below(schedule[machine].len() as u64) as usize;
        out.push(schedule[machine].remove(place));
    }
    out
}

/// Where an item costs least: machine, place, what the machine's sequence costs with it.
fn cheapest(
    instance: &Instance,
    schedule: &Schedule,
    costs: &[i64],
    item: usize,
    left: &mut i64,
) -> Option<(usize, usize, i64)> {
    let mut best: Option<(i64, usize, usize, i64)> = None;
    let mut trial = Vec::new();
    for machine in (0..schedule.len()).filter(|&machine| instance.able[machine][item]) {
        for place in 0..=schedule[machine].len().min(MOST_PLACES) {
            *left -= 1;
            trial.clear();
            trial.extend_from_slice(&schedule[machine]);
            trial.insert(place, item);
            let cost = instance.cost_of(machine, &trial);
            let grows = cost - costs[machine];
            if best.is_none_or(|(least, ..)| grows < least) {
                best = Some((grows, machine, place, cost));
            }
        }
    }
    best.map(|(_, machine, place, cost)| (machine, place, cost))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::instance::{Item, Machine, Weights};
    use super::*;
    use labtrust_kernel::Streams;

    const WEIGHTS: Weights = Weights { tardiness: 10, throughput: 5, violation: 200, overhead: 1, fairness: 2 };

    pub(in super::super) fn random(seed: u64, machines: usize, items: usize) -> Instance {
        let mut draws = Streams::new(seed).stream("test.instance", "or");
        let zones = 4_usize;
        let mut below = |n: u64| draws.below(n);
        let machines: Vec<Machine> = (0..machines).map(|_| Machine { zone: below(zones as u64) as u16 }).collect();
        let items: Vec<Item> = (0..items)
            .map(|_| Item {
                zone: (below(5) > 0).then(|| below(zones as u64) as u16),
                takes_s: 10 + 10 * below(4) as i64,
                due_s: 10 * below(12) as i64,
                weight: 1 + below(8) as i64,
            })
            .collect();
        let able = machines.iter().map(|_| items.iter().map(|_| below(4) > 0).collect()).collect();
        let travel_s = (0..zones * zones).map(|cell| 20 * (cell / zones).abs_diff(cell % zones) as i64).collect();
        Instance { machines, items, able, travel_s, zones, weights: WEIGHTS }
    }

    /// The least cost of all schedules of all items that somebody can do.
    pub(in super::super) fn brute_force(instance: &Instance, schedule: &mut Schedule, item: usize) -> i64 {
        if item == instance.items.len() {
            return cost_of(instance, schedule);
        }
        let mut best = i64::MAX;
        for machine in 0..schedule.len() {
            if instance.able[machine][item] {
                for place in 0..=schedule[machine].len() {
                    schedule[machine].insert(place, item);
                    best = best.min(brute_force(instance, schedule, item + 1));
                    schedule[machine].remove(place);
                }
            }
        }
        if best == i64::MAX { brute_force(instance, schedule, item + 1) } else { best }
    }

    #[test]
    fn the_search_is_never_worse_than_earliest_due_date_and_leaves_nothing_out() {
        for seed in 0..300 {
            let instance = random(seed, 1 + (seed % 5) as usize, (seed % 23) as usize);
            for budget in [0, 30, 1000] {
                let found = solve(&instance, budget, &mut Streams::new(seed).stream("test.search", "or"));
                assert!(cost_of(&instance, &found) <= cost_of(&instance, &earliest_due(&instance)), "seed {seed}");
                let mut done: Vec<usize> = found.iter().flatten().copied().collect();
                done.sort_unstable();
                let can = |item: &usize| instance.able.iter().any(|able| able[*item]);
                assert_eq!(done, (0..instance.items.len()).filter(can).collect::<Vec<_>>(), "seed {seed}");
                let roles_kept = found.iter().zip(&instance.able).all(|(of, able)| of.iter().all(|&item| able[item]));
                assert!(roles_kept, "seed {seed}");
            }
        }
    }

    #[test]
    fn the_search_finds_the_optimum_of_nine_in_ten_small_problems() {
        let (mut found, all) = (0, 100);
        for seed in 0..all {
            let instance = random(1000 + seed, 1 + (seed % 3) as usize, 3 + (seed % 5) as usize);
            let schedule = solve(&instance, 2000, &mut Streams::new(seed).stream("test.search", "or"));
            let best = brute_force(&instance, &mut vec![Vec::new(); instance.machines.len()], 0);
            found += u64::from(cost_of(&instance, &schedule) == best);
        }
        assert!(found * 10 >= all * 9, "{found} of {all}");
    }
}

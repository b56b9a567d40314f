//! The least cost of a small problem, by a solver that knows nothing of the search.
//!
//! Set partitioning (Balas and Padberg 1976): a column says that a machine does a set of items in the order that costs
//! least; the solver chooses one column a machine so that every item is done once. Columns are all sets, so this is for
//! problems of up to eight items.

use super::instance::{Instance, cost_of};
use super::search::solve;
use super::search::tests::{brute_force, random};
use labtrust_kernel::Streams;
use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

/// Least cost of a machine for every set of items, by bit set; `None` where it may not do one of them.
fn columns(instance: &Instance, machine: usize) -> Vec<Option<i64>> {
    let mut least = vec![None; 1 << instance.items.len()];
    extend(instance, machine, &mut Vec::new(), 0, &mut least);
    least
}

fn extend(instance: &Instance, machine: usize, sequence: &mut Vec<usize>, set: usize, least: &mut [Option<i64>]) {
    let cost = instance.cost_of(machine, sequence);
    least[set] = Some(least[set].map_or(cost, |known: i64| known.min(cost)));
    for item in (0..instance.items.len()).filter(|item| set & (1 << item) == 0) {
        if instance.able[machine][item] {
            sequence.push(item);
            extend(instance, machine, sequence, set | 1 << item, least);
            sequence.pop();
        }
    }
}

/// The least cost of all schedules of all items that somebody can do.
fn optimum(instance: &Instance) -> i64 {
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    let mut doing: Vec<Vec<(Variable, f64)>> = vec![Vec::new(); instance.items.len()];
    for machine in 0..instance.machines.len() {
        let mut chosen = Vec::new();
        for (set, cost) in columns(instance, machine).into_iter().enumerate() {
            let Some(cost) = cost else { continue };
            let column = problem.add_binary_var(cost as f64);
            chosen.push((column, 1.0));
            for (item, doing) in doing.iter_mut().enumerate().filter(|(item, _)| set & (1 << item) != 0) {
                debug_assert!(instance.able[machine][item]);
                doing.push((column, 1.0));
            }
        }
        problem.add_constraint(chosen.as_slice(), ComparisonOp::Eq, 1.0);
    }
    // What nobody can do has no column.
    for doing in doing.iter().filter(|doing| !doing.is_empty()) {
        problem.add_constraint(doing.as_slice(), ComparisonOp::Eq, 1.0);
    }
    let solution = problem.solve().expect("to do one after the other is a schedule").into_solution();
    solution.unwrap_or_else(|_| panic!("it has all the time that it needs")).objective().round() as i64
}

#[test]
fn the_solver_and_brute_force_agree() {
    for seed in 0..60 {
        let instance = random(2000 + seed, 1 + (seed % 3) as usize, 1 + (seed % 5) as usize);
        let schedule = &mut vec![Vec::new(); instance.machines.len()];
        assert_eq!(optimum(&instance), brute_force(&instance, schedule, 0), "seed {seed}");
    }
}

/// Four people and seven jobs have too many schedules to try them all.
#[test]
fn the_search_is_near_the_solver() {
    let (mut found, mut excess) = (0, 0.0);
    for seed in 0..40 {
        let instance = random(3000 + seed, 4, 7);
        let schedule = solve(&instance, 2000, &mut Streams::new(seed).stream("test.search", "or"));
        let (cost, least) = (cost_of(&instance, &schedule), optimum(&instance));
        assert!(cost >= least, "seed {seed}: {cost} is less than the least, {least}");
        found += u64::from(cost == least);
        excess += cost as f64 / least as f64 - 1.0;
    }
    assert!(found >= 36, "{found} of 40 are optimal");
    assert!(excess / 40.0 < 0.01, "the mean excess is {:.2} %", excess / 0.4);
}

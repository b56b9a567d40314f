//! Repair by large neighbourhood search: plan everybody with as few collisions as possible, then plan some again.
//!
//! The first plan may collide. In each round a few agents are taken out, among them one that collides, and planned again one
//! after the other, each with the least trouble first and the least cost second; the round counts if there are not more
//! collisions than before. Two ways to pick the agents, those who collide with each other or a random handful, are chosen by
//! what they have brought so far. Made for plans that are nearly right: few agents move.
//!
//! **Source** J. Li, Z. Chen, D. Harabor, P. J. Stuckey, S. Koenig, "MAPF-LNS2: fast repairing for multi-agent path finding via
//! large neighborhood search", *AAAI* 2022; their safe-interval low level is an A* with the same order here, and their third
//! neighbourhood is left out. **Cost** a few searches over (vertex, step) a round. Draws come from ChaCha8 with the seed.

use crate::conflict::Finder;
use crate::distance::Distances;
use crate::instance::Instance;
use crate::plan::Plan;
use crate::rolling::Stop;
use crate::space_time::{Budget, Focus, Rules, search};
use crate::traffic::Traffic;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Agents planned again in a round [count].
const NEIGHBOURHOOD: usize = 8;

/// A number from 0 to `n` - 1.
pub(crate) fn below(rng: &mut impl Rng, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

pub(crate) fn shuffle<T>(rng: &mut impl Rng, list: &mut [T]) {
    for i in (1..list.len()).rev() {
        list.swap(i, below(rng, i + 1));
    }
}

/// Plans to the end.
pub(crate) fn solve(
    instance: &Instance<'_>,
    distances: &mut Distances,
    seed: u64,
    budget: &mut Budget,
) -> Result<Plan, Stop> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut finder = Finder::new(instance);
    let mut traffic = Traffic::new(instance.graph, None);
    let mut paths: Vec<Vec<u32>> = vec![Vec::new(); instance.agents.len()];
    let mut order: Vec<usize> = (0..paths.len()).collect();
    shuffle(&mut rng, &mut order);
    for agent in order {
        paths[agent] = plan(instance, distances, &mut traffic, agent, budget)?;
    }
    // How much each way to pick has brought, in thousandths, slowly forgotten.
    let mut merit = [1000u64; 2];
    loop {
        let (pairs, troubles) = collisions(&mut finder, instance, &paths);
        if troubles == 0 {
            return Ok(Plan::from_paths(&paths));
        }
        budget.spend(1)?;
        let way = usize::from(below(&mut rng, (merit[0] + merit[1]) as usize) as u64 >= merit[0]);
        let picked = pick(&mut rng, way == 0, &pairs, paths.len());
        let old: Vec<Vec<u32>> = picked.iter().map(|&agent| std::mem::take(&mut paths[agent])).collect();
        old.iter().for_each(|path| traffic.remove(instance.graph, path));
        for &agent in &picked {
            paths[agent] = plan(instance, distances, &mut traffic, agent, budget)?;
        }
        let after = finder.count(instance, &paths);
        let gain = u64::from(troubles.saturating_sub(after)) * 1000;
        merit[way] = ((merit[way] * 99 + gain) / 100).max(10);
        if after > troubles {
            for (&agent, path) in picked.iter().zip(old) {
                traffic.remove(instance.graph, &paths[agent]);
                traffic.insert(instance.graph, &path);
                paths[agent] = path;
            }
        }
    }
}

fn plan(
    instance: &Instance<'_>,
    distances: &mut Distances,
    traffic: &mut Traffic,
    agent: usize,
    budget: &mut Budget,
) -> Result<Vec<u32>, Stop> {
    let rules = Rules { instance, agent, hard: None, soft: Some(traffic), bans: None };
    let found = search(&rules, distances, Focus::Trouble, None, budget)?.ok_or(Stop::NoPlan)?;
    traffic.insert(instance.graph, &found.path);
    Ok(found.path)
}

/// Pairs of agents that are in one conflict, and how much trouble there is in all.
fn collisions(finder: &mut Finder, instance: &Instance<'_>, paths: &[Vec<u32>]) -> (Vec<(usize, usize)>, u32) {
    let (mut pairs, mut troubles) = (Vec::new(), 0);
    finder.each(instance, paths, None, |conflict| {
        troubles += conflict.weight();
        let first = conflict.parts[0].0 as usize;
        pairs.extend(conflict.parts.iter().skip(1).map(|&(other, _)| (first, other as usize)));
        true
    });
    (pairs, troubles)
}

/// A handful of agents, the first of which collides.
fn pick(rng: &mut ChaCha8Rng, by_collision: bool, pairs: &[(usize, usize)], agents: usize) -> Vec<usize> {
    let size = NEIGHBOURHOOD.min(agents);
    let (one, other) = pairs[below(rng, pairs.len())];
    let mut picked = vec![if below(rng, 2) == 0 { one } else { other }];
    if by_collision {
        // Those who collide with somebody picked, then those who collide with them.
        let mut known = 0;
        while known < picked.len() && picked.len() < size {
            let here = picked[known];
            known += 1;
            for &(a, b) in pairs.iter().filter(|&&(a, b)| a == here || b == here) {
                let next = if a == here { b } else { a };
                if picked.len() < size && !picked.contains(&next) {
                    picked.push(next);
                }
            }
        }
    }
    while picked.len() < size {
        let next = below(rng, agents);
        if !picked.contains(&next) {
            picked.push(next);
        }
    }
    shuffle(rng, &mut picked);
    picked
}

//! A step for the tests of this crate.

use super::staging::Posts;
use super::work::Lister;
use super::{Floor, Job, Memory, Step, Worker, rank};
use labtrust_plugin::testing::{Size, observation, site};

/// Shows `look` a made-up step of a site, with few roles, so that there are classes.
pub(crate) fn with_step<T>(seed: u64, size: Size, work: usize, look: impl FnOnce(&Step<'_>) -> T) -> Option<T> {
    let site = site(seed, size);
    let seen = observation(seed, &site, work).ok()?;
    let (floor, mut memory, mut posts) = (Floor::new(&site), Memory::default(), Posts::default());
    memory.learn(&seen);
    posts.deal(&floor, &seen);
    let mut jobs = Vec::new();
    let order = |job: &Job| (rank(job.act), job.arrival_s);
    Lister::default().list(&seen, &floor, &memory, &posts, &order, &mut jobs);
    let may = |agent: u16| [0x1FFF_FFFF, 0x0001_FF84, 0x001F_0070][usize::from(agent % 3)];
    let idle = floor.directed.iter().filter(|&&agent| seen.is_idle(agent));
    let at = |agent: &u16| seen.agents.zone[usize::from(*agent)].map(|zone| (*agent, zone));
    let workers: Vec<Worker> =
        idle.filter_map(at).map(|(agent, zone)| Worker { agent, zone, may: may(agent) }).collect();
    let step = Step { seen: &seen, floor: &floor, memory: &memory, jobs: &jobs, workers: &workers, posts: &[] };
    Some(look(&step))
}

//! Earliest due first: everybody who is free takes the most urgent work of their role, where they stand if there is any.
//!
//! **Good for** a laboratory of any size, in either timing. **Bad at** days on which roles are short: nobody learns
//! another's trade, and tubes that will arrive soon are only guessed at. **Reads** everything but tokens and doors.
//! **Cost** O(agents x jobs) a decision. **Source** the rule of Jackson (1955) for one machine; here greedy over several,
//! and work that is nearer to its release comes first.
//!
//! Each step: [`memory`] learns what was refused, [`crew`] says who works where, [`jobs`] lists what there is to do, the
//! most urgent first, and everybody who is idle takes the first job of the [`board`] that is theirs. Who finds none where
//! they stand walks to where there is one, or to their post. There is no I/O, no clock and no chance in here, and no
//! word about how the method is carried: that is the business of the crate beside this one, `file`.
#![forbid(unsafe_code)]

mod batch;
mod board;
mod crew;
mod floor;
mod jobs;
mod memory;

use board::Board;
use crew::Crew;
use floor::Floor;
use labtrust_plugin::prelude::*;
use memory::Memory;

params! {
    /// Parameters, as written in a study file.
    pub struct Params {
        /// Work that waits at an analyser before more is queued there [count].
        queue_depth: u32 = 2, 1..=1000;
        /// How long a tube waits for company in a centrifuge while another unit is free [s].
        company_s: u32 = 30, 0..=3600;
    }
}

/// The method.
pub struct EarliestDue {
    params: Params,
    floor: Floor,
    crew: Crew,
    memory: Memory,
}

impl Method for EarliestDue {
    const ID: &'static str = "org.example.earliest_due";
    const SUMMARY: &'static str = "Everybody who is free takes the most urgent work of their role, nearest first.";
    type Params = Params;

    fn new(params: Params, site: &Site) -> Result<Self, Problem> {
        if site.directed().next().is_none() {
            return Err(Problem::of_kind(ProblemKind::Site, "there is nobody to direct"));
        }
        Ok(Self { params, floor: Floor::new(site), crew: Crew::default(), memory: Memory::default() })
    }

    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        let Self { params, floor, crew, memory } = self;
        memory.learn(seen);
        crew.deal(floor, seen);
        let mut board = Board::new(jobs::list(params, floor, crew, memory, seen), seen.zone_frozen.len());
        for member in crew.members() {
            let Some(here) = seen.agents.zone[usize::from(member.agent)].filter(|_| seen.is_idle(member.agent)) else {
                continue;
            };
            let fits = |job: &jobs::Job| seen.may(member.agent, job.act);
            if let Some(job) = board.take(here, fits) {
                memory.ask(member.agent, &job);
                out.push(job.choice(member.agent));
                continue;
            }
            let elsewhere = board.by_zone(fits).filter(|&(_, zone)| crew.goes_to(member, zone));
            let goal = elsewhere
                .min_by_key(|&(number, zone)| (floor.steps(here, zone), number))
                .map(|(_, zone)| zone)
                .or_else(|| crew.post(member, here));
            if let Some(goal) = goal.filter(|&goal| floor.hop(here, goal).is_some_and(|next| !seen.zone_frozen[next])) {
                out.walk(member.agent, goal);
            }
        }
        Ok(())
    }
}

#[cfg(feature = "compiled-in")]
labtrust_plugin::register_method!(EarliestDue);

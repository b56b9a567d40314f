//! One step as a rule sees it: the open work, and who is idle.

use super::{Floor, Job, Memory};
use labtrust_plugin::wire::{Act, Observation};

/// Somebody who is idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Their place in the site's agents.
    pub agent: u16,
    /// Where they stand.
    pub zone: u16,
    /// What their role may do, bit i for the act of index i.
    pub may: u32,
}

impl Worker {
    /// Whether their role may do this at all.
    #[must_use]
    pub const fn can(&self, act: Act) -> bool {
        self.may >> act.index() & 1 == 1
    }
}

/// One step as a rule sees it.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Everything that there is to see.
    pub seen: &'a Observation,
    /// The floor.
    pub floor: &'a Floor,
    /// What is remembered.
    pub memory: &'a Memory,
    /// Open work in the [order](Job::order) of its urgency; some of it can only be done later ([`Job::ready_s`]). No
    /// two jobs are about the same thing, so any number of people may each take one.
    pub jobs: &'a [Job],
    /// Who is idle, by place.
    pub workers: &'a [Worker],
    /// Where each agent of the site waits for work.
    pub posts: &'a [Option<u16>],
}

impl Step<'_> {
    /// Now [s].
    #[must_use]
    pub const fn now_s(&self) -> i64 {
        self.seen.now_s
    }

    /// Whether a job can be done now.
    #[must_use]
    pub const fn is_ready(&self, job: &Job) -> bool {
        job.ready_s <= self.seen.now_s
    }

    /// Whether a worker stands where the job is.
    #[must_use]
    pub fn is_here(&self, worker: &Worker, job: &Job) -> bool {
        job.zone.is_none_or(|zone| zone == worker.zone)
    }

    /// How long a worker walks to a job [s]; `None` where their role may not do it, or there is no way.
    #[must_use]
    pub fn travel_s(&self, worker: &Worker, job: &Job) -> Option<i64> {
        if !worker.can(job.act) {
            return None;
        }
        match job.zone {
            None => Some(0),
            Some(zone) if zone == worker.zone => Some(0),
            Some(zone) if self.way_is_open(worker.zone, zone) => self.floor.travel_s(worker.zone, zone),
            Some(_) => None,
        }
    }

    /// Where a worker waits for work: at a place of their trade.
    #[must_use]
    pub fn post_of(&self, worker: &Worker) -> Option<u16> {
        self.posts.get(usize::from(worker.agent)).copied().flatten()
    }

    /// Whether the first step of the way can be made.
    #[must_use]
    pub fn way_is_open(&self, from: u16, to: u16) -> bool {
        let open = |next: u16| !self.seen.zone_frozen.get(usize::from(next)).copied().unwrap_or(true);
        from == to || self.floor.hop(from, to).is_some_and(open)
    }
}

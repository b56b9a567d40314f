//! Where people wait for work: at the places of their trade, dealt as cards are, so that every place has somebody and
//! nobody crosses the building for work that a colleague stands beside; and ahead of time where a device will soon end.

use super::{Floor, Plan, Purpose, Step};
use labtrust_plugin::wire::{Act, Observation};

/// Who waits where.
#[derive(Clone, Debug, Default)]
pub(super) struct Posts {
    /// What each directed agent's role might do when the posts were dealt.
    may: Vec<u32>,
    /// First post of each agent of the site.
    post_of: Vec<Option<u16>>,
    /// How many people have each zone as a post, by trade: reception, bench, analysers.
    staffed: Vec<bool>,
}

impl Posts {
    /// Deals the posts anew if somebody's role has changed since they were dealt.
    pub(super) fn deal(&mut self, floor: &Floor, seen: &Observation) {
        let may = |agent: &u16| seen.agents.may[usize::from(*agent)];
        if self.may.len() == floor.directed.len() && floor.directed.iter().map(may).eq(self.may.iter().copied()) {
            return;
        }
        self.may = floor.directed.iter().map(may).collect();
        self.post_of = vec![None; seen.agents.may.len()];
        self.staffed = vec![false; floor.zones()];
        let bench = [floor.zones_for(Purpose::Spin), floor.zones_for(Purpose::Aliquot)].concat();
        let trades = [
            (Act::StartRun, floor.zones_for(Purpose::Measure)),
            (Act::CentrifugeStart, bench),
            (Act::CreateAccession, Vec::from_iter(floor.reception)),
            (Act::QcEvent, floor.zones_for(Purpose::Measure)),
        ];
        for (act, zones) in trades.iter().filter(|(_, zones)| !zones.is_empty()) {
            let mut number = 0;
            for (&agent, may) in floor.directed.iter().zip(&self.may) {
                let post = &mut self.post_of[usize::from(agent)];
                if may >> act.index() & 1 == 1 && post.is_none() {
                    let zone = zones[number % zones.len()];
                    *post = Some(zone);
                    self.staffed[usize::from(zone)] |= *act == Act::StartRun;
                    number += 1;
                }
            }
        }
    }

    /// The post of each agent of the site.
    pub(super) fn all(&self) -> &[Option<u16>] {
        &self.post_of
    }

    /// Whether somebody who can start analysers waits in a zone.
    pub(super) fn is_staffed(&self, zone: u16) -> bool {
        self.staffed.get(usize::from(zone)).copied().unwrap_or(false)
    }

    /// Sends everybody who has neither work nor a goal: to a device that will soon end, otherwise to their post.
    pub(super) fn stage(&self, step: &Step<'_>, plan: &mut Plan) {
        for number in 0..step.workers.len() {
            if !plan.is_free(number) || plan.goal_of(number).is_some() {
                continue;
            }
            let worker = &step.workers[number];
            if let Some(job) = self.soon(step, plan, number) {
                plan.assign(number, job);
            } else if let Some(post) = self.post_of[usize::from(worker.agent)]
                && step.way_is_open(worker.zone, post)
            {
                plan.send(number, post);
            }
        }
    }

    /// Work that nobody has and that will be ready when the worker gets there.
    fn soon(&self, step: &Step<'_>, plan: &Plan, number: usize) -> Option<usize> {
        let worker = &step.workers[number];
        let later = step.jobs.iter().enumerate().filter(|(job, at)| plan.is_open(*job) && !step.is_ready(at));
        let near = later.filter_map(|(number, job)| Some((step.travel_s(worker, job)?, number, job)));
        let due = near.filter(|(travel_s, _, job)| job.ready_s - step.now_s() <= travel_s + step.floor.dt_s);
        due.min_by_key(|(travel_s, number, _)| (*travel_s, *number)).map(|(_, number, _)| number)
    }
}

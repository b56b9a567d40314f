//! A simplex shield: a plan that is not trusted is watched by rules that are, and mended where it breaks them.
//!
//! The *complex controller* is any rule; what it plans stands unless it breaks one of two conditions. **Possible**: nobody
//! is given what their role may not do, or what no way leads to. **Progress**: no job that somebody could do waits for
//! somebody longer than the shield is patient, and nobody keeps a job so long without coming nearer to it. The *simple
//! controller* mends only that: the worker in question is freed, and the job goes to whoever is nearest and free. Everybody
//! else keeps what they have, so an intervention is as small as it can be, and there is progress whatever the complex
//! controller does, also when it never gives anybody anything.
//!
//! **Source** L. Sha, "Using simplicity to control complexity", *IEEE Software* 18(4), 2001; Desai et al., "SOTER", *DSN*
//! 2019. **Cost** O(N + W) a step, and O(N) for each job that is mended.

use super::memory::Subject;
use super::{Plan, Step};
use labtrust_plugin::method::{Evidence, EvidenceKind, Figure};
use std::collections::BTreeMap;

/// Somebody was given what they cannot do.
const IMPOSSIBLE: &str = "COORD_SHIELD_REJECT_RBAC";
/// Nothing came of it that somebody had a job.
const NO_PROGRESS: &str = "COORD_SHIELD_NO_PROGRESS";

/// How a job has fared.
#[derive(Clone, Copy, Debug)]
struct Fate {
    /// Whose it is.
    agent: Option<u16>,
    /// The nearest that they have been to it [s].
    nearest_s: i64,
    /// Since when nothing has become better [steps].
    since: u32,
    /// When it was last seen [steps].
    seen: u32,
}

/// What the shield did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShieldTally {
    /// Plans that it looked at [count].
    pub plans: u64,
    /// Plans in which it mended something [count].
    pub mended_plans: u64,
    /// Jobs that were taken from somebody [count].
    pub freed: u64,
    /// Jobs that it gave to somebody [count].
    pub given: u64,
}

/// The shield of an episode.
#[derive(Clone, Debug)]
pub struct Shield {
    /// How long nothing may become better [steps].
    patience: u32,
    fates: BTreeMap<Subject, Fate>,
    tally: ShieldTally,
    /// What it did in the newest step.
    evidence: Vec<Evidence>,
}

impl Shield {
    /// A shield that waits so long for progress [steps].
    #[must_use]
    pub const fn new(patience: u32) -> Self {
        let tally = ShieldTally { plans: 0, mended_plans: 0, freed: 0, given: 0 };
        Self { patience, fates: BTreeMap::new(), tally, evidence: Vec::new() }
    }

    /// What it did so far.
    #[must_use]
    pub const fn tally(&self) -> ShieldTally {
        self.tally
    }

    /// The tally as figures of a metrics block.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<&'static str, Figure> {
        let ShieldTally { plans, mended_plans, freed, given } = self.tally;
        let figures = [("plans", plans), ("mended_plans", mended_plans), ("freed", freed), ("given", given)];
        figures.map(|(name, count)| (name, Figure::Count(count))).into()
    }

    /// What it did in the newest step, once.
    pub fn evidence(&mut self, out: &mut Vec<Evidence>) {
        out.append(&mut self.evidence);
    }

    /// Mends a plan where it breaks a condition.
    pub fn mend(&mut self, step: &Step<'_>, plan: &mut Plan) {
        self.evidence.clear();
        let mut freed = 0;
        for (number, worker) in step.workers.iter().enumerate() {
            let impossible = |job: usize| step.travel_s(worker, &step.jobs[job]).is_none();
            if plan.job_of(number).is_some_and(impossible) {
                plan.release(number);
                self.note(worker.agent, IMPOSSIBLE);
                freed += 1;
            }
        }
        let now = step.seen.step;
        let mut holder = vec![None; step.jobs.len()];
        for number in 0..step.workers.len() {
            if let Some(job) = plan.job_of(number) {
                holder[job] = Some(number);
            }
        }
        let mut overdue = Vec::new();
        for (job, about) in step.jobs.iter().enumerate().filter(|(_, job)| step.is_ready(job)) {
            let worker = holder[job].map(|number| &step.workers[number]);
            let away_s = worker.and_then(|worker| step.travel_s(worker, about)).unwrap_or(i64::MAX);
            let agent = worker.map(|worker| worker.agent);
            let fate =
                self.fates.entry(about.about()).or_insert(Fate { agent, nearest_s: away_s, since: now, seen: now });
            // Who is new, or nearer, is progress; so is who stands there and acts.
            let better = agent.is_some() && (fate.agent != agent || away_s < fate.nearest_s || away_s == 0);
            if better || fate.seen.saturating_add(1) < now {
                (fate.agent, fate.nearest_s, fate.since) = (agent, away_s, now);
            }
            fate.seen = now;
            if now.saturating_sub(fate.since) >= self.patience {
                overdue.push(job);
            }
        }
        self.fates.retain(|_, fate| fate.seen.saturating_add(1) >= now);
        let mut given = 0;
        for job in overdue {
            let about = &step.jobs[job];
            let free = |number: &usize| plan.is_free(*number) && holder[job] != Some(*number);
            let able = (0..step.workers.len()).filter(free);
            let way = able.filter_map(|number| Some((step.travel_s(&step.workers[number], about)?, number)));
            let Some((_, number)) = way.min() else { continue };
            if let Some(stuck) = holder[job] {
                plan.release(stuck);
                self.note(step.workers[stuck].agent, NO_PROGRESS);
                freed += 1;
            }
            plan.assign(number, job);
            self.fates.remove(&about.about());
            given += 1;
        }
        self.tally.plans += 1;
        self.tally.mended_plans += u64::from(freed + given > 0);
        self.tally.freed += freed;
        self.tally.given += given;
    }

    fn note(&mut self, agent: u16, code: &'static str) {
        self.evidence.push(Evidence { kind: EvidenceKind::Shield, agent: Some(agent), code, figures: Vec::new() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::greedy;
    use crate::core::testing::with_step;
    use labtrust_plugin::testing::Size;

    const SIZE: Size = Size { zones: 6, devices: 5, agents: 8 };

    /// The same step so many times, under a plan that somebody makes; the last plan and what the shield did.
    fn again(seed: u64, times: u32, make: impl Fn(&Step<'_>, &mut Plan)) -> Option<(Plan, Plan, ShieldTally, usize)> {
        with_step(seed, SIZE, 20, |step| {
            let (mut shield, mut seen) = (Shield::new(3), step.seen.clone());
            let (mut made, mut mended) = (Plan::default(), Plan::default());
            for number in 0..times {
                seen.step = number;
                let step = Step { seen: &seen, ..*step };
                made.begin(step.workers.len(), step.jobs.len());
                make(&step, &mut made);
                mended.clone_from(&made);
                shield.mend(&step, &mut mended);
            }
            let able = |worker| step.jobs.iter().any(|job| step.is_ready(job) && step.travel_s(worker, job).is_some());
            (made, mended, shield.tally(), step.workers.iter().filter(|worker| able(worker)).count())
        })
    }

    #[test]
    fn there_is_progress_under_a_method_that_gives_nobody_anything() {
        let mut given = 0;
        for seed in 0..40 {
            let Some((_, early, none, able)) = again(seed, 3, |_, _| {}) else { continue };
            assert_eq!(none.given, 0, "it is patient");
            assert!((0..8).all(|worker| early.job_of_checked(worker).is_none()));
            let Some((.., tally, _)) = again(seed, 4, |_, _| {}) else { continue };
            assert_eq!(tally.given > 0, able > 0, "seed {seed}: somebody could do something");
            given += tally.given;
        }
        assert!(given > 40, "{given}");
    }

    #[test]
    fn what_makes_progress_is_left_alone() {
        for seed in 0..40 {
            let Some((made, mended, tally, _)) = again(seed, 1, greedy::allocate) else { continue };
            assert_eq!((tally.mended_plans, tally.freed), (0, 0));
            assert!((0..8).all(|worker| made.job_of_checked(worker) == mended.job_of_checked(worker)));
        }
    }

    #[test]
    fn only_who_cannot_do_it_loses_what_cannot_be_done() {
        let mut freed = 0;
        for seed in 0..40 {
            let wrong = |step: &Step<'_>, plan: &mut Plan| {
                let impossible = (0..step.workers.len()).find_map(|worker| {
                    let cannot = |job: &usize| step.travel_s(&step.workers[worker], &step.jobs[*job]).is_none();
                    (0..step.jobs.len()).find(cannot).map(|job| (worker, job))
                });
                if let Some((worker, job)) = impossible {
                    plan.assign(worker, job);
                }
                greedy::allocate(step, plan);
            };
            let Some((made, mended, tally, _)) = again(seed, 1, wrong) else { continue };
            let changed = (0..8).filter(|&worker| made.job_of_checked(worker) != mended.job_of_checked(worker)).count();
            assert!(changed as u64 == tally.freed && tally.freed <= 1, "seed {seed}");
            freed += tally.freed;
        }
        assert!(freed > 10, "{freed}");
    }
}

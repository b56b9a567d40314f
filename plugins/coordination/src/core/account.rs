//! What decisions came to, counted as they are made: the blocks `alloc`, `sched`, `route` and `timing` of what a method
//! tells of itself. Efforts are counted in node expansions, not in time: the same run counts the same.

use super::memory::Subject;
use super::traffic::RouteTally;
use super::{Job, Plan, Step};
use labtrust_plugin::method::{Figure, Told};

/// What was counted in an episode.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    /// What each agent of the site was on its way to.
    walks_to: Vec<Option<Subject>>,
    given: u64,
    changed: u64,
    unassigned: u64,
    left_open: u64,
    due: u64,
    overdue: u64,
    /// Node expansions of each decision.
    expansions: Vec<u64>,
    all_expansions: u64,
}

impl Account {
    /// Counts a plan. `due_s` says by when the method wants a job done [s].
    pub(super) fn plan(&mut self, step: &Step<'_>, plan: &Plan, due_s: impl Fn(&Job) -> Option<i64>) {
        self.walks_to.resize(step.seen.agents.zone.len(), None);
        let mut given = 0;
        for (number, worker) in step.workers.iter().enumerate() {
            let job = plan.job_of(number).map(|job| &step.jobs[job]);
            let walks_to = &mut self.walks_to[usize::from(worker.agent)];
            let other = |before: Subject| job.is_some_and(|job| job.about() != before);
            self.changed += u64::from(walks_to.is_some_and(other));
            *walks_to = job.filter(|job| !step.is_here(worker, job)).map(Job::about);
            let Some(job) = job else { continue };
            given += 1;
            if let Some(due_s) = due_s(job) {
                self.due += 1;
                self.overdue += u64::from(due_s < step.now_s());
            }
        }
        self.given += given;
        self.unassigned += step.workers.len() as u64 - given;
        self.left_open += step.jobs.len() as u64 - given;
    }

    /// Counts what finding ways took in this decision; `routes` is the tally of all so far.
    pub(super) fn routes(&mut self, routes: RouteTally) {
        if routes.plans > 0 {
            self.expansions.push(routes.expansions - self.all_expansions);
            self.all_expansions = routes.expansions;
        }
    }

    /// Adds the blocks to what the method's rule tells.
    pub(super) fn tell(&self, routes: RouteTally, told: &mut Told) {
        let mut add = |block: &'static str, figures: &[(&'static str, u64)]| {
            let figures = figures.iter().map(|&(name, count)| (name, Figure::Count(count)));
            told.entry(block).or_default().extend(figures);
        };
        let Self { given, changed, unassigned, left_open, due, overdue, .. } = *self;
        add(
            "alloc",
            &[
                ("given_count", given),
                ("changed_count", changed),
                ("unassigned_count", unassigned),
                ("left_open_count", left_open),
            ],
        );
        if due > 0 {
            add("sched", &[("due_count", due), ("overdue_count", overdue)]);
        }
        let RouteTally { plans, expansions, fallbacks, waits } = routes;
        if plans + waits > 0 {
            let counts = [("plans_count", plans), ("expansions_count", expansions), ("fallbacks_count", fallbacks)];
            add("route", &counts);
            add("route", &[("waits_count", waits)]);
        }
        let mut sorted = self.expansions.clone();
        sorted.sort_unstable();
        if let Some(&most) = sorted.last() {
            let at = |percent: usize| sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)];
            add("timing", &[("p50_expansions", at(50)), ("p95_expansions", at(95)), ("max_expansions", most)]);
        }
    }
}

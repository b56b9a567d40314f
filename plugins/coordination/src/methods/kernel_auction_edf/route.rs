//! What routes are worth, and what a job adds to those of people who stand together.

use super::Weights;
use crate::core::talk::Open;
use crate::core::{Step, rank};
use labtrust_comms::AgentId;
use labtrust_comms::protocols::cbba::{Bidder, Task};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// What any job is worth [s].
const ANY: i64 = 100_000;
/// What it is worth to be one act nearer to the release [s].
const PER_RANK: i64 = 100;

/// What a step is to an auction: everything that can be seen.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) step: &'a Step<'a>,
    pub(super) open: &'a Open,
    pub(super) weights: Weights,
    /// For each class of people who stand together and have one role, one of them.
    pub(super) of_class: &'a [usize],
    /// The most that each class can bid; empty where nobody asks.
    pub(super) dearest: &'a [i64],
}

impl Sight<'_> {
    /// What a job is worth before its time is counted, and what a hundred seconds of it cost.
    fn value(&self, job: usize) -> (i64, i64) {
        let at = &self.step.jobs[job];
        let due_s = self.weights.due_s(at);
        let nearness = i64::from(u8::MAX - rank(at.act)) * PER_RANK;
        // Weighted completion times: what is worth more goes first in a route.
        let value = nearness + self.step.now_s() - due_s;
        (ANY + value, self.weights.route_weight * (4 + value.clamp(0, PER_RANK * 300) / PER_RANK))
    }

    /// What a route is worth: each job its value less what the time until its end costs.
    fn worth(&self, worker: usize, route: &[usize]) -> i64 {
        let (mut here, mut end_s, mut sum) = (self.step.workers[worker].zone, 0, 0);
        for &job in route {
            let there = self.step.jobs[job].zone.unwrap_or(here);
            end_s += self.step.floor.travel_s(here, there).unwrap_or(i64::from(u16::MAX)) + self.step.floor.dt_s;
            here = there;
            let (value, weight) = self.value(job);
            sum += value - end_s * weight / 100;
        }
        sum
    }

    /// The most that each class can honestly bid. A job gains at least what it does at the end of the longest route there is, a bid
    /// is never below an earlier one of its bundle, and what gains nothing is not bid for.
    pub(super) fn dearest(&self, handicap: i64) -> Vec<i64> {
        let Step { floor, jobs, workers, .. } = self.step;
        let ready: Vec<usize> = (0..jobs.len()).filter(|&job| self.step.is_ready(&jobs[job])).collect();
        let ends: BTreeSet<u16> = ready.iter().filter_map(|&job| jobs[job].zone).collect();
        let begins: BTreeSet<u16> = workers.iter().map(|worker| worker.zone).chain(ends.iter().copied()).collect();
        let leg_s = |from: u16, to: u16| floor.travel_s(from, to).unwrap_or(i64::from(u16::MAX));
        let longest_s = begins.iter().flat_map(|&from| ends.iter().map(move |&to| leg_s(from, to))).max().unwrap_or(0);
        let end_s = self.weights.bundle as i64 * (longest_s + floor.dt_s);
        let of_class = |&worker: &usize| {
            let able = ready.iter().filter(|&&job| self.step.travel_s(&workers[worker], &jobs[job]).is_some());
            let cost = |&job: &usize| {
                let (value, weight) = self.value(job);
                handicap - (value - end_s * weight / 100)
            };
            able.map(cost).max().map_or(i64::MIN, |cost| cost.min(-1))
        };
        self.of_class.iter().map(of_class).collect()
    }

    /// The most that a job can gain a worker: first in an empty route, and nobody is faster than the way is long.
    fn most(&self, worker: usize, job: usize) -> Option<i64> {
        let at = &self.step.workers[worker];
        let travel_s = self.step.travel_s(at, &self.step.jobs[job])?;
        let (value, weight) = self.value(job);
        Some(value - (travel_s + self.step.floor.dt_s) * weight / 100)
    }
}

/// A route under construction.
#[derive(Clone, Debug, Default)]
struct Route {
    /// Its jobs, in the order in which they are done.
    jobs: Vec<usize>,
    /// For each job of the step what it gains, and where in the route; made when it is asked for.
    gains: Vec<Option<Option<(i64, usize)>>>,
}

/// The routes of people who stand together and have one role, for a bundle of jobs.
#[derive(Clone, Debug, Default)]
struct Routes {
    bundle: Vec<Task>,
    /// Those that have jobs, and one more that has none, if somebody is left.
    routes: Vec<Route>,
}

/// Bids for people who stand together and have one role: what a job adds to the route that it adds least to.
pub(super) struct Company<'a> {
    sight: Sight<'a>,
    /// Numbers of the workers, those who have won least first.
    members: Vec<usize>,
    /// How much less each bids because of what they have won.
    handicaps: Vec<i64>,
    routes: RefCell<Routes>,
}

impl<'a> Company<'a> {
    pub(super) fn new(sight: Sight<'a>, mut members: Vec<usize>, won: impl Fn(usize) -> i64) -> Self {
        members.sort_by_key(|&worker| (won(worker), worker));
        let handicaps = members.iter().map(|&worker| won(worker)).collect();
        Self { sight, members, handicaps, routes: RefCell::default() }
    }

    /// Most jobs of a bundle: so many for each.
    pub(super) fn longest(&self) -> usize {
        self.members.len() * self.sight.weights.bundle
    }

    /// Who does which job first, when the company has won this.
    pub(super) fn first_jobs(&self, bundle: &[Task]) -> Vec<(usize, usize)> {
        let mut routes = self.routes.borrow_mut();
        self.follow(&mut routes, bundle);
        let first = |(&worker, route): (&usize, &Route)| Some((worker, *route.jobs.first()?));
        self.members.iter().zip(&routes.routes).filter_map(first).collect()
    }

    /// Builds the routes for a bundle, from those for the last one where they begin alike.
    fn follow(&self, routes: &mut Routes, bundle: &[Task]) {
        if !bundle.starts_with(&routes.bundle) || routes.routes.is_empty() {
            *routes = Routes { bundle: Vec::new(), routes: vec![Route::default()] };
        }
        for &task in &bundle[routes.bundle.len()..] {
            routes.bundle.push(task);
            let Some(job) = self.sight.open.job(task) else { continue };
            let Some((_, number, place)) = self.best(routes, job) else { continue };
            let route = &mut routes.routes[number];
            route.jobs.insert(place, job);
            route.gains.clear();
            if number + 1 == routes.routes.len() && routes.routes.len() < self.members.len() {
                routes.routes.push(Route::default());
            }
        }
    }

    /// What a job gains at most: how much, in which route, where. Of equal gains that of the first route.
    fn best(&self, routes: &mut Routes, job: usize) -> Option<(i64, usize, usize)> {
        let mut best: Option<(i64, usize, usize)> = None;
        for (number, route) in routes.routes.iter_mut().enumerate() {
            if route.gains.is_empty() {
                route.gains.resize(self.sight.step.jobs.len(), None);
            }
            let gain = match route.gains[job] {
                Some(known) => known,
                None => {
                    let gain = self.gain(number, &route.jobs, job);
                    route.gains[job] = Some(gain);
                    gain
                }
            };
            if let Some((gain, place)) = gain
                && best.is_none_or(|(most, ..)| gain > most)
            {
                best = Some((gain, number, place));
            }
        }
        best
    }

    /// What a job adds to a route, wherever it adds most; nothing where it adds less than nothing.
    fn gain(&self, number: usize, route: &[usize], job: usize) -> Option<(i64, usize)> {
        let worker = self.members[number];
        let able = self.sight.step.travel_s(&self.sight.step.workers[worker], &self.sight.step.jobs[job]).is_some();
        if !able || route.len() >= self.sight.weights.bundle || route.contains(&job) {
            return None;
        }
        let before = self.sight.worth(worker, route);
        let mut trial = Vec::with_capacity(route.len() + 1);
        let mut best: Option<(i64, usize)> = None;
        // From the back: what is worth the same anywhere does not push others aside.
        for place in (0..=route.len()).rev() {
            trial.clear();
            trial.extend_from_slice(route);
            trial.insert(place, job);
            let gain = self.sight.worth(worker, &trial) - before - self.handicaps[number];
            if gain > 0 && best.is_none_or(|(most, _)| gain > most) {
                best = Some((gain, place));
            }
        }
        best
    }
}

impl Bidder for Company<'_> {
    fn cost(&self, task: Task, bundle: &[Task]) -> Option<i64> {
        let job = self.sight.open.job(task).filter(|&job| self.sight.step.is_ready(&self.sight.step.jobs[job]))?;
        let mut routes = self.routes.borrow_mut();
        self.follow(&mut routes, bundle);
        self.best(&mut routes, job).map(|(gain, ..)| -gain)
    }

    /// Where everybody stands and what their role may do can be seen, so nobody can claim to be nearer. Of a job that is gone nobody
    /// can say what it costs.
    fn lower_bound(&self, class: AgentId, task: Task) -> i64 {
        let Some(job) = self.sight.open.job(task) else { return i64::MIN };
        let most = self.sight.of_class.get(class.index()).and_then(|&worker| self.sight.most(worker, job));
        most.map_or(i64::MAX, |most| -most)
    }

    fn upper_bound(&self, class: AgentId, _task: Task) -> i64 {
        self.sight.dearest.get(class.index()).copied().unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::classes;
    use crate::core::talk::key;
    use crate::core::testing::with_step;
    use labtrust_plugin::testing::Size;

    const WEIGHTS: Weights = Weights { bundle: 3, route_weight: 4, slack_s: 200 };

    #[test]
    fn no_honest_bid_is_below_what_is_possible_and_a_better_one_is() {
        let mut bids = 0;
        for seed in 0..60 {
            let seen = with_step(seed, Size { zones: 5, devices: 9, agents: 12 }, 40, |step| {
                let (open, companies) = (Open::of(step), classes::of_workers(step));
                let of_class: Vec<usize> = companies.iter().map(|company| company[0]).collect();
                let sight = Sight { step, open: &open, weights: WEIGHTS, of_class: &of_class, dearest: &[] };
                for (class, members) in companies.iter().enumerate() {
                    let class = AgentId(class as u32);
                    let company = Company::new(sight, members.clone(), |worker| worker as i64);
                    let mut bundle = Vec::new();
                    for job in step.jobs.iter().filter(|job| step.is_ready(job)) {
                        let Some(cost) = company.cost(key(job), &bundle) else { continue };
                        let least = company.lower_bound(class, key(job));
                        assert!(cost >= least, "seed {seed}: {cost} is below {least}");
                        bids += 1;
                        if bundle.len() < company.longest() {
                            bundle.push(key(job));
                        }
                    }
                    // A single person without a past bids exactly what is possible.
                    let alone = Company::new(sight, vec![members[0]], |_| 0);
                    for job in step.jobs.iter().filter(|job| step.is_ready(job)) {
                        if let Some(cost) = alone.cost(key(job), &[]) {
                            assert_eq!(cost, alone.lower_bound(class, key(job)));
                        }
                    }
                }
            });
            assert!(seen.is_some());
        }
        assert!(bids > 500, "{bids}");
    }

    #[test]
    fn routes_are_the_same_however_a_bundle_came_about() {
        let seen = with_step(3, Size { zones: 5, devices: 9, agents: 12 }, 40, |step| {
            let (open, companies) = (Open::of(step), classes::of_workers(step));
            let of_class: Vec<usize> = companies.iter().map(|company| company[0]).collect();
            let sight = Sight { step, open: &open, weights: WEIGHTS, of_class: &of_class, dearest: &[] };
            let all: Vec<usize> = (0..step.workers.len()).collect();
            let grown = Company::new(sight, all.clone(), |_| 0);
            let ready: Vec<Task> = step.jobs.iter().filter(|job| step.is_ready(job)).map(key).collect();
            for upto in 0..ready.len().min(6) {
                let at_once = Company::new(sight, all.clone(), |_| 0);
                for task in &ready[upto..] {
                    assert_eq!(grown.cost(*task, &ready[..upto]), at_once.cost(*task, &ready[..upto]));
                }
                assert_eq!(grown.first_jobs(&ready[..upto]), at_once.first_jobs(&ready[..upto]));
            }
            ready.len()
        });
        assert!(seen.is_some_and(|ready| ready > 6), "{seen:?}");
    }
}

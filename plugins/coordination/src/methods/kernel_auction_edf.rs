//! Bundle auction: everybody bids for a route of a few jobs, each at what it adds to the route; the rest by due date.
//!
//! **Class** market. **Cost** O((N + L W) L W) at worst a decision for bundles of L, far less where workers stand
//! together. **Core** the marginal bids; without them a random worker wins each job. **Source** Choi, Brunet and How
//! (2009), the consensus-based bundle algorithm.
//!
//! A bid is what a job gains the worker's own route: its value, less what every second until its end costs. It can only
//! fall as the bundle grows (diminishing marginal gain), so with everybody's bids known the algorithm ends where the
//! sequential greedy one does (Choi, Brunet and How, theorem 1), and that is how it is computed here: the best bid of
//! all wins, and its bidder bids again with one job more. Over a network with losses the same bids travel in messages;
//! that is another method.

use crate::core::{Core, Floor, Plan, Rule, Step, classes, draws, head_start_s, rank};
use labtrust_kernel::Stream;
use labtrust_plugin::method::MethodCard;
use labtrust_plugin::wire::Problem;

/// What any job is worth [s].
const ANY: i64 = 100_000;
/// What it is worth to be one act nearer to the release [s].
const PER_RANK: i64 = 100;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With marginal bids, or without: "on" or "off".
        core: String = "on";
        /// Jobs of a bundle [count].
        bundle: u32 = 3, 1..=8;
        /// What a second of a route costs against a second of slack [count].
        route_weight: u32 = 4, 1..=100;
        /// How much who has won before bids less, for each job [s].
        fairness_weight: u32 = 0, 0..=1000;
        /// Slack of routine work [steps].
        deadline_slack_steps: u32 = 20, 1..=200;
    }
}

/// The rule.
pub struct KernelAuctionEdf {
    core: Core,
    bundle: usize,
    route_weight: i64,
    fairness_weight: i64,
    slack_s: i64,
    /// Jobs won so far, by agent.
    won: Vec<i64>,
    draws: Stream,
}

labtrust_plugin::register_method!(crate::core::Driver<KernelAuctionEdf>);

/// A route under construction.
struct Route {
    worker: usize,
    /// Its jobs, in the order in which they are done.
    jobs: Vec<usize>,
    /// The best next bid: its value, the job, where in the route.
    best: Option<(i64, usize, usize)>,
}

impl Rule for KernelAuctionEdf {
    const ID: &'static str = "kernel_auction_edf";
    const SUMMARY: &'static str = "Bundles of a few jobs, auctioned at their marginal route cost; work by due date.";
    const CARD: MethodCard = MethodCard {
        class: "market",
        complexity: "O((N + L W) L W) for bundles of L; workers who stand together bid once",
        source: "Choi, Brunet and How 2009",
        core: "the marginal bids; off: a random worker who may do it wins each job",
        envelope: "sites on which walking matters; bundles are promises that new urgent work breaks in the next step",
        uses_messages: false,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        Ok(Self {
            core: Core::read(&params.core)?,
            bundle: params.bundle as usize,
            route_weight: i64::from(params.route_weight),
            fairness_weight: i64::from(params.fairness_weight),
            slack_s: i64::from(params.deadline_slack_steps) * floor.dt_s,
            won: Vec::new(),
            draws: draws::stream(floor, Self::ID, "random_winner"),
        })
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        if !self.core.is_on() {
            return draws::random_winners(step, &mut self.draws, plan);
        }
        self.won.resize(step.seen.agents.zone.len(), 0);
        let looked = classes::worth_a_look(step, self.bundle * step.workers.len());
        let jobs: Vec<usize> = looked.into_iter().filter(|&job| step.is_ready(&step.jobs[job])).collect();
        let mut taken = vec![false; step.jobs.len()];
        let mut routes = self.first_bids(step, &jobs, &taken);
        while let Some(winner) = best_of(&routes) {
            let Some((_, job, place)) = routes[winner].best else { break };
            if taken[job] {
                routes[winner].best = self.bid(step, &routes[winner], &jobs, &taken);
                continue;
            }
            taken[job] = true;
            routes[winner].jobs.insert(place, job);
            routes[winner].best = match routes[winner].jobs.len() < self.bundle {
                true => self.bid(step, &routes[winner], &jobs, &taken),
                false => None,
            };
        }
        for route in &routes {
            if let Some(&first) = route.jobs.first() {
                plan.assign(route.worker, first);
                self.won[usize::from(step.workers[route.worker].agent)] += 1;
            }
        }
    }
}

impl KernelAuctionEdf {
    /// Everybody's first bid; who stands with others of their role bids what they bid.
    fn first_bids(&self, step: &Step<'_>, jobs: &[usize], taken: &[bool]) -> Vec<Route> {
        let mut routes = Vec::with_capacity(step.workers.len());
        for class in classes::of_workers(step) {
            let mut of_class: Option<Option<(i64, usize, usize)>> = None;
            for worker in class {
                let mut route = Route { worker, jobs: Vec::new(), best: None };
                let same = self.fairness_weight == 0;
                route.best = of_class.filter(|_| same).unwrap_or_else(|| self.bid(step, &route, jobs, taken));
                of_class = Some(route.best);
                routes.push(route);
            }
        }
        routes.sort_by_key(|route| route.worker);
        routes
    }

    /// The best bid of a route: for each open job what it adds, wherever in the route it adds most.
    fn bid(&self, step: &Step<'_>, route: &Route, jobs: &[usize], taken: &[bool]) -> Option<(i64, usize, usize)> {
        let worker = &step.workers[route.worker];
        let before = self.worth(step, route.worker, &route.jobs);
        let handicap = self.fairness_weight * self.won[usize::from(worker.agent)];
        let mut best: Option<(i64, usize, usize)> = None;
        let mut trial = Vec::with_capacity(route.jobs.len() + 1);
        for &job in jobs.iter().filter(|&&job| !taken[job]) {
            if step.travel_s(worker, &step.jobs[job]).is_none() {
                continue;
            }
            // From the back: what is worth the same anywhere does not push others aside.
            for place in (0..=route.jobs.len()).rev() {
                trial.clear();
                trial.extend_from_slice(&route.jobs);
                trial.insert(place, job);
                let gain = self.worth(step, route.worker, &trial) - before - handicap;
                if gain > 0 && best.is_none_or(|(most, ..)| gain > most) {
                    best = Some((gain, job, place));
                }
            }
        }
        best
    }

    /// What a route is worth: each job its value less what the time until its end costs.
    fn worth(&self, step: &Step<'_>, worker: usize, route: &[usize]) -> i64 {
        let (mut here, mut end_s, mut sum) = (step.workers[worker].zone, 0, 0);
        for &number in route {
            let job = &step.jobs[number];
            let there = job.zone.unwrap_or(here);
            end_s += step.floor.travel_s(here, there).unwrap_or(i64::from(u16::MAX)) + step.floor.dt_s;
            here = there;
            let due_s = job.arrival_s + self.slack_s - head_start_s(job.priority);
            let nearness = i64::from(u8::MAX - rank(job.act)) * PER_RANK;
            // Weighted completion times: what is worth more goes first in a route.
            let value = nearness + step.now_s() - due_s;
            let weight = self.route_weight * (4 + value.clamp(0, PER_RANK * 300) / PER_RANK);
            sum += ANY + value - end_s * weight / 100;
        }
        sum
    }
}

/// The route whose bid is best, of equal bids the first.
fn best_of(routes: &[Route]) -> Option<usize> {
    let bids = routes.iter().enumerate().filter_map(|(number, route)| Some((route.best?.0, number)));
    bids.max_by_key(|&(gain, number)| (gain, std::cmp::Reverse(number))).map(|(_, number)| number)
}

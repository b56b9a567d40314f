//! Hub and regions: the floor is cut into regions, each with a controller; a hub hands work to regions and moves people
//! between them.
//!
//! **Class** hierarchical. **Cost** O(N W / R + W) a decision for R regions, and two messages a region. **Core** the hub; without it every region
//! has the people it began with and the work it has. **Source** balanced regions by greedy graph growing (Karypis and
//! Kumar 1998); two-level control as in Dilts, Boyd and Whorms (1991).
//!
//! A controller sees its own region only: nearest first, in the order of urgency. It reports to the hub who is left, which work
//! is left and since when, and what was begun of what the hub ordered. The hub lends people who have nothing to do to regions that
//! have nobody for their work. Work that a region was handed must be begun in time (an accepted start acknowledges it);
//! if not, it is escalated: anybody of another region may take it. Reports and orders go through the network of the parameter
//! `network`.

use crate::core::hub::{Desks, Hub, Order, Report};
use crate::core::talk::{Open, key, key_of};
use crate::core::{Core, Floor, Plan, Regions, Rule, Step, greedy};
use labtrust_comms::protocols::gossip::Key;
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, Figure, MethodCard, Told};
use labtrust_plugin::wire::Problem;
use std::collections::{BTreeMap, BTreeSet};

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With the hub, or without: "on" or "off".
        core: String = "on";
        /// Regions [count], at most as many as zones.
        regions: u32 = 3, 1..=64;
        /// How long a region has until what it was handed must be begun [steps].
        ack_deadline_steps: u32 = 10, 1..=1000;
        /// How messages travel, "drop_rate=0.3,p50_ms=40": the settings of the message layer. Nothing: at once.
        network: String = "";
        /// Whether desks sign what they say and judge what they hear: "on", "off", "on without CONTROL...".
        signed: String = "off";
    }
}

/// The rule.
pub struct HierarchicalHubLocal {
    core: Core,
    regions: Regions,
    /// Region that each agent works for: where the hub posts them, or without a hub where they stood at first.
    member: BTreeMap<u16, usize>,
    /// Since when each job is open in its region [s].
    since_s: BTreeMap<Key, i64>,
    /// Orders that came in the last step.
    ordered: Vec<Order>,
    desks: Desks,
    lender: Lender,
}

/// The hub.
struct Lender {
    ack_s: i64,
    regions: Regions,
    /// What the people of each region may do: the staff list.
    may: BTreeMap<usize, u32>,
    /// Region that each agent works for: the staff list, too.
    member: BTreeMap<u16, usize>,
    /// Jobs that were escalated and are still open.
    overdue: BTreeSet<Key>,
    lent_count: u64,
    begun_count: u64,
    escalated_count: u64,
}

labtrust_plugin::register_method!(crate::core::Driver<HierarchicalHubLocal>);

impl Rule for HierarchicalHubLocal {
    const ID: &'static str = "hierarchical_hub_local";
    const SUMMARY: &'static str = "Controllers of balanced regions; a hub hands them work and lends them people.";
    const CARD: MethodCard = MethodCard {
        class: "hierarchical",
        complexity: "O(N W / R + W) for R regions, and two messages a region",
        source: "Karypis and Kumar 1998 for the regions; Dilts, Boyd and Whorms 1991",
        core: "the hub; off: regions keep the people they began with, whoever those are",
        envelope: "large floors, several sites; people are lent late, so a sudden wave is met slowly",
        uses_messages: true,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let devices = |zone| floor.devices.iter().filter(|device| device.zone == Some(zone)).count() as u64;
        let weight = |zone| 1 + 4 * devices(zone) + 4 * u64::from(floor.reception == Some(zone));
        let regions = Regions::new(floor, params.regions as usize, weight);
        let lender = Lender {
            ack_s: i64::from(params.ack_deadline_steps) * floor.dt_s,
            regions: regions.clone(),
            may: BTreeMap::new(),
            member: BTreeMap::new(),
            overdue: BTreeSet::new(),
            lent_count: 0,
            begun_count: 0,
            escalated_count: 0,
        };
        Ok(Self {
            core: Core::read(&params.core)?,
            desks: Desks::new(&params.network, &params.signed, floor, regions.count())?,
            regions,
            member: BTreeMap::new(),
            since_s: BTreeMap::new(),
            ordered: Vec::new(),
            lender,
        })
    }

    fn stages(&self) -> bool {
        self.core.is_on()
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        for worker in step.workers {
            let post = step.post_of(worker).filter(|_| self.core.is_on());
            self.member.entry(worker.agent).or_insert_with(|| self.regions.of(post.unwrap_or(worker.zone)));
        }
        self.controllers(step, plan);
        if !self.core.is_on() {
            return;
        }
        self.lender.may.clear();
        for (agent, region) in &self.member {
            *self.lender.may.entry(*region).or_default() |= step.seen.agents.may[usize::from(*agent)];
        }
        self.lender.member.clone_from(&self.member);
        let reports = self.reports(step, plan);
        self.ordered = self.desks.run(step, reports, &mut self.lender);
        let open = Open::of(step);
        for order in &self.ordered {
            if let Ok(worker) = step.workers.binary_search_by_key(&order.agent, |worker| worker.agent)
                && let Some(job) = open.job(order.key).filter(|&job| step.is_ready(&step.jobs[job]))
                && step.travel_s(&step.workers[worker], &step.jobs[job]).is_some()
            {
                plan.assign(worker, job);
            }
        }
    }

    fn tap(&mut self, tap: SharedTap) -> bool {
        self.desks.tap(tap)
    }

    fn unreached(&self) -> &[u16] {
        self.desks.unreached()
    }

    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        self.desks.evidence(out);
    }

    fn told(&self) -> Told {
        let mut told = self.desks.told();
        let Lender { lent_count, begun_count, escalated_count, .. } = self.lender;
        let hierarchy = [
            ("cross_region_handoffs", Figure::Count(lent_count)),
            ("handoff_ack_count", Figure::Count(begun_count)),
            ("escalations", Figure::Count(escalated_count)),
        ];
        told.insert("hierarchy", hierarchy.into());
        told
    }
}

impl HierarchicalHubLocal {
    /// Each controller gives the work of its region to its people.
    fn controllers(&self, step: &Step<'_>, plan: &mut Plan) {
        for number in greedy::by_ability(step) {
            let region = self.member[&step.workers[number].agent];
            let ours = |job: usize| step.jobs[job].zone.is_none_or(|zone| self.regions.of(zone) == region);
            greedy::take(step, plan, number, ours);
        }
    }

    /// What each region has left, and what was begun there of what was ordered.
    fn reports(&mut self, step: &Step<'_>, plan: &Plan) -> Vec<Report> {
        let now_s = step.now_s();
        let mut reports = vec![Report::default(); self.regions.count()];
        for (number, worker) in step.workers.iter().enumerate() {
            if plan.is_free(number) {
                reports[self.member[&worker.agent]].free.push(worker.agent);
            }
        }
        let known = std::mem::take(&mut self.since_s);
        for (number, job) in step.jobs.iter().enumerate().filter(|(_, job)| step.is_ready(job)) {
            let since_s = known.get(&key(job)).copied().unwrap_or(now_s);
            self.since_s.insert(key(job), since_s);
            // What is nowhere in particular every controller can give to its people.
            if let Some(zone) = job.zone.filter(|_| plan.is_open(number)) {
                reports[self.regions.of(zone)].open.push((key(job), since_s));
            }
        }
        for outcome in step.memory.outcomes().iter().filter(|outcome| outcome.done) {
            let done = (outcome.agent, key_of(outcome.about));
            if self.ordered.iter().any(|order| (order.agent, order.key) == done) {
                reports[self.regions.of(outcome.zone)].begun.push(done);
            }
        }
        reports
    }
}

impl Hub for Lender {
    /// Lends those who have nothing to do to regions that have nobody for their work, the most urgent first; overdue work is for
    /// anybody.
    fn decide(&mut self, step: &Step<'_>, reports: &[Option<Report>]) -> Vec<(usize, Order)> {
        let now_s = step.now_s();
        let reports: Vec<&Report> = reports.iter().flatten().collect();
        self.begun_count += reports
            .iter()
            .filter(|report| report.step == step.seen.step)
            .map(|report| report.begun.len() as u64)
            .sum::<u64>();
        let open = Open::of(step);
        let told = reports.iter().flat_map(|report| &report.open);
        let mut jobs: Vec<(usize, i64)> = told.filter_map(|(key, since_s)| Some((open.job(*key)?, *since_s))).collect();
        jobs.sort_unstable();
        let place = |agent: &u16| step.workers.binary_search_by_key(agent, |worker| worker.agent).ok();
        let mut free: Vec<usize> = reports.iter().flat_map(|report| &report.free).filter_map(place).collect();
        let mut orders = Vec::new();
        let overdue = std::mem::take(&mut self.overdue);
        for (job, since_s) in jobs {
            let at = &step.jobs[job];
            let Some(region) = at.zone.map(|zone| self.regions.of(zone)) else { continue };
            let served = self.may.get(&region).is_some_and(|may| may >> at.act.index() & 1 == 1);
            let is_overdue = now_s - since_s >= self.ack_s;
            if is_overdue && self.overdue.insert(key(at)) && !overdue.contains(&key(at)) {
                self.escalated_count += 1;
            }
            if !step.is_ready(at) || (served && !is_overdue) {
                continue;
            }
            let able =
                free.iter().copied().filter_map(|worker| Some((step.travel_s(&step.workers[worker], at)?, worker)));
            let Some((_, worker)) = able.min() else { continue };
            free.retain(|&other| other != worker);
            let agent = step.workers[worker].agent;
            let order = Order { agent, key: key(at), until_s: now_s.saturating_add(self.ack_s) };
            self.lent_count += 1;
            orders.push((self.member.get(&agent).copied().unwrap_or(region), order));
        }
        orders
    }
}

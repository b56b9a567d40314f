//! Hub and regions: the floor is cut into regions, each with a controller; a hub hands work to regions and moves people
//! between them.
//!
//! **Class** hierarchical. **Cost** O(N W / R + W) a decision for R regions. **Core** the hub; without it every region
//! has the people it began with and the work it has. **Source** balanced regions by greedy graph growing (Karypis and
//! Kumar 1998); two-level control as in Dilts, Boyd and Whorms (1991).
//!
//! A controller sees its own region only: nearest first, in the order of urgency. The hub counts for every region the
//! work that its people cannot do, and lends it people of other regions who have nothing to do there. Work that a
//! region was handed must be begun in time (an accepted start acknowledges it); if not, it is escalated: anybody may
//! take it.

use crate::core::{Core, Floor, Plan, Regions, Rule, Step, Subject, greedy};
use labtrust_plugin::method::MethodCard;
use labtrust_plugin::wire::Problem;
use std::collections::BTreeMap;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With the hub, or without: "on" or "off".
        core: String = "on";
        /// Regions [count], at most as many as zones.
        regions: u32 = 3, 1..=64;
        /// How long a region has until what it was handed must be begun [steps].
        ack_deadline_steps: u32 = 10, 1..=1000;
    }
}

/// The rule.
pub struct HierarchicalHubLocal {
    core: Core,
    ack_s: i64,
    regions: Regions,
    /// Region that each agent works for: where the hub posts them, or without a hub where they stood at first.
    member: BTreeMap<u16, usize>,
    /// Since when each job is open in its region [s].
    handed: BTreeMap<(u8, u32), i64>,
}

labtrust_plugin::register_method!(crate::core::Driver<HierarchicalHubLocal>);

impl Rule for HierarchicalHubLocal {
    const ID: &'static str = "hierarchical_hub_local";
    const SUMMARY: &'static str = "Controllers of balanced regions; a hub hands them work and lends them people.";
    const CARD: MethodCard = MethodCard {
        class: "hierarchical",
        complexity: "O(N W / R + W) for R regions",
        source: "Karypis and Kumar 1998 for the regions; Dilts, Boyd and Whorms 1991",
        core: "the hub; off: regions keep the people they began with, whoever those are",
        envelope: "large floors, several sites; people are lent late, so a sudden wave is met slowly",
        uses_messages: false,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let devices = |zone| floor.devices.iter().filter(|device| device.zone == Some(zone)).count() as u64;
        let weight = |zone| 1 + 4 * devices(zone) + 4 * u64::from(floor.reception == Some(zone));
        Ok(Self {
            core: Core::read(&params.core)?,
            ack_s: i64::from(params.ack_deadline_steps) * floor.dt_s,
            regions: Regions::new(floor, params.regions as usize, weight),
            member: BTreeMap::new(),
            handed: BTreeMap::new(),
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
        if self.core.is_on() {
            let escalated = self.hand_out(step);
            self.lend(step, plan, &escalated);
        }
    }
}

const fn key(about: Subject) -> (u8, u32) {
    (about.0.index(), about.1)
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

    /// Keeps the books: since when each job is open, and which are overdue.
    fn hand_out(&mut self, step: &Step<'_>) -> Vec<usize> {
        let now_s = step.now_s();
        let known = std::mem::take(&mut self.handed);
        let mut escalated = Vec::new();
        for (number, job) in step.jobs.iter().enumerate().filter(|(_, job)| step.is_ready(job)) {
            let since_s = known.get(&key(job.about())).copied().unwrap_or(now_s);
            self.handed.insert(key(job.about()), since_s);
            if now_s - since_s >= self.ack_s {
                escalated.push(number);
            }
        }
        escalated
    }

    /// Lends those who have nothing to do to regions that have nobody for their work, the most urgent first; overdue
    /// work is for anybody.
    fn lend(&mut self, step: &Step<'_>, plan: &mut Plan, escalated: &[usize]) {
        let mut has: BTreeMap<usize, u32> = BTreeMap::new();
        for (agent, region) in &self.member {
            *has.entry(*region).or_default() |= step.seen.agents.may[usize::from(*agent)];
        }
        for (number, job) in step.jobs.iter().enumerate() {
            let Some(region) = job.zone.map(|zone| self.regions.of(zone)) else { continue };
            let served = has.get(&region).is_some_and(|may| may >> job.act.index() & 1 == 1);
            if !plan.is_open(number) || !step.is_ready(job) || (served && !escalated.contains(&number)) {
                continue;
            }
            let idle = (0..step.workers.len()).filter(|&worker| plan.is_free(worker));
            let able = idle.filter_map(|worker| Some((step.travel_s(&step.workers[worker], job)?, worker)));
            let Some((_, worker)) = able.min() else { continue };
            plan.assign(worker, number);
        }
    }
}

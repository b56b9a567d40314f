//! Hub, round robin: regions look after themselves, and a hub deals what is left over as cards are dealt.
//!
//! **Class** hierarchical. **Cost** O(N W) a decision, and two messages a zone. **Core** the hub; without it everybody does
//! what they find where they stand. **Source** two-level job-shop control (Dilts, Boyd and Whorms 1991); round robin and priority
//! that grows with the wait as in Kleinrock (1964, 1976).
//!
//! In each step the people of a zone first take the work that is there. The zone's desk reports to the hub who is left and what work
//! is left; the hub deals it to the next in turn who may do it, and they keep it until it is begun: an accepted start, which the
//! desk reports, acknowledges it. What is not acknowledged in time is escalated: it is dealt to the next who stands
//! elsewhere, if there is anybody. Reports and cards go through the network of the parameter `network`.

use crate::core::hub::{Desks, Hub, Order, Report};
use crate::core::talk::{Open, key, key_of};
use crate::core::{Core, Floor, Job, NO_WAY, Plan, Rule, Step, greedy};
use labtrust_comms::protocols::gossip::Key;
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, Figure, MethodCard, Told};
use labtrust_plugin::wire::{Priority, Problem};
use std::collections::{BTreeMap, BTreeSet};

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With the hub, or without: "on" or "off".
        core: String = "on";
        /// How long a worker has until what they were dealt must be begun [steps].
        ack_deadline_steps: u32 = 10, 1..=1000;
        /// How messages travel, "drop_rate=0.3,p50_ms=40": the settings of the message layer. Nothing: at once.
        network: String = "";
        /// Whether desks sign what they say and judge what they hear: "on", "off", "on without CONTROL...".
        signed: String = "off";
    }
}

/// The rule.
pub struct HierarchicalHubRr {
    core: Core,
    desks: Desks,
    dealer: Dealer,
    /// The card that each agent holds, and until when it holds [s].
    holding: BTreeMap<u16, (Key, i64)>,
}

labtrust_plugin::register_method!(crate::core::Driver<HierarchicalHubRr>);

/// The hub.
struct Dealer {
    ack_s: i64,
    /// Who was dealt what, and where they stood.
    dealt: Vec<(Order, u16)>,
    /// Zones whose people let a job lie.
    let_lie: BTreeMap<Key, BTreeSet<u16>>,
    /// The agent behind whom the next card is dealt.
    last: u16,
    dealt_count: u64,
    begun_count: u64,
    escalated_count: u64,
}

impl Rule for HierarchicalHubRr {
    const ID: &'static str = "hierarchical_hub_rr";
    const SUMMARY: &'static str = "Local work first; a hub deals the rest to whoever is next in turn.";
    const CARD: MethodCard = MethodCard {
        class: "hierarchical",
        complexity: "O(N W), and two messages a zone",
        source: "Dilts, Boyd and Whorms 1991; Kleinrock 1964",
        core: "the hub; off: everybody does what they find where they stand, and nobody is sent anywhere",
        envelope: "one building; the hub does not look who is near, so walks grow with the floor",
        uses_messages: true,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let core = Core::read(&params.core)?;
        let ack_s = i64::from(params.ack_deadline_steps) * floor.dt_s;
        let dealer = Dealer {
            ack_s,
            dealt: Vec::new(),
            let_lie: BTreeMap::new(),
            last: 0,
            dealt_count: 0,
            begun_count: 0,
            escalated_count: 0,
        };
        // One more desk for work that is nowhere in particular.
        let desks = Desks::new(&params.network, &params.signed, floor, floor.zones() + 1)?;
        Ok(Self { core, desks, dealer, holding: BTreeMap::new() })
    }

    /// Priority that grows with the wait, at a rate of its class: nobody overtakes for nothing.
    fn urgency(&self, job: &Job, now_s: i64) -> i64 {
        let rate = match job.priority {
            Priority::Stat => 4,
            Priority::Urgent => 2,
            Priority::Routine => 1,
        };
        -now_s.saturating_sub(job.arrival_s).saturating_mul(rate)
    }

    fn stages(&self) -> bool {
        self.core.is_on()
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        local(step, plan);
        if !self.core.is_on() {
            return;
        }
        let open = Open::of(step);
        let reports = self.reports(step, plan);
        for order in self.desks.run(step, reports, &mut self.dealer) {
            self.holding.insert(order.agent, (order.key, order.until_s));
        }
        // Those who were dealt something go on with it while it is open and there is time.
        self.holding.retain(|_, (key, until_s)| {
            *until_s > step.now_s() && open.job(*key).is_some_and(|job| step.is_ready(&step.jobs[job]))
        });
        for (agent, (key, _)) in &self.holding {
            if let Ok(worker) = step.workers.binary_search_by_key(agent, |worker| worker.agent)
                && let Some(job) = open.job(*key)
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
        let Dealer { dealt_count, begun_count, escalated_count, .. } = self.dealer;
        let hierarchy = [
            ("cross_region_handoffs", Figure::Count(dealt_count)),
            ("handoff_ack_count", Figure::Count(begun_count)),
            ("escalations", Figure::Count(escalated_count)),
        ];
        told.insert("hierarchy", hierarchy.into());
        told
    }
}

/// Everybody takes the first job of the list that is where they stand.
fn local(step: &Step<'_>, plan: &mut Plan) {
    for number in greedy::by_ability(step) {
        let here = |job: usize| step.is_here(&step.workers[number], &step.jobs[job]);
        greedy::take(step, plan, number, here);
    }
}

impl HierarchicalHubRr {
    /// What each zone has left, and what was begun there.
    fn reports(&self, step: &Step<'_>, plan: &Plan) -> Vec<Report> {
        let nowhere = step.floor.zones();
        let mut reports = vec![Report::default(); nowhere + 1];
        for (_, worker) in step.workers.iter().enumerate().filter(|(number, _)| plan.is_free(*number)) {
            reports[usize::from(worker.zone)].free.push(worker.agent);
        }
        for (number, job) in step.jobs.iter().enumerate() {
            if plan.is_open(number) && step.is_ready(job) {
                reports[job.zone.map_or(nowhere, usize::from)].open.push((key(job), job.since_s));
            }
        }
        for outcome in step.memory.outcomes().iter().filter(|outcome| outcome.done) {
            let done = key_of(outcome.about);
            if self.holding.get(&outcome.agent).is_some_and(|(key, _)| *key == done) {
                reports[usize::from(outcome.zone)].begun.push((outcome.agent, done));
            }
        }
        reports
    }
}

impl Hub for Dealer {
    fn decide(&mut self, step: &Step<'_>, reports: &[Option<Report>]) -> Vec<(usize, Order)> {
        let reports: Vec<&Report> = reports.iter().flatten().collect();
        for (agent, key) in reports.iter().flat_map(|report| &report.begun) {
            let before = self.dealt.len();
            self.dealt.retain(|(order, _)| (order.agent, order.key) != (*agent, *key));
            self.begun_count += (before - self.dealt.len()) as u64;
        }
        let told: BTreeSet<Key> = reports.iter().flat_map(|report| &report.open).map(|(key, _)| *key).collect();
        // What is open no longer was done by somebody.
        self.let_lie.retain(|key, _| told.contains(key));
        let now_s = step.now_s();
        let Self { dealt, let_lie, escalated_count, .. } = self;
        dealt.retain(|(order, zone)| {
            let lies = told.contains(&order.key);
            if lies && order.until_s <= now_s {
                *escalated_count += 1;
                let_lie.entry(order.key).or_default().insert(*zone);
            }
            lies && order.until_s > now_s
        });
        self.deal(step, &reports)
    }
}

impl Dealer {
    /// Deals what nobody has to the next in turn.
    fn deal(&mut self, step: &Step<'_>, reports: &[&Report]) -> Vec<(usize, Order)> {
        let open = Open::of(step);
        let told = reports.iter().flat_map(|report| &report.open);
        let mut jobs: Vec<usize> = told.filter_map(|(key, _)| open.job(*key)).collect();
        // In the order of their urgency.
        jobs.sort_unstable();
        let mut free: Vec<usize> = Vec::new();
        for agent in reports.iter().flat_map(|report| &report.free) {
            let has_card = self.dealt.iter().any(|(order, _)| order.agent == *agent);
            if !has_card && let Ok(worker) = step.workers.binary_search_by_key(agent, |worker| worker.agent) {
                free.push(worker);
            }
        }
        let mut orders = Vec::new();
        for job in jobs {
            let at = &step.jobs[job];
            let key = key(at);
            if !step.is_ready(at) || self.dealt.iter().any(|(order, _)| order.key == key) {
                continue;
            }
            let lay =
                |worker: usize| self.let_lie.get(&key).is_some_and(|zones| zones.contains(&step.workers[worker].zone));
            let turn = |worker: usize| step.workers[worker].agent.wrapping_sub(self.last.wrapping_add(1));
            let able = free.iter().copied().filter(|&worker| step.travel_s(&step.workers[worker], at).is_some());
            let Some(next) = able.min_by_key(|&worker| (lay(worker), turn(worker))) else { continue };
            free.retain(|&worker| worker != next);
            let to = step.workers[next];
            let walk_s = step.floor.travel_s(to.zone, at.zone.unwrap_or(to.zone)).unwrap_or(i64::from(NO_WAY));
            let until_s = step.now_s().saturating_add(walk_s + self.ack_s);
            let order = Order { agent: to.agent, key, until_s };
            self.last = to.agent;
            self.dealt.push((order, to.zone));
            self.dealt_count += 1;
            orders.push((usize::from(to.zone), order));
        }
        orders
    }
}

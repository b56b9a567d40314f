//! Hub, round robin: regions look after themselves, and a hub deals what is left over as cards are dealt.
//!
//! **Class** hierarchical. **Cost** O(N W) a decision. **Core** the hub; without it everybody does what they find where
//! they stand. **Source** two-level job-shop control (Dilts, Boyd and Whorms 1991); round robin and priority that grows
//! with the wait as in Kleinrock (1964, 1976).
//!
//! In each step the people of a region first take the work of the zone they stand in. What nobody stands beside the hub
//! gives to the next in turn who may do it, and they keep it until it is begun: an accepted start acknowledges it. What
//! is not acknowledged in time is escalated: it goes back to the hub, which deals it to the next.

use crate::core::{Core, Floor, Job, NO_WAY, Plan, Rule, Step, Subject, greedy};
use labtrust_plugin::method::MethodCard;
use labtrust_plugin::wire::{Priority, Problem};

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With the hub, or without: "on" or "off".
        core: String = "on";
        /// How long a worker has until what they were dealt must be begun [steps].
        ack_deadline_steps: u32 = 10, 1..=1000;
    }
}

/// The rule.
pub struct HierarchicalHubRr {
    core: Core,
    ack_s: i64,
    /// Who was dealt what, and until when [s].
    dealt: Vec<(u16, Subject, i64)>,
    /// The agent behind whom the next card is dealt.
    last: u16,
}

labtrust_plugin::register_method!(crate::core::Driver<HierarchicalHubRr>);

impl Rule for HierarchicalHubRr {
    const ID: &'static str = "hierarchical_hub_rr";
    const SUMMARY: &'static str = "Local work first; a hub deals the rest to whoever is next in turn.";
    const CARD: MethodCard = MethodCard {
        class: "hierarchical",
        complexity: "O(N W)",
        source: "Dilts, Boyd and Whorms 1991; Kleinrock 1964",
        core: "the hub; off: everybody does what they find where they stand, and nobody is sent anywhere",
        envelope: "one building; the hub does not look who is near, so walks grow with the floor",
        uses_messages: false,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let core = Core::read(&params.core)?;
        let ack_s = i64::from(params.ack_deadline_steps) * floor.dt_s;
        Ok(Self { core, ack_s, dealt: Vec::new(), last: 0 })
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
        if self.core.is_on() {
            self.keep(step, plan);
            self.deal(step, plan);
        }
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
    /// Those who were dealt something go on with it while it is open and there is time.
    fn keep(&mut self, step: &Step<'_>, plan: &mut Plan) {
        self.dealt.retain(|&(agent, about, until_s)| {
            let Some(job) = step.jobs.iter().position(|job| job.about() == about && step.is_ready(job)) else {
                // Acknowledged, or no longer there.
                return false;
            };
            if until_s <= step.now_s() {
                // Escalated: the hub deals it again.
                return false;
            }
            if let Some(worker) = step.workers.iter().position(|worker| worker.agent == agent)
                && step.travel_s(&step.workers[worker], &step.jobs[job]).is_some()
            {
                plan.assign(worker, job);
            }
            true
        });
    }

    /// Deals what nobody has to the next in turn.
    fn deal(&mut self, step: &Step<'_>, plan: &mut Plan) {
        for (number, job) in step.jobs.iter().enumerate() {
            let is_dealt = self.dealt.iter().any(|(_, about, _)| *about == job.about());
            if !plan.is_open(number) || !step.is_ready(job) || is_dealt {
                continue;
            }
            let has_card = |agent| self.dealt.iter().any(|(holder, ..)| *holder == agent);
            let able = |&worker: &usize| {
                let at = &step.workers[worker];
                plan.is_free(worker) && !has_card(at.agent) && step.travel_s(at, job).is_some()
            };
            let turn = |worker: usize| step.workers[worker].agent.wrapping_sub(self.last.wrapping_add(1));
            let Some(next) = (0..step.workers.len()).filter(able).min_by_key(|&worker| turn(worker)) else { continue };
            let at = step.workers[next];
            let walk_s = step.floor.travel_s(at.zone, job.zone.unwrap_or(at.zone)).unwrap_or(i64::from(NO_WAY));
            self.last = at.agent;
            self.dealt.push((at.agent, job.about(), step.now_s().saturating_add(walk_s + self.ack_s)));
            plan.assign(next, number);
        }
    }
}

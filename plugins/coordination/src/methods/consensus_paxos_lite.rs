//! Paxos: who does what is one decree a step, proposed by a leader and accepted by a majority.
//!
//! **Class** decentralized. **Cost** O(N W + N²) a decision, and as many messages. **Core** the decree: without it everybody
//! takes what is best by their own lights, and several go for one thing. **Source** Lamport (1998), the part-time parliament;
//! (2001), Paxos made simple.
//!
//! The leader of a step, everybody in turn, deals the open work to those who are idle, the nearest first. Where a majority
//! accepts it, it is decreed, and the leader tells everybody; a leader that is not heard is followed by the next after three
//! rounds. No two workers act on different decrees of a step. Who has not heard of one when the rounds are over does what
//! the last decree that they know gave them, if that is still to be done, and otherwise waits. All messages go through the
//! network of the parameter `network`.

use crate::core::{Core, Floor, Plan, Rule, Step, greedy, talk};
use labtrust_comms::network::{Network, Wire};
use labtrust_comms::protocols::Exchange;
use labtrust_comms::protocols::gossip::Key;
use labtrust_comms::protocols::paxos::{Outcome, Paxos, PaxosMessage, PaxosRules};
use labtrust_plugin::method::MethodCard;
use labtrust_plugin::wire::Problem;
use std::sync::Arc;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With decrees, or without: "on" or "off".
        core: String = "on";
        /// Rounds of messages in a step [count].
        max_rounds: u32 = 3, 1..=20;
        /// How messages travel, "drop_rate=0.3,p50_ms=40": the settings of the message layer. Nothing: at once.
        network: String = "";
    }
}

/// Who does what: places of agents and their jobs, by place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Decree(Arc<[(u16, Key)]>);

impl Wire for Decree {
    /// Six bytes an entry [B].
    fn wire_bytes(&self) -> u32 {
        u32::try_from(self.0.len() * 6).unwrap_or(u32::MAX)
    }
}

impl Decree {
    fn of(&self, agent: u16) -> Option<Key> {
        self.0.binary_search_by_key(&agent, |&(agent, _)| agent).ok().map(|place| self.0[place].1)
    }
}

/// The rule.
pub struct ConsensusPaxosLite {
    core: Core,
    rounds: u32,
    /// Those who are directed, in their order.
    agents: Vec<Paxos<Decree>>,
    network: Network<PaxosMessage<Decree>>,
}

labtrust_plugin::register_method!(crate::core::Driver<ConsensusPaxosLite>);

impl Rule for ConsensusPaxosLite {
    const ID: &'static str = "consensus_paxos_lite";
    const SUMMARY: &'static str = "A leader deals the work, a majority accepts it; what was not decreed in time waits.";
    const CARD: MethodCard = MethodCard {
        class: "decentralized",
        complexity: "O(N W + N²), and as many messages",
        source: "Lamport 1998, 2001",
        core: "the decree; off: everybody takes the nearest work, whoever else does",
        envelope: "up to some hundred people on a network that a majority can be reached on; beyond that work waits",
        uses_messages: true,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let (network, people) = talk::network(&params.network, floor)?;
        let rules = PaxosRules::majority(u32::try_from(people.len()).unwrap_or(u32::MAX));
        let agents = people.into_iter().map(|me| Paxos::new(rules, me, Decree::default())).collect();
        Ok(Self { core: Core::read(&params.core)?, rounds: params.max_rounds, agents, network })
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        if !self.core.is_on() {
            return everybody_for_themselves(step, plan);
        }
        // All see the same laboratory, so whoever leads proposes this.
        let mut dealt = plan.clone();
        greedy::allocate(step, &mut dealt);
        let entry = |number: usize| Some((step.workers[number].agent, talk::key(&step.jobs[dealt.job_of(number)?])));
        let decree = Decree((0..step.workers.len()).filter_map(entry).collect());
        // The agents are at slot 0 before the first step.
        let slot = u64::from(step.seen.step) + 1;
        for agent in &mut self.agents {
            agent.begin_slot(slot, decree.clone());
        }
        self.network.begin_step(u64::from(step.seen.step));
        Exchange::over_a_step(self.rounds, &self.network).run(&mut self.agents, &mut self.network, |_, _| true);
        let open = talk::Open::of(step);
        for (number, worker) in step.workers.iter().enumerate() {
            let Some(place) = talk::place(step.floor, worker.agent) else { continue };
            let given = match self.agents[place].outcome() {
                Outcome::Decided(decree) | Outcome::Fallback(_, decree) => decree.of(worker.agent),
                Outcome::Nothing => None,
            };
            if let Some(job) = given.and_then(|given| open.job(given)) {
                let at = &step.jobs[job];
                if step.is_ready(at) && step.travel_s(worker, at).is_some() {
                    plan.assign(number, job);
                }
            }
        }
    }
}

/// Everybody goes for the nearest work; who comes second finds it taken.
fn everybody_for_themselves(step: &Step<'_>, plan: &mut Plan) {
    for (number, worker) in step.workers.iter().enumerate() {
        let ready = step.jobs.iter().enumerate().filter(|(_, job)| step.is_ready(job));
        let nearest = ready.filter_map(|(job, at)| Some((step.travel_s(worker, at)?, job))).min();
        if let Some((_, job)) = nearest {
            plan.assign(number, job);
        }
    }
}

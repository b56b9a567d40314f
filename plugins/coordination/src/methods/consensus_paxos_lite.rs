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
//! network of the parameter `network`. With `signed=on` a decree needs a certificate of more than two thirds, as in HotStuff
//! (Yin et al. 2019): no leader can tell some this and others that.

use crate::core::talk::{self, Signing, Talk};
use crate::core::{Core, Floor, Plan, Rule, Step, greedy};
use labtrust_comms::AgentId;
use labtrust_comms::identity::Signature;
use labtrust_comms::lengths::{digits, list};
use labtrust_comms::network::Wire;
use labtrust_comms::protocols::certified::{self, Certified, CertifiedMessage, CertifiedRules, Keys};
use labtrust_comms::protocols::gossip::Key;
use labtrust_comms::protocols::paxos::{Outcome, Paxos, PaxosMessage, PaxosRules};
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, MethodCard, Told};
use labtrust_plugin::wire::Problem;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
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
        /// Whether everybody signs, and decrees need a certificate of more than two thirds: "on", "off", "on without CONTROL...".
        signed: String = "off";
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

    fn canonical_len(&self) -> Option<usize> {
        Some(list(self.0.iter().map(|&(agent, key)| list([digits(agent), digits(key)].into_iter()))))
    }
}

impl certified::Decree for Decree {
    fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for (agent, key) in self.0.iter() {
            hash.update(agent.to_le_bytes());
            hash.update(key.to_le_bytes());
        }
        hash.finalize().into()
    }
}

impl Serialize for Decree {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter())
    }
}

impl<'de> Deserialize<'de> for Decree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(Vec::deserialize(from)?.into()))
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
    agents: Parliament,
}

/// Those who agree, in their order, and what they say.
enum Parliament {
    /// They believe what they hear.
    Plain(Vec<Paxos<Decree>>, Talk<PaxosMessage<Decree>>),
    /// They believe what a quorum has signed.
    Certified(Vec<Certified<Decree, Keys>>, Talk<CertifiedMessage<Decree, Signature>>),
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
        let (agents, rounds) = if Signing::read(&params.signed)?.is_on() {
            let talk = Talk::new(&params.network, &params.signed, "DECREE", floor, &[])?;
            let count = u32::try_from(talk.agents().len()).unwrap_or(u32::MAX);
            let rules = CertifiedRules::byzantine(count);
            let agent = |&me: &AgentId| Some(Certified::new(rules, me, talk.keys(me)?, Decree::default()));
            let agents = talk.agents().iter().filter_map(agent).collect();
            // A certificate takes one exchange more than a majority: no term ends within fewer rounds.
            (Parliament::Certified(agents, talk), params.max_rounds.max(rules.rounds_per_term))
        } else {
            let talk = Talk::new(&params.network, "off", "DECREE", floor, &[])?;
            let rules = PaxosRules::majority(u32::try_from(talk.agents().len()).unwrap_or(u32::MAX));
            let agents = talk.agents().iter().map(|&me| Paxos::new(rules, me, Decree::default())).collect();
            (Parliament::Plain(agents, talk), params.max_rounds)
        };
        Ok(Self { core: Core::read(&params.core)?, rounds, agents })
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
        let outcomes = self.agents.agree(step.seen.step, &decree, self.rounds);
        let open = talk::Open::of(step);
        for (number, worker) in step.workers.iter().enumerate() {
            let Some(place) = talk::place(step.floor, worker.agent) else { continue };
            let given = outcomes.get(place).and_then(|decree| decree.as_ref()?.of(worker.agent));
            if let Some(job) = given.and_then(|given| open.job(given)) {
                let at = &step.jobs[job];
                if step.is_ready(at) && step.travel_s(worker, at).is_some() {
                    plan.assign(number, job);
                }
            }
        }
    }

    fn tap(&mut self, tap: SharedTap) -> bool {
        match &mut self.agents {
            Parliament::Plain(_, talk) => talk.tap(tap),
            Parliament::Certified(_, talk) => talk.tap(tap),
        }
    }

    fn unreached(&self) -> &[u16] {
        match &self.agents {
            Parliament::Plain(_, talk) => talk.unreached(),
            Parliament::Certified(_, talk) => talk.unreached(),
        }
    }

    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        match &mut self.agents {
            Parliament::Plain(_, talk) => talk.evidence(out),
            Parliament::Certified(_, talk) => talk.evidence(out),
        }
    }

    fn told(&self) -> Told {
        match &self.agents {
            Parliament::Plain(_, talk) => talk.told(),
            Parliament::Certified(_, talk) => talk.told(),
        }
    }
}

impl Parliament {
    /// What each does after a step's rounds: the decree of this step, or the last that it knows.
    fn agree(&mut self, step: u32, decree: &Decree, rounds: u32) -> Vec<Option<Decree>> {
        // The agents are at slot 0 before the first step.
        let slot = u64::from(step) + 1;
        let known = |outcome: Outcome<'_, Decree>| match outcome {
            Outcome::Decided(decree) | Outcome::Fallback(_, decree) => Some(decree.clone()),
            Outcome::Nothing => None,
        };
        match self {
            Self::Plain(agents, talk) => {
                agents.iter_mut().for_each(|agent| agent.begin_slot(slot, decree.clone()));
                talk.begin_step(step);
                talk.exchange(agents, rounds, rounds);
                agents.iter().map(|agent| known(agent.outcome())).collect()
            }
            Self::Certified(agents, talk) => {
                agents.iter_mut().for_each(|agent| agent.begin_slot(slot, decree.clone()));
                talk.begin_step(step);
                talk.exchange(agents, rounds, rounds);
                for evidence in agents.iter_mut().flat_map(Certified::take_evidence) {
                    talk.refuse(evidence.code, Some(evidence.about));
                }
                agents.iter().map(|agent| known(agent.outcome())).collect()
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

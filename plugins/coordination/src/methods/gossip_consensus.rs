//! Push-pull gossip: workers claim work and tell each other; who knows of a better claim looks for something else.
//!
//! **Class** decentralized. **Cost** O(K N (W + F N)) a decision for K rounds and F peers each. **Core** the gossip: without
//! it everybody takes what is best by their own lights, and several go for one thing. **Source** Demers et al. (1987),
//! epidemic algorithms; versioned registers as in Shapiro, Preguiça, Baquero and Zawirski (2011).
//!
//! Everybody sees the laboratory, nobody sees what the others intend. A worker claims the nearest work that it knows no better
//! claim on; the nearer claim wins, then the older one, then the smaller number. Then there is a round of gossip with some
//! peers, and who has lost a claim looks again. After the last round all do what they believe is theirs; where two believe
//! it, the second finds it taken. A claim stands until the work is done, so nobody is overtaken on the way. All
//! messages go through the network of the parameter `network`.

use crate::core::talk::{self, Open, Talk, key};
use crate::core::{Core, Floor, Plan, Rule, Step};
use labtrust_comms::AgentId;
use labtrust_comms::protocols::gossip::{Gossip, GossipMessage};
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, MethodCard, Told};
use labtrust_plugin::wire::Problem;
use std::sync::Arc;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With gossip, or without: "on" or "off".
        core: String = "on";
        /// Rounds of gossip in a step [count].
        gossip_rounds: u32 = 3, 1..=20;
        /// Peers that each talks to in a round [count].
        fanout: u32 = 3, 1..=64;
        /// How messages travel, "drop_rate=0.3,p50_ms=40": the settings of the message layer. Nothing: at once.
        network: String = "";
        /// Whether everybody signs what they say and judges what they hear: "on", "off", "on without CONTROL...".
        signed: String = "off";
    }
}

/// The rule.
pub struct GossipConsensus {
    rounds: u32,
    /// Those who are directed, in their order.
    agents: Vec<Gossip>,
    talk: Talk<GossipMessage>,
}

labtrust_plugin::register_method!(crate::core::Driver<GossipConsensus>);

impl Rule for GossipConsensus {
    const ID: &'static str = "gossip_consensus";
    const SUMMARY: &'static str =
        "Workers claim the nearest work and gossip about it; a better claim sends them elsewhere.";
    const CARD: MethodCard = MethodCard {
        class: "decentralized",
        complexity: "O(K N (W + F N)) for K rounds and F peers",
        source: "Demers et al. 1987; Shapiro et al. 2011",
        core: "the gossip; off: nobody hears of anybody's claims",
        envelope: "up to some hundred people; rumours reach N of them in O(log N) rounds, so few rounds cost double work",
        uses_messages: true,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let rounds = if Core::read(&params.core)?.is_on() { params.gossip_rounds } else { 0 };
        let talk = Talk::new(&params.network, &params.signed, "GOSSIP", floor, &[])?;
        let people = talk.agents();
        let others = |me: AgentId| people.iter().copied().filter(|&other| other != me).collect();
        let agent = |&me: &AgentId| Gossip::new(me, others(me), params.fanout as usize, floor.seed);
        let agents = people.iter().map(agent).collect();
        Ok(Self { rounds, agents, talk })
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        let Self { rounds, agents, talk } = self;
        talk.begin_step(step.seen.step);
        let open = Open::of(step);
        let keys = open.keys();
        for agent in agents.iter_mut() {
            agent.keep_only(Arc::clone(&keys));
        }
        let places: Vec<_> = step.workers.iter().map(|worker| talk::place(step.floor, worker.agent)).collect();
        let mut claimed: Vec<Option<usize>> = vec![None; step.workers.len()];
        for round in 0..=*rounds {
            for (number, place) in places.iter().enumerate() {
                claimed[number] = place.and_then(|place| claim(&mut agents[place], step, number, &open));
            }
            if round < *rounds {
                talk.exchange(agents, 1, *rounds);
            }
        }
        for (number, job) in claimed.into_iter().enumerate() {
            if let Some(job) = job {
                plan.assign(number, job);
            }
        }
    }

    fn tap(&mut self, tap: SharedTap) -> bool {
        self.talk.tap(tap)
    }

    fn unreached(&self) -> &[u16] {
        self.talk.unreached()
    }

    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        self.talk.evidence(out);
    }

    fn told(&self) -> Told {
        self.talk.told()
    }
}

/// Looks after a worker's claim: keeps one that wins as far as the worker knows, else claims the nearest work on which it
/// knows no better claim. The job that it has then.
fn claim(agent: &mut Gossip, step: &Step<'_>, number: usize, open: &Open) -> Option<usize> {
    let me = agent.me();
    let worker = &step.workers[number];
    let mine: Vec<_> = agent.known().filter(|claim| claim.owner == me && claim.live).map(|claim| claim.key).collect();
    for key in mine {
        let still = open.job(key).filter(|&job| step.is_ready(&step.jobs[job]));
        let wins = agent.winner(key).is_some_and(|claim| claim.owner == me);
        match still.filter(|&job| wins && step.travel_s(worker, &step.jobs[job]).is_some()) {
            Some(job) => return Some(job),
            None => agent.withdraw(key),
        }
    }
    let ready = step.jobs.iter().enumerate().filter(|(_, job)| step.is_ready(job));
    let able = ready.filter_map(|(job, at)| Some((step.travel_s(worker, at)?, job)));
    let free = able
        .filter(|&(travel_s, job)| agent.winner(key(&step.jobs[job])).is_none_or(|claim| claim.priority < -travel_s));
    let (travel_s, job) = free.min()?;
    agent.claim(key(&step.jobs[job]), -travel_s);
    Some(job)
}

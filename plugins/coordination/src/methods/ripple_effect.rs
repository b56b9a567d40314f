//! Ripple effect: everybody tells what they would do, what else they could do, and what it would cost them to lose it; word
//! of it runs from neighbour to neighbour.
//!
//! **Class** decentralized. **Cost** O(N W log W + H N² A) a decision for H hops and A alternatives. **Core** what is told:
//! without it everybody takes what is best by their own lights, and several go for one thing. **Source** Chopra et al. (2025),
//! Ripple Effect Protocol: agents share decisions and sensitivities.
//!
//! A worker ranks the work that it could begin soonest. Its sensitivity is the time that it would lose with the second
//! best. Those who stand in the same or the next zone are neighbours; some of who hears something new pass it on, so after some
//! hops everybody knows what those around them intend. Then each settles for itself what all it heard of would do: who has most
//! to lose chooses first. Where two know different things they may settle differently, and the second finds it taken.
//! All messages go through the network of the parameter `network`.

use crate::core::talk::{self, Talk};
use crate::core::{Core, Floor, Plan, Rule, Step};
use labtrust_comms::AgentId;
use labtrust_comms::network::Wire;
use labtrust_comms::protocols::gossip::Key;
use labtrust_comms::protocols::{Machine, Outbox};
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, MethodCard, Told};
use labtrust_plugin::wire::Problem;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With messages, or without: "on" or "off".
        core: String = "on";
        /// How far word runs in a step [hops].
        hops: u32 = 3, 1..=20;
        /// How much work each names [count].
        alternatives: u32 = 6, 1..=64;
        /// How messages travel, "drop_rate=0.3,p50_ms=40": the settings of the message layer. Nothing: at once.
        network: String = "";
        /// Whether everybody signs what they say and judges what they hear: "on", "off", "on without CONTROL...".
        signed: String = "off";
    }
}

/// What somebody would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Intent {
    who: AgentId,
    /// In which step; what is older is of no use.
    step: u32,
    /// What it would lose with the second best [s]; the most where there is no second.
    sensitivity_s: i64,
    /// Best first.
    alternatives: Vec<Key>,
    /// Zones in which its owner was heard.
    near: Vec<u16>,
}

/// Intents that the sender has heard of and not yet passed on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Word(Vec<Intent>);

impl Wire for Word {
    /// 16 bytes an intent, 4 an alternative and 2 a zone [B].
    fn wire_bytes(&self) -> u32 {
        let bytes: usize = self.0.iter().map(|intent| 16 + 4 * intent.alternatives.len() + 2 * intent.near.len()).sum();
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}

/// Somebody who listens and passes on.
#[derive(Debug)]
struct Listener {
    me: AgentId,
    step: u32,
    heard: BTreeMap<AgentId, Intent>,
    news: Vec<Intent>,
    /// By the zone where they stand.
    neighbours: Neighbours,
    /// Whether it passes on what others said: some of each zone do, for all who stand there have heard the same.
    relays: bool,
}

/// How many of a zone pass on what they hear [count]: more than one, for what is lost.
const RELAYS: usize = 3;

/// Who stands near, zone by zone.
type Neighbours = Vec<(u16, Arc<[AgentId]>)>;

impl Listener {
    fn new(me: AgentId) -> Self {
        Self { me, step: 0, heard: BTreeMap::new(), news: Vec::new(), neighbours: Vec::new(), relays: false }
    }

    fn begin(&mut self, step: u32, zone: Option<u16>, neighbours: Neighbours) {
        self.heard.clear();
        self.news.clear();
        let before_me = |zone: Option<u16>| {
            let here = neighbours.iter().filter(|(other, _)| Some(*other) == zone);
            here.flat_map(|(_, near)| near.iter()).filter(|other| **other < self.me).count()
        };
        self.relays = before_me(zone) < RELAYS;
        (self.step, self.neighbours) = (step, neighbours);
    }

    fn hear(&mut self, intent: &Intent) {
        if intent.step == self.step && !self.heard.contains_key(&intent.who) {
            self.heard.insert(intent.who, intent.clone());
            self.news.push(intent.clone());
        }
    }

    /// What is left for it when all that were heard of choose, who has most to lose first.
    fn settle(&self) -> Option<Key> {
        let mut all: Vec<&Intent> = self.heard.values().collect();
        all.sort_by_key(|intent| (Reverse(intent.sensitivity_s), intent.who));
        let mut taken = BTreeSet::new();
        for intent in all {
            let choice = intent.alternatives.iter().find(|key| taken.insert(**key));
            if intent.who == self.me {
                return choice.copied();
            }
        }
        None
    }
}

impl Machine for Listener {
    type Message = Word;

    fn on_round(&mut self, _round: u32, out: &mut Outbox<Word>) {
        let news = std::mem::take(&mut self.news);
        for (zone, near) in &self.neighbours {
            // Who stands beside its owner has heard it from them.
            let fresh = |intent: &&Intent| intent.who == self.me || (self.relays && !intent.near.contains(zone));
            let word: Vec<Intent> = news.iter().filter(fresh).cloned().collect();
            if !word.is_empty() {
                out.multicast(Arc::clone(near), Word(word));
            }
        }
    }

    fn on_message(&mut self, _from: AgentId, word: Word, _out: &mut Outbox<Word>) {
        for intent in &word.0 {
            self.hear(intent);
        }
    }
}

/// The rule.
pub struct RippleEffect {
    hops: u32,
    alternatives: usize,
    /// Those who are directed, in their order.
    agents: Vec<Listener>,
    talk: Talk<Word>,
}

labtrust_plugin::register_method!(crate::core::Driver<RippleEffect>);

impl Rule for RippleEffect {
    const ID: &'static str = "ripple_effect";
    const SUMMARY: &'static str =
        "Neighbours tell what they would do and what it would cost to lose it; who has most to lose chooses first.";
    const CARD: MethodCard = MethodCard {
        class: "decentralized",
        complexity: "O(N W log W + H N² A) for H hops and A alternatives",
        source: "Chopra et al. 2025",
        core: "what is told; off: everybody takes the nearest work, whoever else does",
        envelope: "up to some hundred people who stand close together; who is out of earshot may go for the same work",
        uses_messages: true,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let hops = if Core::read(&params.core)?.is_on() { params.hops } else { 0 };
        let talk = Talk::new(&params.network, &params.signed, "RIPPLE", floor, &[])?;
        let agents = talk.agents().iter().copied().map(Listener::new).collect();
        Ok(Self { hops, alternatives: params.alternatives as usize, agents, talk })
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        let Self { hops, alternatives, agents, talk } = self;
        for (listener, &agent) in agents.iter_mut().zip(&step.floor.directed) {
            let zone = step.seen.agents.zone[usize::from(agent)];
            listener.begin(step.seen.step, zone, neighbours(step, agent));
        }
        let place = |agent: u16| talk::place(step.floor, agent);
        for (number, worker) in step.workers.iter().enumerate() {
            if let Some(place) = place(worker.agent) {
                let intent = intent(step, number, agents[place].me, *alternatives);
                agents[place].hear(&intent);
            }
        }
        talk.begin_step(step.seen.step);
        talk.exchange(agents, *hops, *hops);
        let open = talk::Open::of(step);
        for (number, worker) in step.workers.iter().enumerate() {
            let settled = place(worker.agent).and_then(|place| agents[place].settle());
            if let Some(job) = settled.and_then(|settled| open.job(settled)) {
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

/// Who stands in the same zone or the next, among those who are directed, zone by zone and by their order.
fn neighbours(step: &Step<'_>, agent: u16) -> Neighbours {
    let zone = |agent: u16| step.seen.agents.zone[usize::from(agent)];
    let Some(mine) = zone(agent) else { return Vec::new() };
    let mut near: BTreeMap<u16, Vec<AgentId>> = BTreeMap::new();
    for (number, &other) in (0..).zip(&step.floor.directed).filter(|&(_, &other)| other != agent) {
        if let Some(zone) = zone(other).filter(|&zone| zone == mine || step.floor.adjacent(mine, zone)) {
            near.entry(zone).or_default().push(AgentId(number));
        }
    }
    near.into_iter().map(|(zone, agents)| (zone, agents.into())).collect()
}

/// What a worker would do: what it could begin soonest first, what is equally near in its order.
fn intent(step: &Step<'_>, number: usize, who: AgentId, most: usize) -> Intent {
    let ready = step.jobs.iter().enumerate().filter(|(_, job)| step.is_ready(job));
    let able = ready.filter_map(|(job, at)| Some((step.travel_s(&step.workers[number], at)?, job)));
    let mut able: Vec<(i64, usize)> = able.collect();
    able.sort_unstable();
    let sensitivity_s = match able.as_slice() {
        [] => 0,
        [_] => i64::MAX,
        [best, second, ..] => second.0 - best.0,
    };
    let alternatives = able.iter().take(most).map(|&(_, job)| talk::key(&step.jobs[job])).collect();
    let here = step.workers[number].zone;
    let near = (0..step.floor.zones() as u16).filter(|&zone| zone == here || step.floor.adjacent(here, zone)).collect();
    Intent { who, step: step.seen.step, sensitivity_s, alternatives, near }
}

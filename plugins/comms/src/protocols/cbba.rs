//! The consensus-based bundle algorithm: every agent bids for a few tasks, and the lowest cost wins.
//!
//! Each agent keeps for every task whom it believes to have won and at which cost, puts together a bundle of the tasks it can do
//! cheapest, tells everybody its beliefs, and gives up what it has lost together with everything that it added later (those costs
//! assumed the lost task). In a round an agent bids once and speaks once. The last message of everybody counts, so a lost one is
//! repaired by the next; with loss the bound on rounds grows, and [`Cbba::quiet_rounds`] tells when nothing moves any more.
//!
//! A bid is the rise of the agent's own cost, never below an earlier bid of its bundle (a *warped* bid): with that the algorithm
//! ends whatever the costs are. A bid below what is physically possible is not believed, and is reported; how
//! closely bids are looked at is a [`Scrutiny`].
//!
//! Source: H.-L. Choi, L. Brunet and J. How, "Consensus-based decentralized auctions for robust task allocation", IEEE T-RO 25(4),
//! 2009, table I; warped bids from L. Johnson, H.-L. Choi, S. Ponda and J. How, "Allowing non-submodular score functions in
//! distributed task allocation", CDC 2012. Contract nets with one task each are the case of bundles of length 1: R. Smith, IEEE
//! Trans. Computers C-29(12), 1980.

mod rules;

use super::{Doubts, Machine, Outbox, Scrutiny};
use crate::agent::{AgentId, AgentSet};
use crate::codes;
use crate::network::Wire;
use rules::{Step, judge};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A task; the method says what the number means.
pub type Task = u32;

/// What an agent knows of costs. Lower is better; the unit is the method's.
pub trait Bidder {
    /// What doing `task` adds to the cost of this agent, which does `bundle` already (in the order in which it took the
    /// tasks); `None` when it cannot.
    fn cost(&self, task: Task, bundle: &[Task]) -> Option<i64>;

    /// What `task` costs `agent` at least, whatever it does otherwise: the way there, for instance. No honest bid is below.
    fn lower_bound(&self, agent: AgentId, task: Task) -> i64;

    /// What an honest bid of `agent` for `task` is at most, as far as everybody can tell. No honest bid is above.
    fn upper_bound(&self, agent: AgentId, task: Task) -> i64 {
        let _ = (agent, task);
        i64::MAX
    }
}

/// Who is believed to have won a task, and at which cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Award {
    /// The cost that was bid.
    pub cost: i64,
    /// Who bid it.
    pub winner: AgentId,
}

/// The beliefs of an agent, as it tells them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Beliefs {
    /// Counts the sender's messages.
    clock: u32,
    awards: Vec<(Task, Option<Award>)>,
    /// Of when the sender's knowledge of each agent is, in that agent's clock.
    heard: Vec<u32>,
}

/// A message of [`Cbba`]: beliefs, shared by all who get them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CbbaMessage(Arc<Beliefs>);

impl CbbaMessage {
    /// A message with beliefs that no agent may have: for attacks.
    #[must_use]
    pub fn forged(clock: u32, awards: Vec<(Task, Option<Award>)>, heard: Vec<u32>) -> Self {
        Self(Arc::new(Beliefs { clock, awards, heard }))
    }
}

impl Serialize for CbbaMessage {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for CbbaMessage {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(Arc::new(Beliefs::deserialize(from)?)))
    }
}

impl Wire for CbbaMessage {
    /// 17 bytes a task, 4 an agent, 4 for the clock [B].
    fn wire_bytes(&self) -> u32 {
        u32::try_from(self.0.awards.len() * 17 + self.0.heard.len() * 4 + 4).unwrap_or(u32::MAX)
    }
}

/// A belief that cannot be true, as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefusedBid {
    /// The reason code.
    pub code: &'static str,
    /// Who said so: honest agents do not pass such bids on.
    pub from: AgentId,
    /// About which task.
    pub task: Task,
    /// What was said.
    pub award: Award,
    /// What it costs at least, or where it says more at most; of an agent that does not exist 0.
    pub bound: i64,
}

/// Most refused bids an agent keeps [count]; a flood must not fill its memory.
const MOST_REFUSED: usize = 256;

/// One agent.
#[derive(Clone, Debug)]
pub struct Cbba<B> {
    me: AgentId,
    bidder: B,
    longest: usize,
    awards: BTreeMap<Task, Option<Award>>,
    /// In the order in which they were taken.
    bundle: Vec<Task>,
    clock: u32,
    /// Of when the knowledge of each agent is, however it came.
    heard: Vec<u32>,
    /// The clock of the last message that came from each agent itself.
    last_from: Vec<u32>,
    /// Those not known to have lost what they offer are told; `None` is everybody.
    neighbours: Option<Vec<AgentId>>,
    changed: bool,
    quiet_rounds: u32,
    refused: Vec<RefusedBid>,
    scrutiny: Scrutiny,
    /// Who has made a bid that cannot be true, where such a one does not count any more.
    caught: AgentSet,
    doubts: Doubts,
}

impl<B: Bidder> Cbba<B> {
    /// Agent `me` of `agents`, which bids for `tasks` and takes at most `longest` of them.
    #[must_use]
    pub fn new(me: AgentId, agents: u32, bidder: B, longest: usize, tasks: impl IntoIterator<Item = Task>) -> Self {
        Self {
            me,
            bidder,
            longest,
            awards: tasks.into_iter().map(|task| (task, None)).collect(),
            bundle: Vec::new(),
            clock: 0,
            heard: vec![0; agents as usize],
            last_from: vec![0; agents as usize],
            neighbours: None,
            changed: false,
            quiet_rounds: 0,
            refused: Vec::new(),
            scrutiny: Scrutiny::default(),
            caught: AgentSet::default(),
            doubts: Doubts::default(),
        }
    }

    /// The same agent, which looks at the bids of others in this way.
    #[must_use]
    pub fn with_scrutiny(self, scrutiny: Scrutiny) -> Self {
        Self { scrutiny, ..self }
    }

    /// The same agent, which speaks to these only. Beliefs go from neighbour to neighbour, so more rounds are needed.
    #[must_use]
    pub fn with_neighbours(self, neighbours: Vec<AgentId>) -> Self {
        Self { neighbours: Some(neighbours), ..self }
    }

    /// The tasks that this agent believes to have won, in the order in which it took them.
    #[must_use]
    pub fn bundle(&self) -> &[Task] {
        &self.bundle
    }

    /// Whom it believes to have won `task`.
    #[must_use]
    pub fn award(&self, task: Task) -> Option<Award> {
        self.awards.get(&task).copied().flatten()
    }

    /// Rounds in a row in which this agent's beliefs did not change [count].
    #[must_use]
    pub const fn quiet_rounds(&self) -> u32 {
        self.quiet_rounds
    }

    /// What was said and cannot be true.
    #[must_use]
    pub fn refused(&self) -> &[RefusedBid] {
        &self.refused
    }

    /// The bidder.
    pub const fn bidder(&self) -> &B {
        &self.bidder
    }

    /// Takes what it can do cheapest, as long as it beats who has it.
    fn bid(&mut self) {
        while self.bundle.len() < self.longest {
            // Never below an earlier bid of the bundle.
            let floor = self.bundle.iter().filter_map(|task| self.award(*task)).map(|award| award.cost).max();
            let offers =
                self.awards.iter().filter(|(task, _)| !self.bundle.contains(task)).filter_map(|(task, known)| {
                    let cost = self.bidder.cost(*task, &self.bundle)?;
                    let award = Award { cost: floor.map_or(cost, |floor| floor.max(cost)), winner: self.me };
                    known.is_none_or(|known| award < known).then_some((award.cost, *task))
                });
            let Some((cost, task)) = offers.min() else { return };
            self.awards.insert(task, Some(Award { cost, winner: self.me }));
            self.bundle.push(task);
            self.changed = true;
        }
    }

    /// Gives up the first task that was lost and everything taken after it.
    fn release(&mut self) {
        let me = self.me;
        let Some(lost) = self.bundle.iter().position(|task| self.award(*task).map(|award| award.winner) != Some(me))
        else {
            return;
        };
        for task in self.bundle.drain(lost..).skip(1) {
            if let Some(award) = self.awards.get_mut(&task)
                && award.is_some_and(|award| award.winner == me)
            {
                *award = None;
            }
        }
    }

    fn can_be_true(&mut self, from: AgentId, task: Task, award: Award) -> bool {
        let Some((code, bound)) = self.what_is_wrong(task, award) else { return true };
        self.doubts.add(code, from);
        let refused = RefusedBid { code, from, task, award, bound };
        if self.refused.len() < MOST_REFUSED && !self.refused.contains(&refused) {
            self.refused.push(refused);
        }
        false
    }

    /// Why a bid cannot be true, and the bound that says so.
    fn what_is_wrong(&self, task: Task, award: Award) -> Option<(&'static str, i64)> {
        if award.winner.index() >= self.heard.len() {
            return Some((codes::COORD_MESSAGE_MALFORMED, 0));
        }
        if self.scrutiny == Scrutiny::Nothing {
            return None;
        }
        let least = self.bidder.lower_bound(award.winner, task);
        if award.cost < least {
            return Some((codes::COORD_BID_BELOW_BOUND, least));
        }
        if self.scrutiny == Scrutiny::TooGood {
            return None;
        }
        let most = self.bidder.upper_bound(award.winner, task);
        (award.cost > most).then_some((codes::BID_ANOMALY_SPOOF_SUSPECTED, most))
    }

    /// Whether beliefs of `from` are worth nothing, since one of them cannot be true: then neither are its own bids.
    fn catches(&mut self, from: AgentId, awards: &[(Task, Option<Award>)]) -> bool {
        let told = awards.iter().filter_map(|(task, award)| award.map(|award| (*task, award)));
        for (task, award) in told {
            if self.award(task) != Some(award) && !self.can_be_true(from, task, award) {
                self.caught.insert(from);
                for known in self.awards.values_mut().filter(|known| known.is_some_and(|known| known.winner == from)) {
                    *known = None;
                    self.changed = true;
                }
                return true;
            }
        }
        false
    }
}

impl<B: Bidder> Machine for Cbba<B> {
    type Message = CbbaMessage;

    fn on_round(&mut self, _round: u32, out: &mut Outbox<CbbaMessage>) {
        self.quiet_rounds = if self.changed { 0 } else { self.quiet_rounds + 1 };
        self.changed = false;
        self.bid();
        self.clock += 1;
        self.heard[self.me.index()] = self.clock;
        let awards = self.awards.iter().map(|(task, award)| (*task, *award)).collect();
        let message = CbbaMessage(Arc::new(Beliefs { clock: self.clock, awards, heard: self.heard.clone() }));
        match &self.neighbours {
            None => out.broadcast(message),
            Some(neighbours) => neighbours.iter().for_each(|to| out.send(*to, message.clone())),
        }
    }

    fn on_message(&mut self, from: AgentId, message: CbbaMessage, _out: &mut Outbox<CbbaMessage>) {
        let theirs = &message.0;
        let known = from.index() < self.heard.len() && theirs.heard.len() == self.heard.len();
        // A message that was overtaken says what its sender no longer believes.
        if !known || theirs.clock <= self.last_from[from.index()] {
            return;
        }
        self.last_from[from.index()] = theirs.clock;
        let strict = self.scrutiny == Scrutiny::Both;
        if strict && (self.caught.contains(from) || self.catches(from, &theirs.awards)) {
            return;
        }
        for (task, award) in &theirs.awards {
            // Who believes the same has nothing to learn, whatever the table says; most beliefs are the same soon.
            if self.awards.get(task).is_some_and(|mine| mine == award) {
                continue;
            }
            let counts = |award: Award| match strict {
                true => !self.caught.contains(award.winner),
                false => self.can_be_true(from, *task, award),
            };
            if !award.is_none_or(counts) {
                continue;
            }
            let mine = self.awards.entry(*task).or_default();
            let fresher = |agent: AgentId| theirs.heard[agent.index()] > self.heard[agent.index()];
            let staler = |agent: AgentId| theirs.heard[agent.index()] < self.heard[agent.index()];
            let step = judge(self.me, from, *mine, *award, fresher, staler);
            let next = match step {
                Step::Leave => *mine,
                Step::Update => *award,
                Step::Reset => None,
            };
            self.changed |= next != *mine;
            *mine = next;
        }
        for (agent, heard) in theirs.heard.iter().enumerate() {
            if agent != self.me.index() {
                self.heard[agent] = self.heard[agent].max(*heard);
            }
        }
        self.release();
    }

    fn doubts(&self) -> Doubts {
        self.doubts
    }
}

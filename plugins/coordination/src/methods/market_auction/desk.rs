//! Who says what in an auction: the auctioneer's desk, and those who bid.
//!
//! Rounds 0 to 2: the auctioneer calls the jobs to all of whom it has not heard, and bidders answer: with their bids, or where bids are
//! sealed with a commitment, and show them when they are asked to. From round 3 on the jobs are awarded to the lowest bids; a winner answers at once, and who has not
//! answered by the next round is passed over.

use crate::core::talk::{Open, Signing};
use crate::core::{Step, Subject};
use labtrust_comms::AgentId;
use labtrust_comms::codes::{BID_ANOMALY_SPOOF_SUSPECTED, COORD_BID_BELOW_BOUND};
use labtrust_comms::network::Wire;
use labtrust_comms::protocols::commit_reveal::{SealedBids, commitment};
use labtrust_comms::protocols::gossip::Key;
use labtrust_comms::protocols::{Doubts, Machine, Outbox, Scrutiny};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Rounds in which bids come in [count].
pub(super) const ROUNDS_BEFORE_AWARDS: u32 = 3;

/// What is said; each word is of one step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Say {
    step: u32,
    word: Word,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Word {
    /// These jobs are open.
    Call(Vec<Key>),
    /// I have a bid, and this is its hash.
    Commit(String),
    /// Show your bids.
    Show,
    /// This many seconds until I could begin each of these; the nonce of a sealed bid.
    Bid(Vec<(Key, i64)>, String),
    /// The job is yours.
    Award(Key),
    /// I take it.
    Accept(Key),
}

impl Wire for Say {
    /// 5 for step and kind, 4 a job, 12 a bid, and texts as they are [B].
    fn wire_bytes(&self) -> u32 {
        let bytes = match &self.word {
            Word::Call(jobs) => jobs.len() * 4,
            Word::Commit(hash) => hash.len(),
            Word::Show => 0,
            Word::Bid(bids, nonce) => bids.len() * 12 + nonce.len(),
            Word::Award(_) | Word::Accept(_) => 4,
        };
        u32::try_from(bytes + 5).unwrap_or(u32::MAX)
    }
}

/// Somebody on the network.
pub(super) enum Node<'a> {
    /// Has something else to do.
    Away,
    /// Idle.
    Bidder(Bidder<'a>),
    /// The desk.
    Auctioneer(Auctioneer<'a>),
}

impl Machine for Node<'_> {
    type Message = Say;

    fn on_round(&mut self, round: u32, out: &mut Outbox<Say>) {
        if let Self::Auctioneer(auctioneer) = self {
            auctioneer.on_round(round, out);
        }
    }

    fn on_message(&mut self, from: AgentId, say: Say, out: &mut Outbox<Say>) {
        match self {
            Self::Away => {}
            Self::Bidder(bidder) => bidder.hear(from, say, out),
            Self::Auctioneer(auctioneer) => auctioneer.hear(from, say),
        }
    }

    fn doubts(&self) -> Doubts {
        match self {
            Self::Away | Self::Bidder(_) => Doubts::default(),
            Self::Auctioneer(auctioneer) => {
                Doubts { count: auctioneer.refused.len() as u64, last: auctioneer.refused.last().copied() }
            }
        }
    }
}

/// The bids as one text, for a commitment.
fn text(bids: &[(Key, i64)]) -> String {
    bids.iter().map(|(key, cost_s)| format!("{key}:{cost_s};")).collect()
}

/// Somebody who is idle.
pub(super) struct Bidder<'a> {
    /// The worker's number in the step.
    pub(super) number: usize,
    step: &'a Step<'a>,
    open: &'a Open,
    name: &'a str,
    /// What keeps a sealed bid from being guessed.
    nonce: Option<String>,
    bids: Vec<(Key, i64)>,
    won: Option<Key>,
}

impl<'a> Bidder<'a> {
    pub(super) fn new(step: &'a Step<'a>, open: &'a Open, number: usize, name: &'a str, secret: Option<u64>) -> Self {
        let nonce = secret.map(|secret| format!("{secret:016x}"));
        Self { number, step, open, name, nonce, bids: Vec::new(), won: None }
    }

    /// The job that it was awarded.
    pub(super) fn won(&self) -> Option<usize> {
        self.won.and_then(|key| self.open.job(key))
    }

    fn hear(&mut self, from: AgentId, say: Say, out: &mut Outbox<Say>) {
        // Only the desk calls and awards, and what is of another step is of no use.
        if from.index() != self.step.floor.directed.len() || say.step != self.step.seen.step {
            return;
        }
        let answer = match say.word {
            Word::Call(jobs) => {
                let worker = &self.step.workers[self.number];
                let cost = |key| self.step.travel_s(worker, &self.step.jobs[self.open.job(key)?]);
                self.bids = jobs.into_iter().filter_map(|key| Some((key, cost(key)?))).collect();
                match &self.nonce {
                    None => Word::Bid(self.bids.clone(), String::new()),
                    Some(nonce) => Word::Commit(commitment(self.name, &text(&self.bids), nonce, u64::from(say.step))),
                }
            }
            Word::Show => match &self.nonce {
                Some(nonce) => Word::Bid(self.bids.clone(), nonce.clone()),
                None => return,
            },
            Word::Award(key) if self.won.is_none_or(|won| won == key) => {
                self.won = Some(key);
                Word::Accept(key)
            }
            _ => return,
        };
        out.send(from, Say { step: say.step, word: answer });
    }
}

/// The desk.
pub(super) struct Auctioneer<'a> {
    step: &'a Step<'a>,
    open: &'a Open,
    excluded: &'a [(u16, Subject, i64)],
    /// Commitments, where bids are sealed.
    sealed: Option<SealedBids>,
    committed: BTreeSet<AgentId>,
    /// How often each was asked to show theirs before they did [count]: so often the same may come.
    asked_to_show: BTreeMap<AgentId, u32>,
    /// Whose bids are in.
    shown: BTreeSet<AgentId>,
    /// What each worker, by number, bids for each job.
    bids: BTreeMap<usize, BTreeMap<Key, i64>>,
    /// Who has not answered yet, and at which job.
    asked: BTreeMap<Key, usize>,
    sold: BTreeSet<Key>,
    scrutiny: Scrutiny,
    /// Who has made a bid that cannot be true, by number, where none of theirs counts any more.
    caught: BTreeSet<usize>,
    /// Codes of what was not believed, and of whom it was.
    pub(super) refused: Vec<(&'static str, AgentId)>,
}

impl<'a> Auctioneer<'a> {
    /// The desk of a step. Who signs seals their bids, too.
    pub(super) fn new(
        step: &'a Step<'a>,
        open: &'a Open,
        signing: Signing,
        excluded: &'a [(u16, Subject, i64)],
    ) -> Self {
        let scrutiny = signing.scrutiny();
        let sealed = signing.is_on().then(|| {
            let mut bids = SealedBids::default();
            bids.begin_epoch(u64::from(step.seen.step));
            bids
        });
        let (committed, asked_to_show) = (BTreeSet::new(), BTreeMap::new());
        let (shown, refused) = (BTreeSet::new(), Vec::new());
        let (bids, asked, sold, caught) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Self {
            step,
            open,
            excluded,
            sealed,
            committed,
            asked_to_show,
            shown,
            bids,
            asked,
            sold,
            scrutiny,
            caught,
            refused,
        }
    }

    fn say(&self, word: Word) -> Say {
        Say { step: self.step.seen.step, word }
    }

    fn on_round(&mut self, round: u32, out: &mut Outbox<Say>) {
        match round {
            ..ROUNDS_BEFORE_AWARDS => {
                let ready = self.step.jobs.iter().filter(|job| self.step.is_ready(job));
                let jobs: Vec<Key> = ready.map(crate::core::talk::key).collect();
                let mut shows = Vec::new();
                // Who is idle can be seen.
                let idle = self.step.workers.iter().filter_map(|worker| self.agent(worker.agent));
                for to in idle.filter(|to| !jobs.is_empty() && !self.shown.contains(to)) {
                    let word = if self.committed.contains(&to) {
                        shows.push(to);
                        Word::Show
                    } else {
                        Word::Call(jobs.clone())
                    };
                    out.send(to, self.say(word));
                }
                shows.into_iter().for_each(|to| *self.asked_to_show.entry(to).or_default() += 1);
            }
            _ => self.award(out),
        }
    }

    fn agent(&self, agent: u16) -> Option<AgentId> {
        let place = crate::core::talk::place(self.step.floor, agent)?;
        u32::try_from(place).ok().map(AgentId)
    }

    fn worker(&self, from: AgentId) -> Option<usize> {
        let agent = self.step.floor.directed.get(from.index())?;
        self.step.workers.binary_search_by_key(agent, |worker| worker.agent).ok()
    }

    fn hear(&mut self, from: AgentId, say: Say) {
        let Some(number) = self.worker(from).filter(|_| say.step == self.step.seen.step) else { return };
        let name = &self.step.floor.names[from.index()];
        let epoch = u64::from(say.step);
        match (say.word, &mut self.sealed) {
            // An answer to a call that was said again: the first one counts.
            (Word::Commit(_), Some(_)) if self.committed.contains(&from) => {}
            (Word::Commit(hash), Some(sealed)) => match sealed.commit(name, epoch, &hash) {
                Ok(()) => {
                    self.committed.insert(from);
                }
                Err(refusal) => self.refused.push((refusal.code(), from)),
            },
            (Word::Bid(..), Some(_)) if self.shown.contains(&from) && self.asked_to_show.get(&from) > Some(&1) => {
                self.asked_to_show.entry(from).and_modify(|times| *times -= 1);
            }
            (Word::Bid(bids, nonce), Some(sealed)) => match sealed.reveal(name, &text(&bids), &nonce, epoch) {
                Ok(()) => {
                    self.shown.insert(from);
                    self.take(from, number, bids);
                }
                Err(refusal) => self.refused.push((refusal.code(), from)),
            },
            (Word::Bid(bids, _), None) => {
                self.shown.insert(from);
                self.take(from, number, bids);
            }
            (Word::Accept(key), _) if self.asked.get(&key) == Some(&number) => {
                self.asked.remove(&key);
                self.sold.insert(key);
            }
            _ => {}
        }
    }

    /// Takes bids that can be true. Who has made another one has none that counts, where bids are looked at closely.
    fn take(&mut self, from: AgentId, number: usize, bids: Vec<(Key, i64)>) {
        for (key, cost_s) in bids {
            if self.caught.contains(&number) {
                return;
            }
            let Some(job) = self.open.job(key) else { continue };
            match self.what_is_wrong(number, job, cost_s) {
                None => {
                    self.bids.entry(number).or_default().insert(key, cost_s);
                }
                Some(code) => {
                    self.refused.push((code, from));
                    if self.scrutiny == Scrutiny::Both {
                        self.caught.insert(number);
                        self.bids.remove(&number);
                    }
                }
            }
        }
    }

    /// Why a bid cannot be true: nobody begins sooner than they can walk there, where everybody stands can be seen, and who is
    /// honest bids just that.
    fn what_is_wrong(&self, number: usize, job: usize, cost_s: i64) -> Option<&'static str> {
        if self.scrutiny == Scrutiny::Nothing {
            return None;
        }
        match self.step.travel_s(&self.step.workers[number], &self.step.jobs[job]) {
            Some(way_s) if cost_s > way_s => (self.scrutiny == Scrutiny::Both).then_some(BID_ANOMALY_SPOOF_SUSPECTED),
            Some(way_s) if cost_s == way_s => None,
            _ => Some(COORD_BID_BELOW_BOUND),
        }
    }

    /// Awards what is not sold, in its order, to the lowest bid of those who have nothing.
    fn award(&mut self, out: &mut Outbox<Say>) {
        // Who did not answer is passed over: their bids are gone since they won, and the next bidder has the lowest.
        self.asked.clear();
        for job in self.step.jobs.iter().filter(|job| self.step.is_ready(job)) {
            let key = crate::core::talk::key(job);
            if self.sold.contains(&key) {
                continue;
            }
            let excluded = |agent| self.excluded.iter().any(|(who, what, _)| *who == agent && *what == job.about());
            let bid = |(&number, bids): (&usize, &BTreeMap<Key, i64>)| {
                let worker = &self.step.workers[number];
                let cost_s = bids.get(&key).filter(|_| !excluded(worker.agent))?;
                // Of equal bids the one wins who may do least else.
                Some((*cost_s, worker.may.count_ones(), number))
            };
            if let Some((.., winner)) = self.bids.iter().filter_map(bid).min() {
                // Who has won does not bid again.
                self.bids.remove(&winner);
                self.asked.insert(key, winner);
                if let Some(to) = self.agent(self.step.workers[winner].agent) {
                    out.send(to, self.say(Word::Award(key)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::testing::with_step;
    use labtrust_comms::{bus::Controls, codes};
    use labtrust_plugin::testing::Size;

    /// What the desk does not believe when a bidder says this; `None` where nobody who is idle can do anything.
    fn refused(seed: u64, sealed: bool, lie: impl Fn(&mut Vec<Say>)) -> Option<Vec<&'static str>> {
        with_step(seed, Size { zones: 4, devices: 9, agents: 12 }, 40, |step| {
            let open = Open::of(step);
            let (name, secret) = (&step.floor.names[0], sealed.then_some(7));
            let worker = step.workers.iter().position(|worker| worker.agent == step.floor.directed[0])?;
            let mut bidder = Bidder::new(step, &open, worker, name, secret);
            let signing = if sealed { Signing::On(Controls::ALL) } else { Signing::Off };
            let mut desk = Auctioneer::new(step, &open, signing, &[]);
            let (mut out, mut said) = (Outbox::default(), Vec::new());
            let from_desk = AgentId(u32::try_from(step.floor.directed.len()).ok()?);
            desk.on_round(0, &mut out);
            let calls: Vec<Say> = out.drain().map(|(_, say)| say).collect();
            bidder.hear(from_desk, calls.first()?.clone(), &mut out);
            if sealed {
                bidder.hear(from_desk, desk.say(Word::Show), &mut out);
            }
            said.extend(out.drain().map(|(_, say)| say));
            if bidder.bids.is_empty() {
                return None;
            }
            lie(&mut said);
            said.into_iter().for_each(|say| desk.hear(AgentId(0), say));
            assert!(desk.refused.iter().all(|(_, about)| *about == AgentId(0)));
            Some(desk.refused.iter().map(|(code, _)| *code).collect())
        })?
    }

    fn with_bids(said: &mut [Say], change: impl Fn(&mut Vec<(Key, i64)>)) {
        for say in said {
            if let Word::Bid(bids, _) = &mut say.word {
                change(bids);
            }
        }
    }

    #[test]
    fn what_cannot_be_true_is_refused_by_its_code() {
        let mut tried = 0;
        for seed in 0..40 {
            let Some(honest) = refused(seed, true, |_| {}) else { continue };
            tried += 1;
            assert!(honest.is_empty(), "{honest:?}");
            // Nearer than the way is long.
            let below = refused(seed, false, |said| with_bids(said, |bids| bids[0].1 -= 1)).unwrap();
            assert_eq!(below, [codes::COORD_BID_BELOW_BOUND]);
            // Another bid than the one committed to, though it could be true.
            let other = refused(seed, true, |said| with_bids(said, |bids| bids[0].1 += 1)).unwrap();
            assert_eq!(other, [codes::COORD_COMMIT_MISMATCH]);
            let unsealed = refused(seed, true, |said| said.retain(|say| !matches!(say.word, Word::Commit(_)))).unwrap();
            assert_eq!(unsealed, [codes::COORD_COMMIT_MISSING]);
            let twice = refused(seed, true, |said| said.push(said.last().unwrap().clone())).unwrap();
            assert_eq!(twice, [codes::COORD_REPLAY_DETECTED]);
            let late = refused(seed, false, |said| said.iter_mut().for_each(|say| say.step += 1)).unwrap();
            assert!(late.is_empty(), "what is of another step is not heard at all");
        }
        assert!(tried > 10, "{tried}");
    }
}

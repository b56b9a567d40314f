//! Who says what in a bundle auction.
//!
//! Those who stand together and have one role bid as one company: the first of them speaks for all. Round 0: everybody tells
//! their speaker that they are there. Then the speakers bid against each other for some rounds, each says its beliefs as long as
//! they change. In the last round everybody is told what they have won.

use super::route::{Company, Sight};
use crate::core::board::{News, View};
use crate::core::talk::key;
use labtrust_comms::AgentId;
use labtrust_comms::network::Wire;
use labtrust_comms::protocols::cbba::{Cbba, CbbaMessage};
use labtrust_comms::protocols::gossip::Key;
use labtrust_comms::protocols::{Doubts, Machine, Outbox, Scrutiny, To};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Rounds beside those of the auction: to be there, and to be told [count].
pub(super) const OTHER_ROUNDS: u32 = 2;
/// A speaker says its beliefs until they have not changed for so many rounds [count]: once more than needed, for what is lost.
const QUIET_ROUNDS: u32 = 2;

/// What is said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Say {
    /// The world: this is open.
    News(News),
    /// I am there, in this step.
    Here(u32),
    /// What a company believes about the auction of this step.
    Beliefs(u32, CbbaMessage),
    /// In this step this job is yours.
    Yours(u32, Key),
}

impl Wire for Say {
    /// 5 for step and kind, 4 a job [B].
    fn wire_bytes(&self) -> u32 {
        5 + match self {
            Self::News(news) => news.wire_bytes(),
            Self::Here(_) => 0,
            Self::Beliefs(_, beliefs) => beliefs.wire_bytes(),
            Self::Yours(..) => 4,
        }
    }
}

/// One person in one step.
pub(super) struct Person<'a> {
    pub(super) view: &'a mut View,
    pub(super) part: Part<'a>,
}

/// What part somebody takes in an auction.
pub(super) enum Part<'a> {
    /// Busy: only listens to the news.
    None,
    /// One of a company.
    Member { step: u32, speaker: AgentId, won: Option<Key> },
    /// Speaks for a company.
    Speaker(Box<Speaker<'a>>),
}

/// Who speaks for a company.
pub(super) struct Speaker<'a> {
    sight: Sight<'a>,
    auction_rounds: u32,
    /// The companies' speakers; company n is number n in the auction.
    speakers: &'a [AgentId],
    /// Whom this one tells its beliefs.
    others: Arc<[AgentId]>,
    class: usize,
    /// Workers' numbers of those who are known to be there, the speaker first.
    there: Vec<usize>,
    won_before: &'a dyn Fn(usize) -> i64,
    auction: Option<Cbba<Company<'a>>>,
    /// The speaker's own job.
    pub(super) won: Option<Key>,
    /// Codes of bids that cannot be true, and of whom they came.
    pub(super) refused: Vec<(&'static str, AgentId)>,
    scrutiny: Scrutiny,
}

impl<'a> Speaker<'a> {
    pub(super) fn new(
        sight: Sight<'a>,
        auction_rounds: u32,
        speakers: &'a [AgentId],
        class: usize,
        won_before: &'a dyn Fn(usize) -> i64,
    ) -> Self {
        let there = vec![sight.of_class[class]];
        let (auction, won, refused, scrutiny) = (None, None, Vec::new(), Scrutiny::default());
        let others = neighbours(class, speakers.len()).map(|other| speakers[other]).collect();
        Self { sight, auction_rounds, speakers, others, class, there, won_before, auction, won, refused, scrutiny }
    }

    /// The same, who looks at the bids of others in this way.
    pub(super) fn with_scrutiny(self, scrutiny: Scrutiny) -> Self {
        Self { scrutiny, ..self }
    }

    /// Opens the books: everybody who is there bids for what the speaker knows of.
    fn begin(&mut self, view: &View) -> Cbba<Company<'a>> {
        let zone = self.sight.step.workers[self.there[0]].zone;
        let company = Company::new(self.sight, self.there.clone(), self.won_before);
        let longest = company.longest();
        let (me, count) = (number(self.class), u32::try_from(self.speakers.len()).unwrap_or(u32::MAX));
        let tasks = view.open(self.sight.step, zone);
        Cbba::new(me, count, company, longest, tasks).with_scrutiny(self.scrutiny)
    }

    fn bid(&mut self, round: u32, view: &View, out: &mut Outbox<Say>) {
        let mut auction = match self.auction.take() {
            Some(auction) => auction,
            None => self.begin(view),
        };
        let mut said = Outbox::default();
        auction.on_round(round, &mut said);
        if auction.quiet_rounds() < QUIET_ROUNDS {
            for (_, beliefs) in said.drain() {
                out.multicast(Arc::clone(&self.others), Say::Beliefs(self.sight.step.seen.step, beliefs));
            }
        }
        self.auction = Some(auction);
    }

    fn hear(&mut self, class: usize, beliefs: CbbaMessage) {
        if let Some(auction) = &mut self.auction {
            let mut nothing: Outbox<CbbaMessage> = Outbox::default();
            auction.on_message(number(class), beliefs, &mut nothing);
            debug_assert_eq!(nothing.drain().filter(|(to, _)| *to == To::Others).count(), 0, "it speaks in rounds");
        }
    }

    /// Tells everybody what they have won.
    fn tell(&mut self, out: &mut Outbox<Say>) {
        let Some(auction) = &self.auction else { return };
        let Sight { step, .. } = self.sight;
        for (worker, job) in auction.bidder().first_jobs(auction.bundle()) {
            let key = key(&step.jobs[job]);
            if worker == self.there[0] {
                self.won = Some(key);
            } else if let Some(to) = crate::core::talk::place(step.floor, step.workers[worker].agent) {
                out.send(number(to), Say::Yours(step.seen.step, key));
            }
        }
        let about = |class: AgentId| self.speakers.get(class.index()).copied().unwrap_or(class);
        self.refused.extend(auction.refused().iter().map(|refused| (refused.code, about(refused.from))));
    }
}

/// Up to so many companies all tell all [count].
const FEW: usize = 16;

/// Whom a company tells what it believes: everybody where there are few; else those 1, 2, 4, 8, ... places on, so that word goes
/// round N of them in O(log N) rounds and as many messages each.
fn neighbours(class: usize, count: usize) -> impl Iterator<Item = usize> {
    let doubling = move |step: &usize| if count <= FEW { Some(step + 1) } else { step.checked_mul(2) };
    let steps = std::iter::successors(Some(1), doubling).take_while(move |step| *step < count);
    steps.map(move |step| (class + step) % count)
}

fn number(place: usize) -> AgentId {
    AgentId(u32::try_from(place).unwrap_or(u32::MAX))
}

impl Machine for Person<'_> {
    type Message = Say;

    fn on_round(&mut self, round: u32, out: &mut Outbox<Say>) {
        match &mut self.part {
            Part::Member { step, speaker, .. } if round == 0 => out.send(*speaker, Say::Here(*step)),
            Part::Speaker(speaker) if round > speaker.auction_rounds => speaker.tell(out),
            Part::Speaker(speaker) if round > 0 => speaker.bid(round - 1, self.view, out),
            _ => {}
        }
    }

    fn on_message(&mut self, from: AgentId, say: Say, _out: &mut Outbox<Say>) {
        match (say, &mut self.part) {
            (Say::News(news), _) if from == AgentId::WORLD => self.view.hear(&news),
            (Say::Here(of), Part::Speaker(speaker)) if of == speaker.sight.step.seen.step => {
                let step = speaker.sight.step;
                let agent = step.floor.directed.get(from.index());
                let worker = agent.and_then(|agent| step.workers.binary_search_by_key(agent, |w| w.agent).ok());
                if let Some(worker) = worker.filter(|worker| !speaker.there.contains(worker)) {
                    speaker.there.push(worker);
                }
            }
            (Say::Beliefs(of, beliefs), Part::Speaker(speaker)) if of == speaker.sight.step.seen.step => {
                if let Some(class) = speaker.speakers.iter().position(|other| *other == from) {
                    speaker.hear(class, beliefs);
                }
            }
            (Say::Yours(of, key), Part::Member { step, speaker, won }) if of == *step && from == *speaker => {
                *won = Some(key);
            }
            _ => {}
        }
    }

    fn doubts(&self) -> Doubts {
        let Part::Speaker(speaker) = &self.part else { return Doubts::default() };
        let Some(Doubts { count, last }) = speaker.auction.as_ref().map(Machine::doubts) else {
            return Doubts::default();
        };
        // In an auction companies are counted, on the network those who speak for them.
        let about = |class: AgentId| speaker.speakers.get(class.index()).copied().unwrap_or(class);
        Doubts { count, last: last.map(|(code, class)| (code, about(class))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn word_goes_round_all_companies_in_a_few_rounds() {
        for count in 1..100 {
            let mut heard = BTreeSet::from([0]);
            let mut rounds = 0;
            while heard.len() < count {
                let told: Vec<usize> = heard.iter().flat_map(|&class| neighbours(class, count)).collect();
                heard.extend(told);
                rounds += 1;
            }
            assert!(rounds <= 7, "{count}: {rounds}");
            assert!((0..count).all(|class| neighbours(class, count).count() < FEW.max(8)), "{count}");
            assert!((0..count).all(|class| neighbours(class, count).all(|other| other != class)), "{count}");
        }
    }
}

//! A small model checker: goes through every order in which messages can be heard and rounds can begin.
//!
//! The messages that were ever sent form a set; any of them may be heard next, again, late, or never. That is loss, copies, reordering and
//! delay at once, and a crash is an agent that nothing happens to any more. So every behaviour of the network and of crashing agents is among
//! the paths, and a property that holds in every state that is reached holds under all of them.

use super::*;
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hash};

/// A protocol and what can happen to it.
pub(super) trait World: Clone + Hash + Eq {
    /// Every state that one event leads to.
    fn successors(&self) -> Vec<Self>;
    /// What is wrong with this state.
    fn complaint(&self) -> Option<String>;
}

/// What a search found.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) states: usize,
    pub(super) complaint: Option<String>,
}

/// Visits every state that can be reached, once; stops at the first complaint. Panics past `most` states: a check that was cut off is none.
pub(super) fn search<W: World>(start: W, most: usize) -> Search {
    // Two independent 64-bit hashes stand for a state: the states themselves would take gigabytes.
    let hasher = rustc_hash::FxBuildHasher;
    let mark = |world: &W| (hasher.hash_one(world), hasher.hash_one((world, 1_u64)));
    let mut seen = FxHashSet::from_iter([mark(&start)]);
    let mut open = vec![start];
    while let Some(world) = open.pop() {
        if let Some(complaint) = world.complaint() {
            return Search { states: seen.len(), complaint: Some(complaint) };
        }
        for next in world.successors() {
            if seen.insert(mark(&next)) {
                assert!(seen.len() <= most, "more than {most} states");
                open.push(next);
            }
        }
    }
    Search { states: seen.len(), complaint: None }
}

/// Machines, the set of all messages that were sent, and the rounds that each machine has yet to begin.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Soup<P, M> {
    pub(super) machines: Vec<P>,
    pub(super) sent: BTreeSet<(AgentId, AgentId, M)>,
    /// Last one first. Rounds in which a machine has nothing to say are left out: they would only multiply the states.
    pub(super) turns: Vec<Vec<u32>>,
}

impl<P, M> Soup<P, M>
where
    P: Machine<Message = M> + Clone + Eq,
    M: Ord + Clone + Wire,
{
    pub(super) fn new(machines: Vec<P>, turns: Vec<Vec<u32>>) -> Self {
        Self { machines, sent: BTreeSet::new(), turns }
    }

    /// The state after something happened to a machine; `None` where it changes nothing.
    fn after(&self, number: usize, act: impl FnOnce(&mut P, &mut Outbox<M>)) -> Option<Self> {
        let (mut machine, mut out, me) = (self.machines[number].clone(), Outbox::default(), agent(number));
        act(&mut machine, &mut out);
        if machine == self.machines[number] && out.mail.is_empty() {
            return None;
        }
        let mut next = self.clone();
        next.machines[number] = machine;
        for (to, message) in out.drain() {
            match to {
                To::One(to) => drop(next.sent.insert((me, to, message))),
                To::Others => {
                    let others = (0..next.machines.len()).map(agent).filter(|to| *to != me);
                    next.sent.extend(others.map(|to| (me, to, message.clone())));
                }
            }
        }
        Some(next)
    }

    /// What can happen: somebody begins its next round, or somebody hears a message.
    pub(super) fn events(&self, deaf: impl Fn(usize) -> bool) -> Vec<Self> {
        let mut all = Vec::new();
        for number in (0..self.machines.len()).filter(|number| !deaf(*number)) {
            if let Some(round) = self.turns[number].last() {
                let next = self.after(number, |machine, out| machine.on_round(*round, out));
                let mut next = next.unwrap_or_else(|| self.clone());
                next.turns[number].pop();
                all.push(next);
            }
        }
        for (from, to, message) in &self.sent {
            if !deaf(to.index()) {
                all.extend(self.after(to.index(), |machine, out| machine.on_message(*from, message.clone(), out)));
            }
        }
        all
    }
}

mod paxos_model {
    use super::*;
    use crate::protocols::paxos::{Paxos, PaxosMessage, PaxosRules};

    type Model = Soup<Paxos<Plan>, PaxosMessage<Plan>>;

    impl World for Model {
        fn successors(&self) -> Vec<Self> {
            self.events(|_| false)
        }

        fn complaint(&self) -> Option<String> {
            let decided: BTreeSet<Plan> =
                self.machines.iter().filter_map(|machine| machine.decided().copied()).collect();
            (decided.len() > 1).then(|| format!("decided {decided:?}"))
        }
    }

    fn model(quorum: Quorum, rounds: u32) -> Model {
        let rules = PaxosRules { quorum, rounds_per_term: 1 };
        let agents = || (0..quorum.agents()).map(AgentId);
        let machines = agents().map(|me| Paxos::new(rules, me, Plan(me.0 as u8))).collect();
        // Only leaders speak of their own accord.
        let turns = agents().map(|me| (0..rounds).rev().filter(|round| rules.leader(0, *round) == me).collect());
        Soup::new(machines, turns.collect())
    }

    #[test]
    fn no_interleaving_makes_two_of_three_workers_decide_differently() {
        let found = search(model(Quorum::majority(3), 3), 20_000_000);
        assert_eq!(found.complaint, None);
        assert!(found.states > 1000, "{found:?}");
    }

    #[test]
    fn the_checker_finds_a_quorum_that_is_too_small() {
        let found = search(model(Quorum::unsafe_size(3, 1), 2), 4_000_000);
        assert!(found.complaint.is_some());
    }
}

/// Four workers, one of whom lies: it leads the first term, has its own key, hears everything, and says whatever can be said with that.
mod certified_model {
    use super::*;
    use crate::protocols::certified::{Certificate, CertifiedMessage, CertifiedRules, Decree, Phase};
    use crate::protocols::tests::certified::{Honest, Seal, honest, liar};

    type Said = CertifiedMessage<Plan, Seal>;
    type Model = Soup<Honest, Said>;

    const LIAR: AgentId = AgentId(0);
    const LEADER: AgentId = AgentId(1);
    const PLANS: [Plan; 2] = [Plan(1), Plan(2)];

    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Lies {
        soup: Model,
        quorum: Quorum,
    }

    impl Lies {
        fn new(quorum: Quorum) -> Self {
            let machines = honest(CertifiedRules { quorum, rounds_per_term: 1 });
            // The second term is led by an honest agent, which hears the views of itself, the liar and one other agent. The third
            // only votes: with its view the states are 480,000 instead, and a minute is too long for a test.
            Self { soup: Soup::new(machines, vec![vec![], vec![1], vec![1], vec![]]), quorum }
        }

        /// A certificate, if enough honest agents have voted by now: the liar has heard them, and has a vote of its own. Whose votes
        /// are in it makes no difference to anybody, so it is always the same ones.
        fn certificate(&self, phase: Phase, term: u32, plan: Plan) -> Option<Certificate<Seal>> {
            let voted = |voter: &AgentId| {
                let (slot, digest, leader) = (0, plan.digest(), AgentId(term));
                let vote = liar::vote(phase, term, plan, *voter);
                // A leader's vote for its own proposal is not sent.
                self.soup.sent.contains(&(*voter, leader, CertifiedMessage::Voted { slot, term, phase, digest, vote }))
            };
            let votes = 1 + (1..4).map(AgentId).filter(voted).count();
            let any = (0..self.quorum.size()).map(|voter| liar::vote(phase, term, plan, AgentId(voter))).collect();
            self.quorum.reached(votes).then(|| liar::certificate(phase, term, plan, any))
        }

        /// Everything that the liar can say that might matter, each to whom it could matter to.
        fn lies(&self) -> Vec<(AgentId, Said)> {
            let (mut to_all, mut to_leader) = (Vec::new(), vec![]);
            for plan in PLANS {
                to_all.push(liar::proposal(LIAR, 0, plan, None));
                for phase in [Phase::Prepare, Phase::Commit] {
                    let vote = liar::vote(phase, 1, plan, LIAR);
                    to_leader.push(CertifiedMessage::Voted { slot: 0, term: 1, phase, digest: plan.digest(), vote });
                }
                for term in 0..2 {
                    if let Some(certificate) = self.certificate(Phase::Prepare, term, plan) {
                        let locked = Some((plan, certificate.clone()));
                        to_leader.push(CertifiedMessage::View { slot: 0, term: 1, locked });
                        to_all.push(CertifiedMessage::Prepared { value: plan, certificate });
                    }
                }
            }
            to_leader.push(CertifiedMessage::View { slot: 0, term: 1, locked: None });
            let to_all = to_all.iter().flat_map(|said| (1..4).map(move |to| (AgentId(to), said.clone())));
            to_all.chain(to_leader.into_iter().map(|said| (LEADER, said))).collect()
        }
    }

    impl World for Lies {
        fn successors(&self) -> Vec<Self> {
            let lies = self.lies().into_iter().filter_map(|(to, said)| {
                self.soup.after(to.index(), |machine, out| machine.on_message(LIAR, said, out))
            });
            let mut all: Vec<Model> = lies.collect();
            all.extend(self.soup.events(|number| number == LIAR.index()));
            let forget = |mut soup: Model| {
                // Evidence changes nothing that follows.
                soup.machines.iter_mut().for_each(|machine| drop(machine.take_evidence()));
                // That a decision can be shown is judged when it can; who is shown it changes nothing that follows.
                soup.sent.retain(|(_, _, said)| !matches!(said, CertifiedMessage::Decide { .. }));
                Self { soup, quorum: self.quorum }
            };
            all.into_iter().map(forget).collect()
        }

        fn complaint(&self) -> Option<String> {
            let honest = self.soup.machines[1..].iter().filter_map(|machine| machine.decided().copied());
            let shown = PLANS
                .into_iter()
                .filter(|plan| (0..2).any(|term| self.certificate(Phase::Commit, term, *plan).is_some()));
            let decided: BTreeSet<Plan> = honest.chain(shown).collect();
            (decided.len() > 1).then(|| format!("decided {decided:?}"))
        }
    }

    #[test]
    fn no_interleaving_and_no_lie_makes_two_of_three_honest_workers_decide_differently() {
        let found = search(Lies::new(Quorum::byzantine(4)), 3_000_000);
        assert_eq!(found.complaint, None);
        assert!(found.states > 1000, "{found:?}");
    }

    #[test]
    fn the_checker_finds_a_quorum_that_one_liar_can_split() {
        let found = search(Lies::new(Quorum::unsafe_size(4, 2)), 20_000_000);
        assert!(found.complaint.is_some());
    }
}

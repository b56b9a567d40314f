//! A small model checker: goes through every order in which messages can be heard and rounds can begin.
//!
//! The messages that were ever sent form a set; any of them may be heard next, again, late, or never. That is loss, copies, reordering and
//! delay at once, and a crash is an agent that nothing happens to any more. So every behaviour of the network and of crashing agents is among
//! the paths, and a property that holds in every state that is reached holds under all of them.

use super::*;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::rc::Rc;

/// A protocol and what can happen to it.
pub(super) trait World: Clone + Hash {
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

/// 128 bits that stand for a value: among a million states two are taken for one with a chance below 10^-26.
type Mark = (u64, u64);

fn mark(value: &impl Hash) -> Mark {
    let half = |prefix: u8| {
        let mut hasher = DefaultHasher::new();
        prefix.hash(&mut hasher);
        value.hash(&mut hasher);
        hasher.finish()
    };
    (half(0), half(1))
}

/// Visits every state that can be reached, once; stops at the first complaint. Panics past `most` states: a check that was cut off is none.
pub(super) fn search<W: World>(start: W, most: usize) -> Search {
    let mut seen = HashSet::from([mark(&start)]);
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

/// A shared value and its mark, which alone is compared: states share almost everything.
#[derive(Debug)]
pub(super) struct Kept<T> {
    mark: Mark,
    value: Rc<T>,
}

impl<T: Hash> Kept<T> {
    pub(super) fn new(value: T) -> Self {
        Self { mark: mark(&value), value: Rc::new(value) }
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { mark: self.mark, value: Rc::clone(&self.value) }
    }
}

impl<T> std::ops::Deref for Kept<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> PartialEq for Kept<T> {
    fn eq(&self, other: &Self) -> bool {
        self.mark == other.mark
    }
}

impl<T> Eq for Kept<T> {}

impl<T> PartialOrd for Kept<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Kept<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.mark.cmp(&other.mark)
    }
}

impl<T> Hash for Kept<T> {
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        self.mark.hash(hasher);
    }
}

/// What happens to a machine.
pub(super) enum Event<M> {
    Begins(u32),
    Hears(AgentId, Kept<M>),
}

impl<M> Event<M> {
    const fn mark(&self) -> (Option<AgentId>, Mark) {
        match self {
            Self::Begins(round) => (None, (*round as u64, 0)),
            Self::Hears(from, message) => (Some(*from), message.mark),
        }
    }
}

/// A machine after an event, and what it sends.
type Effect<P, M> = (Kept<P>, Vec<(To, Kept<M>)>);

/// What was worked out before: the same event does the same to the same machine.
type Known<P, M> = HashMap<(Mark, (Option<AgentId>, Mark)), Option<Rc<Effect<P, M>>>>;

/// Machines, the set of all messages that were sent, and the rounds that each machine has yet to begin.
pub(super) struct Soup<P, M> {
    pub(super) machines: Vec<Kept<P>>,
    pub(super) sent: BTreeSet<(AgentId, AgentId, Kept<M>)>,
    /// The sum of the marks of what was sent.
    sent_mark: Mark,
    /// Last one first. Rounds in which a machine has nothing to say are left out: they would only multiply the states.
    pub(super) turns: Vec<Vec<u32>>,
    /// Leaves what changes nothing that follows out of a machine.
    forget: fn(&mut P),
    /// Whether it can matter to anybody that a message was sent.
    matters: fn(&M) -> bool,
    known: Rc<RefCell<Known<P, M>>>,
}

impl<P, M> Clone for Soup<P, M> {
    fn clone(&self) -> Self {
        let (machines, sent, turns) = (self.machines.clone(), self.sent.clone(), self.turns.clone());
        Self { machines, sent, turns, known: Rc::clone(&self.known), ..*self }
    }
}

impl<P, M> Hash for Soup<P, M> {
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        (&self.machines, self.sent_mark, &self.turns).hash(hasher);
    }
}

impl<P, M> Soup<P, M>
where
    P: Machine<Message = M> + Clone + Hash,
    M: Clone + Wire + Hash,
{
    pub(super) fn new(machines: Vec<P>, turns: Vec<Vec<u32>>, forget: fn(&mut P), matters: fn(&M) -> bool) -> Self {
        let machines = machines.into_iter().map(Kept::new).collect();
        Self { machines, sent: BTreeSet::new(), sent_mark: (0, 0), turns, forget, matters, known: Rc::default() }
    }

    /// What an event does to a machine; `None` where it does nothing.
    fn effect(&self, number: usize, event: &Event<M>) -> Option<Rc<Effect<P, M>>> {
        let before = &self.machines[number];
        let key = (before.mark, event.mark());
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let (mut machine, mut out) = (P::clone(before), Outbox::default());
        match event {
            Event::Begins(round) => machine.on_round(*round, &mut out),
            Event::Hears(from, message) => machine.on_message(*from, M::clone(message), &mut out),
        }
        (self.forget)(&mut machine);
        let mail = out.drain().filter(|(_, message)| (self.matters)(message));
        let mail: Vec<(To, Kept<M>)> = mail.map(|(to, message)| (to, Kept::new(message))).collect();
        let after = Kept::new(machine);
        let effect = (after != *before || !mail.is_empty()).then(|| Rc::new((after, mail)));
        self.known.borrow_mut().insert(key, effect.clone());
        effect
    }

    /// The state after an event; `None` where it changes nothing.
    pub(super) fn after(&self, number: usize, event: &Event<M>) -> Option<Self> {
        let (effect, me) = (self.effect(number, event)?, agent(number));
        let (machine, mail) = &*effect;
        let others = || (0..self.machines.len()).map(agent).filter(|to| *to != me);
        let letters = mail.iter().flat_map(|(to, message)| {
            let to: Vec<AgentId> = if let To::One(to) = to { vec![*to] } else { others().collect() };
            to.into_iter().map(move |to| (me, to, message.clone()))
        });
        let letters: Vec<_> = letters.filter(|letter| !self.sent.contains(letter)).collect();
        if letters.is_empty() && *machine == self.machines[number] {
            return None;
        }
        let mut next = self.clone();
        next.machines[number] = machine.clone();
        for letter in letters {
            let (one, other) = mark(&letter);
            next.sent_mark = (next.sent_mark.0.wrapping_add(one), next.sent_mark.1.wrapping_add(other));
            next.sent.insert(letter);
        }
        Some(next)
    }

    /// What can happen: somebody begins its next round, or somebody hears a message.
    pub(super) fn events(&self, deaf: impl Fn(usize) -> bool) -> Vec<Self> {
        let mut all = Vec::new();
        for number in (0..self.machines.len()).filter(|number| !deaf(*number)) {
            if let Some(round) = self.turns[number].last() {
                let mut next = self.after(number, &Event::Begins(*round)).unwrap_or_else(|| self.clone());
                next.turns[number].pop();
                all.push(next);
            }
        }
        for (from, to, message) in self.sent.iter().filter(|(_, to, _)| !deaf(to.index())) {
            all.extend(self.after(to.index(), &Event::Hears(*from, message.clone())));
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
        Soup::new(machines, turns.collect(), |_| {}, |_| true)
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

    /// Votes that the liar has heard, a bit each: of agent 1 to 3, to prepare or to commit, in term 0 or 1, of either plan.
    type Heard = u32;

    /// What the liar can say when it has heard some votes.
    type Sayings = Rc<Vec<(AgentId, Event<Said>)>>;

    #[derive(Clone)]
    struct Lies {
        soup: Model,
        quorum: Quorum,
        /// Every vote there can be, as it is sent.
        votes: Rc<Vec<(AgentId, AgentId, Kept<Said>)>>,
        sayings: Rc<RefCell<HashMap<Heard, Sayings>>>,
    }

    impl Hash for Lies {
        fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
            self.soup.hash(hasher);
        }
    }

    /// The place of a vote of the first of three honest agents among all votes; those of the others follow.
    fn place(phase: Phase, term: u32, plan: Plan) -> usize {
        3 * (usize::from(phase == Phase::Commit) + 2 * term as usize + 4 * (plan.0 as usize - 1))
    }

    impl Lies {
        fn new(quorum: Quorum) -> Self {
            let machines = honest(CertifiedRules { quorum, rounds_per_term: 1 });
            // The second term is led by an honest agent. Everybody honest may begin it, whenever it likes, or never.
            let turns = vec![vec![], vec![1], vec![1], vec![1]];
            // Evidence changes nothing that follows. That a decision can be shown is judged when it can; who is shown it changes nothing
            // that follows either.
            let forget = |machine: &mut Honest| drop(machine.take_evidence());
            let matters = |said: &Said| !matches!(said, CertifiedMessage::Decide { .. });
            let soup = Soup::new(machines, turns, forget, matters);
            let mut votes = Vec::new();
            for plan in PLANS {
                for term in 0..2 {
                    for phase in [Phase::Prepare, Phase::Commit] {
                        assert_eq!(votes.len(), place(phase, term, plan));
                        votes.extend((1..4).map(AgentId).map(|voter| {
                            let (slot, digest, vote) = (0, plan.digest(), liar::vote(phase, term, plan, voter));
                            let said = CertifiedMessage::Voted { slot, term, phase, digest, vote };
                            (voter, AgentId(term), Kept::new(said))
                        }));
                    }
                }
            }
            Self { soup, quorum, votes: Rc::new(votes), sayings: Rc::default() }
        }

        fn heard(&self) -> Heard {
            let bit = |(at, vote)| u32::from(self.soup.sent.contains(vote)) << at;
            self.votes.iter().enumerate().map(bit).sum()
        }

        /// A certificate, if enough honest agents have voted by now: the liar has a vote of its own. Whose votes are in it makes no
        /// difference to anybody, so it is always the same ones. A leader's vote for its own proposal is not sent.
        fn certificate(&self, heard: Heard, phase: Phase, term: u32, plan: Plan) -> Option<Certificate<Seal>> {
            let votes = 1 + (heard >> place(phase, term, plan) & 0b111).count_ones() as usize;
            let any = (0..self.quorum.size()).map(|voter| liar::vote(phase, term, plan, AgentId(voter))).collect();
            self.quorum.reached(votes).then(|| liar::certificate(phase, term, plan, any))
        }

        /// Everything that the liar can say that might matter, to whom it could matter.
        fn lies(&self, heard: Heard) -> Sayings {
            let (mut to_all, mut to_leader) = (Vec::new(), vec![]);
            for plan in PLANS {
                to_all.push(liar::proposal(LIAR, 0, plan, None));
                for phase in [Phase::Prepare, Phase::Commit] {
                    let vote = liar::vote(phase, 1, plan, LIAR);
                    to_leader.push(CertifiedMessage::Voted { slot: 0, term: 1, phase, digest: plan.digest(), vote });
                }
                for term in 0..2 {
                    if let Some(certificate) = self.certificate(heard, Phase::Prepare, term, plan) {
                        let locked = Some((plan, certificate.clone()));
                        to_leader.push(CertifiedMessage::View { slot: 0, term: 1, locked });
                        to_all.push(CertifiedMessage::Prepared { value: plan, certificate });
                    }
                }
            }
            to_leader.push(CertifiedMessage::View { slot: 0, term: 1, locked: None });
            let to_all = to_all.into_iter().flat_map(|said| (1..4).map(move |to| (AgentId(to), said.clone())));
            let all = to_all.chain(to_leader.into_iter().map(|said| (LEADER, said)));
            Rc::new(all.map(|(to, said)| (to, Event::Hears(LIAR, Kept::new(said)))).collect())
        }
    }

    impl World for Lies {
        fn successors(&self) -> Vec<Self> {
            let heard = self.heard();
            let known = self.sayings.borrow().get(&heard).cloned();
            let lies = known.unwrap_or_else(|| {
                let lies = self.lies(heard);
                self.sayings.borrow_mut().insert(heard, Rc::clone(&lies));
                lies
            });
            let mut all: Vec<Model> =
                lies.iter().filter_map(|(to, event)| self.soup.after(to.index(), event)).collect();
            all.extend(self.soup.events(|number| number == LIAR.index()));
            let world = |soup| Self { soup, ..self.clone() };
            all.into_iter().map(world).collect()
        }

        fn complaint(&self) -> Option<String> {
            let heard = self.heard();
            let honest = self.soup.machines[1..].iter().filter_map(|machine| machine.decided().copied());
            let can_be_shown =
                |plan: &Plan| (0..2).any(|term| self.certificate(heard, Phase::Commit, term, *plan).is_some());
            let decided: BTreeSet<Plan> = honest.chain(PLANS.into_iter().filter(can_be_shown)).collect();
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

use super::*;
use crate::identity::{KeyHandle, Roster};
use crate::protocols::certified::{Authority, Certified, CertifiedMessage, CertifiedRules, Decree, Keys, Phase};
use crate::protocols::paxos::Outcome;
use std::sync::Arc;

impl Decree for Plan {
    fn digest(&self) -> [u8; 32] {
        [self.0; 32]
    }
}

/// Signatures that cannot be forged because nobody tries: the signer and a hash of what was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Seal(AgentId, u64);

impl Wire for Seal {
    fn wire_bytes(&self) -> u32 {
        64
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Honour(pub(super) AgentId);

impl Authority for Honour {
    type Signature = Seal;

    fn sign(&self, bytes: &[u8]) -> Seal {
        use std::hash::BuildHasher as _;
        Seal(self.0, rustc_hash::FxBuildHasher.hash_one(bytes))
    }

    fn verify(&self, agent: AgentId, bytes: &[u8], signature: &Seal) -> bool {
        Self(agent).sign(bytes) == *signature
    }
}

pub(super) type Honest = Certified<Plan, Honour>;
type Said = CertifiedMessage<Plan, Seal>;

pub(super) fn honest(rules: CertifiedRules) -> Vec<Honest> {
    (0..rules.quorum.agents())
        .map(|me| Certified::new(rules, AgentId(me), Honour(AgentId(me)), Plan(10 + me as u8)))
        .collect()
}

fn decisions(machines: &[Honest]) -> Vec<u8> {
    let mut all: Vec<u8> = machines.iter().filter_map(|machine| machine.decided()).map(|plan| plan.0).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn real_keys_decide_in_one_round_of_a_perfect_network() {
    let handles: Vec<Arc<KeyHandle>> =
        (0..4).map(|n| Arc::new(KeyHandle::derive(42, &format!("worker_{n}")).unwrap())).collect();
    let roster = Arc::new(Roster::of(handles.iter().map(|handle| &**handle)).unwrap());
    let rules = CertifiedRules::byzantine(4);
    let mut all: Vec<Certified<Plan, Keys>> = handles
        .iter()
        .enumerate()
        .map(|(me, handle)| {
            Certified::new(rules, agent(me), Keys::new(handle.clone(), roster.clone()), Plan(10 + me as u8))
        })
        .collect();
    let mut network = Network::new(&NetworkSettings::default(), 4, 1).unwrap();
    Exchange::over_a_step(1, &network).run(&mut all, &mut network, |_, _| true);
    assert!(
        all.iter().all(|machine| machine.outcome() == Outcome::Decided(&Plan(10)) && machine.evidence().is_empty())
    );
}

#[test]
fn the_next_leader_takes_over_when_the_first_one_is_gone() {
    let mut all = honest(CertifiedRules::byzantine(4));
    let mut network = Network::new(&NetworkSettings::default(), 4, 1).unwrap();
    Exchange::over_a_step(7, &network).run(&mut all, &mut network, |agent, _| agent.0 != 0);
    assert_eq!(decisions(&all), [11]);
    all.iter_mut().for_each(|machine| machine.begin_slot(3, Plan(1)));
    assert_eq!((all[0].outcome(), all[1].outcome()), (Outcome::Nothing, Outcome::Fallback(0, &Plan(11))));
}

#[test]
fn a_vote_or_a_certificate_that_is_not_what_it_says_is_refused_with_a_code() {
    let rules = CertifiedRules::byzantine(4);
    let mut machine = honest(rules).remove(1);
    let mut out = Outbox::default();
    let forged = CertifiedMessage::Propose {
        slot: 0,
        term: 0,
        value: Plan(66),
        justify: None,
        signature: Honour(AgentId(3)).sign(b"anything"),
    };
    machine.on_message(AgentId(3), forged, &mut out);
    let mut votes: Vec<_> = (0..3).map(|voter| liar::vote(Phase::Commit, 0, Plan(66), AgentId(voter))).collect();
    // A quorum of the same agent.
    votes[1] = votes[0].clone();
    votes[2] = votes[0].clone();
    let certificate = liar::certificate(Phase::Commit, 0, Plan(66), votes);
    machine.on_message(AgentId(3), CertifiedMessage::Decide { value: Plan(66), certificate }, &mut out);
    let codes: Vec<&str> = machine.evidence().iter().map(|evidence| evidence.code).collect();
    assert_eq!(codes, ["COORD_SIGNATURE_INVALID", "COORD_CERTIFICATE_INVALID"]);
    assert_eq!((machine.decided(), out.drain().count()), (None, 0));
}

/// A certificate that agents 0 to 2 have prepared `plan` in `term`: true or not, it verifies.
fn prepared(term: u32, plan: Plan) -> crate::protocols::certified::Certificate<Seal> {
    let votes = (0..3).map(|voter| liar::vote(Phase::Prepare, term, plan, AgentId(voter))).collect();
    liar::certificate(Phase::Prepare, term, plan, votes)
}

/// What a machine says to a message.
fn answers(machine: &mut Honest, from: u32, message: Said) -> Vec<Said> {
    let mut out = Outbox::default();
    machine.on_message(AgentId(from), message, &mut out);
    out.drain().map(|(_, said)| said).collect()
}

#[test]
fn nobody_votes_twice_in_a_term_even_when_a_later_leader_was_not_believed_in_between() {
    let mut machine = honest(CertifiedRules::byzantine(4)).remove(3);
    assert_eq!(answers(&mut machine, 0, liar::proposal(AgentId(0), 0, Plan(1), None)).len(), 1);
    // Signed by the leader of term 1, justified by nothing.
    let bogus = liar::certificate(Phase::Prepare, 0, Plan(2), Vec::new());
    assert_eq!(answers(&mut machine, 1, liar::proposal(AgentId(1), 1, Plan(2), Some(bogus))), []);
    assert_eq!(answers(&mut machine, 0, liar::proposal(AgentId(0), 0, Plan(2), None)), []);
    assert_eq!(answers(&mut machine, 0, liar::proposal(AgentId(0), 0, Plan(1), None)).len(), 1, "the same vote again");
}

#[test]
fn a_lock_gives_way_to_a_later_certificate_only() {
    let mut machine = honest(CertifiedRules::byzantine(4)).remove(3);
    let lock = CertifiedMessage::Prepared { value: Plan(1), certificate: prepared(1, Plan(1)) };
    assert_eq!(answers(&mut machine, 1, lock).len(), 1);
    for justify in [None, Some(prepared(0, Plan(2))), Some(prepared(1, Plan(2)))] {
        assert_eq!(answers(&mut machine, 2, liar::proposal(AgentId(2), 2, Plan(2), justify)), []);
    }
    // Term 6 is led by agent 2 again.
    let later = liar::proposal(AgentId(2), 6, Plan(2), Some(prepared(5, Plan(2))));
    assert_eq!(answers(&mut machine, 2, later).len(), 1);
}

#[test]
fn a_new_leader_proposes_what_was_prepared_last() {
    let mut machine = honest(CertifiedRules::byzantine(4)).remove(2);
    let view = |locked| CertifiedMessage::View { slot: 0, term: 2, locked };
    assert_eq!(answers(&mut machine, 0, view(Some((Plan(8), prepared(1, Plan(8)))))), []);
    let said = answers(&mut machine, 1, view(Some((Plan(9), prepared(0, Plan(9))))));
    let expected = liar::proposal(AgentId(2), 2, Plan(8), Some(prepared(1, Plan(8))));
    assert_eq!(said, [expected]);
}

/// What a liar with one key can make.
pub(super) mod liar {
    use super::*;
    use crate::protocols::certified::{Certificate, Vote};

    /// The bytes under a signature, written down a second time: the layout is a format.
    pub(in super::super) fn bytes(phase: Phase, term: u32, plan: Plan) -> Vec<u8> {
        let mut bytes = b"labtrust.vote.v1\0".to_vec();
        bytes.push(phase as u8);
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&term.to_le_bytes());
        bytes.extend_from_slice(&plan.digest());
        bytes
    }

    pub(in super::super) fn vote(phase: Phase, term: u32, plan: Plan, voter: AgentId) -> Vote<Seal> {
        Vote { voter, signature: Honour(voter).sign(&bytes(phase, term, plan)) }
    }

    pub(in super::super) fn certificate(
        phase: Phase,
        term: u32,
        plan: Plan,
        votes: Vec<Vote<Seal>>,
    ) -> Certificate<Seal> {
        Certificate { phase, slot: 0, term, digest: plan.digest(), votes }
    }

    pub(in super::super) fn proposal(
        leader: AgentId,
        term: u32,
        plan: Plan,
        justify: Option<Certificate<Seal>>,
    ) -> Said {
        let signature = Honour(leader).sign(&bytes(Phase::Propose, term, plan));
        CertifiedMessage::Propose { slot: 0, term, value: plan, justify, signature }
    }
}

/// A machine that lies: where it leads it proposes one thing to these and another to those, and votes for everything.
#[derive(Clone)]
enum Agent {
    Honest(Box<Honest>),
    Liar(
        AgentId,
        CertifiedRules,
        std::collections::BTreeMap<(Phase, u32, u8), Vec<crate::protocols::certified::Vote<Seal>>>,
    ),
}

impl Machine for Agent {
    type Message = Said;

    fn on_round(&mut self, round: u32, out: &mut Outbox<Said>) {
        match self {
            Self::Honest(machine) => machine.on_round(round, out),
            Self::Liar(me, rules, _) => {
                let term = round / rules.rounds_per_term;
                if rules.leader(0, term) == *me {
                    for to in (0..rules.quorum.agents()).map(AgentId).filter(|to| to != me) {
                        out.send(to, liar::proposal(*me, term, Plan(1 + (to.0 % 2) as u8), None));
                    }
                }
            }
        }
    }

    fn on_message(&mut self, from: AgentId, message: Said, out: &mut Outbox<Said>) {
        let (me, rules, votes) = match self {
            Self::Honest(machine) => return machine.on_message(from, message, out),
            Self::Liar(me, rules, votes) => (*me, *rules, votes),
        };
        match message {
            CertifiedMessage::Propose { term, value, .. } => {
                let vote = liar::vote(Phase::Prepare, term, value, me);
                out.send(
                    from,
                    CertifiedMessage::Voted { slot: 0, term, phase: Phase::Prepare, digest: value.digest(), vote },
                );
            }
            CertifiedMessage::Voted { term, phase, digest, vote, .. } => {
                let all = votes.entry((phase, term, digest[0])).or_default();
                if !all.contains(&vote) {
                    all.push(vote);
                }
                let plan = Plan(digest[0]);
                let mut enough = all.clone();
                enough.push(liar::vote(phase, term, plan, me));
                enough.sort();
                if rules.quorum.reached(enough.len()) {
                    let certificate = liar::certificate(phase, term, plan, enough);
                    // Only those hear of it who were told of this plan.
                    let told = |to: &AgentId| *to != me && Plan(1 + (to.0 % 2) as u8) == plan;
                    for to in (0..rules.quorum.agents()).map(AgentId).filter(told) {
                        let message = if phase == Phase::Prepare {
                            CertifiedMessage::Prepared { value: plan, certificate: certificate.clone() }
                        } else {
                            CertifiedMessage::Decide { value: plan, certificate: certificate.clone() }
                        };
                        out.send(to, message);
                    }
                }
            }
            CertifiedMessage::Prepared { value, certificate } => {
                let (term, phase) = (certificate.term, Phase::Commit);
                let vote = liar::vote(phase, term, value, me);
                out.send(from, CertifiedMessage::Voted { slot: 0, term, phase, digest: value.digest(), vote });
            }
            _ => {}
        }
    }
}

fn with_liars(rules: CertifiedRules, liars: &[u32]) -> Vec<Agent> {
    honest(rules)
        .into_iter()
        .enumerate()
        .map(|(me, machine)| match liars.contains(&(me as u32)) {
            true => Agent::Liar(agent(me), rules, Default::default()),
            false => Agent::Honest(Box::new(machine)),
        })
        .collect()
}

fn truth(all: &[Agent]) -> Vec<Honest> {
    all.iter()
        .filter_map(|one| if let Agent::Honest(machine) = one { Some((**machine).clone()) } else { None })
        .collect()
}

#[test]
fn a_leader_that_proposes_two_things_decides_neither_and_is_convicted() {
    // Of seven, five are a quorum; three honest agents are told of each plan.
    let rules = CertifiedRules::byzantine(7);
    let mut all = with_liars(rules, &[0]);
    let mut network = Network::new(&NetworkSettings::default(), 7, 1).unwrap();
    Exchange::over_a_step(5, &network).run(&mut all, &mut network, |_, _| true);
    assert!(decisions(&truth(&all)).is_empty());
    Exchange { rounds: 14, round_us: 1000 }.run(&mut all, &mut network, |_, _| true);
    assert_eq!(decisions(&truth(&all)).len(), 1, "an honest leader comes");
    // One who is shown both proposals knows who the liar is.
    let mut judge = honest(rules).remove(3);
    let mut out = Outbox::default();
    judge.on_message(AgentId(0), liar::proposal(AgentId(0), 0, Plan(1), None), &mut out);
    judge.on_message(AgentId(2), liar::proposal(AgentId(0), 0, Plan(2), None), &mut out);
    let evidence: Vec<_> = judge.evidence().iter().map(|evidence| (evidence.code, evidence.about)).collect();
    assert_eq!(evidence, [("COORD_LEADER_EQUIVOCATION", AgentId(0))]);
}

#[test]
fn no_two_honest_workers_decide_differently_whatever_the_network_and_the_liars_do() {
    let (mut decided, mut undecided) = (0, 0);
    for seed in 0..300_u64 {
        let agents = [4, 7, 5, 10][(seed % 4) as usize];
        let rules = CertifiedRules { rounds_per_term: 3 + (seed % 5) as u32, ..CertifiedRules::byzantine(agents) };
        let liars: Vec<u32> = (0..(agents - 1) / 3).map(|n| (n * 2 + (seed / 4) as u32) % agents).collect();
        let mut all = with_liars(rules, &liars);
        let settings = NetworkSettings { step_ms: 1000, ..rough(0.1) };
        let mut network = Network::new(&settings, agents, seed).unwrap();
        Exchange { rounds: 20 + (seed % 20) as u32, round_us: 50_000 }.run(&mut all, &mut network, |_, _| true);
        let values = decisions(&truth(&all));
        assert!(values.len() <= 1, "seed {seed}: {values:?}");
        if values.is_empty() { undecided += 1 } else { decided += 1 }
    }
    assert!(decided > 50 && undecided > 10, "{decided} {undecided}: both must be tried");
}

#[test]
fn a_quorum_of_a_mere_majority_is_found_out_by_an_equivocating_leader() {
    let caught = (0..100).any(|seed| {
        let rules = CertifiedRules { quorum: Quorum::majority(5), rounds_per_term: 6 };
        // Two of five lie: more than a third, and a majority of votes for each of two things.
        let mut all = with_liars(rules, &[0, 2]);
        let mut network = Network::new(&rough(0.1), 5, seed).unwrap();
        Exchange { rounds: 30, round_us: 50_000 }.run(&mut all, &mut network, |_, _| true);
        decisions(&truth(&all)).len() > 1
    });
    assert!(caught);
}

#[test]
fn every_message_is_as_long_as_it_says() {
    use crate::identity::Signature;
    use crate::protocols::certified::{Certificate, Vote};
    use labtrust_trust::canonical::canonical_len;
    let key = Arc::new(KeyHandle::derive(42, "worker_0").unwrap());
    let signature = || Signature::by(key.clone(), b"vote");
    let vote = |voter| Vote { voter: AgentId(voter), signature: signature() };
    let digest = std::array::from_fn(|place| 8 * place as u8);
    let proof = |phase, votes| Certificate { phase, slot: 1234, term: 0, digest, votes };
    let (slot, term, value) = (u64::MAX, 10, Plan(207));
    let (none, some) = (proof(Phase::Propose, vec![]), proof(Phase::Prepare, vec![vote(0), vote(10), vote(199)]));
    let mut messages: Vec<CertifiedMessage<Plan, Signature>> = vec![
        CertifiedMessage::View { slot, term, locked: None },
        CertifiedMessage::Propose { slot, term, value, justify: None, signature: signature() },
        CertifiedMessage::Decide { value, certificate: proof(Phase::Commit, vec![vote(7)]) },
    ];
    for proof in [none, some] {
        let (phase, justify) = (proof.phase, Some(proof.clone()));
        messages.push(CertifiedMessage::View { slot, term, locked: Some((value, proof.clone())) });
        messages.push(CertifiedMessage::Propose { slot: 0, term, value, justify, signature: signature() });
        messages.push(CertifiedMessage::Voted { slot, term: 0, phase, digest, vote: vote(99) });
        messages.push(CertifiedMessage::Prepared { value, certificate: proof });
    }
    for message in messages {
        assert_eq!(message.canonical_len(), canonical_len(&message).ok(), "{message:?}");
    }
}

//! One decree for each slot among agents some of whom lie: what is believed is certified by a quorum of signatures.
//!
//! For the signed mode of [`super::paxos`]. A leader proposes under its signature; each agent gives at most one signed vote
//! in a term; a quorum of votes is a certificate that the value is *prepared*. Whoever sees one locks on the value
//! and votes to *commit*; a quorum of those votes is the decision. No two values can both be prepared in one term, since two quorums share an
//! honest agent, so a leader that says different things to different agents decides nothing. A locked agent
//! votes for another value only when shown a certificate that is later than its lock.
//!
//! Safe with fewer than a third of liars, whatever the network does; it goes on when a term has an honest leader that is heard.
//! These are the two phases of HotStuff with the lock moved to the first one.
//!
//! Source: M. Yin, D. Malkhi, M. Reiter, G. Golan Gueta and I. Abraham, "HotStuff: BFT consensus with linearity and
//! responsiveness", PODC 2019; the lock on the first certificate as in E. Buchman, J. Kwon and Z. Milosevic, "The latest gossip on
//! BFT consensus", 2018; M. Castro and B. Liskov, "Practical Byzantine fault tolerance", OSDI 1999.

mod certificate;

pub use certificate::{Authority, Certificate, Decree, Keys, Phase, Vote};

use super::paxos::Outcome;
use super::{Doubts, Machine, Outbox, Quorum};
use crate::agent::AgentId;
use crate::codes;
use crate::lengths::{digits, list, map, variant};
use crate::network::Wire;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rounds of a term where nothing else is said [count]: one for each of view, proposal, vote, certificate, vote, decision.
pub const DEFAULT_ROUNDS_PER_TERM: u32 = 6;

/// What the agents say; every message is about one slot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CertifiedMessage<V, S> {
    /// To the leader of `term`: this is what I am locked on.
    View {
        /// The slot.
        slot: u64,
        /// The term that begins.
        term: u32,
        /// The value and its certificate.
        locked: Option<(V, Certificate<S>)>,
    },
    /// The leader's proposal.
    Propose {
        /// The slot.
        slot: u64,
        /// The leader's term.
        term: u32,
        /// The value.
        value: V,
        /// That it was prepared in an earlier term, for those who are locked on another.
        justify: Option<Certificate<S>>,
        /// The leader's, over slot, term and value.
        signature: S,
    },
    /// A vote, to the leader.
    Voted {
        /// The slot.
        slot: u64,
        /// The term.
        term: u32,
        /// For preparing or committing.
        phase: Phase,
        /// Of what.
        digest: [u8; 32],
        /// The vote.
        vote: Vote<S>,
    },
    /// The value is prepared.
    Prepared {
        /// The value.
        value: V,
        /// A quorum of votes to prepare it.
        certificate: Certificate<S>,
    },
    /// The value is decided.
    Decide {
        /// The value.
        value: V,
        /// A quorum of votes to commit it.
        certificate: Certificate<S>,
    },
}

impl<V: Wire, S: Wire> Wire for CertifiedMessage<V, S> {
    /// 13 for kind, slot and term, 32 for a digest, 4 and the signature for a vote, and the value [B].
    fn wire_bytes(&self) -> u32 {
        13 + match self {
            Self::View { locked, .. } => {
                1 + locked.as_ref().map_or(0, |(value, proof)| value.wire_bytes() + proof.wire_bytes())
            }
            Self::Propose { value, justify, signature, .. } => {
                1 + value.wire_bytes() + justify.as_ref().map_or(0, Wire::wire_bytes) + signature.wire_bytes()
            }
            Self::Voted { vote, .. } => 33 + vote.wire_bytes(),
            Self::Prepared { value, certificate } | Self::Decide { value, certificate } => {
                value.wire_bytes() + certificate.wire_bytes()
            }
        }
    }

    fn canonical_len(&self) -> Option<usize> {
        let where_ = |slot: u64, term: u32| [("slot", digits(slot)), ("term", digits(term))];
        let (name, fields) = match self {
            Self::View { slot, term, locked } => {
                let locked = match locked {
                    None => "null".len(),
                    Some((value, proof)) => list([value.canonical_len()?, proof.canonical_len()?].into_iter()),
                };
                let [slot, term] = where_(*slot, *term);
                ("View", map([slot, term, ("locked", locked)]))
            }
            Self::Propose { slot, term, value, justify, signature } => {
                let justify = match justify {
                    None => "null".len(),
                    Some(proof) => proof.canonical_len()?,
                };
                let [slot, term] = where_(*slot, *term);
                let (value, signature) = (("value", value.canonical_len()?), ("signature", signature.canonical_len()?));
                ("Propose", map([slot, term, value, ("justify", justify), signature]))
            }
            Self::Voted { slot, term, phase, digest, vote } => {
                let [slot, term] = where_(*slot, *term);
                let what = [("phase", phase.canonical_len()), ("digest", certificate::digest_len(digest))];
                ("Voted", map([slot, term, what[0], what[1], ("vote", vote.canonical_len()?)]))
            }
            Self::Prepared { value, certificate } => ("Prepared", proven(value, certificate)?),
            Self::Decide { value, certificate } => ("Decide", proven(value, certificate)?),
        };
        Some(variant(name, fields))
    }
}

/// The length of a value with its certificate [B].
fn proven<V: Wire, S: Wire>(value: &V, certificate: &Certificate<S>) -> Option<usize> {
    Some(map([("value", value.canonical_len()?), ("certificate", certificate.canonical_len()?)]))
}

/// A message that was not believed, or a leader that was caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// The reason code: a forged signature, a certificate without a quorum, or two proposals in one term.
    pub code: &'static str,
    /// Whom it is about: the leader that signed two proposals, else whoever the message came from.
    pub about: AgentId,
    /// The slot.
    pub slot: u64,
}

/// Most pieces of evidence an agent keeps for a slot [count]; a flood must not fill its memory.
const MOST_EVIDENCE: usize = 64;

/// Agents, quorum and length of a term, the same for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CertifiedRules {
    /// How many votes make a certificate.
    pub quorum: Quorum,
    /// Rounds until the next leader takes over [count], at least 1.
    pub rounds_per_term: u32,
}

impl CertifiedRules {
    /// The quorum that stands fewer than a third of liars among `agents`, and terms of [`DEFAULT_ROUNDS_PER_TERM`] rounds.
    #[must_use]
    pub const fn byzantine(agents: u32) -> Self {
        Self { quorum: Quorum::byzantine(agents), rounds_per_term: DEFAULT_ROUNDS_PER_TERM }
    }

    /// Who leads `term` of `slot`.
    #[must_use]
    pub fn leader(&self, slot: u64, term: u32) -> AgentId {
        super::leader(self.quorum.agents(), slot, term)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Leading<V, S> {
    No,
    /// Waiting for views of a term; the latest lock among them.
    Listening {
        term: u32,
        views: crate::AgentSet,
        locked: Option<(V, Certificate<S>)>,
    },
    /// Waiting for votes to prepare.
    Proposing {
        term: u32,
        value: V,
        justify: Option<Certificate<S>>,
        signature: S,
        votes: BTreeMap<AgentId, S>,
    },
    /// Waiting for votes to commit.
    Committing {
        term: u32,
        value: V,
        proof: Certificate<S>,
        votes: BTreeMap<AgentId, S>,
    },
}

/// One agent. It votes in every slot and leads some terms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Certified<V, A: Authority> {
    rules: CertifiedRules,
    me: AgentId,
    authority: A,
    slot: u64,
    own: V,
    /// The highest term it has voted in.
    view: u32,
    /// The proposal it has voted to prepare, by term: the term and the digest.
    voted: Option<(u32, [u8; 32])>,
    /// The signed proposal of a term that was seen first: another one of the same term convicts its leader.
    seen: Option<(u32, [u8; 32])>,
    locked: Option<(V, Certificate<A::Signature>)>,
    leading: Leading<V, A::Signature>,
    decided: Option<(V, Certificate<A::Signature>)>,
    last: Option<(u64, V)>,
    evidence: Vec<Evidence>,
    doubts: Aside,
}

/// What was not believed so far: told to who watches, and no part of what an agent is. Two agents that differ in it alone are one.
#[derive(Clone, Copy, Debug, Default)]
struct Aside(Doubts);

impl PartialEq for Aside {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Aside {}

impl std::hash::Hash for Aside {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl<V: Decree, A: Authority> Certified<V, A> {
    /// Agent `me` at slot 0, with its keys and the value that it proposes where it leads.
    #[must_use]
    pub fn new(rules: CertifiedRules, me: AgentId, authority: A, own: V) -> Self {
        Self {
            rules,
            me,
            authority,
            slot: 0,
            own,
            view: 0,
            voted: None,
            seen: None,
            locked: None,
            leading: Leading::No,
            decided: None,
            last: None,
            evidence: Vec::new(),
            doubts: Aside::default(),
        }
    }

    /// Goes on to a later slot. An earlier one, or the same again, is left alone.
    pub fn begin_slot(&mut self, slot: u64, own: V) {
        if slot <= self.slot {
            return;
        }
        if let Some((value, _)) = self.decided.take() {
            self.last = Some((self.slot, value));
        }
        (self.slot, self.own, self.view) = (slot, own, 0);
        (self.voted, self.seen, self.locked, self.leading) = (None, None, None, Leading::No);
        self.evidence.clear();
    }

    /// The decree of this slot, if this agent knows it.
    #[must_use]
    pub fn decided(&self) -> Option<&V> {
        self.decided.as_ref().map(|(value, _)| value)
    }

    /// The decree of this slot, or the last one before it.
    #[must_use]
    pub fn outcome(&self) -> Outcome<'_, V> {
        match (&self.decided, &self.last) {
            (Some((value, _)), _) => Outcome::Decided(value),
            (None, Some((slot, value))) => Outcome::Fallback(*slot, value),
            (None, None) => Outcome::Nothing,
        }
    }

    /// What was not believed in this slot: evidence for the log.
    #[must_use]
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// Hands the evidence over and forgets it.
    pub fn take_evidence(&mut self) -> Vec<Evidence> {
        std::mem::take(&mut self.evidence)
    }

    fn accuse(&mut self, code: &'static str, about: AgentId) {
        let evidence = Evidence { code, about, slot: self.slot };
        self.doubts.0.add(code, about);
        if self.evidence.len() < MOST_EVIDENCE && !self.evidence.contains(&evidence) {
            self.evidence.push(evidence);
        }
    }

    /// Whether a certificate of this slot is what it says; if not, whoever sent it is accused.
    fn believes(&mut self, proof: &Certificate<A::Signature>, phase: Phase, value: &V, from: AgentId) -> bool {
        let good = proof.phase == phase
            && proof.slot == self.slot
            && proof.digest == value.digest()
            && proof.verify(self.rules.quorum, &self.authority);
        if !good {
            self.accuse(codes::COORD_CERTIFICATE_INVALID, from);
        }
        good
    }

    fn vote(&self, phase: Phase, term: u32, digest: [u8; 32]) -> Vote<A::Signature> {
        let bytes = certificate::vote_bytes(phase, self.slot, term, &digest);
        Vote { voter: self.me, signature: self.authority.sign(&bytes) }
    }

    fn propose(&mut self, term: u32, locked: Option<(V, Certificate<A::Signature>)>, out: &mut Mail<V, A>) {
        let (value, justify) = locked.map_or_else(|| (self.own.clone(), None), |(value, proof)| (value, Some(proof)));
        let bytes = certificate::vote_bytes(Phase::Propose, self.slot, term, &value.digest());
        let signature = self.authority.sign(&bytes);
        self.leading = Leading::Proposing { term, value, justify, signature, votes: BTreeMap::new() };
        self.say_again(term, out);
        // The leader votes for its own proposal by the rules of everybody.
        if let Leading::Proposing { value, justify, signature, .. } = self.leading.clone() {
            self.hear_proposal(self.me, term, value, justify, signature, out);
        }
    }

    /// What the leader of `term` has to say at present.
    fn say_again(&self, term: u32, out: &mut Mail<V, A>) {
        match &self.leading {
            Leading::Proposing { term: mine, value, justify, signature, .. } if *mine == term => {
                out.broadcast(CertifiedMessage::Propose {
                    slot: self.slot,
                    term,
                    value: value.clone(),
                    justify: justify.clone(),
                    signature: signature.clone(),
                });
            }
            Leading::Committing { term: mine, value, proof, .. } if *mine == term => {
                out.broadcast(CertifiedMessage::Prepared { value: value.clone(), certificate: proof.clone() });
            }
            _ => {}
        }
    }

    fn hear_view(
        &mut self,
        from: AgentId,
        term: u32,
        theirs: Option<(V, Certificate<A::Signature>)>,
        out: &mut Mail<V, A>,
    ) {
        if self.rules.leader(self.slot, term) != self.me || term == 0 || self.decided.is_some() {
            return;
        }
        let theirs = theirs.filter(|(value, proof)| self.believes(proof, Phase::Prepare, value, from));
        let past = |mine: u32| mine < term;
        match &self.leading {
            Leading::Listening { term: mine, .. } if !past(*mine) && *mine != term => return,
            Leading::Proposing { term: mine, .. } | Leading::Committing { term: mine, .. } if !past(*mine) => return,
            Leading::Listening { term: mine, .. } if *mine == term => {}
            _ => {
                let locked = self.locked.clone();
                self.leading = Leading::Listening { term, views: crate::AgentSet::from_iter([self.me]), locked };
            }
        }
        let Leading::Listening { views, locked, .. } = &mut self.leading else { return };
        views.insert(from);
        let later = |(_, proof): &(V, Certificate<A::Signature>)| {
            locked.as_ref().is_none_or(|(_, known)| known.term < proof.term)
        };
        if let Some(theirs) = theirs.filter(later) {
            *locked = Some(theirs);
        }
        if self.rules.quorum.reached(views.len()) {
            let locked = locked.clone();
            self.propose(term, locked, out);
        }
    }

    fn hear_proposal(
        &mut self,
        from: AgentId,
        term: u32,
        value: V,
        justify: Option<Certificate<A::Signature>>,
        signature: A::Signature,
        out: &mut Mail<V, A>,
    ) {
        let (leader, digest) = (self.rules.leader(self.slot, term), value.digest());
        let bytes = certificate::vote_bytes(Phase::Propose, self.slot, term, &digest);
        if !self.authority.verify(leader, &bytes, &signature) {
            return self.accuse(codes::COORD_SIGNATURE_INVALID, from);
        }
        match self.seen {
            Some((seen, other)) if seen == term && other != digest => {
                return self.accuse(codes::COORD_LEADER_EQUIVOCATION, leader);
            }
            Some((seen, _)) if seen > term => {}
            _ => self.seen = Some((term, digest)),
        }
        let justified = match &justify {
            None => None,
            Some(proof) if proof.term < term && self.believes(proof, Phase::Prepare, &value, from) => Some(proof.term),
            Some(_) => return,
        };
        let safe = match &self.locked {
            None => true,
            Some((_, lock)) => lock.digest == digest || justified.is_some_and(|term| term > lock.term),
        };
        let voted_otherwise = self.voted.is_some_and(|(at, other)| at == term && other != digest);
        if term < self.view || !safe || voted_otherwise {
            return;
        }
        (self.view, self.voted) = (term, Some((term, digest)));
        let vote = self.vote(Phase::Prepare, term, digest);
        self.cast(leader, term, Phase::Prepare, digest, vote, out);
    }

    fn hear_prepared(&mut self, from: AgentId, value: V, proof: Certificate<A::Signature>, out: &mut Mail<V, A>) {
        let (term, digest) = (proof.term, proof.digest);
        if term < self.view || !self.believes(&proof, Phase::Prepare, &value, from) {
            return;
        }
        self.view = term;
        if self.locked.as_ref().is_none_or(|(_, lock)| lock.term < term) {
            self.locked = Some((value, proof));
        }
        let vote = self.vote(Phase::Commit, term, digest);
        self.cast(self.rules.leader(self.slot, term), term, Phase::Commit, digest, vote, out);
    }

    /// Gives a vote to the leader, who may be this agent.
    fn cast(
        &mut self,
        leader: AgentId,
        term: u32,
        phase: Phase,
        digest: [u8; 32],
        vote: Vote<A::Signature>,
        out: &mut Mail<V, A>,
    ) {
        if leader == self.me {
            self.hear_vote(self.me, term, phase, digest, vote, out);
        } else {
            out.send(leader, CertifiedMessage::Voted { slot: self.slot, term, phase, digest, vote });
        }
    }

    fn hear_vote(
        &mut self,
        from: AgentId,
        term: u32,
        phase: Phase,
        digest: [u8; 32],
        vote: Vote<A::Signature>,
        out: &mut Mail<V, A>,
    ) {
        let (mine, value) = match (&self.leading, phase) {
            (Leading::Proposing { term, value, .. }, Phase::Prepare)
            | (Leading::Committing { term, value, .. }, Phase::Commit) => (*term, value),
            _ => return,
        };
        if mine != term || value.digest() != digest || self.decided.is_some() {
            return;
        }
        let bytes = certificate::vote_bytes(phase, self.slot, term, &digest);
        if !self.authority.verify(vote.voter, &bytes, &vote.signature) {
            return self.accuse(codes::COORD_SIGNATURE_INVALID, from);
        }
        let (Leading::Proposing { votes, value, .. } | Leading::Committing { votes, value, .. }) = &mut self.leading
        else {
            return;
        };
        votes.insert(vote.voter, vote.signature);
        if !self.rules.quorum.reached(votes.len()) {
            return;
        }
        let signatures = std::mem::take(votes);
        let votes = signatures.into_iter().map(|(voter, signature)| Vote { voter, signature }).collect();
        let proof = Certificate { phase, slot: self.slot, term, digest, votes };
        let value = value.clone();
        if phase == Phase::Commit {
            self.leading = Leading::No;
            out.broadcast(CertifiedMessage::Decide { value: value.clone(), certificate: proof.clone() });
            self.decided = Some((value, proof));
        } else {
            self.leading =
                Leading::Committing { term, value: value.clone(), proof: proof.clone(), votes: BTreeMap::new() };
            self.say_again(term, out);
            self.hear_prepared(self.me, value, proof, out);
        }
    }
}

type Mail<V, A> = Outbox<CertifiedMessage<V, <A as Authority>::Signature>>;

impl<V: Decree, A: Authority> Machine for Certified<V, A> {
    type Message = CertifiedMessage<V, A::Signature>;

    fn on_round(&mut self, round: u32, out: &mut Mail<V, A>) {
        let length = self.rules.rounds_per_term.max(1);
        let (term, first_round) = (round / length, round.is_multiple_of(length));
        let leader = self.rules.leader(self.slot, term);
        if leader != self.me {
            // Until something of this term is heard, the view may have been lost.
            if self.decided.is_none() && term > 0 && (first_round || self.view < term) {
                out.send(leader, CertifiedMessage::View { slot: self.slot, term, locked: self.locked.clone() });
            }
            return;
        }
        if let Some((value, certificate)) = &self.decided {
            out.broadcast(CertifiedMessage::Decide { value: value.clone(), certificate: certificate.clone() });
        } else if term == 0 && first_round && self.leading == Leading::No && self.voted.is_none() {
            self.propose(0, None, out);
        } else if term > 0 && first_round {
            // Hears itself first, and may be all there is.
            self.hear_view(self.me, term, None, out);
        } else {
            self.say_again(term, out);
        }
    }

    fn on_message(&mut self, from: AgentId, message: Self::Message, out: &mut Mail<V, A>) {
        match message {
            CertifiedMessage::Decide { value, certificate } if certificate.slot != self.slot => {
                let newer = self.last.as_ref().is_none_or(|(known, _)| *known < certificate.slot);
                let good = certificate.slot < self.slot
                    && newer
                    && certificate.phase == Phase::Commit
                    && certificate.digest == value.digest()
                    && certificate.verify(self.rules.quorum, &self.authority);
                if good {
                    self.last = Some((certificate.slot, value));
                }
            }
            CertifiedMessage::Decide { value, certificate } => {
                if self.decided.is_none() && self.believes(&certificate, Phase::Commit, &value, from) {
                    self.decided = Some((value, certificate));
                    self.leading = Leading::No;
                }
            }
            CertifiedMessage::View { slot, .. }
            | CertifiedMessage::Propose { slot, .. }
            | CertifiedMessage::Voted { slot, .. }
                if slot != self.slot => {}
            CertifiedMessage::Prepared { certificate, .. } if certificate.slot != self.slot => {}
            CertifiedMessage::View { .. } | CertifiedMessage::Propose { .. } | CertifiedMessage::Prepared { .. }
                if self.decided.is_some() =>
            {
                if let Some((value, certificate)) = self.decided.clone() {
                    out.send(from, CertifiedMessage::Decide { value, certificate });
                }
            }
            CertifiedMessage::View { term, locked, .. } => self.hear_view(from, term, locked, out),
            CertifiedMessage::Propose { term, value, justify, signature, .. } => {
                self.hear_proposal(from, term, value, justify, signature, out);
            }
            CertifiedMessage::Voted { term, phase, digest, vote, .. } => {
                self.hear_vote(from, term, phase, digest, vote, out);
            }
            CertifiedMessage::Prepared { value, certificate } => self.hear_prepared(from, value, certificate, out),
        }
    }

    fn doubts(&self) -> Doubts {
        self.doubts.0
    }
}

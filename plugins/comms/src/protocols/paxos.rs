//! Single-decree Paxos, one decree for each slot: all who decide, decide the same.
//!
//! Rounds are grouped into terms. The leader of a term is `(slot + term) mod n`. In term 0, below which there is nothing to
//! respect, it asks for acceptance of its own value at once; a later leader first asks what was accepted before. A leader that is not
//! answered says the same again in the next round of its term, and the next leader takes over after that. Who has not decided
//! when the rounds are over has the last decree it knows of to fall back on.
//!
//! Promises and acceptances last as long as the slot, so an agent that crashed may come back only with its memory.
//!
//! Source: L. Lamport, "The part-time parliament", ACM TOCS 16(2), 1998, and "Paxos made simple", 2001.

use super::{Machine, Outbox, Quorum};
use crate::agent::{AgentId, AgentSet};
use crate::network::Wire;
use serde::{Deserialize, Serialize};

/// Rounds of a term where nothing else is said [count]: ask, be answered and tell each fit into a round of their own.
pub const DEFAULT_ROUNDS_PER_TERM: u32 = 3;

/// What the agents say; every message is about one slot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PaxosMessage<V> {
    /// The leader of `term` asks for promises (1a).
    Prepare {
        /// The slot.
        slot: u64,
        /// The leader's term.
        term: u32,
    },
    /// Nothing below `term` will be accepted any more, and this was accepted before (1b).
    Promise {
        /// The slot.
        slot: u64,
        /// The term that was asked for.
        term: u32,
        /// What was accepted, and in which term.
        accepted: Option<(u32, V)>,
    },
    /// The leader of `term` asks to accept a value (2a).
    Accept {
        /// The slot.
        slot: u64,
        /// The leader's term.
        term: u32,
        /// The value.
        value: V,
    },
    /// The leader's value is accepted (2b).
    Accepted {
        /// The slot.
        slot: u64,
        /// The term it was accepted in.
        term: u32,
    },
    /// This is decided.
    Decide {
        /// The slot.
        slot: u64,
        /// The decree.
        value: V,
    },
}

impl<V> PaxosMessage<V> {
    const fn slot(&self) -> u64 {
        match self {
            Self::Prepare { slot, .. }
            | Self::Promise { slot, .. }
            | Self::Accept { slot, .. }
            | Self::Accepted { slot, .. }
            | Self::Decide { slot, .. } => *slot,
        }
    }
}

impl<V: Wire> Wire for PaxosMessage<V> {
    /// 13 for kind, slot and term, and the value where there is one [B].
    fn wire_bytes(&self) -> u32 {
        let value = match self {
            Self::Prepare { .. } | Self::Accepted { .. } => 0,
            Self::Promise { accepted, .. } => accepted.as_ref().map_or(1, |(_, value)| value.wire_bytes() + 5),
            Self::Accept { value, .. } | Self::Decide { value, .. } => value.wire_bytes(),
        };
        value + 13
    }
}

/// What an agent has of a slot when its rounds are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a, V> {
    /// The decree of this slot.
    Decided(&'a V),
    /// No decree of this slot, but this one of an earlier slot.
    Fallback(u64, &'a V),
    /// Nothing was ever decided.
    Nothing,
}

/// Agents, quorum and length of a term, the same for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PaxosRules {
    /// How many agree.
    pub quorum: Quorum,
    /// Rounds until the next leader takes over [count], at least 1.
    pub rounds_per_term: u32,
}

impl PaxosRules {
    /// A majority of `agents`, and terms of [`DEFAULT_ROUNDS_PER_TERM`] rounds.
    #[must_use]
    pub const fn majority(agents: u32) -> Self {
        Self { quorum: Quorum::majority(agents), rounds_per_term: DEFAULT_ROUNDS_PER_TERM }
    }

    /// Who leads `term` of `slot`.
    #[must_use]
    pub fn leader(&self, slot: u64, term: u32) -> AgentId {
        super::leader(self.quorum.agents(), slot, term)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Leading<V> {
    /// Not at all.
    No,
    /// Waiting for promises in a term; what the promises so far say was accepted last.
    Asking { term: u32, promised: AgentSet, accepted: Option<(u32, V)> },
    /// Waiting for acceptances of a value in a term.
    Proposing { term: u32, value: V, accepted: AgentSet },
}

/// One agent. It is acceptor and learner of every slot and leader of some terms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Paxos<V> {
    rules: PaxosRules,
    me: AgentId,
    slot: u64,
    /// What it proposes where it leads and nothing was accepted before.
    own: V,
    /// The highest term it has promised or accepted in.
    promised: u32,
    accepted: Option<(u32, V)>,
    leading: Leading<V>,
    decided: Option<V>,
    /// The decree with the highest slot before this one.
    last: Option<(u64, V)>,
}

impl<V: Clone + Eq> Paxos<V> {
    /// Agent `me` at slot 0, with the value that it proposes where it leads.
    #[must_use]
    pub fn new(rules: PaxosRules, me: AgentId, own: V) -> Self {
        Self { rules, me, slot: 0, own, promised: 0, accepted: None, leading: Leading::No, decided: None, last: None }
    }

    /// Goes on to a later slot. An earlier one, or the same again, is left alone: what was promised in it holds.
    pub fn begin_slot(&mut self, slot: u64, own: V) {
        if slot <= self.slot {
            return;
        }
        if let Some(value) = self.decided.take() {
            self.last = Some((self.slot, value));
        }
        (self.slot, self.own) = (slot, own);
        (self.promised, self.accepted, self.leading) = (0, None, Leading::No);
    }

    /// The decree of this slot, if this agent knows it.
    #[must_use]
    pub const fn decided(&self) -> Option<&V> {
        self.decided.as_ref()
    }

    /// The decree of this slot, or the last one before it.
    #[must_use]
    pub fn outcome(&self) -> Outcome<'_, V> {
        match (&self.decided, &self.last) {
            (Some(value), _) => Outcome::Decided(value),
            (None, Some((slot, value))) => Outcome::Fallback(*slot, value),
            (None, None) => Outcome::Nothing,
        }
    }

    fn propose(&mut self, term: u32, value: V, out: &mut Outbox<PaxosMessage<V>>) {
        // The leader is an acceptor, too, and does not need the network for it.
        let mut accepted = AgentSet::default();
        if term >= self.promised {
            self.promised = term;
            self.accepted = Some((term, value.clone()));
            accepted.insert(self.me);
        }
        out.broadcast(PaxosMessage::Accept { slot: self.slot, term, value: value.clone() });
        self.leading = Leading::Proposing { term, value, accepted };
        self.count_acceptances(out);
    }

    fn ask(&mut self, term: u32, out: &mut Outbox<PaxosMessage<V>>) {
        if term < self.promised {
            // Somebody with a later term has been here; this leader's time is over.
            self.leading = Leading::No;
            return;
        }
        self.promised = term;
        let promised = AgentSet::from_iter([self.me]);
        self.leading = Leading::Asking { term, promised, accepted: self.accepted.clone() };
        out.broadcast(PaxosMessage::Prepare { slot: self.slot, term });
        self.count_promises(out);
    }

    fn count_promises(&mut self, out: &mut Outbox<PaxosMessage<V>>) {
        let Leading::Asking { term, promised, accepted } = &self.leading else { return };
        if self.rules.quorum.reached(promised.len()) {
            // The value of the latest term is the only one that may have been decided already.
            let value = accepted.as_ref().map_or(&self.own, |(_, value)| value).clone();
            self.propose(*term, value, out);
        }
    }

    fn count_acceptances(&mut self, out: &mut Outbox<PaxosMessage<V>>) {
        let Leading::Proposing { value, accepted, .. } = &self.leading else { return };
        if self.rules.quorum.reached(accepted.len()) {
            let value = value.clone();
            out.broadcast(PaxosMessage::Decide { slot: self.slot, value: value.clone() });
            self.decided = Some(value);
            self.leading = Leading::No;
        }
    }

    fn speak_as_leader(&mut self, term: u32, first_round: bool, out: &mut Outbox<PaxosMessage<V>>) {
        let slot = self.slot;
        match &self.leading {
            Leading::Asking { term: mine, .. } if *mine == term => out.broadcast(PaxosMessage::Prepare { slot, term }),
            Leading::Proposing { term: mine, value, .. } if *mine == term => {
                out.broadcast(PaxosMessage::Accept { slot, term, value: value.clone() });
            }
            _ if !first_round => {}
            // There is no term below 0 in which something could have been accepted. An agent that joins later, or again,
            // has promised or accepted nothing in it either: it proposes once.
            _ if term == 0 && self.accepted.is_none() => self.propose(0, self.own.clone(), out),
            _ if term > 0 => self.ask(term, out),
            _ => {}
        }
    }
}

impl<V: Clone + Eq + Wire> Machine for Paxos<V> {
    type Message = PaxosMessage<V>;

    fn on_round(&mut self, round: u32, out: &mut Outbox<PaxosMessage<V>>) {
        let length = self.rules.rounds_per_term.max(1);
        let (term, first_round) = (round / length, round.is_multiple_of(length));
        if self.rules.leader(self.slot, term) != self.me {
            return;
        }
        match &self.decided {
            // Those who missed it get it from every later leader that knows it.
            Some(value) => out.broadcast(PaxosMessage::Decide { slot: self.slot, value: value.clone() }),
            None => self.speak_as_leader(term, first_round, out),
        }
    }

    fn on_message(&mut self, from: AgentId, message: PaxosMessage<V>, out: &mut Outbox<PaxosMessage<V>>) {
        let slot = message.slot();
        if slot != self.slot {
            // A decree that comes too late is still worth falling back on.
            if let PaxosMessage::Decide { slot, value } = message
                && slot < self.slot
                && self.last.as_ref().is_none_or(|(known, _)| *known < slot)
            {
                self.last = Some((slot, value));
            }
            return;
        }
        match message {
            PaxosMessage::Prepare { .. } | PaxosMessage::Accept { .. } if self.decided.is_some() => {
                if let Some(value) = self.decided.clone() {
                    out.send(from, PaxosMessage::Decide { slot, value });
                }
            }
            PaxosMessage::Prepare { term, .. } if term >= self.promised => {
                self.promised = term;
                out.send(from, PaxosMessage::Promise { slot, term, accepted: self.accepted.clone() });
            }
            PaxosMessage::Accept { term, value, .. } if term >= self.promised => {
                self.promised = term;
                self.accepted = Some((term, value));
                out.send(from, PaxosMessage::Accepted { slot, term });
            }
            PaxosMessage::Prepare { .. } | PaxosMessage::Accept { .. } => {}
            PaxosMessage::Promise { term, accepted: theirs, .. } => {
                if let Leading::Asking { term: mine, promised, accepted } = &mut self.leading
                    && *mine == term
                    && self.decided.is_none()
                {
                    promised.insert(from);
                    let later = |theirs: &(u32, V)| accepted.as_ref().is_none_or(|(known, _)| *known < theirs.0);
                    if let Some(theirs) = theirs.filter(later) {
                        *accepted = Some(theirs);
                    }
                    self.count_promises(out);
                }
            }
            PaxosMessage::Accepted { term, .. } => {
                if let Leading::Proposing { term: mine, accepted, .. } = &mut self.leading
                    && *mine == term
                    && self.decided.is_none()
                {
                    accepted.insert(from);
                    self.count_acceptances(out);
                }
            }
            PaxosMessage::Decide { value, .. } => {
                self.decided.get_or_insert(value);
            }
        }
    }
}

//! Votes, and enough of them.

use crate::agent::AgentId;
use crate::identity::{KeyHandle, Roster, Signature};
use crate::lengths::{digits, list, map};
use crate::network::Wire;
use crate::protocols::Quorum;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Begins what is signed; a changed layout changes it.
const DOMAIN: &[u8] = b"labtrust.vote.v1\0";

/// What a signature stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Phase {
    /// A leader proposes.
    Propose = 0,
    /// A vote that the value be prepared.
    Prepare = 1,
    /// A vote that the prepared value be decided.
    Commit = 2,
}

impl Phase {
    /// The length of its canonical JSON [B].
    pub(super) const fn canonical_len(self) -> usize {
        match self {
            Self::Propose => "\"Propose\"".len(),
            Self::Prepare => "\"Prepare\"".len(),
            Self::Commit => "\"Commit\"".len(),
        }
    }
}

/// The length of the canonical JSON of a digest, a list of its bytes [B].
pub(super) fn digest_len(digest: &[u8; 32]) -> usize {
    list(digest.iter().map(|byte| digits(*byte)))
}

/// A value that can be agreed on.
pub trait Decree: Clone + Eq + Wire {
    /// What votes are for: a hash of the whole value that nobody can find two values for.
    fn digest(&self) -> [u8; 32];
}

/// The keys of one agent, and everybody's public ones.
pub trait Authority {
    /// A signature.
    type Signature: Clone + Eq + Wire;
    /// This agent's signature over `bytes`.
    fn sign(&self, bytes: &[u8]) -> Self::Signature;
    /// Whether `signature` is `agent`'s over `bytes`.
    fn verify(&self, agent: AgentId, bytes: &[u8], signature: &Self::Signature) -> bool;
}

/// One agent's word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Vote<S> {
    /// Whose.
    pub voter: AgentId,
    /// Its signature.
    pub signature: S,
}

impl<S: Wire> Wire for Vote<S> {
    fn wire_bytes(&self) -> u32 {
        4 + self.signature.wire_bytes()
    }

    fn canonical_len(&self) -> Option<usize> {
        Some(map([("voter", digits(self.voter.0)), ("signature", self.signature.canonical_len()?)]))
    }
}

/// That enough agents have voted for one thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Certificate<S> {
    /// What they voted for: to prepare or to commit.
    pub phase: Phase,
    /// In which slot.
    pub slot: u64,
    /// In which term.
    pub term: u32,
    /// Which value.
    pub digest: [u8; 32],
    /// Their votes, by rising voter: nobody counts twice.
    pub votes: Vec<Vote<S>>,
}

impl<S: Wire> Wire for Certificate<S> {
    fn wire_bytes(&self) -> u32 {
        45 + self.votes.iter().map(Wire::wire_bytes).sum::<u32>()
    }

    fn canonical_len(&self) -> Option<usize> {
        let votes: Vec<usize> = self.votes.iter().map(Wire::canonical_len).collect::<Option<_>>()?;
        Some(map([
            ("phase", self.phase.canonical_len()),
            ("slot", digits(self.slot)),
            ("term", digits(self.term)),
            ("digest", digest_len(&self.digest)),
            ("votes", list(votes.into_iter())),
        ]))
    }
}

impl<S> Certificate<S> {
    /// Whether it holds good votes of a quorum of different agents.
    #[must_use]
    pub fn verify<A: Authority<Signature = S>>(&self, quorum: Quorum, authority: &A) -> bool {
        let rising = self.votes.windows(2).all(|pair| pair[0].voter < pair[1].voter);
        let members = self.votes.last().is_none_or(|vote| vote.voter.0 < quorum.agents());
        let bytes = vote_bytes(self.phase, self.slot, self.term, &self.digest);
        rising
            && members
            && quorum.reached(self.votes.len())
            && self.votes.iter().all(|vote| authority.verify(vote.voter, &bytes, &vote.signature))
    }
}

/// What is signed: domain, phase, slot and term as little-endian numbers, digest.
pub(super) fn vote_bytes(phase: Phase, slot: u64, term: u32, digest: &[u8; 32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(DOMAIN.len() + 45);
    bytes.extend_from_slice(DOMAIN);
    bytes.push(phase as u8);
    bytes.extend_from_slice(&slot.to_le_bytes());
    bytes.extend_from_slice(&term.to_le_bytes());
    bytes.extend_from_slice(digest);
    bytes
}

/// Ed25519 keys: this agent's handle, and the roster in which agent n is the n-th worker.
#[derive(Clone, Debug)]
pub struct Keys {
    handle: Arc<KeyHandle>,
    roster: Arc<Roster>,
}

impl Keys {
    /// The keys of one agent.
    #[must_use]
    pub const fn new(handle: Arc<KeyHandle>, roster: Arc<Roster>) -> Self {
        Self { handle, roster }
    }
}

impl Authority for Keys {
    type Signature = Signature;

    fn sign(&self, bytes: &[u8]) -> Signature {
        Signature::by(Arc::clone(&self.handle), bytes)
    }

    fn verify(&self, agent: AgentId, bytes: &[u8], signature: &Signature) -> bool {
        signature.is_of(&self.roster, agent.index(), bytes)
    }
}

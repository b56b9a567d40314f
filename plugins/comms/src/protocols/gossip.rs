//! Push-pull gossip of versioned claims: who claims what, and how much.
//!
//! A claim is one agent's word on one key: of a device or an item, how much the agent wants it; of the agent itself, how busy it
//! is. Each (key, owner) is a register that only its owner writes, with a version that counts up, so claims merge in any order; a
//! withdrawn claim stays as a newer version that is not live. In each round every agent offers its versions to some peers
//! (offer), hears what they know better and what they want (answer), and tells them (supply). Rumours reach N agents in
//! O(log N) rounds.
//!
//! Conflicts are decided by (priority, version, owner): the higher priority, then the older claim, then the smaller number.
//!
//! Source: A. Demers et al., "Epidemic algorithms for replicated database maintenance", PODC 1987; reconciliation by versions as in R.
//! van Renesse et al., "Efficient reconciliation and flow control for anti-entropy protocols", LADIS 2008.

use super::{Machine, Outbox};
use crate::agent::AgentId;
use crate::network::Wire;
use labtrust_kernel::{Stream, Streams};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a claim is about; the method says what the numbers mean.
pub type Key = u32;

/// One agent's word on one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// What it is about.
    pub key: Key,
    /// Whose word it is.
    pub owner: AgentId,
    /// Counts up with every word of this owner on this key.
    pub version: u32,
    /// How much the owner wants it, or how busy it is.
    pub priority: i64,
    /// Whether it stands; a withdrawn claim does not.
    pub live: bool,
}

/// The version of one claim.
pub type VersionOf = (Key, AgentId, u32);

/// What gossiping agents say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GossipMessage {
    /// This is what I have.
    Offer(Vec<VersionOf>),
    /// This is newer with me, and that I want.
    Answer(Vec<Claim>, Vec<(Key, AgentId)>),
    /// Here it is.
    Supply(Vec<Claim>),
}

impl Wire for GossipMessage {
    /// 12 bytes a version, 21 a claim, 8 a wish, and 5 for the message [B].
    fn wire_bytes(&self) -> u32 {
        let bytes = match self {
            Self::Offer(versions) => versions.len() * 12,
            Self::Answer(claims, wanted) => claims.len() * 21 + wanted.len() * 8,
            Self::Supply(claims) => claims.len() * 21,
        };
        u32::try_from(bytes + 5).unwrap_or(u32::MAX)
    }
}

/// One agent that gossips.
#[derive(Clone, Debug)]
pub struct Gossip {
    me: AgentId,
    peers: Vec<AgentId>,
    fanout: usize,
    known: BTreeMap<(Key, AgentId), Claim>,
    choice: Stream,
}

impl Gossip {
    /// Agent `me`, which talks to `fanout` of its `peers` in each round (all of them, where there are no more). Whom it chooses comes
    /// from a stream of its own.
    #[must_use]
    pub fn new(me: AgentId, peers: Vec<AgentId>, fanout: usize, episode_seed: u64) -> Self {
        let choice = Streams::new(episode_seed).stream_indexed("comms.gossip", u64::from(me.0));
        Self { me, peers, fanout, known: BTreeMap::new(), choice }
    }

    /// Which agent this is.
    #[must_use]
    pub const fn me(&self) -> AgentId {
        self.me
    }

    /// Claims `key`, or says something new about it.
    pub fn claim(&mut self, key: Key, priority: i64) {
        self.say(key, priority, true);
    }

    /// Takes the claim on `key` back; nothing happens where there is none.
    pub fn withdraw(&mut self, key: Key) {
        if self.known.get(&(key, self.me)).is_some_and(|claim| claim.live) {
            self.say(key, 0, false);
        }
    }

    fn say(&mut self, key: Key, priority: i64, live: bool) {
        let known = self.known.get(&(key, self.me));
        // The same word again is no news.
        if known.is_some_and(|claim| (claim.priority, claim.live) == (priority, live)) {
            return;
        }
        let version = known.map_or(1, |claim| claim.version + 1);
        self.known.insert((key, self.me), Claim { key, owner: self.me, version, priority, live });
    }

    /// Whose claim on `key` wins, as far as this agent knows.
    #[must_use]
    pub fn winner(&self, key: Key) -> Option<Claim> {
        self.claims_on(key).min_by_key(|claim| (std::cmp::Reverse(claim.priority), claim.version, claim.owner)).copied()
    }

    /// The live claims on `key` that this agent knows of, by owner.
    pub fn claims_on(&self, key: Key) -> impl Iterator<Item = &Claim> {
        let all = (key, AgentId(0))..=(key, AgentId(u32::MAX));
        self.known.range(all).map(|(_, claim)| claim).filter(|claim| claim.live)
    }

    /// Everything this agent has heard of, withdrawn claims too, by key and owner.
    pub fn known(&self) -> impl Iterator<Item = &Claim> {
        self.known.values()
    }

    /// Forgets every claim on a key for which `keep` is false: items that are done. Everybody must forget them, else they come back.
    pub fn retain(&mut self, mut keep: impl FnMut(Key) -> bool) {
        self.known.retain(|(key, _), _| keep(*key));
    }

    fn hear(&mut self, claims: &[Claim]) {
        for claim in claims {
            // Nobody but this agent knows better what it said; and its versions must not be taken from it.
            if claim.owner == self.me {
                continue;
            }
            let known = self.known.entry((claim.key, claim.owner)).or_insert(*claim);
            // Of one key and owner, so the version decides. What follows it takes part so that an owner that says two things under
            // one version divides nobody.
            if *claim > *known {
                *known = *claim;
            }
        }
    }
}

impl Machine for Gossip {
    type Message = GossipMessage;

    fn on_round(&mut self, _round: u32, out: &mut Outbox<GossipMessage>) {
        let offer: Vec<VersionOf> = self.known.values().map(|claim| (claim.key, claim.owner, claim.version)).collect();
        // The first places of a shuffle are a sample without repetition.
        let talks_to = self.fanout.min(self.peers.len());
        for place in 0..talks_to {
            let left = (self.peers.len() - place) as u64;
            #[expect(clippy::cast_possible_truncation, reason = "below the number of peers")]
            let chosen = place + self.choice.below(left) as usize;
            self.peers.swap(place, chosen);
        }
        out.multicast(self.peers[..talks_to].into(), GossipMessage::Offer(offer));
    }

    fn on_message(&mut self, from: AgentId, message: GossipMessage, out: &mut Outbox<GossipMessage>) {
        match message {
            GossipMessage::Offer(mut offered) => {
                offered.sort_unstable();
                let version_of = |claim: &Claim| {
                    let at = offered.binary_search_by_key(&(claim.key, claim.owner), |(key, owner, _)| (*key, *owner));
                    at.ok().map(|at| offered[at].2)
                };
                let newer = |claim: &&Claim| version_of(claim).is_none_or(|version| version < claim.version);
                let claims: Vec<Claim> = self.known.values().filter(newer).copied().collect();
                let wanted: Vec<(Key, AgentId)> = offered
                    .iter()
                    .filter(|(key, owner, version)| {
                        *owner != self.me
                            && self.known.get(&(*key, *owner)).is_none_or(|known| known.version < *version)
                    })
                    .map(|(key, owner, _)| (*key, *owner))
                    .collect();
                if !claims.is_empty() || !wanted.is_empty() {
                    out.send(from, GossipMessage::Answer(claims, wanted));
                }
            }
            GossipMessage::Answer(claims, wanted) => {
                self.hear(&claims);
                let supply: Vec<Claim> = wanted.iter().filter_map(|name| self.known.get(name)).copied().collect();
                if !supply.is_empty() {
                    out.send(from, GossipMessage::Supply(supply));
                }
            }
            GossipMessage::Supply(claims) => self.hear(&claims),
        }
    }
}

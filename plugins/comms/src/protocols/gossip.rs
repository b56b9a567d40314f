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
use crate::lengths::{digits, list, map, variant};
use crate::network::Wire;
use labtrust_kernel::{Stream, Streams};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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

impl Claim {
    /// Which register it is of: of each an agent knows one claim.
    const fn register(&self) -> Register {
        (self.key, self.owner)
    }
}

/// A key and whose word on it.
type Register = (Key, AgentId);

/// Where `register` is in a list that is sorted by registers, or would be: looked for from `from` on, in steps that double, so that a
/// pass over two lists costs no more than the shorter one asks for.
fn place_from<T>(list: &[T], from: usize, register: Register, of: impl Fn(&T) -> Register) -> usize {
    let mut step = 1;
    while list.get(from + step - 1).is_some_and(|item| of(item) < register) {
        step *= 2;
    }
    let (begin, end) = (from + step / 2, list.len().min(from + step));
    begin + list[begin..end].partition_point(|item| of(item) < register)
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

    fn canonical_len(&self) -> Option<usize> {
        let claim = |claim: &Claim| {
            map([
                ("key", digits(claim.key)),
                ("live", if claim.live { "true" } else { "false" }.len()),
                ("owner", digits(claim.owner.0)),
                ("priority", digits(claim.priority.unsigned_abs()) + usize::from(claim.priority < 0)),
                ("version", digits(claim.version)),
            ])
        };
        let version =
            |(key, owner, version): &VersionOf| list([digits(*key), digits(owner.0), digits(*version)].into_iter());
        let wish = |(key, owner): &Register| list([digits(*key), digits(owner.0)].into_iter());
        Some(match self {
            Self::Offer(versions) => variant("Offer", list(versions.iter().map(version))),
            Self::Answer(claims, wanted) => {
                let both = [list(claims.iter().map(claim)), list(wanted.iter().map(wish))];
                variant("Answer", list(both.into_iter()))
            }
            Self::Supply(claims) => variant("Supply", list(claims.iter().map(claim))),
        })
    }
}

/// One agent that gossips.
#[derive(Clone, Debug)]
pub struct Gossip {
    me: AgentId,
    peers: Vec<AgentId>,
    fanout: usize,
    /// One claim of each register, sorted.
    known: Vec<Claim>,
    /// The keys that there are; any where nobody has said.
    keys: Option<Arc<[Key]>>,
    choice: Stream,
}

impl Gossip {
    /// Agent `me`, which talks to `fanout` of its `peers` in each round (all of them, where there are no more). Whom it chooses comes
    /// from a stream of its own.
    #[must_use]
    pub fn new(me: AgentId, peers: Vec<AgentId>, fanout: usize, episode_seed: u64) -> Self {
        let choice = Streams::new(episode_seed).stream_indexed("comms.gossip", u64::from(me.0));
        Self { me, peers, fanout, known: Vec::new(), keys: None, choice }
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
        if self.known_of((key, self.me)).is_some_and(|claim| claim.live) {
            self.say(key, 0, false);
        }
    }

    /// The claim of a register.
    fn known_of(&self, register: Register) -> Option<&Claim> {
        let place = self.known.binary_search_by_key(&register, Claim::register).ok()?;
        self.known.get(place)
    }

    fn say(&mut self, key: Key, priority: i64, live: bool) {
        let claim = Claim { key, owner: self.me, version: 1, priority, live };
        match self.known.binary_search_by_key(&claim.register(), Claim::register) {
            Err(place) => self.known.insert(place, claim),
            // The same word again is no news.
            Ok(place) if (self.known[place].priority, self.known[place].live) == (priority, live) => {}
            Ok(place) => self.known[place] = Claim { version: self.known[place].version + 1, ..claim },
        }
    }

    /// Whose claim on `key` wins, as far as this agent knows.
    #[must_use]
    pub fn winner(&self, key: Key) -> Option<Claim> {
        self.claims_on(key).min_by_key(|claim| (std::cmp::Reverse(claim.priority), claim.version, claim.owner)).copied()
    }

    /// The live claims on `key` that this agent knows of, by owner.
    pub fn claims_on(&self, key: Key) -> impl Iterator<Item = &Claim> {
        let begin = self.known.partition_point(|claim| claim.key < key);
        self.known[begin..].iter().take_while(move |claim| claim.key == key).filter(|claim| claim.live)
    }

    /// Everything this agent has heard of, withdrawn claims too, by key and owner.
    pub fn known(&self) -> impl Iterator<Item = &Claim> {
        self.known.iter()
    }

    /// From now on there are these keys, sorted, and no others: claims on others are forgotten, and not heard when they come late,
    /// else those who tell each other of them would never be done with what is done. The same for everybody.
    pub fn keep_only(&mut self, keys: Arc<[Key]>) {
        self.known.retain(|claim| keys.binary_search(&claim.key).is_ok());
        self.keys = Some(keys);
    }

    fn is_key(&self, key: Key) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.binary_search(&key).is_ok())
    }

    fn hear(&mut self, claims: &[Claim]) {
        let (mut at, mut fresh) = (0, Vec::new());
        for claim in claims {
            // Nobody but this agent knows better what it said; and its versions must not be taken from it.
            if claim.owner == self.me {
                continue;
            }
            // Whoever is honest says them in order.
            if at > 0 && self.known[at - 1].register() >= claim.register() {
                at = 0;
            }
            at = place_from(&self.known, at, claim.register(), Claim::register);
            let known = self.known.get(at).is_some_and(|mine| mine.register() == claim.register());
            if known {
                // Of one register, so the version decides. What follows it takes part so that an owner that says two things
                // under one version divides nobody.
                self.known[at] = self.known[at].max(*claim);
            } else if self.is_key(claim.key) {
                fresh.push(*claim);
            }
        }
        if !fresh.is_empty() {
            // Two sorted runs, which a stable sort merges.
            self.known.append(&mut fresh);
            self.known.sort();
            // Of what was said twice the greater one.
            self.known.dedup_by(|later, kept| {
                let same = later.register() == kept.register();
                if same {
                    *kept = *later;
                }
                same
            });
        }
    }

    /// Those of its claims that somebody wants, in the order in which they are wanted.
    fn supply(&self, wanted: &[Register]) -> Vec<Claim> {
        let mut at = 0;
        let claim = |&register: &Register| {
            if at > 0 && self.known[at - 1].register() >= register {
                at = 0;
            }
            at = place_from(&self.known, at, register, Claim::register);
            self.known.get(at).filter(|claim| claim.register() == register).copied()
        };
        wanted.iter().filter_map(claim).collect()
    }

    /// What of this agent's claims is newer than what was offered, and of what it would rather have the offered. What is offered is
    /// sorted.
    fn compare(&self, offered: &[VersionOf]) -> (Vec<Claim>, Vec<Register>) {
        let (mut newer, mut wanted) = (Vec::new(), Vec::new());
        let mut mine = self.known.iter().peekable();
        for offers in offered.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            // Of what is offered twice the later version.
            let Some(&(key, owner, version)) = offers.last() else { continue };
            while let Some(claim) = mine.next_if(|claim| claim.register() < (key, owner)) {
                newer.push(*claim);
            }
            let known = mine.next_if(|claim| claim.register() == (key, owner));
            if let Some(claim) = known.filter(|claim| claim.version > version) {
                newer.push(*claim);
            }
            let newer = known.map_or_else(|| self.is_key(key), |claim| claim.version < version);
            if owner != self.me && newer {
                wanted.push((key, owner));
            }
        }
        newer.extend(mine);
        (newer, wanted)
    }
}

impl Machine for Gossip {
    type Message = GossipMessage;

    fn on_round(&mut self, _round: u32, out: &mut Outbox<GossipMessage>) {
        let offer: Vec<VersionOf> = self.known.iter().map(|claim| (claim.key, claim.owner, claim.version)).collect();
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
                let (claims, wanted) = self.compare(&offered);
                if !claims.is_empty() || !wanted.is_empty() {
                    out.send(from, GossipMessage::Answer(claims, wanted));
                }
            }
            GossipMessage::Answer(claims, wanted) => {
                self.hear(&claims);
                let supply = self.supply(&wanted);
                if !supply.is_empty() {
                    out.send(from, GossipMessage::Supply(supply));
                }
            }
            GossipMessage::Supply(claims) => self.hear(&claims),
        }
    }
}

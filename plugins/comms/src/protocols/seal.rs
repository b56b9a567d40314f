//! What an agent needs to sign what it says and to judge what it hears.

use super::To;
use super::speaker::{Head, Signed, addressee};
use crate::agent::AgentId;
use crate::bus::{Bus, Control, Controls, IdentityPolicy, Rejection};
use crate::identity::{IdentityError, KeyHandle, Message, Roster};
use crate::network::Wire;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most rejections that an agent keeps as evidence [count]; a flood must not fill its memory. All are counted.
const MOST_KEPT: usize = 64;

/// The name under which the world signs.
const WORLD: &str = "WORLD";

/// What one agent needs to sign and to judge, for a whole episode: its key, its bus, its next number.
#[derive(Debug)]
pub struct Seal {
    handle: Arc<KeyHandle>,
    roster: Arc<Roster>,
    bus: Bus,
    people: usize,
    kind: &'static str,
    nonce: u64,
    /// Most messages of one sender that are opened in a step [count].
    quota: u32,
    /// How many came from each in this step [count], as the network has it: a name in an envelope that nobody has judged
    /// could use up the quota of somebody else. The world comes last.
    came: Vec<u32>,
    refused: BTreeMap<&'static str, u64>,
    kept: Vec<Rejection>,
}

/// A letter that is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turned {
    /// Why, a reason code.
    pub code: &'static str,
    /// Whom it speaks against, if anybody.
    pub blamed: Option<AgentId>,
}

impl Seal {
    /// The seals of agents of these names, number n for agent n, and behind them that of the world, which tells facts. Messages
    /// are of one kind, and may be a step late. Everybody judges by the same controls.
    ///
    /// # Errors
    /// [`IdentityError`] for an empty name, and one that comes twice; nobody may be called `WORLD`.
    pub fn of_all(
        master_seed: u64,
        names: &[String],
        kind: &'static str,
        controls: Controls,
    ) -> Result<Vec<Self>, IdentityError> {
        let key = |name: &str| KeyHandle::derive(master_seed, name);
        let names = names.iter().map(String::as_str).chain([WORLD]);
        let handles: Vec<KeyHandle> = names.map(key).collect::<Result<_, _>>()?;
        let people = handles.len() - 1;
        let roster = Arc::new(Roster::of(&handles)?);
        let seal = |handle: KeyHandle| Self {
            handle: Arc::new(handle.entered_in(&roster)),
            roster: Arc::clone(&roster),
            // What is said at the end of a step may be heard at the beginning of the next.
            bus: Bus::new(IdentityPolicy::for_types([kind]).with_epoch_slack(1), Arc::clone(&roster))
                .with_controls(controls),
            people,
            kind,
            nonce: 0,
            quota: u32::MAX,
            came: Vec::new(),
            refused: BTreeMap::new(),
            kept: Vec::new(),
        };
        Ok(handles.into_iter().map(seal).collect())
    }

    /// The key, for a protocol that signs votes, too.
    #[must_use]
    pub fn handle(&self) -> Arc<KeyHandle> {
        Arc::clone(&self.handle)
    }

    /// Everybody's public keys.
    #[must_use]
    pub fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.roster)
    }

    /// Goes on to a step; an earlier one changes nothing.
    pub fn begin_epoch(&mut self, epoch: u64) {
        if self.bus.begin_epoch(epoch).is_ok() {
            self.came.fill(0);
        }
    }

    /// Opens no more than `most` messages of one sender in a step [count].
    pub const fn expect(&mut self, most: u32) {
        self.quota = most;
    }

    /// Signs what is said to one, or to whoever hears it; `None` of what is no JSON, which nothing of ours is.
    pub fn sign<M: Serialize + Wire>(&mut self, to: &To, said: M) -> Option<Signed<M>> {
        let head = self.head(to);
        Signed::by(Arc::clone(&self.handle), head, said)
    }

    /// Signs any JSON, be it what nobody can read. Nobody has judged it yet.
    pub(super) fn sign_anything<M>(&mut self, to: &To, said: Value) -> Option<Signed<M>> {
        let Head { nonce, epoch, message_type, to } = self.head(to);
        let mut payload = addressee(to);
        payload["say"] = said;
        let message = Message { nonce, epoch, message_type: message_type.to_owned(), payload };
        Some(Signed::new(self.handle.sign(message).ok()?))
    }

    /// The head of the next letter.
    fn head(&mut self, to: &To) -> Head {
        let to = match to {
            To::One(agent) => Some(*agent),
            To::Many(_) | To::Others => None,
        };
        let nonce = self.nonce;
        self.nonce += 1;
        Head { nonce, epoch: self.bus.epoch(), message_type: self.kind, to }
    }

    /// What an envelope that came from `from` says to agent `me`, and who signed it.
    ///
    /// # Errors
    /// [`Turned`] where it is not believed; it is counted, and kept as evidence.
    pub fn open<M>(&mut self, me: AgentId, from: AgentId, signed: &Signed<M>) -> Result<(AgentId, M), Turned>
    where
        M: DeserializeOwned + Clone,
    {
        if !self.takes_another(from) {
            let name = self.place(from).and_then(|place| self.roster.worker_id(place)).unwrap_or_default();
            let rejection = self.bus.turn_away(signed.face(), name);
            return Err(self.turn(rejection));
        }
        let sender = match self.bus.admit(signed.face(), signed.good(), Some(me)) {
            Ok(sender) => self.agent(sender),
            Err(rejection) => return Err(self.turn(rejection)),
        };
        match signed.said() {
            Some(said) => Ok((sender, said.clone())),
            None => Err(self.turn(Rejection::unreadable(signed.face()))),
        }
    }

    /// Turns away what is no envelope.
    pub fn turn_open(&mut self) -> Turned {
        self.turn(Rejection::no_envelope())
    }

    fn takes_another(&mut self, from: AgentId) -> bool {
        if !self.bus.controls().has(Control::Quota) {
            return true;
        }
        let Some(place) = self.place(from) else { return false };
        if self.came.len() <= place {
            self.came.resize(place + 1, 0);
        }
        self.came[place] += 1;
        self.came[place] <= self.quota
    }

    /// The place in the roster of somebody on the network.
    fn place(&self, agent: AgentId) -> Option<usize> {
        match agent {
            AgentId::WORLD => Some(self.people),
            AgentId(number) => usize::try_from(number).ok().filter(|place| *place < self.people),
        }
    }

    fn agent(&self, place: usize) -> AgentId {
        let number = u32::try_from(place).ok().filter(|_| place < self.people);
        number.map_or(AgentId::WORLD, AgentId)
    }

    fn turn(&mut self, rejection: Rejection) -> Turned {
        let code = rejection.code();
        let blamed = rejection.blamed().and_then(|name| self.roster.place(name)).map(|place| self.agent(place));
        *self.refused.entry(code).or_default() += 1;
        if self.kept.len() < MOST_KEPT {
            self.kept.push(rejection);
        }
        Turned { code, blamed }
    }

    /// What was not believed, by reason code [count].
    #[must_use]
    pub const fn refused(&self) -> &BTreeMap<&'static str, u64> {
        &self.refused
    }

    /// Hands over the evidence of what the bus refused since the last time.
    pub fn take_rejections(&mut self) -> Vec<Rejection> {
        std::mem::take(&mut self.kept)
    }
}

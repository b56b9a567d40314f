//! Machines that sign what they say and judge what they hear, whatever protocol they are of.
//!
//! A [`Speaker`] stands between a [`Machine`] and the network. Without a [`Seal`] it passes messages as they are. With one, what
//! the machine says travels in an [`Envelope`] whose payload is `{"to": <number or null>, "say": <message>}`, and what comes
//! is handed on only when the bus of this agent accepts it, under the name of who signed it, whatever the network says.
//! Everybody has a bus of their own: a broadcast is heard by all, and is a replay only to who hears it twice. What is not
//! believed is counted by its code and kept as evidence.

use super::{Machine, Outbox, To};
use crate::agent::AgentId;
use crate::bus::{Bus, IdentityPolicy, Rejection};
use crate::codes;
use crate::identity::{Envelope, IdentityError, KeyHandle, Message, Roster};
use crate::network::Wire;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// A message as it travels.
#[derive(Clone, Debug)]
pub enum Letter<M> {
    /// As it is: nobody can tell whether its sender is who they say.
    Open(M),
    /// Under its sender's signature; shared by all who get it.
    Signed(Arc<Signed<M>>),
}

/// An envelope, and what the first who judged and read it has found: the others share it.
#[derive(Debug)]
pub struct Signed<M> {
    envelope: Envelope,
    bytes: u32,
    good: OnceLock<()>,
    said: OnceLock<Option<M>>,
}

impl<M> Signed<M> {
    /// An envelope that nobody has judged yet.
    #[must_use]
    pub fn new(envelope: Envelope) -> Self {
        Self { bytes: envelope.wire_bytes(), envelope, good: OnceLock::new(), said: OnceLock::new() }
    }

    /// What travels.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }
}

impl<M: Wire> Wire for Letter<M> {
    fn wire_bytes(&self) -> u32 {
        match self {
            Self::Open(message) => message.wire_bytes(),
            Self::Signed(signed) => signed.bytes,
        }
    }
}

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
    refused: BTreeMap<&'static str, u64>,
    kept: Vec<Rejection>,
}

impl Seal {
    /// The seals of agents of these names, number n for agent n, and behind them that of the world, which tells facts. Messages
    /// are of one kind, and may be a step late.
    ///
    /// # Errors
    /// [`IdentityError`] for an empty name, and one that comes twice; nobody may be called `WORLD`.
    pub fn of_all(master_seed: u64, names: &[String], kind: &'static str) -> Result<Vec<Self>, IdentityError> {
        let key = |name: &str| KeyHandle::derive(master_seed, name).map(Arc::new);
        let names = names.iter().map(String::as_str).chain([WORLD]);
        let handles: Vec<Arc<KeyHandle>> = names.map(key).collect::<Result<_, _>>()?;
        let people = handles.len() - 1;
        let roster = Arc::new(Roster::of(handles.iter().map(AsRef::as_ref))?);
        let seal = |handle: Arc<KeyHandle>| Self {
            handle,
            roster: Arc::clone(&roster),
            // What is said at the end of a step may be heard at the beginning of the next.
            bus: Bus::new(IdentityPolicy::for_types([kind]).with_epoch_slack(1), Arc::clone(&roster)),
            people,
            kind,
            nonce: 0,
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
        let _ = self.bus.begin_epoch(epoch.max(self.bus.epoch()));
    }

    /// Signs a message for one, or for whoever hears it; `None` of a message that is no JSON, which none of ours is.
    pub fn sign<M: Serialize>(&mut self, to: &To, message: &M) -> Option<Signed<M>> {
        let to = match to {
            To::One(agent) => json!(agent.0),
            To::Many(_) | To::Others => Value::Null,
        };
        let payload = json!({"to": to, "say": serde_json::to_value(message).ok()?});
        let (nonce, epoch) = (self.nonce, self.bus.epoch());
        self.nonce += 1;
        let message = Message { nonce, epoch, message_type: self.kind.to_owned(), payload };
        self.handle.sign(message).ok().map(Signed::new)
    }

    /// What an envelope says to agent `me`, and who signed it; `None` where it is not believed.
    pub fn open<M: DeserializeOwned + Clone>(&mut self, me: AgentId, signed: &Signed<M>) -> Option<(AgentId, M)> {
        let sender = match self.bus.admit(&signed.envelope, &signed.good) {
            Ok(sender) => sender,
            Err(rejection) => {
                self.refuse(rejection.code());
                if self.kept.len() < MOST_KEPT {
                    self.kept.push(rejection);
                }
                return None;
            }
        };
        let payload = &signed.envelope.payload;
        let to = payload.get("to").and_then(Value::as_u64);
        if to.is_some_and(|to| to != u64::from(me.0)) {
            // Said to somebody else, and said again here.
            self.refuse(codes::COORD_REPLAY_DETECTED);
            return None;
        }
        let from = if sender == self.people { AgentId::WORLD } else { AgentId(u32::try_from(sender).ok()?) };
        let Some(said) = signed.said.get_or_init(|| M::deserialize(payload.get("say")?).ok()) else {
            self.refuse(codes::COORD_MESSAGE_MALFORMED);
            return None;
        };
        Some((from, said.clone()))
    }

    /// Counts something that was not believed.
    pub fn refuse(&mut self, code: &'static str) {
        *self.refused.entry(code).or_default() += 1;
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

/// A machine on the network, with a seal or without.
pub struct Speaker<'a, P: Machine> {
    me: AgentId,
    machine: &'a mut P,
    seal: Option<&'a mut Seal>,
    said: Outbox<P::Message>,
}

impl<'a, P: Machine> Speaker<'a, P> {
    /// Agent `me`, who speaks for `machine`.
    #[must_use]
    pub fn new(me: AgentId, machine: &'a mut P, seal: Option<&'a mut Seal>) -> Self {
        Self { me, machine, seal, said: Outbox::default() }
    }
}

impl<P> Speaker<'_, P>
where
    P: Machine,
    P::Message: Serialize,
{
    fn post(&mut self, out: &mut Outbox<Letter<P::Message>>) {
        for (to, message) in self.said.drain() {
            let letter = match &mut self.seal {
                None => Letter::Open(message),
                Some(seal) => match seal.sign(&to, &message) {
                    Some(signed) => Letter::Signed(Arc::new(signed)),
                    None => continue,
                },
            };
            match to {
                To::One(to) => out.send(to, letter),
                To::Many(to) => out.multicast(to, letter),
                To::Others => out.broadcast(letter),
            }
        }
    }
}

impl<P> Machine for Speaker<'_, P>
where
    P: Machine,
    P::Message: Serialize + DeserializeOwned,
{
    type Message = Letter<P::Message>;

    fn on_round(&mut self, round: u32, out: &mut Outbox<Self::Message>) {
        self.machine.on_round(round, &mut self.said);
        self.post(out);
    }

    fn on_message(&mut self, from: AgentId, letter: Self::Message, out: &mut Outbox<Self::Message>) {
        let (from, message) = match (letter, &mut self.seal) {
            (Letter::Open(message), None) => (from, message),
            (Letter::Open(_), Some(seal)) => return seal.refuse(codes::COORD_MESSAGE_MALFORMED),
            // Who cannot judge believes nothing that is signed.
            (Letter::Signed(_), None) => return,
            (Letter::Signed(signed), Some(seal)) => match seal.open(self.me, &signed) {
                Some(heard) => heard,
                None => return,
            },
        };
        self.machine.on_message(from, message, &mut self.said);
        self.post(out);
    }
}

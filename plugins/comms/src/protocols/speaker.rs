//! Machines that sign what they say and judge what they hear, whatever protocol they are of.
//!
//! A [`Speaker`] stands between a [`Machine`] and the network. Without a [`Seal`] it passes messages as they are. With one, what
//! the machine says travels in an [`Envelope`] whose payload is `{"to": <number or null>, "say": <message>}`, and what comes
//! is handed on only when the bus of this agent accepts it, under the name of who signed it, whatever the network says.
//! Everybody has a bus of their own: a broadcast is heard by all, and is a replay only to who hears it twice. What is not
//! believed is counted by its code and kept as evidence. Somebody may watch ([`Watch`]): then an insider may say something else than it
//! means, and what became of marked letters is told. Without anybody who watches nothing is made JSON of.

use super::seal::{Seal, Turned};
use super::watch::{Mark, Watch};
use super::{Doubts, Machine, Outbox, To};
use crate::agent::AgentId;
use crate::codes;
use crate::identity::{Envelope, KeyHandle, Message};
use crate::network::Wire;
use labtrust_trust::canonical::canonical_len;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Arc, OnceLock};

/// A message as it travels.
#[derive(Clone, Debug)]
pub enum Letter<M> {
    /// As it is: nobody can tell whether its sender is who they say.
    Open(M),
    /// Under its sender's signature; shared by all who get it.
    Signed(Arc<Signed<M>>),
    /// Nobody can read it any more; so long [B].
    Garbled(u32),
    /// Any of these, with a mark that nobody sees but who watches ([`Watch`]): machines and buses are given what is inside.
    Marked(Mark, Box<Self>),
}

impl<M> Letter<M> {
    /// The same with a mark, where there is one; the newer mark counts.
    #[must_use]
    pub fn marked(self, mark: Option<Mark>) -> Self {
        match (self, mark) {
            (letter, None) => letter,
            (Self::Marked(_, letter), Some(mark)) => Self::Marked(mark, letter),
            (letter, Some(mark)) => Self::Marked(mark, Box::new(letter)),
        }
    }

    /// The letter, and its mark.
    #[must_use]
    pub fn unmarked(self) -> (Option<Mark>, Self) {
        match self {
            Self::Marked(mark, letter) => (Some(mark), *letter),
            letter => (None, letter),
        }
    }

    /// Its mark.
    #[must_use]
    pub const fn mark(&self) -> Option<Mark> {
        match self {
            Self::Marked(mark, _) => Some(*mark),
            _ => None,
        }
    }

    /// Whether it is an envelope.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        match self {
            Self::Signed(_) => true,
            Self::Marked(_, letter) => letter.is_signed(),
            Self::Open(_) | Self::Garbled(_) => false,
        }
    }
}

impl<M: Serialize> Letter<M> {
    /// The whole letter as JSON: what is said, or the envelope. Null where nobody can read it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Open(message) => serde_json::to_value(message).unwrap_or_default(),
            Self::Signed(signed) => serde_json::to_value(signed.envelope()).unwrap_or_default(),
            Self::Garbled(_) => Value::Null,
            Self::Marked(_, letter) => letter.to_value(),
        }
    }
}

impl<M: DeserializeOwned> Letter<M> {
    /// The letter that JSON stands for: an envelope, or what is said; [`Letter::Garbled`] where it is neither.
    #[must_use]
    pub fn read(value: Value, signed: bool) -> Self {
        let bytes = u32::try_from(value.to_string().len()).unwrap_or(u32::MAX);
        let read = if signed {
            serde_json::from_value(value).ok().map(|envelope| Self::Signed(Arc::new(Signed::new(envelope))))
        } else {
            serde_json::from_value(value).ok().map(Self::Open)
        };
        read.unwrap_or(Self::Garbled(bytes))
    }
}

/// An envelope, and what the first who judged and read it has found: the others share it.
#[derive(Debug)]
pub struct Signed<M> {
    /// The envelope; of one that is made when somebody looks, what is on its face: neither what it says nor a signature.
    face: Envelope,
    /// Who makes it when somebody looks.
    maker: Option<Maker<M>>,
    sealed: OnceLock<Envelope>,
    bytes: u32,
    good: OnceLock<()>,
    said: OnceLock<Option<M>>,
}

/// Makes an envelope of what is said.
#[derive(Debug)]
struct Maker<M> {
    signer: Arc<KeyHandle>,
    payload: fn(&Value, &M) -> Option<Value>,
}

impl<M> Signed<M> {
    /// An envelope that nobody has judged yet.
    #[must_use]
    pub fn new(envelope: Envelope) -> Self {
        Self {
            bytes: envelope.wire_bytes(),
            face: envelope,
            maker: None,
            sealed: OnceLock::new(),
            good: OnceLock::new(),
            said: OnceLock::new(),
        }
    }

    /// What travels.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        match (&self.maker, self.said.get()) {
            (Some(maker), Some(Some(said))) => self.sealed.get_or_init(|| maker.make(&self.face, said)),
            _ => &self.face,
        }
    }

    /// All of it but, where nobody has to look at that, its signature and what it says.
    pub(super) fn face(&self) -> &Envelope {
        if self.good.get().is_some() { &self.face } else { self.envelope() }
    }

    /// Set once somebody has found the signature and the payload good.
    pub(super) const fn good(&self) -> &OnceLock<()> {
        &self.good
    }
}

impl<M: Serialize + Wire> Signed<M> {
    /// What a worker says and signs with the key that the roster has for that worker. Its signature is good without a look, so
    /// neither it nor what it covers is even made before somebody wants to see it: an adversary on the network, say. Whoever
    /// changes the envelope makes another one, which nobody has judged. `None` of what is no JSON.
    #[must_use]
    pub(super) fn by(signer: Arc<KeyHandle>, head: Head, said: M) -> Option<Self> {
        let Head { nonce, epoch, message_type, to } = head;
        let said_bytes = said.canonical_len().or_else(|| canonical_len(&said).ok())?;
        let to = addressee(to);
        let face = Envelope {
            sender_id: signer.worker_id().to_owned(),
            nonce,
            epoch,
            message_type: message_type.to_owned(),
            payload: to,
            payload_hash: String::new(),
            signature: String::new(),
            countersign: None,
        };
        let bytes = face.wire_bytes() + u32::try_from(said_bytes).ok()? + UNSAID;
        let maker = Some(Maker { signer, payload: with_payload::<M> });
        Some(Self {
            face,
            maker,
            sealed: OnceLock::new(),
            bytes,
            good: OnceLock::from(()),
            said: OnceLock::from(Some(said)),
        })
    }
}

/// What a letter has beside what it says.
pub(super) struct Head {
    pub(super) nonce: u64,
    pub(super) epoch: u64,
    pub(super) message_type: &'static str,
    /// Whom it is for, where it is for one.
    pub(super) to: Option<AgentId>,
}

/// A payload that says nothing yet.
pub(super) fn addressee(to: Option<AgentId>) -> Value {
    Value::Object(std::iter::once(("to".to_owned(), to.map(|agent| agent.0).into())).collect())
}

fn with_payload<M: Serialize>(to: &Value, said: &M) -> Option<Value> {
    let mut payload = to.clone();
    payload["say"] = serde_json::to_value(said).ok()?;
    Some(payload)
}

/// What the canonical text of an envelope has beside that of its face [B]: `"say":,` in the payload, the payload's hash, and the
/// signature in standard base64.
const UNSAID: u32 = 7 + 32 + 88;

impl<M> Maker<M> {
    fn make(&self, face: &Envelope, said: &M) -> Envelope {
        let signed = (self.payload)(&face.payload, said).and_then(|payload| {
            let (nonce, epoch, message_type) = (face.nonce, face.epoch, face.message_type.clone());
            self.signer.sign(Message { nonce, epoch, message_type, payload }).ok()
        });
        // What has a canonical length has a canonical text.
        signed.unwrap_or_else(|| face.clone())
    }
}

impl<M: DeserializeOwned> Signed<M> {
    /// What it says; `None` where it says nothing that could be read.
    pub(super) fn said(&self) -> Option<&M> {
        self.said.get_or_init(|| M::deserialize(self.face.payload.get("say")?).ok()).as_ref()
    }
}

impl<M: Wire> Wire for Letter<M> {
    fn wire_bytes(&self) -> u32 {
        match self {
            Self::Open(message) => message.wire_bytes(),
            Self::Signed(signed) => signed.bytes,
            Self::Garbled(bytes) => *bytes,
            Self::Marked(_, letter) => letter.wire_bytes(),
        }
    }
}

/// A machine on the network, with a seal or without.
pub struct Speaker<'a, P: Machine> {
    me: AgentId,
    machine: &'a mut P,
    seal: Option<&'a mut Seal>,
    watch: Option<&'a dyn Watch>,
    said: Outbox<P::Message>,
    heard: bool,
    unreadable: u64,
}

impl<'a, P: Machine> Speaker<'a, P> {
    /// Agent `me`, who speaks for `machine`.
    #[must_use]
    pub fn new(me: AgentId, machine: &'a mut P, seal: Option<&'a mut Seal>) -> Self {
        Self { me, machine, seal, watch: None, said: Outbox::default(), heard: false, unreadable: 0 }
    }

    /// The same with somebody who watches.
    #[must_use]
    pub fn watched(self, watch: Option<&'a dyn Watch>) -> Self {
        Self { watch, ..self }
    }

    /// Whether anything was handed on to the machine.
    #[must_use]
    pub const fn has_heard(&self) -> bool {
        self.heard
    }

    /// How much came that could not be read, where nobody signs [count].
    #[must_use]
    pub const fn unreadable(&self) -> u64 {
        self.unreadable
    }
}

impl<P> Speaker<'_, P>
where
    P: Machine,
    P::Message: Serialize + DeserializeOwned,
{
    fn post(&mut self, out: &mut Outbox<Letter<P::Message>>) {
        for (to, message) in self.said.drain() {
            let letter = match self.watch.filter(|watch| watch.tempts()) {
                None => letter(&mut self.seal, &to, message),
                Some(watch) => tempted(watch, self.me, &mut self.seal, &to, message),
            };
            let Some(letter) = letter else { continue };
            match to {
                To::One(to) => out.send(to, letter),
                To::Many(to) => out.multicast(to, letter),
                To::Others => out.broadcast(letter),
            }
        }
    }

    /// What a letter says and who says so, where it is believed.
    fn open(&mut self, from: AgentId, letter: Letter<P::Message>) -> Result<(AgentId, P::Message), Turned> {
        match (letter, &mut self.seal) {
            (Letter::Open(message), None) => Ok((from, message)),
            (Letter::Signed(signed), Some(seal)) => seal.open(self.me, from, &signed),
            (_, Some(seal)) => Err(seal.turn_open()),
            // Who cannot judge believes nothing that is signed, and what cannot be read says nothing.
            (_, None) => {
                self.unreadable += 1;
                Err(Turned { code: codes::COORD_MESSAGE_MALFORMED, blamed: None })
            }
        }
    }

    /// What became of a letter that was handed on, for whoever watches: a machine may doubt what a bus has let through.
    fn tell(&self, watch: &dyn Watch, mark: Option<Mark>, before: Doubts) {
        let after = self.machine.doubts();
        match after.last.filter(|_| after.count != before.count) {
            Some((code, about)) => watch.on_heard(self.me, mark, Err(code), Some(about)),
            None if mark.is_some() => watch.on_heard(self.me, mark, Ok(()), None),
            None => {}
        }
    }
}

/// What is said, as it travels.
fn letter<M>(seal: &mut Option<&mut Seal>, to: &To, message: M) -> Option<Letter<M>>
where
    M: Serialize + DeserializeOwned + Wire,
{
    debug_assert!(reads_back(&message), "what is heard would not be what was said");
    debug_assert!(
        message.canonical_len().is_none_or(|length| canonical_len(&message).is_ok_and(|written| written == length)),
        "it is as long as it says"
    );
    match seal {
        None => Some(Letter::Open(message)),
        Some(seal) => seal.sign(to, message).map(|signed| Letter::Signed(Arc::new(signed))),
    }
}

/// Whether whoever reads the JSON of a message reads that message: who hears it is given the message itself.
fn reads_back<M: Serialize + DeserializeOwned>(message: &M) -> bool {
    let read = serde_json::to_value(message).and_then(|text| Ok((M::deserialize(&text)?, text)));
    read.and_then(|(read, text)| Ok(serde_json::to_value(read)? == text)).unwrap_or(false)
}

/// The same when an insider may say something else.
fn tempted<M>(watch: &dyn Watch, me: AgentId, seal: &mut Option<&mut Seal>, to: &To, message: M) -> Option<Letter<M>>
where
    M: Serialize + DeserializeOwned + Wire,
{
    let meant = serde_json::to_value(&message).ok()?;
    let mut said = meant.clone();
    let mark = watch.on_say(me, &mut said);
    let travels = match seal {
        _ if said == meant => letter(seal, to, message)?,
        None => Letter::read(said, false),
        // Who has a key signs anything, also what nobody can read.
        Some(seal) => Letter::Signed(Arc::new(seal.sign_anything(to, said)?)),
    };
    Some(travels.marked(mark))
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
        let (mark, letter) = letter.unmarked();
        match (self.open(from, letter), self.watch) {
            (Ok((from, message)), watch) => {
                self.heard = true;
                let before = watch.map(|_| self.machine.doubts());
                self.machine.on_message(from, message, &mut self.said);
                if let Some((watch, before)) = watch.zip(before) {
                    self.tell(watch, mark, before);
                }
                self.post(out);
            }
            (Err(turned), Some(watch)) => watch.on_heard(self.me, mark, Err(turned.code), turned.blamed),
            (Err(_), None) => {}
        }
    }
}

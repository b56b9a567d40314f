//! Somebody on the network of a method: what they see of its messages, and what they may do to them.
//!
//! A tap is put on with [`Method::tap`](crate::method::Method::tap), for attacks and for ground truth: whoever makes a letter marks it
//! with a [`Taint`] and is told what became of it. Marks travel beside letters, never in them: no rule and no control can
//! see one. A tap is a function of what it is shown and of its own state, so that a run can be repeated. Nothing here
//! attacks anything.

use serde_json::Value;
use std::any::Any;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, OnceLock};

/// Number of something an attacker made, in the ledger of ground truth; no defender ever sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Taint(pub u32);

/// A letter as the network has it, which can be written down.
pub trait Written: Any + Send + Sync {
    /// The whole letter.
    fn to_value(&self) -> Value;
}

/// A letter that passes: it is written down as JSON when somebody looks at it ([`Deref`]), and is somebody else's once they
/// reach into it ([`DerefMut`]). Most that pass are never looked at, and to write one down may take a signature.
#[derive(Clone)]
pub struct Parcel {
    sent: Option<Arc<dyn Written>>,
    seen: OnceLock<Value>,
    made: Option<Value>,
}

impl Parcel {
    /// A letter that the network has.
    #[must_use]
    pub fn sent(letter: Arc<dyn Written>) -> Self {
        Self { sent: Some(letter), seen: OnceLock::new(), made: None }
    }

    /// What the network had, as long as the letter still says the same.
    ///
    /// # Errors
    /// What a letter says that is not what was sent, or that nobody sent.
    pub fn unchanged(self) -> Result<Arc<dyn Written>, Value> {
        match (self.sent, self.made) {
            (Some(sent), None) => Ok(sent),
            (Some(sent), Some(made)) if made == sent.to_value() => Ok(sent),
            (_, made) => Err(made.unwrap_or_default()),
        }
    }
}

fn written(sent: Option<&Arc<dyn Written>>) -> Value {
    sent.map(|sent| sent.to_value()).unwrap_or_default()
}

impl Deref for Parcel {
    type Target = Value;

    fn deref(&self) -> &Value {
        self.made.as_ref().unwrap_or_else(|| self.seen.get_or_init(|| written(self.sent.as_ref())))
    }
}

impl DerefMut for Parcel {
    fn deref_mut(&mut self) -> &mut Value {
        let Self { sent, seen, made } = self;
        made.get_or_insert_with(|| seen.take().unwrap_or_else(|| written(sent.as_ref())))
    }
}

impl From<Value> for Parcel {
    fn from(value: Value) -> Self {
        Self { sent: None, seen: OnceLock::new(), made: Some(value) }
    }
}

impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// A message as somebody on the wire sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Passing {
    /// Who is said to send it: a place among those on the network, [`Passing::WORLD`] where the world tells a fact.
    pub from: u32,
    /// Whom it is for, a place.
    pub to: u32,
    /// The whole letter: what is said, or where it is signed the envelope (`sender_id`, `nonce`, `epoch`, `message_type`,
    /// `payload`, `payload_hash`, `signature`).
    pub letter: Parcel,
    /// Whether it is an envelope.
    pub signed: bool,
    /// Set it when the letter is no longer what was sent, or was never sent.
    pub taint: Option<Taint>,
}

impl Passing {
    /// The sender of facts about the world.
    pub const WORLD: u32 = u32::MAX;
}

/// What becomes of a message that a tap has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on, changed or not.
    Pass,
    /// It goes nowhere.
    Drop,
}

/// What became of something tainted, or of anything that was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The one it reached acts on it.
    Believed,
    /// It was not believed: the registered reason code.
    Refused(&'static str),
}

/// An adversary on the wire. Everything it does not care for has a default that changes nothing.
///
/// Places count those on the network: agents that are directed in their order, then desks.
pub trait WireTap: Send {
    /// The step begins. `NAME=VALUE,...` is what the network is like from now on, as in the parameter `network` of the
    /// method; `None` leaves it as it is.
    fn on_step(&mut self, step: u32) -> Option<String> {
        let _ = step;
        None
    }

    /// The settings that [`WireTap::on_step`] gave make no sense, so the network is as it was.
    fn on_settings_refused(&mut self, step: u32, why: &str) {
        let _ = (step, why);
    }

    /// Whether it ever wants to say something else than was meant: who never does is not asked each time.
    fn tempts(&self) -> bool {
        true
    }

    /// An insider at place `me` is about to say something, before it is signed: it may be changed. The mark stays with
    /// every copy of what is then sent.
    fn on_say(&mut self, step: u32, me: u32, said: &mut Value) -> Option<Taint> {
        let _ = (step, me, said);
        None
    }

    /// A message passes: it may be changed, and more may be sent beside it, which is not shown again.
    fn on_send(&mut self, step: u32, passing: &mut Passing, extra: &mut Vec<Passing>) -> Fate {
        let _ = (step, passing, extra);
        Fate::Pass
    }

    /// Somebody at place `me` has judged a tainted letter (`taint` is some), or turned away an honest one (`taint` is none).
    /// `blamed` is whom the control names, a place; none where it names nobody.
    fn on_heard(&mut self, step: u32, me: u32, taint: Option<Taint>, heard: Heard, blamed: Option<u32>) {
        let _ = (step, me, taint, heard, blamed);
    }
}

/// A tap that an attack and a method share.
pub type SharedTap = Arc<Mutex<dyn WireTap>>;

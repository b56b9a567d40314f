//! A tap on the network of a method: letters become JSON and letters again, and what became of them is told.

use labtrust_comms::AgentId;
use labtrust_comms::network::{Fate, Injector, Mail, Wire};
use labtrust_comms::protocols::{Letter, Mark, Watch};
use labtrust_plugin::{Fate as Verdict, Heard, Parcel, Passing, SharedTap, Taint, WireTap, Written};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};

/// Somebody on the wire, and which step it is.
pub(super) struct Tapped {
    tap: SharedTap,
    step: AtomicU32,
}

impl Tapped {
    pub(super) fn new(tap: SharedTap) -> Arc<Self> {
        Arc::new(Self { tap, step: AtomicU32::new(0) })
    }

    /// Goes on to a step; what the network is like from now on, if that changes.
    pub(super) fn begin_step(&self, step: u32) -> Option<String> {
        self.step.store(step, Ordering::Relaxed);
        self.tap().on_step(step)
    }

    /// What the network was to be like makes no sense.
    pub(super) fn refuse_settings(&self, why: &str) {
        self.tap().on_settings_refused(self.step(), why);
    }

    fn step(&self) -> u32 {
        self.step.load(Ordering::Relaxed)
    }

    fn tap(&self) -> MutexGuard<'_, dyn WireTap + 'static> {
        // Whoever panicked with it in hand has told of it already.
        self.tap.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Tapped {
    fn tempts(&self) -> bool {
        self.tap().tempts()
    }

    fn on_say(&self, me: AgentId, said: &mut Value) -> Option<Mark> {
        self.tap().on_say(self.step(), me.0, said).map(mark)
    }

    fn on_heard(&self, me: AgentId, mark: Option<Mark>, heard: Result<(), &'static str>, blamed: Option<AgentId>) {
        let heard = heard.map_or_else(Heard::Refused, |()| Heard::Believed);
        self.tap().on_heard(self.step(), me.0, mark.map(taint), heard, blamed.map(|agent| agent.0));
    }
}

/// The same as the network sees it.
pub(super) struct OnTheWire(pub(super) Arc<Tapped>);

/// A letter without its mark, which shares what is signed with the one that passes.
struct Whole<M>(Letter<M>);

impl<M: Serialize + Send + Sync + 'static> Written for Whole<M> {
    fn to_value(&self) -> Value {
        self.0.to_value()
    }
}

impl<M: Clone + Wire + Serialize + DeserializeOwned + Send + Sync + 'static> Injector<Letter<M>> for OnTheWire {
    fn on_send(&mut self, _now_us: u64, mail: &mut Mail<Letter<M>>, extra: &mut Vec<Mail<Letter<M>>>) -> Fate {
        let (taint, signed) = (mail.body.mark().map(taint), mail.body.is_signed());
        let letter = Parcel::sent(Arc::new(Whole(mail.body.clone().unmarked().1)));
        let mut passing = Passing { from: mail.from.0, to: mail.to.0, letter, signed, taint };
        let mut more = Vec::new();
        let fate = self.0.tap().on_send(self.0.step(), &mut passing, &mut more);
        extra.extend(more.into_iter().map(posted));
        if fate == Verdict::Drop {
            return Fate::Drop;
        }
        *mail = posted(passing);
        Fate::Pass
    }
}

/// A letter that is as it was said is the very same: what somebody has found out about it holds for all who hear it.
fn posted<M: Clone + Serialize + DeserializeOwned + Send + Sync + 'static>(passing: Passing) -> Mail<Letter<M>> {
    let Passing { from, to, letter, signed, taint } = passing;
    let body = match letter.unchanged() {
        Ok(sent) => match (&*sent as &dyn Any).downcast_ref::<Whole<M>>() {
            Some(Whole(letter)) if letter.is_signed() == signed => letter.clone(),
            _ => Letter::read(sent.to_value(), signed),
        },
        Err(value) => Letter::read(value, signed),
    };
    Mail { from: AgentId(from), to: AgentId(to), body: body.marked(taint.map(mark)) }
}

const fn mark(taint: Taint) -> Mark {
    Mark(taint.0)
}

const fn taint(mark: Mark) -> Taint {
    Taint(mark.0)
}

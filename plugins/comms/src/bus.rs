//! The signed bus: judges every envelope, and says of each that it refuses why.
//!
//! The order of the judgement is fixed: form, signature, replay, epoch, order, receiver, type, sender, countersignature. A nonce is
//! remembered only when its message is accepted, so nobody can burn somebody else's nonces with refused messages, nor with
//! messages to somebody else. Each control can be taken away by itself ([`Controls`]). Nonces
//! are kept in a sliding window for each sender and epoch, and epochs that are over are forgotten: the memory of a bus
//! is bounded whatever is sent. A refusal is a [`Rejection`], which is evidence to be logged.

mod controls;
mod policy;
mod rejection;
mod window;

pub use controls::{Control, Controls};
pub use policy::IdentityPolicy;
pub use rejection::{Refusal, Rejection};

use crate::agent::AgentId;
use crate::identity::{Countersign, Envelope, Roster};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use window::{Seen, Window};

/// A message that may be acted on.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// Who said it: the holder of the key.
    pub sender_id: String,
    /// Its number.
    pub nonce: u64,
    /// The step it was said in.
    pub epoch: u64,
    /// Its kind.
    pub message_type: String,
    /// Its content.
    pub payload: Value,
}

/// What a bus counted since its last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusMetrics {
    /// Messages that were accepted [count].
    pub accepted_count: u64,
    /// Messages with a signature that is not the sender's [count].
    pub invalid_sig_count: u64,
    /// Those of them that are good signatures of somebody else [count].
    pub spoof_attempt_count: u64,
    /// Messages that were seen before [count].
    pub replay_drop_count: u64,
    /// All refused messages by reason code [count].
    pub refused_by_code: BTreeMap<&'static str, u64>,
}

impl BusMetrics {
    /// Refused messages [count].
    #[must_use]
    pub fn refused_count(&self) -> u64 {
        self.refused_by_code.values().sum()
    }

    /// The part of `metrics.coordination.comm` that signed methods add; `invalid_msg_rate` is refused / received, to 4
    /// decimals, 0 when nothing was received.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let received = self.accepted_count + self.refused_count();
        json!({
            "invalid_sig_count": self.invalid_sig_count,
            "replay_drop_count": self.replay_drop_count,
            "invalid_msg_rate": crate::network::rate_4(self.refused_count(), received),
            "spoof_attempt_count": self.spoof_attempt_count,
        })
    }
}

/// An epoch that is before the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("epoch {asked} is before the present epoch {present}; epochs only rise, reset the bus to begin again")]
pub struct EpochBackwards {
    /// The present epoch.
    pub present: u64,
    /// The one that was asked for.
    pub asked: u64,
}

/// Judges envelopes under a policy and a roster.
#[derive(Clone, Debug)]
pub struct Bus {
    policy: IdentityPolicy,
    controls: Controls,
    roster: Arc<Roster>,
    epoch: u64,
    /// What was accepted, by (epoch, number of the sender). Only epochs that are still accepted are in it. Where any epoch is
    /// accepted all are one: else whoever says again what is very old would be believed for that alone.
    windows: BTreeMap<(u64, usize), Window>,
    metrics: BusMetrics,
}

impl Bus {
    /// A bus at epoch 0. Many of them can share one roster.
    #[must_use]
    pub fn new(policy: IdentityPolicy, roster: impl Into<Arc<Roster>>) -> Self {
        let controls = Controls::for_a_bus();
        let (roster, windows, metrics) = (roster.into(), BTreeMap::new(), BusMetrics::default());
        Self { policy, controls, roster, epoch: 0, windows, metrics }
    }

    /// The same bus with these controls.
    #[must_use]
    pub fn with_controls(self, controls: Controls) -> Self {
        Self { controls, ..self }
    }

    /// Goes on to `epoch` and forgets what can no longer be accepted.
    ///
    /// # Errors
    /// [`EpochBackwards`]; nothing changes.
    pub fn begin_epoch(&mut self, epoch: u64) -> Result<(), EpochBackwards> {
        if epoch < self.epoch {
            return Err(EpochBackwards { present: self.epoch, asked: epoch });
        }
        self.epoch = epoch;
        if self.controls.has(Control::Epoch) {
            let oldest = epoch.saturating_sub(self.policy.epoch_slack());
            self.windows = self.windows.split_off(&(oldest, 0));
        }
        Ok(())
    }

    /// Begins again at epoch 0, with nothing seen and nothing counted.
    pub fn reset(&mut self) {
        self.epoch = 0;
        self.windows.clear();
        self.metrics = BusMetrics::default();
    }

    /// Judges an envelope that came as JSON.
    ///
    /// # Errors
    /// [`Rejection`], [`Refusal::Malformed`] also where a field (the epoch, for instance) is missing or of the wrong type.
    pub fn receive_value(&mut self, value: &Value) -> Result<Accepted, Rejection> {
        match serde_json::from_value::<Envelope>(value.clone()) {
            Ok(envelope) => self.receive(&envelope),
            Err(why) => Err(self.refuse(Rejection::of_value(value, why.to_string()))),
        }
    }

    /// Judges an envelope.
    ///
    /// # Errors
    /// [`Rejection`]; apart from the counts nothing changes.
    pub fn receive(&mut self, envelope: &Envelope) -> Result<Accepted, Rejection> {
        self.admit(envelope, &OnceLock::new(), None)?;
        Ok(Accepted {
            sender_id: envelope.sender_id.clone(),
            nonce: envelope.nonce,
            epoch: envelope.epoch,
            message_type: envelope.message_type.clone(),
            payload: envelope.payload.clone(),
        })
    }

    /// Judges an envelope that many hear: the first bus that finds its signature and its payload good says so in `good`, and the
    /// others, which share its roster, need not look again. `me` is who hears it, where the payload says in `to` for whom it
    /// is. The sender's place in the roster.
    pub(crate) fn admit(
        &mut self,
        envelope: &Envelope,
        good: &OnceLock<()>,
        me: Option<AgentId>,
    ) -> Result<usize, Rejection> {
        match self.judge(envelope, good, me) {
            Ok(sender) => {
                let window = self.windows.entry(self.page(envelope.epoch, sender)).or_default();
                if self.controls.has(Control::Replay) {
                    window.record(envelope.nonce, self.policy.nonce_window());
                }
                if self.controls.has(Control::Order) {
                    window.advance(envelope.epoch, envelope.nonce);
                }
                self.metrics.accepted_count += 1;
                Ok(sender)
            }
            Err((refusal, really_from)) => Err(self.refuse(Rejection::of(envelope, refusal, really_from))),
        }
    }

    /// Turns away what came after too many others of one sender, unread.
    pub(crate) fn turn_away(&mut self, envelope: &Envelope, sender_id: &str) -> Rejection {
        let rejection = Rejection::of(envelope, Refusal::TooMany, None);
        self.refuse(Rejection { sender_id: sender_id.to_owned(), ..rejection })
    }

    /// Where what was accepted of a sender in an epoch is written down.
    const fn page(&self, epoch: u64, sender: usize) -> (u64, usize) {
        (if self.controls.has(Control::Epoch) { epoch } else { 0 }, sender)
    }

    /// The number of the sender, or why not and, of a forgery, who really signed.
    fn judge(
        &self,
        envelope: &Envelope,
        good: &OnceLock<()>,
        me: Option<AgentId>,
    ) -> Result<usize, (Refusal, Option<String>)> {
        let no = |refusal| Err((refusal, None));
        let to_be_verified = self.controls.has(Control::Signature) && good.get().is_none();
        if to_be_verified {
            let Ok(bytes) = envelope.signed_bytes() else { return no(Refusal::Malformed) };
            if !self.roster.verify(&envelope.sender_id, &envelope.signature, &bytes) {
                let really = self.roster.attribute(&envelope.signature, &bytes).map(str::to_owned);
                return Err((Refusal::Forged, really));
            }
        }
        let Some(sender) = self.roster.place(&envelope.sender_id) else { return no(Refusal::Forged) };
        // The sender signed it, so it is the sender's own mistake.
        if to_be_verified {
            if !envelope.payload_matches() {
                return no(Refusal::Malformed);
            }
            good.get_or_init(|| ());
        }
        let window = self.windows.get(&self.page(envelope.epoch, sender));
        if self.controls.has(Control::Replay) {
            match window.map_or(Seen::New, |window| window.look(envelope.nonce, self.policy.nonce_window())) {
                Seen::Before => return no(Refusal::Replayed),
                Seen::Unknown => return no(Refusal::NonceTooOld),
                Seen::New => {}
            }
        }
        let oldest = self.epoch.saturating_sub(self.policy.epoch_slack());
        if self.controls.has(Control::Epoch) && !(oldest..=self.epoch).contains(&envelope.epoch) {
            return no(Refusal::StaleEpoch);
        }
        if self.controls.has(Control::Order)
            && window.is_some_and(|window| window.has_newer(envelope.epoch, envelope.nonce))
        {
            return no(Refusal::NonceTooOld);
        }
        if let Some(me) = me.filter(|_| self.controls.has(Control::Recipient))
            && envelope.payload.get("to").and_then(Value::as_u64).is_some_and(|to| to != u64::from(me.0))
        {
            // Said to somebody else, and said again here.
            return no(Refusal::Replayed);
        }
        if !self.policy.allows_type(&envelope.message_type) {
            return no(Refusal::TypeNotAllowed);
        }
        if !self.policy.allows_sender(&envelope.sender_id) {
            return no(Refusal::SenderNotAllowed);
        }
        if self.policy.needs_countersign(&envelope.message_type) {
            match &envelope.countersign {
                None => return no(Refusal::CountersignMissing),
                Some(second) if !self.stands_by(second, envelope) => return no(Refusal::CountersignInvalid),
                Some(_) => {}
            }
        }
        Ok(sender)
    }

    fn stands_by(&self, second: &Countersign, envelope: &Envelope) -> bool {
        second.signer_id != envelope.sender_id
            && self.policy.allows_countersigner(&second.signer_id)
            && self.roster.verify(
                &second.signer_id,
                &second.signature,
                &Countersign::signed_bytes(&second.signer_id, envelope),
            )
    }

    fn refuse(&mut self, rejection: Rejection) -> Rejection {
        *self.metrics.refused_by_code.entry(rejection.code()).or_default() += 1;
        match rejection.refusal {
            Refusal::Forged => {
                self.metrics.invalid_sig_count += 1;
                self.metrics.spoof_attempt_count += u64::from(rejection.really_from.is_some());
            }
            Refusal::Replayed => self.metrics.replay_drop_count += 1,
            _ => {}
        }
        rejection
    }

    /// Which controls stand.
    #[must_use]
    pub const fn controls(&self) -> Controls {
        self.controls
    }

    /// The present epoch.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What was counted since the last reset.
    #[must_use]
    pub const fn metrics(&self) -> &BusMetrics {
        &self.metrics
    }

    /// How many windows of nonces are kept [count]: at most one for each sender and accepted epoch.
    #[must_use]
    pub fn windows_kept(&self) -> usize {
        self.windows.len()
    }
}

#[cfg(test)]
mod tests;

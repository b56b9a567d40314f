//! A refused message, as evidence.

use crate::codes;
use crate::identity::Envelope;
use serde_json::{Value, json};

/// Why a message is refused. Each cause has a reason code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// A field is missing or of the wrong type, or the payload is not what its hash says.
    Malformed,
    /// The signature is not the sender's, or nobody knows the sender.
    Forged,
    /// The sender has used this nonce in this epoch.
    Replayed,
    /// The nonce lies before the window that is remembered, or before what was heard of the sender in this epoch.
    NonceTooOld,
    /// It is of an epoch that is over, or that has not begun.
    StaleEpoch,
    /// This bus has no such messages.
    TypeNotAllowed,
    /// The sender may not speak here.
    SenderNotAllowed,
    /// It needs a second signature.
    CountersignMissing,
    /// The second signature is wrong, the sender's own, or of somebody who may not give it.
    CountersignInvalid,
    /// Too many came this way in this epoch; nobody has looked at the signature.
    TooMany,
}

impl Refusal {
    /// Its reason code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => codes::COORD_MESSAGE_MALFORMED,
            Self::Forged => codes::COORD_SIGNATURE_INVALID,
            Self::Replayed => codes::COORD_REPLAY_DETECTED,
            Self::NonceTooOld => codes::COORD_NONCE_TOO_OLD,
            Self::StaleEpoch => codes::COORD_EPOCH_STALE,
            Self::TypeNotAllowed => codes::COORD_MESSAGE_TYPE_NOT_ALLOWED,
            Self::SenderNotAllowed => codes::COORD_SENDER_NOT_AUTHORIZED,
            Self::CountersignMissing => codes::COORD_COUNTERSIGN_MISSING,
            Self::CountersignInvalid => codes::COORD_COUNTERSIGN_INVALID,
            Self::TooMany => codes::RATE_LIMITED,
        }
    }
}

/// A refused message: what it said it was, and why it is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub refusal: Refusal,
    /// The sender that it names; of a forgery not the one who sent it.
    pub sender_id: String,
    /// The kind that it names.
    pub message_type: String,
    /// The nonce that it names; `None` when that is no number.
    pub nonce: Option<u64>,
    /// Of a forgery: whose signature it carries, if it is anybody's.
    pub really_from: Option<String>,
    /// What is wrong with the form, for a reader.
    pub detail: Option<String>,
}

impl Rejection {
    pub(super) fn of(envelope: &Envelope, refusal: Refusal, really_from: Option<String>) -> Self {
        Self {
            refusal,
            sender_id: envelope.sender_id.clone(),
            message_type: envelope.message_type.clone(),
            nonce: Some(envelope.nonce),
            really_from,
            detail: None,
        }
    }

    /// What was signed well and says nothing that could be read: its sender's own mistake.
    pub(crate) fn unreadable(envelope: &Envelope) -> Self {
        Self::of(envelope, Refusal::Malformed, None)
    }

    /// What is no envelope at all.
    pub(crate) fn no_envelope() -> Self {
        Self::of_value(&Value::Null, "it is no envelope".to_owned())
    }

    pub(super) fn of_value(value: &Value, detail: String) -> Self {
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            refusal: Refusal::Malformed,
            sender_id: text("sender_id"),
            message_type: text("message_type"),
            nonce: value.get("nonce").and_then(Value::as_u64),
            really_from: None,
            detail: Some(detail),
        }
    }

    /// Its reason code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.refusal.code()
    }

    /// Whom it speaks against: of a forgery whoever's signature it bears, else whoever signed it; of what nobody could read
    /// nobody. Whoever is only named by something false must not be blamed for it.
    #[must_use]
    pub fn blamed(&self) -> Option<&str> {
        match self.refusal {
            Refusal::Forged => self.really_from.as_deref(),
            Refusal::Malformed if self.detail.is_some() => None,
            _ => Some(&self.sender_id),
        }
    }

    /// The fragment for the results of a step:
    /// `{violations: [{reason_code, invariant_id, status}], emits, coord_violation_payload: {reason_code, sender_id,
    /// message_type, nonce}}`, and in the payload `really_from` where a forger is known.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let code = self.code();
        let mut payload = json!({
            "reason_code": code, "sender_id": self.sender_id, "message_type": self.message_type, "nonce": self.nonce,
        });
        if let Some(really) = &self.really_from {
            payload["really_from"] = json!(really);
        }
        json!({
            "violations": [{"reason_code": code, "invariant_id": code, "status": "VIOLATION"}],
            "emits": [code],
            "coord_violation_payload": payload,
        })
    }
}

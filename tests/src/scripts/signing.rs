//! Keys of the scripts' people, and what can go wrong with a signature.

use labtrust_plugin::lab::Engine;
use labtrust_trust::canonical::to_canonical_vec;
use labtrust_trust::keys::Signer;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The key of an agent in scripts that bring keys.
#[must_use]
pub fn key_of(agent: &str) -> String {
    format!("script:{agent}")
}

/// The signer of a key: its seed follows from its id, as that of every test key.
#[must_use]
pub fn signer_of(key_id: &str) -> Signer {
    Signer::from_seed(Sha256::digest(format!("labtrust test key {key_id}")).into())
}

/// What goes wrong with a signature.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Tamper {
    /// Nothing.
    #[default]
    Nothing,
    /// One bit of the signature is another.
    SignatureBit(u16),
    /// One bit of the payload was another when it was signed: the number counts through all of them.
    PayloadBit(u16),
    /// The event names this key; the signature is by the step's own.
    ClaimsKey(String),
    /// The event names its key and has no signature.
    NoSignature,
    /// The event has a signature and names no key.
    NoKey,
    /// The signature is this text.
    Text(String),
}

impl Tamper {
    /// The event, signed with `key_id` as far as this lets it.
    pub(super) fn signed(
        &self,
        event: &Map<String, Value>,
        key_id: &str,
        engine: &mut dyn Engine,
    ) -> Map<String, Value> {
        let mut event = event.clone();
        let mut named = key_id.to_owned();
        if let Self::ClaimsKey(other) = self {
            named.clone_from(other);
        }
        countersign(&mut event, &named);
        if *self != Self::NoKey {
            event.insert("key_id".into(), Value::from(named));
        }
        if *self == Self::NoSignature {
            return event;
        }
        // What is no event cannot be signed; it stays as it is.
        let Some(mut payload) = engine.signing_payload(&event) else { return event };
        if let Self::PayloadBit(bit) = *self {
            let bit = usize::from(bit) % (payload.len() * 8);
            payload[bit / 8] ^= 1 << (bit % 8);
        }
        let signature = match self {
            Self::Text(text) => text.clone(),
            Self::SignatureBit(bit) => flip_base64(&signer_of(key_id).sign_b64(&payload), usize::from(*bit)),
            _ => signer_of(key_id).sign_b64(&payload),
        };
        event.insert("signature".into(), Value::from(signature));
        event
    }
}

/// Has the approvers of a token sign, who are named beside the one who asks for it. Whoever asks signs the event.
fn countersign(event: &mut Map<String, Value>, own_key: &str) {
    let Some(args) =
        event.get("args").and_then(Value::as_object).filter(|_| event.get("action_type") == Some(&json!("MINT_TOKEN")))
    else {
        return;
    };
    let reason = args.get("reason_code").filter(|reason| !reason.is_null()).or(event.get("reason_code"));
    let mut request = json!({
        "reason_code": reason, "requester_agent_id": event.get("agent_id"), "t_s": event.get("t_s"),
        "subject_id": args.get("subject_id"), "subject_type": args.get("subject_type"), "token_type": args.get("token_type"),
    });
    let Some(Value::Array(mut approvals)) = args.get("approvals").cloned() else { return };
    for approval in &mut approvals {
        let Some(agent) = approval.get("approver_agent_id").and_then(Value::as_str).map(str::to_owned) else {
            continue;
        };
        let own = event.get("agent_id").and_then(Value::as_str) == Some(&agent);
        let key = if own { own_key.to_owned() } else { key_of(&agent) };
        approval["approver_key_id"] = json!(key);
        if !own {
            request["approver_agent_id"] = json!(agent);
            request["approver_key_id"] = json!(key);
            let Ok(payload) = to_canonical_vec(&request) else { continue };
            approval["signature"] = json!(signer_of(&key).sign_b64(&payload));
        }
    }
    event["args"]["approvals"] = json!(approvals);
}

/// The same 64 bytes in base64 with one bit changed. The last of the 86 digits holds four bits that are not used.
fn flip_base64(text: &str, bit: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = bit % 512;
    let mut bytes = text.as_bytes().to_vec();
    let (digit, place) = (bit / 6, 5 - bit % 6);
    let value = DIGITS.iter().position(|&known| known == bytes[digit]).unwrap_or(0) ^ (1 << place);
    bytes[digit] = DIGITS[value];
    String::from_utf8_lossy(&bytes).into_owned()
}

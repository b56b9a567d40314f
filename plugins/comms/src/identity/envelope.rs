//! The signed message.

use super::IdentityError;
use crate::hash::canonical_prefix;
use labtrust_trust::canonical::{CanonicalError, write_str, write_u64, write_value};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a worker wants to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Not used before by this sender in this epoch.
    pub nonce: u64,
    /// The step in which it is said.
    pub epoch: u64,
    /// Its kind, `BID` for instance.
    pub message_type: String,
    /// Its content.
    pub payload: Value,
}

/// A message with its sender and the sender's signature.
///
/// The signature is Ed25519 over the canonical JSON of the envelope without `signature` and `countersign`, the second
/// because it is added later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// Who says it.
    pub sender_id: String,
    /// Not used before by this sender in this epoch.
    pub nonce: u64,
    /// The step in which it was said.
    pub epoch: u64,
    /// Its kind.
    pub message_type: String,
    /// Its content.
    pub payload: Value,
    /// First 32 hex digits of the SHA-256 of the payload's canonical JSON.
    pub payload_hash: String,
    /// Standard base64.
    pub signature: String,
    /// Who else stands by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub countersign: Option<Countersign>,
}

/// A second signature, under the first one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Countersign {
    /// Who stands by the envelope; never its sender.
    pub signer_id: String,
    /// Ed25519 over the canonical JSON of `{"countersigns": <signature of the envelope>, "signer_id": ..}`, base64.
    pub signature: String,
}

impl Envelope {
    pub(super) fn unsigned(sender_id: &str, message: Message) -> Result<Self, IdentityError> {
        let Message { nonce, epoch, message_type, payload } = message;
        let payload_hash = canonical_prefix(&payload, 32)?;
        let (sender_id, signature) = (sender_id.to_owned(), String::new());
        Ok(Self { sender_id, nonce, epoch, message_type, payload, payload_hash, signature, countersign: None })
    }

    /// The bytes under the signature.
    ///
    /// # Errors
    /// [`CanonicalError`] for numbers without canonical text.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(b"{\"epoch\":");
        write_u64(&mut out, self.epoch);
        out.extend_from_slice(b",\"message_type\":");
        write_str(&mut out, &self.message_type);
        out.extend_from_slice(b",\"nonce\":");
        write_u64(&mut out, self.nonce);
        out.extend_from_slice(b",\"payload\":");
        write_value(&mut out, &self.payload)?;
        out.extend_from_slice(b",\"payload_hash\":");
        write_str(&mut out, &self.payload_hash);
        out.extend_from_slice(b",\"sender_id\":");
        write_str(&mut out, &self.sender_id);
        out.push(b'}');
        Ok(out)
    }

    /// Whether `payload_hash` is the hash of the payload.
    #[must_use]
    pub fn payload_matches(&self) -> bool {
        canonical_prefix(&self.payload, 32).is_ok_and(|hash| hash == self.payload_hash)
    }
}

impl Countersign {
    pub(crate) fn signed_bytes(signer_id: &str, envelope: &Envelope) -> Vec<u8> {
        let mut out = b"{\"countersigns\":".to_vec();
        write_str(&mut out, &envelope.signature);
        out.extend_from_slice(b",\"signer_id\":");
        write_str(&mut out, signer_id);
        out.push(b'}');
        out
    }
}

impl crate::network::Wire for Envelope {
    /// The length of its canonical JSON [B], with the signatures.
    fn wire_bytes(&self) -> u32 {
        let body = self.signed_bytes().map_or(0, |bytes| bytes.len());
        let second = self.countersign.as_ref().map_or(0, |second| {
            let mut id = Vec::new();
            write_str(&mut id, &second.signer_id);
            // `,"countersign":{"signature":"","signer_id":}`
            id.len() + second.signature.len() + 44
        });
        // `,"signature":""`
        u32::try_from(body + self.signature.len() + 15 + second).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::KeyHandle;
    use crate::network::Wire as _;
    use labtrust_trust::canonical::to_canonical_vec;
    use serde_json::json;

    #[test]
    fn what_is_signed_and_counted_is_the_canonical_json_of_the_envelope() {
        let worker = KeyHandle::derive(42, "wörker \"0\"").unwrap();
        let payload = json!({"z": 1.5, "a": ["é", null]});
        let envelope = worker.sign(Message { nonce: 1, epoch: 2, message_type: "BID".into(), payload }).unwrap();
        let whole = serde_json::to_value(&envelope).unwrap();
        assert_eq!(envelope.wire_bytes() as usize, to_canonical_vec(&whole).unwrap().len());
        let mut object = whole.as_object().unwrap().clone();
        object.remove("signature");
        assert_eq!(envelope.signed_bytes().unwrap(), to_canonical_vec(&Value::Object(object)).unwrap());
        let mut twice = envelope.clone();
        twice.countersign = Some(KeyHandle::derive(42, "worker_1").unwrap().countersign(&envelope));
        let whole = to_canonical_vec(&serde_json::to_value(&twice).unwrap()).unwrap();
        assert_eq!(twice.wire_bytes() as usize, whole.len());
    }
}

//! DSSE envelopes with in-toto statements: who says so about which files, in a form that others' tools read.

use crate::digest::sha256;
use crate::note::{Signer, Verifier};
use crate::strict;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labtrust_trust::canonical::to_canonical_vec;
use serde_json::{Value, json};

/// Type of the payload of an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Type of the statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// Why an envelope cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DsseError {
    /// It is no envelope of ours.
    #[error("not a DSSE envelope of an in-toto statement: {0}")]
    Form(&'static str),
    /// No signature of the key holds.
    #[error("SIG_INVALID")]
    BadSignature,
}

/// What is signed: the pre-authentication encoding of type and payload.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// An in-toto statement about files, canonical.
#[must_use]
pub fn statement(subjects: &[(&str, &[u8])], predicate_type: &str, predicate: &Value) -> Vec<u8> {
    let subject = |(name, bytes): &(&str, &[u8])| json!({ "name": name, "digest": { "sha256": sha256(bytes) } });
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": subjects.iter().map(subject).collect::<Vec<_>>(),
        "predicateType": predicate_type,
        "predicate": predicate,
    });
    to_canonical_vec(&statement).unwrap_or_else(|_| unreachable!("predicates hold no floats"))
}

/// A signed statement, canonical.
#[must_use]
pub fn sign(statement: &[u8], signer: &Signer) -> Vec<u8> {
    let envelope = json!({
        "payloadType": PAYLOAD_TYPE,
        "payload": STANDARD.encode(statement),
        "signatures": [{ "keyid": signer.verifier().to_string(), "sig": signer.sign(&pae(PAYLOAD_TYPE, statement)) }],
    });
    to_canonical_vec(&envelope).unwrap_or_else(|_| unreachable!("it holds only texts"))
}

/// An envelope that was read: the statement, and who is said to have signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The statement, canonical JSON.
    pub statement: Vec<u8>,
    /// The key that the envelope names.
    pub key: Verifier,
    signature: String,
}

impl Envelope {
    /// Reads an envelope with one signature, whose key id is the key itself in the notation of signed notes.
    ///
    /// # Errors
    /// [`DsseError::Form`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DsseError> {
        let wrong = |what| Err(DsseError::Form(what));
        if strict::check(bytes).is_err() {
            return wrong("it is not canonical JSON");
        }
        let envelope: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let Some(map) = envelope.as_object().filter(|map| map.len() == 3) else { return wrong("it has three keys") };
        if map.get("payloadType").and_then(Value::as_str) != Some(PAYLOAD_TYPE) {
            return wrong("its payload is no in-toto statement");
        }
        let payload = map.get("payload").and_then(Value::as_str).and_then(|text| STANDARD.decode(text).ok());
        let Some(statement) = payload else { return wrong("its payload is not base64") };
        if strict::check(&statement).is_err() {
            return wrong("its statement is not canonical JSON");
        }
        let Some([one]) = map.get("signatures").and_then(Value::as_array).map(Vec::as_slice) else {
            return wrong("it should have one signature");
        };
        let text = |key: &str| one.get(key).and_then(Value::as_str);
        let (Some(key), Some(signature)) = (text("keyid"), text("sig")) else {
            return wrong("a signature has keyid and sig");
        };
        if one.as_object().is_none_or(|map| map.len() != 2) {
            return wrong("a signature has keyid and sig, and nothing else");
        }
        let Ok(key) = Verifier::parse(key) else { return wrong("its keyid is no verifier key") };
        Ok(Self { statement, key, signature: signature.to_owned() })
    }

    /// Whether the signature is that of the key that the envelope names.
    ///
    /// # Errors
    /// [`DsseError::BadSignature`].
    pub fn verify(&self) -> Result<(), DsseError> {
        let good = self.key.holds(&pae(PAYLOAD_TYPE, &self.statement), &self.signature);
        if good { Ok(()) } else { Err(DsseError::BadSignature) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the protocol.
    #[test]
    fn the_published_example_has_its_published_encoding() {
        let bytes = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(bytes, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    }

    #[test]
    fn every_flipped_bit_of_an_envelope_is_noticed() {
        let signer = Signer::from_seed("example.org/key", &[1; 32], false).unwrap();
        let statement = statement(&[("a", b"abc")], "https://example.org/p", &json!({ "size": 1 }));
        let envelope = sign(&statement, &signer);
        let good = |bytes: &[u8]| {
            Envelope::parse(bytes).is_ok_and(|envelope| envelope.verify().is_ok() && envelope.key == signer.verifier())
        };
        assert!(good(&envelope));
        for bit in 0..envelope.len() * 8 {
            let mut flipped = envelope.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!good(&flipped), "bit {bit}");
        }
    }
}

//! Who speaks: keys of workers, and the envelopes that they sign.
//!
//! A worker signs through a [`KeyHandle`] of its own, which writes its own id into every envelope: a worker can sign
//! only as itself. Whoever verifies needs public keys only, a [`Roster`]. Nothing here holds two private keys.
//!
//! A private seed is SHA-256(`<decimal master seed>` NUL `<worker id>`), so whoever knows the master seed is everybody.
//! It belongs to whoever starts the episode; methods are given handles.

mod envelope;
mod roster;
mod signature;

pub use envelope::{Countersign, Envelope, Message};
use roster::Made;
pub use roster::Roster;
pub use signature::Signature;

use labtrust_trust::canonical::CanonicalError;
use labtrust_trust::keys::Signer;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Why a key, a roster or an envelope cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Somebody without a name.
    #[error("a worker id is empty; every worker that signs needs a name")]
    EmptyId,
    /// Two keys of one name.
    #[error("the worker `{0}` is in the roster twice; one worker has one key")]
    Twice(String),
    /// A public key that verifies nothing.
    #[error("the public key of `{0}` is not 32 bytes of a usable Ed25519 key in base64")]
    UnusableKey(String),
    /// The payload holds a number without canonical text.
    #[error("the payload cannot be signed: {0}")]
    Payload(#[from] CanonicalError),
}

/// The private key of one worker. It signs as that worker and as nobody else.
#[derive(Debug)]
pub struct KeyHandle {
    worker_id: String,
    signer: Signer,
    /// Place in a roster that wants to know what is signed.
    entered: Option<(usize, Arc<Made>)>,
}

impl KeyHandle {
    /// The key of `worker_id` under a master seed.
    ///
    /// # Errors
    /// [`IdentityError::EmptyId`].
    pub fn derive(master_seed: u64, worker_id: &str) -> Result<Self, IdentityError> {
        if worker_id.trim().is_empty() {
            return Err(IdentityError::EmptyId);
        }
        let signer = Signer::from_seed(private_seed(master_seed, worker_id));
        Ok(Self { worker_id: worker_id.to_owned(), signer, entered: None })
    }

    /// The same key, whose signatures `roster` knows without verifying them, if it is the key that the roster has under this
    /// name. Nothing that anybody sees changes.
    #[must_use]
    pub fn entered_in(self, roster: &Roster) -> Self {
        let place = roster.place(&self.worker_id);
        let own = place.filter(|place| roster.public_key(*place) == Some(&self.public_key_b64()));
        Self { entered: own.map(|place| (place, roster.made())), ..self }
    }

    /// Its place in this roster, if it is [entered](Self::entered_in) there.
    fn place_in(&self, roster: &Roster) -> Option<usize> {
        let (place, made) = self.entered.as_ref()?;
        Arc::ptr_eq(made, &roster.made()).then_some(*place)
    }

    fn sign_and_enter(&self, bytes: &[u8]) -> String {
        let signature = self.signer.sign_b64(bytes);
        if let Some((place, made)) = &self.entered {
            made.enter(*place, &signature, bytes);
        }
        signature
    }

    /// Whose key it is.
    #[must_use]
    pub fn worker_id(&self) -> &str {
        &self.worker_id
    }

    /// The public key, standard base64.
    #[must_use]
    pub fn public_key_b64(&self) -> String {
        self.signer.public_b64()
    }

    /// Puts `message` into an envelope of this worker and signs it.
    ///
    /// # Errors
    /// [`IdentityError::Payload`].
    pub fn sign(&self, message: Message) -> Result<Envelope, IdentityError> {
        let envelope = Envelope::unsigned(&self.worker_id, message)?;
        let signature = self.sign_and_enter(&envelope.signed_bytes()?);
        Ok(Envelope { signature, ..envelope })
    }

    /// Says that this worker stands by an envelope of somebody else.
    #[must_use]
    pub fn countersign(&self, envelope: &Envelope) -> Countersign {
        let signature = self.sign_and_enter(&Countersign::signed_bytes(&self.worker_id, envelope));
        Countersign { signer_id: self.worker_id.clone(), signature }
    }

    /// Signs bytes that another protocol has laid out, standard base64. They must begin with a word of that protocol, so
    /// that no signature can be taken for one of another kind; canonical JSON, which envelopes sign, begins with `{`.
    #[must_use]
    pub fn sign_bytes(&self, bytes: &[u8]) -> String {
        debug_assert!(bytes.first() != Some(&b'{'), "this could be an envelope");
        self.sign_and_enter(bytes)
    }
}

fn private_seed(master_seed: u64, worker_id: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(master_seed.to_string().as_bytes());
    hash.update([0]);
    hash.update(worker_id.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_private_seed_is_the_published_one() {
        let hex: String = private_seed(42, "worker_0").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "53262c83012ae41b781c47ffac5050473ceb64a821b73487b0c71944a557a6b6");
    }

    #[test]
    fn public_keys_and_an_envelope_are_the_published_ones() {
        let worker = KeyHandle::derive(42, "worker_0").unwrap();
        assert_eq!(worker.public_key_b64(), "eJ8ZCrnlcdE7Gx5f3359MxfTvvAZJne+83IZ342Gr3c=");
        let other = KeyHandle::derive(42, "worker_1").unwrap();
        assert_eq!(other.public_key_b64(), "5zmLEZz1VWMzBoZKmmWFBDeysWhaS4d1xdByvse3nH8=");
        let message = Message { nonce: 7, epoch: 3, message_type: "BID".into(), payload: json!({"value": 10}) };
        let envelope = worker.sign(message).unwrap();
        assert_eq!(envelope.payload_hash, "a9c584f4ba45a8095ab3c1dc364c168e");
        assert_eq!(
            envelope.signature,
            "viUqA5YVozO1U+vwVYiu2ibPAnxddnmzyZg6cWBE4nXeDuRQ/oOYdSYR873zwZgO2CwFKlfFD+ViBxxshS3/Dw=="
        );
    }

    #[test]
    fn nobody_has_an_empty_name() {
        assert_eq!(KeyHandle::derive(1, " ").unwrap_err(), IdentityError::EmptyId);
    }

    #[test]
    fn a_key_does_not_print_its_secret() {
        let seed: String = private_seed(42, "worker_0").iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = format!("{:?}", KeyHandle::derive(42, "worker_0").unwrap());
        assert!(shown.contains("worker_0") && !shown.contains(&seed[..8]), "{shown}");
    }
}

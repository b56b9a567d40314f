//! A signature that is made when somebody looks at it.

use super::{KeyHandle, Roster};
use crate::network::Wire;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::{Arc, OnceLock};

/// Bytes of an Ed25519 signature in standard base64 [B].
const LENGTH: u32 = 88;

/// An Ed25519 signature in standard base64; copies share it.
///
/// One that a key here makes is not computed before somebody looks at it, an adversary on the network for instance: who made it, and over
/// what, is known, and to compute it in order to find the same would cost more than all else that is done with a vote.
#[derive(Clone, Debug)]
pub struct Signature(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: OnceLock<String>,
    by: Option<(Arc<KeyHandle>, Box<[u8]>)>,
}

impl Signature {
    /// The signature of a key over bytes that another protocol has laid out, see [`KeyHandle::sign_bytes`].
    #[must_use]
    pub fn by(handle: Arc<KeyHandle>, bytes: &[u8]) -> Self {
        Self(Arc::new(Inner { text: OnceLock::new(), by: Some((handle, bytes.into())) }))
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        let made = || self.0.by.as_ref().map(|(handle, bytes)| handle.sign_bytes(bytes)).unwrap_or_default();
        self.0.text.get_or_init(made)
    }

    /// Whether it is that of the worker at a place of `roster` over `bytes`.
    #[must_use]
    pub fn is_of(&self, roster: &Roster, place: usize, bytes: &[u8]) -> bool {
        if let Some((handle, over)) = &self.0.by
            && let Some(entered) = handle.place_in(roster)
        {
            return entered == place && **over == *bytes;
        }
        roster.worker_id(place).is_some_and(|id| roster.verify(id, self.text(), bytes))
    }
}

impl From<String> for Signature {
    fn from(text: String) -> Self {
        Self(Arc::new(Inner { text: OnceLock::from(text), by: None }))
    }
}

impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.text() == other.text()
    }
}

impl Eq for Signature {}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::from)
    }
}

impl Wire for Signature {
    fn wire_bytes(&self) -> u32 {
        match &self.0.by {
            Some(_) => LENGTH,
            None => u32::try_from(self.text().len()).unwrap_or(u32::MAX),
        }
    }

    fn canonical_len(&self) -> Option<usize> {
        // With its quotes.
        self.0.by.as_ref().map(|_| LENGTH as usize + 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_that_nobody_has_looked_at_is_what_it_is_when_somebody_does() {
        let handles: Vec<_> = (0..2).map(|n| KeyHandle::derive(42, &format!("worker_{n}")).unwrap()).collect();
        let roster = Roster::of(&handles).unwrap();
        let stranger = Arc::new(KeyHandle::derive(43, "worker_0").unwrap().entered_in(&roster));
        let signed = |handle: &Arc<KeyHandle>| Signature::by(Arc::clone(handle), b"vote 1");
        let own: Vec<Arc<KeyHandle>> = handles.into_iter().map(|handle| Arc::new(handle.entered_in(&roster))).collect();
        for handle in own.iter().chain([&stranger]) {
            // As it is, and as whoever reads it from the wire has it.
            let (made, read) = (signed(handle), Signature::from(signed(handle).text().to_owned()));
            assert_eq!(made.wire_bytes(), read.wire_bytes());
            assert_eq!(made.canonical_len().unwrap(), serde_json::to_string(&made).unwrap().len());
            assert_eq!(serde_json::from_value::<Signature>(serde_json::to_value(&made).unwrap()).unwrap(), read);
            for place in 0..3 {
                for bytes in [b"vote 1", b"vote 2"] {
                    let good = own.get(place).is_some_and(|own| Arc::ptr_eq(own, handle)) && bytes == b"vote 1";
                    assert_eq!(made.is_of(&roster, place, bytes), good);
                    assert_eq!(read.is_of(&roster, place, bytes), good);
                }
            }
        }
        assert_ne!(signed(&own[0]), signed(&own[1]));
    }
}

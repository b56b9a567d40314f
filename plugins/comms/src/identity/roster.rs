//! Public keys by worker id.

use super::{IdentityError, KeyHandle};
use labtrust_kernel::Symbols;
use labtrust_trust::keys::{KeyEntry, KeyPolicy, KeyRegistry};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};

/// Who may speak, and how to know that it is them. Verification is the strict one of [`KeyRegistry`].
#[derive(Clone, Debug, Default)]
pub struct Roster {
    keys: KeyRegistry,
    symbols: Symbols,
    ids: Vec<String>,
    /// The public keys, standard base64, by place.
    public: Vec<String>,
    memo: Memo,
    attributed: Attributed,
    made: Arc<Made>,
}

/// Most judgements that are remembered [count].
const MOST_JUDGED: usize = 1 << 16;

/// Most forgeries that are attributed [count]. To attribute one costs a look at every key, and whoever forges pays nothing: a
/// flood of forgeries must not use up the time of those who judge. They are all refused.
const MOST_ATTRIBUTED: usize = 16;

/// The signatures that keys of a roster made themselves, where they are [entered](KeyHandle::entered_in): whose, and over what.
/// To verify one costs more than making it did, and would find the same: strict Ed25519 accepts a signature under the key that made
/// it and over what it was made for, and under no other key and over nothing else (Brendel et al., IEEE S&P 2021). So a
/// letter that was changed on its way is refused by a look, too. Signatures that nobody here made are verified.
#[derive(Debug, Default)]
pub(super) struct Made(Mutex<FxHashMap<String, (usize, [u8; 32])>>);

impl Made {
    pub(super) fn enter(&self, place: usize, signature: &str, bytes: &[u8]) {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= MOST_JUDGED {
            made.clear();
        }
        made.insert(signature.to_owned(), (place, Sha256::digest(bytes).into()));
    }

    /// Whose signature over `bytes` it is: nobody's where it was made for something else. `None` of one that is not known.
    fn look_up(&self, signature: &str, bytes: &[u8]) -> Option<Option<usize>> {
        let made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (place, of) = made.get(signature)?;
        Some((Sha256::digest(bytes).as_slice() == of).then_some(*place))
    }
}

/// Whose the forgeries really are that were attributed before: many hear the same one.
#[derive(Debug, Default)]
struct Attributed(Mutex<FxHashMap<[u8; 32], Option<usize>>>);

impl Clone for Attributed {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What was judged before: one signed message is heard by many, and judging it costs more than all else together. A judgement
/// depends on nothing but what is judged, so nobody can tell who came first.
#[derive(Debug, Default)]
struct Memo(Mutex<FxHashMap<[u8; 32], bool>>);

impl Clone for Memo {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Memo {
    fn judge(&self, worker_id: &str, signature: &str, bytes: &[u8], judge: impl FnOnce() -> bool) -> bool {
        let what = digest([worker_id.as_bytes(), signature.as_bytes(), bytes]);
        // Where somebody panicked with it in hand it holds whole judgements all the same.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_JUDGED {
            known.clear();
        }
        *known.entry(what).or_insert_with(judge)
    }
}

/// A digest of parts that cannot be cut in another way.
fn digest(parts: [&[u8]; 3]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Roster {
    /// The roster of these workers.
    ///
    /// # Errors
    /// [`IdentityError::Twice`].
    pub fn of<'a>(handles: impl IntoIterator<Item = &'a KeyHandle>) -> Result<Self, IdentityError> {
        Self::from_public_keys(
            handles.into_iter().map(|handle| (handle.worker_id().to_owned(), handle.public_key_b64())),
        )
    }

    /// The roster of (worker id, public key in standard base64).
    ///
    /// # Errors
    /// [`IdentityError`] for an empty id, an id that comes twice, a key that cannot be used.
    pub fn from_public_keys(keys: impl IntoIterator<Item = (String, String)>) -> Result<Self, IdentityError> {
        let mut symbols = Symbols::default();
        let (mut ids, mut public, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for (id, key) in keys {
            if id.trim().is_empty() {
                return Err(IdentityError::EmptyId);
            }
            if symbols.get(&id).is_some() {
                return Err(IdentityError::Twice(id));
            }
            symbols.intern(&id);
            entries.push(KeyEntry::active(&id, &key, &id, "worker"));
            ids.push(id);
            public.push(key);
        }
        // One at a time: the registry's warnings do not say which entry they are about in a form for programs.
        let mut registry = KeyRegistry::default();
        for entry in entries {
            let one =
                KeyRegistry::compile(&KeyPolicy { version: String::new(), keys: vec![entry.clone()] }, &mut symbols);
            if !one.warnings().is_empty() {
                return Err(IdentityError::UnusableKey(entry.key_id));
            }
            registry.overlay([&entry], &mut symbols);
        }
        Ok(Self { keys: registry, symbols, ids, public, ..Self::default() })
    }

    /// Whether `signature` is of `worker_id` over `bytes`. Unknown workers have signed nothing.
    #[must_use]
    pub fn verify(&self, worker_id: &str, signature: &str, bytes: &[u8]) -> bool {
        let Some(key) = self.symbols.get(worker_id) else { return false };
        if let Some(whose) = self.made.look_up(signature, bytes) {
            return whose == Some(key.index());
        }
        self.memo.judge(worker_id, signature, bytes, || self.keys.verify_bytes(key, signature, 0, bytes).passed)
    }

    /// Whose signature over `bytes` it really is. One that was made here is known; of others every key is tried, for the first few
    /// that are asked about.
    #[must_use]
    pub fn attribute(&self, signature: &str, bytes: &[u8]) -> Option<&str> {
        if let Some(whose) = self.made.look_up(signature, bytes) {
            return self.worker_id(whose?);
        }
        let what = digest([b"", signature.as_bytes(), bytes]);
        let mut known = self.attributed.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = known.len() >= MOST_ATTRIBUTED;
        let place = match known.get(&what) {
            Some(place) => *place,
            None if full => None,
            None => {
                let place = self.ids.iter().position(|id| self.verify(id, signature, bytes));
                known.insert(what, place);
                place
            }
        };
        self.worker_id(place?)
    }

    /// The public key with a number, as it was given.
    pub(super) fn public_key(&self, place: usize) -> Option<&str> {
        self.public.get(place).map(String::as_str)
    }

    pub(super) fn made(&self) -> Arc<Made> {
        Arc::clone(&self.made)
    }

    /// Whether the worker has a key here.
    #[must_use]
    pub fn contains(&self, worker_id: &str) -> bool {
        self.place(worker_id).is_some()
    }

    /// Its number in the order of the roster.
    #[must_use]
    pub fn place(&self, worker_id: &str) -> Option<usize> {
        self.symbols.get(worker_id).map(|symbol| symbol.index()).filter(|place| *place < self.ids.len())
    }

    /// The worker with a number.
    #[must_use]
    pub fn worker_id(&self, place: usize) -> Option<&str> {
        self.ids.get(place).map(String::as_str)
    }

    /// How many workers [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handles() -> [KeyHandle; 3] {
        ["worker_0", "worker_1", "worker_2"].map(|id| KeyHandle::derive(42, id).unwrap())
    }

    #[test]
    fn a_signature_verifies_as_its_worker_only_and_is_attributed_to_it() {
        let handles = handles();
        let roster = Roster::of(&handles).unwrap();
        let signature = handles[1].sign_bytes(b"bytes");
        let verifies: Vec<bool> =
            ["worker_0", "worker_1", "worker_2", "worker_3"].map(|id| roster.verify(id, &signature, b"bytes")).into();
        assert_eq!(verifies, [false, true, false, false]);
        assert_eq!(roster.attribute(&signature, b"bytes"), Some("worker_1"));
        assert_eq!(roster.attribute(&signature, b"other"), None);
        assert_eq!((roster.place("worker_2"), roster.place("worker")), (Some(2), None));
    }

    #[test]
    fn who_looks_it_up_and_who_calculates_find_the_same() {
        let (known, stranger) = (Roster::of(&handles()).unwrap(), Roster::of(&handles()).unwrap());
        let made = handles().map(|handle| handle.entered_in(&known));
        let thief = KeyHandle::derive(7, "worker_0").unwrap().entered_in(&known);
        assert!(thief.entered.is_none() && made.iter().all(|key| key.entered.is_some()));
        for (bytes, other) in [(&b"bytes"[..], &b"byteS"[..]), (b"", b"b")] {
            let signatures: Vec<String> = made.iter().chain([&thief]).map(|key| key.sign_bytes(bytes)).collect();
            for signature in &signatures {
                for said in [bytes, other] {
                    for id in ["worker_0", "worker_1", "worker_2", "worker_3"] {
                        assert_eq!(known.verify(id, signature, said), stranger.verify(id, signature, said), "{id}");
                    }
                    assert_eq!(known.attribute(signature, said), stranger.attribute(signature, said));
                }
            }
        }
    }

    #[test]
    fn a_roster_refuses_doubles_and_keys_that_verify_nothing() {
        let handles = [KeyHandle::derive(1, "a").unwrap(), KeyHandle::derive(2, "a").unwrap()];
        assert_eq!(Roster::of(&handles).unwrap_err(), IdentityError::Twice("a".into()));
        let weak = [("a".to_owned(), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned())];
        assert_eq!(Roster::from_public_keys(weak).unwrap_err(), IdentityError::UnusableKey("a".into()));
    }
}

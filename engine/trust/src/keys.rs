//! The key registry: whose public key speaks for whom, when.
//!
//! Verification is Ed25519 in its strict form (`verify_strict`): keys and commitments of small order are refused.
//! Under the lax form whoever registers a small-order key can present one signature that verifies for many messages,
//! and an audit trail must be able to say that *this* key signed *this* message. Honest signers lose nothing by it.
//!
//! A public key that is not a valid point does not fail the registry: the entry stays (its status and role are
//! reported) but no signature verifies under it.

use crate::canonical::to_canonical_vec;
use crate::reason::codes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use labtrust_kernel::{Memory, Symbol, SymbolMap, Symbols, remembered, remembered_as_number};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// One key of the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// Names the key.
    pub key_id: String,
    /// 32 raw bytes, standard base64.
    pub public_key: String,
    /// The agent it is bound to.
    pub agent_id: String,
    /// The role it speaks for.
    pub role_id: String,
    /// `ACTIVE`, `REVOKED` or `EXPIRED`; absent means active.
    #[serde(default)]
    pub status: Option<String>,
    /// First second it is valid [s].
    #[serde(default)]
    pub not_before_ts_s: Option<i64>,
    /// Last second it is valid [s].
    #[serde(default)]
    pub not_after_ts_s: Option<i64>,
    /// The key it replaces; for readers.
    #[serde(default)]
    pub rotation_of_key_id: Option<String>,
}

impl KeyEntry {
    /// An active key without a validity window.
    #[must_use]
    pub fn active(key_id: &str, public_key_b64: &str, agent_id: &str, role_id: &str) -> Self {
        Self {
            key_id: key_id.to_owned(),
            public_key: public_key_b64.to_owned(),
            agent_id: agent_id.to_owned(),
            role_id: role_id.to_owned(),
            status: None,
            not_before_ts_s: None,
            not_after_ts_s: None,
            rotation_of_key_id: None,
        }
    }
}

/// The body of `key_registry` in `policy/keys/key_registry.v0.1.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyPolicy {
    /// Version of the registry.
    #[serde(default)]
    pub version: String,
    /// The keys; the first of an id counts.
    #[serde(default)]
    pub keys: Vec<KeyEntry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Active,
    Revoked,
    Expired,
}

#[derive(Clone, Debug)]
struct Key {
    /// `None` when the registered bytes are no usable point.
    public: Option<Box<VerifyingKey>>,
    agent: Symbol,
    role: Symbol,
    status: Status,
    not_before_s: i64,
    not_after_s: i64,
}

remembered!(Key { agent, role, status, not_before_s, not_after_s } through { public: recall_public });
remembered!(KeyRegistry { keys } forgotten {
    warnings: "talk about the files",
    made: "what is not in it is verified, and found to be the same",
});
remembered_as_number!(Status);

fn recall_public(public: &Option<Box<VerifyingKey>>, memory: &mut Memory) {
    memory.write(public.as_ref().map_or(&[], |key| key.as_bytes()));
}

/// What verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Whether the signature is good.
    pub passed: bool,
    /// What is wrong; `None` exactly when passed.
    pub reason: Option<&'static str>,
    /// Role the key speaks for, once the key is known to be the agent's.
    pub key_role: Option<Symbol>,
}

impl Verification {
    const fn refused(reason: &'static str, key_role: Option<Symbol>) -> Self {
        Self { passed: false, reason: Some(reason), key_role }
    }

    /// The step's report.
    #[must_use]
    pub fn report(&self, key_id: Option<Symbol>, symbols: &Symbols) -> labtrust_contract::SignatureVerification {
        labtrust_contract::SignatureVerification {
            passed: self.passed,
            reason_code: self.reason.map(str::to_owned),
            key_id: key_id.map(|key| symbols.text(key).to_owned()),
            key_role_id: self.key_role.map(|role| symbols.text(role).to_owned()),
        }
    }
}

/// The registry, ready to verify. A clone shares the keys until it is changed.
#[derive(Clone, Debug, Default)]
pub struct KeyRegistry {
    keys: Arc<SymbolMap<Key>>,
    warnings: Arc<Vec<String>>,
    made: Made,
}

/// Most signatures that are known without verifying them [count]: an event is judged right after it was signed.
const MOST_MADE: usize = 1 << 10;

/// Signatures that were made in this process: by the key with which public half, and the SHA-256 of what they are over. To verify one
/// costs three times as much as making it, and would find the same: strict Ed25519 accepts a signature under the key that
/// made it and over what it was made for, and under no other key and over nothing else (Brendel et al., IEEE S&P 2021).
#[derive(Clone, Debug, Default)]
struct Made(FxHashMap<[u8; 64], ([u8; 32], [u8; 32])>);

impl Made {
    /// Whether it is a signature over `payload` under a public key; `None` of one that nobody has told of.
    fn look_up(&self, public: &VerifyingKey, signature: &[u8; 64], payload: &[u8]) -> Option<bool> {
        let (key, over) = self.0.get(signature)?;
        Some(key == public.as_bytes() && Sha256::digest(payload).as_slice() == over)
    }
}

impl KeyRegistry {
    /// Compiles `policy`. Entries that cannot be used are in [`KeyRegistry::warnings`]; none of them is an error,
    /// because a key that verifies nothing is safe.
    #[must_use]
    pub fn compile(policy: &KeyPolicy, symbols: &mut Symbols) -> Self {
        let (mut keys, mut warnings) = (SymbolMap::default(), Vec::new());
        for entry in &policy.keys {
            let id = symbols.intern(&entry.key_id);
            if keys.contains(id) {
                warnings.push(format!("key {} is listed twice; the first entry counts", entry.key_id));
                continue;
            }
            keys.insert(id, compile_key(entry, symbols, &mut warnings));
        }
        Self { keys: Arc::new(keys), warnings: Arc::new(warnings), made: Made::default() }
    }

    /// Takes note of a signature that a key with this public half has just made over `payload`, so that it need not be verified to be
    /// judged. Whoever tells this has made it: what anybody else hands in is verified.
    pub fn note_made(&mut self, public: &[u8; 32], signature: &[u8; 64], payload: &[u8]) {
        if self.made.0.len() >= MOST_MADE {
            self.made.0.clear();
        }
        self.made.0.insert(*signature, (*public, Sha256::digest(payload).into()));
    }

    /// Lays keys over the registry: an entry replaces the key of the same id.
    pub fn overlay<'a>(&mut self, entries: impl IntoIterator<Item = &'a KeyEntry>, symbols: &mut Symbols) {
        let keys = Arc::make_mut(&mut self.keys);
        let warnings = Arc::make_mut(&mut self.warnings);
        for entry in entries {
            let key = compile_key(entry, symbols, warnings);
            keys.insert(symbols.intern(&entry.key_id), key);
        }
    }

    /// Revokes a key from now on; `false` when there is no such key.
    pub fn revoke(&mut self, key_id: Symbol) -> bool {
        let key = Arc::make_mut(&mut self.keys).get_mut(key_id);
        key.map(|key| key.status = Status::Revoked).is_some()
    }

    /// The general order: known key, bound to the agent, in its life time, good bytes.
    #[must_use]
    pub fn verify(&self, key_id: Symbol, signature_b64: &str, agent: Symbol, t_s: i64, payload: &[u8]) -> Verification {
        if !self.is_bound_to(key_id, agent) {
            return Verification::refused(codes::SIG_INVALID, None);
        }
        self.verify_bytes(key_id, signature_b64, t_s, payload)
    }

    /// Known key, in its life time, good bytes; the agent is not looked at.
    #[must_use]
    pub fn verify_bytes(&self, key_id: Symbol, signature_b64: &str, t_s: i64, payload: &[u8]) -> Verification {
        let Some(key) = self.keys.get(key_id) else {
            return Verification::refused(codes::SIG_INVALID, None);
        };
        if let Err(reason) = key.alive(t_s) {
            return Verification::refused(reason, Some(key.role));
        }
        let good = key.public.as_ref().zip(decode::<64, 88>(signature_b64)).is_some_and(|(public, bytes)| {
            let known = self.made.look_up(public, &bytes, payload);
            known.unwrap_or_else(|| public.verify_strict(payload, &Signature::from_bytes(&bytes)).is_ok())
        });
        if good {
            Verification { passed: true, reason: None, key_role: Some(key.role) }
        } else {
            Verification::refused(codes::SIG_INVALID, Some(key.role))
        }
    }

    /// Whether the key exists and is bound to `agent`.
    #[must_use]
    pub fn is_bound_to(&self, key_id: Symbol, agent: Symbol) -> bool {
        self.keys.get(key_id).is_some_and(|key| key.agent == agent)
    }

    /// The role a key speaks for.
    #[must_use]
    pub fn role_of(&self, key_id: Symbol) -> Option<Symbol> {
        self.keys.get(key_id).map(|key| key.role)
    }

    /// Whether a key exists.
    #[must_use]
    pub fn contains(&self, key_id: Symbol) -> bool {
        self.keys.contains(key_id)
    }

    /// What is wrong with entries that cannot be used, one sentence each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Key {
    fn alive(&self, t_s: i64) -> Result<(), &'static str> {
        match self.status {
            Status::Revoked => Err(codes::SIG_KEY_REVOKED),
            Status::Expired => Err(codes::SIG_KEY_EXPIRED),
            Status::Active if t_s < self.not_before_s => Err(codes::SIG_KEY_NOT_YET_VALID),
            Status::Active if t_s > self.not_after_s => Err(codes::SIG_KEY_EXPIRED),
            Status::Active => Ok(()),
        }
    }
}

fn compile_key(entry: &KeyEntry, symbols: &mut Symbols, warnings: &mut Vec<String>) -> Key {
    let point = decode::<32, 44>(entry.public_key.trim()).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
    let usable = point.filter(|point| !point.is_weak() && !entry.agent_id.trim().is_empty());
    if usable.is_none() {
        warnings.push(format!("key {} verifies nothing: not a usable public key of an agent", entry.key_id));
    }
    let status = match entry.status.as_deref().map(|status| status.trim().to_ascii_uppercase()).as_deref() {
        None | Some("ACTIVE") => Status::Active,
        Some("EXPIRED") => Status::Expired,
        Some("REVOKED") => Status::Revoked,
        Some(other) => {
            warnings.push(format!("key {} has the unknown status {other} and counts as revoked", entry.key_id));
            Status::Revoked
        }
    };
    Key {
        public: usable.map(Box::new),
        agent: symbols.intern(entry.agent_id.trim()),
        role: symbols.intern(entry.role_id.trim()),
        status,
        not_before_s: entry.not_before_ts_s.unwrap_or(i64::MIN),
        not_after_s: entry.not_after_ts_s.unwrap_or(i64::MAX),
    }
}

/// Exactly `N` bytes out of exactly `TEXT` base64 characters, without allocating.
fn decode<const N: usize, const TEXT: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != TEXT {
        return None;
    }
    // The decoder wants room for the padding, too.
    let mut buffer = [0; 96];
    let length = STANDARD.decode_slice(text, &mut buffer).ok()?;
    buffer[..length].try_into().ok()
}

/// A signing key, for tasks that bring their own roster and for tests. Key custody is the caller's business.
pub struct Signer(SigningKey);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Signer").field(&self.public_b64()).finish()
    }
}

impl Signer {
    /// The key of a 32-byte seed (RFC 8032 secret key).
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// Its public key, standard base64.
    #[must_use]
    pub fn public_b64(&self) -> String {
        STANDARD.encode(self.0.verifying_key().as_bytes())
    }

    /// Signs `payload`; standard base64.
    #[must_use]
    pub fn sign_b64(&self, payload: &[u8]) -> String {
        STANDARD.encode(self.0.sign(payload).to_bytes())
    }
}

/// The bytes that receipts and manifests sign: the canonical text of the object without its `signature`.
///
/// # Errors
/// [`crate::canonical::CanonicalError`] for numbers without canonical text.
pub fn detached_payload(
    object: &serde_json::Map<String, serde_json::Value>,
) -> Result<Vec<u8>, crate::canonical::CanonicalError> {
    let mut unsigned = object.clone();
    unsigned.remove("signature");
    to_canonical_vec(&serde_json::Value::Object(unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn verify(entry: KeyEntry, signature: &str, agent: &str, t_s: i64) -> Verification {
        let mut symbols = Symbols::default();
        let id = entry.key_id.clone();
        let keys = KeyRegistry::compile(&KeyPolicy { version: String::new(), keys: vec![entry] }, &mut symbols);
        let (id, agent) = (symbols.intern(&id), symbols.intern(agent));
        keys.verify(id, signature, agent, t_s, b"payload")
    }

    fn entry() -> KeyEntry {
        KeyEntry::active("k", &Signer::from_seed([7; 32]).public_b64(), " A ", "R")
    }

    fn signature() -> String {
        Signer::from_seed([7; 32]).sign_b64(b"payload")
    }

    #[test]
    fn a_key_is_valid_on_the_first_and_last_second_of_its_window_and_on_no_other_side() {
        let entry = KeyEntry { not_before_ts_s: Some(10), not_after_ts_s: Some(20), ..entry() };
        for (t_s, reason) in [(9, Some("SIG_KEY_NOT_YET_VALID")), (10, None), (20, None), (21, Some("SIG_KEY_EXPIRED"))]
        {
            assert_eq!(verify(entry.clone(), &signature(), "A", t_s).reason, reason, "{t_s}");
        }
    }

    #[test]
    fn who_was_told_of_a_signature_and_who_verifies_it_find_the_same() {
        let keys = [("k", [7; 32], "A"), ("l", [8; 32], "B"), ("m", [7; 32], "B")];
        let entries =
            keys.map(|(id, seed, agent)| KeyEntry::active(id, &Signer::from_seed(seed).public_b64(), agent, "R"));
        let mut symbols = Symbols::default();
        let policy = KeyPolicy { version: String::new(), keys: entries.to_vec() };
        let strangers = KeyRegistry::compile(&policy, &mut symbols);
        let mut told = strangers.clone();
        let mut signatures = Vec::new();
        for (seed, payload) in
            [([7; 32], &b"payload"[..]), ([8; 32], b"payload"), ([9; 32], b"payload"), ([7; 32], b"")]
        {
            let signer = Signer::from_seed(seed);
            let signature = signer.0.sign(payload).to_bytes();
            told.note_made(signer.0.verifying_key().as_bytes(), &signature, payload);
            signatures.push(STANDARD.encode(signature));
        }
        signatures.push(Signer::from_seed([8; 32]).sign_b64(b"nobody was told"));
        let mut good = 0;
        for (id, signature) in
            ["k", "l", "m", "n"].into_iter().flat_map(|id| signatures.iter().map(move |one| (id, one)))
        {
            let id = symbols.intern(id);
            for payload in [&b"payload"[..], b"", b"nobody was told", b"other"] {
                let found = told.verify_bytes(id, signature, 0, payload);
                assert_eq!(found, strangers.verify_bytes(id, signature, 0, payload));
                good += u32::from(found.passed);
            }
        }
        assert_eq!(good, 6, "two of k, two of l, and k's again under the id m");
    }

    #[test]
    fn revoked_and_expired_keys_are_refused_by_name_whatever_the_spelling() {
        for (status, reason) in
            [("revoked ", "SIG_KEY_REVOKED"), ("Expired", "SIG_KEY_EXPIRED"), ("odd", "SIG_KEY_REVOKED")]
        {
            let verification = verify(KeyEntry { status: Some(status.into()), ..entry() }, &signature(), "A", 0);
            assert_eq!(verification.reason, Some(reason));
        }
        assert!(verify(KeyEntry { status: Some(" active".into()), ..entry() }, &signature(), "A", 0).passed);
    }

    #[test]
    fn the_agent_is_judged_before_the_life_time_and_that_before_the_bytes() {
        let revoked = KeyEntry { status: Some("REVOKED".into()), ..entry() };
        assert_eq!(verify(revoked.clone(), "bad", "B", 0).reason, Some("SIG_INVALID"));
        assert_eq!(verify(revoked, "bad", "A", 0).reason, Some("SIG_KEY_REVOKED"));
    }

    #[test]
    fn a_public_key_that_is_no_usable_point_verifies_nothing_and_is_reported() {
        let small_order = STANDARD.encode([0; 32]);
        for public in ["11qYAYKxCrfVS/7TyWQHOg7hcvPapiNa8CGmj3B1Eao=", "", "****", small_order.as_str()] {
            let mut symbols = Symbols::default();
            let policy =
                KeyPolicy { version: String::new(), keys: vec![KeyEntry { public_key: public.into(), ..entry() }] };
            let keys = KeyRegistry::compile(&policy, &mut symbols);
            assert_eq!(keys.warnings().len(), 1, "{public}");
            let (id, agent) = (symbols.intern("k"), symbols.intern("A"));
            assert_eq!(keys.verify(id, &signature(), agent, 0, b"payload").reason, Some("SIG_INVALID"));
        }
    }

    #[test]
    fn the_first_of_two_entries_with_one_id_counts() {
        let second = KeyEntry { agent_id: "B".into(), ..entry() };
        let mut symbols = Symbols::default();
        let keys =
            KeyRegistry::compile(&KeyPolicy { version: String::new(), keys: vec![entry(), second] }, &mut symbols);
        let (id, a) = (symbols.intern("k"), symbols.intern("A"));
        assert!(keys.is_bound_to(id, a));
        assert_eq!(keys.warnings().len(), 1);
    }

    #[test]
    fn an_overlay_replaces_a_key_and_a_revocation_stops_it_in_this_episode_only() {
        let mut symbols = Symbols::default();
        let broken = KeyEntry { public_key: "AAAA".into(), ..entry() };
        let shared = KeyRegistry::compile(&KeyPolicy { version: String::new(), keys: vec![broken] }, &mut symbols);
        let (id, a) = (symbols.intern("k"), symbols.intern("A"));
        let mut keys = shared.clone();
        keys.overlay([&entry()], &mut symbols);
        assert!(keys.verify(id, &signature(), a, 0, b"payload").passed);
        assert!(!shared.verify(id, &signature(), a, 0, b"payload").passed);
        let next = keys.clone();
        assert!(keys.revoke(id) && !keys.revoke(a));
        assert_eq!(keys.verify(id, &signature(), a, 0, b"payload").reason, Some("SIG_KEY_REVOKED"));
        assert!(next.verify(id, &signature(), a, 0, b"payload").passed);
    }

    proptest! {
        #[test]
        fn no_text_but_the_signature_verifies(text in "\\PC{0,100}", flip in 0usize..64) {
            prop_assert!(!verify(entry(), &text, "A", 0).passed);
            let mut bytes = STANDARD.decode(signature()).unwrap();
            bytes[flip] ^= 1;
            prop_assert!(!verify(entry(), &STANDARD.encode(bytes), "A", 0).passed);
        }
    }
}

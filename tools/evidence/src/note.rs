//! Signed notes (C2SP `signed-note`) and the keys that sign them.
//!
//! A note is a text and, after an empty line, lines of signatures: `— NAME BASE64(key id || signature)`. A key is known
//! by its name and four bytes that are the beginning of a hash of name, algorithm and public key. A signature by an
//! unknown key says nothing, neither good nor bad; one by a known key that does not hold condemns the note.

use crate::digest::hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// Signatures that are read of a note [count].
pub const MAX_SIGNATURES: usize = 64;
/// A note longer than this is not read [bytes].
pub const MAX_NOTE: usize = 1 << 20;

/// Ed25519 over the text of the note.
const ED25519: u8 = 0x01;
/// Ed25519 over a time and the text of the note: how a witness signs (C2SP `tlog-cosignature`).
const COSIGNATURE: u8 = 0x04;

/// Why a key or a note cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// A key is not in the form of its kind.
    #[error("not a {kind} key: {problem}")]
    Key {
        /// `verifier` or `signer`.
        kind: &'static str,
        /// What is wrong with it. Never any part of the key.
        problem: &'static str,
    },
    /// The text is no signed note.
    #[error("not a signed note: {0}")]
    Form(&'static str),
    /// A known key's signature does not hold.
    #[error("the signature of {0} does not hold")]
    BadSignature(String),
}

/// Whether `name` can name a key: not empty, without white space, `+` and control characters.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c == '+' || c.is_whitespace() || c.is_control())
}

fn key_id(name: &str, algorithm: u8, public: &[u8; 32]) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update(b"\n").chain_update([algorithm]).chain_update(public);
    let hash = hash.finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// A public key with its name, as text `NAME+ID+BASE64(algorithm || key)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: [u8; 4],
    algorithm: u8,
    public: VerifyingKey,
}

impl Verifier {
    /// Reads a key.
    ///
    /// # Errors
    /// [`NoteError::Key`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let wrong = |problem| NoteError::Key { kind: "verifier", problem };
        let mut parts = text.trim_end_matches('\n').splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it should be NAME+ID+KEY"));
        };
        if !is_key_name(name) {
            return Err(wrong("its name is empty or has white space in it"));
        }
        let bytes = STANDARD.decode(key).map_err(|_| wrong("the key is not base64"))?;
        let [algorithm @ (ED25519 | COSIGNATURE), rest @ ..] = bytes.as_slice() else {
            return Err(wrong("its algorithm is neither Ed25519 nor that of witnesses"));
        };
        let public: [u8; 32] = rest.try_into().map_err(|_| wrong("an Ed25519 key has 32 bytes"))?;
        let own = key_id(name, *algorithm, &public);
        if id != hex(&own) {
            return Err(wrong("its id is not that of the key"));
        }
        Self::new(name, *algorithm, &public)
    }

    fn new(name: &str, algorithm: u8, public: &[u8; 32]) -> Result<Self, NoteError> {
        let wrong = |problem| NoteError::Key { kind: "verifier", problem };
        let key = VerifyingKey::from_bytes(public).map_err(|_| wrong("it is no point of the curve"))?;
        if key.is_weak() {
            return Err(wrong("it is a key of small order, under which one signature fits many texts"));
        }
        Ok(Self { name: name.to_owned(), id: key_id(name, algorithm, public), algorithm, public: key })
    }

    /// The key of a signature block of v0.1: base64 of 32 bytes, under the name that the block gives.
    ///
    /// # Errors
    /// [`NoteError::Key`].
    pub fn from_base64(name: &str, public_b64: &str) -> Result<Self, NoteError> {
        let wrong = |problem| NoteError::Key { kind: "verifier", problem };
        let bytes = STANDARD.decode(public_b64).map_err(|_| wrong("the key is not base64"))?;
        let public = bytes.try_into().map_err(|_| wrong("an Ed25519 key has 32 bytes"))?;
        Self::new(name, ED25519, &public)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id, in hex.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// The 32 bytes, in standard base64.
    #[must_use]
    pub fn public_b64(&self) -> String {
        STANDARD.encode(self.public.as_bytes())
    }

    /// Whether it is a witness's.
    #[must_use]
    pub fn is_witness(&self) -> bool {
        self.algorithm == COSIGNATURE
    }

    /// Whether `signature_b64` is this key's signature of `message`.
    #[must_use]
    pub fn holds(&self, message: &[u8], signature_b64: &str) -> bool {
        let bytes = STANDARD.decode(signature_b64).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        bytes.is_some_and(|bytes| self.public.verify_strict(message, &Signature::from_bytes(&bytes)).is_ok())
    }

    /// Whether the signature that stands in a note is this key's of this text.
    fn holds_in_note(&self, text: &str, signature: &[u8]) -> bool {
        let (message, signature) = match self.algorithm {
            COSIGNATURE => {
                let Some((time, signature)) = signature.split_first_chunk::<8>() else { return false };
                (cosigned(u64::from_be_bytes(*time), text), signature)
            }
            _ => (text.to_owned(), signature),
        };
        <[u8; 64]>::try_from(signature)
            .is_ok_and(|bytes| self.public.verify_strict(message.as_bytes(), &Signature::from_bytes(&bytes)).is_ok())
    }
}

impl std::fmt::Display for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = [&[self.algorithm], self.public.as_bytes().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, self.id(), STANDARD.encode(key))
    }
}

/// What a witness signs.
fn cosigned(time_s: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time_s}\n{text}")
}

/// A private key with its name, as text `PRIVATE+KEY+NAME+ID+BASE64(algorithm || seed)`.
#[derive(Clone)]
pub struct Signer {
    name: String,
    algorithm: u8,
    key: SigningKey,
}

impl std::fmt::Debug for Signer {
    /// The name only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Signer {
    /// The key of a seed.
    ///
    /// # Errors
    /// [`NoteError::Key`] when the name cannot be one.
    pub fn from_seed(name: &str, seed: &[u8; 32], witness: bool) -> Result<Self, NoteError> {
        if !is_key_name(name) {
            return Err(NoteError::Key {
                kind: "signer",
                problem: "its name is empty or has `+` or white space in it",
            });
        }
        let algorithm = if witness { COSIGNATURE } else { ED25519 };
        Ok(Self { name: name.to_owned(), algorithm, key: SigningKey::from_bytes(seed) })
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`NoteError::Key`], without any part of the key in it.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let wrong = |problem| NoteError::Key { kind: "signer", problem };
        let rest = text.trim_end_matches('\n').strip_prefix("PRIVATE+KEY+");
        let mut parts = rest.ok_or(wrong("it should begin with PRIVATE+KEY+"))?.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it should be PRIVATE+KEY+NAME+ID+KEY"));
        };
        let bytes = STANDARD.decode(key).map_err(|_| wrong("the key is not base64"))?;
        let [algorithm @ (ED25519 | COSIGNATURE), rest @ ..] = bytes.as_slice() else {
            return Err(wrong("its algorithm is neither Ed25519 nor that of witnesses"));
        };
        let seed: [u8; 32] = rest.try_into().map_err(|_| wrong("an Ed25519 seed has 32 bytes"))?;
        let signer = Self::from_seed(name, &seed, *algorithm == COSIGNATURE)?;
        if signer.verifier().id() != id {
            return Err(wrong("its id is not that of the key"));
        }
        Ok(signer)
    }

    /// The key as text. It is a secret.
    #[must_use]
    pub fn secret_text(&self) -> String {
        let key = [&[self.algorithm], self.key.as_bytes().as_slice()].concat();
        format!("PRIVATE+KEY+{}+{}+{}", self.name, self.verifier().id(), STANDARD.encode(key))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        let public = self.key.verifying_key();
        let id = key_id(&self.name, self.algorithm, public.as_bytes());
        Verifier { name: self.name.clone(), id, algorithm: self.algorithm, public }
    }

    /// The signature of `message`, in standard base64.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.key.sign(message).to_bytes())
    }

    /// The line that this key adds to a note. `time_s` [s since 1970] is what a witness's key says with it.
    fn line(&self, text: &str, time_s: u64) -> String {
        let id = key_id(&self.name, self.algorithm, self.key.verifying_key().as_bytes());
        let mut bytes = id.to_vec();
        if self.algorithm == COSIGNATURE {
            bytes.extend_from_slice(&time_s.to_be_bytes());
            bytes.extend_from_slice(&self.key.sign(cosigned(time_s, text).as_bytes()).to_bytes());
        } else {
            bytes.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        }
        format!("\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }
}

/// A signature of a note that nobody has verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    id: [u8; 4],
    bytes: Vec<u8>,
}

/// A text with signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text; it ends with a line feed.
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// Signs a text, which has to end with a line feed.
    ///
    /// # Errors
    /// [`NoteError::Form`] when the text cannot be that of a note.
    pub fn sign(text: &str, signer: &Signer) -> Result<String, NoteError> {
        let note = format!("{text}\n{}", signer.line(text, 0));
        Self::parse(note.as_bytes()).map(|_| note)
    }

    /// Another signature below the others. The note is not verified here.
    ///
    /// # Errors
    /// [`NoteError::Form`] when it is no note, or the key has signed it already.
    pub fn add(note: &str, signer: &Signer) -> Result<String, NoteError> {
        let parsed = Self::parse(note.as_bytes())?;
        let note = format!("{note}{}", signer.line(&parsed.text, 0));
        Self::parse(note.as_bytes()).map(|_| note)
    }

    /// A witness's signature below the others. The note is not verified here.
    ///
    /// # Errors
    /// [`NoteError::Form`] when it is no note; [`NoteError::Key`] when the key is no witness's.
    pub fn cosign(note: &str, witness: &Signer, time_s: u64) -> Result<String, NoteError> {
        if witness.algorithm != COSIGNATURE {
            return Err(NoteError::Key { kind: "signer", problem: "it is no witness's key" });
        }
        let parsed = Self::parse(note.as_bytes())?;
        let note = format!("{note}{}", witness.line(&parsed.text, time_s));
        Self::parse(note.as_bytes()).map(|_| note)
    }

    /// Reads a note. What is accepted has exactly one text: the same note is written again byte by byte.
    ///
    /// # Errors
    /// [`NoteError::Form`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let wrong = |problem| Err(NoteError::Form(problem));
        if bytes.len() > MAX_NOTE {
            return wrong("it is too long");
        }
        let Ok(note) = std::str::from_utf8(bytes) else { return wrong("it is not UTF-8") };
        if note.chars().any(|c| c.is_control() && c != '\n') {
            return wrong("it has a control character");
        }
        let Some((text, lines)) = note.rsplit_once("\n\n") else { return wrong("it has no signatures") };
        if text.is_empty() || !lines.ends_with('\n') {
            return wrong("text and signatures should end with a line feed");
        }
        let mut signatures: Vec<NoteSignature> = Vec::new();
        for line in lines[..lines.len() - 1].split('\n') {
            let fields = line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' '));
            let Some((name, signature)) = fields else { return wrong("a line of a signature is none") };
            if !is_key_name(name) {
                return wrong("the name of a key is none");
            }
            let bytes = STANDARD.decode(signature).unwrap_or_default();
            let Some((id, rest)) = bytes.split_first_chunk::<4>().filter(|(_, rest)| !rest.is_empty()) else {
                return wrong("a signature is not base64 of an id and more");
            };
            if signatures.iter().any(|known| known.name == name && known.id == *id) {
                return wrong("a key has signed twice");
            }
            signatures.push(NoteSignature { name: name.to_owned(), id: *id, bytes: rest.to_vec() });
        }
        if signatures.len() > MAX_SIGNATURES {
            return wrong("it has too many signatures");
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its signatures [count].
    #[must_use]
    pub fn signature_count(&self) -> usize {
        self.signatures.len()
    }

    /// Which of the keys have signed it.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] when a signature of one of these keys does not hold.
    pub fn verify<'k>(&self, keys: &'k [Verifier]) -> Result<Vec<&'k Verifier>, NoteError> {
        let mut good = Vec::new();
        for signature in &self.signatures {
            let known = keys.iter().find(|key| key.name == signature.name && key.id == signature.id);
            let Some(key) = known else { continue };
            if !key.holds_in_note(&self.text, &signature.bytes) {
                return Err(NoteError::BadSignature(key.name.clone()));
            }
            good.push(key);
        }
        Ok(good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::from_seed("example.org/log", &[7; 32], false).unwrap()
    }

    #[test]
    fn keys_go_to_text_and_back_and_a_secret_is_not_shown() {
        let signer = signer();
        assert_eq!(Signer::parse(&signer.secret_text()).unwrap().verifier(), signer.verifier());
        assert_eq!(Verifier::parse(&signer.verifier().to_string()).unwrap(), signer.verifier());
        assert!(!format!("{signer:?}").contains("key:"), "{signer:?}");
        let public = signer.verifier().to_string();
        for wrong in [
            "",
            "a",
            "a+b",
            &public.replace("example", "exemple"),
            &public.replace("+", " "),
            &public[..public.len() - 4],
            &format!("{public}A"),
            &signer.secret_text(),
        ] {
            assert!(Verifier::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Signer::parse(&public).is_err());
        assert!(Signer::from_seed("a b", &[0; 32], false).is_err());
    }

    /// The example of the specification `signed-note` of C2SP.
    #[test]
    fn the_published_key_has_its_published_id() {
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        assert_eq!(Verifier::parse(key).unwrap().name(), "PeterNeumann");
        let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let keys = [Verifier::parse(key).unwrap()];
        assert_eq!(Note::parse(note.as_bytes()).unwrap().verify(&keys).unwrap().len(), 1);
        let forged = note.replace("answer", "answre");
        assert!(Note::parse(forged.as_bytes()).unwrap().verify(&keys).is_err());
    }

    #[test]
    fn a_note_holds_for_its_key_and_says_nothing_to_others() {
        let note = Note::sign("one\ntwo\n", &signer()).unwrap();
        let other = Signer::from_seed("example.org/log", &[8; 32], false).unwrap().verifier();
        let parsed = Note::parse(note.as_bytes()).unwrap();
        assert_eq!(parsed.verify(&[signer().verifier()]).unwrap().len(), 1);
        assert_eq!(parsed.verify(&[other]).unwrap().len(), 0);
    }

    #[test]
    fn a_witness_signs_a_time_with_the_text() {
        let witness = Signer::from_seed("witness.example", &[9; 32], true).unwrap();
        let note = Note::sign("one\n", &signer()).unwrap();
        let note = Note::cosign(&note, &witness, 1_700_000_000).unwrap();
        let parsed = Note::parse(note.as_bytes()).unwrap();
        let keys = [signer().verifier(), witness.verifier()];
        assert_eq!(parsed.verify(&keys).unwrap().len(), 2);
        assert!(keys[1].is_witness() && !keys[0].is_witness());
        assert!(Note::cosign(&note, &witness, 1).is_err(), "once");
        assert!(Note::cosign(&note, &signer(), 1).is_err(), "no witness");
    }

    #[test]
    fn every_flipped_bit_of_a_note_is_noticed() {
        let keys = [signer().verifier()];
        let note = Note::sign("labtrust\n12\nAAAA\n", &signer()).unwrap().into_bytes();
        for bit in 0..note.len() * 8 {
            let mut flipped = note.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let good = Note::parse(&flipped).and_then(|note| note.verify(&keys).map(|good| good.len()));
            assert!(!matches!(good, Ok(1..)), "bit {bit}");
        }
    }

    /// RFC 8032, section 7.1, tests 1 to 3: seed, public key, message, signature.
    const RFC_8032: [[&str; 4]; 3] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_published_signatures_come_out_and_hold() {
        for [seed, public, message, signature] in RFC_8032.map(|vector| vector.map(bytes)) {
            let signer = Signer::from_seed("rfc8032", &seed.try_into().unwrap(), false).unwrap();
            assert_eq!(signer.verifier().public_b64(), STANDARD.encode(public));
            assert_eq!(signer.sign(&message), STANDARD.encode(&signature));
            assert!(signer.verifier().holds(&message, &STANDARD.encode(&signature)));
            let mut larger = signature;
            // S + L: the same signature in a second form, which RFC 8032 refuses.
            let order = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
            let mut carry = 0_u16;
            for (byte, add) in larger[32..].iter_mut().zip(order) {
                carry += u16::from(*byte) + u16::from(add);
                *byte = u8::try_from(carry & 0xff).unwrap();
                carry >>= 8;
            }
            assert!(!signer.verifier().holds(&message, &STANDARD.encode(&larger)));
        }
    }
}

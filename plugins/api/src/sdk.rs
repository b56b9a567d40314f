//! The author's side of a plugin that is a file of its own: bytes in, bytes out.
//!
//! [`Speaker`] turns messages into calls of what an author wrote and the answers into messages. It knows no kind of
//! plugin: what a kind says and answers is its [`Spoken`]. A carrier adds only how the bytes get in and out: [`native`]
//! for a shared library, [`wasm`] for WebAssembly.

#[cfg(feature = "native")]
pub mod native;
#[cfg(feature = "wasm")]
pub mod wasm;

use crate::wire::{CreateReply, Manifest, Problem, ProblemKind, WireError, encode};

/// What a plugin says and answers. Implemented for everything that an author of a kind writes, once for each kind.
///
/// `K` is the kind. It only keeps the kinds apart: nobody names it, since a type is written as a plugin of one kind and
/// the compiler finds out which ([`Speaker::of`]).
pub trait Spoken<K>: Sized {
    /// What the plugin says of itself; `version` is that of its crate.
    fn manifest(version: &str) -> Manifest;

    /// Begins an episode or a replication with the bytes of the message that says so.
    ///
    /// # Errors
    /// [`Problem`] when they cannot be read, or the plugin cannot begin with what they say.
    fn begin(request: &[u8]) -> Begun;
}

/// A plugin that has begun, or why it has not.
pub type Begun = Result<Box<dyn Answering>, Problem>;

/// A plugin at work: it answers one message after the other.
pub trait Answering: Send {
    /// The bytes of the answer to the bytes of a message. What cannot be read is answered with a [`Problem`].
    fn answer(&mut self, request: &[u8]) -> Vec<u8>;
}

/// A plugin behind the contract.
pub struct Speaker {
    manifest: fn(&str) -> Manifest,
    begin: fn(&[u8]) -> Begun,
    at_work: Option<Box<dyn Answering>>,
}

impl Speaker {
    /// The plugin `P`, not yet at work: `Speaker::of::<Nearest, _>()`.
    #[must_use]
    pub const fn of<P: Spoken<K>, K>() -> Self {
        Self { manifest: P::manifest, begin: P::begin, at_work: None }
    }

    /// The bytes of its manifest.
    #[must_use]
    pub fn manifest(&self, version: &str) -> Vec<u8> {
        encode(&(self.manifest)(version))
    }

    /// Answers the bytes of the message that begins with those of a [`CreateReply`]. What was at work is gone.
    pub fn create(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.at_work = None;
        let reply: CreateReply = (self.begin)(bytes).map(|begun| self.at_work = Some(begun));
        encode(&reply)
    }

    /// Answers the bytes of a message with those of a decision.
    pub fn decide(&mut self, bytes: &[u8]) -> Vec<u8> {
        match &mut self.at_work {
            Some(at_work) => at_work.answer(bytes),
            None => encode(&CreateReply::Err(Problem::of_kind(ProblemKind::Message, "nothing was created yet"))),
        }
    }
}

/// The problem of a plugin that cannot read what it was sent.
pub(crate) fn unreadable(error: WireError) -> Problem {
    Problem::of_kind(ProblemKind::Message, error.to_string())
}

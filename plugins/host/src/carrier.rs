//! What every way to carry a plugin has in common: a file that was loaded and checked, and instances of it that take
//! bytes and give bytes. A carrier knows no kind of plugin, and a kind knows no carrier.

use crate::Failure;
use labtrust_plugin::Origin;
use labtrust_plugin::wire::{Handshake, HandshakeError, Manifest, WireError, decode, peek};

/// A plugin file that was loaded and checked. One implementation for each way to carry.
pub trait Carrier: Send + Sync {
    /// What the plugin says of itself; its handshake has been checked.
    fn manifest(&self) -> &Manifest;

    /// Where it comes from.
    fn origin(&self) -> &Origin;

    /// A new instance, which knows of no other.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be made.
    fn instance(&self) -> Result<Box<dyn Instance>, Failure>;
}

/// A plugin at work: one conversation of the contract, bytes in and bytes out.
///
/// After a failure an instance is thrown away: half a decision can leave anything behind.
pub trait Instance: Send {
    /// Tells it where it works. `reply` is cleared and filled with the bytes of its answer.
    ///
    /// # Errors
    /// [`Failure`] when there is no answer.
    fn create(&mut self, request: &[u8], reply: &mut Vec<u8>) -> Result<(), Failure>;

    /// Asks it for a decision. `reply` is cleared and filled with the bytes of its answer.
    ///
    /// # Errors
    /// [`Failure`] when there is no answer.
    fn decide(&mut self, request: &[u8], reply: &mut Vec<u8>) -> Result<(), Failure>;

    /// What the newest call used, whether it succeeded or not [fuel]; `None` where nothing is counted.
    fn fuel(&self) -> Option<u64>;
}

/// Kinds that can be files of their own.
pub const KINDS: &[&str] = &[labtrust_plugin::method::KIND, labtrust_plugin::agent::KIND, labtrust_plugin::mine::KIND];

/// Why a manifest cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is none.
    #[error("the plugin's manifest cannot be read: {0}")]
    Garbage(#[from] WireError),
    /// The plugin speaks another contract.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The plugin is something that cannot be carried this way.
    #[error("{id} is of the kind {kind}; a file of its own can be: {}", KINDS.join(", "))]
    Kind {
        /// Its id.
        id: String,
        /// Its kind.
        kind: String,
    },
    /// What the plugin says that it does cannot stand in a table or a report.
    #[error("{id} says in more than 300 characters what it does, or with control characters among them")]
    Summary {
        /// Its id.
        id: String,
    },
    /// The plugin's id or version cannot stand in a table, a path or an option.
    #[error("the plugin's {what} is {text:?}; it has 1 to 100 letters, digits, `.`, `_`, `-`, `+`")]
    Name {
        /// Which.
        what: &'static str,
        /// What it is.
        text: String,
    },
}

/// The manifest in `bytes`, of a plugin that this program can work with. A carrier asks for it before anything else.
///
/// # Errors
/// [`ManifestError`].
pub fn read_manifest(bytes: &[u8]) -> Result<Manifest, ManifestError> {
    // Another contract may have another manifest: only its first two numbers are known to be there.
    if let Some((contract_major, contract_minor)) = peek(bytes) {
        Handshake { contract_major, contract_minor, features: Vec::new() }.check()?;
    }
    let manifest: Manifest = decode(bytes)?;
    manifest.handshake.check()?;
    for (what, text) in [("id", &manifest.id), ("version", &manifest.version)] {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
        if text.is_empty() || text.len() > 100 || !text.chars().all(plain) {
            return Err(ManifestError::Name { what, text: text.clone() });
        }
    }
    if manifest.summary.chars().any(char::is_control) || manifest.summary.chars().nth(300).is_some() {
        return Err(ManifestError::Summary { id: manifest.id });
    }
    if !KINDS.contains(&manifest.kind.as_str()) {
        return Err(ManifestError::Kind { id: manifest.id, kind: manifest.kind });
    }
    Ok(manifest)
}

//! Checkpoints (C2SP `tlog-checkpoint`): a signed note that says how long a log is and what its root is.

use crate::merkle::Hash;
use crate::note::{Note, NoteError, Signer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How far a log has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Leaves of its tree [count].
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The checkpoint as a signed note.
    ///
    /// # Errors
    /// [`NoteError::Form`] when the origin cannot stand in a note.
    pub fn sign(&self, signer: &Signer) -> Result<String, NoteError> {
        Self::parse_text(&self.text())?;
        Note::sign(&self.text(), signer)
    }

    /// Reads the text of a checkpoint: exactly three lines. Lines that others may add are refused, because nobody here
    /// would look at them.
    ///
    /// # Errors
    /// [`NoteError::Form`].
    pub fn parse_text(text: &str) -> Result<Self, NoteError> {
        let lines: Vec<&str> = text.split('\n').collect();
        let [origin, size, root, ""] = lines.as_slice() else {
            return Err(NoteError::Form("a checkpoint has an origin, a size and a root, each on a line"));
        };
        let number: u64 = size.parse().map_err(|_| NoteError::Form("the size of a checkpoint is no number"))?;
        let root = STANDARD.decode(root).ok().and_then(|bytes| Hash::try_from(bytes).ok());
        let root = root.ok_or(NoteError::Form("the root of a checkpoint is not base64 of 32 bytes"))?;
        if origin.is_empty() || number.to_string() != *size {
            return Err(NoteError::Form("a checkpoint has an origin and a size without leading zeros"));
        }
        Ok(Self { origin: (*origin).to_owned(), size: number, root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_goes_to_text_and_back_and_has_one_text() {
        let checkpoint = Checkpoint { origin: "example.org/log".to_owned(), size: 15, root: [3; 32] };
        assert_eq!(Checkpoint::parse_text(&checkpoint.text()).unwrap(), checkpoint);
        let text = checkpoint.text();
        for wrong in [
            text.replace("15", "015"),
            text.replace("15", "+15"),
            text.replace("15", "-1"),
            text.replace("15", ""),
            text.replace('=', ""),
            text.replace("example.org/log", ""),
            format!("{text}more\n"),
            text.trim_end().to_owned(),
            text.replace("AwM=", "AwN="),
        ] {
            assert!(Checkpoint::parse_text(&wrong).is_err(), "{wrong:?}");
        }
    }
}

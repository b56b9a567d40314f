//! A witness: whoever has seen a log before signs its checkpoint only when the log goes on from what was seen.
//!
//! It does what C2SP `tlog-witness` asks of one, with the log at hand instead of a proof: the checkpoint has to be signed by
//! a key of the log that is known, the bundle has to hold, and its log has to go on from the newest checkpoint of the same
//! origin that was signed before. That checkpoint is kept before the signature is given away, so that a witness that
//! is stopped has rather kept too much than signed two logs.

use crate::checkpoint::Checkpoint;
use crate::digest::sha256;
use crate::disk::{Disk, DiskError, write_file};
use crate::export::CHECKPOINT;
use crate::note::{Note, NoteError, Signer, Verifier};
use crate::verify::Verify;
use std::path::{Path, PathBuf};

/// Who witnesses, and what it has seen.
pub struct Witness<'a> {
    /// Its key.
    pub key: &'a Signer,
    /// Keys of logs that it knows.
    pub trust: &'a [Verifier],
    /// Directory with the newest checkpoint of every log that it has signed.
    pub seen: &'a Path,
}

/// A checkpoint that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// Of which log and how long.
    pub checkpoint: Checkpoint,
    /// How long the log was when it was seen last; none the first time.
    pub before: Option<u64>,
}

/// Why a witness did not sign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// Its key is one that signs logs.
    #[error("the key {0} is none of a witness: make one with `labtrust keys new --witness`")]
    Key(String),
    /// It knows no log.
    #[error("a witness that trusts no key would sign whatever it is shown")]
    NoTrust,
    /// A checkpoint cannot be used.
    #[error("{}: {problem}", path.display())]
    Checkpoint {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The bundle does not hold, or is not what goes on from what was seen.
    #[error("not signed: {0}")]
    Refused(String),
    /// Something cannot be written.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl Witness<'_> {
    /// Looks at a bundle and adds its signature to the checkpoint in it. `time_s` [s since 1970] is what it says about when.
    ///
    /// # Errors
    /// [`WitnessError`]; the bundle is then what it was.
    pub fn sign(&self, disk: &dyn Disk, bundle: &Path, time_s: u64) -> Result<Witnessed, WitnessError> {
        let own = self.key.verifier();
        if !own.is_witness() {
            return Err(WitnessError::Key(own.name().to_owned()));
        }
        if self.trust.is_empty() {
            return Err(WitnessError::NoTrust);
        }
        let path = bundle.join(CHECKPOINT);
        let wrong = |path: &Path, problem: String| WitnessError::Checkpoint { path: path.to_path_buf(), problem };
        let bytes = std::fs::read(&path).map_err(|error| wrong(&path, error.to_string()))?;
        let (note, checkpoint) = read(&bytes).map_err(|error| wrong(&path, error.to_string()))?;
        let kept = self.seen.join(format!("{}.checkpoint", &sha256(checkpoint.origin.as_bytes())[..32]));
        let since = match std::fs::read(&kept) {
            Ok(since) => Some(since),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(wrong(&kept, error.to_string())),
        };
        let before = since.as_deref().map(read).transpose().map_err(|error| wrong(&kept, error.to_string()))?;
        let report = Verify { trust: self.trust, since: since.as_deref(), ..Verify::default() }.run(bundle);
        if let Some(error) = report.errors.first() {
            return Err(WitnessError::Refused(error.clone()));
        }
        let signed = !note.verify(std::slice::from_ref(&own)).map_err(|e| wrong(&path, e.to_string()))?.is_empty();
        let text = String::from_utf8(bytes).unwrap_or_else(|_| unreachable!("a note is UTF-8"));
        let cosigned = if signed { Ok(text) } else { Note::cosign(&text, self.key, time_s) };
        let cosigned = cosigned.map_err(|error| wrong(&path, error.to_string()))?;
        write_file(disk, &kept, cosigned.as_bytes())?;
        write_file(disk, &path, cosigned.as_bytes())?;
        Ok(Witnessed { checkpoint, before: before.map(|(_, checkpoint)| checkpoint.size) })
    }
}

fn read(bytes: &[u8]) -> Result<(Note, Checkpoint), NoteError> {
    let note = Note::parse(bytes)?;
    let checkpoint = Checkpoint::parse_text(note.text())?;
    Ok((note, checkpoint))
}

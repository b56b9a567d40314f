//! Keys in files: private ones that only their owner can read, public ones, and the passage from one key to the next.
//!
//! A file of public keys has one key a line in the notation of signed notes; lines that begin with `#` are for readers.
//! A rotation is a signed note that names the old and the new key, signed by both: who trusts the old key can trust
//! the new one.

use crate::disk::{Disk, DiskError, write_file};
use crate::note::{Note, NoteError, Signer, Verifier};
use std::path::{Path, PathBuf};

/// First line of a rotation.
const ROTATION: &str = "labtrust.org/key-rotation/v1";

/// Why a file of keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The system did not give or take it.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Somebody else could read the key.
    #[error("{} can be read by others (mode {mode:03o}), so its key is no secret", path.display())]
    Mode {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A key would be lost.
    #[error("{} is there already, and a key is never replaced", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The file has no key in it.
    #[error("{} line {line}: {source}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        source: NoteError,
    },
    /// A passage from an unknown key.
    #[error("{} is a rotation from {from}, which is not trusted", path.display())]
    Rotation {
        /// Which file.
        path: PathBuf,
        /// Name and id of the old key.
        from: String,
    },
    /// A file could not be written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There are no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> KeyFileError {
    move |source| KeyFileError::Io { what, path: path.to_path_buf(), source }
}

/// Where the public key beside a private one is.
#[must_use]
pub fn public_path(private: &Path) -> PathBuf {
    beside(private, "pub")
}

/// Where the rotation to a private key is.
#[must_use]
pub fn rotation_path(private: &Path) -> PathBuf {
    beside(private, "rotation")
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!("{name}.{extension}"))
}

/// Makes a new key: the private file, which only its owner can read, and the public one beside it.
///
/// # Errors
/// [`KeyFileError`]; a file that is there is never replaced.
pub fn create(disk: &dyn Disk, path: &Path, name: &str, witness: bool) -> Result<Signer, KeyFileError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| KeyFileError::NoRandomness)?;
    let wrong = |source| KeyFileError::Content { path: path.to_path_buf(), line: 1, source };
    let signer = Signer::from_seed(name, &seed, witness).map_err(wrong)?;
    let public = public_path(path);
    if public.exists() {
        return Err(KeyFileError::Exists { path: public });
    }
    write_secret(path, &format!("{}\n", signer.secret_text()))?;
    if let Err(error) = write_file(disk, &public, format!("{}\n", signer.verifier()).as_bytes()) {
        // A private key without its public one is of no use to anybody.
        let _ = std::fs::remove_file(path);
        return Err(error.into());
    }
    Ok(signer)
}

/// Makes a new key that follows the one of `old`, with the note that says so.
///
/// # Errors
/// As [`create`] and [`read_signer`].
pub fn rotate(disk: &dyn Disk, old: &Path, path: &Path) -> Result<Signer, KeyFileError> {
    let before = read_signer(old)?;
    let signer = create(disk, path, before.name(), before.verifier().is_witness())?;
    let text = format!("{ROTATION}\n{}\n{}\n", before.verifier(), signer.verifier());
    let wrong = |source| KeyFileError::Content { path: old.to_path_buf(), line: 1, source };
    // Two keys of one name have different ids, so both can sign.
    let note = Note::sign(&text, &before).and_then(|note| Note::add(&note, &signer)).map_err(wrong)?;
    write_file(disk, &rotation_path(path), note.as_bytes())?;
    Ok(signer)
}

#[cfg(unix)]
fn write_secret(path: &Path, text: &str) -> Result<(), KeyFileError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(io("make the directory", parent))?;
    }
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match file {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(KeyFileError::Exists { path: path.to_path_buf() });
        }
        other => other.map_err(io("create", path))?,
    };
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = std::fs::remove_file(path);
        io("write", path)(error)
    })
}

#[cfg(not(unix))]
fn write_secret(path: &Path, text: &str) -> Result<(), KeyFileError> {
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(io("create", path))?;
    file.write_all(text.as_bytes()).map_err(io("write", path))
}

#[cfg(unix)]
fn refuse_open_mode(path: &Path) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_err(io("read", path))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyFileError::Mode { path: path.to_path_buf(), mode }) }
}

#[cfg(not(unix))]
fn refuse_open_mode(_: &Path) -> Result<(), KeyFileError> {
    Ok(())
}

/// Reads a private key.
///
/// # Errors
/// [`KeyFileError::Mode`] when others can read the file.
pub fn read_signer(path: &Path) -> Result<Signer, KeyFileError> {
    refuse_open_mode(path)?;
    let text = std::fs::read_to_string(path).map_err(io("read", path))?;
    Signer::parse(&text).map_err(|source| KeyFileError::Content { path: path.to_path_buf(), line: 1, source })
}

/// Reads the public keys of files. A file with a rotation adds its new key where its old key is among those before it.
///
/// # Errors
/// [`KeyFileError`]; a private key is refused, because it should not lie where public ones do.
pub fn read_verifiers(paths: &[PathBuf]) -> Result<Vec<Verifier>, KeyFileError> {
    let mut keys = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(path).map_err(io("read", path))?;
        let wrong = |line: usize| move |source| KeyFileError::Content { path: path.clone(), line, source };
        if text.starts_with(ROTATION) {
            let key = rotated(&text, &keys).map_err(wrong(1))?;
            let from = || text.lines().nth(1).unwrap_or_default().chars().take(80).collect();
            keys.push(key.ok_or_else(|| KeyFileError::Rotation { path: path.clone(), from: from() })?);
            continue;
        }
        let mut found = false;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            keys.push(Verifier::parse(line).map_err(wrong(index + 1))?);
            found = true;
        }
        if !found {
            return Err(wrong(1)(NoteError::Form("there is no key in it")));
        }
    }
    Ok(keys)
}

/// The new key of a rotation; `None` when its old key is not among `known`.
fn rotated(text: &str, known: &[Verifier]) -> Result<Option<Verifier>, NoteError> {
    let note = Note::parse(text.as_bytes())?;
    let lines: Vec<&str> = note.text().split('\n').collect();
    let [ROTATION, old, new, ""] = lines.as_slice() else {
        return Err(NoteError::Form("a rotation names the old and the new key"));
    };
    let keys = [Verifier::parse(old)?, Verifier::parse(new)?];
    if note.verify(&keys)?.len() != 2 {
        return Err(NoteError::Form("a rotation is signed by the old and by the new key"));
    }
    let [old, new] = keys;
    Ok(known.contains(&old).then_some(new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    #[test]
    fn a_key_goes_to_files_and_back_and_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/log.key");
        let signer = create(&RealDisk, &path, "example.org", false).unwrap();
        assert_eq!(read_signer(&path).unwrap().verifier(), signer.verifier());
        assert_eq!(read_verifiers(&[public_path(&path)]).unwrap(), [signer.verifier()]);
        assert!(matches!(create(&RealDisk, &path, "example.org", false), Err(KeyFileError::Exists { .. })));
        assert_eq!(read_signer(&path).unwrap().verifier(), signer.verifier());
        assert!(read_verifiers(&[path]).is_err(), "a private key among public ones");
    }

    #[cfg(unix)]
    #[test]
    fn a_private_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.key");
        create(&RealDisk, &path, "example.org", false).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o644, 0o620] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read_signer(&path), Err(KeyFileError::Mode { mode: found, .. }) if found == mode));
        }
    }

    #[test]
    fn a_rotation_carries_trust_from_the_old_key_to_the_new_and_not_back() {
        let dir = tempfile::tempdir().unwrap();
        let [old, new, third] = ["old", "new", "third"].map(|name| dir.path().join(name));
        create(&RealDisk, &old, "example.org", false).unwrap();
        let signer = rotate(&RealDisk, &old, &new).unwrap();
        rotate(&RealDisk, &new, &third).unwrap();
        let keys = read_verifiers(&[public_path(&old), rotation_path(&new), rotation_path(&third)]).unwrap();
        assert_eq!((keys.len(), &keys[1]), (3, &signer.verifier()));
        let unknown = read_verifiers(&[public_path(&old), rotation_path(&third)]);
        assert!(matches!(unknown, Err(KeyFileError::Rotation { .. })));
        let note = std::fs::read_to_string(rotation_path(&new)).unwrap();
        let (text, signatures) = note.split_once("\n\n").unwrap();
        let by_new_only = format!("{text}\n\n{}\n", signatures.lines().nth(1).unwrap());
        std::fs::write(dir.path().join("forged"), by_new_only).unwrap();
        assert!(read_verifiers(&[public_path(&old), dir.path().join("forged")]).is_err());
    }
}

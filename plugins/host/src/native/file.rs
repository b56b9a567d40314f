//! A file before it is loaded: may it be, is it whole, and how is it kept from changing.
//!
//! Between a look at a file and its loading somebody could put another file in its place. So it is read once; what was
//! read is what the digest is of, and what is loaded: from memory that is sealed, on Linux, and from a private copy
//! elsewhere.

use super::{LoadError, Refusal};
use crate::digest::sha256;
use labtrust_plugin::Origin;
use labtrust_plugin::wire::Manifest;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::fd::IntoRawFd;
use std::path::{Path, PathBuf};

/// Largest file [bytes].
pub(super) const FILE_BYTES_MAX: u64 = 256 << 20;

/// Which files may be loaded as native plugins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Permission {
    /// None.
    #[default]
    Nothing,
    /// Those with these SHA-256 digests; see [`Permission::listed`].
    Listed(BTreeSet<String>),
    /// Any.
    Everything,
}

/// A digest of a list that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no SHA-256 in hexadecimal: 64 digits are wanted")]
pub struct BadDigest {
    /// What was written.
    pub text: String,
}

impl Permission {
    /// Files with these SHA-256 digests, in hexadecimal of either case.
    ///
    /// # Errors
    /// [`BadDigest`], which names the first that is none.
    pub fn listed<S: AsRef<str>>(digests: impl IntoIterator<Item = S>) -> Result<Self, BadDigest> {
        let read = |digest: S| {
            let text = digest.as_ref();
            let hexadecimal = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hexadecimal { Ok(text.to_ascii_lowercase()) } else { Err(BadDigest { text: text.to_owned() }) }
        };
        digests.into_iter().map(read).collect::<Result<_, _>>().map(Self::Listed)
    }

    fn covers(&self, sha256: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Listed(digests) => digests.contains(sha256),
            Self::Everything => true,
        }
    }
}

/// The bytes of a file that may be loaded. Nothing of it has run.
pub struct Approved {
    path: PathBuf,
    /// The path as it was named.
    named: PathBuf,
    bytes: Vec<u8>,
    sha256: String,
}

impl Approved {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`LoadError::Read`], or the first [`Refusal`] up to [`Refusal::Truncated`] that applies.
    pub fn of(path: &Path, permission: &Permission) -> Result<Self, LoadError> {
        permission.any()?;
        let read = |source| LoadError::Read { path: path.to_owned(), source };
        let real = path.canonicalize().map_err(read)?;
        let found = real.metadata().map_err(read)?;
        // Opening a pipe waits for somebody to write.
        if !found.is_file() {
            return Err(Refusal::NotAFile.into());
        }
        // Asked before it is read: a file may be larger than memory.
        if found.len() > FILE_BYTES_MAX {
            return Err(Refusal::TooLarge.into());
        }
        let mut bytes = Vec::new();
        // It may have grown since.
        File::open(&real).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)).map_err(read)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(Refusal::TooLarge.into());
        }
        let sha256 = sha256(&bytes);
        if !permission.covers(&sha256) {
            return Err(Refusal::NotListed { sha256 }.into());
        }
        #[cfg(target_os = "linux")]
        super::elf::whole(&bytes)?;
        Ok(Self { path: real, named: path.to_owned(), bytes, sha256 })
    }

    /// Its SHA-256, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Where it lies, without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What results say of a plugin that this file is.
    pub(crate) fn origin(self, carrier: &'static str, manifest: &Manifest) -> Origin {
        Origin {
            carrier,
            path: Some(self.named),
            sha256: self.sha256,
            version: manifest.version.clone(),
            contract: (manifest.handshake.contract_major, manifest.handshake.contract_minor),
            engine: None,
        }
    }

    /// The bytes where the system's loader finds them, and nobody can change them.
    #[cfg(target_os = "linux")]
    pub(super) fn image(&self) -> io::Result<Image> {
        use nix::fcntl::{FcntlArg, SealFlag, fcntl};
        use nix::sys::memfd::{MFdFlags, memfd_create};
        let memory = memfd_create("labtrust-plugin", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        let mut memory = File::from(memory);
        memory.write_all(&self.bytes)?;
        let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
        fcntl(&memory, FcntlArg::F_ADD_SEALS(seals))?;
        Ok(Image { path: format!("/proc/self/fd/{}", memory.as_raw_fd()).into(), file: memory })
    }

    /// The bytes where the system's loader finds them: a file of a name that is used once, for this user only.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn image(&self) -> io::Result<Image> {
        use std::os::unix::fs::OpenOptionsExt;
        use std::sync::atomic::{AtomicU32, Ordering};
        static USED: AtomicU32 = AtomicU32::new(0);
        let number = USED.fetch_add(1, Ordering::Relaxed);
        let name = format!("labtrust-plugin-{}-{number}-{}", std::process::id(), &self.sha256[..16]);
        let path = std::env::temp_dir().join(name);
        let mut file = File::options().write(true).create_new(true).mode(0o500).open(&path)?;
        file.write_all(&self.bytes)?;
        Ok(Image { path, file })
    }
}

/// Bytes that were checked, as a file that the system's loader takes.
pub(super) struct Image {
    path: PathBuf,
    /// On Linux the path is this file's as long as it is open.
    file: File,
}

impl Image {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// It was loaded, and stays so: the loader knows it by its path, which therefore no other file may ever get.
    pub(super) fn keep(self) {
        if cfg!(not(target_os = "linux")) {
            // What is loaded stays in memory; the name is not used again.
            let _ = std::fs::remove_file(&self.path);
        }
        let _never_closed = self.file.into_raw_fd();
    }
}

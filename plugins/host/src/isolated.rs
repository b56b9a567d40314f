//! Native plugins in a process of their own: the same files, and the same decisions, some microseconds later.
//!
//! This program starts itself once more for every instance and talks with it over pipes ([`serve`] is the other end). A
//! plugin that loops, takes all memory, writes where it should not or exits ends its own process; here that is a
//! [`Failure`] like any other, and the next instance is a new process. Time is measured by the clock: whether a slow
//! plugin is ended depends on the machine, which is why the limit is generous and why studies of record use WebAssembly.
//!
//! It is a wall against accidents, not against malice: the process has the rights of whoever started this one, its
//! files and its network. Who does not trust a plugin's author wants WebAssembly.

mod frame;
mod serve;
mod worker;

pub use serve::{ServeError, serve};

use crate::native::{Approved, Permission, Refusal};
use crate::{Carrier, Failure, Instance, ManifestError, native, read_manifest};
use labtrust_plugin::Origin;
use labtrust_plugin::wire::Manifest;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use worker::Worker;

/// How much a plugin in a process of its own may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest wait for an answer, by the clock.
    pub call: Duration,
    /// Most address space of the process, with the program in it [MiB].
    pub memory_mib: u32,
    /// Most bytes of one answer [bytes].
    pub reply_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { call: Duration::from_secs(10), memory_mib: 1024, reply_bytes: 1 << 20 }
    }
}

/// The program that serves a plugin: it calls [`serve`] with the path that follows these arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The program.
    pub program: PathBuf,
    /// What comes before the path.
    pub arguments: Vec<OsString>,
}

impl Server {
    /// The program that is running, with these arguments.
    ///
    /// # Errors
    /// When the system does not say which it is.
    pub fn this_program<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> io::Result<Self> {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Ok(Self { program: std::env::current_exe()?, arguments })
    }
}

/// What the process is told first. The digest is checked again there: the file may be another by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Opening {
    sha256: String,
    memory_mib: u32,
    reply_bytes: u32,
}

/// A library that every instance loads into a process of its own, with its manifest.
#[derive(Debug)]
pub struct IsolatedPlugin {
    path: PathBuf,
    server: Server,
    opening: Opening,
    limits: Limits,
    manifest: Manifest,
    origin: Origin,
}

/// Why a file does not become an isolated plugin.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is refused before it is loaded.
    #[error(transparent)]
    File(native::LoadError),
    /// The process that loaded it refuses it.
    #[error("{refusal}")]
    Refused {
        /// The words of [`native::LoadError`].
        refusal: String,
    },
    /// The process failed.
    #[error("the plugin does not give its manifest: {0}")]
    Failed(#[from] Failure),
    /// The plugin speaks another contract, or is something that cannot be carried this way.
    #[error(transparent)]
    Unusable(#[from] ManifestError),
}

/// Checks a file, and asks it who it is in a process of its own. Nothing of it runs in this one.
///
/// # Errors
/// [`LoadError`].
pub fn load(
    path: &Path,
    permission: &Permission,
    server: &Server,
    limits: Limits,
) -> Result<IsolatedPlugin, LoadError> {
    let approved = Approved::of(path, permission).map_err(LoadError::File)?;
    let Limits { memory_mib, reply_bytes, .. } = limits;
    let opening = Opening { sha256: approved.sha256().to_owned(), memory_mib, reply_bytes };
    let mut manifest = Vec::new();
    Worker::start(server, approved.path(), limits)?.open(&opening, &mut manifest)?;
    let manifest = read_manifest(&manifest)?;
    let path = approved.path().to_owned();
    let origin = approved.origin("native_isolated", &manifest);
    Ok(IsolatedPlugin { path, server: server.clone(), opening, limits, manifest, origin })
}

impl Carrier for IsolatedPlugin {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn instance(&self) -> Result<Box<dyn Instance>, Failure> {
        let mut worker = Worker::start(&self.server, &self.path, self.limits)?;
        worker.open(&self.opening, &mut Vec::new()).map_err(|error| match error {
            LoadError::Failed(failure) => failure,
            // It was loaded before: the file is another now.
            other => Failure::Process { rule: format!("refuses the plugin: {other}") },
        })?;
        Ok(Box::new(worker))
    }
}

/// The permission for one file.
fn only(sha256: &str) -> Result<Permission, native::LoadError> {
    Permission::listed([sha256]).map_err(|_| Refusal::NotAllowed.into())
}

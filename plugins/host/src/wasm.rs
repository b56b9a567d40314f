//! Methods as WebAssembly: sandboxed, deterministic, limited.
//!
//! A module sees nothing but the messages of the contract: it imports nothing. It stops by fuel, never by time, so that a
//! slow machine decides the same; every function is translated when the file is loaded, so that no episode pays for
//! another's translation. The engine and its version belong to what a result says, for fuel is counted in its own
//! coin (docs/adr/0018).

mod error;
mod instance;
mod limits;
mod rules;

pub use error::{Failure, LoadError, Refusal};
pub use limits::{Limits, Numerics};

use crate::guard::{Guard, OnTrap, OnTrapError, Policy};
use instance::Instance;
use labtrust_plugin::method::{CoordinationMethod, Coordinator, KIND};
use labtrust_plugin::wire::{Create, Manifest, Problem, Settings, Site, encode};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;

/// The engine that runs modules, and so defines what a unit of fuel is.
pub const ENGINE: &str = "wasmi 2";

/// A module that keeps all rules, with its manifest.
pub struct WasmMethod {
    module: wasmi::Module,
    manifest: Manifest,
    limits: Limits,
    on_trap: OnTrap,
    fallback: Option<&'static dyn CoordinationMethod>,
    sha256: String,
}

/// Reads, checks and compiles a file.
///
/// # Errors
/// [`LoadError::Read`] when it cannot be read, else what [`compile`] refuses.
pub fn load(path: &Path, limits: Limits) -> Result<WasmMethod, LoadError> {
    let read = |source| LoadError::Read { path: path.to_owned(), source };
    let len = std::fs::metadata(path).map_err(read)?.len();
    // Asked before it is read: a file may be larger than memory.
    if len > rules::MODULE_BYTES_MAX {
        return Err(Refusal::TooLarge { bytes: len }.into());
    }
    compile(&std::fs::read(path).map_err(read)?, limits)
}

/// Checks and compiles the bytes of a module, and asks it who it is.
///
/// # Errors
/// [`LoadError::Refused`] when it breaks a rule, [`LoadError::Manifest`] when it does not say who it is,
/// [`LoadError::Handshake`] when it speaks another contract, [`LoadError::Kind`] when it is no coordination method.
pub fn compile(bytes: &[u8], limits: Limits) -> Result<WasmMethod, LoadError> {
    let module = rules::check(bytes, limits)?;
    let (manifest, _) = Instance::new(&module, limits).and_then(|mut instance| instance.manifest())?;
    manifest.handshake.check()?;
    if manifest.kind != KIND {
        return Err(LoadError::Kind { id: manifest.id, kind: manifest.kind });
    }
    let mut sha256 = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(sha256, "{byte:02x}");
    }
    Ok(WasmMethod { module, manifest, limits, on_trap: OnTrap::EndEpisode, fallback: None, sha256 })
}

impl WasmMethod {
    /// The same with another way to deal with failures. `fallback` is the method that [`OnTrap::Fallback`] names.
    ///
    /// # Errors
    /// [`OnTrapError::OtherFallback`] when it is another.
    pub fn on_trap(
        mut self,
        on_trap: OnTrap,
        fallback: Option<&'static dyn CoordinationMethod>,
    ) -> Result<Self, OnTrapError> {
        if let OnTrap::Fallback(wanted) = &on_trap {
            let given = fallback.map_or("none", |method| method.id());
            if given != wanted {
                return Err(OnTrapError::OtherFallback { wanted: wanted.clone(), given: given.to_owned() });
            }
        }
        (self.on_trap, self.fallback) = (on_trap, fallback);
        Ok(self)
    }

    /// What it says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the file, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl CoordinationMethod for WasmMethod {
    fn id(&self) -> &str {
        &self.manifest.id
    }

    fn summary(&self) -> &str {
        &self.manifest.summary
    }

    fn params_schema(&self) -> String {
        self.manifest.params_schema.clone()
    }

    fn create(&self, settings: &Settings, site: &Site) -> Result<Box<dyn Coordinator>, Problem> {
        let request = encode(&Create { settings: settings.clone(), site: site.clone() });
        let policy = Policy::new(&self.on_trap, self.fallback, site)?;
        let worker = instance::Episode::begin(self.module.clone(), self.limits, request)?;
        Ok(Box::new(Guard::new(worker, policy, site.clone())))
    }
}

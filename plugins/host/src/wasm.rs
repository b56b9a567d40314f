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

pub use error::{LoadError, Refusal};
pub use limits::{Limits, Numerics};

use crate::digest::sha256;
use crate::{Carrier, Failure, read_manifest};
use instance::Instance;
use labtrust_plugin::Origin;
use labtrust_plugin::wire::Manifest;
use std::path::Path;

/// The engine that runs modules, and so defines what a unit of fuel is.
pub const ENGINE: &str = "wasmi 2";

/// A module that keeps all rules, with its manifest.
pub struct WasmPlugin {
    module: wasmi::Module,
    manifest: Manifest,
    limits: Limits,
    origin: Origin,
}

/// Reads, checks and compiles a file.
///
/// # Errors
/// [`LoadError::Read`] when it cannot be read, else what [`compile`] refuses.
pub fn load(path: &Path, limits: Limits) -> Result<WasmPlugin, LoadError> {
    let read = |source| LoadError::Read { path: path.to_owned(), source };
    let len = std::fs::metadata(path).map_err(read)?.len();
    // Asked before it is read: a file may be larger than memory.
    if len > rules::MODULE_BYTES_MAX {
        return Err(Refusal::TooLarge { bytes: len }.into());
    }
    let mut plugin = compile(&std::fs::read(path).map_err(read)?, limits)?;
    plugin.origin.path = Some(path.to_owned());
    Ok(plugin)
}

/// Checks and compiles the bytes of a module, and asks it who it is.
///
/// # Errors
/// [`LoadError::Refused`] when it breaks a rule, [`LoadError::Manifest`] when it does not say who it is,
/// [`LoadError::Unusable`] when it speaks another contract or is of a kind that cannot be a file.
pub fn compile(bytes: &[u8], limits: Limits) -> Result<WasmPlugin, LoadError> {
    let module = rules::check(bytes, limits)?;
    let manifest = read_manifest(&Instance::new(&module, limits)?.manifest()?)?;
    let origin = Origin {
        carrier: "wasm",
        path: None,
        sha256: sha256(bytes),
        version: manifest.version.clone(),
        contract: (manifest.handshake.contract_major, manifest.handshake.contract_minor),
        engine: Some(ENGINE),
    };
    Ok(WasmPlugin { module, manifest, limits, origin })
}

impl Carrier for WasmPlugin {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn instance(&self) -> Result<Box<dyn crate::Instance>, Failure> {
        Ok(Box::new(Instance::new(&self.module, self.limits)?))
    }
}

//! Any plugin file: its first bytes show how it is carried.

use crate::{Carrier, Loaded, OnTrap, OnTrapError, SchemaError, wasm};
#[cfg(all(unix, feature = "native"))]
use crate::{isolated, native};
use labtrust_plugin::{Registration, Registry, RegistryError};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a program allows the plugins that it loads.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// What WebAssembly modules may use; of other carriers the length of an answer.
    pub limits: wasm::Limits,
    /// Which shared libraries may be loaded.
    #[cfg(all(unix, feature = "native"))]
    pub native: native::Permission,
    /// What serves shared libraries from a process of its own; `None` loads them into this one.
    #[cfg(all(unix, feature = "native"))]
    pub isolate: Option<isolated::Server>,
    /// What processes of plugins may use.
    #[cfg(all(unix, feature = "native"))]
    pub isolated: isolated::Limits,
}

/// Why a file does not become a plugin.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is nothing that could be loaded.
    #[error("{} is no plugin: it is neither WebAssembly nor a shared library", path.display())]
    NotAPlugin {
        /// The file.
        path: PathBuf,
    },
    /// It is WebAssembly, and not as it has to be.
    #[error("{}: {source}", path.display())]
    Wasm {
        /// The file.
        path: PathBuf,
        /// Why.
        source: wasm::LoadError,
    },
    /// It is a shared library, and not as it has to be, or not allowed.
    #[cfg(all(unix, feature = "native"))]
    #[error("{}: {source}", path.display())]
    Native {
        /// The file.
        path: PathBuf,
        /// Why.
        source: native::LoadError,
    },
    /// It is a shared library, and its process refuses it.
    #[cfg(all(unix, feature = "native"))]
    #[error("{}: {source}", path.display())]
    Isolated {
        /// The file.
        path: PathBuf,
        /// Why.
        source: isolated::LoadError,
    },
}

/// Loads a plugin.
///
/// # Errors
/// [`LoadError`]. Nothing of the plugin has run then, unless it was refused for what it says of itself.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Arc<dyn Carrier>, LoadError> {
    let read = |source| LoadError::Read { path: path.to_owned(), source };
    let mut begin = Vec::new();
    File::open(path).and_then(|file| file.take(4).read_to_end(&mut begin)).map_err(read)?;
    if begin == *b"\0asm" {
        let wasm = |source| LoadError::Wasm { path: path.to_owned(), source };
        return Ok(Arc::new(wasm::load(path, options.limits).map_err(wasm)?));
    }
    #[cfg(all(unix, feature = "native"))]
    if is_library(&begin) {
        return load_library(path, options);
    }
    Err(LoadError::NotAPlugin { path: path.to_owned() })
}

/// ELF, or Mach-O of either order of bytes, or for several processors.
#[cfg(all(unix, feature = "native"))]
fn is_library(begin: &[u8]) -> bool {
    const MAGIC: [[u8; 4]; 4] =
        [*b"\x7fELF", [0xCF, 0xFA, 0xED, 0xFE], [0xFE, 0xED, 0xFA, 0xCF], [0xCA, 0xFE, 0xBA, 0xBE]];
    MAGIC.iter().any(|magic| begin == magic)
}

#[cfg(all(unix, feature = "native"))]
fn load_library(path: &Path, options: &LoadOptions) -> Result<Arc<dyn Carrier>, LoadError> {
    let reply_bytes = options.limits.reply_bytes;
    match &options.isolate {
        None => {
            let refused = |source| LoadError::Native { path: path.to_owned(), source };
            let limits = native::Limits { reply_bytes };
            Ok(Arc::new(native::load(path, &options.native, limits).map_err(refused)?))
        }
        Some(server) => {
            let refused = |source| LoadError::Isolated { path: path.to_owned(), source };
            let limits = isolated::Limits { reply_bytes, ..options.isolated };
            Ok(Arc::new(isolated::load(path, &options.native, server, limits).map_err(refused)?))
        }
    }
}

/// Why a loaded plugin cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Its id is taken, or its fallback is not there.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What shall be done when it fails cannot be done.
    #[error(transparent)]
    OnTrap(#[from] OnTrapError),
    /// What it says of its parameters is no schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// The registry with a loaded plugin in it, for as long as the program runs. A fallback is one that was there before.
///
/// # Errors
/// [`RegisterError`].
pub fn register(registry: Registry, carrier: Arc<dyn Carrier>, on_trap: &OnTrap) -> Result<Registry, RegisterError> {
    let origin = carrier.origin();
    let owner = origin.path.as_deref().map_or_else(|| origin.sha256.clone(), |path| path.display().to_string());
    let version = origin.version.clone();
    let plugin = Loaded::new(carrier)?.plugin(&registry, on_trap)?;
    let registration =
        Registration { plugin, owner: Box::leak(owner.into_boxed_str()), version: Box::leak(version.into_boxed_str()) };
    Ok(registry.with([&*Box::leak(Box::new(registration))])?)
}

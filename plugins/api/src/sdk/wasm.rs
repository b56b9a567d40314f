//! A plugin as a WebAssembly file: what [`export_wasm!`](crate::export_wasm!) exports.
//!
//! Every buffer that crosses is a vector of this module, known by its address until it is given back, so that an address
//! from outside is looked up and never followed. There is no unsafe code here; the macro has one attribute that the
//! compiler counts as such, the one that gives an exported function its name.

use super::{Speaker, Spoken};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The plugin of a WebAssembly file and the buffers that are in use.
pub struct Guest {
    inner: Mutex<Inner>,
}

struct Inner {
    speaker: Speaker,
    /// By address. The program writes a request into one, and reads a reply out of one.
    buffers: BTreeMap<u32, Vec<u8>>,
}

impl Guest {
    /// A guest that nobody has called, with the plugin `P` in it.
    #[must_use]
    pub const fn uncalled<P: Spoken<K>, K>() -> Self {
        Self { inner: Mutex::new(Inner { speaker: Speaker::of::<P, K>(), buffers: BTreeMap::new() }) }
    }

    /// After a panic the program throws this guest away, so what a panic left behind is never used.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `labtrust_alloc`: a buffer of `len` bytes for a request; 0 for none.
    pub fn alloc(&self, len: u32) -> u32 {
        self.inner().keep(vec![0; len as usize]).0
    }

    /// `labtrust_free`: a buffer is given back.
    pub fn free(&self, address: u32) {
        self.inner().buffers.remove(&address);
    }

    /// `labtrust_contract`: where the manifest is.
    pub fn contract(&self, version: &str) -> u64 {
        let mut inner = self.inner();
        let manifest = inner.speaker.manifest(version);
        inner.reply(manifest)
    }

    /// `labtrust_create`: where the answer to the request at `address` is.
    pub fn create(&self, address: u32) -> u64 {
        self.answer(address, Speaker::create)
    }

    /// `labtrust_decide`: where the answer to the request at `address` is.
    pub fn decide(&self, address: u32) -> u64 {
        self.answer(address, Speaker::decide)
    }

    fn answer(&self, address: u32, answer: fn(&mut Speaker, &[u8]) -> Vec<u8>) -> u64 {
        let mut inner = self.inner();
        let Inner { speaker, buffers } = &mut *inner;
        let request = buffers.get(&address).map_or(&[] as &[u8], Vec::as_slice);
        let reply = answer(speaker, request);
        inner.reply(reply)
    }
}

impl Inner {
    /// Keeps a buffer; its address and length.
    fn keep(&mut self, mut buffer: Vec<u8>) -> (u32, u32) {
        // Addresses have 32 bits where this runs; elsewhere, in a test, a part of one is as good a name.
        let (address, len) = (buffer.as_mut_ptr() as usize as u32, buffer.len() as u32);
        if len > 0 {
            self.buffers.insert(address, buffer);
        }
        (address, len)
    }

    /// Address in the high, length in the low 32 bits.
    fn reply(&mut self, buffer: Vec<u8>) -> u64 {
        let (address, len) = self.keep(buffer);
        u64::from(address) << 32 | u64::from(len)
    }
}

/// Makes a WebAssembly plugin of a [`Method`](crate::method::Method): `export_wasm!(Nearest);` once in a crate of type
/// `cdylib`. Does nothing when the crate is built for another target, as its tests are.
#[macro_export]
macro_rules! export_wasm {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "an exported function needs its own name; nothing in here is unsafe to call")]
        mod labtrust_exports {
            use super::*;
            static GUEST: $crate::sdk::wasm::Guest = $crate::sdk::wasm::Guest::uncalled::<$plugin, _>();

            #[unsafe(no_mangle)]
            extern "C" fn labtrust_contract() -> u64 {
                GUEST.contract(env!("CARGO_PKG_VERSION"))
            }
            #[unsafe(no_mangle)]
            extern "C" fn labtrust_alloc(len: u32) -> u32 {
                GUEST.alloc(len)
            }
            #[unsafe(no_mangle)]
            extern "C" fn labtrust_free(address: u32, _len: u32) {
                GUEST.free(address);
            }
            #[unsafe(no_mangle)]
            extern "C" fn labtrust_create(address: u32, _len: u32) -> u64 {
                GUEST.create(address)
            }
            #[unsafe(no_mangle)]
            extern "C" fn labtrust_decide(address: u32, _len: u32) -> u64 {
                GUEST.decide(address)
            }
        }

        /// What cannot be exported is told so on every target.
        const _: fn() -> $crate::sdk::Speaker = $crate::sdk::Speaker::of::<$plugin, _>;
    };
}

//! Plugins as shared libraries, in this process: fast, and trusted with everything.
//!
//! All unsafe code of this crate is in this file. What can be checked of a file is checked before the system's loader
//! sees it, for the loader runs the file's constructors: that it may be loaded at all, its digest, and that it is whole
//! ([`Permission`], `file`). What is checked after it is the table that it hands over: the first 16 bytes, and only
//! if they are understood the rest. What it does in a call cannot be checked: a plugin that writes where it should
//! not, never returns, or exits takes the program with it. [`crate::isolated`] is for plugins that are not trusted
//! that far. A library is never unloaded: its threads, thread-locals and constants may be in use for ever (ADR 0019).
#![allow(unsafe_code, reason = "C's calling convention; ADR 0019")]

#[cfg(target_os = "linux")]
mod elf;
mod error;
mod file;

pub use error::{LoadError, Refusal};
pub use file::{Approved, BadDigest, Permission};

use crate::words::plain;
use crate::{Carrier, Failure, Instance, ManifestError, read_manifest};
use labtrust_plugin::Origin;
use labtrust_plugin::abi::{
    Buf, Bytes, Create, Decide, Destroy, Entry, FreeBuf, Head, OK, PANIC, PROBLEM, PluginV1, SYMBOL,
};
use labtrust_plugin::wire::{Handshake, Manifest, Problem, ProblemKind};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::error::Error;
use std::ffi::c_void;
use std::path::Path;
use std::ptr::null_mut;

/// Most bytes of a manifest [bytes].
const MANIFEST_BYTES_MAX: usize = 1 << 20;

/// How much a plugin in this process may use: nothing else can be limited here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one answer [bytes].
    pub reply_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { reply_bytes: 1 << 20 }
    }
}

/// A library in this process, with its manifest.
#[derive(Debug)]
pub struct NativePlugin {
    functions: Functions,
    manifest: Manifest,
    limits: Limits,
    origin: Origin,
}

/// The functions of a table; they are there as long as the process.
#[derive(Clone, Copy, Debug)]
struct Functions {
    create: Create,
    decide: Decide,
    destroy: Destroy,
    free_buf: FreeBuf,
}

/// Checks a file, loads it and asks it who it is.
///
/// # Errors
/// [`LoadError`]. After [`Refusal::NoSymbol`] and those below it, and after [`LoadError::Unusable`], the library stays
/// in the process, and nothing of it is called any more.
pub fn load(path: &Path, permission: &Permission, limits: Limits) -> Result<NativePlugin, LoadError> {
    let approved = Approved::of(path, permission)?;
    let image = approved.image().map_err(|source| LoadError::Image { source })?;
    // SAFETY: loading runs the library's constructors, which may do anything. That is what the permission is about: who
    // gave it trusts the file as the program itself. The file was found to be whole, and cannot change any more.
    let library = unsafe { Library::open(Some(image.path()), RTLD_NOW | RTLD_LOCAL) };
    let library = library.map_err(|error| Refusal::NotLoadable { rule: words(&error) })?;
    // SAFETY: the header gives the symbol of this name this type; whether the library keeps to that cannot be checked.
    let entry = unsafe { library.get::<Entry>(SYMBOL.as_bytes()) }.map(|symbol| *symbol);
    // Never unloaded.
    std::mem::forget(library);
    image.keep();
    let entry = entry.map_err(|_| Refusal::NoSymbol)?;
    // SAFETY: a function without arguments of a library that stays.
    let table = unsafe { entry() };
    // SAFETY: it comes from the entry.
    let (functions, manifest) = unsafe { read(table) }?;
    let manifest = read_manifest(manifest)?;
    let origin = approved.origin("native", &manifest);
    Ok(NativePlugin { functions, manifest, limits, origin })
}

/// What the system's loader says.
fn words(error: &libloading::Error) -> String {
    let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    plain(said.as_bytes())
}

/// The functions and the manifest's bytes of a table.
///
/// # Safety
/// `table` is null, or is what a library that stays in the process hands over: at least the 16 bytes of a [`Head`], and
/// as many as its size says if its numbers are those of a contract that this program knows; never changed.
unsafe fn read(table: *const PluginV1) -> Result<(Functions, &'static [u8]), Refusal> {
    if table.is_null() {
        return Err(Refusal::NoTable);
    }
    if !table.is_aligned() {
        return Err(Refusal::Misaligned);
    }
    // SAFETY: not null, aligned, and the caller's promise for the first 16 bytes.
    let head = unsafe { table.cast::<Head>().read() };
    check(head)?;
    // SAFETY: its size and its version are those of this type.
    let table = unsafe { table.read() };
    let missing = |name| Refusal::NoFunction { name };
    let functions = Functions {
        create: table.create.ok_or(missing("create"))?,
        decide: table.decide.ok_or(missing("decide"))?,
        destroy: table.destroy.ok_or(missing("destroy"))?,
        free_buf: table.free_buf.ok_or(missing("free_buf"))?,
    };
    let Bytes { ptr, len } = table.manifest;
    if ptr.is_null() || len > MANIFEST_BYTES_MAX {
        return Err(Refusal::ManifestNowhere { len: len as u64 });
    }
    // SAFETY: not null, and the header's promise that the manifest is there as long as the table, that is for ever.
    Ok((functions, unsafe { std::slice::from_raw_parts(ptr, len) }))
}

/// Whether the rest of a table may be read.
fn check(head: Head) -> Result<(), Refusal> {
    let Head { struct_size, contract_major, contract_minor, reserved } = head;
    let numbers = u16::try_from(contract_major).ok().zip(u16::try_from(contract_minor).ok());
    let (Some((contract_major, contract_minor)), 0) = (numbers, reserved) else {
        return Err(Refusal::NoHead { head });
    };
    Handshake { contract_major, contract_minor, features: Vec::new() }.check()?;
    // More is legal: fields that this program does not know yet.
    if struct_size < Head::OURS.struct_size {
        return Err(Refusal::TableTooSmall { bytes: struct_size, wanted: Head::OURS.struct_size });
    }
    Ok(())
}

impl Carrier for NativePlugin {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn instance(&self) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(AtWork { functions: self.functions, limits: self.limits, instance: None }))
    }
}

/// An instance of a library.
struct AtWork {
    functions: Functions,
    limits: Limits,
    /// What `create` made; null is as good as anything else.
    instance: Option<*mut c_void>,
}

// SAFETY: the header promises that an instance may be used by one thread after the other; `&mut self` and the ownership
// of the pointer see to it that there is one at a time.
unsafe impl Send for AtWork {}

impl AtWork {
    /// Takes what a call returned, and gives the buffer back.
    fn taken(&self, status: u32, buf: Buf, reply: &mut Vec<u8>) -> Result<(), Failure> {
        if ![OK, PROBLEM, PANIC].contains(&status) {
            // Whatever this is, it is no plugin of this contract: its buffer is not touched.
            return Err(Failure::Status { status });
        }
        let (len, limit) = (buf.len as u64, u64::from(self.limits.reply_bytes));
        if buf.ptr.is_null() {
            return if len == 0 { said(status, reply) } else { Err(Failure::NullReply { len }) };
        }
        let fits = len <= limit;
        if fits {
            // SAFETY: not null, and the header's promise that so many bytes are there until they are given back.
            reply.extend_from_slice(unsafe { std::slice::from_raw_parts(buf.ptr, buf.len) });
        }
        // SAFETY: given back once, unchanged, to the library that it is of.
        unsafe { (self.functions.free_buf)(buf) };
        if fits { said(status, reply) } else { Err(Failure::ReplyTooLong { len, limit }) }
    }

    /// Ends what is at work.
    fn end(&mut self) {
        if let Some(instance) = self.instance.take().filter(|instance| !instance.is_null()) {
            // SAFETY: it came from `create`, and is taken out here: this happens once, and nothing comes after it.
            unsafe { (self.functions.destroy)(instance) };
        }
    }
}

/// What a reply means after a call that returned `status`.
fn said(status: u32, reply: &[u8]) -> Result<(), Failure> {
    match status {
        OK => Ok(()),
        PANIC => Err(Failure::Panic { message: plain(reply) }),
        _ => Err(Failure::Problem(Problem::new(plain(reply)))),
    }
}

fn lent(bytes: &[u8]) -> Bytes {
    Bytes { ptr: bytes.as_ptr(), len: bytes.len() }
}

impl Instance for AtWork {
    fn create(&mut self, request: &[u8], reply: &mut Vec<u8>) -> Result<(), Failure> {
        reply.clear();
        self.end();
        let (mut instance, mut buf) = (null_mut(), Buf::NONE);
        // SAFETY: the request outlives the call; there is a place for the instance and one for the buffer.
        let status = unsafe { (self.functions.create)(lent(request), &raw mut instance, &raw mut buf) };
        self.instance = Some(instance);
        self.taken(status, buf, reply).inspect_err(|_| self.end())
    }

    fn decide(&mut self, request: &[u8], reply: &mut Vec<u8>) -> Result<(), Failure> {
        reply.clear();
        let Some(instance) = self.instance else {
            return Err(Failure::Problem(Problem::of_kind(ProblemKind::Message, "nothing was created yet")));
        };
        let mut buf = Buf::NONE;
        // SAFETY: the instance is of `create` and was not ended; the request outlives the call; there is a place for
        // the buffer; nobody else has the instance.
        let status = unsafe { (self.functions.decide)(instance, lent(request), &raw mut buf) };
        self.taken(status, buf, reply)
    }

    fn fuel(&self) -> Option<u64> {
        None
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.end();
    }
}

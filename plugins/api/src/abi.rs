//! How a native plugin's messages cross: the types of `include/labtrust_plugin.h`, in Rust.
//!
//! Both sides use them: [`crate::sdk::native`] makes a table of a plugin, the program's loader reads it. There is nothing
//! here but declarations; a test compares each with the header. All functions are `unsafe` to call, because what they
//! are handed cannot be checked: the header says what they may rely on.

use crate::wire::{CONTRACT_MAJOR, CONTRACT_MINOR};
use std::ffi::c_void;

/// Name of the function that a library exports, of the type [`Entry`].
pub const SYMBOL: &str = "labtrust_plugin_v1";

/// A call was answered; the reply is the contract's message.
pub const OK: u32 = 0;
/// No message could be made; the reply is a sentence that says why.
pub const PROBLEM: u32 = 1;
/// The plugin panicked; the reply is a sentence that says how.
pub const PANIC: u32 = 2;

/// Somebody else's bytes, to be read during a call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    /// Where they begin. May be anything where `len` is 0.
    pub ptr: *const u8,
    /// How many there are [bytes].
    pub len: usize,
}

/// The plugin's bytes: given back to [`PluginV1::free_buf`] once and unchanged, unless `ptr` is null.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Buf {
    /// Where they begin.
    pub ptr: *mut u8,
    /// How many there are [bytes].
    pub len: usize,
    /// The plugin's own; the program does not look at it.
    pub cap: usize,
}

impl Buf {
    /// No bytes.
    pub const NONE: Self = Self { ptr: std::ptr::null_mut(), len: 0, cap: 0 };
}

/// The first bytes of a table, which never change: all that is read until the version is known.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Size of the whole table [bytes].
    pub struct_size: u32,
    /// Major number of the contract that the plugin speaks.
    pub contract_major: u32,
    /// Minor number of the contract that the plugin speaks.
    pub contract_minor: u32,
    /// 0.
    pub reserved: u32,
}

impl Head {
    /// The head of a table that is made with this crate.
    pub const OURS: Self = Self {
        struct_size: size_of::<PluginV1>() as u32,
        contract_major: CONTRACT_MAJOR as u32,
        contract_minor: CONTRACT_MINOR as u32,
        reserved: 0,
    };
}

/// Begins an episode: request, where the instance goes, where the reply goes.
pub type Create = unsafe extern "C" fn(Bytes, *mut *mut c_void, *mut Buf) -> u32;
/// Decides one step: instance, request, where the reply goes.
pub type Decide = unsafe extern "C" fn(*mut c_void, Bytes, *mut Buf) -> u32;
/// Ends an instance.
pub type Destroy = unsafe extern "C" fn(*mut c_void);
/// Takes a buffer back.
pub type FreeBuf = unsafe extern "C" fn(Buf);
/// What a library exports under the name [`SYMBOL`].
pub type Entry = unsafe extern "C" fn() -> *const PluginV1;

/// What a library hands over. A function that is not there is `None`, and the library is refused.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PluginV1 {
    /// Size and version.
    pub head: Head,
    /// The message `Manifest`; lives as long as the table.
    pub manifest: Bytes,
    /// `Create` to `CreateReply`.
    pub create: Option<Create>,
    /// `Observation` to `DecideReply`.
    pub decide: Option<Decide>,
    /// Ends an instance.
    pub destroy: Option<Destroy>,
    /// Takes a buffer back.
    pub free_buf: Option<FreeBuf>,
}

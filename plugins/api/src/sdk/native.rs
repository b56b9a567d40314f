//! A plugin as a shared library: what [`export_native!`](crate::export_native!) exports.
//!
//! All unsafe code of an author's side is in this file, in functions that do not know what they carry; the macro has one
//! attribute that the compiler counts as unsafe, the one that gives the exported function its name. A panic
//! must not leave a call: the library has its own copy of the standard library, and the program's would take the panic
//! for a foreign exception and abort. So each call catches its own, here, and tells it as [`PANIC`].
#![allow(unsafe_code, reason = "C's calling convention; ADR 0019")]

use super::{Speaker, Spoken};
use crate::abi::{Buf, Bytes, Head, OK, PANIC, PluginV1};
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null;
use std::sync::OnceLock;

/// The one table of a library, made when it is first asked for.
pub struct Table(OnceLock<Shared>);

/// A table that all threads may read.
struct Shared(PluginV1);

// SAFETY: a table is not changed once it is made, and its manifest was leaked: reading is all that anybody does.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Table {
    /// A table that nobody has asked for.
    #[must_use]
    pub const fn unasked() -> Self {
        Self(OnceLock::new())
    }

    /// The table of the plugin `P`; null when making it panicked. `version` is the plugin's own.
    pub fn of<P: Spoken<K>, K>(&self, version: &str) -> *const PluginV1 {
        let made = caught(|| std::ptr::from_ref(&self.0.get_or_init(|| table::<P, K>(version)).0));
        made.unwrap_or(null())
    }
}

fn table<P: Spoken<K>, K>(version: &str) -> Shared {
    let manifest: &'static [u8] = Speaker::of::<P, K>().manifest(version).leak();
    Shared(PluginV1 {
        head: Head::OURS,
        manifest: Bytes { ptr: manifest.as_ptr(), len: manifest.len() },
        create: Some(create::<P, K>),
        decide: Some(decide),
        destroy: Some(destroy),
        free_buf: Some(free_buf),
    })
}

/// # Safety
/// As the header promises: `request` can be read, `instance` and `reply` can be written.
unsafe extern "C" fn create<P: Spoken<K>, K>(request: Bytes, instance: *mut *mut c_void, reply: *mut Buf) -> u32 {
    let created = caught(|| {
        let mut speaker = Box::new(Speaker::of::<P, K>());
        // SAFETY: the caller lends the request until this call returns.
        let bytes = speaker.create(unsafe { read(&request) });
        (speaker, bytes)
    });
    let (status, bytes) = match created {
        Ok((speaker, bytes)) => {
            // SAFETY: the caller made a place for the instance.
            unsafe { instance.write(Box::into_raw(speaker).cast()) };
            (OK, bytes)
        }
        Err(message) => (PANIC, message.into_bytes()),
    };
    // SAFETY: the caller made a place for the reply.
    unsafe { reply.write(handed_over(bytes)) };
    status
}

/// # Safety
/// As the header promises: `instance` is of [`create`], not destroyed, and nobody else's during the
/// call; `request` can be read, `reply` can be written.
unsafe extern "C" fn decide(instance: *mut c_void, request: Bytes, reply: *mut Buf) -> u32 {
    let decided = caught(|| {
        // SAFETY: it came from a box of a speaker, and the caller uses it from one thread at a time.
        let speaker = unsafe { &mut *instance.cast::<Speaker>() };
        // SAFETY: the caller lends the request until this call returns.
        speaker.decide(unsafe { read(&request) })
    });
    let (status, bytes) = match decided {
        Ok(bytes) => (OK, bytes),
        Err(message) => (PANIC, message.into_bytes()),
    };
    // SAFETY: the caller made a place for the reply.
    unsafe { reply.write(handed_over(bytes)) };
    status
}

/// A panic of a destructor has nobody to be told to; the panic's own message on standard error remains.
///
/// # Safety
/// As the header promises: `instance` is of [`create`], and nobody uses it from now on.
unsafe extern "C" fn destroy(instance: *mut c_void) {
    // SAFETY: it came from a box of a speaker, and comes back once.
    let _ = caught(|| drop(unsafe { Box::from_raw(instance.cast::<Speaker>()) }));
}

/// # Safety
/// As the header promises: `buf` is of a reply of this library, unchanged, and comes back once.
unsafe extern "C" fn free_buf(buf: Buf) {
    if buf.ptr.is_null() {
        return;
    }
    // SAFETY: these are the parts of a vector that `handed_over` took apart.
    drop(unsafe { Vec::from_raw_parts(buf.ptr, buf.len, buf.cap) });
}

/// The caller's bytes.
///
/// # Safety
/// `bytes.len` bytes at `bytes.ptr` can be read, and nobody changes them, as long as the result is used.
unsafe fn read(bytes: &Bytes) -> &[u8] {
    if bytes.len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise; a pointer to at least one byte is not null, and bytes are aligned anywhere.
    unsafe { std::slice::from_raw_parts(bytes.ptr, bytes.len) }
}

/// A vector taken apart, for [`free_buf`] to put together again.
fn handed_over(bytes: Vec<u8>) -> Buf {
    let (ptr, len, cap) = bytes.into_raw_parts();
    Buf { ptr, len, cap }
}

/// What `call` returns, or what it panicked with.
fn caught<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    // What a panic leaves behind belongs to one instance, and the program asks that instance nothing more.
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        let message = message(payload.as_ref());
        // Its destructor is the plugin's code again, and could panic again.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(payload);
        }
        message
    })
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("it gives no message").to_owned()
}

/// Makes a native plugin of a [`Method`](crate::method::Method) or another kind: `export_native!(Nearest);` once in a
/// crate of type `cdylib`. Does nothing when the crate is built for WebAssembly, where `export_wasm!` is for.
#[macro_export]
macro_rules! export_native {
    ($plugin:ty) => {
        #[cfg(not(any(panic = "unwind", target_family = "wasm")))]
        compile_error!(
            "a native plugin must be built with panic = \"unwind\": a panic could not be told to the program"
        );

        #[cfg(not(target_family = "wasm"))]
        #[allow(unsafe_code, reason = "an exported function needs its own name; nothing in here is unsafe to call")]
        mod labtrust_native_export {
            use super::*;
            static TABLE: $crate::sdk::native::Table = $crate::sdk::native::Table::unasked();

            #[unsafe(no_mangle)]
            extern "C" fn labtrust_plugin_v1() -> *const $crate::abi::PluginV1 {
                TABLE.of::<$plugin, _>(env!("CARGO_PKG_VERSION"))
            }
        }

        /// What cannot be exported is told so on every target.
        const _: fn() -> $crate::sdk::Speaker = $crate::sdk::Speaker::of::<$plugin, _>;
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::{Answering, Begun};
    use crate::wire::{CreateReply, Manifest, Problem, decode, encode};

    /// Answers a request with its calls so far, once for each byte, and panics where it is asked to.
    struct Echo {
        calls: u8,
        panic_at_the_end: bool,
    }

    impl Spoken<()> for Echo {
        fn manifest(version: &str) -> Manifest {
            Manifest::ours("echo", "org.example.echo", version, "", String::new())
        }

        fn begin(request: &[u8]) -> Begun {
            match request {
                b"panic" => panic!("at the beginning"),
                b"no" => Err(Problem::new("no")),
                _ => Ok(Box::new(Self { calls: 0, panic_at_the_end: request == b"panic at the end" })),
            }
        }
    }

    impl Answering for Echo {
        fn answer(&mut self, request: &[u8]) -> Vec<u8> {
            match request {
                b"panic" => panic!("call {}", self.calls),
                b"panic strangely" => std::panic::panic_any(PanicsAgain),
                _ => self.calls += 1,
            }
            vec![self.calls; request.len()]
        }
    }

    impl Drop for Echo {
        fn drop(&mut self) {
            assert!(!self.panic_at_the_end, "at the end");
        }
    }

    /// A payload whose destructor panics too.
    struct PanicsAgain;

    impl Drop for PanicsAgain {
        fn drop(&mut self) {
            panic!("again");
        }
    }

    /// Says who it is with a panic.
    struct Mute;

    impl Spoken<()> for Mute {
        fn manifest(_: &str) -> Manifest {
            panic!("no word of me")
        }

        fn begin(_: &[u8]) -> Begun {
            Err(Problem::new("never asked"))
        }
    }

    static ECHO: Table = Table::unasked();

    fn echo() -> PluginV1 {
        // SAFETY: a table lives as long as the process.
        unsafe { *ECHO.of::<Echo, _>("1.2.3") }
    }

    /// A library's table as C sees it, and an instance.
    struct Caller {
        table: PluginV1,
        instance: *mut c_void,
    }

    impl Caller {
        fn created(request: &[u8]) -> (Self, u32, Vec<u8>) {
            let (table, mut instance, mut reply) = (echo(), std::ptr::null_mut(), Buf::NONE);
            // SAFETY: the request outlives the call, and there is a place for the instance and the reply.
            let status = unsafe { table.create.unwrap()(lent(request), &raw mut instance, &raw mut reply) };
            let caller = Self { table, instance };
            let reply = caller.taken(reply);
            (caller, status, reply)
        }

        fn decide(&self, request: &[u8]) -> (u32, Vec<u8>) {
            let mut reply = Buf::NONE;
            // SAFETY: as above; the instance is this caller's alone.
            let status = unsafe { self.table.decide.unwrap()(self.instance, lent(request), &raw mut reply) };
            (status, self.taken(reply))
        }

        fn taken(&self, reply: Buf) -> Vec<u8> {
            // SAFETY: the library's own, until it is given back.
            let bytes = unsafe { std::slice::from_raw_parts(reply.ptr, reply.len) }.to_vec();
            // SAFETY: given back once, unchanged.
            unsafe { self.table.free_buf.unwrap()(reply) };
            bytes
        }

        fn destroy(self) {
            // SAFETY: destroyed once, and not used again.
            unsafe { self.table.destroy.unwrap()(self.instance) };
        }
    }

    fn lent(bytes: &[u8]) -> Bytes {
        Bytes { ptr: bytes.as_ptr(), len: bytes.len() }
    }

    #[test]
    fn the_table_says_who_it_is_and_stays_where_it_is() {
        assert_eq!(ECHO.of::<Echo, _>("1.2.3"), ECHO.of::<Echo, _>("1.2.3"));
        let table = echo();
        // SAFETY: the manifest is there as long as the process.
        let manifest: Manifest = decode(unsafe { read(&table.manifest) }).unwrap();
        assert_eq!((table.head, manifest), (Head::OURS, Echo::manifest("1.2.3")));
    }

    #[test]
    fn each_instance_remembers_its_own_calls() {
        let ((one, status, reply), (other, ..)) = (Caller::created(b"hello"), Caller::created(b""));
        assert_eq!((status, reply), (OK, encode(&CreateReply::Ok(()))));
        let replies = [one.decide(b"abc"), one.decide(b""), one.decide(b"a")];
        assert_eq!(replies, [(OK, vec![1; 3]), (OK, vec![]), (OK, vec![3])]);
        assert_eq!(other.decide(b"a"), (OK, vec![1]));
        one.destroy();
        assert_eq!(other.decide(b"a"), (OK, vec![2]), "the other one's end is nothing to it");
        other.destroy();
    }

    #[test]
    fn a_problem_is_an_answer_and_a_panic_is_not() {
        let (caller, status, reply) = Caller::created(b"no");
        assert_eq!((status, reply), (OK, encode(&CreateReply::Err(Problem::new("no")))));
        caller.destroy();

        let (caller, status, reply) = Caller::created(b"panic");
        assert_eq!((status, reply), (PANIC, b"at the beginning".to_vec()));
        assert!(caller.instance.is_null(), "there is nothing to destroy");

        let (caller, ..) = Caller::created(b"panic at the end");
        caller.decide(b"a");
        assert_eq!(caller.decide(b"panic"), (PANIC, b"call 1".to_vec()));
        caller.destroy();
    }

    #[test]
    fn a_panic_of_a_panic_is_forgotten() {
        let (caller, ..) = Caller::created(b"");
        assert_eq!(caller.decide(b"panic strangely"), (PANIC, b"it gives no message".to_vec()));
        assert_eq!(caller.decide(b"a"), (OK, vec![1]));
        caller.destroy();
    }

    #[test]
    fn a_manifest_that_panics_gives_no_table() {
        static MUTE: Table = Table::unasked();
        assert!(MUTE.of::<Mute, _>("1.2.3").is_null());
    }

    #[test]
    fn an_empty_buffer_and_none_at_all_are_taken_back() {
        // SAFETY: neither owns anything.
        unsafe {
            free_buf(handed_over(Vec::new()));
            free_buf(Buf::NONE);
        }
    }
}

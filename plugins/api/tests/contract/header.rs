//! The C header says what `abi` says: a C compiler is asked, with questions made from the Rust types.

use labtrust_plugin::abi::{Buf, Bytes, Entry, Head, OK, PANIC, PROBLEM, PluginV1};
use labtrust_plugin::wire::{CONTRACT_MAJOR, CONTRACT_MINOR};
use std::ffi::c_void;
use std::fmt::Write as _;
use std::io::Write as _;
use std::mem::offset_of;
use std::process::{Command, Stdio};

const HEADER: &str = include_str!("../../include/labtrust_plugin.h");

/// A type's name in C.
trait InC {
    fn name() -> String;
}

macro_rules! in_c {
    ($($type:ty: $name:expr),+ $(,)?) => { $(impl InC for $type { fn name() -> String { $name.to_owned() } })+ };
}
in_c! {
    u32: "uint32_t", usize: "size_t", (): "void", Bytes: "labtrust_bytes", Buf: "labtrust_buf",
    *mut c_void: "void *", *mut *mut c_void: "void **", *const u8: "const uint8_t *", *mut u8: "uint8_t *",
    *mut Buf: "labtrust_buf *", *const PluginV1: "const labtrust_plugin *",
}

macro_rules! function_in_c {
    ($($argument:ident),*) => {
        impl<R: InC, $($argument: InC),*> InC for unsafe extern "C" fn($($argument),*) -> R {
            fn name() -> String {
                let arguments: &[String] = &[$($argument::name()),*];
                let arguments = if arguments.is_empty() { "void".to_owned() } else { arguments.join(", ") };
                format!("{} (*)({arguments})", R::name())
            }
        }
    };
}
function_in_c!();
function_in_c!(A);
function_in_c!(A, B, C);

/// Null is `None`: that is what Rust promises of a function that may be missing.
impl<F: InC> InC for Option<F> {
    fn name() -> String {
        F::name()
    }
}

/// Asserts about one field of a C struct.
fn field<S, T: InC>(out: &mut String, name: &str, offset: usize, record: &str, _: fn(&S) -> &T) {
    let (size, ty) = (size_of::<T>(), T::name());
    let member = format!("(({record} *)0)->{name}");
    let _ = writeln!(out, "_Static_assert(offsetof({record}, {name}) == {offset}, \"offset of {record}.{name}\");");
    let _ = writeln!(out, "_Static_assert(sizeof({member}) == {size}, \"size of {record}.{name}\");");
    let _ = writeln!(out, "_Static_assert(_Generic({member}, {ty}: 1, default: 0), \"type of {record}.{name}\");");
}

/// A C file that compiles if and only if the header says what the Rust types say.
fn questions() -> String {
    let mut out = "#include \"labtrust_plugin.h\"\n".to_owned();
    macro_rules! record {
        ($record:literal, $type:ty, $($($field:ident).+),+) => {
            $(field(&mut out, [$(stringify!($field)),+].last().unwrap(), offset_of!($type, $($field).+), $record, |r: &$type| &r.$($field).+);)+
            let _ = writeln!(out, "_Static_assert(sizeof({}) == {}, \"size of {0}\");", $record, size_of::<$type>());
        };
    }
    record!("labtrust_bytes", Bytes, ptr, len);
    record!("labtrust_buf", Buf, ptr, len, cap);
    record!(
        "labtrust_plugin",
        PluginV1,
        head.struct_size,
        head.contract_major,
        head.contract_minor,
        head.reserved,
        manifest,
        create,
        decide,
        destroy,
        free_buf
    );
    let _ =
        writeln!(out, "_Static_assert(_Generic(&labtrust_plugin_v1, {}: 1, default: 0), \"entry\");", Entry::name());
    let numbers = [
        ("LABTRUST_CONTRACT_MAJOR", u32::from(CONTRACT_MAJOR)),
        ("LABTRUST_CONTRACT_MINOR", u32::from(CONTRACT_MINOR)),
        ("LABTRUST_OK", OK),
        ("LABTRUST_PROBLEM", PROBLEM),
        ("LABTRUST_PANIC", PANIC),
    ];
    for (name, number) in numbers {
        let _ = writeln!(out, "_Static_assert({name} == {number}, \"{name}\");");
    }
    out
}

/// What a C compiler says of these questions; `None` where there is no compiler.
fn asked(compiler: &str, arguments: &[&str], questions: &str) -> Option<Result<(), String>> {
    let include = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include");
    let mut command = Command::new(compiler);
    command.args(arguments).args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only", include, "-"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
    child.stdin.take().unwrap().write_all(questions.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() { Ok(()) } else { Err(said) })
}

#[test]
fn the_header_says_what_the_rust_side_says() {
    let c11 = ["-std=c11", "-x", "c"];
    let Some(agrees) = asked("cc", &c11, &questions()) else {
        eprintln!("skipped: there is no C compiler `cc` to ask");
        return;
    };
    agrees.unwrap();
    let wrong = questions().replace("offsetof(labtrust_plugin, decide) == ", "offsetof(labtrust_plugin, decide) == 1");
    let refused = asked("cc", &c11, &wrong).unwrap().unwrap_err();
    assert!(refused.contains("offset of labtrust_plugin.decide"), "a wrong answer is noticed: {refused}");
}

#[test]
fn the_header_can_be_used_from_c99_and_from_cpp() {
    let source = "#include \"labtrust_plugin.h\"\n";
    for (compiler, arguments) in
        [("cc", ["-std=c99", "-x", "c", "-pedantic"]), ("c++", ["-std=c++11", "-x", "c++", "-pedantic"])]
    {
        match asked(compiler, &arguments, source) {
            Some(agrees) => agrees.unwrap(),
            None => eprintln!("skipped: there is no compiler `{compiler}` to ask"),
        }
    }
}

#[test]
fn the_header_can_be_read_in_one_go() {
    assert!(HEADER.lines().count() < 60, "{} lines", HEADER.lines().count());
    assert!(HEADER.contains("labtrust_plugin_v1(void)"));
    assert_eq!(size_of::<Head>(), 16, "all that is read until the version is known");
}

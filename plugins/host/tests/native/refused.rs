//! Files that are not loaded: each rule once, by its name.

use crate::fixture::{Built, LIMITS, Library, WAYWARD, floor, loaded, manifest, method, others_still_work};
use labtrust_plugin::abi::Head;
use labtrust_plugin::method::CoordinationMethod;
use labtrust_plugin::wire::{HandshakeError, Settings, encode};
use labtrust_plugin_host::native::{LoadError, Permission, Refusal, load};
use labtrust_plugin_host::{Carrier, ManifestError};
use std::path::Path;

fn refusal(path: &Path) -> Refusal {
    let refused = loaded(path);
    others_still_work();
    match refused {
        Err(LoadError::Refused(refusal)) => refusal,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it was loaded"),
    }
}

/// How a library is refused; `None` where it cannot be built.
fn refused(library: &Library) -> Option<Refusal> {
    library.built().map(|built| refusal(&built.path))
}

/// A file with these bytes.
fn file(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plugin.so");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn nothing_is_loaded_unless_somebody_said_so() {
    let Err(refused) = load(&WAYWARD, &Permission::default(), LIMITS) else { panic!("it was loaded") };
    assert!(matches!(refused, LoadError::Refused(Refusal::NotAllowed)));
    assert!(refused.to_string().contains("--allow-native-plugins"), "{refused}");
    // Not even whether the file is there is told.
    let nowhere = load("nowhere.so".as_ref(), &Permission::Nothing, LIMITS);
    assert!(matches!(nowhere, Err(LoadError::Refused(Refusal::NotAllowed))));
}

#[test]
fn only_listed_digests_are_loaded() {
    let sha256 = loaded(&WAYWARD).unwrap().origin().sha256.clone();
    let listed = Permission::listed([sha256.to_uppercase()]).unwrap();
    assert!(load(&WAYWARD, &listed, LIMITS).is_ok(), "digits of either case");
    let other = Permission::listed(["0".repeat(64)]).unwrap();
    let Err(refused) = load(&WAYWARD, &other, LIMITS) else { panic!("it was loaded") };
    assert!(matches!(&refused, LoadError::Refused(Refusal::NotListed { sha256: is }) if *is == sha256), "{refused}");
    // One byte behind the end changes nothing that the system's loader looks at.
    let mut bytes = std::fs::read(&*WAYWARD).unwrap();
    bytes.push(0);
    let (_folder, path) = file(&bytes);
    assert!(loaded(&path).is_ok());
    let refused = load(&path, &listed, LIMITS);
    assert!(matches!(refused, Err(LoadError::Refused(Refusal::NotListed { .. }))));
}

#[test]
fn what_is_no_digest_is_in_no_list() {
    for text in ["", "abc", &"g".repeat(64), &"0".repeat(65)] {
        assert_eq!(Permission::listed([text]).unwrap_err().text, text);
    }
}

#[test]
fn the_file_may_change_after_it_was_checked() {
    let Some(Built { path, .. }) = &Library::default().built() else { return };
    let plugin = loaded(path).unwrap();
    // Written in place, as an attacker would: what is loaded is not this file.
    std::fs::write(path, vec![0xCC; 20_000]).unwrap();
    let method = method(plugin);
    let mut at_work = method.create(&Settings::default(), &floor()).unwrap();
    crate::fixture::decided(at_work.as_mut(), 0).unwrap();
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let Err(error) = loaded("nowhere/plugin.so".as_ref()) else { panic!("it was loaded") };
    assert_eq!(error.to_string(), "cannot read nowhere/plugin.so");
}

#[test]
fn what_is_no_file_is_refused() {
    assert_eq!(refusal(tempfile::tempdir().unwrap().path()), Refusal::NotAFile);
    assert_eq!(refusal("/dev/zero".as_ref()), Refusal::NotAFile);
}

#[test]
fn a_file_above_256_mib_is_refused() {
    let (_folder, path) = file(b"");
    std::fs::File::options().write(true).open(&path).unwrap().set_len((256 << 20) + 1).unwrap();
    assert_eq!(refusal(&path), Refusal::TooLarge);
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_no_library_is_refused() {
    for bytes in [&b""[..], b"MZ", b"#!/bin/sh\n", b"\0asm\x01\0\0\0"] {
        let (_folder, path) = file(bytes);
        assert!(matches!(refusal(&path), Refusal::NotALibrary { .. }), "{bytes:?}");
    }
    let whole = std::fs::read(&*WAYWARD).unwrap();
    // Class, byte order, type and processor of an ELF file.
    for (at, with) in [(4, 1), (5, 2), (16, 2), (18, 0xF7)] {
        let mut bytes = whole.clone();
        bytes[at] = with;
        let (_folder, path) = file(&bytes);
        assert!(matches!(refusal(&path), Refusal::NotALibrary { .. }), "byte {at}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_library_that_is_cut_short_anywhere_is_refused() {
    let whole = std::fs::read(&*WAYWARD).unwrap();
    for keep in [4, 10, 63, 64, 500, 4096, whole.len() / 2, whole.len() - 1] {
        let (_folder, path) = file(&whole[..keep]);
        match refusal(&path) {
            Refusal::Truncated { bytes, wanted } => assert!(bytes == keep as u64 && wanted > bytes, "{bytes} {wanted}"),
            other => panic!("{keep} bytes: {other}"),
        }
    }
}

#[test]
fn a_library_that_needs_what_is_not_there_is_refused() {
    let before = "extern void phone_home(void);";
    let library = Library { before, decide: "phone_home(); return 0;", ..Library::default() };
    let Some(refusal) = refused(&library) else { return };
    assert!(matches!(&refusal, Refusal::NotLoadable { rule } if rule.contains("phone_home")), "{refusal}");
}

#[test]
fn a_library_that_is_no_plugin_is_refused() {
    let Some(refusal) = refused(&Library { symbol: "labtrust_plugin_v2", ..Library::default() }) else { return };
    assert_eq!(refusal, Refusal::NoSymbol);
}

#[test]
fn a_table_that_is_none_is_refused() {
    let Some(refusal) = refused(&Library { entry: "return NULL;", ..Library::default() }) else { return };
    assert_eq!(refusal, Refusal::NoTable);
    let entry = "return (const labtrust_plugin *)((uintptr_t)&table + 1);";
    assert_eq!(refused(&Library { entry, ..Library::default() }), Some(Refusal::Misaligned));
}

#[test]
fn another_contract_is_refused_before_the_rest_is_read() {
    // Only 16 bytes are there: reading more would be seen by valgrind, or end the process.
    let before = "static uint32_t *head;
    static uint32_t *page(uint32_t major, uint32_t reserved) {
        head = malloc(16);
        head[0] = 16; head[1] = major; head[2] = 0; head[3] = reserved;
        return head;
    }";
    let of = |entry| refused(&Library { before, entry, ..Library::default() });
    let Some(refusal) = of("return (labtrust_plugin *)page(7, 0);") else { return };
    assert_eq!(refusal, Refusal::Contract(HandshakeError::OtherContract { major: 7, minor: 0 }));
    let head = |contract_major, reserved| {
        let head = Head { struct_size: 16, contract_major, contract_minor: 0, reserved };
        Some(Refusal::NoHead { head })
    };
    assert_eq!(of("return (labtrust_plugin *)page(70000, 0);"), head(70_000, 0));
    assert_eq!(of("return (labtrust_plugin *)page(0, 1);"), head(0, 1));
}

#[test]
fn a_table_that_is_too_small_is_refused_and_a_larger_one_is_not() {
    let sized = |size: u32| {
        let mut library = Library::default();
        library.head[0] = size.to_string();
        library
    };
    let wanted = Head::OURS.struct_size;
    for bytes in [0, 16, wanted - 1] {
        let Some(refusal) = refused(&sized(bytes)) else { return };
        assert_eq!(refusal, Refusal::TableTooSmall { bytes, wanted });
    }
    let more = ("void (*later)(void);", "NULL");
    let larger = Library { more, ..Library::default() }.built().unwrap();
    assert!(loaded(&larger.path).is_ok(), "fields that are not known yet are legal");
}

#[test]
fn a_null_function_is_refused_by_name() {
    for (place, name) in ["create", "decide", "destroy", "free_buf"].into_iter().enumerate() {
        let mut library = Library::default();
        library.functions[place] = "NULL";
        let Some(refusal) = refused(&library) else { return };
        assert_eq!(refusal, Refusal::NoFunction { name });
    }
}

#[test]
fn a_manifest_that_is_nowhere_or_endless_is_refused() {
    let of = |manifest_field| refused(&Library { manifest_field, ..Library::default() });
    let Some(refusal) = of("{NULL, 20}") else { return };
    assert_eq!(refusal, Refusal::ManifestNowhere { len: 20 });
    let long = Some(Refusal::ManifestNowhere { len: 3 << 30 });
    assert_eq!(of("{manifest, (size_t)3 << 30}"), long);
}

#[test]
fn a_manifest_that_cannot_be_used_is_refused() {
    let of = |bytes: Vec<u8>| {
        let refused = loaded(&Library { manifest: bytes, ..Library::default() }.built()?.path).err().unwrap();
        match refused {
            LoadError::Unusable(error) => Some(error),
            other => panic!("another error: {other}"),
        }
    };
    let Some(garbage) = of([&encode(&manifest())[..5], &[0xFF; 12]].concat()) else { return };
    assert!(matches!(garbage, ManifestError::Garbage(_)), "{garbage}");
    let mut other_kind = manifest();
    other_kind.kind = "injection".to_owned();
    assert!(matches!(of(encode(&other_kind)), Some(ManifestError::Kind { kind, .. }) if kind == "injection"));
    let mut feature = manifest();
    feature.handshake.features.push("telepathy".to_owned());
    assert!(matches!(of(encode(&feature)), Some(ManifestError::Handshake(HandshakeError::Feature { .. }))));
}

#[test]
fn a_plugin_that_could_not_tell_of_a_panic_does_not_compile() {
    // A target folder of its own: what is built for panics that abort is of no use to others.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("panic_abort");
    let mut cargo = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["check", "--locked", "--package", "labtrust-native-fixture", "--target-dir"]).arg(target);
    let checked =
        cargo.env("CARGO_PROFILE_DEV_PANIC", "abort").current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(!checked.status.success() && said.contains("must be built with panic = \"unwind\""), "{said}");
}

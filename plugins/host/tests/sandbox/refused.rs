//! Modules that are not loaded: each rule once, by its name.

use crate::guest::{Guest, LIMITS, floor, manifest, seen};
use labtrust_plugin::method::CoordinationMethod;
use labtrust_plugin::wire::{Decision, HandshakeError, Manifest, Settings, encode};
use labtrust_plugin_host::wasm::{Limits, LoadError, Numerics, Refusal, compile, load};
use labtrust_plugin_host::{Carrier, ManifestError};

fn refusal(guest: &Guest) -> Refusal {
    match guest.load(LIMITS) {
        Err(LoadError::Refused(refusal)) => refusal,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it was loaded"),
    }
}

#[test]
fn the_guest_that_all_others_are_made_of_is_loaded() {
    let method = Guest::default().loaded();
    let origin = method.origin().unwrap();
    assert_eq!((method.id(), origin.version.as_str(), origin.carrier), ("org.example.guest", "0.1.0", "wasm"));
    let mut at_work = method.create(&Settings::default(), &floor()).unwrap();
    let mut out = Decision::default();
    at_work.decide(&seen(0), &mut out).unwrap();
    assert_eq!(Ok(out), Guest::default().decide_reply);
}

#[test]
fn an_import_is_refused_by_name() {
    let guest = Guest { before: "(import \"env\" \"clock\" (func (result i64)))", ..Guest::default() };
    let (module, name) = ("env".to_owned(), "clock".to_owned());
    assert_eq!(refusal(&guest), Refusal::Import { module, name });
}

#[test]
fn floats_are_refused_unless_the_study_allows_them() {
    let decide = "(drop (f64.div (f64.const 0) (f64.const 0))) (i64.const 0x000020000000000a)";
    let guest = Guest { decide, ..Guest::default() };
    assert_eq!(refusal(&guest), Refusal::Floats);
    assert!(guest.load(Limits { numerics: Numerics::Floats, ..LIMITS }).is_ok());
}

#[test]
fn a_start_function_is_refused() {
    let guest = Guest { after: "(func $begin) (start $begin)", ..Guest::default() };
    assert_eq!(refusal(&guest), Refusal::StartFunction);
    assert!(refusal(&guest).to_string().contains("start function"));
    let allowed = guest.load(Limits { numerics: Numerics::Floats, ..LIMITS });
    assert!(matches!(allowed, Err(LoadError::Refused(Refusal::StartFunction))), "with floats too");
}

#[test]
fn a_missing_export_is_refused_by_name() {
    for name in ["labtrust_contract", "labtrust_alloc", "labtrust_free", "labtrust_create", "labtrust_decide"] {
        assert_eq!(refusal(&Guest { without: name, ..Guest::default() }), Refusal::MissingExport { name });
    }
    let hidden = Guest { memory: "(memory 2 16)", ..Guest::default() };
    assert_eq!(refusal(&hidden), Refusal::MissingExport { name: "memory" });
}

#[test]
fn an_export_of_another_type_is_refused() {
    let after = "(func (export \"labtrust_free\") (param i32))";
    let guest = Guest { without: "labtrust_free", after, ..Guest::default() };
    assert_eq!(refusal(&guest), Refusal::ExportType { name: "labtrust_free", wanted: "(i32, i32) -> ()" });
}

#[test]
fn an_export_that_is_no_part_of_the_contract_is_refused() {
    let guest = Guest { after: "(func (export \"phone_home\"))", ..Guest::default() };
    assert_eq!(refusal(&guest), Refusal::ExtraExport { name: "phone_home".to_owned() });
    let mutable = Guest { after: "(global (export \"__heap_base\") (mut i32) (i32.const 0))", ..Guest::default() };
    assert_eq!(refusal(&mutable), Refusal::ExtraExport { name: "__heap_base".to_owned() });
}

#[test]
fn what_a_linker_exports_unasked_is_allowed() {
    Guest { after: "(global (export \"__heap_base\") i32 (i32.const 0))", ..Guest::default() }.loaded();
}

#[test]
fn a_memory_without_a_maximum_is_refused() {
    let guest = Guest { memory: "(memory (export \"memory\") 2)", ..Guest::default() };
    assert_eq!(refusal(&guest), Refusal::UnboundedMemory);
}

#[test]
fn a_memory_that_begins_above_the_limit_is_refused() {
    let guest = Guest { memory: "(memory (export \"memory\") 17 100)", ..Guest::default() };
    assert_eq!(refusal(&guest), Refusal::MemoryTooLarge { bytes: 17 * 65536, limit: 1 << 20 });
}

#[test]
fn extensions_are_refused() {
    let cases = [
        Guest { after: "(memory 1 1)", ..Guest::default() },
        Guest { memory: "(memory (export \"memory\") 2 16 shared)", ..Guest::default() },
        Guest { memory: "(memory (export \"memory\") i64 2 16)", ..Guest::default() },
        Guest { after: "(func (drop (i32x4.splat (i32.const 0))))", ..Guest::default() },
    ];
    for guest in cases {
        assert!(matches!(refusal(&guest), Refusal::Malformed { .. }), "{}", guest.text());
    }
}

#[test]
fn what_is_no_webassembly_is_refused() {
    for bytes in [&b""[..], b"\0asm", b"\x7fELF", &[0xFF; 100]] {
        assert!(matches!(compile(bytes, LIMITS), Err(LoadError::Refused(Refusal::Malformed { .. }))));
    }
    let cut = Guest::default().bytes();
    assert!(matches!(compile(&cut[..cut.len() - 3], LIMITS), Err(LoadError::Refused(Refusal::Malformed { .. }))));
}

#[test]
fn a_file_above_4_mib_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.wasm");
    std::fs::File::create(&path).unwrap().set_len((4 << 20) + 1).unwrap();
    let refused = load(&path, LIMITS);
    assert!(matches!(refused, Err(LoadError::Refused(Refusal::TooLarge { bytes: 4_194_305 }))));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let Err(error) = load("nowhere/guest.wasm".as_ref(), LIMITS) else { panic!("it was loaded") };
    assert_eq!(error.to_string(), "cannot read nowhere/guest.wasm");
}

#[test]
fn a_file_is_known_by_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("guest.wasm");
    std::fs::write(&path, Guest::default().bytes()).unwrap();
    let digest = |guest: &Guest| guest.loaded().origin().unwrap().sha256.clone();
    let one = load(&path, LIMITS).unwrap();
    assert_eq!(one.origin().path.as_deref(), Some(path.as_path()));
    assert_eq!(one.origin().sha256, digest(&Guest::default()));
    assert_ne!(one.origin().sha256, digest(&Guest { free: "nop", ..Guest::default() }));
    assert_eq!(one.origin().sha256.len(), 64);
}

#[test]
fn another_contract_is_refused() {
    let mut manifest = manifest();
    manifest.handshake.contract_major = 7;
    let refused = Guest { manifest: encode(&manifest), ..Guest::default() }.load(LIMITS);
    assert!(matches!(
        refused,
        Err(LoadError::Unusable(ManifestError::Handshake(HandshakeError::OtherContract { major: 7, .. })))
    ));
}

#[test]
fn another_kind_is_refused() {
    let mut manifest = manifest();
    manifest.kind = "injection".into();
    let refused = Guest { manifest: encode(&manifest), ..Guest::default() }.load(LIMITS).err().unwrap();
    assert!(matches!(&refused, LoadError::Unusable(ManifestError::Kind { kind, .. }) if kind == "injection"));
    let message = "org.example.guest is of the kind injection; a file of its own can be: coordination-method, \
                   agent-policy, mine-dispatch";
    assert_eq!(refused.to_string(), message);
}

#[test]
fn an_id_that_cannot_stand_in_a_path_is_refused() {
    for id in ["", "../method", "a b", "naïve", &"x".repeat(101)] {
        let manifest = Manifest { id: id.to_owned(), ..manifest() };
        let refused = Guest { manifest: encode(&manifest), ..Guest::default() }.load(LIMITS);
        assert!(matches!(refused, Err(LoadError::Unusable(ManifestError::Name { what: "id", .. }))), "{id}");
    }
}

#[test]
fn a_summary_that_would_move_a_terminal_or_fill_it_is_refused() {
    for summary in ["one\ntwo", "\x1b[2J", &"x".repeat(301)] {
        let manifest = Manifest { summary: summary.to_owned(), ..manifest() };
        let refused = Guest { manifest: encode(&manifest), ..Guest::default() }.load(LIMITS);
        assert!(matches!(refused, Err(LoadError::Unusable(ManifestError::Summary { .. }))), "{summary}");
    }
    let long = Manifest { summary: "µ".repeat(300), ..manifest() };
    assert!(Guest { manifest: encode(&long), ..Guest::default() }.load(LIMITS).is_ok());
}

#[test]
fn a_manifest_that_cannot_be_read_is_refused() {
    let refused = Guest { manifest: vec![0xFF; 12], ..Guest::default() }.load(LIMITS);
    assert!(matches!(refused, Err(LoadError::Unusable(ManifestError::Garbage(_)))));
    let refused = Guest { manifest: vec![3, 1, 0xFF], ..Guest::default() }.load(LIMITS);
    let other = LoadError::Unusable(ManifestError::Handshake(HandshakeError::OtherContract { major: 3, minor: 1 }));
    assert_eq!(refused.err().map(|error| error.to_string()), Some(other.to_string()), "its contract is known at least");
}

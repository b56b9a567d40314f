//! Native plugins in processes of their own: the same decisions, and whatever they do to their process stays there.

use crate::compiled_in::Wayward;
use crate::fixture::{Library, WAYWARD, decided, failure, floor, method, others_still_work, wrong};
use labtrust_plugin::method::{Compiled, CoordinationMethod};
use labtrust_plugin::wire::{ProblemKind, Settings};
use labtrust_plugin_host::isolated::{IsolatedPlugin, Limits, LoadError, Server, load};
use labtrust_plugin_host::native::{self, Permission, Refusal};
use labtrust_plugin_host::{Carrier, LoadedMethod, OnTrap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Limits that a test reaches soon.
const LIMITS: Limits = Limits { call: Duration::from_secs(60), memory_mib: 512, reply_bytes: 4096 };

fn server() -> Server {
    Server { program: PathBuf::from(env!("CARGO_BIN_EXE_labtrust-plugin-server")), arguments: Vec::new() }
}

fn isolated_with(path: &Path, limits: Limits) -> Result<IsolatedPlugin, LoadError> {
    load(path, &Permission::Everything, &server(), limits)
}

fn isolated() -> LoadedMethod {
    method(isolated_with(&WAYWARD, LIMITS).unwrap())
}

/// How the plugin's first decision fails when it does this.
fn fails(what: &str) -> String {
    let message = failure(&isolated(), &wrong("decide", what, 0));
    others_still_work();
    message
}

/// A copy of the plugin under a name of its own, so that its processes can be told from others.
fn copy() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wayward.so");
    std::fs::copy(&*WAYWARD, &path).unwrap();
    (folder, path)
}

/// Processes with this in their command line.
#[cfg(target_os = "linux")]
fn processes(word: &str) -> usize {
    let lines = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).into_owned())
    });
    lines.filter(|line| line.contains(word)).count()
}

/// Children of this process that have ended and that nobody has buried.
#[cfg(target_os = "linux")]
fn zombies() -> usize {
    let us = std::process::id().to_string();
    let stats = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = stats.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    // `pid (name) state parent ..`
    stats.filter(|stat| stat.rsplit(") ").next().unwrap().starts_with(&format!("Z {us} "))).count()
}

/// Whether this comes true in some seconds.
#[cfg(target_os = "linux")]
fn soon(what: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if what() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

#[test]
fn a_process_decides_what_the_same_source_decides_compiled_in() {
    let library = isolated();
    let mut apart = library.create(&Settings::default(), &floor()).unwrap();
    let mut compiled = Compiled::<Wayward>::NEW.create(&Settings::default(), &floor()).unwrap();
    for step in 0..200 {
        let one = decided(apart.as_mut(), step).unwrap();
        assert_eq!(one, decided(compiled.as_mut(), step).unwrap(), "step {step}");
    }
    let origin = library.origin().unwrap();
    assert_eq!((origin.carrier, origin.path.as_deref()), ("native_isolated", Some(WAYWARD.as_path())));
}

#[test]
fn an_endless_loop_ends_with_its_time() {
    // Long enough for a busy machine to start a process in.
    let limits = Limits { call: Duration::from_secs(3), ..LIMITS };
    let library = method(isolated_with(&WAYWARD, limits).unwrap());
    let message = "it took longer than 3 s for an answer, and was ended";
    assert_eq!(failure(&library, &wrong("decide", "loop", 0)), message);
    let problem = library.create(&wrong("new", "loop", 0), &floor()).err().unwrap();
    assert_eq!(problem.message, message);
    others_still_work();
    // Those of tests beside this one are gone in a moment.
    #[cfg(target_os = "linux")]
    assert!(soon(|| zombies() == 0), "who was ended was buried");
}

#[test]
fn a_memory_hog_ends_at_its_limit() {
    let message = fails("hog");
    assert!(message.starts_with("its process was ended by SIGABRT; last it wrote: "), "{message}");
    assert!(message.contains("memory allocation of 16777216 bytes failed"), "{message}");
}

#[test]
fn a_crash_is_told_with_its_signal_and_its_last_words() {
    assert_eq!(fails("abort"), "its process was ended by SIGABRT; last it wrote: no way out [31m");
    let decide = "volatile int *nowhere = NULL; return (uint32_t)*nowhere;";
    let Some(library) = (Library { decide, ..Library::default() }).built() else { return };
    let crashing = method(isolated_with(&library.path, LIMITS).unwrap());
    assert_eq!(failure(&crashing, &Settings::default()), "its process was ended by SIGSEGV");
}

#[test]
fn an_exit_in_the_middle_is_a_failure_however_well_it_is_meant() {
    assert_eq!(fails("exit"), "its process ended itself with code 0");
    let problem = isolated().create(&wrong("new", "exit", 0), &floor()).err().unwrap();
    assert_eq!(problem.message, "its process ended itself with code 0");
}

#[test]
fn a_panic_and_a_problem_are_told_as_in_one_process() {
    assert_eq!(fails("panic"), "it panicked: it was told to");
    assert_eq!(fails("problem"), "it reports: it was told to");
    let problem = isolated().create(&wrong("new", "problem", 0), &floor()).err().unwrap();
    assert_eq!((problem.kind, problem.message.as_str()), (ProblemKind::Settings, "it was told to"));
}

#[test]
fn answers_that_break_the_rules_are_told_as_in_one_process() {
    let cases = [
        ("reply->len = 9; return LABTRUST_OK;", "an answer of 9 bytes is nowhere: its address is null"),
        (
            "answered(decision, 1, reply); reply->len = (size_t)3 << 30; return LABTRUST_OK;",
            "an answer of 3221225472 bytes is longer than the limit of 4096",
        ),
        ("return 7;", "a call returned 7, which means nothing"),
    ];
    for (decide, message) in cases {
        let Some(library) = (Library { decide, ..Library::default() }).built() else { return };
        let broken = method(isolated_with(&library.path, LIMITS).unwrap());
        assert_eq!(failure(&broken, &Settings::default()), message);
    }
}

#[test]
fn what_a_plugin_prints_does_not_get_between_the_messages() {
    let mut at_work = isolated().create(&wrong("decide", "print", 1), &floor()).unwrap();
    let mut compiled = Compiled::<Wayward>::NEW.create(&Settings::default(), &floor()).unwrap();
    for step in 0..3 {
        assert_eq!(decided(at_work.as_mut(), step), decided(compiled.as_mut(), step), "step {step}");
    }
}

#[test]
fn after_a_crash_the_next_instance_is_a_new_process() {
    let library = isolated().on_trap(OnTrap::Noop, None).unwrap();
    let mut at_work = library.create(&wrong("decide", "abort", 2), &floor()).unwrap();
    let idle: Vec<bool> = (0..8).map(|step| decided(at_work.as_mut(), step).unwrap().choices.is_empty()).collect();
    assert_eq!(idle, [false, false, true, false, false, true, false, false]);
    assert_eq!((at_work.tally().decisions, at_work.tally().failures), (8, 2));
}

#[test]
fn a_crash_of_one_instance_is_none_of_another() {
    let library = isolated();
    let (mut one, mut other) = (
        library.create(&wrong("decide", "abort", 1), &floor()).unwrap(),
        library.create(&Settings::default(), &floor()).unwrap(),
    );
    decided(one.as_mut(), 0).unwrap();
    assert!(decided(one.as_mut(), 1).is_err());
    assert!(decided(other.as_mut(), 0).is_ok());
}

#[test]
fn a_file_is_refused_before_a_process_is_started() {
    let refused = load(&WAYWARD, &Permission::Nothing, &server(), LIMITS).err().unwrap();
    assert!(matches!(refused, LoadError::File(native::LoadError::Refused(Refusal::NotAllowed))), "{refused}");
    let Some(library) = (Library { symbol: "main_", ..Library::default() }).built() else { return };
    let refused = isolated_with(&library.path, LIMITS).err().unwrap();
    assert!(
        matches!(&refused, LoadError::Refused { refusal } if *refusal == Refusal::NoSymbol.to_string()),
        "{refused}"
    );
}

#[test]
fn a_library_whose_loading_crashes_is_refused() {
    let before = "__attribute__((constructor)) static void early(void) { abort(); }";
    let Some(library) = (Library { before, ..Library::default() }).built() else { return };
    let refused = isolated_with(&library.path, LIMITS).err().unwrap();
    assert_eq!(refused.to_string(), "the plugin does not give its manifest: its process was ended by SIGABRT");
}

#[test]
fn a_file_that_became_another_is_not_run() {
    let (_folder, path) = copy();
    let library = isolated_with(&path, LIMITS).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.push(0);
    std::fs::write(&path, bytes).unwrap();
    let failure = library.instance().err().unwrap().to_string();
    assert!(failure.contains("its SHA-256, ") && failure.contains("not in the list"), "{failure}");
}

#[test]
fn a_server_that_is_none_is_an_error() {
    let nowhere = Server { program: "nowhere/labtrust".into(), arguments: Vec::new() };
    let error = load(&WAYWARD, &Permission::Everything, &nowhere, LIMITS).err().unwrap().to_string();
    assert!(error.contains("cannot be started as nowhere/labtrust"), "{error}");
    let silent = Server { program: "true".into(), arguments: Vec::new() };
    let error = load(&WAYWARD, &Permission::Everything, &silent, LIMITS).err().unwrap().to_string();
    assert!(error.ends_with("its process ended itself with code 0"), "{error}");
    let talking = Server { program: "echo".into(), arguments: Vec::new() };
    assert!(load(&WAYWARD, &Permission::Everything, &talking, LIMITS).is_err());
}

#[test]
fn a_server_that_nobody_asks_says_so() {
    let output = Command::new(server().program).arg(&*WAYWARD).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("only to the program itself"), "{output:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_outlives_its_episode() {
    let (_folder, path) = copy();
    let word = path.to_string_lossy().into_owned();
    let library = method(isolated_with(&path, LIMITS).unwrap());
    assert_eq!(processes(&word), 0, "the one that said who it is");
    let mut at_work = library.create(&wrong("decide", "spawn 86399.25", 0), &floor()).unwrap();
    decided(at_work.as_mut(), 0).unwrap();
    assert_eq!(processes(&word), 1);
    assert!(soon(|| processes("86399.25") == 1), "what it has started");
    drop(at_work);
    assert_eq!(processes(&word), 0);
    assert!(soon(|| processes("86399.25") == 0), "what it has started goes with it");
    // Neither does one that was ended by force.
    for what in ["abort", "exit", "panic"] {
        let mut at_work = library.create(&wrong("decide", what, 0), &floor()).unwrap();
        assert!(decided(at_work.as_mut(), 0).is_err());
    }
    assert_eq!(processes(&word), 0);
}

/// Not a test of its own: what [`a_process_does_not_outlive_the_program`] starts, and ends with a signal.
#[cfg(target_os = "linux")]
#[test]
fn a_program_that_is_ended_while_it_waits() {
    let Some(path) = std::env::var_os("LABTRUST_TEST_WAITING") else { return };
    let library = method(isolated_with(path.as_ref(), LIMITS).unwrap());
    let _ = failure(&library, &wrong("decide", "spawn 86398.5 and loop", 0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_does_not_outlive_the_program() {
    let (_folder, path) = copy();
    let word = path.to_string_lossy().into_owned();
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "isolated::a_program_that_is_ended_while_it_waits"])
        .env("LABTRUST_TEST_WAITING", &path)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    assert!(soon(|| processes("86398.5") == 1), "it is in its endless loop");
    assert_eq!(processes(&word), 1);
    program.kill().unwrap();
    program.wait().unwrap();
    assert!(soon(|| processes(&word) == 0), "its loop never ends, but nobody listens any more");
    assert!(soon(|| processes("86398.5") == 0), "nor does what it has started");
}

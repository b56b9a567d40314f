//! One method in every carrier: it does the laboratory's work, and decides the same wherever it runs.
//!
//! What is compared are bytes, over observations of episodes of all tasks in both timings, made anew in every run. The
//! native library is built with this test; the WebAssembly module is where `.ci/guests` puts it.

#![expect(clippy::print_stdout, reason = "`--nocapture` shows the figures that the tests hold to their limits")]

#[path = "carriers/episodes.rs"]
mod episodes;
#[path = "carriers/in_c.rs"]
mod in_c;

use episodes::{Recording, record, tasks};
use labtrust_example_earliest_due::EarliestDue;
use labtrust_kernel::ClockMode;
use labtrust_plugin::method::Compiled;
use labtrust_plugin::wire::{CreateReply, encode};
use labtrust_plugin_host::{Carrier, native, wasm};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

// Names the crate, and so has its library built.
use earliest_due as _;

static METHOD: Compiled<EarliestDue> = Compiled::NEW;

/// Episodes of each task in each timing.
const EPISODES: u64 = 4;
/// Observations that carriers are compared on, at least.
const OBSERVATIONS: usize = 10_000;

struct Recorded {
    task: &'static str,
    timing: ClockMode,
    episodes: Vec<Recording>,
}

/// Every task in both timings, directed by the method as it is compiled in.
static RECORDED: LazyLock<Vec<Recorded>> = LazyLock::new(|| {
    let all = tasks().flat_map(|task| ClockMode::ALL.map(|timing| (task, timing)));
    let recorded = |(task, timing): (&'static dyn labtrust_plugin::Task, _)| Recorded {
        task: task.id(),
        timing,
        episodes: (100..100 + EPISODES).map(|seed| record(task, timing, seed, &METHOD)).collect(),
    };
    all.map(recorded).collect()
});

#[test]
fn the_example_runs_the_whole_laboratory() {
    for Recorded { task, timing, episodes } in RECORDED.iter() {
        let sum = |of: fn(&Recording) -> u64| episodes.iter().map(of).sum::<u64>();
        let (released, bound) = (sum(|episode| episode.released), sum(|episode| episode.bound));
        // What the scripted crew releases of the bound: figures.md. A task that it does not master has its own share.
        let wanted = match (*task, timing) {
            ("coord_scale" | "coord_risk", ClockMode::Simulated) => 63,
            ("adversarial_disruption", ClockMode::Simulated) => 65,
            ("late_courier", _) => 55,
            _ => 94,
        };
        println!("{task} {timing}: {released} of {bound}");
        assert!(100 * released >= wanted * bound, "{task} {timing}: {released} of {bound} released");
        let refused: Vec<&String> = episodes.iter().flat_map(|episode| &episode.refused).collect();
        assert!(refused.is_empty(), "{task} {timing}: {refused:?}");
    }
}

#[test]
fn the_method_decides_the_same_as_a_native_library() {
    // Built beside this test's own program.
    let file = std::env::current_exe().unwrap().with_file_name(library("earliest_due"));
    agrees(&native::load(&file, &native::Permission::Everything, native::Limits::default()).unwrap());
}

#[test]
fn the_method_decides_the_same_as_webassembly() {
    let Some(file) = guest("earliest_due.wasm") else { return };
    agrees(&wasm::load(&file, wasm::Limits::default()).unwrap());
}

/// A module that `.ci/guests` has built; without it the test cannot be made, and says so.
fn guest(name: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests").join(name);
    if !file.exists() {
        eprintln!("skipped: no {name}; `.ci/guests` builds it where a compiler for WebAssembly can be had");
    }
    file.exists().then_some(file)
}

/// The name of a library's file.
fn library(name: &str) -> String {
    format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// Plays every recorded episode on a carrier, an instance each, and compares all answers byte by byte.
fn agrees(carrier: &dyn Carrier) {
    let (mut compared, mut busy, mut reply) = (0, 0, Vec::new());
    for Recorded { task, timing, episodes } in RECORDED.iter() {
        for (number, episode) in episodes.iter().enumerate() {
            let mut instance = carrier.instance().unwrap();
            instance.create(&episode.create, &mut reply).unwrap();
            assert_eq!(reply, encode(&CreateReply::Ok(())), "{task} {timing} {number}");
            for (step, (seen, answer)) in episode.steps.iter().enumerate() {
                instance.decide(seen, &mut reply).unwrap();
                assert_eq!(reply, *answer, "{task} {timing} {number}, step {step}: is the file older than its source?");
            }
            compared += episode.steps.len();
            busy += episode.busy_steps;
        }
    }
    println!("{compared} decisions compared, in {busy} of them somebody acts");
    assert!(compared >= OBSERVATIONS, "{compared} observations are too few");
    assert!(10 * busy >= 3 * compared, "in only {busy} of {compared} decisions somebody acts");
}

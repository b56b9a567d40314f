//! What it costs that a method is a file of its own: one decision of the example method at 100 specimens, in every carrier.
//!
//! A user cares because a study asks for a decision every step, and because it is what not having to trust a stranger's
//! method costs. Compiled in there is no message; the difference to it is the carrier's: 20 µs are allowed to a native
//! library, 150 µs to WebAssembly. The observation is the contract's own of 100 specimens, at its large site, so that
//! the figures are about the same bytes everywhere. The row of the C example shows a method that does less. What has not
//! been built (`.ci/guests`) is left out, and said so.

#![expect(clippy::print_stdout, reason = "a bench talks to whoever runs it")]

use criterion::{Criterion, criterion_group, criterion_main};
use labtrust_example_earliest_due::EarliestDue;
use labtrust_plugin::method::{Compiled, CoordinationMethod};
use labtrust_plugin::wire::{Create, Decision, Observation, Settings, decode};
use labtrust_plugin_host::{LoadedMethod, native, wasm};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

// Names the crate, and so has its library built.
use earliest_due as _;

static COMPILED_IN: Compiled<EarliestDue> = Compiled::NEW;

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn vector(name: &str) -> Vec<u8> {
    let folder = repository().join("plugins/api/contract/v1/vectors");
    std::fs::read(folder.join(name)).expect("the contract has this vector")
}

/// Where programs are built, `target/release/deps`.
fn built() -> PathBuf {
    std::env::current_exe().expect("a bench is a file").parent().expect("it is in a folder").to_owned()
}

fn module(name: &str) -> Option<LoadedMethod> {
    let file = built().join("../../guests").join(name);
    if !file.exists() {
        eprintln!("skipped: no {name}; `.ci/guests` builds it where a compiler for WebAssembly can be had");
        return None;
    }
    let module = wasm::load(&file, wasm::Limits::default()).expect("the guest keeps the rules");
    Some(LoadedMethod::new(Arc::new(module)).expect("its parameters have a schema"))
}

fn library() -> LoadedMethod {
    let name = format!("{}earliest_due{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let limits = native::Limits::default();
    let library = native::load(&built().join(name), &native::Permission::Everything, limits);
    let library = library.expect("the library was built with this bench");
    LoadedMethod::new(Arc::new(library)).expect("its parameters have a schema")
}

fn decisions(c: &mut Criterion) {
    let Create { site, .. } = decode(&vector("create_large_site.bin")).expect("a vector is a message");
    let settings = Settings::default();
    let seen: Observation = decode(&vector("observation_100_specimens.bin")).expect("a vector is a message");
    let mut group = c.benchmark_group("carriers/decision/100_specimens");
    let mut measure = |name: &str, method: &dyn CoordinationMethod| {
        let mut at_work = method.create(&settings, &site).expect("the method works at this site");
        let mut decision = Decision::default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| at_work.decide(black_box(&seen), &mut decision).expect("it decides"));
        });
        assert!(!decision.choices.is_empty());
        // Unlike the time, the same on every machine.
        let tally = at_work.tally();
        if let Some(fuel) = tally.fuel.checked_div(tally.decisions).filter(|&fuel| fuel > 0) {
            println!("{name}: {fuel} units of fuel a decision\n");
        }
    };
    measure("compiled_in", &COMPILED_IN);
    measure("native", &library());
    if let Some(method) = module("earliest_due.wasm") {
        measure("wasm", &method);
    }
    if let Some(method) = module("first_come.wasm") {
        measure("wasm_from_c", &method);
    }
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);

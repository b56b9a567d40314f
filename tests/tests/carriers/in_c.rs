//! The example in C: it reads what the contract's vectors say, refuses what is no message, and releases results.

use crate::episodes::{record, tasks};
use crate::{guest, library};
use labtrust_kernel::ClockMode;
use labtrust_plugin::wire::{
    Create, CreateReply, DecideReply, Observation, Problem, ProblemKind, Settings, Site, decode, encode,
};
use labtrust_plugin_host::{Carrier, Failure, Instance, LoadedMethod, native, wasm};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The example in every carrier that can be had: the module where `.ci/guests` has built it, the library always.
static CARRIERS: LazyLock<Vec<Arc<dyn Carrier>>> = LazyLock::new(|| {
    let library = native::load(&compiled(), &native::Permission::Everything, native::Limits::default()).unwrap();
    let module = guest("first_come.wasm").map(|file| wasm::load(&file, wasm::Limits::default()).unwrap());
    let module = module.map(|module| Arc::new(module) as Arc<dyn Carrier>);
    std::iter::once(Arc::new(library) as Arc<dyn Carrier>).chain(module).collect()
});

/// The shared library, made by the compiler that links Rust's own programs too.
fn compiled() -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(library("first_come"));
    let (source, include) = ("plugins/examples/first_come_c/first_come.c", "plugins/api/include");
    let mut cc = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    cc.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I", include, source, "-o"]);
    let built = cc.arg(&file).current_dir(repository()).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    file
}

/// Vectors of the contract whose names begin so, by name.
fn vectors(begin: &str) -> Vec<(String, Vec<u8>)> {
    let folder = repository().join("plugins/api/contract/v1/vectors");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    let name = |file: &Path| file.file_stem().unwrap().to_str().unwrap().to_owned();
    let wanted = |file: &&PathBuf| name(file).starts_with(begin) && file.extension().is_some_and(|end| end == "bin");
    files.iter().filter(wanted).map(|file| (name(file), std::fs::read(file).unwrap())).collect()
}

fn create(instance: &mut dyn Instance, request: &[u8]) -> CreateReply {
    let mut reply = Vec::new();
    match instance.create(request, &mut reply) {
        Err(Failure::Problem(problem)) => Err(problem),
        answered => answered.map(|()| decode(&reply).unwrap()).unwrap(),
    }
}

fn decide(instance: &mut dyn Instance, request: &[u8]) -> DecideReply {
    let mut reply = Vec::new();
    match instance.decide(request, &mut reply) {
        Err(Failure::Problem(problem)) => Err(problem),
        answered => answered.map(|()| decode(&reply).unwrap()).unwrap(),
    }
}

fn is_unreadable(problem: Option<Problem>) -> bool {
    problem.is_some_and(|problem| problem.kind == ProblemKind::Message)
}

#[test]
fn it_reads_every_vector_and_says_nothing_that_cannot_be() {
    for carrier in CARRIERS.iter() {
        assert_eq!(carrier.manifest().id, "org.example.first_come_c");
        let (mut decided, mut refused) = (0, 0);
        for (name, bytes) in vectors("create_") {
            let mut instance = carrier.instance().unwrap();
            let Ok(Create { site, .. }) = decode(&bytes) else {
                // An answer, or a message of another kind.
                assert!(is_unreadable(create(&mut *instance, &bytes).err()), "{name}");
                continue;
            };
            assert_eq!(create(&mut *instance, &bytes), Ok(()), "{name}");
            for (seen_name, bytes) in vectors("observation_") {
                let seen: Observation = decode(&bytes).unwrap();
                match (seen.check(&site), decide(&mut *instance, &bytes)) {
                    (Ok(()), decision) => {
                        let decision = decision.unwrap_or_else(|problem| panic!("{name}, {seen_name}: {problem}"));
                        decision.check(&site, &seen).unwrap_or_else(|problem| panic!("{name}, {seen_name}: {problem}"));
                        decided += decision.choices.len();
                    }
                    // It looks at less than the kit's check does, so it may understand what the check refuses.
                    (Err(_), reply) => refused += usize::from(is_unreadable(reply.err())),
                }
            }
        }
        assert!(decided > 10 && refused > 10, "{decided} choices, {refused} refusals");
    }
}

#[test]
fn what_is_cut_short_or_goes_on_is_no_message() {
    let site = vectors("create_small_site").remove(0).1;
    let seen = vectors("observation_small").remove(0).1;
    for carrier in CARRIERS.iter() {
        let mut instance = carrier.instance().unwrap();
        assert!(is_unreadable(decide(&mut *instance, &seen).err()), "nothing was created yet");
        for (bytes, begins) in [(&site, true), (&seen, false)] {
            for len in (0..bytes.len()).chain([bytes.len() + 1]) {
                let mut bytes = bytes.clone();
                bytes.resize(len, 0);
                let problem = match begins {
                    true => create(&mut *instance, &bytes).err(),
                    false => decide(&mut *instance, &bytes).err(),
                };
                assert!(is_unreadable(problem), "{len} bytes");
            }
            assert_eq!(create(&mut *instance, &site), Ok(()));
        }
        let huge = encode(&Create {
            settings: Settings::default(),
            site: Site { zones: vec![String::new(); 300], ..Site::default() },
        });
        assert_eq!(create(&mut *instance, &huge).unwrap_err().kind, ProblemKind::Site);
    }
}

#[test]
fn it_releases_results() {
    for carrier in CARRIERS.iter() {
        let method = LoadedMethod::new(Arc::clone(carrier)).unwrap();
        let shares = tasks().map(|task| {
            let run = record(task, ClockMode::Explicit, 100, &method);
            println!("{}: {} of {}, {} refused", task.id(), run.released, run.bound, run.refused.len());
            (run.released, run.bound)
        });
        let (released, bound) = shares.fold((0, 0), |sum, run| (sum.0 + run.0, sum.1 + run.1));
        assert!(2 * released >= bound, "{released} of {bound}");
    }
}

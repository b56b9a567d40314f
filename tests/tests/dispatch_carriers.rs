//! The example's dispatch policy sends trucks to the same loaders compiled in and as WebAssembly.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use labtrust_plugin::mine::{Compiled, DispatchPolicy};
use labtrust_plugin::testing::{dispatch_request, mine_site};
use labtrust_plugin::wire::{Setting, Settings};
use labtrust_plugin_host::{LoadedDispatch, wasm};
use shortest_wait::ShortestWait;
use std::path::Path;
use std::sync::Arc;

/// Requests that are compared, in mines of several sizes [count].
const REQUESTS: u64 = 10_000;
const MINES: [(u16, u16); 4] = [(4, 2), (12, 3), (40, 8), (200, 30)];

#[test]
fn the_policy_chooses_the_same_as_webassembly() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests").join("shortest_wait.wasm");
    if !file.exists() {
        eprintln!("skipped: no shortest_wait.wasm; `.ci/guests` builds it where a compiler for WebAssembly can be had");
        return;
    }
    let loaded = LoadedDispatch::new(Arc::new(wasm::load(&file, wasm::Limits::default()).unwrap())).unwrap();
    let compiled = Compiled::<ShortestWait>::NEW;
    assert_eq!((loaded.id(), loaded.params_schema()), (compiled.id(), compiled.params_schema()));
    let mut not_the_first = 0;
    for (number, (trucks, loaders)) in (0..).zip(MINES) {
        let mine = mine_site(number, trucks, loaders);
        let slack_s = 60 * number as i64;
        let settings = Settings([("slack_s".to_owned(), Setting::Number(slack_s))].into());
        let mut called = compiled.dispatcher(&settings, &mine).unwrap();
        let mut asked = loaded.dispatcher(&settings, &mine).unwrap();
        for seed in 0..REQUESTS / MINES.len() as u64 {
            let seen = dispatch_request(seed, &mine);
            let chosen = called.choose(&seen).unwrap();
            assert_eq!(asked.choose(&seen), Ok(chosen), "{seen:?}: is the file older than its source?");
            not_the_first += u64::from(chosen != seen.loaders[0].loader);
        }
    }
    assert!(10 * not_the_first > 3 * REQUESTS, "{not_the_first}: a policy that takes the first agrees with everything");
}

//! How long policies take to open and to read. `cargo run --release -p labtrust-policy --example load_times [DIRECTORY]`

#![expect(clippy::print_stdout, reason = "the figures are its output")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::Value;

fn main() -> Result<(), PolicyError> {
    let dir = std::env::args_os().nth(1).map(PathBuf::from);
    let open = || PolicyStore::resolve_from(dir.as_deref(), None);
    let store = open()?;
    println!("{}: {} files", store.source(), store.paths().count());
    print("open", || open().map(drop));
    print("open and put a partner on", || open()?.with_partner("hsl_like").map(drop));
    print("read every YAML file as a value", || {
        store.paths().filter(|path| path.ends_with(".yaml")).for_each(|path| drop(store.value(path)));
        Ok(())
    });
    for path in [
        "rbac/rbac_policy.v0.1.yaml",
        "zones/zone_layout_policy.v0.1.yaml",
        "reason_codes/reason_code_registry.v0.1.yaml",
    ] {
        print(path, || store.section::<Value>(path, None).map(drop));
    }
    print("fingerprint", || store.policy_fingerprint().map(drop));
    Ok(())
}

/// Prints the median of 101 runs.
fn print(what: &str, mut run: impl FnMut() -> Result<(), PolicyError>) {
    let mut times: Vec<Duration> = (0..101)
        .map(|_| {
            let start = Instant::now();
            run().expect("the policy can be read");
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("{:>10.1} us  {what}", times[50].as_secs_f64() * 1e6);
}

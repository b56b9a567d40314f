//! `run_manifest.json`: what is true of this machine and this moment only.

use crate::version;
use labtrust_bench::results::manifest_bytes;
use labtrust_contract::RunManifest;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// [`bytes_with`] of a run whose steps were not timed.
pub(crate) fn bytes(threads: usize, episodes: u64, wall: Duration, outputs: BTreeMap<String, String>) -> Vec<u8> {
    bytes_with(threads, episodes, wall, outputs, None)
}

/// The bytes of a manifest for `episodes` episodes that took `wall`; `outputs` are names and SHA-256 of files.
#[expect(clippy::cast_precision_loss, reason = "episodes of a run are far below 2^53")]
pub(crate) fn bytes_with(
    threads: usize,
    episodes: u64,
    wall: Duration,
    outputs: BTreeMap<String, String>,
    step_timing: Option<Map<String, Value>>,
) -> Vec<u8> {
    let wall_s = wall.as_secs_f64();
    manifest_bytes(&RunManifest {
        program_version: version::line(),
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        threads,
        run_duration_wall_s: wall_s,
        run_duration_episodes_per_s: (wall_s > 0.0).then(|| episodes as f64 / wall_s),
        outputs,
        step_timing,
    })
}

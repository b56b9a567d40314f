//! `run_manifest.json`: what is true of this machine and this moment only.

use crate::version;
use labtrust_bench::results::manifest_bytes;
use labtrust_contract::RunManifest;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// What only some runs have.
#[derive(Debug, Default)]
pub(crate) struct Also {
    /// How long steps took.
    pub(crate) step_timing: Option<Map<String, Value>>,
    /// Who answered requests for approvals.
    pub(crate) approval_hook: Option<String>,
}

/// [`bytes_with`] of a run that has none of it.
pub(crate) fn bytes(threads: usize, episodes: u64, wall: Duration, outputs: BTreeMap<String, String>) -> Vec<u8> {
    bytes_with(threads, episodes, wall, outputs, Also::default())
}

/// The bytes of a manifest for `episodes` episodes that took `wall`; `outputs` are names and SHA-256 of files.
#[expect(clippy::cast_precision_loss, reason = "episodes of a run are far below 2^53")]
pub(crate) fn bytes_with(
    threads: usize,
    episodes: u64,
    wall: Duration,
    outputs: BTreeMap<String, String>,
    also: Also,
) -> Vec<u8> {
    let wall_s = wall.as_secs_f64();
    manifest_bytes(&RunManifest {
        program_version: version::line(),
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        threads,
        run_duration_wall_s: wall_s,
        run_duration_episodes_per_s: (wall_s > 0.0).then(|| episodes as f64 / wall_s),
        outputs,
        step_timing: also.step_timing,
        approval_hook: also.approval_hook,
    })
}

//! Writes the tables of a study of made-up episodes below a directory: what `tests/python/comparisons_against_scipy.py` computes again.
//! `cargo run -p labtrust-comparison --example study_of_noise DIRECTORY`

use labtrust_comparison::{CellKey, ComparisonError, EpisodeRow, StudyInput, episode_rows, write_study};
use labtrust_kernel::Streams;
use labtrust_policy::PolicyStore;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Few enough episodes that every choice of signs is counted, and enough for intervals.
const EPISODES: u64 = 12;

fn cell(scale: &str, method: &str, merit: f64, injection: &str) -> Result<Vec<EpisodeRow>, ComparisonError> {
    let key = CellKey { scale_id: scale.to_owned(), method_id: method.to_owned(), injection_id: injection.to_owned() };
    let mut own = Streams::new(7).stream("study_of_noise", &format!("{scale}/{method}/{injection}"));
    let episode = |seed: u64| {
        // What a seed does to all methods of a size, and what is the method's own.
        let luck = Streams::new(seed).stream("study_of_noise", scale).uniform();
        let mut noise = || own.uniform() - 0.5;
        let throughput = libm::floor((10.0 + 6.0 * luck + merit + 4.0 * noise()).max(0.0));
        let p95 = 300.0 + 80.0 * luck - 12.0 * merit + 60.0 * noise();
        let violations = libm::floor((3.0 - merit + 4.0 * noise()).max(0.0));
        let success = noise() > 0.3 + merit / 20.0;
        let sec = (injection != "none").then(|| {
            json!({ "applications_total": 4, "attack_success_rate": f64::from(u8::from(success)), "stealth_success_rate": 0.0 })
        });
        json!({ "seed": seed, "metrics": {
            "throughput": throughput, "p95_turnaround_s": p95, "on_time_rate": (0.5 + noise()).clamp(0.0, 1.0), "steps": 60,
            "violations_by_invariant_id": { "INV-A": violations }, "blocked_by_reason_code": {}, "sec": sec,
        } })
    };
    let mut episode = episode;
    episode_rows(&key, &json!({ "episodes": (0..EPISODES).map(&mut episode).collect::<Vec<_>>() }))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::env::args_os().nth(1).map(PathBuf::from).ok_or("name a directory")?;
    let mut episodes = Vec::new();
    for scale in ["large", "small"] {
        for (method, merit) in [("even", 0.0), ("good", 3.0), ("same", 0.0)] {
            for injection in ["none", "INJ-A", "INJ-B"] {
                episodes.extend(cell(scale, method, merit, injection)?);
            }
        }
    }
    let (policy, risks) = (PolicyStore::builtin(), BTreeMap::new());
    let input = StudyInput { study_id: "noise", seed_base: 42, episodes: &episodes, risks: &risks, policy: &policy };
    Ok(write_study(&out, &input)?)
}

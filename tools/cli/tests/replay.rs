//! Which runs `verify-bundle --replay` does again, and which it says it cannot.

use std::path::Path;
use std::process::Command;

/// Runs the program in `dir`; exit code and stdout.
fn labtrust(dir: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_labtrust"))
        .args(arguments)
        .current_dir(dir)
        .env_remove("LABTRUST_POLICY_DIR")
        .env_remove("LABTRUST_PARTNER")
        .env_remove("LABTRUST_STRICT_SIGNATURES")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Runs a task, makes a bundle of its log, and verifies that with a replay.
fn replayed(options: &[&str]) -> (i32, String) {
    let dir = tempfile::tempdir().unwrap();
    let run = ["run-benchmark", "--episodes", "1", "--seed", "3", "--log", "log.jsonl"];
    assert_eq!(labtrust(dir.path(), &[&run[..], options].concat()).0, 0, "{options:?}");
    assert_eq!(labtrust(dir.path(), &["export-receipts", "--run", "log.jsonl", "--out", "."]).0, 0, "{options:?}");
    labtrust(dir.path(), &["verify-bundle", "--replay", "--bundle", "EvidenceBundle.v0.1"])
}

#[test]
fn a_run_that_was_not_disturbed_is_done_again() {
    let small = ["--task", "coord_risk", "--scale", "small_smoke"];
    for more in [
        &[][..],
        // Controls that only speak where somebody attacks.
        &["--ablate", "fallback", "--ablate", "memory"],
        &["--coord-method", "market_auction", "--ablate", "bus.signature"],
    ] {
        let (code, report) = replayed(&[&small[..], more].concat());
        assert!(code == 0 && report.contains("replayed:    held"), "{more:?}: {report}");
    }
}

#[test]
fn a_run_that_nobody_can_do_again_is_not_called_forged() {
    let attacked = ["--task", "coord_risk", "--scale", "small_smoke", "--injection"];
    let attacked = |id| [&attacked[..], &[id]].concat();
    for (options, what) in [
        (attacked("INJ-ID-SPOOF-001"), "an injection"),
        (attacked("POISON_THEN_REPLAY"), "an injection"),
        ([&attacked("INJ-PARTIAL-OBS-001")[..], &["--ablate", "sensor_hold"]].concat(), "an injection"),
        (vec!["--task", "insider_key_misuse", "--ablate", "signatures"], "controls left out"),
    ] {
        let (code, report) = replayed(&options);
        let sentence = format!("not proved  the run had {what}, and nobody knows yet how such a run is done again");
        assert!(code == 1 && report.contains(&sentence), "{options:?}: {report}");
    }
}

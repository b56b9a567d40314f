//! Scenario files: reading them answers, and so does running what could be read.

#![no_main]

use labtrust_bench::scenario::{Runner, Semantics, load_text, report};
use labtrust_fuzz::laboratory;
use labtrust_policy::PolicyStore;
use libfuzzer_sys::{Corpus, fuzz_target};
use std::path::Path;
use std::sync::OnceLock;

/// Scenarios of a file, and steps of a scenario, that are run [count].
const SCENARIOS_MAX: usize = 3;
const STEPS_MAX: usize = 40;

fn runner() -> &'static Runner {
    static RUNNER: OnceLock<Runner> = OnceLock::new();
    RUNNER.get_or_init(|| Runner::new(&PolicyStore::builtin(), Semantics::Sound).expect("the built-in policy is good"))
}

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    let mut reports = Vec::new();
    for name in ["fuzz.ron", "fuzz.yaml"] {
        let Ok(suite) = load_text(Path::new(name), text) else { continue };
        for mut scenario in suite.scenarios.into_iter().take(SCENARIOS_MAX) {
            scenario.script.truncate(STEPS_MAX);
            let report = runner().run(&scenario, laboratory().engine().as_mut());
            assert_eq!(report.passed, report.failures.is_empty());
            assert_eq!(report.trace().lines().count(), report.step_reports.len() + HEADER_LINES);
            reports.push(report);
        }
    }
    let _ = (report::text(&reports), report::json("0.1", &reports), report::junit(&reports));
    Corpus::Keep
});

/// Lines of a trace before the first step [count].
const HEADER_LINES: usize = 1;

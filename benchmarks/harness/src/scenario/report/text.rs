//! Reports for people.

use super::{Failure, ScenarioReport};
use serde_json::Value;
use std::fmt::Write as _;

/// A line a scenario, what was wrong below it, and the sum at the end.
#[must_use]
pub fn text(reports: &[ScenarioReport]) -> String {
    let mut out = String::new();
    for report in reports {
        let word = match (report.passed, report.only_unsupported()) {
            (true, _) => "ok",
            (false, true) => "UNSUPPORTED",
            (false, false) => "FAILED",
        };
        let _ = writeln!(out, "{word:<11} {} {}", report.scenario_id, report.title);
        for failure in &report.failures {
            out.push_str(&failure_text(failure));
        }
    }
    let passed = reports.iter().filter(|report| report.passed).count();
    let unsupported = reports.iter().filter(|report| report.only_unsupported()).count();
    let steps: usize = reports.iter().map(|report| report.step_reports.len()).sum();
    let failed = reports.len() - passed - unsupported;
    let _ = writeln!(
        out,
        "{} scenarios, {steps} steps: {passed} passed, {failed} failed, {unsupported} unsupported",
        reports.len()
    );
    out
}

/// One failure with everything around it, indented.
pub(super) fn failure_text(failure: &Failure) -> String {
    let details = &failure.details;
    let mut out = String::new();
    match details.step {
        Some(step) => {
            let _ = writeln!(out, "  step {step} ({}): {}", failure.event_id, failure.message);
        }
        None => {
            let _ = writeln!(out, "  {}: {}", failure.event_id, failure.message);
        }
    }
    if let Some(event) = &details.event {
        let _ = writeln!(out, "    event    {}", Value::Object(event.clone()));
        let _ = writeln!(out, "    expected {}", details.expected);
        let _ = writeln!(out, "    actual   {}", details.actual);
        for (query, answer) in &details.queries {
            let _ = writeln!(out, "    {query} = {answer}");
        }
    }
    out
}

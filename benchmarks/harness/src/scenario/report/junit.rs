//! Reports for CI, as JUnit XML. Times are left out: a scenario's own seconds are none of the machine's.

use super::ScenarioReport;
use super::text::failure_text;
use std::fmt::Write as _;

/// One suite with a case for every scenario.
#[must_use]
pub fn junit(reports: &[ScenarioReport]) -> String {
    let failed = reports.iter().filter(|report| !report.passed).count();
    let counts = format!("tests=\"{}\" failures=\"{failed}\" errors=\"0\"", reports.len());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n<testsuite name=\"labtrust scenarios\" {counts}>\n"
    );
    for report in reports {
        let title = escaped(&format!("{} {}", report.scenario_id, report.title));
        let class = escaped(&report.scenario_id);
        let _ = write!(out, "<testcase classname=\"{class}\" name=\"{}\"", title.trim_end());
        if report.passed {
            out.push_str("/>\n");
            continue;
        }
        // A case has one failure in most readers; the body has them all.
        let first = report.failures.first().map_or("", |failure| failure.message.as_str());
        let kind = if report.only_unsupported() { "unsupported" } else { "assertion" };
        let body: String = report.failures.iter().map(failure_text).collect();
        let _ = writeln!(
            out,
            ">\n<failure type=\"{kind}\" message=\"{}\">{}</failure>\n</testcase>",
            escaped(first),
            escaped(&body)
        );
    }
    out.push_str("</testsuite>\n</testsuites>\n");
    out
}

/// Text that may stand in an attribute or between tags. What XML cannot hold at all becomes the replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            control if control < ' ' || matches!(control, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

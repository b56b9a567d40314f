//! What was found in a trace, for programs and for people.

use super::Entry;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;

/// The outcome. In the form and order of the published report; what this checker adds comes after it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceReport {
    /// Whether nothing was found.
    pub safe: bool,
    /// The bound: steps after the first one [count].
    pub max_steps: usize,
    /// Steps that were looked at [count].
    pub steps_checked: usize,
    /// What was found, in the order of the steps.
    pub violations: Vec<Found>,
    /// The invariants whose violations count, in order.
    pub invariant_ids_checked: Vec<String>,
    /// Whether the events were played again. If not, the report is as true as the trace.
    pub re_evaluated: bool,
    /// Why not.
    pub not_re_evaluated_because: Option<String>,
    /// Findings that something was recorded otherwise than it happened [count].
    pub divergences: usize,
    /// Steps of the trace, looked at or not [count].
    pub steps_in_trace: usize,
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// The invariant, or [`DIVERGENCE`](super::DIVERGENCE).
    pub invariant_id: String,
    /// The step, counted from 0.
    pub step_index: usize,
    /// The step in values.
    pub evidence: Evidence,
    /// In words.
    pub message: String,
}

/// The step that something was found in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// The event's id, as recorded.
    pub event_id: Value,
    /// When [s], as recorded.
    pub t_s: Value,
    /// Who, as recorded.
    pub agent_id: Value,
    /// What, as recorded.
    pub action_type: Value,
    /// Accepted or blocked, as recorded.
    pub status: Value,
    /// What the verdict has, or what was recorded and what came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

impl Evidence {
    pub(super) fn of(entry: &Entry, details: Option<Value>) -> Self {
        let event = |key: &str| entry.event.get(key).cloned().unwrap_or_default();
        let status = entry.result.get("status").cloned().unwrap_or_default();
        Self {
            event_id: event("event_id"),
            t_s: event("t_s"),
            agent_id: event("agent_id"),
            action_type: event("action_type"),
            status,
            details,
        }
    }
}

impl TraceReport {
    /// The report as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_else(|_| unreachable!("its maps have text keys"));
        text + "\n"
    }

    /// The report as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::from("# Trace check\n\n");
        let yes = |flag: bool| if flag { "yes" } else { "no" };
        let _ = writeln!(out, "- **Safe**: {}", yes(self.safe));
        let _ = writeln!(out, "- **Steps checked**: {}", self.steps_checked);
        let _ = writeln!(out, "- **Violations**: {}", self.violations.len());
        let _ = writeln!(out, "\n{}", self.how());
        if !self.violations.is_empty() {
            out.push_str("\n## Violations\n");
        }
        for found in &self.violations {
            let _ = writeln!(out, "\n### Step {}: {}\n", found.step_index, inert(&found.invariant_id));
            let _ = writeln!(out, "{}\n", inert(&found.message));
            let evidence = serde_json::to_value(&found.evidence).unwrap_or_default();
            for (key, value) in evidence.as_object().into_iter().flatten() {
                let _ = writeln!(out, "- {key}: {}", inert(&value.to_string()));
            }
        }
        out
    }

    /// A line for every violation, and what was done.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for found in &self.violations {
            let plain =
                |text: &str| text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect::<String>();
            let event = found.evidence.event_id.as_str().unwrap_or("-");
            let _ = writeln!(out, "step {} ({}): {}", found.step_index, plain(event), plain(&found.message));
        }
        let word = if self.safe { "safe" } else { "not safe" };
        let _ = writeln!(
            out,
            "{word}: {} in {} of {} steps. {}",
            count(self.violations.len(), "violation"),
            self.steps_checked,
            self.steps_in_trace,
            self.how()
        );
        out
    }

    /// Whether the events were played again, as a sentence.
    fn how(&self) -> String {
        match &self.not_re_evaluated_because {
            None => {
                format!("The events were played again: {} from the record.", count(self.divergences, "divergence"))
            }
            Some(reason) => format!("The events were not played again: {}. Verdicts are as recorded.", inert(reason)),
        }
    }
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Text of a trace as it may stand in a Markdown page: one line, and no markup.
fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            control if control.is_control() => out.push('\u{fffd}'),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '[' | ']' | '*' | '`' | '|' | '\\' | '#' => out.extend(['\\', character]),
            other => out.push(other),
        }
    }
    out
}

//! What the reference makes of a line: the last action that touches a subject decides, whatever became of it.

use super::{Kind, first_time, last_time};
use crate::entry::Entry;

#[derive(Debug, Default)]
pub(super) struct Verdict(Option<&'static str>);

impl Verdict {
    pub(super) fn take(&mut self, kind: Kind, entry: &Entry) {
        let decision = match (kind, entry.action()) {
            (Kind::Specimen, "REJECT_SPECIMEN") => "REJECTED",
            (Kind::Specimen, "ACCEPT_SPECIMEN") | (Kind::Result, "RELEASE_RESULT" | "GENERATE_RESULT") => "RELEASED",
            (Kind::Specimen, "HOLD_SPECIMEN") | (Kind::Result, "HOLD_RESULT") => "HELD",
            (Kind::Specimen, "CREATE_ACCESSION") => "BLOCKED",
            _ => return,
        };
        self.0 = Some(if entry.blocked() { "BLOCKED" } else { decision });
    }

    pub(super) fn decision(&self) -> &'static str {
        self.0.unwrap_or("BLOCKED")
    }
}

pub(super) fn timestamps(entry: &Entry, times: &mut Vec<(&'static str, i64)>) {
    let action = entry.action();
    let last = match action {
        "CREATE_ACCESSION" => Some("received"),
        "ACCEPT_SPECIMEN" => Some("accepted"),
        "GENERATE_RESULT" => Some("result_generated"),
        "RELEASE_RESULT" => Some("released"),
        "START_RUN" => Some("run_started"),
        _ => None,
    };
    if let Some(name) = last {
        last_time(times, name, entry.t_s());
    }
    if action.contains("QUEUE") || action == "START_RUN" {
        first_time(times, "queued", entry.t_s());
    }
}

//! What happened: only accepted steps decide and set times.

use super::{Kind, Origins, State, Subject, first_time, last_time};
use crate::entry::Entry;
use std::collections::BTreeMap;

/// How far a subject has come.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    stage: Option<&'static str>,
    /// Whether the last accepted step that decides rejected, held or released it.
    last: Option<&'static str>,
    /// Whether somebody was refused what would have moved it on.
    refused: bool,
}

impl Verdict {
    pub(super) fn take(&mut self, kind: Kind, entry: &Entry) {
        let (stage, decides) = match (kind, entry.action()) {
            (Kind::Specimen, "RECEIVE_BATCH") => ("RECEIVED", None),
            (Kind::Specimen, "CREATE_ACCESSION") => ("ACCESSIONED", None),
            (Kind::Specimen, "ACCEPT_SPECIMEN") => ("ACCEPTED", Some("HELD")),
            (Kind::Specimen, "REJECT_SPECIMEN") => ("REJECTED", Some("REJECTED")),
            (Kind::Specimen, "HOLD_SPECIMEN") => ("HELD", Some("HELD")),
            (Kind::Specimen, "CENTRIFUGE_END") => ("SEPARATED", None),
            (Kind::Specimen, "QUEUE_RUN") => ("QUEUED", None),
            (Kind::Specimen, "START_RUN" | "START_RUN_OVERRIDE") => ("IN_RUN", None),
            (Kind::Specimen, "END_RUN") => ("MEASURED", None),
            (_, "GENERATE_RESULT") => ("GENERATED", Some("HELD")),
            (_, "HOLD_RESULT") => ("HELD", Some("HELD")),
            (_, "RERUN_REQUEST") => ("RERUN", Some("HELD")),
            (_, "RELEASE_RESULT" | "RELEASE_RESULT_OVERRIDE") => ("RELEASED", Some("RELEASED")),
            _ => return,
        };
        if !entry.accepted() {
            self.refused |= decides.is_some_and(|decision| decision != "HELD") || kind == Kind::Specimen;
            return;
        }
        self.stage = Some(stage);
        if decides.is_some() {
            self.last = decides;
            self.refused = false;
        }
    }

    /// `all_released`: of a specimen, whether it has results and all of them were released.
    pub(super) fn decision(&self, kind: Kind, all_released: Option<bool>) -> &'static str {
        match (kind, self.last) {
            (_, Some("REJECTED")) => "REJECTED",
            (Kind::Result, Some("RELEASED")) => "RELEASED",
            (Kind::Specimen, _) if all_released == Some(true) => "RELEASED",
            // Refused at the end, or nothing of it was ever accepted.
            _ if self.refused || self.stage.is_none() => "BLOCKED",
            _ => "HELD",
        }
    }

    pub(super) fn stage(&self) -> Option<&'static str> {
        self.stage
    }

    fn released(&self) -> bool {
        self.last == Some("RELEASED")
    }

    /// A result that is measured again does not hold back its specimen: the new one does.
    fn counts(&self) -> bool {
        self.stage != Some("RERUN")
    }
}

/// For every specimen with results: whether all of them were released.
pub(super) fn unreleased_results(
    subjects: &BTreeMap<Subject, State>,
    origins: &Origins,
) -> BTreeMap<(u64, String), bool> {
    let mut released = BTreeMap::new();
    for ((episode, result), (specimen, _)) in origins {
        let subject = Subject { kind: Kind::Result, id: Some(result.clone()), episode: *episode };
        let (Some(specimen), Some(state)) = (specimen, subjects.get(&subject)) else { continue };
        if state.corrected.counts() {
            *released.entry((*episode, specimen.clone())).or_insert(true) &= state.corrected.released();
        }
    }
    released
}

pub(super) fn timestamps(entry: &Entry, times: &mut Vec<(&'static str, i64)>) {
    if !entry.accepted() {
        return;
    }
    let (name, first) = match entry.action() {
        "RECEIVE_BATCH" | "CREATE_ACCESSION" => ("received", true),
        "ACCEPT_SPECIMEN" => ("accepted", false),
        "CENTRIFUGE_END" => ("separated", false),
        "QUEUE_RUN" => ("queued", true),
        "START_RUN" | "START_RUN_OVERRIDE" => ("run_started", false),
        "GENERATE_RESULT" => ("result_generated", false),
        "RELEASE_RESULT" | "RELEASE_RESULT_OVERRIDE" => ("released", false),
        _ => return,
    };
    if first {
        first_time(times, name, entry.t_s());
    } else {
        last_time(times, name, entry.t_s());
    }
}

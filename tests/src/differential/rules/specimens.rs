//! Differences of reception and separation.

use super::{Rule, carries, parts};
use crate::differential::Case;
use crate::differential::facts::FACTS;
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) const RULES: &[Rule] = &[
    parts("D-31", "a rejected specimen stays rejected", |case| {
        case.code_is("RC_SPECIMEN_STATE")
            && matches!(case.action(), "CREATE_ACCESSION" | "ACCEPT_SPECIMEN" | "HOLD_SPECIMEN" | "REJECT_SPECIMEN")
            && case.was("specimen_status", case.text("specimen_id")) == "rejected"
    }),
    carries("D-31", "a hold has a reason, whatever it holds", |case| {
        case.is("HOLD_SPECIMEN")
            && case.refused_here("AUDIT_MISSING_REASON_CODE")
            && case.text("specimen_id").is_empty()
            && reason(case).is_empty()
    }),
    carries("D-41", "how far a specimen is in its lane", |case| {
        case.answer("specimen_status").is_some_and(|(specimen, there, here)| {
            let here = here.as_str().unwrap_or_default();
            concerns(case, specimen) && step_of(case.action()).contains(&here) && !there.is_null()
        })
    }),
    carries("D-41", "what is further in its lane waits in no queue", |case| {
        case.answer("accepted_specimen_ids_not_in_queue").is_some_and(|(_, there, here)| {
            let (Some(there), Some(here)) = (there.as_array(), here.as_array()) else { return false };
            here.iter().all(|id| there.contains(id))
        })
    }),
    parts("D-43", "an aliquot's id is used once", |case| {
        case.is("ALIQUOT_CREATE")
            && case.code_is("RC_ALIQUOT_DUPLICATE")
            && case.ledger.aliquots.contains_key(case.text("aliquot_id"))
    }),
    parts("D-35", "a spin is ended where the centrifuge stands", |case| {
        case.is("CENTRIFUGE_END") && case.code_is("RC_DEVICE_NOT_COLOCATED") && elsewhere(case)
    }),
    parts("D-36", "more tubes than a centrifuge takes", |case| {
        let tubes = u64::try_from(case.texts("specimen_ids").count()).unwrap_or(u64::MAX);
        case.is("CENTRIFUGE_START") && case.code_is("RC_BATCH_TOO_LARGE") && tubes > FACTS.batch(case.text("device_id"))
    }),
];

fn reason<'a>(case: &Case<'a>) -> &'a str {
    let of_event = case.event.get("reason_code").and_then(Value::as_str).unwrap_or_default().trim();
    if of_event.is_empty() { case.text("reason_code").trim() } else { of_event }
}

/// The agent stands in another zone than the device.
pub(super) fn elsewhere(case: &Case<'_>) -> bool {
    let at = case.was("agent_zone", case.agent());
    let device = FACTS.device_zone(case.text("device_id"));
    !at.is_empty() && !device.is_empty() && at != device
}

/// The statuses that an action leads to which the reference does not write.
fn step_of(action: &str) -> &'static [&'static str] {
    match action {
        "QUEUE_RUN" => &["queued"],
        "START_RUN" | "START_RUN_OVERRIDE" => &["running", "analysed"],
        "GENERATE_RESULT" => &["resulted"],
        "RELEASE_RESULT" | "RELEASE_RESULT_OVERRIDE" => &["released"],
        _ => &[],
    }
}

/// Whether an event names a specimen, by itself, an aliquot, its work or its result.
fn concerns(case: &Case<'_>, specimen: &str) -> bool {
    let resolved = |id: &str| id == specimen || case.ledger.aliquots.get(id).is_some_and(|of| of == specimen);
    let of = |known: &BTreeMap<String, Vec<String>>, key: &str| {
        known.get(case.text(key)).is_some_and(|specimens| specimens.iter().any(|id| id == specimen))
    };
    case.here.status == case.there.status
        && (resolved(case.text("specimen_id"))
            || resolved(case.text("work_id"))
            || case
                .texts("specimen_ids")
                .chain(case.texts("aliquot_ids"))
                .chain(case.texts("accession_ids"))
                .any(resolved)
            || resolved(case.was("queue_head", case.text("device_id")))
            || of(&case.ledger.results, "result_id")
            || of(&case.ledger.runs, "run_id"))
}

//! Differences of results and of telling somebody.

use super::{Rule, carries, parts};
use crate::differential::facts::FACTS;
use crate::differential::{Case, Facet};
use serde_json::Value;

pub(super) const RULES: &[Rule] = &[
    carries("D-33", "a result without an id", |case| {
        case.is("GENERATE_RESULT") && case.code_is("RC_EVENT_MALFORMED") && case.text("result_id").is_empty()
    }),
    parts("D-43", "a result is filed once", |case| {
        case.is("GENERATE_RESULT") && case.code_is("RC_RESULT_DUPLICATE") && exists(case)
    }),
    parts("D-33", "an override releases what does not exist", |case| {
        case.is("RELEASE_RESULT_OVERRIDE")
            && case.code_is("RC_RESULT_UNKNOWN")
            && !exists(case)
            && !case.there.token_consumed.is_empty()
    }),
    carries("D-33", "what does not exist is released", |case| {
        matches!(case.action(), "RELEASE_RESULT" | "RELEASE_RESULT_OVERRIDE")
            && case.code_is("RC_RESULT_UNKNOWN")
            && !exists(case)
    }),
    parts("D-33", "what is released is released again", |case| {
        matches!(case.action(), "RELEASE_RESULT" | "RELEASE_RESULT_OVERRIDE")
            && case.code_is("RC_RESULT_ALREADY_RELEASED")
            && status(case) == "released"
    }),
    parts("D-33", "a released result goes back on hold", |case| {
        case.is("RELEASE_RESULT")
            && case.code_here() == "RC_RESULT_ALREADY_RELEASED"
            && case.answer("result_status").is_some_and(|(result, there, here)| {
                result == case.text("result_id") && there == "held" && here == "released"
            })
    }),
    parts("D-31", "a released result is not held", |case| {
        case.is("HOLD_RESULT") && case.code_is("RC_RESULT_STATE") && status(case) == "released"
    }),
    parts("D-17", "no override under a failed control", |case| {
        case.is("RELEASE_RESULT_OVERRIDE") && case.code_is("QC_FAIL_ACTIVE") && exists(case)
    }),
    parts("D-17", "no override of a critical result that nobody knows of", |case| {
        case.is("RELEASE_RESULT_OVERRIDE")
            && case.code_is("CRIT_NO_ACK")
            && case.was("result_criticality", case.text("result_id")).starts_with("CRIT_")
    }),
    carries("D-39", "a normal result reads none", |case| {
        case.answer("result_criticality").is_some_and(|(_, there, here)| there == "NONE" && here == "none")
    }),
    carries("D-39", "downtime asks to tell what is critical", |case| {
        case.is("GENERATE_RESULT")
            && *case.facet == Facet::Emits
            && case.setting("system", "downtime_active") == &Value::Bool(true)
            && case.there.emits.last().is_some_and(|emit| emit == "NOTIFY_CRITICAL_RESULT")
            && case.there.emits[..case.there.emits.len() - 1] == case.here.emits
    }),
    parts("D-39", "a notification has a channel", |case| {
        case.is("NOTIFY_CRITICAL_RESULT")
            && case.code_is("CRIT_MODE_NOT_ALLOWED")
            && case.text("channel").trim().is_empty()
    }),
    parts("D-39", "a tier's time to answer", |case| {
        let last = case.ledger.attempts.get(case.text("result_id")).and_then(|attempts| attempts.last());
        case.is("ESCALATE_CRITICAL_RESULT")
            && case.code_is("CRIT_ACK_TIMEOUT")
            && last.is_some_and(|(tier, at_s)| case.t_s() - at_s < FACTS.wait_s(*tier))
    }),
    parts("D-39", "the first escalation counts, and nobody jumps a tier", |case| {
        matches!(
            case.action(),
            "NOTIFY_CRITICAL_RESULT"
                | "ESCALATE_CRITICAL_RESULT"
                | "ACK_CRITICAL_RESULT"
                | "RELEASE_RESULT"
                | "RELEASE_RESULT_OVERRIDE"
        ) && (case.code_here().starts_with("CRIT_") || case.code_there().starts_with("CRIT_"))
            && matches!(case.facet, Facet::Decision | Facet::Code)
            && case.ledger.told_apart.contains(case.text("result_id"))
    }),
    carries("D-32", "a run that starts later is not the run of a result", |case| {
        releasable(case).is_some_and(|ids| ids.iter().all(|id| case.ledger.filed_early.contains(*id)))
    }),
    parts("D-32", "a run that starts later holds no result", |case| {
        matches!(case.action(), "RELEASE_RESULT" | "RELEASE_RESULT_OVERRIDE")
            && case.there_code_is("QC_FAIL_ACTIVE")
            && case.ledger.filed_early.contains(case.text("result_id"))
    }),
];

/// The results that only one engine calls releasable; there are some.
fn releasable<'a>(case: &Case<'a>) -> Option<Vec<&'a str>> {
    let (_, there, here) = case.answer("releasable_result_ids")?;
    let ids = |list: &'a Value| list.as_array().into_iter().flatten().filter_map(Value::as_str);
    let only = |one: &'a Value, other: &'a Value| ids(one).filter(move |id| !ids(other).any(|known| known == *id));
    let differ: Vec<&str> = only(there, here).chain(only(here, there)).collect();
    (!differ.is_empty()).then_some(differ)
}

fn status<'a>(case: &Case<'a>) -> &'a str {
    case.was("result_status", case.text("result_id"))
}

fn exists(case: &Case<'_>) -> bool {
    !status(case).is_empty()
}

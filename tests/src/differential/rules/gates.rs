//! Differences of the gates before any action.

use super::{Rule, carries, parts};
use crate::differential::facts::FACTS;
use crate::differential::shape::is_misshapen;
use crate::differential::{Case, Facet};
use labtrust_plugin::lab::ActionKind;
use serde_json::Value;

pub(super) const RULES: &[Rule] = &[
    carries("D-22", "an action that does not exist", |case| case.code_is("RC_UNKNOWN_ACTION") && unknown_action(case)),
    carries("D-22", "doing nothing passes no gate", |case| {
        case.is("NOOP") && *case.facet == Facet::Decision && case.code_here().is_empty()
    }),
    carries("D-22", "doing nothing comes out as nothing", |case| {
        case.is("NOOP") && *case.facet == Facet::Emits && case.here.emits.is_empty() && case.there.emits == ["NOOP"]
    }),
    parts("D-26", "a value of the wrong type", |case| {
        let code = if case.arg("value").is_null() || case.arg("value").is_number() {
            "RC_EVENT_MALFORMED"
        } else {
            "RC_RESULT_VALUE_NOT_NUMERIC"
        };
        is_misshapen(case.event) && (case.code_is(code) || case.code_is("RC_EVENT_MALFORMED"))
    }),
    parts("D-15", "the tool comes last, with arguments of its own", |case| {
        has_tool(case)
            && matches!(case.facet, Facet::Decision | Facet::Code)
            && (case.code_there().starts_with("TOOL_") || case.code_here().starts_with("TOOL_"))
    }),
    carries("D-15", "a tool's refusal is a refusal like others", |case| {
        has_tool(case)
            && case.code_here().starts_with("TOOL_")
            && (*case.facet == Facet::Emits || case.finding().is_some_and(|(id, _, _)| id.starts_with("TOOL_")))
    }),
    parts("D-18", "time runs backwards", |case| {
        case.code_is("RC_TIME_BACKWARDS") && (case.t_s() < 0 || case.t_s() < case.ledger.now_s)
    }),
    parts("D-10", "an agent that nobody knows", |case| {
        case.code_is("RC_AGENT_UNKNOWN") && role(case).is_empty() && !case.ledger.placed.contains(case.agent())
    }),
    parts("D-10", "an agent without a role", |case| {
        case.code_is("RBAC_ACTION_DENY") && role(case).is_empty() && case.ledger.placed.contains(case.agent())
    }),
    carries("D-21", "the lift of an enforcement", |case| {
        case.is("LIFT_ENFORCEMENT")
            && matches!(case.facet, Facet::Decision | Facet::Code)
            && matches!(case.code_here(), "RBAC_ACTION_DENY" | "SIG_MISSING")
    }),
    parts("D-24", "a throttled agent waits", |case| {
        case.code_is("RC_AGENT_THROTTLED") && case.ledger.is_throttled(case.agent(), case.t_s())
    }),
    parts("D-24", "an agent that is out stays out", |case| {
        case.code_is("RC_AGENT_KILLED") && case.ledger.killed.contains(case.agent())
    }),
    parts("D-23", "the budget of overrides counts results too", |case| {
        case.code_is("AGENT_OVERRIDE_BUDGET_EXCEEDED")
            && case.ledger.taken.get(case.agent()).is_some_and(|taken| taken.1 > 0)
    }),
    parts("D-21", "a link that breaks on a refusal freezes the log", |case| {
        let froze = |question: &str| case.answer(question).is_some_and(|(_, there, here)| there != here);
        let broken = case.setting("audit_fault_injection", "break_hash_prev_on_event_id");
        Some(broken) == case.event.get("event_id")
            && !case.code_here().is_empty()
            && (froze("last_reason_code_system") || froze("system_state('log_frozen')"))
    }),
    carries("D-21", "a link that breaks on a refusal comes out", |case| {
        *case.facet == Facet::Emits
            && case.here.emits == ["FORENSIC_FREEZE_LOG"]
            && !case.code_here().is_empty()
            && case.event.get("event_id") == Some(case.setting("audit_fault_injection", "break_hash_prev_on_event_id"))
    }),
    parts("D-16", "a token for something else", |case| {
        (!case.is("MINT_TOKEN") || case.code_here() == "TOKEN_SCOPE_MISMATCH")
            && matches!(
                case.code_here(),
                "TOKEN_SCOPE_MISMATCH" | "TOKEN_SUBJECT_MISMATCH" | "TOKEN_REASON_NOT_ALLOWED"
            )
            && matches!(case.facet, Facet::Decision | Facet::Code)
            && !case.is("START_RUN")
            && case.refs().iter().any(|id| !covers(case, id))
    }),
];

/// The role of the agent, runtime control and own rosters included.
pub(super) fn role<'a>(case: &'a Case<'_>) -> &'a str {
    let agent = case.agent();
    match case.ledger.roster.get(agent) {
        Some(role) => role,
        None => FACTS.role(agent),
    }
}

fn has_tool(case: &Case<'_>) -> bool {
    case.event.get("tool_id").and_then(Value::as_str).is_some_and(|tool| !tool.trim().is_empty())
}

fn unknown_action(case: &Case<'_>) -> bool {
    // What the laboratory does by itself is nobody's action.
    let own = ["RECEIVE_BATCH", "ALARM", "DEVICE_FAULT", "DEVICE_REPAIRED", "ABLATE_CONTROLS"];
    ActionKind::parse(case.action()).is_none() || own.contains(&case.action())
}

/// Whether a token is of a type, for a subject and for a reason that go with the event.
fn covers(case: &Case<'_>, id: &str) -> bool {
    let Some(token) = case.ledger.tokens.get(id) else { return true };
    let kind = FACTS.token_type(&token.kind);
    let scope = &kind["scope"];
    let listed = |key: &str, value: &str| {
        scope[key].as_array().is_none_or(|list| list.is_empty() || list.iter().any(|item| item == value))
    };
    let (subject_type, subject) = (token.subject.0.as_str(), token.subject.1.as_str());
    // An id that the action does not look at is no subject.
    let about = || match case.action() {
        "START_RUN_OVERRIDE" => {
            let aliquots = case.texts("aliquot_ids").map(|id| case.ledger.aliquots.get(id).map_or(id, String::as_str));
            let mut specimens = case.texts("specimen_ids").peekable();
            let named = [case.text("run_id"), case.text("device_id")].contains(&subject);
            let stated = if specimens.peek().is_some() {
                specimens.any(|id| id == subject)
            } else {
                aliquots.into_iter().any(|id| id == subject)
            };
            named || stated
        }
        "RELEASE_RESULT_OVERRIDE" => {
            let of = case.ledger.results.get(case.text("result_id"));
            [case.text("result_id"), case.text("run_id")].contains(&subject)
                || of.is_some_and(|specimens| specimens.iter().any(|id| id == subject))
        }
        "RECEIVE_TRANSPORT" | "CHAIN_OF_CUSTODY_SIGN" => case.text("consignment_id") == subject,
        _ => {
            let named = ["specimen_id", "result_id", "run_id", "device_id", "consignment_id"];
            named.iter().any(|key| case.text(key) == subject) || case.texts("specimen_ids").any(|id| id == subject)
        }
    };
    let fits = match subject_type {
        "agent" => subject == case.agent(),
        "zone" => subject == case.text("to_zone"),
        "door" => subject == case.text("door_id"),
        _ => about(),
    };
    let reason = [case.event.get("reason_code").and_then(Value::as_str), case.arg("reason_code").as_str()];
    let reason = reason.into_iter().flatten().find(|code| !code.is_empty()).unwrap_or(&token.reason);
    let reasons: Vec<&Value> = [&kind["reason_codes_allowed"], &scope["allowed_reason_codes"]]
        .into_iter()
        .flat_map(|list| list.as_array().into_iter().flatten())
        .collect();
    let reason_fits = (reasons.is_empty() && !(reason.is_empty() && kind["reason_code_required"] == true))
        || reasons.iter().any(|allowed| *allowed == reason);
    let denied = crate::differential::facts::lists(&scope["denylist_reason_codes"], reason);
    let place = (case.text("door_id"), case.text("to_zone"));
    let placed = (place.0.is_empty()
        && place.1.is_empty()
        && scope["allowed_doors"].is_null()
        && scope["allowed_zones"].is_null())
        || ((place.0.is_empty() || listed("allowed_doors", place.0))
            && (place.1.is_empty() || listed("allowed_zones", place.1))
            && !(place.0.is_empty() && place.1.is_empty()));
    let needs_place = scope["allowed_doors"].is_array() || scope["allowed_zones"].is_array();
    kind.is_object()
        && crate::differential::facts::lists(&scope["allowed_actions"], case.action())
        && (!needs_place || placed)
        && reason_fits
        && !denied
        && (kind["subject_type"].as_array().is_none_or(Vec::is_empty)
            || crate::differential::facts::lists(&kind["subject_type"], subject_type))
        && fits
}

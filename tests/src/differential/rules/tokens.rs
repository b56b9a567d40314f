//! Differences of tokens: which are good, who mints, which are listed.

use super::{Rule, carries, parts};
use crate::differential::facts::{FACTS, lists};
use crate::differential::{Case, Facet};
use serde_json::Value;

pub(super) const RULES: &[Rule] = &[
    carries("D-22", "a revoked token is no broken chain", |case| {
        *case.facet == Facet::Code
            && case.code_there() == "AUDIT_CHAIN_BROKEN"
            && matches!(case.code_here(), "INV-TOK-006" | "INV-TOK-002")
            && case.refs().iter().any(|id| state(case, id) == "REVOKED")
    }),
    parts("D-16", "a token that is not active, or before its time", |case| {
        case.code_is("INV-TOK-002") && case.refs().iter().any(|id| !usable(case, id) && passes_there(case, id))
    }),
    parts("D-16", "tokens are looked at whatever the action", |case| {
        matches!(case.facet, Facet::Decision | Facet::Code)
            && matches!(case.code_here(), "INV-TOK-002" | "INV-TOK-006")
            && matches!(case.action(), "TICK" | "MOVE" | "MINT_TOKEN" | "REVOKE_TOKEN")
            && case.refs().iter().any(|id| !usable(case, id))
    }),
    carries("D-16", "a token out of its time is not listed as active", |case| {
        case.answer("token_active").is_some_and(|(_, there, here)| {
            let listed = |list: &Value, id: &str| lists(list, id);
            let ids = there.as_array().into_iter().flatten().filter_map(Value::as_str);
            let gone: Vec<&str> = ids.filter(|id| !listed(here, id)).collect();
            let more =
                here.as_array().into_iter().flatten().any(|id| !there.as_array().is_some_and(|t| t.contains(id)));
            !more
                && gone.iter().all(|id| {
                    case.ledger.tokens.get(*id).is_some_and(|token| {
                        !(token.valid_s.0..=token.valid_s.1).contains(&case.ledger.now_s.max(case.t_s()))
                    })
                })
        })
    }),
    parts("D-16", "a token that the registry would not have minted", |case| {
        case.is("MINT_TOKEN")
            && matches!(case.facet, Facet::Decision | Facet::Code)
            && match case.code_here() {
                "INV-TOK-001" => !kind(case).is_object() || !approvals_fit(case) || subject_missing(case),
                "TOKEN_SUBJECT_MISMATCH" => {
                    !lists(&kind(case)["subject_type"], case.text("subject_type")) || case.text("subject_id").is_empty()
                }
                "AUDIT_MISSING_REASON_CODE" => reason(case).is_empty() && kind(case)["reason_code_required"] == true,
                "TOKEN_REASON_NOT_ALLOWED" => !reason_fits(case),
                "TOKEN_APPROVAL_ROLE" => !roles_fit(case),
                _ => false,
            }
    }),
    carries("D-16", "a token is used up once, however often it is shown", |case| {
        let mut once: Vec<&String> = Vec::new();
        for token in &case.there.token_consumed {
            if !once.contains(&token) {
                once.push(token);
            }
        }
        *case.facet == Facet::Tokens
            && once.len() < case.there.token_consumed.len()
            && case.here.token_consumed.iter().eq(once)
    }),
    parts("D-16", "an id that is taken gets a number", |case| {
        case.is("MINT_TOKEN") && case.refused_there("INV-TOK-001") && taken(case)
    }),
];

fn state<'a>(case: &'a Case<'_>, id: &str) -> &'a str {
    case.ledger.tokens.get(id).map_or("", |token| token.state.as_str())
}

/// Active and in its time.
fn usable(case: &Case<'_>, id: &str) -> bool {
    let in_time = |valid: (i64, i64)| (valid.0..=valid.1).contains(&case.t_s());
    case.ledger.tokens.get(id).is_some_and(|token| token.state == "ACTIVE" && in_time(token.valid_s))
}

/// What the reference asks of a token: known, neither used up nor revoked, not too old.
fn passes_there(case: &Case<'_>, id: &str) -> bool {
    let token = case.ledger.tokens.get(id);
    token.is_some_and(|token| !matches!(token.state.as_str(), "CONSUMED" | "REVOKED") && case.t_s() <= token.valid_s.1)
}

fn kind(case: &Case<'_>) -> &'static Value {
    FACTS.token_type(case.text("token_type"))
}

/// The id that a mint would give.
fn taken(case: &Case<'_>) -> bool {
    let (kind, subject) = (case.text("token_type"), case.text("subject_id"));
    let family = if kind.contains("OVERRIDE") { "OVR" } else { kind };
    case.ledger.tokens.contains_key(&format!("T_{family}_{subject}"))
}

fn subject_missing(case: &Case<'_>) -> bool {
    case.text("subject_type").is_empty() || case.text("subject_id").is_empty()
}

fn reason<'a>(case: &Case<'a>) -> &'a str {
    let of_event = case.event.get("reason_code").and_then(Value::as_str).unwrap_or_default();
    Some(case.text("reason_code")).filter(|code| !code.is_empty()).unwrap_or(of_event)
}

fn reason_fits(case: &Case<'_>) -> bool {
    let (kind, reason) = (kind(case), reason(case));
    let allowed: Vec<&Value> = [&kind["reason_codes_allowed"], &kind["scope"]["allowed_reason_codes"]]
        .into_iter()
        .flat_map(|list| list.as_array().into_iter().flatten())
        .collect();
    (allowed.is_empty() || allowed.iter().any(|code| *code == reason))
        && !lists(&kind["scope"]["denylist_reason_codes"], reason)
}

/// Approvers and keys, as far as they count. A type that needs one approval takes that of the requester.
fn approvers<'a>(case: &'a Case<'_>) -> Vec<(&'a str, &'a str)> {
    let approvals = case.arg("approvals").as_array().map_or(&[][..], Vec::as_slice);
    let needed = usize::try_from(kind(case)["approvals_required"].as_u64().unwrap_or(1)).unwrap_or(1);
    if approvals.is_empty() && needed == 1 {
        return vec![(case.agent(), "")];
    }
    let text = |value: &'a Value| value.as_str().unwrap_or_default();
    let one = |value: &'a Value| match value {
        Value::String(agent) => (agent.as_str(), ""),
        _ => (text(&value["approver_agent_id"]), text(&value["approver_key_id"])),
    };
    approvals.iter().take(needed).map(one).collect()
}

fn approvals_fit(case: &Case<'_>) -> bool {
    let needed = usize::try_from(kind(case)["approvals_required"].as_u64().unwrap_or(1)).unwrap_or(1);
    let approvers = approvers(case);
    let alike = |a: &(&str, &str), b: &(&str, &str)| a.0 == b.0 || a.1 == b.1;
    approvers.len() == needed
        && approvers.iter().all(|(agent, key)| !agent.is_empty() && (needed == 1 || !key.is_empty()))
        && !(needed == 2 && alike(&approvers[0], &approvers[1]))
}

fn roles_fit(case: &Case<'_>) -> bool {
    let wanted = &kind(case)["approver_roles"];
    let wanted = wanted.as_array().map_or(&[][..], Vec::as_slice);
    let given: Vec<&str> = approvers(case)
        .iter()
        .map(|(agent, _)| case.ledger.roster.get(*agent).map_or_else(|| FACTS.role(agent), String::as_str))
        .collect();
    let every_one_may = given.iter().all(|role| wanted.iter().any(|wanted| wanted == role));
    let all_there = given.len() < wanted.len() || wanted.iter().all(|wanted| given.iter().any(|role| wanted == role));
    wanted.is_empty() || (every_one_may && (given.len() <= 1 || all_there))
}

//! Differences of what is reported and recorded, where the decision is the same.

use super::{Rule, carries};
use crate::differential::facts::FACTS;
use crate::differential::ledger::moves_time;
use crate::differential::{Case, Facet};
use labtrust_contract::{EnforcementItem, InvariantStatus, Violation};
use serde_json::Value;

pub(super) const RULES: &[Rule] = &[
    carries("D-24", "records of enforcement stand for themselves there", |case| {
        case.ledger.enforced_there > 0 && as_expected(case)
    }),
    carries("D-32", "the end of a run is recorded", |case| case.ledger.ends_due > 0 && as_expected(case)),
    carries("D-42", "a door that is open too long is recorded", |case| alarms(case) > 0 && as_expected(case)),
    carries("D-22", "doing nothing is not recorded", |case| case.is("NOOP") && as_expected(case)),
    carries("D-20", "refusals are recorded", |case| {
        !case.code_here().is_empty() && case.here.emits != ["FORENSIC_FREEZE_LOG"] && as_expected(case)
    }),
    carries("D-21", "a link that breaks is not counted", |case| breaks_the_chain(case) && as_expected(case)),
    carries("D-27", "what the registry lets follow from a refusal", |case| {
        *case.facet == Facet::Emits
            && !case.code_here().is_empty()
            && case
                .here
                .emits
                .iter()
                .all(|emit| case.there.emits.contains(emit) || FACTS.follows(case.code_here(), emit))
            && case.there.emits.iter().all(|emit| case.here.emits.contains(emit))
    }),
    carries("D-24", "enforcement that acts comes out", |case| {
        let acts = ["THROTTLE_AGENT", "KILL_SWITCH_AGENT", "KILL_SWITCH_ZONE", "KILL_SWITCH_DEVICE"];
        let more = || case.here.emits.strip_prefix(case.there.emits.as_slice());
        *case.facet == Facet::Emits
            && !case.here.enforcements.is_empty()
            && more().is_some_and(|more| more.iter().all(|emit| acts.contains(&emit.as_str())))
    }),
    carries("D-24", "enforcement fits severity and scope, and freezes no log for them", |case| {
        let violated = |item: &Violation| item.status == InvariantStatus::Violation;
        *case.facet == Facet::Enforcements
            && case.setting("enforcement_enabled", "") == &Value::Bool(true)
            && case.here.enforcements.iter().all(|item| item.kind != "forensic_freeze")
            && (case.here.enforcements.is_empty() || case.here.violations.iter().any(violated))
    }),
    carries("D-24", "a zone that is frozen is frozen", |case| {
        case.answer("zone_state").is_some_and(|(zone, there, here)| {
            let froze = |item: &EnforcementItem| item.kind == "freeze_zone" && item.zone_id.as_deref() == Some(zone);
            there == "normal" && here == "frozen" && case.here.enforcements.iter().any(froze)
        })
    }),
    carries("D-23", "the broken invariant of a refusal has its reason", |case| {
        let same = |there: &Violation, here: &Violation| {
            there.status == here.status && there.reason_code.is_none() && here.reason_code.is_some()
        };
        case.finding().is_some_and(|(_, there, here)| there.zip(here).is_some_and(|(there, here)| same(there, here)))
    }),
    carries("D-23", "a refusal names the invariant it protects", |case| {
        let named = |id: &str, item: &Violation| {
            item.status == InvariantStatus::Violation
                && item.reason_code.as_deref() == Some(case.code_here())
                && protects(id, case)
        };
        !case.code_here().is_empty()
            && case
                .finding()
                .is_some_and(|(id, there, here)| there.is_none() && here.is_some_and(|item| named(id, item)))
    }),
    carries("D-23", "every accepted action is looked at", |case| {
        let passes = |item: &Violation| item.status == InvariantStatus::Pass && item.reason_code.is_none();
        case.both_accepted()
            && case
                .finding()
                .is_some_and(|(id, there, here)| there.is_none() && here.is_some_and(passes) && looked_at(id, case))
    }),
    carries("D-23", "work at a device from another zone is seen", |case| {
        matches!(case.action(), "QC_EVENT" | "ALIQUOT_CREATE" | "END_RUN")
            && case.both_accepted()
            && case.finding().is_some_and(|(id, there, here)| {
                id == "INV-ZONE-002"
                    && there.is_none()
                    && here.is_some_and(|item| item.reason_code.as_deref() == Some("RC_DEVICE_NOT_COLOCATED"))
                    && case.was("agent_zone", case.agent()) != FACTS.device_zone(case.text("device_id"))
            })
    }),
    carries("D-23", "a signature that nobody asked for is looked at", |case| {
        let presented = ["key_id", "signature"].iter().any(|key| case.event.contains_key(*key));
        case.both_accepted()
            && presented
            && case.finding().is_some_and(|(id, there, here)| {
                let looked_at =
                    |item: &Violation| item.reason_code.as_deref().is_none_or(|code| code.starts_with("SIG_"));
                id.starts_with("INV-SIG-") && there.is_none() && here.is_some_and(looked_at)
            })
    }),
    carries("D-23", "a check says nothing of what it did not look at", |case| {
        case.is("ACCEPT_SPECIMEN")
            && case.finding().is_some_and(|(id, there, here)| {
                id == "INV-COAG-FILL-001"
                    && there.is_some_and(|item| item.status == InvariantStatus::Pass)
                    && here.is_none()
                    && !is_citrate(case, case.text("specimen_id"))
            })
    }),
    carries("D-23", "a token that is used up here was good", |case| {
        let fine = |item: &Violation| item.status == InvariantStatus::Pass;
        case.finding().is_some_and(|(id, there, here)| {
            id == "INV-TOK-002"
                && !case.here.token_consumed.is_empty()
                && there.is_some_and(|item| !fine(item))
                && here.is_some_and(fine)
        })
    }),
];

/// Alarms of doors that time has brought with this step [count].
fn alarms(case: &Case<'_>) -> u64 {
    if moves_time(case.event, case.here) { case.ledger.breaches_until(case.t_s()) } else { 0 }
}

/// Both chains grew as they should: there by the event, if it is recorded, and what enforcement has recorded before;
/// here by the event, and what happened by itself before.
fn as_expected(case: &Case<'_>) -> bool {
    let Facet::Growth(there, here) = *case.facet else { return false };
    let frozen = case.was("system_state", "log_frozen") == "true";
    let due = if frozen { 0 } else { case.ledger.ends_due + alarms(case) };
    let own = u64::from(!frozen && !case.is("NOOP") && !breaks_the_chain(case));
    there.checked_sub(case.ledger.enforced_there).is_some_and(|own| own <= 1) && here == own + due
}

/// The initial state breaks the chain at this event.
fn breaks_the_chain(case: &Case<'_>) -> bool {
    case.event.get("event_id") == Some(case.setting("audit_fault_injection", "break_hash_prev_on_event_id"))
}

/// Whether a refusal with this code is about this invariant.
fn protects(id: &str, case: &Case<'_>) -> bool {
    match case.code_here() {
        "CRIT_ACK_MISSING_FIELDS" => id == "INV-CRIT-005",
        "CRIT_ESCALATION_OUT_OF_ORDER" => id == "INV-CRIT-006",
        "TRANSPORT_CHAIN_OF_CUSTODY_BROKEN" => id == "INV-COC-001",
        "SIG_ROLE_MISMATCH" => id == "INV-SIG-002",
        code if code.starts_with("SIG_") => id == "INV-SIG-001",
        "RC_ILLEGAL_MOVE" => id == "INV-ZONE-004" && case.text("to_zone") == "Z_RESTRICTED_BIOHAZARD",
        _ => false,
    }
}

/// Whether an invariant is looked at after this action, by the registry's checks.
fn looked_at(id: &str, case: &Case<'_>) -> bool {
    let with_token = || !case.refs().is_empty();
    match (id, case.action()) {
        ("INV-ZONE-001", "MOVE")
        | ("INV-TOK-001", "MINT_TOKEN")
        | ("INV-CRIT-002", "RELEASE_RESULT" | "RELEASE_RESULT_OVERRIDE")
        | ("INV-CRIT-005", "ACK_CRITICAL_RESULT")
        | ("INV-CRIT-006", "ESCALATE_CRITICAL_RESULT")
        | ("INV-COC-001" | "INV-TRANSPORT-001", "RECEIVE_TRANSPORT")
        | ("INV-STAB-BIOCHEM-001", "START_RUN") => true,
        ("INV-ZONE-002", "ALIQUOT_CREATE" | "QUEUE_RUN" | "START_RUN" | "END_RUN" | "QC_EVENT") => {
            case.was("agent_zone", case.agent()) == FACTS.device_zone(case.text("device_id"))
        }
        ("INV-ZONE-004", "OPEN_DOOR" | "MOVE")
        | (
            "INV-TOK-002" | "INV-TOK-003" | "INV-TOK-006",
            "OPEN_DOOR" | "MOVE" | "START_RUN_OVERRIDE" | "RELEASE_RESULT_OVERRIDE",
        ) => with_token(),
        ("INV-SIG-001" | "INV-SIG-002", _) => case.event.contains_key("signature"),
        _ => false,
    }
}

fn is_citrate(case: &Case<'_>, specimen: &str) -> bool {
    let record = case.ledger.specimens.get(specimen);
    record
        .and_then(|record| record.get("container_type")?.as_str())
        .is_some_and(|kind| kind.to_uppercase().contains("CITRATE"))
}

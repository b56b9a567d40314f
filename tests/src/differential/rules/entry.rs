//! Differences of moving and of doors.

use super::gates::role;
use super::{Rule, carries, parts};
use crate::differential::Case;
use crate::differential::facts::{FACTS, lists};

const CONTAINMENT: &str = "Z_RESTRICTED_BIOHAZARD";
const AIRLOCK: &str = "D_RESTRICTED_AIRLOCK";

pub(super) const RULES: &[Rule] = &[
    parts("D-34", "a refused agent is inside all the same", |case| {
        case.is("MOVE")
            && !case.code_there().is_empty()
            && case.text("to_zone") == CONTAINMENT
            && case.answer("agent_zone").is_some_and(|(agent, there, here)| {
                agent == case.agent()
                    && there == CONTAINMENT
                    && here.as_str().unwrap_or_default() == case.was("agent_zone", agent)
            })
    }),
    parts("D-35", "a guarded door is closed", |case| {
        case.is("MOVE")
            && case.code_is("RC_DOOR_CLOSED")
            && passes_airlock(case)
            && case.before.get("door_state", AIRLOCK)["open"] == false
    }),
    parts("D-35", "a frozen zone is closed", |case| {
        case.code_is("RC_ZONE_FROZEN") && {
            let frozen = |zone: &&str| case.was("zone_state", zone) == "frozen" || case.ledger.froze(zone, case.t_s());
            zones(case).iter().any(frozen)
        }
    }),
    parts("D-35", "an agent moves nobody else", |case| {
        case.is("MOVE")
            && case.code_is("RC_ILLEGAL_MOVE")
            && !is_specimen(case)
            && !case.text("entity_id").is_empty()
            && case.text("entity_id") != case.agent()
    }),
    parts("D-35", "a zone that is not on the plan", |case| {
        case.is("MOVE")
            && case.code_is("RC_ILLEGAL_MOVE")
            && (!FACTS.is_zone(case.text("to_zone")) || (!FACTS.is_zone(case.text("from_zone"))))
    }),
    parts("D-35", "who stands somewhere need not say where", |case| {
        let at = case.was("agent_zone", case.agent());
        case.is("MOVE")
            && case.there_code_is("RC_ILLEGAL_MOVE")
            && case.text("from_zone").is_empty()
            && FACTS.adjacent(at, case.text("to_zone"))
    }),
    parts("D-35", "an airlock has roles", |case| {
        case.is("OPEN_DOOR")
            && case.code_is("RBAC_RESTRICTED_ENTRY_DENY")
            && case.text("door_id") == AIRLOCK
            && !case.refs().is_empty()
            && !lists(&FACTS.door(AIRLOCK)["requires_role"], role(case))
    }),
    parts("D-35", "a door can be closed", |case| {
        case.is("CLOSE_DOOR")
            && case.both_accepted()
            && case.answer("door_state").is_some_and(|(door, there, here)| {
                door == case.text("door_id") && there["open"] == true && here["open"] == false
            })
    }),
    carries("D-42", "a door alarms by itself, in time", |case| {
        case.answer("zone_state").is_some_and(|(zone, there, here)| {
            *there == "normal" && *here == "frozen" && case.ledger.froze(zone, case.t_s())
        })
    }),
    carries("D-42", "a door that alarmed stays open until it is closed", |case| {
        case.answer("door_state").is_some_and(|(door, there, here)| {
            there["open"] == false && here["open"] == true && case.ledger.breached(door, case.t_s())
        })
    }),
    carries("D-42", "a door that stays open is still open too long", |case| {
        case.is("TICK")
            && case.finding().is_some_and(|(id, _, here)| {
                id == "INV-ZONE-005"
                    && here.is_some_and(|item| item.reason_code.as_deref() == Some("RC_DOOR_OPEN_TOO_LONG"))
                    && case.ledger.breached(AIRLOCK, case.t_s())
            })
    }),
    carries("D-18", "a time that was refused is not the time of day", |case| {
        case.answer("door_state").is_some_and(|(_, there, here)| {
            there["open"] == here["open"]
                && there["open_since_ts"] == here["open_since_ts"]
                && (matches!(
                    case.code_here(),
                    "RC_TIME_BACKWARDS"
                        | "RC_EVENT_MALFORMED"
                        | "RC_RESULT_VALUE_NOT_NUMERIC"
                        | "RC_UNKNOWN_ACTION"
                        | "AUDIT_CHAIN_BROKEN"
                ) || case.was("system_state", "log_frozen") == "true")
        })
    }),
];

fn is_specimen(case: &Case<'_>) -> bool {
    case.text("entity_type") == "Specimen"
}

/// Whether the way leads through the airlock, in either direction.
fn passes_airlock(case: &Case<'_>) -> bool {
    let reception = "Z_SRA_RECEPTION";
    let way = (case.text("from_zone"), case.text("to_zone"));
    way == (CONTAINMENT, reception) || way == (reception, CONTAINMENT)
}

/// The zones that an event is about.
fn zones<'a>(case: &Case<'a>) -> Vec<&'a str> {
    let mut zones = vec![case.text("to_zone"), FACTS.device_zone(case.text("device_id"))];
    let door = FACTS.door(case.text("door_id"));
    zones.extend([&door["from_zone"], &door["to_zone"]].iter().filter_map(|zone| zone.as_str()));
    zones.retain(|zone| !zone.is_empty());
    zones
}

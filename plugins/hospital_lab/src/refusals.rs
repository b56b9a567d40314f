//! Which gate raises which reason code.
//!
//! The table is what `explain` tells. It is not what the engine works with: the engine says at each refusal which gate
//! it was, and the property tests compare that with this table, in both directions.

use Gate::{
    AgentKnown, Capability, Colocation, Enforcement, FrozenLog, InTransit, Precondition, Role, RuntimeControl,
    Signature, Time, Token, Tool, WellFormed,
};
use labtrust_plugin::lab::Gate;
use labtrust_trust::codes as c;

/// Codes and the gates that raise them, in the order of the gates.
const TABLE: &[(&str, &[Gate])] = &[
    (c::AUDIT_CHAIN_BROKEN, &[FrozenLog]),
    (c::RC_UNKNOWN_ACTION, &[WellFormed, Precondition]),
    (c::RC_EVENT_MALFORMED, &[WellFormed, Precondition]),
    (c::RC_RESULT_VALUE_NOT_NUMERIC, &[WellFormed]),
    (c::RC_TIME_BACKWARDS, &[Time]),
    (c::RC_DEVICE_NOT_COLOCATED, &[Colocation, Precondition]),
    (c::RC_AGENT_UNKNOWN, &[AgentKnown]),
    (c::RBAC_ACTION_DENY, &[RuntimeControl, Role]),
    (c::RBAC_ZONE_DENY, &[Role]),
    (c::RBAC_DEVICE_DENY, &[Role]),
    (c::RC_AGENT_THROTTLED, &[Enforcement]),
    (c::RC_AGENT_KILLED, &[Enforcement]),
    (c::AGENT_CAPABILITY_DENY, &[Capability]),
    (c::AGENT_RATE_LIMIT, &[Capability]),
    (c::AGENT_OVERRIDE_BUDGET_EXCEEDED, &[Capability]),
    (c::SIG_MISSING, &[RuntimeControl, Signature]),
    (c::SIG_INVALID, &[RuntimeControl, Signature]),
    (c::SIG_KEY_REVOKED, &[RuntimeControl, Signature]),
    (c::SIG_KEY_EXPIRED, &[RuntimeControl, Signature]),
    (c::SIG_KEY_NOT_YET_VALID, &[RuntimeControl, Signature]),
    (c::SIG_ROLE_MISMATCH, &[RuntimeControl, Signature]),
    (c::SIG_REPLAYED, &[RuntimeControl, Signature]),
    (c::RC_AGENT_IN_TRANSIT, &[InTransit]),
    (c::INV_TOK_002, &[Token, Precondition]),
    (c::INV_TOK_006, &[Token]),
    (c::TOKEN_SCOPE_MISMATCH, &[Token]),
    (c::TOKEN_SUBJECT_MISMATCH, &[Token, Precondition]),
    (c::TOKEN_REASON_NOT_ALLOWED, &[Token, Precondition]),
    (c::AUDIT_MISSING_REASON_CODE, &[Precondition]),
    (c::INV_TOK_001, &[Precondition]),
    (c::TOKEN_REQUIRED, &[Precondition]),
    (c::TOKEN_APPROVAL_ROLE, &[Precondition]),
    (c::RBAC_RESTRICTED_ENTRY_DENY, &[Precondition]),
    (c::RC_ILLEGAL_MOVE, &[Precondition]),
    (c::RC_DOOR_CLOSED, &[Precondition]),
    (c::RC_DOOR_UNKNOWN, &[Precondition]),
    (c::RC_ZONE_FROZEN, &[Precondition]),
    (c::RC_ZONE_FULL, &[Precondition]),
    (c::RC_WAY_TAKEN, &[Precondition]),
    (c::RC_DEVICE_UNKNOWN, &[Precondition]),
    (c::RC_DEVICE_KILLED, &[Precondition]),
    (c::RC_DEVICE_BUSY, &[Precondition]),
    (c::RC_DEVICE_MAINT, &[Precondition]),
    (c::RC_DEVICE_FAULT, &[Precondition]),
    (c::RC_DEVICE_NO_UNIT, &[Precondition]),
    (c::RC_BATCH_TOO_LARGE, &[Precondition]),
    (c::ROUTE_DEVICE_INCOMPATIBLE, &[Precondition]),
    (c::RC_QUEUE_BAD_PAYLOAD, &[Precondition]),
    (c::RC_QUEUE_EMPTY, &[Precondition]),
    (c::RC_QUEUE_HEAD_MISMATCH, &[Precondition]),
    (c::RC_QUEUE_DUPLICATE_WORK_ID, &[Precondition]),
    (c::RC_REAGENT_STOCKOUT, &[Precondition]),
    (c::TIME_EXPIRED, &[Precondition]),
    (c::TEMP_OUT_OF_BAND, &[Precondition]),
    (c::QC_FAIL_ACTIVE, &[Precondition]),
    (c::RC_SPECIMEN_UNKNOWN, &[Precondition]),
    (c::RC_SPECIMEN_STATE, &[Precondition]),
    (c::RC_SPECIMEN_LOCATION, &[Precondition]),
    (c::RC_SPECIMEN_IN_TRANSIT, &[Precondition]),
    (c::RC_INJECT_SPECIMEN_DUPLICATE, &[Precondition]),
    (c::RC_ALIQUOT_DUPLICATE, &[Precondition]),
    (c::RC_RUN_UNKNOWN, &[Precondition]),
    (c::RC_RUN_DUPLICATE, &[Precondition]),
    (c::RC_RUN_NOT_COMPLETED, &[Precondition]),
    (c::RC_RESULT_UNKNOWN, &[Precondition]),
    (c::RC_RESULT_DUPLICATE, &[Precondition]),
    (c::RC_RESULT_ALREADY_RELEASED, &[Precondition]),
    (c::RC_RESULT_STATE, &[Precondition]),
    (c::RC_RESULT_VALUE_MISMATCH, &[Precondition]),
    (c::CRIT_NO_ACK, &[Precondition]),
    (c::CRIT_MODE_NOT_ALLOWED, &[Precondition]),
    (c::CRIT_ACK_MISSING_FIELDS, &[Precondition]),
    (c::CRIT_ACK_TIMEOUT, &[Precondition]),
    (c::CRIT_ESCALATION_OUT_OF_ORDER, &[Precondition]),
    (c::TRANSPORT_ROUTE_FORBIDDEN, &[Precondition]),
    (c::TRANSPORT_WRONG_SITE, &[Precondition]),
    (c::TRANSPORT_TEMP_EXCURSION, &[Precondition]),
    (c::TRANSPORT_NOT_YET_ARRIVED, &[Precondition]),
    (c::TRANSPORT_NOT_SIGNED, &[Precondition]),
    (c::TRANSPORT_CHAIN_OF_CUSTODY_BROKEN, &[Precondition]),
    (c::ENF_TARGET_UNKNOWN, &[Precondition]),
    (c::TOOL_NOT_IN_REGISTRY, &[Tool]),
    (c::TOOL_NOT_ALLOWED_FOR_ROLE, &[Tool]),
    (c::TOOL_ARG_SCHEMA_FAIL, &[Tool]),
    (c::TOOL_ARG_RANGE_FAIL, &[Tool]),
    (c::TOOL_EXEC_EXCEPTION, &[Tool]),
];

/// The gates that raise a code; none for a code that no gate raises: the laboratory reports it as a finding, or keeps
/// it for others, or it is not known here.
#[must_use]
pub fn gates_of(code: &str) -> &'static [Gate] {
    TABLE.iter().find(|(known, _)| *known == code).map_or(&[], |(_, gates)| gates)
}

/// Every code that a gate raises, with its gates.
pub fn table() -> impl Iterator<Item = (&'static str, &'static [Gate])> {
    TABLE.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_in_the_table_once_with_its_gates_in_order() {
        for (place, (code, gates)) in TABLE.iter().enumerate() {
            assert!(!gates.is_empty() && gates.is_sorted(), "{code}");
            assert!(!TABLE[..place].iter().any(|(other, _)| other == code), "{code} is there twice");
        }
        assert!(gates_of("NO_SUCH_CODE").is_empty());
    }
}

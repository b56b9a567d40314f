//! The additive table: codes that this engine produces and the reference's registry lacks.
//!
//! It is merged under a policy's own registry, so a policy directory of the reference works as it is. Codes are never
//! renamed or reused, only added.

use super::codes as c;
use super::{ReasonCodeEntry, ReasonCodePolicy, Severity};
use Severity::{P0Stop, P2HoldReview};

/// Code, namespace, severity, action it belongs to, description.
const TABLE: &[(&str, &str, Severity, &str, &str)] = &[
    (
        c::INV_TOK_001,
        "RBAC",
        P0Stop,
        "MINT_TOKEN",
        "The token may not be minted: approvals, approvers or an equal token that is still active.",
    ),
    (c::INV_TOK_002, "RBAC", P0Stop, "", "The token is unknown, used up, expired or not yet valid."),
    (c::INV_TOK_003, "RBAC", P0Stop, "", "The token does not cover this use."),
    (c::INV_TOK_006, "RBAC", P0Stop, "", "The token was revoked."),
    (c::SIG_REPLAYED, "RBAC", P0Stop, "", "A signed event with this id was accepted before."),
    (
        c::RC_INJECT_SPECIMEN_DUPLICATE,
        "ROUTE",
        P2HoldReview,
        "INJECT_SPECIMEN",
        "A specimen with this id exists already, or no id was given.",
    ),
    (c::RC_DOOR_OPEN_TOO_LONG, "ROUTE", P0Stop, "TICK", "A door stood open longer than its limit."),
    (c::RC_UNKNOWN_ACTION, "SYS", P2HoldReview, "", "The action is not one of this domain's actions."),
    (c::RC_EVENT_MALFORMED, "SYS", P2HoldReview, "", "The event lacks a field or a field has the wrong type."),
    (c::RC_TIME_BACKWARDS, "AUD", P0Stop, "", "The event's time is before the time of an earlier event."),
    (c::RC_AGENT_UNKNOWN, "RBAC", P0Stop, "", "Nobody of this name is on the roster."),
    (c::RC_AGENT_THROTTLED, "AGENT", P2HoldReview, "", "The agent is throttled by enforcement and must wait."),
    (c::RC_AGENT_KILLED, "AGENT", P0Stop, "", "The agent is stopped by enforcement until it is released."),
    (c::RC_DEVICE_KILLED, "ROUTE", P0Stop, "", "The device is stopped by enforcement until it is released."),
    (c::RC_ZONE_FROZEN, "ROUTE", P0Stop, "", "The zone is frozen by enforcement until it is released."),
    (c::RC_AGENT_IN_TRANSIT, "ROUTE", P2HoldReview, "", "The agent is still walking."),
    (c::RC_DOOR_CLOSED, "ROUTE", P2HoldReview, "MOVE", "The way leads through a door that is closed."),
    (c::RC_DOOR_UNKNOWN, "ROUTE", P2HoldReview, "OPEN_DOOR", "There is no such door."),
    (c::RC_SPECIMEN_UNKNOWN, "ROUTE", P2HoldReview, "", "There is no such specimen."),
    (c::RC_SPECIMEN_STATE, "ROUTE", P2HoldReview, "", "The specimen's state does not allow the action."),
    (c::RC_SPECIMEN_LOCATION, "ROUTE", P2HoldReview, "", "The specimen is somewhere else."),
    (c::RC_SPECIMEN_IN_TRANSIT, "ROUTE", P2HoldReview, "", "The specimen is on its way to another site."),
    (c::RC_RUN_UNKNOWN, "ROUTE", P2HoldReview, "", "There is no such run."),
    (c::RC_RUN_DUPLICATE, "ROUTE", P2HoldReview, "START_RUN", "A run with this id exists already."),
    (c::RC_RUN_NOT_COMPLETED, "ROUTE", P2HoldReview, "GENERATE_RESULT", "The run has not completed."),
    (c::RC_RESULT_UNKNOWN, "ROUTE", P2HoldReview, "", "There is no such result."),
    (c::RC_RESULT_DUPLICATE, "ROUTE", P2HoldReview, "GENERATE_RESULT", "A result with this id exists already."),
    (c::RC_RESULT_ALREADY_RELEASED, "ROUTE", P2HoldReview, "RELEASE_RESULT", "The result was released before."),
    (c::RC_RESULT_STATE, "ROUTE", P2HoldReview, "", "The result's state does not allow the action."),
    (
        c::RC_RESULT_VALUE_MISMATCH,
        "ROUTE",
        P0Stop,
        "GENERATE_RESULT",
        "The value stated is not the value the run measured.",
    ),
    (c::RC_RESULT_VALUE_NOT_NUMERIC, "ROUTE", P2HoldReview, "GENERATE_RESULT", "The value is not a number."),
    (c::RC_ALIQUOT_DUPLICATE, "ROUTE", P2HoldReview, "ALIQUOT_CREATE", "An aliquot with this id exists already."),
    (c::RC_BATCH_TOO_LARGE, "ROUTE", P2HoldReview, "", "More specimens than the device takes at once."),
    (c::RC_DEVICE_NO_UNIT, "ROUTE", P2HoldReview, "START_RUN", "Every unit of the device is in use."),
    (c::TRANSPORT_NOT_YET_ARRIVED, "ROUTE", P2HoldReview, "RECEIVE_TRANSPORT", "The consignment has not arrived yet."),
    (c::TRANSPORT_NOT_SIGNED, "AUD", P2HoldReview, "RECEIVE_TRANSPORT", "The custody record has not been signed."),
    (
        c::TRANSPORT_WRONG_SITE,
        "ROUTE",
        P2HoldReview,
        "RECEIVE_TRANSPORT",
        "The consignment is addressed to another site.",
    ),
    (c::TOKEN_REQUIRED, "RBAC", P0Stop, "", "The action needs a token and none was presented."),
    (c::TOKEN_SCOPE_MISMATCH, "RBAC", P0Stop, "", "The token's type does not allow this action, door or zone."),
    (c::TOKEN_SUBJECT_MISMATCH, "RBAC", P0Stop, "", "The token was issued for somebody or something else."),
    (c::TOKEN_APPROVAL_ROLE, "RBAC", P0Stop, "MINT_TOKEN", "An approver's role may not approve this type of token."),
    (c::TOKEN_REASON_NOT_ALLOWED, "RBAC", P0Stop, "", "The token's type does not allow this reason code."),
    (c::ENF_TARGET_UNKNOWN, "AGENT", P2HoldReview, "", "The enforcement to lift does not exist."),
];

pub(super) fn policy() -> ReasonCodePolicy {
    let codes = TABLE.iter().map(|&(code, namespace, severity, trigger, description)| ReasonCodeEntry {
        code: code.to_owned(),
        namespace: namespace.to_owned(),
        severity,
        description: description.to_owned(),
        triggers: if trigger.is_empty() { Vec::new() } else { vec![trigger.to_owned()] },
        default_actions: vec!["BLOCK_ACTION".to_owned()],
        iso_record_class: None,
        non_overridable: severity == P0Stop,
        override_allowed_with: Vec::new(),
        source_anchor: None,
        notes: None,
        remedy: None,
    });
    ReasonCodePolicy { version: "builtin".to_owned(), codes: codes.collect(), ..ReasonCodePolicy::default() }
}

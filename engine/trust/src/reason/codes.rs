//! The codes that the engine produces, as constants: a spelling mistake is a compile error.

/// The record of the episode is not intact.
pub const AUDIT_CHAIN_BROKEN: &str = "AUDIT_CHAIN_BROKEN";
/// The action needs a reason code and has none.
pub const AUDIT_MISSING_REASON_CODE: &str = "AUDIT_MISSING_REASON_CODE";
/// The tool is not registered.
pub const TOOL_NOT_IN_REGISTRY: &str = "TOOL_NOT_IN_REGISTRY";
/// The role may not use the tool.
pub const TOOL_NOT_ALLOWED_FOR_ROLE: &str = "TOOL_NOT_ALLOWED_FOR_ROLE";
/// The tool's arguments do not have the declared shape.
pub const TOOL_ARG_SCHEMA_FAIL: &str = "TOOL_ARG_SCHEMA_FAIL";
/// A tool argument is outside its declared range.
pub const TOOL_ARG_RANGE_FAIL: &str = "TOOL_ARG_RANGE_FAIL";
/// The tool failed, or nothing can run it.
pub const TOOL_EXEC_EXCEPTION: &str = "TOOL_EXEC_EXCEPTION";
/// The tool took too long.
pub const TOOL_TIMEOUT: &str = "TOOL_TIMEOUT";
/// The tool answered something it did not declare.
pub const TOOL_OUTPUT_MALFORMED: &str = "TOOL_OUTPUT_MALFORMED";
/// The tool wanted to send data elsewhere.
pub const TOOL_EGRESS_DENIED: &str = "TOOL_EGRESS_DENIED";
/// The tool answered more than it may.
pub const TOOL_EGRESS_LIMIT_EXCEEDED: &str = "TOOL_EGRESS_LIMIT_EXCEEDED";
/// The tool answered data of a class it may not handle.
pub const TOOL_DATA_CLASS_VIOLATION: &str = "TOOL_DATA_CLASS_VIOLATION";
/// The tool does not fit the current state.
pub const TOOL_SELECTION_ERROR: &str = "TOOL_SELECTION_ERROR";
/// The role does not allow the action.
pub const RBAC_ACTION_DENY: &str = "RBAC_ACTION_DENY";
/// The role does not allow acting in this zone.
pub const RBAC_ZONE_DENY: &str = "RBAC_ZONE_DENY";
/// The role does not allow this device.
pub const RBAC_DEVICE_DENY: &str = "RBAC_DEVICE_DENY";
/// A restricted door or zone was tried without a valid token.
pub const RBAC_RESTRICTED_ENTRY_DENY: &str = "RBAC_RESTRICTED_ENTRY_DENY";
/// The agent's profile does not allow the action.
pub const AGENT_CAPABILITY_DENY: &str = "AGENT_CAPABILITY_DENY";
/// The agent has used up its actions.
pub const AGENT_RATE_LIMIT: &str = "AGENT_RATE_LIMIT";
/// The agent has used up its overrides.
pub const AGENT_OVERRIDE_BUDGET_EXCEEDED: &str = "AGENT_OVERRIDE_BUDGET_EXCEEDED";
/// A signature is needed and there is none.
pub const SIG_MISSING: &str = "SIG_MISSING";
/// The signature does not verify.
pub const SIG_INVALID: &str = "SIG_INVALID";
/// The key is revoked.
pub const SIG_KEY_REVOKED: &str = "SIG_KEY_REVOKED";
/// The key is no longer valid.
pub const SIG_KEY_EXPIRED: &str = "SIG_KEY_EXPIRED";
/// The key is not valid yet.
pub const SIG_KEY_NOT_YET_VALID: &str = "SIG_KEY_NOT_YET_VALID";
/// The key speaks for another role.
pub const SIG_ROLE_MISMATCH: &str = "SIG_ROLE_MISMATCH";
/// The signed event was accepted before.
pub const SIG_REPLAYED: &str = "SIG_REPLAYED";
/// The move does not follow the graph.
pub const RC_ILLEGAL_MOVE: &str = "RC_ILLEGAL_MOVE";
/// The agent is not where the device is.
pub const RC_DEVICE_NOT_COLOCATED: &str = "RC_DEVICE_NOT_COLOCATED";
/// There is no such device.
pub const RC_DEVICE_UNKNOWN: &str = "RC_DEVICE_UNKNOWN";
/// The device is running.
pub const RC_DEVICE_BUSY: &str = "RC_DEVICE_BUSY";
/// The device is in maintenance.
pub const RC_DEVICE_MAINT: &str = "RC_DEVICE_MAINT";
/// The device has failed.
pub const RC_DEVICE_FAULT: &str = "RC_DEVICE_FAULT";
/// Device or work id is missing.
pub const RC_QUEUE_BAD_PAYLOAD: &str = "RC_QUEUE_BAD_PAYLOAD";
/// Nothing is queued.
pub const RC_QUEUE_EMPTY: &str = "RC_QUEUE_EMPTY";
/// The work asked for is not at the head of the queue.
pub const RC_QUEUE_HEAD_MISMATCH: &str = "RC_QUEUE_HEAD_MISMATCH";
/// The device cannot do this work.
pub const ROUTE_DEVICE_INCOMPATIBLE: &str = "ROUTE_DEVICE_INCOMPATIBLE";
/// The work is queued already.
pub const RC_QUEUE_DUPLICATE_WORK_ID: &str = "RC_QUEUE_DUPLICATE_WORK_ID";
/// Not enough reagent.
pub const RC_REAGENT_STOCKOUT: &str = "RC_REAGENT_STOCKOUT";
/// The stability window has passed.
pub const TIME_EXPIRED: &str = "TIME_EXPIRED";
/// Not separated in time.
pub const TIME_NO_SEPARATION_WITHIN_WINDOW: &str = "TIME_NO_SEPARATION_WITHIN_WINDOW";
/// Kept outside its temperature band.
pub const TEMP_OUT_OF_BAND: &str = "TEMP_OUT_OF_BAND";
/// The label does not match the request.
pub const ID_MISMATCH: &str = "ID_MISMATCH";
/// The container leaks.
pub const INT_LEAKING: &str = "INT_LEAKING";
/// The citrate tube is not filled as it must be.
pub const CNT_CITRATE_FILL_INVALID: &str = "CNT_CITRATE_FILL_INVALID";
/// A critical value has not been acknowledged.
pub const CRIT_NO_ACK: &str = "CRIT_NO_ACK";
/// A critical value was not read back.
pub const CRIT_NO_READBACK: &str = "CRIT_NO_READBACK";
/// The channel is not allowed for this notification.
pub const CRIT_MODE_NOT_ALLOWED: &str = "CRIT_MODE_NOT_ALLOWED";
/// The acknowledgement lacks required fields.
pub const CRIT_ACK_MISSING_FIELDS: &str = "CRIT_ACK_MISSING_FIELDS";
/// The acknowledgement came too late.
pub const CRIT_ACK_TIMEOUT: &str = "CRIT_ACK_TIMEOUT";
/// The escalation skips a tier.
pub const CRIT_ESCALATION_OUT_OF_ORDER: &str = "CRIT_ESCALATION_OUT_OF_ORDER";
/// The escalation ladder was not followed.
pub const CRIT_ESCALATION_BREACH: &str = "CRIT_ESCALATION_BREACH";
/// Quality control has failed on the device.
pub const QC_FAIL_ACTIVE: &str = "QC_FAIL_ACTIVE";
/// Quality control drifts.
pub const QC_DRIFT_SUSPECTED: &str = "QC_DRIFT_SUSPECTED";
/// The information system is down.
pub const SYS_DOWNTIME_ACTIVE: &str = "SYS_DOWNTIME_ACTIVE";
/// No such route.
pub const TRANSPORT_ROUTE_FORBIDDEN: &str = "TRANSPORT_ROUTE_FORBIDDEN";
/// The consignment left its temperature band.
pub const TRANSPORT_TEMP_EXCURSION: &str = "TRANSPORT_TEMP_EXCURSION";
/// The chain of custody has a gap.
pub const TRANSPORT_CHAIN_OF_CUSTODY_BROKEN: &str = "TRANSPORT_CHAIN_OF_CUSTODY_BROKEN";

/// The token may not be minted: approvals, approvers or an equal token that is still active.
pub const INV_TOK_001: &str = "INV-TOK-001";
/// The token is unknown, used up, expired or not yet valid.
pub const INV_TOK_002: &str = "INV-TOK-002";
/// The token does not cover this use.
pub const INV_TOK_003: &str = "INV-TOK-003";
/// The token was revoked.
pub const INV_TOK_006: &str = "INV-TOK-006";
/// A specimen with this id exists already, or no id was given.
pub const RC_INJECT_SPECIMEN_DUPLICATE: &str = "RC_INJECT_SPECIMEN_DUPLICATE";
/// A door stood open longer than its limit.
pub const RC_DOOR_OPEN_TOO_LONG: &str = "RC_DOOR_OPEN_TOO_LONG";
/// The action is not one of this domain's actions.
pub const RC_UNKNOWN_ACTION: &str = "RC_UNKNOWN_ACTION";
/// The event lacks a field or a field has the wrong type.
pub const RC_EVENT_MALFORMED: &str = "RC_EVENT_MALFORMED";
/// The event's time is before the time of an earlier event.
pub const RC_TIME_BACKWARDS: &str = "RC_TIME_BACKWARDS";
/// Nobody of this name is on the roster.
pub const RC_AGENT_UNKNOWN: &str = "RC_AGENT_UNKNOWN";
/// The agent is throttled by enforcement and must wait.
pub const RC_AGENT_THROTTLED: &str = "RC_AGENT_THROTTLED";
/// The agent is stopped by enforcement until it is released.
pub const RC_AGENT_KILLED: &str = "RC_AGENT_KILLED";
/// The device is stopped by enforcement until it is released.
pub const RC_DEVICE_KILLED: &str = "RC_DEVICE_KILLED";
/// The zone is frozen by enforcement until it is released.
pub const RC_ZONE_FROZEN: &str = "RC_ZONE_FROZEN";
/// There is no room for one more in the zone.
pub const RC_ZONE_FULL: &str = "RC_ZONE_FULL";
/// Somebody is on the way who leaves no room on it.
pub const RC_WAY_TAKEN: &str = "RC_WAY_TAKEN";
/// The agent is still walking.
pub const RC_AGENT_IN_TRANSIT: &str = "RC_AGENT_IN_TRANSIT";
/// The way leads through a door that is closed.
pub const RC_DOOR_CLOSED: &str = "RC_DOOR_CLOSED";
/// There is no such door.
pub const RC_DOOR_UNKNOWN: &str = "RC_DOOR_UNKNOWN";
/// There is no such specimen.
pub const RC_SPECIMEN_UNKNOWN: &str = "RC_SPECIMEN_UNKNOWN";
/// The specimen's state does not allow the action.
pub const RC_SPECIMEN_STATE: &str = "RC_SPECIMEN_STATE";
/// The specimen is somewhere else.
pub const RC_SPECIMEN_LOCATION: &str = "RC_SPECIMEN_LOCATION";
/// The specimen is on its way to another site.
pub const RC_SPECIMEN_IN_TRANSIT: &str = "RC_SPECIMEN_IN_TRANSIT";
/// There is no such run.
pub const RC_RUN_UNKNOWN: &str = "RC_RUN_UNKNOWN";
/// A run with this id exists already.
pub const RC_RUN_DUPLICATE: &str = "RC_RUN_DUPLICATE";
/// The run has not completed.
pub const RC_RUN_NOT_COMPLETED: &str = "RC_RUN_NOT_COMPLETED";
/// There is no such result.
pub const RC_RESULT_UNKNOWN: &str = "RC_RESULT_UNKNOWN";
/// A result with this id exists already.
pub const RC_RESULT_DUPLICATE: &str = "RC_RESULT_DUPLICATE";
/// The result was released before.
pub const RC_RESULT_ALREADY_RELEASED: &str = "RC_RESULT_ALREADY_RELEASED";
/// The result's state does not allow the action.
pub const RC_RESULT_STATE: &str = "RC_RESULT_STATE";
/// The value stated is not the value the run measured.
pub const RC_RESULT_VALUE_MISMATCH: &str = "RC_RESULT_VALUE_MISMATCH";
/// The value is not a number.
pub const RC_RESULT_VALUE_NOT_NUMERIC: &str = "RC_RESULT_VALUE_NOT_NUMERIC";
/// An aliquot with this id exists already.
pub const RC_ALIQUOT_DUPLICATE: &str = "RC_ALIQUOT_DUPLICATE";
/// More specimens than the device takes at once.
pub const RC_BATCH_TOO_LARGE: &str = "RC_BATCH_TOO_LARGE";
/// Every unit of the device is in use.
pub const RC_DEVICE_NO_UNIT: &str = "RC_DEVICE_NO_UNIT";
/// The consignment has not arrived yet.
pub const TRANSPORT_NOT_YET_ARRIVED: &str = "TRANSPORT_NOT_YET_ARRIVED";
/// The custody record has not been signed.
pub const TRANSPORT_NOT_SIGNED: &str = "TRANSPORT_NOT_SIGNED";
/// The consignment is addressed to another site.
pub const TRANSPORT_WRONG_SITE: &str = "TRANSPORT_WRONG_SITE";
/// The action needs a token and none was presented.
pub const TOKEN_REQUIRED: &str = "TOKEN_REQUIRED";
/// The token's type does not allow this action, door or zone.
pub const TOKEN_SCOPE_MISMATCH: &str = "TOKEN_SCOPE_MISMATCH";
/// The token was issued for somebody or something else.
pub const TOKEN_SUBJECT_MISMATCH: &str = "TOKEN_SUBJECT_MISMATCH";
/// An approver's role may not approve this type of token.
pub const TOKEN_APPROVAL_ROLE: &str = "TOKEN_APPROVAL_ROLE";
/// The token's type does not allow this reason code.
pub const TOKEN_REASON_NOT_ALLOWED: &str = "TOKEN_REASON_NOT_ALLOWED";
/// The enforcement to lift does not exist.
pub const ENF_TARGET_UNKNOWN: &str = "ENF_TARGET_UNKNOWN";

/// An agent decided a critical action on a picture of the laboratory that was too old.
pub const COORD_STALE_VIEW: &str = "COORD_STALE_VIEW";
/// A message between agents carries a wrong signature.
pub const COORD_SIGNATURE_INVALID: &str = "COORD_SIGNATURE_INVALID";
/// A message between agents had been seen before.
pub const COORD_REPLAY_DETECTED: &str = "COORD_REPLAY_DETECTED";
/// The sender may not send this kind of message now.
pub const COORD_SENDER_NOT_AUTHORIZED: &str = "COORD_SENDER_NOT_AUTHORIZED";
/// The message is of another step than the present one.
pub const COORD_EPOCH_STALE: &str = "COORD_EPOCH_STALE";
/// Messages of this kind are not allowed on this bus.
pub const COORD_MESSAGE_TYPE_NOT_ALLOWED: &str = "COORD_MESSAGE_TYPE_NOT_ALLOWED";
/// The message needs a second signature and has none.
pub const COORD_COUNTERSIGN_MISSING: &str = "COORD_COUNTERSIGN_MISSING";
/// The second signature of the message is wrong, or of somebody who may not give it.
pub const COORD_COUNTERSIGN_INVALID: &str = "COORD_COUNTERSIGN_INVALID";
/// The message lacks a field, a field has the wrong type, or its content is not the content it states.
pub const COORD_MESSAGE_MALFORMED: &str = "COORD_MESSAGE_MALFORMED";
/// The number of the message is too old to tell whether it was seen before.
pub const COORD_NONCE_TOO_OLD: &str = "COORD_NONCE_TOO_OLD";
/// A bid is not one that an honest bidder could make there.
pub const BID_ANOMALY_SPOOF_SUSPECTED: &str = "BID_ANOMALY_SPOOF_SUSPECTED";
/// A bid promises less than is physically possible.
pub const COORD_BID_BELOW_BOUND: &str = "COORD_BID_BELOW_BOUND";
/// A bid was revealed to which nobody had committed.
pub const COORD_COMMIT_MISSING: &str = "COORD_COMMIT_MISSING";
/// A revealed bid is not the bid that was committed to.
pub const COORD_COMMIT_MISMATCH: &str = "COORD_COMMIT_MISMATCH";
/// A leader proposed two different things in one term.
pub const COORD_LEADER_EQUIVOCATION: &str = "COORD_LEADER_EQUIVOCATION";
/// A certificate does not hold enough good votes for what it certifies.
pub const COORD_CERTIFICATE_INVALID: &str = "COORD_CERTIFICATE_INVALID";

/// A text of unknown origin reads like an order to a model, so the model was not asked.
pub const PROMPT_INJECTION_DETECTED: &str = "PROMPT_INJECTION_DETECTED";
/// The answer of a model repeats a text of unknown origin.
pub const UNTRUSTED_NOTE_AS_INSTRUCTION: &str = "UNTRUSTED_NOTE_AS_INSTRUCTION";
/// An argument of an action stands in a text of unknown origin and nowhere else.
pub const UNTRUSTED_ARGUMENT: &str = "UNTRUSTED_ARGUMENT";
/// A security policy is missing or broken, so its control lets nothing through.
pub const ADV_POLICY_UNAVAILABLE: &str = "ADV_POLICY_UNAVAILABLE";
/// A model was blocked too often in a row and is not asked for a while.
pub const CIRCUIT_BREAKER_OPEN: &str = "CIRCUIT_BREAKER_OPEN";
/// A detector suspects an agent by what is seen of it.
pub const LLM_DETECTOR_SUSPECTED: &str = "LLM_DETECTOR_SUSPECTED";
/// A model was asked too often, or a sender has sent too many messages in a step.
pub const RATE_LIMITED: &str = "RATE_LIMITED";
/// A signed entry for a memory was seen before.
pub const MEM_WRITE_REPLAYED: &str = "MEM_WRITE_REPLAYED";

/// Codes that the reference's registry lacks; see [`super::ReasonCodePolicy::builtin`].
pub const ADDITIVE: &[&str] = &[
    INV_TOK_001,
    INV_TOK_002,
    INV_TOK_003,
    INV_TOK_006,
    SIG_REPLAYED,
    RC_INJECT_SPECIMEN_DUPLICATE,
    RC_DOOR_OPEN_TOO_LONG,
    RC_UNKNOWN_ACTION,
    RC_EVENT_MALFORMED,
    RC_TIME_BACKWARDS,
    RC_AGENT_UNKNOWN,
    RC_AGENT_THROTTLED,
    RC_AGENT_KILLED,
    RC_DEVICE_KILLED,
    RC_ZONE_FROZEN,
    RC_ZONE_FULL,
    RC_WAY_TAKEN,
    RC_AGENT_IN_TRANSIT,
    RC_DOOR_CLOSED,
    RC_DOOR_UNKNOWN,
    RC_SPECIMEN_UNKNOWN,
    RC_SPECIMEN_STATE,
    RC_SPECIMEN_LOCATION,
    RC_SPECIMEN_IN_TRANSIT,
    RC_RUN_UNKNOWN,
    RC_RUN_DUPLICATE,
    RC_RUN_NOT_COMPLETED,
    RC_RESULT_UNKNOWN,
    RC_RESULT_DUPLICATE,
    RC_RESULT_ALREADY_RELEASED,
    RC_RESULT_STATE,
    RC_RESULT_VALUE_MISMATCH,
    RC_RESULT_VALUE_NOT_NUMERIC,
    RC_ALIQUOT_DUPLICATE,
    RC_BATCH_TOO_LARGE,
    RC_DEVICE_NO_UNIT,
    TRANSPORT_NOT_YET_ARRIVED,
    TRANSPORT_NOT_SIGNED,
    TRANSPORT_WRONG_SITE,
    TOKEN_REQUIRED,
    TOKEN_SCOPE_MISMATCH,
    TOKEN_SUBJECT_MISMATCH,
    TOKEN_APPROVAL_ROLE,
    TOKEN_REASON_NOT_ALLOWED,
    ENF_TARGET_UNKNOWN,
    COORD_EPOCH_STALE,
    COORD_MESSAGE_TYPE_NOT_ALLOWED,
    COORD_COUNTERSIGN_MISSING,
    COORD_COUNTERSIGN_INVALID,
    COORD_MESSAGE_MALFORMED,
    COORD_NONCE_TOO_OLD,
    BID_ANOMALY_SPOOF_SUSPECTED,
    COORD_BID_BELOW_BOUND,
    COORD_COMMIT_MISSING,
    COORD_COMMIT_MISMATCH,
    COORD_CERTIFICATE_INVALID,
    COORD_LEADER_EQUIVOCATION,
    PROMPT_INJECTION_DETECTED,
    UNTRUSTED_NOTE_AS_INSTRUCTION,
    UNTRUSTED_ARGUMENT,
    ADV_POLICY_UNAVAILABLE,
    CIRCUIT_BREAKER_OPEN,
    LLM_DETECTOR_SUSPECTED,
    RATE_LIMITED,
    MEM_WRITE_REPLAYED,
];

//! The controls of the laboratory: checks that can be switched off for an experiment, one by one.
//!
//! A control is a check that keeps something from happening that would otherwise be possible. What makes an event an event
//! (it can be read, its time is not over), what things are (a walking agent does nothing else, an empty bottle gives
//! nothing) and the order of work ([`WORKFLOW_GUARDS`]) are no controls.

use super::Gate;

/// The initial state's field that opens the order of work. No episode of a benchmark may do so, hence it is no control.
pub const WORKFLOW_GUARDS: &str = "workflow";

macro_rules! controls {
    ($($variant:ident $id:literal at $gate:ident [$($code:literal),+] $doc:literal;)+) => {
        /// A check that an experiment may switch off.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Control {
            $(#[doc = $doc] $variant,)+
        }

        impl Control {
            /// Every control, in the order in which an event meets them.
            pub const ALL: [Self; [$($id),+].len()] = [$(Self::$variant),+];

            /// The id, as `--ablate` and the initial state name it.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),+ }
            }

            /// What it asks for, in a sentence.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $doc.trim_ascii()),+ }
            }

            /// The gate that it stands at.
            #[must_use]
            pub const fn gate(self) -> Gate {
                match self { $(Self::$variant => Gate::$gate),+ }
            }

            /// What its refusals are called, those most to be expected.
            #[must_use]
            pub const fn codes(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($code),+]),+ }
            }
        }
    };
}

controls! {
    LogFreeze "log_freeze" at FrozenLog ["AUDIT_CHAIN_BROKEN"]
        " A broken audit chain or a forensic freeze stops everything until it is lifted.";
    RuntimeControl "runtime_control" at RuntimeControl ["RBAC_ACTION_DENY", "SIG_MISSING", "SIG_INVALID", "SIG_ROLE_MISMATCH"]
        " Roster, injected specimens and lifted enforcement are for the system agent with its own key.";
    Colocation "colocation" at Colocation ["RC_DEVICE_NOT_COLOCATED"]
        " Whoever works on a device stands where it stands.";
    Rbac "rbac" at Role ["RC_AGENT_UNKNOWN", "RBAC_ACTION_DENY", "RBAC_ZONE_DENY", "RBAC_DEVICE_DENY"]
        " The agent is known, and its role allows the action, here and on this device.";
    Enforcement "enforcement" at Enforcement ["RC_AGENT_THROTTLED", "RC_AGENT_KILLED", "RC_ZONE_FROZEN", "RC_DEVICE_KILLED"]
        " Violations have consequences: throttling, kill switches, frozen zones and logs.";
    Capabilities "capabilities" at Capability ["AGENT_CAPABILITY_DENY", "AGENT_RATE_LIMIT", "AGENT_OVERRIDE_BUDGET_EXCEEDED"]
        " The agent's profile allows the action, often enough, and with the reasons that it asks for.";
    Signatures "signatures" at Signature ["SIG_MISSING", "SIG_INVALID", "SIG_KEY_REVOKED", "SIG_ROLE_MISMATCH"]
        " Where signatures are required, the event is signed with a key that is the agent's own and in force.";
    ReplayProtection "replay_protection" at Signature ["SIG_REPLAYED"]
        " A signed event is good once.";
    TokenValidity "token_validity" at Token ["INV-TOK-002", "INV-TOK-006"]
        " A token that is presented was issued, is in its time and not revoked or used up.";
    TokenScope "token_scope" at Token ["TOKEN_SCOPE_MISMATCH", "TOKEN_SUBJECT_MISMATCH", "TOKEN_REASON_NOT_ALLOWED"]
        " A token that is presented is for this action, subject, place and reason.";
    TokenRequired "token_required" at Precondition ["TOKEN_REQUIRED"]
        " An override needs a token.";
    TokenSingleUse "token_single_use" at Token ["INV-TOK-002"]
        " A token is used up by its use.";
    DualApproval "dual_approval" at Precondition ["INV-TOK-001", "TOKEN_APPROVAL_ROLE"]
        " A token is minted with as many approvals, by different people of the right roles, as its type asks for.";
    Adjacency "adjacency" at Precondition ["RC_ILLEGAL_MOVE"]
        " An agent walks from where it is to a zone next to it.";
    RestrictedDoor "restricted_door" at Precondition ["RBAC_RESTRICTED_ENTRY_DENY"]
        " A restricted door or zone opens for a token, and for the roles that the door is for.";
    QueueAdmission "queue_admission" at Precondition ["ROUTE_DEVICE_INCOMPATIBLE", "RC_SPECIMEN_STATE", "RC_QUEUE_DUPLICATE_WORK_ID"]
        " Only a prepared specimen is queued, once, and at a device that can measure its panel.";
    Stability "stability" at Precondition ["TIME_EXPIRED"]
        " A specimen is measured within its stability window.";
    Temperature "temperature" at Precondition ["TEMP_OUT_OF_BAND"]
        " A specimen that was out of its temperature band for too long is not measured.";
    QcGate "qc_gate" at Precondition ["QC_FAIL_ACTIVE"]
        " While a device's control fails nothing is queued, started or released on it.";
    ResultValue "result_value" at Precondition ["RC_RESULT_VALUE_MISMATCH"]
        " A result that is stated is the one that was measured.";
    ResultExists "result_exists" at Precondition ["RC_RESULT_UNKNOWN"]
        " What is released was filed before.";
    ReleaseOnce "release_once" at Precondition ["RC_RESULT_ALREADY_RELEASED"]
        " A result is released once.";
    CriticalCommunication "critical_communication" at Precondition ["CRIT_NO_ACK"]
        " A critical result is released when somebody was told and has read it back.";
    EscalationLadder "escalation_ladder" at Precondition ["CRIT_MODE_NOT_ALLOWED", "CRIT_ACK_MISSING_FIELDS", "CRIT_ESCALATION_OUT_OF_ORDER", "CRIT_ACK_TIMEOUT"]
        " Whom to tell, how, with which record, and whom next, as the ladder says.";
    Custody "custody" at Precondition ["TRANSPORT_NOT_SIGNED"]
        " A consignment is received when its custody is signed.";
    TransportTemperature "transport_temperature" at Precondition ["TRANSPORT_TEMP_EXCURSION"]
        " A consignment that got too warm is received by somebody who answers for it.";
    ToolAdmission "tool_admission" at Tool ["TOOL_NOT_IN_REGISTRY", "TOOL_NOT_ALLOWED_FOR_ROLE", "TOOL_ARG_SCHEMA_FAIL"]
        " A tool that an event names is judged and run before the event counts; else it is not looked at.";
}

impl std::fmt::Display for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

/// Why a control could not be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown control: {id}. Known: [{}]", Control::ALL.map(Control::id).join(", "))]
pub struct UnknownControl {
    /// The id that was asked for.
    pub id: String,
}

impl std::str::FromStr for Control {
    type Err = UnknownControl;

    fn from_str(id: &str) -> Result<Self, UnknownControl> {
        Self::ALL.into_iter().find(|control| control.id() == id).ok_or_else(|| UnknownControl { id: id.to_owned() })
    }
}

/// A set of controls. The empty one is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controls(u32);

impl Controls {
    /// Whether none is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `control` is in it.
    #[must_use]
    pub const fn contains(self, control: Control) -> bool {
        self.0 & (1 << control as u32) != 0
    }

    /// Those in it, in the order of [`Control::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Control> {
        Control::ALL.into_iter().filter(move |control| self.contains(*control))
    }

    /// Their ids.
    #[must_use]
    pub fn ids(self) -> Vec<&'static str> {
        self.iter().map(Control::id).collect()
    }

    /// The set as a number: the bit of a control is its place in [`Control::ALL`].
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl FromIterator<Control> for Controls {
    fn from_iter<I: IntoIterator<Item = Control>>(controls: I) -> Self {
        Self(controls.into_iter().fold(0, |bits, control| bits | 1 << control as u32))
    }
}

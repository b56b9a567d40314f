//! What an agent can do, and the event that says it does.

use super::{Args, Symbol, Symbols};
use labtrust_trust::{
    action::{ActionId, ActionSpec, ActionTable},
    canonical,
};
use smallvec::SmallVec;

macro_rules! action_kinds {
    ($($variant:ident $name:literal $mutating:literal $control:literal),+ $(,)?) => {
        /// The actions of the laboratory. The names are those of the published vocabulary.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum ActionKind { $(#[doc = concat!("`", $name, "`.")] $variant),+ }

        impl ActionKind {
            /// Every kind, in the order of its number.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            const SPECS: &'static [ActionSpec] =
                &[$(ActionSpec { name: $name, mutating: $mutating, runtime_control: $control }),+];
        }
    };
}

action_kinds! {
    Noop "NOOP" false false,
    Tick "TICK" true false,
    Move "MOVE" true false,
    OpenDoor "OPEN_DOOR" true false,
    CloseDoor "CLOSE_DOOR" true false,
    CreateAccession "CREATE_ACCESSION" true false,
    CheckAcceptanceRules "CHECK_ACCEPTANCE_RULES" true false,
    AcceptSpecimen "ACCEPT_SPECIMEN" true false,
    HoldSpecimen "HOLD_SPECIMEN" true false,
    RejectSpecimen "REJECT_SPECIMEN" true false,
    CentrifugeStart "CENTRIFUGE_START" true false,
    CentrifugeEnd "CENTRIFUGE_END" true false,
    AliquotCreate "ALIQUOT_CREATE" true false,
    QueueRun "QUEUE_RUN" true false,
    StartRun "START_RUN" true false,
    StartRunOverride "START_RUN_OVERRIDE" true false,
    EndRun "END_RUN" true false,
    QcEvent "QC_EVENT" true false,
    GenerateResult "GENERATE_RESULT" true false,
    HoldResult "HOLD_RESULT" true false,
    RerunRequest "RERUN_REQUEST" true false,
    ReleaseResult "RELEASE_RESULT" true false,
    ReleaseResultOverride "RELEASE_RESULT_OVERRIDE" true false,
    NotifyCriticalResult "NOTIFY_CRITICAL_RESULT" true false,
    AckCriticalResult "ACK_CRITICAL_RESULT" true false,
    EscalateCriticalResult "ESCALATE_CRITICAL_RESULT" true false,
    DispatchTransport "DISPATCH_TRANSPORT" true false,
    TransportTick "TRANSPORT_TICK" true false,
    ReceiveTransport "RECEIVE_TRANSPORT" true false,
    ChainOfCustodySign "CHAIN_OF_CUSTODY_SIGN" true false,
    MintToken "MINT_TOKEN" true false,
    RevokeToken "REVOKE_TOKEN" true false,
    UpdateRoster "UPDATE_ROSTER" true true,
    InjectSpecimen "INJECT_SPECIMEN" true true,
    LiftEnforcement "LIFT_ENFORCEMENT" true true,
    // What the laboratory does by itself; no role may ask for these.
    ReceiveBatch "RECEIVE_BATCH" true false,
    Alarm "ALARM" true false,
    DeviceFault "DEVICE_FAULT" true false,
    DeviceRepaired "DEVICE_REPAIRED" true false,
    AblateControls "ABLATE_CONTROLS" true false,
}

impl ActionKind {
    /// The kind's number, the one the trust gates work with.
    #[must_use]
    pub const fn id(self) -> ActionId {
        ActionId(self as u16)
    }

    /// The published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::SPECS[self as usize].name
    }

    /// Whether the action changes state and so needs a signature in strict mode.
    #[must_use]
    pub fn is_mutating(self) -> bool {
        Self::SPECS[self as usize].mutating
    }

    /// Whether only the signed system agent may do it.
    #[must_use]
    pub fn is_runtime_control(self) -> bool {
        Self::SPECS[self as usize].runtime_control
    }

    /// The kind of a published name, compared exactly.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The table the trust gates are compiled against.
    #[must_use]
    pub fn table() -> ActionTable {
        ActionTable::new(Self::SPECS)
    }
}

/// The id of an event, kept without its text where the text follows from parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EventId {
    /// The event has none.
    #[default]
    None,
    /// As the scenario or log wrote it.
    Text(Box<str>),
    /// `pz_<agent>_<step>`, the form of environment events.
    Step {
        /// The agent's name on the environment side.
        agent: Symbol,
        /// Step number, from 1.
        step: u32,
    },
    /// `sys_<n>`, what the laboratory did by itself.
    System(u32),
}

impl EventId {
    /// Writes the id as canonical JSON, `null` when there is none.
    pub fn write_canonical(&self, out: &mut Vec<u8>, symbols: &Symbols) {
        match self {
            Self::None => canonical::write_null(out),
            Self::Text(text) => canonical::write_str(out, text),
            Self::Step { agent, step } => {
                if symbols.is_plain(*agent) {
                    out.extend_from_slice(b"\"pz_");
                    out.extend_from_slice(symbols.text(*agent).as_bytes());
                    out.push(b'_');
                    canonical::write_u64(out, u64::from(*step));
                    out.push(b'"');
                } else {
                    canonical::write_str(out, &self.text(symbols).unwrap_or_default());
                }
            }
            Self::System(n) => {
                out.extend_from_slice(b"\"sys_");
                canonical::write_u64(out, u64::from(*n));
                out.push(b'"');
            }
        }
    }

    /// The id as text.
    #[must_use]
    pub fn text(&self, symbols: &Symbols) -> Option<String> {
        match self {
            Self::None => None,
            Self::Text(text) => Some(text.to_string()),
            Self::Step { agent, step } => Some(format!("pz_{}_{step}", symbols.text(*agent))),
            Self::System(n) => Some(format!("sys_{n}")),
        }
    }
}

/// What an agent wants to do, without the envelope (who, when, event id) that the runner adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The action.
    pub kind: ActionKind,
    /// Its arguments.
    pub args: Args,
    /// Why.
    pub reason_code: Option<Symbol>,
    /// Tokens presented.
    pub token_refs: SmallVec<[Symbol; 2]>,
    /// Free text; high-risk actions need one.
    pub rationale: Option<Box<str>>,
    /// Key of a signature that the agent made itself.
    pub key_id: Option<Symbol>,
    /// A signature that the agent made itself, standard base64.
    pub signature: Option<Box<str>>,
    /// Tool to use.
    pub tool_id: Option<Symbol>,
}

impl Decision {
    /// The action with these arguments and nothing else.
    #[must_use]
    pub fn new(kind: ActionKind, args: Args) -> Self {
        Self {
            kind,
            args,
            reason_code: None,
            token_refs: SmallVec::new(),
            rationale: None,
            key_id: None,
            signature: None,
            tool_id: None,
        }
    }

    /// The same with a reason.
    #[must_use]
    pub fn because(mut self, reason_code: Symbol) -> Self {
        self.reason_code = Some(reason_code);
        self
    }
}

/// An event in typed form.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// The event's id.
    pub event_id: EventId,
    /// Simulation time [s].
    pub t_s: i64,
    /// Who acts.
    pub agent: Symbol,
    /// What they do.
    pub decision: Decision,
}

impl Action {
    /// Writes the event as canonical JSON into `out`: the bytes that a map with the same content would give.
    pub fn write_canonical(&self, out: &mut Vec<u8>, symbols: &Symbols) {
        let Decision { kind, args, reason_code, token_refs, rationale, key_id, signature, tool_id } = &self.decision;
        // Keys in code-point order; optional envelope keys only where the event has them, as an agent would write it.
        out.extend_from_slice(b"{\"action_type\":\"");
        out.extend_from_slice(kind.name().as_bytes());
        out.extend_from_slice(b"\",\"agent_id\":");
        canonical::write_symbol(out, symbols, self.agent);
        out.extend_from_slice(b",\"args\":");
        args.write_canonical(out, symbols);
        out.extend_from_slice(b",\"event_id\":");
        self.event_id.write_canonical(out, symbols);
        if let Some(key_id) = key_id {
            out.extend_from_slice(b",\"key_id\":");
            canonical::write_symbol(out, symbols, *key_id);
        }
        if let Some(rationale) = rationale {
            out.extend_from_slice(b",\"rationale\":");
            canonical::write_str(out, rationale);
        }
        out.extend_from_slice(b",\"reason_code\":");
        match reason_code {
            Some(code) => canonical::write_symbol(out, symbols, *code),
            None => canonical::write_null(out),
        }
        if let Some(signature) = signature {
            out.extend_from_slice(b",\"signature\":");
            canonical::write_str(out, signature);
        }
        out.extend_from_slice(b",\"t_s\":");
        canonical::write_i64(out, self.t_s);
        out.extend_from_slice(b",\"token_refs\":[");
        for (i, token) in token_refs.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            canonical::write_symbol(out, symbols, *token);
        }
        out.push(b']');
        if let Some(tool_id) = tool_id {
            out.extend_from_slice(b",\"tool_id\":");
            canonical::write_symbol(out, symbols, *tool_id);
        }
        out.push(b'}');
    }
}

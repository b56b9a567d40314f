//! What an agent can be told to do: action contract 0.2 by index.

use serde::{Deserialize, Serialize};

macro_rules! acts {
    ($($name:ident $text:literal $doc:literal),+ $(,)?) => {
        /// An action by its index, 0 to 28. What it is about is said in a [`Choice`](super::Choice); what a choice
        /// leaves out, the program completes with the first that fits.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Act { $(#[doc = $doc] $name),+ }

        impl Act {
            /// All of them, in the order of their indices.
            pub const ALL: [Self; 29] = [$(Self::$name),+];

            /// The published name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

acts! {
    Noop "NOOP" "0: nothing.",
    Tick "TICK" "1: look at the doors.",
    QueueRun "QUEUE_RUN" "2: put a specimen into a device's queue.",
    Move "MOVE" "3: one step towards a zone.",
    OpenDoor "OPEN_DOOR" "4: open a door.",
    StartRun "START_RUN" "5: start the head of a device's queue.",
    CreateAccession "CREATE_ACCESSION" "6: register a specimen.",
    CheckAcceptanceRules "CHECK_ACCEPTANCE_RULES" "7: check a registered specimen.",
    AcceptSpecimen "ACCEPT_SPECIMEN" "8: accept a checked specimen.",
    HoldSpecimen "HOLD_SPECIMEN" "9: set a specimen aside.",
    RejectSpecimen "REJECT_SPECIMEN" "10: reject a specimen.",
    CentrifugeStart "CENTRIFUGE_START" "11: spin specimens in a centrifuge.",
    CentrifugeEnd "CENTRIFUGE_END" "12: take specimens out of a centrifuge.",
    AliquotCreate "ALIQUOT_CREATE" "13: make an aliquot at a device.",
    GenerateResult "GENERATE_RESULT" "14: file the result of an ended run.",
    HoldResult "HOLD_RESULT" "15: hold a result.",
    ReleaseResult "RELEASE_RESULT" "16: release a result.",
    QcEvent "QC_EVENT" "17: run a quality control on a device.",
    RerunRequest "RERUN_REQUEST" "18: ask for a held result to be measured again.",
    NotifyCriticalResult "NOTIFY_CRITICAL_RESULT" "19: tell somebody of a critical result.",
    AckCriticalResult "ACK_CRITICAL_RESULT" "20: record that they understood.",
    EscalateCriticalResult "ESCALATE_CRITICAL_RESULT" "21: tell somebody higher.",
    DispatchTransport "DISPATCH_TRANSPORT" "22: send specimens that the episode asks for.",
    TransportTick "TRANSPORT_TICK" "23: look after a consignment.",
    ChainOfCustodySign "CHAIN_OF_CUSTODY_SIGN" "24: sign for a consignment.",
    ReceiveTransport "RECEIVE_TRANSPORT" "25: receive a consignment.",
    MintToken "MINT_TOKEN" "26: ask for leave to enter the restricted zone.",
    StartRunOverride "START_RUN_OVERRIDE" "27: start a run with a token.",
    ReleaseResultOverride "RELEASE_RESULT_OVERRIDE" "28: release a result with a token.",
}

impl Act {
    /// Its index.
    #[must_use]
    pub const fn index(self) -> u8 {
        self as u8
    }
}

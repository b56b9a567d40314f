//! What somebody wants to happen, before anybody knows which event that is.

use proptest::{prelude::any, strategy::Strategy};

macro_rules! whats {
    ($($(#[doc = $doc:literal])+ $what:ident $weight:literal $honest:literal),+ $(,)?) => {
        /// Kinds of intent.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum What { $($(#[doc = $doc])+ $what),+ }

        /// Kinds, how often they are chosen among all, and how often among honest people [count].
        const WEIGHTS: &[(What, u32, u32)] = &[$((What::$what, $weight, $honest)),+];
    };
}

whats! {
    /// The next step on the way of a specimen.
    Lane 20 20,
    /// Several steps on the way of a specimen.
    Lanes 26 30,
    /// Time passes.
    Wait 3 2,
    /// A tick.
    Tick 3 2,
    /// Somebody walks.
    Walk 5 0,
    /// Somebody opens or closes a door.
    Door 6 0,
    /// Somebody asks for a token.
    Mint 6 2,
    /// Somebody enters containment with a token.
    Enter 4 0,
    /// Somebody overrides a limit with a token.
    Override 8 0,
    /// Somebody takes a token back.
    Revoke 2 0,
    /// Quality control says something.
    Control 4 1,
    /// Somebody holds a result or asks for a rerun.
    Doubt 4 0,
    /// Somebody holds or rejects a specimen.
    SetAside 2 0,
    /// Somebody declares a run ended.
    EndRun 2 1,
    /// A consignment takes its way.
    Transport 6 3,
    /// Somebody telephones about a result.
    Critical 7 0,
    /// The control desk changes roster, specimens or enforcement.
    Desk 7 0,
    /// Somebody uses a tool.
    Tool 4 0,
    /// Something is wrong with the event: who, where, what, when.
    Misdeed 26 0,
    /// An event is not even well-formed.
    Malformed 2 0,
    /// An earlier event comes again.
    Again 3 0,
}

/// An intent: its kind, and numbers from which the model takes the choices it still has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The kind.
    pub what: What,
    /// Which specimen, token, result, ...
    pub pick: u8,
    /// Which of the ways to do it.
    pub twist: u16,
    /// How long until it happens [s], unless the way of the specimen needs longer.
    pub wait_s: u8,
}

/// Intents with the frequencies of the table.
pub(super) fn intent(honest: bool) -> impl Strategy<Value = Intent> {
    let weight = move |entry: &(What, u32, u32)| if honest { entry.2 } else { entry.1 };
    let total: u32 = WEIGHTS.iter().map(weight).sum();
    (0..total, any::<u8>(), any::<u16>(), 0u8..40).prop_map(move |(mut at, pick, twist, wait_s)| {
        let entry = WEIGHTS.iter().find(|entry| {
            let found = at < weight(entry);
            at = at.saturating_sub(weight(entry));
            found
        });
        let what = entry.map_or(What::Tick, |entry| entry.0);
        Intent { what, pick, twist, wait_s }
    })
}

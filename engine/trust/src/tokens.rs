//! Tokens: permissions that are minted under approval, cover one use, and are used up by it.
//!
//! A token is an entity with a [`Token`] component, so that systems of plugins can query it; the [`TokenStore`] finds
//! it by id. A token opens something only if it is ACTIVE, in its time, of a type that covers the action (and door,
//! zone and reason), and was issued for this agent or subject ([`TokenStore::validate`]).

mod mint;
mod policy;
mod store;
mod validate;

pub use mint::{Approval, MintRequest};
pub use policy::{
    DualApprovalPolicy, DualApprovalRule, SeparationOfDuties, TokenPolicy, TokenScope, TokenTypeId, TokenTypePolicy,
    TokenTypes,
};
pub use store::{InitialToken, TokenCounts, TokenStore};
pub use validate::TokenUse;

use bevy_ecs::component::Component;
use labtrust_kernel::{Memory, Remembered, Symbol, remembered, remembered_as_number};
use smallvec::SmallVec;

/// Where a token is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenState {
    /// Made, but not handed out yet.
    Minted,
    /// Usable in its time.
    Active,
    /// Used up.
    Consumed,
    /// Written off because its time has passed.
    Expired,
    /// Taken back.
    Revoked,
}

impl TokenState {
    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minted => "MINTED",
            Self::Active => "ACTIVE",
            Self::Consumed => "CONSUMED",
            Self::Expired => "EXPIRED",
            Self::Revoked => "REVOKED",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Minted, Self::Active, Self::Consumed, Self::Expired, Self::Revoked]
            .into_iter()
            .find(|state| state.name() == text)
    }
}

/// Who may present a token, by what it was issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    /// The agent itself.
    Agent,
    /// Whoever enters the zone.
    Zone,
    /// Whoever opens the door.
    Door,
    /// Whoever acts on the specimen, result, run, device, ...
    Other,
}

impl SubjectKind {
    fn of(subject_type: &str) -> Self {
        match subject_type {
            "agent" => Self::Agent,
            "zone" => Self::Zone,
            "door" => Self::Door,
            _ => Self::Other,
        }
    }
}

/// One token.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: Symbol,
    /// Its type as written.
    pub token_type: Symbol,
    /// Its type in the registry; `None` for a type that the registry does not know, which covers nothing.
    pub kind: Option<TokenTypeId>,
    /// Where it is in its life.
    pub state: TokenState,
    /// What kind of thing it was issued for: `agent`, `specimen`, `result`, ...
    pub subject_type: Symbol,
    /// The same, as far as it decides who may present the token.
    pub subject_kind: SubjectKind,
    /// What it was issued for.
    pub subject_id: Symbol,
    /// First second of validity [s].
    pub issued_at_s: i64,
    /// Last second of validity [s].
    pub expires_at_s: i64,
    /// Why it was issued.
    pub reason: Option<Symbol>,
    /// Who approved it.
    pub approvals: SmallVec<[Approval; 2]>,
}

remembered!(Token {
    id,
    token_type,
    kind,
    state,
    subject_type,
    subject_kind,
    subject_id,
    issued_at_s,
    expires_at_s,
    reason,
    approvals,
});
remembered_as_number!(TokenState, SubjectKind);

impl Remembered for TokenTypeId {
    fn recall(&self, memory: &mut Memory) {
        self.0.recall(memory);
    }
}

impl Token {
    /// Whether it is ACTIVE and in its time at `t_s` [s], both ends included.
    #[must_use]
    pub fn is_active(&self, t_s: i64) -> bool {
        self.state == TokenState::Active && (self.issued_at_s..=self.expires_at_s).contains(&t_s)
    }
}

/// Why a token operation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRefusal {
    /// The invariant that would be broken: `INV-TOK-001`, `-002`, `-003` or `-006`.
    pub invariant: &'static str,
    /// The reason code.
    pub code: &'static str,
}

impl TokenRefusal {
    const fn new(invariant: &'static str, code: &'static str) -> Self {
        Self { invariant, code }
    }
}

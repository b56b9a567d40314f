//! The token store: finds tokens by id, keeps their order, counts them by type, and is the only one that changes them.

use super::{Approval, SubjectKind, Token, TokenRefusal, TokenState, TokenTypeId, TokenTypes};
use crate::TrustError;
use crate::reason::codes;
use bevy_ecs::entity::Entity;
use bevy_ecs::world::World;
use labtrust_kernel::{Symbol, SymbolMap, Symbols, remembered};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A token of an initial state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InitialToken {
    /// Its id.
    pub token_id: String,
    /// Its type.
    pub token_type: String,
    /// Where it is in its life; absent means `ACTIVE`.
    #[serde(default)]
    pub state: Option<String>,
    /// What kind of thing it was issued for.
    pub subject_type: String,
    /// What it was issued for.
    pub subject_id: String,
    /// First second of validity [s].
    pub issued_at_ts_s: i64,
    /// Last second of validity [s].
    pub expires_at_ts_s: i64,
    /// Why it was issued.
    #[serde(default)]
    pub reason_code: Option<String>,
    /// Who approved it.
    #[serde(default)]
    pub approvals: Vec<Value>,
}

/// Tokens minted and used up, by type [count].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCounts {
    /// Minted in this episode.
    pub minted: u64,
    /// Used up.
    pub consumed: u64,
    /// Taken back.
    pub revoked: u64,
}

/// The tokens of one episode.
#[derive(Clone, Debug, Default)]
pub struct TokenStore {
    pub(super) types: TokenTypes,
    by_id: SymbolMap<Entity>,
    order: Vec<(Symbol, Entity)>,
    counts: Vec<TokenCounts>,
}

remembered!(TokenCounts { minted, consumed, revoked });
remembered!(TokenStore { by_id, order, counts } forgotten { types: "policy" });

impl TokenStore {
    /// A store without tokens, over these types.
    #[must_use]
    pub fn new(types: TokenTypes) -> Self {
        let counts = vec![TokenCounts::default(); types.len()];
        Self { types, counts, ..Self::default() }
    }

    /// The token types.
    #[must_use]
    pub fn types(&self) -> &TokenTypes {
        &self.types
    }

    /// Puts a token of the initial state in. A type that the registry does not know is allowed here; such a token
    /// covers nothing.
    ///
    /// # Errors
    /// An id that exists already; a state that is none. Nothing changes.
    pub fn insert_initial(
        &mut self,
        world: &mut World,
        initial: &InitialToken,
        symbols: &mut Symbols,
    ) -> Result<Entity, TrustError> {
        let state = match initial.state.as_deref() {
            None => TokenState::Active,
            Some(text) => TokenState::parse(text).ok_or_else(|| TrustError::Value {
                value: text.to_owned(),
                expected: "a token state (MINTED, ACTIVE, CONSUMED, EXPIRED or REVOKED)",
                place: format!("state of token {}", initial.token_id),
                hint: "leave it out for ACTIVE".to_owned(),
            })?,
        };
        let id = symbols.intern(&initial.token_id);
        if self.by_id.contains(id) {
            return Err(TrustError::Duplicate {
                what: "token",
                name: initial.token_id.clone(),
                place: "the initial tokens".to_owned(),
                hint: "give every token an id of its own".to_owned(),
            });
        }
        let token_type = symbols.intern(&initial.token_type);
        let token = Token {
            id,
            token_type,
            kind: self.types.id(token_type),
            state,
            subject_type: symbols.intern(&initial.subject_type),
            subject_kind: SubjectKind::of(&initial.subject_type),
            subject_id: symbols.intern(&initial.subject_id),
            issued_at_s: initial.issued_at_ts_s,
            expires_at_s: initial.expires_at_ts_s,
            reason: initial.reason_code.as_deref().map(|code| symbols.intern(code)),
            approvals: initial.approvals.iter().map(|approval| Approval::parse(approval, symbols)).collect(),
        };
        Ok(self.insert(world, token))
    }

    pub(super) fn insert(&mut self, world: &mut World, token: Token) -> Entity {
        let id = token.id;
        let entity = world.spawn(token).id();
        let earlier = self.by_id.insert(id, entity);
        assert!(earlier.is_none(), "a token id names one token");
        self.order.push((id, entity));
        entity
    }

    pub(super) fn count_minted(&mut self, kind: TokenTypeId) {
        self.counts[kind.index()].minted += 1;
    }

    /// The token called `id`.
    #[must_use]
    pub fn get<'w>(&self, world: &'w World, id: Symbol) -> Option<&'w Token> {
        world.get::<Token>(self.entity(id)?)
    }

    /// The entity of the token called `id`.
    #[must_use]
    pub fn entity(&self, id: Symbol) -> Option<Entity> {
        self.by_id.get(id).copied()
    }

    /// Uses a token up: once, and only in its time.
    ///
    /// # Errors
    /// `INV-TOK-002` for a token that is unknown, used up or out of its time, `INV-TOK-006` for one that was revoked.
    /// Nothing changes.
    pub fn consume(&mut self, world: &mut World, id: Symbol, t_s: i64) -> Result<(), TokenRefusal> {
        self.usable(world, id, t_s)?;
        self.set_state(world, id, TokenState::Consumed);
        Ok(())
    }

    /// Takes a token back. One that is revoked already stays so; that is not a refusal.
    ///
    /// # Errors
    /// `INV-TOK-002` for a token that is unknown or used up, `INV-TOK-003` for a type that cannot be revoked. Nothing
    /// changes.
    pub fn revoke(&mut self, world: &mut World, id: Symbol) -> Result<(), TokenRefusal> {
        let Some(token) = self.get(world, id) else {
            return Err(TokenRefusal::new("INV-TOK-002", codes::INV_TOK_002));
        };
        match token.state {
            TokenState::Revoked => return Ok(()),
            TokenState::Consumed => return Err(TokenRefusal::new("INV-TOK-002", codes::INV_TOK_002)),
            TokenState::Minted | TokenState::Active | TokenState::Expired => {}
        }
        if token.kind.is_some_and(|kind| !self.types.get(kind).revocable) {
            return Err(TokenRefusal::new("INV-TOK-003", codes::TOKEN_SCOPE_MISMATCH));
        }
        self.set_state(world, id, TokenState::Revoked);
        Ok(())
    }

    fn set_state(&mut self, world: &mut World, id: Symbol, state: TokenState) {
        let entity = self.entity(id).expect("looked up by the caller");
        let mut token = world.get_mut::<Token>(entity).expect("a token's entity lives as long as its store");
        token.state = state;
        if let Some(kind) = token.kind {
            let counts = &mut self.counts[kind.index()];
            match state {
                TokenState::Consumed => counts.consumed += 1,
                TokenState::Revoked => counts.revoked += 1,
                TokenState::Minted | TokenState::Active | TokenState::Expired => {}
            }
        }
    }

    /// Whether the token could be used by somebody for something at `t_s` [s].
    ///
    /// # Errors
    /// `INV-TOK-006` for a revoked token, `INV-TOK-002` for any other that is not active in its time.
    pub fn usable<'w>(&self, world: &'w World, id: Symbol, t_s: i64) -> Result<&'w Token, TokenRefusal> {
        match self.get(world, id) {
            Some(token) if token.is_active(t_s) => Ok(token),
            Some(Token { state: TokenState::Revoked, .. }) => Err(TokenRefusal::new("INV-TOK-006", codes::INV_TOK_006)),
            _ => Err(TokenRefusal::new("INV-TOK-002", codes::INV_TOK_002)),
        }
    }

    /// Ids of the tokens that are active at `t_s` [s], in the order they came in.
    pub fn active<'a>(&'a self, world: &'a World, t_s: i64) -> impl Iterator<Item = Symbol> + 'a {
        self.iter(world).filter(move |token| token.is_active(t_s)).map(|token| token.id)
    }

    /// All tokens in the order they came in.
    pub fn iter<'a>(&'a self, world: &'a World) -> impl Iterator<Item = &'a Token> + 'a {
        self.order.iter().filter_map(move |(_, entity)| world.get::<Token>(*entity))
    }

    /// How many tokens of a type are active at `t_s` [count].
    #[must_use]
    pub fn active_count(&self, world: &World, kind: TokenTypeId, t_s: i64) -> usize {
        self.iter(world).filter(|token| token.kind == Some(kind) && token.is_active(t_s)).count()
    }

    /// Tokens of a type minted, used up and taken back so far.
    #[must_use]
    pub fn counts(&self, kind: TokenTypeId) -> TokenCounts {
        self.counts.get(kind.index()).copied().unwrap_or_default()
    }

    /// How many tokens there ever were [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there never was a token.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

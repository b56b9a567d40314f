//! Whether a token covers a use: state and time, then type, door and zone, reason, and subject.

use super::policy::TokenType;
use super::{SubjectKind, Token, TokenRefusal, TokenStore};
use crate::action::ActionId;
use crate::reason::codes;
use bevy_ecs::world::World;
use labtrust_kernel::Symbol;

const SCOPE: &str = "INV-TOK-003";

/// A use that a token is presented for.
#[derive(Clone, Copy, Debug)]
pub struct TokenUse<'a> {
    /// The action.
    pub action: ActionId,
    /// Who acts.
    pub agent: Symbol,
    /// What the action is about: specimens, results, runs, devices.
    pub subjects: &'a [Symbol],
    /// The door it opens or passes.
    pub door: Option<Symbol>,
    /// The zone it leads into.
    pub zone: Option<Symbol>,
    /// Why, as the event says.
    pub reason: Option<Symbol>,
}

impl TokenType {
    pub(super) fn allows_reason(&self, reason: Symbol) -> bool {
        !self.denied_reasons.contains(reason) && (self.reasons.is_empty() || self.reasons.contains(reason))
    }

    /// Whether door and zone of a use are among those of the type. A type that names doors or zones needs at least one
    /// of them to be there and listed.
    fn covers_place(&self, door: Option<Symbol>, zone: Option<Symbol>) -> bool {
        if self.doors.is_empty() && self.zones.is_empty() {
            return true;
        }
        let listed = |set: &crate::SymbolSet, place: Option<Symbol>| {
            (!set.is_empty()).then_some(place).flatten().map(|place| set.contains(place))
        };
        match (listed(&self.doors, door), listed(&self.zones, zone)) {
            (None, None) => false,
            (door, zone) => door.unwrap_or(true) && zone.unwrap_or(true),
        }
    }
}

impl TokenStore {
    /// Whether the token called `id` covers `used` at `t_s` [s]. Nothing changes; [`TokenStore::consume`] uses it up.
    ///
    /// # Errors
    /// `INV-TOK-006` for a revoked token; `INV-TOK-002` for one that is unknown, used up or out of its time;
    /// `INV-TOK-003` with the code of what does not fit for one that is good for something else.
    pub fn validate(&self, world: &World, id: Symbol, used: &TokenUse<'_>, t_s: i64) -> Result<(), TokenRefusal> {
        self.usable(world, id, t_s)?;
        self.covers(world, id, used)
    }

    /// Whether the token called `id` is for `used`, whatever its state and time. One that does not exist covers nothing
    /// in particular, hence everything: [`TokenStore::usable`] is what asks for it.
    ///
    /// # Errors
    /// `INV-TOK-003` with the code of what does not fit.
    pub fn covers(&self, world: &World, id: Symbol, used: &TokenUse<'_>) -> Result<(), TokenRefusal> {
        let Some(token) = self.get(world, id) else { return Ok(()) };
        let refuse = |code| Err(TokenRefusal::new(SCOPE, code));
        let Some(token_type) = token.kind.map(|kind| self.types.get(kind)) else {
            return refuse(codes::TOKEN_SCOPE_MISMATCH);
        };
        if !token_type.actions.contains(used.action) || !token_type.covers_place(used.door, used.zone) {
            return refuse(codes::TOKEN_SCOPE_MISMATCH);
        }
        // An event without a reason stands on the reason the token was minted for.
        let reason = used.reason.or(token.reason);
        let restricted = token_type.reason_required || !token_type.reasons.is_empty();
        if reason.map_or(restricted, |reason| !token_type.allows_reason(reason)) {
            return refuse(codes::TOKEN_REASON_NOT_ALLOWED);
        }
        let subject_fits = token_type.subject_types.is_empty() || token_type.subject_types.contains(token.subject_type);
        if !subject_fits || !issued_for(token, used) {
            return refuse(codes::TOKEN_SUBJECT_MISMATCH);
        }
        Ok(())
    }
}

fn issued_for(token: &Token, used: &TokenUse<'_>) -> bool {
    let subject = Some(token.subject_id);
    match token.subject_kind {
        SubjectKind::Agent => subject == Some(used.agent),
        SubjectKind::Zone => subject == used.zone,
        SubjectKind::Door => subject == used.door,
        SubjectKind::Other => used.subjects.contains(&token.subject_id),
    }
}

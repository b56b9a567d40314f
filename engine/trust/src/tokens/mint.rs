//! Minting: a token needs a registered type, a reason where the type asks for one, and enough approvers of the right
//! roles. Roles come from the role policy, never from what the request says about itself.

use super::{SubjectKind, Token, TokenRefusal, TokenState, TokenStore};
use crate::canonical;
use crate::gates::Rbac;
use crate::reason::codes;
use crate::tokens::policy::TokenType;
use bevy_ecs::world::World;
use labtrust_kernel::{Symbol, Symbols, remembered};
use serde_json::Value;
use smallvec::SmallVec;

const INVARIANT: &str = "INV-TOK-001";

/// One approval as the request states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The approver.
    pub agent: Option<Symbol>,
    /// The key the approver signs with.
    pub key: Option<Symbol>,
    /// The approver's signature over the request, standard base64; see [`MintRequest::write_approval`].
    pub signature: Option<Symbol>,
}

remembered!(Approval { agent, key } forgotten { signature: "looked at when the token is minted; the record has it" });

impl Approval {
    /// Reads an approval: a map with `approver_agent_id`, `approver_key_id` and `signature`, or the bare agent id.
    pub fn parse(value: &Value, symbols: &mut Symbols) -> Self {
        let mut text = |value: Option<&Value>| {
            value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(|text| symbols.intern(text))
        };
        match value {
            Value::String(_) => Self { agent: text(Some(value)), key: None, signature: None },
            _ => Self {
                agent: text(value.get("approver_agent_id")),
                key: text(value.get("approver_key_id")),
                signature: text(value.get("signature")),
            },
        }
    }
}

/// A request for a token.
#[derive(Clone, Copy, Debug)]
pub struct MintRequest<'a> {
    /// Who asks. Its own role counts as the approval of a type that needs only one and got none: the request is an
    /// event of that agent, authenticated like any other.
    pub requester: Symbol,
    /// The type.
    pub token_type: Symbol,
    /// What kind of thing it is for.
    pub subject_type: Symbol,
    /// What it is for.
    pub subject_id: Symbol,
    /// Why.
    pub reason: Option<Symbol>,
    /// Who approves.
    pub approvals: &'a [Approval],
    /// Approvals are not asked for: an experiment does without them.
    pub approvals_waived: bool,
}

impl MintRequest<'_> {
    /// Writes the bytes that an approver signs at `t_s` [s]: canonical JSON of the request, the approver and the key. An
    /// approval is for this token, for this requester, in this second.
    pub fn write_approval(&self, approval: &Approval, t_s: i64, symbols: &Symbols, out: &mut Vec<u8>) {
        let text = |out: &mut Vec<u8>, key: &[u8], value: Option<Symbol>| {
            out.extend_from_slice(key);
            match value {
                Some(value) => canonical::write_symbol(out, symbols, value),
                None => canonical::write_null(out),
            }
        };
        text(out, b"{\"approver_agent_id\":", approval.agent);
        text(out, b",\"approver_key_id\":", approval.key);
        text(out, b",\"reason_code\":", self.reason);
        text(out, b",\"requester_agent_id\":", Some(self.requester));
        text(out, b",\"subject_id\":", Some(self.subject_id));
        text(out, b",\"subject_type\":", Some(self.subject_type));
        out.extend_from_slice(b",\"t_s\":");
        canonical::write_i64(out, t_s);
        text(out, b",\"token_type\":", Some(self.token_type));
        out.push(b'}');
    }
}

impl TokenStore {
    /// Whether the token may be minted at `t_s` [s]; the id it would get.
    ///
    /// # Errors
    /// Always of `INV-TOK-001`: unknown type, subject or reason not allowed, approvals missing, alike or by the wrong
    /// roles, or an equal token that is still active.
    pub fn check_mint(
        &self,
        world: &World,
        request: &MintRequest<'_>,
        rbac: &Rbac,
        t_s: i64,
        symbols: &mut Symbols,
    ) -> Result<Symbol, TokenRefusal> {
        let refuse = |code| Err(TokenRefusal::new(INVARIANT, code));
        let Some(kind) = self.types.id(request.token_type) else { return refuse(codes::INV_TOK_001) };
        let token_type = self.types.get(kind);
        if symbols.text(request.subject_id).is_empty()
            || !(token_type.subject_types.is_empty() || token_type.subject_types.contains(request.subject_type))
        {
            return refuse(codes::TOKEN_SUBJECT_MISMATCH);
        }
        if let Some(code) = reason_refusal(token_type, request.reason) {
            return refuse(code);
        }
        if let Some(code) = approval_refusal(token_type, request, rbac).filter(|_| !request.approvals_waived) {
            return refuse(code);
        }
        self.free_id(world, request, t_s, symbols).map_or_else(|| refuse(codes::INV_TOK_001), Ok)
    }

    /// Mints a token at `t_s` [s] and returns its id: `T_OVR_<subject>` for override types, `T_<type>_<subject>` for
    /// others, with `_2`, `_3`, ... behind it when that id was used before.
    ///
    /// # Errors
    /// As [`TokenStore::check_mint`]. Nothing changes.
    pub fn mint(
        &mut self,
        world: &mut World,
        request: &MintRequest<'_>,
        rbac: &Rbac,
        t_s: i64,
        symbols: &mut Symbols,
    ) -> Result<Symbol, TokenRefusal> {
        let id = self.check_mint(world, request, rbac, t_s, symbols)?;
        let kind = self.types.id(request.token_type).expect("a checked request names a registered type");
        let token = Token {
            id,
            token_type: request.token_type,
            kind: Some(kind),
            state: TokenState::Active,
            subject_type: request.subject_type,
            subject_kind: SubjectKind::of(symbols.text(request.subject_type)),
            subject_id: request.subject_id,
            issued_at_s: t_s,
            expires_at_s: t_s.saturating_add(self.types.get(kind).ttl_s),
            reason: request.reason,
            approvals: SmallVec::from_slice(request.approvals),
        };
        self.insert(world, token);
        self.count_minted(kind);
        Ok(id)
    }

    /// The first id that no token has; `None` while an equal token is active.
    fn free_id(&self, world: &World, request: &MintRequest<'_>, t_s: i64, symbols: &mut Symbols) -> Option<Symbol> {
        let is_override = self.types.id(request.token_type).is_some_and(|kind| self.types.get(kind).is_override);
        let family = if is_override { "OVR" } else { symbols.text(request.token_type) };
        let base = format!("T_{family}_{}", symbols.text(request.subject_id));
        let equal_and_active = |token: &Token| {
            token.token_type == request.token_type
                && token.subject_type == request.subject_type
                && token.subject_id == request.subject_id
                && token.is_active(t_s)
        };
        let mut candidate = base.clone();
        for suffix in 2u64.. {
            let id = symbols.intern(&candidate);
            match self.get(world, id) {
                None => return Some(id),
                Some(token) if equal_and_active(token) => return None,
                Some(_) => candidate = format!("{base}_{suffix}"),
            }
        }
        None
    }
}

fn reason_refusal(token_type: &TokenType, reason: Option<Symbol>) -> Option<&'static str> {
    match reason {
        None if token_type.reason_required => Some(codes::AUDIT_MISSING_REASON_CODE),
        Some(reason) if !token_type.allows_reason(reason) => Some(codes::TOKEN_REASON_NOT_ALLOWED),
        _ => None,
    }
}

fn approval_refusal(token_type: &TokenType, request: &MintRequest<'_>, rbac: &Rbac) -> Option<&'static str> {
    let required = token_type.approvals_required;
    let by_requester = [Approval { agent: Some(request.requester), key: None, signature: None }];
    let counted = match request.approvals {
        [] if required == 1 => &by_requester[..],
        given => given.get(..required).unwrap_or(&[]),
    };
    if counted.len() < required || counted.iter().any(|approval| approval.agent.is_none()) {
        return Some(codes::INV_TOK_001);
    }
    for (place, approval) in counted.iter().enumerate() {
        let alike = |other: &Approval| {
            (token_type.separation.distinct_agent_ids && other.agent == approval.agent)
                || (token_type.separation.distinct_signing_keys && other.key == approval.key)
        };
        let keyless = required > 1 && token_type.separation.distinct_signing_keys && approval.key.is_none();
        if keyless || counted[..place].iter().any(alike) {
            return Some(codes::INV_TOK_001);
        }
    }
    let roles = &token_type.approver_roles;
    if roles.is_empty() {
        return None;
    }
    let given: SmallVec<[Option<Symbol>; 2]> =
        counted.iter().map(|approval| approval.agent.and_then(|agent| rbac.role_of(agent))).collect();
    let every_approver_may = given.iter().all(|role| role.is_some_and(|role| roles.contains(&role)));
    // As many approvals as roles: the approvals stand for different functions, so each role must be among them.
    let every_role_is_there = required < roles.len() || roles.iter().all(|role| given.contains(&Some(*role)));
    let one_is_enough = required <= 1;
    (!(every_approver_may && (one_is_enough || every_role_is_there))).then_some(codes::TOKEN_APPROVAL_ROLE)
}

//! Minting, revoking and using up tokens.

use crate::{
    lab::Lab,
    refusal::{Decided, Refusal},
};
use labtrust_kernel::Symbol;
use labtrust_plugin::lab::{Action, ActionKind, Args, Control};
use labtrust_trust::{
    codes,
    tokens::{MintRequest, TokenRefusal, TokenUse},
};
use smallvec::SmallVec;

impl Lab {
    fn token_refusal(&mut self, refusal: TokenRefusal) -> Refusal {
        let invariant = self.symbols.intern(refusal.invariant);
        Refusal::breaking(refusal.code, invariant)
    }

    /// The gate: every token presented must cover this use.
    pub(crate) fn validate_tokens(&mut self, action: &Action) -> Decided {
        let decision = &action.decision;
        if decision.token_refs.is_empty() {
            return Ok(());
        }
        let args = &decision.args;
        let subjects = self.subjects_of(decision.kind, args);
        let used = TokenUse {
            action: decision.kind.id(),
            agent: action.agent,
            subjects: &subjects,
            door: args.door,
            zone: args.to_zone,
            reason: Self::reason_of(action),
        };
        for &token in &decision.token_refs {
            let usable = match self.holds(Control::TokenValidity) {
                true => self.tokens.usable(&self.world, token, action.t_s).map(|_| ()),
                false => Ok(()),
            };
            let covers = || match self.holds(Control::TokenScope) {
                true => self.tokens.covers(&self.world, token, &used),
                false => Ok(()),
            };
            if let Err(refusal) = usable.and_then(|()| covers()) {
                let refusal = self.token_refusal(refusal);
                return Err(refusal);
            }
        }
        Ok(())
    }

    /// What an action is about. An id that the action does not look at is no subject, whatever argument it stands in:
    /// else a token for anything would be good for everything.
    fn subjects_of(&self, kind: ActionKind, args: &Args) -> SmallVec<[Symbol; 8]> {
        let mut subjects: SmallVec<[Symbol; 8]> = SmallVec::new();
        match kind {
            ActionKind::StartRunOverride => {
                subjects.extend(args.run.into_iter().chain(args.device));
                subjects.extend(self.resolve(args));
            }
            ActionKind::ReleaseResultOverride => {
                // A run is a subject of its result; the record of a result does not say which run it was.
                subjects.extend(args.result.into_iter().chain(args.run));
                subjects.extend(args.result.and_then(|result| self.specimen_of_result(result)));
            }
            ActionKind::ReceiveTransport | ActionKind::ChainOfCustodySign => subjects.extend(args.consignment),
            // Who walks and where is not among these: the token store looks at agent, door and zone itself.
            ActionKind::Move | ActionKind::OpenDoor => {}
            _ => {
                let named = [args.specimen, args.result, args.run, args.device, args.consignment];
                subjects.extend(named.into_iter().flatten());
                subjects.extend(args.specimens.iter().copied());
                subjects.extend(args.aliquots.iter().map(|&aliquot| self.resolve_one(aliquot)));
                subjects.extend(args.result.and_then(|result| self.specimen_of_result(result)));
            }
        }
        subjects
    }

    /// Uses up every token presented; the gate has seen that each covers the use.
    pub(super) fn consume_tokens(&mut self, action: &Action) {
        if !self.holds(Control::TokenSingleUse) {
            return;
        }
        for &token in &action.decision.token_refs {
            if self.tokens.consume(&mut self.world, token, action.t_s).is_ok() {
                self.outcome.tokens_consumed.push(token);
            }
        }
    }

    pub(super) fn mint_token(&mut self, action: &Action) -> Decided {
        let Some(request) = self.mint_request(action) else {
            return Err(Refusal::breaking(codes::INV_TOK_001, self.names.inv_tok_001));
        };
        let checked = self.tokens.check_mint(&self.world, &request, &self.rbac, action.t_s, &mut self.symbols);
        if let Err(refusal) = checked {
            return Err(self.token_refusal(refusal));
        }
        self.commit(action)?;
        let minted = self.tokens.mint(&mut self.world, &request, &self.rbac, action.t_s, &mut self.symbols);
        assert!(minted.is_ok(), "a request that was checked is minted");
        self.outcome.emits.push("MINT_TOKEN");
        Ok(())
    }

    /// Where signatures are required, what somebody else is said to approve must be signed by them. The requester's own
    /// approval is covered by the signature of the event.
    pub(crate) fn approvals_are_signed(&self, action: &Action) -> Decided {
        let required = self.strict_signatures && self.holds(Control::Signatures) && self.holds(Control::DualApproval);
        if !required || action.decision.kind != ActionKind::MintToken {
            return Ok(());
        }
        let Some(request) = self.mint_request(action) else { return Ok(()) };
        let mut payload = Vec::new();
        for approval in request.approvals {
            if approval.agent == Some(action.agent) && approval.signature.is_none() {
                if approval.key != action.decision.key_id {
                    return Err(Refusal::breaking(codes::SIG_INVALID, self.names.inv_sig_001));
                }
                continue;
            }
            let (Some(agent), Some(key), Some(signature)) = (approval.agent, approval.key, approval.signature) else {
                return Err(Refusal::breaking(codes::SIG_MISSING, self.names.inv_sig_001));
            };
            payload.clear();
            request.write_approval(approval, action.t_s, &self.symbols, &mut payload);
            let verification = self.keys.verify(key, self.symbols.text(signature), agent, action.t_s, &payload);
            if let Some(code) = verification.reason {
                return Err(Refusal::breaking(code, self.names.inv_sig_001));
            }
            if verification.key_role != self.rbac.role_of(agent) {
                return Err(Refusal::breaking(codes::SIG_ROLE_MISMATCH, self.names.inv_sig_002));
            }
        }
        Ok(())
    }

    /// What a `MINT_TOKEN` asks for; `None` where type or subject is missing.
    fn mint_request<'a>(&self, action: &'a Action) -> Option<MintRequest<'a>> {
        let rare = action.decision.args.rare();
        Some(MintRequest {
            requester: action.agent,
            token_type: rare.token_type?,
            subject_type: rare.subject_type?,
            subject_id: rare.subject_id?,
            reason: action.decision.args.reason_code.or(action.decision.reason_code),
            approvals: rare.approvals.as_deref().unwrap_or_default(),
            approvals_waived: !self.holds(Control::DualApproval),
        })
    }

    pub(super) fn revoke_token(&mut self, action: &Action) -> Decided {
        let token = action.decision.args.rare().token_id;
        let known = token.filter(|&token| self.tokens.get(&self.world, token).is_some());
        if known.is_none() && self.enforced {
            return Err(Refusal::breaking(codes::INV_TOK_002, self.names.inv_tok_002));
        }
        self.commit(action)?;
        if let Some(token) = known {
            self.tokens.revoke(&mut self.world, token).ok();
        }
        self.outcome.emits.push("REVOKE_TOKEN");
        Ok(())
    }
}

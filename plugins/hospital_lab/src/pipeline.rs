//! What every event goes through.
//!
//! Order: log not frozen; event well-formed; time forward; runtime control; colocation of runs; agent known; role;
//! enforcement, capability and rate; signature; agent on its feet; tokens; the action's own preconditions; the tool.
//! A refused step changes nothing but the record of the refusal. An accepted one has its effects, then the invariants
//! look at it, then enforcement acts, then event and outcome go into the chain.

use crate::{
    components::Body,
    invariants::Seen,
    lab::Lab,
    refusal::{Decided, Refusal},
};
use labtrust_contract::{CapabilityDecision, ControlDecision, StepResult};
use labtrust_plugin::lab::{Action, ActionKind, Args, Control, Detail, Finding, Gate, Malformed, Observer};
use labtrust_trust::{
    canonical, codes,
    enforcement::{EnforcementKind, ViolationFacts},
    gates::signature::{self, Presented},
    invariants,
    payload::{PayloadFields, write_payload_v2},
};
use serde_json::{Map, Value};
use smallvec::SmallVec;
use std::sync::Arc;

impl Lab {
    /// Applies a typed event.
    pub(crate) fn step(&mut self, action: &Action, observer: &mut dyn Observer) {
        self.declare_ablation(observer);
        self.move_time(action, observer);
        self.write_event(action);
        self.decide(action, None);
        if action.decision.kind != ActionKind::Noop {
            self.notify(Some(action), observer);
        }
        self.settle(observer);
    }

    /// Applies an event as it was received: its map is what is hashed, and its `args` are what a signature covers.
    pub(crate) fn step_raw(&mut self, event: &Map<String, Value>, observer: &mut dyn Observer) -> StepResult {
        self.declare_ablation(observer);
        let read = Action::from_raw(event, &mut self.symbols);
        if let Ok(action) = &read {
            self.move_time(action, observer);
        }
        self.event_bytes.clear();
        if canonical::write_map(&mut self.event_bytes, event).is_err() {
            unreachable!("a JSON map has only finite numbers");
        }
        let action = match &read {
            Ok(action) => {
                let empty = Map::new();
                self.decide(action, Some(event.get("args").and_then(Value::as_object).unwrap_or(&empty)));
                Some(action)
            }
            Err(malformed) => {
                self.refuse_unread(malformed);
                None
            }
        };
        let result = self.outcome.to_result(&self.symbols, self.chain.report());
        if action.is_none_or(|action| action.decision.kind != ActionKind::Noop) {
            self.notify(action, observer);
        }
        self.settle(observer);
        result
    }

    /// Lets what is due before the event happen first. A frozen log and a time that is over move nothing.
    fn move_time(&mut self, action: &Action, observer: &mut dyn Observer) {
        let to = Self::moment(action.t_s);
        if !self.log_frozen && action.t_s >= 0 && to > self.now {
            self.advance(to, observer);
        }
    }

    /// Lets what is due at this very moment happen: work that takes no time ends in the moment it begins.
    fn settle(&mut self, observer: &mut dyn Observer) {
        if self.calendar.peek_time().is_some_and(|at| at <= self.now) {
            std::mem::swap(&mut self.outcome, &mut self.spare);
            self.advance(self.now, observer);
            std::mem::swap(&mut self.outcome, &mut self.spare);
        }
    }

    fn decide(&mut self, action: &Action, raw_args: Option<&Map<String, Value>>) {
        self.outcome.clear();
        self.committed = false;
        if action.decision.kind == ActionKind::Noop {
            // Doing nothing is no event.
            self.outcome.accepted = true;
            return;
        }
        let decided = match self.pass_gates(action, raw_args) {
            Ok(()) => {
                self.at_gate(Gate::Precondition);
                self.apply(action)
            }
            refused => refused,
        };
        match decided {
            Ok(()) => self.accept(action),
            Err(refusal) => self.refuse(action, &refusal),
        }
        let break_link = match &self.break_chain_on_event {
            None => false,
            Some(id) => action.event_id.text(&self.symbols).as_deref() == Some(id),
        };
        if std::mem::take(&mut self.thaw_log) {
            self.thaw();
        } else {
            self.append_record(break_link);
            // The step that led to the freeze is the last one on record.
            if std::mem::take(&mut self.freeze_after_record) {
                self.shut_log();
            }
        }
    }

    /// Says which gate the event stands at now: the one that refuses it, if it is refused.
    pub(crate) fn at_gate(&mut self, gate: Gate) {
        self.outcome.gate = Some(gate);
    }

    fn pass_gates(&mut self, action: &Action, raw_args: Option<&Map<String, Value>>) -> Decided {
        let kind = action.decision.kind;
        self.at_gate(Gate::FrozenLog);
        if self.log_frozen && kind != ActionKind::LiftEnforcement {
            return Err(codes::AUDIT_CHAIN_BROKEN.into());
        }
        self.at_gate(Gate::Time);
        if action.t_s < 0 || Self::moment(action.t_s) < self.now {
            return Err(codes::RC_TIME_BACKWARDS.into());
        }
        if kind.is_runtime_control() {
            self.at_gate(Gate::RuntimeControl);
            return self.pass_control(action, raw_args);
        }
        self.at_gate(Gate::Colocation);
        if matches!(kind, ActionKind::StartRun | ActionKind::StartRunOverride)
            && let Some(device) = action.decision.args.device
            && let Some(&device) = self.policy.equipment.index.get(device)
        {
            self.colocated(action.agent, device)?;
        }
        let agent = action.agent;
        let role = self.pass_role(action)?;
        self.at_gate(Gate::Enforcement);
        if kind.is_mutating()
            && let Some(code) = self.enforcer.agent_block(agent, self.now)
        {
            return Err(code.into());
        }
        self.at_gate(Gate::Capability);
        self.pass_capability(action, role)?;
        self.at_gate(Gate::Signature);
        self.pass_signature(action, raw_args, role)?;
        self.approvals_are_signed(action)?;
        self.at_gate(Gate::InTransit);
        if kind != ActionKind::Tick && self.body(agent).is_some_and(|body: &Body| body.walking_to.is_some()) {
            return Err(codes::RC_AGENT_IN_TRANSIT.into());
        }
        self.at_gate(Gate::Token);
        self.validate_tokens(action)
    }

    /// The agent is known and its role allows the action; the role, where it has one.
    fn pass_role(&mut self, action: &Action) -> Result<Option<labtrust_kernel::Symbol>, Refusal> {
        let agent = action.agent;
        if !self.holds(Control::Rbac) {
            return Ok(self.rbac.role_of(agent));
        }
        self.at_gate(Gate::AgentKnown);
        if agent == self.names.empty || !(self.rbac.is_known(agent) || self.ids.bodies.contains(agent)) {
            // Without an entry of its own an agent may still have the policy's default role.
            if self.rbac.role_of(agent).is_none() {
                return Err(codes::RC_AGENT_UNKNOWN.into());
            }
        }
        self.at_gate(Gate::Role);
        let zone = self.agent_zone(agent).map(|zone| self.policy.layout.zones[zone].id);
        let verdict = self.rbac.check(agent, action.decision.kind.id(), zone, action.decision.args.device);
        self.outcome.rbac = Some((verdict.refusal.is_none(), verdict.refusal, verdict.role));
        verdict.refusal.map_or(Ok(verdict.role), |code| Err(code.into()))
    }

    /// Only the system agent, in the control role, with its own key.
    fn pass_control(&mut self, action: &Action, raw_args: Option<&Map<String, Value>>) -> Decided {
        if !self.holds(Control::RuntimeControl) {
            return Ok(());
        }
        let mut decision =
            ControlDecision { allowed: false, reason_code: None, role_id: None, signature_passed: false };
        let decided = self.decide_control(action, raw_args, &mut decision);
        decision.allowed = decided.is_ok();
        decision.reason_code = decided.as_ref().err().map(|refusal| refusal.code.to_owned());
        self.outcome.control = Some(decision);
        decided
    }

    fn decide_control(
        &mut self,
        action: &Action,
        raw_args: Option<&Map<String, Value>>,
        decision: &mut ControlDecision,
    ) -> Decided {
        if action.agent != self.names.system {
            return Err(codes::RBAC_ACTION_DENY.into());
        }
        let verdict = self.rbac.check(action.agent, action.decision.kind.id(), None, None);
        decision.role_id = verdict.role.map(|role| self.symbols.text(role).to_owned());
        self.outcome.rbac = Some((verdict.refusal.is_none(), verdict.refusal, verdict.role));
        // Lifting is newer than most policies: the control role may do it even where its list does not say so.
        let may_lift =
            action.decision.kind == ActionKind::LiftEnforcement && verdict.role == Some(self.names.control_role);
        if let Some(code) = verdict.refusal.filter(|_| !may_lift) {
            return Err(code.into());
        }
        let presented = Presented { key_id: action.decision.key_id, signature: action.decision.signature.as_deref() };
        self.fill_payload(action, raw_args);
        let verdict = signature::check_control(
            &self.keys,
            presented,
            action.agent,
            self.names.control_role,
            action.t_s,
            &self.payload_bytes,
        );
        let verification = verdict.verification;
        decision.signature_passed = verification.is_some_and(|verification| verification.passed);
        self.outcome.signature = verification.map(|v| v.report(action.decision.key_id, &self.symbols));
        verdict.refusal.map_or(Ok(()), |code| Err(Refusal::from(code)))?;
        self.is_fresh(action)
    }

    fn pass_capability(&mut self, action: &Action, role: Option<labtrust_kernel::Symbol>) -> Decided {
        if !self.holds(Control::Capabilities) {
            return Ok(());
        }
        let decision = &action.decision;
        let (has_reason, has_rationale) = (decision.reason_code.is_some(), decision.rationale.is_some());
        let checked =
            self.capabilities.check(action.agent, role, decision.kind.id(), has_reason, has_rationale, self.now);
        if let Err(refusal) = checked {
            self.outcome.capability = Some(CapabilityDecision {
                allowed: false,
                reason_code: Some(refusal.code.to_owned()),
                action_count: refusal.action_count,
                override_count: refusal.override_count,
            });
            return Err(refusal.code.into());
        }
        Ok(())
    }

    fn pass_signature(
        &mut self,
        action: &Action,
        raw_args: Option<&Map<String, Value>>,
        role: Option<labtrust_kernel::Symbol>,
    ) -> Decided {
        let required = self.strict_signatures && action.decision.kind.is_mutating() && self.holds(Control::Signatures);
        let presented = Presented { key_id: action.decision.key_id, signature: action.decision.signature.as_deref() };
        if !required && !presented.is_any() {
            return Ok(());
        }
        self.fill_payload(action, raw_args);
        let verdict =
            signature::check(&self.keys, required, presented, action.agent, role, action.t_s, &self.payload_bytes);
        let verification = verdict.verification;
        self.outcome.signature = verification.map(|v| v.report(action.decision.key_id, &self.symbols));
        match verdict.refusal {
            // A bad signature that nobody asked for does not block, so its repetition does not either.
            None if self.strict_signatures => self.is_fresh(action),
            None => Ok(()),
            Some(code) if code == codes::SIG_ROLE_MISMATCH => Err(Refusal::breaking(code, self.names.inv_sig_002)),
            Some(code) => Err(Refusal::breaking(code, self.names.inv_sig_001)),
        }
    }

    /// A batch shares one chain head, so within it a signature would verify twice: the event's id must be new.
    fn is_fresh(&self, action: &Action) -> Decided {
        let used = self.holds(Control::ReplayProtection)
            && action.event_id.text(&self.symbols).is_some_and(|id| self.signed_events.contains(&id));
        if used { Err(Refusal::breaking(codes::SIG_REPLAYED, self.names.inv_sig_001)) } else { Ok(()) }
    }

    fn fill_payload(&mut self, action: &Action, raw_args: Option<&Map<String, Value>>) {
        let mut payload = std::mem::take(&mut self.payload_bytes);
        payload.clear();
        self.write_payload(action, raw_args, &mut payload);
        self.payload_bytes = payload;
    }

    /// Writes the bytes that a signature of `action` covers, over the chain head at the start of the batch.
    pub(crate) fn write_payload(&self, action: &Action, raw_args: Option<&Map<String, Value>>, out: &mut Vec<u8>) {
        let decision = &action.decision;
        let mut params = Vec::with_capacity(128);
        match raw_args {
            Some(map) => canonical::write_map(&mut params, map)
                .unwrap_or_else(|_| unreachable!("a JSON map has only finite numbers")),
            None => decision.args.write_canonical(&mut params, &self.symbols),
        }
        let text = |symbol| self.symbols.text(symbol);
        let tokens: SmallVec<[&str; 2]> = decision.token_refs.iter().map(|&token| text(token)).collect();
        let event_id = action.event_id.text(&self.symbols).unwrap_or_default();
        let fields = PayloadFields {
            action_params: &params,
            action_type: decision.kind.name(),
            agent_id: text(action.agent),
            event_id: &event_id,
            partner_id: self.partner_id.as_deref(),
            policy_fingerprint: self.policy_fingerprint.as_deref(),
            prev_hash: &self.batch_head,
            rationale: decision.rationale.as_deref(),
            reason_code: decision.reason_code.map(text),
            t_s: action.t_s,
            token_refs: &tokens,
            tool_id: decision.tool_id.map(text),
        };
        write_payload_v2(out, &fields);
    }

    /// The action happened: count it, look at the invariants, enforce.
    fn accept(&mut self, action: &Action) {
        assert!(self.committed, "an accepted action was committed");
        let kind = action.decision.kind;
        self.outcome.accepted = true;
        self.outcome.gate = None;
        self.concerned_by(&action.decision.args);
        self.capabilities.record(action.agent, kind.id(), self.now);
        if action.decision.signature.is_some()
            && let Some(id) = action.event_id.text(&self.symbols)
        {
            self.signed_events.insert(id);
        }
        if self.invariants.has_checks(kind.id()) {
            self.evaluate_invariants(action);
        }
        if self.enforcement_enabled {
            self.enforce(action);
        }
        if std::mem::take(&mut self.scale_config_pending) {
            self.outcome.emits.push("COORD_SCALE_CONFIG");
        }
    }

    fn evaluate_invariants(&mut self, action: &Action) {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let registry = Arc::clone(&self.invariants);
        registry.evaluate(action.decision.kind.id(), &Seen { lab: self, action }, |spec, finding| {
            found.push(Finding {
                invariant: spec.id,
                violated: finding.violated,
                reason: finding.reason,
                severity: Some(spec.severity),
                scope: Some(spec.scope),
                details: finding.details.iter().map(|&(name, value)| (name, detail(value))).collect(),
            });
        });
        for finding in found.drain(..) {
            let earlier = self.outcome.findings.iter_mut().find(|other| other.invariant == finding.invariant);
            match earlier {
                // What the action itself found broken is not unsaid by the registry.
                Some(earlier) if earlier.violated && !finding.violated => {}
                Some(earlier) => *earlier = finding,
                None => self.outcome.findings.push(finding),
            }
        }
        self.found = found;
    }

    /// Acts on the violations of the step.
    fn enforce(&mut self, action: &Action) {
        let device = action.decision.args.device;
        let zone = self.agent_zone(action.agent).map(|zone| self.policy.layout.zones[zone].id);
        let facts: SmallVec<[ViolationFacts; 4]> = self
            .outcome
            .violations()
            .map(|finding| ViolationFacts {
                invariant: finding.invariant,
                severity: finding.severity,
                scope: finding.scope,
                reason: finding.reason,
                device,
                zone,
            })
            .collect();
        if facts.is_empty() {
            return;
        }
        for enforcement in self.enforcer.evaluate(action.agent, &facts) {
            self.enforcer.apply(&enforcement, self.now);
            self.outcome.enforcements.push(enforcement.report(&self.symbols));
            self.outcome.emits.push(enforcement.emit());
            self.freeze_after_record |= enforcement.kind == EnforcementKind::ForensicFreeze;
        }
    }

    fn refuse(&mut self, action: &Action, refusal: &Refusal) {
        assert!(!self.committed, "a refused action has had no effect");
        self.outcome.findings.clear();
        self.outcome.emits.clear();
        self.outcome.specimens.clear();
        self.concerned_by(&action.decision.args);
        self.outcome.reason = Some(refusal.code);
        for &(invariant, reason) in &refusal.broken {
            self.finding(invariant, reason.or(Some(refusal.code)));
        }
        if let Some(code) = refusal.policy_reason {
            self.detail("policy_reason_code", Detail::Id(code));
        }
        if self.outcome.capability.is_some() {
            self.outcome.emits.push("AGENT_SCOPE_VIOLATION");
        }
        let shared = Arc::clone(&self.shared);
        let agent = self.symbols.text(action.agent);
        let name = action.decision.kind.name();
        let sink = &mut self.outcome.emits;
        shared.fixed.handlers.on_refusal(&shared.fixed.reasons, refusal.code, agent, name, self.now, sink);
    }

    /// An event that cannot be read is refused like any other, and recorded as it came.
    fn refuse_unread(&mut self, malformed: &Malformed) {
        self.outcome.clear();
        self.at_gate(if self.log_frozen { Gate::FrozenLog } else { Gate::WellFormed });
        self.outcome.reason = Some(if self.log_frozen {
            codes::AUDIT_CHAIN_BROKEN
        } else {
            match malformed {
                Malformed::UnknownAction(_) => codes::RC_UNKNOWN_ACTION,
                Malformed::Type { key: "value", .. } => codes::RC_RESULT_VALUE_NOT_NUMERIC,
                Malformed::Type { .. } => codes::RC_EVENT_MALFORMED,
            }
        });
        self.append_record(false);
    }

    fn concerned_by(&mut self, args: &Args) {
        let work = args.work.map(|work| self.ids.aliquots.get(work).copied().unwrap_or(work));
        let known = |id: &labtrust_kernel::Symbol| self.ids.specimens.contains(*id);
        let named: SmallVec<[_; 8]> =
            args.specimen.into_iter().chain(args.specimens.iter().copied()).chain(work).filter(known).collect();
        self.concerns_all(named);
    }
}

fn detail(value: invariants::Detail) -> Detail {
    match value {
        invariants::Detail::Symbol(id) => Detail::Id(id),
        invariants::Detail::Int(value) => Detail::Int(value),
        #[expect(clippy::cast_possible_truncation, reason = "details of the laboratory are whole numbers")]
        invariants::Detail::Float(value) => Detail::Int(value as i64),
    }
}

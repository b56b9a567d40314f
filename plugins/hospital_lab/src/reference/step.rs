//! The stages that every event goes through, in their order.

use super::episode::Episode;
use super::event::{Accepted, Blocked, Event, Reply, broken};
use super::tokens;
use super::zones::AIRLOCK;
use labtrust_contract::{SignatureVerification, StepResult, StepStatus};
use serde_json::{Map, Value};

impl Episode {
    /// Applies one event.
    pub(super) fn step(
        &mut self,
        raw: &Map<String, Value>,
        remembered: &mut Option<SignatureVerification>,
    ) -> StepResult {
        let mut base = self.empty_result();
        let Some(event) = Event::read(raw) else {
            // An error in the reference.
            return self.conclude_unread(base);
        };
        self.now = event.t_s;
        if let Some(devices) = &mut self.devices {
            devices.advance(event.t_s);
        }
        let (reply, finalised) = self.decide(&event, &mut base, remembered);
        let result = self.conclude(&event, base, reply);
        if finalised { self.finalise(&event, result, remembered.as_ref()) } else { result }
    }

    fn empty_result(&self) -> StepResult {
        StepResult {
            status: StepStatus::Blocked,
            emits: Vec::new(),
            violations: Vec::new(),
            blocked_reason_code: None,
            token_consumed: Vec::new(),
            hashchain: self.chain.values().clone(),
            enforcements: Vec::new(),
            rbac_decision: None,
            capability_decision: None,
            signature_verification: None,
            control_decision: None,
            consignment_id: None,
            tool_call: None,
            tool_selection_error: None,
        }
    }

    fn conclude_unread(&self, base: StepResult) -> StepResult {
        StepResult { blocked_reason_code: Some("RC_EVENT_MALFORMED".to_owned()), ..base }
    }

    /// The stages. The second part says whether the answer is finalised.
    fn decide(
        &mut self,
        event: &Event<'_>,
        base: &mut StepResult,
        remembered: &mut Option<SignatureVerification>,
    ) -> (Reply, bool) {
        let refused = |blocked: Blocked| (Err(blocked), false);
        if self.log_frozen {
            return refused(Blocked::unrecorded("AUDIT_CHAIN_BROKEN"));
        }
        if let Err(blocked) = self.check_tool(event, base) {
            return refused(blocked);
        }
        if matches!(event.action.as_str(), "UPDATE_ROSTER" | "INJECT_SPECIMEN") {
            let reply = self.control(event, base);
            let finalised = reply.is_ok();
            return (reply, finalised);
        }
        let runs = matches!(event.action.as_str(), "START_RUN" | "START_RUN_OVERRIDE");
        if runs && self.zones.apart(&event.agent, event.device().as_deref()) {
            let blocked = Blocked::unrecorded("RC_DEVICE_NOT_COLOCATED").breaking(vec![broken("INV-ZONE-002")]);
            return refused(blocked);
        }
        let gates = self
            .check_role(event, base)
            .and_then(|()| self.check_capability(event, base))
            .and_then(|()| self.check_signature(event, base, remembered));
        match gates {
            Ok(()) => self.act(event, base),
            Err(blocked) => refused(blocked),
        }
    }

    /// Past the gates: tokens, then the handler of the action.
    fn act(&mut self, event: &Event<'_>, base: &StepResult) -> (Reply, bool) {
        match event.action.as_str() {
            "TICK" => return (self.tick(event), true),
            "MOVE" => return (self.move_entity(event), false),
            "MINT_TOKEN" => return (self.mint_token(event), false),
            "REVOKE_TOKEN" => return (self.revoke_token(event), false),
            _ => {}
        }
        let problems = self.tokens.problems(&event.token_refs, event.t_s);
        if !problems.is_empty() {
            let code = tokens::code_of(&problems);
            return (Err(Blocked::recorded(code).breaking(problems)), false);
        }
        let reply = match event.action.as_str() {
            "OPEN_DOOR" => self.open_door(event),
            "CREATE_ACCESSION" => self.create_accession(event),
            "CHECK_ACCEPTANCE_RULES" => self.check_acceptance_rules(event),
            "ACCEPT_SPECIMEN" => self.accept_specimen(event),
            "HOLD_SPECIMEN" => self.hold_specimen(event).map(Some),
            "REJECT_SPECIMEN" => self.reject_specimen(event),
            "CENTRIFUGE_START" => self.centrifuge_start(event).map(Some),
            "CENTRIFUGE_END" => self.centrifuge_end(event).map(Some),
            "ALIQUOT_CREATE" => self.aliquot_create(event).map(Some),
            "QUEUE_RUN" => self.queue_run(event).map(Some),
            "START_RUN" => self.start_run(event).map(Some),
            "START_RUN_OVERRIDE" => self.start_run_override(event).map(Some),
            "QC_EVENT" => self.qc_event(event).map(Some),
            "GENERATE_RESULT" => self.generate_result(event).map(Some),
            "RELEASE_RESULT" => self.release_result(event).map(Some),
            "RELEASE_RESULT_OVERRIDE" => self.release_result_override(event).map(Some),
            "HOLD_RESULT" => self.hold_result(event).map(Some),
            "RERUN_REQUEST" => Ok(Some(Accepted::emitting(["RERUN_REQUEST"]))),
            "NOTIFY_CRITICAL_RESULT" => self.notify_critical(event).map(Some),
            "ACK_CRITICAL_RESULT" => self.acknowledge_critical(event).map(Some),
            "ESCALATE_CRITICAL_RESULT" => self.escalate_critical(event).map(Some),
            "DISPATCH_TRANSPORT" => self.dispatch_transport(event).map(Some),
            "TRANSPORT_TICK" => self.transport_tick().map(Some),
            "RECEIVE_TRANSPORT" => self.receive_transport(event).map(Some),
            "CHAIN_OF_CUSTODY_SIGN" => self.sign_custody(event).map(Some),
            _ => Ok(None),
        };
        let finalised = match event.action.as_str() {
            "CENTRIFUGE_START" | "START_RUN" | "START_RUN_OVERRIDE" | "ACK_CRITICAL_RESULT" => true,
            "ACCEPT_SPECIMEN" => event.id_arg("specimen_id").is_some(),
            _ => false,
        };
        (reply.map(|reply| reply.unwrap_or_else(|| default_reply(event, base))), finalised)
    }

    /// Makes the answer and, where it is due, the record.
    fn conclude(&mut self, event: &Event<'_>, base: StepResult, reply: Reply) -> StepResult {
        let id = event.id.as_deref();
        match reply {
            Err(blocked) => {
                if blocked.recorded {
                    // A link that breaks here does not freeze the log.
                    self.chain.append(event.raw, id);
                }
                StepResult {
                    blocked_reason_code: Some(blocked.code.to_owned()),
                    emits: blocked.emits.unwrap_or_else(|| base.emits.clone()),
                    violations: blocked.violations.unwrap_or_else(|| base.violations.clone()),
                    hashchain: self.chain.values().clone(),
                    ..base
                }
            }
            Ok(accepted) => {
                let link_broken = self.chain.append(event.raw, id);
                let mut emits = accepted.emits;
                if link_broken && !accepted.never_freezes {
                    self.log_frozen = true;
                    emits = vec!["FORENSIC_FREEZE_LOG".to_owned()];
                }
                StepResult {
                    status: StepStatus::Accepted,
                    emits,
                    violations: accepted.violations.unwrap_or_else(|| base.violations.clone()),
                    token_consumed: accepted.token_consumed,
                    consignment_id: accepted.consignment_id,
                    hashchain: self.chain.values().clone(),
                    ..base
                }
            }
        }
    }

    /// The airlock takes tokens, all that are presented; any other door opens.
    fn open_door(&mut self, event: &Event<'_>) -> Result<Option<Accepted>, Blocked> {
        let door = event.id_arg("door_id").unwrap_or_default();
        let accepted = Accepted::emitting(["OPEN_DOOR"]);
        if door != AIRLOCK {
            self.zones.open_door(&door, event.t_s);
            return Ok(Some(accepted));
        }
        if event.token_refs.is_empty() {
            let violations = vec![broken("INV-ZONE-004"), broken("INV-TOK-003")];
            return Err(Blocked::recorded("RBAC_RESTRICTED_ENTRY_DENY").breaking(violations));
        }
        self.tokens.consume(&event.token_refs);
        self.zones.open_door(&door, event.t_s);
        Ok(Some(accepted.consuming(&event.token_refs)))
    }
}

/// What happens to an action that nobody handles: it is recorded, and its own name comes out.
fn default_reply(event: &Event<'_>, base: &StepResult) -> Accepted {
    let own = Some(event.action.clone()).filter(|action| !action.is_empty());
    Accepted { emits: base.emits.iter().cloned().chain(own).collect(), ..Accepted::default() }
}

//! Telling somebody about a critical result, and hearing back.

use crate::{
    components::{Acknowledgement, Attempt, Communication},
    lab::Lab,
    policy::LadderTier,
    refusal::{Decided, Refusal},
};
use labtrust_kernel::Symbol;
use labtrust_plugin::lab::{Action, Control, RareArgs};
use labtrust_trust::codes;

impl Lab {
    fn communication(&self, result: Symbol) -> Option<&Communication> {
        self.ids.communications.get(result).and_then(|&entity| self.world.get(entity))
    }

    /// Changes the communication about a result, opening the file when it is the first.
    fn communicate(&mut self, result: Symbol, change: impl FnOnce(&mut Communication)) {
        let entity = match self.ids.communications.get(result) {
            Some(&entity) => entity,
            None => {
                let entity = self.world.spawn(Communication::default()).id();
                self.ids.communications.insert(result, entity);
                entity
            }
        };
        if let Some(mut communication) = self.world.get_mut::<Communication>(entity) {
            change(&mut communication);
        }
    }

    /// Whether there is a ladder to keep to.
    fn keeps_to_ladder(&self) -> bool {
        !self.policy.critical.tiers.is_empty() && self.holds(Control::EscalationLadder)
    }

    fn tier(&self, index: u32) -> Option<&LadderTier> {
        self.policy.critical.tiers.iter().find(|tier| tier.index == index)
    }

    fn add_attempt(&mut self, result: Symbol, tier: u32, at_s: i64) {
        let count = self.communication(result).map_or(0, |communication| communication.attempts.len());
        let name = format!("{}_attempt_{count}", self.symbols.text(result));
        let id = self.symbols.intern(&name);
        self.communicate(result, |communication| communication.attempts.push(Attempt { id, tier, at_s }));
    }

    pub(super) fn notify_critical(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let rare = args.rare();
        let Some(result) = args.result else { return self.nothing_to_tell(action, "NOTIFY_CRITICAL_RESULT") };
        self.result_may_be_told(result)?;
        let first = self.communication(result).is_none_or(|communication| communication.attempts.is_empty());
        let named = rare
            .receiver_role
            .and_then(|role| self.policy.critical.tiers.iter().find(|tier| tier.role == role).map(|tier| tier.index));
        let current = self.communication(result).and_then(|c| c.attempts.last()).map_or(0, |attempt| attempt.tier);
        // Told again, one may speak to the tier that was told before; going further up is what ESCALATE is for.
        let index = if first { 0 } else { named.filter(|&index| index <= current).unwrap_or(0) };
        if self.keeps_to_ladder() {
            let mode = rare.channel.map(|channel| self.symbols.text(channel).trim().to_lowercase()).unwrap_or_default();
            let allowed = self
                .tier(index)
                .is_some_and(|tier| !mode.is_empty() && (tier.modes.is_empty() || tier.modes.contains(&mode)));
            if !allowed {
                return Err(codes::CRIT_MODE_NOT_ALLOWED.into());
            }
        }
        self.commit(action)?;
        self.add_attempt(result, index, action.t_s);
        self.outcome.emits.push("NOTIFY_CRITICAL_RESULT");
        Ok(())
    }

    pub(super) fn acknowledge_critical(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let rare = args.rare();
        let Some(result) = args.result else { return self.nothing_to_tell(action, "ACK_CRITICAL_RESULT") };
        self.result_may_be_told(result)?;
        let mut compliant = rare.read_back_confirmed == Some(true);
        if self.keeps_to_ladder() {
            let missing = || Refusal::breaking(codes::CRIT_ACK_MISSING_FIELDS, self.names.inv_crit_005);
            let attempt = rare
                .attempt_id
                .and_then(|id| self.communication(result)?.attempts.iter().find(|attempt| attempt.id == id));
            let tier = attempt.and_then(|attempt| self.tier(attempt.tier)).ok_or_else(missing)?;
            if !tier.required_fields.iter().all(|field| has_field(rare, field)) {
                return Err(missing());
            }
            compliant = !tier.requires_readback || rare.read_back_confirmed == Some(true);
        }
        self.commit(action)?;
        self.communicate(result, |communication| {
            communication.acknowledgements.push(Acknowledgement { compliant });
        });
        self.outcome.emits.push("ACK_CRITICAL_RESULT");
        Ok(())
    }

    pub(super) fn escalate_critical(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let rare = args.rare();
        let (Some(result), Some(role)) = (args.result, rare.next_role) else {
            return self.nothing_to_tell(action, "ESCALATE_CRITICAL_RESULT");
        };
        self.result_may_be_told(result)?;
        let mut tier = 0;
        if self.keeps_to_ladder() {
            let last = self.communication(result).and_then(|communication| communication.attempts.last());
            let next = last.map_or(0, |attempt| attempt.tier + 1);
            let found = self.policy.critical.tiers.iter().find(|tier| tier.role == role && tier.index == next);
            if found.is_none() {
                return Err(Refusal::breaking(codes::CRIT_ESCALATION_OUT_OF_ORDER, self.names.inv_crit_006));
            }
            if let Some(attempt) = last {
                let wait = self.tier(attempt.tier).map_or(0, |tier| tier.max_ack_wait_s);
                // The tier below still has time to answer.
                if action.t_s - attempt.at_s < wait {
                    return Err(codes::CRIT_ACK_TIMEOUT.into());
                }
            }
            tier = next;
        }
        self.commit(action)?;
        self.add_attempt(result, tier, action.t_s);
        self.outcome.emits.push("ESCALATE_CRITICAL_RESULT");
        Ok(())
    }

    /// Communication without a result: refused where the workflow is enforced, else recorded in the chain only.
    fn nothing_to_tell(&mut self, action: &Action, emit: &'static str) -> Decided {
        if self.enforced {
            return Err(codes::RC_RESULT_UNKNOWN.into());
        }
        self.commit(action)?;
        self.outcome.emits.push(emit);
        Ok(())
    }

    fn result_may_be_told(&self, result: Symbol) -> Decided {
        if self.enforced && !self.ids.results.contains(result) {
            return Err(codes::RC_RESULT_UNKNOWN.into());
        }
        Ok(())
    }
}

fn has_field(rare: &RareArgs, field: &str) -> bool {
    match field {
        "attempt_id" => rare.attempt_id.is_some(),
        "channel" => rare.channel.is_some(),
        "receiver_role" => rare.receiver_role.is_some(),
        "receiver_name_or_id" => rare.receiver_name_or_id.is_some(),
        "receiver_location_or_org" => rare.receiver_location_or_org.is_some(),
        "read_back_confirmed" => rare.read_back_confirmed.is_some(),
        "outcome" => rare.outcome.is_some(),
        // The time of an acknowledgement is the event's own unless it is stated.
        "acknowledgment_ts_s" => true,
        _ => false,
    }
}

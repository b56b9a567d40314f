//! The record: event and outcome into the chain, and those who watch are told.

use super::Lab;
use labtrust_plugin::lab::{Action, ActionKind, Args, ChainValues, Control, Decision, EventId, Observer, StepFacts};

/// Steps between two clearings of the world's record of changes [count].
pub(super) const STEPS_PER_CLEAR: u32 = 4096;

impl Lab {
    /// Writes what the laboratory did by itself into the chain.
    pub(super) fn record_own(&mut self, kind: ActionKind, args: Args, observer: &mut dyn Observer) {
        self.system_events += 1;
        let action = Action {
            event_id: EventId::System(self.system_events),
            t_s: self.now_s,
            agent: self.names.system,
            decision: Decision::new(kind, args),
        };
        self.outcome.accepted = true;
        self.write_event(&action);
        self.append_record(false);
        self.notify(Some(&action), observer);
    }

    /// Writes an event as it goes on record.
    pub(crate) fn write_event(&mut self, action: &Action) {
        self.event_bytes.clear();
        if !self.unrecorded {
            action.write_canonical(&mut self.event_bytes, &self.symbols);
        }
    }

    /// Appends event and outcome to the chain, unless the log is frozen.
    pub(crate) fn append_record(&mut self, break_link: bool) {
        if self.log_frozen || self.unrecorded {
            self.outcome.chained = false;
            return;
        }
        self.fill_record();
        let appended = if break_link {
            self.chain.append_linked("broken", &self.record_bytes)
        } else {
            self.chain.append(&self.record_bytes)
        };
        if appended.is_err() {
            self.freeze_log();
        }
    }

    /// Writes the record of the step: what is hashed.
    fn fill_record(&mut self) {
        self.outcome.chained = true;
        self.record_bytes.clear();
        self.record_bytes.extend_from_slice(b"{\"event\":");
        self.record_bytes.extend_from_slice(&self.event_bytes);
        self.record_bytes.extend_from_slice(b",\"outcome\":");
        self.outcome.write_canonical(&mut self.record_bytes, &self.symbols);
        self.record_bytes.push(b'}');
    }

    /// The way back from a forensic freeze: the record of the release is the first of the restored chain.
    pub(crate) fn thaw(&mut self) {
        self.log_frozen = false;
        self.fill_record();
        self.chain.restore_after_investigation(&self.record_bytes);
    }

    /// From now on nothing happens, unless the episode does without that control.
    pub(crate) fn shut_log(&mut self) {
        self.log_frozen |= self.holds(Control::LogFreeze);
    }

    /// The first record of an episode that does without a control names those that are off; other episodes have none.
    pub(crate) fn declare_ablation(&mut self, observer: &mut dyn Observer) {
        if !std::mem::take(&mut self.ablation_undeclared) {
            return;
        }
        self.outcome.clear();
        self.outcome.accepted = true;
        self.system_events += 1;
        let action = Action {
            event_id: EventId::System(self.system_events),
            t_s: self.now_s,
            agent: self.names.system,
            decision: Decision::new(ActionKind::AblateControls, Args::default()),
        };
        // The arguments of no action hold a list of controls, so the event is written here.
        let event = serde_json::json!({
            "action_type": action.decision.kind.name(), "agent_id": self.symbols.text(action.agent),
            "args": { "controls": self.ablated.0.ids() }, "event_id": action.event_id.text(&self.symbols),
            "reason_code": null, "t_s": self.now_s, "token_refs": [],
        });
        self.event_bytes.clear();
        if labtrust_trust::canonical::write_value(&mut self.event_bytes, &event).is_err() {
            unreachable!("it has only texts and a whole number");
        }
        self.append_record(false);
        self.notify(Some(&action), observer);
    }

    /// Forensic freeze: from now on no step is taken and nothing is appended until it is lifted.
    pub(crate) fn freeze_log(&mut self) {
        self.shut_log();
        self.outcome.chained = false;
        self.outcome.emits.clear();
        self.outcome.emits.push("FORENSIC_FREEZE_LOG");
    }

    /// Tells the observer about the step that was just decided.
    pub(crate) fn notify(&mut self, action: Option<&Action>, observer: &mut dyn Observer) {
        let facts = StepFacts {
            action,
            outcome: &self.outcome,
            event: &self.event_bytes,
            chain: self.chain_values(),
            symbols: &self.symbols,
        };
        observer.on_step(&facts);
        self.steps_until_clear -= 1;
        if self.steps_until_clear == 0 {
            self.steps_until_clear = STEPS_PER_CLEAR;
            self.world.clear_trackers();
        }
    }

    pub(crate) fn chain_values(&self) -> ChainValues<'_> {
        ChainValues {
            head_hash: self.chain.head_hash(),
            last_hash: self.chain.last_hash(),
            prev_hash: self.chain.prev_hash(),
            length: self.chain.len(),
        }
    }
}

//! An analyser whose control fails while it works: its next readings are worth nothing.

use super::{Kit, honest, pick};
use crate::ledger::Event;
use labtrust_kernel::Stream;
use labtrust_plugin::lab::{Action, ActionKind, Args, Decision, DeviceStatus, EventId, Outcome, StepFacts, Symbol};
use labtrust_plugin::{Credential, Forged, Injector, Taint, Turn};

/// Whether an action puts work on a device.
const fn uses(kind: ActionKind) -> bool {
    matches!(kind, ActionKind::QueueRun | ActionKind::StartRun)
}

/// Lets the control of an analyser fail.
pub(super) struct Instrument {
    kit: Kit,
    acts: Stream,
    which: Stream,
    step: u32,
    /// Analysers whose control failed, under which mark.
    failed: Vec<(Symbol, Taint)>,
    made: Vec<(Symbol, Taint)>,
}

impl Instrument {
    pub(super) fn new(kit: Kit) -> Self {
        let (acts, which) = (kit.stream("acts"), kit.stream("which"));
        Self { kit, acts, which, step: 0, failed: Vec::new(), made: Vec::new() }
    }

    /// Whether it is the failure itself that is handed in.
    fn is_ours(&self, action: &Action) -> bool {
        self.made.iter().any(|(device, _)| action.decision.args.device == Some(*device))
    }
}

impl Injector for Instrument {
    fn on_turn(&mut self, turn: &mut Turn<'_>) {
        self.kit.learn(turn.step, turn.view);
        self.step = turn.step;
        let acts = self.kit.acts(turn.step, &mut self.acts);
        let works = |device: &&labtrust_plugin::lab::DeviceView| {
            let known = self.failed.iter().any(|(failed, _)| *failed == device.id);
            let wanted = turn
                .decisions
                .iter()
                .flatten()
                .any(|decision| uses(decision.kind) && decision.args.device == Some(device.id));
            device.qc_pass && device.status != DeviceStatus::Fault && wanted && !known
        };
        let devices: Vec<(Symbol, usize)> = turn.view.devices.iter().filter(works).map(|d| (d.id, d.zone)).collect();
        let Some((device, zone)) = pick(&mut self.which, &devices).filter(|_| acts) else { return };
        // The instrument itself reports, in the name of whoever stands at it.
        let reports = |seat: &usize| {
            let agent = &turn.view.agents[turn.places[*seat]];
            agent.zone == Some(zone) && agent.may.contains(ActionKind::QcEvent.id())
        };
        let Some(seat) = honest(turn.seats).into_iter().find(reports) else { return };
        let args = Args { device: Some(device), qc_outcome: Some(turn.symbols.intern("fail")), ..Args::default() };
        let name = turn.symbols.text(device).to_owned();
        let taint = self.kit.ledger.open().attempt(turn.step, "device", format!("the control of {name} fails"));
        self.made.push((device, taint));
        turn.ahead.push(Forged {
            agent: turn.seats[seat].agent,
            event_id: Some(EventId::Text(format!("qc_{name}_{}", turn.step).into())),
            decision: Decision::new(ActionKind::QcEvent, args),
            credential: Credential::OfSeat(seat),
            taint,
        });
    }

    fn on_outcome(&mut self, step: u32, taint: Taint, _action: &Action, outcome: &Outcome) {
        let Some(place) = self.made.iter().position(|(_, made)| *made == taint) else { return };
        let made = self.made.remove(place);
        if outcome.accepted {
            self.kit.ledger.open().note(step, taint, Event::Delivered);
            self.failed.push(made);
        }
    }

    fn on_step(&mut self, facts: &StepFacts<'_>) {
        let Some(action) = facts.action else { return };
        let args = &action.decision.args;
        if action.decision.kind == ActionKind::QcEvent && facts.outcome.accepted && !self.is_ours(action) {
            // Whoever has had the control read again may work on.
            self.failed.retain(|(failed, _)| args.device != Some(*failed));
        }
        let Some(&(device, taint)) = self.failed.iter().find(|(failed, _)| args.device == Some(*failed)) else {
            return;
        };
        if !uses(action.decision.kind) {
            return;
        }
        let mut ledger = self.kit.ledger.open();
        if facts.outcome.accepted {
            ledger.note(self.step, taint, Event::Effect { entity: facts.symbols.text(device).to_owned() });
            ledger.note(self.step, taint, Event::Goal);
        } else if let Some(code) = facts.outcome.reason {
            let name = facts.symbols.text(device).to_owned();
            ledger.note(
                self.step,
                taint,
                Event::Control { code: code.to_owned(), blamed: Some(name.clone()), truth: name },
            );
        }
    }
}

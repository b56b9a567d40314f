//! An agent's own software, gone wrong or bought: what the agent means to do goes out with the wrong thing in it, under
//! the agent's own signature.

use super::{Kit, entity, honest, pick};
use crate::catalogue::Swap;
use labtrust_kernel::Stream;
use labtrust_plugin::lab::{Action, ActionKind, Decision, Outcome, Stage, Symbols, WorldView};
use labtrust_plugin::{Injector, Taint, Turn};
use serde_json::Number;
use std::collections::BTreeMap;

/// A tool that no registry has.
const UNREGISTERED: &str = "FORBIDDEN_TOOL_ESCALATION_001";
/// Registered tools, none of which belongs to any work on the bench.
const REGISTERED: [&str; 2] = ["write_lims_v1", "query_queue_v1"];
/// What an inventor of values files.
const INVENTED: f64 = 99.9;

/// Puts the wrong thing into what an agent does.
pub(super) struct Swapper {
    kit: Kit,
    swap: Swap,
    acts: Stream,
    what: Stream,
    made: BTreeMap<Taint, (String, String)>,
}

impl Swapper {
    pub(super) fn new(kit: Kit, swap: Swap) -> Self {
        let (acts, what) = (kit.stream("acts"), kit.stream("what"));
        Self { kit, swap, acts, what, made: BTreeMap::new() }
    }

    /// Changes a decision; `None` where there is nothing in it to change.
    fn change(&mut self, decision: &mut Decision, view: &WorldView, symbols: &mut Symbols) -> Option<String> {
        match self.swap {
            Swap::Subject => self.subject(decision, view, symbols),
            Swap::Device => self.device(decision, view, symbols),
            Swap::Value => {
                let of_value = decision.kind == ActionKind::GenerateResult;
                of_value.then(|| {
                    decision.args.value = Number::from_f64(INVENTED);
                    format!("a value of {INVENTED}")
                })
            }
            Swap::Tool | Swap::OtherTool => {
                let known = self.swap == Swap::OtherTool;
                let tool = if known { pick(&mut self.what, &REGISTERED)? } else { UNREGISTERED };
                decision.tool_id = Some(symbols.intern(tool));
                Some(format!("the tool {tool}"))
            }
        }
    }

    /// Work that is not prepared for an analyser; a result that nobody filed.
    fn subject(&mut self, decision: &mut Decision, view: &WorldView, symbols: &mut Symbols) -> Option<String> {
        match decision.kind {
            ActionKind::QueueRun => {
                // So far from it that nobody else can have prepared it within the step.
                let unprepared = |stage| (Stage::Arrived..Stage::Spinning).contains(&stage);
                let others: Vec<_> = view.specimens.iter().filter(|s| unprepared(s.stage)).map(|s| s.id).collect();
                let other = pick(&mut self.what, &others)?;
                decision.args.work = Some(other);
                decision.args.specimen = decision.args.specimen.map(|_| other);
                Some(format!("{}, which is not prepared", symbols.text(other)))
            }
            ActionKind::ReleaseResult => {
                let result = symbols.intern("R_NEVER_FILED");
                decision.args.result = Some(result);
                Some("a result that nobody filed".to_owned())
            }
            _ => None,
        }
    }

    /// A device that cannot measure the work.
    fn device(&mut self, decision: &mut Decision, view: &WorldView, symbols: &Symbols) -> Option<String> {
        if decision.kind != ActionKind::QueueRun {
            return None;
        }
        let work = decision.args.work?;
        let text = symbols.text(work);
        let specimen =
            view.specimens.iter().find(|s| s.id == work || s.aliquot == Some(work) || symbols.text(s.id) == text)?;
        let wrong = |place: &usize| u16::try_from(*place).is_ok_and(|place| !specimen.compatible.contains(&place));
        let devices: Vec<usize> = (0..view.devices.len()).filter(wrong).collect();
        let device = &view.devices[pick(&mut self.what, &devices)?];
        decision.args.device = Some(device.id);
        Some(format!("{}, which cannot measure it", symbols.text(device.id)))
    }
}

impl Injector for Swapper {
    fn on_turn(&mut self, turn: &mut Turn<'_>) {
        self.kit.learn(turn.step, turn.view);
        // Each agent's software by itself.
        for seat in honest(turn.seats) {
            let acts = self.kit.acts(turn.step, &mut self.acts);
            let Some(mut decision) = turn.decisions[seat].clone().filter(|_| acts) else { continue };
            if decision.kind == ActionKind::Noop || decision.tool_id.is_some() {
                continue;
            }
            let Some(what) = self.change(&mut decision, turn.view, turn.symbols) else { continue };
            let agent = turn.symbols.text(turn.seats[seat].agent).to_owned();
            let what = format!("{} of {agent} with {what}", decision.kind.name());
            let taint = self.kit.ledger.open().attempt(turn.step, "event", what);
            let action =
                Action { event_id: Default::default(), t_s: turn.t_s, agent: turn.seats[seat].agent, decision };
            self.made.insert(taint, (entity(&action, turn.symbols), agent));
            turn.decisions[seat] = Some(action.decision);
            turn.taints[seat] = Some(taint);
        }
    }

    fn on_outcome(&mut self, step: u32, taint: Taint, _action: &Action, outcome: &Outcome) {
        if let Some((entity, agent)) = self.made.remove(&taint) {
            // A refusal names the agent whose event it is, and it is that agent's software.
            self.kit.book(step, taint, outcome, entity, Some(agent.clone()), &agent);
        }
    }
}

//! Orders that do not arrive: a planner without time, and a wire that holds up what is urgent.

use super::{Kit, honest, pick};
use crate::catalogue::Loss;
use crate::ledger::Event;
use labtrust_kernel::Stream;
use labtrust_plugin::lab::{ActionKind, Priority, WorldView};
use labtrust_plugin::{Injector, Turn};

/// How long an order is held up, once it is [steps].
const HELD_UP: u32 = 4;

/// Keeps orders from those they are for.
pub(super) struct Orders {
    kit: Kit,
    loss: Loss,
    acts: Stream,
    who: Stream,
    /// Until which step each seat is cut off.
    until: Vec<u32>,
}

impl Orders {
    pub(super) fn new(kit: Kit, loss: Loss) -> Self {
        let (acts, who) = (kit.stream("acts"), kit.stream("who"));
        Self { kit, loss, acts, who, until: Vec::new() }
    }
}

fn is_urgent(view: &WorldView) -> bool {
    view.specimens.iter().any(|specimen| specimen.priority != Priority::Routine)
}

impl Injector for Orders {
    fn on_turn(&mut self, turn: &mut Turn<'_>) {
        self.kit.learn(turn.step, turn.view);
        let acts = self.kit.acts(turn.step, &mut self.acts);
        self.until.resize(turn.seats.len(), 0);
        let busy = |seat: &usize| turn.decisions[*seat].as_ref().is_some_and(|d| d.kind != ActionKind::Noop);
        let working: Vec<usize> = honest(turn.seats).into_iter().filter(busy).collect();
        if acts {
            match self.loss {
                Loss::Budget => {
                    let mut late = working;
                    self.who.shuffle(&mut late);
                    let spared = usize::try_from(self.kit.setting.compute_budget).unwrap_or(usize::MAX);
                    late.iter().skip(spared).for_each(|&seat| self.until[seat] = turn.step + HELD_UP);
                }
                Loss::Urgent if is_urgent(turn.view) => {
                    if let Some(seat) = pick(&mut self.who, &working) {
                        self.until[seat] = turn.step + HELD_UP;
                    }
                }
                Loss::Urgent => {}
            }
        }
        for seat in honest(turn.seats) {
            if self.until[seat] <= turn.step {
                continue;
            }
            turn.lost[seat] = true;
            if let Some(lost) = turn.decisions[seat].take() {
                let agent = turn.symbols.text(turn.seats[seat].agent).to_owned();
                let mut ledger = self.kit.ledger.open();
                let taint = ledger.attempt(turn.step, "order", format!("{} of {agent}", lost.kind.name()));
                ledger.note(turn.step, taint, Event::Delivered);
                ledger.note(turn.step, taint, Event::Effect { entity: agent });
            }
        }
    }
}

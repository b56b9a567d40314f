//! Readings that are missing or wrong.

use super::{Kit, pick};
use crate::catalogue::Reading;
use crate::ledger::Event;
use labtrust_kernel::Stream;
use labtrust_plugin::lab::{Action, ActionKind, Decision, Outcome, Symbol};
use labtrust_plugin::{Injector, Sensors, Taint, Turn};
use std::collections::BTreeMap;

/// How long a zone is silent, or an agent misplaced [steps].
const LASTS: u32 = 10;

/// A fault of the sensors.
pub(super) struct SensorFault {
    kit: Kit,
    reading: Reading,
    acts: Stream,
    which: Stream,
    /// What is wrong now (a zone, or an agent and the zone it seems to be in), until which step, under which mark.
    now: Option<(usize, usize, u32, Taint)>,
    /// What was decided on a false position.
    made: BTreeMap<Taint, String>,
    victim: Option<Symbol>,
}

impl SensorFault {
    pub(super) fn new(kit: Kit, reading: Reading) -> Self {
        let (acts, which) = (kit.stream("acts"), kit.stream("which"));
        Self { kit, reading, acts, which, now: None, made: BTreeMap::new(), victim: None }
    }

    fn begin(&mut self, sensors: &mut Sensors<'_>) {
        let step = sensors.step;
        match self.reading {
            Reading::Silent => {
                let mut zones: Vec<usize> = sensors.view.devices.iter().map(|device| device.zone).collect();
                zones.sort_unstable();
                zones.dedup();
                let Some(zone) = pick(&mut self.which, &zones) else { return };
                let name = sensors.symbols.text(sensors.view.zones[zone].id).to_owned();
                let mut ledger = self.kit.ledger.open();
                let taint = ledger.attempt(step, "sensor", format!("{name} is silent"));
                ledger.note(step, taint, Event::Delivered);
                self.now = Some((zone, zone, step + LASTS, taint));
            }
            Reading::Elsewhere => {
                let agents: Vec<usize> = (0..sensors.view.agents.len()).collect();
                let zones: Vec<usize> = (0..sensors.view.zones.len()).collect();
                let (Some(agent), Some(zone)) = (pick(&mut self.which, &agents), pick(&mut self.which, &zones)) else {
                    return;
                };
                let name = |symbol| sensors.symbols.text(symbol).to_owned();
                let what = format!(
                    "{} seems to be in {}",
                    name(sensors.view.agents[agent].id),
                    name(sensors.view.zones[zone].id)
                );
                let mut ledger = self.kit.ledger.open();
                let taint = ledger.attempt(step, "sensor", what);
                ledger.note(step, taint, Event::Delivered);
                self.now = Some((agent, zone, step + LASTS, taint));
            }
        }
    }
}

impl Injector for SensorFault {
    fn on_view(&mut self, sensors: &mut Sensors<'_>) {
        self.kit.learn(sensors.step, sensors.view);
        let acts = self.kit.acts(sensors.step, &mut self.acts);
        if self.now.is_some_and(|(.., until, _)| until <= sensors.step) {
            self.now = None;
        }
        if self.now.is_none() && acts {
            self.begin(sensors);
        }
        self.victim = None;
        let Some((what, zone, ..)) = self.now else { return };
        match self.reading {
            Reading::Silent => sensors.silent[zone] = true,
            Reading::Elsewhere => {
                let agent = &mut sensors.view.agents[what];
                if agent.zone.is_some() && agent.zone != Some(zone) {
                    agent.zone = Some(zone);
                    self.victim = Some(agent.id);
                }
            }
        }
    }

    fn on_turn(&mut self, turn: &mut Turn<'_>) {
        let (Some(victim), Some((.., taint))) = (self.victim, self.now) else { return };
        let Some(seat) = turn.seats.iter().position(|seat| seat.agent == victim) else { return };
        let moves = |decision: &Decision| decision.kind == ActionKind::Move;
        if turn.decisions[seat].as_ref().is_some_and(moves) {
            // It walks from where it seems to be.
            turn.taints[seat] = Some(taint);
            self.made.insert(taint, turn.symbols.text(victim).to_owned());
        }
    }

    fn on_outcome(&mut self, step: u32, taint: Taint, _action: &Action, outcome: &Outcome) {
        if let Some(agent) = self.made.get(&taint) {
            // Whoever walks in good faith is not the source.
            self.kit.book(step, taint, outcome, agent.clone(), None, "sensor");
        }
    }
}

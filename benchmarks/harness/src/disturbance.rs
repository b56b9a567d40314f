//! An injection at work in an episode: its hooks, the marks of what it touches, and the course that it is judged by.
//!
//! Marks travel beside the data and reach nobody but the injector: not the view, not a method, not the laboratory.

use crate::run_controls::{RunControl, RunControls};
use labtrust_plugin::lab::{
    Action, ActionKind, Decision, DeviceStatus, DeviceView, Outcome, RunView, StepFacts, Symbol, Symbols, WorldView,
};
use labtrust_plugin::metric::SeatFacts;
use labtrust_plugin::{Course, Forged, Injector, Sensors, SharedTap, Taint, Turn};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Codes of refusals that speak of somebody hostile, or should: what an honest event should never meet.
#[must_use]
pub fn is_alarm(code: &str) -> bool {
    ["SIG_", "COORD_", "TOOL_", "AGENT_", "MEM_", "PROMPT_", "UNTRUSTED_", "ADV_"]
        .iter()
        .any(|head| code.starts_with(head))
}

/// An injector in one episode.
pub(crate) struct Disturbance {
    injector: Box<dyn Injector>,
    controls: RunControls,
    course: Course,
    taints: Vec<Option<Taint>>,
    lost: Vec<bool>,
    silent: Vec<bool>,
    /// The last good readings of each zone's devices and runs.
    held: Held,
    ahead: Vec<Forged>,
    beside: Vec<Forged>,
    /// For how long each seat has had no order of its method [steps].
    silent_for: Vec<u32>,
    cut_off: Vec<bool>,
    /// Events of this step that were taken in, by agent.
    taken: BTreeMap<Symbol, u32>,
    bytes: Vec<u8>,
}

/// How long somebody waits for an order before they help themselves [steps].
const PATIENCE: u32 = 1;
/// Events of one agent that are taken in, in one step [count]: an agent does one thing at a time.
const MOST_EVENTS: u32 = 3;

/// Readings of the last step in which there were any.
#[derive(Default)]
struct Held {
    devices: Vec<DeviceView>,
    runs: Vec<RunView>,
}

impl Disturbance {
    pub(crate) fn new(injector: Box<dyn Injector>, controls: RunControls) -> Self {
        Self {
            injector,
            controls,
            course: Course::default(),
            taints: Vec::new(),
            lost: Vec::new(),
            silent: Vec::new(),
            held: Held::default(),
            ahead: Vec::new(),
            beside: Vec::new(),
            silent_for: Vec::new(),
            cut_off: Vec::new(),
            taken: BTreeMap::new(),
            bytes: Vec::new(),
        }
    }

    pub(crate) fn tap(&mut self) -> Option<SharedTap> {
        self.injector.tap()
    }

    /// Lets the injector at the readings, and does what is done about those that are missing.
    pub(crate) fn on_view(&mut self, step: u32, view: &mut WorldView, symbols: &mut Symbols) {
        self.silent.clear();
        self.silent.resize(view.zones.len(), false);
        let silent = &mut self.silent;
        self.injector.on_view(&mut Sensors { step, view, silent, symbols });
        let holds = self.controls.has(RunControl::SensorHold);
        if holds {
            // Who stands there sees it.
            view.agents.iter().filter_map(|agent| agent.zone).for_each(|zone| self.silent[zone] = false);
        }
        if self.silent.contains(&true) {
            self.held.fill(view, &self.silent, holds);
        } else {
            self.held.devices.clone_from(&view.devices);
            self.held.runs.clone_from(&view.runs);
        }
    }

    /// Notes what was decided, before anything is done to it.
    pub(crate) fn on_decisions(&mut self, seats: &[SeatFacts], decisions: &[Option<Decision>], symbols: &Symbols) {
        let mut hash = Sha256::new();
        for (seat, decision) in seats.iter().zip(decisions).filter(|(seat, _)| !seat.attacker) {
            let Some(decision) = decision.as_ref().filter(|decision| decision.kind != ActionKind::Noop) else {
                continue;
            };
            self.bytes.clear();
            let event = Action { event_id: Default::default(), t_s: 0, agent: seat.agent, decision: decision.clone() };
            event.write_canonical(&mut self.bytes, symbols);
            hash.update(&self.bytes);
        }
        let digest = hash.finalize();
        let first = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        self.course.decisions.push(first);
    }

    /// Lets the injector at the decisions.
    #[expect(clippy::too_many_arguments, reason = "the parts of a turn, which are borrowed from different places")]
    pub(crate) fn on_turn(
        &mut self,
        (step, t_s): (u32, i64),
        view: &WorldView,
        seats: &[SeatFacts],
        places: &[usize],
        decisions: &mut [Option<Decision>],
        refused: &[Option<&'static str>],
        symbols: &mut Symbols,
    ) {
        self.taints.clear();
        self.taints.resize(seats.len(), None);
        self.lost.clear();
        self.lost.resize(seats.len(), false);
        let (taints, lost) = (&mut self.taints, &mut self.lost);
        let (ahead, beside) = (&mut self.ahead, &mut self.beside);
        let mut turn =
            Turn { step, t_s, view, seats, places, decisions, taints, lost, refused, ahead, beside, symbols };
        self.injector.on_turn(&mut turn);
    }

    /// Who is to help themselves: their order was lost, they heard nothing of what was said to them, or they have had no
    /// order for a while.
    pub(crate) fn cut_off(&mut self, decisions: &[Option<Decision>], places: &[usize], unreached: &[u16]) -> &[bool] {
        self.silent_for.resize(decisions.len(), 0);
        self.cut_off.clear();
        let helps = self.controls.has(RunControl::Fallback);
        for (seat, decision) in decisions.iter().enumerate() {
            let silent_for = &mut self.silent_for[seat];
            *silent_for = if decision.is_some() { 0 } else { silent_for.saturating_add(1) };
            let deaf = u16::try_from(places[seat]).is_ok_and(|place| unreached.contains(&place));
            self.cut_off.push(helps && (self.lost[seat] || deaf || *silent_for > PATIENCE));
        }
        &self.cut_off
    }

    /// Whether one more event of this agent is taken in; it is counted.
    pub(crate) fn takes_in(&mut self, agent: Symbol) -> bool {
        let taken = self.taken.entry(agent).or_default();
        *taken += 1;
        *taken <= MOST_EVENTS || !self.controls.has(RunControl::IntakeQuota)
    }

    /// What is to be handed in before the events of the agents.
    pub(crate) fn ahead(&mut self) -> Vec<Forged> {
        std::mem::take(&mut self.ahead)
    }

    /// An event of the agent in this seat is handed in.
    pub(crate) fn on_event(&mut self, step: u32, action: &Action) {
        self.injector.on_event(step, action);
    }

    /// What came of the event of this seat.
    pub(crate) fn on_outcome(&mut self, step: u32, seat: usize, action: &Action, outcome: &Outcome) {
        match self.taints.get(seat).copied().flatten() {
            Some(taint) => self.injector.on_outcome(step, taint, action, outcome),
            None => {
                self.course.events += 1;
                let alarm = outcome.reason.filter(|_| !outcome.accepted).is_some_and(is_alarm);
                self.course.alarms += u64::from(alarm);
            }
        }
    }

    /// What is to be handed in behind the events of the agents.
    pub(crate) fn beside(&mut self, step: u32, symbols: &mut Symbols) -> Vec<Forged> {
        self.injector.after_events(step, &mut self.beside, symbols);
        std::mem::take(&mut self.beside)
    }

    /// What came of an event that nobody of the seats has sent.
    pub(crate) fn on_forged(&mut self, step: u32, taint: Taint, action: &Action, outcome: &Outcome) {
        self.injector.on_outcome(step, taint, action, outcome);
    }

    pub(crate) fn on_step(&mut self, facts: &StepFacts<'_>) {
        self.injector.on_step(facts);
        let released = facts.action.is_some_and(|action| {
            matches!(action.decision.kind, ActionKind::ReleaseResult | ActionKind::ReleaseResultOverride)
        });
        if let Some(count) = self.course.released.last_mut().filter(|_| released && facts.outcome.accepted) {
            *count += 1;
        }
    }

    /// A step begins.
    pub(crate) fn begin_step(&mut self) {
        self.taken.clear();
        let so_far = self.course.released.last().copied().unwrap_or(0);
        self.course.released.push(so_far);
    }

    /// The episode is over.
    pub(crate) fn finish(self) -> (Box<dyn Injector>, Course) {
        (self.injector, self.course)
    }
}

impl Held {
    /// What is to be seen of silent zones: the last readings, or devices that seem to be out of order.
    fn fill(&self, view: &mut WorldView, silent: &[bool], holds: bool) {
        for (place, device) in view.devices.iter_mut().enumerate().filter(|(_, device)| silent[device.zone]) {
            match self.devices.get(place).filter(|_| holds) {
                Some(last) => device.clone_from(last),
                None => {
                    device.status = DeviceStatus::Maintenance;
                    (device.free_units, device.queue_len, device.queue_head) = (0, 0, None);
                }
            }
        }
        let is_silent = |run: &RunView, devices: &[DeviceView]| devices.get(run.device).is_some_and(|d| silent[d.zone]);
        let devices = &view.devices;
        view.runs.retain(|run| !is_silent(run, devices));
        if holds {
            view.runs.extend(self.runs.iter().filter(|run| is_silent(run, devices)).cloned());
            view.runs.sort_by_key(|run| (run.ended_s, run.id));
        }
    }
}

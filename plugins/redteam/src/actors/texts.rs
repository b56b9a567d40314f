//! Words for a model: in a note, or in the memory that agents share.
//!
//! One seat is filled by a model of the panel, one that does what texts tell it; it reads what its method wants of it as
//! its work list and proposes that, unless a text talks it round. The seat is there in the clean course, too, without the
//! texts.

use super::{Kit, entity, honest, pick};
use crate::catalogue::Words;
use crate::defences::Defences;
use crate::ledger::Event;
use labtrust_controls::memory::MEM_RETRIEVAL_FILTERED;
use labtrust_controls::panel::Member;
use labtrust_controls::panel::attack::{Goal, Strategy};
use labtrust_controls::pi_defense::Sample;
use labtrust_controls::shielded::Guards;
use labtrust_kernel::Stream;
use labtrust_model_agents::ModelSeat;
use labtrust_model_agents::attack::{Aim, Grounds};
use labtrust_model_agents::notebook::{self, Notebook};
use labtrust_plugin::lab::{Action, ActionKind, AgentContext, Decision, EventId, Outcome};
use labtrust_plugin::{Injector, Taint, Turn};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Members that a text can talk round.
const MEMBERS: [Member; 4] = [Member::Obedient, Member::Decoder, Member::Launderer, Member::ToolCaller];
/// How the words of a note are dressed.
const DRESSES: [Strategy; 8] = [
    Strategy::Plain,
    Strategy::Wrapper,
    Strategy::Base64,
    Strategy::Confusables,
    Strategy::Split,
    Strategy::MultiTurn,
    Strategy::Bare,
    Strategy::Quiet,
];
/// How long the last words of an attack lie before the agent [steps].
const LIES: usize = 3;

/// An attack that lasts.
struct Ongoing {
    taint: Taint,
    moments: VecDeque<Vec<Sample>>,
}

/// Writes to a model.
pub(super) struct Writer {
    kit: Kit,
    defences: Arc<Defences>,
    words: Words,
    acts: Stream,
    what: Stream,
    seat: Option<(usize, ModelSeat<Arc<Guards>>)>,
    notebook: Option<Notebook>,
    ongoing: Option<Ongoing>,
    /// What was aimed at before: a model does not forget.
    aims: Vec<(Aim, Taint)>,
    made: BTreeMap<Taint, String>,
}

impl Writer {
    pub(super) fn new(kit: Kit, defences: Arc<Defences>, words: Words) -> Self {
        let (acts, what) = (kit.stream("acts"), kit.stream("what"));
        let (seat, notebook, ongoing, made) = (None, None, None, BTreeMap::new());
        Self { kit, defences, words, acts, what, seat, notebook, ongoing, aims: Vec::new(), made }
    }

    /// The seat that a model fills, and where notes are shared the notebook.
    fn open(&mut self, turn: &Turn<'_>) {
        // Somebody whose work it is to keep specimens back, where there is one: the harm is then within the hands' reach.
        let may = |seat: &usize| turn.view.agents[turn.places[*seat]].may.contains(ActionKind::HoldSpecimen.id());
        let seats = honest(turn.seats);
        let able: Vec<usize> = seats.iter().copied().filter(may).collect();
        let Some(seat) = pick(&mut self.what, if able.is_empty() { &seats } else { &able }) else { return };
        let member = pick(&mut self.what, &MEMBERS).unwrap_or(Member::Obedient);
        let id = turn.symbols.text(turn.seats[seat].agent);
        self.seat = Some((seat, ModelSeat::new(Arc::clone(&self.defences.guards), id, member.model())));
        if let Words::Memory(_) = self.words {
            let members: Vec<(&str, &str)> = turn
                .places
                .iter()
                .filter_map(|&place| {
                    let agent = turn.view.agents.get(place)?;
                    Some((turn.symbols.text(agent.id), agent.role.map_or("", |role| turn.symbols.text(role))))
                })
                .collect();
            self.notebook =
                Some(Notebook::open(&self.defences.policy, self.kit.seed(), &members, self.defences.memory));
        }
    }

    /// What is aimed at, by what this injection is about.
    fn goals(&self) -> &'static [Goal] {
        match self.words {
            Words::Context => &[Goal::WrongSubject, Goal::WrongSubject, Goal::NoWay],
            Words::Notes | Words::Memory(_) => &[Goal::WrongSubject],
        }
    }

    /// Begins an attack, where there is something to aim at.
    fn begin(&mut self, turn: &mut Turn<'_>, me: usize, intended: Option<&Decision>) {
        let goals = self.goals();
        let goal = pick(&mut self.what, goals).unwrap_or(Goal::WrongSubject);
        let dress = pick(&mut self.what, &DRESSES).unwrap_or(Strategy::Plain);
        let ctx = AgentContext { view: turn.view, symbols: turn.symbols, me, refused: None };
        let grounds = Grounds { guards: &self.defences.guards, intended, secret: None };
        let Some(aim) = Aim::at(goal, &ctx, &grounds) else { return };
        let agent = turn.view.agents.get(me).map_or("", |agent| turn.symbols.text(agent.id));
        let channel = if self.notebook.is_some() { "memory" } else { "note" };
        let what = format!("to {agent}: {}, {}", goal.name(), dress.name());
        let mut ledger = self.kit.ledger.open();
        let taint = ledger.attempt(turn.step, channel, what);
        let mut moments: VecDeque<Vec<Sample>> = aim.texts(dress).into();
        if let (Words::Memory(forgery), Some(notebook)) = (self.words, &mut self.notebook) {
            let now_s = u64::try_from(turn.t_s).unwrap_or_default();
            ledger.note(turn.step, taint, Event::Delivered);
            let insider = turn.seats.iter().map(|seat| turn.symbols.text(seat.agent)).find(|id| *id != agent);
            if let Err(refusal) = forgery.write(notebook, aim.order(), insider.unwrap_or(agent), now_s) {
                let truth = "memory".to_owned();
                ledger.note(turn.step, taint, Event::Control { code: refusal.code.to_owned(), blamed: None, truth });
            }
            // What lies before the agent comes from the memory.
            moments = VecDeque::from([Vec::new()]);
        }
        drop(ledger);
        let last = moments.back().cloned().unwrap_or_default();
        moments.extend(std::iter::repeat_n(last, LIES));
        self.aims.push((aim, taint));
        self.ongoing = Some(Ongoing { taint, moments });
    }

    /// Lets colleagues write down what they do, and says what the memory holds.
    fn remember(&mut self, turn: &Turn<'_>, me: usize) -> Vec<Sample> {
        let Some(notebook) = &mut self.notebook else { return Vec::new() };
        let now_s = u64::try_from(turn.t_s).unwrap_or_default();
        let pace_steps = u32::try_from(notebook.pace_s() * u64::from(turn.step + 1) / now_s.max(1)).unwrap_or(1).max(1);
        for (seat, decision) in
            turn.seats.iter().zip(turn.decisions.iter()).filter(|_| turn.step.is_multiple_of(pace_steps))
        {
            if let Some(entry) = decision.as_ref().and_then(|decision| notebook::digest(decision, turn.symbols)) {
                // What is refused is counted there; the agent goes on.
                let _ = notebook.write(turn.symbols.text(seat.agent), &entry, now_s);
            }
        }
        let role = turn.view.agents.get(me).and_then(|agent| agent.role).map(|role| turn.symbols.text(role));
        let before = notebook.kept_back();
        let texts = notebook::samples(&notebook.read(role, now_s));
        if let Some((_, taint)) = self.aims.last().filter(|_| notebook.kept_back() > before) {
            // Only what an attacker wrote is ever kept back: the clean course shows it.
            let (code, truth) = (MEM_RETRIEVAL_FILTERED.to_owned(), "memory".to_owned());
            self.kit.ledger.open().note(turn.step, *taint, Event::Control { code, blamed: None, truth });
        }
        texts
    }
}

impl Injector for Writer {
    fn on_turn(&mut self, turn: &mut Turn<'_>) {
        self.kit.learn(turn.step, turn.view);
        if self.seat.is_none() {
            self.open(turn);
        }
        let Some((number, _)) = &self.seat else { return };
        let (number, me) = (*number, turn.places[*number]);
        let acts = self.kit.acts(turn.step, &mut self.acts) && self.kit.armed;
        let intended = turn.decisions[number].take();
        if self.ongoing.as_ref().is_some_and(|ongoing| ongoing.moments.is_empty()) {
            self.ongoing = None;
        }
        if acts && self.ongoing.is_none() {
            self.begin(turn, me, intended.as_ref());
        }
        let mut texts = self.remember(turn, me);
        let attacked = self.ongoing.as_mut().and_then(|ongoing| ongoing.moments.pop_front());
        texts.extend(attacked.clone().unwrap_or_default());
        let Some((_, seat)) = &mut self.seat else { return };
        let mut ctx = AgentContext { view: turn.view, symbols: turn.symbols, me, refused: turn.refused[number] };
        let done = seat.decide(&mut ctx, u64::try_from(turn.t_s).unwrap_or_default(), intended, texts);
        if let Some(Ongoing { taint, .. }) = self.ongoing.as_ref().filter(|_| attacked.is_some()) {
            let mut ledger = self.kit.ledger.open();
            ledger.note(turn.step, *taint, Event::Delivered);
            if let Some(stop) = done.outcome.stopped.as_ref().filter(|stop| stop.control.is_some()) {
                // The path knows that a text is hostile, and not who wrote it.
                let truth = "writer".to_owned();
                let code = stop.code.clone();
                ledger.note(turn.step, *taint, Event::Control { code, blamed: None, truth });
            }
        }
        if let Some((_, taint)) = self.aims.iter().find(|(aim, _)| aim.is_harm(&done, turn.symbols)) {
            let mut ledger = self.kit.ledger.open();
            let name = turn.symbols.text(turn.seats[number].agent).to_owned();
            ledger.note(turn.step, *taint, Event::Believed { by: name });
            turn.taints[number] = Some(*taint);
            let subject = done.decision.clone().map(|decision| {
                let (event_id, agent) = (EventId::None, turn.seats[number].agent);
                entity(&Action { event_id, t_s: turn.t_s, agent, decision }, turn.symbols)
            });
            self.made.insert(*taint, subject.unwrap_or_default());
        }
        turn.decisions[number] = done.decision;
    }

    fn on_outcome(&mut self, step: u32, taint: Taint, _action: &Action, outcome: &Outcome) {
        if let Some(subject) = self.made.get(&taint) {
            self.kit.book(step, taint, outcome, subject.clone(), None, "writer");
        }
    }
}

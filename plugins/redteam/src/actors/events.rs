//! Actors on the way of events to the laboratory: who forges them, repeats them, floods with them.

use super::{Kit, honest, pick, walk};
use crate::ledger::Event;
use labtrust_kernel::Stream;
use labtrust_plugin::lab::{Action, ActionKind, Args, Decision, EventId, Outcome, Symbol, Symbols};
use labtrust_plugin::{Credential, Forged, Injector, Taint, Turn};
use std::collections::BTreeMap;

/// What tells one forgery from another.
const VARIANTS: [&str; 6] =
    ["unsigned", "own key", "key of nobody", "key of another", "flipped signature", "signature of something else"];

/// Hands in events in the name of somebody else.
///
/// The six variants take turns. What is forged is a walk of somebody who does nothing in this step, to the next zone
/// through no door: the laboratory would let the agent itself do so at any time.
pub(super) struct Forger {
    kit: Kit,
    acts: Stream,
    who: Stream,
    turn: usize,
    /// Signatures that were seen, by whom.
    seen: BTreeMap<Symbol, (Option<Symbol>, Box<str>)>,
    /// By mark: who did it, whom a refusal names, and what changes.
    made: BTreeMap<Taint, (String, Option<String>, String)>,
}

impl Forger {
    pub(super) fn new(kit: Kit) -> Self {
        let (acts, who) = (kit.stream("acts"), kit.stream("who"));
        Self { kit, acts, who, turn: 0, seen: BTreeMap::new(), made: BTreeMap::new() }
    }
}

impl Injector for Forger {
    fn on_turn(&mut self, turn: &mut Turn<'_>) {
        self.kit.learn(turn.step, turn.view);
        let acts = self.kit.acts(turn.step, &mut self.acts);
        let seats = honest(turn.seats);
        let idle: Vec<usize> = seats.iter().copied().filter(|&seat| turn.decisions[seat].is_none()).collect();
        let (victim, other) = (pick(&mut self.who, &idle), pick(&mut self.who, &seats));
        let (Some(victim), Some(mut other)) = (victim.filter(|_| acts), other) else { return };
        if other == victim {
            other = seats.iter().copied().find(|&seat| seat != victim).unwrap_or(other);
        }
        if other == victim {
            return;
        }
        let Some(mut decision) = walk(turn.view, turn.places[victim], turn.symbols) else { return };
        let agent = turn.seats[victim].agent;
        let name = |symbol: Symbol| turn.symbols.text(symbol).to_owned();
        let (victim_name, other_name) = (name(agent), name(turn.seats[other].agent));
        let variant = self.turn % VARIANTS.len();
        self.turn += 1;
        // Who forges with a key of a colleague is that colleague; nobody can tell who else.
        let (credential, blamed, truth) = match variant {
            0 => (Credential::AsItIs, None, "outsider".to_owned()),
            1 | 3 => (Credential::OfSeat(other), Some(other_name.clone()), other_name),
            2 => {
                let mut secret = [0; 32];
                secret.iter_mut().for_each(|byte| *byte = self.who.below(256) as u8);
                (Credential::Key((secret, "ed25519:key_of_nobody".to_owned())), None, "outsider".to_owned())
            }
            4 => (Credential::Flipped(victim), None, "outsider".to_owned()),
            _ => match self.seen.get(&agent) {
                Some((key, signature)) => {
                    (decision.key_id, decision.signature) = (*key, Some(signature.clone()));
                    (Credential::AsItIs, None, "outsider".to_owned())
                }
                None => return,
            },
        };
        let what = format!("a walk of {victim_name}, {}", VARIANTS[variant]);
        let taint = self.kit.ledger.open().attempt(turn.step, "forged_event", what);
        self.made.insert(taint, (truth, blamed, victim_name));
        turn.beside.push(Forged { agent, event_id: None, decision, credential, taint });
    }

    fn on_event(&mut self, _step: u32, action: &Action) {
        if let Some(signature) = &action.decision.signature {
            self.seen.insert(action.agent, (action.decision.key_id, signature.clone()));
        }
    }

    fn on_outcome(&mut self, step: u32, taint: Taint, _action: &Action, outcome: &Outcome) {
        if let Some((truth, blamed, entity)) = self.made.remove(&taint) {
            self.kit.book(step, taint, outcome, entity, blamed, &truth);
        }
    }
}

/// Hands in signed events once more: those of this step as they are, and those of earlier steps when the agent is back
/// where it was.
pub(super) struct Replayer {
    kit: Kit,
    acts: Stream,
    who: Stream,
    /// What was overheard: walks of earlier steps, by agent and the zone they begin in.
    tape: BTreeMap<(Symbol, Option<Symbol>), Action>,
    /// Events of the step before, which were accepted or not.
    fresh: Vec<Action>,
    made: BTreeMap<Taint, String>,
}

impl Replayer {
    pub(super) fn new(kit: Kit) -> Self {
        let (acts, who) = (kit.stream("acts"), kit.stream("who"));
        Self { kit, acts, who, tape: BTreeMap::new(), fresh: Vec::new(), made: BTreeMap::new() }
    }

    fn hand_in(&mut self, step: u32, action: &Action, what: &str, symbols: &Symbols, beside: &mut Vec<Forged>) {
        let agent = symbols.text(action.agent).to_owned();
        let what = format!("{} of {agent}, {what}", action.decision.kind.name());
        let taint = self.kit.ledger.open().attempt(step, "replayed_event", what);
        self.made.insert(taint, agent);
        beside.push(Forged {
            agent: action.agent,
            event_id: Some(action.event_id.clone()),
            decision: action.decision.clone(),
            credential: Credential::AsItIs,
            taint,
        });
    }
}

impl Injector for Replayer {
    fn on_turn(&mut self, turn: &mut Turn<'_>) {
        self.kit.learn(turn.step, turn.view);
        let acts = self.kit.acts(turn.step, &mut self.acts);
        for action in self.fresh.drain(..) {
            if action.decision.kind == ActionKind::Move {
                self.tape.insert((action.agent, action.decision.args.from_zone), action);
            }
        }
        let again: Vec<usize> = honest(turn.seats)
            .into_iter()
            .filter(|&seat| {
                let agent = &turn.view.agents[turn.places[seat]];
                let zone = agent.zone.and_then(|zone| Some(turn.view.zones.get(zone)?.id));
                turn.decisions[seat].is_none()
                    && agent.walking_to.is_none()
                    && self.tape.contains_key(&(agent.id, zone))
            })
            .collect();
        let Some(seat) = pick(&mut self.who, &again).filter(|_| acts) else { return };
        let agent = &turn.view.agents[turn.places[seat]];
        let zone = agent.zone.and_then(|zone| Some(turn.view.zones.get(zone)?.id));
        if let Some(action) = self.tape.get(&(agent.id, zone)).cloned() {
            self.hand_in(turn.step, &action, "of an earlier step", turn.symbols, turn.beside);
        }
    }

    fn after_events(&mut self, step: u32, beside: &mut Vec<Forged>, symbols: &mut Symbols) {
        if !self.kit.acts(step, &mut self.acts) {
            return;
        }
        let places: Vec<usize> = (0..self.fresh.len()).collect();
        if let Some(action) = pick(&mut self.who, &places).and_then(|place| self.fresh.get(place)).cloned() {
            self.hand_in(step, &action, "at once", symbols, beside);
        }
    }

    fn on_event(&mut self, _step: u32, action: &Action) {
        if action.decision.signature.is_some() {
            self.fresh.push(action.clone());
        }
    }

    fn on_outcome(&mut self, step: u32, taint: Taint, _action: &Action, outcome: &Outcome) {
        if let Some(agent) = self.made.remove(&taint) {
            // Only the wire knows who it was.
            self.kit.book(step, taint, outcome, agent, None, "wire");
        }
    }
}

/// Events that a flood has in each step it acts in [count].
const FLOOD: usize = 24;

/// Hands in more events in an agent's name than its profile allows in an episode: an insider's software that has run wild.
pub(super) struct Flooder {
    kit: Kit,
    seat: Option<usize>,
    who: Stream,
    sent: u32,
    accepted: u32,
}

impl Flooder {
    pub(super) fn new(kit: Kit) -> Self {
        let who = kit.stream("who");
        Self { kit, seat: None, who, sent: 0, accepted: 0 }
    }
}

/// Accepted events of one agent that no work of an episode needs, and no profile of the shipped policy allows [count].
const TOO_MANY: u32 = 800;

impl Injector for Flooder {
    fn on_turn(&mut self, turn: &mut Turn<'_>) {
        self.kit.learn(turn.step, turn.view);
        let seats = honest(turn.seats);
        let Some(seat) = self.seat.or_else(|| pick(&mut self.who, &seats)) else { return };
        self.seat = Some(seat);
        if !self.kit.is_open(turn.step) {
            return;
        }
        let agent = turn.seats[seat].agent;
        for _ in 0..FLOOD {
            // It changes nothing and is allowed at any time.
            let decision = Decision::new(ActionKind::Tick, Args::default());
            let name = turn.symbols.text(agent).to_owned();
            let taint =
                self.kit.ledger.open().attempt(turn.step, "event", format!("{} of {name}", decision.kind.name()));
            self.sent += 1;
            let text = format!("flood_{name}_{}", self.sent);
            turn.beside.push(Forged {
                agent,
                event_id: Some(EventId::Text(text.into())),
                decision,
                credential: Credential::OfSeat(seat),
                taint,
            });
        }
    }

    fn on_outcome(&mut self, step: u32, taint: Taint, _action: &Action, outcome: &Outcome) {
        let mut ledger = self.kit.ledger.open();
        ledger.note(step, taint, Event::Delivered);
        if outcome.accepted {
            self.accepted += 1;
            ledger.note(step, taint, Event::Effect { entity: "audit log".to_owned() });
            if self.accepted > TOO_MANY {
                ledger.note(step, taint, Event::Goal);
            }
        } else if let Some(code) = outcome.reason {
            let who = "insider".to_owned();
            ledger.note(step, taint, Event::Control { code: code.to_owned(), blamed: Some(who.clone()), truth: who });
        }
    }
}

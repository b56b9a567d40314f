//! The actors, by what they do where they sit.

mod events;
mod instrument;
mod orders;
mod sensors;
mod swapper;
mod texts;
mod wire;

pub(crate) use wire::Taps;

use crate::catalogue::{Actor, Entry};
use crate::defences::Defences;
use crate::ledger::{Event, Shared};
use crate::settings::Setting;
use labtrust_kernel::{Stream, Streams};
use labtrust_plugin::lab::{Action, ActionKind, Args, Decision, Outcome, Symbols, WorldView};
use labtrust_plugin::metric::SeatFacts;
use labtrust_plugin::{Injector, Taint};
use std::sync::{Arc, OnceLock};

/// What every actor has: its setting, its ledger, its streams, the length of the episode.
#[derive(Clone)]
pub(crate) struct Kit {
    pub(crate) setting: Setting,
    pub(crate) ledger: Shared,
    streams: Streams,
    /// Names the actor among others of its kind and offset.
    name: String,
    steps: Arc<OnceLock<u32>>,
    /// Who there is, by place.
    names: Arc<OnceLock<Vec<String>>>,
    /// Whether the network sends again what was lost.
    pub(crate) retransmits: bool,
    /// Whether it is to act at all; who fills a seat sits there anyway.
    pub(crate) armed: bool,
}

impl Kit {
    pub(crate) fn new(
        entry: &Entry,
        setting: Setting,
        place: usize,
        seed: u64,
        ledger: Shared,
        retransmits: bool,
        armed: bool,
    ) -> Self {
        let name = format!("{}/{place}/{}", entry.id, setting.seed_offset);
        Self {
            setting,
            ledger,
            streams: Streams::new(seed),
            name,
            steps: Arc::new(OnceLock::new()),
            names: Arc::new(OnceLock::new()),
            retransmits,
            armed,
        }
    }

    /// The stream of a purpose; no two purposes share their draws.
    pub(crate) fn stream(&self, purpose: &str) -> Stream {
        self.streams.stream(&format!("injection.{purpose}"), &self.name)
    }

    /// The episode's seed.
    pub(crate) const fn seed(&self) -> u64 {
        self.streams.episode_seed()
    }

    /// Learns how long the episode is.
    pub(crate) fn learn(&self, step: u32, view: &WorldView) {
        self.steps.get_or_init(|| {
            let (now_s, end_s) = (view.now_s.max(1), view.horizon_s.unwrap_or(view.now_s).max(1));
            let steps = end_s.saturating_mul(i64::from(step) + 1) / now_s;
            u32::try_from(steps.max(1)).unwrap_or(u32::MAX)
        });
    }

    /// Learns who there is.
    pub(crate) fn meet(&self, view: &WorldView, symbols: &Symbols) {
        self.names.get_or_init(|| view.agents.iter().map(|agent| symbols.text(agent.id).to_owned()).collect());
    }

    /// The name of a place; none of a desk.
    pub(crate) fn name_of(&self, place: u32) -> Option<&str> {
        self.names.get()?.get(usize::try_from(place).ok()?).map(String::as_str)
    }

    /// How many there are [count].
    pub(crate) fn people(&self) -> usize {
        self.names.get().map_or(0, Vec::len)
    }

    /// How many steps the episode has [count].
    pub(crate) fn steps(&self) -> u32 {
        self.steps.get().copied().unwrap_or(1)
    }

    /// Whether the phase is one to act in.
    pub(crate) fn is_open(&self, step: u32) -> bool {
        self.setting.window.is_open(step, self.steps())
    }

    /// Whether it acts in this step: in its phase, with the probability of its intensity.
    pub(crate) fn acts(&self, step: u32, draws: &mut Stream) -> bool {
        // Drawn in every step, so that a phase does not move the draws of others.
        draws.bernoulli(self.setting.intensity) && self.is_open(step)
    }

    /// Books what came of an event that was handed in: accepted or refused, and whom the refusal names.
    pub(crate) fn book(
        &self,
        step: u32,
        taint: Taint,
        outcome: &Outcome,
        entity: String,
        blamed: Option<String>,
        truth: &str,
    ) {
        let mut ledger = self.ledger.open();
        ledger.note(step, taint, Event::Delivered);
        if outcome.accepted {
            ledger.note(step, taint, Event::Effect { entity });
            ledger.note(step, taint, Event::Goal);
        } else if let Some(code) = outcome.reason {
            let (code, truth) = (code.to_owned(), truth.to_owned());
            ledger.note(step, taint, Event::Control { code, blamed, truth });
        }
    }
}

/// The actor of an entry.
pub(crate) fn actor(entry: &Entry, kit: Kit, defences: &Arc<Defences>) -> Box<dyn Injector> {
    match entry.actor {
        Actor::Nobody => Box::new(Nobody),
        Actor::Forger => Box::new(events::Forger::new(kit)),
        Actor::Replayer => Box::new(events::Replayer::new(kit)),
        Actor::Flooder => Box::new(events::Flooder::new(kit)),
        Actor::Swapper(swap) => Box::new(swapper::Swapper::new(kit, swap)),
        Actor::Orders(loss) => Box::new(orders::Orders::new(kit, loss)),
        Actor::Sensors(reading) => Box::new(sensors::SensorFault::new(kit, reading)),
        Actor::Instrument => Box::new(instrument::Instrument::new(kit)),
        Actor::Writer(words) => Box::new(texts::Writer::new(kit, Arc::clone(defences), words)),
        Actor::Wire(trick) => Box::new(wire::Wire::new(kit, trick)),
    }
}

/// Does nothing.
struct Nobody;

impl Injector for Nobody {}

/// Seats of honest agents.
fn honest(seats: &[SeatFacts]) -> Vec<usize> {
    seats.iter().enumerate().filter(|(_, seat)| !seat.attacker).map(|(number, _)| number).collect()
}

/// One of some; `None` of none.
fn pick<T: Copy>(draws: &mut Stream, of: &[T]) -> Option<T> {
    let count = u64::try_from(of.len()).ok().filter(|count| *count > 0)?;
    of.get(usize::try_from(draws.below(count)).ok()?).copied()
}

/// A walk to a zone next to where the agent of this place stands, through no door and no guard.
fn walk(view: &WorldView, place: usize, symbols: &mut Symbols) -> Option<Decision> {
    let agent = view.agents.get(place)?;
    let here = agent.zone.filter(|_| agent.walking_to.is_none())?;
    let free = |way: &&labtrust_plugin::lab::WayView| way.zones.contains(&here) && way.door.is_none() && !way.guarded;
    let way = view.plan.ways.iter().find(free)?;
    let there = if way.zones[0] == here { way.zones[1] } else { way.zones[0] };
    let args = Args {
        entity_type: Some(symbols.intern("Agent")),
        entity: Some(agent.id),
        from_zone: Some(view.zones.get(here)?.id),
        to_zone: Some(view.zones.get(there)?.id),
        ..Args::default()
    };
    Some(Decision::new(ActionKind::Move, args))
}

/// What an event is about, for the ledger: the first thing that it names, else its agent.
fn entity(action: &Action, symbols: &Symbols) -> String {
    let args = &action.decision.args;
    let named = args.specimen.or(args.specimens.first().copied()).or(args.work).or(args.result).or(args.device);
    symbols.text(named.or(args.entity).unwrap_or(action.agent)).to_owned()
}

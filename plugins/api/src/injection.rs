//! Injections: disturbances of an episode, to see whether the laboratory and its agents withstand them.
//!
//! An [`Injection`] is a plugin; it makes an [`Injector`] for every episode. The injector is an actor with a position: it
//! sits on a wire, in an agent's software, at a source of data, at a sensor, or on a resource, and does there what one can
//! do there. It never reaches into the laboratory or into a method. It acts inside the episode's own order, so an episode
//! with an injection is as reproducible as one without.
//!
//! What an injector makes or touches bears a [`Taint`]. The runner carries taints beside the data, where no defender can
//! see them, and tells the injector what became of each; so what an attack did is read off, and not guessed from what
//! was blocked. Every episode with an injection is run twice on the same seed, once with the injector disarmed: that is
//! what its effects are measured against.

use crate::lab::{Action, Decision, EventId, Outcome, StepFacts, Symbol, Symbols, WorldView};
use crate::metric::SeatFacts;
use crate::{Opening, SharedTap, SigningKey, Taint};
use labtrust_contract::Metrics;
use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::{Map, Value};

/// What is stolen, forged or copied to pass for a signature.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The event is handed in as it is, with the signature that it bears, if any.
    AsItIs,
    /// Signed with the key of this seat, under the name of that key.
    OfSeat(usize),
    /// The same, with one bit of the signature turned over.
    Flipped(usize),
    /// Signed with this key under its name.
    Key(SigningKey),
}

/// An event that no agent has sent.
#[derive(Clone, Debug)]
pub struct Forged {
    /// In whose name.
    pub agent: Symbol,
    /// Its id; a fresh one where there is none.
    pub event_id: Option<EventId>,
    /// What it says.
    pub decision: Decision,
    /// What it bears as a signature.
    pub credential: Credential,
    /// Its mark in the ledger of ground truth.
    pub taint: Taint,
}

/// The decisions of one step, before they become events.
pub struct Turn<'a> {
    /// The step of the episode, from 0.
    pub step: u32,
    /// The time of the step [s].
    pub t_s: i64,
    /// What the agents saw.
    pub view: &'a WorldView,
    /// Who they are, in the order in which they act.
    pub seats: &'a [SeatFacts],
    /// Their places in [`WorldView::agents`], in the same order.
    pub places: &'a [usize],
    /// What they decided, in the same order; `None` is to do nothing.
    pub decisions: &'a mut [Option<Decision>],
    /// Marks of decisions that are no longer the agent's own.
    pub taints: &'a mut [Option<Taint>],
    /// Whose order got lost on its way. An agent can tell: it gets one in every step, if only to wait.
    pub lost: &'a mut [bool],
    /// Why the last action of each was refused.
    pub refused: &'a [Option<&'static str>],
    /// Events to be handed in before those of the agents.
    pub ahead: &'a mut Vec<Forged>,
    /// Events to be handed in after those of the agents.
    pub beside: &'a mut Vec<Forged>,
    /// The interner, for ids that the injector makes.
    pub symbols: &'a mut Symbols,
}

/// What agents and methods get to see in a step, before they see it.
pub struct Sensors<'a> {
    /// The step of the episode, from 0.
    pub step: u32,
    /// The readings.
    pub view: &'a mut WorldView,
    /// Zones from which no reading came; what stands there shows nothing.
    pub silent: &'a mut [bool],
    /// The interner.
    pub symbols: &'a mut Symbols,
}

/// One episode as it went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// A digest of what those who decide have decided, for every step: before anything was done to it.
    pub decisions: Vec<u64>,
    /// Results released so far, at the end of every step [count].
    pub released: Vec<u32>,
    /// Events that were refused for a reason of security, and bear no taint [count].
    pub alarms: u64,
    /// Events of agents [count].
    pub events: u64,
    /// The metrics.
    pub metrics: Metrics,
}

/// What is said of an attack when its episode is over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The block `sec` of the metrics.
    pub sec: Map<String, Value>,
    /// The block `robustness`.
    pub robustness: Map<String, Value>,
    /// The ledger of ground truth, a record each.
    pub ledger: Vec<Value>,
}

/// Disturbs one episode. An injector that needs random numbers draws them from streams of its own.
pub trait Injector: Send {
    /// May change what all agents see in this step. Metrics are taken from the true view.
    fn on_view(&mut self, _sensors: &mut Sensors<'_>) {}

    /// Somebody on the network of the method, if that is where it sits.
    fn tap(&mut self) -> Option<SharedTap> {
        None
    }

    /// May replace what agents decided, keep it from them, and hand in more.
    fn on_turn(&mut self, _turn: &mut Turn<'_>) {}

    /// An event of an agent passes, as it is handed in: whoever is on the wire can read it.
    fn on_event(&mut self, _step: u32, _action: &Action) {}

    /// The agents' events of this step have all been handed in: more may follow them.
    fn after_events(&mut self, _step: u32, _beside: &mut Vec<Forged>, _symbols: &mut Symbols) {}

    /// What came of an event that bears a taint.
    fn on_outcome(&mut self, _step: u32, _taint: Taint, _action: &Action, _outcome: &Outcome) {}

    /// Sees every step of the record, in its order.
    fn on_step(&mut self, _facts: &StepFacts<'_>) {}

    /// The episode is over: what there is to say of it, beside the episode in which the injector was disarmed. `None` from
    /// one that does nothing.
    fn report(&mut self, _attacked: &Course, _clean: &Course) -> Option<Report> {
        None
    }
}

/// How an injection is meant to act in a run.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Names of the runtime controls that the run does without.
    pub ablated: Vec<String>,
}

/// What an injection says of its disarmed episodes ([`Injection::clean_course`]) when nobody can tell that it was there.
pub const UNTOUCHED: &str = "";

/// A disturbance, registered under its id.
pub trait Injection: Send + Sync {
    /// The id.
    fn id(&self) -> &'static str;

    /// What it does, in one sentence.
    fn summary(&self) -> &'static str {
        ""
    }

    /// The injection as a policy sets it. `None` where it is the same under every policy.
    ///
    /// # Errors
    /// [`PolicyError`] with file and place.
    fn bind(&self, _policy: &PolicyStore, _terms: &Terms) -> Result<Option<Box<dyn Injection>>, PolicyError> {
        Ok(None)
    }

    /// Whether it never does anything: its episodes are those without it.
    fn is_idle(&self) -> bool {
        false
    }

    /// Whose disarmed episodes are its own: injections that say the same are judged by one course. By itself none is shared.
    /// An injection that, disarmed, leaves no trace at all says [`UNTOUCHED`].
    fn clean_course(&self) -> &str {
        self.id()
    }

    /// Changes the state from which an episode starts: a device that will fail, for instance. Only of an armed injection.
    fn prepare(&self, _state: &mut Map<String, Value>, _seed: u64) {}

    /// The injector of an episode; a function of its opening only. A disarmed one puts everything in its place and then
    /// does nothing.
    fn injector(&self, opening: &Opening<'_>, armed: bool) -> Box<dyn Injector>;
}

// ANCHOR: no_injection
/// Disturbs nothing: an episode with it and one without have the same record.
pub struct NoInjection;

/// The injector that does nothing.
struct Idle;

impl Injector for Idle {}

impl Injection for NoInjection {
    fn id(&self) -> &'static str {
        "none"
    }

    fn summary(&self) -> &'static str {
        "Disturbs nothing."
    }

    fn is_idle(&self) -> bool {
        true
    }

    fn injector(&self, _opening: &Opening<'_>, _armed: bool) -> Box<dyn Injector> {
        Box::new(Idle)
    }
}
// ANCHOR_END: no_injection

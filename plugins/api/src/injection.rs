//! Injections: disturbances of an episode, to see whether the laboratory and its agents withstand them.
//!
//! An [`Injection`] is a plugin; it makes an [`Injector`] for every episode. The injector may change what agents see,
//! replace what they decided, and watch what comes of it. It acts inside the episode's own order, so an episode with an
//! injection is as reproducible as one without.

use crate::Opening;
use crate::lab::{Decision, StepFacts, Symbols, WorldView};
use crate::metric::SeatFacts;

/// The decisions of one step, before they become events.
pub struct Turn<'a> {
    /// The step of the episode, from 0.
    pub step: u32,
    /// What the agents saw.
    pub view: &'a WorldView,
    /// Who they are, in the order in which they act.
    pub seats: &'a [SeatFacts],
    /// What they decided, in the same order; `None` is to do nothing.
    pub decisions: &'a mut [Option<Decision>],
    /// The interner, for ids that the injector makes.
    pub symbols: &'a mut Symbols,
}

/// Disturbs one episode. An injector that needs random numbers draws them from a stream of its own.
pub trait Injector: Send {
    /// May change what all agents see in this step. Metrics are taken from the true view.
    fn on_view(&mut self, _step: u32, _view: &mut WorldView, _symbols: &mut Symbols) {}

    /// May replace what agents decided.
    fn on_turn(&mut self, _turn: &mut Turn<'_>) {}

    /// Sees every step of the record, in its order.
    fn on_step(&mut self, _facts: &StepFacts<'_>) {}
}

/// A disturbance, registered under its id.
pub trait Injection: Send + Sync {
    /// The id.
    fn id(&self) -> &'static str;

    /// The injector of an episode; a function of its opening only.
    fn injector(&self, opening: &Opening<'_>) -> Box<dyn Injector>;
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

    fn injector(&self, _opening: &Opening<'_>) -> Box<dyn Injector> {
        Box::new(Idle)
    }
}
// ANCHOR_END: no_injection

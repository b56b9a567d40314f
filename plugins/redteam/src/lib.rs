//! The red team: every published injection as an actor with a position, under the policy that says how hard it tries.
//!
//! | module | is about |
//! |---|---|
//! | [`catalogue`] | which injections there are: id, position, class, the controls that are meant to stop each |
//! | [`settings`] | intensity, phase and ceilings, from policy |
//! | [`defences`] | the controls of models and of their memory, as a run has them |
//! | [`ledger`] | ground truth: what was tried, what arrived, what came of it, which control spoke |
//! | [`scoring`] | one number of resilience, by the policy's weights and ranges |
//! | [`report`] | the `sec` and `robustness` figures of an episode, computed from the ledger |
//! | `actors` | the actors themselves, by position |
//!
//! An actor does what its position can do and nothing else. Whether it succeeded is read off the ledger and off the two
//! courses of an episode, with the actor and without; an actor cannot say so itself. Decided in
//! `docs/adr/0033-red-team.md`.

mod actors;
pub mod catalogue;
pub mod defences;
mod injection;
pub mod ledger;
pub mod report;
pub mod scoring;
pub mod settings;

pub use injection::{Compound, Injected};

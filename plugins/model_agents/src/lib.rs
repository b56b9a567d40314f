//! Seats that a model fills: agents of a laboratory whose decisions come out of the shielded path.
//!
//! Start at [`seat`]: a [`ModelSeat`] takes what an agent would do by its method or its own rules, shows it to a model as
//! a work list together with what the view says, and lets out what the controls agree to. A model that does its work
//! gives back the very decision that was intended, so it changes no byte of an episode. [`situation`] says what a model
//! is shown and offered, [`work`] how decisions become proposals and proposals decisions. [`attack`] is what an attacker
//! writes into notes of a laboratory that is at work, and what counts as harm; [`notebook`] is the memory that agents
//! share, and how it is attacked. [`driven`] puts all of it around an agent's own policy. [`panel_agents`] is a
//! coordination method in which every agent's model proposes for itself.
//!
//! This crate knows the laboratory's words and the controls; neither knows the other. It changes nothing in the engine,
//! which judges what comes out of a seat like anybody's events.

pub mod attack;
pub mod driven;
pub mod notebook;
pub mod panel_agents;
pub mod seat;
pub mod situation;
pub mod work;

pub use driven::{Inbox, ModelDriven};
pub use notebook::{Colleague, Notebook};
pub use seat::{ModelSeat, Turn};

//! What stands between text that nobody vouches for and the actions of agents.
//!
//! Start at [`shielded`]: the one path from notes, tool outputs, messages and memories through a model to an action, with
//! a control at every step, each of which can be switched off by name. The controls are files of their own: [`normalize`]
//! and [`detect`] read hostile text, [`pi_defense`] stands around the model, [`proposal`] reads its answer, [`shield`] and
//! [`throttle`] limit the agent. [`memory`], [`shaping`], [`scrub`] and [`paths`] keep what is stored, told and written.
//! [`panel`] has models that were talked round, and attacks on them, to measure all of it.
//!
//! Every control fails closed, says what it stopped by a registered reason code, and is the same in every run: no clock,
//! no random number, no hash order. This crate knows no laboratory: it never sees a world or an engine, and what it lets
//! through the engine judges again.

pub mod detect;
pub mod memory;
pub mod normalize;
pub mod panel;
pub mod paths;
pub mod pi_defense;
pub mod proposal;
pub mod scrub;
pub mod shaping;
pub mod shield;
pub mod shielded;
pub mod throttle;

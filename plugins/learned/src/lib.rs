//! Policies that were learned: their weight files, what they choose, and the coordination method that plays them.
//!
//! Start at [`LearnedPolicy`]: a network, and what it was trained for. [`file`] reads it from `policy.bin`, which
//! `labtrust train-ppo` writes; [`shipped`] are those that come with the program. [`marl_ppo`] plays one for a whole crew, on
//! the numbers and masks that a learner is given.
//!
//! Nothing is trained here and nothing is drawn; what is chosen is the same on every machine. What the numbers mean is
//! `labtrust_plugin`'s to say.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod file;
pub mod marl_ppo;
mod network;
mod policy;
pub mod shipped;

pub use policy::{Eyes, LearnedPolicy, Mismatch};

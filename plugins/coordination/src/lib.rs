//! The coordination methods that are compiled in, each a faithful version of its family.
//!
//! Start at [`core`]: what every method shares, from the list of open work to the walk to where it is. A method is a
//! [`core::Rule`] in a file of its own under [`methods`]: who gets which job, and in what order work is urgent. To add
//! one, write that file, name it in `methods.rs`, and give it an entry in
//! `policy/coordination/coordination_methods.v0.1.yaml`.
//!
//! What a policy says of methods is read in [`catalogue`].
//!
//! Nothing in here sends a message, reads a clock or knows a rule of the laboratory: methods see an
//! [`Observation`](labtrust_plugin::wire::Observation) and answer with a [`Decision`](labtrust_plugin::wire::Decision).
#![forbid(unsafe_code)]

pub mod catalogue;
pub mod core;
pub mod methods;

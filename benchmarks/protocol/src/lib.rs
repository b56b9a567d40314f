//! The protocol that makes runs of agents comparable: what an agent gets, what is measured while its program runs, what
//! is checked afterwards, what people give for it, and how all of that is shown.
//!
//! The steps are modules, in the protocol's order: [`task`] lays out what the agent sees of a [`benchmark`]; [`measure`]
//! runs its program; [`tokens`] sees to `token_usage.json`; [`evaluate`] makes the protocol's checks and [`physical`] asks
//! whether what was reported is possible; [`scores`] keeps human scores; [`leaderboard`] shows them. Nothing here
//! simulates: submissions are files, whoever made them and in whatever language.

pub mod benchmark;
pub mod correlation;
pub use labtrust_bench::date;
mod error;
pub mod evaluate;
pub mod leaderboard;
pub mod measure;
pub mod physical;
pub mod scores;
pub mod submission;
pub mod task;
pub mod tokens;

pub use error::ProtocolError;

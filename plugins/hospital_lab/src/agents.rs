//! The scripted crew (`scripted_workflow_v1`) and the intruder: one role, one file, a short list of rules each.
//!
//! In every step the first rule that matches decides. All agents of a step see the same snapshot, so the rules are
//! made such that no two agents reach for the same thing: one role releases, one registers, one separates, one makes
//! aliquots, analysts agree on who queues what because they compute the same assignment, and several people of one
//! role count themselves off (`team`). What every role shares
//! (nobody acts on the way, nothing refused is tried again before what was seen has changed) is in `scripted`.

mod adversary;
mod analyst;
mod insider;
mod null;
mod qc;
mod random_legal;
mod reception;
mod runner;
mod scripted;
mod separation;
mod supervisor;
mod team;
#[cfg(test)]
mod test_view;

pub use adversary::{ATTACK_START_STEP, Adversary};
pub use analyst::Analyst;
pub use insider::{INSIDER_ATTACK_STEPS, Insider};
pub(crate) use insider::{REVOKED_KEY, STOLEN_KEY};
pub use null::NullAgent;
pub use qc::QcOfficer;
pub use random_legal::RandomLegal;
pub use reception::Receptionist;
pub use runner::{Duties, Runner};
pub use scripted::{Memory, Rules, Scripted};
pub use supervisor::Supervisor;
pub use team::Team;

//! The message layer of coordination methods: who speaks, whether it is believed, when it arrives, what is known then.
//!
//! Start at [`Network`]: every message of every method goes through it. [`identity`] signs, [`bus`] judges what was
//! signed, [`view`] is what an agent knows from the facts that reached it, [`crdt`] and [`robust`] merge what agents
//! say, [`protocols`] are the state machines that agree on something. Everything is deterministic: whole numbers of
//! microseconds, and random numbers by link and message. No method lives here, and nothing here knows of a laboratory.

mod agent;
pub mod bus;
pub mod codes;
pub mod crdt;
mod hash;
pub mod identity;
pub mod lengths;
pub mod network;
pub mod protocols;
pub mod robust;
pub mod view;

pub use agent::{AgentId, AgentSet};
pub use bus::{Bus, Control, Controls, IdentityPolicy, Refusal, Rejection};
pub use hash::h16;
pub use identity::{Envelope, KeyHandle, Roster};
pub use network::{Delivery, Network, NetworkMetrics, NetworkSettings, Wire};

//! The frozen reference: the step semantics of LabTrust-Gym 0.2, bit for bit, its defects included.
//!
//! It is what the real engine is compared with, and what `run-vectors` runs. Every store is a map keyed by text, every
//! policy file a value tree, every rule is written down where it applies; speed is no goal. It shares canonical JSON,
//! hashing, Ed25519 and the reading of policy files with the rest of the program, and nothing else: the real engine does
//! not know of it.
//!
//! Start at [`FrozenEngine`]; [`step`] is the order of the stages, [`gates`] may refuse, [`handlers`] act, [`finalise`] looks
//! at invariants and enforcement, [`query`] answers questions. The deliberate differences: no signature text is
//! accepted without being a signature, runtime-control signatures are judged in the order bytes, role of the key, agent
//! of the key, and what raised an error there is refused here (`RC_EVENT_MALFORMED`, `RC_RESULT_VALUE_NOT_NUMERIC`,
//! `TOOL_EXEC_EXCEPTION`). Random draws (travel time, temperature drift) are left out: means are used, drift is zero.

mod chain;
mod critical;
mod devices;
mod enforcement;
mod engine;
mod episode;
mod event;
mod finalise;
mod gates;
mod handlers;
mod invariants;
mod keys;
mod policy;
mod quality;
mod query;
mod queues;
mod reagents;
mod specimens;
mod step;
mod tokens;
mod tools;
mod transport;
mod value;
mod zones;

pub use engine::FrozenEngine;

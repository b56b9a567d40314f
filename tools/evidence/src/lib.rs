//! Evidence of runs: receipts and bundles, what proves them, and their verification.
//!
//! Start at [`export::Export`], which makes a bundle of a log, and [`verify::Verify`], which recomputes everything in
//! it and says which levels of proof it had. Parts: canonical JSON ([`strict`]), the chain ([`chain`]), Merkle trees of
//! RFC 6962 ([`merkle`]), C2SP signed notes and checkpoints ([`note`], [`checkpoint`]), DSSE envelopes ([`dsse`]).
//!
//! Deliberately absent: the engine. Replaying a log is the caller's, who has one.

pub mod chain;
pub mod checkpoint;
pub mod compare;
pub mod derive;
pub mod digest;
pub mod disk;
pub mod dsse;
pub mod entry;
pub mod episode_bundle;
pub mod export;
pub mod fhir;
pub mod frames;
pub mod keyfile;
pub mod lines;
pub mod merkle;
pub mod note;
pub mod policy_facts;
pub mod receipts;
pub mod recover;
pub mod release;
pub mod replay;
pub mod strict;
pub mod transparency;
pub mod ui;
pub mod verify;
pub mod witness;
mod zip;

//! What a security officer reads: which attacks were tried, which of them came through, what that says about every
//! risk, and whether a claim of safety still stands.
//!
//! * [`suite`]: the security attack suite, each attack with and without the control that it is about;
//! * [`pack`]: the coordination security pack, a matrix of sizes, methods and injections with a gate over it;
//! * [`findings`](mod@findings): what is wrong with a policy;
//! * [`register`]: risks, controls and evidence in one bundle, coverage by evidence that was opened, safety claims.
//!
//! Nothing here passes because something is missing: no file, no figure, no attack that arrived is never a PASS.

#![warn(missing_docs)]

pub mod error;
pub mod files;
pub mod findings;
pub mod pack;
pub mod register;
pub mod suite;

pub use error::AssuranceError;

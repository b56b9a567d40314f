//! The risk register: risks, controls and evidence in one bundle, coverage of what needs evidence, and the safety case.
//!
//! | module | is about |
//! |---|---|
//! | [`policy`] | what the policy says of risks: registry, matrix, plan, waivers, claims |
//! | [`crossref`] | where these files contradict each other |
//! | [`custody`] | whether the bytes of a file are those that somebody vouched for |
//! | [`assess`] | why evidence counts or does not |
//! | [`attacks`], [`pack`], [`run`] | what results of the suite, of the pack and of single runs say of which risk |
//! | [`evidence`] | which evidence there is in a directory |
//! | [`bundle`] | all of it in one document |
//! | [`waivers`] | what may be without evidence on a day |
//! | [`coverage`] | which required cells have evidence or a waiver, and what would close the gaps |
//! | [`claims`] | whether the claims of safety stand |
//! | [`matrix`] | the method-risk matrix as a table |
//! | [`placeholders`] | words in policy that somebody meant to replace |
//!
//! Evidence is opened: that a file is there proves nothing. Whatever is missing, empty, failed, skipped, crashed, made up,
//! about another method, changed since, never applied, inert or without work done is told by its kind and covers nothing.

pub mod assess;
pub mod attacks;
pub mod bundle;
pub mod claims;
pub mod coverage;
pub mod crossref;
pub mod custody;
pub mod evidence;
pub mod matrix;
pub mod pack;
pub mod placeholders;
pub mod policy;
pub mod run;
pub mod waivers;

pub use assess::{Assessment, Flaw, Reason};
pub use bundle::{BundleOptions, RISK_BUNDLE, build, crosswalk, schema_complaints};
pub use claims::{CaseStatus, SafetyCase};
pub use coverage::{Cell, CellState, Coverage, State};
pub use policy::Register;

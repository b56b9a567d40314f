//! Mine haulage: trucks carry ore from loaders to a crusher, over roads that only so many of them can use at once.
//!
//! Start at [`MineData`], which reads a site and its scenarios; a [`Scenario`] is prepared once as a [`Model`], and
//! [`Model::replicate`] plays one shift: an [`Outcome`] with all accounts, and an [`EventLog`] if one is wanted.
//! Where trucks are sent is a plugin ([`dispatch`]). This crate writes no file and computes no statistics over
//! replications, and it knows nothing of laboratories.
//!
//! ```
//! use labtrust_mine_haulage::dispatch::{Compiled, NearestAvailableLoader};
//! use labtrust_mine_haulage::{MineData, Model};
//!
//! let scenario = MineData::built_in().scenario("trucks_4", &[])?;
//! let outcome = Model::new(&scenario, &Compiled::<NearestAvailableLoader>::NEW)?.replicate(scenario.base_seed, None)?;
//! assert_eq!(outcome.tonnes, 100.0 * outcome.dumps as f64);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod account;
mod data;
pub mod dispatch;
mod domain;
mod event_log;
mod model;
mod network;
mod outcome;
mod rules;
mod run;
mod scenario;
pub mod site;

pub use account::{Account, Activity, TruckAccount};
pub use data::{DataError, MineData, Place, change_value};
pub use domain::MineHaulage;
pub use event_log::{EventKind, EventLog, EventRow, Resource};
pub use model::{Model, ModelError, Road, RoadId};
pub use outcome::{BookError, DispatchError, Outcome};
pub use rules::RuleError;
pub use scenario::{LaneModel, Scenario, UnknownLaneModel};

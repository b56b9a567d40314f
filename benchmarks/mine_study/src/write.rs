//! The files of a study, one a module.

pub(crate) mod conceptual_model;
pub(crate) mod csv;
pub(crate) mod event_log;
pub(crate) mod lane_models;
pub(crate) mod paired_csv;
mod prose;
pub(crate) mod readme;
pub(crate) mod results_csv;
pub(crate) mod summary;
pub(crate) mod sweep_csv;

//! A matrix of the coordination security pack, as one attack of the suite.

use super::{PackRef, PackVerdict};
use crate::AssuranceError;
use crate::pack::{self, Request};
use labtrust_plugin::Registry;
use labtrust_plugin::lab::LoadedLab;
use labtrust_policy::PolicyStore;
use std::sync::Arc;

/// What matrices are run with.
pub struct Matrices<'a> {
    /// Methods and injections.
    pub registry: &'a Registry,
    /// The policy with its overlays.
    pub policy: &'a PolicyStore,
    /// The laboratory, loaded from `policy`.
    pub lab: Arc<dyn LoadedLab>,
    /// Seed of episodes.
    pub seed: u64,
    /// Threads [count].
    pub threads: usize,
}

impl Matrices<'_> {
    /// Runs a matrix. Its cells leave no files: the gate over them is what counts.
    ///
    /// # Errors
    /// As [`pack::run`].
    pub fn run(&self, wanted: &PackRef) -> Result<PackVerdict, AssuranceError> {
        let request = Request {
            registry: self.registry,
            policy: self.policy,
            lab: Arc::clone(&self.lab),
            asked: wanted.into(),
            seed: self.seed,
            episodes_per_cell: None,
            threads: Some(self.threads),
            strict: false,
            multi_agentic: wanted.multi_agentic,
            out: None,
            logs: false,
            git_sha: None,
            progress: &|_, _| (),
        };
        Ok((&pack::run(&request)?.gate).into())
    }
}

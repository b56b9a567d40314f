//! What all parts of a pack are run with.

use crate::PackError;
use labtrust_evidence::verify::StartReplay;
use labtrust_plugin::lab::{LabDomain, LoadedLab};
use labtrust_plugin::{Registry, Task};
use labtrust_policy::PolicyStore;
use serde_json::Value;
use std::sync::Arc;

/// What all parts of a pack are run with.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// What there is to run.
    pub registry: &'a Registry,
    /// The policy with its overlays.
    pub policy: &'a PolicyStore,
    /// The domain of laboratories, where a profile names another than the task.
    pub lab_domain: Option<&'a str>,
    /// Threads [count]; as many as the machine has when absent. The files do not depend on it.
    pub threads: Option<usize>,
    /// Commit of the program, where known.
    pub git_sha: Option<&'a str>,
    /// What the program was built of.
    pub inventory: &'a Value,
    /// How the steps of a log are done again; where absent, they are not.
    pub replay: Option<&'a StartReplay<'a>>,
}

impl Ground<'_> {
    /// The domain that a task is played in.
    ///
    /// # Errors
    /// [`PackError::Registry`].
    pub fn domain(&self, task: &dyn Task) -> Result<&'static dyn LabDomain, PackError> {
        Ok(self.registry.lab_domain(self.lab_domain.unwrap_or(task.domain()))?)
    }

    /// The laboratory that a task is played in.
    ///
    /// # Errors
    /// [`PackError::Registry`], [`PackError::Policy`].
    pub fn lab(&self, task: &dyn Task) -> Result<Arc<dyn LoadedLab>, PackError> {
        Ok(self.domain(task)?.load(self.policy)?)
    }

    /// Threads of this run [count].
    #[must_use]
    pub fn thread_count(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }
}

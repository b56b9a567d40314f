//! Many environments in one buffer.

use crate::world::{World, refused};
use labtrust_environment::{Autoreset, Batch as Inner, Rows};
use numpy::{PyReadonlyArray1, PyReadwriteArray1, PyReadwriteArray2, PyReadwriteArray3};
use pyo3::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Many environments of one world.
#[pyclass(frozen, module = "labtrust._core")]
pub(crate) struct Batch(Mutex<Inner>);

impl Batch {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Batch {
    #[new]
    fn new(world: &World, environments: usize, same_step: bool, threads: usize) -> PyResult<Self> {
        let autoreset = if same_step { Autoreset::SameStep } else { Autoreset::NextStep };
        let inner = Inner::new(world.0.clone(), environments, autoreset, threads).map_err(refused)?;
        Ok(Self(Mutex::new(inner)))
    }

    /// Begins all of them.
    #[expect(clippy::too_many_arguments, reason = "they are the arrays that are written into")]
    fn reset(
        &self,
        py: Python<'_>,
        seed: u64,
        mut observations: PyReadwriteArray3<'_, f32>,
        mut last: PyReadwriteArray3<'_, f32>,
        mut masks: PyReadwriteArray3<'_, i8>,
        mut rewards: PyReadwriteArray2<'_, f64>,
        mut over: PyReadwriteArray1<'_, bool>,
    ) -> PyResult<()> {
        let rows = Rows {
            observations: observations.as_slice_mut().map_err(refused)?,
            last_observations: last.as_slice_mut().map_err(refused)?,
            masks: masks.as_slice_mut().map_err(refused)?,
            rewards: rewards.as_slice_mut().map_err(refused)?,
            over: over.as_slice_mut().map_err(refused)?,
        };
        py.detach(|| self.inner().reset(seed, rows)).map_err(refused)
    }

    /// Plays a step in all of them.
    #[expect(clippy::too_many_arguments, reason = "they are the arrays that are written into")]
    fn step(
        &self,
        py: Python<'_>,
        indices: PyReadonlyArray1<'_, i64>,
        mut observations: PyReadwriteArray3<'_, f32>,
        mut last: PyReadwriteArray3<'_, f32>,
        mut masks: PyReadwriteArray3<'_, i8>,
        mut rewards: PyReadwriteArray2<'_, f64>,
        mut over: PyReadwriteArray1<'_, bool>,
    ) -> PyResult<()> {
        let indices = indices.as_slice().map_err(refused)?;
        let rows = Rows {
            observations: observations.as_slice_mut().map_err(refused)?,
            last_observations: last.as_slice_mut().map_err(refused)?,
            masks: masks.as_slice_mut().map_err(refused)?,
            rewards: rewards.as_slice_mut().map_err(refused)?,
            over: over.as_slice_mut().map_err(refused)?,
        };
        py.detach(|| self.inner().step(indices, rows)).map_err(refused)
    }

    /// The seeds of the episodes that are played.
    fn seeds(&self) -> Vec<u64> {
        self.inner().seeds().collect()
    }

    /// The figures of the newest episode that ended in an environment, as JSON, once.
    fn take_metrics(&self, environment: usize) -> PyResult<Option<String>> {
        let outcome = self.inner().take_outcome(environment);
        outcome.map(|outcome| serde_json::to_string(&outcome.metrics).map_err(refused)).transpose()
    }
}

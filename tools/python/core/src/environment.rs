//! One environment.

use crate::world::{World, refused};
use labtrust_environment::{Environment as Inner, EnvironmentError};
use labtrust_figures::draw::to_pixels;
use numpy::{PyArray1, PyArray2, PyArray3, PyArrayMethods};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One episode after the other. One value an agent means one for each of the world's agents, in their order.
#[pyclass(frozen, module = "labtrust._core")]
pub(crate) struct Environment {
    inner: Mutex<Inner>,
    world: Arc<labtrust_environment::World>,
}

/// What a step shows: observations, masks, one row an agent.
type Seen<'py> = (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<i8>>);

impl Environment {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No episode is a matter of order, everything else one of values.
fn failed(error: EnvironmentError) -> PyErr {
    match error {
        EnvironmentError::NoEpisode { .. } => PyRuntimeError::new_err(error.to_string()),
        other => refused(other),
    }
}

#[pymethods]
impl Environment {
    #[new]
    fn new(world: &World) -> Self {
        Self { inner: Mutex::new(Inner::new(Arc::clone(&world.0))), world: Arc::clone(&world.0) }
    }

    /// Begins the episode of a seed.
    fn reset(&self, py: Python<'_>, seed: u64) -> PyResult<()> {
        py.detach(|| self.inner().reset(seed)).map_err(failed)
    }

    /// Plays a step: an index an agent; `beside` has JSON maps by the agent's number. Whether the episode is over.
    #[pyo3(signature = (indices, beside=None))]
    fn step(&self, py: Python<'_>, indices: Vec<i64>, beside: Option<BTreeMap<usize, String>>) -> PyResult<bool> {
        let read = |(number, text): (usize, String)| -> PyResult<(usize, Map<String, Value>)> {
            let map = serde_json::from_str(&text).map_err(|error| {
                PyValueError::new_err(format!("what stands beside the index of agent {number} is no map: {error}"))
            })?;
            Ok((number, map))
        };
        let beside = beside.unwrap_or_default().into_iter().map(read).collect::<PyResult<_>>()?;
        py.detach(|| self.inner().step(&indices, &beside)).map_err(failed)
    }

    /// Observations and masks, one row an agent.
    fn look<'py>(&self, py: Python<'py>) -> PyResult<Seen<'py>> {
        let agents = self.world.agents().len();
        let observations = PyArray2::zeros(py, [agents, self.world.layout().observation_len()], false);
        let masks = PyArray2::zeros(py, [agents, self.world.actions()], false);
        {
            let (mut numbers, mut allowed) = (observations.readwrite(), masks.readwrite());
            let mut inner = self.inner();
            inner.write_observations(numbers.as_slice_mut().map_err(refused)?);
            inner.write_masks(allowed.as_slice_mut().map_err(refused)?);
        }
        Ok((observations, masks))
    }

    /// Rewards of the newest step, one an agent.
    fn rewards(&self) -> Vec<f64> {
        let mut rewards = vec![0.0; self.world.agents().len()];
        self.inner().write_rewards(&mut rewards);
        rewards
    }

    /// Results released, invariants broken and actions refused in the newest step.
    fn counts(&self) -> (u32, u32, u32) {
        let counts = self.inner().counts();
        (counts.released, counts.violations, counts.blocked)
    }

    /// Why each agent's last action was refused.
    fn refusals(&self) -> Vec<Option<&'static str>> {
        self.inner().refusals()
    }

    /// The state: what all agents share, then what each has for itself.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let layout = self.world.layout();
        let state = PyArray1::zeros(py, layout.shared_len() + self.world.agents().len() * layout.own_len(), false);
        self.inner().write_state(state.readwrite().as_slice_mut().map_err(refused)?);
        Ok(state)
    }

    /// All that an agent sees, in words, as JSON.
    fn describe(&self, number: usize) -> Option<String> {
        self.inner().describe(number).map(|words| Value::Object(words).to_string())
    }

    /// A picture of the moment: rows, columns, three colours.
    #[pyo3(signature = (scale=1.0))]
    fn picture<'py>(&self, py: Python<'py>, scale: f64) -> PyResult<Option<Bound<'py, PyArray3<u8>>>> {
        let Some(scene) = self.inner().picture().map_err(failed)? else { return Ok(None) };
        let pixels = py.detach(|| to_pixels(&scene, scale)).map_err(refused)?;
        let bytes = PyArray1::from_vec(py, pixels.bytes);
        bytes.reshape([pixels.height as usize, pixels.width as usize, 3]).map(Some)
    }

    /// The figures of an episode that is over and was measured, as JSON.
    fn metrics(&self) -> PyResult<Option<String>> {
        let inner = self.inner();
        inner.outcome().map(|outcome| serde_json::to_string(&outcome.metrics).map_err(refused)).transpose()
    }

    /// The log of the episode so far.
    fn log<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.inner().log())
    }

    /// Hash of the newest record.
    #[getter]
    fn chain_head(&self) -> Option<String> {
        self.inner().chain_head().map(str::to_owned)
    }

    /// Steps played.
    #[getter]
    fn steps(&self) -> u32 {
        self.inner().steps()
    }

    /// Whether the episode has ended.
    #[getter]
    fn is_over(&self) -> bool {
        self.inner().is_over()
    }
}

//! What environments share, as Python asks for it.

use labtrust_environment::{EnvironmentError, Terms};
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::contract::{ActionSpace, INDEX, vector::Field};
use labtrust_policy::PolicyStore;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

/// What environments of one kind share.
#[pyclass(frozen, module = "labtrust._core")]
pub(crate) struct World(pub(crate) Arc<labtrust_environment::World>);

/// Bad input, in the words of whoever noticed.
pub(crate) fn refused(error: impl Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Name, kind, length, greatest value, whether it is the agent's own.
type FieldTuple = (&'static str, &'static str, usize, u32, bool);

#[pymethods]
impl World {
    #[new]
    #[pyo3(signature = (
        task, *, scale=None, timing=None, max_steps=None, strict_signatures=false, agents=None, crew=None, injection=None,
        rewards=None, space="0.2", metrics=true, recorded=true, log=false, policy_dir=None, partner=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are options of a constructor in Python, all named")]
    fn new(
        py: Python<'_>,
        task: &str,
        scale: Option<String>,
        timing: Option<&str>,
        max_steps: Option<u32>,
        strict_signatures: bool,
        agents: Option<Vec<String>>,
        crew: Option<&str>,
        injection: Option<&str>,
        rewards: Option<BTreeMap<String, f64>>,
        space: &str,
        metrics: bool,
        recorded: bool,
        log: bool,
        policy_dir: Option<PathBuf>,
        partner: Option<&str>,
    ) -> PyResult<Self> {
        let registry = labtrust_builtin::registry().map_err(refused)?;
        let timing = match timing {
            None => None,
            Some("explicit") => Some(ClockMode::Explicit),
            Some("simulated") => Some(ClockMode::Simulated),
            Some(other) => {
                return Err(refused(format!("unknown timing: {other}. Known: [explicit, simulated]")));
            }
        };
        let space = [ActionSpace::V01, ActionSpace::V02].into_iter().find(|known| known.version() == space);
        let Some(space) = space else { return Err(refused("unknown version of the spaces. Known: [0.1, 0.2]")) };
        let terms = Terms {
            scale,
            timing,
            max_steps,
            strict_signatures,
            seats: agents,
            crew: crew.map(|id| registry.agent_set(id)).transpose().map_err(refused)?,
            injection: injection.map(|id| registry.injection(id)).transpose().map_err(refused)?,
            rewards: rewards.unwrap_or_default().into_iter().collect(),
            space,
            metrics: if metrics { registry.metrics() } else { Vec::new() },
            recorded,
            log,
            ..Terms::of(registry.task(task).map_err(refused)?)
        };
        let domain = registry.lab_domain(terms.task.domain()).map_err(refused)?;
        let open = || -> Result<_, EnvironmentError> {
            let mut policy = PolicyStore::resolve(policy_dir.as_deref())?;
            if let Some(partner) = partner {
                policy = policy.with_partner(partner)?;
            }
            let lab = domain.load(&policy)?;
            labtrust_environment::World::open(policy, lab, terms)
        };
        Ok(Self(Arc::new(py.detach(open).map_err(refused)?)))
    }

    /// Names of the agents.
    #[getter]
    fn agents(&self) -> Vec<String> {
        self.0.agents().to_vec()
    }

    /// Names of the actions, by index.
    #[getter]
    fn actions(&self) -> Vec<&'static str> {
        INDEX.iter().take(self.0.actions()).map(|kind| kind.name()).collect()
    }

    /// Name, kind, length, greatest value and whether it is the agent's own, for every field of an observation.
    #[getter]
    fn fields(&self) -> Vec<FieldTuple> {
        let tuple = |(field, own): (&Field, bool)| (field.name, field.kind.name(), field.len, field.high, own);
        self.0.layout().fields().map(tuple).collect()
    }

    /// Steps of an episode.
    #[getter]
    fn max_steps(&self) -> u32 {
        self.0.max_steps()
    }

    /// Simulated seconds a step.
    #[getter]
    fn dt_s(&self) -> u32 {
        self.0.dt_s()
    }

    /// The task's id.
    #[getter]
    fn task(&self) -> &'static str {
        self.0.task().id()
    }

    /// Who moves time.
    #[getter]
    fn timing(&self) -> &'static str {
        self.0.timing().as_str()
    }
}

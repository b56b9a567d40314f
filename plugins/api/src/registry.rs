//! One registry of everything that is compiled in, sorted by kind and id.

use crate::method::CoordinationMethod;
use crate::mine::DispatchPolicy;
use crate::{AgentSet, Domain, Injection, Task, lab::LabDomain, metric::Metric};

/// What a registration brings.
#[derive(Clone, Copy)]
pub enum Plugin {
    /// A laboratory domain.
    LabDomain(&'static dyn LabDomain),
    /// A benchmark task.
    Task(&'static dyn Task),
    /// A group of figures that episodes are measured by.
    Metric(&'static dyn Metric),
    /// A set of agents for the seats of a task.
    AgentSet(&'static dyn AgentSet),
    /// A disturbance.
    Injection(&'static dyn Injection),
    /// A domain that is not a laboratory.
    Domain(&'static dyn Domain),
    /// A way to direct many agents.
    CoordinationMethod(&'static dyn CoordinationMethod),
    /// A way to direct one agent, as a team: an instance for each.
    AgentPolicy(&'static dyn CoordinationMethod),
    /// A way to send empty trucks to loaders.
    MineDispatch(&'static dyn DispatchPolicy),
}

impl Plugin {
    /// The kind's name as the command line shows it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LabDomain(_) | Self::Domain(_) => "domain",
            Self::Task(_) => "task",
            Self::Metric(_) => "metric",
            Self::AgentSet(_) => "agents",
            Self::Injection(_) => "injection",
            Self::CoordinationMethod(_) => crate::method::KIND,
            Self::AgentPolicy(_) => crate::agent::KIND,
            Self::MineDispatch(_) => crate::mine::KIND,
        }
    }

    /// The plugin's id.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::LabDomain(domain) => domain.id(),
            Self::Task(task) => task.id(),
            Self::Metric(metric) => metric.id(),
            Self::AgentSet(set) => set.id(),
            Self::Injection(injection) => injection.id(),
            Self::Domain(domain) => domain.id(),
            Self::CoordinationMethod(method) | Self::AgentPolicy(method) => method.id(),
            Self::MineDispatch(policy) => policy.id(),
        }
    }
}

/// An entry of the registry. Made by [`register_plugin!`](crate::register_plugin), next to the type it registers.
pub struct Registration {
    /// The plugin itself.
    pub plugin: Plugin,
    /// The crate or the file that brings it, named when two claim one id.
    pub owner: &'static str,
    /// The version of the crate, or of the plugin in the file.
    pub version: &'static str,
}

inventory::collect!(Registration);

/// Registers a compiled-in plugin: `register_plugin!(Task, MyTask);` for a unit struct or constant `MyTask`.
#[macro_export]
macro_rules! register_plugin {
    ($kind:ident, $value:expr) => {
        $crate::inventory::submit! {
            $crate::Registration {
                plugin: $crate::Plugin::$kind(&$value),
                owner: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
            }
        }
    };
}

/// Why the registry could not be built or did not know an id.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Two plugins of one kind have one id.
    #[error("{kind} {id} is registered twice: by {first} and by {second}")]
    Duplicate {
        /// The kind.
        kind: &'static str,
        /// The id.
        id: &'static str,
        /// One owner.
        first: &'static str,
        /// The other owner.
        second: &'static str,
    },
    /// No such plugin.
    #[error("unknown {kind}: {id}. Known: [{}]", known.join(", "))]
    Unknown {
        /// The kind.
        kind: &'static str,
        /// The id that was asked for.
        id: String,
        /// What there is, sorted.
        known: Vec<&'static str>,
    },
}

/// All plugins of the program: those that are compiled in, and those that were loaded.
pub struct Registry {
    entries: Vec<&'static Registration>,
}

impl Registry {
    /// Collects what is linked into the program.
    ///
    /// # Errors
    /// [`RegistryError::Duplicate`] when two plugins of one kind have one id.
    pub fn linked() -> Result<Self, RegistryError> {
        Self::of(inventory::iter::<Registration>.into_iter().collect())
    }

    /// The same with more, such as plugins that are files of their own: they live as long as the program does.
    ///
    /// # Errors
    /// [`RegistryError::Duplicate`], as of [`Registry::linked`]: no file takes the place of another plugin.
    pub fn with(self, more: impl IntoIterator<Item = &'static Registration>) -> Result<Self, RegistryError> {
        let mut entries = self.entries;
        entries.extend(more);
        Self::of(entries)
    }

    fn of(mut entries: Vec<&'static Registration>) -> Result<Self, RegistryError> {
        // Link order is the linker's business; the id is ours.
        entries.sort_by_key(|entry| (entry.plugin.kind(), entry.plugin.id(), entry.owner));
        if let Some([first, second]) =
            entries.array_windows().find(|[a, b]| (a.plugin.kind(), a.plugin.id()) == (b.plugin.kind(), b.plugin.id()))
        {
            return Err(RegistryError::Duplicate {
                kind: first.plugin.kind(),
                id: first.plugin.id(),
                first: first.owner,
                second: second.owner,
            });
        }
        figures_are_unique(&entries)?;
        Ok(Self { entries })
    }

    /// Every registration, sorted by kind and id.
    #[must_use]
    pub fn entries(&self) -> &[&'static Registration] {
        &self.entries
    }

    /// The task `id`.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], which lists the known tasks.
    pub fn task(&self, id: &str) -> Result<&'static dyn Task, RegistryError> {
        self.find("task", id, |plugin| match plugin {
            Plugin::Task(task) => Some(task),
            _ => None,
        })
    }

    /// The laboratory domain `id`.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], which lists the known domains.
    pub fn lab_domain(&self, id: &str) -> Result<&'static dyn LabDomain, RegistryError> {
        self.find("domain", id, |plugin| match plugin {
            Plugin::LabDomain(domain) => Some(domain),
            _ => None,
        })
    }

    /// The set of agents `id`.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], which lists the known sets.
    pub fn agent_set(&self, id: &str) -> Result<&'static dyn AgentSet, RegistryError> {
        self.find("agents", id, |plugin| match plugin {
            Plugin::AgentSet(set) => Some(set),
            _ => None,
        })
    }

    /// The injection `id`.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], which lists the known injections.
    pub fn injection(&self, id: &str) -> Result<&'static dyn Injection, RegistryError> {
        self.find("injection", id, |plugin| match plugin {
            Plugin::Injection(injection) => Some(injection),
            _ => None,
        })
    }

    /// The dispatch policy `id` of mines.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], which lists the known policies.
    pub fn mine_dispatch(&self, id: &str) -> Result<&'static dyn DispatchPolicy, RegistryError> {
        self.find(crate::mine::KIND, id, |plugin| match plugin {
            Plugin::MineDispatch(policy) => Some(policy),
            _ => None,
        })
    }

    /// The coordination method `id`.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], which lists the known methods.
    pub fn coordination_method(&self, id: &str) -> Result<&'static dyn CoordinationMethod, RegistryError> {
        self.find(crate::method::KIND, id, |plugin| match plugin {
            Plugin::CoordinationMethod(method) => Some(method),
            _ => None,
        })
    }

    /// The agent policy `id`, as a team in which each agent has an instance of its own.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], which lists the known policies.
    pub fn agent_policy(&self, id: &str) -> Result<&'static dyn CoordinationMethod, RegistryError> {
        self.find(crate::agent::KIND, id, |plugin| match plugin {
            Plugin::AgentPolicy(policy) => Some(policy),
            _ => None,
        })
    }

    /// Everything that episodes are measured by, sorted by id.
    #[must_use]
    pub fn metrics(&self) -> Vec<&'static dyn Metric> {
        let metric = |entry: &&Registration| match entry.plugin {
            Plugin::Metric(metric) => Some(metric),
            _ => None,
        };
        self.entries.iter().filter_map(metric).collect()
    }

    fn find<T>(&self, kind: &'static str, id: &str, pick: impl Fn(Plugin) -> Option<T>) -> Result<T, RegistryError> {
        // What the caller could use: a kind may have several types, as domains have.
        let usable = || {
            let of_kind = self.entries.iter().filter(|entry| entry.plugin.kind() == kind);
            of_kind.filter_map(|entry| Some((entry.plugin.id(), pick(entry.plugin)?)))
        };
        usable().find(|(known, _)| *known == id).map(|(_, plugin)| plugin).ok_or_else(|| RegistryError::Unknown {
            kind,
            id: id.to_owned(),
            known: usable().map(|(known, _)| known).collect(),
        })
    }
}

/// Two metrics that write one key would hide each other's figure.
fn figures_are_unique(entries: &[&'static Registration]) -> Result<(), RegistryError> {
    let mut figures: Vec<(&'static str, &'static str)> = Vec::new();
    for entry in entries {
        if let Plugin::Metric(metric) = entry.plugin {
            figures.extend(metric.specs().iter().map(|spec| (spec.name, entry.owner)));
        }
    }
    figures.sort_unstable();
    match figures.array_windows().find(|[a, b]| a.0 == b.0) {
        Some(&[(id, first), (_, second)]) => Err(RegistryError::Duplicate { kind: "figure", id, first, second }),
        None => Ok(()),
    }
}

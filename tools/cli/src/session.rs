//! The policy that a command works with: directory, profile, partner and domain put together.

use crate::Global;
use crate::error::CliError;
use labtrust_bench::scenario::{EngineLoader, Semantics};
use labtrust_hospital_lab::reference::FrozenEngine;
use labtrust_plugin::lab::{Engine, LoadedLab};
use labtrust_plugin::{Registry, Task};
use labtrust_policy::{LabProfile, PolicyStore};
use std::path::Path;
use std::sync::Arc;

/// Variable that names the partner where no option does.
const PARTNER_VARIABLE: &str = "LABTRUST_PARTNER";
/// Variable that asks for signatures in every episode.
const STRICT_VARIABLE: &str = "LABTRUST_STRICT_SIGNATURES";

/// Which engine plays raw events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum EngineChoice {
    /// The laboratory that every other command runs.
    Sound,
    /// LabTrust-Gym 0.2, step by step.
    Reference,
}

impl From<EngineChoice> for Semantics {
    fn from(choice: EngineChoice) -> Self {
        match choice {
            EngineChoice::Sound => Self::Sound,
            EngineChoice::Reference => Self::Reference,
        }
    }
}

/// The options with the policy of `root`: a directory with a policy directory in it, or a policy directory.
pub(crate) fn rooted(global: &Global, root: Option<&Path>) -> Global {
    let mut global = global.clone();
    if let Some(root) = root {
        let inside = root.join("policy");
        global.policy_dir = Some(if inside.is_dir() { inside } else { root.to_path_buf() });
    }
    global
}

/// A policy with its overlays.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) policy: PolicyStore,
    /// Profile and the domain it names.
    domain: Option<(String, String)>,
    profile: Option<LabProfile>,
}

impl Session {
    /// Opens the policy that the options name. What a profile says outranks `partner`.
    ///
    /// # Errors
    /// [`CliError::Policy`].
    pub(crate) fn open(global: &Global, partner: Option<&str>) -> Result<Self, CliError> {
        let mut policy = PolicyStore::resolve(global.policy_dir.as_deref())?;
        let profile = global.profile.as_deref().map(|id| LabProfile::load(&policy, id)).transpose()?;
        let mut partner = partner.map(str::to_owned);
        let mut domain = None;
        if let (Some(profile), Some(id)) = (&profile, &global.profile) {
            partner = profile.partner_id.clone().or(partner);
            domain = profile.domain_id.clone().map(|domain| (id.clone(), domain));
        }
        if let Some((_, id)) = &domain
            && policy.domains().contains(id)
        {
            policy = policy.with_domain(id)?;
        }
        if let Some(id) = partner {
            policy = policy.with_partner(&id)?;
        }
        Ok(Self { policy, domain, profile })
    }

    /// What the laboratory profile says, where one was named.
    pub(crate) fn named<'s>(&'s self, key: impl FnOnce(&'s LabProfile) -> Option<&'s str>) -> Option<&'s str> {
        self.profile.as_ref().and_then(key)
    }

    /// Where a file is read that organisations have of their own: the one that the profile names, else that of the partner or of
    /// the domain, else that of the policy.
    pub(crate) fn own<'s>(
        &'s self,
        path: &str,
        key: impl FnOnce(&'s LabProfile) -> Option<&'s str>,
    ) -> (PolicyStore, String) {
        self.named(key).map_or_else(|| self.policy.in_force(path), |named| (self.policy.clone(), named.to_owned()))
    }

    /// The domain that the profile names for the laboratory.
    pub(crate) fn lab_domain(&self) -> Option<&str> {
        self.domain.as_ref().map(|(_, domain)| domain.as_str())
    }

    /// The engine of the choice, under this policy. It needs a reset before its first step.
    ///
    /// # Errors
    /// [`CliError::Registry`], [`CliError::Policy`].
    pub(crate) fn engine(&self, choice: EngineChoice) -> Result<Box<dyn Engine>, CliError> {
        Ok(Self::loader(choice)?.load(&self.policy)?)
    }

    /// Makes engines of the choice under any policy.
    ///
    /// # Errors
    /// [`CliError::Registry`].
    pub(crate) fn loader(choice: EngineChoice) -> Result<EngineLoader, CliError> {
        let registry = labtrust_builtin::registry()?;
        let laboratory = registry.lab_domain("hospital_lab")?;
        Ok(EngineLoader::new(move |policy| {
            let engine: Box<dyn Engine> = match choice {
                EngineChoice::Sound => laboratory.load(policy)?.engine(),
                EngineChoice::Reference => Box::new(FrozenEngine::new(policy)?),
            };
            Ok(engine)
        }))
    }

    /// Loads the laboratory that `task` runs in, or the one that the profile names.
    ///
    /// # Errors
    /// [`CliError::ProfileDomain`], [`CliError::Registry`], [`CliError::Policy`].
    pub(crate) fn load_lab(&self, registry: &Registry, task: &dyn Task) -> Result<Arc<dyn LoadedLab>, CliError> {
        let domain = match &self.domain {
            Some((profile, domain)) => registry.lab_domain(domain).map_err(|source| CliError::ProfileDomain {
                profile: profile.clone(),
                domain: domain.clone(),
                source,
            })?,
            None => registry.lab_domain(task.domain())?,
        };
        Ok(domain.load(&self.policy)?)
    }
}

/// The partner that the option or the environment names.
pub(crate) fn partner(option: Option<&str>) -> Option<String> {
    option.map(str::to_owned).or_else(|| std::env::var(PARTNER_VARIABLE).ok()).filter(|id| !id.is_empty())
}

/// Whether the environment asks for signatures.
pub(crate) fn strict_signatures() -> bool {
    std::env::var(STRICT_VARIABLE).is_ok_and(|value| value == "1")
}

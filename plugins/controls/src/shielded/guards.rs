//! All that the path needs, loaded from a policy.

use super::Controls;
use crate::detect::Detector;
use crate::pi_defense::{Defense, Preset};
use crate::scrub::Scrubber;
use crate::shield::{RoleTable, Roles, ToolTable};
use crate::throttle::Throttles;
use labtrust_policy::PolicyStore;
use labtrust_trust::gates::CapabilityPolicy;

/// The controls of a policy, shared by the agents of an episode.
pub struct Guards {
    /// Finds texts that give orders.
    pub detector: Detector,
    /// What stands around the model.
    pub defense: Defense,
    /// Who may do what.
    pub roles: Box<dyn Roles + Send + Sync>,
    /// Profiles of agents.
    pub capabilities: CapabilityPolicy,
    /// The tools.
    pub tools: ToolTable,
    /// Knows the secrets of this run.
    pub scrubber: Scrubber,
    /// Figures of breaker and limiter.
    pub throttles: Throttles,
    /// Below this a proposal is not taken [ppm]; 0 takes all.
    pub least_confidence_ppm: u32,
    /// Which controls are on.
    pub controls: Controls,
    warnings: Vec<String>,
}

impl std::fmt::Debug for Guards {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Guards")
            .field("controls", &self.controls)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

impl Guards {
    /// The controls of a policy. A file that cannot be used closes its control, and [`Guards::warnings`] says so.
    #[must_use]
    pub fn load(store: &PolicyStore, preset: Preset) -> Self {
        let mut warnings = Vec::new();
        let detector = Detector::load(store);
        let defense = Defense::load(store, preset);
        warnings.extend(detector.broken().map(str::to_owned));
        warnings.extend(defense.broken().map(str::to_owned));
        let mut note = |error: labtrust_policy::PolicyError| warnings.push(error.to_string());
        let roles =
            store.section("rbac/rbac_policy.v0.1.yaml", Some("rbac_policy")).map_err(&mut note).unwrap_or_default();
        let capabilities =
            store.section_or_builtin("security/agent_capabilities.v0.1.yaml", Some("agent_capabilities"));
        let capabilities = capabilities.map_err(&mut note).unwrap_or_else(|_| closed_profiles(&roles));
        let tools = store
            .section_or_builtin("tool_registry.v0.1.yaml", Some("tool_registry"))
            .map_err(&mut note)
            .unwrap_or_default();
        let tools = ToolTable::new(&tools, &mut |path| store.section_or_builtin(path, None).ok());
        Self {
            detector,
            defense,
            roles: Box::new(RoleTable::new(roles)),
            capabilities,
            tools,
            scrubber: Scrubber::new::<&str>([]),
            throttles: Throttles::default(),
            least_confidence_ppm: 0,
            controls: Controls::default(),
            warnings,
        }
    }

    /// What of the policy could not be used, one sentence each. Whoever runs an episode shows them.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Profiles that allow nothing to any role: no profile would be no fence.
fn closed_profiles(roles: &labtrust_trust::gates::RbacPolicy) -> CapabilityPolicy {
    let nothing =
        labtrust_trust::gates::capability::CapabilityProfile { max_action_rate: Some(0), ..Default::default() };
    CapabilityPolicy {
        profiles: roles.roles.keys().map(|role| (role.clone(), nothing.clone())).collect(),
        ..CapabilityPolicy::default()
    }
}

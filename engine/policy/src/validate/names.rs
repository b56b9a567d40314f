//! Which ids a policy defines, and where it uses them: two tables, one line a fact.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use labtrust_trust::reason::ReasonCodePolicy;

use super::document::Document;

pub(crate) const ZONES: &str = "zones/zone_layout_policy.v0.1.yaml";
pub(crate) const EQUIPMENT: &str = "equipment/equipment_registry.v0.1.yaml";
pub(crate) const FAILURES: &str = "equipment/failure_models.v0.1.yaml";
pub(crate) const STABILITY: &str = "stability/stability_policy.v0.1.yaml";
pub(crate) const REAGENTS: &str = "reagents/reagent_policy.v0.1.yaml";
pub(crate) const SITES: &str = "sites/sites_policy.v0.1.yaml";
pub(crate) const MEASUREMENTS: &str = "catalogue/measurement_model.v0.1.yaml";
pub(crate) const CATALOGUE: &str = "catalogue/test_catalogue.seed.v0.1.json";
pub(crate) const RBAC: &str = "rbac/rbac_policy.v0.1.yaml";
pub(crate) const CAPABILITIES: &str = "security/agent_capabilities.v0.1.yaml";
pub(crate) const DETECTION: &str = "security/adversarial_detection.v0.1.yaml";
pub(crate) const DEFENSE: &str = "security/prompt_injection_defense.v0.1.yaml";
pub(crate) const PARANOID: &str = "security/prompt_injection_defense_paranoid.v0.1.yaml";
pub(crate) const MEMORY: &str = "memory_policy.v0.1.yaml";
pub(crate) const KEYS: &str = "keys/key_registry.v0.1.yaml";
pub(crate) const TOKENS: &str = "tokens/token_registry.v0.1.yaml";
pub(crate) const DUAL: &str = "tokens/dual_approval_policy.v0.1.yaml";
pub(crate) const TOKEN_MAP: &str = "tokens/token_enforcement_map.v0.1.yaml";
pub(crate) const INVARIANTS: &str = "invariants/invariant_registry.v1.0.yaml";
pub(crate) const ENFORCEMENT: &str = "enforcement/enforcement_map.v0.1.yaml";
pub(crate) const REASONS: &str = "reason_codes/reason_code_registry.v0.1.yaml";
pub(crate) const EMITS: &str = "emits/emits_vocab.v0.1.yaml";
pub(crate) const TOOLS: &str = "tool_registry.v0.1.yaml";
pub(crate) const BOUNDARY: &str = "tool_boundary_policy.v0.1.yaml";

/// A family of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    Zone,
    Door,
    Device,
    DeviceType,
    Placement,
    Panel,
    CataloguePanel,
    Reagent,
    Site,
    Route,
    TempBand,
    Role,
    Agent,
    /// A role or an agent.
    Party,
    Key,
    TokenType,
    DualRule,
    Code,
    Namespace,
    Severity,
    Emit,
    /// What an agent may ask for.
    Action,
    /// An action, or a word of the emits vocabulary.
    Deed,
    Invariant,
    Rule,
    Tool,
    /// A pattern of the detector of hostile text.
    Pattern,
}

impl Family {
    /// The family's name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zone => "zone",
            Self::Door => "door",
            Self::Device | Self::Placement => "device",
            Self::DeviceType => "device type",
            Self::Panel | Self::CataloguePanel => "panel",
            Self::Reagent => "reagent",
            Self::Site => "site",
            Self::Route => "route",
            Self::TempBand => "temperature band",
            Self::Role => "role",
            Self::Agent => "agent",
            Self::Party => "role or agent",
            Self::Key => "key",
            Self::TokenType => "token type",
            Self::DualRule => "dual-approval rule",
            Self::Code => "reason code",
            Self::Namespace => "namespace",
            Self::Severity => "severity",
            Self::Emit => "emit",
            Self::Action => "action",
            Self::Deed => "action or emit",
            Self::Invariant => "invariant",
            Self::Rule => "enforcement rule",
            Self::Tool => "tool",
            Self::Pattern => "pattern",
        }
    }
}

use Family as F;

/// Where each family is declared: file and place. An id stands once in a list.
pub(crate) const DECLARED: &[(Family, &str, &str)] = &[
    (F::Zone, ZONES, "zone_layout_policy.zones[].zone_id"),
    (F::Door, ZONES, "zone_layout_policy.doors[].door_id"),
    (F::Placement, ZONES, "zone_layout_policy.device_placement[].device_id"),
    (F::TempBand, ZONES, "zone_layout_policy.temperature_bands.@"),
    (F::Device, EQUIPMENT, "equipment_registry.device_instances[].device_id"),
    (F::DeviceType, EQUIPMENT, "equipment_registry.device_types.@"),
    (F::Panel, EQUIPMENT, "equipment_registry.panel_workload_map.@"),
    (F::CataloguePanel, CATALOGUE, "panels[].panel_id"),
    (F::Reagent, REAGENTS, "reagent_policy.reagents[].reagent_id"),
    (F::Site, SITES, "sites_policy.sites[].site_id"),
    (F::Route, SITES, "sites_policy.routes[].route_id"),
    (F::Role, RBAC, "rbac_policy.roles.@"),
    (F::Agent, RBAC, "rbac_policy.agents.@"),
    (F::Key, KEYS, "key_registry.keys[].key_id"),
    (F::TokenType, TOKENS, "token_registry.token_types.@"),
    (F::DualRule, DUAL, "dual_approval_policy.rules[].id"),
    (F::Code, REASONS, "reason_code_registry.codes[].code"),
    (F::Namespace, REASONS, "reason_code_registry.namespaces[]"),
    (F::Severity, REASONS, "reason_code_registry.severity_scale.@"),
    (F::Emit, EMITS, "emits_vocab.canonical_set[]"),
    (F::Invariant, INVARIANTS, "invariants[].invariant_id"),
    (F::Rule, ENFORCEMENT, "rules[].rule_id"),
    (F::Tool, TOOLS, "tool_registry.tools[].tool_id"),
    (F::Pattern, DETECTION, "adversarial_detection.patterns[].pattern_id"),
];

/// Where each family is used: file, place, family.
pub(crate) const USED: &[(&str, &str, Family)] = &[
    (ZONES, "zone_layout_policy.zones[].temp_band", F::TempBand),
    (ZONES, "zone_layout_policy.zones[].rbac_required[]", F::Role),
    (ZONES, "zone_layout_policy.zones[].requires_access_token", F::TokenType),
    (ZONES, "zone_layout_policy.doors[].from_zone", F::Zone),
    (ZONES, "zone_layout_policy.doors[].to_zone", F::Zone),
    (ZONES, "zone_layout_policy.doors[].requires_token", F::TokenType),
    (ZONES, "zone_layout_policy.doors[].requires_role[]", F::Role),
    (ZONES, "zone_layout_policy.graph_edges[].from", F::Zone),
    (ZONES, "zone_layout_policy.graph_edges[].to", F::Zone),
    (ZONES, "zone_layout_policy.graph_edges[].via_door", F::Door),
    (ZONES, "zone_layout_policy.device_placement[].device_id", F::Device),
    (ZONES, "zone_layout_policy.device_placement[].zone_id", F::Zone),
    (ZONES, "zone_layout_policy.entity_movement_rules.*.default_allowed_zones[]", F::Zone),
    (ZONES, "zone_layout_policy.entity_movement_rules.*.allowed_zones[]", F::Zone),
    (EQUIPMENT, "equipment_registry.device_instances[].device_type", F::DeviceType),
    (EQUIPMENT, "equipment_registry.device_instances[].zone_id", F::Zone),
    (EQUIPMENT, "equipment_registry.panel_workload_map.*.analyzer_device_types[]", F::DeviceType),
    (EQUIPMENT, "equipment_registry.device_types.*.service_time_model.per_panel_s.@", F::Panel),
    (FAILURES, "failure_models.device_failures.@", F::Device),
    (FAILURES, "failure_models.maintenance_schedule[].device_id", F::Device),
    (STABILITY, "scope.lanes[]", F::Panel),
    (STABILITY, "defaults.override_policy.token_type", F::TokenType),
    (STABILITY, "panel_rules.@", F::Panel),
    (STABILITY, "panel_rules.*.*.allowed_temp_bands[]", F::TempBand),
    (STABILITY, "panel_rules.*.*.prohibited_temp_bands[]", F::TempBand),
    (STABILITY, "panel_rules.*.*.stability_windows_minutes.@", F::TempBand),
    (STABILITY, "panel_rules.*.*.breach_handling.reason_code", F::Code),
    (STABILITY, "panel_rules.*.analysis_gate.enforce_at_action", F::Action),
    (REAGENTS, "reagent_policy.panel_requirements.@", F::Panel),
    (REAGENTS, "reagent_policy.panel_requirements.*.reagent_id", F::Reagent),
    (SITES, "sites_policy.sites[].zone_ids[]", F::Zone),
    (SITES, "sites_policy.site_graph[].from_site", F::Site),
    (SITES, "sites_policy.site_graph[].to_site", F::Site),
    (SITES, "sites_policy.routes[].from_site", F::Site),
    (SITES, "sites_policy.routes[].to_site", F::Site),
    (SITES, "sites_policy.routes[].temp_band", F::TempBand),
    (MEASUREMENTS, "measurement_model.panels.@", F::Panel),
    (CATALOGUE, "panels[].panel_id", F::Panel),
    (CATALOGUE, "panels[].stability[].reason_code_on_expiry", F::Code),
    (CATALOGUE, "panels[].preanalytics_pipeline[].required_zone", F::Zone),
    (CATALOGUE, "panels[].preanalytics_pipeline[].required_device_type", F::DeviceType),
    (CATALOGUE, "panels[].preanalytics_pipeline[].action_type", F::Deed),
    (RBAC, "rbac_policy.agents.*", F::Role),
    (RBAC, "rbac_policy.roles.*.allowed_actions[]", F::Action),
    (RBAC, "rbac_policy.roles.*.allowed_zones[]", F::Zone),
    (RBAC, "rbac_policy.roles.*.allowed_devices[]", F::Device),
    (RBAC, "rbac_policy.roles.*.allowed_tool_ids[]", F::Tool),
    (RBAC, "rbac_policy.action_constraints.@", F::Action),
    (RBAC, "rbac_policy.action_constraints.*", F::Role),
    (CAPABILITIES, "agent_capabilities.profiles.@", F::Party),
    (CAPABILITIES, "agent_capabilities.profiles.*.high_risk_actions[]", F::Action),
    (CAPABILITIES, "agent_capabilities.override_action_types[]", F::Action),
    (DETECTION, "adversarial_detection.patterns[].reason_code", F::Code),
    (DEFENSE, "prompt_injection_defense.block_reason_code", F::Code),
    (PARANOID, "prompt_injection_defense.block_reason_code", F::Code),
    (MEMORY, "memory_policy.writers.agents[]", F::Agent),
    (MEMORY, "memory_policy.writers.roles[]", F::Role),
    (MEMORY, "memory_policy.reader_roles[]", F::Role),
    (TOKENS, "token_registry.token_types.*.scope.allowed_doors[]", F::Door),
    (TOKENS, "token_registry.token_types.*.scope.allowed_zones[]", F::Zone),
    (TOKENS, "token_registry.token_types.*.scope.allowed_reason_codes[]", F::Code),
    (TOKENS, "token_registry.token_types.*.scope.denylist_reason_codes[]", F::Code),
    (TOKENS, "token_registry.token_types.*.reason_codes_allowed[]", F::Code),
    (TOKENS, "token_registry.token_types.*.approver_roles[]", F::Role),
    (DUAL, "dual_approval_policy.rules[].applies_to_token_types[]", F::TokenType),
    (TOKEN_MAP, "token_enforcement_map.rules[].requires_token_type", F::TokenType),
    (TOKEN_MAP, "token_enforcement_map.rules[].reason_code", F::Code),
    (TOKEN_MAP, "token_enforcement_map.rules[].severity_on_violation", F::Severity),
    (TOKEN_MAP, "token_enforcement_map.rules[].match.door_id", F::Door),
    (TOKEN_MAP, "token_enforcement_map.rules[].match.to_zone", F::Zone),
    (TOKEN_MAP, "token_enforcement_map.rules[].match.reason_code", F::Code),
    (ENFORCEMENT, "rules[].match.invariant_id", F::Invariant),
    (ENFORCEMENT, "rules[].action.zone_id", F::Zone),
    (ENFORCEMENT, "rules[].escalation[].action.zone_id", F::Zone),
    (INVARIANTS, "invariants[].reason_code", F::Code),
    (INVARIANTS, "invariants[].exception_hooks.override_token_types[]", F::TokenType),
    (INVARIANTS, "invariants[].logic_template.parameters.door_id", F::Door),
    (INVARIANTS, "invariants[].logic_template.parameters.zone_id", F::Zone),
    (INVARIANTS, "invariants[].logic_template.parameters.action_types[]", F::Action),
    (REASONS, "reason_code_registry.codes[].namespace", F::Namespace),
    (REASONS, "reason_code_registry.codes[].severity", F::Severity),
    (REASONS, "reason_code_registry.codes[].override_allowed_with[]", F::TokenType),
    (EMITS, "emits_vocab.categories.*[]", F::Emit),
    (BOUNDARY, "tool_boundary_policy.tools[].tool_id", F::Tool),
];

/// Where actions are named beside deeds that are none of the domain's (of tools, of the memory of agents, of laboratories
/// to come): file and place. Only a word that is nearly an action is a mistake there.
pub(crate) const NEARLY: &[(&str, &str)] = &[
    (TOKENS, "token_registry.token_types.*.scope.allowed_actions[]"),
    (TOKEN_MAP, "token_enforcement_map.rules[].action_type"),
    (REASONS, "reason_code_registry.codes[].triggers[]"),
];

/// The declared ids of a policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(BTreeMap<Family, BTreeSet<String>>);

impl Names {
    /// Collects what `documents` declare. `actions` are the actions of the domain; with none, actions are not judged.
    pub(crate) fn collect(documents: &[Arc<Document>], actions: &[&str]) -> Self {
        let mut names = Self::default();
        for (family, kind, pattern) in DECLARED {
            for document in documents.iter().filter(|document| document.kind == *kind) {
                let found = document.find(pattern).into_iter().filter_map(|node| node.text()).map(str::to_owned);
                names.0.entry(*family).or_default().extend(found);
            }
        }
        // The engine brings its own codes along; they need no entry in the registry.
        if let Some(codes) = names.0.get_mut(&F::Code) {
            codes.extend(ReasonCodePolicy::builtin().codes.into_iter().map(|entry| entry.code));
        }
        names.0.insert(F::Action, actions.iter().map(|action| (*action).to_owned()).collect());
        names.unite(F::Party, [F::Role, F::Agent]);
        names.unite(F::Deed, [F::Action, F::Emit]);
        names
    }

    fn unite(&mut self, into: Family, parts: [Family; 2]) {
        // Half a union would make the other half look unknown.
        let all: Option<Vec<_>> = parts.iter().map(|part| self.all(*part).cloned()).collect();
        if let Some(all) = all {
            self.0.insert(into, all.into_iter().flatten().collect());
        }
    }

    /// The ids of a family; `None` when its declaration could not be read, so that nothing can be said.
    pub(crate) fn all(&self, family: Family) -> Option<&BTreeSet<String>> {
        self.0.get(&family).filter(|ids| !ids.is_empty())
    }
}

/// The file and place where a family is declared, for a remedy.
pub(crate) fn declared_in(family: Family) -> Option<(&'static str, &'static str)> {
    let family = if family == F::Party { F::Role } else { family };
    DECLARED.iter().find(|(one, ..)| *one == family).map(|(_, kind, pattern)| (*kind, *pattern))
}

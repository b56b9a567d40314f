//! Which files a policy directory must have.

/// Directories without which a directory is not a policy directory.
pub const REQUIRED_DIRECTORIES: &[&str] = &["emits", "rbac", "zones", "invariants"];

/// Rule files without which no episode may start: a missing rule must not turn into an absent rule.
pub const REQUIRED_FILES: &[&str] = &[
    "critical/critical_thresholds.v0.1.yaml",
    "critical/escalation_ladder.v0.2.yaml",
    "emits/emits_vocab.v0.1.yaml",
    "enforcement/enforcement_map.v0.1.yaml",
    "equipment/equipment_registry.v0.1.yaml",
    "equipment/failure_models.v0.1.yaml",
    "invariants/invariant_registry.v1.0.yaml",
    "keys/key_registry.v0.1.yaml",
    "rbac/rbac_policy.v0.1.yaml",
    "reagents/reagent_policy.v0.1.yaml",
    "reason_codes/reason_code_registry.v0.1.yaml",
    "sites/sites_policy.v0.1.yaml",
    "stability/stability_policy.v0.1.yaml",
    "tokens/token_registry.v0.1.yaml",
    "zones/zone_layout_policy.v0.1.yaml",
];

/// Files that came later than the layout of the reference or that it never read. Readers take the built-in
/// file when a directory lacks one, through [`crate::PolicyStore::section_or_builtin`].
pub const FALLBACK_FILES: &[&str] = &[
    "benchmarks/uncertainty_metric_mapping.v0.1.json",
    "catalogue/measurement_model.v0.1.yaml",
    "catalogue/test_catalogue.seed.v0.1.json",
    "coordination/coordination_methods.v0.1.yaml",
    "coordination/coordination_security_pack.v0.1.yaml",
    "coordination/coordination_security_pack_gate.v0.1.yaml",
    "coordination/coordination_selection_policy.v0.1.yaml",
    "coordination/coordination_study_spec.v0.1.yaml",
    "coordination/injections.v0.2.yaml",
    "coordination/method_risk_matrix.v0.1.yaml",
    "coordination/network_policy.v0.1.yaml",
    "coordination/resilience_scoring.v0.1.yaml",
    "coordination/risk_to_injection_map.v0.1.yaml",
    "coordination/scale_configs.v0.1.yaml",
    "coordination_identity_policy.v0.1.yaml",
    "memory_policy.v0.1.yaml",
    "official/benchmark_pack.v0.1.yaml",
    "risks/required_bench_plan.v0.1.yaml",
    "risks/risk_coverage_registry.v0.1.yaml",
    "risks/risk_registry.v0.1.yaml",
    "risks/waivers.v0.1.yaml",
    "safety_case/claims.v0.1.yaml",
    "security/adversarial_detection.v0.1.yaml",
    "security/agent_capabilities.v0.1.yaml",
    "security/prompt_injection_defense.v0.1.yaml",
    "security/prompt_injection_defense_paranoid.v0.1.yaml",
    "security/security_coverage_map.v0.1.yaml",
    "state_tool_capability_map.v0.1.yaml",
    "tokens/dual_approval_policy.v0.1.yaml",
    "tokens/token_enforcement_map.v0.1.yaml",
    "tool_boundary_policy.v0.1.yaml",
    "tool_registry.v0.1.yaml",
];

//! One-line mistakes in the shipped policy, and the one finding that each must give. Shared with the tests of the program.

/// A mistake: file, text that stands once in it, what it becomes, kind of the finding, what the finding is about.
pub(crate) type Mutation = (&'static str, &'static str, &'static str, &'static str, &'static str);

const ZONES: &str = "zones/zone_layout_policy.v0.1.yaml";
const EQUIPMENT: &str = "equipment/equipment_registry.v0.1.yaml";
const RBAC: &str = "rbac/rbac_policy.v0.1.yaml";
const TOKENS: &str = "tokens/token_registry.v0.1.yaml";
const KEYS: &str = "keys/key_registry.v0.1.yaml";
const SITES: &str = "sites/sites_policy.v0.1.yaml";
const REASONS: &str = "reason_codes/reason_code_registry.v0.1.yaml";
const INVARIANTS: &str = "invariants/invariant_registry.v1.0.yaml";
const ENFORCEMENT: &str = "enforcement/enforcement_map.v0.1.yaml";
const FAILURES: &str = "equipment/failure_models.v0.1.yaml";
const REAGENTS: &str = "reagents/reagent_policy.v0.1.yaml";
const CATALOGUE: &str = "catalogue/test_catalogue.seed.v0.1.json";

pub(crate) const MUTATIONS: &[Mutation] = &[
    (
        ZONES,
        "from: Z_COLD_FRIDGE, to: Z_COLD_FREEZER",
        "from: Z_COLD_FRIDGE, to: Z_COLD_FREZER",
        "unknown-zone",
        "Z_COLD_FREZER",
    ),
    (ZONES, "via_door: D_WASTE }", "via_door: D_WAIST }", "unknown-door", "D_WAIST"),
    (
        ZONES,
        "{ device_id: DEV_HAEM_01, zone_id: Z_ANALYZER_HALL_A }",
        "{ device_id: DEV_HEAM_01, zone_id: Z_ANALYZER_HALL_A }",
        "unknown-device",
        "DEV_HEAM_01",
    ),
    (
        ZONES,
        "{ device_id: DEV_COAG_01, zone_id: Z_ANALYZER_HALL_B }",
        "{ device_id: DEV_COAG_01, zone_id: Z_ANALYZER_HALL_C }",
        "unknown-zone",
        "Z_ANALYZER_HALL_C",
    ),
    (ZONES, "temp_band: FROZEN_M20", "temp_band: FROZEN_M30", "unknown-temperature-band", "FROZEN_M30"),
    (
        ZONES,
        "allowed_zones: [Z_RESTRICTED_BIOHAZARD, Z_WASTE_DISPOSAL]",
        "allowed_zones: [Z_RESTRICTED_BIOHAZARD, Z_WASTE]",
        "unknown-zone",
        "Z_WASTE",
    ),
    (
        ZONES,
        "requires_role: [ROLE_BIOHAZARD, ROLE_SUPERVISOR]",
        "requires_role: [ROLE_BIOHASARD, ROLE_SUPERVISOR]",
        "unknown-role",
        "ROLE_BIOHASARD",
    ),
    (
        ZONES,
        "requires_access_token: TOKEN_RESTRICTED_ENTRY",
        "requires_access_token: TOKEN_RESTRICTED_EXIT",
        "unknown-token-type",
        "TOKEN_RESTRICTED_EXIT",
    ),
    (
        ZONES,
        "    - { from: Z_COLD_FRIDGE, to: Z_COLD_FREEZER, travel_s: 10 }",
        "    # the way to the freezer",
        "unreachable-zone",
        "Z_COLD_FREEZER",
    ),
    (
        ZONES,
        "max_open_s: 600 # long",
        "max_open_s: long # long",
        "schema",
        "/zone_layout_policy/doors/0/max_open_s type",
    ),
    (
        ZONES,
        "    - { device_id: DEV_ALIQUOTER_01, zone_id: Z_ALIQUOT_LABEL }",
        "    # the aliquoter",
        "device-zone",
        "DEV_ALIQUOTER_01",
    ),
    (
        EQUIPMENT,
        "analyzer_device_types: [HAEM_ANALYZER]",
        "analyzer_device_types: [HAEM_ANALYSER]",
        "unknown-device-type",
        "HAEM_ANALYSER",
    ),
    (EQUIPMENT, "device_type: ALIQUOTER", "device_type: ALIQUOTTER", "unknown-device-type", "ALIQUOTTER"),
    (EQUIPMENT, "COAG_PANEL_CORE: { dist", "COAG_PANEL_COR: { dist", "unknown-panel", "COAG_PANEL_COR"),
    (EQUIPMENT, "zone_id: Z_CENTRIFUGE_BAY", "zone_id: Z_ALIQUOT_LABEL", "device-zone", "DEV_CENTRIFUGE_BANK_01"),
    (FAILURES, "DEV_CHEM_B_01: { enabled", "DEV_CHEM_C_01: { enabled", "unknown-device", "DEV_CHEM_C_01"),
    (
        FAILURES,
        "{ device_id: DEV_HAEM_01, start_ts_s: 200",
        "{ device_id: DEV_HAEM_02, start_ts_s: 200",
        "unknown-device",
        "DEV_HAEM_02",
    ),
    (
        REAGENTS,
        "{ reagent_id: R_COAG_CORE, quantity",
        "{ reagent_id: R_COAG_COER, quantity",
        "unknown-reagent",
        "R_COAG_COER",
    ),
    (REAGENTS, "HAEM_PANEL_CORE: {", "HEAM_PANEL_CORE: {", "unknown-panel", "HEAM_PANEL_CORE"),
    (
        SITES,
        "zone_ids: [Z_INGRESS_DOCK, Z_SRA_RECEPTION]",
        "zone_ids: [Z_INGRESS_DECK, Z_SRA_RECEPTION]",
        "unknown-zone",
        "Z_INGRESS_DECK",
    ),
    (SITES, "{ from_site: SITE_HUB,", "{ from_site: SITE_HAB,", "unknown-site", "SITE_HAB"),
    (RBAC, "A_QC: ROLE_QC", "A_QC: ROLE_QS", "unknown-role", "ROLE_QS"),
    (RBAC, "allowed_actions: [NOOP, TICK, MOVE, QC_EVENT]", "allowed_actions: []", "role-without-actions", "ROLE_QC"),
    (RBAC, "        - CREATE_ACCESSION", "        - CREATE_ACESSION", "unknown-action", "CREATE_ACESSION"),
    (
        RBAC,
        "[read_lims_v1, write_lims_v1, query_queue_v1]",
        "[read_lims_v2, write_lims_v1, query_queue_v1]",
        "unknown-tool",
        "read_lims_v2",
    ),
    (
        TOKENS,
        "approver_roles: [ROLE_QC]",
        "approver_roles: [ROLE_OPS]",
        "impossible-approvals",
        "TOKEN_QC_DRIFT_OVERRIDE",
    ),
    (
        TOKENS,
        "approver_roles: [ROLE_SUPERVISOR, ROLE_CLINICAL_SCIENTIST]",
        "approver_roles: [ROLE_SUPERVISOR]",
        "impossible-approvals",
        "OVERRIDE_RISK_ACCEPTANCE",
    ),
    (TOKENS, "allowed_doors: [D_RESTRICTED_AIRLOCK]", "allowed_doors: [D_AIRLOCK]", "unknown-door", "D_AIRLOCK"),
    (
        TOKENS,
        "reason_codes_allowed: [RBAC_RESTRICTED_ENTRY_DENY, SYS_DOWNTIME_ACTIVE]",
        "reason_codes_allowed: [RBAC_RESTRICTED_ENTRY_DENY, SYS_DOWNTIME]",
        "unknown-reason-code",
        "SYS_DOWNTIME",
    ),
    (KEYS, "role_id: ROLE_RUNNER", "role_id: ROLE_RUNER", "unknown-role", "ROLE_RUNER"),
    (KEYS, "key_id: ed25519:key_qc", "key_id: ed25519:key_clinsci", "declared-twice", "ed25519:key_clinsci"),
    (
        "tokens/dual_approval_policy.v0.1.yaml",
        "TOKEN_EMERGENCY_ACCESS, TOKEN_CHAIN",
        "TOKEN_EMERGENCY_EXIT, TOKEN_CHAIN",
        "unknown-token-type",
        "TOKEN_EMERGENCY_EXIT",
    ),
    (
        "tokens/token_enforcement_map.v0.1.yaml",
        "requires_token_type: TOKEN_QC_DRIFT_OVERRIDE",
        "requires_token_type: TOKEN_DRIFT",
        "unknown-token-type",
        "TOKEN_DRIFT",
    ),
    (
        INVARIANTS,
        "reason_code: RC_ILLEGAL_MOVE",
        "reason_code: RC_ILEGAL_MOVE",
        "unknown-reason-code",
        "RC_ILEGAL_MOVE",
    ),
    (
        INVARIANTS,
        "override_token_types: [TOKEN_MAINTENANCE_MODE]",
        "override_token_types: [TOKEN_MAINTENANCE]",
        "unknown-token-type",
        "TOKEN_MAINTENANCE",
    ),
    (INVARIANTS, "- invariant_id: INV-ZONE-002", "- invariant_id: INV-ZONE-001", "declared-twice", "INV-ZONE-001"),
    (
        ENFORCEMENT,
        "match: { invariant_id: INV-CRIT-004 }",
        "match: { invariant_id: INV-CRIT-040 }",
        "unknown-invariant",
        "INV-CRIT-040",
    ),
    (ENFORCEMENT, "zone_id: Z_RESTRICTED_BIOHAZARD }", "zone_id: Z_RESTRICTED }", "unknown-zone", "Z_RESTRICTED"),
    (ENFORCEMENT, "rule_id: ENF-AUDIT-001", "rule_id: ENF-CRIT-001", "declared-twice", "ENF-CRIT-001"),
    (REASONS, "    - code: RC_UNLABELLED", "    - code: RC_LABEL_MISMATCH", "declared-twice", "RC_LABEL_MISMATCH"),
    (REASONS, "namespace: PKG", "namespace: PKQ", "unknown-namespace", "PKQ"),
    ("emits/emits_vocab.v0.1.yaml", "OPEN_DOOR, CLOSE_DOOR]", "OPEN_DOR, CLOSE_DOOR]", "unknown-emit", "OPEN_DOR"),
    (
        "security/agent_capabilities.v0.1.yaml",
        "    ROLE_RECEPTION:",
        "    ROLE_RECEPTIONS:",
        "unknown-role-or-agent",
        "ROLE_RECEPTIONS",
    ),
    (
        "tool_boundary_policy.v0.1.yaml",
        "tool_id: query_queue_v1",
        "tool_id: query_queue_v0",
        "unknown-tool",
        "query_queue_v0",
    ),
    (
        "tool_registry.v0.1.yaml",
        "tool_args/read_lims_v1",
        "tool_args/read_lims_v7",
        "no-such-file",
        "tool_args/read_lims_v7.args.v0.1.schema.json",
    ),
    (
        CATALOGUE,
        "\"reason_code_on_expiry\": \"RC_STABILITY_EXCEEDED_CBC_AMBIENT\"",
        "\"reason_code_on_expiry\": \"RC_STABILITY_CBC\"",
        "unknown-reason-code",
        "RC_STABILITY_CBC",
    ),
    (
        "partners/hsl_like/stability/stability_policy.v0.1.yaml",
        "reason_code: RC_STAB_NO_SEPARATION_WITHIN_WINDOW",
        "reason_code: RC_STAB_NO_SEPARATION",
        "unknown-reason-code",
        "RC_STAB_NO_SEPARATION",
    ),
    (TOKENS, "allowed_actions: [OPEN_DOOR, MOVE]", "allowed_actions: [OPEN_DOR, MOVE]", "unknown-action", "OPEN_DOR"),
    (
        REASONS,
        "triggers: [ASSIGN_LANE, QUEUE_RUN]",
        "triggers: [ASSIGN_LANE, QUEUE_RNU]",
        "unknown-action",
        "QUEUE_RNU",
    ),
    (
        "tokens/token_enforcement_map.v0.1.yaml",
        "action_type: START_RUN_OVERRIDE",
        "action_type: START_RUN_OVERIDE",
        "unknown-action",
        "START_RUN_OVERIDE",
    ),
];

/// `text` with the mistake in it, and the lines [from 1] where it now stands and where the finding may be: the line of
/// the mistake, or, where the mistake takes something away, the line that misses it.
pub(crate) fn spoiled(text: &str, (file, old, new, ..): &Mutation) -> (String, usize) {
    let at = text.find(old).unwrap_or_else(|| panic!("{file} has no {old:?}"));
    let line = text[..at].matches('\n').count() + 1;
    (text.replacen(old, new, 1), line)
}

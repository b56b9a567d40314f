//! The reference's policy directory compiles. Skipped, with a line that says so, where the directory is not there.

use labtrust_kernel::Symbols;
use labtrust_trust::enforcement::{EnforcementMap, EnforcementPolicy};
use labtrust_trust::gates::{Capabilities, CapabilityPolicy, Rbac, RbacPolicy};
use labtrust_trust::invariants::{InvariantDomain, InvariantPolicy, InvariantRegistry};
use labtrust_trust::keys::{KeyPolicy, KeyRegistry};
use labtrust_trust::reason::{ReasonCodePolicy, ReasonCodeRegistry};
use labtrust_trust::tokens::{DualApprovalPolicy, TokenPolicy, TokenTypes};
use labtrust_trust::tools::{StateToolPolicy, ToolBoundaryPolicy, ToolRegistry, ToolRegistryPolicy};
use labtrust_trust::{ActionSpec, ActionTable};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};

struct Lab;
impl InvariantDomain for Lab {
    type Context<'w> = ();
}

const fn action(name: &'static str) -> ActionSpec {
    ActionSpec { name, mutating: true, runtime_control: false }
}
const ACTIONS: &[ActionSpec] = &[
    action("RELEASE_RESULT"),
    action("RELEASE_RESULT_OVERRIDE"),
    action("START_RUN_OVERRIDE"),
    action("MOVE"),
    action("UPDATE_ROSTER"),
];

fn root() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/policy");
    if root.is_dir() {
        return Some(root);
    }
    eprintln!("skipped: the reference's policy directory is not beside the repository");
    None
}

/// The body of `key` in a policy file, or the whole file.
fn load<T: DeserializeOwned>(root: &Path, file: &str, key: Option<&str>) -> T {
    let text = std::fs::read_to_string(root.join(file)).unwrap();
    let whole: Value = serde_yaml::from_str(&text).unwrap();
    let body = key.map_or(whole.clone(), |key| whole[key].clone());
    serde_json::from_value(body).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn every_trust_section_of_the_reference_compiles_with_its_known_weak_spots() {
    let Some(root) = root() else { return };
    let (actions, mut symbols) = (ActionTable::new(ACTIONS), Symbols::default());

    let rbac: RbacPolicy = load(&root, "rbac/rbac_policy.v0.1.yaml", Some("rbac_policy"));
    let rbac = Rbac::compile(&rbac, &actions, &mut symbols).unwrap();
    let (reception, release) = (symbols.intern("A_RECEPTION"), actions.id("RELEASE_RESULT").unwrap());
    assert_eq!(rbac.check(reception, release, None, None).refusal, Some("RBAC_ACTION_DENY"));

    let capabilities: CapabilityPolicy =
        load(&root, "security/agent_capabilities.v0.1.yaml", Some("agent_capabilities"));
    Capabilities::compile(&capabilities, &actions, &mut symbols).unwrap();

    let keys: KeyPolicy = load(&root, "keys/key_registry.v0.1.yaml", Some("key_registry"));
    let compiled = KeyRegistry::compile(&keys, &mut symbols);
    let valid = keys.keys.len() - compiled.warnings().len();
    assert!(valid <= 1, "all but one of the shipped public keys are no curve points, {valid} compiled");

    let tokens: TokenPolicy = load(&root, "tokens/token_registry.v0.1.yaml", Some("token_registry"));
    let dual: DualApprovalPolicy = load(&root, "tokens/dual_approval_policy.v0.1.yaml", Some("dual_approval_policy"));
    let types = TokenTypes::compile(&tokens, Some(&dual), &actions, &mut symbols).unwrap();
    let airlock = symbols.intern("D_RESTRICTED_AIRLOCK");
    assert!(types.door_needs_token(airlock));

    let map: EnforcementPolicy = load(&root, "enforcement/enforcement_map.v0.1.yaml", None);
    assert_eq!(EnforcementMap::compile(&map, &mut symbols).unwrap().len(), 4);

    let invariants: InvariantPolicy = load(&root, "invariants/invariant_registry.v1.0.yaml", None);
    let registry = InvariantRegistry::<Lab>::compile(&invariants, [], &actions, &mut symbols).unwrap();
    assert!(!registry.specs().is_empty());

    let codes: ReasonCodePolicy =
        load(&root, "reason_codes/reason_code_registry.v0.1.yaml", Some("reason_code_registry"));
    let mut codes = ReasonCodeRegistry::compile(&codes).unwrap();
    assert_eq!(codes.len(), 109);
    let additive = ReasonCodePolicy::builtin();
    assert_eq!(codes.merge_missing(&additive), additive.codes.len(), "the additive codes are those it lacks");

    let tools: ToolRegistryPolicy = load(&root, "tool_registry.v0.1.yaml", Some("tool_registry"));
    let mut schema_of = |reference: &str| Some(load(&root, reference, None));
    let tools = ToolRegistry::compile(&tools, &mut schema_of, &mut symbols);
    assert_eq!((tools.len(), tools.warnings()), (3, &[][..]));
    let _: ToolBoundaryPolicy = load(&root, "tool_boundary_policy.v0.1.yaml", Some("tool_boundary_policy"));
    let _: StateToolPolicy = load(&root, "state_tool_capability_map.v0.1.yaml", Some("state_tool_capability_map"));
}

use super::*;
use serde_json::json;

struct Adapter(Result<Value, ToolFailure>);

impl ToolAdapter for Adapter {
    fn call(&mut self, _: &str, _: &Map<String, Value>, _: f64) -> Result<Value, ToolFailure> {
        self.0.clone()
    }
}

struct Bench {
    gate: ToolGate,
    rbac: Rbac,
    symbols: Symbols,
}

fn bench() -> Bench {
    let mut symbols = Symbols::default();
    let registry: ToolRegistryPolicy = serde_json::from_value(json!({"tools": [
        {"tool_id": "read", "capabilities": ["lims.read"], "arg_schema_ref": "read.json"},
        {"tool_id": "write", "capabilities": ["lims.write"], "arg_schema_ref": "odd.json", "version": "1"},
    ]}))
    .unwrap();
    let schema = json!({"type": "object", "required": ["id"], "additionalProperties": false, "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 3}, "limit": {"type": "integer", "minimum": 1, "maximum": 5},
    }});
    let mut schema_of =
        |reference: &str| Some(if reference == "read.json" { schema.clone() } else { json!({"pattern": "^a"}) });
    let registry = ToolRegistry::compile(&registry, &mut schema_of, &mut symbols);
    let boundary: ToolBoundaryPolicy = serde_json::from_value(json!({
        "default": {"max_bytes_out": 64, "max_records_out": 2, "allowed_egress_endpoints": ["internal"],
                    "output_classification": {"allowed_classes": ["Operational"]}},
        "tools": [{"tool_id": "write", "max_bytes_out": 1000, "output_classification": {"allowed_classes": ["PHI"]}}],
        "classification_rules": [{"path": "*.dob", "class": "PII"}, {"path": "patient_id", "class": "PHI"}],
        "egress_indicator_keys": ["egress_to"],
    }))
    .unwrap();
    let states: StateToolPolicy = serde_json::from_value(json!({"state_labels": {
        "accessioning": {"allowed_capabilities": ["lims.read"]},
        "default": {"allowed_capabilities": ["lims.read", "lims.write"]},
    }}))
    .unwrap();
    let boundary = ToolBoundary::compile(&boundary, &mut symbols);
    let gate = ToolGate::new(Arc::new(registry), Arc::new(boundary), Some(&states), &mut symbols);
    let rbac = serde_json::from_value(json!({"roles": {"R": {"allowed_tool_ids": ["read"]}, "FREE": {}}})).unwrap();
    let rbac = Rbac::compile(&rbac, &crate::ActionTable::new(&[]), &mut symbols).unwrap();
    Bench { gate, rbac, symbols }
}

impl Bench {
    fn admit(&mut self, tool: &str, role: &str) -> Option<&'static str> {
        let (tool, role) = (self.symbols.intern(tool), self.symbols.intern(role));
        self.gate.admit(tool, Some(role), &self.rbac).err()
    }

    fn args(&mut self, tool: &str, args: Value) -> Option<&'static str> {
        let tool = self.symbols.intern(tool);
        self.gate.check_args(tool, &args).err().map(|refusal| refusal.code)
    }

    fn run(&mut self, tool: &str, answer: Result<Value, ToolFailure>) -> Result<Value, &'static str> {
        let tool = self.symbols.intern(tool);
        let mut adapter = Adapter(answer);
        let output = self.gate.execute(tool, &Map::new(), Some(&mut adapter), &self.symbols);
        output.map(|output| output.value).map_err(|refusal| refusal.code)
    }
}

#[test]
fn a_tool_must_be_registered_and_allowed() {
    let mut b = bench();
    assert_eq!(b.admit("read", "R"), None);
    assert_eq!(b.admit("write", "R"), Some("TOOL_NOT_ALLOWED_FOR_ROLE"));
    assert_eq!(b.admit("write", "FREE"), None);
    assert_eq!(b.admit("rm", "FREE"), Some("TOOL_NOT_IN_REGISTRY"));
}

#[test]
fn a_list_of_tools_of_the_episode_takes_the_place_of_the_roles() {
    let mut b = bench();
    let write = b.symbols.intern("write");
    b.gate.restrict_to([write]);
    assert_eq!(b.admit("write", "R"), None);
    assert_eq!(b.admit("read", "R"), Some("TOOL_NOT_ALLOWED_FOR_ROLE"));
    b.gate.restrict_to([]);
    assert_eq!(b.admit("read", "R"), None);
    assert_eq!(b.admit("rm", "R"), Some("TOOL_NOT_IN_REGISTRY"));
}

#[test]
fn a_tool_that_does_not_fit_the_state_is_told_apart_and_an_unknown_state_is_the_default() {
    let mut b = bench();
    let mut s = |text: &str| b.symbols.intern(text);
    let (read, write, accessioning, other) = (s("read"), s("write"), s("accessioning"), s("elsewhere"));
    assert!(b.gate.applies(read, Some(accessioning)) && !b.gate.applies(write, Some(accessioning)));
    assert!(b.gate.applies(write, Some(other)) && b.gate.applies(write, None));
}

#[test]
fn arguments_of_the_wrong_shape_and_out_of_range_have_different_codes_and_shape_comes_first() {
    let mut b = bench();
    let (shape, range) = (Some("TOOL_ARG_SCHEMA_FAIL"), Some("TOOL_ARG_RANGE_FAIL"));
    for (args, expected) in [
        (json!({"id": "abc", "limit": 5}), None),
        (json!({"id": "abc", "limit": 2.0}), None),
        (json!([]), shape),
        (json!({}), shape),
        (json!({"id": 7}), shape),
        (json!({"id": "a", "limit": 1.5}), shape),
        (json!({"id": "a", "x": 1}), shape),
        (json!({"id": ""}), range),
        (json!({"id": "éééé"}), range),
        (json!({"id": "ééé"}), None),
        (json!({"id": "a", "limit": 0}), range),
        (json!({"id": "a", "limit": 6}), range),
        (json!({"id": "", "x": 1}), shape),
    ] {
        assert_eq!(b.args("read", args.clone()), expected, "{args}");
    }
}

#[test]
fn a_schema_that_says_more_than_can_be_checked_makes_the_tool_unusable_and_is_reported() {
    let mut b = bench();
    assert_eq!(b.args("write", json!({})), Some("TOOL_ARG_SCHEMA_FAIL"));
    assert!(b.gate.registry.warnings()[0].contains("pattern"), "{:?}", b.gate.registry.warnings());
}

#[test]
fn a_tool_that_cannot_run_fails_or_is_late_is_refused() {
    let mut b = bench();
    let read = b.symbols.intern("read");
    assert_eq!(b.gate.execute(read, &Map::new(), None, &b.symbols).unwrap_err().code, "TOOL_EXEC_EXCEPTION");
    assert_eq!(b.run("read", Err(ToolFailure::Exception("x".into()))), Err("TOOL_EXEC_EXCEPTION"));
    assert_eq!(b.run("read", Err(ToolFailure::Timeout)), Err("TOOL_TIMEOUT"));
    assert_eq!(b.run("read", Ok(json!([1]))), Err("TOOL_OUTPUT_MALFORMED"));
    assert_eq!(b.run("read", Ok(json!({"a": 1}))), Ok(json!({"a": 1})));
}

#[test]
fn what_comes_out_of_a_tool_stays_within_its_limits() {
    let mut b = bench();
    for (tool, answer, expected) in [
        ("read", json!({"rows": [1, 2]}), None),
        ("read", json!({"rows": [1, 2, 3]}), Some("TOOL_EGRESS_LIMIT_EXCEEDED")),
        ("read", json!({"text": "x".repeat(60)}), Some("TOOL_EGRESS_LIMIT_EXCEEDED")),
        ("read", json!({"egress_to": " Internal "}), None),
        ("read", json!({"egress_to": "evil.example"}), Some("TOOL_EGRESS_DENIED")),
        ("read", json!({"egress_to": 7}), Some("TOOL_EGRESS_DENIED")),
        ("read", json!({"a": [{"b": {"egress_to": "evil.example"}}]}), Some("TOOL_EGRESS_DENIED")),
        ("read", json!({"Egress-To": "evil.example"}), Some("TOOL_EGRESS_DENIED")),
        ("read", json!({"a": [1, 2], "b": [3]}), Some("TOOL_EGRESS_LIMIT_EXCEEDED")),
        ("read", json!({"a": {"b": [[1, 2, 3]]}}), Some("TOOL_EGRESS_LIMIT_EXCEEDED")),
        ("read", json!({"patient_id": 1}), Some("TOOL_DATA_CLASS_VIOLATION")),
        ("read", json!({"PatientId": 1}), Some("TOOL_DATA_CLASS_VIOLATION")),
        ("read", json!({"rows": [{"patient": {"dob": 1}}]}), Some("TOOL_DATA_CLASS_VIOLATION")),
        ("read", json!({"my_patient_id": 1}), None),
        ("write", json!({"patient_id": 1}), None),
        ("write", json!({"a": {"dob": 1}}), Some("TOOL_DATA_CLASS_VIOLATION")),
    ] {
        assert_eq!(b.run(tool, Ok(answer.clone())).err(), expected, "{tool} {answer}");
    }
}

#[test]
fn the_digest_of_an_answer_is_its_fingerprint() {
    let mut b = bench();
    let read = b.symbols.intern("read");
    let mut adapter = Adapter(Ok(json!({"b": 1, "a": 2})));
    let output = b.gate.execute(read, &Map::new(), Some(&mut adapter), &b.symbols).unwrap();
    assert_eq!(output.digest, fingerprint(&json!({"a": 2, "b": 1})).unwrap());
}

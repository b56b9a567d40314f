use super::*;
use crate::action::ActionSpec;
use serde_json::{Value, json};

struct Lab;
struct Seen<'w> {
    open: &'w bool,
    token: Option<Symbol>,
}
impl InvariantDomain for Lab {
    type Context<'w> = Seen<'w>;
}

const fn action(name: &'static str) -> ActionSpec {
    ActionSpec { name, mutating: true, runtime_control: false }
}
const ACTIONS: &[ActionSpec] = &[action("TICK"), action("MOVE"), action("OPEN_DOOR")];

fn door(spec: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    let door = spec.symbol("door_id")?;
    Some(if *seen.open {
        Finding::violation("RC_DOOR_OPEN_TOO_LONG")
            .with("door_id", Detail::Symbol(door))
            .with("duration_s", Detail::Int(300))
    } else {
        Finding::pass()
    })
}

fn token(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    seen.token.map(|_| Finding::pass())
}

const DOOR: HandlerEntry<Lab> = HandlerEntry { kind: "temporal", check: "door", actions: &["TICK"], run: door };
const TOKEN: HandlerEntry<Lab> = HandlerEntry { kind: "state", check: "token", actions: &[], run: token };

fn compile(
    invariants: Value,
    handlers: &[HandlerEntry<Lab>],
) -> Result<(InvariantRegistry<Lab>, ActionTable, Symbols), TrustError> {
    let policy: InvariantPolicy = serde_json::from_value(json!({"invariants": invariants})).unwrap();
    let (actions, mut symbols) = (ActionTable::new(ACTIONS), Symbols::default());
    let registry = InvariantRegistry::compile(&policy, handlers.iter().copied(), &actions, &mut symbols)?;
    Ok((registry, actions, symbols))
}

fn policy() -> Value {
    json!([
        {"invariant_id": "INV-TOK", "logic_template":
            {"type": "state", "parameters": {"check": "token", "action_types": ["MOVE", "TICK", "DANCE"]}}},
        {"invariant_id": "INV-ZONE-005", "severity": "high", "scope": "zone", "title": "doors close", "logic_template":
            {"type": "temporal", "parameters": {"check": "door", "door_id": "D1", "limit_s": 200}}},
        {"invariant_id": "INV-PROSE", "logic_template": "somebody should check this"},
        {"title": "no id"},
    ])
}

fn found(registry: &InvariantRegistry<Lab>, action: ActionId, seen: &Seen<'_>, symbols: &Symbols) -> Vec<String> {
    let mut ids = Vec::new();
    registry.evaluate(action, seen, |spec, _| ids.push(symbols.text(spec.id).to_owned()));
    ids
}

#[test]
fn a_step_runs_the_checks_of_its_action_in_registry_order() {
    let (registry, actions, mut symbols) = compile(policy(), &[DOOR, TOKEN]).unwrap();
    let seen = Seen { open: &true, token: Some(symbols.intern("T")) };
    let of = |action: &str| found(&registry, actions.id(action).unwrap(), &seen, &symbols);
    assert_eq!(of("TICK"), ["INV-TOK", "INV-ZONE-005"]);
    assert_eq!(of("MOVE"), ["INV-TOK"]);
    assert!(of("OPEN_DOOR").is_empty(), "the entry's action_types narrow what the handler could run for");
    assert!(!registry.has_checks(actions.id("OPEN_DOOR").unwrap()));
}

#[test]
fn a_check_with_nothing_to_say_gives_no_outcome() {
    let (registry, actions, symbols) = compile(policy(), &[DOOR, TOKEN]).unwrap();
    let seen = Seen { open: &false, token: None };
    assert_eq!(found(&registry, actions.id("TICK").unwrap(), &seen, &symbols), ["INV-ZONE-005"]);
}

#[test]
fn entries_without_a_handler_are_listed() {
    let (registry, _, symbols) = compile(policy(), &[TOKEN]).unwrap();
    let unhandled: Vec<&str> = registry.unhandled().map(|spec| symbols.text(spec.id)).collect();
    assert_eq!(unhandled, ["INV-ZONE-005", "INV-PROSE"]);
    assert_eq!(registry.specs().len(), 3);
}

#[test]
fn an_entry_keeps_its_severity_and_scope_or_the_defaults() {
    let (registry, _, symbols) = compile(policy(), &[]).unwrap();
    let of = |id: &str| {
        let spec = registry.spec(symbols.get(id).unwrap()).unwrap();
        (symbols.text(spec.severity), symbols.text(spec.scope))
    };
    assert_eq!(of("INV-ZONE-005"), ("high", "zone"));
    assert_eq!(of("INV-TOK"), ("med", "system"));
    assert_eq!(registry.spec(symbols.get("INV-ZONE-005").unwrap()).unwrap().number("limit_s"), Some(200.0));
}

#[test]
fn two_handlers_of_one_check_two_entries_of_one_id_and_an_unknown_action_are_errors() {
    assert!(compile(policy(), &[DOOR, DOOR]).is_err());
    let twice = json!([{"invariant_id": "INV-A"}, {"invariant_id": "INV-A"}]);
    assert_eq!(compile(twice, &[]).err().unwrap().token(), "INV-A");
    let wrong = HandlerEntry { actions: &["TOCK"], ..DOOR };
    assert_eq!(compile(policy(), &[wrong]).err().unwrap().hint(), "did you mean `TICK`?");
}

#[test]
fn a_pass_of_the_registry_does_not_hide_a_violation_of_the_action() {
    let (registry, _, mut symbols) = compile(policy(), &[]).unwrap();
    let (tok, zone) = (symbols.intern("INV-TOK"), symbols.intern("INV-ZONE-005"));
    let (tok_spec, zone_spec) = (registry.spec(tok).unwrap(), registry.spec(zone).unwrap());
    let mut outcomes = Outcomes::default();
    outcomes.record(zone, Some(zone_spec), Finding::violation("A"));
    outcomes.merge(tok_spec, Finding::pass());
    outcomes.merge(zone_spec, Finding::pass());
    assert_eq!(outcomes.violations().map(|facts| facts.reason).collect::<Vec<_>>(), [Some("A")]);
    outcomes.merge(zone_spec, Finding::violation("B"));
    outcomes.merge(tok_spec, Finding::violation("C"));
    let reasons: Vec<_> = outcomes.violations().map(|facts| facts.reason).collect();
    assert_eq!(reasons, [Some("B"), Some("C")], "each in its first place");
    outcomes.clear();
    assert!(!outcomes.any_violated());
}

#[test]
fn a_report_has_the_published_fields() {
    let (registry, actions, symbols) = compile(policy(), &[DOOR]).unwrap();
    let mut outcomes = Outcomes::default();
    let seen = Seen { open: &true, token: None };
    registry.evaluate(actions.id("TICK").unwrap(), &seen, |spec, finding| outcomes.merge(spec, finding));
    let report = serde_json::to_value(outcomes.as_slice()[0].report(&symbols)).unwrap();
    assert_eq!(
        report,
        json!({"invariant_id": "INV-ZONE-005", "status": "VIOLATION", "reason_code": "RC_DOOR_OPEN_TOO_LONG",
               "severity": "high", "scope": "zone", "details": {"door_id": "D1", "duration_s": 300}})
    );
}

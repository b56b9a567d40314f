//! Promises of the token store, through its public interface.

use bevy_ecs::world::World;
use labtrust_kernel::{Symbol, Symbols};
use labtrust_trust::gates::{Rbac, RbacPolicy};
use labtrust_trust::tokens::{
    Approval, DualApprovalPolicy, InitialToken, MintRequest, TokenPolicy, TokenRefusal, TokenState, TokenStore,
    TokenTypes, TokenUse,
};
use labtrust_trust::{ActionSpec, ActionTable, TrustError};
use proptest::prelude::*;
use serde_json::{Value, json};

const fn action(name: &'static str) -> ActionSpec {
    ActionSpec { name, mutating: true, runtime_control: false }
}

const ACTIONS: &[ActionSpec] =
    &[action("OPEN_DOOR"), action("MOVE"), action("START_RUN_OVERRIDE"), action("RELEASE_RESULT_OVERRIDE")];

struct Lab {
    world: World,
    store: TokenStore,
    rbac: Rbac,
    symbols: Symbols,
    actions: ActionTable,
}

fn types() -> Value {
    json!({"token_types": {
        "ENTRY": {
            "subject_type": ["agent"], "ttl_s": 900, "approvals_required": 1, "approver_roles": ["SUPERVISOR"],
            "reason_code_required": true, "reason_codes_allowed": ["DOWNTIME", "ACCESS"],
            "scope": {"allowed_actions": ["OPEN_DOOR", "MOVE"], "allowed_doors": ["D1"], "allowed_zones": ["Z1"]},
        },
        "OVERRIDE_RISK": {
            "subject_type": ["specimen", "result"], "approvals_required": 2,
            "approver_roles": ["SUPERVISOR", "SCIENTIST"], "reason_code_required": true,
            "scope": {"allowed_actions": ["START_RUN_OVERRIDE", "DANCE"], "allowed_reason_codes": ["TIME_EXPIRED"],
                      "denylist_reason_codes": ["QC_FAIL"]},
        },
        "QC_OVERRIDE": {
            "subject_type": ["result"], "ttl_s": 1800, "revocable": false,
            "scope": {"allowed_actions": ["RELEASE_RESULT_OVERRIDE"]},
            "constraints": {"deny_if_qc_fail_active": true},
        },
    }})
}

fn lab() -> Lab {
    lab_with(None).unwrap()
}

fn lab_with(dual: Option<&DualApprovalPolicy>) -> Result<Lab, TrustError> {
    let (mut symbols, actions) = (Symbols::default(), ActionTable::new(ACTIONS));
    let rbac: RbacPolicy = serde_json::from_value(json!({
        "roles": {"SUPERVISOR": {}, "SCIENTIST": {}, "RUNNER": {}},
        "agents": {"SUP": "SUPERVISOR", "SUP2": "SUPERVISOR", "SCI": "SCIENTIST", "RUN": "RUNNER"},
    }))
    .unwrap();
    let policy: TokenPolicy = serde_json::from_value(types()).unwrap();
    let types = TokenTypes::compile(&policy, dual, &actions, &mut symbols)?;
    Ok(Lab {
        world: World::new(),
        store: TokenStore::new(types),
        rbac: Rbac::compile(&rbac, &actions, &mut symbols).unwrap(),
        symbols,
        actions,
    })
}

/// (approver, key) pairs; an empty text is a missing field.
type Approvals<'a> = &'a [(&'a str, &'a str)];

impl Lab {
    fn mint(
        &mut self,
        by: &str,
        token_type: &str,
        subject: (&str, &str),
        reason: Option<&str>,
        approvals: Approvals<'_>,
        t_s: i64,
    ) -> Result<String, &'static str> {
        let s = &mut self.symbols;
        let approvals: Vec<Approval> = approvals
            .iter()
            .map(|(agent, key)| Approval::parse(&json!({"approver_agent_id": agent, "approver_key_id": key}), s))
            .collect();
        let request = MintRequest {
            approvals_waived: false,
            requester: s.intern(by),
            token_type: s.intern(token_type),
            subject_type: s.intern(subject.0),
            subject_id: s.intern(subject.1),
            reason: reason.map(|reason| s.intern(reason)),
            approvals: &approvals,
        };
        let minted = self.store.mint(&mut self.world, &request, &self.rbac, t_s, &mut self.symbols);
        minted.map(|id| self.symbols.text(id).to_owned()).map_err(|refusal| {
            assert_eq!(refusal.invariant, "INV-TOK-001");
            refusal.code
        })
    }

    fn mint_entry(&mut self, t_s: i64) -> Result<String, &'static str> {
        self.mint("SUP", "ENTRY", ("agent", "RUN"), Some("ACCESS"), &[], t_s)
    }

    fn mint_override(&mut self, approvals: Approvals<'_>) -> Result<String, &'static str> {
        self.mint("SUP", "OVERRIDE_RISK", ("specimen", "S4"), Some("TIME_EXPIRED"), approvals, 0)
    }

    fn id(&mut self, text: &str) -> Symbol {
        self.symbols.intern(text)
    }

    fn validate(&mut self, token: &str, used: &Use<'_>, t_s: i64) -> Option<(&'static str, &'static str)> {
        let s = &mut self.symbols;
        let subjects: Vec<Symbol> = used.subjects.iter().map(|subject| s.intern(subject)).collect();
        let token_use = TokenUse {
            action: self.actions.id(used.action).unwrap(),
            agent: s.intern(used.agent),
            subjects: &subjects,
            door: used.door.map(|door| s.intern(door)),
            zone: used.zone.map(|zone| s.intern(zone)),
            reason: used.reason.map(|reason| s.intern(reason)),
        };
        let token = s.intern(token);
        self.store.validate(&self.world, token, &token_use, t_s).err().map(|r| (r.invariant, r.code))
    }

    fn active(&self, t_s: i64) -> Vec<&str> {
        self.store.active(&self.world, t_s).map(|id| self.symbols.text(id)).collect()
    }

    fn initial(&mut self, token: Value) -> Result<(), TrustError> {
        let token: InitialToken = serde_json::from_value(token).unwrap();
        self.store.insert_initial(&mut self.world, &token, &mut self.symbols).map(|_| ())
    }
}

#[derive(Clone, Copy)]
struct Use<'a> {
    action: &'a str,
    agent: &'a str,
    subjects: &'a [&'a str],
    door: Option<&'a str>,
    zone: Option<&'a str>,
    reason: Option<&'a str>,
}

const DOOR: Use<'static> =
    Use { action: "OPEN_DOOR", agent: "RUN", subjects: &[], door: Some("D1"), zone: None, reason: Some("ACCESS") };
const RUN_S4: Use<'static> = Use {
    action: "START_RUN_OVERRIDE",
    agent: "ANA",
    subjects: &["S1", "S4"],
    door: None,
    zone: None,
    reason: Some("TIME_EXPIRED"),
};
const BOTH: Approvals<'static> = &[("SUP", "k1"), ("SCI", "k2")];

fn initial_entry(id: &str, state: &str) -> Value {
    json!({"token_id": id, "token_type": "ENTRY", "state": state, "subject_type": "agent", "subject_id": "RUN",
           "issued_at_ts_s": 100, "expires_at_ts_s": 900, "reason_code": "DOWNTIME"})
}

#[test]
fn a_requester_may_be_one_of_the_two_approvers() {
    let mut lab = lab();
    assert_eq!(lab.mint_override(BOTH).as_deref(), Ok("T_OVR_S4"));
    assert_eq!(lab.validate("T_OVR_S4", &RUN_S4, 3600), None);
    assert_eq!(lab.validate("T_OVR_S4", &RUN_S4, 3601), Some(("INV-TOK-002", "INV-TOK-002")));
}

#[test]
fn dual_approval_needs_two_agents_with_two_keys_and_both_roles() {
    for (approvals, code) in [
        (&[] as Approvals<'_>, "INV-TOK-001"),
        (&[("SUP", "k1")], "INV-TOK-001"),
        (&[("SUP", "k1"), ("SUP", "k2")], "INV-TOK-001"),
        (&[("SUP", "k1"), ("SCI", "k1")], "INV-TOK-001"),
        (&[("SUP", "k1"), ("SCI", "")], "INV-TOK-001"),
        (&[("SUP", ""), ("SCI", "")], "INV-TOK-001"),
        (&[("SUP", "k1"), ("", "k2")], "INV-TOK-001"),
        (&[("SUP", "k1"), ("SUP2", "k2")], "TOKEN_APPROVAL_ROLE"),
        (&[("SUP", "k1"), ("RUN", "k2")], "TOKEN_APPROVAL_ROLE"),
        (&[("SUP", "k1"), ("NOBODY", "k2")], "TOKEN_APPROVAL_ROLE"),
    ] {
        let mut lab = lab();
        assert_eq!(lab.mint_override(approvals), Err(code), "{approvals:?}");
        assert!(lab.store.is_empty(), "a refused mint leaves no token");
    }
}

#[test]
fn bare_agent_names_are_approvals_without_a_key() {
    let mut symbols = Symbols::default();
    let approval = Approval::parse(&json!("SUP"), &mut symbols);
    assert_eq!(approval, Approval { agent: symbols.get("SUP"), key: None, signature: None });
    assert_eq!(Approval::parse(&json!(7), &mut symbols), Approval { agent: None, key: None, signature: None });
}

#[test]
fn a_single_approval_may_be_the_requesters_own_if_its_role_approves() {
    assert_eq!(lab().mint_entry(0).as_deref(), Ok("T_ENTRY_RUN"));
    let mut lab = lab();
    assert_eq!(lab.mint("RUN", "ENTRY", ("agent", "RUN"), Some("ACCESS"), &[], 0), Err("TOKEN_APPROVAL_ROLE"));
    assert!(lab.mint("RUN", "ENTRY", ("agent", "RUN"), Some("ACCESS"), &[("SUP", "")], 0).is_ok());
}

#[test]
fn a_mint_of_the_wrong_type_subject_or_reason_is_refused() {
    let mut lab = lab();
    let mut mint = |kind, subject, reason| lab.mint("SUP", kind, subject, reason, &[], 0);
    assert_eq!(mint("NONE", ("agent", "RUN"), Some("ACCESS")), Err("INV-TOK-001"));
    assert_eq!(mint("ENTRY", ("specimen", "S1"), Some("ACCESS")), Err("TOKEN_SUBJECT_MISMATCH"));
    assert_eq!(mint("ENTRY", ("agent", ""), Some("ACCESS")), Err("TOKEN_SUBJECT_MISMATCH"));
    assert_eq!(mint("ENTRY", ("agent", "RUN"), None), Err("AUDIT_MISSING_REASON_CODE"));
    assert_eq!(mint("ENTRY", ("agent", "RUN"), Some("BORED")), Err("TOKEN_REASON_NOT_ALLOWED"));
}

#[test]
fn an_equal_token_cannot_be_minted_while_the_first_is_active_and_gets_a_number_afterwards() {
    let mut lab = lab();
    assert_eq!(lab.mint_entry(0).as_deref(), Ok("T_ENTRY_RUN"));
    assert_eq!(lab.mint_entry(900), Err("INV-TOK-001"));
    assert_eq!(lab.mint_entry(901).as_deref(), Ok("T_ENTRY_RUN_2"));
    assert_eq!(lab.mint_entry(902), Err("INV-TOK-001"));
    let second = lab.id("T_ENTRY_RUN_2");
    lab.store.consume(&mut lab.world, second, 903).unwrap();
    assert_eq!(lab.mint_entry(903).as_deref(), Ok("T_ENTRY_RUN_3"));
    assert_eq!(lab.active(903), ["T_ENTRY_RUN_3"]);
}

#[test]
fn override_tokens_of_two_types_for_one_subject_do_not_take_each_others_id() {
    let mut lab = lab();
    let first = lab.mint("SUP", "OVERRIDE_RISK", ("result", "R1"), Some("TIME_EXPIRED"), BOTH, 0);
    let second = lab.mint("SUP", "QC_OVERRIDE", ("result", "R1"), None, &[], 0);
    assert_eq!((first.as_deref(), second.as_deref()), (Ok("T_OVR_R1"), Ok("T_OVR_R1_2")));
}

#[test]
fn a_token_covers_only_its_action_place_reason_and_subject() {
    let mut lab = lab();
    lab.mint_entry(0).unwrap();
    lab.mint_override(BOTH).unwrap();
    let scope = Some(("INV-TOK-003", "TOKEN_SCOPE_MISMATCH"));
    let reason = Some(("INV-TOK-003", "TOKEN_REASON_NOT_ALLOWED"));
    let subject = Some(("INV-TOK-003", "TOKEN_SUBJECT_MISMATCH"));
    for (token, used, expected) in [
        ("T_ENTRY_RUN", DOOR, None),
        ("T_ENTRY_RUN", Use { action: "MOVE", door: None, zone: Some("Z1"), ..DOOR }, None),
        ("T_ENTRY_RUN", Use { reason: None, ..DOOR }, None),
        ("T_ENTRY_RUN", Use { door: Some("D2"), ..DOOR }, scope),
        ("T_ENTRY_RUN", Use { zone: Some("Z2"), ..DOOR }, scope),
        ("T_ENTRY_RUN", Use { door: None, ..DOOR }, scope),
        ("T_ENTRY_RUN", Use { action: "START_RUN_OVERRIDE", ..DOOR }, scope),
        ("T_ENTRY_RUN", Use { reason: Some("TIME_EXPIRED"), ..DOOR }, reason),
        ("T_ENTRY_RUN", Use { agent: "SUP", ..DOOR }, subject),
        ("T_OVR_S4", RUN_S4, None),
        ("T_OVR_S4", Use { subjects: &["S1"], ..RUN_S4 }, subject),
        ("T_OVR_S4", Use { subjects: &[], agent: "S4", ..RUN_S4 }, subject),
        ("T_OVR_S4", Use { reason: Some("QC_FAIL"), ..RUN_S4 }, reason),
        ("T_OVR_S4", DOOR, scope),
    ] {
        assert_eq!(lab.validate(token, &used, 10), expected, "{token} {} {:?}", used.action, used.door);
    }
}

#[test]
fn a_token_is_valid_on_its_first_and_last_second_only_between_them() {
    let mut lab = lab();
    lab.initial(initial_entry("T", "ACTIVE")).unwrap();
    let out_of_time = Some(("INV-TOK-002", "INV-TOK-002"));
    for (t_s, expected) in [(99, out_of_time), (100, None), (900, None), (901, out_of_time)] {
        assert_eq!(lab.validate("T", &DOOR, t_s), expected, "{t_s}");
    }
}

#[test]
fn only_an_active_token_is_valid() {
    for (state, invariant) in
        [("MINTED", "INV-TOK-002"), ("EXPIRED", "INV-TOK-002"), ("CONSUMED", "INV-TOK-002"), ("REVOKED", "INV-TOK-006")]
    {
        let mut lab = lab();
        lab.initial(initial_entry("T", state)).unwrap();
        assert_eq!(lab.validate("T", &DOOR, 200), Some((invariant, invariant)), "{state}");
        assert!(lab.active(200).is_empty());
    }
    assert_eq!(lab().validate("UNKNOWN", &DOOR, 200), Some(("INV-TOK-002", "INV-TOK-002")));
}

#[test]
fn a_revoked_token_is_refused_as_revoked_and_a_consumed_one_cannot_be_revoked() {
    let mut lab = lab();
    lab.initial(initial_entry("T", "ACTIVE")).unwrap();
    let token = lab.id("T");
    assert_eq!(lab.store.revoke(&mut lab.world, token), Ok(()));
    assert_eq!(lab.store.revoke(&mut lab.world, token), Ok(()), "taking back twice is no refusal");
    assert_eq!(lab.validate("T", &DOOR, 200), Some(("INV-TOK-006", "INV-TOK-006")));
    lab.initial(initial_entry("T2", "CONSUMED")).unwrap();
    let (used_up, unknown) = (lab.id("T2"), lab.id("T3"));
    assert!(lab.store.revoke(&mut lab.world, used_up).is_err());
    assert_eq!(lab.store.get(&lab.world, used_up).unwrap().state, TokenState::Consumed);
    assert!(lab.store.revoke(&mut lab.world, unknown).is_err());
}

#[test]
fn a_type_that_cannot_be_revoked_is_not() {
    let mut lab = lab();
    lab.mint("SUP", "QC_OVERRIDE", ("result", "R1"), None, &[], 0).unwrap();
    let token = lab.id("T_OVR_R1");
    let refusal = TokenRefusal { invariant: "INV-TOK-003", code: "TOKEN_SCOPE_MISMATCH" };
    assert_eq!(lab.store.revoke(&mut lab.world, token), Err(refusal));
    assert_eq!(lab.active(0), ["T_OVR_R1"]);
}

#[test]
fn an_initial_token_with_a_taken_id_or_an_odd_state_is_an_error_and_one_of_an_unknown_type_opens_nothing() {
    let mut lab = lab();
    lab.initial(initial_entry("T", "ACTIVE")).unwrap();
    assert_eq!(lab.initial(initial_entry("T", "ACTIVE")).unwrap_err().token(), "T");
    assert_eq!(lab.initial(initial_entry("T2", "FRESH")).unwrap_err().token(), "FRESH");
    assert_eq!(lab.store.len(), 1);
    let mut odd = initial_entry("T3", "ACTIVE");
    odd["token_type"] = json!("SKELETON_KEY");
    lab.initial(odd).unwrap();
    assert_eq!(lab.validate("T3", &DOOR, 200), Some(("INV-TOK-003", "TOKEN_SCOPE_MISMATCH")));
}

#[test]
fn tokens_are_counted_by_type() {
    let mut lab = lab();
    lab.mint_entry(0).unwrap();
    lab.initial(initial_entry("T", "ACTIVE")).unwrap();
    let (name, token) = (lab.id("ENTRY"), lab.id("T"));
    let kind = lab.store.types().id(name).unwrap();
    assert_eq!(lab.store.active_count(&lab.world, kind, 200), 2);
    lab.store.consume(&mut lab.world, token, 200).unwrap();
    let counts = lab.store.counts(kind);
    assert_eq!((counts.minted, counts.consumed, counts.revoked), (1, 1, 0));
    assert_eq!(lab.store.active_count(&lab.world, kind, 200), 1);
}

#[test]
fn a_dual_approval_rule_raises_a_type_to_two_approvals_and_must_name_a_type() {
    let under = |name: &str| {
        let rules = json!({"rules": [{"id": "DA", "applies_to_token_types": [name]}]});
        lab_with(Some(&serde_json::from_value(rules).unwrap()))
    };
    assert_eq!(under("ENTRIES").err().unwrap().hint(), "did you mean `ENTRY`?");
    let mut lab = under("ENTRY").unwrap();
    assert_eq!(lab.mint_entry(0), Err("INV-TOK-001"));
    let two = &[("SUP", "k1"), ("SUP2", "k2")];
    assert!(lab.mint("SUP", "ENTRY", ("agent", "RUN"), Some("ACCESS"), two, 0).is_ok());
}

#[test]
fn a_type_says_what_the_domain_must_check_and_which_places_need_a_token() {
    let mut lab = lab();
    let (qc, entry, d1, z1, d2) = (lab.id("QC_OVERRIDE"), lab.id("ENTRY"), lab.id("D1"), lab.id("Z1"), lab.id("D2"));
    let types = lab.store.types();
    assert!(types.constraint(types.id(qc).unwrap(), "deny_if_qc_fail_active"));
    assert!(!types.constraint(types.id(entry).unwrap(), "deny_if_qc_fail_active"));
    assert!(types.door_needs_token(d1) && types.zone_needs_token(z1) && !types.door_needs_token(d2));
    assert_eq!(types.unknown_actions(), [("OVERRIDE_RISK".to_owned(), "DANCE".to_owned())]);
    assert!(types.undefined_approver_roles(&lab.rbac).is_empty());
}

/// Anything somebody could try with the tokens of an episode.
#[derive(Clone, Copy, Debug)]
enum Try {
    Mint,
    Consume(u8),
    Revoke(u8),
    Wait(u16),
}

fn any_try() -> impl Strategy<Value = Try> {
    prop_oneof![
        Just(Try::Mint),
        (0u8..8).prop_map(Try::Consume),
        (0u8..8).prop_map(Try::Revoke),
        (0u16..600).prop_map(Try::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_token_is_used_at_most_once_and_never_after_it_was_revoked_or_has_expired(
        tries in proptest::collection::vec(any_try(), 1..60),
    ) {
        let mut lab = lab();
        // Of each token minted so far: name, last second, and whether it is used up or taken back.
        let (mut minted, mut t_s) = (Vec::<(String, i64, bool)>::new(), 0i64);
        for attempt in tries {
            match attempt {
                Try::Wait(by) => t_s += i64::from(by),
                Try::Mint => {
                    let alive = minted.iter().any(|(_, last, dead)| !dead && t_s <= *last);
                    let token = lab.mint_entry(t_s);
                    prop_assert_eq!(token.is_err(), alive);
                    minted.extend(token.map(|name| (name, t_s + 900, false)));
                }
                Try::Consume(n) | Try::Revoke(n) if usize::from(n) >= minted.len() => {}
                Try::Consume(n) => {
                    let (name, last, dead) = &mut minted[usize::from(n)];
                    let (token, usable) = (lab.id(name), !*dead && t_s <= *last);
                    prop_assert_eq!(lab.validate(name, &DOOR, t_s).is_none(), usable);
                    prop_assert_eq!(lab.store.consume(&mut lab.world, token, t_s).is_ok(), usable);
                    *dead |= usable;
                }
                Try::Revoke(n) => {
                    let (name, _, dead) = &mut minted[usize::from(n)];
                    let token = lab.id(name);
                    // Refused exactly when the token is used up; either way it opens nothing any more.
                    let _ = lab.store.revoke(&mut lab.world, token);
                    *dead = true;
                }
            }
        }
    }
}

//! The state a script begins with, and what is peculiar about it.

use super::{
    Profile, Signing,
    floor::{AGENTS, Panel, ROLES},
    signing::{key_of, signer_of},
};
use labtrust_policy::PolicyStore;
use proptest::{bool::weighted, collection::vec, prelude::any, strategy::Strategy};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// How a specimen begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    Arrived,
    /// At the other site.
    Acute,
    /// Comes later.
    Late,
    Accepted,
    /// Prepared long ago.
    Stale,
    /// Should have been kept cold, and was not.
    Warm,
    Leaking,
    /// A citrate tube that is not filled.
    Underfilled,
    Mislabelled,
}

/// What a script begins with. Everything about it shrinks towards the plain case.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Seed of the episode.
    pub seed: u64,
    /// Whether the order of work is enforced.
    pub enforced: bool,
    /// Whether work takes time.
    pub simulated: bool,
    /// Who signs.
    pub signing: Signing,
    /// Whether everybody does what is right.
    pub honest: bool,
    /// Whether the state brings policy of its own.
    pub own_policy: bool,
    /// Whether every measured value is critical (own policy), else none.
    pub critical: bool,
    /// Enforcement: none, the policy's, or a stricter map.
    pub enforcement: u8,
    /// Whether some agents have narrow limits.
    pub limits: bool,
    /// Whether there are tools.
    pub tools: bool,
    /// Whether devices fail all the time.
    pub fragile: bool,
    /// Whether consignments get warm.
    pub excursion: bool,
    /// Whether there is hardly any reagent.
    pub short_of_reagent: bool,
    /// Whether the information system is down.
    pub downtime: bool,
    /// Number of the event at which the chain is broken.
    pub break_at: Option<u32>,
    pub(super) specimens: Vec<(Panel, Begin)>,
}

/// Setups of a profile.
pub(super) fn setup(profile: &Profile) -> impl Strategy<Value = Setup> + use<> {
    let profile = profile.clone();
    let modes = (weighted(0.25), weighted(0.5), 0u8..8, any::<u64>());
    let oddities = (weighted(0.3), 0u8..10, weighted(0.12), weighted(0.2), weighted(0.1), weighted(0.15));
    let rest = (weighted(0.06), weighted(0.1), proptest::option::weighted(0.05, 3u32..30));
    let specimens = vec((0usize..8, 0u8..32), 1..=3);
    (modes, oddities, rest, specimens).prop_map(move |(modes, oddities, rest, specimens)| {
        let (open, simulated, signing, seed) = modes;
        let (critical, enforcement, limits, tools, fragile, excursion) = oddities;
        let (short_of_reagent, downtime, break_at) = rest;
        let odd = !profile.honest;
        let signing = profile.signing.unwrap_or(match signing {
            0..=3 => Signing::Control,
            4 | 5 => Signing::Strict,
            6 => Signing::Voluntary,
            _ => Signing::Nobody,
        });
        let begins = |(panel, begin): (usize, u8)| {
            let panel = Panel::ALL[panel.min(panel % 4)];
            let begin = match begin {
                24 => Begin::Late,
                22 | 23 => Begin::Acute,
                25 | 26 if odd => Begin::Accepted,
                27 if odd => Begin::Stale,
                28 | 29 if odd => Begin::Warm,
                30 if odd => Begin::Leaking,
                31 if odd && panel == Panel::Coag => Begin::Underfilled,
                31 if odd => Begin::Mislabelled,
                _ => Begin::Arrived,
            };
            (panel, begin)
        };
        Setup {
            seed,
            enforced: profile.enforced.unwrap_or(!open),
            simulated: profile.simulated.unwrap_or(simulated),
            signing,
            honest: profile.honest,
            own_policy: profile.own_policy,
            critical,
            enforcement: if enforcement < 5 { 0 } else { enforcement - 4 },
            limits: limits && odd && profile.own_policy,
            tools: tools && odd,
            fragile: fragile && odd && profile.own_policy,
            excursion: excursion && odd,
            short_of_reagent: short_of_reagent && odd,
            downtime,
            break_at: break_at.filter(|_| odd),
            specimens: specimens.into_iter().map(begins).collect(),
        }
    })
}

/// The built-in registry with devices that fail every few minutes.
static FRAGILE: LazyLock<Value> = LazyLock::new(|| {
    let policy = PolicyStore::builtin();
    let mut registry: Value = policy.value("equipment/equipment_registry.v0.1.yaml").unwrap_or(Value::Null);
    let mut registry = registry["equipment_registry"].take();
    for kind in ["CENTRIFUGE_BANK", "ALIQUOTER", "COAG_ANALYZER"] {
        registry["device_types"][kind]["failure_model"] = json!({
            "enabled": true, "fault_rate_per_hour": 12.0, "mttr_s": {"dist": "deterministic", "value": 120},
        });
    }
    registry
});

/// Id of the `n`-th specimen, from 0.
pub(super) fn specimen_id(n: usize) -> String {
    format!("S{}", n + 1)
}

impl Setup {
    /// The initial state.
    pub(super) fn state(&self) -> Map<String, Value> {
        let mut state = json!({
            "workflow": if self.enforced { "enforced" } else { "open" },
            "timing_mode": if self.simulated { "simulated" } else { "explicit" },
            "system": {"downtime_active": self.downtime},
            "agents": AGENTS.iter().map(|(agent, zone)| json!({"agent_id": agent, "zone_id": zone})).collect::<Vec<_>>(),
            "specimens": self.specimens.iter().enumerate().map(|(n, &kind)| specimen(n, kind)).collect::<Vec<_>>(),
            "strict_signatures": self.signing == Signing::Strict,
            "enforcement_enabled": self.enforcement > 0,
        });
        let acute: Vec<_> = self.begun(Begin::Acute).map(specimen_id).collect();
        if !acute.is_empty() {
            state["transport_required"] =
                json!([{"specimen_ids": acute, "origin_site": "SITE_ACUTE", "dest_site": "SITE_HUB"}]);
        }
        if self.excursion {
            state["transport_fault_injection"] = json!({"force_temp_excursion_on_next_receive": true});
        }
        if self.short_of_reagent {
            state["reagent_initial_stock"] = json!({"R_CHEM_CORE": 10, "R_HAEM_CORE": 0, "R_COAG_CORE": 4});
        }
        if let Some(number) = self.break_at {
            state["audit_fault_injection"] = json!({"break_hash_prev_on_event_id": format!("e{number}")});
        }
        if !self.honest {
            state["tokens"] = self.tokens();
        }
        if self.tools {
            self.add_tools(&mut state);
        }
        if self.own_policy {
            self.add_policy(&mut state);
        }
        match state {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    fn begun(&self, begin: Begin) -> impl Iterator<Item = usize> {
        (0..self.specimens.len()).filter(move |&n| self.specimens[n].1 == begin)
    }

    /// Tokens in every state of their life; those of the model are made by minting.
    fn tokens(&self) -> Value {
        let token = |id: &str,
                     kind: &str,
                     state: &str,
                     (subject_type, subject): (&str, &str),
                     times: (i64, i64),
                     why: &str| {
            json!({
                "token_id": id, "token_type": kind, "state": state, "subject_type": subject_type, "subject_id": subject,
                "issued_at_ts_s": times.0, "expires_at_ts_s": times.1, "reason_code": why,
            })
        };
        let (entry, risk) = ("TOKEN_RESTRICTED_ENTRY", "OVERRIDE_RISK_ACCEPTANCE");
        let supervisor = ("agent", "A_SUPERVISOR");
        json!([
            token("T_ENTRY", entry, "ACTIVE", supervisor, (0, 100_000), "RBAC_RESTRICTED_ENTRY_DENY"),
            token("T_SHORT", entry, "ACTIVE", supervisor, (0, 60), "RBAC_RESTRICTED_ENTRY_DENY"),
            token("T_LATER", entry, "ACTIVE", supervisor, (90_000, 100_000), "RBAC_RESTRICTED_ENTRY_DENY"),
            token("T_MINTED", entry, "MINTED", supervisor, (0, 100_000), "RBAC_RESTRICTED_ENTRY_DENY"),
            token("T_REVOKED", entry, "REVOKED", supervisor, (0, 100_000), "RBAC_RESTRICTED_ENTRY_DENY"),
            token("T_ODD", "TOKEN_OF_NO_TYPE", "ACTIVE", supervisor, (0, 100_000), "TIME_EXPIRED"),
            token("T_WARM", risk, "ACTIVE", ("consignment", "CONS_1"), (0, 100_000), "TRANSPORT_TEMP_EXCURSION"),
            token("T_RISK", risk, "ACTIVE", ("specimen", "S1"), (0, 100_000), "TIME_EXPIRED"),
            token("T_RESULT", risk, "ACTIVE", ("result", "R1"), (0, 100_000), "TIME_EXPIRED"),
        ])
    }

    fn add_tools(&self, state: &mut Value) {
        let tool = |id: &str, capability: &str| {
            json!({
                "tool_id": id, "publisher": "scripts", "version": "1", "capabilities": [capability], "risk_class": "low",
                "arg_schema_ref": "look.json",
            })
        };
        state["tool_registry"] = json!({"tool_registry": {"version": "0.1", "tools": [
            tool("read_lims_v1", "lims.read"), tool("forbidden_v1", "lims.erase"),
        ]}});
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "maximum": 5}}});
        state["tool_arg_schemas"] = json!({"look.json": schema});
        state["state_label"] = json!("default");
    }

    fn add_policy(&self, state: &mut Value) {
        // No value is below the first limit, every value is above the second.
        let high = if self.critical { -1.0e9 } else { 1.0e9 };
        let thresholds = Panel::ALL.map(|panel| {
            let (analyte, units) = panel.analyte();
            json!({"analyte_code": analyte, "units": units, "low": null, "high": high, "class": "CRIT_A"})
        });
        let mut effective = json!({"critical_thresholds": thresholds});
        if self.fragile {
            effective["equipment_registry"] = FRAGILE.clone();
        }
        if self.limits {
            effective["agent_capabilities"] = json!({
                "version": "0.1",
                "profiles": {
                    "A_QC": {"max_action_rate": 2},
                    "A_SUPERVISOR": {"max_actions_per_window": {"count": 2, "window_s": 60}},
                    "A_RECEPTION": {"allowed_actions": ["CREATE_ACCESSION", "CHECK_ACCEPTANCE_RULES", "ACCEPT_SPECIMEN"]},
                    "ROLE_ANALYTICS": {
                        "max_override_tokens": 1, "high_risk_actions": ["RELEASE_RESULT_OVERRIDE", "START_RUN_OVERRIDE"],
                    },
                    "ROLE_CLINICAL_SCIENTIST": {"max_override_tokens": 0},
                },
                "override_action_types": ["RELEASE_RESULT_OVERRIDE", "START_RUN_OVERRIDE"],
            });
        }
        if self.enforcement > 1 {
            effective["enforcement_map"] = self.strict_map();
        }
        state["effective_policy"] = effective;
        state["roster"] = json!({
            "roles": {"ROLE_FENCED": {
                "allowed_actions": ["TICK", "MOVE", "QUEUE_RUN", "START_RUN", "QC_EVENT"],
                "allowed_zones": ["Z_ANALYZER_HALL_A"], "allowed_devices": ["DEV_CHEM_A_01"],
            }, "ROLE_EVERYTHING": {}},
            "agents": {"A_FENCED": "ROLE_FENCED", "A_STRAY": "ROLE_FENCED", "A_EVERYTHING": "ROLE_EVERYTHING"},
        });
        state["agents"].as_array_mut().into_iter().for_each(|agents| {
            agents.push(json!({"agent_id": "A_FENCED", "zone_id": "Z_ANALYZER_HALL_A"}));
            // Outside the zones of its role, and without a place.
            agents.push(json!({"agent_id": "A_STRAY", "zone_id": "Z_QC_SUPERVISOR"}));
        });
        let key = |agent: &str, role: &str| {
            let id = key_of(agent);
            json!({"key_id": id, "public_key": signer_of(&id).public_b64(), "agent_id": agent, "role_id": role})
        };
        let mut keys: Vec<Value> = KEYS.clone();
        keys.extend(FENCED.iter().map(|(agent, role)| key(agent, role)));
        state["keys"] = Value::Array(keys);
    }

    /// A map under which every slip has a consequence; which one is the setup's choice.
    fn strict_map(&self) -> Value {
        let (action, second) = match self.enforcement {
            2 => (json!({"type": "kill_switch", "target_type": "device_id"}), json!({"type": "kill_switch"})),
            3 => (json!({"type": "freeze_zone"}), json!({"type": "freeze_zone", "zone_id": "Z_ANALYZER_HALL_A"})),
            4 => (json!({"type": "kill_switch", "target_type": "agent_id"}), json!({"type": "throttle_agent"})),
            _ => (json!({"type": "throttle_agent", "duration_s": 45}), json!({"type": "throttle_agent"})),
        };
        let rule = |id: &str, severity: &str, action: &Value| json!({"rule_id": id, "match": {"severity": severity}, "action": action});
        json!({"version": "0.1", "rules": [
            rule("ENF-SCRIPT-1", "critical", &action), rule("ENF-SCRIPT-2", "high", &action),
            {"rule_id": "ENF-SCRIPT-3", "match": {"invariant_id": "INV-CRIT-004"}, "action": second},
        ]})
    }
}

/// Agents that only states with policy of their own know.
const FENCED: [(&str, &str); 3] =
    [("A_FENCED", "ROLE_FENCED"), ("A_STRAY", "ROLE_FENCED"), ("A_EVERYTHING", "ROLE_EVERYTHING")];

/// The keys of everybody, and some that must not be good for anything. Made once: a public key costs a multiplication.
static KEYS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let key = |id: &str, agent: &str, role: &str, odd: Value| {
        let mut key = json!({
            "key_id": id, "public_key": signer_of(id).public_b64(), "agent_id": agent, "role_id": role,
        });
        if let (Some(key), Value::Object(odd)) = (key.as_object_mut(), odd) {
            key.extend(odd);
        }
        key
    };
    let mut keys = Vec::new();
    for ((agent, _), role) in AGENTS.iter().zip(ROLES) {
        keys.push(key(&key_of(agent), agent, role, json!({})));
        keys.push(key(&format!("script:revoked:{agent}"), agent, role, json!({"status": "REVOKED"})));
        keys.push(key(&format!("script:expired:{agent}"), agent, role, json!({"not_after_ts_s": 0})));
        keys.push(key(&format!("script:future:{agent}"), agent, role, json!({"not_before_ts_s": 1_000_000_000})));
        keys.push(key(&format!("script:role:{agent}"), agent, "ROLE_OPS", json!({})));
    }
    keys
});

fn specimen(n: usize, (panel, begin): (Panel, Begin)) -> Value {
    let priority = ["ROUTINE", "URGENT", "STAT"][n % 3];
    let mut specimen = json!({
        "specimen_id": specimen_id(n), "panel_id": panel.id(), "container_type": panel.container(),
        "collection_ts_s": 0, "arrival_ts_s": 0, "status": "arrived_at_reception", "fill_ratio_ok": true,
        "priority": priority,
    });
    let mut set = |key: &str, value: Value| specimen[key] = value;
    match begin {
        Begin::Arrived | Begin::Mislabelled => {}
        Begin::Acute => set("site_id", json!("SITE_ACUTE")),
        Begin::Late => set("arrival_ts_s", json!(200)),
        Begin::Accepted => set("status", json!("accepted")),
        Begin::Stale => {
            set("status", json!("aliquoted"));
            set("collection_ts_s", json!(-200_000));
            set("separated_ts_s", json!(-199_000));
        }
        Begin::Warm => {
            set("status", json!("aliquoted"));
            set("separated_ts_s", json!(0));
            set("storage_requirement", json!("REFRIGERATED_2_8"));
            set("temp_exposure_log", json!([{"t_s": -2_000, "temp_band": "AMBIENT_20_25"}]));
        }
        Begin::Leaking => set("integrity_flags", json!({"leak": true})),
        Begin::Underfilled => set("fill_ratio_ok", json!(false)),
    }
    specimen
}

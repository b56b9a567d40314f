//! Helpers of the end-to-end tests: a laboratory on a bench, driven by raw events.

pub mod generated;

pub mod differential;

pub mod scripts;

use labtrust_plugin::lab::{LabEngine, LoadedLab, Observer, StepFacts};
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value, json};
use std::{path::PathBuf, sync::Arc};

/// The built-in policy, loaded.
///
/// # Panics
/// When the built-in policy does not load: nothing works then.
#[must_use]
pub fn laboratory() -> Arc<dyn LoadedLab> {
    load(&PolicyStore::builtin())
}

/// The laboratory under another policy.
///
/// # Panics
/// When the policy does not load.
#[must_use]
pub fn load(policy: &PolicyStore) -> Arc<dyn LoadedLab> {
    let registry = labtrust_builtin::registry().expect("ids are unique");
    registry.lab_domain("hospital_lab").expect("it is compiled in").load(policy).expect("the policy loads")
}

/// The reference's policy directory beside the repository, where it is there; says so where it is not.
#[must_use]
pub fn reference_policy() -> Option<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/policy");
    if dir.is_dir() {
        Some(dir)
    } else {
        #[expect(clippy::print_stderr, reason = "a skipped test says what was missing")]
        {
            eprintln!("SKIPPED: no reference policy beside the repository ({})", dir.display());
        }
        None
    }
}

/// A laboratory in an episode, driven by raw events.
pub struct Bench {
    /// The engine.
    pub engine: Box<dyn LabEngine>,
    next_event: u32,
}

/// A state with one serum specimen at reception and the default agents, `workflow: enforced`.
#[must_use]
pub fn one_specimen(status: &str) -> Value {
    json!({
        "workflow": "enforced",
        "agents": [
            {"agent_id": "A_RECEPTION", "zone_id": "Z_SRA_RECEPTION"},
            {"agent_id": "A_PREAN", "zone_id": "Z_CENTRIFUGE_BAY"},
            {"agent_id": "A_RUNNER", "zone_id": "Z_ALIQUOT_LABEL"},
            {"agent_id": "A_ANALYTICS", "zone_id": "Z_ANALYZER_HALL_A"},
            {"agent_id": "A_QC", "zone_id": "Z_ANALYZER_HALL_A"},
            {"agent_id": "A_SUPERVISOR", "zone_id": "Z_QC_SUPERVISOR"},
        ],
        "specimens": [{
            "specimen_id": "S1", "panel_id": "BIOCHEM_PANEL_CORE", "container_type": "SERUM_SST",
            "collection_ts_s": 0, "arrival_ts_s": 0, "status": status,
        }],
    })
}

/// The way of one specimen from reception to release: time, agent, action, arguments.
#[must_use]
pub fn full_lane() -> Vec<(i64, &'static str, &'static str, Value)> {
    let s1 = || json!({"specimen_id": "S1"});
    vec![
        (10, "A_RECEPTION", "CREATE_ACCESSION", s1()),
        (20, "A_RECEPTION", "CHECK_ACCEPTANCE_RULES", json!({"specimen_id": "S1", "id_match": true})),
        (30, "A_RECEPTION", "ACCEPT_SPECIMEN", s1()),
        (40, "A_PREAN", "CENTRIFUGE_START", json!({"device_id": "DEV_CENTRIFUGE_BANK_01", "specimen_ids": ["S1"]})),
        (650, "A_PREAN", "CENTRIFUGE_END", json!({"device_id": "DEV_CENTRIFUGE_BANK_01", "specimen_ids": ["S1"]})),
        (660, "A_RUNNER", "ALIQUOT_CREATE", json!({"specimen_id": "S1", "aliquot_id": "A1"})),
        (670, "A_ANALYTICS", "QUEUE_RUN", json!({"device_id": "DEV_CHEM_A_01", "work_id": "S1"})),
        (680, "A_ANALYTICS", "START_RUN", json!({"device_id": "DEV_CHEM_A_01", "run_id": "RUN_1"})),
        (720, "A_ANALYTICS", "GENERATE_RESULT", json!({"result_id": "R1", "run_id": "RUN_1"})),
        (730, "A_ANALYTICS", "RELEASE_RESULT", json!({"result_id": "R1"})),
    ]
}

impl Bench {
    /// Starts an episode under the built-in policy.
    ///
    /// # Panics
    /// When the state is refused.
    #[must_use]
    pub fn new(state: &Value) -> Self {
        Self::with_seed(state, 1)
    }

    /// Starts an episode with a seed.
    ///
    /// # Panics
    /// When the state is refused.
    #[must_use]
    pub fn with_seed(state: &Value, seed: u64) -> Self {
        let mut engine = laboratory().engine();
        let state = state.as_object().expect("a state is a map");
        engine.reset(state, seed).expect("the state is good");
        // What arrives at the very beginning is there.
        engine.advance_to(0, &mut ());
        Self { engine, next_event: 0 }
    }

    /// Why a state is refused.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn refused(state: &Value) -> String {
        let state = state.as_object().expect("a state is a map");
        laboratory().engine().reset(state, 1).expect_err("the state is bad").to_string()
    }

    /// The raw event for an action; ids count up.
    pub fn event(&mut self, t_s: i64, agent: &str, action: &str, args: &Value) -> Map<String, Value> {
        self.next_event += 1;
        let event = json!({
            "event_id": format!("e{}", self.next_event), "t_s": t_s, "agent_id": agent, "action_type": action,
            "args": args, "reason_code": null, "token_refs": [],
        });
        event.as_object().expect("it is a map").clone()
    }

    /// Applies an action; the answer is `ACCEPTED` or the code of the refusal.
    pub fn act(&mut self, t_s: i64, agent: &str, action: &str, args: &Value) -> String {
        let event = self.event(t_s, agent, action, args);
        self.apply(&event)
    }

    /// Applies a raw event; the answer is `ACCEPTED` or the code of the refusal.
    pub fn apply(&mut self, event: &Map<String, Value>) -> String {
        self.engine.begin_batch();
        let result = self.engine.step_raw(event, &mut ());
        result.blocked_reason_code.unwrap_or_else(|| "ACCEPTED".to_owned())
    }

    /// Applies the first `steps` steps of the full lane.
    ///
    /// # Panics
    /// When one of them is refused.
    pub fn lane(&mut self, steps: usize) {
        for (t_s, agent, action, args) in full_lane().into_iter().take(steps) {
            assert_eq!(self.act(t_s, agent, action, &args), "ACCEPTED", "{action} at {t_s}");
        }
    }

    /// Answers a query.
    ///
    /// # Panics
    /// When the query is unknown.
    pub fn ask(&mut self, query: &str) -> Value {
        self.engine.query(query).expect("a known query")
    }

    /// Everything that queries show of the state.
    pub fn digest(&mut self) -> Value {
        let queries = [
            "specimen_status('S1')",
            "last_reason_code('S1')",
            "result_status('R1')",
            "result_flags('R1')",
            "queue_length(DEV_CHEM_A_01)",
            "queue_head(DEV_CHEM_A_01)",
            "specimen_counts",
            "token_active",
            "transport_consignments",
            "releasable_result_ids",
            "agent_zone(A_RUNNER)",
            "agent_zone(A_SUPERVISOR)",
            "door_state('D_RESTRICTED_AIRLOCK')",
            "zone_state('Z_RESTRICTED_BIOHAZARD')",
            "device_qc_state(DEV_CHEM_A_01)",
        ];
        Value::Array(queries.iter().map(|query| self.ask(query)).collect())
    }
}

/// Keeps what an observer is told: event bytes, hashes and times.
#[derive(Debug, Default)]
pub struct Tape {
    /// `(action, t_s, chain hash)` of every record, the laboratory's own included.
    pub records: Vec<(String, i64, String)>,
    /// The events as hashed.
    pub events: Vec<Vec<u8>>,
}

impl Observer for Tape {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        let (name, t_s) = facts.action.map_or(("?", 0), |action| (action.decision.kind.name(), action.t_s));
        self.records.push((name.to_owned(), t_s, facts.chain.last_hash.to_owned()));
        self.events.push(facts.event.to_vec());
    }
}

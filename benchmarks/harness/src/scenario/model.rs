//! What a scenario file says.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Seed of a scenario that states none.
pub(super) const DEFAULT_SEED: u64 = 12_345;

/// One scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its id; a run has each once.
    pub scenario_id: String,
    /// What it shows, in a sentence.
    #[serde(default)]
    pub title: String,
    /// The state at the start. In RON files `workflow` is stated; in suites it is `open` unless stated.
    pub initial_state: Map<String, Value>,
    /// Takes the place of the key of that name in the initial state.
    #[serde(default)]
    pub transport_fault_injection: Option<Value>,
    /// Seed of the episode; in a suite, that of the suite.
    #[serde(default)]
    pub rng_seed: Option<u64>,
    /// Changes of policy files for this scenario: a map is merged into the file, a text takes its place.
    #[serde(default)]
    pub policy: Map<String, Value>,
    /// The policy cannot be loaded, and the error says this; then there is no script.
    #[serde(default)]
    pub expect_load: Option<String>,
    /// The initial state cannot be used, and the error says this; then there is no script.
    #[serde(default)]
    pub expect_reset: Option<String>,
    /// The events, in order.
    #[serde(default)]
    pub script: Vec<ScriptStep>,
    /// What is to be exported after the script.
    #[serde(default)]
    pub post_run_hooks: Vec<String>,
    /// What is to be done and looked at after the script and the hooks.
    #[serde(default)]
    pub post_run: Vec<PostRunAction>,
}

/// One event and what has to come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptStep {
    /// The event's id.
    pub event_id: String,
    /// When [s].
    pub t_s: i64,
    /// Who acts.
    pub agent_id: String,
    /// What is done.
    pub action_type: String,
    /// With what.
    #[serde(default)]
    pub args: Map<String, Value>,
    /// The stated reason.
    #[serde(default)]
    pub reason_code: Option<String>,
    /// Tokens that are presented.
    #[serde(default)]
    pub token_refs: Vec<String>,
    /// The key of the signature.
    #[serde(default)]
    pub key_id: Option<String>,
    /// The signature; [`super::FIXTURE_SIGNATURE`] stands for a good one, [`super::FLIPPED_SIGNATURE`] for one with a
    /// flipped bit.
    #[serde(default)]
    pub signature: Option<String>,
    /// The signature goes to the engine as it is written here, whatever it stands for.
    #[serde(default)]
    pub signature_as_written: bool,
    /// What the event said when it was signed, where that is something else than what is played.
    #[serde(default)]
    pub signed_as: Map<String, Value>,
    /// The event is of one batch with the step before, so signatures of both cover the same chain head.
    #[serde(default)]
    pub same_step: bool,
    /// Why, in words.
    #[serde(default)]
    pub rationale: Option<String>,
    /// The tool that is used.
    #[serde(default)]
    pub tool_id: Option<String>,
    /// What has to come of it.
    #[serde(default)]
    pub expect: Expect,
}

/// What has to come of an event. What is left out is not looked at.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// `ACCEPTED` or `BLOCKED`.
    #[serde(default)]
    pub status: Option<String>,
    /// The code of the refusal.
    #[serde(default)]
    pub blocked_reason_code: Option<String>,
    /// Words that are reported, among others.
    #[serde(default)]
    pub emits: Vec<String>,
    /// `ID:PASS` or `ID:VIOLATION`, among others.
    #[serde(default)]
    pub violations: Vec<String>,
    /// Tokens that are used up, among others.
    #[serde(default)]
    pub token_consumed: Vec<String>,
    /// `QUERY == VALUE` or `QUERY contains VALUE`.
    #[serde(default)]
    pub state_assertions: Vec<String>,
    /// Values by query and id.
    #[serde(default)]
    pub state: Map<String, Value>,
    /// Records that the step adds to the chain [count].
    #[serde(default)]
    pub hashchain_len_delta: Option<i64>,
    /// Whether the newest hash is another than before the step, and the one that a query gives.
    #[serde(default)]
    pub chain_moved: Option<bool>,
    /// Parts of the full answer: a map is there with at least these keys, a list with at least these entries, an
    /// empty list as an empty list.
    #[serde(default)]
    pub result: Map<String, Value>,
    /// `emits`, `violations` and `token_consumed` are all that is there, in this order.
    #[serde(default)]
    pub exact: bool,
}

/// One thing to do or to look at after the script.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostRunAction {
    /// What.
    pub action: String,
    /// A file, relative to the scenario's work directory.
    #[serde(default)]
    pub path: Option<String>,
    /// A schema of the policy.
    #[serde(default)]
    pub schema: Option<String>,
    /// Where an export goes.
    #[serde(default)]
    pub out_dir: Option<String>,
    /// The name of what is exported.
    #[serde(default)]
    pub out_filename: Option<String>,
}

impl Scenario {
    /// The state that the engine starts from, faults included.
    pub(super) fn state(&self) -> Map<String, Value> {
        let mut state = self.initial_state.clone();
        if let Some(fault) = &self.transport_fault_injection {
            state.insert("transport_fault_injection".into(), fault.clone());
        }
        state.entry("workflow").or_insert_with(|| "open".into());
        state
    }

    pub(super) fn seed(&self) -> u64 {
        self.rng_seed.unwrap_or(DEFAULT_SEED)
    }
}

impl ScriptStep {
    /// The event as engines get it. Its keys decide the chain hashes: the optional ones are there only when given.
    #[must_use]
    pub fn event(&self) -> Map<String, Value> {
        let mut event = Map::new();
        event.insert("event_id".into(), self.event_id.as_str().into());
        event.insert("t_s".into(), self.t_s.into());
        event.insert("agent_id".into(), self.agent_id.as_str().into());
        event.insert("action_type".into(), self.action_type.as_str().into());
        event.insert("args".into(), self.args.clone().into());
        event.insert("reason_code".into(), self.reason_code.clone().into());
        event.insert("token_refs".into(), self.token_refs.clone().into());
        let optional = [
            ("key_id", &self.key_id),
            ("signature", &self.signature),
            ("rationale", &self.rationale),
            ("tool_id", &self.tool_id),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                event.insert(key.into(), value.as_str().into());
            }
        }
        event
    }
}

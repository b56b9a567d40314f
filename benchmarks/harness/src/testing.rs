//! A laboratory with just enough in it to test the harness: it believes everything it is told, which is what a
//! measuring instrument has to be tested against.

use labtrust_contract::{HashChain, StepResult};
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::{
    Action, ActionKind, AgentContext, AgentPolicy, AgentView, Args, ChainValues, Decision, Engine, EventId, Finding,
    LabEngine, LabError, LoadedLab, Observer, Outcome, QueryError, StepFacts, Symbol, Symbols, TimingSummary,
    WorldView,
};
use labtrust_plugin::{AgentSeat, Opening, SigningKey, Task, TaskSpec};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// One scripted event: step index, action, result and specimen it names.
pub(crate) type Line = (u32, ActionKind, Option<&'static str>, Option<&'static str>);

/// Says its lines.
struct Scripted {
    lines: Vec<Line>,
    heard: Arc<std::sync::Mutex<Vec<Option<&'static str>>>>,
}

impl AgentPolicy for Scripted {
    fn decide(&mut self, ctx: &mut AgentContext<'_>) -> Option<Decision> {
        self.heard.lock().unwrap().push(ctx.refused);
        let step = u32::try_from(ctx.view.now_s / 10 - 1).unwrap();
        let &(_, kind, result, specimen) = self.lines.iter().find(|line| line.0 == step)?;
        let mut id = |text: Option<&str>| text.map(|text| ctx.symbols.intern(text));
        let args = Args { result: id(result), specimen: id(specimen), ..Args::default() };
        Some(Decision::new(kind, args))
    }
}

/// A task whose agents follow scripts.
pub(crate) struct FakeTask {
    pub(crate) spec: TaskSpec,
    /// Seats: environment name, engine name, attacker, lines.
    pub(crate) seats: Vec<(&'static str, &'static str, bool, Vec<Line>)>,
    pub(crate) state: Value,
    pub(crate) heard: Arc<std::sync::Mutex<Vec<Option<&'static str>>>>,
    pub(crate) signing: Option<[u8; 32]>,
    pub(crate) accepts_injections: bool,
}

impl FakeTask {
    pub(crate) fn new(seats: Vec<(&'static str, &'static str, bool, Vec<Line>)>) -> Self {
        let spec = TaskSpec {
            max_steps: 6,
            max_steps_simulated: 6,
            dt_s: 10,
            sla_turnaround_s: Some(30),
            attack_start_step: seats.iter().any(|seat| seat.2).then_some(2),
            timing_mode: "explicit",
            reward_config: &[("throughput_reward", 1.0)],
            scripted_agents: &["ops_0"],
            agent_set: "test",
            baseline_id: "scripted_ops_v1",
        };
        let state = json!({ "specimens": [
            { "specimen_id": "S1", "status": "arrived_at_reception", "arrival_ts_s": 0 },
            { "specimen_id": "S2", "status": "accepted", "arrival_ts_s": 5 },
        ]});
        Self { spec, seats, state, heard: Arc::default(), signing: None, accepts_injections: false }
    }
}

impl Task for FakeTask {
    fn id(&self) -> &'static str {
        "fake"
    }
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }
    fn initial_state(&self, _seed: u64, _calibration: Option<&Map<String, Value>>) -> Map<String, Value> {
        let mut state = self.state.as_object().unwrap().clone();
        let agents: Vec<_> = self.seats.iter().map(|seat| json!({ "agent_id": seat.1 })).collect();
        state.entry("agents").or_insert(json!(agents));
        state
    }
    fn agents(&self, _opening: &Opening<'_>) -> Vec<AgentSeat> {
        let seat = |&(name, agent_id, attacker, ref lines): &(&'static str, &'static str, bool, Vec<Line>)| AgentSeat {
            name: name.into(),
            agent_id: agent_id.into(),
            attacker,
            policy: Box::new(Scripted { lines: lines.clone(), heard: self.heard.clone() }),
        };
        self.seats.iter().map(seat).collect()
    }
    fn signing_keys(&self, _episode_seed: u64, agent_id: &str) -> Vec<SigningKey> {
        self.signing.into_iter().map(|seed| (seed, format!("KEY_{agent_id}"))).collect()
    }
    fn accepts_injections(&self) -> bool {
        self.accepts_injections
    }
}

/// Makes [`FakeEngine`]s.
pub(crate) struct FakeLab;

impl LoadedLab for FakeLab {
    fn engine(&self) -> Box<dyn LabEngine> {
        Box::<FakeEngine>::default()
    }

    fn under(&self, _common: &Map<String, Value>) -> Result<Arc<dyn LoadedLab>, LabError> {
        Ok(Arc::new(Self))
    }
}

/// Accepts everything but MOVE; a QC event breaks one invariant and keeps another; time passing is reported once.
#[derive(Default)]
pub(crate) struct FakeEngine {
    symbols: Symbols,
    outcome: Outcome,
    now_s: i64,
    seed: u64,
    agents: Vec<Symbol>,
    chain: Vec<String>,
    system_events: u32,
    simulated: bool,
    pub(crate) arrivals: Vec<Symbol>,
}

impl FakeEngine {
    fn record(&mut self, action: &Action, observer: &mut dyn Observer) {
        let mut event = Vec::new();
        action.write_canonical(&mut event, &self.symbols);
        let mut hash = Sha256::new();
        hash.update(self.chain.last().map_or("", String::as_str));
        hash.update(self.seed.to_le_bytes());
        hash.update(&event);
        self.outcome.chained = true;
        self.chain.push(crate::files::hex(&hash.finalize()));
        observer.on_step(&StepFacts {
            action: Some(action),
            outcome: &self.outcome,
            event: &event,
            chain: chain_values(&self.chain),
            symbols: &self.symbols,
        });
    }
}

fn chain_values(chain: &[String]) -> ChainValues<'_> {
    let before_last = chain.len().checked_sub(2).map(|at| &chain[at]);
    ChainValues {
        head_hash: chain.first().map_or("", String::as_str),
        last_hash: chain.last().map_or("", String::as_str),
        prev_hash: before_last.map_or("", String::as_str),
        length: chain.len() as u64,
    }
}

impl Engine for FakeEngine {
    fn reset(&mut self, state: &Map<String, Value>, seed: u64) -> Result<(), LabError> {
        *self = Self { seed, ..Self::default() };
        self.simulated = state["timing_mode"] == ClockMode::Simulated.as_str();
        for agent in state["agents"].as_array().unwrap() {
            let id = self.symbols.intern(agent["agent_id"].as_str().unwrap());
            self.agents.push(id);
        }
        let first_arrival = self.symbols.intern("S2");
        self.arrivals.push(first_arrival);
        Ok(())
    }
    fn begin_batch(&mut self) {}
    fn signing_payload(&mut self, _event: &Map<String, Value>) -> Option<Vec<u8>> {
        None
    }
    fn play(&mut self, _event: &Map<String, Value>) -> StepResult {
        unreachable!("the harness sends typed events")
    }
    fn query(&mut self, expression: &str) -> Result<Value, QueryError> {
        Err(QueryError(expression.to_owned()))
    }
    fn timing_summary(&mut self) -> TimingSummary {
        let timing_mode = if self.simulated { "simulated" } else { "explicit" };
        TimingSummary { timing_mode, ..TimingSummary::default() }
    }
}

impl LabEngine for FakeEngine {
    fn advance_to(&mut self, t_s: i64, observer: &mut dyn Observer) {
        self.now_s = self.now_s.max(t_s);
        for specimen in std::mem::take(&mut self.arrivals) {
            self.outcome.clear();
            self.outcome.accepted = true;
            self.outcome.emits.push("RECEIVE_BATCH");
            self.outcome.specimens.push(specimen);
            let mut args = Args::default();
            args.specimens.push(specimen);
            let agent = self.symbols.intern("SYSTEM");
            let decision = Decision::new(ActionKind::ReceiveBatch, args);
            let event_id = EventId::System(self.system_events);
            self.system_events += 1;
            self.record(&Action { event_id, t_s: 7, agent, decision }, observer);
        }
    }
    fn batch_head(&self) -> &str {
        ""
    }
    fn write_signing_payload(&self, action: &Action, out: &mut Vec<u8>) {
        action.write_canonical(out, &self.symbols);
    }
    fn step(&mut self, action: &Action, observer: &mut dyn Observer) {
        self.outcome.clear();
        let kind = action.decision.kind;
        self.outcome.accepted = kind != ActionKind::Move;
        if self.outcome.accepted {
            self.outcome.emits.push(kind.name());
            self.outcome.specimens.extend(action.decision.args.specimen);
        } else {
            self.outcome.reason = Some("RBAC_ACTION_DENY");
        }
        if kind == ActionKind::QcEvent {
            for (id, violated) in [("INV-BROKEN", true), ("INV-KEPT", false)] {
                let invariant = self.symbols.intern(id);
                let details = smallvec::SmallVec::new();
                self.outcome.findings.push(Finding {
                    invariant,
                    violated,
                    reason: None,
                    severity: None,
                    scope: None,
                    details,
                });
            }
        }
        self.record(action, observer);
    }
    fn step_raw(&mut self, _event: &Map<String, Value>, _observer: &mut dyn Observer) -> StepResult {
        unreachable!("the harness sends typed events")
    }
    fn outcome(&self) -> &Outcome {
        &self.outcome
    }
    fn result(&self) -> StepResult {
        self.outcome.to_result(&self.symbols, HashChain::default())
    }
    fn chain(&self) -> ChainValues<'_> {
        chain_values(&self.chain)
    }
    fn observe(&mut self, view: &mut WorldView) {
        view.now_s = self.now_s;
        view.agents = self
            .agents
            .iter()
            .map(|&id| AgentView {
                id,
                zone: None,
                walking_to: None,
                arrives_s: None,
                role: None,
                may: labtrust_trust::action::ActionSet::ALL,
            })
            .collect();
    }
    fn announce(&mut self, _specimen: &Map<String, Value>) -> Result<(), LabError> {
        unreachable!("nothing comes from elsewhere")
    }
    fn go_unrecorded(&mut self) {}
    fn symbols(&self) -> &Symbols {
        &self.symbols
    }
    fn symbols_mut(&mut self) -> &mut Symbols {
        &mut self.symbols
    }
}

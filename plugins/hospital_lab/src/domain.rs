//! The laboratory as a plugin: domain, loaded policy, engine.

use crate::{lab::Lab, shared::Shared};
use labtrust_contract::StepResult;
use labtrust_kernel::SimTime;
use labtrust_plugin::{
    lab::{
        Action, ChainValues, Engine, LabDomain, LabEngine, LabError, LoadedLab, Memory, Observer, Outcome, QueryError,
        Symbols, TimingSummary, WorldView,
    },
    register_plugin,
};
use labtrust_policy::{PolicyError, PolicyStore};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The hospital laboratory.
pub struct HospitalLab;

register_plugin!(LabDomain, HospitalLab);

impl LabDomain for HospitalLab {
    fn id(&self) -> &'static str {
        "hospital_lab"
    }

    fn load(&self, policy: &PolicyStore) -> Result<Arc<dyn LoadedLab>, PolicyError> {
        Ok(Arc::new(Loaded(Arc::new(Shared::load(policy)?))))
    }
}

struct Loaded(Arc<Shared>);

impl LoadedLab for Loaded {
    fn engine(&self) -> Box<dyn LabEngine> {
        Box::new(HospitalEngine { shared: Arc::clone(&self.0), lab: None })
    }

    fn under(&self, common: &Map<String, Value>) -> Result<Arc<dyn LoadedLab>, LabError> {
        Ok(Arc::new(Self(Arc::new(self.0.under(common)?))))
    }
}

/// One engine: the shared policy and the episode it is in.
struct HospitalEngine {
    shared: Arc<Shared>,
    lab: Option<Box<Lab>>,
}

impl HospitalEngine {
    fn lab(&self) -> &Lab {
        self.lab.as_deref().expect("an engine is reset before its first step")
    }

    fn lab_mut(&mut self) -> &mut Lab {
        self.lab.as_deref_mut().expect("an engine is reset before its first step")
    }
}

impl Engine for HospitalEngine {
    fn reset(&mut self, initial_state: &Map<String, Value>, seed: u64) -> Result<(), LabError> {
        self.lab = None;
        self.lab = Some(Box::new(Lab::start(&self.shared, initial_state, seed)?));
        Ok(())
    }

    fn begin_batch(&mut self) {
        let lab = self.lab_mut();
        lab.batch_head.clear();
        lab.batch_head.push_str(lab.chain.last_hash());
    }

    fn signing_payload(&mut self, event: &Map<String, Value>) -> Option<Vec<u8>> {
        let lab = self.lab_mut();
        let action = Action::from_raw(event, &mut lab.symbols).ok()?;
        let empty = Map::new();
        // The arguments of a raw event are signed as they are written, not as the typed action would write them.
        let args = event.get("args").and_then(Value::as_object).unwrap_or(&empty);
        let mut payload = Vec::new();
        lab.write_payload(&action, Some(args), &mut payload);
        Some(payload)
    }

    fn play(&mut self, event: &Map<String, Value>) -> StepResult {
        self.lab_mut().step_raw(event, &mut ())
    }

    fn query(&mut self, expression: &str) -> Result<Value, QueryError> {
        self.lab().query(expression)
    }

    fn memory_at(&mut self, t_s: i64) -> Option<Memory> {
        let lab = self.lab_mut();
        // As an event of that time would: a frozen log stops everything.
        if !lab.log_frozen && t_s >= 0 && Lab::moment(t_s) > lab.now {
            lab.advance(Lab::moment(t_s), &mut ());
        }
        Some(lab.memory())
    }

    fn timing_summary(&mut self) -> TimingSummary {
        let lab = self.lab();
        if lab.simulated() {
            TimingSummary {
                timing_mode: lab.timing.as_str(),
                episode_time_s: Some(lab.now.as_secs_ceil()),
                device_busy_s: lab.device_busy(),
            }
        } else {
            TimingSummary { timing_mode: lab.timing.as_str(), ..TimingSummary::default() }
        }
    }
}

impl LabEngine for HospitalEngine {
    fn advance_to(&mut self, t_s: i64, observer: &mut dyn Observer) {
        let lab = self.lab_mut();
        let to: SimTime = Lab::moment(t_s);
        if to >= lab.now {
            lab.advance(to, observer);
        }
    }

    fn batch_head(&self) -> &str {
        &self.lab().batch_head
    }

    fn write_signing_payload(&self, action: &Action, out: &mut Vec<u8>) {
        self.lab().write_payload(action, None, out);
    }

    fn note_signature(&mut self, public: &[u8; 32], signature: &[u8; 64], payload: &[u8]) {
        self.lab_mut().keys.note_made(public, signature, payload);
    }

    fn step(&mut self, action: &Action, observer: &mut dyn Observer) {
        self.lab_mut().step(action, observer);
    }

    fn step_raw(&mut self, event: &Map<String, Value>, observer: &mut dyn Observer) -> StepResult {
        self.lab_mut().step_raw(event, observer)
    }

    fn outcome(&self) -> &Outcome {
        &self.lab().outcome
    }

    fn result(&self) -> StepResult {
        let lab = self.lab();
        lab.outcome.to_result(&lab.symbols, lab.chain.report())
    }

    fn chain(&self) -> ChainValues<'_> {
        self.lab().chain_values()
    }

    fn observe(&mut self, view: &mut WorldView) {
        self.lab_mut().observe(view);
    }

    fn most_releasable(&self, horizon_s: i64, dt_s: u32) -> Option<u32> {
        Some(self.lab().most_releasable(horizon_s, dt_s))
    }

    fn announce(&mut self, specimen: &Map<String, Value>) -> Result<(), LabError> {
        self.lab_mut().announce(specimen)
    }

    fn go_unrecorded(&mut self) {
        self.lab_mut().unrecorded = true;
    }

    fn rest(&mut self) -> bool {
        self.lab_mut().rest()
    }

    fn wake(&mut self) {
        self.lab_mut().wake();
    }

    fn symbols(&self) -> &Symbols {
        &self.lab().symbols
    }

    fn symbols_mut(&mut self) -> &mut Symbols {
        &mut self.lab_mut().symbols
    }
}

//! The laboratory of one episode: its state, and the ways to look at it and to change it.
//!
//! Start at [`crate::pipeline`] for what an event goes through, at [`happen`] for what the calendar brings, at
//! [`start`] for how an episode begins, at [`record`] for what is kept of it. Time is moved by the caller in both timings; in simulated timing services take time, in explicit
//! timing they end in the moment they begin. Either way their end is an event of the calendar, and nothing polls.

mod crowd;
mod happen;
mod lazy;
mod memory;
mod record;
mod rest;
mod start;

use self::crowd::Crowd;
use self::lazy::DeviceStreams;
use self::rest::Hall;
use crate::{
    components::{Aliquot, Body, Device, ResultRecord, Specimen, Status},
    due::Due,
    initial_state::SpecimenEntry,
    invariants::LabInvariants,
    names::Names,
    observe::is_done,
    policy::LabPolicy,
    shared::Shared,
};
use bevy_ecs::{change_detection::Mut, entity::Entity};
use labtrust_kernel::{Calendar, ClockMode, Handle, SimDuration, SimTime, Stream, Symbol, SymbolMap, Symbols};
use labtrust_plugin::lab::{Control, Controls, Detail, Finding, Ids, Outcome};
use labtrust_trust::{
    AuditChain,
    enforcement::Enforcer,
    gates::{Capabilities, Rbac},
    invariants::InvariantRegistry,
    keys::KeyRegistry,
    tokens::TokenStore,
    tools::ToolGate,
};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::sync::Arc;

/// From ids to entities.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Index {
    #[serde(with = "crate::entity::map")]
    pub specimens: SymbolMap<Entity>,
    /// Aliquot to specimen id.
    pub aliquots: SymbolMap<Symbol>,
    #[serde(with = "crate::entity::map")]
    pub runs: SymbolMap<Entity>,
    #[serde(with = "crate::entity::map")]
    pub results: SymbolMap<Entity>,
    #[serde(with = "crate::entity::map")]
    pub communications: SymbolMap<Entity>,
    #[serde(with = "crate::entity::map")]
    pub consignments: SymbolMap<Entity>,
    #[serde(with = "crate::entity::map")]
    pub bodies: SymbolMap<Entity>,
}

/// What is in the view, kept from step to step: specimens in the view's order, runs and results as they came.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Shown {
    #[serde(with = "crate::entity::list")]
    pub entities: Vec<Entity>,
    /// One came, or what they are ordered by has changed.
    pub stale: bool,
    /// Runs that go on or have a result that was not filed yet; what is over is dropped at the next look.
    #[serde(with = "crate::entity::list")]
    pub runs: Vec<Entity>,
    /// Results that were not released yet; those that were are dropped at the next look.
    #[serde(with = "crate::entity::list")]
    pub results: Vec<Entity>,
}

/// Specimens that arrive at one moment.
#[derive(Debug, Serialize, Deserialize)]
struct ArrivalGroup {
    #[serde(with = "crate::entity::list")]
    specimens: SmallVec<[Entity; 4]>,
}

/// A device is broken for a stated time.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Outage {
    device: usize,
    begin: SimTime,
    end: SimTime,
}

/// Controls that are switched off.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ablated(pub Controls);

/// The laboratory of one episode.
pub(crate) struct Lab {
    pub shared: Arc<Shared>,
    pub policy: Arc<LabPolicy>,
    pub names: Names,
    pub symbols: Symbols,
    pub world: Hall,
    pub calendar: Calendar<Due>,
    pub ids: Index,
    pub zones: Vec<Entity>,
    pub doors: Vec<Entity>,
    pub devices: Vec<Entity>,
    /// In the order in which they came.
    pub specimens: Vec<Entity>,
    /// Those that are seen, in the order in which they are.
    pub shown: Shown,
    pub runs: Vec<Entity>,
    pub results: Vec<Entity>,
    pub consignments: Vec<Entity>,
    pub bodies: Vec<Entity>,
    pub crowd: Crowd,
    pub batches: Vec<SmallVec<[Entity; 8]>>,
    arrivals: Vec<ArrivalGroup>,
    /// Outages that the episode brings with it.
    outages: Vec<Outage>,
    pub now: SimTime,
    /// Now [s], rounded up.
    pub now_s: i64,
    pub timing: ClockMode,
    pub enforced: bool,
    pub downtime_active: bool,
    pub strict_signatures: bool,
    pub enforcement_enabled: bool,
    pub force_excursion: bool,
    /// Controls that the episode does without.
    pub ablated: Ablated,
    /// The record does not say yet which they are.
    pub ablation_undeclared: bool,
    pub scale_config_pending: bool,
    pub break_chain_on_event: Option<String>,
    pub partner_id: Option<String>,
    pub policy_fingerprint: Option<String>,
    pub transport_required: Vec<(Ids, Symbol, Symbol)>,
    /// Stock per reagent, in the order of the policy.
    pub stock: Vec<f64>,
    pub rbac: Rbac,
    pub capabilities: Capabilities,
    pub keys: KeyRegistry,
    pub tokens: TokenStore,
    pub enforcer: Enforcer,
    pub invariants: Arc<InvariantRegistry<LabInvariants>>,
    pub tools: ToolGate,
    pub state_label: Option<Symbol>,
    pub chain: AuditChain,
    pub log_frozen: bool,
    /// Nothing goes on record: the episode is only measured.
    pub unrecorded: bool,
    /// A lift of the forensic freeze was accepted in this step.
    pub thaw_log: bool,
    /// Enforcement of this step asks for a forensic freeze.
    pub freeze_after_record: bool,
    /// Chain head at the start of the batch.
    pub batch_head: String,
    /// Ids of signed events that were accepted: a signature is good once.
    pub signed_events: rustc_hash::FxHashSet<String>,
    /// Reused by every step.
    pub outcome: Outcome,
    /// Holds the outcome of the caller's step while the laboratory's own events of the moment happen.
    pub spare: Outcome,
    /// Reused by the evaluation of invariants.
    pub found: Vec<Finding>,
    pub event_bytes: Vec<u8>,
    pub record_bytes: Vec<u8>,
    pub payload_bytes: Vec<u8>,
    pub committed: bool,
    system_events: u32,
    steps_until_clear: u32,
    pub service_streams: DeviceStreams,
    pub qc_streams: DeviceStreams,
    failure_streams: DeviceStreams,
    pub transport_stream: Stream,
    measurement_streams: DeviceStreams,
    /// What is packed up between two windows of many laboratories.
    packed: Option<Box<[u8]>>,
}

impl Lab {
    fn schedule_failure(&mut self, device: usize) {
        let spec = &self.policy.equipment.devices[device];
        if let Some((between, _)) = &spec.failure {
            // A second at least, so that no policy makes a device fail for ever in one moment.
            let stream = self.failure_streams.of(device, self.symbols.text(spec.id));
            let between = between.draw(stream).max(SimDuration::from_secs(1));
            // At the end of all time a device would fail and be repaired for ever; what would be later does not happen.
            if let Some(at) = self.now.checked_add(between) {
                self.schedule(at, Due::Fault { device: Self::index16(device) });
            }
        }
    }

    /// Whether the episode has a control. Each control is asked for in one place, where it refuses.
    pub(crate) const fn holds(&self, control: Control) -> bool {
        !self.ablated.0.contains(control)
    }

    pub(crate) const fn simulated(&self) -> bool {
        matches!(self.timing, ClockMode::Simulated)
    }

    /// The moment of a whole second; seconds before the beginning are the beginning.
    pub(crate) fn moment(t_s: i64) -> SimTime {
        u64::try_from(t_s).ok().map_or(SimTime::ZERO, |s| SimTime::checked_from_secs(s).unwrap_or(SimTime::MAX))
    }

    pub(crate) fn index16(index: usize) -> u16 {
        u16::try_from(index).expect("a laboratory has fewer than 65536 devices, doors and units")
    }

    /// Puts an event into the calendar; what should have happened before now happens now.
    pub(crate) fn schedule(&mut self, at: SimTime, due: Due) -> Handle {
        let at = at.max(self.calendar.now());
        self.calendar.schedule(at, due.class(), due).expect("no event is scheduled before now")
    }

    pub(crate) fn specimen(&self, entity: Entity) -> &Specimen {
        self.world.get(entity).expect("a specimen is never taken out of the world")
    }

    pub(crate) fn specimen_mut(&mut self, entity: Entity) -> Mut<'_, Specimen> {
        self.world.get_mut(entity).expect("a specimen is never taken out of the world")
    }

    pub(crate) fn device(&self, device: usize) -> &Device {
        self.world.get(self.devices[device]).expect("a device is never taken out of the world")
    }

    pub(crate) fn device_mut(&mut self, device: usize) -> Mut<'_, Device> {
        self.world.get_mut(self.devices[device]).expect("a device is never taken out of the world")
    }

    pub(crate) fn is_frozen(&self, zone: usize) -> bool {
        self.enforcer.is_zone_frozen(self.policy.layout.zones[zone].id)
    }

    pub(crate) fn body(&self, agent: Symbol) -> Option<&Body> {
        self.ids.bodies.get(agent).and_then(|&body| self.world.get(body))
    }

    pub(crate) fn agent_zone(&self, agent: Symbol) -> Option<usize> {
        self.body(agent).and_then(|body| body.zone)
    }

    pub(crate) fn add_body(&mut self, agent: Symbol, zone: Option<usize>) -> Entity {
        let body = self.world.spawn(Body { id: agent, zone, walking_to: None, arrives: None }).id();
        if let Some(earlier) = self.ids.bodies.insert(agent, body) {
            self.uncount_body(earlier);
            self.bodies.retain(|&other| other != earlier);
            self.world.despawn(earlier);
        }
        self.bodies.push(body);
        self.count_body(zone);
        body
    }

    pub(crate) fn add_aliquot(&mut self, aliquot: Symbol, specimen: Symbol) {
        self.world.spawn(Aliquot { specimen });
        self.ids.aliquots.insert(aliquot, specimen);
    }

    pub(crate) fn set_status(&mut self, specimen: Entity, status: Status) {
        let now = self.now;
        let mut record = self.specimen_mut(specimen);
        let before = std::mem::replace(&mut record.status, status);
        record.since = now;
        let id = record.id;
        self.concerns(id);
        let unseen = || !self.shown.entities.contains(&specimen);
        if before == Status::Expected || (is_done(before) && !is_done(status) && unseen()) {
            self.show(specimen);
        }
    }

    /// A run begins.
    pub(crate) fn enter_run(&mut self, id: Symbol, run: Entity) {
        self.ids.runs.insert(id, run);
        self.runs.push(run);
        self.shown.runs.push(run);
    }

    /// There is a result.
    pub(crate) fn enter_result(&mut self, id: Symbol, result: Entity) {
        self.ids.results.insert(id, result);
        self.results.push(result);
        self.shown.results.push(result);
    }

    /// From now on a specimen is seen.
    fn show(&mut self, specimen: Entity) {
        self.shown.entities.push(specimen);
        self.shown.stale = true;
    }

    /// Notes that the step concerns a specimen.
    pub(crate) fn concerns(&mut self, specimen: Symbol) {
        if !self.outcome.specimens.contains(&specimen) {
            self.outcome.specimens.push(specimen);
        }
    }

    pub(crate) fn concerns_all(&mut self, specimens: impl IntoIterator<Item = Symbol>) {
        for specimen in specimens {
            self.concerns(specimen);
        }
    }

    pub(crate) fn specimen_of_result(&self, result: Symbol) -> Option<Symbol> {
        let entity = self.ids.results.get(result)?;
        self.world.get::<ResultRecord>(*entity)?.specimen
    }

    /// Brings a specimen in, at once or at its arrival time.
    pub(crate) fn add_specimen(&mut self, entry: &SpecimenEntry, at_once: bool) {
        let present = at_once || entry.status == Status::InTransit;
        let specimen = Specimen {
            id: entry.id,
            panel: entry.panel,
            priority: entry.priority,
            status: if present { entry.status } else { Status::Expected },
            status_on_arrival: entry.status,
            since: self.now,
            collection_s: entry.collection_s,
            arrival_s: entry.arrival_s,
            separated_s: entry.separated_s,
            cold: entry.cold,
            readings: entry.readings.clone(),
            citrate: entry.citrate,
            fill_ok: entry.fill_ok,
            leaking: entry.leaking,
            checked: false,
            id_match: None,
            last_reason: None,
            site: entry.site,
            zone: None,
            aliquot: None,
            device: None,
        };
        let entity = self.world.spawn(specimen).id();
        self.ids.specimens.insert(entry.id, entity);
        self.specimens.push(entity);
        if present {
            self.show(entity);
        }
    }

    /// Adds an invariant outcome to the step; a reason makes it a violation.
    pub(crate) fn finding(&mut self, invariant: Symbol, violation: Option<&'static str>) {
        let spec = self.invariants.spec(invariant);
        let finding = Finding {
            invariant,
            violated: violation.is_some(),
            reason: violation,
            severity: spec.map(|spec| spec.severity),
            scope: spec.map(|spec| spec.scope),
            details: SmallVec::new(),
        };
        match self.outcome.findings.iter_mut().find(|other| other.invariant == invariant) {
            Some(earlier) => *earlier = finding,
            None => self.outcome.findings.push(finding),
        }
    }

    /// Adds a detail to the newest finding.
    pub(crate) fn detail(&mut self, name: &'static str, value: Detail) {
        if let Some(finding) = self.outcome.findings.last_mut() {
            finding.details.push((name, value));
        }
    }
}

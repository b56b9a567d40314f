//! The beginning of an episode: floor, trust, people, specimens, upkeep.

use super::{Ablated, ArrivalGroup, Crowd, DeviceStreams, Hall, Index, Lab, Outage, Shown, record::STEPS_PER_CLEAR};
use crate::{
    components::{Device, Door, PlannedControl, Status, Unit, Zone},
    due::Due,
    initial_state::{InitialState, SpecimenEntry},
    policy::LabPolicy,
    shared::{Shared, Trust},
};
use bevy_ecs::entity::Entity;
use labtrust_kernel::{Calendar, SimDuration, SimTime, Streams, Symbol, Symbols};
use labtrust_plugin::lab::{Control, LabError, Outcome};
use labtrust_trust::{
    AuditChain,
    enforcement::Enforcer,
    tokens::{InitialToken, TokenStore},
    tools::ToolGate,
};
use serde_json::{Map, Value};
use smallvec::SmallVec;
use std::sync::Arc;

/// Positions that agents have when an initial state names none.
const DEFAULT_POSITIONS: [(&str, &str); 8] = [
    ("A_RECEPTION", "Z_SRA_RECEPTION"),
    ("A_RUNNER", "Z_SORTING_LANES"),
    ("A_PREAN", "Z_PREANALYTICS"),
    ("A_ANALYTICS", "Z_ANALYZER_HALL_A"),
    ("A_QC", "Z_QC_SUPERVISOR"),
    ("A_SUPERVISOR", "Z_QC_SUPERVISOR"),
    ("A_CLINSCI", "Z_QC_SUPERVISOR"),
    ("A_SECURITY", "Z_QC_SUPERVISOR"),
];

impl Lab {
    /// Starts an episode.
    pub(crate) fn start(shared: &Arc<Shared>, state: &Map<String, Value>, seed: u64) -> Result<Self, LabError> {
        let mut symbols = Symbols::over(&shared.symbols);
        let policy = shared.policy_under(state, &mut symbols)?;
        let initial = InitialState::read(state, &mut symbols)?;
        let streams = Streams::new(seed);
        let per_device = |purpose| DeviceStreams::new(streams, purpose, policy.equipment.devices.len());
        let (service, qc, failure, measurement) =
            (per_device("service"), per_device("qc"), per_device("failure"), per_device("measurement"));
        let stock = stock_of(&policy, &initial);
        let mut lab = Self {
            names: shared.names,
            rbac: shared.trust.rbac.clone(),
            capabilities: shared.trust.capabilities.clone(),
            keys: shared.trust.keys.clone(),
            tokens: TokenStore::new(shared.fixed.token_types.clone()),
            enforcer: Enforcer::new(Arc::clone(&shared.trust.enforcement)),
            invariants: Arc::clone(&shared.fixed.invariants),
            tools: ToolGate::default(),
            state_label: None,
            shared: Arc::clone(shared),
            world: Hall::default(),
            calendar: Calendar::new(),
            ids: Index::default(),
            zones: Vec::new(),
            doors: Vec::new(),
            devices: Vec::new(),
            specimens: Vec::new(),
            shown: Shown::default(),
            runs: Vec::new(),
            results: Vec::new(),
            consignments: Vec::new(),
            bodies: Vec::new(),
            crowd: Crowd::new(policy.layout.zones.len(), policy.layout.limits.len()),
            batches: Vec::new(),
            arrivals: Vec::new(),
            outages: Vec::new(),
            now: SimTime::ZERO,
            now_s: 0,
            timing: initial.timing,
            enforced: initial.enforced,
            downtime_active: initial.downtime_active,
            strict_signatures: initial.strict_signatures,
            enforcement_enabled: initial.enforcement_enabled && !initial.ablated.contains(Control::Enforcement),
            force_excursion: initial.force_excursion,
            ablated: Ablated(initial.ablated),
            ablation_undeclared: !initial.ablated.is_empty(),
            scale_config_pending: initial.scale_config,
            break_chain_on_event: initial.break_chain_on_event.clone(),
            partner_id: initial.partner_id.clone(),
            policy_fingerprint: initial.policy_fingerprint.clone(),
            transport_required: Vec::new(),
            stock,
            chain: AuditChain::default(),
            log_frozen: false,
            unrecorded: false,
            thaw_log: false,
            freeze_after_record: false,
            batch_head: String::new(),
            signed_events: rustc_hash::FxHashSet::default(),
            outcome: Outcome::default(),
            spare: Outcome::default(),
            found: Vec::new(),
            event_bytes: Vec::with_capacity(512),
            record_bytes: Vec::with_capacity(1024),
            payload_bytes: Vec::with_capacity(512),
            committed: false,
            system_events: 0,
            steps_until_clear: STEPS_PER_CLEAR,
            service_streams: service,
            qc_streams: qc,
            failure_streams: failure,
            transport_stream: streams.stream("transport", "travel"),
            measurement_streams: measurement,
            packed: None,
            symbols,
            policy,
        };
        lab.furnish();
        lab.set_up_trust(&initial, state)?;
        lab.populate(&initial)?;
        if lab.simulated() {
            lab.schedule_upkeep();
        }
        Ok(lab)
    }

    /// Puts zones, doors and devices on the floor.
    fn furnish(&mut self) {
        let policy = Arc::clone(&self.policy);
        self.zones = policy.layout.zones.iter().map(|zone| self.world.spawn(Zone { id: zone.id }).id()).collect();
        let closed = |id| Door { id, open_since: None, timer: None, breached: false, reported: false };
        self.doors = policy.layout.doors.iter().map(|door| self.world.spawn(closed(door.id)).id()).collect();
        for (index, spec) in policy.equipment.devices.iter().enumerate() {
            let device = Device {
                id: spec.id,
                index,
                queue: priority_queue::PriorityQueue::with_default_hasher(),
                requests: 0,
                qc_outcome: self.names.pass,
                qc_fail: false,
                planned_controls: SmallVec::new(),
                last_control: None,
                runs_since_control: 0,
                units: (0..spec.units).map(|_| Unit::default()).collect(),
                fault: false,
                in_maintenance: false,
                busy: SimDuration::ZERO,
                runs_finished: 0,
            };
            self.devices.push(self.world.spawn(device).id());
        }
    }

    /// Lays the episode's roster, keys, tokens and tools over the policy's.
    fn set_up_trust(&mut self, initial: &InitialState, state: &Map<String, Value>) -> Result<(), LabError> {
        let Trust { rbac, capabilities, keys, enforcement, .. } = self.shared.trust.under(state, &mut self.symbols)?;
        (self.rbac, self.capabilities, self.keys) = (rbac, capabilities, keys);
        self.enforcer = Enforcer::new(enforcement);
        for token in &initial.tokens {
            let token: InitialToken = serde_json::from_value(Value::Object(token.clone()))
                .map_err(|e| LabError::InitialState(format!("tokens: {e}")))?;
            self.tokens
                .insert_initial(&mut self.world, &token, &mut self.symbols)
                .map_err(|e| LabError::InitialState(e.to_string()))?;
        }
        crate::tooling::set_up(self, state)
    }

    /// Brings agents, specimens and queued work in.
    fn populate(&mut self, initial: &InitialState) -> Result<(), LabError> {
        match &initial.agents {
            Some(agents) => {
                for &(agent, zone) in agents {
                    let zone = self.policy.layout.zone(zone).ok_or_else(|| {
                        let (agent, zone) = (self.symbols.text(agent), self.symbols.text(zone));
                        LabError::InitialState(format!("agent {agent} starts in the unknown zone {zone}"))
                    })?;
                    self.add_body(agent, Some(zone));
                }
            }
            None => {
                for (agent, zone) in DEFAULT_POSITIONS {
                    let zone = self.symbols.get(zone).and_then(|zone| self.policy.layout.zone(zone));
                    let agent = self.symbols.intern(agent);
                    self.add_body(agent, zone);
                }
            }
        }
        if let Some((zone, present, most)) = self.overcrowded() {
            let zone = self.symbols.text(self.policy.layout.zones[zone].id);
            let message = format!("{present} agents start in the zone {zone}, which has room for {most}");
            return Err(LabError::InitialState(message));
        }
        for entry in &initial.specimens {
            // In the open workflow everything of the state is there from the beginning.
            self.add_specimen(entry, !initial.enforced);
        }
        for (ids, origin, dest) in &initial.transport_required {
            for id in ids {
                let Some(&entity) = self.ids.specimens.get(*id) else { continue };
                let mut specimen = self.specimen_mut(entity);
                specimen.site = specimen.site.or(Some(*origin));
            }
            self.transport_required.push((ids.iter().copied().collect(), *origin, *dest));
        }
        for entry in &initial.queued {
            if let Some(&device) = self.policy.equipment.index.get(entry.device) {
                self.enqueue(device, entry.work, entry.priority, entry.enqueued_s);
            }
        }
        for planned in &initial.controls {
            let device = self.device_of_state("planned_controls", planned.device)?;
            let control = PlannedControl { after_runs: planned.after_runs, fails: planned.fails };
            self.device_mut(device).planned_controls.push(control);
        }
        for outage in &initial.outages {
            let device = self.device_of_state("device_outages", outage.device)?;
            let (begin, end) = (Self::moment(outage.start_s), Self::moment(outage.end_s));
            self.outages.push(Outage { device, begin, end });
        }
        // Groups in the order of their time, so that calendar order and list order agree.
        let waiting: Vec<Entity> =
            self.specimens.iter().copied().filter(|&entity| self.specimen(entity).status == Status::Expected).collect();
        let mut by_time: std::collections::BTreeMap<i64, SmallVec<[Entity; 4]>> = std::collections::BTreeMap::new();
        for entity in waiting {
            by_time.entry(self.specimen(entity).arrival_s).or_default().push(entity);
        }
        for (at_s, specimens) in by_time {
            let group = u32::try_from(self.arrivals.len()).unwrap_or(u32::MAX);
            self.arrivals.push(ArrivalGroup { specimens });
            self.schedule(Self::moment(at_s), Due::Arrivals { group });
        }
        Ok(())
    }

    /// A specimen from another laboratory, on its way.
    pub(crate) fn announce(&mut self, record: &Map<String, Value>) -> Result<(), LabError> {
        let entry = SpecimenEntry::read(record, "", &mut self.symbols)?
            .ok_or_else(|| LabError::InitialState("specimen_id should be a text that is not empty".to_owned()))?;
        if self.ids.specimens.contains(entry.id) {
            let id = self.symbols.text(entry.id);
            return Err(LabError::InitialState(format!("specimen_id {id} is known already")));
        }
        self.add_specimen(&entry, false);
        let group = u32::try_from(self.arrivals.len()).unwrap_or(u32::MAX);
        self.arrivals.push(ArrivalGroup { specimens: self.specimens.last().copied().into_iter().collect() });
        self.schedule(Self::moment(entry.arrival_s), Due::Arrivals { group });
        Ok(())
    }

    fn device_of_state(&self, key: &str, id: Symbol) -> Result<usize, LabError> {
        self.policy
            .equipment
            .index
            .get(id)
            .copied()
            .ok_or_else(|| LabError::InitialState(format!("{key} names the unknown device {}", self.symbols.text(id))))
    }

    /// Puts maintenance windows, the episode's outages and first failures into the calendar.
    fn schedule_upkeep(&mut self) {
        for outage in 0..self.outages.len() {
            let Outage { begin, end, .. } = self.outages[outage];
            let outage = Self::index16(outage);
            self.schedule(begin, Due::OutageBegin { outage });
            self.schedule(end, Due::OutageEnd { outage });
        }
        for device in 0..self.devices.len() {
            let index = Self::index16(device);
            for i in 0..self.policy.equipment.devices[device].maintenance.len() {
                let (begin, end) = self.policy.equipment.devices[device].maintenance[i];
                self.schedule(begin, Due::MaintenanceBegin { device: index });
                self.schedule(end, Due::MaintenanceEnd { device: index });
            }
            self.schedule_failure(device);
        }
    }
}

/// Stock at the beginning: the policy's, replaced by what the state says.
fn stock_of(policy: &LabPolicy, initial: &InitialState) -> Vec<f64> {
    let stated =
        |id: Symbol| initial.reagent_stock.iter().rev().find(|(other, _)| *other == id).map(|(_, stock)| *stock);
    policy.reagents.stock.iter().map(|&(id, stock)| stated(id).unwrap_or(stock)).collect()
}

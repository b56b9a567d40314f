//! The laboratory of one episode: its state, its beginning, and what happens in it by itself.
//!
//! Start at [`Lab::step`](crate::pipeline) for what an event goes through, and at [`Lab::happen`] for what the
//! calendar brings. Time is moved by the caller in both timings; in simulated timing services take time, in explicit
//! timing they end in the moment they begin. Either way their end is an event of the calendar, and nothing polls.

use crate::{
    components::{Aliquot, Body, Consignment, Device, Door, ResultRecord, Run, RunState, Specimen, Status, Unit, Zone},
    due::Due,
    initial_state::{InitialState, SpecimenEntry},
    invariants::LabInvariants,
    names::Names,
    policy::LabPolicy,
    shared::Shared,
};
use bevy_ecs::{change_detection::Mut, entity::Entity, world::World};
use labtrust_kernel::{Calendar, ClockMode, Handle, SimDuration, SimTime, Stream, Streams, Symbol, SymbolMap, Symbols};
use labtrust_plugin::lab::{
    Action, ActionKind, Args, ChainValues, Decision, Detail, EventId, Finding, Ids, LabError, Observer, Outcome,
    StepFacts,
};
use labtrust_trust::{
    AuditChain,
    enforcement::{EnforcementMap, EnforcementPolicy, Enforcer},
    gates::{Capabilities, CapabilityPolicy, Rbac, RbacPolicy},
    invariants::InvariantRegistry,
    keys::{KeyEntry, KeyPolicy, KeyRegistry},
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

/// Steps between two clearings of the world's record of changes [count].
const STEPS_PER_CLEAR: u32 = 4096;

/// From ids to entities.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub specimens: SymbolMap<Entity>,
    /// Aliquot to specimen id.
    pub aliquots: SymbolMap<Symbol>,
    pub runs: SymbolMap<Entity>,
    pub results: SymbolMap<Entity>,
    pub communications: SymbolMap<Entity>,
    pub consignments: SymbolMap<Entity>,
    pub bodies: SymbolMap<Entity>,
}

/// Specimens that arrive at one moment.
#[derive(Debug)]
struct ArrivalGroup {
    specimens: SmallVec<[Entity; 4]>,
}

/// The laboratory of one episode.
pub(crate) struct Lab {
    pub shared: Arc<Shared>,
    pub policy: Arc<LabPolicy>,
    pub names: Names,
    pub symbols: Symbols,
    pub world: World,
    pub calendar: Calendar<Due>,
    pub ids: Index,
    pub zones: Vec<Entity>,
    pub doors: Vec<Entity>,
    pub devices: Vec<Entity>,
    /// In the order in which they came.
    pub specimens: Vec<Entity>,
    pub runs: Vec<Entity>,
    pub results: Vec<Entity>,
    pub consignments: Vec<Entity>,
    pub bodies: Vec<Entity>,
    pub batches: Vec<SmallVec<[Entity; 8]>>,
    arrivals: Vec<ArrivalGroup>,
    pub now: SimTime,
    /// Now [s], rounded up.
    pub now_s: i64,
    pub timing: ClockMode,
    pub enforced: bool,
    pub downtime_active: bool,
    pub strict_signatures: bool,
    pub enforcement_enabled: bool,
    pub force_excursion: bool,
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
    /// A lift of the forensic freeze was accepted in this step.
    pub thaw_log: bool,
    pub chain_ever_broken: bool,
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
    pub service_streams: Vec<Stream>,
    pub qc_streams: Vec<Stream>,
    failure_streams: Vec<Stream>,
    pub transport_stream: Stream,
    measurement_streams: Vec<Stream>,
}

impl Lab {
    /// Starts an episode.
    pub(crate) fn start(shared: &Arc<Shared>, state: &Map<String, Value>, seed: u64) -> Result<Self, LabError> {
        let mut symbols = shared.symbols.clone();
        let overridden = shared.data.with_overrides(state).map_err(LabError::InitialState)?;
        let policy = match overridden {
            None => Arc::clone(&shared.policy),
            Some(data) => {
                let compiled = LabPolicy::compile(&data, &mut symbols);
                Arc::new(compiled.map_err(|c| LabError::InitialState(format!("{}; {}", c.message, c.hint)))?)
            }
        };
        let initial = InitialState::read(state, &mut symbols)?;
        let streams = Streams::new(seed);
        let per_device = |purpose: &str| -> Vec<Stream> {
            policy.equipment.devices.iter().map(|d| streams.stream(purpose, symbols.text(d.id))).collect()
        };
        let (service, qc, failure, measurement) =
            (per_device("service"), per_device("qc"), per_device("failure"), per_device("measurement"));
        let stock = stock_of(&policy, &initial);
        let mut lab = Self {
            names: shared.names,
            rbac: shared.rbac.clone(),
            capabilities: shared.capabilities.clone(),
            keys: shared.keys.clone(),
            tokens: TokenStore::new(shared.token_types.clone()),
            enforcer: Enforcer::new(Arc::clone(&shared.enforcement)),
            invariants: Arc::clone(&shared.invariants),
            tools: ToolGate::default(),
            state_label: None,
            shared: Arc::clone(shared),
            world: World::new(),
            calendar: Calendar::new(),
            ids: Index::default(),
            zones: Vec::new(),
            doors: Vec::new(),
            devices: Vec::new(),
            specimens: Vec::new(),
            runs: Vec::new(),
            results: Vec::new(),
            consignments: Vec::new(),
            bodies: Vec::new(),
            batches: Vec::new(),
            arrivals: Vec::new(),
            now: SimTime::ZERO,
            now_s: 0,
            timing: initial.timing,
            enforced: initial.enforced,
            downtime_active: initial.downtime_active,
            strict_signatures: initial.strict_signatures,
            enforcement_enabled: initial.enforcement_enabled,
            force_excursion: initial.force_excursion,
            scale_config_pending: initial.scale_config,
            break_chain_on_event: initial.break_chain_on_event.clone(),
            partner_id: initial.partner_id.clone(),
            policy_fingerprint: initial.policy_fingerprint.clone(),
            transport_required: Vec::new(),
            stock,
            chain: AuditChain::default(),
            log_frozen: false,
            thaw_log: false,
            chain_ever_broken: false,
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
                units: (0..spec.units).map(|_| Unit::default()).collect(),
                fault: false,
                in_maintenance: false,
                active: None,
                busy: SimDuration::ZERO,
                runs_finished: 0,
            };
            self.devices.push(self.world.spawn(device).id());
        }
    }

    /// Lays the episode's roster, keys, tokens and tools over the policy's.
    fn set_up_trust(&mut self, initial: &InitialState, state: &Map<String, Value>) -> Result<(), LabError> {
        let roster_error = |message: String| LabError::Roster { message };
        let effective = state.get("effective_policy");
        let section = |key: &str| {
            let value = effective.and_then(|policy| policy.get(key)).filter(|value| !value.is_null())?;
            Some(value.get(key).unwrap_or(value).clone())
        };
        if let Some(value) = section("key_registry") {
            let policy: KeyPolicy =
                serde_json::from_value(value).map_err(|e| roster_error(format!("key_registry: {e}")))?;
            self.keys = KeyRegistry::compile(&policy, &mut self.symbols);
        }
        if let Some(value) = section("agent_capabilities") {
            let policy: CapabilityPolicy =
                serde_json::from_value(value).map_err(|e| roster_error(format!("agent_capabilities: {e}")))?;
            self.capabilities = Capabilities::compile(&policy, &ActionKind::table(), &mut self.symbols)
                .map_err(|e| roster_error(e.to_string()))?;
        }
        if let Some(value) = section("enforcement_map") {
            let policy: EnforcementPolicy =
                serde_json::from_value(value).map_err(|e| roster_error(format!("enforcement_map: {e}")))?;
            let map = EnforcementMap::compile(&policy, &mut self.symbols).map_err(|e| roster_error(e.to_string()))?;
            self.enforcer = Enforcer::new(Arc::new(map));
        }
        let mut base = self.shared.rbac_policy.clone();
        if let Some(rbac) = section("rbac_policy") {
            base = serde_json::from_value(rbac).map_err(|e| roster_error(format!("rbac_policy: {e}")))?;
            self.rbac = Rbac::compile(&base, &ActionKind::table(), &mut self.symbols)
                .map_err(|e| roster_error(e.to_string()))?;
        }
        if let Some(roster) = &initial.roster {
            let over: RbacPolicy =
                serde_json::from_value(roster.clone()).map_err(|e| roster_error(format!("roster: {e}")))?;
            base.overlay(&over);
            self.rbac = Rbac::compile(&base, &ActionKind::table(), &mut self.symbols)
                .map_err(|e| roster_error(e.to_string()))?;
        }
        if let Some(keys) = &initial.keys {
            let entries: Vec<KeyEntry> =
                serde_json::from_value(keys.clone()).map_err(|e| roster_error(format!("keys: {e}")))?;
            self.keys.overlay(&entries, &mut self.symbols);
        }
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

    /// Puts maintenance windows and first failures into the calendar.
    fn schedule_upkeep(&mut self) {
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

    fn schedule_failure(&mut self, device: usize) {
        if let Some((between, _)) = &self.policy.equipment.devices[device].failure {
            let at = self.now.saturating_add(between.draw(&mut self.failure_streams[device]));
            self.schedule(at, Due::Fault { device: Self::index16(device) });
        }
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
        let body = self.world.spawn(Body { id: agent, zone, walking_to: None }).id();
        if let Some(earlier) = self.ids.bodies.insert(agent, body) {
            self.bodies.retain(|&other| other != earlier);
            self.world.despawn(earlier);
        }
        self.bodies.push(body);
        body
    }

    pub(crate) fn add_aliquot(&mut self, aliquot: Symbol, specimen: Symbol) {
        self.world.spawn(Aliquot { specimen });
        self.ids.aliquots.insert(aliquot, specimen);
    }

    pub(crate) fn set_status(&mut self, specimen: Entity, status: Status) {
        let now = self.now;
        let mut record = self.specimen_mut(specimen);
        record.status = status;
        record.since = now;
        let id = record.id;
        self.concerns(id);
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
            storage_cold: entry.storage_cold,
            was_warm: entry.was_warm,
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

    /// Lets everything happen that is due up to `limit`, and moves time there.
    pub(crate) fn advance(&mut self, limit: SimTime, observer: &mut dyn Observer) {
        if limit < self.now {
            return;
        }
        while let Some(due) = self.calendar.pop_until(limit) {
            self.set_now(due.at);
            self.happen(due.event, observer);
        }
        self.calendar.advance_to(limit).ok();
        self.set_now(limit);
    }

    fn set_now(&mut self, now: SimTime) {
        self.now = now;
        self.now_s = i64::try_from(now.as_secs_ceil()).unwrap_or(i64::MAX);
    }

    /// One event of the calendar happens.
    fn happen(&mut self, due: Due, observer: &mut dyn Observer) {
        self.outcome.clear();
        match due {
            Due::SpinEnd { device: _, batch } => self.spin_ended(batch as usize),
            Due::UnitFree { device, unit } => {
                self.device_mut(usize::from(device)).units[usize::from(unit)].free_at = None;
            }
            Due::AliquotEnd { device, specimen } => {
                let now = self.now;
                Self::free_unit(&mut self.device_mut(usize::from(device)), now);
                self.set_status(specimen, Status::Aliquoted);
                self.specimen_mut(specimen).device = None;
            }
            Due::RunEnd { run } => self.run_ended(run, observer),
            Due::WalkEnd { body } => {
                if let Some(mut body) = self.world.get_mut::<Body>(body)
                    && let Some(zone) = body.walking_to.take()
                {
                    body.zone = Some(zone);
                }
            }
            Due::DoorBreach { door } => self.door_breached(usize::from(door), observer),
            Due::MaintenanceBegin { device } => self.device_mut(usize::from(device)).in_maintenance = true,
            Due::MaintenanceEnd { device } => self.device_mut(usize::from(device)).in_maintenance = false,
            Due::Fault { device } => self.device_failed(usize::from(device), observer),
            Due::Repaired { device } => self.device_repaired(usize::from(device), observer),
            Due::ConsignmentArrival { consignment } => {
                if let Some(mut consignment) = self.world.get_mut::<Consignment>(consignment) {
                    consignment.arrived = true;
                }
            }
            Due::Arrivals { group } => self.arrived(group as usize, observer),
        }
    }

    fn spin_ended(&mut self, batch: usize) {
        let specimens = std::mem::take(&mut self.batches[batch]);
        let now_s = self.now_s;
        for entity in specimens {
            if self.specimen(entity).status == Status::Spinning {
                self.set_status(entity, Status::Spun);
                self.specimen_mut(entity).separated_s = Some(now_s);
            }
        }
    }

    fn run_ended(&mut self, run: Entity, observer: &mut dyn Observer) {
        let Some(record) = self.world.get::<Run>(run) else { return };
        let (device, id) = (record.device, record.id);
        let mut specimens = record.specimens.clone();
        let lasted = self.now.saturating_since(record.started);
        let mut args = Args { run: Some(id), ..Args::default() };
        for entry in &mut specimens {
            let Some(&entity) = self.ids.specimens.get(entry.specimen) else { continue };
            if self.specimen(entity).status == Status::Running {
                self.set_status(entity, Status::Analysed);
            }
            args.specimens.push(entry.specimen);
            let panel = self.specimen(entity).panel;
            let stream = &mut self.measurement_streams[device];
            entry.measured = panel.and_then(|panel| self.policy.measurements.draw(panel, stream));
        }
        if let [only] = specimens.as_slice()
            && let Some(measured) = only.measured
        {
            args.analyte = Some(measured.analyte);
            args.units = Some(measured.units);
            args.value = serde_json::Number::from_f64(measured.value);
        }
        let now = self.now;
        if let Some(mut record) = self.world.get_mut::<Run>(run) {
            record.state = RunState::Completed;
            record.ended = now;
            record.specimens = specimens;
        }
        let mut component = self.device_mut(device);
        component.active = None;
        component.busy_for(lasted);
        args.device = Some(component.id);
        Self::free_unit(&mut component, now);
        self.outcome.emits.push("END_RUN");
        self.record_own(ActionKind::EndRun, args, observer);
    }

    fn door_breached(&mut self, door: usize, observer: &mut dyn Observer) {
        let Some(mut component) = self.world.get_mut::<Door>(self.doors[door]) else { return };
        component.breached = true;
        component.timer = None;
        let id = component.id;
        for zone in self.policy.layout.doors[door].zones {
            self.enforcer.freeze_zone(self.policy.layout.zones[zone].id);
        }
        self.outcome.emits.extend(["ALARM", "KILL_SWITCH_ZONE"]);
        self.record_own(ActionKind::Alarm, Args { door: Some(id), ..Args::default() }, observer);
    }

    fn device_failed(&mut self, device: usize, observer: &mut dyn Observer) {
        let mut component = self.device_mut(device);
        component.fault = true;
        let id = component.id;
        let active = component.active.take();
        for unit in &mut component.units {
            unit.free_at = None;
        }
        if let Some((run, end)) = active {
            self.calendar.cancel(end);
            self.abort_run(run);
        }
        let repair = match &self.policy.equipment.devices[device].failure {
            Some((_, repair)) => repair.draw(&mut self.failure_streams[device]),
            None => SimDuration::ZERO,
        };
        self.schedule(self.now.saturating_add(repair), Due::Repaired { device: Self::index16(device) });
        self.outcome.emits.push("ALARM");
        self.record_own(ActionKind::DeviceFault, Args { device: Some(id), ..Args::default() }, observer);
    }

    /// The specimens of a run that a failure interrupted can be queued again.
    fn abort_run(&mut self, run: Entity) {
        let now = self.now;
        let Some(mut record) = self.world.get_mut::<Run>(run) else { return };
        record.state = RunState::Aborted;
        record.ended = now;
        let specimens: SmallVec<[Symbol; 2]> = record.specimens.iter().map(|entry| entry.specimen).collect();
        for id in specimens {
            let Some(&entity) = self.ids.specimens.get(id) else { continue };
            let ready = if self.specimen(entity).aliquot.is_some() { Status::Aliquoted } else { Status::Accepted };
            self.set_status(entity, ready);
            self.specimen_mut(entity).device = None;
        }
    }

    fn device_repaired(&mut self, device: usize, observer: &mut dyn Observer) {
        let mut component = self.device_mut(device);
        component.fault = false;
        let id = component.id;
        self.schedule_failure(device);
        self.record_own(ActionKind::DeviceRepaired, Args { device: Some(id), ..Args::default() }, observer);
    }

    fn arrived(&mut self, group: usize, observer: &mut dyn Observer) {
        let specimens = std::mem::take(&mut self.arrivals[group].specimens);
        let mut args = Args::default();
        for entity in specimens {
            let status = self.specimen(entity).status_on_arrival;
            self.set_status(entity, status);
            args.specimens.push(self.specimen(entity).id);
        }
        self.outcome.emits.push("RECEIVE_BATCH");
        self.record_own(ActionKind::ReceiveBatch, args, observer);
    }

    /// Writes what the laboratory did by itself into the chain.
    fn record_own(&mut self, kind: ActionKind, args: Args, observer: &mut dyn Observer) {
        self.system_events += 1;
        let action = Action {
            event_id: EventId::System(self.system_events),
            t_s: self.now_s,
            agent: self.names.system,
            decision: Decision::new(kind, args),
        };
        self.outcome.accepted = true;
        self.event_bytes.clear();
        action.write_canonical(&mut self.event_bytes, &self.symbols);
        self.append_record(false);
        self.notify(Some(&action), observer);
    }

    /// Appends event and outcome to the chain, unless the log is frozen.
    pub(crate) fn append_record(&mut self, break_link: bool) {
        if self.log_frozen {
            self.outcome.chained = false;
            return;
        }
        self.outcome.chained = true;
        self.record_bytes.clear();
        self.record_bytes.extend_from_slice(b"{\"event\":");
        self.record_bytes.extend_from_slice(&self.event_bytes);
        self.record_bytes.extend_from_slice(b",\"outcome\":");
        self.outcome.write_canonical(&mut self.record_bytes, &self.symbols);
        self.record_bytes.push(b'}');
        let appended = if break_link {
            self.chain.append_linked("broken", &self.record_bytes)
        } else {
            self.chain.append(&self.record_bytes)
        };
        if appended.is_err() {
            self.freeze_log();
        }
    }

    /// Forensic freeze: from now on no step is taken and nothing is appended until it is lifted.
    pub(crate) fn freeze_log(&mut self) {
        self.log_frozen = true;
        self.chain_ever_broken = true;
        self.outcome.chained = false;
        self.outcome.emits.clear();
        self.outcome.emits.push("FORENSIC_FREEZE_LOG");
    }

    /// Tells the observer about the step that was just decided.
    pub(crate) fn notify(&mut self, action: Option<&Action>, observer: &mut dyn Observer) {
        let facts = StepFacts {
            action,
            outcome: &self.outcome,
            event: &self.event_bytes,
            chain: self.chain_values(),
            symbols: &self.symbols,
        };
        observer.on_step(&facts);
        self.steps_until_clear -= 1;
        if self.steps_until_clear == 0 {
            self.steps_until_clear = STEPS_PER_CLEAR;
            self.world.clear_trackers();
        }
    }

    pub(crate) fn chain_values(&self) -> ChainValues<'_> {
        ChainValues {
            head_hash: self.chain.head_hash(),
            last_hash: self.chain.last_hash(),
            prev_hash: self.chain.prev_hash(),
            length: self.chain.len(),
        }
    }
}

/// Stock at the beginning: the policy's, replaced by what the state says.
fn stock_of(policy: &LabPolicy, initial: &InitialState) -> Vec<f64> {
    let stated =
        |id: Symbol| initial.reagent_stock.iter().rev().find(|(other, _)| *other == id).map(|(_, stock)| *stock);
    policy.reagents.stock.iter().map(|&(id, stock)| stated(id).unwrap_or(stock)).collect()
}

//! Devices: what they are, how long they take, how many units, when they fail.

use super::{Contradiction, Distribution, EQUIPMENT, FAILURES, Layout};
use labtrust_kernel::{SimTime, Symbol, SymbolMap, Symbols};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The equipment file.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EquipmentFile {
    #[serde(default)]
    device_types: BTreeMap<String, TypeEntry>,
    #[serde(default)]
    device_instances: Vec<InstanceEntry>,
    #[serde(default)]
    panel_workload_map: BTreeMap<String, PanelEntry>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct TypeEntry {
    #[serde(default)]
    batch_model: Option<BatchEntry>,
    #[serde(default)]
    service_time_model: Option<TimeEntry>,
    #[serde(default)]
    timing_model: Option<TimeEntry>,
    #[serde(default)]
    qc_model: Option<QcEntry>,
    #[serde(default)]
    failure_model: Option<TypeFailureEntry>,
}

#[derive(Debug, Clone, Deserialize)]
struct BatchEntry {
    #[serde(default)]
    max_batch_size: Option<u32>,
    #[serde(default)]
    tmax_wait_s: Option<i64>,
}

/// Every time a device type may state; which of them count depends on what the device does.
#[derive(Debug, Clone, Default, Deserialize)]
struct TimeEntry {
    setup_s: Option<Distribution>,
    spin_time_s: Option<Distribution>,
    run_s: Option<Distribution>,
    teardown_s: Option<Distribution>,
    per_tube_overhead_s: Option<Distribution>,
    per_aliquot_s: Option<Distribution>,
    per_sample_s: Option<Distribution>,
    per_test_s: Option<Distribution>,
    #[serde(default)]
    per_panel_s: BTreeMap<String, Distribution>,
}

#[derive(Debug, Clone, Deserialize)]
struct QcEntry {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    outcomes: Option<QcOutcomes>,
}

#[derive(Debug, Clone, Deserialize)]
struct QcOutcomes {
    #[serde(default)]
    fail_probability: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct TypeFailureEntry {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    fault_rate_per_hour: f64,
    mttr_s: Option<Distribution>,
}

#[derive(Debug, Clone, Deserialize)]
struct InstanceEntry {
    device_id: String,
    device_type: String,
    #[serde(default)]
    parallel_units: Option<u32>,
    #[serde(default)]
    service_time_model: Option<TimeEntry>,
    #[serde(default)]
    batch_model: Option<BatchEntry>,
}

#[derive(Debug, Clone, Deserialize)]
struct PanelEntry {
    #[serde(default)]
    chemistry_test_equivalents: Option<f64>,
    #[serde(default)]
    haem_sample_equivalents: Option<f64>,
    #[serde(default)]
    coag_test_equivalents: Option<f64>,
    #[serde(default)]
    analyzer_device_types: Vec<String>,
}

/// The failure-model file.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct FailureFile {
    #[serde(default)]
    device_failures: BTreeMap<String, DeviceFailureEntry>,
    #[serde(default)]
    maintenance_schedule: Vec<WindowEntry>,
}

#[derive(Debug, Clone, Deserialize)]
struct DeviceFailureEntry {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    mtbf_hours: f64,
    #[serde(default)]
    mttr_s: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct WindowEntry {
    device_id: String,
    start_ts_s: i64,
    end_ts_s: i64,
}

/// What a device does with a specimen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceRole {
    Centrifuge,
    Aliquoter,
    Analyzer,
    /// Placed on the floor, but the equipment file does not say what it is.
    Unknown,
}

/// A device, compiled.
#[derive(Debug, Clone)]
pub(crate) struct DeviceSpec {
    pub id: Symbol,
    pub type_id: Symbol,
    pub role: DeviceRole,
    pub zone: Option<usize>,
    pub units: u32,
    pub batch_capacity: u32,
    pub batch_wait_s: i64,
    /// Time before a unit can take its next load (centrifuge).
    pub setup: Distribution,
    /// Time the work itself takes.
    pub run: Distribution,
    /// Time after the work during which the unit is not free (centrifuge).
    pub teardown: Distribution,
    /// Work times of panels that state their own.
    pub run_of_panel: SymbolMap<Distribution>,
    /// Panels that it can measure.
    pub panels: Vec<Symbol>,
    /// Chance that a quality-control event without a stated outcome fails.
    pub qc_fail_probability: f64,
    /// Mean time between failures and time to repair, where failures are modelled.
    pub failure: Option<(Distribution, Distribution)>,
    /// Maintenance windows, begin inclusive, end exclusive.
    pub maintenance: Vec<(SimTime, SimTime)>,
}

/// All devices.
#[derive(Debug, Clone)]
pub(crate) struct Equipment {
    /// Placed devices in the order of their placement, then the others.
    pub devices: Vec<DeviceSpec>,
    pub index: SymbolMap<usize>,
    /// Devices that can measure a panel, indices into `devices`.
    pub of_panel: SymbolMap<std::sync::Arc<[u16]>>,
}

impl Equipment {
    pub(crate) fn compile(
        file: &EquipmentFile,
        failures: &FailureFile,
        layout: &Layout,
        symbols: &mut Symbols,
    ) -> Result<Self, Contradiction> {
        let mut instances: BTreeMap<&str, &InstanceEntry> = BTreeMap::new();
        for instance in &file.device_instances {
            if instances.insert(&instance.device_id, instance).is_some() {
                let message = format!("device {} is declared twice", instance.device_id);
                return Err(Contradiction::new(EQUIPMENT, &instance.device_id, message, "remove or rename one"));
            }
            if !file.device_types.contains_key(&instance.device_type) {
                let known = file.device_types.keys().map(String::as_str);
                let near = labtrust_policy::nearest(known, &instance.device_type);
                let hint = near.map_or_else(
                    || "types are declared under `device_types:`".to_owned(),
                    |near| format!("did you mean `{near}`? types are declared under `device_types:`"),
                );
                let message = format!("device {} is of the unknown type {}", instance.device_id, instance.device_type);
                return Err(Contradiction::new(EQUIPMENT, &instance.device_type, message, hint));
            }
        }
        let placed: Vec<(String, Option<usize>)> =
            layout.placement.iter().map(|&(id, zone)| (symbols.text(id).to_owned(), Some(zone))).collect();
        let unplaced = file.device_instances.iter().map(|instance| (instance.device_id.clone(), None));
        let unplaced: Vec<_> = unplaced.filter(|(id, _)| !placed.iter().any(|(other, _)| other == id)).collect();
        let mut devices = Vec::new();
        let mut index = SymbolMap::default();
        for (id, zone) in placed.into_iter().chain(unplaced) {
            let spec = device(&id, zone, instances.get(id.as_str()).copied(), file, symbols)?;
            index.insert(spec.id, devices.len());
            devices.push(spec);
        }
        add_failures(failures, &mut devices, &index, symbols)?;
        let mut of_panel = SymbolMap::default();
        for panel in file.panel_workload_map.keys() {
            let panel = symbols.intern(panel);
            let fitting = (0u16..).zip(&devices).filter(|(_, device)| device.panels.contains(&panel)).map(|(i, _)| i);
            of_panel.insert(panel, fitting.collect());
        }
        Ok(Self { devices, index, of_panel })
    }
}

fn device(
    id: &str,
    zone: Option<usize>,
    instance: Option<&InstanceEntry>,
    file: &EquipmentFile,
    symbols: &mut Symbols,
) -> Result<DeviceSpec, Contradiction> {
    let type_name = instance.map_or("UNKNOWN", |instance| instance.device_type.as_str());
    let empty = TypeEntry::default();
    let kind = file.device_types.get(type_name).unwrap_or(&empty);
    let role = match type_name {
        "CENTRIFUGE_BANK" => DeviceRole::Centrifuge,
        "ALIQUOTER" => DeviceRole::Aliquoter,
        "UNKNOWN" => DeviceRole::Unknown,
        _ => DeviceRole::Analyzer,
    };
    let own = instance.and_then(|instance| instance.service_time_model.as_ref());
    // Most specific first: the device's own model, its type's service times, its type's timing figures.
    let models: Vec<&TimeEntry> =
        [own, kind.service_time_model.as_ref(), kind.timing_model.as_ref()].into_iter().flatten().collect();
    let first = |pick: fn(&TimeEntry) -> Option<Distribution>| models.iter().find_map(|model| pick(model));
    let seconds = |pick: fn(&TimeEntry) -> Option<Distribution>, default: f64| {
        first(pick).unwrap_or(Distribution::fixed(default))
    };
    let fixed = |pick: fn(&TimeEntry) -> Option<Distribution>| match first(pick) {
        Some(Distribution::Deterministic { value }) => Some(value),
        _ => None,
    };
    let zero = Distribution::fixed(0.0);
    let (setup, run, teardown) = match role {
        DeviceRole::Centrifuge => {
            let run = first(|m| m.spin_time_s).or_else(|| first(|m| m.run_s)).unwrap_or(Distribution::fixed(600.0));
            (seconds(|m| m.setup_s, 60.0), run, seconds(|m| m.teardown_s, 60.0))
        }
        DeviceRole::Aliquoter => {
            let total = fixed(|m| m.per_tube_overhead_s).unwrap_or(3.0) + fixed(|m| m.per_aliquot_s).unwrap_or(2.0);
            (zero, Distribution::fixed(total), zero)
        }
        DeviceRole::Analyzer => {
            let run = first(|m| m.run_s).or_else(|| first(|m| m.per_sample_s));
            let per_panel_tests = fixed(|m| m.per_test_s).map(|test| Distribution::fixed(test * 14.0));
            (zero, run.or(per_panel_tests).unwrap_or(Distribution::fixed(30.0)), zero)
        }
        DeviceRole::Unknown => (zero, Distribution::fixed(60.0), zero),
    };
    let mut run_of_panel = SymbolMap::default();
    let mut panels = Vec::new();
    for (panel, workload) in &file.panel_workload_map {
        let panel_id = symbols.intern(panel);
        if workload.analyzer_device_types.iter().any(|name| name == type_name) {
            panels.push(panel_id);
        }
        let tests = workload.chemistry_test_equivalents.or(workload.coag_test_equivalents);
        let by_tests = tests.and_then(|tests| fixed(|m| m.per_test_s).map(|test| Distribution::fixed(test * tests)));
        let stated = models.iter().find_map(|model| model.per_panel_s.get(panel).copied());
        if let Some(time) = stated.or(if workload.haem_sample_equivalents.is_some() { None } else { by_tests }) {
            run_of_panel.insert(panel_id, time);
        }
    }
    let every = models.iter().flat_map(|m| m.per_panel_s.values()).chain([&setup, &run, &teardown]);
    if let Some(fault) = every.into_iter().find_map(Distribution::fault) {
        let message = format!("a service time of {type_name} makes no sense: {fault}");
        return Err(Contradiction::new(EQUIPMENT, type_name, message, fault));
    }
    let batch = instance.and_then(|i| i.batch_model.as_ref()).or(kind.batch_model.as_ref());
    let qc = kind.qc_model.as_ref().filter(|qc| qc.enabled).and_then(|qc| qc.outcomes.as_ref());
    let failure = kind.failure_model.as_ref().filter(|f| f.enabled && f.fault_rate_per_hour > 0.0).map(|f| {
        let mean = 3600.0 / f.fault_rate_per_hour;
        (Distribution::Exponential { mean }, f.mttr_s.unwrap_or(Distribution::fixed(900.0)))
    });
    Ok(DeviceSpec {
        id: symbols.intern(id),
        type_id: symbols.intern(type_name),
        role,
        zone,
        units: instance.and_then(|instance| instance.parallel_units).unwrap_or(1).max(1),
        batch_capacity: batch.and_then(|batch| batch.max_batch_size).unwrap_or(1).max(1),
        batch_wait_s: batch.and_then(|batch| batch.tmax_wait_s).unwrap_or(0).max(0),
        setup,
        run,
        teardown,
        run_of_panel,
        panels,
        qc_fail_probability: qc.map_or(0.0, |qc| qc.fail_probability.clamp(0.0, 1.0)),
        failure,
        maintenance: Vec::new(),
    })
}

fn add_failures(
    failures: &FailureFile,
    devices: &mut [DeviceSpec],
    index: &SymbolMap<usize>,
    symbols: &Symbols,
) -> Result<(), Contradiction> {
    let find = |id: &str| {
        symbols.get(id).and_then(|id| index.get(id).copied()).ok_or_else(|| {
            let hint = "devices are declared in the equipment registry and placed in the zone layout";
            Contradiction::new(FAILURES, id, format!("there is no device {id}"), hint)
        })
    };
    for (id, entry) in &failures.device_failures {
        let device = find(id)?;
        if entry.enabled && entry.mtbf_hours > 0.0 {
            let mean = entry.mtbf_hours * 3600.0;
            let repair = Distribution::Exponential { mean: entry.mttr_s.max(0.0) };
            devices[device].failure = Some((Distribution::Exponential { mean }, repair));
        }
    }
    for window in &failures.maintenance_schedule {
        let device = find(&window.device_id)?;
        let times = u64::try_from(window.start_ts_s).ok().zip(u64::try_from(window.end_ts_s).ok());
        let window_of = times.filter(|(start, end)| start < end && *end < 1 << 33);
        let Some((start, end)) = window_of else {
            let message = format!(
                "the maintenance of {} runs from {} to {}, which is no window",
                window.device_id, window.start_ts_s, window.end_ts_s
            );
            return Err(Contradiction::new(
                FAILURES,
                &window.device_id,
                message,
                "start at 0 or later, end after the start",
            ));
        };
        devices[device].maintenance.push((SimTime::from_secs(start), SimTime::from_secs(end)));
    }
    Ok(())
}

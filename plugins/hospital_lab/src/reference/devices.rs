//! Devices in simulated timing: one run at a time, maintenance windows, deterministic service times.

use super::value::{at, given, integer, items, number};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Running { start: i64, end: i64 },
    Maintenance,
}

#[derive(Debug)]
struct Device {
    kind: String,
    state: State,
    windows: Vec<(i64, i64)>,
    busy_s: i64,
    finished_runs: u64,
}

/// The devices of an episode in simulated timing.
#[derive(Debug)]
pub(super) struct Devices {
    devices: BTreeMap<String, Device>,
    types: Map<String, Value>,
    /// The simulated clock [s].
    pub clock_s: i64,
}

impl Devices {
    pub(super) fn new<'a>(
        equipment: Option<&Map<String, Value>>,
        failures: Option<&Map<String, Value>>,
        placed: impl Iterator<Item = &'a String>,
    ) -> Self {
        let none = Map::new();
        let equipment = equipment.unwrap_or(&none);
        let mut kinds: BTreeMap<String, String> = placed.map(|id| (id.clone(), "UNKNOWN".to_owned())).collect();
        for entry in items(at(equipment, "device_instances")) {
            if let (Some(id), Some(kind)) = (given(&entry["device_id"]), given(&entry["device_type"])) {
                kinds.insert(id, kind);
            }
        }
        let schedule = failures.map_or(&[][..], |failures| items(at(failures, "maintenance_schedule")));
        let windows = |id: &str| -> Vec<(i64, i64)> {
            let own = schedule.iter().filter(|window| window["device_id"] == id);
            own.filter_map(|window| Some((integer(&window["start_ts_s"])?, integer(&window["end_ts_s"])?))).collect()
        };
        let device = |(id, kind): (String, String)| {
            let device = Device { kind, state: State::Idle, windows: windows(&id), busy_s: 0, finished_runs: 0 };
            (id, device)
        };
        Self {
            devices: kinds.into_iter().map(device).collect(),
            types: at(equipment, "device_types").as_object().cloned().unwrap_or_default(),
            clock_s: 0,
        }
    }

    /// Moves the clock: runs end, maintenance begins and ends.
    pub(super) fn advance(&mut self, t_s: i64) {
        self.clock_s = t_s;
        for device in self.devices.values_mut() {
            if let State::Running { start, end } = device.state {
                if end > t_s {
                    continue;
                }
                device.busy_s += end.saturating_sub(start);
                device.finished_runs += 1;
            }
            let maintained = device.windows.iter().any(|(start, end)| (*start..*end).contains(&t_s));
            device.state = if maintained { State::Maintenance } else { State::Idle };
        }
    }

    /// Why a device cannot start a run now; an unknown device can.
    pub(super) fn block_reason(&self, device: &str) -> Option<&'static str> {
        match self.devices.get(device)?.state {
            State::Idle => None,
            State::Running { .. } => Some("RC_DEVICE_BUSY"),
            State::Maintenance => Some("RC_DEVICE_MAINT"),
        }
    }

    pub(super) fn start_run(&mut self, device: &str, panel: &str, t_s: i64) {
        let Some(device) = self.devices.get_mut(device) else { return };
        if device.state == State::Idle {
            let service_s = service_time_s(&device.kind, self.types.get(&device.kind), panel);
            #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and service times are small")]
            let whole_s = (libm::rint(service_s) as i64).max(1);
            device.state = State::Running { start: t_s, end: t_s.saturating_add(whole_s) };
        }
    }

    pub(super) fn state(&self, device: &str) -> Option<&'static str> {
        self.devices.get(device).map(|device| match device.state {
            State::Idle => "IDLE",
            State::Running { .. } => "RUNNING",
            State::Maintenance => "MAINT",
        })
    }

    /// Busy time of devices that finished a run [s].
    pub(super) fn busy_s(&self) -> BTreeMap<String, u64> {
        let finished = self.devices.iter().filter(|(_, device)| device.finished_runs > 0);
        finished.map(|(id, device)| (id.clone(), u64::try_from(device.busy_s).unwrap_or(0))).collect()
    }
}

/// Service time of a run of `panel` [s]; only deterministic times count.
fn service_time_s(kind: &str, entry: Option<&Value>, panel: &str) -> f64 {
    let entry = entry.unwrap_or(&Value::Null);
    let model = ["service_time_model", "timing_model"].iter().map(|key| &entry[*key]).find(|model| model.is_object());
    let model = model.unwrap_or(&Value::Null);
    let fixed = |key: &str, default: f64| deterministic(&model[key], default);
    match kind {
        "CHEM_ANALYZER" | "COAG_ANALYZER" | "HAEM_ANALYZER" => deterministic(&model["per_panel_s"][panel], 30.0)
            .or_else(|| fixed("run_s", 30.0))
            .or_else(|| fixed("per_test_s", 30.0 / 14.0).map(|each| each * 14.0))
            .unwrap_or(30.0),
        "CENTRIFUGE_BANK" => {
            fixed("spin_time_s", 600.0).or_else(|| fixed("run_s", 600.0)).unwrap_or(60.0 + 600.0 + 60.0)
        }
        "ALIQUOTER" => fixed("per_tube_overhead_s", 3.0).unwrap_or(3.0) + fixed("per_aliquot_s", 2.0).unwrap_or(2.0),
        _ => fixed("run_s", 60.0).unwrap_or(60.0),
    }
}

fn deterministic(distribution: &Value, default: f64) -> Option<f64> {
    (distribution["dist"] == "deterministic").then(|| number(&distribution["value"]).unwrap_or(default))
}

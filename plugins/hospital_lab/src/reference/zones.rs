//! Zones, doors, where agents are, and where devices stand.

use super::value::{at, given, integer, items};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The zone that needs a token.
pub(super) const BIOHAZARD: &str = "Z_RESTRICTED_BIOHAZARD";
/// The door that needs a token.
pub(super) const AIRLOCK: &str = "D_RESTRICTED_AIRLOCK";

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

#[derive(Debug)]
struct Door {
    id: String,
    zones: [Option<String>; 2],
    max_open_s: i64,
    alarm_on_breach: bool,
    open_since: Option<i64>,
}

/// The floor and who stands where.
#[derive(Debug)]
pub(super) struct Zones {
    edges: BTreeSet<(String, String)>,
    device_zone: BTreeMap<String, String>,
    positions: BTreeMap<String, String>,
    /// In the order of the layout.
    doors: Vec<Door>,
    frozen: BTreeSet<String>,
}

impl Zones {
    pub(super) fn new(layout: Option<&Map<String, Value>>, agents: &Value) -> Self {
        let built_in;
        let layout = match layout {
            Some(layout) => layout,
            None => {
                built_in = built_in_layout();
                &built_in
            }
        };
        let pairs = |list: &str, first: &str, second: &str| -> Vec<(String, String)> {
            let both = |item: &Value| Some((given(&item[first])?, given(&item[second])?));
            items(at(layout, list)).iter().filter_map(both).collect()
        };
        let mut edges = BTreeSet::new();
        for (from, to) in pairs("graph_edges", "from", "to") {
            edges.insert((to.clone(), from.clone()));
            edges.insert((from, to));
        }
        let place = |item: &Value| Some((given(&item["agent_id"])?, given(&item["zone_id"])?));
        let mut positions: BTreeMap<_, _> = items(agents).iter().filter_map(place).collect();
        if positions.is_empty() {
            positions = DEFAULT_POSITIONS.map(|(agent, zone)| (agent.to_owned(), zone.to_owned())).into();
        }
        let device_zone = pairs("device_placement", "device_id", "zone_id").into_iter().collect();
        Self { edges, device_zone, positions, doors: doors(at(layout, "doors")), frozen: BTreeSet::new() }
    }

    pub(super) fn adjacent(&self, from: &str, to: &str) -> bool {
        from == to || self.edges.contains(&(from.to_owned(), to.to_owned()))
    }

    pub(super) fn agent_zone(&self, agent: &str) -> Option<&str> {
        self.positions.get(agent).map(String::as_str)
    }

    pub(super) fn place(&mut self, agent: &str, zone: &str) {
        self.positions.insert(agent.to_owned(), zone.to_owned());
    }

    pub(super) fn device_zone(&self, device: &str) -> Option<&str> {
        self.device_zone.get(device).map(String::as_str)
    }

    /// Devices that have a place.
    pub(super) fn devices(&self) -> impl Iterator<Item = &String> {
        self.device_zone.keys()
    }

    /// Both places are known and differ.
    pub(super) fn apart(&self, agent: &str, device: Option<&str>) -> bool {
        let device_zone = device.and_then(|device| self.device_zone(device));
        device_zone.zip(self.agent_zone(agent)).is_some_and(|(device, agent)| device != agent)
    }

    /// Opens a door, or restarts the time of one that is open. Unknown doors do not matter.
    pub(super) fn open_door(&mut self, door: &str, t_s: i64) {
        if let Some(door) = self.doors.iter_mut().find(|known| known.id == door) {
            door.open_since = Some(t_s);
        }
    }

    pub(super) fn door_open_since(&self, door: &str) -> Option<i64> {
        self.doors.iter().find(|known| known.id == door)?.open_since
    }

    /// Closes every door that is open too long and freezes its zones. Returns how many there were.
    pub(super) fn close_breached_doors(&mut self, t_s: i64) -> usize {
        let mut breached = 0;
        for door in &mut self.doors {
            let Some(since) = door.open_since else { continue };
            if door.alarm_on_breach && t_s.saturating_sub(since) > door.max_open_s {
                door.open_since = None;
                self.frozen.extend(door.zones.iter().flatten().cloned());
                breached += 1;
            }
        }
        breached
    }

    pub(super) fn is_frozen(&self, zone: &str) -> bool {
        self.frozen.contains(zone)
    }
}

fn doors(list: &Value) -> Vec<Door> {
    let mut doors: Vec<Door> = Vec::new();
    for entry in items(list) {
        let Some(id) = given(&entry["door_id"]) else { continue };
        let door = Door {
            zones: [given(&entry["from_zone"]), given(&entry["to_zone"])],
            max_open_s: integer(&entry["max_open_s"]).unwrap_or(600),
            alarm_on_breach: entry.get("alarm_on_breach").is_none_or(super::value::truthy),
            open_since: None,
            id,
        };
        match doors.iter_mut().find(|known| known.id == door.id) {
            Some(known) => *known = door,
            None => doors.push(door),
        }
    }
    doors
}

fn built_in_layout() -> Map<String, Value> {
    let edges = [
        ("Z_SRA_RECEPTION", "Z_ACCESSIONING"),
        ("Z_ACCESSIONING", "Z_SORTING_LANES"),
        ("Z_SORTING_LANES", "Z_PREANALYTICS"),
        ("Z_SORTING_LANES", "Z_CENTRIFUGE_BAY"),
        ("Z_PREANALYTICS", "Z_CENTRIFUGE_BAY"),
        ("Z_CENTRIFUGE_BAY", "Z_ALIQUOT_LABEL"),
        ("Z_ALIQUOT_LABEL", "Z_ANALYZER_HALL_A"),
        ("Z_ALIQUOT_LABEL", "Z_ANALYZER_HALL_B"),
        ("Z_ANALYZER_HALL_A", "Z_QC_SUPERVISOR"),
        ("Z_ANALYZER_HALL_B", "Z_QC_SUPERVISOR"),
        ("Z_SRA_RECEPTION", BIOHAZARD),
        (BIOHAZARD, "Z_WASTE_DISPOSAL"),
    ];
    let placement = [
        ("DEV_CENTRIFUGE_BANK_01", "Z_CENTRIFUGE_BAY"),
        ("DEV_ALIQUOTER_01", "Z_ALIQUOT_LABEL"),
        ("DEV_CHEM_A_01", "Z_ANALYZER_HALL_A"),
        ("DEV_HAEM_01", "Z_ANALYZER_HALL_A"),
        ("DEV_CHEM_B_01", "Z_ANALYZER_HALL_B"),
        ("DEV_COAG_01", "Z_ANALYZER_HALL_B"),
    ];
    let door = json!({
        "door_id": AIRLOCK, "from_zone": "Z_SRA_RECEPTION", "to_zone": BIOHAZARD, "max_open_s": 200,
        "alarm_on_breach": true,
    });
    let edges: Vec<Value> = edges.iter().map(|(from, to)| json!({"from": from, "to": to})).collect();
    let placement: Vec<Value> =
        placement.iter().map(|(device, zone)| json!({"device_id": device, "zone_id": zone})).collect();
    Map::from_iter([
        ("graph_edges".to_owned(), Value::Array(edges)),
        ("doors".to_owned(), json!([door])),
        ("device_placement".to_owned(), Value::Array(placement)),
    ])
}

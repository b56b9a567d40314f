//! The floor: zones, doors, permitted paths, where devices stand.

use super::{Contradiction, ZONES};
use labtrust_kernel::{SimDuration, Symbol, SymbolMap, Symbols};
use labtrust_plugin::lab::{FloorPlan, WayView};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc};

/// The file.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ZoneFile {
    #[serde(default)]
    timebase: Timebase,
    zones: Vec<ZoneEntry>,
    #[serde(default)]
    doors: Vec<DoorEntry>,
    graph_edges: Vec<EdgeEntry>,
    #[serde(default)]
    device_placement: Vec<PlacementEntry>,
    #[serde(default)]
    entity_movement_rules: BTreeMap<String, MovementRule>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Timebase {
    #[serde(default)]
    default_edge_travel_s: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
struct ZoneEntry {
    zone_id: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    restricted: bool,
    #[serde(default)]
    requires_access_token: Option<String>,
    #[serde(default)]
    capacity: Option<u32>,
}

#[derive(Debug, Clone, Deserialize)]
struct DoorEntry {
    door_id: String,
    from_zone: String,
    to_zone: String,
    #[serde(default = "default_max_open_s")]
    max_open_s: i64,
    #[serde(default = "yes")]
    alarm_on_breach: bool,
    #[serde(default)]
    requires_token: Option<String>,
    #[serde(default)]
    requires_role: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct EdgeEntry {
    from: String,
    to: String,
    #[serde(default)]
    travel_s: Option<f64>,
    #[serde(default)]
    via_door: Option<String>,
    #[serde(default)]
    capacity: Option<u32>,
    #[serde(default)]
    exclusive: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct PlacementEntry {
    device_id: String,
    zone_id: String,
}

#[derive(Debug, Clone, Deserialize)]
struct MovementRule {
    #[serde(default)]
    same_as: Option<String>,
}

const fn default_max_open_s() -> i64 {
    600
}

const fn yes() -> bool {
    true
}

/// A door.
#[derive(Debug, Clone)]
pub(crate) struct DoorSpec {
    pub id: Symbol,
    pub zones: [usize; 2],
    pub max_open_s: i64,
    pub alarm_on_breach: bool,
    /// Whether opening it needs a token; such a door must be open before anyone passes.
    pub needs_token: bool,
    /// Roles that may open it; empty is everyone.
    pub roles: Vec<Symbol>,
}

/// A permitted way from one zone to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    pub travel: SimDuration,
    pub door: Option<usize>,
    /// Its limit, an index into [`Layout::limits`], and which of the two directions it is; none where anybody fits.
    pub limit: Option<(usize, usize)>,
}

/// How many people fit on a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WayLimit {
    /// Most in one direction at a time [count].
    pub capacity: Option<u32>,
    /// Only in one direction at a time.
    pub exclusive: bool,
}

/// A zone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ZoneSpec {
    pub id: Symbol,
    /// Entering it needs a token.
    pub needs_token: bool,
    /// Specimens are registered here.
    pub registers: bool,
    /// Most people at a time [count].
    pub capacity: Option<u32>,
}

/// The floor, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub zones: Vec<ZoneSpec>,
    pub doors: Vec<DoorSpec>,
    pub placement: Vec<(Symbol, usize)>,
    zone_of: SymbolMap<usize>,
    door_of: SymbolMap<usize>,
    ways: Vec<Option<Way>>,
    pub limits: Vec<WayLimit>,
    pub next_hop: Arc<[u16]>,
    /// The same floor as agents and methods see it.
    pub plan: Arc<FloorPlan>,
}

impl Layout {
    /// Index of a zone.
    pub(crate) fn zone(&self, id: Symbol) -> Option<usize> {
        self.zone_of.get(id).copied()
    }

    /// Index of a door.
    pub(crate) fn door(&self, id: Symbol) -> Option<usize> {
        self.door_of.get(id).copied()
    }

    /// The path from one zone to another in one move; `None` where there is none. Staying is no path.
    pub(crate) fn way(&self, from: usize, to: usize) -> Option<Way> {
        self.ways[from * self.zones.len() + to]
    }

    /// Whether one move leads from one zone to another; a zone is adjacent to itself.
    pub(crate) fn adjacent(&self, from: usize, to: usize) -> bool {
        from == to || self.way(from, to).is_some()
    }

    pub(crate) fn compile(file: &ZoneFile, symbols: &mut Symbols) -> Result<Self, Contradiction> {
        movement_rules_end(&file.entity_movement_rules)?;
        let mut zones = Vec::new();
        let mut zone_of = SymbolMap::default();
        for zone in &file.zones {
            let id = symbols.intern(&zone.zone_id);
            if zone_of.insert(id, zones.len()).is_some() {
                return Err(twice("zone", &zone.zone_id));
            }
            if zone.capacity == Some(0) {
                return Err(no_room(&zone.zone_id, &format!("the zone {}", zone.zone_id)));
            }
            zones.push(ZoneSpec {
                id,
                capacity: zone.capacity,
                needs_token: zone.restricted || zone.requires_access_token.is_some(),
                registers: matches!(zone.kind.as_str(), "RECEPTION" | "ADMIN"),
            });
        }
        if zones.is_empty() || zones.len() > usize::from(u16::MAX) {
            let hint = "list at least one zone (and at most 65535) under `zones:`";
            return Err(Contradiction::new(ZONES, "zones", "there must be at least one zone", hint));
        }
        let known: Vec<&str> = file.zones.iter().map(|zone| zone.zone_id.as_str()).collect();
        let zone_index = |text: &str, role: &str| {
            symbols.get(text).and_then(|id| zone_of.get(id).copied()).ok_or_else(|| {
                let near = labtrust_policy::nearest(known.iter().copied(), text);
                let hint = near.map_or_else(
                    || "zones are declared under `zones:`".to_owned(),
                    |near| format!("did you mean `{near}`? zones are declared under `zones:`"),
                );
                Contradiction::new(ZONES, text, format!("{role} names the zone {text}, which does not exist"), hint)
            })
        };
        let mut doors: Vec<(DoorSpec, &DoorEntry)> = Vec::new();
        let mut doors_by_id: BTreeMap<&str, usize> = BTreeMap::new();
        for door in &file.doors {
            let from = zone_index(&door.from_zone, &format!("door {}", door.door_id))?;
            let to = zone_index(&door.to_zone, &format!("door {}", door.door_id))?;
            if door.max_open_s < 0 {
                let message = format!("door {} may be open for less than no time", door.door_id);
                return Err(Contradiction::new(ZONES, &door.door_id, message, "make `max_open_s` at least 0"));
            }
            if doors_by_id.insert(&door.door_id, doors.len()).is_some() {
                return Err(twice("door", &door.door_id));
            }
            // Ids are interned below, when nothing borrows the interner any more.
            let placeholder = zones[0].id;
            let spec = DoorSpec {
                id: placeholder,
                zones: [from, to],
                max_open_s: door.max_open_s,
                alarm_on_breach: door.alarm_on_breach,
                needs_token: door.requires_token.is_some(),
                roles: Vec::new(),
            };
            doors.push((spec, door));
        }
        let n = zones.len();
        let mut ways: Vec<Option<Way>> = vec![None; n * n];
        let mut limits = Vec::new();
        let default_travel = file.timebase.default_edge_travel_s.unwrap_or(20.0);
        for edge in &file.graph_edges {
            let name = format!("edge {} - {}", edge.from, edge.to);
            let (from, to) = (zone_index(&edge.from, &name)?, zone_index(&edge.to, &name)?);
            let seconds = edge.travel_s.unwrap_or(default_travel);
            let travel = SimDuration::from_secs_f64(seconds).ok_or_else(|| {
                let message = format!("{name} takes {seconds} s, which is no time to walk");
                Contradiction::new(ZONES, &edge.from, message, "give `travel_s` in seconds, at least 0")
            })?;
            let door = match &edge.via_door {
                None => None,
                Some(id) => Some(*doors_by_id.get(id.as_str()).ok_or_else(|| {
                    let message = format!("{name} leads through the door {id}, which does not exist");
                    Contradiction::new(ZONES, id, message, "doors are declared under `doors:`")
                })?),
            };
            if edge.capacity == Some(0) {
                return Err(no_room(&edge.from, &name));
            }
            let limit = (edge.capacity.is_some() || edge.exclusive).then(|| {
                limits.push(WayLimit { capacity: edge.capacity, exclusive: edge.exclusive });
                limits.len() - 1
            });
            for (direction, (a, b)) in [(from, to), (to, from)].into_iter().enumerate() {
                ways[a * n + b] = Some(Way { travel, door, limit: limit.map(|limit| (limit, direction)) });
            }
        }
        let mut placed: Vec<(&str, usize)> = Vec::new();
        for entry in &file.device_placement {
            let zone = zone_index(&entry.zone_id, &format!("device {}", entry.device_id))?;
            if placed.iter().any(|&(id, _)| id == entry.device_id) {
                return Err(twice("device", &entry.device_id));
            }
            placed.push((&entry.device_id, zone));
        }
        let next_hop = shortest_ways(&ways, n, &zones, &doors);
        let placement = placed.into_iter().map(|(id, zone)| (symbols.intern(id), zone)).collect();
        let mut door_of = SymbolMap::default();
        let doors: Vec<DoorSpec> = doors
            .into_iter()
            .enumerate()
            .map(|(i, (spec, entry))| {
                let id = symbols.intern(&entry.door_id);
                door_of.insert(id, i);
                let roles = entry.requires_role.iter().map(|role| symbols.intern(role)).collect();
                DoorSpec { id, roles, ..spec }
            })
            .collect();
        let plan = Arc::new(floor_plan(&zones, &doors, &ways, &limits));
        Ok(Self { zones, doors, placement, zone_of, door_of, ways, limits, next_hop, plan })
    }
}

fn no_room(place: &str, name: &str) -> Contradiction {
    let message = format!("{name} has room for nobody");
    Contradiction::new(ZONES, place, message, "make `capacity` at least 1, or leave it out where anybody fits")
}

/// What is fixed about the floor, as agents and methods see it. Each way stands once, in the order of its zones.
fn floor_plan(zones: &[ZoneSpec], doors: &[DoorSpec], ways: &[Option<Way>], limits: &[WayLimit]) -> FloorPlan {
    let n = zones.len();
    let places = (0..n).flat_map(|from| (from + 1..n).map(move |to| (from, to)));
    let way = |(from, to): (usize, usize)| {
        let way = ways[from * n + to]?;
        let limit = way.limit.map(|(limit, _)| limits[limit]);
        Some(WayView {
            zones: [from, to],
            travel_s: i64::try_from(way.travel.as_secs_ceil()).unwrap_or(i64::MAX),
            capacity: limit.and_then(|limit| limit.capacity),
            exclusive: limit.is_some_and(|limit| limit.exclusive),
            door: way.door,
            guarded: way.door.is_some_and(|door| doors[door].needs_token)
                || zones[from].needs_token
                || zones[to].needs_token,
        })
    };
    FloorPlan { capacity: zones.iter().map(|zone| zone.capacity).collect(), ways: places.filter_map(way).collect() }
}

fn twice(kind: &str, id: &str) -> Contradiction {
    Contradiction::new(
        ZONES,
        id,
        format!("{kind} {id} is declared twice"),
        "every id stands once; remove or rename one",
    )
}

/// `same_as` chains must end.
fn movement_rules_end(rules: &BTreeMap<String, MovementRule>) -> Result<(), Contradiction> {
    for start in rules.keys() {
        let mut seen = vec![start.as_str()];
        let mut at = start.as_str();
        while let Some(next) = rules.get(at).and_then(|rule| rule.same_as.as_deref()) {
            if seen.contains(&next) {
                let message = format!("the movement rule of {start} refers to itself: {} -> {next}", seen.join(" -> "));
                return Err(Contradiction::new(ZONES, next, message, "let one of them state its zones itself"));
            }
            if !rules.contains_key(next) {
                let message = format!("the movement rule of {at} is the same as that of {next}, which has none");
                return Err(Contradiction::new(ZONES, next, message, "name an entity type that has a rule"));
            }
            seen.push(next);
            at = next;
        }
    }
    Ok(())
}

/// First hop of the quickest way between any two zones (Floyd-Warshall; ties by the lower zone index). Ways do not lead
/// through doors that need a token: nobody walks there by the way.
fn shortest_ways(ways: &[Option<Way>], n: usize, zones: &[ZoneSpec], doors: &[(DoorSpec, &DoorEntry)]) -> Arc<[u16]> {
    let far = u64::MAX / 4;
    let mut distance = vec![far; n * n];
    let mut hop: Vec<u16> = Vec::with_capacity(n * n);
    for from in 0..n {
        for to in 0..n {
            let open = ways[from * n + to].filter(|way| {
                !zones[to].needs_token && way.door.is_none_or(|door| !doors[door].0.needs_token) && from != to
            });
            if let Some(way) = open {
                // One nanosecond a move prefers fewer moves among equally quick ways.
                distance[from * n + to] = way.travel.as_nanos().saturating_add(1).min(far);
            }
            hop.push(index16(if open.is_some() { to } else { from }));
        }
        distance[from * n + from] = 0;
    }
    for via in 0..n {
        for from in 0..n {
            for to in 0..n {
                let detour = distance[from * n + via] + distance[via * n + to];
                if detour < distance[from * n + to] {
                    distance[from * n + to] = detour;
                    hop[from * n + to] = hop[from * n + via];
                }
            }
        }
    }
    hop.into()
}

fn index16(index: usize) -> u16 {
    u16::try_from(index).unwrap_or_else(|_| unreachable!("the number of zones was checked"))
}

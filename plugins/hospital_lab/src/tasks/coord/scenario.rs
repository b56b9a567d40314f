//! What a scale may say beside its size: rooms and ways with little room, devices that break, and what arrives how.

use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Statuses that work may arrive with: how much of the lane is already behind it.
const STATUSES: [&str; 4] = ["arrived_at_reception", "accepted", "separated", "aliquoted"];

/// A floor with limits, and devices that break.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct World {
    /// Most people in a room at a time [count].
    pub rooms: BTreeMap<String, u32>,
    /// Narrow ways.
    pub ways: Vec<NarrowWay>,
    /// Rooms in which people begin, dealt in turns; six rooms along the lane where none is named.
    pub start: Vec<String>,
    /// Devices that are broken for a time.
    pub outages: Vec<Outage>,
}

/// A way with little room.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NarrowWay {
    /// The rooms that it joins.
    pub between: [String; 2],
    /// Most people on it in one direction at a time [count].
    #[serde(default)]
    pub capacity: Option<u32>,
    /// Whether people can be on it in one direction only at a time.
    #[serde(default)]
    pub exclusive: bool,
}

/// A device is broken for a time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outage {
    /// The device, `DEV_<type>_<number>`.
    pub device: String,
    /// From when [s].
    pub from_s: i64,
    /// Until when [s].
    pub until_s: i64,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Workload {
    /// Status of what arrives.
    pub arrives_as: String,
    /// Panels and their weights; chemistry only where none is named.
    pub panels: BTreeMap<String, u32>,
    /// Share of urgent specimens.
    pub stat_share: f64,
    /// Whether a part of the work is there from the beginning.
    pub backlog: bool,
    /// When the last work arrives [s]; at the end of the episode where absent.
    pub until_s: Option<i64>,
    /// A time in which more arrives.
    pub surge: Option<Surge>,
    /// Work that waits at another site and has to be fetched.
    pub remote: Option<Remote>,
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            arrives_as: STATUSES[0].to_owned(),
            panels: BTreeMap::new(),
            stat_share: 0.1,
            backlog: true,
            until_s: None,
            surge: None,
            remote: None,
        }
    }
}

/// A time in which more arrives. The whole stays the same; more of it comes in this time.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Surge {
    /// From when [s].
    pub from_s: i64,
    /// Until when [s].
    pub until_s: i64,
    /// How many times as much arrives in a second as at other times.
    pub factor: u32,
}

/// Work that waits at another site.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Remote {
    /// The site.
    pub site: String,
    /// Where it is brought.
    pub to: String,
    /// Specimens that go together [count].
    pub consignment: u32,
    /// Consignments [count].
    pub consignments: u32,
}

impl World {
    /// What makes no sense, if anything does not.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some((room, _)) = self.rooms.iter().find(|(_, most)| **most == 0) {
            return Err(format!("the room {room} has room for nobody"));
        }
        for NarrowWay { between: [a, b], capacity, exclusive } in &self.ways {
            if *capacity == Some(0) || (capacity.is_none() && !exclusive) {
                return Err(format!("the way from {a} to {b} needs a capacity of at least 1, or to be exclusive"));
            }
        }
        match self.outages.iter().find(|outage| outage.from_s < 0 || outage.from_s >= outage.until_s) {
            Some(outage) => Err(format!("the outage of {} ends before it begins", outage.device)),
            None => Ok(()),
        }
    }

    /// Puts the limits into the floor plan of a policy.
    pub(super) fn narrow(&self, layout: &mut Value) -> Result<(), String> {
        for (room, most) in &self.rooms {
            let zones = layout["zones"].as_array_mut().into_iter().flatten();
            let zone = zones.into_iter().find(|zone| zone["zone_id"] == **room);
            zone.ok_or_else(|| format!("there is no room {room}"))?["capacity"] = json!(most);
        }
        for NarrowWay { between: [a, b], capacity, exclusive } in &self.ways {
            let joins =
                |way: &&mut Value| (way["from"] == **a && way["to"] == **b) || (way["from"] == **b && way["to"] == **a);
            let way = layout["graph_edges"].as_array_mut().into_iter().flatten().find(joins);
            let way = way.ok_or_else(|| format!("there is no way between {a} and {b}"))?;
            if let Some(most) = capacity {
                way["capacity"] = json!(most);
            }
            way["exclusive"] = json!(exclusive);
        }
        Ok(())
    }

    /// The outages, as an initial state names them.
    pub(super) fn outages(&self) -> Vec<Value> {
        let entry = |outage: &Outage| json!({ "device_id": outage.device, "start_ts_s": outage.from_s, "end_ts_s": outage.until_s });
        self.outages.iter().map(entry).collect()
    }
}

impl Workload {
    /// What makes no sense, if anything does not.
    pub(super) fn check(&self) -> Result<(), String> {
        let Self { arrives_as, panels, stat_share, until_s, surge, remote, .. } = self;
        if !STATUSES.contains(&arrives_as.as_str()) {
            return Err(format!("work arrives as {arrives_as:?}; it can arrive as {}", STATUSES.join(", ")));
        }
        if !panels.is_empty() && panels.values().all(|weight| *weight == 0) {
            return Err("no panel has any weight".to_owned());
        }
        if !(0.0..=1.0).contains(stat_share) {
            return Err(format!("a share of {stat_share} of urgent specimens; it is between 0 and 1"));
        }
        if until_s.is_some_and(|until_s| until_s < 0) {
            return Err("the last work arrives before the beginning".to_owned());
        }
        if surge.is_some_and(|surge| surge.from_s < 0 || surge.from_s >= surge.until_s || surge.factor == 0) {
            return Err("a surge begins at 0 or later, ends after that, and has a factor of at least 1".to_owned());
        }
        match remote {
            Some(remote) if remote.consignment == 0 => Err("a consignment of no specimens".to_owned()),
            _ => Ok(()),
        }
    }

    /// Whether what arrives has been separated elsewhere.
    pub(super) fn is_separated(&self) -> bool {
        matches!(self.arrives_as.as_str(), "separated" | "aliquoted")
    }

    /// The time of an arrival [s] for a number drawn from 0 to [`Workload::moments`], both included.
    pub(super) fn moment(&self, drawn: i64) -> i64 {
        let Some(Surge { from_s, until_s, factor }) = self.surge else { return drawn };
        let within = (until_s - from_s) * i64::from(factor);
        match drawn - from_s {
            before if before < 0 => drawn,
            inside if inside < within => from_s + inside / i64::from(factor),
            after => until_s + (after - within),
        }
    }

    /// The last number to draw for an arrival no later than `last_s`.
    pub(super) fn moments(&self, last_s: i64) -> i64 {
        let Some(Surge { from_s, until_s, factor }) = self.surge else { return last_s };
        let inside = last_s.min(until_s).saturating_sub(from_s).max(0);
        last_s + inside * (i64::from(factor) - 1)
    }

    /// The panel for a number drawn below [`Workload::weights`].
    pub(super) fn panel(&self, mut drawn: u64) -> Option<&str> {
        let hit = self.panels.iter().find(|(_, weight)| {
            let weight = u64::from(**weight);
            let hit = drawn < weight;
            drawn = drawn.saturating_sub(weight);
            hit
        });
        hit.map(|(panel, _)| panel.as_str())
    }

    /// Sum of the panels' weights.
    pub(super) fn weights(&self) -> u64 {
        self.panels.values().map(|weight| u64::from(*weight)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surge_moves_arrivals_and_loses_none() {
        let surge = Some(Surge { from_s: 100, until_s: 200, factor: 3 });
        let workload = Workload { surge, ..Workload::default() };
        assert_eq!(workload.moments(1000), 1200);
        let mut in_surge = 0;
        let mut last_s = 0;
        for drawn in 0..=1200 {
            let at_s = workload.moment(drawn);
            assert!((0..=1000).contains(&at_s) && at_s >= last_s, "{drawn}: {at_s}");
            last_s = at_s;
            in_surge += i32::from((100..200).contains(&at_s));
        }
        assert_eq!((in_surge, last_s), (300, 1000));
        assert_eq!((0..=50).map(|drawn| Workload::default().moment(drawn)).sum::<i64>(), 1275);
    }

    #[test]
    fn panels_come_by_their_weights() {
        let panels = BTreeMap::from([("A".to_owned(), 3), ("B".to_owned(), 0), ("C".to_owned(), 1)]);
        let workload = Workload { panels, ..Workload::default() };
        let drawn: Vec<_> = (0..workload.weights()).filter_map(|n| workload.panel(n)).collect();
        assert_eq!(drawn, ["A", "A", "A", "C"]);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let world = |text: &str| serde_json::from_str::<World>(text).unwrap().check().unwrap_err();
        assert!(world(r#"{"rooms": {"Z": 0}}"#).contains("the room Z has room for nobody"));
        assert!(world(r#"{"ways": [{"between": ["A", "B"]}]}"#).contains("from A to B needs a capacity"));
        assert!(world(r#"{"outages": [{"device": "D", "from_s": 9, "until_s": 9}]}"#).contains("outage of D"));
        let work = |text: &str| serde_json::from_str::<Workload>(text).unwrap().check().unwrap_err();
        assert!(work(r#"{"arrives_as": "eaten"}"#).contains("it can arrive as arrived_at_reception, accepted"));
        assert!(work(r#"{"panels": {"A": 0}}"#).contains("no panel"));
        assert!(work(r#"{"stat_share": 1.5}"#).contains("between 0 and 1"));
        assert!(work(r#"{"surge": {"from_s": 5, "until_s": 5, "factor": 2}}"#).contains("surge"));
        assert!(serde_json::from_str::<World>(r#"{"roms": {}}"#).is_err());
    }
}

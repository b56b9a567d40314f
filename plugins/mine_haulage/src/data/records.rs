//! The site as files write it, and how it becomes a [`Site`]: ids resolved, every figure held to its rule.

use super::error::{DataError, Place};
use super::finite::{finite, finite_option};
use super::table::{Row, Table};
use crate::rules::{self, Rule};
use crate::site::{DumpPoint, Edge, Loader, Node, NodeId, NodeKind, ServiceTime, Site, Truck};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The format of a site in RON.
pub(crate) const SITE_FORMAT: &str = "labtrust.mine.site.v1";

/// A site, as one file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SiteFile {
    pub format: String,
    pub nodes: Vec<NodeRecord>,
    pub edges: Vec<EdgeRecord>,
    pub trucks: Vec<TruckRecord>,
    pub loaders: Vec<LoaderRecord>,
    pub dump_points: Vec<DumpRecord>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeRecord {
    pub node_id: String,
    pub node_name: String,
    pub node_type: String,
    #[serde(deserialize_with = "finite")]
    pub x_m: f64,
    #[serde(deserialize_with = "finite")]
    pub y_m: f64,
    #[serde(deserialize_with = "finite")]
    pub z_m: f64,
    #[serde(default)]
    pub capacity: Option<u32>,
    #[serde(default, deserialize_with = "finite_option")]
    pub service_time_mean_min: Option<f64>,
    #[serde(default, deserialize_with = "finite_option")]
    pub service_time_sd_min: Option<f64>,
    #[serde(default)]
    pub metadata: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgeRecord {
    pub edge_id: String,
    pub from_node: String,
    pub to_node: String,
    #[serde(deserialize_with = "finite")]
    pub distance_m: f64,
    #[serde(deserialize_with = "finite")]
    pub max_speed_kph: f64,
    pub road_type: String,
    pub capacity: u32,
    pub closed: bool,
    #[serde(default)]
    pub metadata: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TruckRecord {
    pub truck_id: String,
    #[serde(deserialize_with = "finite")]
    pub payload_tonnes: f64,
    #[serde(deserialize_with = "finite")]
    pub empty_speed_factor: f64,
    #[serde(deserialize_with = "finite")]
    pub loaded_speed_factor: f64,
    #[serde(deserialize_with = "finite")]
    pub availability: f64,
    pub start_node: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoaderRecord {
    pub loader_id: String,
    pub node_id: String,
    pub capacity: u32,
    #[serde(deserialize_with = "finite")]
    pub bucket_capacity_tonnes: f64,
    #[serde(deserialize_with = "finite")]
    pub mean_load_time_min: f64,
    #[serde(deserialize_with = "finite")]
    pub sd_load_time_min: f64,
    #[serde(deserialize_with = "finite")]
    pub availability: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DumpRecord {
    pub dump_id: String,
    pub node_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub capacity: u32,
    #[serde(deserialize_with = "finite")]
    pub mean_dump_time_min: f64,
    #[serde(deserialize_with = "finite")]
    pub sd_dump_time_min: f64,
}

/// One of the site's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Nodes,
    Edges,
    Trucks,
    Loaders,
    Dumps,
}

impl List {
    /// The list's name in RON, and of its CSV file.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Edges => "edges",
            Self::Trucks => "trucks",
            Self::Loaders => "loaders",
            Self::Dumps => "dump_points",
        }
    }

    fn columns(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Nodes => (
                &["node_id", "node_name", "node_type", "x_m", "y_m", "z_m"],
                &["capacity", "service_time_mean_min", "service_time_sd_min", "metadata"],
            ),
            Self::Edges => (
                &["edge_id", "from_node", "to_node", "distance_m", "max_speed_kph", "road_type", "capacity", "closed"],
                &["metadata"],
            ),
            Self::Trucks => (
                &[
                    "truck_id",
                    "payload_tonnes",
                    "empty_speed_factor",
                    "loaded_speed_factor",
                    "availability",
                    "start_node",
                ],
                &[],
            ),
            Self::Loaders => (
                &[
                    "loader_id",
                    "node_id",
                    "capacity",
                    "bucket_capacity_tonnes",
                    "mean_load_time_min",
                    "sd_load_time_min",
                    "availability",
                ],
                &[],
            ),
            Self::Dumps => (&["dump_id", "node_id", "type", "capacity", "mean_dump_time_min", "sd_dump_time_min"], &[]),
        }
    }

    /// Reads the list's table, the content of `file`; `read` makes an entry of a row. With the line of each entry.
    pub(crate) fn table<T>(
        self,
        file: &str,
        text: &str,
        read: fn(&Row<'_>) -> Result<T, DataError>,
    ) -> Result<(Vec<T>, Vec<u64>), DataError> {
        let (required, optional) = self.columns();
        let table = Table::read(file, text, required, optional)?;
        let entries = table.rows().map(|row| Ok((read(&row)?, row.line())));
        Ok(entries.collect::<Result<Vec<_>, DataError>>()?.into_iter().unzip())
    }
}

impl NodeRecord {
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, DataError> {
        Ok(Self {
            node_id: row.text("node_id")?,
            node_name: row.text("node_name")?,
            node_type: row.text("node_type")?,
            x_m: row.number("x_m")?,
            y_m: row.number("y_m")?,
            z_m: row.number("z_m")?,
            capacity: row.maybe("capacity", Row::count)?,
            service_time_mean_min: row.maybe("service_time_mean_min", Row::number)?,
            service_time_sd_min: row.maybe("service_time_sd_min", Row::number)?,
            metadata: row.note("metadata"),
        })
    }
}

impl EdgeRecord {
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, DataError> {
        Ok(Self {
            edge_id: row.text("edge_id")?,
            from_node: row.text("from_node")?,
            to_node: row.text("to_node")?,
            distance_m: row.number("distance_m")?,
            max_speed_kph: row.number("max_speed_kph")?,
            road_type: row.text("road_type")?,
            capacity: row.count("capacity")?,
            closed: row.flag("closed")?,
            metadata: row.note("metadata"),
        })
    }
}

impl TruckRecord {
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, DataError> {
        Ok(Self {
            truck_id: row.text("truck_id")?,
            payload_tonnes: row.number("payload_tonnes")?,
            empty_speed_factor: row.number("empty_speed_factor")?,
            loaded_speed_factor: row.number("loaded_speed_factor")?,
            availability: row.number("availability")?,
            start_node: row.text("start_node")?,
        })
    }
}

impl LoaderRecord {
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, DataError> {
        Ok(Self {
            loader_id: row.text("loader_id")?,
            node_id: row.text("node_id")?,
            capacity: row.count("capacity")?,
            bucket_capacity_tonnes: row.number("bucket_capacity_tonnes")?,
            mean_load_time_min: row.number("mean_load_time_min")?,
            sd_load_time_min: row.number("sd_load_time_min")?,
            availability: row.number("availability")?,
        })
    }
}

impl DumpRecord {
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, DataError> {
        Ok(Self {
            dump_id: row.text("dump_id")?,
            node_id: row.text("node_id")?,
            kind: row.text("type")?,
            capacity: row.count("capacity")?,
            mean_dump_time_min: row.number("mean_dump_time_min")?,
            sd_dump_time_min: row.number("sd_dump_time_min")?,
        })
    }
}

/// Where entries stand: `(list, entry, field)` to a place.
pub(crate) type Places<'a> = &'a dyn Fn(List, usize, &str) -> Place;

/// One entry being checked.
struct Entry<'a> {
    places: Places<'a>,
    list: List,
    index: usize,
}

impl Entry<'_> {
    fn wrong(&self, field: &str, problem: impl Into<String>, hint: impl Into<String>) -> DataError {
        (self.places)(self.list, self.index, field).wrong(problem, hint)
    }

    fn held(&self, field: &str, value: f64, rule: Rule) -> Result<f64, DataError> {
        hold(value, rule, || (self.places)(self.list, self.index, field))
    }

    fn capacity(&self, value: u32) -> Result<u32, DataError> {
        self.held("capacity", f64::from(value), rules::CAPACITY).map(|_| value)
    }

    fn node(&self, field: &str, id: &str, nodes: &BTreeMap<String, NodeId>) -> Result<NodeId, DataError> {
        let known = || known_hint("nodes", nodes.keys().map(String::as_str), id);
        nodes.get(id).copied().ok_or_else(|| self.wrong(field, format!("there is no node {id}"), known()))
    }
}

/// `value`, if the rule holds.
pub(crate) fn hold(value: f64, rule: Rule, place: impl FnOnce() -> Place) -> Result<f64, DataError> {
    if rule.holds(value) {
        Ok(value)
    } else {
        Err(place().wrong(format!("{value} is not {rule}"), "correct the value"))
    }
}

/// Names what could be meant.
pub(crate) fn known_hint<'a>(what: &str, known: impl Iterator<Item = &'a str> + Clone, word: &str) -> String {
    match labtrust_policy::nearest(known.clone(), word) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("the {what} are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

impl SiteFile {
    /// The site, with every id resolved and every figure within its rule.
    pub(crate) fn build(&self, places: Places<'_>) -> Result<Site, DataError> {
        let entry = |list, index| Entry { places, list, index };
        let sizes = [
            (List::Nodes, self.nodes.len()),
            (List::Edges, self.edges.len()),
            (List::Trucks, self.trucks.len()),
            (List::Loaders, self.loaders.len()),
            (List::Dumps, self.dump_points.len()),
        ];
        for (list, size) in sizes {
            hold(size as f64, rules::ENTRIES, || places(list, 0, "the number of entries"))?;
        }
        unique(places, List::Nodes, "node_id", self.nodes.iter().map(|record| &record.node_id))?;
        unique(places, List::Edges, "edge_id", self.edges.iter().map(|record| &record.edge_id))?;
        unique(places, List::Trucks, "truck_id", self.trucks.iter().map(|record| &record.truck_id))?;
        unique(places, List::Loaders, "loader_id", self.loaders.iter().map(|record| &record.loader_id))?;
        unique(places, List::Dumps, "dump_id", self.dump_points.iter().map(|record| &record.dump_id))?;
        let ids: BTreeMap<String, NodeId> =
            (0..).zip(&self.nodes).map(|(index, record)| (record.node_id.clone(), NodeId(index))).collect();
        let of = |list, index| entry(list, index);
        let nodes = each(&self.nodes, |index, record| node(&of(List::Nodes, index), record))?;
        let edges = each(&self.edges, |index, record| edge(&of(List::Edges, index), record, &ids))?;
        let trucks = each(&self.trucks, |index, record| truck(&of(List::Trucks, index), record, &ids))?;
        let loaders = each(&self.loaders, |index, record| loader(&of(List::Loaders, index), record, &ids))?;
        let dumps = each(&self.dump_points, |index, record| dump(&of(List::Dumps, index), record, &ids))?;
        Ok(Site { nodes, edges, trucks, loaders, dumps })
    }
}

fn each<R, T>(records: &[R], build: impl Fn(usize, &R) -> Result<T, DataError>) -> Result<Vec<T>, DataError> {
    records.iter().enumerate().map(|(index, record)| build(index, record)).collect()
}

fn unique<'a>(
    places: Places<'_>,
    list: List,
    field: &str,
    ids: impl Iterator<Item = &'a String>,
) -> Result<(), DataError> {
    let mut first = BTreeMap::new();
    for (index, id) in ids.enumerate() {
        if id.is_empty() {
            return Err(places(list, index, field).wrong("the id is empty", "give the entry an id"));
        }
        if let Some(&earlier) = first.get(id) {
            let earlier: Place = places(list, earlier, field);
            let problem = format!("the id {id} stands twice; it is at {earlier} already");
            return Err(places(list, index, field).wrong(problem, "rename or remove one of the two"));
        }
        first.insert(id, index);
    }
    Ok(())
}

fn node(entry: &Entry<'_>, record: &NodeRecord) -> Result<Node, DataError> {
    let kind = NodeKind::ALL.into_iter().find(|kind| kind.as_str() == record.node_type).ok_or_else(|| {
        let known = NodeKind::ALL.iter().map(|kind| kind.as_str());
        let problem = format!("{:?} is no type of node", record.node_type);
        entry.wrong("node_type", problem, known_hint("types", known, &record.node_type))
    })?;
    let service = match (record.service_time_mean_min, record.service_time_sd_min) {
        (None, None) => None,
        (Some(mean), sd) => Some(ServiceTime {
            mean_min: entry.held("service_time_mean_min", mean, rules::MEAN_MIN)?,
            sd_min: entry.held("service_time_sd_min", sd.unwrap_or(0.0), rules::SD_MIN)?,
        }),
        (None, Some(_)) => {
            let hint = "give service_time_mean_min too, or leave both out";
            return Err(entry.wrong("service_time_sd_min", "a deviation without a mean", hint));
        }
    };
    Ok(Node {
        id: record.node_id.clone(),
        name: record.node_name.clone(),
        kind,
        x_m: entry.held("x_m", record.x_m, rules::COORDINATE_M)?,
        y_m: entry.held("y_m", record.y_m, rules::COORDINATE_M)?,
        z_m: entry.held("z_m", record.z_m, rules::COORDINATE_M)?,
        capacity: record.capacity.map(|capacity| entry.capacity(capacity)).transpose()?,
        service,
        note: record.metadata.clone(),
    })
}

fn edge(entry: &Entry<'_>, record: &EdgeRecord, nodes: &BTreeMap<String, NodeId>) -> Result<Edge, DataError> {
    let (from, to) =
        (entry.node("from_node", &record.from_node, nodes)?, entry.node("to_node", &record.to_node, nodes)?);
    if from == to {
        let problem = format!("the road leads from {} to itself", record.from_node);
        return Err(entry.wrong("to_node", problem, "name the node at the other end"));
    }
    Ok(Edge {
        id: record.edge_id.clone(),
        from,
        to,
        distance_m: entry.held("distance_m", record.distance_m, rules::DISTANCE_M)?,
        max_speed_kph: entry.held("max_speed_kph", record.max_speed_kph, rules::SPEED_KPH)?,
        road_type: record.road_type.clone(),
        capacity: entry.capacity(record.capacity)?,
        closed: record.closed,
        note: record.metadata.clone(),
    })
}

fn truck(entry: &Entry<'_>, record: &TruckRecord, nodes: &BTreeMap<String, NodeId>) -> Result<Truck, DataError> {
    Ok(Truck {
        id: record.truck_id.clone(),
        payload_tonnes: entry.held("payload_tonnes", record.payload_tonnes, rules::TONNES)?,
        empty_speed_factor: entry.held("empty_speed_factor", record.empty_speed_factor, rules::SPEED_FACTOR)?,
        loaded_speed_factor: entry.held("loaded_speed_factor", record.loaded_speed_factor, rules::SPEED_FACTOR)?,
        availability: entry.held("availability", record.availability, rules::AVAILABILITY)?,
        start: entry.node("start_node", &record.start_node, nodes)?,
    })
}

fn loader(entry: &Entry<'_>, record: &LoaderRecord, nodes: &BTreeMap<String, NodeId>) -> Result<Loader, DataError> {
    Ok(Loader {
        id: record.loader_id.clone(),
        node: entry.node("node_id", &record.node_id, nodes)?,
        capacity: entry.capacity(record.capacity)?,
        bucket_tonnes: entry.held("bucket_capacity_tonnes", record.bucket_capacity_tonnes, rules::TONNES)?,
        service: ServiceTime {
            mean_min: entry.held("mean_load_time_min", record.mean_load_time_min, rules::MEAN_MIN)?,
            sd_min: entry.held("sd_load_time_min", record.sd_load_time_min, rules::SD_MIN)?,
        },
        availability: entry.held("availability", record.availability, rules::AVAILABILITY)?,
    })
}

fn dump(entry: &Entry<'_>, record: &DumpRecord, nodes: &BTreeMap<String, NodeId>) -> Result<DumpPoint, DataError> {
    Ok(DumpPoint {
        id: record.dump_id.clone(),
        node: entry.node("node_id", &record.node_id, nodes)?,
        kind: record.kind.clone(),
        capacity: entry.capacity(record.capacity)?,
        service: ServiceTime {
            mean_min: entry.held("mean_dump_time_min", record.mean_dump_time_min, rules::MEAN_MIN)?,
            sd_min: entry.held("sd_dump_time_min", record.sd_dump_time_min, rules::SD_MIN)?,
        },
    })
}

//! Consignments between sites.

use super::value::{at, given, integer, items, number, text, truthy};
use serde_json::{Map, Value, json};

#[derive(Debug)]
struct Consignment {
    id: String,
    specimens: Vec<String>,
    origin: String,
    destination: String,
    expected_arrival_ts: i64,
    drift_c: f64,
    drift_max_c: f64,
    arrived: bool,
    signed: bool,
}

/// The consignments, in the order of dispatch.
#[derive(Debug, Default)]
pub(super) struct Transport {
    edges: Vec<Value>,
    routes: Vec<Value>,
    /// Every reception finds the temperature at its limit.
    force_excursion: bool,
    consignments: Vec<Consignment>,
}

impl Transport {
    pub(super) fn new(sites: Option<&Map<String, Value>>, initial: &Map<String, Value>) -> Self {
        let list = |key: &str| sites.map(|sites| items(at(sites, key)).to_vec()).unwrap_or_default();
        let fault = at(initial, "transport_fault_injection").get("force_temp_excursion_on_next_receive");
        Self {
            edges: list("site_graph"),
            routes: list("routes"),
            force_excursion: fault.is_some_and(truthy),
            consignments: Vec::new(),
        }
    }

    /// Sends specimens off; the id of the consignment, or `None` where there is no way.
    pub(super) fn dispatch(
        &mut self,
        specimens: Vec<String>,
        origin: &str,
        destination: &str,
        t_s: i64,
    ) -> Option<String> {
        let leads = |way: &&Value| text(&way["from_site"]) == origin && text(&way["to_site"]) == destination;
        let open = |way: &Value| way.get("enabled").is_none_or(truthy);
        if !self.edges.iter().any(|edge| leads(&edge) && open(edge)) {
            return None;
        }
        let route = self.routes.iter().find(leads)?;
        let id = format!("CONS_{}", self.consignments.len() + 1);
        let mean_s = integer(&route["transport_time_mean_s"]).unwrap_or(600);
        self.consignments.push(Consignment {
            id: id.clone(),
            specimens,
            origin: origin.to_owned(),
            destination: destination.to_owned(),
            expected_arrival_ts: t_s.saturating_add(mean_s),
            drift_c: 0.0,
            drift_max_c: number(&route["temp_drift_max_c"]).unwrap_or(2.0),
            arrived: false,
            signed: false,
        });
        Some(id)
    }

    /// How many consignments under way are close to their limit of temperature.
    pub(super) fn near_limit(&self) -> usize {
        let close = |c: &&Consignment| !c.arrived && c.drift_c.abs() >= 0.99 * c.drift_max_c;
        self.consignments.iter().filter(close).count()
    }

    /// Takes a consignment in.
    ///
    /// # Errors
    /// The code of a refusal.
    pub(super) fn receive(&mut self, id: Option<&str>) -> Result<(), &'static str> {
        let mut known = self.consignments.iter_mut().filter(|c| !c.arrived);
        let consignment = known.find(|c| Some(c.id.as_str()) == id).ok_or("TRANSPORT_CHAIN_OF_CUSTODY_BROKEN")?;
        if self.force_excursion {
            consignment.drift_c = consignment.drift_max_c;
        }
        if consignment.drift_c.abs() >= consignment.drift_max_c {
            return Err("TRANSPORT_TEMP_EXCURSION");
        }
        consignment.arrived = true;
        Ok(())
    }

    /// Signs for a consignment; `false` when there is none of that id.
    pub(super) fn sign(&mut self, id: Option<&str>) -> bool {
        let consignment = self.consignments.iter_mut().find(|c| Some(c.id.as_str()) == id);
        consignment.map(|c| c.signed = true).is_some()
    }

    /// All consignments, by the text of their ids.
    pub(super) fn list(&self) -> Value {
        let mut sorted: Vec<&Consignment> = self.consignments.iter().collect();
        sorted.sort_by(|a, b| a.id.cmp(&b.id));
        let entry = |c: &&Consignment| {
            json!({
                "consignment_id": c.id, "specimen_ids": c.specimens, "origin_site": c.origin,
                "dest_site": c.destination, "expected_arrival_ts": c.expected_arrival_ts,
                "chain_of_custody_signed": c.signed, "status": if c.arrived { "arrived" } else { "in_transit" },
            })
        };
        Value::Array(sorted.iter().map(entry).collect())
    }
}

/// The consignment that an argument names.
pub(super) fn named(args: &Map<String, Value>) -> Option<String> {
    given(at(args, "consignment_id"))
}

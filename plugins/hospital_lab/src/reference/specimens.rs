//! Specimens: records, aliquots, and what may be wrong with them.

use super::value::{at, given, items, number, text, truthy};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const DEFAULT_PANEL: &str = "BIOCHEM_PANEL_CORE";

/// The specimens of an episode.
#[derive(Debug, Default)]
pub(super) struct Specimens {
    records: BTreeMap<String, Map<String, Value>>,
    aliquots: BTreeMap<String, String>,
    /// What the newest check said of the identity.
    id_match: BTreeMap<String, Value>,
}

/// What acceptance makes of a specimen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acceptance {
    Accepted,
    Held,
    Rejected,
}

impl Specimens {
    pub(super) fn new(initial: &Value) -> Self {
        let mut store = Self::default();
        for entry in items(initial).iter().filter_map(Value::as_object) {
            if let Some((id, record)) = record_of(entry) {
                store.records.insert(id, record);
            }
        }
        store
    }

    /// Adds a specimen; `false` when it has no id or the id is taken.
    pub(super) fn inject(&mut self, entry: &Map<String, Value>) -> bool {
        match record_of(entry) {
            Some((id, record)) if !self.records.contains_key(&id) => self.records.insert(id, record).is_none(),
            _ => false,
        }
    }

    pub(super) fn get(&self, specimen: &str) -> Option<&Map<String, Value>> {
        self.records.get(specimen)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
        self.records.iter()
    }

    /// Sets a key of a record, if there is one.
    pub(super) fn set(&mut self, specimen: &str, key: &str, value: Value) -> bool {
        let record = self.records.get_mut(specimen);
        record.map(|record| record.insert(key.to_owned(), value)).is_some()
    }

    pub(super) fn remember_id_match(&mut self, specimen: &str, id_match: &Value) {
        if self.records.contains_key(specimen) {
            self.id_match.insert(specimen.to_owned(), id_match.clone());
        }
    }

    pub(super) fn add_aliquot(&mut self, aliquot: &str, specimen: &str) {
        self.aliquots.insert(aliquot.to_owned(), specimen.to_owned());
    }

    /// The specimens that a list of specimens, else a list of aliquots, stands for.
    pub(super) fn resolve(&self, specimens: &Value, aliquots: &Value) -> Vec<String> {
        let specimens = items(specimens);
        if !specimens.is_empty() {
            return specimens.iter().map(text).collect();
        }
        let aliquots = items(aliquots).iter().map(text);
        aliquots.map(|aliquot| self.aliquots.get(&aliquot).cloned().unwrap_or(aliquot)).collect()
    }

    /// Decides on acceptance and writes status and reason. An unknown specimen is accepted without effect.
    pub(super) fn accept(&mut self, specimen: &str) -> Acceptance {
        let Some(record) = self.records.get_mut(specimen) else { return Acceptance::Accepted };
        let leak = at(record, "integrity_flags").get("leak").is_some_and(truthy);
        let (verdict, status, reason) = if self.id_match.get(specimen) == Some(&json!(false)) {
            (Acceptance::Rejected, "rejected", json!("ID_MISMATCH"))
        } else if leak || truthy(at(record, "hazard_flag")) {
            (Acceptance::Rejected, "rejected", json!("INT_LEAKING"))
        } else if is_underfilled_citrate(record) {
            (Acceptance::Held, "held", json!("CNT_CITRATE_FILL_INVALID"))
        } else {
            (Acceptance::Accepted, "accepted", Value::Null)
        };
        record.insert("status".to_owned(), json!(status));
        record.insert("last_reason_code".to_owned(), reason);
        verdict
    }
}

fn record_of(entry: &Map<String, Value>) -> Option<(String, Map<String, Value>)> {
    let mut record = match given(at(entry, "template_ref")) {
        // The other keys of an entry with a template do not count.
        Some(name) => template(&name).unwrap_or_else(|| Map::from_iter([("specimen_id".to_owned(), json!(name))])),
        None => entry.clone(),
    };
    let id = given(at(&record, "specimen_id"))?;
    record.entry("status").or_insert(json!("arrived_at_reception"));
    record.entry("last_reason_code").or_insert(Value::Null);
    Some((id, record))
}

fn template(name: &str) -> Option<Map<String, Value>> {
    let (specimen, person, panel, container, kind, fill) = match name {
        "S_BIOCHEM_OK" => ("S1", "pid:hash:001", "BIOCHEM_PANEL_CORE", "SERUM_SST", "SERUM", Value::Null),
        "S_COAG_OK" => ("S2", "pid:hash:002", "COAG_PANEL_CORE", "PLASMA_CITRATE", "PLASMA", json!(true)),
        _ => return None,
    };
    let record = json!({
        "specimen_id": specimen, "patient_identifiers_hash": person, "collection_ts_s": 0, "arrival_ts_s": 600,
        "panel_id": panel, "container_type": container, "specimen_type": kind,
        "integrity_flags": {
            "leak": false, "clot": false, "hemolysis": false, "insufficient_volume": false, "label_issue": false,
        },
        "fill_ratio_ok": fill, "hazard_flag": false, "separated_ts_s": null, "temp_band": "AMBIENT_20_25",
        "status": "arrived_at_reception",
    });
    record.as_object().cloned()
}

/// A citrate tube that is known not to be filled to the line.
pub(super) fn is_underfilled_citrate(record: &Map<String, Value>) -> bool {
    let citrate = given(at(record, "container_type")).is_some_and(|kind| kind.to_uppercase().contains("CITRATE"));
    citrate && *at(record, "fill_ratio_ok") == json!(false)
}

/// Whether a specimen is too old at `now` [s], before or after its separation.
pub(super) fn is_expired(record: &Map<String, Value>, stability: &Map<String, Value>, now: i64) -> bool {
    let panel = given(at(record, "panel_id")).unwrap_or_else(|| DEFAULT_PANEL.to_owned());
    let rules = at(stability, "panel_rules").get(&panel).unwrap_or(&Value::Null);
    let minutes = |value: &Value, default_s: f64| number(value).map_or(default_s, |minutes| minutes * 60.0);
    let windows = &rules["post_separation_storage_constraints"]["stability_windows_minutes"];
    let before_s = minutes(&rules["pre_separation_constraints"]["max_time_collection_to_separation_minutes"], 7_200.0);
    let ambient = windows.get("AMBIENT_20_25").or_else(|| windows.get("AMBIENT_15_25C"));
    let ambient_s = minutes(ambient.unwrap_or(&Value::Null), 21_600.0);
    let cold_s = minutes(&windows["REFRIGERATED_2_8"], 86_400.0);

    #[expect(clippy::cast_precision_loss, reason = "seconds of an episode are far below 2^53")]
    let now = now as f64;
    let collected = number(at(record, "collection_ts_s")).unwrap_or(0.0);
    let separated = number(at(record, "separated_ts_s"));
    if separated.unwrap_or(now) - collected > before_s {
        return true;
    }
    let cold = given(at(record, "temp_band")).is_some_and(|band| band.contains("REFRIGERATED"));
    separated.is_some_and(|separated| now - separated > if cold { cold_s } else { ambient_s })
}

/// A cold specimen that was ever seen at ambient temperature.
pub(super) fn is_out_of_band(record: &Map<String, Value>) -> bool {
    let storage = given(at(record, "storage_requirement")).unwrap_or_default().to_uppercase();
    if !storage.contains("REFRIGERATED") && !storage.contains("2_8") {
        return false;
    }
    let ambient = |entry: &Value| {
        let band = given(&entry["temp_band"]).unwrap_or_default().to_uppercase().replace(' ', "_");
        band.contains("AMBIENT") && band != "REFRIGERATED_2_8" && band != "CHILLED_2_8C"
    };
    items(at(record, "temp_exposure_log")).iter().any(ambient)
}

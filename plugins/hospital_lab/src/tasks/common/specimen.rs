//! A specimen record in the published form.

use serde_json::{Value, json};

/// A tube in good order that arrives at `arrival_s`, for a panel of the catalogue.
pub(in crate::tasks) fn specimen(id: &str, panel: &str, arrival_s: i64, status: &str, stat: bool) -> Value {
    let (container, kind) = match panel {
        "HAEM_PANEL_CORE" => ("EDTA", "WHOLE_BLOOD"),
        "COAG_PANEL_CORE" => ("PLASMA_CITRATE", "PLASMA"),
        _ => ("SERUM_SST", "SERUM"),
    };
    json!({
        "specimen_id": id,
        "patient_identifiers_hash": format!("pid:hash:{id}"),
        "collection_ts_s": 0,
        "arrival_ts_s": arrival_s,
        "panel_id": panel,
        "container_type": container,
        "specimen_type": kind,
        "integrity_flags": {
            "leak": false, "clot": false, "hemolysis": false, "insufficient_volume": false, "label_issue": false
        },
        "fill_ratio_ok": true,
        "hazard_flag": false,
        "separated_ts_s": null,
        "temp_band": "AMBIENT_20_25",
        "status": status,
        "priority_class": if stat { "STAT" } else { "ROUTINE" },
    })
}

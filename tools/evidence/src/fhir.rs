//! Receipts as FHIR: for every specimen a Specimen, a DiagnosticReport and an Observation for each of its results.
//!
//! What is exported is what a clinician may rely on: a result that was not released is never `final`, one whose release
//! was refused is no Observation at all, and a result without a known specimen is never given another one's. Codes are
//! the laboratory's own where it has some; where it has none, the resource says that they are absent. The forms are
//! those that R4 and R4B have in common.

use crate::digest::sha256;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Says that something is not known, in place of it.
const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
/// Units that are written in UCUM as the laboratory writes them.
const UCUM: [&str; 16] = [
    "mmol/L", "umol/L", "nmol/L", "pmol/L", "g/L", "mg/L", "ug/L", "ng/L", "g/dL", "mg/dL", "U/L", "mU/L", "s", "%",
    "L/L", "fL",
];

/// Why there is no FHIR bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FhirError {
    /// A file cannot be used.
    #[error("{file}: {problem}")]
    File {
        /// Which.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// What was made is not right: a bug, told as an error because others would rely on it.
    #[error("the bundle is not sound: {0}")]
    Unsound(String),
}

/// Makes a bundle of the receipts in a directory.
///
/// # Errors
/// [`FhirError`].
pub fn export(receipts: &Path) -> Result<Value, FhirError> {
    let failed = |file: &Path, problem: String| FhirError::File { file: file.display().to_string(), problem };
    let entries = std::fs::read_dir(receipts).map_err(|error| failed(receipts, error.to_string()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("receipt_") && name.ends_with(".v0.1.json"))
        .collect();
    names.sort_unstable();
    let read = |name: &str| -> Result<Value, FhirError> {
        let path = receipts.join(name);
        let bytes = std::fs::read(&path).map_err(|error| failed(&path, error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| failed(&path, format!("not JSON: {error}")))
    };
    let mut all = Vec::new();
    for name in &names {
        let receipt = read(name)?;
        if receipt.get("version").and_then(Value::as_str) != Some("0.1") || !receipt.is_object() {
            return Err(failed(&receipts.join(name), "not a receipt of version 0.1".to_owned()));
        }
        all.push(receipt);
    }
    let manifest = if receipts.join("manifest.json").is_file() { read("manifest.json")? } else { Value::Null };
    let bundle = bundle(&all, &manifest);
    match structure(&bundle).first() {
        None => Ok(bundle),
        Some(problem) => Err(FhirError::Unsound(problem.clone())),
    }
}

/// A receipt's text that is not empty.
fn text<'a>(receipt: &'a Value, key: &str) -> Option<&'a str> {
    receipt.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn episode(receipt: &Value) -> u64 {
    receipt.get("episode").and_then(Value::as_u64).unwrap_or(0)
}

/// What an id of FHIR may be: the id itself where it is one, else the beginning of it with that of its digest.
fn resource_id(kind: &str, episode: u64, id: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if episode == 0 && id.len() <= 64 && id.chars().all(allowed) {
        return id.to_owned();
    }
    let plain: String = id.chars().map(|c| if allowed(c) { c } else { '-' }).take(47).collect();
    format!("{plain}-{}", &sha256(format!("{kind}\n{episode}\n{id}").as_bytes())[..16])
}

/// A UUID made of a name by SHA-256 (version 8 of RFC 9562).
fn urn(kind: &str, id: &str) -> String {
    let hash = sha256(format!("labtrust.org/fhir\n{kind}\n{id}").as_bytes());
    let variant = char::from(b"89ab"[usize::from(hash.as_bytes()[16] & 3)]);
    format!("urn:uuid:{}-{}-8{}-{variant}{}-{}", &hash[..8], &hash[8..12], &hash[13..16], &hash[17..20], &hash[20..32])
}

/// Simulation time as an instant: seconds since 1970.
fn instant(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

fn at(receipt: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| receipt.get("timestamps")?.get(*name)?.as_i64()).map(instant)
}

fn absent(reason: &str) -> Value {
    json!([{ "url": ABSENT, "valueCode": reason }])
}

fn entry(kind: &str, resource: Value) -> Value {
    let url = urn(kind, resource.get("id").and_then(Value::as_str).unwrap_or_default());
    json!({ "fullUrl": url, "resource": resource })
}

fn bundle(receipts: &[Value], manifest: &Value) -> Value {
    let of = |kind: &str| {
        let mut list: Vec<&Value> =
            receipts.iter().filter(|receipt| text(receipt, "entity_type") == Some(kind)).collect();
        list.sort_by_key(|receipt| (text(receipt, &format!("{kind}_id")).map(str::to_owned), episode(receipt)));
        list.into_iter().filter(|receipt| text(receipt, &format!("{kind}_id")).is_some()).collect::<Vec<_>>()
    };
    let (specimens, results) = (of("specimen"), of("result"));
    let known: BTreeMap<(u64, &str), String> = specimens
        .iter()
        .filter_map(|receipt| Some((episode(receipt), text(receipt, "specimen_id")?)))
        .map(|(episode, id)| ((episode, id), resource_id("Specimen", episode, id)))
        .collect();
    let mut by_specimen: BTreeMap<&str, Vec<(String, &str)>> = BTreeMap::new();
    let mut observations = Vec::new();
    for result in results {
        let specimen = text(result, "specimen_id").and_then(|id| known.get(&(episode(result), id)));
        let Some(observation) = observation(result, specimen.map(String::as_str)) else { continue };
        if let (Some(specimen), Some(id)) = (specimen, text(&observation, "id")) {
            let status = status_of(result).unwrap_or("unknown");
            by_specimen.entry(specimen).or_default().push((urn("Observation", id), status));
        }
        observations.push(entry("Observation", observation));
    }
    let report = |receipt: &&Value| {
        let id = known.get(&(episode(receipt), text(receipt, "specimen_id")?))?;
        Some(entry("DiagnosticReport", report(receipt, id, by_specimen.get(id.as_str()).map_or(&[], Vec::as_slice))))
    };
    let mut entries: Vec<Value> = specimens.iter().map(|receipt| entry("Specimen", specimen(receipt))).collect();
    entries.append(&mut observations);
    entries.extend(specimens.iter().filter_map(report));
    let mut bundle = json!({ "resourceType": "Bundle", "type": "collection" });
    if !entries.is_empty() {
        bundle["entry"] = json!(entries);
    }
    let mut meta = Map::new();
    if let Some(partner) = text(manifest, "partner_id") {
        meta.insert("tag".to_owned(), json!([{ "system": "http://labtrust.org/fhir/partner", "code": partner }]));
    }
    if let Some(fingerprint) = text(manifest, "policy_fingerprint") {
        let url = "http://labtrust.org/fhir/StructureDefinition/policy-fingerprint";
        meta.insert("extension".to_owned(), json!([{ "url": url, "valueString": fingerprint }]));
    }
    if !meta.is_empty() {
        bundle["meta"] = Value::Object(meta);
    }
    bundle
}

fn specimen(receipt: &Value) -> Value {
    let id = text(receipt, "specimen_id").unwrap_or_default();
    let rejected = text(receipt, "decision") == Some("REJECTED");
    let mut specimen = json!({
        "resourceType": "Specimen",
        "id": resource_id("Specimen", episode(receipt), id),
        "identifier": [{ "system": "urn:labtrust:specimen", "value": id }],
        "status": if rejected { "unsatisfactory" } else { "available" },
    });
    if let Some(accession) = receipt.get("accession_ids").and_then(|ids| ids.get(0)?.as_str()) {
        specimen["accessionIdentifier"] = json!({ "system": "urn:labtrust:accession", "value": accession });
    }
    if let Some(received) = at(receipt, &["received", "accepted"]) {
        specimen["receivedTime"] = json!(received);
    }
    specimen
}

/// Status of the Observation of a result; `None` where there is none, because its release was refused or it never was.
fn status_of(receipt: &Value) -> Option<&'static str> {
    match (text(receipt, "decision"), text(receipt, "stage")) {
        // The reference's receipts call a generated result released; only a release time makes it so.
        (Some("RELEASED"), _) => at(receipt, &["released"]).map_or(Some("preliminary"), |_| Some("final")),
        (Some("HELD"), Some("RERUN")) | (Some("REJECTED"), _) => Some("cancelled"),
        (Some("HELD"), _) => Some("preliminary"),
        _ => None,
    }
}

fn observation(receipt: &Value, specimen: Option<&str>) -> Option<Value> {
    let (status, id) = (status_of(receipt)?, text(receipt, "result_id")?);
    let measurement = receipt.get("measurement");
    let measured = |key: &str| measurement.and_then(|map| map.get(key));
    let code = measured("analyte_code").and_then(Value::as_str).map(|code| ("urn:labtrust:analyte", code));
    let code = code.or_else(|| text(receipt, "panel_id").map(|panel| ("urn:labtrust:test", panel)));
    let mut observation = json!({
        "resourceType": "Observation",
        "id": resource_id("Observation", episode(receipt), id),
        "identifier": [{ "system": "urn:labtrust:result", "value": id }],
        "status": status,
        "category": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory",
        }] }],
        "code": match code {
            Some((system, code)) => json!({ "coding": [{ "system": system, "code": code }], "text": code }),
            None => json!({ "extension": absent("unknown") }),
        },
        "specimen": match specimen {
            Some(specimen) => json!({ "reference": urn("Specimen", specimen) }),
            None => json!({ "extension": absent("unknown") }),
        },
    });
    match measured("value") {
        Some(value) if value.is_number() => observation["valueQuantity"] = quantity(value, measured("units")),
        Some(Value::String(value)) if !value.is_empty() => observation["valueString"] = json!(value),
        _ => {
            let system = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
            observation["dataAbsentReason"] = json!({ "coding": [{ "system": system, "code": "unknown" }] });
        }
    }
    if let Some(code) = interpretation(receipt) {
        let system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
        observation["interpretation"] = json!([{ "coding": [{ "system": system, "code": code }] }]);
    }
    if let Some(device) = receipt.get("device_ids").and_then(|ids| ids.get(0)?.as_str()) {
        observation["device"] = json!({ "identifier": { "system": "urn:labtrust:device", "value": device } });
    }
    if let Some(generated) = at(receipt, &["result_generated"]) {
        observation["effectiveDateTime"] = json!(generated);
    }
    if let Some(issued) = at(receipt, &["released", "result_generated"]) {
        observation["issued"] = json!(issued);
    }
    Some(observation)
}

fn quantity(value: &Value, units: Option<&Value>) -> Value {
    let mut quantity = json!({ "value": value });
    if let Some(units) = units.and_then(Value::as_str).filter(|units| !units.is_empty()) {
        quantity["unit"] = json!(units);
        if UCUM.contains(&units) {
            quantity["system"] = json!("http://unitsofmeasure.org");
            quantity["code"] = json!(units);
        }
    }
    quantity
}

/// `AA` (critical) where somebody had to be told, else what a reason code says. The reference's `CR` is no code.
fn interpretation(receipt: &Value) -> Option<&'static str> {
    let told = receipt.get("critical_comm_records").and_then(|records| records.get("attempts")?.as_array());
    if told.is_some_and(|attempts| !attempts.is_empty()) {
        return Some("AA");
    }
    let codes = receipt.get("reason_codes").and_then(Value::as_array).into_iter().flatten();
    codes.filter_map(Value::as_str).find_map(|code| {
        [("CRIT", "AA"), ("HIGH", "H"), ("LOW", "L")]
            .into_iter()
            .find(|(part, _)| code.contains(part))
            .map(|(_, own)| own)
    })
}

fn report(receipt: &Value, specimen: &str, results: &[(String, &str)]) -> Value {
    let id = text(receipt, "specimen_id").unwrap_or_default();
    let all = |wanted: &str| !results.is_empty() && results.iter().all(|(_, status)| *status == wanted);
    let status = match text(receipt, "decision") {
        Some("REJECTED") => "cancelled",
        // A result that was refused has no Observation, so a report without it is not the last word.
        Some("RELEASED") if all("final") => "final",
        _ if results.iter().any(|(_, status)| *status == "final") => "partial",
        _ if results.iter().any(|(_, status)| *status == "preliminary") => "preliminary",
        _ => "registered",
    };
    let mut report = json!({
        "resourceType": "DiagnosticReport",
        "id": resource_id("DiagnosticReport", episode(receipt), &format!("report-{id}")),
        "identifier": [{ "system": "urn:labtrust:report", "value": id }],
        "status": status,
        "code": { "coding": [{ "system": "http://loinc.org", "code": "11502-2", "display": "Laboratory report" }] },
        "specimen": [{ "reference": urn("Specimen", specimen) }],
    });
    if !results.is_empty() {
        report["result"] = results.iter().map(|(url, _)| json!({ "reference": url })).collect();
    }
    if let Some(issued) = at(receipt, &["released", "result_generated"]) {
        report["issued"] = json!(issued);
    }
    report
}

/// What is wrong with a bundle's structure: types, ids, references that lead nowhere.
#[must_use]
pub fn structure(bundle: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if text(bundle, "resourceType") != Some("Bundle") {
        wrong.push("missing or invalid resourceType (expected Bundle)".to_owned());
    }
    if text(bundle, "type").is_none() {
        wrong.push("missing type".to_owned());
    }
    if bundle.get("entry").is_some_and(|entry| !entry.is_array()) {
        wrong.push("missing or invalid entry array".to_owned());
    }
    let mut urls = std::collections::BTreeSet::new();
    let entries = || bundle.get("entry").and_then(Value::as_array).into_iter().flatten();
    for entry in entries() {
        let url = text(entry, "fullUrl").unwrap_or_default();
        if !urls.insert(url.to_owned()) || url.is_empty() {
            wrong.push(format!("fullUrl {url:?} is empty, or is there twice"));
        }
    }
    for resource in entries().filter_map(|entry| entry.get("resource")) {
        let (kind, id) = (text(resource, "resourceType").unwrap_or("?"), text(resource, "id").unwrap_or_default());
        if !["Specimen", "Observation", "DiagnosticReport"].contains(&kind) {
            wrong.push(format!("{kind} {id} is of a type that is not exported"));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if id.is_empty() || id.len() > 64 || !id.chars().all(allowed) || id.to_lowercase().contains("placeholder") {
            wrong.push(format!("{kind} {id:?} has no id of FHIR"));
        }
        references(resource, &mut |reference| {
            if !urls.contains(reference) {
                wrong.push(format!("{kind} {id} refers to {reference}, which is not in the bundle"));
            }
        });
    }
    wrong
}

fn references(value: &Value, tell: &mut dyn FnMut(&str)) {
    match value {
        Value::Object(map) => {
            if let Some(reference) = map.get("reference").and_then(Value::as_str) {
                tell(reference);
            }
            map.values().for_each(|value| references(value, tell));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, tell)),
        _ => {}
    }
}

/// Codes of a bundle that are in no value set of their system. Systems without a value set are not looked at.
#[must_use]
pub fn codes_outside(bundle: &Value, value_sets: &Map<String, Value>) -> Vec<String> {
    let mut outside = Vec::new();
    for entry in bundle.get("entry").and_then(Value::as_array).into_iter().flatten() {
        let Some(resource) = entry.get("resource") else { continue };
        let (kind, id) = (text(resource, "resourceType").unwrap_or("?"), text(resource, "id").unwrap_or("?"));
        if !["Observation", "DiagnosticReport"].contains(&kind) {
            continue;
        }
        let mut look = |path: String, concept: &Value| {
            for coding in concept.get("coding").and_then(Value::as_array).into_iter().flatten() {
                let (system, code) =
                    (text(coding, "system").unwrap_or_default(), text(coding, "code").unwrap_or_default());
                let Some(codes) = value_sets.get(system).and_then(Value::as_array) else { continue };
                if !codes.iter().any(|known| known.as_str() == Some(code)) {
                    outside.push(format!("{kind} {id} {path}: code '{code}' not in value set for system '{system}'"));
                }
            }
        };
        if let Some(code) = resource.get("code") {
            look(format!("{kind}.code"), code);
        }
        for (index, concept) in
            resource.get("interpretation").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            look(format!("{kind}.interpretation[{index}]"), concept);
        }
    }
    outside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(id: &str, specimen: &str, decision: &str, stage: &str) -> Value {
        json!({
            "version": "0.1", "entity_type": "result", "result_id": id, "specimen_id": specimen, "decision": decision,
            "stage": stage, "timestamps": { "result_generated": 0, "released": 60 }, "device_ids": ["D1"],
            "measurement": { "analyte_code": "K", "units": "mmol/L", "value": 4.1 },
        })
    }

    fn specimen(id: &str, decision: &str) -> Value {
        json!({ "version": "0.1", "entity_type": "specimen", "specimen_id": id, "decision": decision, "timestamps": { "received": 0 } })
    }

    fn find<'a>(bundle: &'a Value, kind: &str) -> Vec<&'a Value> {
        let entries = bundle["entry"].as_array().into_iter().flatten();
        entries.map(|entry| &entry["resource"]).filter(|resource| resource["resourceType"] == kind).collect()
    }

    #[test]
    fn every_result_is_of_its_own_specimen_and_only_a_released_one_is_final() {
        let receipts = [
            specimen("A", "RELEASED"),
            specimen("B /é", "HELD"),
            specimen("C", "REJECTED"),
            result("RA", "A", "RELEASED", "RELEASED"),
            result("RB", "B /é", "HELD", "GENERATED"),
            result("RB2", "B /é", "BLOCKED", "GENERATED"),
            result("RX", "unknown", "RELEASED", "RELEASED"),
        ];
        let bundle = bundle(&receipts, &json!({ "partner_id": "p", "policy_fingerprint": "f" }));
        assert_eq!(structure(&bundle), Vec::<String>::new());
        let observations = find(&bundle, "Observation");
        let status = |id: &str| observations.iter().find(|o| o["id"] == id).map(|o| o["status"].as_str().unwrap());
        assert_eq!([status("RA"), status("RB"), status("RB2")], [Some("final"), Some("preliminary"), None]);
        let of = |id: &str| {
            find(&bundle, "Specimen").into_iter().find(|s| s["identifier"][0]["value"] == id).unwrap()["id"].clone()
        };
        let reference =
            |id: &str| observations.iter().find(|o| o["id"] == id).unwrap()["specimen"]["reference"].clone();
        assert_eq!(reference("RA"), json!(urn("Specimen", of("A").as_str().unwrap())));
        assert_eq!(reference("RB"), json!(urn("Specimen", of("B /é").as_str().unwrap())));
        assert_eq!(reference("RX"), Value::Null, "nobody knows whose it is");
        let reports: Vec<&str> =
            find(&bundle, "DiagnosticReport").iter().map(|r| r["status"].as_str().unwrap()).collect();
        assert_eq!(reports, ["final", "preliminary", "cancelled"]);
        assert_eq!(observations[0]["valueQuantity"]["code"], "mmol/L");
    }

    #[test]
    fn what_is_not_known_is_said_to_be_absent() {
        let receipt = json!({ "version": "0.1", "entity_type": "result", "result_id": "R", "decision": "HELD" });
        let bundle = bundle(&[receipt], &Value::Null);
        let observation = find(&bundle, "Observation")[0];
        assert_eq!(observation["code"]["extension"][0]["valueCode"], "unknown");
        assert_eq!(observation["dataAbsentReason"]["coding"][0]["code"], "unknown");
        assert!(observation.get("valueQuantity").is_none());
    }

    #[test]
    fn seconds_are_instants() {
        assert_eq!(instant(0), "1970-01-01T00:00:00Z");
        assert_eq!(instant(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(instant(1_735_689_599), "2024-12-31T23:59:59Z");
        assert_eq!(instant(-1), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_told() {
        let mut bundle = bundle(&[specimen("A", "HELD")], &Value::Null);
        bundle["entry"].as_array_mut().unwrap().remove(0);
        assert!(structure(&bundle)[0].contains("not in the bundle"));
    }
}

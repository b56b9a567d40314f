//! Quality control of devices, and results.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The mark of a result that an override released.
const DISCLAIMER: &str = "QC_DRIFT_DISCLAIMER_REQUIRED";

#[derive(Debug)]
struct ResultRecord {
    status: &'static str,
    flags: Vec<&'static str>,
    device: Option<String>,
    run: Option<String>,
}

/// Outcomes of quality control, runs and results.
#[derive(Debug, Default)]
pub(super) struct Quality {
    outcomes: BTreeMap<String, String>,
    device_of_run: BTreeMap<String, String>,
    results: BTreeMap<String, ResultRecord>,
}

impl Quality {
    pub(super) fn record_qc(&mut self, device: &str, outcome: &str) {
        self.outcomes.insert(device.to_owned(), outcome.to_lowercase());
    }

    pub(super) fn qc_state(&self, device: &str) -> &str {
        self.outcomes.get(device).map_or("pass", String::as_str)
    }

    pub(super) fn register_run(&mut self, run: &str, device: &str) {
        self.device_of_run.insert(run.to_owned(), device.to_owned());
    }

    fn fails(&self, device: Option<&String>, run: Option<&String>) -> bool {
        let device = device.or_else(|| run.and_then(|run| self.device_of_run.get(run)));
        device.is_some_and(|device| self.qc_state(device) == "fail")
    }

    /// Makes a result, or makes it anew.
    pub(super) fn generate(&mut self, result: &str, device: Option<String>, run: Option<String>) {
        let status = if self.fails(device.as_ref(), run.as_ref()) { "held" } else { "generated" };
        self.results.insert(result.to_owned(), ResultRecord { status, flags: Vec::new(), device, run });
    }

    /// Whether quality control lets a result go; an unknown one may.
    pub(super) fn can_release(&self, result: &str) -> bool {
        self.results.get(result).is_none_or(|record| !self.fails(record.device.as_ref(), record.run.as_ref()))
    }

    pub(super) fn set_status(&mut self, result: &str, status: &'static str) {
        if let Some(record) = self.results.get_mut(result) {
            record.status = status;
        }
    }

    pub(super) fn release_with_disclaimer(&mut self, result: &str) {
        if let Some(record) = self.results.get_mut(result) {
            if !record.flags.contains(&DISCLAIMER) {
                record.flags.push(DISCLAIMER);
            }
            record.status = "released";
        }
    }

    pub(super) fn status(&self, result: &str) -> Value {
        self.results.get(result).map_or(Value::Null, |record| json!(record.status))
    }

    pub(super) fn flags(&self, result: &str) -> Value {
        self.results.get(result).map_or(json!([]), |record| json!(record.flags))
    }

    /// Results that are not released and that quality control lets go, by id.
    pub(super) fn releasable(&self) -> impl Iterator<Item = &str> {
        let waiting = self.results.iter().filter(|(_, record)| record.status != "released");
        waiting.map(|(id, _)| id.as_str()).filter(|id| self.can_release(id))
    }
}

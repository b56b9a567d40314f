//! Queues and runs.

use super::super::episode::Episode;
use super::super::event::{Accepted, Blocked, Event, Reply, broken};
use super::super::specimens::{is_expired, is_out_of_band};
use super::super::value::{at, first_given, given, items, text};
use serde_json::Value;

impl Episode {
    pub(in super::super) fn queue_run(&mut self, event: &Event<'_>) -> Reply {
        let accession = || items(event.arg("accession_ids")).first().map(text);
        let aliquot = || self.specimens.resolve(&Value::Null, event.arg("aliquot_ids")).into_iter().next();
        let work = first_given(&[event.arg("work_id"), event.arg("specimen_id")]).or_else(accession).or_else(aliquot);
        let (Some(device), Some(work)) = (event.device(), work) else {
            return Err(Blocked::recorded("RC_QUEUE_BAD_PAYLOAD"));
        };
        if !self.queues.knows(&device) {
            return Err(Blocked::recorded("RC_DEVICE_UNKNOWN"));
        }
        if self.zones.apart(&event.agent, Some(&device)) {
            return Err(Blocked::recorded("RC_DEVICE_NOT_COLOCATED").breaking(vec![broken("INV-ZONE-002")]));
        }
        let priority = first_given(&[event.arg("priority"), event.arg("priority_class")]).unwrap_or_default();
        self.queues.enqueue(&device, work, &priority.to_uppercase(), event.t_s);
        Ok(Accepted::emitting(["QUEUE_RUN"]))
    }

    pub(in super::super) fn start_run(&mut self, event: &Event<'_>) -> Reply {
        let (device, run) = (event.device(), event.id_arg("run_id"));
        if let (Some(devices), Some(device)) = (&self.devices, &device)
            && let Some(code) = devices.block_reason(device)
        {
            return Err(Blocked::recorded(code));
        }
        // The head of the queue is gone from here on, also when the run is refused below.
        let specimens = self.specimens_of_run(event, device.as_deref())?;
        let overridden = !event.token_refs.is_empty();
        for record in specimens.iter().filter_map(|id| self.specimens.get(id)) {
            if !overridden && is_expired(record, &self.stability, event.t_s) {
                return Err(Blocked::recorded("TIME_EXPIRED").breaking(vec![broken("INV-STAB-BIOCHEM-002")]));
            }
            if !overridden && is_out_of_band(record) {
                return Err(Blocked::recorded("TEMP_OUT_OF_BAND").breaking(vec![broken("INV-ZONE-006")]));
            }
        }
        let first = specimens.first().and_then(|id| self.specimens.get(id));
        let panel = first.and_then(|record| given(at(record, "panel_id")));
        if let Some(panel) = &panel {
            if !self.reagents.suffice(panel) {
                return Err(Blocked::recorded("RC_REAGENT_STOCKOUT"));
            }
            self.reagents.deduct(panel);
        }
        if let (Some(device), Some(run)) = (&device, &run) {
            self.quality.register_run(run, device);
            if let Some(devices) = &mut self.devices {
                devices.start_run(device, panel.as_deref().unwrap_or("BIOCHEM_PANEL_CORE"), event.t_s);
            }
        }
        Ok(Accepted::emitting(["START_RUN"]).finding(Vec::new()))
    }

    /// What runs: the head of the queue, or what the event names if that is the head.
    fn specimens_of_run(&mut self, event: &Event<'_>, device: Option<&str>) -> Result<Vec<String>, Blocked> {
        let named = self.specimens.resolve(event.arg("specimen_ids"), event.arg("aliquot_ids"));
        let Some(device) = device else { return Ok(named) };
        let work = event.id_arg("work_id");
        let Some(expected) = work.as_ref().or(named.first()) else {
            let head = self.queues.consume_head(device).ok_or_else(|| Blocked::recorded("RC_QUEUE_EMPTY"))?;
            return Ok(vec![head]);
        };
        if let Some(head) = self.queues.head(device) {
            if head != expected {
                return Err(Blocked::recorded("RC_QUEUE_HEAD_MISMATCH"));
            }
            self.queues.consume_head(device);
        }
        Ok(if named.is_empty() { work.into_iter().collect() } else { named })
    }

    /// Uses up the tokens and names the run; without specimens or tokens it is accepted and nothing happens.
    pub(in super::super) fn start_run_override(&mut self, event: &Event<'_>) -> Reply {
        let accepted = Accepted::emitting(["START_RUN"]).finding(Vec::new());
        let specimens = self.specimens.resolve(event.arg("specimen_ids"), event.arg("aliquot_ids"));
        if specimens.is_empty() || event.token_refs.is_empty() {
            return Ok(accepted);
        }
        self.tokens.consume(&event.token_refs);
        if let (Some(device), Some(run)) = (event.device(), event.id_arg("run_id")) {
            self.quality.register_run(&run, &device);
        }
        Ok(accepted.consuming(&event.token_refs))
    }
}

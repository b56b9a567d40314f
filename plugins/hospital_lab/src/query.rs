//! Read-only questions about the state, in the published query language.

use crate::{
    components::{Consignment, ResultRecord, ResultStatus, Status},
    lab::Lab,
};
use labtrust_kernel::Symbol;
use labtrust_plugin::lab::QueryError;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Lab {
    /// Answers an expression: `specimen_status('S1')`, `queue_head(DEV_1)`, `specimen_counts`, ...
    pub(crate) fn query(&self, expression: &str) -> Result<Value, QueryError> {
        let text = expression.trim();
        let unknown = || QueryError(text.to_owned());
        if text == "last_reason_code_system" {
            return Ok(if self.log_frozen { json!("AUDIT_CHAIN_BROKEN") } else { Value::Null });
        }
        if text.starts_with("system_state(") && text.contains("log_frozen") {
            return Ok(json!(self.log_frozen.to_string()));
        }
        if text.contains("token_active") {
            let active: Vec<&str> =
                self.tokens.active(&self.world, self.now_s).map(|token| self.symbols.text(token)).collect();
            return Ok(json!(active));
        }
        if let Some((name, argument)) = call(text) {
            return self.query_one(name, argument).ok_or_else(unknown);
        }
        match text {
            "specimen_counts" => Ok(self.specimen_counts()),
            "last_event_hash" => Ok(json!(self.chain.last_hash())),
            "transport_consignments" => Ok(self.consignment_list()),
            "accepted_specimen_ids_not_in_queue" => Ok(self.unqueued()),
            "releasable_result_ids" => Ok(self.releasable()),
            _ => Err(unknown()),
        }
    }

    fn query_one(&self, name: &str, argument: &str) -> Option<Value> {
        let id = self.symbols.get(argument);
        let specimen = || id.and_then(|id| self.ids.specimens.get(id)).map(|&entity| self.specimen(entity));
        let result =
            || id.and_then(|id| self.ids.results.get(id)).and_then(|&entity| self.world.get::<ResultRecord>(entity));
        let device = || id.and_then(|id| self.policy.equipment.index.get(id).copied());
        let text = |symbol: Symbol| self.symbols.text(symbol).to_owned();
        let zone_text = |zone: usize| text(self.policy.layout.zones[zone].id);
        Some(match name {
            "zone_state" => {
                let frozen = id.is_some_and(|id| self.enforcer.is_zone_frozen(id));
                json!(if frozen { "frozen" } else { "normal" })
            }
            "specimen_status" => json!(specimen().filter(|s| s.status != Status::Expected).map(|s| s.status.name())),
            "last_reason_code" => json!(specimen().and_then(|specimen| specimen.last_reason).map(text)),
            "separated_ts" => json!(specimen().and_then(|specimen| specimen.separated_s)),
            "specimen_zone" => json!(specimen().and_then(|specimen| specimen.zone).map(zone_text)),
            "result_status" => json!(result().map(|result| result.status.name())),
            "result_flags" => match result() {
                Some(result) if result.disclaimer => json!(["QC_DRIFT_DISCLAIMER_REQUIRED"]),
                _ => json!([]),
            },
            "result_criticality" => json!(result().map_or("none", |result| result.criticality.name())),
            "comm_record_exists" => {
                json!(id.is_some_and(|id| self.ids.communications.contains(id)).to_string())
            }
            "notification_mode_required" => {
                json!(result().filter(|result| result.oral_required).map(|_| "phone_or_bleep"))
            }
            "queue_head" => json!(device().and_then(|device| self.device(device).head()).map(|item| text(item.work))),
            "queue_length" => json!(device().map_or(0, |device| self.device(device).queue.len())),
            "agent_zone" => json!(id.and_then(|id| self.agent_zone(id)).map(zone_text)),
            "door_state" => self.door_value(id),
            "device_qc_state" => {
                json!(device().map_or_else(|| "pass".to_owned(), |device| text(self.device(device).qc_outcome)))
            }
            // Devices have a state only where work takes time.
            "device_state" if self.simulated() => json!(device().map_or("IDLE", |device| self.device_state(device))),
            _ => return None,
        })
    }

    fn device_state(&self, device: usize) -> &'static str {
        let component = self.device(device);
        if component.fault {
            "FAULT"
        } else if component.units.iter().any(|unit| unit.free_at.is_some()) {
            "RUNNING"
        } else if component.in_maintenance {
            "MAINT"
        } else {
            "IDLE"
        }
    }

    fn door_value(&self, id: Option<Symbol>) -> Value {
        let door = id.and_then(|id| self.policy.layout.door(id));
        let since = door.and_then(|door| self.door_state(door).0);
        json!({
            "open": since.is_some(),
            "open_since_ts": since.map(labtrust_kernel::SimTime::as_secs_ceil),
            "open_duration_s": since.map_or(0, |since| self.now.saturating_since(since).as_secs_ceil()),
        })
    }

    fn specimen_counts(&self) -> Value {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for &entity in &self.specimens {
            let status = self.specimen(entity).status;
            if status != Status::Expected {
                *counts.entry(status.name()).or_default() += 1;
            }
        }
        json!(counts)
    }

    fn consignment_list(&self) -> Value {
        let mut list: Vec<(String, Value)> = Vec::new();
        for &entity in &self.consignments {
            let Some(consignment) = self.world.get::<Consignment>(entity) else { continue };
            let text = |symbol: Symbol| self.symbols.text(symbol);
            let entry = json!({
                "consignment_id": text(consignment.id),
                "specimen_ids": consignment.specimens.iter().map(|&id| text(id)).collect::<Vec<_>>(),
                "origin_site": text(consignment.origin),
                "dest_site": text(consignment.dest),
                "expected_arrival_ts": consignment.expected.as_secs_ceil(),
                "chain_of_custody_signed": consignment.signed,
                "status": if consignment.received { "arrived" } else { "in_transit" },
            });
            list.push((text(consignment.id).to_owned(), entry));
        }
        list.sort_by(|a, b| a.0.cmp(&b.0));
        Value::Array(list.into_iter().map(|(_, entry)| entry).collect())
    }

    fn unqueued(&self) -> Value {
        let accepted = self.specimens.iter().map(|&entity| self.specimen(entity));
        // In the open workflow a specimen can be accepted while it waits in a queue.
        let is_queued = |id: Symbol| {
            (0..self.devices.len()).any(|device| self.device(device).queue.iter().any(|(item, _)| item.work == id))
        };
        let mut ids: Vec<&str> = accepted
            .filter(|specimen| specimen.status == Status::Accepted && !is_queued(specimen.id))
            .map(|specimen| self.symbols.text(specimen.id))
            .collect();
        ids.sort_unstable();
        json!(ids)
    }

    fn releasable(&self) -> Value {
        let mut ids: Vec<&str> = Vec::new();
        for &entity in &self.results {
            if let Some(result) = self.world.get::<ResultRecord>(entity)
                && result.status != ResultStatus::Released
                && self.release_block(result).is_ok()
            {
                ids.push(self.symbols.text(result.id));
            }
        }
        ids.sort_unstable();
        json!(ids)
    }

    /// Busy time per device that finished a run.
    pub(crate) fn device_busy(&self) -> BTreeMap<String, u64> {
        let mut busy = BTreeMap::new();
        for device in 0..self.devices.len() {
            let component = self.device(device);
            if component.runs_finished > 0 {
                busy.insert(self.symbols.text(component.id).to_owned(), component.busy.as_secs_ceil());
            }
        }
        busy
    }
}

/// Splits `name('argument')`, `name("argument")`, `name(argument)` and `name(key='argument')`; what follows is ignored.
fn call(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('(')?;
    let inner = rest.split_once(')').map_or(rest, |(inner, _)| inner).trim();
    let inner = inner.split_once('=').map_or(inner, |(_, value)| value.trim());
    Some((name.trim(), inner.trim_matches(|c| c == '\'' || c == '"')))
}

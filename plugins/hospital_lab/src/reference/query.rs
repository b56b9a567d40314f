//! Questions about the state. The first pattern that fits answers; what follows it is ignored.

use super::episode::Episode;
use super::value::{at, given};
use labtrust_plugin::lab::QueryError;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Episode {
    /// Answers an expression.
    ///
    /// # Errors
    /// [`QueryError`] when it is none that is known.
    pub(super) fn query(&self, expression: &str) -> Result<Value, QueryError> {
        let text = expression.trim();
        if text == "last_reason_code_system" {
            return Ok(if self.log_frozen { json!("AUDIT_CHAIN_BROKEN") } else { Value::Null });
        }
        if text.starts_with("system_state(") && text.contains("log_frozen") {
            return Ok(json!(self.log_frozen.to_string()));
        }
        if text.contains("token_active") {
            return Ok(json!(self.tokens.active()));
        }
        let answer = match text {
            "specimen_counts" => Some(self.specimen_counts()),
            "transport_consignments" => Some(self.transport.list()),
            "last_event_hash" => Some(json!(self.chain.values().last_event_hash)),
            "accepted_specimen_ids_not_in_queue" => Some(self.unqueued()),
            "releasable_result_ids" => Some(self.releasable()),
            _ => self.query_one(text),
        };
        answer.ok_or_else(|| QueryError(text.to_owned()))
    }

    fn query_one(&self, text: &str) -> Option<Value> {
        let quoted = |name: &str| argument(text, name, false);
        let loose = |name: &str| argument(text, name, true);
        let of_specimen =
            |id: &str, key: &str| self.specimens.get(id).map_or(Value::Null, |record| at(record, key).clone());
        if let Some(zone) = quoted("zone_state") {
            return Some(json!(if self.zones.is_frozen(zone) { "frozen" } else { "normal" }));
        }
        if let Some(id) = quoted("specimen_status") {
            return Some(of_specimen(id, "status"));
        }
        if let Some(id) = quoted("last_reason_code") {
            return Some(of_specimen(id, "last_reason_code"));
        }
        if let Some(id) = quoted("result_status") {
            return Some(self.quality.status(id));
        }
        if let Some(id) = quoted("result_flags") {
            return Some(self.quality.flags(id));
        }
        if let Some(id) = quoted("result_criticality") {
            return Some(json!(self.critical.class(id)));
        }
        if let Some(id) = quoted("comm_record_exists") {
            return Some(json!(self.critical.is_communicated(id).to_string()));
        }
        if let Some(id) = quoted("notification_mode_required") {
            return Some(json!(self.critical.mode_required(id)));
        }
        if let Some(device) = loose("queue_head") {
            return Some(json!(self.queues.head(device)));
        }
        if let Some(device) = loose("queue_length") {
            return Some(json!(self.queues.len(device)));
        }
        if let Some(agent) = loose("agent_zone") {
            return Some(json!(self.zones.agent_zone(agent)));
        }
        if let Some(door) = quoted("door_state") {
            return Some(self.door_state(door));
        }
        if let Some(device) = loose("device_qc_state") {
            return Some(json!(self.quality.qc_state(device)));
        }
        let (device, devices) = (loose("device_state")?, self.devices.as_ref()?);
        Some(json!(devices.state(device).unwrap_or("IDLE")))
    }

    fn door_state(&self, door: &str) -> Value {
        let since = self.zones.door_open_since(door);
        json!({
            "open": since.is_some(),
            "open_since_ts": since,
            "open_duration_s": since.map_or(0, |since| self.now.saturating_sub(since)),
        })
    }

    fn specimen_counts(&self) -> Value {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for status in self.specimens.iter().filter_map(|(_, record)| given(at(record, "status"))) {
            *counts.entry(status).or_default() += 1;
        }
        json!(counts)
    }

    fn unqueued(&self) -> Value {
        let accepted = self.specimens.iter().filter(|(_, record)| *at(record, "status") == json!("accepted"));
        json!(accepted.map(|(id, _)| id).filter(|id| !self.queues.contains(id)).collect::<Vec<_>>())
    }

    fn releasable(&self) -> Value {
        json!(self.quality.releasable().filter(|id| !self.critical.awaits_ack(id)).collect::<Vec<_>>())
    }
}

/// The argument of `name('x')` or `name("x")`, or of `name(x)` where `loose`. One query names its argument.
fn argument<'a>(text: &'a str, name: &str, loose: bool) -> Option<&'a str> {
    let inner = text.strip_prefix(name)?.strip_prefix('(')?.trim_start();
    let inner = match name {
        "comm_record_exists" => inner.strip_prefix("result_id")?.trim_start().strip_prefix('=')?.trim_start(),
        _ => inner,
    };
    let found = match inner.chars().next()? {
        quote @ ('\'' | '"') => {
            let (found, rest) = inner[1..].split_once(quote)?;
            rest.trim_start().starts_with(')').then_some(found)?
        }
        _ if loose => inner.split_once(')')?.0.trim(),
        _ => return None,
    };
    (!found.is_empty()).then_some(found)
}

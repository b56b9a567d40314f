//! Quality control and results. A result needs no run, and what does not exist can be released.

use super::super::episode::Episode;
use super::super::event::{Accepted, Blocked, Event, Reply, broken};
use super::super::value::{number, text, truthy};
use serde_json::Value;

impl Episode {
    pub(in super::super) fn qc_event(&mut self, event: &Event<'_>) -> Reply {
        if let Some(device) = event.device() {
            let outcome = event.args.get("qc_outcome").map_or_else(|| "pass".to_owned(), text);
            self.quality.record_qc(&device, &outcome);
        }
        Ok(Accepted::emitting(["QC_EVENT"]))
    }

    pub(in super::super) fn generate_result(&mut self, event: &Event<'_>) -> Reply {
        let mut accepted = Accepted::emitting(["GENERATE_RESULT"]);
        let (analyte, value) = (event.arg("analyte_code"), event.arg("value"));
        let result = event.id_arg("result_id");
        let measured = match value {
            Value::Null => None,
            value if truthy(analyte) => {
                // The reference raises an error, after it has made the result.
                Some(number(value).ok_or_else(|| Blocked::unrecorded("RC_RESULT_VALUE_NOT_NUMERIC"))?)
            }
            _ => None,
        };
        if let Some(result) = &result {
            self.quality.generate(result, event.device(), event.id_arg("run_id"));
            if let Some(measured) = measured {
                self.critical.classify(result, analyte, measured, event.arg("units"));
            }
        }
        if truthy(analyte) {
            accepted.emits.push("CLASSIFY_RESULT".to_owned());
        }
        if result.is_some_and(|result| self.critical.must_notify(&result)) {
            accepted.emits.push("NOTIFY_CRITICAL_RESULT".to_owned());
        }
        Ok(accepted)
    }

    pub(in super::super) fn release_result(&mut self, event: &Event<'_>) -> Reply {
        let accepted = Accepted::emitting(["RELEASE_RESULT"]);
        let Some(result) = event.id_arg("result_id") else { return Ok(accepted) };
        if self.critical.awaits_ack(&result) {
            return Err(Blocked::recorded("CRIT_NO_ACK").breaking(vec![broken("INV-CRIT-002")]));
        }
        if !self.quality.can_release(&result) {
            self.quality.set_status(&result, "held");
            return Err(Blocked::recorded("QC_FAIL_ACTIVE"));
        }
        self.quality.set_status(&result, "released");
        Ok(accepted)
    }

    /// Uses up the tokens and releases; without a token it is accepted and nothing happens.
    pub(in super::super) fn release_result_override(&mut self, event: &Event<'_>) -> Reply {
        let accepted = Accepted::emitting(["RELEASE_RESULT"]);
        match event.id_arg("result_id") {
            Some(result) if !event.token_refs.is_empty() => {
                self.tokens.consume(&event.token_refs);
                self.quality.release_with_disclaimer(&result);
                Ok(accepted.consuming(&event.token_refs))
            }
            _ => Ok(accepted),
        }
    }

    pub(in super::super) fn hold_result(&mut self, event: &Event<'_>) -> Reply {
        if let Some(result) = event.id_arg("result_id") {
            self.quality.set_status(&result, "held");
        }
        Ok(Accepted::emitting(["HOLD_RESULT"]))
    }
}

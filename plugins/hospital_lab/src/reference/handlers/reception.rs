//! Reception and separation. No status is guarded: a rejected specimen can be accepted.

use super::super::episode::Episode;
use super::super::event::{Accepted, Blocked, Event, Reply, broken};
use super::super::specimens::Acceptance;
use super::super::value::{integer, texts};
use serde_json::{Value, json};

/// `None`: recorded like an unknown action.
type MaybeReply = Result<Option<Accepted>, Blocked>;

impl Episode {
    pub(in super::super) fn create_accession(&mut self, event: &Event<'_>) -> MaybeReply {
        let specimen = event.id_arg("specimen_id");
        let known = specimen.is_some_and(|id| self.specimens.set(&id, "status", json!("accessioning")));
        Ok(known.then(|| Accepted::emitting(["CREATE_ACCESSION"])))
    }

    pub(in super::super) fn check_acceptance_rules(&mut self, event: &Event<'_>) -> MaybeReply {
        let Some(specimen) = event.id_arg("specimen_id") else { return Ok(None) };
        self.specimens.remember_id_match(&specimen, event.arg("id_match"));
        Ok(Some(Accepted::emitting(["CHECK_ACCEPTANCE_RULES"])))
    }

    pub(in super::super) fn accept_specimen(&mut self, event: &Event<'_>) -> MaybeReply {
        let Some(specimen) = event.id_arg("specimen_id") else { return Ok(None) };
        let emit = match self.specimens.accept(&specimen) {
            Acceptance::Accepted => "ACCEPT_SPECIMEN",
            Acceptance::Held => "HOLD_SPECIMEN",
            Acceptance::Rejected => "REJECT_SPECIMEN",
        };
        Ok(Some(Accepted::emitting([emit]).finding(Vec::new())))
    }

    pub(in super::super) fn hold_specimen(&mut self, event: &Event<'_>) -> Reply {
        let Some(specimen) = event.id_arg("specimen_id") else {
            // Nothing is checked then, not even the chain.
            return Ok(Accepted { never_freezes: true, ..Accepted::emitting(["HOLD_SPECIMEN"]) });
        };
        let reason = event.reason().filter(|reason| !reason.trim().is_empty());
        let reason = reason.ok_or_else(|| Blocked::recorded("AUDIT_MISSING_REASON_CODE"))?;
        self.close(&specimen, "held", Some(reason));
        Ok(Accepted::emitting(["HOLD_SPECIMEN"]))
    }

    pub(in super::super) fn reject_specimen(&mut self, event: &Event<'_>) -> MaybeReply {
        let Some(specimen) = event.id_arg("specimen_id") else { return Ok(None) };
        self.close(&specimen, "rejected", event.reason());
        Ok(Some(Accepted::emitting(["REJECT_SPECIMEN"])))
    }

    fn close(&mut self, specimen: &str, status: &str, reason: Option<String>) {
        self.specimens.set(specimen, "status", json!(status));
        self.specimens.set(specimen, "last_reason_code", json!(reason));
    }

    /// Needs the agent at the device; nothing is occupied by it.
    pub(in super::super) fn centrifuge_start(&mut self, event: &Event<'_>) -> Reply {
        if self.zones.apart(&event.agent, event.device().as_deref()) {
            return Err(Blocked::recorded("RC_DEVICE_NOT_COLOCATED").breaking(vec![broken("INV-ZONE-002")]));
        }
        Ok(Accepted::emitting(["CENTRIFUGE_START"]).finding(Vec::new()))
    }

    pub(in super::super) fn centrifuge_end(&mut self, event: &Event<'_>) -> Reply {
        let separated = match event.arg("separated_ts_s") {
            Value::Null => event.t_s,
            given => integer(given).unwrap_or(event.t_s),
        };
        for specimen in texts(event.arg("specimen_ids")) {
            self.specimens.set(&specimen, "separated_ts_s", json!(separated));
        }
        Ok(Accepted::emitting(["CENTRIFUGE_END"]))
    }

    pub(in super::super) fn aliquot_create(&mut self, event: &Event<'_>) -> Reply {
        if let (Some(specimen), Some(aliquot)) = (event.id_arg("specimen_id"), event.id_arg("aliquot_id")) {
            self.specimens.add_aliquot(&aliquot, &specimen);
        }
        Ok(Accepted::emitting(["ALIQUOT_CREATE"]))
    }
}

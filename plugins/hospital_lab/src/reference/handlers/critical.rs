//! Telling somebody about critical results. Whether the result exists, nobody asks.

use super::super::episode::Episode;
use super::super::event::{Accepted, Blocked, Event, Reply, broken_because};

impl Episode {
    pub(in super::super) fn notify_critical(&mut self, event: &Event<'_>) -> Reply {
        if let Some(result) = event.id_arg("result_id") {
            self.critical.notify(&result, event.args).map_err(Blocked::unrecorded)?;
        }
        Ok(Accepted::emitting(["NOTIFY_CRITICAL_RESULT"]))
    }

    pub(in super::super) fn acknowledge_critical(&mut self, event: &Event<'_>) -> Reply {
        let accepted = Accepted::emitting(["ACK_CRITICAL_RESULT"]);
        let Some(result) = event.id_arg("result_id") else { return Ok(accepted) };
        let refused = self.critical.acknowledge(&result, event.args, event.t_s).map_err(Blocked::unrecorded)?;
        Ok(if refused { accepted.finding(vec![broken_because("INV-CRIT-004", "CRIT_NO_READBACK")]) } else { accepted })
    }

    pub(in super::super) fn escalate_critical(&mut self, event: &Event<'_>) -> Reply {
        if let (Some(result), Some(role)) = (event.id_arg("result_id"), event.id_arg("next_role")) {
            self.critical.escalate(&result, &role).map_err(Blocked::unrecorded)?;
        }
        Ok(Accepted::emitting(["ESCALATE_CRITICAL_RESULT"]))
    }
}

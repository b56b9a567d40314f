//! The registry of invariants, looked at after a finalised step. Severity, scope and triggers play no part.
//!
//! Only eight actions are finalised, so the checks of movement, doors and release can never run and are not here.

use super::episode::Episode;
use super::event::{Event, finding};
use super::specimens::{is_expired, is_out_of_band, is_underfilled_citrate};
use super::value::{given, items, truthy};
use labtrust_contract::{InvariantStatus, Violation};
use serde_json::{Map, Value, json};

/// Longest time that the checked door may be open, whatever its layout says [s].
const DOOR_LIMIT_S: i64 = 200;

/// One entry of the registry.
#[derive(Clone, Debug)]
pub(super) struct Invariant {
    id: String,
    kind: String,
    parameters: Value,
}

/// The entries of a registry that have an id, in its order.
pub(super) fn compile(entries: &[Value]) -> Vec<Invariant> {
    let compile = |entry: &Value| {
        let id = given(&entry["invariant_id"])?;
        let template = &entry["logic_template"];
        let kind = given(&template["type"]).unwrap_or_else(|| "state".to_owned());
        Some(Invariant { id, kind, parameters: template["parameters"].clone() })
    };
    entries.iter().filter_map(compile).collect()
}

/// What a check found; `None` where it has nothing to say.
type Found = Option<Result<(), (&'static str, Value)>>;

fn pass_or(broken: bool, reason: &'static str, details: Value) -> Found {
    Some(if broken { Err((reason, details)) } else { Ok(()) })
}

impl Episode {
    /// Evaluates the registry after an accepted step.
    pub(super) fn evaluate_invariants(&self, event: &Event<'_>, registry: &[Invariant]) -> Vec<Violation> {
        let item = |invariant: &Invariant| {
            Some(match self.check(event, invariant)? {
                Ok(()) => finding(&invariant.id, InvariantStatus::Pass),
                Err((reason, details)) => Violation {
                    reason_code: Some(reason.to_owned()),
                    details: Some(details),
                    ..finding(&invariant.id, InvariantStatus::Violation)
                },
            })
        };
        registry.iter().filter_map(item).collect()
    }

    fn check(&self, event: &Event<'_>, invariant: &Invariant) -> Found {
        let parameters = &invariant.parameters;
        match (invariant.kind.as_str(), parameters["check"].as_str()?) {
            ("state", "colocation") => self.check_colocation(event, parameters),
            ("temporal", "door_open_duration") => self.check_door(event, parameters),
            ("state", "token_active") => self.check_tokens_active(event),
            ("state", "token_not_revoked") => self.check_tokens_not_revoked(event),
            ("state", "stability_pass") => self.check_stability(event),
            ("state", "cold_chain_ok") => self.check_cold_chain(event),
            ("state", "coag_fill_valid") => self.check_fill(event),
            ("state", "token_scope_ok") => {
                (event.action == "START_RUN_OVERRIDE" && !event.token_refs.is_empty()).then_some(Ok(()))
            }
            ("state", "read_back_confirmed") => check_read_back(event),
            _ => None,
        }
    }

    fn check_colocation(&self, event: &Event<'_>, parameters: &Value) -> Found {
        if !items(&parameters["action_types"]).iter().any(|action| action.as_str() == Some(&event.action)) {
            return None;
        }
        let device = event.device()?;
        let (device_zone, agent_zone) = (self.zones.device_zone(&device)?, self.zones.agent_zone(&event.agent)?);
        pass_or(device_zone != agent_zone, "RC_DEVICE_NOT_COLOCATED", json!({"device_id": device}))
    }

    fn check_door(&self, event: &Event<'_>, parameters: &Value) -> Found {
        if event.action != "TICK" {
            return None;
        }
        let door = given(&parameters["door_id"])?;
        let open_s = self.zones.door_open_since(&door).map_or(0, |since| event.t_s.saturating_sub(since));
        let details = json!({"door_id": door, "duration_s": open_s});
        pass_or(open_s > DOOR_LIMIT_S, "RC_DOOR_OPEN_TOO_LONG", details)
    }

    /// Looked at after the action, so tokens that it has just used up count as used up.
    fn check_tokens_active(&self, event: &Event<'_>) -> Found {
        if event.token_refs.is_empty() {
            return None;
        }
        match event.token_refs.iter().find_map(|id| Some((id, self.tokens.problem(id, event.t_s)?))) {
            None => Some(Ok(())),
            Some((_, "INV-TOK-006")) => None,
            Some((id, problem)) => Some(Err((problem, json!({"token_id": id})))),
        }
    }

    fn check_tokens_not_revoked(&self, event: &Event<'_>) -> Found {
        if event.token_refs.is_empty() {
            return None;
        }
        let revoked = event.token_refs.iter().find(|id| self.tokens.is_revoked(id));
        pass_or(revoked.is_some(), "INV-TOK-006", json!({"token_id": revoked}))
    }

    fn specimen_of(&self, id: &str) -> Option<&Map<String, Value>> {
        self.specimens.get(id)
    }

    fn check_stability(&self, event: &Event<'_>) -> Found {
        if event.action != "START_RUN" || self.stability.is_empty() {
            return None;
        }
        let specimens = self.specimens.resolve(event.arg("specimen_ids"), event.arg("aliquot_ids"));
        let record = self.specimen_of(specimens.first()?)?;
        (!is_expired(record, &self.stability, event.t_s)).then_some(Ok(()))
    }

    fn check_cold_chain(&self, event: &Event<'_>) -> Found {
        if event.action != "START_RUN" || !truthy(event.arg("specimen_ids")) {
            return None;
        }
        let specimens = self.specimens.resolve(event.arg("specimen_ids"), event.arg("aliquot_ids"));
        let warm = specimens.iter().find(|id| self.specimen_of(id).is_some_and(is_out_of_band))?;
        Some(Err(("TEMP_OUT_OF_BAND", json!({"specimen_id": warm}))))
    }

    fn check_fill(&self, event: &Event<'_>) -> Found {
        let specimen = event.id_arg("specimen_id").filter(|_| event.action == "ACCEPT_SPECIMEN")?;
        let underfilled = self.specimen_of(&specimen).is_some_and(is_underfilled_citrate);
        pass_or(underfilled, "CNT_CITRATE_FILL_INVALID", json!({"specimen_id": specimen}))
    }
}

fn check_read_back(event: &Event<'_>) -> Found {
    if event.action != "ACK_CRITICAL_RESULT" {
        return None;
    }
    let confirmed = event.arg("read_back_confirmed").as_bool()?;
    pass_or(!confirmed, "CRIT_NO_READBACK", json!({"result_id": event.arg("result_id")}))
}

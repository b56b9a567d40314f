//! From the raw map of a scenario or a log to a typed [`Action`], in one place.
//!
//! The map itself stays what is hashed; this reading only decides what the event means. A key that is absent or `null`
//! counts as not given; a key of the wrong type makes the event malformed, and the step is refused, never guessed at.

use super::{Action, ActionKind, Args, Decision, EventId, Ids, Priority, Symbols};
use crate::lab::Symbol;
use labtrust_trust::tokens::Approval;
use serde_json::{Map, Value};

/// What is wrong with the content of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The action is not in the vocabulary.
    #[error("unknown action {0:?}")]
    UnknownAction(String),
    /// A key holds something else than it should.
    #[error("{key} should be {expected}")]
    Type {
        /// The key.
        key: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
}

/// Reads keys out of a map, interning ids as it goes.
struct Reader<'m, 's> {
    map: &'m Map<String, Value>,
    symbols: &'s mut Symbols,
}

impl<'m> Reader<'m, '_> {
    fn get(&self, key: &str) -> Option<&'m Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn text(&self, key: &'static str) -> Result<Option<&'m str>, Malformed> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Malformed::Type { key, expected: "a text" }),
        }
    }

    /// An id; the empty text counts as not given.
    fn id(&mut self, key: &'static str) -> Result<Option<Symbol>, Malformed> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(self.symbols.intern(text))),
            Some(_) => Err(Malformed::Type { key, expected: "a text" }),
        }
    }

    fn ids(&mut self, key: &'static str) -> Result<Ids, Malformed> {
        let mut ids = Ids::new();
        match self.map.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                for item in items {
                    let text = item.as_str().ok_or(Malformed::Type { key, expected: "a list of texts" })?;
                    ids.push(self.symbols.intern(text));
                }
            }
            Some(_) => return Err(Malformed::Type { key, expected: "a list of texts" }),
        }
        Ok(ids)
    }

    fn int(&self, key: &'static str) -> Result<Option<i64>, Malformed> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => integer(value).map(Some).ok_or(Malformed::Type { key, expected: "a whole number" }),
        }
    }

    fn bool(&self, key: &'static str) -> Result<Option<bool>, Malformed> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(Malformed::Type { key, expected: "true or false" }),
        }
    }

    fn object(&self, key: &'static str) -> Result<Option<&'m Map<String, Value>>, Malformed> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => Err(Malformed::Type { key, expected: "a map" }),
        }
    }
}

/// A whole number, also when it is written with a fraction of zero.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let float = value.as_f64()?;
        (float.abs() < 9e15 && float == (float as i64) as f64).then_some(float as i64)
    })
}

impl Action {
    /// Reads an event.
    ///
    /// # Errors
    /// [`Malformed`] when the action is unknown or a key holds the wrong type. The caller refuses the step with
    /// `RC_UNKNOWN_ACTION` or `RC_EVENT_MALFORMED`.
    pub fn from_raw(event: &Map<String, Value>, symbols: &mut Symbols) -> Result<Self, Malformed> {
        let mut envelope = Reader { map: event, symbols };
        let name = envelope.text("action_type")?.unwrap_or_default();
        let kind = ActionKind::parse(name).ok_or_else(|| Malformed::UnknownAction(name.to_owned()))?;
        let t_s = envelope.int("t_s")?.unwrap_or(0);
        let event_id = envelope.text("event_id")?.map_or(EventId::None, |text| EventId::Text(text.into()));
        let agent = envelope.text("agent_id")?.unwrap_or_default();
        let agent = envelope.symbols.intern(agent);
        let rationale = envelope.text("rationale")?.filter(|text| !text.trim().is_empty()).map(Into::into);
        let signature = envelope.text("signature")?.filter(|text| !text.is_empty()).map(Into::into);
        let tool_id = envelope.text("tool_id")?.map(str::trim).filter(|tool| !tool.is_empty());
        let tool_id = tool_id.map(|tool| envelope.symbols.intern(tool));
        let reason = envelope.text("reason_code")?.filter(|code| !code.trim().is_empty());
        let reason_code = reason.map(|code| envelope.symbols.intern(code));
        let token_refs = envelope.ids("token_refs")?.into_iter().collect();
        let key_id = envelope.id("key_id")?;
        let empty = Map::new();
        let args = envelope.object("args")?.unwrap_or(&empty);
        let args = Args::from_raw(kind, args, symbols)?;
        Ok(Self {
            event_id,
            t_s,
            agent,
            decision: Decision { kind, args, reason_code, token_refs, rationale, key_id, signature, tool_id },
        })
    }
}

impl Args {
    /// Reads the arguments of an action of this kind.
    ///
    /// # Errors
    /// [`Malformed::Type`] when a known key holds the wrong type. Unknown keys are left alone.
    pub fn from_raw(kind: ActionKind, map: &Map<String, Value>, symbols: &mut Symbols) -> Result<Self, Malformed> {
        let mut r = Reader { map, symbols };
        if kind == ActionKind::InjectSpecimen {
            let mut args = Self { specimen: r.id("specimen_id")?, ..Self::default() };
            args.rare_mut().record = Some(map.clone());
            return Ok(args);
        }
        let priority = match r.text("priority")? {
            Some(text) => Some(text),
            None => r.text("priority_class")?,
        };
        let mut args = Self {
            priority: priority.map(Priority::parse_lenient),
            id_match: r.bool("id_match")?,
            separated_ts_s: r.int("separated_ts_s")?,
            value: None,
            specimen: r.id("specimen_id")?,
            specimens: r.ids("specimen_ids")?,
            aliquot: r.id("aliquot_id")?,
            aliquots: r.ids("aliquot_ids")?,
            accessions: r.ids("accession_ids")?,
            device: r.id("device_id")?,
            work: r.id("work_id")?,
            run: r.id("run_id")?,
            result: r.id("result_id")?,
            from_zone: r.id("from_zone")?,
            to_zone: r.id("to_zone")?,
            entity_type: r.id("entity_type")?,
            entity: r.id("entity_id")?,
            door: r.id("door_id")?,
            consignment: r.id("consignment_id")?,
            reason_code: r.id("reason_code")?,
            qc_outcome: r.id("qc_outcome")?,
            qc_state: r.id("qc_state")?,
            analyte: r.id("analyte_code")?,
            units: r.id("units")?,
            rare: None,
        };
        match r.get("value") {
            None => {}
            Some(Value::Number(number)) => args.value = Some(number.clone()),
            Some(_) => return Err(Malformed::Type { key: "value", expected: "a number" }),
        }
        match kind {
            ActionKind::MintToken => {
                let approvals = approvals(&mut r);
                let rare = args.rare_mut();
                rare.approvals = approvals;
                rare.token_type = r.id("token_type")?;
                rare.subject_type = r.id("subject_type")?;
                rare.subject_id = r.id("subject_id")?;
            }
            ActionKind::RevokeToken => args.rare_mut().token_id = r.id("token_id")?,
            ActionKind::NotifyCriticalResult | ActionKind::AckCriticalResult | ActionKind::EscalateCriticalResult => {
                let rare = args.rare_mut();
                rare.attempt_id = r.id("attempt_id")?;
                rare.channel = r.id("channel")?;
                rare.receiver_role = r.id("receiver_role")?;
                rare.receiver_name_or_id = r.id("receiver_name_or_id")?;
                rare.receiver_location_or_org = r.id("receiver_location_or_org")?;
                rare.read_back_confirmed = r.bool("read_back_confirmed")?;
                rare.outcome = r.id("outcome")?;
                rare.acknowledgment_ts_s = r.int("acknowledgment_ts_s")?;
                rare.message_template_id = r.id("message_template_id")?;
                rare.next_role = r.id("next_role")?;
            }
            ActionKind::DispatchTransport => {
                let rare = args.rare_mut();
                rare.origin_site = r.id("origin_site")?;
                rare.dest_site = r.id("dest_site")?;
            }
            ActionKind::UpdateRoster => {
                if let Some(map) = r.object("roster")? {
                    let mut roster = Vec::with_capacity(map.len());
                    for (agent, role) in map {
                        let role =
                            role.as_str().ok_or(Malformed::Type { key: "roster", expected: "a map of texts" })?;
                        roster.push((r.symbols.intern(agent), r.symbols.intern(role)));
                    }
                    args.rare_mut().roster = Some(roster);
                }
            }
            ActionKind::LiftEnforcement => {
                let rare = args.rare_mut();
                rare.kind = r.id("kind")?;
                rare.target = r.id("target")?;
            }
            _ => {}
        }
        if let Some(tool_args) = r.object("tool_args")?.cloned() {
            args.rare_mut().tool_args = Some(tool_args);
        }
        Ok(args)
    }
}

/// Approvals as written; anything that is not a list counts as none.
fn approvals(r: &mut Reader<'_, '_>) -> Option<Vec<Approval>> {
    let Some(Value::Array(items)) = r.map.get("approvals") else { return None };
    Some(items.iter().map(|item| Approval::parse(item, r.symbols)).collect())
}

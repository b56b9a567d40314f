//! Critical results: classification, and whether somebody was told and said it back.

use super::value::{at, given, integer, items, number, text, truthy};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What an acknowledgement without a ladder must hold.
const PLAIN_ACK_FIELDS: [&str; 6] =
    ["channel", "receiver_role", "receiver_name_or_id", "receiver_location_or_org", "read_back_confirmed", "outcome"];
/// What an acknowledgement takes over from the arguments.
const ACK_FIELDS: [&str; 8] = [
    "attempt_id",
    "channel",
    "receiver_role",
    "receiver_name_or_id",
    "receiver_location_or_org",
    "read_back_confirmed",
    "outcome",
    "acknowledgment_ts_s",
];

#[derive(Debug)]
struct Attempt {
    id: String,
    tier: i64,
}

/// Classes, attempts and acknowledgements by result.
#[derive(Debug, Default)]
pub(super) struct Critical {
    thresholds: Vec<Value>,
    /// `None`: no ladder, nobody is in order.
    ladder: Option<Vec<Value>>,
    downtime: bool,
    class: BTreeMap<String, String>,
    mode_required: BTreeSet<String>,
    attempts: BTreeMap<String, Vec<Attempt>>,
    acks: BTreeMap<String, Vec<Map<String, Value>>>,
    communicated: BTreeSet<String>,
}

impl Critical {
    pub(super) fn new(thresholds: Vec<Value>, ladder: Option<Vec<Value>>, downtime: bool) -> Self {
        Self { thresholds, ladder, downtime, ..Self::default() }
    }

    /// Stores the class of a result; the first threshold that the value leaves decides.
    pub(super) fn classify(&mut self, result: &str, analyte: &Value, value: f64, units: &Value) {
        let leaves = |entry: &&Value| {
            entry["analyte_code"] == *analyte
                && entry["units"] == *units
                && (number(&entry["low"]).is_some_and(|low| value < low)
                    || number(&entry["high"]).is_some_and(|high| value > high))
        };
        let hit = self.thresholds.iter().find(leaves);
        let class = hit.map(|entry| given(&entry["class"]).unwrap_or_else(|| "CRIT_A".to_owned()));
        // A result that was looked at and found normal reads `NONE`, one that was not reads `none`.
        self.class.insert(result.to_owned(), class.unwrap_or_else(|| "none".to_owned()).to_uppercase());
        if self.downtime {
            self.mode_required.insert(result.to_owned());
        }
    }

    pub(super) fn class(&self, result: &str) -> &str {
        self.class.get(result).map_or("none", String::as_str)
    }

    /// Downtime asks for a notification of everything that was looked at.
    pub(super) fn must_notify(&self, result: &str) -> bool {
        self.downtime && self.class(result) != "none"
    }

    pub(super) fn mode_required(&self, result: &str) -> Option<&'static str> {
        self.mode_required.contains(result).then_some("phone_or_bleep")
    }

    pub(super) fn is_communicated(&self, result: &str) -> bool {
        self.communicated.contains(result)
    }

    /// A critical result that nobody acknowledged as the rules want.
    pub(super) fn awaits_ack(&self, result: &str) -> bool {
        matches!(self.class(result), "CRIT_A" | "CRIT_B") && !self.has_compliant_ack(result)
    }

    fn has_compliant_ack(&self, result: &str) -> bool {
        self.acks.get(result).into_iter().flatten().any(|ack| match &self.ladder {
            None => PLAIN_ACK_FIELDS.iter().all(|field| !at(ack, field).is_null()),
            Some(_) => self.tier_of(result, at(ack, "attempt_id")).is_some_and(|tier| {
                let complete = items(&tier["required_fields"]).iter().all(|field| !at(ack, &text(field)).is_null());
                complete && (!requires_readback(tier) || *at(ack, "read_back_confirmed") == json!(true))
            }),
        })
    }

    /// The tier that an attempt of a result was made at.
    fn tier_of(&self, result: &str, attempt: &Value) -> Option<&Value> {
        let id = given(attempt)?;
        let attempt = self.attempts.get(result)?.iter().find(|known| known.id == id)?;
        self.tier_at(attempt.tier)
    }

    fn tier_at(&self, index: i64) -> Option<&Value> {
        self.ladder.as_ref()?.iter().find(|tier| integer(&tier["tier_index"]) == Some(index))
    }

    fn tier_for(&self, role: &str) -> Option<&Value> {
        self.ladder.as_ref()?.iter().find(|tier| given(&tier["role"]).as_deref() == Some(role))
    }

    /// Records that somebody was told.
    ///
    /// # Errors
    /// The code of a refusal: the tier does not allow this channel.
    pub(super) fn notify(&mut self, result: &str, args: &Map<String, Value>) -> Result<(), &'static str> {
        if self.ladder.is_some() {
            let earlier = self.attempts.get(result).map_or(0, Vec::len);
            let role = given(at(args, "receiver_role")).filter(|_| earlier > 0);
            let tier = role.and_then(|role| self.tier_for(&role)).or_else(|| self.tier_at(0));
            let tier = tier.ok_or("CRIT_MODE_NOT_ALLOWED")?;
            let mode = given(at(args, "channel")).unwrap_or_default().trim().to_lowercase();
            let modes = items(&tier["allowed_contact_modes"]);
            if !modes.is_empty() && !mode.is_empty() && !modes.iter().any(|known| text(known).to_lowercase() == mode) {
                return Err("CRIT_MODE_NOT_ALLOWED");
            }
            let attempt =
                Attempt { id: format!("{result}_attempt_{earlier}"), tier: integer(&tier["tier_index"]).unwrap_or(0) };
            self.attempts.entry(result.to_owned()).or_default().push(attempt);
        }
        self.communicated.insert(result.to_owned());
        Ok(())
    }

    /// Records an acknowledgement. `Ok(true)`: the read-back that is wanted was refused.
    ///
    /// # Errors
    /// The code of a refusal: no such attempt, or a field of its tier is missing.
    pub(super) fn acknowledge(
        &mut self,
        result: &str,
        args: &Map<String, Value>,
        t_s: i64,
    ) -> Result<bool, &'static str> {
        let mut record: Map<String, Value> =
            ACK_FIELDS.iter().map(|field| ((*field).to_owned(), at(args, field).clone())).collect();
        if at(&record, "acknowledgment_ts_s").is_null() {
            record.insert("acknowledgment_ts_s".to_owned(), json!(t_s));
        }
        let mut readback = true;
        if self.ladder.is_some() {
            let tier = self.tier_of(result, at(args, "attempt_id")).ok_or("CRIT_ACK_MISSING_FIELDS")?;
            let missing = |field: &Value| {
                let field = text(field);
                at(&record, &field).is_null() && at(args, &field).is_null()
            };
            if items(&tier["required_fields"]).iter().any(missing) {
                return Err("CRIT_ACK_MISSING_FIELDS");
            }
            readback = requires_readback(tier);
        }
        let refused = readback && *at(&record, "read_back_confirmed") == json!(false);
        self.acks.entry(result.to_owned()).or_default().push(record);
        self.communicated.insert(result.to_owned());
        Ok(refused)
    }

    /// Records that the next tier was turned to.
    ///
    /// # Errors
    /// The code of a refusal: it is not the next tier.
    pub(super) fn escalate(&mut self, result: &str, next_role: &str) -> Result<(), &'static str> {
        if self.ladder.is_some() {
            let current = self.attempts.get(result).and_then(|attempts| attempts.last()).map_or(-1, |last| last.tier);
            let tier = self.tier_for(next_role).and_then(|tier| integer(&tier["tier_index"]));
            let tier = tier.filter(|tier| *tier == current.saturating_add(1)).ok_or("CRIT_ESCALATION_OUT_OF_ORDER")?;
            // An escalation before the first notification is lost.
            if let Some(attempts) = self.attempts.get_mut(result) {
                attempts.push(Attempt { id: format!("{result}_attempt_{}", attempts.len()), tier });
            }
        }
        self.communicated.insert(result.to_owned());
        Ok(())
    }
}

fn requires_readback(tier: &Value) -> bool {
    tier.get("requires_readback").is_none_or(truthy)
}

//! Tokens, judged from the events alone: who minted what for whom, and what it was used for.

use crate::{
    play::{Held, Seen, broken},
    releases::Releases,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

struct Token {
    kind: String,
    subject_type: String,
    subject: String,
    reason: String,
    from_s: i64,
    to_s: i64,
    active: bool,
    used: bool,
}

/// What is known of every token there ever was.
pub(crate) struct Tokens<'a> {
    types: &'a Value,
    known: BTreeMap<String, Token>,
}

/// Whether a list of a type says nothing, or names `what`.
fn lists(list: &Value, what: &str) -> bool {
    list.as_array().is_none_or(|list| list.is_empty() || list.iter().any(|item| item == what))
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(types: &'a Value, state: &Map<String, Value>) -> Self {
        let text = |token: &Value, key: &str| token[key].as_str().unwrap_or_default().to_owned();
        let entries = state.get("tokens").and_then(Value::as_array).into_iter().flatten();
        let known = entries.map(|token| {
            let known = Token {
                kind: text(token, "token_type"),
                subject_type: text(token, "subject_type"),
                subject: text(token, "subject_id"),
                reason: text(token, "reason_code"),
                from_s: token["issued_at_ts_s"].as_i64().unwrap_or(i64::MAX),
                to_s: token["expires_at_ts_s"].as_i64().unwrap_or(i64::MIN),
                active: text(token, "state") == "ACTIVE",
                used: false,
            };
            (text(token, "token_id"), known)
        });
        Self { types, known: known.collect() }
    }

    /// An accepted step: every token presented covers it, what was used up was so for the first time, and nothing that
    /// needs a token happened without one.
    pub(crate) fn accepted(&mut self, seen: &Seen<'_>, releases: &Releases, enforced: bool) -> Held {
        match seen.action() {
            "NOOP" => return Ok(()),
            "MINT_TOKEN" => self.minted(seen),
            "REVOKE_TOKEN" => {
                if let Some(token) = self.known.get_mut(seen.arg("token_id")).filter(|token| !token.used) {
                    token.active = false;
                }
            }
            _ => {}
        }
        for id in seen.token_refs() {
            let Some(token) = self.known.get(id) else { return Err(broken(format!("{id} was never minted"))) };
            self.covers(id, token, seen, releases)?;
        }
        let used = &seen.result.token_consumed;
        for id in used {
            let Some(token) = self.known.get_mut(id) else { return Err(broken(format!("{id} was never minted"))) };
            if std::mem::replace(&mut token.used, true) {
                return Err(broken(format!("{id} is used a second time")));
            }
            if !seen.token_refs().contains(&id.as_str()) {
                return Err(broken(format!("{id} was used up and not presented")));
            }
        }
        let enters = seen.action() == "MOVE"
            && seen.arg("to_zone") == "Z_RESTRICTED_BIOHAZARD"
            && seen.arg("from_zone") != "Z_RESTRICTED_BIOHAZARD";
        let opens = seen.action() == "OPEN_DOOR" && seen.arg("door_id") == "D_RESTRICTED_AIRLOCK";
        let overrides = ["START_RUN_OVERRIDE", "RELEASE_RESULT_OVERRIDE"].contains(&seen.action());
        if seen.action() == "START_RUN_OVERRIDE" && enforced {
            // Each specimen of the run, not only one of them.
            let made_for = |specimen: &str| used.iter().any(|id| self.known[id].subject == specimen);
            if let Some(specimen) = seen.args("specimen_ids").into_iter().find(|specimen| !made_for(specimen)) {
                return Err(broken(format!("{specimen} runs without a token of its own")));
            }
        }
        if (enters || opens || overrides) && used.is_empty() {
            return Err(broken(format!("{} without using up a token", seen.action())));
        }
        Ok(())
    }

    /// Type, scope, reason, subject, time.
    fn covers(&self, id: &str, token: &Token, seen: &Seen<'_>, releases: &Releases) -> Held {
        let no = |why: &str| Err(broken(format!("{id} ({}) does not cover {}: {why}", token.kind, seen.action())));
        if token.used {
            return no("it is used up");
        }
        if !token.active {
            return no("it is not active");
        }
        if !(token.from_s..=token.to_s).contains(&seen.t_s) {
            return no("it is out of its time");
        }
        let kind = &self.types[&token.kind];
        let scope = &kind["scope"];
        let actions = scope["allowed_actions"].as_array();
        if !actions.is_some_and(|list| list.iter().any(|item| item == seen.action())) {
            return no("its type is for other actions");
        }
        let (doors, zones) = (&scope["allowed_doors"], &scope["allowed_zones"]);
        let (door, zone) = (seen.arg("door_id"), seen.arg("to_zone"));
        if !(door.is_empty() || lists(doors, door)) || !(zone.is_empty() || lists(zones, zone)) {
            return no("its type is for other places");
        }
        let stated =
            [seen.text("reason_code"), seen.arg("reason_code")].into_iter().find(|code| !code.trim().is_empty());
        let reason = stated.unwrap_or(&token.reason);
        let denied =
            scope["denylist_reason_codes"].as_array().is_some_and(|list| list.iter().any(|item| item == reason));
        let named = [&scope["allowed_reason_codes"], &kind["reason_codes_allowed"]];
        let restricted = named.iter().any(|list| list.as_array().is_some_and(|list| !list.is_empty()));
        let allowed =
            named.iter().any(|list| list.as_array().is_some_and(|list| list.iter().any(|item| item == reason)));
        if denied || (restricted && !allowed) {
            return no("its type is for other reasons");
        }
        if !lists(&kind["subject_type"], &token.subject_type) || !self.is_subject(token, seen, releases) {
            return no("it was made for somebody or something else");
        }
        Ok(())
    }

    fn is_subject(&self, token: &Token, seen: &Seen<'_>, releases: &Releases) -> bool {
        let subject = token.subject.as_str();
        match token.subject_type.as_str() {
            "agent" => seen.text("agent_id") == subject,
            "zone" => seen.arg("to_zone") == subject,
            "door" => seen.arg("door_id") == subject,
            _ => {
                // What each action is about; an id elsewhere in the event is no subject.
                let about: &[&str] = match seen.action() {
                    "START_RUN_OVERRIDE" => &["run_id", "device_id"],
                    "RELEASE_RESULT_OVERRIDE" => &["result_id", "run_id"],
                    "RECEIVE_TRANSPORT" | "CHAIN_OF_CUSTODY_SIGN" => &["consignment_id"],
                    _ => &[],
                };
                let runs = seen.action() == "START_RUN_OVERRIDE";
                about.iter().any(|key| seen.arg(key) == subject)
                    || (runs && seen.args("specimen_ids").contains(&subject))
                    || (runs && seen.args("aliquot_ids").iter().any(|id| *id == format!("A_{subject}")))
                    || (!runs && releases.specimen_of(seen.arg("result_id")) == Some(subject))
            }
        }
    }

    fn minted(&mut self, seen: &Seen<'_>) {
        let (kind, subject) = (seen.arg("token_type").to_owned(), seen.arg("subject_id").to_owned());
        let family = if kind.contains("OVERRIDE") { "OVR" } else { &kind };
        let base = format!("T_{family}_{subject}");
        let later = (2..).map(|number| format!("{base}_{number}"));
        let Some(id) = std::iter::once(base.clone()).chain(later).find(|id| !self.known.contains_key(id)) else {
            return;
        };
        let life_s = self.types[&kind]["ttl_s"].as_i64().unwrap_or(3600);
        let reason = [seen.arg("reason_code"), seen.text("reason_code")].into_iter().find(|code| !code.is_empty());
        let token = Token {
            kind,
            subject_type: seen.arg("subject_type").to_owned(),
            subject,
            reason: reason.unwrap_or_default().to_owned(),
            from_s: seen.t_s,
            to_s: seen.t_s + life_s,
            active: true,
            used: false,
        };
        self.known.insert(id, token);
    }
}

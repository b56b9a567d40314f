//! What the script has brought about so far that no query tells: kept from the steps that both engines took alike.

use super::case::Before;
use super::facts::FACTS;
use super::shape::is_misshapen;
use labtrust_contract::{StepResult, StepStatus};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Facts that rules need beside the answers to queries.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// The newest time that both engines have seen [s].
    pub now_s: i64,
    /// Aliquot to the specimen it was taken of.
    pub aliquots: BTreeMap<String, String>,
    /// Runs that were started by their name, with the specimens.
    pub runs: BTreeMap<String, Vec<String>>,
    /// Results, with the specimens they may be of.
    pub results: BTreeMap<String, Vec<String>>,
    /// Tokens as the initial state or the mint made them.
    pub tokens: BTreeMap<String, Token>,
    /// Attempts to tell somebody of a result: tier and time [s].
    pub attempts: BTreeMap<String, Vec<(i64, i64)>>,
    /// Results whose communication the two engines remember differently.
    pub told_apart: BTreeSet<String>,
    /// Accepted actions of an agent, and overrides among them [count].
    pub taken: BTreeMap<String, (u64, u64)>,
    /// Specimens of the initial state, as written.
    pub specimens: BTreeMap<String, Map<String, Value>>,
    /// Roles that runtime control has given.
    pub roster: BTreeMap<String, String>,
    /// Agents that have a place.
    pub placed: BTreeSet<String>,
    /// Until when agents are throttled [s].
    pub throttled: BTreeMap<String, i64>,
    /// Agents that are out.
    pub killed: BTreeSet<String>,
    /// Doors that are open, since when [s].
    pub doors: BTreeMap<String, i64>,
    /// Zones that a door left open has frozen.
    pub frozen: BTreeSet<String>,
    /// Ends of runs that the laboratory records next [count].
    pub ends_due: u64,
    /// Reagent that runs and overrides have taken.
    pub used: BTreeMap<String, f64>,
    /// Stock that the initial state gives instead of the policy's.
    pub stock: BTreeMap<String, f64>,
    /// Devices whose queue holds work that has its priority from its specimen.
    pub inherited: BTreeSet<String>,
    /// Whether an override was carried out.
    pub overrode: bool,
    /// Results that were filed for a run which had not started.
    pub filed_early: BTreeSet<String>,
    /// Records of enforcement that the reference counts next [count].
    pub enforced_there: u64,
}

/// A token, as far as rules look at it.
#[derive(Debug, Clone, Default)]
pub struct Token {
    /// Its type.
    pub kind: String,
    /// ACTIVE, ...
    pub state: String,
    /// Whom or what it is for: kind and id.
    pub subject: (String, String),
    /// First and last second [s].
    pub valid_s: (i64, i64),
    /// Why it was issued.
    pub reason: String,
}

fn text(map: &Map<String, Value>, key: &str) -> String {
    map.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn texts(map: &Map<String, Value>, key: &str) -> Vec<String> {
    let list = map.get(key).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

impl Ledger {
    /// What an initial state says.
    #[must_use]
    pub fn of(state: &Map<String, Value>) -> Self {
        let mut ledger = Self::default();
        let list =
            |key: &str| state.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
        for specimen in list("specimens") {
            let (id, panel) = match text(specimen, "template_ref").as_str() {
                "S_BIOCHEM_OK" => ("S1".to_owned(), "BIOCHEM_PANEL_CORE"),
                "S_COAG_OK" => ("S2".to_owned(), "COAG_PANEL_CORE"),
                _ => (text(specimen, "specimen_id"), ""),
            };
            let mut record = specimen.clone();
            if !panel.is_empty() {
                record.insert("panel_id".to_owned(), panel.into());
                if panel.starts_with("COAG") {
                    record.insert("container_type".to_owned(), "PLASMA_CITRATE".into());
                }
            }
            ledger.specimens.insert(id, record);
        }
        ledger
            .placed
            .extend(list("agents").filter(|agent| agent.contains_key("zone_id")).map(|agent| text(agent, "agent_id")));
        if ledger.placed.is_empty() {
            let standard = ["RECEPTION", "RUNNER", "PREAN", "ANALYTICS", "QC", "SUPERVISOR", "CLINSCI", "SECURITY"];
            ledger.placed.extend(standard.map(|name| format!("A_{name}")));
        }
        for (agent, role) in state.get("roster").and_then(Value::as_object).into_iter().flatten() {
            ledger.roster.insert(agent.clone(), role.as_str().unwrap_or_default().to_owned());
        }
        for (reagent, amount) in state.get("reagent_initial_stock").and_then(Value::as_object).into_iter().flatten() {
            ledger.stock.extend(amount.as_f64().map(|amount| (reagent.clone(), amount)));
        }
        for token in list("tokens") {
            let seconds = |key: &str| token.get(key).and_then(Value::as_i64).unwrap_or(0);
            let state = Some(text(token, "state")).filter(|state| !state.is_empty());
            let entry = Token {
                kind: text(token, "token_type"),
                state: state.unwrap_or_else(|| "ACTIVE".to_owned()),
                subject: (text(token, "subject_type"), text(token, "subject_id")),
                valid_s: (seconds("issued_at_ts_s"), seconds("expires_at_ts_s")),
                reason: text(token, "reason_code"),
            };
            ledger.tokens.insert(text(token, "token_id"), entry);
        }
        ledger
    }

    /// Whether an agent is throttled at a time [s].
    #[must_use]
    pub fn is_throttled(&self, agent: &str, t_s: i64) -> bool {
        self.throttled.get(agent).is_some_and(|until| t_s < *until)
    }

    /// Whether a door is open for longer than it may be at a time [s].
    #[must_use]
    pub fn breached(&self, door: &str, t_s: i64) -> bool {
        let limit = FACTS.door(door)["max_open_s"].as_i64().unwrap_or(600);
        self.doors.get(door).is_some_and(|since| t_s.max(self.now_s) - since > limit)
    }

    /// Doors whose time is over between now and then [count].
    #[must_use]
    pub fn breaches_until(&self, t_s: i64) -> u64 {
        let late = |door: &&String| self.breached(door, t_s) && !self.breached(door, self.now_s);
        self.doors.keys().filter(late).count() as u64
    }

    /// Whether a door that was left open has frozen a zone by then.
    #[must_use]
    pub fn froze(&self, zone: &str, t_s: i64) -> bool {
        self.frozen.contains(zone) || self.doors.keys().any(|door| self.breached(door, t_s) && beside(door, zone))
    }

    /// The panel of a specimen, empty when it has none.
    #[must_use]
    pub fn panel(&self, specimen: &str) -> &str {
        let record = self.specimens.get(specimen);
        record.and_then(|record| record.get("panel_id")?.as_str()).unwrap_or_default()
    }

    /// How a specimen is to be kept, empty when that is not said.
    #[must_use]
    pub fn storage(&self, specimen: &str) -> &str {
        let record = self.specimens.get(specimen);
        record.and_then(|record| record.get("storage_requirement")?.as_str()).unwrap_or_default()
    }

    /// When a specimen was drawn [s].
    #[must_use]
    pub fn collected_s(&self, specimen: &str) -> i64 {
        let record = self.specimens.get(specimen);
        record.and_then(|record| record.get("collection_ts_s")?.as_i64()).unwrap_or(0)
    }

    /// How long a specimen was at room temperature until `t_s`, all times together [s]; `None` without a reading.
    #[must_use]
    pub fn warm_s(&self, specimen: &str, t_s: i64) -> Option<i64> {
        let log = self.specimens.get(specimen)?.get("temp_exposure_log")?.as_array()?;
        let mut readings: Vec<(i64, bool)> = log
            .iter()
            .map(|entry| {
                let band = entry["temp_band"].as_str().unwrap_or_default();
                (entry["t_s"].as_i64().unwrap_or(0), band.contains("AMBIENT"))
            })
            .collect();
        readings.sort_by_key(|(at_s, _)| *at_s);
        let until = readings.iter().skip(1).map(|(at_s, _)| *at_s).chain([t_s]);
        let warm = readings.iter().zip(until).filter(|((_, warm), _)| *warm);
        let sum = warm.map(|((from_s, _), until_s)| (until_s.min(t_s) - from_s).max(0)).sum();
        (!readings.is_empty()).then_some(sum)
    }

    /// Whether what is left of the reagent is too little for a run of this panel, overrides counted.
    #[must_use]
    pub fn is_short_for(&self, panel: &str) -> bool {
        FACTS.reagent(panel).is_some_and(|(reagent, need)| {
            let stock = self.stock.get(reagent).copied().unwrap_or_else(|| FACTS.stock(reagent));
            stock - self.used.get(reagent).copied().unwrap_or(0.0) < need
        })
    }

    /// Takes note of a step that did not part the states: what the reference made of it, and what the laboratory.
    pub(super) fn note(
        &mut self,
        event: &Map<String, Value>,
        there: &StepResult,
        here: &StepResult,
        before: Before<'_>,
    ) {
        let t_s = event.get("t_s").and_then(Value::as_i64).unwrap_or(0);
        self.ends_due = 0;
        self.enforced_there = there.enforcements.len() as u64;
        if moves_time(event, here) {
            let frozen: Vec<String> = self.doors.keys().filter(|door| self.breached(door, t_s)).cloned().collect();
            for door in frozen {
                let zones = [&FACTS.door(&door)["from_zone"], &FACTS.door(&door)["to_zone"]];
                self.frozen.extend(zones.iter().filter_map(|zone| zone.as_str().map(str::to_owned)));
            }
            self.now_s = self.now_s.max(t_s);
        }
        for item in &here.enforcements {
            let target = item.target.clone().unwrap_or_default();
            match item.kind.as_str() {
                "throttle_agent" => {
                    let until = self.throttled.entry(target).or_default();
                    *until = (*until).max(t_s + item.duration_s.unwrap_or(0));
                }
                "kill_switch" => {
                    self.killed.insert(target);
                }
                _ => {}
            }
        }
        if there.status == StepStatus::Accepted && here.status == StepStatus::Accepted {
            self.note_accepted(event, here, before, t_s);
        }
    }

    fn note_accepted(&mut self, event: &Map<String, Value>, here: &StepResult, before: Before<'_>, t_s: i64) {
        let empty = Map::new();
        let args = event.get("args").and_then(Value::as_object).unwrap_or(&empty);
        for token in &here.token_consumed {
            if let Some(token) = self.tokens.get_mut(token) {
                "CONSUMED".clone_into(&mut token.state);
            }
        }
        let (agent, action) = (text(event, "agent_id"), text(event, "action_type"));
        let taken = self.taken.entry(agent.clone()).or_default();
        taken.0 += 1;
        taken.1 += u64::from(matches!(action.as_str(), "START_RUN_OVERRIDE" | "RELEASE_RESULT_OVERRIDE"));
        match action.as_str() {
            "ALIQUOT_CREATE" if !text(args, "aliquot_id").is_empty() => {
                self.aliquots.insert(text(args, "aliquot_id"), text(args, "specimen_id"));
            }
            "START_RUN" | "START_RUN_OVERRIDE" => {
                let device = text(args, "device_id");
                let mut ids = texts(args, "specimen_ids");
                if ids.is_empty() {
                    ids = texts(args, "aliquot_ids");
                }
                if ids.is_empty() {
                    ids.push(text(args, "work_id"));
                }
                if ids == [""] {
                    let head = before.get("queue_head", &device).as_str();
                    ids = vec![head.unwrap_or_default().to_owned()];
                }
                let ids: Vec<String> =
                    ids.into_iter().map(|id| self.aliquots.get(&id).cloned().unwrap_or(id)).collect();
                let panel = ids.first().map_or("", |id| self.panel(id)).to_owned();
                if let Some((reagent, need)) = FACTS.reagent(&panel) {
                    *self.used.entry(reagent.to_owned()).or_default() += need;
                }
                self.overrode |= action == "START_RUN_OVERRIDE";
                self.ends_due = u64::from(FACTS.is_device(&device));
                if !text(args, "run_id").is_empty() {
                    self.runs.insert(text(args, "run_id"), ids);
                }
            }
            "QUEUE_RUN" if text(args, "priority").is_empty() && text(args, "priority_class").is_empty() => {
                self.inherited.insert(text(args, "device_id"));
            }
            "GENERATE_RESULT" => {
                let run = text(args, "run_id");
                if !run.is_empty() && !self.runs.contains_key(&run) {
                    self.filed_early.insert(text(args, "result_id"));
                }
                let mut specimens = self.runs.get(&run).cloned().unwrap_or_default();
                specimens.push(text(args, "specimen_id"));
                self.results.insert(text(args, "result_id"), specimens);
            }
            "OPEN_DOOR" => {
                let door = text(args, "door_id");
                if FACTS.door(&door).is_object() {
                    self.doors.insert(door, t_s);
                }
            }
            "MINT_TOKEN" => self.note_mint(event, args, t_s),
            "REVOKE_TOKEN" => {
                if let Some(token) = self.tokens.get_mut(&text(args, "token_id")) {
                    "REVOKED".clone_into(&mut token.state);
                }
            }
            "MOVE" => {
                self.placed.insert(agent);
            }
            "UPDATE_ROSTER" => {
                for (agent, role) in args.get("roster").and_then(Value::as_object).into_iter().flatten() {
                    self.roster.insert(agent.clone(), role.as_str().unwrap_or_default().to_owned());
                }
            }
            "NOTIFY_CRITICAL_RESULT" | "ESCALATE_CRITICAL_RESULT" => self.note_attempt(&action, args, t_s),
            _ => {}
        }
    }

    fn note_mint(&mut self, event: &Map<String, Value>, args: &Map<String, Value>, t_s: i64) {
        let (kind, subject) = (text(args, "token_type"), text(args, "subject_id"));
        let family = if kind.contains("OVERRIDE") { "OVR" } else { &kind };
        let id = format!("T_{family}_{subject}");
        let ttl_s = FACTS.token_type(&kind)["ttl_s"].as_i64().unwrap_or(3_600);
        let reason = Some(text(args, "reason_code")).filter(|code| !code.is_empty());
        let token = Token {
            state: "ACTIVE".to_owned(),
            subject: (text(args, "subject_type"), subject),
            valid_s: (t_s, t_s.saturating_add(ttl_s)),
            reason: reason.unwrap_or_else(|| text(event, "reason_code")),
            kind,
        };
        self.tokens.insert(id, token);
    }

    /// The laboratory counts a first escalation, and lets a notification go up no tier; the reference does the opposite.
    fn note_attempt(&mut self, action: &str, args: &Map<String, Value>, t_s: i64) {
        let result = text(args, "result_id");
        let attempts = self.attempts.entry(result.clone()).or_default();
        let last = attempts.last().map(|(tier, _)| *tier);
        let tier = if action == "ESCALATE_CRITICAL_RESULT" {
            if text(args, "next_role").is_empty() {
                return;
            }
            if last.is_none() {
                self.told_apart.insert(result);
            }
            last.map_or(0, |tier| tier + 1)
        } else {
            let named = last.and_then(|_| FACTS.tier_of(&text(args, "receiver_role")));
            if named.is_some_and(|tier| Some(tier) > last) {
                self.told_apart.insert(result);
            }
            named.filter(|tier| Some(*tier) <= last).unwrap_or(0)
        };
        attempts.push((tier, t_s));
    }
}

/// Whether the laboratory's clock moves with an event: not with one that cannot be read, or is late, or finds the log
/// frozen.
pub(super) fn moves_time(event: &Map<String, Value>, here: &StepResult) -> bool {
    match here.blocked_reason_code.as_deref() {
        Some("RC_UNKNOWN_ACTION" | "RC_TIME_BACKWARDS" | "AUDIT_CHAIN_BROKEN") => false,
        Some("RC_EVENT_MALFORMED" | "RC_RESULT_VALUE_NOT_NUMERIC") => !is_misshapen(event),
        _ => true,
    }
}

/// Whether a door leads to a zone.
fn beside(door: &str, zone: &str) -> bool {
    let door = FACTS.door(door);
    door["from_zone"] == zone || door["to_zone"] == zone
}

//! Arguments of actions: one flat record for all of them.
//!
//! An event's `args` is a map of well-known keys, and most actions use two or three of them. One record with a field a
//! key means one reader and one writer for every action, and a handler reads just the fields it knows. What is long or
//! seldom lives in a box ([`RareArgs`]).

use super::{Symbol, Symbols};
use labtrust_trust::{canonical, tokens::Approval};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use smallvec::SmallVec;

/// A short list of ids.
pub type Ids = SmallVec<[Symbol; 4]>;

/// Priority of work, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Priority {
    /// As soon as anything is free.
    Stat,
    /// Before routine work.
    Urgent,
    /// In its turn.
    #[default]
    Routine,
}

labtrust_kernel::remembered_as_number!(Priority);

impl Priority {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stat => "STAT",
            Self::Urgent => "URGENT",
            Self::Routine => "ROUTINE",
        }
    }

    /// Reads a name in any case; everything unknown is routine.
    #[must_use]
    pub fn parse_lenient(text: &str) -> Self {
        if text.eq_ignore_ascii_case("STAT") {
            Self::Stat
        } else if text.eq_ignore_ascii_case("URGENT") {
            Self::Urgent
        } else {
            Self::Routine
        }
    }
}

/// Arguments that few actions have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RareArgs {
    /// `approvals` of MINT_TOKEN.
    pub approvals: Option<Vec<Approval>>,
    /// `token_type` of MINT_TOKEN.
    pub token_type: Option<Symbol>,
    /// `token_id` of REVOKE_TOKEN.
    pub token_id: Option<Symbol>,
    /// `subject_type` of MINT_TOKEN.
    pub subject_type: Option<Symbol>,
    /// `subject_id` of MINT_TOKEN.
    pub subject_id: Option<Symbol>,
    /// `attempt_id` of ACK_CRITICAL_RESULT.
    pub attempt_id: Option<Symbol>,
    /// `channel` of critical communication.
    pub channel: Option<Symbol>,
    /// `receiver_role` of critical communication.
    pub receiver_role: Option<Symbol>,
    /// `receiver_name_or_id` of ACK_CRITICAL_RESULT.
    pub receiver_name_or_id: Option<Symbol>,
    /// `receiver_location_or_org` of ACK_CRITICAL_RESULT.
    pub receiver_location_or_org: Option<Symbol>,
    /// `read_back_confirmed` of ACK_CRITICAL_RESULT.
    pub read_back_confirmed: Option<bool>,
    /// `outcome` of ACK_CRITICAL_RESULT.
    pub outcome: Option<Symbol>,
    /// `acknowledgment_ts_s` of ACK_CRITICAL_RESULT [s].
    pub acknowledgment_ts_s: Option<i64>,
    /// `message_template_id` of NOTIFY_CRITICAL_RESULT.
    pub message_template_id: Option<Symbol>,
    /// `next_role` of ESCALATE_CRITICAL_RESULT.
    pub next_role: Option<Symbol>,
    /// `origin_site` of DISPATCH_TRANSPORT.
    pub origin_site: Option<Symbol>,
    /// `dest_site` of DISPATCH_TRANSPORT.
    pub dest_site: Option<Symbol>,
    /// `roster` of UPDATE_ROSTER: agent to role.
    pub roster: Option<Vec<(Symbol, Symbol)>>,
    /// `kind` of LIFT_ENFORCEMENT.
    pub kind: Option<Symbol>,
    /// `target` of LIFT_ENFORCEMENT.
    pub target: Option<Symbol>,
    /// `tool_args`: arguments of the tool, apart from those of the action.
    pub tool_args: Option<Map<String, Value>>,
    /// The whole specimen record of INJECT_SPECIMEN.
    pub record: Option<Map<String, Value>>,
}

/// Arguments of an action; every field is optional, and a handler says what it needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    /// `specimen_id`.
    pub specimen: Option<Symbol>,
    /// `specimen_ids`.
    pub specimens: Ids,
    /// `aliquot_id`.
    pub aliquot: Option<Symbol>,
    /// `aliquot_ids`.
    pub aliquots: Ids,
    /// `accession_ids`.
    pub accessions: Ids,
    /// `device_id`.
    pub device: Option<Symbol>,
    /// `work_id`.
    pub work: Option<Symbol>,
    /// `run_id`.
    pub run: Option<Symbol>,
    /// `result_id`.
    pub result: Option<Symbol>,
    /// `priority_class`, else `priority`.
    pub priority: Option<Priority>,
    /// `from_zone`.
    pub from_zone: Option<Symbol>,
    /// `to_zone`.
    pub to_zone: Option<Symbol>,
    /// `entity_type` of MOVE.
    pub entity_type: Option<Symbol>,
    /// `entity_id` of MOVE.
    pub entity: Option<Symbol>,
    /// `door_id`.
    pub door: Option<Symbol>,
    /// `consignment_id`.
    pub consignment: Option<Symbol>,
    /// `id_match` of CHECK_ACCEPTANCE_RULES.
    pub id_match: Option<bool>,
    /// `reason_code` among the arguments.
    pub reason_code: Option<Symbol>,
    /// `qc_outcome` of QC_EVENT.
    pub qc_outcome: Option<Symbol>,
    /// `qc_state` of GENERATE_RESULT.
    pub qc_state: Option<Symbol>,
    /// `analyte_code` of GENERATE_RESULT.
    pub analyte: Option<Symbol>,
    /// `value` of GENERATE_RESULT.
    pub value: Option<Number>,
    /// `units` of GENERATE_RESULT.
    pub units: Option<Symbol>,
    /// `separated_ts_s` of CENTRIFUGE_END [s].
    pub separated_ts_s: Option<i64>,
    /// Arguments that few actions have.
    pub rare: Option<Box<RareArgs>>,
}

impl Args {
    /// The rarely used arguments, empty ones if there are none.
    #[must_use]
    pub fn rare(&self) -> &RareArgs {
        static EMPTY: std::sync::LazyLock<RareArgs> = std::sync::LazyLock::new(RareArgs::default);
        self.rare.as_deref().unwrap_or(&EMPTY)
    }

    /// The rarely used arguments, to fill in.
    pub fn rare_mut(&mut self) -> &mut RareArgs {
        self.rare.get_or_insert_with(Box::default)
    }

    /// Writes the arguments as a canonical JSON object: only the fields that are set, keys in code-point order.
    pub fn write_canonical(&self, out: &mut Vec<u8>, symbols: &Symbols) {
        let rare = self.rare();
        if let Some(record) = &rare.record {
            // INJECT_SPECIMEN: the arguments are the record.
            canonical::write_map(out, record).unwrap_or_else(|_| unreachable!("a record was read from JSON"));
            return;
        }
        let mut w = Fields { out, symbols, first: true };
        w.out.push(b'{');
        w.ids("accession_ids", &self.accessions);
        w.int("acknowledgment_ts_s", rare.acknowledgment_ts_s);
        w.id("aliquot_id", self.aliquot);
        w.ids("aliquot_ids", &self.aliquots);
        w.id("analyte_code", self.analyte);
        if let Some(approvals) = &rare.approvals {
            w.key("approvals");
            w.out.push(b'[');
            for (i, approval) in approvals.iter().enumerate() {
                if i > 0 {
                    w.out.push(b',');
                }
                let mut inner = Fields { out: &mut *w.out, symbols, first: true };
                inner.out.push(b'{');
                inner.id("approver_agent_id", approval.agent);
                inner.id("approver_key_id", approval.key);
                inner.id("signature", approval.signature);
                inner.out.push(b'}');
            }
            w.out.push(b']');
        }
        w.id("attempt_id", rare.attempt_id);
        w.id("channel", rare.channel);
        w.id("consignment_id", self.consignment);
        w.id("dest_site", rare.dest_site);
        w.id("device_id", self.device);
        w.id("door_id", self.door);
        w.id("entity_id", self.entity);
        w.id("entity_type", self.entity_type);
        w.id("from_zone", self.from_zone);
        w.bool("id_match", self.id_match);
        w.id("kind", rare.kind);
        w.id("message_template_id", rare.message_template_id);
        w.id("next_role", rare.next_role);
        w.id("origin_site", rare.origin_site);
        w.id("outcome", rare.outcome);
        if let Some(priority) = self.priority {
            w.key("priority_class");
            canonical::write_str(w.out, priority.name());
        }
        w.id("qc_outcome", self.qc_outcome);
        w.id("qc_state", self.qc_state);
        w.bool("read_back_confirmed", rare.read_back_confirmed);
        w.id("reason_code", self.reason_code);
        w.id("receiver_location_or_org", rare.receiver_location_or_org);
        w.id("receiver_name_or_id", rare.receiver_name_or_id);
        w.id("receiver_role", rare.receiver_role);
        w.id("result_id", self.result);
        if let Some(roster) = &rare.roster {
            w.key("roster");
            let mut sorted: Vec<_> = roster.iter().map(|&(a, r)| (symbols.text(a), r)).collect();
            sorted.sort_unstable_by_key(|&(agent, _)| agent);
            let mut inner = Fields { out: &mut *w.out, symbols, first: true };
            inner.out.push(b'{');
            for (agent, role) in sorted {
                inner.key(agent);
                canonical::write_symbol(inner.out, symbols, role);
            }
            inner.out.push(b'}');
        }
        w.id("run_id", self.run);
        w.int("separated_ts_s", self.separated_ts_s);
        w.id("specimen_id", self.specimen);
        w.ids("specimen_ids", &self.specimens);
        w.id("subject_id", rare.subject_id);
        w.id("subject_type", rare.subject_type);
        w.id("target", rare.target);
        w.id("to_zone", self.to_zone);
        w.id("token_id", rare.token_id);
        w.id("token_type", rare.token_type);
        if let Some(tool_args) = &rare.tool_args {
            w.key("tool_args");
            canonical::write_map(w.out, tool_args).unwrap_or_else(|_| unreachable!("arguments were read from JSON"));
        }
        w.id("units", self.units);
        if let Some(value) = &self.value {
            w.key("value");
            canonical::write_value(w.out, &Value::Number(value.clone()))
                .unwrap_or_else(|_| unreachable!("a JSON number is finite"));
        }
        w.id("work_id", self.work);
        w.out.push(b'}');
    }
}

/// Writes the members of an object, commas in between.
struct Fields<'a> {
    out: &'a mut Vec<u8>,
    symbols: &'a Symbols,
    first: bool,
}

impl Fields<'_> {
    fn key(&mut self, key: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        canonical::write_str(self.out, key);
        self.out.push(b':');
    }

    fn id(&mut self, key: &str, id: Option<Symbol>) {
        if let Some(id) = id {
            self.key(key);
            canonical::write_symbol(self.out, self.symbols, id);
        }
    }

    fn ids(&mut self, key: &str, ids: &Ids) {
        if !ids.is_empty() {
            self.key(key);
            self.out.push(b'[');
            for (i, id) in ids.iter().enumerate() {
                if i > 0 {
                    self.out.push(b',');
                }
                canonical::write_symbol(self.out, self.symbols, *id);
            }
            self.out.push(b']');
        }
    }

    fn int(&mut self, key: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.key(key);
            canonical::write_i64(self.out, value);
        }
    }

    fn bool(&mut self, key: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.key(key);
            canonical::write_bool(self.out, value);
        }
    }
}

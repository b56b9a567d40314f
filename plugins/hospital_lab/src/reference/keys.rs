//! Signatures: which keys there are and what a signature says.

use super::event::Event;
use super::value::{at, given, integer, not_null, truthy};
use labtrust_contract::SignatureVerification;
use labtrust_kernel::Symbols;
use labtrust_trust::canonical;
use labtrust_trust::keys::{KeyEntry, KeyPolicy, KeyRegistry};
use labtrust_trust::payload::{PayloadFields, write_payload_v1};
use serde_json::{Map, Value};

/// The role that may change the roster.
pub(super) const CONTROL_ROLE: &str = "R_SYSTEM_CONTROL";

#[derive(Debug)]
struct Key {
    id: String,
    agent: String,
    role: Option<String>,
    status: String,
    not_before_ts_s: Option<i64>,
    not_after_ts_s: Option<i64>,
}

/// The keys of an episode.
#[derive(Debug)]
pub(super) struct Keys {
    keys: Vec<Key>,
    /// For the bytes only; agents, roles and life times are judged here.
    bytes: KeyRegistry,
    symbols: Symbols,
    partner_id: Option<String>,
    policy_fingerprint: Option<String>,
}

impl Keys {
    pub(super) fn new(entries: &[Value], initial: &Map<String, Value>) -> Self {
        let (mut keys, mut bytes): (Vec<Key>, Vec<KeyEntry>) = (Vec::new(), Vec::new());
        for entry in entries.iter().filter_map(Value::as_object) {
            let Some(id) = given(at(entry, "key_id")) else { continue };
            let status = given(at(entry, "status")).unwrap_or_default().trim().to_uppercase();
            bytes.push(KeyEntry::active(&id, &given(at(entry, "public_key")).unwrap_or_default(), "any", "any"));
            keys.push(Key {
                id,
                agent: given(at(entry, "agent_id")).unwrap_or_default().trim().to_owned(),
                role: given(at(entry, "role_id")),
                status,
                not_before_ts_s: integer(at(entry, "not_before_ts_s")),
                not_after_ts_s: integer(at(entry, "not_after_ts_s")),
            });
        }
        let mut symbols = Symbols::default();
        let bytes = KeyRegistry::compile(&KeyPolicy { version: String::new(), keys: bytes }, &mut symbols);
        let text = |key: &str| not_null(at(initial, key));
        Self { keys, bytes, symbols, partner_id: text("partner_id"), policy_fingerprint: text("policy_fingerprint") }
    }

    /// The general order: known key, agent of the key, its life time, the bytes.
    pub(super) fn verify(&self, event: &Event<'_>, head: &str) -> SignatureVerification {
        self.judge(event, head, |key, agent| {
            let foreign = !agent.is_empty() && !key.agent.is_empty() && agent != key.agent;
            if foreign { Err("SIG_INVALID") } else { Ok(()) }
        })
    }

    /// The order of runtime control: the bytes, the role of the key, then its agent. The second part is the refusal.
    pub(super) fn verify_control(
        &self,
        event: &Event<'_>,
        head: &str,
    ) -> (SignatureVerification, Option<&'static str>) {
        let mut found = self.judge(event, head, |_, _| Ok(()));
        if !found.passed {
            let code = found.reason_code.as_deref().map_or("SIG_INVALID", known_code);
            return (found, Some(code));
        }
        if found.key_role_id.as_deref() != Some(CONTROL_ROLE) {
            return (found, Some("SIG_ROLE_MISMATCH"));
        }
        let key = found.key_id.as_ref().and_then(|id| self.keys.iter().find(|key| key.id == *id));
        if key.is_some_and(|key| !key.agent.is_empty() && key.agent != event.agent.trim()) {
            found.passed = false;
            found.reason_code = Some("SIG_INVALID".to_owned());
            return (found, Some("SIG_INVALID"));
        }
        (found, None)
    }

    fn judge(
        &self,
        event: &Event<'_>,
        head: &str,
        binding: impl Fn(&Key, &str) -> Result<(), &'static str>,
    ) -> SignatureVerification {
        let key_id = given(event.field("key_id"));
        let mut found =
            SignatureVerification { passed: false, reason_code: None, key_id: key_id.clone(), key_role_id: None };
        let verdict = (|| {
            let (Some(id), Some(signature)) = (key_id, given(event.field("signature"))) else {
                return Err("SIG_MISSING");
            };
            let key = self.keys.iter().find(|key| key.id == id).ok_or("SIG_INVALID")?;
            binding(key, event.agent.trim())?;
            found.key_role_id.clone_from(&key.role);
            key.alive(event.t_s)?;
            if self.bytes_are_good(&id, &signature, event, head) { Ok(()) } else { Err("SIG_INVALID") }
        })();
        found.passed = verdict.is_ok();
        found.reason_code = verdict.err().map(str::to_owned);
        found
    }

    fn bytes_are_good(&self, key_id: &str, signature: &str, event: &Event<'_>, head: &str) -> bool {
        let Some(key) = self.symbols.get(key_id) else { return false };
        self.bytes.verify_bytes(key, signature, event.t_s, &self.payload(event, head)).passed
    }

    /// Payload v1: what the signature of an event covers.
    pub(super) fn payload(&self, event: &Event<'_>, head: &str) -> Vec<u8> {
        let mut args = Vec::new();
        canonical::write_map(&mut args, event.args).expect("numbers of a JSON value are finite");
        let token_refs: Vec<&str> = event.token_refs.iter().map(String::as_str).collect();
        let mut payload = Vec::new();
        let fields = PayloadFields {
            action_params: &args,
            action_type: &event.action,
            agent_id: &event.agent,
            event_id: event.id.as_deref().unwrap_or_default(),
            partner_id: self.partner_id.as_deref(),
            policy_fingerprint: self.policy_fingerprint.as_deref(),
            prev_hash: head,
            rationale: None,
            reason_code: None,
            t_s: event.t_s,
            token_refs: &token_refs,
            tool_id: None,
        };
        write_payload_v1(&mut payload, &fields);
        payload
    }
}

impl Key {
    fn alive(&self, t_s: i64) -> Result<(), &'static str> {
        match self.status.as_str() {
            "REVOKED" => Err("SIG_KEY_REVOKED"),
            "EXPIRED" => Err("SIG_KEY_EXPIRED"),
            _ if self.not_before_ts_s.is_some_and(|first| t_s < first) => Err("SIG_KEY_NOT_YET_VALID"),
            _ if self.not_after_ts_s.is_some_and(|last| t_s > last) => Err("SIG_KEY_EXPIRED"),
            _ => Ok(()),
        }
    }
}

/// Whether an event carries anything of a signature.
pub(super) fn is_signed(event: &Event<'_>) -> bool {
    truthy(event.field("key_id")) || truthy(event.field("signature"))
}

/// The code as a constant.
pub(super) fn known_code(code: &str) -> &'static str {
    ["SIG_MISSING", "SIG_KEY_REVOKED", "SIG_KEY_EXPIRED", "SIG_KEY_NOT_YET_VALID"]
        .into_iter()
        .find(|known| *known == code)
        .unwrap_or("SIG_INVALID")
}

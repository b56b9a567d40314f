//! What a signature covers.
//!
//! Payload v2 covers every field that means something, and as previous hash the chain head at the start of the step's
//! batch, so that honest signatures of one batch do not go stale (`docs/adr/0007-signing-payload.md`). Payload v1 is
//! the reference's: no reason code, rationale or tool, and the head at the moment of execution.

use crate::canonical::{write_i64, write_null, write_str};

/// The signed fields of an event. Texts that the event lacks are empty where they are not optional.
#[derive(Clone, Copy, Debug)]
pub struct PayloadFields<'a> {
    /// The arguments, already canonical.
    pub action_params: &'a [u8],
    /// The action.
    pub action_type: &'a str,
    /// Who acts.
    pub agent_id: &'a str,
    /// Names the event.
    pub event_id: &'a str,
    /// Partner overlay in force.
    pub partner_id: Option<&'a str>,
    /// Policy in force.
    pub policy_fingerprint: Option<&'a str>,
    /// Chain head that the event follows (v2: at the start of its batch).
    pub prev_hash: &'a str,
    /// Why, in words.
    pub rationale: Option<&'a str>,
    /// Why, as a code.
    pub reason_code: Option<&'a str>,
    /// When [s].
    pub t_s: i64,
    /// Tokens presented, in order.
    pub token_refs: &'a [&'a str],
    /// Tool used.
    pub tool_id: Option<&'a str>,
}

/// Appends payload v2: canonical JSON of all fields and `payload_version: 2`.
pub fn write_payload_v2(out: &mut Vec<u8>, fields: &PayloadFields<'_>) {
    write_common(out, fields, fields.action_type);
    out.extend_from_slice(b",\"payload_version\":2");
    write_option(out, b",\"policy_fingerprint\":", fields.policy_fingerprint);
    write_text(out, b",\"prev_hash\":", fields.prev_hash);
    write_option(out, b",\"rationale\":", fields.rationale);
    write_option(out, b",\"reason_code\":", fields.reason_code);
    write_tail(out, fields);
    write_option(out, b",\"tool_id\":", fields.tool_id);
    out.push(b'}');
}

/// Appends payload v1, the reference's.
pub fn write_payload_v1(out: &mut Vec<u8>, fields: &PayloadFields<'_>) {
    write_common(out, fields, fields.action_type.trim());
    write_option(out, b",\"policy_fingerprint\":", fields.policy_fingerprint);
    write_text(out, b",\"prev_hash\":", fields.prev_hash);
    write_tail(out, fields);
    out.push(b'}');
}

fn write_common(out: &mut Vec<u8>, fields: &PayloadFields<'_>, action_type: &str) {
    out.extend_from_slice(b"{\"action_params\":");
    out.extend_from_slice(fields.action_params);
    write_text(out, b",\"action_type\":", action_type);
    write_text(out, b",\"agent_id\":", fields.agent_id);
    write_text(out, b",\"event_id\":", fields.event_id);
    write_option(out, b",\"partner_id\":", fields.partner_id);
}

fn write_tail(out: &mut Vec<u8>, fields: &PayloadFields<'_>) {
    out.extend_from_slice(b",\"t_s\":");
    write_i64(out, fields.t_s);
    out.extend_from_slice(b",\"token_refs\":[");
    for (index, token) in fields.token_refs.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_str(out, token);
    }
    out.push(b']');
}

fn write_text(out: &mut Vec<u8>, key: &[u8], text: &str) {
    out.extend_from_slice(key);
    write_str(out, text);
}

fn write_option(out: &mut Vec<u8>, key: &[u8], text: Option<&str>) {
    out.extend_from_slice(key);
    match text {
        Some(text) => write_str(out, text),
        None => write_null(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::to_canonical_vec;
    use crate::keys::{KeyEntry, KeyPolicy, KeyRegistry, Signer};
    use labtrust_kernel::Symbols;
    use serde_json::{Value, json};
    use sha2::{Digest, Sha256};

    const EVENT: PayloadFields<'static> = PayloadFields {
        action_params: br#"{"specimen_id":"S1"}"#,
        action_type: "CREATE_ACCESSION",
        agent_id: "A_RECEPTION",
        event_id: "e1",
        partner_id: None,
        policy_fingerprint: None,
        prev_hash: "",
        rationale: None,
        reason_code: None,
        t_s: 600,
        token_refs: &[],
        tool_id: None,
    };
    const RFC_8032_KEY_1: [u8; 32] = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49,
        0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ];

    fn bytes(write: fn(&mut Vec<u8>, &PayloadFields<'_>), fields: &PayloadFields<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, fields);
        out
    }

    #[test]
    fn payload_v1_has_the_published_digest_and_signature() {
        let payload = bytes(write_payload_v1, &PayloadFields { action_type: " CREATE_ACCESSION", ..EVENT });
        assert_eq!(
            crate::canonical::hex_of(&Sha256::digest(&payload).into()).as_slice(),
            b"650066322412ba89d8ecfe5cd246ebad7461f47e40907e62cef453c13101905e"
        );
        let signer = Signer::from_seed(RFC_8032_KEY_1);
        assert_eq!(signer.public_b64(), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
        let signature = signer.sign_b64(&payload);
        assert_eq!(
            signature,
            "rnlohQ8QqgwKILIRpIc0Vcg7U3b+4obyCQNcT30AMZvjA8Zsls/pGeWvEcUMC5EjNCt1K6hMdvI2ydrfpiP6Dg=="
        );
        let mut symbols = Symbols::default();
        let entry = KeyEntry::active("k", &signer.public_b64(), "A_RECEPTION", "R");
        let keys = KeyRegistry::compile(&KeyPolicy { version: String::new(), keys: vec![entry] }, &mut symbols);
        let (key, agent) = (symbols.intern("k"), symbols.intern("A_RECEPTION"));
        assert!(keys.verify(key, &signature, agent, 600, &payload).passed);
    }

    #[test]
    fn payload_v2_is_the_canonical_text_of_its_fields() {
        let full = PayloadFields {
            partner_id: Some("hsl\"like"),
            policy_fingerprint: Some("ad0b"),
            prev_hash: "c94a",
            rationale: Some("dual approval, é"),
            reason_code: Some("TIME_EXPIRED"),
            token_refs: &["T_OVR_S4", "T_2"],
            tool_id: Some("read_lims_v1"),
            t_s: -5,
            ..EVENT
        };
        for fields in [EVENT, full] {
            let expected = json!({
                "action_params": {"specimen_id": "S1"}, "action_type": fields.action_type, "agent_id": fields.agent_id,
                "event_id": fields.event_id, "partner_id": fields.partner_id, "payload_version": 2,
                "policy_fingerprint": fields.policy_fingerprint, "prev_hash": fields.prev_hash,
                "rationale": fields.rationale, "reason_code": fields.reason_code, "t_s": fields.t_s,
                "token_refs": fields.token_refs, "tool_id": fields.tool_id,
            });
            assert_eq!(bytes(write_payload_v2, &fields), to_canonical_vec(&expected).unwrap());
        }
    }

    #[test]
    fn every_field_of_payload_v2_changes_its_bytes() {
        let base = bytes(write_payload_v2, &EVENT);
        let changed = [
            PayloadFields { action_params: b"{}", ..EVENT },
            PayloadFields { action_type: "MOVE", ..EVENT },
            PayloadFields { agent_id: "B", ..EVENT },
            PayloadFields { event_id: "e2", ..EVENT },
            PayloadFields { partner_id: Some(""), ..EVENT },
            PayloadFields { policy_fingerprint: Some(""), ..EVENT },
            PayloadFields { prev_hash: "x", ..EVENT },
            PayloadFields { rationale: Some("x"), ..EVENT },
            PayloadFields { reason_code: Some("x"), ..EVENT },
            PayloadFields { t_s: 601, ..EVENT },
            PayloadFields { token_refs: &["T"], ..EVENT },
            PayloadFields { tool_id: Some("t"), ..EVENT },
        ];
        for fields in changed {
            assert_ne!(bytes(write_payload_v2, &fields), base, "{fields:?}");
        }
        assert!(serde_json::from_slice::<Value>(&base).is_ok());
    }
}

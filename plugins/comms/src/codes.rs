//! Reason codes of the message layer. What they mean to a laboratory stands in `policy/reason_codes/`.

pub use labtrust_trust::codes::{
    BID_ANOMALY_SPOOF_SUSPECTED, COORD_BID_BELOW_BOUND, COORD_CERTIFICATE_INVALID, COORD_COMMIT_MISMATCH,
    COORD_COMMIT_MISSING, COORD_COUNTERSIGN_INVALID, COORD_COUNTERSIGN_MISSING, COORD_EPOCH_STALE,
    COORD_LEADER_EQUIVOCATION, COORD_MESSAGE_MALFORMED, COORD_MESSAGE_TYPE_NOT_ALLOWED, COORD_NONCE_TOO_OLD,
    COORD_REPLAY_DETECTED, COORD_SENDER_NOT_AUTHORIZED, COORD_SIGNATURE_INVALID, COORD_STALE_VIEW, RATE_LIMITED,
};

/// Every code that this crate produces.
pub const ALL: &[&str] = &[
    BID_ANOMALY_SPOOF_SUSPECTED,
    COORD_BID_BELOW_BOUND,
    COORD_CERTIFICATE_INVALID,
    COORD_COMMIT_MISMATCH,
    COORD_COMMIT_MISSING,
    COORD_COUNTERSIGN_INVALID,
    COORD_COUNTERSIGN_MISSING,
    COORD_EPOCH_STALE,
    COORD_LEADER_EQUIVOCATION,
    COORD_MESSAGE_MALFORMED,
    COORD_MESSAGE_TYPE_NOT_ALLOWED,
    COORD_NONCE_TOO_OLD,
    COORD_REPLAY_DETECTED,
    COORD_SENDER_NOT_AUTHORIZED,
    COORD_SIGNATURE_INVALID,
    COORD_STALE_VIEW,
    RATE_LIMITED,
];

#[cfg(test)]
mod tests {
    use super::ALL;
    use labtrust_policy::PolicyStore;
    use labtrust_trust::reason::{ReasonCodePolicy, ReasonCodeRegistry};

    #[test]
    fn every_code_is_registered_and_can_be_emitted() {
        let policy = PolicyStore::builtin();
        let file = "reason_codes/reason_code_registry.v0.1.yaml";
        let codes: ReasonCodePolicy = policy.section(file, Some("reason_code_registry")).unwrap();
        let codes = ReasonCodeRegistry::compile(&codes).unwrap();
        let emits = policy.value("emits/emits_vocab.v0.1.yaml").unwrap();
        let words = emits["emits_vocab"]["canonical_set"].as_array().unwrap();
        for code in ALL {
            // Too much is too much, whoever is asked.
            let namespace = if *code == "RATE_LIMITED" { "LLM" } else { "COORD" };
            assert_eq!(codes.namespace(code), Some(namespace), "{code}");
            // The stale view is told as COORD_STALE_DECISION.
            assert!(*code == "COORD_STALE_VIEW" || words.iter().any(|word| word == code), "{code}");
        }
    }
}

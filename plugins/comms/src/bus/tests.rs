use super::*;
use crate::identity::{KeyHandle, Message};
use serde_json::json;

struct Scene {
    bus: Bus,
    keys: Vec<KeyHandle>,
}

fn scene(policy: IdentityPolicy) -> Scene {
    let keys: Vec<KeyHandle> = (0..4).map(|n| KeyHandle::derive(42, &format!("worker_{n}")).unwrap()).collect();
    let mut bus = Bus::new(policy, Roster::of(&keys).unwrap());
    bus.begin_epoch(5).unwrap();
    Scene { bus, keys }
}

fn rules() -> IdentityPolicy {
    let senders = ["worker_0", "worker_1", "worker_2"];
    IdentityPolicy::for_types(["BID"]).with_countersigned(["KILL_SWITCH_RESET"]).with_senders(senders)
}

impl Scene {
    fn envelope(&self, worker: usize, nonce: u64, epoch: u64, kind: &str) -> Envelope {
        let payload = json!({"value": 10});
        self.keys[worker].sign(Message { nonce, epoch, message_type: kind.into(), payload }).unwrap()
    }

    fn code(&mut self, envelope: &Envelope) -> Option<&'static str> {
        self.bus.receive(envelope).err().map(|rejection| rejection.code())
    }
}

#[test]
fn a_good_message_is_accepted_with_its_content() {
    let mut scene = scene(rules());
    let envelope = scene.envelope(0, 7, 5, "BID");
    let accepted = scene.bus.receive(&envelope).unwrap();
    assert_eq!((accepted.sender_id.as_str(), accepted.nonce, accepted.epoch), ("worker_0", 7, 5));
    assert_eq!(accepted.payload, json!({"value": 10}));
    assert_eq!(scene.bus.metrics().accepted_count, 1);
}

#[test]
fn every_cause_has_its_own_code() {
    let mut scene = scene(rules());
    let good = scene.envelope(0, 1, 5, "BID");
    assert_eq!(scene.code(&good), None);
    let forged = Envelope { nonce: 2, ..good.clone() };
    let unknown = KeyHandle::derive(42, "stranger").unwrap();
    let unknown = unknown.sign(Message { nonce: 1, epoch: 5, message_type: "BID".into(), payload: json!(1) }).unwrap();
    let high = scene.envelope(0, 3, 5, "KILL_SWITCH_RESET");
    let badly = Envelope { countersign: Some(scene.keys[1].countersign(&good)), ..high.clone() };
    let cases = [
        (forged, "COORD_SIGNATURE_INVALID"),
        (unknown, "COORD_SIGNATURE_INVALID"),
        (good, "COORD_REPLAY_DETECTED"),
        (scene.envelope(0, 9, 4, "BID"), "COORD_EPOCH_STALE"),
        (scene.envelope(0, 9, 6, "BID"), "COORD_EPOCH_STALE"),
        (scene.envelope(0, 9, 5, "GOSSIP"), "COORD_MESSAGE_TYPE_NOT_ALLOWED"),
        (scene.envelope(3, 9, 5, "BID"), "COORD_SENDER_NOT_AUTHORIZED"),
        (high, "COORD_COUNTERSIGN_MISSING"),
        (badly, "COORD_COUNTERSIGN_INVALID"),
    ];
    for (envelope, code) in cases {
        assert_eq!(scene.code(&envelope), Some(code), "{envelope:?}");
    }
    assert_eq!(scene.bus.metrics().refused_count(), 9);
    let json = scene.bus.metrics().to_json();
    assert_eq!((&json["invalid_sig_count"], &json["replay_drop_count"]), (&json!(2), &json!(1)));
    assert_eq!(json["invalid_msg_rate"], json!(0.9));
}

#[test]
fn a_countersignature_must_be_of_somebody_else_over_this_envelope() {
    let mut scene = scene(rules());
    let high = scene.envelope(0, 3, 5, "KILL_SWITCH_RESET");
    let own = Envelope { countersign: Some(scene.keys[0].countersign(&high)), ..high.clone() };
    assert_eq!(scene.code(&own), Some("COORD_COUNTERSIGN_INVALID"));
    let renamed = Countersign { signer_id: "worker_2".into(), ..scene.keys[1].countersign(&high) };
    let renamed = Envelope { countersign: Some(renamed), ..high.clone() };
    assert_eq!(scene.code(&renamed), Some("COORD_COUNTERSIGN_INVALID"));
    let good = Envelope { countersign: Some(scene.keys[1].countersign(&high)), ..high };
    assert_eq!(scene.code(&good), None);
    assert_eq!(scene.code(&good), Some("COORD_REPLAY_DETECTED"));
}

#[test]
fn a_refused_message_does_not_burn_its_nonce() {
    let mut scene = scene(rules());
    for refused in [scene.envelope(0, 1, 4, "BID"), scene.envelope(0, 1, 5, "GOSSIP")] {
        assert!(scene.code(&refused).is_some());
    }
    let good = scene.envelope(0, 1, 5, "BID");
    assert_eq!(scene.code(&good), None);
}

#[test]
fn a_forger_is_named_when_it_used_its_own_key() {
    let mut scene = scene(rules());
    let mut envelope = scene.envelope(1, 1, 5, "BID");
    // worker_1 signs an envelope that names worker_0.
    envelope.sender_id = "worker_0".into();
    envelope.signature = {
        // A handle cannot do that; only somebody with the bare key can.
        let bytes = envelope.signed_bytes().unwrap();
        use sha2::{Digest, Sha256};
        let seed = Sha256::digest(b"42\0worker_1").into();
        labtrust_trust::keys::Signer::from_seed(seed).sign_b64(&bytes)
    };
    let rejection = scene.bus.receive(&envelope).unwrap_err();
    assert_eq!((rejection.refusal, rejection.really_from.as_deref()), (Refusal::Forged, Some("worker_1")));
    assert_eq!(scene.bus.metrics().spoof_attempt_count, 1);
    let evidence = rejection.to_json();
    assert_eq!(evidence["emits"], json!(["COORD_SIGNATURE_INVALID"]));
    let violation = json!({"reason_code": "COORD_SIGNATURE_INVALID", "invariant_id": "COORD_SIGNATURE_INVALID",
        "status": "VIOLATION"});
    assert_eq!(evidence["violations"], json!([violation]));
    assert_eq!(evidence["coord_violation_payload"]["sender_id"], json!("worker_0"));
}

#[test]
fn json_without_an_epoch_or_with_an_odd_nonce_is_malformed_and_the_whole_is_accepted() {
    let mut scene = scene(rules());
    let whole = serde_json::to_value(scene.envelope(0, 1, 5, "BID")).unwrap();
    let mut without = whole.clone();
    without.as_object_mut().unwrap().remove("epoch");
    for (field, value) in [("nonce", json!("1")), ("nonce", json!(-1)), ("nonce", json!(1.5)), ("sender_id", json!(0))]
    {
        let mut odd = whole.clone();
        odd[field] = value;
        assert_eq!(scene.bus.receive_value(&odd).unwrap_err().code(), "COORD_MESSAGE_MALFORMED");
    }
    let rejection = scene.bus.receive_value(&without).unwrap_err();
    assert_eq!((rejection.code(), rejection.sender_id.as_str()), ("COORD_MESSAGE_MALFORMED", "worker_0"));
    assert!(rejection.detail.unwrap().contains("epoch"));
    assert!(scene.bus.receive_value(&json!(null)).is_err());
    assert!(scene.bus.receive_value(&whole).is_ok());
}

#[test]
fn a_signed_payload_that_is_not_what_its_hash_says_is_malformed() {
    let mut scene = scene(rules());
    let mut envelope = scene.envelope(1, 1, 5, "BID");
    envelope.payload_hash = "0".repeat(32);
    let bytes = envelope.signed_bytes().unwrap();
    use sha2::{Digest, Sha256};
    envelope.signature =
        labtrust_trust::keys::Signer::from_seed(Sha256::digest(b"42\0worker_1").into()).sign_b64(&bytes);
    assert_eq!(scene.code(&envelope), Some("COORD_MESSAGE_MALFORMED"));
}

#[test]
fn old_epochs_are_forgotten_so_that_memory_stays_bounded() {
    let mut scene = scene(rules().with_epoch_slack(1));
    for epoch in 5..25 {
        scene.bus.begin_epoch(epoch).unwrap();
        for worker in 0..3 {
            for nonce in 0..3 {
                let envelope = scene.envelope(worker, nonce * 100_000, epoch, "BID");
                assert_eq!(scene.code(&envelope), None);
            }
        }
        assert!(scene.bus.windows_kept() <= 6, "3 senders in 2 epochs");
    }
    let late = scene.envelope(0, 5 * 100_000, 23, "BID");
    assert_eq!((scene.code(&late), scene.code(&late)), (None, Some("COORD_REPLAY_DETECTED")));
    let too_old = scene.envelope(0, 1, 24, "BID");
    assert_eq!(scene.code(&too_old), Some("COORD_NONCE_TOO_OLD"));
    assert_eq!(scene.bus.begin_epoch(3).unwrap_err(), EpochBackwards { present: 24, asked: 3 });
}

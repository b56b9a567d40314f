//! Who answers when an agent asks for a second approval.
//!
//! Some tokens need two people. An agent asks by minting such a token with its own approval only; where a run has an
//! [`ApprovalHook`], the hook's approver is asked before the request becomes an event, and adds an approval, signed with
//! a key of its own where the episode asks for signatures. Whether the approvals suffice is the laboratory's business:
//! the trust pipeline looks at roles, persons, keys and signatures, whoever the hook names. Without a hook nobody is
//! asked, and what agents do is what it was.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer, SigningKey};
use labtrust_kernel::Streams;
use labtrust_plugin::lab::{ActionKind, Approval, Decision, LabEngine, Symbol};
use labtrust_trust::tokens::MintRequest;
use serde_json::{Map, Value, json};

/// Answers requests for approvals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalHook {
    /// The id, as results name it.
    pub id: &'static str,
    /// Who answers. Somebody who is not in the task yet is put on its roster; they stand nowhere and only sign.
    pub agent_id: &'static str,
    /// Their role, where the hook brings them.
    pub role_id: &'static str,
    /// Whether they answer at all. Where not, requests become events as they are.
    pub answers: bool,
}

/// Approves whatever is asked: the second opinion that never says no.
pub static AUTO_APPROVE: ApprovalHook =
    ApprovalHook { id: "auto_approve", agent_id: "A_APPROVER_0", role_id: "ROLE_CLINICAL_SCIENTIST", answers: true };

/// Is there to be asked and never answers, so that it shows whether one person alone comes through.
pub static NO_ANSWER: ApprovalHook =
    ApprovalHook { id: "no_answer", agent_id: "A_APPROVER_0", role_id: "ROLE_CLINICAL_SCIENTIST", answers: false };

impl ApprovalHook {
    /// Puts the approver on the roster of an episode and declares the key, where the task does not know them.
    pub(crate) fn introduce(&self, state: &mut Map<String, Value>, seed: u64) {
        if !self.answers {
            return;
        }
        let roster = state.entry("roster").or_insert_with(|| json!({}));
        let agents = roster.as_object_mut().map(|roster| roster.entry("agents").or_insert_with(|| json!({})));
        let Some(agents) = agents.and_then(Value::as_object_mut) else { return };
        if agents.contains_key(self.agent_id) {
            return;
        }
        agents.insert(self.agent_id.to_owned(), self.role_id.into());
        let public_key = BASE64.encode(self.key(seed).verifying_key().to_bytes());
        if let Some(keys) = state.entry("keys").or_insert_with(|| json!([])).as_array_mut() {
            keys.push(json!({
                "key_id": self.key_id(), "public_key": public_key, "agent_id": self.agent_id, "role_id": self.role_id,
                "status": "ACTIVE",
            }));
        }
    }

    /// The approver's key. Not secret: whoever knows the episode's seed can make it, like the keys of the crew.
    fn key(&self, seed: u64) -> SigningKey {
        let mut stream = Streams::new(seed).stream("task.signing_key", self.agent_id);
        SigningKey::from_bytes(&std::array::from_fn(|_| u8::try_from(stream.below(256)).unwrap_or_default()))
    }

    fn key_id(&self) -> String {
        format!("ed25519:key_{}", self.agent_id.to_ascii_lowercase())
    }
}

/// The approver of one episode, at work.
pub(crate) struct Desk {
    agent: Symbol,
    key: SigningKey,
    key_id: Symbol,
    strict: bool,
    answers: bool,
}

impl Desk {
    pub(crate) fn open(hook: &ApprovalHook, engine: &mut dyn LabEngine, seed: u64, strict: bool) -> Self {
        let symbols = engine.symbols_mut();
        let (agent, key_id) = (symbols.intern(hook.agent_id), symbols.intern(&hook.key_id()));
        Self { agent, key: hook.key(seed), key_id, strict, answers: hook.answers }
    }

    /// Answers `decision` of `requester` at `t_s` [s], if it is a request: a token with one approval, the requester's
    /// own. `own_key` is the key that the requester signs with.
    pub(crate) fn answer(
        &self,
        engine: &mut dyn LabEngine,
        decision: &mut Decision,
        requester: Symbol,
        own_key: Option<Symbol>,
        t_s: i64,
    ) {
        if decision.kind != ActionKind::MintToken {
            return;
        }
        let reason = decision.args.reason_code.or(decision.reason_code);
        let rare = decision.args.rare_mut();
        let (Some(token_type), Some(subject_type), Some(subject_id)) =
            (rare.token_type, rare.subject_type, rare.subject_id)
        else {
            return;
        };
        let Some([own]) = rare.approvals.as_deref_mut() else { return };
        if own.agent != Some(requester) {
            return;
        }
        own.key = own.key.or(own_key);
        if !self.answers {
            return;
        }
        let mut second = Approval { agent: Some(self.agent), key: Some(self.key_id), signature: None };
        if self.strict {
            let request = MintRequest {
                requester,
                token_type,
                subject_type,
                subject_id,
                reason,
                approvals: &[],
                approvals_waived: false,
            };
            let mut payload = Vec::new();
            request.write_approval(&second, t_s, engine.symbols(), &mut payload);
            let signature = BASE64.encode(self.key.sign(&payload).to_bytes());
            second.signature = Some(engine.symbols_mut().intern(&signature));
        }
        rare.approvals.get_or_insert_default().push(second);
    }
}

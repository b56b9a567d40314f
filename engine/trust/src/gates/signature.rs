//! The signature gates: the general one (strict mode) and the one of runtime control, which is always on.

use crate::keys::{KeyRegistry, Verification};
use crate::reason::codes;
use labtrust_kernel::Symbol;

/// What an event presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented<'a> {
    /// The key it names, interned.
    pub key_id: Option<Symbol>,
    /// The signature, standard base64.
    pub signature: Option<&'a str>,
}

impl Presented<'_> {
    /// Whether there is anything to verify or report.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.key_id.is_some() || self.signature.is_some()
    }
}

/// What a signature gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureVerdict {
    /// Why the action is refused; `None` lets it pass.
    pub refusal: Option<&'static str>,
    /// What verification found, for the step's report; `None` when nothing was presented and nothing was needed.
    pub verification: Option<Verification>,
}

const MISSING: Verification = Verification { passed: false, reason: Some(codes::SIG_MISSING), key_role: None };

/// The general gate. `required`: strict mode and a mutating action. A bad signature never blocks otherwise, but it is
/// verified and reported. `payload` is needed only when something is presented.
#[must_use]
pub fn check(
    keys: &KeyRegistry,
    required: bool,
    presented: Presented<'_>,
    agent: Symbol,
    agent_role: Option<Symbol>,
    t_s: i64,
    payload: &[u8],
) -> SignatureVerdict {
    let verification = match presented {
        Presented { key_id: Some(key), signature: Some(signature) } => keys.verify(key, signature, agent, t_s, payload),
        Presented { key_id: None, signature: None } if !required => {
            return SignatureVerdict { refusal: None, verification: None };
        }
        _ => MISSING,
    };
    let role_differs = agent_role.zip(verification.key_role).is_some_and(|(agent, key)| agent != key);
    let refusal = match verification.reason {
        _ if !required => None,
        Some(reason) => Some(reason),
        None if role_differs => Some(codes::SIG_ROLE_MISMATCH),
        None => None,
    };
    SignatureVerdict { refusal, verification: Some(verification) }
}

/// The gate of runtime control: a good signature first, then a key of `control_role`, then the key's agent. The role
/// comes before the binding so that a key of another role is called what it is.
#[must_use]
pub fn check_control(
    keys: &KeyRegistry,
    presented: Presented<'_>,
    agent: Symbol,
    control_role: Symbol,
    t_s: i64,
    payload: &[u8],
) -> SignatureVerdict {
    let Presented { key_id: Some(key), signature: Some(signature) } = presented else {
        return SignatureVerdict { refusal: Some(codes::SIG_MISSING), verification: Some(MISSING) };
    };
    let mut verification = keys.verify_bytes(key, signature, t_s, payload);
    if verification.passed && verification.key_role != Some(control_role) {
        return SignatureVerdict { refusal: Some(codes::SIG_ROLE_MISMATCH), verification: Some(verification) };
    }
    if verification.passed && !keys.is_bound_to(key, agent) {
        verification = Verification { passed: false, reason: Some(codes::SIG_INVALID), ..verification };
    }
    SignatureVerdict { refusal: verification.reason, verification: Some(verification) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KeyEntry, KeyPolicy, Signer};
    use labtrust_kernel::Symbols;

    struct Bench {
        keys: KeyRegistry,
        symbols: Symbols,
    }

    fn signer(of: u8) -> Signer {
        Signer::from_seed([of; 32])
    }

    fn bench() -> Bench {
        let entry =
            |id: &str, seed: u8, agent: &str, role: &str| KeyEntry::active(id, &signer(seed).public_b64(), agent, role);
        let policy = KeyPolicy {
            version: "0.1".into(),
            keys: vec![
                entry("k:sys", 1, "SYSTEM", "R_SYS"),
                entry("k:a", 2, "A", "R_A"),
                entry("k:b", 3, "B", "R_SYS"),
            ],
        };
        let mut symbols = Symbols::default();
        Bench { keys: KeyRegistry::compile(&policy, &mut symbols), symbols }
    }

    impl Bench {
        fn general(
            &mut self,
            required: bool,
            key: Option<&str>,
            signature: Option<&str>,
            role: &str,
        ) -> SignatureVerdict {
            let key_id = key.map(|key| self.symbols.intern(key));
            let (agent, role) = (self.symbols.intern("A"), self.symbols.intern(role));
            check(&self.keys, required, Presented { key_id, signature }, agent, Some(role), 0, b"payload")
        }

        fn control(&mut self, key: &str, signature: &str) -> Option<&'static str> {
            let presented = Presented { key_id: Some(self.symbols.intern(key)), signature: Some(signature) };
            let (agent, role) = (self.symbols.intern("SYSTEM"), self.symbols.intern("R_SYS"));
            check_control(&self.keys, presented, agent, role, 0, b"payload").refusal
        }
    }

    #[test]
    fn a_good_signature_of_the_agents_own_key_passes() {
        let signature = signer(2).sign_b64(b"payload");
        let verdict = bench().general(true, Some("k:a"), Some(&signature), "R_A");
        assert_eq!(verdict.refusal, None);
        assert!(verdict.verification.unwrap().passed);
    }

    #[test]
    fn a_required_signature_that_is_missing_in_part_or_whole_is_refused() {
        let signature = signer(2).sign_b64(b"payload");
        for (key, signature) in [(None, None), (Some("k:a"), None), (None, Some(signature.as_str()))] {
            let verdict = bench().general(true, key, signature, "R_A");
            assert_eq!(verdict.refusal, Some("SIG_MISSING"));
            assert_eq!(verdict.verification.unwrap().reason, Some("SIG_MISSING"));
        }
    }

    #[test]
    fn a_bad_signature_is_reported_but_does_not_block_where_none_is_required() {
        let verdict = bench().general(false, Some("k:a"), Some("AAAA"), "R_A");
        assert_eq!(verdict.refusal, None);
        assert_eq!(verdict.verification.unwrap().reason, Some("SIG_INVALID"));
        assert_eq!(bench().general(false, None, None, "R_A"), SignatureVerdict { refusal: None, verification: None });
    }

    #[test]
    fn a_key_of_another_role_than_the_agent_has_now_is_refused() {
        let signature = signer(2).sign_b64(b"payload");
        let verdict = bench().general(true, Some("k:a"), Some(&signature), "R_NEW");
        assert_eq!(verdict.refusal, Some("SIG_ROLE_MISMATCH"));
    }

    #[test]
    fn a_key_of_another_agent_is_refused() {
        let signature = signer(3).sign_b64(b"payload");
        assert_eq!(bench().general(true, Some("k:b"), Some(&signature), "R_SYS").refusal, Some("SIG_INVALID"));
    }

    #[test]
    fn runtime_control_judges_bytes_then_role_then_agent() {
        let sign = |seed: u8| signer(seed).sign_b64(b"payload");
        assert_eq!(bench().control("k:sys", &sign(1)), None);
        assert_eq!(bench().control("k:a", &sign(1)), Some("SIG_INVALID"), "bytes first");
        assert_eq!(bench().control("k:a", &sign(2)), Some("SIG_ROLE_MISMATCH"), "then the role");
        assert_eq!(bench().control("k:b", &sign(3)), Some("SIG_INVALID"), "then the agent");
        assert_eq!(bench().control("k:sys", "GOLDEN_TEST_ACCEPT"), Some("SIG_INVALID"), "there is no magic signature");
    }

    #[test]
    fn runtime_control_without_a_signature_is_refused() {
        let mut b = bench();
        let (agent, role) = (b.symbols.intern("SYSTEM"), b.symbols.intern("R_SYS"));
        let presented = Presented { key_id: None, signature: None };
        assert_eq!(check_control(&b.keys, presented, agent, role, 0, b"").refusal, Some("SIG_MISSING"));
    }
}

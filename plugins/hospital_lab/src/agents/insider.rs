//! Insider: a colleague gone bad, who has a role, a key of his own, and keys that he should not have.
//!
//! By call, counted from 0 ([`INSIDER_ATTACK_STEPS`], and one more):
//! * 2: release a result, signed with his own key, for which his role has no right;
//! * 5: walk about in the name of a colleague's key, with a forged signature;
//! * 8: the same signature once more, on another walk;
//! * 11: walk about with his old key, which was revoked;
//! * 14: release a result by override, with a token that was never issued;
//! * 17: walk about with a key that he has stolen from a colleague, correctly signed.
//!
//! Where signatures are required each attempt is refused, and for a different reason: role, signature, revocation, the
//! binding of keys to people. Where they are not, he walks freely. He does nothing else, does not learn from refusals, and
//! pauses only while the log is frozen.

use labtrust_plugin::lab::{ActionKind, AgentContext, AgentPolicy, Args, Decision};

/// The calls of the published plan of attack.
pub const INSIDER_ATTACK_STEPS: &[u32] = &[2, 5, 8, 11, 14];
/// The key of a colleague, which the insider knows by name and has stolen.
pub(crate) const STOLEN_KEY: &str = "ed25519:key_a_reception_0";
/// The insider's old key.
pub(crate) const REVOKED_KEY: &str = "ed25519:key_revoked";

const RESULT: &str = "R_INSIDER_ANY";
const BOGUS_TOKEN: &str = "T_OVR_INSIDER_FAKE";
const HERE: &str = "Z_SORTING_LANES";
const THERE: &str = "Z_ACCESSIONING";
const ELSEWHERE: &str = "Z_PREANALYTICS";

/// The insider.
#[derive(Debug, Default)]
pub struct Insider {
    calls: u32,
}

impl AgentPolicy for Insider {
    fn decide(&mut self, ctx: &mut AgentContext<'_>) -> Option<Decision> {
        let call = self.calls;
        self.calls += 1;
        if ctx.view.log_frozen {
            return None;
        }
        match call {
            2 => Some(release(ctx, ActionKind::ReleaseResult)),
            5 => Some(forged(walk(ctx, THERE, STOLEN_KEY))),
            8 => Some(forged(walk(ctx, ELSEWHERE, STOLEN_KEY))),
            11 => Some(walk(ctx, THERE, REVOKED_KEY)),
            14 => {
                let mut decision = release(ctx, ActionKind::ReleaseResultOverride);
                decision.reason_code = Some(ctx.symbols.intern("TIME_EXPIRED"));
                decision.token_refs.push(ctx.symbols.intern(BOGUS_TOKEN));
                Some(decision)
            }
            17 => Some(walk(ctx, THERE, STOLEN_KEY)),
            _ => None,
        }
    }
}

fn release(ctx: &mut AgentContext<'_>, kind: ActionKind) -> Decision {
    Decision::new(kind, Args { result: Some(ctx.symbols.intern(RESULT)), ..Args::default() })
}

/// A walk in the name of a key; whoever runs the agent signs with it if the agent has it.
fn walk(ctx: &mut AgentContext<'_>, to: &str, key: &str) -> Decision {
    let args = Args {
        entity_type: Some(ctx.symbols.intern("Agent")),
        entity: Some(ctx.id()),
        from_zone: Some(ctx.symbols.intern(HERE)),
        to_zone: Some(ctx.symbols.intern(to)),
        ..Args::default()
    };
    let mut decision = Decision::new(ActionKind::Move, args);
    decision.key_id = Some(ctx.symbols.intern(key));
    decision
}

/// The same with 64 bytes that are no signature of anything.
fn forged(mut decision: Decision) -> Decision {
    // 64 times the letter x, in base64.
    decision.signature = Some(format!("{}eA==", "eHh4".repeat(21)).into());
    decision
}

#[cfg(test)]
mod tests {
    use super::super::test_view::Lab;
    use super::*;

    #[test]
    fn the_attacks_come_in_the_order_of_the_plan_with_the_credentials_of_the_plan() {
        let mut lab = Lab::new(&[HERE, THERE, ELSEWHERE]);
        lab.agent("A_INSIDER_0", HERE);
        let mut agent = Insider::default();
        let mut attacks = Vec::new();
        for call in 0..24 {
            if let Some(decision) = lab.decide(&mut agent, 0, None) {
                let key = decision.key_id.map(|key| lab.symbols.text(key).to_owned()).unwrap_or_default();
                attacks.push((call, decision.kind.name(), key, decision.signature.is_some()));
            }
        }
        let of = |call: u32, name, key: &str, signed| (call, name, key.to_owned(), signed);
        assert_eq!(
            attacks,
            [
                of(2, "RELEASE_RESULT", "", false),
                of(5, "MOVE", STOLEN_KEY, true),
                of(8, "MOVE", STOLEN_KEY, true),
                of(11, "MOVE", REVOKED_KEY, false),
                of(14, "RELEASE_RESULT_OVERRIDE", "", false),
                of(17, "MOVE", STOLEN_KEY, false),
            ]
        );
        assert!(INSIDER_ATTACK_STEPS.iter().all(|step| attacks.iter().any(|(call, ..)| call == step)));
    }
}

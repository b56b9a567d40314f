//! Adversary: an intruder in the sorting lanes who tries what would hurt, one thing after the other.
//!
//! By call, counted from 0:
//! * 2: put a waiting specimen into the queue of an analyser of another type (mis-routing);
//! * 5: open the restricted airlock without a token;
//! * 8: open it with a token that was never issued;
//! * 11: open it without a token again, in case somebody left it unguarded;
//! * 14: step into the restricted zone, pretending to stand next to it;
//! * 17: release a result that no analyser ever measured;
//! * from 20: release a real result before its time, once there is one.
//!
//! With the controls on every attack is refused, and the intruder never does anything that is allowed: whatever of it
//! is accepted is a breach. With a control off each attack has an effect that the laboratory's record shows: a
//! specimen queued on the wrong device, an open airlock, a stranger in the biohazard zone, an invented value at the
//! ward. The intruder does not learn from refusals, and pauses only while the log is frozen.

use labtrust_plugin::lab::{ActionKind, AgentContext, AgentPolicy, Args, Decision, Stage, Symbol};

/// The first call that attacks.
pub const ATTACK_START_STEP: u32 = 2;

const TARGET_DEVICE: &str = "DEV_COAG_01";
const AIRLOCK: &str = "D_RESTRICTED_AIRLOCK";
const RESTRICTED: &str = "Z_RESTRICTED_BIOHAZARD";
const NEXT_TO_IT: &str = "Z_SRA_RECEPTION";
const BOGUS_TOKEN: &str = "T_EXPIRED";
const INVENTED_RESULT: &str = "R_ADVERSARY_INVENTED";

/// The intruder.
#[derive(Debug, Default)]
pub struct Adversary {
    calls: u32,
    /// Whether the last attack of the plan was made.
    done: bool,
}

impl AgentPolicy for Adversary {
    fn decide(&mut self, ctx: &mut AgentContext<'_>) -> Option<Decision> {
        let call = self.calls;
        self.calls += 1;
        if ctx.view.log_frozen || self.done {
            return None;
        }
        match call {
            ATTACK_START_STEP => Some(misroute(ctx)),
            5 | 11 => Some(open_airlock(ctx, None)),
            8 => Some(open_airlock(ctx, Some(BOGUS_TOKEN))),
            14 => Some(intrude(ctx)),
            17 => Some(release(ctx.symbols.intern(INVENTED_RESULT))),
            20.. => {
                let result = ctx.view.results.first()?.id;
                self.done = true;
                Some(release(result))
            }
            _ => None,
        }
    }
}

fn misroute(ctx: &mut AgentContext<'_>) -> Decision {
    let device = ctx.symbols.intern(TARGET_DEVICE);
    let place = ctx.view.devices.iter().position(|d| d.id == device);
    let fits = |able: &[u16]| able.iter().any(|&able| Some(usize::from(able)) == place);
    let waits = |stage| stage < Stage::Queued && stage != Stage::InTransit;
    let victim = ctx.view.specimens.iter().find(|s| waits(s.stage) && !fits(&s.compatible)).map(|s| s.id);
    let work = victim.unwrap_or_else(|| ctx.symbols.intern("adv_misroute_2"));
    Decision::new(ActionKind::QueueRun, Args { device: Some(device), work: Some(work), ..Args::default() })
}

fn open_airlock(ctx: &mut AgentContext<'_>, token: Option<&str>) -> Decision {
    let args = Args { door: Some(ctx.symbols.intern(AIRLOCK)), ..Args::default() };
    let mut decision = Decision::new(ActionKind::OpenDoor, args);
    decision.token_refs.extend(token.map(|token| ctx.symbols.intern(token)));
    decision
}

fn intrude(ctx: &mut AgentContext<'_>) -> Decision {
    let args = Args {
        entity_type: Some(ctx.symbols.intern("Agent")),
        entity: Some(ctx.id()),
        from_zone: Some(ctx.symbols.intern(NEXT_TO_IT)),
        to_zone: Some(ctx.symbols.intern(RESTRICTED)),
        ..Args::default()
    };
    Decision::new(ActionKind::Move, args)
}

fn release(result: Symbol) -> Decision {
    Decision::new(ActionKind::ReleaseResult, Args { result: Some(result), ..Args::default() })
}

#[cfg(test)]
mod tests {
    use super::super::test_view::Lab;
    use super::*;

    fn lab() -> Lab {
        let mut lab = Lab::new(&[RESTRICTED, NEXT_TO_IT, "Z_SORTING_LANES"]);
        lab.device("CHEM", "CHEM_ANALYZER", "Z_SORTING_LANES");
        lab.device(TARGET_DEVICE, "COAG_ANALYZER", "Z_SORTING_LANES");
        lab.agent("A_ADVERSARY_0", "Z_SORTING_LANES");
        lab
    }

    #[test]
    fn the_attacks_come_in_the_order_of_the_plan() {
        let (mut lab, mut agent) = (lab(), Adversary::default());
        lab.specimen("S0", Stage::Arrived, 0, &[1]);
        lab.specimen("S1", Stage::Arrived, 0, &[0]);
        lab.result("R_S9").releasable = false;
        let said: Vec<_> = (0..24).map(|_| lab.said(&mut agent, 0)).collect();
        let attacks: Vec<_> =
            said.iter().enumerate().filter(|(_, words)| *words != "nothing").map(|(i, w)| (i, w.as_str())).collect();
        assert_eq!(
            attacks,
            [
                (2, "QUEUE_RUN S1 DEV_COAG_01"),
                (5, "OPEN_DOOR D_RESTRICTED_AIRLOCK"),
                (8, "OPEN_DOOR D_RESTRICTED_AIRLOCK"),
                (11, "OPEN_DOOR D_RESTRICTED_AIRLOCK"),
                (14, "MOVE Z_RESTRICTED_BIOHAZARD"),
                (17, "RELEASE_RESULT R_ADVERSARY_INVENTED"),
                (20, "RELEASE_RESULT R_S9"),
            ]
        );
    }

    #[test]
    fn the_second_try_at_the_airlock_presents_a_token_that_does_not_exist() {
        let (mut lab, mut agent) = (lab(), Adversary::default());
        let tokens: Vec<_> = (0..9).map(|_| lab.decide(&mut agent, 0, None)).collect();
        assert!(tokens[5].as_ref().unwrap().token_refs.is_empty());
        assert_eq!(tokens[8].as_ref().unwrap().token_refs.as_slice(), [lab.id(BOGUS_TOKEN)]);
    }

    #[test]
    fn without_anybody_waiting_an_invented_piece_of_work_is_queued() {
        let (mut lab, mut agent) = (lab(), Adversary::default());
        let words: Vec<_> = (0..3).map(|_| lab.said(&mut agent, 0)).collect();
        assert_eq!(words[2], "QUEUE_RUN adv_misroute_2 DEV_COAG_01");
    }
}

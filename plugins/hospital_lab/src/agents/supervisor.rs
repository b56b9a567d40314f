//! Supervisor: tells the ward about critical results, releases results. The only role of the crew that releases.
//!
//! Rules, first match, oldest result first within each:
//! 1. a critical result with an open notification: acknowledge it with read-back;
//! 2. a critical result that nobody was told about: notify the primary contact by phone;
//! 3. a result that is not held and that the release gates would let pass: release it;
//! 4. away: walk back to the desk.
//!
//! A call is finished before the next is made, and calls come before releases: a critical value is urgent, a normal
//! one is not. The primary contact always answers, so nothing is ever escalated. A critical result that is held is
//! told all the same: the value may be wrong, but the ward must know that it may be right.

use super::scripted::{Memory, Rules, walk, zone_named};
use labtrust_plugin::lab::{ActionKind, AgentContext, Args, Decision, ResultView, Symbol};

const DESK: &str = "Z_QC_SUPERVISOR";
const CHANNEL: &str = "phone";
const RECEIVER_ROLE: &str = "primary_contact";

/// The rules of the supervisor.
#[derive(Debug, Default)]
pub struct Supervisor {
    /// Critical results whose notification this supervisor has acknowledged.
    told: Vec<Symbol>,
}

impl Supervisor {
    fn acknowledge(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision> {
        let view = ctx.view;
        let decision = view.results.iter().find_map(|result| {
            let mut args = Args { result: Some(result.id), ..Args::default() };
            let rare = args.rare_mut();
            rare.attempt_id = Some(result.attempt.filter(|_| result.critical)?);
            rare.channel = Some(ctx.symbols.intern(CHANNEL));
            rare.receiver_role = Some(ctx.symbols.intern(RECEIVER_ROLE));
            rare.receiver_name_or_id = Some(ctx.symbols.intern("ward_clinician"));
            rare.receiver_location_or_org = Some(ctx.symbols.intern("ward"));
            rare.read_back_confirmed = Some(true);
            rare.outcome = Some(ctx.symbols.intern("reached"));
            memory.check(view, Decision::new(ActionKind::AckCriticalResult, args))
        })?;
        self.told.extend(decision.args.result);
        Some(decision)
    }

    fn notify(&self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision> {
        let view = ctx.view;
        // A releasable critical result was acknowledged, by whomever.
        let untold = |r: &&ResultView| r.critical && r.attempt.is_none() && !r.releasable && !self.told.contains(&r.id);
        view.results.iter().filter(untold).find_map(|result| {
            let mut args = Args { result: Some(result.id), ..Args::default() };
            let rare = args.rare_mut();
            rare.channel = Some(ctx.symbols.intern(CHANNEL));
            rare.receiver_role = Some(ctx.symbols.intern(RECEIVER_ROLE));
            memory.check(view, Decision::new(ActionKind::NotifyCriticalResult, args))
        })
    }
}

impl Rules for Supervisor {
    fn first_match(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision> {
        if let Some(call) = self.acknowledge(ctx, memory).or_else(|| self.notify(ctx, memory)) {
            return Some(call);
        }
        let view = ctx.view;
        let release = view.results.iter().filter(|result| result.releasable && !result.held).find_map(|result| {
            let args = Args { result: Some(result.id), ..Args::default() };
            memory.check(view, Decision::new(ActionKind::ReleaseResult, args))
        });
        release.or_else(|| {
            let desk = zone_named(ctx, DESK)?;
            walk(ctx, memory, desk)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Scripted, test_view::Lab};
    use super::*;

    fn lab() -> (Lab, Scripted<Supervisor>) {
        let mut lab = Lab::new(&[DESK, "Z_HALL"]);
        lab.agent("A_SUPERVISOR_0", DESK);
        (lab, Scripted::new(Supervisor::default()))
    }

    #[test]
    fn the_oldest_releasable_result_is_released() {
        let (mut lab, mut agent) = lab();
        lab.result("R1").releasable = false;
        lab.result("R_HELD").held = true;
        lab.result("R2");
        lab.result("R3");
        assert_eq!(lab.said(&mut agent, 0), "RELEASE_RESULT R2");
    }

    #[test]
    fn a_critical_result_is_told_acknowledged_and_only_then_released() {
        let (mut lab, mut agent) = lab();
        lab.result("R0");
        let attempt = lab.id("R1_attempt_0");
        let critical = lab.result("R1");
        (critical.critical, critical.releasable) = (true, false);
        let call = lab.decide(&mut agent, 0, None).unwrap();
        assert_eq!(call.kind, ActionKind::NotifyCriticalResult);
        assert_eq!(call.args.rare().receiver_role, Some(lab.id("primary_contact")));
        lab.view.results[1].attempt = Some(attempt);
        let ack = lab.decide(&mut agent, 0, None).unwrap();
        assert_eq!(ack.kind, ActionKind::AckCriticalResult);
        let rare = ack.args.rare();
        assert_eq!((rare.attempt_id, rare.read_back_confirmed), (Some(attempt), Some(true)));
        assert!(
            rare.receiver_name_or_id.is_some() && rare.receiver_location_or_org.is_some() && rare.outcome.is_some()
        );
        (lab.view.results[1].attempt, lab.view.results[1].releasable) = (None, true);
        assert_eq!(lab.said(&mut agent, 0), "RELEASE_RESULT R0");
        lab.view.results.remove(0);
        assert_eq!(lab.said(&mut agent, 0), "RELEASE_RESULT R1");
    }

    #[test]
    fn the_ward_is_told_once_even_when_the_result_stays_blocked() {
        let (mut lab, mut agent) = lab();
        let attempt = lab.id("R1_attempt_0");
        let critical = lab.result("R1");
        (critical.critical, critical.releasable, critical.attempt) = (true, false, Some(attempt));
        assert_eq!(lab.said(&mut agent, 0), "ACK_CRITICAL_RESULT R1");
        lab.view.results[0].attempt = None;
        assert_eq!(lab.said(&mut agent, 0), "nothing");
    }
}

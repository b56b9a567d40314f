//! Supervisor: tells the ward about critical results, releases results. The only role of the crew that releases.
//!
//! Rules, first match, oldest result first within each:
//! 1. a critical result with an open notification: acknowledge it with read-back;
//! 2. a critical result that nobody was told about: notify the primary contact by phone;
//! 3. where somebody answers who is asked for an approval: a specimen that is ready and has lost its stability: ask for
//!    a token, so that it can be run all the same. The supervisor's own approval is one of the two that it needs;
//! 4. a result that is not held and that the release gates would let pass: release it, unless the control of the device
//!    that measured it is due (it may be in doubt in a moment);
//! 5. away: walk back to the desk.
//!
//! A call is finished before the next is made, and calls come before releases: a critical value is urgent, a normal
//! one is not. The primary contact always answers, so nothing is ever escalated. A critical result that is held is
//! told all the same: the value may be wrong, but the ward must know that it may be right.

use super::scripted::{Memory, Rules, token_for, too_late, walk, zone_named};
use super::team::{Team, pick};
use labtrust_plugin::lab::{ActionKind, AgentContext, Approval, Args, Decision, ResultView, Symbol, WorldView};
use labtrust_trust::codes;

const DESK: &str = "Z_QC_SUPERVISOR";
const CHANNEL: &str = "phone";
const RECEIVER_ROLE: &str = "primary_contact";
const RISK_TOKEN: &str = "OVERRIDE_RISK_ACCEPTANCE";

/// The rules of the supervisor.
#[derive(Debug, Default)]
pub struct Supervisor {
    /// Critical results whose notification this supervisor has acknowledged.
    told: Vec<Symbol>,
    team: Team,
}

/// Results that are released next, oldest first.
pub(super) fn releases<'a>(view: &'a WorldView, memory: &'a Memory) -> impl Iterator<Item = Decision> + 'a {
    let in_doubt = |result: &ResultView| {
        view.devices.iter().any(|device| device.control_due)
            && view
                .specimens
                .iter()
                .find(|specimen| Some(specimen.id) == result.specimen)
                .and_then(|specimen| view.devices.get(specimen.device?))
                .is_some_and(|device| device.control_due)
    };
    let ready = view.results.iter().filter(move |result| result.releasable && !result.held && !in_doubt(result));
    ready.filter_map(|result| {
        let args = Args { result: Some(result.id), ..Args::default() };
        memory.check(view, Decision::new(ActionKind::ReleaseResult, args))
    })
}

impl Supervisor {
    /// One of the supervisors.
    #[must_use]
    pub fn in_team(team: Team) -> Self {
        Self { told: Vec::new(), team }
    }

    fn acknowledge(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory, left: &mut usize) -> Option<Decision> {
        let view = ctx.view;
        let open = view.results.iter().filter_map(|result| {
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
        });
        let decision = pick(open, left)?;
        self.told.extend(decision.args.result);
        Some(decision)
    }

    fn notify(&self, ctx: &mut AgentContext<'_>, memory: &Memory, left: &mut usize) -> Option<Decision> {
        let view = ctx.view;
        // A releasable critical result was acknowledged, by whomever.
        let untold = |r: &&ResultView| r.critical && r.attempt.is_none() && !r.releasable && !self.told.contains(&r.id);
        let untold = view.results.iter().filter(untold).filter_map(|result| {
            let mut args = Args { result: Some(result.id), ..Args::default() };
            let rare = args.rare_mut();
            rare.channel = Some(ctx.symbols.intern(CHANNEL));
            rare.receiver_role = Some(ctx.symbols.intern(RECEIVER_ROLE));
            memory.check(view, Decision::new(ActionKind::NotifyCriticalResult, args))
        });
        pick(untold, left)
    }
}

/// Asks for the token of a specimen that came too late. Whoever is asked adds the second approval.
fn ask(ctx: &mut AgentContext<'_>, memory: &Memory, left: &mut usize) -> Option<Decision> {
    let (view, me) = (ctx.view, ctx.id());
    let mut late = view.specimens.iter().filter(|s| too_late(view, s) && token_for(view, s).is_none()).peekable();
    if !view.approvals || late.peek().is_none() {
        return None;
    }
    let reason = ctx.symbols.intern(codes::TIME_EXPIRED);
    let (token_type, subject_type) = (ctx.symbols.intern(RISK_TOKEN), ctx.symbols.intern("specimen"));
    let requests = late.filter_map(|specimen| {
        let mut args = Args { specimen: Some(specimen.id), ..Args::default() };
        let rare = args.rare_mut();
        rare.token_type = Some(token_type);
        rare.subject_type = Some(subject_type);
        rare.subject_id = Some(specimen.id);
        rare.approvals = Some(vec![Approval { agent: Some(me), key: None, signature: None }]);
        memory.check(view, Decision::new(ActionKind::MintToken, args).because(reason))
    });
    pick(requests, left)
}

impl Rules for Supervisor {
    fn first_match(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision> {
        let mut left = self.team.rank_anywhere(ctx);
        let call = self.acknowledge(ctx, memory, &mut left).or_else(|| self.notify(ctx, memory, &mut left));
        let asked = call.or_else(|| ask(ctx, memory, &mut left));
        let next = asked.or_else(|| pick(releases(ctx.view, memory), &mut left));
        next.or_else(|| {
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

    #[test]
    fn a_token_is_asked_for_once_and_only_where_somebody_answers() {
        let (mut lab, mut agent) = lab();
        lab.view.now_s = 101;
        lab.specimen("S1", labtrust_plugin::lab::Stage::Ready, 0, &[]).deadline_s = 100;
        lab.specimen("S2", labtrust_plugin::lab::Stage::Ready, 0, &[]).deadline_s = 101;
        lab.specimen("S3", labtrust_plugin::lab::Stage::Separated, 0, &[]).deadline_s = 0;
        assert_eq!(lab.said(&mut agent, 0), "nothing");
        lab.view.approvals = true;
        let request = lab.decide(&mut agent, 0, None).unwrap();
        assert_eq!((request.kind, request.args.rare().subject_id), (ActionKind::MintToken, Some(lab.id("S1"))));
        assert_eq!(request.reason_code, Some(lab.id("TIME_EXPIRED")));
        let approvals: Vec<_> = request.args.rare().approvals.iter().flatten().map(|approval| approval.agent).collect();
        assert_eq!(approvals, [Some(lab.id("A_SUPERVISOR_0"))]);
        assert_eq!(lab.decide(&mut agent, 0, Some(codes::INV_TOK_001)), None, "no means no");
        let mut another = Scripted::new(Supervisor::default());
        lab.token("T_OVR_S1", "S1");
        assert_eq!(lab.said(&mut another, 0), "nothing");
    }

    #[test]
    fn while_the_control_of_its_device_is_due_a_result_waits() {
        let (mut lab, mut agent) = lab();
        lab.device("CHEM_A", "CHEM_ANALYZER", "Z_HALL");
        lab.device("CHEM_B", "CHEM_ANALYZER", "Z_HALL");
        for (specimen, result, device) in [("S1", "R_S1", 0), ("S2", "R_S2", 1)] {
            lab.specimen(specimen, labtrust_plugin::lab::Stage::Resulted, 0, &[]).device = Some(device);
            let specimen = lab.id(specimen);
            lab.result(result).specimen = Some(specimen);
        }
        lab.view.devices[0].control_due = true;
        assert_eq!(lab.said(&mut agent, 0), "RELEASE_RESULT R_S2");
        lab.view.devices[0].control_due = false;
        assert_eq!(lab.said(&mut agent, 0), "RELEASE_RESULT R_S1");
    }
}

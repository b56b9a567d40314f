//! Reception: takes specimens from the counter to acceptance, one action a step.
//!
//! Rules, first match:
//! 1. away from both reception zones: walk to `Z_SRA_RECEPTION`;
//! 2. a checked specimen: accept it (the laboratory holds or rejects it itself when its flags say so);
//! 3. a registered specimen: check it;
//! 4. an arrived specimen: register it;
//! 5. a specimen that waits at an analyser in vain, because its reagent has run out: hold it, with the reason (or say
//!    that it has to be sent elsewhere, where the reagent policy asks for that);
//! 6. a specimen that is ready and has lost its stability: hold it, with the reason. Where somebody answers who is asked
//!    for an approval, that is given time first, and a specimen that has a token is left alone.
//!
//! Within a rule STAT comes first, then the earliest arrival. Finishing one before beginning the next keeps the
//! centrifuge fed: three specimens registered and none accepted help nobody.

use super::scripted::{Memory, Rules, my_zone, on_specimen, token_for, too_late, waits_in_vain, walk, zone_named};
use super::team::{Team, pick};
use labtrust_plugin::lab::{ActionKind, AgentContext, Decision, SpecimenView, Stage, WorldView};
use labtrust_trust::codes;

const RECEPTION: &str = "Z_SRA_RECEPTION";
const ACCESSIONING: &str = "Z_ACCESSIONING";
const ROUTE_DEVICE_UNAVAILABLE: &str = "ROUTE_DEVICE_UNAVAILABLE";

/// How long a specimen that came too late is left alone: while nobody is asked, and while somebody is [s].
const PATIENCE_S: i64 = 30;
const PATIENCE_WHERE_ASKED_S: i64 = 600;

/// The rules of reception.
#[derive(Debug, Default)]
pub struct Receptionist {
    team: Team,
}

impl Receptionist {
    /// One of those at reception.
    #[must_use]
    pub fn in_team(team: Team) -> Self {
        Self { team }
    }
}

/// The first specimen that waits in vain, from number `left` on, set aside.
fn set_aside(ctx: &mut AgentContext<'_>, memory: &Memory, left: &mut usize) -> Option<Decision> {
    let view = ctx.view;
    let mut in_vain = view.specimens.iter().filter(|specimen| waits_in_vain(view, specimen)).peekable();
    in_vain.peek()?;
    let reason = ctx.symbols.intern(codes::RC_REAGENT_STOCKOUT);
    let elsewhere = ctx.symbols.intern(ROUTE_DEVICE_UNAVAILABLE);
    let holds = in_vain.filter_map(|specimen| {
        let reroute = view.stockouts.iter().any(|stockout| Some(stockout.panel) == specimen.panel && stockout.reroute);
        let decision = on_specimen(ActionKind::HoldSpecimen, specimen.id);
        memory.check(view, decision.because(if reroute { elsewhere } else { reason }))
    });
    pick(holds, left)
}

/// Whether a specimen that came too late is to be set aside.
fn is_given_up(view: &WorldView, specimen: &SpecimenView) -> bool {
    let patience_s = if view.approvals { PATIENCE_WHERE_ASKED_S } else { PATIENCE_S };
    too_late(view, specimen) && specimen.since_s + patience_s <= view.now_s && token_for(view, specimen).is_none()
}

/// The first specimen that came too late, from number `left` on, set aside.
fn give_up(ctx: &mut AgentContext<'_>, memory: &Memory, left: &mut usize) -> Option<Decision> {
    let view = ctx.view;
    let mut late = view.specimens.iter().filter(|specimen| is_given_up(view, specimen)).peekable();
    late.peek()?;
    let reason = ctx.symbols.intern(codes::TIME_EXPIRED);
    let holds = late
        .filter_map(|specimen| memory.check(view, on_specimen(ActionKind::HoldSpecimen, specimen.id).because(reason)));
    pick(holds, left)
}

impl Rules for Receptionist {
    fn first_match(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision> {
        let counter = zone_named(ctx, RECEPTION)?;
        let (here, accessioning) = (my_zone(ctx), zone_named(ctx, ACCESSIONING));
        if here != Some(counter) && here != accessioning {
            return walk(ctx, memory, counter);
        }
        let mut left = self.team.rank(ctx, &[Some(counter), accessioning]);
        let work = [
            (Stage::Checked, ActionKind::AcceptSpecimen),
            (Stage::Accessioned, ActionKind::CheckAcceptanceRules),
            (Stage::Arrived, ActionKind::CreateAccession),
        ];
        let view = ctx.view;
        let mut steps = work.into_iter().flat_map(|(stage, action)| {
            view.at(stage).filter_map(move |specimen| {
                let mut decision = on_specimen(action, specimen.id);
                if action == ActionKind::CheckAcceptanceRules {
                    decision.args.id_match = Some(true);
                }
                memory.check(view, decision)
            })
        });
        let next = pick(&mut steps, &mut left).or_else(|| set_aside(ctx, memory, &mut left));
        next.or_else(|| give_up(ctx, memory, &mut left))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Scripted, test_view::Lab};
    use super::*;

    fn lab() -> (Lab, Scripted<Receptionist>) {
        let mut lab = Lab::new(&[RECEPTION, ACCESSIONING, "Z_SORTING_LANES"]);
        lab.agent("A_RECEPTION_0", RECEPTION);
        (lab, Scripted::new(Receptionist::default()))
    }

    #[test]
    fn what_is_begun_is_finished_first() {
        let (mut lab, mut agent) = lab();
        lab.specimen("S1", Stage::Arrived, 0, &[]);
        lab.specimen("S2", Stage::Arrived, 5, &[]);
        lab.specimen("S3", Stage::InTransit, 0, &[]);
        assert_eq!(lab.said(&mut agent, 0), "CREATE_ACCESSION S1");
        lab.view.specimens[1].stage = Stage::Accessioned;
        assert_eq!(lab.said(&mut agent, 0), "CHECK_ACCEPTANCE_RULES S2");
        assert_eq!(lab.decide(&mut agent, 0, None).unwrap().args.id_match, Some(true));
        lab.view.specimens[1].stage = Stage::Checked;
        assert_eq!(lab.said(&mut agent, 0), "ACCEPT_SPECIMEN S2");
    }

    #[test]
    fn what_came_too_late_is_held_at_once_or_when_nobody_has_answered() {
        let (mut lab, mut agent) = lab();
        lab.specimen("S1", Stage::Ready, 100, &[]).deadline_s = 50;
        lab.view.now_s = 129;
        assert_eq!(lab.said(&mut agent, 0), "nothing");
        lab.view.now_s = 130;
        assert_eq!(lab.said(&mut agent, 0), "HOLD_SPECIMEN S1");
        lab.view.approvals = true;
        assert_eq!(lab.said(&mut agent, 0), "nothing");
        lab.view.now_s = 700;
        assert_eq!(lab.said(&mut agent, 0), "HOLD_SPECIMEN S1");
        lab.token("T_OVR_S1", "S1");
        assert_eq!(lab.said(&mut agent, 0), "nothing");
    }

    #[test]
    fn a_receptionist_who_is_away_walks_back() {
        let (mut lab, mut agent) = lab();
        lab.specimen("S1", Stage::Arrived, 0, &[]);
        lab.view.agents[0].zone = Some(2);
        assert_eq!(lab.said(&mut agent, 0), "MOVE Z_ACCESSIONING");
        lab.view.agents[0].zone = Some(1);
        assert_eq!(lab.said(&mut agent, 0), "CREATE_ACCESSION S1");
    }

    #[test]
    fn a_refused_specimen_does_not_hold_up_the_next() {
        let (mut lab, mut agent) = lab();
        lab.specimen("S1", Stage::Arrived, 0, &[]);
        lab.specimen("S2", Stage::Arrived, 5, &[]);
        assert_eq!(lab.said(&mut agent, 0), "CREATE_ACCESSION S1");
        let second = lab.decide(&mut agent, 0, Some("RC_SPECIMEN_STATE")).unwrap();
        assert_eq!(second.args.specimen, Some(lab.view.specimens[1].id));
    }

    #[test]
    fn what_waits_in_vain_for_reagent_is_held_with_the_reason_and_nothing_else_is() {
        let (mut lab, mut agent) = lab();
        let (panel, other) = (lab.id("P"), lab.id("OTHER"));
        lab.view.stockouts.push(labtrust_plugin::lab::StockoutView { panel, reroute: false });
        lab.specimen("S1", Stage::Queued, 0, &[]).panel = Some(other);
        lab.specimen("S2", Stage::Queued, 0, &[]).panel = Some(panel);
        lab.view.now_s = 29;
        assert_eq!(lab.said(&mut agent, 0), "nothing", "the analyst may still try it");
        lab.view.now_s = 30;
        let hold = lab.decide(&mut agent, 0, None).unwrap();
        assert_eq!((hold.kind, hold.args.specimen), (ActionKind::HoldSpecimen, Some(lab.id("S2"))));
        assert_eq!(hold.reason_code, Some(lab.id("RC_REAGENT_STOCKOUT")));
        lab.view.stockouts[0].reroute = true;
        let reroute = lab.decide(&mut agent, 0, None).unwrap();
        assert_eq!(reroute.reason_code, Some(lab.id("ROUTE_DEVICE_UNAVAILABLE")));
    }

    #[test]
    fn two_receptionists_take_two_specimens() {
        let mut lab = Lab::new(&[RECEPTION, ACCESSIONING]);
        lab.agent("A1", RECEPTION);
        lab.agent("A2", ACCESSIONING);
        lab.specimen("S1", Stage::Checked, 0, &[]);
        lab.specimen("S2", Stage::Arrived, 0, &[]);
        let team = Team::of(std::sync::Arc::from([0, 1]));
        let mut both = [0, 1].map(|_| Scripted::new(Receptionist::in_team(team.clone())));
        assert_eq!(lab.said(&mut both[0], 0), "ACCEPT_SPECIMEN S1");
        assert_eq!(lab.said(&mut both[1], 1), "CREATE_ACCESSION S2");
        lab.view.agents[0].zone = None;
        assert_eq!(lab.said(&mut both[1], 1), "ACCEPT_SPECIMEN S1");
    }
}

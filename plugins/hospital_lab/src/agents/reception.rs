//! Reception: takes specimens from the counter to acceptance, one action a step.
//!
//! Rules, first match:
//! 1. away from both reception zones: walk to `Z_SRA_RECEPTION`;
//! 2. a checked specimen: accept it (the laboratory holds or rejects it itself when its flags say so);
//! 3. a registered specimen: check it;
//! 4. an arrived specimen: register it.
//!
//! Within a rule STAT comes first, then the earliest arrival. Finishing one before beginning the next keeps the
//! centrifuge fed: three specimens registered and none accepted help nobody.

use super::scripted::{Memory, Rules, my_zone, on_specimen, walk, zone_named};
use labtrust_plugin::lab::{ActionKind, AgentContext, Decision, Stage};

const RECEPTION: &str = "Z_SRA_RECEPTION";
const ACCESSIONING: &str = "Z_ACCESSIONING";

/// The rules of reception.
#[derive(Debug, Default, Clone, Copy)]
pub struct Receptionist;

impl Rules for Receptionist {
    fn first_match(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision> {
        let counter = zone_named(ctx, RECEPTION)?;
        let here = my_zone(ctx);
        if here != Some(counter) && here != zone_named(ctx, ACCESSIONING) {
            return walk(ctx, memory, counter);
        }
        let work = [
            (Stage::Checked, ActionKind::AcceptSpecimen),
            (Stage::Accessioned, ActionKind::CheckAcceptanceRules),
            (Stage::Arrived, ActionKind::CreateAccession),
        ];
        let view = ctx.view;
        work.into_iter().find_map(|(stage, action)| {
            view.at(stage).find_map(|specimen| {
                let mut decision = on_specimen(action, specimen.id);
                if action == ActionKind::CheckAcceptanceRules {
                    decision.args.id_match = Some(true);
                }
                memory.check(view, decision)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Scripted, test_view::Lab};
    use super::*;

    fn lab() -> (Lab, Scripted<Receptionist>) {
        let mut lab = Lab::new(&[RECEPTION, ACCESSIONING, "Z_SORTING_LANES"]);
        lab.agent("A_RECEPTION_0", RECEPTION);
        (lab, Scripted::new(Receptionist))
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
}

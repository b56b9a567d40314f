//! Quality control officer: reads the controls that are due, and checks a failed device again.
//!
//! Rules, first match:
//! 1. a planned control is due: walk to its device, read it;
//! 2. a device whose control failed at least [`RECHECK_S`] ago: walk to it, read the control again;
//! 3. away with nothing to do: walk back to the desk.
//!
//! The officer does not say what a control gives; the device does. Between a failure and the second control the device is
//! recalibrated; that this takes [`RECHECK_S`] is this role's assumption. Reruns and moved work are the analysts'
//! business: QC may only report.

use super::scripted::{Memory, Rules, my_zone, walk, zone_named};
use super::team::Team;
use labtrust_plugin::lab::{ActionKind, AgentContext, Args, Decision, DeviceView};

const DESK: &str = "Z_QC_SUPERVISOR";
/// How long a device is recalibrated before its control is read again [s].
const RECHECK_S: i64 = 120;

/// The rules of quality control.
#[derive(Debug, Default)]
pub struct QcOfficer {
    team: Team,
}

impl QcOfficer {
    /// One of the officers.
    #[must_use]
    pub fn in_team(team: Team) -> Self {
        Self { team }
    }
}

/// Whether somebody should read the control of a device.
fn wants_control(device: &DeviceView, now_s: i64) -> bool {
    let recalibrated = || device.last_control_s.is_none_or(|read_s| read_s + RECHECK_S <= now_s);
    device.control_due || (!device.qc_pass && recalibrated())
}

impl Rules for QcOfficer {
    fn first_match(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision> {
        let view = ctx.view;
        let number = self.team.number(ctx);
        let work = view.devices.iter().filter(|device| wants_control(device, view.now_s)).filter_map(|device| {
            let args = Args { device: Some(device.id), ..Args::default() };
            // A control that was refused is not read again either, before something changes.
            Some((device, memory.check(view, Decision::new(ActionKind::QcEvent, args))?))
        });
        let Some((device, control)) = work.into_iter().nth(number) else {
            let desk = zone_named(ctx, DESK)?;
            return walk(ctx, memory, desk);
        };
        if my_zone(ctx) != Some(device.zone) {
            return walk(ctx, memory, device.zone);
        }
        Some(control)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Scripted, test_view::Lab};
    use super::*;

    fn lab() -> (Lab, Scripted<QcOfficer>) {
        let mut lab = Lab::new(&["Z_HALL_A", DESK]);
        lab.device("CHEM_A", "CHEM_ANALYZER", "Z_HALL_A");
        lab.agent("A_QC_0", DESK);
        (lab, Scripted::new(QcOfficer::default()))
    }

    #[test]
    fn without_a_failure_and_a_plan_there_is_nothing_to_do() {
        let (mut lab, mut agent) = lab();
        assert_eq!(lab.said(&mut agent, 0), "nothing");
    }

    #[test]
    fn a_control_that_is_due_is_read_at_its_device_without_saying_what_it_gives_and_the_officer_returns() {
        let (mut lab, mut agent) = lab();
        lab.view.devices[0].control_due = true;
        assert_eq!(lab.said(&mut agent, 0), "MOVE Z_HALL_A");
        lab.view.agents[0].zone = Some(0);
        let control = lab.decide(&mut agent, 0, None).unwrap();
        assert_eq!((control.kind, control.args.qc_outcome), (ActionKind::QcEvent, None));
        lab.view.devices[0].control_due = false;
        assert_eq!(lab.said(&mut agent, 0), "MOVE Z_QC_SUPERVISOR");
    }

    #[test]
    fn a_failed_device_is_checked_again_after_every_recalibration() {
        let (mut lab, mut agent) = lab();
        lab.view.agents[0].zone = Some(0);
        lab.view.devices[0].qc_pass = false;
        for failed_s in [0, 500] {
            lab.view.devices[0].last_control_s = Some(failed_s);
            lab.view.now_s = failed_s + RECHECK_S - 1;
            assert_eq!(lab.said(&mut agent, 0), "MOVE Z_QC_SUPERVISOR");
            lab.view.now_s += 1;
            assert_eq!(lab.said(&mut agent, 0), "QC_EVENT CHEM_A");
        }
    }
}
